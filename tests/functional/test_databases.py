"""Tables read from PostgreSQL and SQLite: the same good and refused rows as from CSV, and no secret in an error.

PostgreSQL is started from the system's own package in a temporary folder, under the `postgres` user (it refuses to run
as root), on the loopback address alone; where it is not installed these tests are skipped.
"""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from helpers.tables import GOOD, Rows, good_rows, pseudonym, read, refusals, spoilt, write_csv

from ageingwell.config.score import TableSettings
from ageingwell.contracts.registry import TABLES, columns
from ageingwell.errors import RefusedRowsError, SourceError
from ageingwell.sources.read import CheckedTable, read_agencies

PASSWORD = "Canary-Password-7"  # noqa: S105 - of a server that lives for a test
BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin")) if Path("/usr/lib/postgresql").is_dir() else []


class Postgres:
    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port

    @property
    def uri(self) -> str:
        return f"postgresql://postgres:{PASSWORD}@127.0.0.1:{self.port}/postgres"

    def run(self, sql: str) -> None:
        psql = [BINARIES[-1] / "psql", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port)]
        environment = {**os.environ, "PGPASSWORD": PASSWORD}
        subprocess.run([*psql, "-U", "postgres"], input=sql, env=environment, text=True, check=True, cwd=self.folder)


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    if not BINARIES or shutil.which("runuser") is None or os.geteuid() != 0:
        pytest.skip("needs PostgreSQL's server programs and the right to run them as the user `postgres`")
    pytest.importorskip("connectorx")
    # Not a pytest folder: those are closed to other users.
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    folder.chmod(0o777)
    (folder / "password").write_text(PASSWORD)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = folder / "data"
    as_postgres = ["runuser", "-u", "postgres", "--"]
    made = ["-D", data, "-U", "postgres", "-A", "scram-sha-256", f"--pwfile={folder / 'password'}", "-E", "UTF8"]
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    server = None
    try:
        for program, arguments in (
            ("initdb", made),
            ("pg_ctl", ["-D", data, "-o", options, "-l", folder / "log", "-w", "start"]),
        ):
            command = [*as_postgres, BINARIES[-1] / program, *arguments]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
        server = int((data / "postmaster.pid").read_text().split()[0])
        yield Postgres(folder, port)
    finally:
        if server is not None:
            os.kill(server, signal.SIGINT)  # fast shutdown
            deadline = time.monotonic() + 20
            while (data / "postmaster.pid").exists() and time.monotonic() < deadline:
                time.sleep(0.05)
        shutil.rmtree(folder, ignore_errors=True)


def dirty(name: str) -> Rows:
    """Rows of which one in the middle breaks a rule, and one more in a column of days."""
    rows = good_rows(name, 6)
    day = next(column.name for column in columns(name) if column.kind == "date" and column.required)
    coded = next((column.name for column in columns(name) if column.labels), "bnf_code")
    return spoilt(spoilt(rows, 2, **{coded: "no such label"}), 4, **{day: "2024-02-30"})


def literal(cell: str | None) -> str:
    return "NULL" if cell is None else "'" + cell.replace("'", "''") + "'"


def script(name: str, rows: Rows, types: dict[str, str] | None = None) -> str:
    told = [f'"{column}" {(types or {}).get(column, "text")}' for column in rows[0]]
    inserted = [f"({', '.join(map(literal, row.values()))})" for row in rows]
    return f'DROP TABLE IF EXISTS "{name}"; CREATE TABLE "{name}" ({", ".join(told)});' + "".join(
        f'INSERT INTO "{name}" VALUES {line};' for line in inserted
    )


def sqlite(data: Path, sql: str) -> str:
    connection = sqlite3.connect(data / "agencies.sqlite")
    connection.executescript(sql)
    connection.close()
    return f"sqlite://{data / 'agencies.sqlite'}"


def facts(checked: CheckedTable) -> tuple[Any, ...]:
    return checked.n_read, checked.n_good, refusals(checked), checked.rows.collect().rows(), checked.newest_on


# --- PostgreSQL ---


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLES)
def test_postgresql_gives_the_same_good_and_refused_rows_as_csv(name: str, postgres: Postgres, tmp_path: Path) -> None:
    rows = dirty(name)
    postgres.run(script(name, rows))
    write_csv(tmp_path / f"{name}.csv", rows)

    checked = read(name, tmp_path, location=postgres.uri)

    assert facts(checked) == facts(read(name, tmp_path))
    assert checked.refused["file"].unique().to_list() == [f"{name} (database)"]
    [told] = checked.files
    assert (told.file, told.n_rows, len(told.sha256)) == (f"{name} (database)", 6, 64)


def test_typed_columns_of_postgresql_are_read(postgres: Postgres, tmp_path: Path) -> None:
    rows = good_rows("care_events", 3)
    types = {
        "person_id": "char(32)",
        "client_type": "varchar(40)",
        "started_on": "date",
        "ended_on": "timestamp",
        "ended_recorded_on": "timestamptz",
        "recorded_on": "timestamp",
        "unit_cost": "numeric(10,2)",
        "planned_units_per_week": "double precision",
        "has_unpaid_carer": "boolean",
    }
    postgres.run("SET timezone = 'UTC';" + script("care_events", rows, types))
    write_csv(tmp_path / "care_events.csv", rows)

    assert facts(read("care_events", tmp_path, location=postgres.uri)) == facts(read("care_events", tmp_path))


def test_whole_numbers_and_empty_columns_of_postgresql_are_read(postgres: Postgres, tmp_path: Path) -> None:
    rows = spoilt(good_rows("homes", 3), 0, lowest_floor=None, occupants=None, epc_inspected_on=None)
    types = {"lowest_floor": "smallint", "occupants": "numeric", "epc_inspected_on": "date", "recorded_on": "date"}
    postgres.run(script("homes", rows, types))
    write_csv(tmp_path / "homes.csv", rows)

    assert facts(read("homes", tmp_path, location=postgres.uri)) == facts(read("homes", tmp_path))


def test_a_time_of_day_is_left_off_and_a_fraction_of_a_person_is_emptied(postgres: Postgres, tmp_path: Path) -> None:
    rows = spoilt(spoilt(good_rows("homes", 3), 1, occupants="2.5"), 2, recorded_on="2024-06-11 13:00:00")
    postgres.run(script("homes", rows, {"occupants": "numeric", "recorded_on": "timestamp"}))

    checked = read("homes", tmp_path, location=postgres.uri)

    assert (refusals(checked), checked.n_good) == ([], 3)
    assert checked.emptied.rows() == [("occupants", "not_a_whole_number", 1)]
    assert date(2024, 6, 11) in checked.rows.collect()["recorded_on"].to_list()


def test_a_query_renames_and_chooses(postgres: Postgres, tmp_path: Path) -> None:
    postgres.run(script("fire_incidents", good_rows("fire_incidents", 4)))
    query = (
        "SELECT household_id AS home, incident_type, happened_on, recorded_on, 1 AS extra FROM fire_incidents LIMIT 3"
    )

    checked = read("fire_incidents", tmp_path, location=postgres.uri, query=query, columns={"household_id": "home"})

    assert (checked.n_good, checked.dropped_columns) == (3, ("extra",))


def test_an_empty_table_of_postgresql_has_its_columns(postgres: Postgres, tmp_path: Path) -> None:
    postgres.run(script("fire_incidents", good_rows("fire_incidents", 1)) + "DELETE FROM fire_incidents;")

    checked = read("fire_incidents", tmp_path, location=postgres.uri)

    assert (checked.n_read, checked.n_good) == (0, 0)


def stopped_by(data: Path, **settings: Any) -> str:
    told = {"fire_incidents": TableSettings(required=True, **settings)}
    with pytest.raises(SourceError) as stopped:
        read_agencies(data, told, workspace=data / "w", max_refused_share=0.1, only=("fire_incidents",))
    assert stopped.value.exit_code == 4
    shown = str(stopped.value)
    assert PASSWORD not in shown
    assert "Canary" not in shown
    # A traceback must not show the driver's own words either.
    assert stopped.value.__cause__ is None
    assert stopped.value.__context__ is None or stopped.value.__suppress_context__
    return stopped.value.found


def test_no_error_of_postgresql_shows_the_password_or_a_value(
    postgres: Postgres, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    postgres.run(script("fire_incidents", [GOOD["fire_incidents"] | {"incident_type": "Canary-Value"}]))
    failed = "fire_incidents (database): the query failed (RuntimeError)"

    assert stopped_by(tmp_path, location=postgres.uri, query="SELECT * FROM no_such_table") == failed
    cast = "SELECT incident_type::date FROM fire_incidents"  # PostgreSQL's own text names the value
    assert stopped_by(tmp_path, location=postgres.uri, query=cast) == failed
    wrong_port = postgres.uri.replace(str(postgres.port), f"{postgres.port}x")
    assert stopped_by(tmp_path, location=wrong_port) == failed
    panic = "SELECT '1 day'::interval"  # a type the driver does not know makes it panic, not raise
    assert stopped_by(tmp_path, location=postgres.uri, query=panic).endswith("the query failed (PanicException)")
    missing = stopped_by(tmp_path, location=postgres.uri, query="SELECT household_id FROM fire_incidents")
    assert missing.startswith("fire_incidents (database): columns `incident_type`, `happened_on`")
    shown = capfd.readouterr()
    assert PASSWORD not in shown.out + shown.err


def test_refused_rows_of_a_database_are_told_without_values(postgres: Postgres, tmp_path: Path) -> None:
    rows = spoilt(good_rows("fire_incidents", 2), 0, incident_type="Canary-Value")
    postgres.run(script("fire_incidents", rows))
    told = {"fire_incidents": TableSettings(required=True, location=postgres.uri)}

    with pytest.raises(RefusedRowsError) as stopped:
        read_agencies(tmp_path, told, workspace=tmp_path / "w", max_refused_share=0.1, only=("fire_incidents",))

    assert "the first is fire_incidents (database), row 1" in str(stopped.value)
    assert "Canary" not in str(stopped.value)
    assert PASSWORD not in str(stopped.value)


# --- SQLite ---


@pytest.mark.parametrize("name", TABLES)
def test_sqlite_gives_the_same_good_and_refused_rows_as_csv(name: str, tmp_path: Path) -> None:
    rows = dirty(name)
    types = {column.name: "DATE" for column in columns(name) if column.kind == "date"}
    types |= {column.name: "NUMERIC" for column in columns(name) if column.kind in ("whole", "number")}
    location = sqlite(tmp_path, script(name, rows, types))
    write_csv(tmp_path / f"{name}.csv", rows)

    # One day that is none, in a column declared as days, refuses its row and not the table.
    assert facts(read(name, tmp_path, location=location)) == facts(read(name, tmp_path))


def test_a_column_of_sqlite_may_start_with_nothing_and_hold_several_types(tmp_path: Path) -> None:
    rows = good_rows("homes", 5)
    for row, number in zip(rows, [None, "2", "2.0", "two", "2.5"]):
        row["occupants"] = number
    mixed = "UPDATE homes SET occupants = {0} WHERE occupants = '{0}';"
    # The column has no declared type, so SQLite keeps a whole number, a fraction and texts in it.
    untyped = script("homes", rows, {"occupants": ""}) + mixed.format("2") + mixed.format("2.0")
    location = sqlite(tmp_path, untyped)

    checked = read("homes", tmp_path, location=location)

    assert refusals(checked) == []
    assert checked.emptied.rows() == [("occupants", "not_a_whole_number", 2)]
    assert checked.rows.collect()["occupants"].to_list() == [None, 2, 2, None, None]


def test_numbers_of_sqlite_for_yes_and_no_can_be_mapped(tmp_path: Path) -> None:
    rows = good_rows("fire_visits", 3)
    location = sqlite(
        tmp_path,
        script("fire_visits", rows, {"smoker": "BOOLEAN"})
        + f"UPDATE fire_visits SET smoker = household_id = '{pseudonym(2)}';",
    )

    checked = read("fire_visits", tmp_path, location=location, values={"smoker": {"1": "yes", "0": "no"}})

    assert checked.rows.collect()["smoker"].to_list() == ["no", "yes", "no"]


def test_an_empty_table_of_sqlite_has_its_columns(tmp_path: Path) -> None:
    sql = script("fire_incidents", good_rows("fire_incidents", 1)) + "DELETE FROM fire_incidents;"

    assert read("fire_incidents", tmp_path, location=sqlite(tmp_path, sql)).n_read == 0


def test_no_error_of_sqlite_shows_a_value_and_none_makes_a_database(tmp_path: Path) -> None:
    location = sqlite(tmp_path, script("fire_incidents", good_rows("fire_incidents", 1)))

    failed = "fire_incidents (database): the query failed (OperationalError)"
    assert stopped_by(tmp_path, location=location, query="SELECT * FROM no_such_table") == failed
    assert stopped_by(tmp_path, location=location, query="DELETE FROM fire_incidents") == failed
    assert stopped_by(tmp_path, location=f"sqlite://{tmp_path}/nowhere.sqlite") == failed
    assert not (tmp_path / "nowhere.sqlite").exists()
    doubled = "SELECT household_id, household_id FROM fire_incidents"
    assert stopped_by(tmp_path, location=location, query=doubled).endswith("two columns have the same name")


def test_a_broken_text_in_sqlite_is_told_without_its_value(tmp_path: Path) -> None:
    sql = script("fire_incidents", good_rows("fire_incidents", 1))
    sql += "UPDATE fire_incidents SET incident_type = CAST(x'43616e617279ff' AS TEXT);"

    found = stopped_by(tmp_path, location=sqlite(tmp_path, sql))

    assert found == "fire_incidents (database): the query failed (OperationalError)"
