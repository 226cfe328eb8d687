"""Text that stays text: no cell of a file we write is ever read as a formula, a link or a command."""

from collections.abc import Sequence
from typing import Final

import polars as pl

from ageingwell.views.words import day_words as day_words

# What a spreadsheet takes for the start of a formula (OWASP: CSV injection), full-width forms included, also behind
# spaces and marks of no width.
_STARTS: Final = r"^[\s\u200b-\u200f\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]"
# Control characters, line and paragraph separators, and marks that turn the direction of writing.
_CONTROLS: Final = r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+"
LONGEST: Final = 32_000  # Excel takes 32,767 characters a cell


def csv_safe(text: pl.Expr) -> pl.Expr:
    """Make texts harmless in a spreadsheet: control characters become spaces, a formula start gets an apostrophe.

    >>> texts = pl.DataFrame({"t": ["=1+1", "Ludlow", " @SUM(A1)", "-2"]})
    >>> texts.select(csv_safe(pl.col("t")))["t"].to_list()
    ["'=1+1", 'Ludlow', "'@SUM(A1)", "'-2"]
    """
    plain = one_line(text).str.head(LONGEST)
    guarded = pl.when(plain.str.contains(_STARTS)).then(pl.concat_str(pl.lit("'"), plain)).otherwise(plain)
    return guarded.alias(text.meta.output_name())


def one_line(text: pl.Expr) -> pl.Expr:
    """Turn every run of control characters into a space, and trim the ends.

    >>> pl.DataFrame({"t": ["a\\r\\n\\x00b "]}).select(one_line(pl.col("t")))["t"].to_list()
    ['a b']
    """
    return text.str.replace_all(_CONTROLS, " ").str.strip_chars()


def harmless(text: str) -> str:
    """Make one text harmless, as `csv_safe` does.

    >>> harmless("＝cmd")
    "'＝cmd"
    """
    return harmless_all([text])[0]


def harmless_all(texts: Sequence[str]) -> list[str]:
    """Make texts harmless together: one by one would take Polars a third of a millisecond each.

    >>> harmless_all(["=1", "Ludlow"])
    ["'=1", 'Ludlow']
    """
    column = pl.DataFrame({"text": pl.Series(texts, dtype=pl.String)})
    return column.select(csv_safe(pl.col("text")))["text"].to_list()


def flat(frame: pl.DataFrame) -> pl.DataFrame:
    """Write every cell of a view as one harmless text: lists joined by semicolons.

    >>> flat(pl.DataFrame({"needs": [["a", "=b"]]})).rows()
    [('a; =b',)]
    """
    if not frame.width:
        return frame
    lists = pl.List(pl.String)
    texts = frame.select(
        pl.col(name).list.join("; ") if kind == lists else pl.col(name).cast(pl.String)
        for name, kind in frame.schema.items()
    ).fill_null("not known")
    # All columns as one long one: a pattern is made ready once, not once a column, which took longer than the texts.
    long = pl.concat([text.rename("text") for text in texts], rechunk=True)
    safe = long.to_frame().select(csv_safe(pl.col("text")))["text"]
    return pl.DataFrame(
        [safe.slice(at * frame.height, frame.height).rename(name) for at, name in enumerate(texts.columns)]
    )


SHOWN_LETTERS: Final = 8  # of a key, on paper: 4,000 million keys differ in them; the workbook holds the whole key


def shown_key(key: str) -> str:
    """Write a key as a page shows it; words that stand in its place stay.

    >>> shown_key("bcdfghjklmnpqrstbcdfghjklmnpqrst"), shown_key("no home linked")
    ('bcdf ghjk', 'no home linked')
    """
    return key if " " in key else f"{key[:4]} {key[4:SHOWN_LETTERS]}"
