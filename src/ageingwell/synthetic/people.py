"""The households of one part of the county on the first day of its history, as plain arrays.

A household is drawn around one older person: couples, people alone, people with grown-up children or a brother or
sister, three generations, and residents of care homes. Ages are drawn so that, once six years of deaths and moves
have passed, the living have the ages the area really has.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from ageingwell.synthetic.places import AGE_BANDS

Array = np.ndarray
YEAR = 365.25
FEMALE = 1

# Share living as a couple by age and sex, and share in a care home by age: Census 2021 as remembered, smoothed; the
# written county's own shares are printed by `check_rates`.
COUPLE_AGES = (55, 65, 72, 79, 86, 93, 100)
COUPLE_MEN = (0.80, 0.79, 0.76, 0.71, 0.58, 0.40, 0.20)
COUPLE_WOMEN = (0.77, 0.72, 0.63, 0.47, 0.25, 0.08, 0.02)
CARE_HOME_AGES = (60, 70, 77, 82, 87, 92, 98)
CARE_HOME_SHARES = (0.001, 0.004, 0.012, 0.028, 0.07, 0.16, 0.26)
WOMEN_AGES = (58, 68, 75, 82, 88, 94, 102)
WOMEN_SHARES = (0.505, 0.51, 0.52, 0.545, 0.59, 0.66, 0.76)
ETHNIC_GROUPS = ("white", "asian", "black", "mixed", "other", "unknown")
ETHNIC_SHARES = (0.953, 0.012, 0.004, 0.006, 0.005, 0.020)
# Death rates used only to choose starting ages: about 1.35 % at 70, doubling every six years.
RATE_AT_70, RATE_SLOPE = 0.0130, 0.112
# The frail die first: how much less frail the survivors are for each unit of the hazard they have come through.
SELECTION = 0.4

_CELL = 0.25
_AGES = np.arange(65.0, 109.0, _CELL)


@dataclass(frozen=True)
class People:
    """The people of one part of the county; every array has one entry a person, days count from `as_of` (day 0).

    `unit` is the household the person began in, `partner` the row of the person's partner or -1.
    """

    unit: Array
    place: Array
    born: Array
    is_female: Array
    is_older: Array
    partner: Array
    ethnic: Array
    began_in_care_home: Array
    arrived: Array
    frailty: Array
    n_units: int
    unit_place: Array

    def __len__(self) -> int:
        return len(self.unit)

    def age(self, day: int) -> Array:
        """Age in years on a day."""
        return (day - self.born) / YEAR


def draw_people(places: pl.DataFrame, *, n_units: Array, as_of: int, span: int, rng: np.random.Generator) -> People:
    """Draw households for each place; `as_of` is the day's number since 1970, `span` the days of history."""
    place = np.repeat(np.arange(len(places)), n_units)
    years = span / YEAR
    ages = _draw_ages(places, place, years=years, rng=rng)
    is_female = rng.random(len(place)) < np.interp(ages, WOMEN_AGES, WOMEN_SHARES)
    is_home = rng.random(len(place)) < np.interp(ages - years, CARE_HOME_AGES, CARE_HOME_SHARES)
    p_couple = np.where(
        is_female,
        np.interp(ages - years, COUPLE_AGES, COUPLE_WOMEN),
        np.interp(ages - years, COUPLE_AGES, COUPLE_MEN),
    )
    is_couple = ~is_home & (rng.random(len(place)) < p_couple)
    partner_ages = ages + np.where(is_female, 2.4, -2.4) + rng.normal(0, 4.2, len(place))
    # A couple of two older people is met through either of them, so each meeting counts half.
    kept = ~(is_couple & (partner_ages >= 65)) | (rng.random(len(place)) < 0.5)
    heads = _Heads(*(column[kept] for column in (place, ages, is_female, is_home, is_couple, partner_ages)))
    return _gather(heads, as_of=as_of, span=span, rng=rng)


def _draw_ages(places: pl.DataFrame, place: Array, *, years: float, rng: np.random.Generator) -> Array:
    """Ages on `as_of`, of the living and of those who will have died by then."""
    band = np.minimum((_AGES - 65) // 5, 5).astype(int)
    inside = np.where(_AGES < 90, 1.0, np.exp(-(_rate(_AGES) - _rate(np.array(90.0))) / RATE_SLOPE))
    inside /= np.bincount(band, weights=inside)[band]
    survive = np.exp(-(_rate(_AGES) - _rate(_AGES - years)) / RATE_SLOPE)
    weights = places.select(AGE_BANDS).to_numpy()[:, band] * inside / survive
    sums = np.cumsum(weights, axis=1)
    sums = sums / sums[:, -1:] + np.arange(len(places))[:, None]
    cell = np.searchsorted(sums.ravel(), place + rng.random(len(place))) - place * len(_AGES)
    return np.asarray(_AGES[np.clip(cell, 0, len(_AGES) - 1)] + rng.random(len(place)) * _CELL)


def _rate(age: Array) -> Array:
    return RATE_AT_70 * np.exp(RATE_SLOPE * (age - 70))


@dataclass(frozen=True)
class _Heads:
    place: Array
    ages: Array
    is_female: Array
    is_home: Array
    is_couple: Array
    partner_ages: Array


def _gather(heads: _Heads, *, as_of: int, span: int, rng: np.random.Generator) -> People:
    """Put households around the people they were drawn for."""
    place, ages, is_female, is_home, is_couple, partner_ages = vars(heads).values()
    n = len(place)
    units = np.arange(n)
    kind = rng.random(n)
    with_child = ~is_home & np.where(is_couple, kind > 0.87, kind > 0.83)
    with_older = ~is_home & ~is_couple & (kind > 0.79) & (kind <= 0.83)
    three_generations = with_child & (kind > 0.97)
    child_ages = np.clip(ages - rng.normal(29, 5, n), 18, 63)
    groups = [
        (units, ages, is_female, 0),
        (units[is_couple], partner_ages[is_couple], is_female[is_couple] ^ (rng.random(is_couple.sum()) > 0.015), 1),
        (units[with_older], (ages + rng.normal(0, 5, n))[with_older], rng.random(with_older.sum()) < 0.6, 2),
        (units[with_child], child_ages[with_child], rng.random(with_child.sum()) < 0.42, 3),
        (units[three_generations], child_ages[three_generations] + 1, rng.random(three_generations.sum()) < 0.5, 4),
        (
            units[three_generations],
            rng.uniform(1, 20, three_generations.sum()),
            rng.random(three_generations.sum()) < 0.5,
            5,
        ),
    ]
    unit = np.concatenate([group[0] for group in groups])
    role = np.concatenate([np.full(len(group[0]), group[3]) for group in groups])
    order = np.lexsort((role, unit))
    unit, role = unit[order], role[order]
    age = np.concatenate([group[1] for group in groups])[order]
    female = np.concatenate([group[2] for group in groups])[order]
    born = -np.ceil(age * YEAR).astype(np.int32)
    arrived = np.where(~is_home & (rng.random(n) < 0.02 * span / YEAR), rng.integers(-span, -90, n), -span - 1)
    return People(
        unit=unit,
        place=place[unit],
        born=born,
        is_female=female,
        is_older=is_65(born, as_of=as_of),
        partner=_partners(unit, role),
        ethnic=rng.choice(len(ETHNIC_GROUPS), size=n, p=ETHNIC_SHARES)[unit],
        began_in_care_home=is_home[unit],
        arrived=arrived.astype(np.int32)[unit],
        frailty=rng.normal(size=len(unit)) - SELECTION * _rate(np.maximum(age - span / YEAR, 0)) / RATE_SLOPE,
        n_units=n,
        unit_place=place,
    )


def is_65(born: Array, *, as_of: int) -> Array:
    """Whether people are 65 or older on `as_of`, counting from the first of their month of birth as the tables do."""
    today = np.datetime64(as_of, "D")
    month = (born + as_of).astype("datetime64[D]").astype("datetime64[M]")
    day_in_month = (today - today.astype("datetime64[M]")).astype(int)
    limit = (today.astype("datetime64[M]") - np.timedelta64(65 * 12, "M")).astype("datetime64[D]") + day_in_month
    return np.asarray(month.astype("datetime64[D]") <= limit)


def _partners(unit: Array, role: Array) -> Array:
    """The row of each person's partner: rows are sorted by household and role, so a partner follows the head."""
    partner = np.full(len(unit), -1, dtype=np.int64)
    second = np.flatnonzero(role == 1)
    partner[second] = second - 1
    partner[second - 1] = second
    return partner
