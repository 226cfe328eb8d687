"""Codes that are grouped by how they start: ICD-10 and BNF."""

import re
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


def any_starts_with(texts: pl.Expr, prefixes: Iterable[str]) -> pl.Expr:
    """Whether one of several codes, parted by blanks or semicolons, starts with one of the prefixes.

    >>> codes = pl.DataFrame({"other_icd10": ["I10 W190", "I10;E119", "J18W", None]})
    >>> codes.select(any_starts_with(pl.col("other_icd10"), ["S72", "W"]))["other_icd10"].to_list()
    [True, False, False, False]
    """
    starts = "|".join(re.escape(prefix) for prefix in sorted(prefixes))
    found = texts.str.contains(f"(?:^|[ ;])(?:{starts})") if starts else texts.is_null() & texts.is_not_null()
    return found.fill_null(value=False)


def diagnosed_with(prefixes: Iterable[str]) -> pl.Expr:
    """Whether a row of hospital records tells a diagnosis of a group in any position: `icd10` or `other_icd10`.

    Where the main diagnosis was not sent and no other one is of the group, it is not known.

    >>> rows = pl.DataFrame({"icd10": ["S72.0", "J18", "J18", None, None], "other_icd10": [None, "W19.0", None, "W19",
    ...                      "I10"]})
    >>> rows.select(found=diagnosed_with(["S72", "W"]))["found"].to_list()
    [True, True, False, True, None]
    """
    prefixes = tuple(prefixes)
    main, others = (pl.col(name).str.replace_all(".", "", literal=True) for name in ("icd10", "other_icd10"))
    found = starts_with_any(main, prefixes) | any_starts_with(others, prefixes)
    return pl.when(found | main.is_not_null()).then(found)
