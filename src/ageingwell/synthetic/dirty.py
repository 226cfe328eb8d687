"""Spoils a share of the rows of each table, and keeps the answers: which rows a reader must refuse, and why.

Every kind of row fault a contract knows stands in `plants`. A plant needs rows where it can be planted (a bad check
digit needs a SNOMED code); elsewhere the first plant of the table takes its place, which can stand anywhere. Spoilt
tables are written as CSV, where any text can stand in any column.
"""

import numpy as np
import polars as pl

from ageingwell.synthetic.plants import PLANTS


def spoil(
    table: str, frame: pl.DataFrame, *, share: float, first_row: int, rng: np.random.Generator
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Spoil a share of the rows: returns all rows as text, and the answers (table, row_number, column, rule).

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


def _tied_rows(table: str, frame: pl.DataFrame, most: int, *, rng: np.random.Generator) -> np.ndarray:
    """Rows followed by another version of the same person, with no row between two of them."""
    if table != "gp_patients" or not most:
        return np.array([], dtype=np.int64)
    person = frame["person_id"]
    follows = (person == person.shift(-1)).fill_null(value=False) & (person != person.shift(1)).fill_null(value=True)
    # A third version may not carry the day that the tie takes.
    follows &= (person != person.shift(-2)).fill_null(value=True)
    rows = np.flatnonzero(follows.to_numpy())
    return np.sort(rng.permutation(rows)[: most // 2])


def _tie(texts: pl.DataFrame, tied: np.ndarray) -> pl.Expr:
    later = texts["recorded_on"].shift(-1)
    return pl.when(pl.col("_row").is_in(tied)).then(later).otherwise(pl.col("recorded_on"))


def _answers(table: str, rows: np.ndarray, column: str | None, rule: str) -> pl.DataFrame:
    return pl.DataFrame(
        {"row_number": pl.Series(rows, dtype=pl.Int64)},
    ).select(table=pl.lit(table), row_number="row_number", column=pl.lit(column, dtype=pl.String), rule=pl.lit(rule))
