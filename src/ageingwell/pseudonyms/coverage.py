"""Whether the GP register holds everybody who should be on it, by a list that somebody else keeps."""

from pathlib import Path
from typing import Final

import polars as pl

from ageingwell.pseudonyms.digests import pseudonym
from ageingwell.pseudonyms.keys import Key

EXPECTED: Final = "n_expected"
FOUND: Final = "n_on_register"


def register_coverage(expected: pl.LazyFrame | None, register: Path, *, key: Key) -> dict[str, int]:
    """Count who of the people `expected` (`nhs_number`) is on the register made here (`person_id`); empty without both.

    Gives `n_expected` and `n_on_register`. Numbers that are none count as expected by nobody.
    """
    if expected is None or not register.is_file():
        return {}
    people = expected.select(person_id=pseudonym(pl.col("nhs_number"), domain="person", key=key))
    people = people.drop_nulls().unique()
    here = people.join(pl.scan_parquet(register, glob=False).select("person_id").unique(), on="person_id", how="semi")
    return {EXPECTED: _height(people), FOUND: _height(here)}


def _height(rows: pl.LazyFrame) -> int:
    return int(rows.select(pl.len()).collect().item())
