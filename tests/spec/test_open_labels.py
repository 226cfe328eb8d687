"""Open labels are read by their lists: ours and the settings'. Whatever else stands there is one and the same word."""

from pathlib import Path

import pytest
from helpers.evidence import counted
from helpers.tables import good_rows, read, write_csv

from ageingwell.config.score import TableSettings
from ageingwell.contracts.registry import columns, open_labels
from ageingwell.errors import ConfigError
from ageingwell.pseudonyms.identifying import may_identify
from ageingwell.reading.listed import NOT_LISTED
from ageingwell.sources.mapping import stop_on_wrong_mapping
from ageingwell.views.words import communication_words

REMARK = "ring daughter Ann on 07700 900123; key safe 4711"
# One number, one telephone, one home, one day and one postcode in the spellings that people and systems give them.
SPELLINGS = (
    "943 476 5919", "943-476-5919", "943.476.5919", "943/476/5919", "943_476_5919", "943  476  5919", "9434765919.0",
    "943\u00a0476\u00a05919", "943\u2009476\u20095919", "943\u202f476\u202f5919", "9,434,765,919", "94 34 76 59 19",
    "\uff19\uff14\uff13\uff14\uff17\uff16\uff15\uff19\uff11\uff19",
    "\u0669\u0664\u0663\u0664\u0667\u0666\u0665\u0669\u0661\u0669",
    "943476591O", "943476S919 or 9434765919", "9434 765 919", "(943) 476 5919", "NHS9434765919", "no.943:476:5919",
    "07700 900123", "07700.900.123", "07700-900-123", "+447700900123", "0044 7700 900 123", "(01632) 960001",
    "O77OO 9OO123", "12345678", "100012345", "1000123456", "10001234567", "100 012 345 678", "16/09/1940", "16.9.40",
    "1940-09-16", "16 September 1940", "Sept 16, 1940", "16th of Sep 1940", "16091940", "19400916", "16-SEP-40",
    "SY6 6AA", "sy66aa", "SY6-6AA", "SY6_6AA", "ann@example.org", "ann at example dot org", "12 Sandford Ave",
    "Flat 2, 14 High Street", "OTQzNDc2NTkxOQ==", "39343334373635393139", "9195674349", "AA6 6YS",
)  # fmt: skip


@pytest.mark.parametrize(("table", "column"), open_labels())
def test_what_is_on_no_list_is_other_and_never_named(table: str, column: str, tmp_path: Path) -> None:
    known = next(found.known[0] for found in columns(table) if found.name == column)
    texts = [REMARK, known, f"{known} {REMARK}", "=1+1", "x" * 100_000]
    rows = [row | {column: text} for row, text in zip(good_rows(table, 5), texts, strict=True)]
    write_csv(tmp_path / f"{table}.csv", rows)

    labels = read(table, tmp_path).rows.collect()[column].to_list()

    assert [labels[0], *labels[3:]] == [NOT_LISTED] * 3
    assert labels[1] == known.strip("*_")
    assert "07700" not in str(labels)


def test_a_label_that_the_settings_name_is_carried_and_one_that_holds_a_number_is_refused() -> None:
    named = TableSettings(required=True, values={"communication_need": {"DB manual": "deafblind_manual"}})
    wrong = TableSettings(required=True, values={"communication_need": {"x": "ring 07700 900123"}})

    stop_on_wrong_mapping({"gp_patients": named})
    with pytest.raises(ConfigError, match="a label of your own holds a long number") as stopped:
        stop_on_wrong_mapping({"gp_patients": wrong})

    assert "07700" not in str(stopped.value)


def test_other_is_not_none_and_not_unknown() -> None:
    said = {label: communication_words(label) for label in (NOT_LISTED, "none", "unknown", "large_print")}

    assert len(set(said.values())) == 4
    assert said[NOT_LISTED] == "Other need: ask them"


def test_the_screen_sees_every_spelling_and_raises_no_alarm_at_honest_labels() -> None:
    missed = [text for text in SPELLINGS if not may_identify(text)]
    labels = [one.replace("_", " ") for table, column in open_labels() for one in _known(table, column)]
    alarms = [label for label in labels if may_identify(label)]

    counted("P1.free_text", len(SPELLINGS) + len(labels), len(missed) + len(alarms))
    assert (missed, alarms) == ([], [])


def _known(table: str, column: str) -> list[str]:
    return [one.replace("*", "") for found in columns(table) if found.name == column for one in found.known]
