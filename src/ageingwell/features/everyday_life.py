"""Features of the person and the household: age, place, who lives there, who knows them; and counts of the others."""

import polars as pl

from ageingwell.features.feature import EVERY_CARE_AGENCY, Dated, Direction, Feature, Seen, Shown, Value
from ageingwell.features.gp import DEFICITS, MANY_MEDICINES, N_DEFICITS


def _person(
    name: str,
    value: Value,
    direction: Direction,
    present: str | None,
    absent: str | None = None,
    *,
    one: str | None = None,
    shown_as: Shown = "count",
    can_change: bool = False,
    source: str = "spine",
    without_rows: float | None = None,
    lookback_days: int | None = None,
    most: tuple[float, str] | None = None,
) -> Feature:
    return Feature(
        name=name,
        theme="everyday_life",
        source=source,
        value=value,
        direction=direction,
        present=present,
        absent=absent,
        one=one,
        lookback_days=lookback_days,
        without_rows=without_rows,
        shown_as=shown_as,
        can_change=can_change,
        most=most,
    )


def _column(name: str) -> Value:
    return lambda _: pl.col(name).max()


def _is_female(_: Seen) -> pl.Expr:
    return pl.col("sex").replace_strict({"female": 1, "male": 0}, default=None, return_dtype=pl.Int64).max()


def _years_since(day: str) -> Dated:
    return Dated(lambda seen: seen.days_since(pl.col(day).max()) // 365, lambda _: pl.col(day).is_not_null(), day)


def _not_known_to(agency: str) -> Value:
    """1 where the agency's records came and do not know the person; missing where they could not be looked in."""
    known, untold = (pl.col(column).list.contains(agency) for column in ("known_to", "not_told_by"))
    return lambda _: pl.when(known).then(0).when(~untold).then(1).max()


def _n_known_agencies(_: Seen) -> pl.Expr:
    """How many services know the person; missing where the records of one could not be looked in."""
    every_one_told = pl.col("not_told_by").list.len() == 0
    return pl.when(every_one_told).then(pl.col("known_to").list.len()).max()


SPINE: tuple[Feature, ...] = (
    # A single oldest person is the easiest to single out: one wording from 90 on.
    _person("age", _column("age"), "up", "aged {value}", shown_as="years", most=(90, "aged 90 or over")),
    # Sex takes part in the risk and is never given as a reason.
    _person("is_female", _is_female, "either", None),
    _person("deprivation_decile", _column("deprivation_decile"), "down", None, shown_as="level"),
    _person("is_rural", lambda _: pl.col("is_rural").cast(pl.Int64).max(), "either", None),
    _person("years_registered", _years_since("registered_on"), "either", None, shown_as="years"),
    _person(
        "years_at_home",
        _years_since("lived_here_from"),
        "either",
        "moved to this home {value} years ago",
        shown_as="years",
    ),
    _person(
        "n_household_65plus",
        _column("n_household_65plus"),
        "either",
        "{value} people aged 65 and over in the home",
        one="no other person aged 65 and over in the home",
    ),
    _person(
        "n_household_under_65",
        _column("n_household_under_65"),
        "either",
        "{value} people under 65 in the home",
        "no one under 65 in the home",
        one="1 person under 65 in the home",
    ),
    _person(
        "oldest_in_household",
        lambda _: (pl.col("is_oldest") & (pl.col("n_household_members") > 1)).cast(pl.Int64).max(),
        "either",
        None,
        shown_as="yes_no",
    ),
    _person(
        "n_known_agencies",
        _n_known_agencies,
        "either",
        "known to {value} services besides the GP",
        "known to no service besides the GP",
        one="known to 1 service besides the GP",
    ),
    _person(
        "is_unknown_to_social_care",
        _not_known_to("social_care"),
        "either",
        None,
        shown_as="yes_no",
    ),
    _person("is_unknown_to_housing", _not_known_to("housing"), "either", None, shown_as="yes_no"),
    _person("is_unknown_to_fire", _not_known_to("fire"), "either", None, shown_as="yes_no"),
)


def _died_here(seen: Seen) -> pl.Expr:
    return seen.within("died_on", 730) & (pl.col("lived_here_from") <= pl.col("died_on"))


DEATHS: tuple[Feature, ...] = (
    _person(
        "is_bereaved_730d",
        Dated(lambda seen: _died_here(seen).any().cast(pl.Int64), _died_here, "died_on"),
        "up",
        "someone in the home died in the past two years",
        "no death in the home in the past two years",
        source="household_deaths",
        without_rows=0.0,
        lookback_days=730,
        shown_as="yes_no",
    ),
)

# How far each source moves the odds that somebody lives alone. Assumed values, to be checked locally against a survey:
# a register of one overstates it (ghost registrations, students), an answer at the door is the best evidence.
REGISTERED_ALONE_ODDS = 3.0
REGISTERED_TOGETHER_ODDS = 0.08
OCCUPANTS_ONE_RATIO = 5.0
OCCUPANTS_MORE_RATIO = 0.2
VISIT_SAYS_RATIO = 8.0
# A discount is checked by the council every few years; some who live alone never asked for one.
DISCOUNT_RATIO = 4.0
NO_DISCOUNT_RATIO = 0.5


def _lives_alone(_: Seen) -> pl.Expr:
    """The probability that the person lives alone.

    From the register, the home's occupants, the council tax discount for one adult and the newest visit. What of the
    discount contradicts the register is no part of it: `discount_says_alone` is then unknown.
    """
    alone = pl.col("_n_members") == 1
    odds = pl.when(alone).then(REGISTERED_ALONE_ODDS).when(~alone).then(REGISTERED_TOGETHER_ODDS)
    one = pl.when(pl.col("n_occupants") == 1).then(OCCUPANTS_ONE_RATIO)
    occupants = one.when(pl.col("n_occupants") > 1).then(OCCUPANTS_MORE_RATIO).otherwise(1.0)
    says_alone = pl.when(pl.col("visit_says_alone") == 1).then(VISIT_SAYS_RATIO)
    visit = says_alone.when(pl.col("visit_says_alone") == 0).then(1 / VISIT_SAYS_RATIO).otherwise(1.0)
    has_discount = pl.when(pl.col("discount_says_alone") == 1).then(DISCOUNT_RATIO)
    discount = has_discount.when(pl.col("discount_says_alone") == 0).then(NO_DISCOUNT_RATIO).otherwise(1.0)
    together = odds * occupants * discount * visit
    return together / (1 + together)


def _many_medicines(_: Seen) -> pl.Expr:
    return (pl.col("n_medicines_90d") >= MANY_MEDICINES).cast(pl.Float64)


def _n_deficits(_: Seen) -> pl.Expr:
    # Without GP entries nothing is known of 35 of them, and a sum over nothing would be a healthy 0; nor is none known
    # where the 36th is not.
    coded = pl.sum_horizontal([f"has_{name}" for name in DEFICITS], ignore_nulls=False)
    polypharmacy = pl.col("has_polypharmacy")
    return pl.when((coded > 0) | polypharmacy.is_not_null()).then(coded + polypharmacy.fill_null(0))


DERIVED: tuple[Feature, ...] = (
    Feature(
        name="has_polypharmacy",
        theme="health",
        source="derived",
        value=_many_medicines,
        direction="up",
        present="five or more medicines in the past three months",
        absent="fewer than five medicines in the past three months",
        shown_as="yes_no",
        can_change=True,
        readers=EVERY_CARE_AGENCY,
    ),
    Feature(
        name="n_deficits",
        theme="health",
        source="derived",
        value=_n_deficits,
        direction="up",
        present="{value} of the 36 frailty signs",
        absent="none of the 36 frailty signs",
        one="1 of the 36 frailty signs",
        readers=EVERY_CARE_AGENCY,
    ),
    Feature(
        name="frailty_index",
        theme="health",
        source="derived",
        value=lambda _: pl.col("n_deficits") / N_DEFICITS,
        direction="up",
        shown_as="share",
        readers=EVERY_CARE_AGENCY,
    ),
    _person(
        "lives_alone_probability",
        _lives_alone,
        "either",
        "probably lives alone",
        "probably does not live alone",
        source="derived",
        shown_as="share",
    ),
)
