"""Headings, columns that are not there, words that mean empty, rows sent again, and files nobody read: all are told."""

import os
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from helpers.tables import GOOD, Rows, csv_text, good_rows, pseudonym, read, refusals, spoilt, write_csv

from ageingwell.config.load import load_config
from ageingwell.config.score import TableSettings
from ageingwell.contracts.fields import WORDS_FOR_EMPTY
from ageingwell.contracts.registry import MUST_BE_TOLD, TABLES, Column, columns
from ageingwell.errors import ConfigError, SourceError
from ageingwell.jobs.checking import check
from ageingwell.sources.read import CheckedTable, read_agencies
from ageingwell.synthetic.county import CountyPlan, synthesise

pytestmark = pytest.mark.slow

SPELLINGS = {
    "capitals": str.upper,
    "blanks": lambda name: f" {name.replace('_', ' ').title()} ",
    "hyphens": lambda name: name.replace("_", "-"),
    "dots": lambda name: name.replace("_", "."),
}
OPTIONAL = [(name, column) for name in TABLES for column in columns(name) if not column.required]
# A row of these tables needs one of two optional columns.
ONE_OF_TWO = {"permissions": "person_id", "contacts": "person_id", "gp_prescriptions": "bnf_code"}


def under(rows: Rows, spell: Any) -> Rows:
    return [{spell(name): cell for name, cell in row.items()} for row in rows]


def facts(checked: CheckedTable) -> tuple[object, ...]:
    return checked.rows.collect().rows(), refusals(checked), checked.absent_columns, checked.dropped_columns


# --- Headings however they are spelt ---


@pytest.mark.sweep(of=3)
@pytest.mark.parametrize("name", TABLES)
def test_every_column_is_found_however_its_heading_is_spelt(name: str, tmp_path: Path) -> None:
    rows = spoilt(good_rows(name, 3), 1, recorded_on="soon", checked_on="soon")
    rows = [{column: row[column] for column in GOOD[name]} for row in rows]
    write_csv(tmp_path / f"{name}.csv", rows)
    plain = facts(read(name, tmp_path))

    for spelling, spell in SPELLINGS.items():
        (tmp_path / spelling).mkdir()
        write_csv(tmp_path / spelling / f"{name}.csv", under(rows, spell))

        assert facts(read(name, tmp_path / spelling)) == plain, spelling


@pytest.mark.parametrize("name", TABLES)
def test_every_column_of_a_parquet_file_is_found_though_each_heading_is_spelt_in_its_own_way(
    name: str, tmp_path: Path
) -> None:
    rows = [{column: row[column] for column in GOOD[name]} for row in good_rows(name, 3)]
    ways = cycle(SPELLINGS.values())
    odd = {column: next(ways)(column) for column in GOOD[name]}
    (tmp_path / "odd").mkdir()
    pl.DataFrame(rows, infer_schema_length=None).write_parquet(tmp_path / f"{name}.parquet")
    pl.DataFrame(under(rows, odd.get), infer_schema_length=None).write_parquet(tmp_path / "odd" / f"{name}.parquet")

    assert facts(read(name, tmp_path / "odd")) == facts(read(name, tmp_path))


@pytest.mark.parametrize("name", TABLES)
def test_two_headings_for_one_column_are_both_named(name: str, tmp_path: Path) -> None:
    for number, column in enumerate(GOOD[name]):
        folder = tmp_path / str(number)
        folder.mkdir()
        write_csv(folder / f"{name}.csv", [row | {column.upper(): row[column]} for row in good_rows(name, 2)])

        with pytest.raises(SourceError) as stopped:
            read(name, folder)

        assert stopped.value.found == (
            f"{name}.csv: the headings `{column}` and `{column.upper()}` both mean `{column}`"
        )


def test_a_mapped_heading_is_found_however_it_is_spelt(tmp_path: Path) -> None:
    rows = [{"DATE-OF DEATH" if name == "died_on" else name: cell for name, cell in row.items()}
            for row in spoilt(good_rows("gp_patients", 2), 0, died_on="2024-05-01")]  # fmt: skip
    write_csv(tmp_path / "gp_patients.csv", rows)

    checked = read("gp_patients", tmp_path, columns={"died_on": "date_of_death"})

    assert [str(day) for day in checked.rows.collect()["died_on"]] == ["2024-05-01", "None"]


def test_headings_of_a_database_are_folded_too(tmp_path: Path) -> None:
    import sqlite3

    rows = good_rows("fire_incidents", 2)
    connection = sqlite3.connect(tmp_path / "fire.sqlite")
    headings = '"Household ID", "INCIDENT-TYPE", "happened.on", "Household Match", "Recorded_On"'
    connection.execute(f"CREATE TABLE fire_incidents ({headings})")
    connection.executemany("INSERT INTO fire_incidents VALUES (?, ?, ?, ?, ?)", [tuple(row.values()) for row in rows])
    connection.commit()
    connection.close()

    assert read("fire_incidents", tmp_path, location=f"sqlite://{tmp_path / 'fire.sqlite'}").n_good == 2


# --- Left out, renamed, emptied ---


def big(name: str, n: int = 30) -> Rows:
    return good_rows(name, n)


def is_kept(name: str, column: Column) -> bool:
    """Without this column every row of the table would be refused, which is told loudly enough."""
    return ONE_OF_TWO.get(name) == column.name


def changed_in(rows: Rows, *, out: Sequence[str], renamed: Sequence[str], emptied: Sequence[str]) -> Rows:
    """The rows with some columns left out, some under a heading that says nothing, and some without a value."""
    headings = {name: f"zz {name}" for name in renamed}
    return [
        {headings.get(name, name): None if name in emptied else cell for name, cell in row.items() if name not in out}
        for row in rows
    ]


@pytest.mark.slow
@pytest.mark.parametrize("turn", range(3))
@pytest.mark.parametrize("name", TABLES)
def test_every_optional_column_that_is_left_out_renamed_or_emptied_is_told(
    name: str, turn: int, tmp_path: Path
) -> None:
    """In three turns each column is left out once, renamed once and emptied once, beside others."""
    optional = [column.name for table, column in OPTIONAL if table == name and not is_kept(name, column)]
    out, renamed, emptied = (optional[(turn + way) % 3 :: 3] for way in range(3))
    write_csv(tmp_path / f"{name}.csv", changed_in(big(name), out=out, renamed=renamed, emptied=emptied))
    (tmp_path / "whole").mkdir()
    write_csv(tmp_path / "whole" / f"{name}.csv", big(name))

    found, whole = read(name, tmp_path), read(name, tmp_path / "whole")

    assert set(found.absent_columns) == {*out, *renamed, *whole.absent_columns}
    assert sorted(found.dropped_columns) == sorted(f"zz {column}" for column in renamed)
    assert set(found.empty_columns) == {*emptied, *whole.empty_columns} - {*out, *renamed}


def test_a_column_that_only_some_files_sent_is_told_with_the_file(tmp_path: Path) -> None:
    (tmp_path / "fire_visits").mkdir()
    write_csv(tmp_path / "fire_visits" / "a.csv", good_rows("fire_visits", 2))
    without = [{key: cell for key, cell in row.items() if key != "smoker"} for row in good_rows("fire_visits", 2)]
    write_csv(tmp_path / "fire_visits" / "b.csv", without)

    checked = read("fire_visits", tmp_path)

    assert (checked.absent_columns, checked.partly_absent) == ((), (("smoker", "b.csv"),))


def test_a_short_table_is_not_said_to_hold_nothing(tmp_path: Path) -> None:
    write_csv(tmp_path / "homes.csv", [row | {"main_fuel": None} for row in big("homes", 29)])

    assert read("homes", tmp_path).empty_columns == ()


def records_of(data: Path, **settings: Any) -> Any:
    told = {name: TableSettings(required=False) for name in TABLES}
    told["gp_patients"] = TableSettings(required=True, **settings)
    return read_agencies(data, told, workspace=data / ".w", max_refused_share=0.1)


def test_what_nobody_told_is_named_by_table_but_for_permissions(tmp_path: Path) -> None:
    write_csv(tmp_path / "gp_patients.csv", good_rows("gp_patients", 3))
    homes = [{k: c for k, c in row.items() if k != "tenure"} | {"main_fuel": "unknown"} for row in big("homes")]
    write_csv(tmp_path / "homes.csv", homes)
    permissions = [{k: c for k, c in row.items() if k != "from_on"} for row in good_rows("permissions", 3)]
    write_csv(tmp_path / "permissions.csv", permissions)

    assert records_of(tmp_path).untold() == {"gp_patients": frozenset(), "homes": frozenset({"tenure", "main_fuel"})}


# --- Columns without which people would be wrongly listed ---


def register(n: int = 100) -> Rows:
    """A register in which somebody died and somebody left."""
    rows = spoilt(good_rows("gp_patients", n), 0, died_on="2024-05-01")
    return spoilt(rows, 1, left_on="2024-05-01")


@pytest.mark.parametrize("how", ["left out", "renamed", "emptied", "left out of one file"])
@pytest.mark.parametrize("column", MUST_BE_TOLD["gp_patients"])
def test_a_register_without_deaths_leavings_or_homes_stops_unless_the_settings_say_so(
    column: str, how: str, tmp_path: Path
) -> None:
    rows = register()
    without = [{key: cell for key, cell in row.items() if key != column} for row in rows]
    changed = {
        "left out": without,
        "renamed": [row | {f"{column} day": None} for row in without],
        "emptied": [row | {column: None} for row in rows],
        "left out of one file": without[50:],
    }[how]
    folder = tmp_path / "gp_patients"
    folder.mkdir()
    write_csv(folder / "b.csv", changed)
    if how == "left out of one file":
        write_csv(folder / "a.csv", rows[:50])

    with pytest.raises(SourceError) as stopped:
        records_of(tmp_path)

    assert f"`{column}`" in stopped.value.found
    assert f'not_held = ["{column}"]' in str(stopped.value.remedy)
    if how == "renamed":
        assert f"`{column} day`" in stopped.value.found
        assert f'{column} = "{column} day"' in str(stopped.value.remedy)
    assert records_of(tmp_path, not_held=(column,)).tables["gp_patients"].not_held_columns == (column,)


def test_a_small_register_in_which_nobody_died_goes_on(tmp_path: Path) -> None:
    write_csv(tmp_path / "gp_patients.csv", good_rows("gp_patients", 99))

    checked = records_of(tmp_path).tables["gp_patients"]

    assert {"died_on", "left_on"} <= set(checked.empty_columns)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"not_held": ["dyed_on"]}, "[gp_patients] not_held: the contract has no column `dyed_on`"),
        ({"not_held": ["sex"]}, "[gp_patients] not_held: `sex` is required, and no table is read without it"),
        (
            {"not_held": ["died_on"], "columns": {"died_on": "Death"}},
            "[gp_patients] not_held: `died_on` is mapped under [gp_patients.columns], so it is held",
        ),
        ({"held": False}, "[gp_patients] held = false: a run needs this table"),
        ({"columns": {"left_on": "Died-On"}}, "[gp_patients] columns: `Died-On` is mapped to two columns; "
         "[gp_patients] columns: `died_on` is mapped to two columns"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_stop_before_anything_is_read(
    settings: dict[str, Any], told: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as stopped:
        records_of(tmp_path, **settings)

    assert stopped.value.found == f"agencies.toml: {told}"


def test_an_optional_table_that_does_not_exist_here_is_not_missing(tmp_path: Path) -> None:
    write_csv(tmp_path / "gp_patients.csv", good_rows("gp_patients", 2))
    told = {name: TableSettings(required=False, held=name != "hospital_events") for name in TABLES}

    records = read_agencies(tmp_path, told, workspace=tmp_path / ".w", max_refused_share=0.1)

    assert "hospital_events" not in records.missing
    assert records.not_held == ("hospital_events",)


# --- Words that mean empty ---


EMPTY = [*WORDS_FOR_EMPTY, "NULL", " Na ", "NaN", "#N/A"]


@pytest.mark.parametrize("name", TABLES)
def test_a_word_that_means_empty_is_an_empty_cell_of_every_optional_column(name: str, tmp_path: Path) -> None:
    """Each word stands in a row of its own, and one row has none."""
    optional = sorted(column.name for table, column in OPTIONAL if table == name and column.is_emptied)
    optional = [column for column in optional if column != ONE_OF_TWO.get(name)]
    with_words = without = good_rows(name, len(EMPTY) + 1)
    for at, word in enumerate(EMPTY):
        with_words = spoilt(with_words, at, **dict.fromkeys(optional, word))
        without = spoilt(without, at, **dict.fromkeys(optional))
    (tmp_path / "empty").mkdir()
    write_csv(tmp_path / f"{name}.csv", with_words)
    write_csv(tmp_path / "empty" / f"{name}.csv", without)

    checked, empty = read(name, tmp_path), read(name, tmp_path / "empty")

    assert checked.rows.collect().equals(empty.rows.collect())
    assert checked.emptied.rows() == [(column, "word_for_empty", len(EMPTY)) for column in optional]
    assert empty.emptied.is_empty()


@pytest.mark.sweep(of=3)
@pytest.mark.parametrize("name", TABLES)
def test_no_word_stands_for_a_required_value_or_for_whom_an_opt_out_concerns(name: str, tmp_path: Path) -> None:
    ids = [column for column in columns(name) if column.is_pseudonym and not column.is_emptied]
    needed = [column for column in columns(name) if column.required and (column.kind != "label" or column.labels)
              and (name, column.name) != ("gp_events", "code")]  # fmt: skip
    for column in {column.name for column in (*ids, *needed)}:
        (tmp_path / column).mkdir()
        other = {"person_id": None} if name in ONE_OF_TWO and column == "household_id" else {}
        write_csv(tmp_path / column / f"{name}.csv", spoilt(good_rows(name, 1), 0, **{**other, column: "NULL"}))

        assert [at for _, at, _ in refusals(read(name, tmp_path / column))] == [column]


def test_a_word_that_the_settings_map_is_what_they_say(tmp_path: Path) -> None:
    write_csv(tmp_path / "homes.csv", spoilt(good_rows("homes", 2), 0, main_fuel="N/A"))

    checked = read("homes", tmp_path, values={"main_fuel": {"n/a": "other"}})

    assert checked.rows.collect()["main_fuel"].to_list() == ["other", "oil"]
    assert checked.emptied.is_empty()


# --- Rows sent again ---


@pytest.mark.parametrize("name", TABLES)
def test_a_file_that_lies_twice_in_a_folder_refuses_nobody_and_is_counted(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    for part in ("a.csv", "b.csv"):
        write_csv(tmp_path / name / part, good_rows(name, 4))

    checked = read(name, tmp_path)

    assert refusals(checked) == []
    assert (checked.n_read, checked.n_refused, checked.n_repeated) == (8, 0, 4)
    assert checked.n_good == (4 if name == "gp_patients" else 8)


def test_versions_that_differ_are_refused_with_what_repeats_them(tmp_path: Path) -> None:
    rows = good_rows("gp_patients", 1) * 3
    write_csv(tmp_path / "gp_patients.csv", spoilt(rows, 2, sex="male"))

    checked = read("gp_patients", tmp_path)

    assert refusals(checked) == [(row, "recorded_on", ["tied_version"]) for row in (1, 2, 3)]
    assert checked.refused_people["person_id"].to_list() == [pseudonym(1)] * 3


def test_a_row_sent_again_on_another_day_is_counted(tmp_path: Path) -> None:
    rows = good_rows("care_events", 2)
    write_csv(tmp_path / "care_events.csv", [*rows, rows[0] | {"recorded_on": "2024-09-01"}])

    checked = read("care_events", tmp_path)

    assert (checked.n_good, checked.n_repeated) == (3, 1)


# --- Files nobody read ---


def put(path: Path, name: str) -> None:
    if name.endswith("/"):
        (path / name).mkdir()
        write_csv(path / name / "part.csv", good_rows("contacts", 2))
    else:
        (path / name).write_text(csv_text(good_rows("contacts", 2)))


NEAR = {
    "capitals": lambda table: f"{table.upper()}.csv",
    "sent again": lambda table: f"{table} (1).csv",
    "packed": lambda table: f"{table}.csv.7z",
    "document": lambda table: f"{table}.docx",
    "workbook": lambda table: f"Copy of {table}.xlsx",
    "folder": lambda table: f"{table.title()}/",
    "copy": lambda table: f"Copy of {table}.csv",
    "dated": lambda table: f"{table} 2026-11-22.csv",
    "blanks": lambda table: f"{table.replace('_', ' ')}s.csv",
    "capital ending": lambda table: f"{table}.CSV",
    "one of them": lambda table: f"{table[:-1]}.csv",
}


@pytest.mark.parametrize("how", NEAR)
@pytest.mark.parametrize("table", ["contacts", "permissions", "gp_patients"])
def test_a_file_that_looks_like_a_table_that_is_needed_or_protects_people_stops_the_run(
    table: str, how: str, tmp_path: Path
) -> None:
    file = NEAR[how](table)
    if table != "gp_patients":
        write_csv(tmp_path / "gp_patients.csv", good_rows("gp_patients", 2))
    put(tmp_path, file)

    with pytest.raises(SourceError) as stopped:
        records_of(tmp_path)

    named = file.strip("/")
    assert stopped.value.found == f"{table}: the table was not found, but {named} in the data folder looks like it"
    assert f"call it {table}.csv" in str(stopped.value.remedy)


@pytest.mark.parametrize("how", NEAR)
def test_files_that_look_like_other_tables_are_told(how: str, tmp_path: Path) -> None:
    files = {table: NEAR[how](table) for table in sorted(set(TABLES) - {"contacts", "permissions", "gp_patients"})}
    write_csv(tmp_path / "gp_patients.csv", good_rows("gp_patients", 2))
    for file in files.values():
        put(tmp_path, file)

    records = records_of(tmp_path)

    assert sorted(records.unused_files) == sorted(file.strip("/") for file in files.values())
    assert records.near_files == {table: file.strip("/") for table, file in files.items()}


def test_files_that_were_not_used_are_listed_and_our_own_are_not(tmp_path: Path) -> None:
    write_csv(tmp_path / "gp_patients.csv", good_rows("gp_patients", 2))
    (tmp_path / "Homes").mkdir()
    write_csv(tmp_path / "Homes" / "all.csv", good_rows("homes", 2))
    for name in ("notes.docx", "gp_patients (1).csv", ".DS_Store", "_SUCCESS"):
        (tmp_path / name).touch()
    (tmp_path / "pseudonymised.json").write_text('{"key_fingerprint": "tslbhgfbpgfp", "tables": {}}')
    (tmp_path / "synthetic.json").write_text("{}")
    (tmp_path / "truth").mkdir()
    told = {name: TableSettings(required=False) for name in TABLES}
    told["homes"] = TableSettings(required=False, location="Homes/all.csv")

    records = read_agencies(tmp_path, told, workspace=tmp_path / ".w", max_refused_share=0.1)

    assert records.unused_files == ("gp_patients (1).csv", "notes.docx")
    assert records.tables["homes"].n_good == 2


@pytest.mark.parametrize("method", ["is_dir", "lstat", "iterdir", "is_file"])
def test_a_folder_that_may_not_be_read_is_a_sentence(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gp_patients").mkdir()
    write_csv(tmp_path / "gp_patients" / "a.csv", good_rows("gp_patients", 2))

    def forbidden(path: Path) -> None:
        raise PermissionError(13, os.strerror(13), str(path))

    monkeypatch.setattr(Path, method, forbidden)

    with pytest.raises(SourceError, match="cannot be read \\(Permission denied\\)"):
        records_of(tmp_path)


# --- What check says ---


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthesise(CountyPlan(people=200), tmp_path_factory.mktemp("county") / "data").folder


def changed(county: Path, tmp_path: Path, table: str, change: Any) -> Path:
    data = tmp_path / "data"
    data.mkdir()
    for path in county.glob("*.*"):
        (data / path.name).write_bytes(path.read_bytes())
    change(pl.read_parquet(data / f"{table}.parquet")).write_parquet(data / f"{table}.parquet")
    return data


def test_check_names_headings_columns_cells_and_files(county: Path, tmp_path: Path) -> None:
    def spoil(rows: pl.DataFrame) -> pl.DataFrame:
        odd = rows.rename({"main_fuel": "Main Fuels"}).with_columns(tenure=pl.lit("N/A"), occupants=None)
        return pl.concat([odd, odd.head(2)])

    data = changed(county, tmp_path, "homes", spoil)
    (data / "notes.txt").touch()

    found = check(data, config=load_config())

    homes = [note.removeprefix("homes: ") for note in found.notes if note.startswith("homes: ")]
    assert "columns not sent: main_fuel (perhaps under the heading `Main Fuels`)" in homes
    assert any(note.startswith("columns sent without a value: tenure, ") and "occupants" in note for note in homes)
    assert "headings not used: `Main Fuels` (perhaps main_fuel)" in homes
    assert any("cells of tenure read as empty: the cell holds a word" in note for note in homes)
    assert "files not used: `notes.txt`" in found.notes
    told = found.columns.filter(pl.col("table") == "homes").rows()
    assert ("homes", "main_fuel", "absent", "Main Fuels") in told
    assert ("homes", "Main Fuels", "heading_not_used", "main_fuel") in told
    assert found.tables.filter(pl.col("table") == "homes")["n_repeated"].item() >= 2
    assert found.problems == ()


def test_check_tells_a_register_without_deaths_as_a_problem_and_goes_on(county: Path, tmp_path: Path) -> None:
    data = changed(county, tmp_path, "gp_patients", lambda rows: rows.rename({"died_on": "date_of_death"}))

    found = check(data, config=load_config())

    problem = found.problems[0]
    assert "column `died_on` was not sent, and without it nobody would be known to have died" in problem
    assert "headings that were not used: `date_of_death`" in problem
    assert found.tables["table"].to_list() == list(TABLES)


def with_one_wrong(rows: pl.DataFrame, name: str) -> tuple[pl.DataFrame, str]:
    """The rows of a table with a value in the first that no contract allows, and the column it stands in."""
    of_choice = ("code", "issued_on", "source")
    column = next(c.name for c in columns(name) if c.required and (c.labels or c.name in of_choice))
    bad = "?" if column == "source" else "no such label"
    wrong = pl.when(pl.int_range(pl.len()) == 0).then(pl.lit(bad)).otherwise(pl.col(column).cast(pl.String))
    return rows.with_columns(wrong.alias(column)), column


def test_check_writes_the_refused_rows_of_every_table(county: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "synthetic.json").write_bytes((county / "synthetic.json").read_bytes())
    wrong = {}
    for name in TABLES:
        rows, wrong[name] = with_one_wrong(pl.read_parquet(county / f"{name}.parquet"), name)
        rows.write_parquet(tmp_path / "data" / f"{name}.parquet")

    found = check(tmp_path / "data", config=load_config(), refused_to=tmp_path / "refused")

    for name, column in wrong.items():
        written = pl.read_parquet(tmp_path / "refused" / f"{name}.parquet")
        assert written.select("row_number", "column").rows() == [(1, column)], name
    assert [problem.split(":")[0] for problem in found.problems] == ["permissions"]
