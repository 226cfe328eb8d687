"""Spoils a share of the rows of each table, and keeps the answers: what a reader must refuse or empty, and why.

A fault of one cell in an optional column empties that cell, and its row stays; every other fault refuses the row. Every
kind of fault a contract knows stands in `plants`. A plant needs rows where it can be planted (a bad check
digit needs a SNOMED code); elsewhere the first plant of the table takes its place, which can stand anywhere. Spoilt
tables are written as CSV, where any text can stand in any column.

The other cells say the same, in other words: an empty cell of an optional column may hold a word that means empty or a
day that stands for none, and a heading may be spelt in another way.
"""

import numpy as np
import polars as pl

from ageingwell.contracts.fields import CELL_RULES, WORDS_FOR_EMPTY
from ageingwell.contracts.registry import Column, columns
from ageingwell.synthetic.plants import PLANTS

# Days that systems write where they know none; a low one where an end would be is a fault, and stands in `plants`.
FAR_DAYS = ("9999-12-31", "3000-01-01", "2099-12-31")
LOW_DAYS = ("1900-01-01", "1899-12-30", "1753-01-01", "0001-01-01", "1970-01-01")


def spoil(
    table: str, frame: pl.DataFrame, *, share: float, first_row: int, rng: np.random.Generator
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Spoil a share of the rows: returns all rows as text, and the answers (table, row_number, column, rule).

    `refuses_the_row` says which of the answers refuse a row; the others empty one cell.

    `first_row` is the number of the first row in the file, from 1 without the header. No good row is made bad, except
    by ties, whose both rows stand in the answers.
    """
    texts = frame.with_columns(pl.all().cast(pl.String).fill_null("")).with_columns(_row=pl.int_range(pl.len()))
    n_bad = round(share * len(texts))
    tied = _tied_rows(table, frame, n_bad // 10, rng=rng)
    texts = texts.with_columns(recorded_on=_tie(texts, tied)) if len(tied) else texts
    free = np.setdiff1d(np.arange(len(texts)), np.concatenate([tied, tied + 1]))
    chosen = np.sort(rng.permutation(free)[: max(n_bad - 2 * len(tied), 0)])
    plants = [plant for plant in PLANTS if plant.table == table]
    picked = rng.permutation(np.arange(len(chosen)) % len(plants))
    spoilt, answers = (
        [texts.filter(~pl.col("_row").is_in(chosen))],
        [_answers(table, np.r_[tied, tied + 1], "recorded_on", "tied_version")],
    )
    for number, plant in enumerate(plants):
        rows = texts.filter(pl.col("_row").is_in(chosen[picked == number]))
        fits = (
            rows.select(plant.needs.fill_null(value=False)).to_series()
            if len(rows)
            else pl.Series([], dtype=pl.Boolean)
        )
        for which, applied in ((fits, plant), (~fits, plants[0])):
            part = rows.filter(which) if len(rows) else rows
            spoilt.append(part.with_columns(**applied.cells))
            answers.append(_answers(table, part["_row"].to_numpy(), applied.column, applied.rule))
    whole = pl.concat(spoilt).sort("_row").drop("_row")
    return whole, pl.concat(answers).with_columns(pl.col("row_number") + first_row).sort("row_number", "column")


def refuses_the_row(table: str) -> pl.Expr:
    """Which answers of a table refuse their row."""
    optional = [column.name for column in columns(table) if column.is_emptied]
    return ~(pl.col("column").is_in(optional) & pl.col("rule").is_in(CELL_RULES)).fill_null(value=False)


def _tied_rows(table: str, frame: pl.DataFrame, most: int, *, rng: np.random.Generator) -> np.ndarray:
    """Rows followed by another version of the same person, with no row between two of them."""
    if table != "gp_patients" or not most:
        return np.array([], dtype=np.int64)
    person = frame["person_id"]
    follows = (person == person.shift(-1)).fill_null(value=False) & (person != person.shift(1)).fill_null(value=True)
    # A third version may not carry the day that the tie takes.
    follows &= (person != person.shift(-2)).fill_null(value=True)
    # Two versions that say the same would be one version sent twice.
    says = frame.drop("recorded_on").hash_rows()
    follows &= (says != says.shift(-1)).fill_null(value=False)
    rows = np.flatnonzero(follows.to_numpy())
    return np.sort(rng.permutation(rows)[: most // 2])


def _tie(texts: pl.DataFrame, tied: np.ndarray) -> pl.Expr:
    later = texts["recorded_on"].shift(-1)
    return pl.when(pl.col("_row").is_in(tied)).then(later).otherwise(pl.col("recorded_on"))


def with_empty_words(
    table: str, texts: pl.DataFrame, *, share: float, first_row: int, rng: np.random.Generator
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Write a word or a day that means empty into a share of the empty cells of optional columns.

    Returns the rows, which say the same as before, and the answers (table, row_number, column, rule).
    """
    answers = [_answers(table, np.array([], dtype=np.int64), None, "")]
    # Cells of a row with a field too many stand in no column.
    is_whole = ~texts[texts.columns[-1]].str.contains(",", literal=True)
    for column in columns(table):
        choices = _empty_texts(column)
        if not choices:
            continue
        is_empty = texts[column.name].is_in(["", column.missing or ""])
        empty = np.flatnonzero((is_empty & is_whole).to_numpy())
        chosen = np.sort(rng.permutation(empty)[: round(share * len(empty))])
        picked = rng.permutation(np.arange(len(chosen)) % len(choices))
        written = pl.Series([choices[n][0] for n in picked], dtype=pl.String)
        texts = texts.with_columns(texts[column.name].scatter(chosen, written))
        for n, (_, rule) in enumerate(choices):
            answers.append(_answers(table, chosen[picked == n], column.name, rule))
    answered = pl.concat(answers).with_columns(pl.col("row_number") + first_row)
    return texts, answered.sort("row_number", "column")


def _empty_texts(column: Column) -> list[tuple[str, str]]:
    """The texts that are read as an empty cell of a column, each with the rule by which it is."""
    if column.required or column.is_pseudonym:
        return []
    words = [(word.upper(), "word_for_empty") for word in WORDS_FOR_EMPTY]
    rule = column.placeholder
    low = LOW_DAYS if rule is not None and rule.low == "missing" else ()
    far = FAR_DAYS if rule is not None and rule.far == "missing" else ()
    return [*words, *((day, "placeholder_day") for day in (*low, *far))]


def with_odd_headings(texts: pl.DataFrame) -> pl.DataFrame:
    """The rows under headings as people spell them.

    >>> with_odd_headings(pl.DataFrame({"died_on": [], "left_on": [], "sex": [], "lsoa21": []})).columns
    ['Died On', 'LEFT_ON', 'sex', 'lsoa21']
    """
    spellings = (
        lambda name: name.replace("_", " ").title(),
        str.upper,
        lambda name: name.replace("_", "-"),
        lambda name: name.replace("_", "."),
    )
    return texts.rename({name: spellings[n % 4](name) for n, name in enumerate(texts.columns)})


def _answers(table: str, rows: np.ndarray, column: str | None, rule: str) -> pl.DataFrame:
    return pl.DataFrame(
        {"row_number": pl.Series(rows, dtype=pl.Int64)},
    ).select(table=pl.lit(table), row_number="row_number", column=pl.lit(column, dtype=pl.String), rule=pl.lit(rule))
