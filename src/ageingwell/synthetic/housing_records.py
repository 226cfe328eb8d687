"""What housing would send: energy certificates, landlords' and council-tax records, repairs, hazards, adaptations."""

import numpy as np
import polars as pl

from ageingwell.synthetic.conditions import NEVER
from ageingwell.synthetic.dwellings import (
    CARE_HOME,
    EPC_LETTERS,
    EXTRA_CARE,
    FUELS,
    KINDS,
    OWNED,
    PARK_HOME,
    SHELTERED,
    SOCIAL,
    TENURES,
)
from ageingwell.synthetic.part import Part, letters, matches, sparse

Array = np.ndarray
HAZARDS = (
    "Excess cold",
    "Falling on stairs etc",
    "Falls associated with baths etc",
    "Damp and mould growth",
    "Falling on level surfaces etc",
    "Fire",
    "Electrical hazards",
)
EVENTS = (
    "repair_requested",
    "hazard_found",
    "adaptation_requested",
    "adaptation_approved",
    "adaptation_completed",
    "adaptation_withdrawn",
    "arrears_letter",
    "tenancy_support",
    "disrepair_complaint",
)
REPAIR, HAZARD, ASKED, APPROVED, COMPLETED, WITHDRAWN, ARREARS, SUPPORT, DISREPAIR = range(9)
# No landlord sends anything for a ward with less social housing than this.
FEWEST_SOCIAL = 0.07
REGISTER_BEGAN = 2008 * 365 + 502 - 1970 * 365 - 492 + 15  # about 1 October 2008, days since 1970


def homes(part: Part, *, shown: Array, rng: np.random.Generator) -> pl.DataFrame:
    """One row a home, source and version, for the homes marked in `shown`."""
    frames = [
        _certificates(part, shown, rng=rng),
        _landlords(part, shown, rng=rng),
        _council_tax(part, shown, rng=rng),
        _care_register(part, shown, rng=rng),
    ]
    both = pl.concat(frames)
    matched = both.with_columns(household_match=matches(len(both), rng=rng.spawn(1)[0]))
    return matched.sort("household_id", "source", "recorded_on")


def sends(part: Part) -> Array:
    """Which homes lie where landlords send records: whole wards of private homes send nothing."""
    share = part.places.select(pl.col("social_rent").mean().over("ward")).to_series().to_numpy()
    return np.asarray((share >= FEWEST_SOCIAL)[part.dwellings.place])


def _table(part: Part, home: Array, source: str, recorded: Array, **columns: pl.Series) -> pl.DataFrame:
    empty = pl.Series([None], dtype=pl.String).new_from_index(0, len(home))
    whole, days = empty.cast(pl.Int64), empty.cast(pl.Int32).cast(pl.Date)
    table = {
        "household_id": part.homes(home),
        "source": pl.repeat(source, len(home), eager=True),
        "tenure": empty,
        "property_type": empty,
        "lowest_floor": whole,
        "epc_rating": empty,
        "epc_inspected_on": days,
        "main_fuel": empty,
        "step_free_access": empty,
        "occupants": whole,
        "single_adult_discount": empty,
        "household_match": empty,
        "recorded_on": part.dates(recorded),
    }
    return pl.DataFrame(table | columns)


def _certificates(part: Part, shown: Array, *, rng: np.random.Generator) -> pl.DataFrame:
    """Certificates exist after a sale or letting since 2008: long-settled owners have none."""
    dwellings, n = part.dwellings, len(part.dwellings)
    moved = _lived_since(part)
    is_settled = (dwellings.tenure == OWNED) & (moved + part.as_of < REGISTER_BEGAN)
    chance = np.where(dwellings.tenure == OWNED, np.where(is_settled, 0.2, 0.84), 0.76)
    home = np.flatnonzero(shown & (rng.random(n) < chance))
    sold = (dwellings.tenure == OWNED) & ~is_settled
    at_sale = np.clip(moved - rng.integers(5, 120, n), REGISTER_BEGAN - part.as_of, -90)
    anywhen = rng.integers(REGISTER_BEGAN - part.as_of, -60, n)
    inspected = np.where(sold, at_sale, anywhen)[home]
    measured = np.clip(dwellings.epc[home] + rng.choice((-1, 0, 0, 0, 1), len(home)), 0, 6)
    kind = np.where(np.isin(dwellings.kind, (SHELTERED, EXTRA_CARE)), 2, dwellings.kind)[home]
    kind = np.where(kind == CARE_HOME, 0, kind)
    says_tenure = rng.random(len(home)) < 0.75
    return _table(
        part,
        home,
        "epc",
        inspected + rng.integers(1, 30, len(home)),
        tenure=sparse(letters(TENURES, np.minimum(dwellings.tenure[home], 2)), says_tenure),
        property_type=letters(KINDS, np.where(kind == PARK_HOME, PARK_HOME, kind)),
        lowest_floor=pl.Series(dwellings.floor[home]).cast(pl.Int64),
        epc_rating=letters(EPC_LETTERS, measured),
        epc_inspected_on=part.dates(inspected),
        main_fuel=letters(FUELS, dwellings.fuel[home]),
    )


def _lived_since(part: Part) -> Array:
    """The day the people of each home moved in."""
    since = np.full(len(part.dwellings), part.start - 3000)
    who = np.flatnonzero(part.is_known)
    since[part.history.first_home[who]] = part.moved_in[who]
    day, home = part.house_move
    moved = np.flatnonzero(part.is_known & (day < NEVER))
    since[home[moved]] = day[moved]
    return since


def _landlords(part: Part, shown: Array, *, rng: np.random.Generator) -> pl.DataFrame:
    dwellings, n = part.dwellings, len(part.dwellings)
    let = (dwellings.tenure == SOCIAL) | np.isin(dwellings.kind, (SHELTERED, EXTRA_CARE))
    home = np.flatnonzero(shown & let & sends(part) & (rng.random(n) < 0.96))
    recorded = part.start - 400 + rng.integers(0, 380 - part.start, len(home))
    knows_steps = rng.random(len(home)) < 0.7
    return _table(
        part,
        home,
        "landlord",
        recorded,
        tenure=letters(TENURES, dwellings.tenure[home]),
        property_type=letters(KINDS, dwellings.kind[home]),
        lowest_floor=pl.Series(dwellings.floor[home]).cast(pl.Int64),
        step_free_access=letters(
            ("no", "yes", "unknown"), np.where(knows_steps, dwellings.is_step_free[home].astype(int), 2)
        ),
    )


def _council_tax(part: Part, shown: Array, *, rng: np.random.Generator) -> pl.DataFrame:
    """How many adults the council taxes, told twice: a single-person discount tells who lives alone."""
    frames, discounts = [], rng.spawn(1)[0]
    for place in (0, len(part.history.states) - 2):
        state = part.history.states[place]
        who = np.flatnonzero(part.is_known & state.is_here & ~state.in_care_home & (state.age >= 18))
        home = part.home_on(who, np.full(len(who), state.day))
        count = np.bincount(home, minlength=len(part.dwellings))
        told = np.flatnonzero(shown & (count > 0) & ~part.dwellings.is_care_home & (rng.random(len(count)) < 0.55))
        recorded = state.day + rng.integers(5, 60, len(told))
        # Some who live alone never ask, and some couples have it: a partner with dementia does not count.
        chance = np.where(count[told] == 1, 0.85, np.where(count[told] == 2, 0.08, 0.0))
        has_discount = discounts.random(len(told)) < chance
        frames.append(
            _table(
                part,
                told,
                "council_tax",
                recorded,
                occupants=pl.Series(count[told]).cast(pl.Int64),
                single_adult_discount=letters(("no", "yes"), has_discount.astype(int)),
            )
        )
    return pl.concat(frames)


def _care_register(part: Part, shown: Array, *, rng: np.random.Generator) -> pl.DataFrame:
    home = np.flatnonzero(shown & part.dwellings.is_care_home)
    recorded = part.start - rng.integers(30, 900, len(home))
    kind = pl.repeat("care_home", len(home), eager=True)
    rows = _table(part, home, "care_register", recorded, property_type=kind)
    # Some are told by the Care Quality Commission's directory, others by the council's own register.
    is_cqc = pl.Series(rng.spawn(1)[0].random(len(home)) < 0.5)
    return rows.with_columns(source=pl.when(is_cqc).then(pl.lit("cqc")).otherwise("source"))


def housing_events(part: Part, *, shown: Array, rng: np.random.Generator) -> pl.DataFrame:
    """One row an event. Landlords report on their own homes, the council on adaptations and hazards in all homes."""
    social = shown & (part.dwellings.tenure == SOCIAL) & sends(part)
    found: list[tuple[Array, Array, Array, Array]] = []
    for state in part.history.states:
        who = np.flatnonzero(part.is_known & state.is_here & ~state.in_care_home & (state.age >= 60))
        home = part.home_on(who, np.full(len(who), state.day))
        stiff = np.zeros(len(part.dwellings))
        np.maximum.at(stiff, home, state.mobility[who])
        lived_in = np.zeros(len(part.dwellings), dtype=bool)
        lived_in[home] = shown[home]
        cold = part.dwellings.is_cold
        rates = {
            REPAIR: 1.1 * social,
            ARREARS: 0.06 * social,
            SUPPORT: 0.04 * social,
            DISREPAIR: 0.02 * social,
            HAZARD: 0.006 + 0.02 * social + 0.01 * cold,
        }
        for number, rate in rates.items():
            who_home = np.repeat(np.arange(len(stiff)), rng.poisson(np.where(lived_in, rate, 0)))
            day = state.day + rng.integers(0, 365, len(who_home))
            found.append((who_home, day, np.full(len(day), number), np.full(len(day), -1)))
        found.extend(_adaptations(lived_in & (rng.random(len(stiff)) < 0.012 + 0.03 * stiff), state.day, rng=rng))
    home, day, kind, case = (np.concatenate(column) for column in zip(*found))
    recorded = day + rng.integers(3, 45, len(day)) + np.where(kind == COMPLETED, rng.integers(0, 60, len(day)), 0)
    kept = recorded < 0
    home, day, kind, case, recorded = home[kept], day[kept], kind[kept], case[kept], recorded[kept]
    is_hazard = kind == HAZARD
    case_id = pl.Series("case", case).cast(pl.String).str.replace("^", "case-")
    frame = pl.DataFrame(
        {
            "household_id": part.homes(home),
            "case_id": sparse(case_id, case >= 0),
            "event_type": letters(EVENTS, kind),
            "hazard": sparse(
                letters(HAZARDS, rng.choice(7, len(kind), p=(0.3, 0.18, 0.1, 0.2, 0.1, 0.05, 0.07))), is_hazard
            ),
            "category": pl.Series(np.where(rng.random(len(kind)) < 0.25, 1, 2)).zip_with(
                pl.Series(is_hazard), pl.Series([None], dtype=pl.Int64)
            ),
            "happened_on": part.dates(day),
            "household_match": matches(len(kind), rng=rng.spawn(1)[0]),
            "recorded_on": part.dates(recorded),
        }
    )
    return frame.sort("household_id", "happened_on", "event_type", "recorded_on", "hazard", "category")


def _adaptations(asks: Array, day: int, *, rng: np.random.Generator) -> list[tuple[Array, Array, Array, Array]]:
    """Requests, and what became of them months later; one in five ends with the waiting."""
    home = np.flatnonzero(asks)
    n = len(home)
    asked = day + rng.integers(0, 365, n)
    approved = asked + rng.integers(40, 220, n)
    completed = approved + rng.integers(50, 280, n)
    fate = rng.random(n)
    case = rng.integers(0, 10**9, n)
    steps = [(ASKED, asked, fate >= 0), (APPROVED, approved, fate < 0.75)]
    steps += [(COMPLETED, completed, fate < 0.62), (WITHDRAWN, approved, fate >= 0.9)]
    return [(home[kept], when[kept], np.full(int(kept.sum()), kind), case[kept]) for kind, when, kept in steps]
