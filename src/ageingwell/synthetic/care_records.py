"""What the council would send: the events of the Client Level Data return, labels as councils spell them."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from ageingwell.synthetic.care_labels import (
    ASSESSMENT,
    CARER,
    COMMUNITY,
    DIRECT_TO_CARER,
    EQUIPMENT,
    FOR_CARERS,
    FROM_COMMUNITY,
    FROM_HOSPITAL,
    HOME_SUPPORT,
    HOMES,
    HOURLY,
    LONG_NURSING,
    LONG_RESIDENTIAL,
    LOW_LEVEL,
    NO_CHANGE,
    NO_FURTHER,
    NURSING,
    ONE_OFF,
    PLANNED_REVIEW,
    PROGRESS,
    REABLEMENT,
    REASONS,
    REASSESSED,
    REQUEST,
    RESIDENTIAL,
    REVIEW,
    SERVICE,
    SERVICE_USER,
    ST_MAX,
    SUPPORT_PLANNING,
    TEXTS,
    TO_REABLEMENT,
    UNKNOWN,
    UNPLANNED_REVIEW,
    WEEKLY,
)
from ageingwell.synthetic.conditions import NEVER
from ageingwell.synthetic.dwellings import CARE_HOME, EXTRA_CARE, OWNED, PRIVATE, SHELTERED
from ageingwell.synthetic.part import Part, letters, sparse

Array = np.ndarray
# Returns overlap: so many services that have ended stand in an earlier row too, and so many other rows stand twice.
SENT_WITHOUT_END = 0.35
SENT_AGAIN = 0.1
# Each return covers twelve months: an older row of a service that ended before is in no return that is still sent.
RETURNS_REACH = 300
# Of so many of the people it supports the council hears of the death, and tells it in so many of their rows.
COUNCIL_HEARS = 0.8
TOLD_IN_A_ROW = 0.7
COUNCIL_ALONE = 0.01


@dataclass
class _Rows:
    """Events collected so far; each call of `add` appends one kind of event for many people."""

    part: Part
    rng: np.random.Generator
    found: list[dict[str, Array]]

    def add(self, who: Array, started: Array, **columns: Array | int) -> None:
        """Append events of `who`; label columns hold numbers of `TEXTS`, 0 for none."""
        n = len(who)
        row = {"who": who, "started": started, "ended": np.full(n, NEVER), "client_type": SERVICE_USER}
        row |= {
            "event_type": REQUEST,
            "linked": np.full(n, -1),
            "cost": np.full(n, np.nan),
            "units": np.full(n, np.nan),
        }
        for name in (
            "service_type",
            "service_component",
            "route_of_access",
            "review_reason",
            "event_outcome",
            "cost_frequency",
        ):
            row[name] = 0
        row |= columns
        self.found.append({name: np.broadcast_to(np.asarray(value), (n,)) for name, value in row.items()})

    def some(self, labels: tuple[int, ...], n: int) -> Array:
        """Draw one of several spellings or kinds."""
        return np.asarray(labels)[self.rng.integers(0, len(labels), n)]


def care_events(part: Part, *, rng: np.random.Generator) -> pl.DataFrame:
    """One row an event: requests, assessments, short- and long-term support, reviews, support to carers."""
    rows = _Rows(part, rng, [])
    _add_home_care(rows)
    _add_care_homes(rows)
    _add_short_term(rows)
    for place, state in enumerate(part.history.states):
        level = -2.75 + 0.4 * state.mobility + 0.25 * state.noise + 0.35 * state.frailty + 0.25 * state.lives_alone
        level = level + 0.35 * np.clip((state.age - 75) / 10, -3, 2)
        asks = np.flatnonzero(
            state.is_alive & (state.age > 55) & (rng.random(len(level)) < np.exp(np.minimum(level, -0.5)))
        )
        day = state.day + rng.integers(0, 365, len(asks))
        outcome = np.where(
            rng.random(len(asks)) < 0.3, rows.some(PROGRESS, len(asks)), rows.some(NO_FURTHER, len(asks))
        )
        route = np.where(state.n_emergencies[asks] > 0, FROM_HOSPITAL, FROM_COMMUNITY)
        rows.add(asks, day, event_outcome=outcome, route_of_access=route)
        equipped = rng.random(len(asks)) < 0.25
        rows.add(
            asks[equipped], day[equipped] + 30, event_type=SERVICE, service_type=LOW_LEVEL,
            service_component=EQUIPMENT, cost=np.full(equipped.sum(), 120.0), cost_frequency=ONE_OFF,
        )  # fmt: skip
        _add_reviews(rows, place)
        _add_carers(rows, place)
    return _frame(rows)


def _add_home_care(rows: _Rows) -> None:
    rng, history = rows.rng, rows.part.history
    first = np.flatnonzero(history.began_in_home_care)
    before = history.began - 1 - rng.exponential(400, len(first)).astype(int)
    who = np.concatenate([first, *(found for found, _ in history.home_care_starts)])
    started = np.concatenate([before, *(day for _, day in history.home_care_starts)])
    ended = _next_end(who, started, history.home_care_ends)
    ended = np.minimum(ended, np.minimum(history.died[who], np.maximum(history.entered_care_home[who], started)))
    ended = np.where(ended > NEVER // 2, NEVER, ended)
    units = 5 + np.rint(rng.gamma(2.0, 4.0, len(who)))
    rows.add(
        who, started, ended=ended, event_type=SERVICE, service_type=rows.some(COMMUNITY, len(who)),
        service_component=HOME_SUPPORT, cost=np.round(rng.normal(24, 2, len(who)), 2), units=units,
        cost_frequency=HOURLY,
    )  # fmt: skip
    _add_way_in(rows, who, started)


def _add_way_in(rows: _Rows, who: Array, started: Array) -> None:
    """The request and assessment that come before long-term support."""
    asked = started - rows.rng.integers(8, 60, len(who))
    rows.add(who, asked, event_outcome=rows.some(PROGRESS, len(who)), route_of_access=FROM_COMMUNITY)
    assessed = np.minimum(asked + rows.rng.integers(3, 30, len(who)), started)
    outcome = SUPPORT_PLANNING
    rows.add(who, assessed, event_type=ASSESSMENT, event_outcome=outcome)


def _next_end(who: Array, started: Array, ends: list[tuple[Array, Array]]) -> Array:
    """The first end after each start: a person may start home care more than once."""
    found = np.full(len(who), NEVER)
    n = int(who.max(initial=0)) + 1
    for people, day in reversed(ends):
        last = np.full(n, NEVER)
        inside = people < n
        last[people[inside]] = day[inside]
        found = np.where((last[who] > started) & (last[who] < NEVER), last[who], found)
    return found


def _add_care_homes(rows: _Rows) -> None:
    part, rng, history = rows.part, rows.rng, rows.part.history
    who = np.flatnonzero(history.entered_care_home < NEVER)
    started = history.entered_care_home[who]
    began = part.people.began_in_care_home[who]
    started = np.where(began, started - rng.exponential(500, len(who)).astype(int), started)
    nursing = rng.random(len(who)) < 0.4
    rows.add(
        who, started, ended=history.died[who], event_type=SERVICE, service_type=np.where(nursing, NURSING, RESIDENTIAL),
        service_component=np.where(nursing, LONG_NURSING, LONG_RESIDENTIAL),
        cost=np.round(rng.normal(np.where(nursing, 980, 860), 90)), cost_frequency=WEEKLY,
        units=np.ones(len(who)),
    )  # fmt: skip
    _add_way_in(rows, who[~began], started[~began])


def _add_short_term(rows: _Rows) -> None:
    """Reablement after an emergency stay."""
    rng, history = rows.rng, rows.part.history
    mobility = np.stack([state.mobility for state in history.states])
    for place, ((who, day), (hurt, when)) in enumerate(zip(history.emergencies, history.injurious_falls)):
        person, start = np.concatenate([who, hurt]), np.concatenate([day, when]) + 9
        kept = (rng.random(len(person)) < 0.07 + 0.06 * mobility[place, person].clip(0, 2)) & (
            history.states[place].age[person] >= 65
        )
        kept &= history.entered_care_home[person] > start
        person, start = person[kept], start[kept]
        rows.add(person, start - 3, event_outcome=TO_REABLEMENT, route_of_access=FROM_HOSPITAL)
        rows.add(
            person, start, ended=np.minimum(start + rng.integers(14, 43, len(person)), history.died[person]),
            event_type=SERVICE, service_type=ST_MAX, service_component=REABLEMENT, route_of_access=FROM_HOSPITAL,
            cost=np.full(len(person), 310.0), units=np.ones(len(person)), cost_frequency=WEEKLY,
        )  # fmt: skip


def _add_reviews(rows: _Rows, place: int) -> None:
    rng, state = rows.rng, rows.part.history.states[place]
    supported = state.is_alive & (state.in_home_care | state.in_care_home)
    planned = np.flatnonzero(supported & (rng.random(len(supported)) < 0.55))
    when = state.day + rng.integers(0, 365, len(planned))
    outcome = NO_CHANGE
    rows.add(
        planned, when, event_type=REVIEW, review_reason=rows.some(PLANNED_REVIEW, len(planned)), event_outcome=outcome
    )
    worse = supported & (rng.random(len(supported)) < 0.16 + 0.15 * (state.n_emergencies > 0))
    unplanned = np.flatnonzero(worse)
    when = state.day + rng.integers(0, 365, len(unplanned))
    outcome = REASSESSED
    rows.add(
        unplanned, when, event_type=REVIEW, review_reason=rows.some(UNPLANNED_REVIEW, len(unplanned)),
        event_outcome=outcome,
    )  # fmt: skip


def _add_carers(rows: _Rows, place: int) -> None:
    rng, state, people = rows.rng, rows.part.history.states[place], rows.part.people
    needs = state.has["dementia"] | (state.mobility >= 2)
    cares = state.is_alive & state.has_partner & needs[people.partner] & (people.partner >= 0)
    who = np.flatnonzero(cares & (rng.random(len(cares)) < 0.12))
    day = state.day + rng.integers(0, 365, len(who))
    rows.add(who, day, client_type=CARER, event_type=ASSESSMENT, linked=people.partner[who])
    helped = rng.random(len(who)) < 0.5
    rows.add(
        who[helped], day[helped] + 20, client_type=CARER, event_type=SERVICE, service_type=DIRECT_TO_CARER,
        service_component=FOR_CARERS, linked=people.partner[who[helped]],
        cost=np.full(helped.sum(), 250.0), cost_frequency=ONE_OFF,
    )  # fmt: skip


def _frame(rows: _Rows) -> pl.DataFrame:
    part, rng = rows.part, rows.rng
    column = {name: np.concatenate([row[name] for row in rows.found]) for name in rows.found[0]}
    n = len(column["who"])
    recorded = column["started"] + rng.integers(1, 60, n)
    supported = column["service_type"] > 0
    began_before = supported & (column["started"] < part.start)
    kept = part.is_known[column["who"]] & (recorded < 0) & (column["started"] <= part.until[column["who"]])
    kept &= (column["started"] >= np.maximum(part.start, part.registered[column["who"]])) | began_before
    column = {name: values[kept] for name, values in column.items()}
    who, started, recorded, ended = column["who"], column["started"], recorded[kept], column["ended"]
    told = ended + rng.integers(0, 45, len(who))
    # An end the council has not heard of, or never closed, is not there.
    has_end = (told < 0) & (rng.random(len(who)) > 0.08)
    # A request, an assessment or a review ends with its outcome, some days on.
    is_short = column["event_type"] != SERVICE
    ended, told = np.where(is_short, started + 7, ended), np.where(is_short, np.maximum(recorded, started + 7), told)
    has_end = np.where(is_short, told < 0, has_end)
    home = part.dwellings.kind[part.home_on(who, started)]
    frame = pl.DataFrame(
        {
            "person_id": part.ids(who),
            "la_person_id": pl.Series(part.person_numbers[who] + 100_000).cast(pl.String).str.replace("^", "LA"),
            "client_type": letters(TEXTS, column["client_type"]),
            "event_type": letters(TEXTS, column["event_type"]),
            "primary_support_reason": letters(TEXTS, _reason(part, who, rng=rng)),
            "service_type": letters(TEXTS, column["service_type"]),
            "service_component": letters(TEXTS, column["service_component"]),
            "route_of_access": letters(TEXTS, column["route_of_access"]),
            "review_reason": letters(TEXTS, column["review_reason"]),
            "accommodation_status": letters(TEXTS, _accommodation(part, who, started, home, column, rng=rng)),
            "has_unpaid_carer": _carer(part, who, started, rng=rng),
            "linked_person_id": sparse(part.ids(np.maximum(column["linked"], 0)), column["linked"] >= 0),
            "event_outcome": letters(TEXTS, column["event_outcome"]),
            "started_on": part.dates(started),
            "ended_on": part.dates(np.where(has_end, ended, NEVER)),
            "ended_recorded_on": part.dates(np.where(has_end & (rng.random(len(who)) < 0.7), told, NEVER)),
            "recorded_on": part.dates(recorded),
            "unit_cost": pl.Series(column["cost"]).fill_nan(None),
            "cost_frequency": letters(TEXTS, column["cost_frequency"]),
            "planned_units_per_week": pl.Series(column["units"]).fill_nan(None),
            "died_on": _deaths(part, who, rng=rng.spawn(1)[0]),
        }
    )
    order = ("person_id", "started_on", "event_type", "service_type", "recorded_on", "event_outcome", "ended_on")
    told_on, since = part.dates(np.where(has_end, told, NEVER)), part.dates(np.array([-RETURNS_REACH])).item()
    return _with_earlier_returns(frame, told=told_on, since=since, rng=rng).sort(order, maintain_order=True)


def _deaths(part: Part, who: Array, *, rng: np.random.Generator) -> pl.Series:
    """The day of death in some rows of the people whose death the council has heard of, and in no other.

    Of a few who live it has heard wrongly, or their practice never did: nobody but the council tells of their death.
    """
    n, died = len(part.people), part.history.died
    heard = died + rng.integers(0, 30, n)
    has_died = (heard < 0) & (died <= part.history.left) & (rng.random(n) < COUNCIL_HEARS)
    council_alone = (part.until >= 0) & (rng.random(n) < COUNCIL_ALONE)
    day = np.where(has_died, died, np.where(council_alone, -rng.integers(1, 60, n), NEVER))
    return part.dates(np.where(rng.random(len(who)) < TOLD_IN_A_ROW, day[who], NEVER))


def _with_earlier_returns(
    frame: pl.DataFrame, *, told: pl.Series, since: date, rng: np.random.Generator
) -> pl.DataFrame:
    """The rows of the newest return, and for some the row of a return before it, in which a service had not ended.

    A council that knows the day of recording sends the later row with the day on which the end was told.
    """
    is_service, draw = pl.col("event_type") == TEXTS[SERVICE], pl.Series("draw", rng.random(len(frame)))
    ends = frame.select((is_service & (pl.col("ended_on") >= since)).fill_null(value=False)).to_series()
    ends &= draw < SENT_WITHOUT_END
    same = ~ends & (draw < SENT_AGAIN)
    nothing_yet = [pl.lit(None, dtype=pl.Date).alias(name) for name in ("ended_on", "ended_recorded_on", "died_on")]
    before = frame.filter(ends).with_columns(*nothing_yet, event_outcome=pl.lit(None, dtype=pl.String))
    is_dated = ends & pl.Series(rng.random(len(frame)) < 0.5)
    later = pl.when(is_dated).then(pl.max_horizontal(pl.col("recorded_on"), pl.lit(told))).otherwise("recorded_on")
    return pl.concat([frame.with_columns(recorded_on=later), before, frame.filter(same)])


def _reason(part: Part, who: Array, *, rng: np.random.Generator) -> Array:
    drawn = rng.choice(len(REASONS), len(who), p=(0.4, 0.22, 0.08, 0.08, 0.06, 0.06, 0.1))
    forgets = part.history.states[-1].has["dementia"][who] & (rng.random(len(who)) < 0.5)
    return np.asarray(REASONS)[np.where(forgets, 2, drawn)]


def _carer(part: Part, who: Array, started: Array, *, rng: np.random.Generator) -> pl.Series:
    place = np.clip(np.searchsorted(part.history.days, started, side="right") - 1, 0, None)
    has_carer = np.stack([state.has_carer for state in part.history.states])[place, who]
    said = np.where(has_carer, rng.random(len(who)) < 0.8, rng.random(len(who)) < 0.25)
    return letters(("no", "yes", "unknown", ""), np.where(rng.random(len(who)) < 0.25, 2 + (who % 2), said))


def _accommodation(
    part: Part, who: Array, started: Array, kind: Array, column: dict[str, Array], *, rng: np.random.Generator
) -> Array:
    tenure = part.dwellings.tenure[part.home_on(who, started)]
    status = np.where(tenure == OWNED, HOMES["owned"], np.where(tenure == PRIVATE, HOMES["private"], HOMES["tenant"]))
    status = np.where((kind == SHELTERED) | (kind == EXTRA_CARE), HOMES["sheltered"], status)
    in_home = (kind == CARE_HOME) & (column["event_type"] != REQUEST)
    status = np.where(
        in_home, np.where(column["service_type"] == NURSING, HOMES["nursing_home"], HOMES["care_home"]), status
    )
    return np.where(rng.random(len(who)) < 0.12, UNKNOWN, status)
