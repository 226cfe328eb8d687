"""The exact counts behind a page for commissioners, and the numbers of it as they may be shown."""

from itertools import combinations
from typing import Final

import polars as pl

from ageingwell.commissioning.community import (
    ALONE,
    COLD,
    COUNTS,
    CROSSED,
    DISTANCE,
    GROUPED,
    JOINT,
    KNOWN,
    NEEDS,
    PLACE,
    Community,
)
from ageingwell.governance.crosses import TOTAL
from ageingwell.governance.disclosure import SUPPRESS_BELOW, in_words
from ageingwell.governance.pages import PUBLISHED, Counted, Link, publish
from ageingwell.register import LEAD_AGENCIES
from ageingwell.services.distance import miles_between

# Pages before this one that are bounded together with it: a year of four. Trends go further back.
BOUND_WITH: Final = 3
KNOWN_BANDS: Final = ("None", "One", "Two", "Three or more")
# How far the middle of a place is from the nearest service that is running, in miles.
NEAR, FAR = 2.0, 5.0
DISTANCES: Final = ("Less than 2 miles", "2 to 5 miles", "More than 5 miles", "Not known")


def counts_behind(community: Community) -> pl.DataFrame:
    """The counts that the page of a quarter is drawn from (`COUNTS`), to be kept for the next.

    A change between two pages is a count of people too, and passes the same door: where fewer than 8 came or went since
    the last page, a cell keeps the count it had. So whatever moves on a page, no single person moved it.

    >>> residents = pl.DataFrame({"person_id": [f"p{n}" for n in range(12)], "place": "Totnes", "known_to": [[]] * 12})
    >>> nobody = pl.DataFrame(schema=dict.fromkeys(("person_id", "household_id", "need", "lead_agency"), pl.String))
    >>> last = pl.DataFrame([("known by place", "Totnes", "None", 19)], schema=COUNTS, orient="row")
    >>> town = Community(residents, nobody, pl.DataFrame(), pl.DataFrame(), pl.DataFrame(), pl.DataFrame(), {}, last)
    >>> counts_behind(town).rows()
    [('known by place', 'Totnes', 'None', 19)]
    """
    parts = {
        NEEDS: _needs_counted(community).select("place", "need", "n"),
        KNOWN: _known_counted(community.residents).select("place", "band", "n"),
        JOINT: _joint_counted(community.needs),
        DISTANCE: _by_distance(community),
    }
    now = pl.concat(
        part.select(pl.lit(of).alias("of"), pl.nth(0).alias("one"), pl.nth(1).alias("other"), "n").cast(COUNTS)
        for of, part in parts.items()
    )
    if community.counted is not None:
        now = pl.concat([now, community.counted.filter(pl.col("of") != PLACE).select(COUNTS.names()).cast(COUNTS)])
    if community.before is None:
        return now.filter(pl.col("n") > 0).sort(COUNTS.names())
    cell = ("of", "one", "other")
    both = now.join(community.before.cast(COUNTS), on=cell, how="full", coalesce=True, suffix="_before").with_columns(
        pl.col("n", "n_before").fill_null(0)
    )
    is_few = (pl.col("n") - pl.col("n_before")).abs() < SUPPRESS_BELOW
    steady = both.select(*cell, n=pl.when(is_few).then("n_before").otherwise("n"))
    return steady.filter(pl.col("n") > 0).sort(COUNTS.names())


def published(community: Community, counts: pl.DataFrame) -> pl.DataFrame:
    """Every number of the page as it may be shown (`PUBLISHED`), from the counts behind it and the pages before."""
    tables = [
        Counted(of, part.select("one", "other", "n"), community.leads if of == NEEDS else None)
        for of in CROSSED
        if not (part := counts.filter(pl.col("of") == of)).is_empty() or of in (NEEDS, KNOWN)
    ]
    before = [page.filter(pl.col("of").is_in(CROSSED)) for _, page in community.earlier[-BOUND_WITH:]]
    crossed = publish(tables, links=LINKS, earlier=before)
    alone = [
        (of, one, other, None, n, in_words(n))
        for of, one, other, n in counts.filter(pl.col("of").is_in(ALONE)).iter_rows()
    ]
    return pl.concat([crossed, pl.DataFrame(alone, schema=PUBLISHED, orient="row")])


# What a reader knows to be equal, whatever it is: everybody is somewhere and of some group, and what became of them
# adds up to the same however they are split; a cold home with an illness is the need of that name.
LINKS: Final[tuple[Link, ...]] = (
    *((((KNOWN, TOTAL, TOTAL),), ((of, TOTAL, TOTAL),)) for of in GROUPED),
    *(
        (((one, TOTAL, state),), ((other, TOTAL, state),))
        for one, other in combinations(GROUPED, 2)
        for state in ("No need found", "A need, on the list", "A need, waiting")
    ),
    (((COLD, TOTAL, TOTAL),), ((NEEDS, TOTAL, "cold_home"),)),
)


def _needs_counted(community: Community) -> pl.DataFrame:
    residents = community.residents.lazy().select("person_id", "place")
    placed = residents.join(community.needs.lazy().drop("household_id"), on="person_id").collect()
    return placed.group_by("place", "need").agg(n=pl.col("person_id").n_unique().cast(pl.Int64))


def _known_counted(residents: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    n_known = pl.col("known_to").list.len()
    band = (
        pl.when(n_known == 0)
        .then(pl.lit(KNOWN_BANDS[0]))
        .when(n_known == 1)
        .then(pl.lit(KNOWN_BANDS[1]))
        .when(n_known == 2)
        .then(pl.lit(KNOWN_BANDS[2]))
        .otherwise(pl.lit(KNOWN_BANDS[3]))
    )
    return residents.lazy().group_by("place", band.alias("band")).agg(n=pl.len().cast(pl.Int64)).collect()


def _joint_counted(needs: pl.DataFrame) -> pl.DataFrame:
    """Homes in which two agencies lead on a need: visits that could be made together."""
    at_home = needs.drop_nulls("household_id").select("household_id", "lead_agency").unique()
    agencies = at_home.group_by("household_id").agg(pl.col("lead_agency"))["lead_agency"].to_list()
    pairs = [pair for home in agencies for pair in combinations(sorted(home, key=LEAD_AGENCIES.index), 2)]
    found = pl.DataFrame(pairs, schema={"one": pl.String, "other": pl.String}, orient="row")
    return found.group_by("one", "other").agg(n=pl.len().cast(pl.Int64))


def _by_distance(community: Community) -> pl.DataFrame:
    """What became of people, by how far the middle of their place is from the nearest service."""
    nobody = pl.DataFrame(schema={"one": pl.String, "other": pl.String, "n": pl.Int64})
    if community.counted is None or community.services.is_empty():
        return nobody
    by_place = community.counted.filter(pl.col("of") == PLACE)
    where = community.services.select("latitude", "longitude").drop_nulls().unique()
    points = ("from_latitude", "from_longitude", "latitude", "longitude")
    nearest = (
        community.positions.select("place", from_latitude="latitude", from_longitude="longitude")
        .join(where, how="cross")
        .group_by("place")
        .agg(miles=miles_between(*(pl.col(name) for name in points)).min())
    )
    band = (
        pl.when(pl.col("miles") < NEAR)
        .then(pl.lit(DISTANCES[0]))
        .when(pl.col("miles") <= FAR)
        .then(pl.lit(DISTANCES[1]))
        .when(pl.col("miles").is_not_null())
        .then(pl.lit(DISTANCES[2]))
        .otherwise(pl.lit(DISTANCES[3]))
    )
    placed = by_place.rename({"one": "place"}).join(nearest, on="place", how="left").with_columns(one=band)
    return placed.group_by("one", "other").agg(pl.col("n").sum())
