"""The sentences of a list row, and the month of a fact that is no longer new."""

from datetime import date, timedelta
from typing import Final

import polars as pl

from ageingwell.features.build import FEATURES

# What the newest record says of today holds until another one comes, however old it is: who lives there, what kind of
# home it is. What was seen or written down on a day is a fact of that day.
_OF_TODAY: Final = ("spine", "derived", "home_facts")
_OF_A_DAY: Final = tuple(feature.name for feature in FEATURES if feature.source not in _OF_TODAY)


def reasons_of_people(shown: pl.DataFrame) -> pl.DataFrame:
    """One row a person: the sentences in the order a reader meets them (person_id, reasons)."""
    raising = pl.col("direction") == "raises"
    words = pl.when(raising).then(pl.format("higher: {}", "text")).otherwise(pl.format("lower: {}", "text"))
    return shown.group_by("person_id", maintain_order=True).agg(reasons=words)


def dated(*, as_of: date, after_days: int) -> pl.Expr:
    """The sentences (`text` of each `feature`), with the month of those `known_on` a day longer ago than so many days.

    >>> names = ["has_heart_failure", "someone_smokes", "age"]
    >>> days = [date(2022, 3, 5), date(2026, 10, 1), date(1985, 5, 1)]
    >>> told = pl.DataFrame({"feature": names, "text": ["heart failure", "smokes", "aged 80 to 84"], "known_on": days})
    >>> told.select(dated(as_of=date(2026, 11, 22), after_days=365))["text"].to_list()
    ['heart failure, in March 2022', 'smokes', 'aged 80 to 84']
    """
    is_old = pl.col("known_on") < as_of - timedelta(days=after_days)
    month = pl.col("known_on").dt.strftime("%B %Y")
    is_dated = is_old & pl.col("feature").is_in(_OF_A_DAY)
    return pl.when(is_dated).then(pl.format("{}, in {}", "text", month)).otherwise("text").alias("text")
