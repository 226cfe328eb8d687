"""Pages for commissioners of several quarters of a made-up town, as they are published."""

from random import Random

import polars as pl

from ageingwell.commissioning.community import COLD, COUNTS, GROUPED, KNOWN, NEEDS, STATES, WORK, Community
from ageingwell.commissioning.tallies import KNOWN_BANDS, counts_behind, published


def town(draw: Random, n: int) -> list[dict[str, str]]:
    """People with a place, how many know them, groups and needs, in towns of very different size."""
    needs = tuple(LEADS)
    return [
        {
            "place": draw.choices(("Totnes", "Ludlow", "Clun"), (8, 3, 1))[0],
            "band": draw.choice(KNOWN_BANDS),
            **{of: draw.choices(("a", "b", "c"), (9, 3, 1))[0] for of in GROUPED},
            "state": draw.choices(STATES, (6, 1, 3))[0],
            "need": draw.choices(needs, (9, 4, 2, 1))[0],
            "tenure": draw.choice(("Owned", "Social landlord")),
        }
        for _ in range(n)
    ]


LEADS = {"isolation": "voluntary", "bereaved_and_alone": "voluntary", "cold_home": "housing", "fire_safety": "fire"}


def counts_of(people: list[dict[str, str]]) -> pl.DataFrame:
    """The exact counts of a page (`COUNTS`)."""
    frame = pl.DataFrame(people)
    in_need = frame.filter(pl.col("state") != STATES[0])
    tables = {
        NEEDS: in_need.select(one="place", other="need"),
        KNOWN: frame.select(one="place", other="band"),
        **{of: frame.select(one=of, other="state") for of in GROUPED},
        COLD: in_need.filter(need="cold_home").select(one="tenure", other="band"),
        # Numbers that stand alone, without totals.
        WORK: in_need.head(5).select(one="need", other=pl.lit("visited")),
    }
    return pl.concat(
        rows.group_by("one", "other").agg(n=pl.len().cast(pl.Int64)).select(pl.lit(of).alias("of"), "one", "other", "n")
        for of, rows in tables.items()
    ).cast(COUNTS)


def quarters(draw: Random, *, n_people: int, n_pages: int) -> list[pl.DataFrame]:
    """The pages of some quarters, in each of which one person in twelve changed, as `tallies` publishes them."""
    people = town(draw, n_people)
    pages: list[pl.DataFrame] = []
    nobody = pl.DataFrame(schema=dict.fromkeys(("person_id", "household_id", "need", "lead_agency"), pl.String))
    place = pl.DataFrame(schema={"person_id": pl.String, "place": pl.String, "known_to": pl.List(pl.String)})
    before = None
    for _ in range(n_pages):
        told = Community(
            *(place, nobody, *(pl.DataFrame(),) * 4),
            leads=LEADS,
            before=before,
            counted=counts_of(people),
            earlier=[(str(at), page) for at, page in enumerate(pages)],
        )
        before = counts_behind(told)
        pages.append(published(told, before))
        people = [draw.choice(town(draw, 1)) if draw.random() < 1 / 12 else person for person in people]
    return pages
