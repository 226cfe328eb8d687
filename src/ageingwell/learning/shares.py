"""Whether every group gets its share: of people with a need found, how many were ever offered a visit."""

from typing import Final

import polars as pl

from ageingwell.evaluation.estimate import difference, proportion, tidy

GROUPINGS: Final = ("age_band", "sex", "deprivation_fifth", "ethnic_group", "place", "rurality")
SHARES: Final = pl.Schema(
    {
        "grouping": pl.String,
        "group": pl.String,
        "value": pl.Float64,
        "low": pl.Float64,
        "high": pl.Float64,
        "n": pl.Int64,
        "n_events": pl.Int64,
        "gap": pl.Float64,
        "gap_low": pl.Float64,
        "gap_high": pl.Float64,
    }
)
_AGES: Final = (75, 85)


def shares_served(offered: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """The share of each group's people with a need who were ever listed (`SHARES`), beside everybody else's.

    `offered` is what `kept.offered` gives; `groups` has person_id and a column for each grouping. `gap` is the share of
    the group less the share of everybody else with a need, with its 95% interval (Newcombe); negative: served less.
    """
    met = offered.group_by("person_id").agg(
        has_need=(pl.col("needs").list.len() > 0).any(), was_listed=pl.col("is_listed").any()
    )
    people = met.filter(pl.col("has_need") | pl.col("was_listed")).join(groups, on="person_id")
    rows = []
    for grouping in GROUPINGS:
        of = people.with_columns(pl.col(grouping).fill_null("not known"))
        counted = of.group_by(grouping).agg(n=pl.len(), n_events=pl.col("was_listed").sum()).sort(grouping)
        n, n_events = int(counted["n"].sum()), int(counted["n_events"].sum())
        for group, ours, listed in counted.iter_rows():
            share = proportion(int(listed), int(ours))
            others = proportion(n_events - int(listed), n - int(ours)) if n > ours else None
            gap = None if others is None else difference(share, others)
            ends = {
                "gap": None if gap is None else gap.value,
                "gap_low": None if gap is None else gap.low,
                "gap_high": None if gap is None else gap.high,
            }
            rows.append(({"grouping": grouping, "group": str(group), **ends}, share))
    if not rows:
        return pl.DataFrame(schema=SHARES)
    return tidy(rows).select(SHARES.names()).cast(SHARES)


def groups_of(people: pl.DataFrame) -> pl.DataFrame:
    """Which group each person belongs to: person_id and a column for each of `GROUPINGS`, empty where not known.

    `people` have age, sex, ethnic_group, deprivation_decile, place and is_rural.

    >>> row = {"person_id": ["p"], "age": [80], "sex": ["F"], "ethnic_group": [None], "deprivation_decile": [3],
    ...        "place": ["Totnes"], "is_rural": [True]}
    >>> groups_of(pl.DataFrame(row)).select("age_band", "deprivation_fifth", "rurality").row(0)
    ('75 to 84', 'fifth 2', 'rural')
    """
    age, rural = pl.col("age"), pl.col("is_rural")
    band = (
        pl.when(age < _AGES[0])
        .then(pl.lit(f"under {_AGES[0]}"))
        .when(age < _AGES[1])
        .then(pl.lit(f"{_AGES[0]} to {_AGES[1] - 1}"))
        .when(age.is_not_null())
        .then(pl.lit(f"{_AGES[1]} and over"))
    )
    fifth = pl.format("fifth {}", (pl.col("deprivation_decile") + 1) // 2)
    return people.select(
        "person_id",
        age_band=band,
        sex="sex",
        deprivation_fifth=pl.when(pl.col("deprivation_decile").is_not_null()).then(fifth),
        ethnic_group="ethnic_group",
        place="place",
        rurality=pl.when(rural).then(pl.lit("rural")).when(rural.is_not_null()).then(pl.lit("urban")),
    )
