"""What GP practices would send as coded entries: diagnoses, reviews, contacts, falls, and what they note in passing."""

import numpy as np
import polars as pl

from ageingwell.synthetic.conditions import CONDITIONS, NEVER, POSITION
from ageingwell.synthetic.part import Part, letters, sparse
from ageingwell.synthetic.state import State

Array = np.ndarray
Codelists = dict[str, tuple[str, ...]]
# Codes of the second list stand in the first too, and would make memory complaints look like dementia.
NARROWER = {"efi_cognitive_problems": "dementia"}
# Codes of older or local systems, which nobody can use but which stand in real records.
OLD_CODES = (("read2", "9N11."), ("read2", "246.."), ("ctv3", "XaBVJ"), ("local", "EMISNQRE1"), ("local", "Y1a01"))


class _Entries:
    """Collects coded entries: who, which list, when it happened, when it was entered."""

    def __init__(self, part: Part, *, rng: np.random.Generator) -> None:
        self.part, self.rng = part, rng
        self.rows: list[tuple[str, Array, Array, Array]] = []

    def add(self, codelist: str, who: Array, happened: Array, *, letter: bool = False) -> None:
        """Add entries; those that came by letter are entered weeks later."""
        n = len(who)
        delay = np.where(self.rng.random(n) < 0.75, 0, self.rng.geometric(0.3, n))
        if letter:
            delay = 5 + self.rng.geometric(0.07, n)
        self.rows.append((codelist, who, happened.astype(np.int32), (happened + delay).astype(np.int32)))

    def chance(self, codelist: str, who: Array, share: float, *, day: int, letter: bool = False) -> None:
        """Add an entry within the year after `day` for a share of those marked."""
        found = np.flatnonzero(who & (self.rng.random(len(who)) < share))
        self.add(codelist, found, day + self.rng.integers(0, 365, len(found)), letter=letter)


def gp_events(part: Part, *, codelists: Codelists, rng: np.random.Generator) -> pl.DataFrame:
    """One row a coded entry: diagnoses and their reviews, contacts, falls, and what practices note now and then."""
    entries = _Entries(part, rng=rng)
    talks = rng.normal(size=len(part.people))
    _add_conditions(entries, talks)
    for state in part.history.states:
        _add_a_year(entries, state, talks)
    _add_events(entries)
    frames = [_frame(part, codelists, row, rng=rng) for row in entries.rows if codelists.get(row[0])]
    return pl.concat([*frames, _old_entries(part, rng=rng)]).sort("person_id", "recorded_on", "code", "happened_on")


def _add_conditions(entries: _Entries, talks: Array) -> None:
    part, rng = entries.part, entries.rng
    n = len(part.people)
    for place, condition in enumerate(CONDITIONS):
        onset = np.floor(part.onsets[:, place]).astype(np.int64)
        # People who seldom come are coded less.
        share = np.clip(condition.coded * (1 + 0.06 * np.minimum(talks, 0.5)), 0, 1)
        coded = (rng.random(n) < share) & (onset < np.minimum(part.until, 0))
        who = np.flatnonzero(coded)
        entries.add(condition.codelist, who, onset[who], letter=condition.codelist in {"cancer", "efi_stroke_tia"})
        if condition.codelist == "efi_respiratory_disease":
            lungs = who[rng.random(len(who)) < 0.75]
            entries.add("copd_asthma", lungs, onset[lungs])
            on_oxygen = lungs[rng.random(len(lungs)) < 0.03]
            entries.add("home_oxygen", on_oxygen, np.maximum(onset[on_oxygen] + 900, part.registered[on_oxygen]))
        if condition.reviews_a_year:
            begin = np.maximum(onset, np.maximum(part.start, part.registered))
            length = np.clip(np.minimum(part.until, 0) - begin, 0, None)
            counts = rng.poisson(np.where(coded, condition.reviews_a_year * length / 365, 0))
            seen = np.repeat(np.arange(n), counts)
            entries.add(condition.codelist, seen, begin[seen] + (rng.random(len(seen)) * length[seen]).astype(int))


def _add_a_year(entries: _Entries, state: State, talks: Array) -> None:
    rng, day, here = entries.rng, state.day, state.is_alive
    n_conditions = np.sum([state.has[name] for name in POSITION], axis=0)
    level = 0.45 + 0.055 * n_conditions + 0.35 * talks + 0.2 * state.frailty + 0.08 * state.mobility
    counts = rng.poisson(np.where(here, np.exp(np.where(state.age < 55, 0.0, level)) * 1.25, 0))
    who = np.repeat(np.arange(len(here)), counts)
    entries.add("gp_contact", who, day + rng.integers(0, 365, len(who)))
    stiff, burden = state.mobility, state.mobility + n_conditions / 4 + 0.7 * state.frailty
    entries.chance("efi_mobility_problems", here & (stiff >= 1), 0.14, day=day)
    entries.chance("gait_balance_problem", here & (stiff >= 1), 0.08, day=day)
    entries.chance("efi_activity_limitation", here & (stiff >= 2), 0.14, day=day)
    entries.chance("efi_housebound", here & (stiff >= 3), 0.3, day=day)
    entries.chance("efi_care_requirement", here & (state.in_home_care | state.in_care_home), 0.4, day=day)
    entries.chance("efi_social_vulnerability", here & state.lives_alone & (state.age > 70), 0.06, day=day)
    entries.chance("bereavement", here & state.lost_partner, 0.4, day=day)
    entries.chance("frailty_severe", here & (state.age >= 65) & (burden > 5.5), 0.35, day=day)
    entries.chance("frailty_moderate", here & (state.age >= 65) & (burden > 3.8) & (burden <= 5.5), 0.25, day=day)
    entries.chance("urinary_tract_infection", here & (state.age > 60), 0.06, day=day)
    entries.chance("urinary_tract_infection", here & state.has["efi_urinary_incontinence"], 0.2, day=day)
    entries.chance("delirium", here & (state.n_emergencies > 0) & (state.age > 75), 0.05, day=day, letter=True)
    entries.chance("delirium", here & state.has["dementia"], 0.06, day=day, letter=True)
    partner = entries.part.people.partner
    cares = (partner >= 0) & state.has_partner & (state.has["dementia"][partner] | (stiff[partner] >= 2))
    entries.chance("carer", here & cares, 0.25, day=day)
    entries.chance("end_of_life", here & (state.has["cancer"] | state.in_care_home) & (burden > 5.5), 0.2, day=day)
    # The flu season: the days from about 20 September to the end of December.
    autumn = np.flatnonzero(here & (rng.random(len(here)) < np.where(state.age >= 65, 0.78, 0.3)))
    season = np.datetime64(entries.part.as_of + day, "D").astype("datetime64[Y]").astype("datetime64[D]")
    first = int((season - np.datetime64("1970-01-01", "D")).astype(int)) + 262 - entries.part.as_of
    entries.add("flu_vaccination", autumn, first + rng.integers(0, 100, len(autumn)))


def _add_events(entries: _Entries) -> None:
    rng, history = entries.rng, entries.part.history
    for who, day in history.falls:
        told = rng.random(len(who)) < 0.45
        entries.add("fall", who[told], day[told])
        stuck = told & (rng.random(len(who)) < 0.15)
        entries.add("unable_to_get_up", who[stuck], day[stuck])
        faint = told & (rng.random(len(who)) < 0.07)
        entries.add("loss_of_consciousness", who[faint], day[faint])
    for who, day in history.injurious_falls:
        told = rng.random(len(who)) < 0.75
        entries.add("injurious_fall", who[told], day[told], letter=True)
        broken = told & (rng.random(len(who)) < 0.5)
        entries.add("fracture", who[broken], day[broken], letter=True)
        entries.add("emergency_admission", who[told], day[told], letter=True)
    for who, day in history.emergencies:
        told = rng.random(len(who)) < 0.6
        entries.add("emergency_admission", who[told], day[told], letter=True)


def _frame(
    part: Part, codelists: Codelists, row: tuple[str, Array, Array, Array], *, rng: np.random.Generator
) -> pl.DataFrame:
    codelist, who, happened, recorded = row
    narrower = codelists.get(NARROWER.get(codelist, ""), ())
    codes = [code for code in codelists[codelist] if code not in narrower]
    weights = 1 / np.arange(1, len(codes) + 1)
    code = np.minimum(np.searchsorted(np.cumsum(weights / weights.sum()), rng.random(len(who))), len(codes) - 1)
    # A person who joined the practice later brings a summary of old diagnoses, entered in the first month.
    is_old = (happened < part.registered[who]) & (codelist in POSITION)
    joined = part.registered[who] + rng.integers(1, 30, len(who))
    recorded = np.where(is_old, np.maximum(recorded, joined), recorded)
    kept = part.is_known[who] & (recorded < 0) & (happened <= part.until[who])
    kept &= is_old | (happened >= part.registered[who])
    kept &= recorded >= np.where(codelist in POSITION, -NEVER, part.start)
    undated = rng.random(len(who)) < 0.01
    return pl.DataFrame(
        {
            "person_id": part.ids(who[kept]),
            "code_system": pl.repeat("snomed", int(kept.sum()), eager=True),
            "code": letters(codes, code[kept]),
            "happened_on": part.dates(np.where(undated, NEVER, happened)[kept]),
            "recorded_on": part.dates(recorded[kept]),
            "value": pl.repeat(None, int(kept.sum()), dtype=pl.Float64, eager=True),
            "value_unit": pl.repeat(None, int(kept.sum()), dtype=pl.String, eager=True),
        }
    )


def _old_entries(part: Part, *, rng: np.random.Generator) -> pl.DataFrame:
    """A few entries in old or local codes, some with a measured value."""
    who = np.repeat(np.arange(len(part.people)), rng.poisson(0.8, len(part.people)))
    day = part.start + rng.integers(0, -part.start, len(who))
    kept = part.is_recorded(who, day, day + 1)
    who, day = who[kept], day[kept]
    code = rng.integers(0, len(OLD_CODES), len(who))
    pressure = np.rint(rng.normal(138, 15, len(who)))
    is_pressure = code == 1
    return pl.DataFrame(
        {
            "person_id": part.ids(who),
            "code_system": letters([system for system, _ in OLD_CODES], code),
            "code": letters([text for _, text in OLD_CODES], code),
            "happened_on": part.dates(day),
            "recorded_on": part.dates(day + 1),
            "value": pl.Series(pressure).zip_with(pl.Series(is_pressure), pl.Series([None], dtype=pl.Float64)),
            "value_unit": sparse(pl.repeat("mmHg", len(who), eager=True), is_pressure),
        }
    )
