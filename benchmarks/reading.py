"""What reading a table costs as CSV, beside the same table as Parquet: one command, one table.

    python benchmarks/reading.py [--people 100000] [--rounds 3] [--write benchmarks/reading.md]

A county is made up; its largest tables are written as Parquet, as CSV with quotation marks where they are needed, and
as CSV with every cell in quotation marks. Each is read whole by `read_table`: bytes, contract, checks, good rows put
aside. CPU seconds are those of the process, the median of the rounds, which take turns. The strict reader, the
reference that every doubtful block goes through, is measured once on the same CSV.
"""

import argparse
import datetime
import platform
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal
from unittest.mock import patch

import numpy as np
import polars as pl

from ageingwell.config.score import TableSettings
from ageingwell.reading import chunks
from ageingwell.reading.strict import strict_chunks
from ageingwell.sources.locate import locate
from ageingwell.sources.table import read_table
from ageingwell.synthetic.county import CountyPlan, synthesise

TABLES: Final = ("gp_prescriptions", "gp_events", "gp_patients")
QUOTES: Final[dict[str, Literal["necessary", "always"]]] = {"CSV": "necessary", "CSV, every cell quoted": "always"}
MOST_TIMES_PARQUET: Final = 3.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        county = synthesise(CountyPlan(people=asked.people), Path(folder) / "Parquet").folder
        rows = [row for table in TABLES for row in measured(table, county, rounds=asked.rounds)]
    text = "\n".join([*heading(asked.people, asked.rounds), *rows, ""])
    print(text)
    if asked.write:
        asked.write.write_text(text, encoding="utf-8")


def measured(table: str, county: Path, *, rounds: int) -> Iterator[str]:
    """The lines of the report on one table."""
    folders = {"Parquet": county, **{how: as_csv(table, county, how) for how in QUOTES}}
    seconds: dict[str, list[float]] = {how: [] for how in folders}
    for _ in range(rounds):
        for how, folder in folders.items():
            seconds[how].append(cpu_seconds(table, folder))
    cost = {how: statistics.median(found) for how, found in seconds.items()}
    with strictly():
        cost["CSV, strict reader alone"] = cpu_seconds(table, folders["CSV"])
    n_rows = int(pl.scan_parquet(county / f"{table}.parquet").select(pl.len()).collect().item())
    for how, found in cost.items():
        folder = folders.get(how, folders["CSV"])
        size = next(folder.glob(f"{table}.*")).stat().st_size / 1e6
        yield f"| {table} | {how} | {n_rows:,} | {size:,.0f} | {found:.1f} | {found / cost['Parquet']:.2f} |"
    slowest = max(cost[how] for how in QUOTES) / cost["Parquet"]
    if slowest > MOST_TIMES_PARQUET:
        raise SystemExit(f"{table}: CSV costs {slowest:.1f} times as much as Parquet; the goal is {MOST_TIMES_PARQUET}")


def as_csv(table: str, county: Path, how: str) -> Path:
    folder = county.parent / how
    folder.mkdir(exist_ok=True)
    pl.read_parquet(county / f"{table}.parquet").write_csv(folder / f"{table}.csv", quote_style=QUOTES[how])
    return folder


def cpu_seconds(table: str, folder: Path) -> float:
    settings = TableSettings(required=True)
    location = locate(table, settings, folder)
    assert location is not None
    with tempfile.TemporaryDirectory() as workspace:
        start = time.process_time()
        read = read_table(location, settings, workspace=Path(workspace))
        found = time.process_time() - start
    assert read.n_refused == 0
    return found


@contextmanager
def strictly() -> Iterator[None]:
    def slow(text, *, options, wanted, rows_at_once):  # type: ignore[no-untyped-def]
        return strict_chunks(text, options=options, rows_at_once=rows_at_once)

    with patch.object(chunks, "text_chunks", slow):
        yield


def heading(people: int, rounds: int) -> list[str]:
    day = datetime.date.today()
    return [
        "# Reading a table as CSV and as Parquet, measured",
        "",
        f"{day.day} {day:%B %Y}; {platform.system()}; Python {platform.python_version()}, polars {pl.__version__}, "
        f"numpy {np.__version__}.",
        f"Made by `python benchmarks/reading.py --people {people} --rounds {rounds}`.",
        "",
        f"The goal: CSV costs at most {MOST_TIMES_PARQUET:g} times the CPU time of Parquet, from bytes to good rows.",
        "",
        "| table | form | rows | MB | CPU seconds | x Parquet |",
        "|---|---|---:|---:|---:|---:|",
    ]


if __name__ == "__main__":
    main()
