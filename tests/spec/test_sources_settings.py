"""What the settings of a table say of its cells: forms of days, words for empty, constants, values, rows to ignore."""

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from helpers.tables import good_rows, pseudonym, read, refusals, spoilt, write_csv
from pydantic import ValidationError

from ageingwell.config.score import ReaderSettings, TableSettings
from ageingwell.contracts.registry import columns
from ageingwell.errors import ConfigError, SourceError
from ageingwell.governance.night_facts import NightFacts
from ageingwell.pseudonyms.screening import birth_day
from ageingwell.report.sent import sent_notes
from ageingwell.sources.mapping import stop_on_wrong_mapping
from ageingwell.sources.notes import notes_of
from ageingwell.sources.read import CheckedTable, Records

ON = date(2026, 11, 22)


def read_with(folder: Path, table: str, rows: list[dict[str, str | None]], **settings: Any) -> CheckedTable:
    write_csv(folder / f"{table}.csv", rows)
    return read(table, folder, **settings)


# --- Forms of days ---


@pytest.mark.parametrize(
    ("formats", "cell", "day"),
    [
        (("%d/%m/%Y",), "03/04/2026", date(2026, 4, 3)),
        (("%d/%m/%Y",), "3/4/2026", date(2026, 4, 3)),
        (("%d/%m/%Y",), "03/04/2026 09:30", date(2026, 4, 3)),
        (("%d/%m/%Y",), "2026-04-03", date(2026, 4, 3)),
        (("%d/%m/%Y",), "2026-04-03T09:30:00Z", date(2026, 4, 3)),
        (("%m/%d/%Y",), "03/04/2026", date(2026, 3, 4)),
        (("%d/%m/%Y %H:%M",), "03/04/2026 09:30", date(2026, 4, 3)),
        (("%d %b %Y %H:%M:%S",), "09 Jan 2008 00:00:00", date(2008, 1, 9)),
        (("%d-%b-%Y",), "12-MAR-2026", date(2026, 3, 12)),
        (("%d/%m/%Y", "%d-%b-%Y"), "12-Mar-2026", date(2026, 3, 12)),
        # What is not declared, or may be either of two days, is never guessed.
        ((), "03/04/2026", None),
        (("%d-%b-%Y",), "03/04/2026", None),
        (("%d/%m/%Y", "%m/%d/%Y"), "03/04/2026", None),
        (("%d/%m/%Y", "%m/%d/%Y"), "31/12/2026", date(2026, 12, 31)),
        (("%d/%m/%Y",), "31/02/2026", None),
        (("%d/%m/%Y",), "03/04/26", None),
        (("%d/%m/%Y",), "03/04/2026 or so", None),
    ],
)
def test_a_day_is_read_in_the_forms_that_are_declared(
    formats: tuple[str, ...], cell: str, day: date | None, tmp_path: Path
) -> None:
    rows = spoilt(good_rows("fire_visits", 2), 0, visited_on=cell, recorded_on="2027-01-01")
    reader = ReaderSettings(date_formats=formats)

    checked = read_with(tmp_path, "fire_visits", rows, reader=reader)

    assert refusals(checked) == ([] if day else [(1, "visited_on", ["not_a_date"])])
    if day:
        assert checked.rows.collect()["visited_on"][0] == day


@pytest.mark.parametrize("form", ["%d/%m/%y", "%d/%m", "%x", "day", "%d/%m/%Y %Q", "%d/%m/%Y %I:%M"])
def test_a_form_that_tells_no_day_is_a_mistake(form: str) -> None:
    with pytest.raises(ValidationError, match="does not give a day"):
        ReaderSettings(date_formats=(form,))


def test_a_declared_day_makes_the_day_of_recording(tmp_path: Path) -> None:
    rows = [row | {"started_on": "01/05/2024"} for row in good_rows("care_events", 2)]
    rows = [{name: cell for name, cell in row.items() if name != "recorded_on"} for row in rows]

    checked = read_with(
        tmp_path,
        "care_events",
        rows,
        reader=ReaderSettings(date_formats=("%d/%m/%Y",)),
        recorded_on="started_on + 30d",
    )

    assert checked.rows.collect()["recorded_on"].to_list() == [date(2024, 5, 31)] * 2


# --- Words that mean empty ---


def test_a_word_of_the_settings_means_empty_in_every_optional_column(tmp_path: Path) -> None:
    optional = [column.name for column in columns("gp_patients") if not column.required]
    rows = spoilt(good_rows("gp_patients", 2), 0, **dict.fromkeys(optional, "N/K"))

    checked = read_with(tmp_path, "gp_patients", rows, reader=ReaderSettings(empty=("n/k",)))

    assert refusals(checked) == []
    assert checked.emptied.rows() == [(name, "word_for_empty", 1) for name in sorted(optional)]
    assert checked.unread_people.is_empty()


# --- Constants ---


def test_a_constant_stands_in_every_row_of_a_column_that_is_not_sent(tmp_path: Path) -> None:
    rows = [{name: cell for name, cell in row.items() if name != "source"} for row in good_rows("homes", 3)]

    checked = read_with(tmp_path, "homes", rows, constants={"source": "Council tax"})

    assert checked.rows.collect()["source"].to_list() == ["council_tax"] * 3
    assert "source" not in checked.absent_columns


def test_a_column_sent_and_constant_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"homes\.csv: sent, and given a constant in agencies\.toml: `source`"):
        read_with(tmp_path, "homes", good_rows("homes", 1), constants={"source": "epc"})


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"constants": {"sauce": "epc"}}, "constants.sauce: the contract has no such column"),
        (
            {"constants": {"source": "epc"}, "columns": {"source": "Src"}},
            "constants.source: the column is mapped to a column that is sent",
        ),
        (
            {"constants": {"occupants": "1"}, "not_held": ("occupants",)},
            "constants.occupants: the column is said not to be held",
        ),
    ],
)
def test_a_constant_that_cannot_be_is_told_once(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as stopped:
        stop_on_wrong_mapping({"homes": TableSettings(required=True, **settings)})

    assert stopped.value.found == f"agencies.toml: [homes] {told}"


# --- Values ---


@pytest.mark.parametrize(
    ("table", "column", "cell", "ours", "read_as"),
    [
        ("homes", "lowest_floor", "Ground", "0", 0),
        ("homes", "lowest_floor", " GROUND ", "0", 0),
        ("homes", "lowest_floor", "ground", "", None),
        ("care_events", "unit_cost", "spot price", "18.50", 18.5),
        ("homes", "epc_inspected_on", "before the war", "1939-09-01", date(1939, 9, 1)),
        ("homes", "epc_inspected_on", "INVALID!", "", None),
        ("homes", "epc_rating", "INVALID!", "", None),
        ("homes", "tenure", "NODATA!", "ignore", "unknown"),
        ("gp_patients", "lsoa21", "Harbury", "E01028854", "E01028854"),
    ],
)
def test_a_value_is_mapped_before_it_is_read_whatever_its_column_holds(
    table: str, column: str, cell: str, ours: str, read_as: Any, tmp_path: Path
) -> None:
    value = {cell.strip(): ours}
    checked = read_with(tmp_path, table, spoilt(good_rows(table, 2), 0, **{column: cell}), values={column: value})

    assert refusals(checked) == []
    assert checked.rows.collect()[column][0] == read_as
    assert checked.badly_read == ()


def test_a_typed_value_is_mapped_as_the_same_text_is(tmp_path: Path) -> None:
    rows = pl.DataFrame(good_rows("homes", 2), infer_schema_length=None)
    typed = rows.with_columns(
        lowest_floor=pl.Series([-9.0, 3.0]), epc_inspected_on=pl.Series([date(1801, 1, 1), date(2019, 2, 3)])
    )
    typed.write_parquet(tmp_path / "homes.parquet")

    checked = read("homes", tmp_path, values={"lowest_floor": {"-9": ""}, "epc_inspected_on": {"1801-01-01": ""}})

    assert checked.rows.collect().select("lowest_floor", "epc_inspected_on").rows() == [
        (None, None),
        (3, date(2019, 2, 3)),
    ]
    assert checked.emptied.rows() == [
        ("epc_inspected_on", "word_for_empty", 1),
        ("lowest_floor", "word_for_empty", 1),
    ]


def test_a_row_whose_required_value_is_to_be_ignored_is_left_out_and_counted(tmp_path: Path) -> None:
    rows = good_rows("housing_events", 5)
    for position in (1, 3):
        rows = spoilt(rows, position, event_type="Garden waste")
    rows = spoilt(spoilt(rows, 3, category="nine"), 4, happened_on="soon")

    checked = read_with(tmp_path, "housing_events", rows, values={"event_type": {"garden-waste": "ignore"}})

    assert checked.left_out.rows() == [("event_type", 2)]
    assert (checked.n_read, checked.n_good, checked.n_refused, checked.n_left_out) == (5, 2, 1, 2)
    # Rows keep the numbers that they have in the file, and nothing is told of a row that is ignored.
    assert refusals(checked) == [(5, "happened_on", ["not_a_date"])]
    assert checked.emptied.is_empty()
    assert "housing_events: 2 rows left out, as agencies.toml says to ignore what their event_type says" in notes_of(
        checked, on=ON
    )


# --- Labels nobody knows ---


def test_unknown_labels_are_counted_and_never_named(tmp_path: Path) -> None:
    tenures = ["Secure tenancy"] * 8 + ["Mrs Smith's"] * 7 + ["Squat"] + ["oil"]
    rows = [row | {"tenure": tenure} for row, tenure in zip(good_rows("homes", 17), tenures, strict=True)]

    checked = read_with(tmp_path, "homes", rows)

    assert checked.unknown_labels.rows() == [("tenure", 17, 4)]
    told = [note for note in notes_of(checked, on=ON) if "not known" in note]
    assert told == [
        "homes: tenure: a label that is not known in 17 rows "
        "(4 different; `ageingwell connect` at the agency names them)"
    ]


def test_unknown_labels_of_a_required_column_are_counted_too(tmp_path: Path) -> None:
    rows = [row | {"sex": "F/M"} for row in good_rows("gp_patients", 9)]

    checked = read_with(tmp_path, "gp_patients", rows)

    assert checked.unknown_labels.rows() == [("sex", 9, 1)]
    assert checked.n_refused == 9


# --- The same in every file of a folder ---


def test_what_is_emptied_is_named_by_file_and_row(tmp_path: Path) -> None:
    (tmp_path / "homes").mkdir()
    for file, position in (("a.csv", 2), ("b.csv", 0)):
        write_csv(tmp_path / "homes" / file, spoilt(good_rows("homes", 3), position, occupants="two"))

    checked = read("homes", tmp_path)

    assert checked.emptied.rows() == [("occupants", "not_a_whole_number", 2)]
    assert checked.emptied_cells.rows() == [
        ("a.csv", 3, "occupants", ["not_a_whole_number"]),
        ("b.csv", 1, "occupants", ["not_a_whole_number"]),
    ]
    assert checked.rows.collect()["household_id"].to_list() == [pseudonym(number) for number in (1, 2, 3)] * 2


# --- What page one says of them ---


def test_page_one_says_first_what_could_hardly_be_read(tmp_path: Path) -> None:
    rows = [row | {"unit_cost": "a lot", "recorded_on": "2050-01-01"} for row in good_rows("care_events", 3)]

    checked = read_with(tmp_path, "care_events", rows)
    told = {
        "badly_read_columns": list(checked.badly_read),
        "emptied": checked.emptied.to_dicts(),
        "n_dated_ahead": checked.n_dated_ahead(ON),
    }

    assert sent_notes(NightFacts(ON, inputs={"care_events": told})) == [
        "Care events: more than half of what was sent could not be read: unit cost. What depends on it is unknown. "
        "Ask the agency.",
        "Care events: cells read as empty, as they could not be read: 1 to 7, in unit cost.",
        "Care events: rows dated after the night, which were not used: 1 to 7.",
    ]
    assert Records({"care_events": checked}, missing=(), made_up=True).untold() == {
        "care_events": frozenset(checked.absent_columns) | frozenset({"unit_cost"})
    }


@pytest.mark.parametrize("behind", ["", " 09:30", "T09:30:00Z", "T00:00:00+01:00", " 23:59:59.5"])
def test_a_birth_date_is_read_at_the_agency_as_days_are_at_the_group(behind: str) -> None:
    rows = pl.DataFrame({"birth_date": ["1940-03-02" + behind]})

    assert rows.select(birth_day("birth_date")).item() == date(1940, 3, 2)
