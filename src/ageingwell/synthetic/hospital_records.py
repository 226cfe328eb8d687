"""What hospitals would send: emergency and planned stays, emergency-department attendances."""

from collections.abc import Callable

import numpy as np
import polars as pl

from ageingwell.synthetic.conditions import NEVER
from ageingwell.synthetic.part import Part, letters, sparse
from ageingwell.synthetic.state import State

Array = np.ndarray
KINDS = ("emergency_admission", "planned_admission", "ae_attendance")
EMERGENCY, PLANNED, ATTENDANCE = range(3)
# After an injurious fall the main code is a fracture, or the fall itself as external cause.
FALL_CODES = ("S72.0", "S52.5", "S42.2", "S32.5", "S82.8", "S22.4", "W01", "W18", "W19", "W10")
FALL_SHARES = (0.32, 0.12, 0.11, 0.08, 0.05, 0.05, 0.08, 0.09, 0.07, 0.03)
ILL_CODES = (
    "J18.9", "N39.0", "J44.1", "I50.0", "I63.9", "I21.9", "R07.4", "K59.0", "A41.9", "L03.1", "J22", "N17.9", "R55",
    "R10.4", "F05.9", "G45.9",
)  # fmt: skip
ILL_SHARES = (0.14, 0.1, 0.07, 0.06, 0.05, 0.05, 0.08, 0.05, 0.07, 0.05, 0.08, 0.05, 0.04, 0.06, 0.03, 0.02)
# Of so many stays the admission is sent at once, and the stay again when it has ended; some of these on that very day.
SENT_TWICE = 0.3
TOLD_ON_LEAVING = 0.4
# What stands beside the main diagnosis: long-term conditions and circumstances, and after a fall its external cause.
OTHER_CODES = (
    "I10", "I48.9", "E11.9", "J44.9", "N18.3", "I25.9", "F03", "Z60.2", "M81.9", "R26.8", "H91.9", "Z87.8",
)  # fmt: skip
EXTERNAL_CAUSES = ("W01.0", "W06.0", "W10.0", "W18.0", "W19.0")
# Of so many stays after a fall the injury is one that no list has, and the external cause alone tells of the fall.
OTHER_INJURIES = ("S01.0", "S06.0", "S00.8")
FALL_IN_LATER_POSITION = 0.1
OTHERS_TOLD = 0.85
PLANNED_CODES = ("H25.9", "M17.1", "M16.1", "C50.9", "C61", "K40.9", "Z51.1", "D64.9")


def hospital_events(part: Part, *, rng: np.random.Generator) -> pl.DataFrame:
    """One row a stay or attendance, and one before it for a stay that is sent when it begins and again when it ends.

    Stays that have not ended by the extract have no end, and an admission that is sent at once has no diagnosis yet.
    """
    pieces = [_emergencies(part, rng=rng), _planned(part, rng=rng), _attendances(part, rng=rng)]
    who, kind, code, started, ended = (np.concatenate(column) for column in zip(*pieces))
    ended = np.minimum(ended, part.until[who])
    is_open = ended >= 0
    told = np.where(kind == ATTENDANCE, started + rng.integers(7, 35, len(who)), ended + rng.integers(14, 45, len(who)))
    # Some hospitals send admissions every day, so that an open stay is known at once.
    told = np.where(is_open, np.where(rng.random(len(who)) < 0.7, started + rng.integers(1, 4, len(who)), NEVER), told)
    twice = ~is_open & (kind != ATTENDANCE) & (rng.random(len(who)) < SENT_TWICE)
    at_once = twice & (rng.random(len(who)) < TOLD_ON_LEAVING)
    told = np.where(at_once, ended + rng.integers(0, 3, len(who)), told)
    first = np.flatnonzero(twice)
    who, kind, started, ended = (np.r_[column, column[first]] for column in (who, kind, started, ended))
    code = np.r_[code, np.full(len(first), -1)]
    told = np.r_[told, started[first] + rng.integers(0, 3, len(first))]
    is_open = np.r_[is_open, np.ones(len(first), dtype=bool)]
    kept = part.is_recorded(who, started, told) & (started >= part.start)
    who, kind, code, started, ended, told, is_open = (
        column[kept] for column in (who, kind, code, started, ended, told, is_open)
    )
    main, others = _diagnoses(kind, code, rng=rng)
    table = pl.DataFrame(
        {
            "person_id": part.ids(who),
            "kind": letters(KINDS, kind),
            "icd10": sparse(main, code >= 0),
            "other_icd10": others,
            "started_on": part.dates(started),
            "ended_on": part.dates(np.where(is_open, NEVER, ended)),
            "recorded_on": part.dates(told),
        }
    )
    return table.sort("person_id", "started_on", "kind", "icd10", "recorded_on", "other_icd10")


def _diagnoses(kind: Array, code: Array, *, rng: np.random.Generator) -> tuple[pl.Series, pl.Series]:
    """The main diagnosis of each row, and the others; after an injury the fall stands among the others."""
    n = len(code)
    main = letters([*FALL_CODES, *ILL_CODES, *PLANNED_CODES], np.maximum(code, 0))
    fell = (code >= 0) & (code < len(FALL_CODES))
    elsewhere = fell & (kind == EMERGENCY) & (rng.random(n) < FALL_IN_LATER_POSITION)
    main = letters(OTHER_INJURIES, rng.integers(0, len(OTHER_INJURIES), n)).zip_with(pl.Series(elsewhere), main)
    is_injury = main.str.starts_with("S").to_numpy()
    cause = sparse(letters(EXTERNAL_CAUSES, rng.integers(0, len(EXTERNAL_CAUSES), n)), fell & is_injury)
    long_term = [
        sparse(letters(OTHER_CODES, rng.integers(0, len(OTHER_CODES), n)), rng.random(n) < share)
        for share in (0.9, 0.6, 0.3)
    ]
    # Systems part the codes in their own ways.
    blank, semicolon = (
        pl.DataFrame([cause.alias("cause"), *(one.alias(str(at)) for at, one in enumerate(long_term))])
        .select(pl.concat_str(pl.all(), separator=separator, ignore_nulls=True))
        .to_series()
        for separator in (" ", "; ")
    )
    joined = semicolon.zip_with(pl.Series(rng.random(n) < 0.3), blank)
    is_told = (code >= 0) & (kind != ATTENDANCE) & (elsewhere | (rng.random(n) < OTHERS_TOLD))
    return main, sparse(joined, is_told & (joined != "").to_numpy())


def _emergencies(part: Part, *, rng: np.random.Generator) -> tuple[Array, ...]:
    history = part.history
    falls, ill = _joined(history.injurious_falls), _joined(history.emergencies)
    last = _joined(history.terminal)
    who = np.concatenate([falls[0], ill[0], last[0]])
    started = np.concatenate([falls[1], ill[1], last[1]])
    n_falls, n_ill = len(falls[0]), len(ill[0]) + len(last[0])
    code = np.concatenate(
        [
            rng.choice(len(FALL_CODES), n_falls, p=FALL_SHARES),
            len(FALL_CODES) + rng.choice(len(ILL_CODES), n_ill, p=ILL_SHARES),
        ]
    )
    length = np.floor(rng.lognormal(1.35, 1.0, len(who)) * np.where(code < len(FALL_CODES), 1.7, 1.0)).astype(int)
    # A last illness ends with the death.
    length[n_falls + len(ill[0]) :] = 400
    ended = started + np.clip(length, 0, 400)
    return who, np.full(len(who), EMERGENCY), np.where(rng.random(len(who)) < 0.99, code, code), started, ended


def _planned(part: Part, *, rng: np.random.Generator) -> tuple[Array, ...]:
    who, day = _poisson(
        part, lambda state: 0.13 * np.where(state.age > 60, 1.0, 0.4) * (1 + 1.2 * state.has["cancer"]), rng
    )
    code = len(FALL_CODES) + len(ILL_CODES) + rng.integers(0, len(PLANNED_CODES), len(who))
    return who, np.full(len(who), PLANNED), code, day, day + rng.choice((0, 0, 0, 1, 2, 4), len(who))


def _attendances(part: Part, *, rng: np.random.Generator) -> tuple[Array, ...]:
    history = part.history
    falls, ill = _joined(history.injurious_falls), _joined(history.emergencies)
    other = _poisson(part, lambda state: 0.13 * np.exp(0.2 * state.noise + 0.1 * state.mobility), rng)
    came_by_ae = rng.random(len(falls[0])) < 0.8, rng.random(len(ill[0])) < 0.6
    who = np.concatenate([falls[0][came_by_ae[0]], ill[0][came_by_ae[1]], other[0]])
    day = np.concatenate([falls[1][came_by_ae[0]], ill[1][came_by_ae[1]], other[1]])
    return who, np.full(len(who), ATTENDANCE), np.full(len(who), -1), day, day


def _poisson(part: Part, rate: Callable[[State], Array], rng: np.random.Generator) -> tuple[Array, Array]:
    found = []
    for state in part.history.states:
        who = np.repeat(np.arange(len(state.age)), rng.poisson(np.where(state.is_alive, rate(state), 0)))
        found.append((who, state.day + rng.integers(0, 365, len(who))))
    return _joined(found)


def _joined(events: list[tuple[Array, Array]]) -> tuple[Array, Array]:
    return np.concatenate([who for who, _ in events]), np.concatenate([day for _, day in events])
