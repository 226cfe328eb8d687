"""Features of every person of the small county, worked out a second time: slowly, in plain Python, from the words.

Nothing here calls the library's own sums; it reads the rows as dictionaries and counts days. The words are those of the
contracts and of each feature's sentence.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from functools import cache
from typing import Any

import polars as pl
import pytest
from helpers.knowledge import CONFIG, features_on, known_on

from ageingwell.features import everyday_life
from ageingwell.features.evidence import fact_days
from ageingwell.timeline import AsOf

AS_OF = date(2025, 8, 24)
Row = dict[str, Any]
Value = float | None


class Known:
    """The rows known on the cut-off, by person or home, with the endings known then."""

    def __init__(self, tables: dict[str, pl.DataFrame]) -> None:
        self.rows: dict[str, list[Row]] = {}
        for name, frame in tables.items():
            if name != "permissions":
                rows = [sure(row) for row in frame.to_dicts() if row["recorded_on"] < AS_OF]
                rows = [row for row in rows if name == "gp_patients" or row.get("household_match") != "low"]
                self.rows[name] = once([ended(row, name) for row in rows], name)
        self.newest: dict[str, Row] = {}
        self.moved: dict[str, date] = {}
        homes: dict[str, str] = {}
        for row in sorted(self.rows["gp_patients"], key=lambda row: row["recorded_on"]):
            person = row["person_id"]
            self.newest[person] = row
            home = row["household_id"]
            if home is not None and homes.get(person, home) != home:
                self.moved[person] = row["recorded_on"]
            if home is not None:
                homes[person] = home
        self.here = {
            person: row
            for person, row in self.newest.items()
            if row["died_on"] is None and (row["left_on"] is None or row["left_on"] >= AS_OF)
        }

    @cache  # noqa: B019 - one object a test run
    def by(self, name: str, key: str) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = defaultdict(list)
        for row in self.rows[name]:
            found[row[key]].append(row)
        return found

    def of(self, name: str, person: str) -> list[Row]:
        return self.by(name, "person_id").get(person, [])

    def home(self, person: str) -> str | None:
        return self.here[person]["household_id"]  # type: ignore[no-any-return]

    def since(self, person: str) -> date:
        row = self.here[person]
        return row["moved_in_on"] or self.moved.get(person) or row["registered_on"]  # type: ignore[no-any-return]

    def at_home(self, name: str, person: str, day: str) -> list[Row]:
        """What was recorded of the home while the person lived there."""
        home = self.home(person)
        if home is None:
            return []
        return [row for row in self.by(name, "household_id").get(home, []) if row[day] >= self.since(person)]


def of_home(known: Known, name: str, person: str) -> list[Row]:
    """What was recorded of the home, whoever lived there."""
    return known.by(name, "household_id").get(known.home(person) or "", [])


def sure(row: Row) -> Row:
    """A row of the register without a home that was matched with low certainty."""
    is_unsure = "birth_month" in row and row["household_match"] == "low"
    return row | {"household_id": None} if is_unsure else row


def ended(row: Row, name: str) -> Row:
    lag = timedelta(days=CONFIG.tables[name].lag_days)
    row = dict(row)
    pairs = {
        "gp_patients": [("left_on", "left_recorded_on"), ("died_on", "died_recorded_on")],
        "care_events": [("ended_on", "ended_recorded_on")],
        "hospital_events": [("ended_on", None)],
    }
    for ending, recorded in pairs.get(name, []):
        told = row.get(recorded or "")
        if row[ending] is None:
            # An outcome of what has no end is told by its row.
            if told is not None and told >= AS_OF and name == "care_events":
                row["event_outcome"] = None
            continue
        with_row = row["recorded_on"] if row[ending] <= row["recorded_on"] else row[ending] + lag
        if (told or with_row) >= AS_OF:
            row[ending] = None
            if name == "care_events":
                row["event_outcome"] = None
    return row


SERVICE_KEY = ("person_id", "client_type", "event_type", "started_on", "service_type", "service_component")
COST = ("unit_cost", "cost_frequency", "planned_units_per_week")


def once(rows: list[Row], name: str) -> list[Row]:
    """One row an event: of a stay one a diagnosis, of a service the newest of each fact, of others no repeats."""
    if name in ("gp_patients", "homes"):
        return rows
    if name == "gp_events":
        return list(
            {tuple(row.values()) if row["happened_on"] is None else repeated(row): row for row in rows}.values()
        )
    if name not in ("hospital_events", "care_events"):
        return list({repeated(row): row for row in rows}.values())
    key = SERVICE_KEY if name == "care_events" else ("person_id", "kind", "started_on")
    events: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        events[tuple(row[column] for column in key)].append(row)
    return [one for versions in events.values() for one in merged(versions, name)]


def repeated(row: Row) -> tuple[Any, ...]:
    return tuple(value for column, value in row.items() if column != "recorded_on")


def merged(versions: list[Row], name: str) -> list[Row]:
    order = ("recorded_on", "ended_on", "ended_recorded_on", *COST, *versions[0])
    told = sorted(versions, key=lambda row: [(row.get(one) is not None, row.get(one) or 0) for one in order])
    newest: Row = {}
    for row in told:
        newest |= {column: value for column, value in row.items() if value is not None and column not in COST}
        newest |= {column: row[column] for column in COST if row.get("unit_cost") is not None}
    whole = {column: newest.get(column) for column in versions[0]}
    if name == "care_events":
        return [whole]
    whole["other_icd10"] = " ".join(row["other_icd10"] for row in told if row["other_icd10"])
    return [whole | {"icd10": code} for code in {row["icd10"] for row in told} - {None} or {None}]


def ago(day: date | None, days: int) -> bool:
    """Whether a day lies in the `days` days before the cut-off."""
    return day is not None and AS_OF - timedelta(days=days) <= day < AS_OF


def age_on(born: date) -> int:
    had_birthday = (AS_OF.month, AS_OF.day) >= (born.month, 1)
    return AS_OF.year - born.year - (0 if had_birthday else 1)


def happened(row: Row) -> date:
    return row["happened_on"] or row["recorded_on"]  # type: ignore[no-any-return]


def coded(known: Known, person: str, name: str, days: int = 100_000) -> list[Row]:
    codes = CONFIG.codelists[name]
    rows = [row for row in known.of("gp_events", person) if row["code_system"] == "snomed" and row["code"] in codes]
    return [row for row in rows if ago(happened(row), days)]


def days_of(rows: Iterable[Row]) -> set[date]:
    """A fall coded twice on one day is one fall."""
    return {happened(row) for row in rows}


def days_since(days: Iterable[date]) -> Value:
    found = list(days)
    return None if not found else float((AS_OF - max(found)).days)


def falls(known: Known, person: str, days: int) -> list[Row]:
    """A fall is also known from its injury."""
    return [*coded(known, person, "fall", days), *coded(known, person, "injurious_fall", days)]


def medicines(known: Known, person: str, days: int) -> float:
    found = set()
    for row in known.of("gp_prescriptions", person):
        if ago(row["issued_on"], days):
            bnf = row["bnf_code"]
            found.add(("bnf", bnf[:9]) if bnf is not None else ("dmd", row["dmd_code"]))
    return float(len(found))


def of_group(known: Known, person: str, *groups: str) -> Value:
    """Different medicines of any of the groups; not known where none is and one has no code that could tell."""
    issued = [row for row in known.of("gp_prescriptions", person) if ago(row["issued_on"], 90)]
    prefixes = tuple(prefix for group in groups for prefix in CONFIG.codelists[group])
    found = {row["bnf_code"][:9] for row in issued if (row["bnf_code"] or "").startswith(prefixes)}
    if found:
        return float(len(found))
    return None if any(row["bnf_code"] is None for row in issued) else 0.0


def declined(known: Known, person: str) -> Value:
    """Offers declined in three years; not known where none is and of an event that ended nobody says what came."""
    rows = [row for row in known.of("care_events", person) if ago(row["started_on"], 1095)]
    found = sum("support_declined" in (row["event_outcome"] or "") for row in rows)
    untold = any(row["ended_on"] is not None and row["event_outcome"] in (None, "unknown") for row in rows)
    return None if untold and not found else float(found)


def admissions(known: Known, person: str, days: int) -> list[Row]:
    rows = known.of("hospital_events", person)
    stays = [row for row in rows if row["kind"] == "emergency_admission" and ago(row["started_on"], days)]
    # A stay sent again is one stay, with the end that was sent last.
    closed = sorted(stays, key=lambda row: row["ended_on"] or date.min)
    return list({row["started_on"]: row for row in closed}.values())


def bed_days(known: Known, person: str) -> float:
    return float(sum(((row["ended_on"] or AS_OF) - row["started_on"]).days for row in admissions(known, person, 365)))


def trend(known: Known, person: str) -> float:
    days = [(AS_OF - happened(row)).days for row in coded(known, person, "gp_contact")]
    return float(sum(1 <= n <= 182 for n in days) - sum(183 <= n <= 364 for n in days))


def deficits(known: Known, person: str) -> float:
    lists = [name for name in CONFIG.codelists if name.startswith("efi_")]
    return sum(bool(coded(known, person, name)) for name in lists) + float(medicines(known, person, 90) >= 5)


def bereaved(known: Known, person: str) -> Value:
    home = known.home(person)
    if home is None:
        return None
    dead = {person: row for person, row in known.newest.items() if row["died_on"] is not None}
    deaths = {person: (row["household_id"], row["died_on"]) for person, row in dead.items()}
    lost = [day for where, day in deaths.values() if where == home and ago(day, 730) and day >= known.since(person)]
    # Of the time before they came nothing is known.
    return None if not lost and known.since(person) > AS_OF - timedelta(days=730) else float(bool(lost))


def waiting_since(known: Known, person: str) -> list[date]:
    """Since when each adaptation of the home is waited for."""
    cases: dict[str | None, list[Row]] = defaultdict(list)
    for row in known.at_home("housing_events", person, "happened_on"):
        if row["event_type"].startswith("adaptation"):
            cases[row["case_id"]].append(row)
    found = []
    for rows in cases.values():
        closed = [r["happened_on"] for r in rows if r["event_type"] in ("adaptation_completed", "adaptation_withdrawn")]
        asked = [r["happened_on"] for r in rows if r["event_type"] in ("adaptation_requested", "adaptation_approved")]
        still = [day for day in asked if not closed or day > max(closed)]
        found += [min(still)] if still else []
    return found


def newest_answer(known: Known, person: str, question: str) -> str | None:
    """The answer of the newest visit that asked; of several on one day, the more worrying."""
    # An alarm is the home's; what is told of people is about those who lived there then.
    visits = known.at_home("fire_visits", person, "visited_on")
    visits = of_home(known, "fire_visits", person) if question == "smoke_alarm_working" else visits
    asked = [row for row in visits if row[question] not in (None, "unknown")]
    if not asked:
        return None
    last = max(row["visited_on"] for row in asked)
    answers = {row[question] for row in asked if row["visited_on"] == last}
    worrying = "no" if question == "smoke_alarm_working" else "yes"
    return worrying if worrying in answers else answers.pop()


def yes(answer: str | None) -> Value:
    return None if answer is None else float(answer == "yes")


def alarm_missing(known: Known, person: str) -> Value:
    answer = newest_answer(known, person, "smoke_alarm_working")
    return None if answer is None else float(answer == "no")


def home_fact(known: Known, person: str, column: str) -> Any:
    home = known.home(person)
    rows = known.by("homes", "household_id").get(home or "", [])
    told = [row for row in rows if row[column] not in (None, "unknown")]
    if not told:
        return None
    last = max(row["recorded_on"] for row in told)
    return max(row[column] for row in told if row["recorded_on"] == last)


def members(known: Known, person: str) -> list[Row]:
    home = known.home(person)
    return [] if home is None else [row for row in known.here.values() if row["household_id"] == home]


def discount_says_alone(known: Known, person: str) -> Value:
    """The newest answer of council tax, told since they came; a yes only where one adult is registered there."""
    answer = home_fact(known, person, "single_adult_discount")
    told = told_of_home(known, person, "single_adult_discount")
    if answer is None or max(told) < known.since(person):
        return None
    adults = sum(age_on(row["birth_month"]) >= 18 for row in members(known, person))
    return 0.0 if answer == "no" else 1.0 if adults == 1 else None


def fell_into_hospital(known: Known, person: str) -> float:
    codes = (*CONFIG.codelists["icd10_fall"], *CONFIG.codelists["icd10_fracture"])
    told: dict[date, list[str]] = defaultdict(list)
    for row in known.of("hospital_events", person):
        if row["kind"] == "emergency_admission" and ago(row["started_on"], 365):
            others = re.split("[ ;]+", row["other_icd10"] or "")
            told[row["started_on"]] += [code.replace(".", "") for code in (row["icd10"], *others) if code]
    return float(any(code.startswith(codes) for stay in told.values() for code in stay))


def lives_alone(known: Known, person: str) -> Value:
    n = len(members(known, person))
    if n == 0:
        return None
    odds = everyday_life.REGISTERED_ALONE_ODDS if n == 1 else everyday_life.REGISTERED_TOGETHER_ODDS
    occupants = home_fact(known, person, "occupants")
    if occupants is not None and occupants >= 1:
        odds *= everyday_life.OCCUPANTS_ONE_RATIO if occupants == 1 else everyday_life.OCCUPANTS_MORE_RATIO
    discount = discount_says_alone(known, person)
    if discount is not None:
        odds *= everyday_life.DISCOUNT_RATIO if discount else everyday_life.NO_DISCOUNT_RATIO
    answer = newest_answer(known, person, "lives_alone")
    if answer is not None:
        odds *= everyday_life.VISIT_SAYS_RATIO if answer == "yes" else 1 / everyday_life.VISIT_SAYS_RATIO
    return odds / (1 + odds)


def care(known: Known, person: str, kind: str) -> list[Row]:
    rows = known.of("care_events", person)
    return [row for row in rows if row["client_type"] == "service_user" and row["event_type"] == kind]


def home_care(known: Known, person: str) -> float:
    running = [row for row in care(known, person, "service") if row["ended_on"] is None or row["ended_on"] >= AS_OF]
    kinds = {(row["service_type"], row["service_component"]) for row in running}
    return float(("long_term_support_community", "home_support") in kinds)


def unknown_to_fire(known: Known, person: str) -> Value:
    """The fire service knows a home: of somebody without one it cannot tell."""
    if in_fire_touch(known, person):
        return 0.0
    return None if known.home(person) is None else 1.0


def in_fire_touch(known: Known, person: str) -> bool:
    days = [row["visited_on"] for row in known.at_home("fire_visits", person, "visited_on")]
    days += [row["happened_on"] for row in known.at_home("fire_incidents", person, "happened_on")]
    for row in known.rows["contacts"]:
        mine = row["person_id"] == person
        ours = row["household_id"] is not None and row["household_id"] == known.home(person)
        if row["agency"] == "fire" and (mine or (ours and row["contacted_on"] >= known.since(person))):
            days.append(row["contacted_on"])
    return any(ago(day, 1095) for day in days)


def n_fires(known: Known, person: str) -> Value:
    if known.home(person) is None:
        return None
    rows = of_home(known, "fire_incidents", person)
    fires = ("accidental_dwelling_fire", "deliberate_fire")
    return float(sum(row["incident_type"] in fires and ago(row["happened_on"], 1095) for row in rows))


def repairs(known: Known, person: str) -> Value:
    if known.home(person) is None:
        return None
    rows = of_home(known, "housing_events", person)
    return float(sum(row["event_type"] == "repair_requested" and ago(row["happened_on"], 365) for row in rows))


def adaptation_waiting(known: Known, person: str) -> Value:
    return None if known.home(person) is None else float(bool(waiting_since(known, person)))


def days_waiting(known: Known, person: str) -> Value:
    if known.home(person) is None:
        return None
    found = waiting_since(known, person)
    return float((AS_OF - min(found)).days) if found else 0.0


def discharges(known: Known, person: str) -> list[date]:
    rows = known.of("hospital_events", person)
    return [row["ended_on"] for row in rows if row["kind"] != "ae_attendance" and ago(row["ended_on"], 100_000)]


BY_HAND: dict[str, Callable[[Known, str], Value]] = {
    "age": lambda known, person: float(age_on(known.here[person]["birth_month"])),
    "n_falls_365d": lambda known, person: float(len(days_of(falls(known, person, 365)))),
    "n_falls_1095d": lambda known, person: float(len(days_of(falls(known, person, 1095)))),
    "has_dementia": lambda known, person: float(bool(coded(known, person, "dementia"))),
    "n_deficits": deficits,
    "frailty_index": lambda known, person: deficits(known, person) / 36,
    "gp_contact_trend": trend,
    "n_gp_contacts_90d": lambda known, person: float(len(coded(known, person, "gp_contact", 90))),
    "days_since_gp_contact": lambda known, person: days_since(
        happened(row) for row in coded(known, person, "gp_contact")
    ),
    "n_medicines_90d": lambda known, person: medicines(known, person, 90),
    "n_anticholinergic_90d": lambda known, person: of_group(known, person, "bnf_anticholinergic"),
    "n_sedative_90d": lambda known, person: of_group(known, person, "bnf_sedative"),
    "n_anticholinergic_or_sedative_90d": lambda known, person: of_group(
        known, person, "bnf_anticholinergic", "bnf_sedative"
    ),
    "n_emergency_admissions_365d": lambda known, person: float(len(admissions(known, person, 365))),
    "n_emergency_admissions_1095d": lambda known, person: float(len(admissions(known, person, 1095))),
    "n_emergency_bed_days_365d": bed_days,
    "has_fall_admission_365d": fell_into_hospital,
    "days_since_discharge": lambda known, person: days_since(discharges(known, person)),
    "n_care_requests_1095d": lambda known, person: float(
        sum(ago(row["started_on"], 1095) for row in care(known, person, "request"))
    ),
    "has_home_care": home_care,
    "n_support_declined_1095d": declined,
    "has_adaptation_waiting": adaptation_waiting,
    "days_adaptation_waiting": days_waiting,
    "n_repairs_365d": repairs,
    "is_alarm_missing": alarm_missing,
    "someone_smokes": lambda known, person: yes(newest_answer(known, person, "smoker")),
    "has_memory_concern": lambda known, person: yes(newest_answer(known, person, "memory_concern")),
    "n_fire_incidents_1095d": n_fires,
    "is_unknown_to_fire": unknown_to_fire,
    "is_bereaved_730d": bereaved,
    "lives_alone_probability": lives_alone,
    "n_occupants": lambda known, person: home_fact(known, person, "occupants"),
    "discount_says_alone": discount_says_alone,
    "years_at_home": lambda known, person: float((AS_OF - known.since(person)).days // 365),
    "n_household_65plus": lambda known, person: (
        float(sum(age_on(row["birth_month"]) >= 65 for row in members(known, person))) if known.home(person) else None
    ),
}


@pytest.fixture(scope="module")
def known(county_tables: dict[str, pl.DataFrame]) -> Known:
    return Known(county_tables)


@pytest.fixture(scope="module")
def features(county_tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    return features_on(county_tables, AS_OF)[1]


def test_the_same_people_are_on_the_spine(known: Known, features: pl.DataFrame) -> None:
    older = sorted(person for person, row in known.here.items() if age_on(row["birth_month"]) >= 65)

    assert features["person_id"].to_list() == older


@pytest.mark.parametrize("name", BY_HAND)
def test_the_feature_is_what_its_words_say(name: str, known: Known, features: pl.DataFrame) -> None:
    people = features["person_id"].to_list()

    by_hand = [BY_HAND[name](known, person) for person in people]

    different = [
        (built, ours)
        for built, ours in zip(features[name].to_list(), by_hand, strict=True)
        if built != (ours if ours is None else pytest.approx(ours, abs=1e-12))
    ]
    assert different == []


def test_the_small_county_shows_more_than_zeros(features: pl.DataFrame) -> None:
    told = [name for name in BY_HAND if features[name].drop_nulls().n_unique() > 1]

    # Fires and declined support are rare; among 400 people there may be none.
    assert len(told) >= len(BY_HAND) - 2


# Of which day a fact is: the newest day of what it rests on. Where it rests on nothing, the source's newest record.


def asked_at(known: Known, person: str, *questions: str) -> list[date]:
    rows = known.at_home("fire_visits", person, "visited_on")
    rows = of_home(known, "fire_visits", person) if questions == ("smoke_alarm_working",) else rows
    return [row["visited_on"] for row in rows if any(row[question] not in (None, "unknown") for question in questions)]


def repaired(known: Known, person: str) -> list[date]:
    rows = of_home(known, "housing_events", person)
    days = [row["happened_on"] for row in rows if row["event_type"] == "repair_requested"]
    return [day for day in days if ago(day, 365)]


def running_home_care(known: Known, person: str) -> list[date]:
    rows = [row for row in care(known, person, "service") if row["ended_on"] is None or row["ended_on"] >= AS_OF]
    kind = ("long_term_support_community", "home_support")
    return [row["started_on"] for row in rows if (row["service_type"], row["service_component"]) == kind]


def issued(known: Known, person: str, days: int) -> list[date]:
    return [row["issued_on"] for row in known.of("gp_prescriptions", person) if ago(row["issued_on"], days)]


def told_of_home(known: Known, person: str, column: str) -> list[date]:
    rows = known.by("homes", "household_id").get(known.home(person) or "", [])
    return [row["recorded_on"] for row in rows if row[column] not in (None, "unknown")]


def discount_told_on(known: Known, person: str) -> list[date]:
    newest = max(told_of_home(known, person, "single_adult_discount"), default=None)
    return [newest] if newest is not None and newest >= known.since(person) else []


def registered_on(known: Known, person: str) -> list[date]:
    return [row["recorded_on"] for row in known.of("gp_patients", person)]


DAYS_BY_HAND: dict[str, tuple[str, Callable[[Known, str], Iterable[date]]]] = {
    "n_falls_365d": ("gp_events", lambda known, person: days_of(falls(known, person, 365))),
    "has_dementia": ("gp_events", lambda known, person: days_of(coded(known, person, "dementia"))),
    "gp_contact_trend": ("gp_events", lambda known, person: days_of(coded(known, person, "gp_contact", 364))),
    "n_medicines_90d": ("gp_prescriptions", lambda known, person: issued(known, person, 90)),
    "has_polypharmacy": ("gp_prescriptions", lambda known, person: issued(known, person, 90)),
    "n_emergency_admissions_365d": (
        "hospital_events",
        lambda known, person: [row["started_on"] for row in admissions(known, person, 365)],
    ),
    "days_since_discharge": ("hospital_events", discharges),
    "has_home_care": ("care_events", running_home_care),
    "n_repairs_365d": ("housing_events", repaired),
    "days_adaptation_waiting": ("housing_events", waiting_since),
    "is_alarm_missing": ("fire_visits", lambda known, person: asked_at(known, person, "smoke_alarm_working")),
    "has_oxygen_or_emollient_with_smoking": (
        "fire_visits",
        lambda known, person: asked_at(known, person, "smoker", "home_oxygen", "emollient", "airflow_mattress"),
    ),
    "epc_rank": ("homes", lambda known, person: told_of_home(known, person, "epc_rating")),
    "n_occupants": ("homes", lambda known, person: told_of_home(known, person, "occupants")),
    "discount_says_alone": ("homes", lambda known, person: discount_told_on(known, person)),
    "age": ("gp_patients", registered_on),
    # Made of the register, the home's occupants and the newest visit that asked.
    "lives_alone_probability": (
        "gp_patients",
        lambda known, person: [
            *registered_on(known, person),
            *told_of_home(known, person, "occupants"),
            *discount_told_on(known, person),
            *asked_at(known, person, "lives_alone"),
        ],
    ),
    "years_at_home": ("gp_patients", lambda known, person: [known.since(person)]),
}


def test_a_fact_is_of_the_newest_day_it_rests_on(known: Known, county_tables: dict[str, pl.DataFrame]) -> None:
    spine = features_on(county_tables, AS_OF)[0]

    found = fact_days(
        known_on(county_tables, AS_OF), spine, AsOf(AS_OF), codelists=CONFIG.codelists, names=DAYS_BY_HAND
    )

    newest = {table: max(row["recorded_on"] for row in known.rows[table]) for table, _ in DAYS_BY_HAND.values()}
    by_hand = {
        (person, name): max(days(known, person), default=newest[table])
        for name, (table, days) in DAYS_BY_HAND.items()
        for person in spine["person_id"]
    }
    assert {(person, name): day for person, name, day in found.iter_rows()} == by_hand
    assert len({day for (_, name), day in by_hand.items() if name == "n_falls_365d"}) > 10


def test_of_a_table_that_was_not_sent_no_fact_has_a_day(county_tables: dict[str, pl.DataFrame]) -> None:
    without = {name: frame for name, frame in county_tables.items() if name != "fire_visits"}
    spine = features_on(without, AS_OF)[0]

    found = fact_days(
        known_on(without, AS_OF), spine, AsOf(AS_OF), codelists=CONFIG.codelists, names=["someone_smokes"]
    )

    assert found["known_on"].to_list() == [None] * spine.height


def test_what_no_one_agency_tells_has_no_day_of_its_own(county_tables: dict[str, pl.DataFrame]) -> None:
    spine = features_on(county_tables, AS_OF)[0]

    found = fact_days(
        known_on(county_tables, AS_OF), spine, AsOf(AS_OF), codelists=CONFIG.codelists, names=["n_known_agencies"]
    )

    assert found["known_on"].null_count() == spine.height
