"""What is counted of codes and labels in one part of the people, added up over all parts, and judged once.

A night is worked out in parts that hold whole people and whole homes. Every count is a whole number, so the sums are
the same however the people are split and in whatever order the parts come; shares and floors are asked of the sums.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from ageingwell.config.score import RecognitionSettings
from ageingwell.recognition.labels import NEW_LABELS, in_order

SUMS = pl.Schema(
    {
        "table": pl.String,
        "column": pl.String,
        "terminology": pl.String,
        "recognised_as": pl.String,
        "practice_code": pl.String,
        "n_rows": pl.Int64,
        "n_recognised": pl.Int64,
    }
)
COUNTED = pl.Schema([*SUMS.items(), ("share", pl.Float64), ("at_least", pl.Float64), ("is_enough", pl.Boolean)])
ANY: Final = "any"  # all the terminologies of a column together

_KEYS: Final = ("table", "column", "terminology", "recognised_as", "practice_code")
_LABEL: Final = ("table", "column", "label")


@dataclass(frozen=True)
class Sums:
    """Whole numbers that can be added up: of codes (`SUMS`), and of the labels nobody knows (`NEW_LABELS`)."""

    codes: pl.DataFrame
    labels: pl.DataFrame


def add_counts(parts: Sequence[Sums]) -> Sums:
    """Add up the counts of parts of the people, each person and each home in one part; their order changes nothing.

    >>> codes = {"table": "homes", "column": "source", "terminology": "label", "recognised_as": "known_label",
    ...          "practice_code": None, "n_rows": 3, "n_recognised": 2}
    >>> part = Sums(pl.DataFrame([codes], schema=SUMS), pl.DataFrame(schema=NEW_LABELS))
    >>> add_counts([part, part]).codes.select("n_rows", "n_recognised").rows()
    [(6, 4)]
    """
    codes = pl.concat([pl.DataFrame(schema=SUMS), *(part.codes for part in parts)])
    labels = pl.concat([pl.DataFrame(schema=NEW_LABELS), *(part.labels for part in parts)])
    added = codes.group_by(_KEYS).agg(pl.col("n_rows", "n_recognised").sum())
    return Sums(
        codes=added.sort("table", "column", "practice_code", "terminology", "recognised_as", nulls_last=False),
        labels=in_order(labels.group_by(_LABEL).agg(pl.col("n_rows", "n_subjects").sum())),
    )


def judge(sums: Sums, floors: RecognitionSettings) -> pl.DataFrame:
    """The counts of everybody with their shares and beside their floors (`COUNTED`); what was not sent is not there."""
    share = pl.col("n_recognised") / pl.col("n_rows")
    floor = pl.col("at_least")
    few = pl.col("n_rows") < floors.minimum_rows
    asked = sums.codes.filter(pl.col("n_rows") > 0).with_columns(share=share, at_least=_floor(floors))
    judged = asked.with_columns(is_enough=pl.when(floor.is_not_null()).then(few | (pl.col("share") >= floor)))
    ordered = judged.sort("table", "column", "practice_code", "terminology", "recognised_as", nulls_last=False)
    return ordered.select(COUNTED.names()).cast(COUNTED)


def _floor(floors: RecognitionSettings) -> pl.Expr:
    """The floor that a row is asked of; none where it is only part of what a floor is asked of.

    The floors of diagnoses were set for main ones. Of the others most are long-term conditions and circumstances, on
    none of our lists: how many are on a list is counted and not judged.
    """
    column, asked, whole = pl.col("column"), pl.col("recognised_as"), pl.col("terminology") == ANY
    return (
        pl.when(whole & (asked == "readable"))
        .then(floors.entries_readable_at_least)
        .when(whole & (asked == "on_a_list"))
        .then(floors.entries_on_lists_at_least)
        .when(whole & (asked == "bnf_chapter"))
        .then(floors.medicines_grouped_at_least)
        .when((column == "icd10") & (asked == "on_a_list"))
        .then(floors.diagnoses_on_lists_at_least)
        .when(asked == "common_chapter")
        .then(floors.diagnoses_in_common_chapters_at_least)
        .when(asked == "known_label")
        .then(floors.labels_known_at_least)
        .when(asked == "known_area")
        .then(floors.places_known_at_least)
        .otherwise(pl.lit(None, dtype=pl.Float64))
    )
