"""What is asked for → the services that could be offered: terms, who they are for, how far, room, last checked.

An ask holds nothing but what its reader sees: terms, a place, an age as a band. Two people with the same ask are
offered the same services, so an offer can tell a reader nothing that the reader does not already see.
"""

from datetime import date, timedelta

import polars as pl

from ageingwell.config.services import ServicesSettings
from ageingwell.services.distance import miles_between

ASKS = pl.Schema(
    {
        "ask_id": pl.Int64(),
        "terms": pl.List(pl.String),
        "place": pl.String(),
        "age_from": pl.Int64(),
        "age_to": pl.Int64(),
    }
)
# Names of areas that hold for everybody.
EVERYWHERE = ("england", "united kingdom", "uk", "great britain", "national")
_ROOM_ORDER = {"yes": 0, "unknown": 1, "no": 2}


def match_services(
    asks: pl.DataFrame,
    *,
    services: pl.DataFrame,
    positions: pl.DataFrame,
    settings: ServicesSettings,
    on: date,
    youngest: int = 65,
) -> pl.DataFrame:
    """Find the services that answer each ask: at most `offers_a_need`, best first, in an order that never varies.

    `asks`: ask_id, terms (folded), place, age_from and age_to (a band; empty: the age is not told). `services` is one
    row a service and location (contract: `Offerable`), `positions` as `read_positions` gives it; everybody has reached
    the age `youngest`. First come services whose eligibility is surely met, then by whole miles, room, how fresh the
    details are, name. A service is offered at its nearest location alone, and not beyond `reach_miles`.

    Gives ask_id, position (from 1), miles (empty: it comes to people), is_checked (eligibility met for certain),
    is_out_of_date and the columns of `services`.
    """
    located = asks.join(positions, on="place", how="left", maintain_order="left").rename(
        {"latitude": "from_latitude", "longitude": "from_longitude"}
    )
    pairs = (
        located.explode("terms", empty_as_null=False)
        .join(services.explode("terms", empty_as_null=False).with_columns(term="terms"), on="terms")
        .unique(["ask_id", "service_id", "location_id"], keep="first")
        .drop("terms", "term")
    )
    candidates = _eligible(pairs, positions, youngest=youngest).with_columns(
        miles_between(*(pl.col(name) for name in ("from_latitude", "from_longitude", "latitude", "longitude")))
    )
    within = candidates.filter(
        pl.col("location_id").is_null() | (pl.col("miles") <= settings.reach_miles).fill_null(value=False)
    )
    fresh_from = on - timedelta(days=settings.stale_after_days)
    ordered = within.with_columns(
        is_out_of_date=(pl.col("checked_on") < fresh_from).fill_null(value=True),
        _miles=pl.col("miles").round().fill_null(0),
        _room=pl.col("room").replace_strict(_ROOM_ORDER, return_dtype=pl.Int64),
    ).sort(
        "ask_id",
        ~pl.col("is_checked"),
        "_miles",
        "_room",
        "checked_on",
        "name",
        "service_id",
        "miles",
        "location_id",
        descending=[False, False, False, False, True, False, False, False, False],
        nulls_last=True,
    )
    nearest = ordered.unique(["ask_id", "service_id"], keep="first", maintain_order=True)
    return (
        nearest.with_columns(position=pl.int_range(1, pl.len() + 1).over("ask_id"))
        .filter(pl.col("position") <= settings.offers_a_need)
        .drop("_miles", "_room", "from_latitude", "from_longitude", "district", "place", "age_from", "age_to")
    )


def _eligible(pairs: pl.DataFrame, positions: pl.DataFrame, *, youngest: int) -> pl.DataFrame:
    """Keep those who may be served; `is_checked` where age and place are met for certain, not only perhaps."""
    low, high = pl.col("minimum_age").fill_null(0), pl.col("maximum_age").fill_null(999)
    known = pl.col("age_from").is_not_null()
    age_never = known & ((pl.col("age_to") < low) | (pl.col("age_from") > high))
    # Without an age, a limit below the age everybody here has reached is met; any other has to be asked about.
    age_surely = (known & (pl.col("age_from") >= low) & (pl.col("age_to") <= high)) | (
        ~known & (low <= youngest) & pl.col("maximum_age").is_null()
    )
    understood = {name.lower() for name in EVERYWHERE} | {
        str(name).lower() for name in [*positions["place"], *positions["district"].drop_nulls()]
    }
    areas = pl.col("areas").list.eval(pl.element().str.to_lowercase().str.strip_chars())
    anywhere = areas.list.len() == 0
    here = areas.list.contains(pl.col("place").str.to_lowercase()) | areas.list.contains(
        pl.col("district").str.to_lowercase()
    )
    everywhere = areas.list.set_intersection(list(EVERYWHERE)).list.len() > 0
    place_surely = anywhere & pl.col("location_id").is_not_null() | here.fill_null(value=False) | everywhere
    all_understood = areas.list.set_difference(sorted(understood)).list.len() == 0
    place_never = ~anywhere & all_understood & ~place_surely
    return pairs.with_columns(is_checked=age_surely & place_surely).filter(~age_never & ~place_never)
