"""What `ageingwell impact` leaves: one class a table, one line a column. No row is of a person."""

from collections.abc import Mapping
from typing import Final

import pandera.polars as pa

_COUNT = "people, to the nearest 5; empty for 1 to 7 or where they could be worked out"


class Effects(pa.DataFrameModel):
    """`effects.parquet`: one row a group, method, time and outcome: what being offered a visit changed, a person.

    Counts of events a person, nights and days a person, or a share of people; negative: fewer among those offered.
    """

    by: str = pa.Field(isin=["all", "agency", "need"], description="everyone, the agency that led, or a need found")
    name: str = pa.Field(description="which agency or need; `all`")
    method: str = pa.Field(
        isin=["lot", "matched"],
        description="`lot`: as people were picked at random; `matched`: compared with people alike",
    )
    days: int = pa.Field(ge=1, description="for how many days people were followed")
    outcome: str = pa.Field(description="what is counted")
    value: float = pa.Field(nullable=True, description="difference a person offered a visit, rounded")
    low: float = pa.Field(nullable=True, description="low end of its 95% interval, rounded down")
    high: float = pa.Field(nullable=True, description="high end, rounded up")
    n_visited: int = pa.Field(nullable=True, description=f"offered a visit: {_COUNT}")
    n_others: int = pa.Field(nullable=True, description=f"not offered one: {_COUNT}")
    happened_visited: int = pa.Field(nullable=True, description=f"of those offered one, had it: {_COUNT}")
    happened_others: int = pa.Field(nullable=True, description=f"of the others, had it: {_COUNT}")
    visited: float = pa.Field(nullable=True, description="mean of those offered a visit, rounded")
    left_out: float = pa.Field(nullable=True, description="share of those offered a visit with nobody like them")
    hidden: float = pa.Field(nullable=True, description="the largest difference that the check leaves possible")
    why_not: str = pa.Field(nullable=True, description="why no difference is told; empty where one is")


class Balance(pa.DataFrameModel):
    """`balance.parquet`: how alike the two sides of each comparison are, one row a trait."""

    by: str = pa.Field(description="everyone, an agency, or a need")
    name: str = pa.Field(description="which")
    method: str = pa.Field(
        isin=["lot", "matched"],
        description="`lot`: as people were picked at random; `matched`: compared with people alike",
    )
    days: int = pa.Field(ge=1, description="for how many days people were followed")
    trait: str = pa.Field(description="the trait, on the night")
    visited: float = pa.Field(nullable=True, description="mean of those offered a visit")
    others: float = pa.Field(nullable=True, description="mean of the others, as weighted")
    standardised_gap: float = pa.Field(nullable=True, description="their difference in standard deviations")
    n_visited: int = pa.Field(nullable=True, description=f"offered a visit: {_COUNT}")
    n_others: int = pa.Field(nullable=True, description=f"not offered one: {_COUNT}")


class Checks(pa.DataFrameModel):
    """`checks.parquet`: what each comparison comes to of a figure that no visit can have changed."""

    by: str = pa.Field(description="everyone, an agency, or a need")
    name: str = pa.Field(description="which")
    method: str = pa.Field(
        isin=["lot", "matched"],
        description="`lot`: as people were picked at random; `matched`: compared with people alike",
    )
    days: int = pa.Field(ge=1, description="for how many days people were followed")
    check: str = pa.Field(description="what cannot have changed")
    value: float = pa.Field(nullable=True, description="difference, which only chance should make")
    low: float = pa.Field(nullable=True, description="low end of its 95% interval")
    high: float = pa.Field(nullable=True, description="high end")
    n_visited: int = pa.Field(nullable=True, description=f"offered a visit: {_COUNT}")
    n_others: int = pa.Field(nullable=True, description=f"not offered one: {_COUNT}")


class Delivered(pa.DataFrameModel):
    """`delivered.parquet`: how many people came to each stage, in words as a page may show them."""

    by: str = pa.Field(isin=["all", "agency", "need"], description="everyone, the agency that led, or a need found")
    name: str = pa.Field(description="which")
    stage: str = pa.Field(
        isin=["listed", "agreed", "reached", "taken_up", "completed", "said_no"], description="how far it came"
    )
    shown: str = pa.Field(description="how many people, or `not shown`")


class Plans(pa.DataFrameModel):
    """`plans.parquet`: how many plans have a step or matter, were reviewed, and helped by what the person says."""

    by: str = pa.Field(isin=["step", "matters"], description="a step (a need's or a service's), or what matters")
    name: str = pa.Field(description="which")
    stage: str = pa.Field(isin=["planned", "reviewed", "helped", "completed"], description="how far it came")
    shown: str = pa.Field(description="how many people, or `not shown`")


class Shares(pa.DataFrameModel):
    """`shares.parquet`: of each group's people with a need, the share that was ever offered a visit."""

    grouping: str = pa.Field(description="by what people are grouped")
    group: str = pa.Field(description="the group; `not known`")
    people: str = pa.Field(nullable=True, description="people with a need, in words")
    listed: str = pa.Field(nullable=True, description="of these, ever offered a visit, in words")
    value: float = pa.Field(nullable=True, description="the share offered a visit")
    low: float = pa.Field(nullable=True, description="low end of its 95% interval")
    high: float = pa.Field(nullable=True, description="high end")
    gap: float = pa.Field(nullable=True, description="less the share of everyone else")
    gap_low: float = pa.Field(nullable=True, description="low end of its 95% interval")
    gap_high: float = pa.Field(nullable=True, description="high end")


class Agencies(pa.DataFrameModel):
    """`agencies.parquet`: visits agreed and not made yet, and those overdue, in words."""

    agency: str = pa.Field(unique=True, description="the agency")
    agreed: str = pa.Field(description="visits agreed and not made")
    overdue: str = pa.Field(description="of these, past their day")


class Needed(pa.DataFrameModel):
    """`needed.parquet`: how many people a lot must draw from to find a change of a fifth, and how many it has."""

    outcome: str = pa.Field(unique=True, description="what is counted")
    effect: float = pa.Field(description="a fifth of what happens to those offered a visit, a person")
    n_needed: int = pa.Field(ge=0, description="people, half of them drawn, to two figures")
    n_in_lots: int = pa.Field(ge=0, nullable=True, description=f"took part in a lot and were followed: {_COUNT}")
    n_in_lots_later: int = pa.Field(ge=0, nullable=True, description=f"took part in a lot so far: {_COUNT}")
    n_listed: int = pa.Field(ge=0, nullable=True, description=f"ever listed: {_COUNT}")


# The tables of an impact, by the names of their files.
IMPACT_TABLES: Final[Mapping[str, type[pa.DataFrameModel]]] = {
    "effects": Effects,
    "balance": Balance,
    "checks": Checks,
    "delivered": Delivered,
    "plans": Plans,
    "shares": Shares,
    "agencies": Agencies,
    "needed": Needed,
}
