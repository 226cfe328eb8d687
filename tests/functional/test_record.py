"""A list goes out, comes back filled, and is recorded: nothing is lost, nothing wrong taken, nothing counted twice."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from click.testing import CliRunner
from helpers.counties import NIGHT, copy_of, hashes_of, opt_out, rows_of
from helpers.filled import OFFICE, cells_of, fill, keys_of, saved_again
from helpers.recording import MEETING, NO, YES, book, both_on, ledger, people_by_key, record
from helpers.sealed import seal_again

from ageingwell.cli import cli
from ageingwell.config.load import load_config
from ageingwell.night.withdrawing import withdraw


@pytest.fixture
def at(first_night: Path, tmp_path: Path) -> Path:
    """A county and its first night, to work with."""
    return copy_of(first_night, tmp_path / "here")


def person_at(at: Path, key: str) -> str:
    """The person behind a row key of the practice, found by place on the list: the ledger has to agree."""
    return people_by_key(at)[key]


def test_four_answers_are_recorded_and_a_mistyped_one_comes_back_with_a_note(at):
    keys = keys_of(book(at))[:5]
    filled = fill(
        book(at),
        {
            keys[0]: YES,
            keys[1]: NO,
            keys[2]: {**YES, "by_when": datetime(2026, 12, 8), "told": "Yes"},
            keys[3]: {"outcome": "No access", "contacted_on": "23/11/2026"},
            keys[4]: {**YES, "decision": "Contact soon", "by_when": "8 December 2026"},
        },
        to=at / "back.xlsx",
    )

    ran = record(at, filled, more=("--role", "meeting chair"))

    assert ran.exit_code == 22
    assert "back.fix.xlsx" in ran.output
    told = ledger(at)
    assert set(told["person_id"]) == {person_at(at, key) for key in keys[:4]}
    assert set(told["role"]) == {"meeting chair"}
    assert sorted(told["by_when"].drop_nulls()) == [date(2026, 12, 8)]
    assert told["contacted_on"].drop_nulls().to_list() == [date(2026, 11, 23)]
    (row,) = cells_of(at / "back.fix.xlsx")
    assert row["row_key"] == keys[4]
    assert row["to_mend"] == "Decision: not one of the choices"
    assert row["decision"] == "Contact soon"
    assert row["by_when"] == datetime(2026, 12, 8)
    before = cells_of(book(at))[4]
    assert {name: row[name] for name in before if before[name]} == {n: v for n, v in before.items() if v}

    mended = fill(at / "back.fix.xlsx", {keys[4]: {"decision": "contact now"}}, to=at / "mended.xlsx")

    assert record(at, mended).exit_code == 0
    assert person_at(at, keys[4]) in set(ledger(at)["person_id"])


def test_recording_twice_changes_nothing_and_says_so(at):
    filled = fill(book(at), dict.fromkeys(keys_of(book(at))[:3], YES), to=at / "back.xlsx")
    record(at, filled)
    first = (at / "out" / "decisions.sqlite").read_bytes()

    ran = record(at, filled, on=MEETING + timedelta(days=1))

    assert ran.exit_code == 0
    assert "3 unchanged" in ran.output
    assert ledger(at).height == 3
    assert (at / "out" / "decisions.sqlite").read_bytes() == first


def test_a_dry_run_tells_row_by_row_and_writes_nothing(at):
    keys = keys_of(book(at))
    filled = fill(book(at), {keys[0]: YES, keys[1]: {"decision": "perhaps"}}, to=at / "back.xlsx")
    before = hashes_of(at)

    ran = record(at, filled, more=("--dry-run",))

    assert ran.exit_code == 22
    assert "row 2: recorded" in ran.output
    assert "row 3: to correct: Decision: not one of the choices" in ran.output
    assert hashes_of(at) == before


@pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed")
@pytest.mark.parametrize("format_", ["xlsx", "ods"])
def test_a_list_opened_and_saved_in_libreoffice_loses_no_decision(at, format_):
    keys = keys_of(book(at))[:4]
    answers = {
        keys[0]: {**YES, "by_when": datetime(2026, 12, 8), "told": "Not yet"},
        keys[1]: NO,
        keys[2]: {"outcome": "Declined help", "contacted_on": datetime(2026, 11, 23)},
        keys[3]: {**NO, "decision": "Contact nwo"},
    }
    filled = fill(book(at), answers, to=at / "back.xlsx")

    ran = record(at, saved_again(filled, at / "office", to=format_))

    assert ran.exit_code == 22
    assert "was changed" not in ran.output
    told = {row["person_id"]: row for row in ledger(at).to_dicts()}
    assert told.keys() == {person_at(at, key) for key in keys[:3]}
    assert told[person_at(at, keys[0])]["by_when"] == date(2026, 12, 8)
    assert told[person_at(at, keys[2])]["outcome"] == "declined_help"
    assert [row["row_key"] for row in cells_of(at / "office" / "back.fix.xlsx")] == [keys[3]]


def test_the_csv_of_the_list_comes_back_as_well(at):
    rows = pl.read_csv(book(at).with_suffix(".csv"), infer_schema=False)
    marks = [pl.lit("Already supported").alias("decision"), pl.lit("Known to us and in hand").alias("reason")]
    rows.head(2).with_columns(*marks).write_csv(at / "back.csv", separator=";")

    assert record(at, at / "back.csv").exit_code == 0
    assert set(ledger(at)["decision"]) == {"already_supported"}
    assert set(ledger(at)["recipient"]) == {"gp"}


def test_a_changed_cell_is_told_by_row_and_column_without_its_value_and_is_left_as_it_was(at):
    keys = keys_of(book(at))
    answers = {keys[0]: YES}
    filled = fill(book(at), answers, cells={keys[0]: {**YES, "place": "Xanadu"}}, to=at / "back.xlsx")

    ran = record(at, filled)

    assert ran.exit_code == 0
    assert "List, row 2: `place` was changed; left as it was sent" in ran.output
    assert "Xanadu" not in ran.output
    assert ledger(at)["person_id"].to_list() == [person_at(at, keys[0])]


def test_row_keys_that_were_sorted_alone_are_not_taken(at):
    keys = keys_of(book(at))
    turned = openpyxl.load_workbook(fill(book(at), {keys[1]: YES}, to=at / "back.xlsx"))
    sheet = turned["List"]
    sheet["A2"].value, sheet["A3"].value = sheet["A3"].value, sheet["A2"].value
    turned.save(at / "turned.xlsx")

    ran = record(at, at / "turned.xlsx")

    assert ran.exit_code == 22
    assert "is in the row of another person" in ran.output
    assert ledger(at).is_empty()


def test_some_columns_that_were_sorted_without_the_others_are_not_taken(at):
    keys = keys_of(book(at))
    turned = openpyxl.load_workbook(fill(book(at), {keys[1]: YES}, to=at / "back.xlsx"))
    sheet = turned["List"]
    # All but the key and one column more of the first rows changes places, so that no row is wholly another person's.
    apart = [n for n in range(2, 40) if None not in (sheet.cell(2, n).value, sheet.cell(3, n).value)]
    differing = [n for n in apart if sheet.cell(2, n).value != sheet.cell(3, n).value][1:]
    for number in differing:
        one, other = sheet.cell(2, number), sheet.cell(3, number)
        one.value, other.value = other.value, one.value
    turned.save(at / "turned.xlsx")

    ran = record(at, at / "turned.xlsx")

    assert len(differing) >= 2
    assert ran.exit_code == 22
    assert "is in the row of another person" in ran.output
    assert ledger(at).is_empty()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a workbook", b"a,b\r\n1,2\r\n"])
def test_a_file_that_is_no_list_is_refused_in_words(at, content):
    for name in ("back.xlsx", "back.csv"):
        (at / name).write_bytes(content)
        assert record(at, at / name).exit_code == 20


@pytest.mark.parametrize("together", [True, False])
def test_lists_that_disagree_go_to_the_chair_whose_word_holds(at, together):
    person, keys = both_on(at)
    first, second = [name for name in keys if name != "group"][:2]
    one = fill(book(at, first), {keys[first]: YES}, to=at / "one.xlsx")
    other = fill(book(at, second), {keys[second]: NO}, to=at / "other.xlsx")

    if together:
        ran = record(at, one, other)
    else:
        assert record(at, one).exit_code == 0
        ran = record(at, other)

    # What is disputed is kept of nobody who said it last; that a no was reported is kept as the person's word.
    assert ledger(at)["decision"].to_list() == ([None] if together else ["contact_now", None])
    assert ledger(at).select("recipient", "person_said").rows()[-1] == (second, "no_contact")
    assert ran.exit_code == 23
    sheet = at / f"clashes-{NIGHT}.xlsx"
    (row,) = cells_of(sheet)
    assert row["row_key"] == keys["group"]
    assert "Contact now" in row["said"]
    assert "Person has said no" in row["said"]

    settled = fill(sheet, {keys["group"]: NO}, to=at / "settled.xlsx")

    assert record(at, settled).exit_code == 0
    last = ledger(at).filter(pl.col("person_id") == person)[-1]
    assert last.select("recipient", "decision").row(0) == ("group", "said_no")


def test_a_correction_by_the_same_recipient_is_a_new_entry(at):
    key = keys_of(book(at))[0]
    record(at, fill(book(at), {key: YES}, to=at / "one.xlsx"))

    ran = record(at, fill(book(at), {key: NO}, to=at / "other.xlsx"))

    assert ran.exit_code == 0
    assert ledger(at)["decision"].to_list() == ["contact_now", "said_no"]


def test_an_answer_about_somebody_taken_off_since_is_not_kept_and_not_printed_again(at, settings):
    key = keys_of(book(at))[0]
    filled = fill(book(at), {key: YES}, to=at / "back.xlsx")
    opt_out(at / "county", "objection", person=person_at(at, key))
    withdraw(at / "county", as_of=NIGHT, out=at / "out", config=load_config(settings))

    ran = record(at, filled)

    assert ran.exit_code == 22
    assert "taken off the list since" in ran.output
    assert ledger(at).is_empty()
    assert not (at / "back.fix.xlsx").exists()


def test_a_day_in_place_of_today_is_for_made_up_nights_alone(at):
    filled = fill(book(at), {keys_of(book(at))[0]: YES}, to=at / "back.xlsx")
    manifest = (at / "out" / "current" / "manifest.json").resolve()
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"made_up": False}))
    seal_again(manifest.parent)

    assert record(at, filled).exit_code == 20
    # And a list of real people is read with its own key alone.
    ran = CliRunner().invoke(cli, ["record", str(filled), "--out", str(at / "out")])
    assert ran.exit_code == 7


def test_nothing_of_a_record_is_printed(at):
    rows = rows_of(at / "county", "gp_patients")
    keys = keys_of(book(at))
    filled = fill(book(at), {keys[0]: YES, keys[1]: {"decision": "secret words"}}, to=at / "back.xlsx")

    told = record(at, filled).output + record(at, filled, more=("--json",)).output

    assert "secret words" not in told
    assert not [row for row in rows if row["person_id"] in told]
    assert not [key for key in keys if key in told]


def test_a_fix_file_in_which_somebody_has_typed_is_never_written_over(at):
    key = keys_of(book(at))[0]
    wrong = fill(book(at), {key: {**YES, "decision": "Contact soon"}}, to=at / "back.xlsx")
    record(at, wrong)
    fresh = (at / "back.fix.xlsx").read_bytes()
    record(at, wrong)
    assert [path.name for path in at.glob("*.fix*")] == ["back.fix.xlsx"], "the same rows to mend are the same file"
    fill(at / "back.fix.xlsx", {key: YES}, to=at / "back.fix.xlsx")
    typed = (at / "back.fix.xlsx").read_bytes()

    ran = record(at, wrong)

    assert (at / "back.fix.xlsx").read_bytes() == typed
    assert (at / "back.fix-2.xlsx").read_bytes() == fresh
    assert "back.fix-2.xlsx" in ran.output
    assert record(at, at / "back.fix.xlsx").exit_code == 0
    assert ledger(at)["decision"].to_list() == ["contact_now"]


def test_files_of_one_name_each_have_their_own_rows_to_mend(at, tmp_path):
    wrong = {**YES, "decision": "Contact soon"}
    keys = {}
    for agency in ("gp", "group"):
        (tmp_path / agency).mkdir()
        keys[agency] = keys_of(book(at, agency))[0]
        fill(book(at, agency), {keys[agency]: wrong}, to=tmp_path / agency / "back.xlsx")
    (tmp_path / "mend").mkdir()

    files = [tmp_path / agency / "back.xlsx" for agency in keys]
    record(at, *files, more=("--fix-to", str(tmp_path / "mend")))

    found = {row["row_key"] for path in (tmp_path / "mend").iterdir() for row in cells_of(path)}
    assert found == set(keys.values())


def test_what_came_of_a_visit_is_kept_while_the_chair_has_yet_to_settle_the_decision(at):
    person, keys = both_on(at)
    first, second = [name for name in keys if name != "group"][:2]
    one = fill(book(at, first), {keys[first]: YES}, to=at / "one.xlsx")
    met = {**NO, "outcome": "Refused", "contacted_on": "23 November 2026"}
    other = fill(book(at, second), {keys[second]: met}, to=at / "other.xlsx")

    assert record(at, one, other).exit_code == 23

    assert ledger(at).select("person_id", "recipient", "decision", "outcome").rows() == [
        (person, second, None, "refused")
    ]
    assert record(at, one, other).exit_code == 23
    assert ledger(at).height == 1
