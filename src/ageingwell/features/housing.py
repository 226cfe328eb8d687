"""Features from housing: what kind of home it is, what happened to it, and to the people while they lived there."""

from collections.abc import Mapping

import polars as pl

from ageingwell.features.feature import (
    About,
    Dated,
    Direction,
    Feature,
    Seen,
    Shown,
    Value,
    any_of,
    is_any,
    n_days,
)
from ageingwell.register import Recipient

HOME_READERS: tuple[Recipient, ...] = ("group", "gp", "social_care", "housing", "fire", "safeguarding")
EPC_RANKS = {rating: rank for rank, rating in enumerate("abcdefg", start=1)}
WITHOUT_STAIRS = ("bungalow", "flat", "sheltered", "extra_care", "park_home", "care_home")
WITH_STAIRS = ("house", "maisonette")
OFF_GAS = ("electricity", "oil", "lpg", "solid_fuel", "heat_network", "other")  # every known fuel but mains gas
_UPSTAIRS = ("flat", "maisonette", "sheltered", "extra_care")  # kinds of home that can be above the ground floor


def _home(
    name: str,
    value: Value,
    direction: Direction,
    present: str | None,
    absent: str | None,
    *,
    shown_as: Shown = "yes_no",
    present_from: float = 0.5,
    can_change: bool = False,
    about: About = "home",
) -> Feature:
    """A fact of the home, or of who lives there; where nothing is known of the home, it is unknown."""
    return Feature(
        name=name,
        theme="home",
        source="home_facts",
        value=value,
        direction=direction,
        present=present,
        absent=absent,
        without_rows=None,
        shown_as=shown_as,
        present_from=present_from,
        can_change=can_change,
        readers=HOME_READERS,
        about=about,
    )


def _is(column: str, *labels: str) -> Value:
    return lambda _: pl.col(column).is_in(labels).cast(pl.Int64).max()


def _mapped(column: str, numbers: Mapping[str, int]) -> Value:
    return lambda _: pl.col(column).replace_strict(dict(numbers), default=None, return_dtype=pl.Int64).max()


def _kind(yes: tuple[str, ...], no: tuple[str, ...]) -> pl.Expr:
    """Whether the kind of home is one of some; a home of another kind tells nothing."""
    codes = dict.fromkeys(no, False) | dict.fromkeys(yes, True)
    return pl.col("property_type").replace_strict(codes, default=None, return_dtype=pl.Boolean)


def _is_flat_above_ground(_: Seen) -> pl.Expr:
    flat = _kind(_UPSTAIRS, ("house", "bungalow", "park_home"))
    return (flat & (pl.col("lowest_floor") > 0)).cast(pl.Int64).max()


def _told_since_they_came(_: Seen) -> pl.Expr:
    return pl.col("lived_here_from") <= pl.col("single_adult_told_on")


def _discount_says_alone(seen: Seen) -> pl.Expr:
    """What the council tax discount for one adult says of who lived there on the day it was told.

    A discount at a home where several adults are registered tells nothing: whoever is severely mentally impaired, a
    carer or a student does not count for the tax (Local Government Finance Act 1992, schedule 1), and a partner with
    dementia is just that. Without a discount nobody is known to live alone, and some who do never asked for one.
    """
    discount = pl.col("single_adult_discount")
    is_one = (discount == "yes") & (pl.col("n_adults") == 1)
    says = pl.when(is_one).then(1).when(discount == "no").then(0)
    return pl.when(_told_since_they_came(seen)).then(says).max()


HOMES: tuple[Feature, ...] = (
    _home("is_social_rented", _is("tenure", "social_rented"), "either", "a social landlord's home", None),
    _home("is_private_rented", _is("tenure", "private_rented"), "either", "a privately rented home", None),
    _home(
        "is_flat_above_ground", _is_flat_above_ground, "either", "a flat above the ground floor", "not an upstairs flat"
    ),
    _home("is_bungalow", _is("property_type", "bungalow"), "either", "a bungalow", None),
    _home(
        "is_sheltered", _is("property_type", "sheltered", "extra_care"), "either", "sheltered or extra-care home", None
    ),
    _home(
        "epc_rank",
        _mapped("epc_rating", EPC_RANKS),
        "up",
        "a home that is hard to keep warm (energy rating E, F or G)",
        "a home that is easy to keep warm (energy rating A to D)",
        shown_as="level",
        present_from=EPC_RANKS["e"],
        can_change=True,
    ),
    _home(
        "is_off_gas",
        _is("main_fuel", *OFF_GAS),
        "either",
        "a home not heated by mains gas",
        "a home heated by mains gas",
    ),
    _home(
        "has_stairs",
        lambda _: _kind(WITH_STAIRS, WITHOUT_STAIRS).cast(pl.Int64).max(),
        "either",
        "a home with stairs inside",
        "a home without stairs inside",
    ),
    _home(
        "is_step_free",
        _mapped("step_free_access", {"yes": 1, "no": 0}),
        "either",
        "a home that can be entered without a step",
        "a home with a step at the door",
        can_change=True,
    ),
    _home(
        "n_occupants",
        lambda _: pl.col("occupants").max(),
        "either",
        "{value} people in the home",
        None,
        shown_as="count",
    ),
    _home(
        "discount_says_alone",
        Dated(_discount_says_alone, _told_since_they_came, "single_adult_told_on"),
        "either",
        "a council tax discount for one adult",
        None,
        about="person",
    ),
)


def _event(
    name: str,
    value: Value,
    direction: Direction,
    present: str,
    absent: str,
    *,
    one: str | None = None,
    days: int | None = None,
    shown_as: Shown = "yes_no",
    source: str = "housing_events",
    without_rows: float | None = 0.0,
    about: About = "home",
) -> Feature:
    return Feature(
        name=name,
        theme="home",
        source=source,
        value=value,
        direction=direction,
        present=present,
        absent=absent,
        one=one,
        lookback_days=days,
        without_rows=without_rows,
        shown_as=shown_as,
        can_change=True,
        readers=HOME_READERS,
        about=about,
    )


def _type(*types: str) -> Value:
    return lambda _: pl.col("event_type").is_in(types)


def _waiting(_: Seen) -> pl.Expr:
    return pl.col("is_waiting")


def _days_waiting(seen: Seen) -> pl.Expr:
    """Days since the first that still waits was asked for; 0 where none waits, missing where that is not known."""
    since = seen.days_since(pl.when("is_waiting").then("asked_on").min())
    return pl.when(is_any(pl.col("is_waiting")) == 0).then(0).otherwise(since)


EVENTS: tuple[Feature, ...] = (
    _event(
        "n_hazards_1095d",
        n_days(_type("hazard_found"), day="happened_on", days=1095),
        "up",
        "{value} hazards found in the home in the past three years",
        "no hazard found in the home in the past three years",
        one="1 hazard found in the home in the past three years",
        days=1095,
        shown_as="count",
    ),
    _event(
        "has_category_1_hazard",
        any_of(
            lambda _: (pl.col("event_type") == "hazard_found") & (pl.col("category") == 1), day="happened_on", days=1095
        ),
        "up",
        "a serious (category 1) hazard found in the home in the past three years",
        "no serious hazard found in the home in the past three years",
        days=1095,
    ),
    _event(
        "has_adaptation_completed_1095d",
        any_of(_type("adaptation_completed"), day="happened_on", days=1095),
        "either",
        "an adaptation completed in the past three years",
        "no adaptation completed in the past three years",
        days=1095,
    ),
    _event(
        "n_repairs_365d",
        n_days(_type("repair_requested"), day="happened_on", days=365),
        "either",
        "{value} repairs requested in the past year",
        "no repair requested in the past year",
        one="1 repair requested in the past year",
        days=365,
        shown_as="count",
    ),
    _event(
        "has_arrears_365d",
        any_of(_type("arrears_letter"), day="happened_on", days=365),
        "up",
        "a letter about rent arrears in the past year",
        "no letter about rent arrears in the past year",
        days=365,
        about="person",
    ),
    # Asked for by the people who lived there then: what an earlier occupier asked for may suit nobody now.
    _event(
        "has_adaptation_waiting",
        Dated(lambda _: is_any(pl.col("is_waiting")), _waiting, "asked_on"),
        "up",
        "an adaptation asked for and not yet done",
        "no adaptation waiting",
        source="adaptations",
        about="person",
    ),
    _event(
        "days_adaptation_waiting",
        Dated(_days_waiting, _waiting, "asked_on"),
        "up",
        "waiting {value} days for an adaptation",
        "no adaptation waiting",
        source="adaptations",
        shown_as="days",
        about="person",
    ),
)
