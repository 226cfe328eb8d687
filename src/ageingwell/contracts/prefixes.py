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


def has_bnf_chapter(column: str = "bnf_code") -> pl.Expr:
    """Whether a BNF code starts with a chapter: 01 to 15 medicines, 18 to 23 dressings and appliances.

    >>> codes = pl.DataFrame({"bnf_code": ["0407020C0", "C10AA05", "9907020C0", None]})
    >>> codes.select(has_bnf_chapter())["bnf_code"].to_list()
    [True, False, False, False]
    """
    chapter = pl.col(column).str.slice(0, 2).cast(pl.Int64, strict=False)
    return chapter.is_between(1, 23).fill_null(value=False)
