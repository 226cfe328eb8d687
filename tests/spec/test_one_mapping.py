"""A column map means the same at the agency and at the group: our name = theirs."""

from pathlib import Path

import polars as pl
import pytest

from ageingwell.config.score import TableSettings
from ageingwell.contracts.registry import TABLES, columns
from ageingwell.errors import ConfigError
from ageingwell.pseudonyms import Key, pseudonymise, raw_names
from ageingwell.sources.locate import Location
from ageingwell.sources.mapping import stop_on_wrong_mapping
from ageingwell.sources.table import read_table

HOMES = """UPRN,Src,Tenure,recorded
100070000000,council_tax,owner_occupied,2026-01-05
100070000037,council_tax,owner_occupied,2026-01-05
"""
MAPPED = {"source": "Src", "tenure": "Tenure", "recorded_on": "recorded"}


def test_a_table_that_the_agency_renamed_is_read_at_the_group_with_the_same_settings(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "homes.csv").write_text(HOMES, encoding="utf-8")
    settings = TableSettings(required=False, columns=MAPPED)
    pseudonymise(
        tmp_path / "raw",
        out=tmp_path / "out",
        key=Key.made_up(1),
        contract_columns={name: [column.name for column in columns(name)] for name in TABLES},
        column_names={"homes": raw_names(settings.columns)},
    )
    location = Location("homes", files=(tmp_path / "out" / "homes.parquet",))
    read = read_table(location, settings, workspace=tmp_path / "read")
    assert read.n_good == 2
    assert read.rows.select("source", "tenure").unique().collect().rows() == [("council_tax", "owner_occupied")]


@pytest.mark.parametrize("table", TABLES)
def test_every_column_may_come_under_the_agencys_name_or_under_ours(table: str, tmp_path: Path) -> None:
    settings = TableSettings(required=False, columns={column.name: f"Their {column.name}" for column in columns(table)})
    names = [column.name for column in columns(table)]
    read = []
    for number, headings in enumerate((names, [f"Their {name}" for name in names])):
        path = tmp_path / f"{number}.csv"
        pl.DataFrame({heading: ["x"] for heading in headings}).write_csv(path)
        read.append(read_table(Location(table, files=(path,)), settings, workspace=tmp_path / f"work{number}"))
    ours, theirs = read
    assert not ours.dropped_columns
    assert ours.refused.select("row_number", "column", "rules").equals(
        theirs.refused.select("row_number", "column", "rules")
    )


REPAIRS = (
    "Property UPRN|Raised|Job\n100070000000|03/04/2026|Repair\n100070000037|-|Repair\n100070000074|05/04/2026|Void\n"
)
SHORT = TableSettings(
    required=False,
    columns={"household_id": "Property UPRN", "happened_on": "raised", "event_type": "JOB"},
    values={"event_type": {"Repair": "repair_requested", "void": "ignore"}},
    constants={"recorded_on": "2026-11-01"},
    reader={"separator": "|", "date_formats": ["%d/%m/%Y"], "empty": ["-"]},
)


def test_constants_days_words_and_values_mean_the_same_at_the_agency_and_at_the_group(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "housing_events.csv").write_text(REPAIRS, encoding="utf-8")
    made = pseudonymise(
        tmp_path / "raw",
        out=tmp_path / "out",
        key=Key.made_up(1),
        contract_columns={name: [column.name for column in columns(name)] for name in TABLES},
        column_names={"housing_events": raw_names(SHORT.columns)},
        settings={"housing_events": SHORT},
    )
    assert made.tables["housing_events"].left_out == {"event_type: a value that is left out": 1}
    rows = pl.read_parquet(tmp_path / "out" / "housing_events.parquet")
    assert rows.select("event_type", "happened_on", "recorded_on").rows() == [
        ("repair_requested", "2026-04-03", "2026-11-01"),
        ("repair_requested", "-", "2026-11-01"),
    ]
    location = Location("housing_events", files=(tmp_path / "out" / "housing_events.parquet",))
    for number, settings in enumerate((SHORT, TableSettings(required=False))):
        read = read_table(location, settings, workspace=tmp_path / f"read{number}")
        # A day is needed there, and a word for empty is none.
        assert (read.n_good, read.n_refused) == (1, 1)
        assert read.refused["row_number"].to_list() == [2]


def test_a_raw_column_may_be_mapped_and_the_group_says_nothing_of_it() -> None:
    settings = TableSettings(required=False, columns={"linked_la_person_id": "Adult 1 Linked Person_ID"})
    stop_on_wrong_mapping({"care_events": settings})
    with pytest.raises(ConfigError, match="no_such_column"):
        stop_on_wrong_mapping({"care_events": TableSettings(required=False, columns={"no_such_column": "x"})})
