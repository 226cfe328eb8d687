"""The homes of one part of the county: kind, tenure, energy, steps, drawn from the Census shares of each area."""

from dataclasses import dataclass

import numpy as np
import polars as pl

Array = np.ndarray

TENURES = ("owner_occupied", "social_rented", "private_rented", "shared_ownership")
OWNED, SOCIAL, PRIVATE, SHARED = range(4)
KINDS = ("house", "bungalow", "flat", "maisonette", "park_home", "sheltered", "extra_care", "care_home")
HOUSE, BUNGALOW, FLAT, MAISONETTE, PARK_HOME, SHELTERED, EXTRA_CARE, CARE_HOME = range(8)
FUELS = ("mains_gas", "electricity", "oil", "lpg", "solid_fuel", "heat_network")
EPC_LETTERS = ("A", "B", "C", "D", "E", "F", "G")
FIRST_COLD = 4  # E, F and G
# One care home for about so many people aged 65+; about 2.2 in 100 of them live in one.
PEOPLE_A_CARE_HOME = 1_000


@dataclass(frozen=True)
class Dwellings:
    """Homes as arrays, one entry a home; `epc` is the true rating (0 = A), whether or not anybody inspected it."""

    place: Array
    tenure: Array
    kind: Array
    floor: Array
    epc: Array
    fuel: Array
    is_step_free: Array

    def __len__(self) -> int:
        return len(self.place)

    @property
    def is_care_home(self) -> Array:
        """Which homes are care homes."""
        return np.asarray(self.kind == CARE_HOME)

    @property
    def is_cold(self) -> Array:
        """Which homes rate E, F or G."""
        return np.asarray(self.epc >= FIRST_COLD)


def draw_dwellings(places: pl.DataFrame, place: Array, *, age: Array, rng: np.random.Generator) -> Dwellings:
    """Draw ordinary homes, one for each entry of `place`; `age` is that of the older person who lives there."""
    n = len(place)
    tenure = _draw_tenure(places, place, rng=rng)
    kind = _draw_kind(places, place, tenure=tenure, age=age, rng=rng)
    is_rural = (places["urban_rural"] == "Rural").to_numpy()[place]
    fuel = _draw_fuel(is_rural, rng=rng)
    in_flat = np.isin(kind, (FLAT, MAISONETTE, SHELTERED, EXTRA_CARE))
    floor = np.where(in_flat, rng.integers(0, 4, n), 0)
    return Dwellings(
        place=place,
        tenure=tenure,
        kind=kind,
        floor=floor,
        epc=_draw_epc(tenure, kind, fuel, is_rural=is_rural, rng=rng),
        fuel=fuel,
        is_step_free=rng.random(n) < np.where(np.isin(kind, (SHELTERED, EXTRA_CARE)), 0.8, 0.22),
    )


def draw_care_homes(places: pl.DataFrame, *, rng: np.random.Generator) -> Dwellings:
    """Draw the care homes of a part of the county: at least one, spread by the number of older people."""
    people = places["n_people"].to_numpy()
    n = max(1, round(people.sum() / PEOPLE_A_CARE_HOME))
    place = np.searchsorted(np.cumsum(people), (np.arange(n) + 0.5) * people.sum() / n)
    return Dwellings(
        place=place,
        tenure=np.full(n, PRIVATE),
        kind=np.full(n, CARE_HOME),
        floor=np.zeros(n, dtype=int),
        epc=rng.integers(1, 5, n),
        fuel=np.zeros(n, dtype=int),
        is_step_free=np.full(n, True),
    )


def join(*parts: Dwellings) -> Dwellings:
    """Put homes behind one another."""
    names = ("place", "tenure", "kind", "floor", "epc", "fuel", "is_step_free")
    return Dwellings(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def pick(weights: Array, *, rng: np.random.Generator) -> Array:
    """Draw one column for each row of a table of weights."""
    sums = np.cumsum(weights, axis=1)
    drawn = rng.random(len(weights))[:, None] * sums[:, -1:]
    return np.asarray((sums < drawn).sum(axis=1))


def _draw_tenure(places: pl.DataFrame, place: Array, *, rng: np.random.Generator) -> Array:
    # Census shares are of all households; older people own outright about twice as often and rarely have a mortgage.
    shares = places.select(
        pl.col("own_outright") * 1.9 + pl.col("own_mortgage_shared") * 0.3,
        pl.col("social_rent") * 0.95,
        pl.col("private_rent") * 0.4,
        pl.col("own_mortgage_shared") * 0.02,
    )
    return pick(shares.to_numpy()[place], rng=rng)


def _draw_kind(places: pl.DataFrame, place: Array, *, tenure: Array, age: Array, rng: np.random.Generator) -> Array:
    shares = places.select("detached", "semi", "terraced", "flat", "caravan").to_numpy()[place]
    built = pick(shares + 1e-9, rng=rng)
    kind = np.choose(built, (HOUSE, HOUSE, HOUSE, FLAT, PARK_HOME))
    chance = rng.random(len(place))
    kind = np.where((kind == HOUSE) & (chance < 0.12 + 0.008 * np.clip(age - 65, 0, 30)), BUNGALOW, kind)
    kind = np.where((kind == FLAT) & (chance < 0.12), MAISONETTE, kind)
    chance = rng.random(len(place))
    is_social, later = tenure == SOCIAL, np.clip(age - 65, 0, 30)
    kind = np.where(is_social & (chance < 0.12 + 0.012 * later), SHELTERED, kind)
    kind = np.where((tenure == OWNED) & (chance < 0.006 + 0.002 * later), SHELTERED, kind)
    return np.where(chance > 0.998 - 0.0012 * later, EXTRA_CARE, kind)


def _draw_fuel(is_rural: Array, *, rng: np.random.Generator) -> Array:
    town, country = (0.84, 0.11, 0.01, 0.01, 0.01, 0.02), (0.36, 0.17, 0.34, 0.07, 0.06, 0.0)
    return pick(np.where(is_rural[:, None], country, town), rng=rng)


def _draw_epc(tenure: Array, kind: Array, fuel: Array, *, is_rural: Array, rng: np.random.Generator) -> Array:
    level = 2.72 + 0.35 * is_rural - 0.75 * (tenure == SOCIAL) + 0.2 * (tenure == PRIVATE)
    level = (
        level + 0.45 * np.isin(fuel, (2, 4)) + 0.35 * (fuel == 1) - 0.4 * np.isin(kind, (FLAT, SHELTERED, EXTRA_CARE))
    )
    return np.asarray(np.clip(np.rint(level + rng.normal(0, 0.95, len(tenure))), 0, 6).astype(int))
