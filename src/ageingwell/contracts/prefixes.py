"""Codes that are grouped by how they start: ICD-10 and BNF."""

from collections.abc import Iterable

import polars as pl


def starts_with_any(text: pl.Expr, prefixes: Iterable[str]) -> pl.Expr:
    """Whether a code starts with one of the prefixes: one look-up for each length of prefix; a missing code does not.

    >>> codes = pl.DataFrame({"icd10": ["S720", "W19", "J18", None]})
    >>> codes.select(starts_with_any(pl.col("icd10"), ["S72", "W"]))["icd10"].to_list()
    [True, True, False, False]
    """
    prefixes = tuple(prefixes)
    lengths = sorted({len(prefix) for prefix in prefixes})
    tests = [text.str.slice(0, n).is_in([prefix for prefix in prefixes if len(prefix) == n]) for n in lengths]
    return pl.any_horizontal(tests).fill_null(value=False) if tests else text.is_null() & text.is_not_null()
