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


def further_facts(n: int) -> str:
    """What stands behind a sentence whose number other facts of its family make, too.

    >>> further_facts(2), further_facts(0)
    (', and 2 related facts', '')
    """
    return f", and {n} related {'fact' if n == 1 else 'facts'}" if n else ""


def not_on_record(n: int) -> str:
    """What stands behind the first of several health problems that are not on record.

    >>> not_on_record(1), not_on_record(0)
    (', and 1 other health problem not on record', '')
    """
    return f", and {n} other health {'problem' if n == 1 else 'problems'} not on record" if n else ""


# Whatever the two above say.
FURTHER: Final = r"(, and \d+ (?:related facts?|other health problems? not on record))$"


def dated(*, as_of: date, after_days: int) -> pl.Expr:
    """The sentences (`text` of each `feature`), with the month of those `known_on` a day longer ago than so many days.

    >>> names = ["has_heart_failure", "someone_smokes", "age"]
    >>> days = [date(2022, 3, 5), date(2026, 10, 1), date(1985, 5, 1)]
    >>> texts = ["heart failure, and 1 related fact", "smokes", "aged 80 to 84"]
    >>> told = pl.DataFrame({"feature": names, "text": texts, "known_on": days})
    >>> told.select(dated(as_of=date(2026, 11, 22), after_days=365))["text"].to_list()
    ['heart failure, in March 2022, and 1 related fact', 'smokes', 'aged 80 to 84']
    """
    is_old = pl.col("known_on") < as_of - timedelta(days=after_days)
    month = pl.col("known_on").dt.strftime("%B %Y")
    is_dated = is_old & pl.col("feature").is_in(_OF_A_DAY)
    text, further = pl.col("text"), pl.col("text").str.extract(FURTHER).fill_null("")
    with_month = pl.format("{}, in {}{}", text.str.replace(FURTHER, ""), month, further)
    return pl.when(is_dated).then(with_month).otherwise(text).alias("text")
