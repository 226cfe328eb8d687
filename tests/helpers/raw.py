"""Raw tables as an agency holds them: good rows with NHS numbers of the reserved range and made-up UPRNs."""

from pathlib import Path
from typing import Any

import polars as pl

from ageingwell.contracts.registry import TABLES
from ageingwell.pseudonyms import Key, Pseudonymised, is_nhs_number, pseudonymise
from helpers.tables import GOOD, Rows, write_csv

KEY = Key.made_up(1)
CONTRACTS = {table: list(model.to_schema().columns) for table, model in TABLES.items()}
RAW = {"person_id": "nhs_number", "household_id": "uprn", "linked_person_id": "linked_nhs_number"}
_TEN_DIGITS = pl.DataFrame({"n": [str(number) for number in range(9_990_000_000, 9_990_002_000)]})
NUMBERS: list[str] = _TEN_DIGITS.filter(is_nhs_number(pl.col("n")))["n"].to_list()
UPRNS = [f"1000123450{n:02}" for n in range(90)]
ABOUT_EITHER = ("permissions", "contacts")


def raw_rows(table: str, n: int = 12) -> Rows:
    """Rows of a raw table, each about a person or a home of its own; linked people are others."""
    rows = []
    for at in range(n):
        row = {RAW.get(name, name): value for name, value in GOOD[table].items()}
        own = {"nhs_number": NUMBERS[at], "linked_nhs_number": NUMBERS[n + at], "la_person_id": f"LA{at:03}"}
        own["uprn"] = None if table in ABOUT_EITHER else UPRNS[at]
        rows.append(row | {name: value for name, value in own.items() if name in row})
    return rows


def pseudonymised(at: Path, *, out: str = "out", **more: Any) -> Pseudonymised:
    """Pseudonymise the folder `raw` below a place."""
    return pseudonymise(at / "raw", out=at / out, **{"key": KEY, "contract_columns": CONTRACTS, **more})


def run(at: Path, table: str, rows: Rows, *, out: str = "out", **more: Any) -> tuple[Pseudonymised, pl.DataFrame]:
    """Write one raw table as CSV, pseudonymise it, and read what came of it."""
    (at / "raw").mkdir(exist_ok=True)
    write_csv(at / "raw" / f"{table}.csv", rows)
    done = pseudonymised(at, out=out, **more)
    return done, pl.read_parquet(at / out / f"{table}.parquet")
