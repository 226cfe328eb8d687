"""What GP practices would send: people, coded entries, prescriptions."""

import numpy as np
import polars as pl

from ageingwell.synthetic.conditions import CONDITIONS, NEVER, POSITION
from ageingwell.synthetic.hazards import State
from ageingwell.synthetic.medicines import MEDICINES, PRESENTATION
from ageingwell.synthetic.part import Part, letters, sparse
from ageingwell.synthetic.people import ETHNIC_GROUPS

Array = np.ndarray
Codelists = dict[str, tuple[str, ...]]
ISSUE_DAYS = 84
NEEDS = ("large print", "hearing loop", "British Sign Language", "interpreter", "easy read", "telephone first")
# Codes of the second list stand in the first too, and would make memory complaints look like dementia.
NARROWER = {"efi_cognitive_problems": "dementia"}
# Codes of older or local systems, which nobody can use but which stand in real records.
OLD_CODES = (("read2", "9N11."), ("read2", "246.."), ("ctv3", "XaBVJ"), ("local", "EMISNQRE1"), ("local", "Y1a01"))


def gp_patients(part: Part, *, rng: np.random.Generator) -> pl.DataFrame:
    """One row a person and version: registered, moved house, moved into a care home, died or left.

    A practice's system either overwrites the last version when somebody dies or leaves (and keeps the day it was told),
    or writes a new one (and often does not).
    """
    n = len(part.people)
    who = np.flatnonzero(part.is_known)
    first = np.maximum(part.registered, part.moved_in)[who]
    versions = [(who, first, first + rng.integers(0, 4, len(who)))]
    for day, _ in (part.house_move, part.care_home_move):
        moved = np.flatnonzero(part.is_known & (day < part.until) & (day > part.registered))
        versions.append((moved, day[moved], day[moved] + rng.geometric(0.06, len(moved))))
    died = part.history.died < part.history.left
    told = part.until + np.where(died, rng.geometric(0.2, n), 3 + rng.geometric(0.05, n))
    ended = part.is_known & (told < 0)
    writes_new = ended & (rng.random(n) < 0.5)
    new = np.flatnonzero(writes_new)
    versions.append((new, part.until[new], told[new]))
    person, day, recorded = (np.concatenate(parts) for parts in zip(*versions))
    is_end = np.arange(len(person)) >= len(person) - len(new)
    # A move told after the end, or on the same day as another version, would contradict it.
    order = np.lexsort((recorded, person))
    person, day, recorded, is_end = person[order], day[order], recorded[order], is_end[order]
    is_late = ~is_end & (recorded >= np.where(ended, told, NEVER)[person])
    is_tie = np.r_[False, (person[1:] == person[:-1]) & (recorded[1:] == recorded[:-1])] & ~is_end
    kept = (recorded < 0) & ~is_late & ~is_tie
    person, day, recorded = person[kept], day[kept], recorded[kept]
    is_last = np.r_[person[1:] != person[:-1], True]
    holds_end = is_last & ended[person]
    has_day = holds_end & ~(writes_new[person] & (rng.random(len(person)) < 0.6))
    home = part.home_on(person, day)
    need = rng.random(n) < np.where(part.onsets[:, POSITION["efi_hearing_loss"]] < 0, 0.10, 0.02)
    needs = rng.integers(0, len(NEEDS), n)
    sex = np.where(rng.random(n) < 0.001, 2, part.people.is_female.astype(int))

    def when(days: Array, shown: Array) -> pl.Series:
        return part.dates(np.where(shown, days[person], NEVER))

    return pl.DataFrame(
        {
            "person_id": part.ids(person),
            "household_id": sparse(part.homes(home), rng.random(n)[person] > 0.012),
            "moved_in_on": part.dates(np.where(rng.random(n)[person] < 0.93, part.moved_in_on(person, day), NEVER)),
            "birth_month": part.dates(part.people.born[person]).dt.month_start(),
            "sex": letters(("male", "female", "unknown"), sex[person]),
            "ethnic_group": letters(ETHNIC_GROUPS, part.people.ethnic[person]),
            "lsoa21": part.places["lsoa21"].gather(part.dwellings.place[home]),
            "practice_code": _practices(part, rng=rng).gather(person),
            "registered_on": part.dates(part.registered[person]),
            "left_on": when(part.history.left, holds_end & ~died[person]),
            "left_recorded_on": when(told, has_day & ~died[person]),
            "died_on": when(part.history.died, holds_end & died[person]),
            "died_recorded_on": when(told, has_day & died[person]),
            "communication_need": sparse(letters(NEEDS, needs[person]), need[person]),
            "recorded_on": part.dates(recorded),
        }
    )


def gp_prescriptions(part: Part, *, rng: np.random.Generator) -> pl.DataFrame:
    """One row an issue, every 84 days while a medicine is taken; all of a person's medicines fall on the same days."""
    n = len(part.people)
    last = np.minimum(part.until, 0)[:, None]
    begin = np.maximum(part.courses.starts, np.maximum(part.start, part.registered)[:, None])
    end = np.minimum(part.courses.ends, last)
    phase = rng.integers(0, ISSUE_DAYS, n)[:, None]
    # The first issue on the person's own rhythm on or after the day the medicine begins.
    first = begin + (phase - begin) % ISSUE_DAYS
    counts = np.where(part.is_known[:, None] & (end > first), (end - first + ISSUE_DAYS - 1) // ISSUE_DAYS, 0)
    cells = np.flatnonzero(counts)
    repeated = counts.ravel()[cells]
    cell = np.repeat(cells, repeated)
    turn = np.arange(len(cell)) - np.repeat(np.cumsum(repeated) - repeated, repeated)
    issued = first.ravel()[cell] + turn * ISSUE_DAYS
    # One issue in fourteen is missed: in hospital, away, or stocked up.
    recorded = issued + (rng.random(len(cell)) < 0.04) * rng.integers(1, 6, len(cell))
    kept = (rng.random(len(cell)) < 0.93) & (recorded < 0)
    person, medicine = cell[kept] // len(MEDICINES), cell[kept] % len(MEDICINES)
    issued, recorded = issued[kept], recorded[kept]
    # One practice in eight sends dm+d codes only for some medicines.
    only_dmd = (part.places["practice"].to_numpy()[part.people.place[person]] + medicine) % 13 == 5
    bnf = [f"{item.chemical}{PRESENTATION}" for item in MEDICINES]
    dmd = [with_check_digit(f"{39700000 + 7919 * place}100000110") for place in range(len(MEDICINES))]
    return pl.DataFrame(
        {
            "person_id": part.ids(person),
            "bnf_code": sparse(letters(bnf, medicine), ~only_dmd),
            "dmd_code": sparse(letters(dmd, medicine), only_dmd),
            "issued_on": part.dates(issued),
            "recorded_on": part.dates(recorded),
        }
    )


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


def _practices(part: Part, *, rng: np.random.Generator) -> pl.Series:
    """A practice code for each person: mostly the nearest; households share one. Codes begin with Z: no real one does."""
    nearest = part.places["practice"].to_numpy()[part.people.place]
    other = (rng.random(part.people.n_units) < 0.2)[part.people.unit]
    number = np.maximum(nearest + np.where(other, 1 - 2 * (nearest % 2), 0), 0)
    return (
        pl.Series(number)
        .cast(pl.String)
        .str.zfill(4)
        .str.pad_start(5, "8")
        .map_elements(lambda text: f"Z{text}", return_dtype=pl.String)
    )


def with_check_digit(digits: str) -> str:
    """A SNOMED CT identifier: the digits and their Verhoeff check digit.

    >>> with_check_digit("7167300")
    '71673004'
    """
    check = 0
    for place, digit in enumerate(reversed(digits), start=1):
        check = _TIMES[check][_SHIFT[place % 8][int(digit)]]
    return digits + str(_INVERSE[check])


_TIMES = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 2, 3, 4, 0, 6, 7, 8, 9, 5),
    (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7),
    (4, 0, 1, 2, 3, 9, 5, 6, 7, 8),
    (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2),
    (7, 6, 5, 9, 8, 2, 1, 0, 4, 3),
    (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)
_SHIFT = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 5, 7, 6, 2, 8, 3, 0, 9, 4),
    (5, 8, 0, 3, 7, 9, 6, 1, 4, 2),
    (8, 9, 1, 6, 0, 4, 3, 5, 2, 7),
    (9, 4, 5, 3, 1, 2, 6, 8, 7, 0),
    (4, 2, 8, 6, 5, 7, 3, 9, 0, 1),
    (2, 7, 9, 3, 8, 0, 6, 4, 1, 5),
    (7, 0, 4, 6, 9, 1, 3, 2, 5, 8),
)
_INVERSE = (0, 4, 3, 2, 1, 5, 6, 7, 8, 9)
