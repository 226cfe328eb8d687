"""Whatever the county, the night and the settings: the files of a night keep every promise made of them."""

import math
import random
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path

import polars as pl
import pytest
from helpers.counties import (
    NIGHT,
    Row,
    add_rows,
    change,
    copy_of,
    new_version,
    newest_versions,
    opt_out,
    rows_of,
    settings_file,
    texts_of,
)
from helpers.oracle import Oracle
from helpers.shared import Shared
from polars.testing import assert_frame_equal

from ageingwell.bundle import load_bundle, predict
from ageingwell.config.load import Config, load_config
from ageingwell.contracts.made import validated
from ageingwell.decisions.choices import CONTACT_NOW, DECISIONS, OUTCOMES, STILL_TO_DO
from ageingwell.decisions.entry import Entry
from ageingwell.decisions.ledger import append
from ageingwell.kept.frames import CONTRACTS, frame_file
from ageingwell.known import known_people
from ageingwell.night.in_memory import outreach_list
from ageingwell.night.score import score
from ageingwell.permitted import permitted_or_stop
from ageingwell.sources.read import read_agencies
from ageingwell.synthetic.county import CountyPlan, synthesise
from ageingwell.timeline import AsOf

AGENCIES = ("gp", "social_care", "housing", "fire", "voluntary")
WEEK = timedelta(days=7)
# The nights of each county, in weeks from the last.
COUNTIES = {11: (-1, 0), 12: (-2, -1, 0)}


@dataclass(frozen=True)
class Scored:
    """A county, its settings, and consecutive weekly nights of it."""

    county: Path
    config: Config
    nights: tuple[Path, ...]

    def rows(self, night: Path, file: str) -> list[Row]:
        return pl.read_parquet(night / f"{file}.parquet").to_dicts()

    oracles: dict[Path, Oracle] = field(default_factory=dict)

    def oracle(self, night: Path) -> Oracle:
        """What plain Python makes of the records of a night, worked out once."""
        if night not in self.oracles:
            self.oracles[night] = Oracle(
                self.county,
                day_of(night),
                cooling_off=self.config.outreach.cooling_off_days.model_dump(),
                end_of_life=self.config.codelists["end_of_life"],
            )
        return self.oracles[night]


def day_of(night: Path) -> date:
    return date.fromisoformat(night.name[:10])


def drawn_settings(draw: random.Random) -> dict[str, object]:
    """Capacities from none to more than enough, floors, cooling-off days, and how the model's candidates are chosen."""
    return {
        **{f"capacity.{agency}": draw.choice([0, 1, 3, 8, 40]) for agency in AGENCIES},
        "floors.unknown_to_every_service": draw.choice([0.0, 0.1, 0.5]),
        "floors.most_deprived_fifth": draw.choice([0.0, 0.2]),
        "floors.rural": draw.choice([0.0, 0.3]),
        "cooling_off_days.completed": draw.choice([0, 30, 180, 700]),
        "cooling_off_days.no_access": draw.choice([1, 14, 90]),
        "high_risk_share": draw.choice([0.0, 0.05, 0.3]),
        "stay_margin": draw.choice([0.0, 0.15, 1.0]),
    }


def plant(county: Path, draw: random.Random, *, end_of_life: str) -> None:
    """Of every reason not to be visited a few more people than a small county has."""
    people = [person for person, row in newest_versions(county).items() if not row["died_on"] and not row["left_on"]]
    homes = {person: row["household_id"] for person, row in newest_versions(county).items()}
    chosen = iter(draw.sample(sorted(people), 70))
    yesterday, tomorrow = NIGHT - timedelta(days=1), NIGHT + timedelta(days=1)
    for kind in ("objection", "restriction", "type_1", "safeguarding", "staff_safety"):
        opt_out(county, kind, person=next(chosen))
        opt_out(county, kind, home=homes[next(chosen)])
    for recorded in (yesterday, NIGHT, tomorrow):
        new_version(county, next(chosen), died_on=yesterday, died_recorded_on=None, recorded_on=recorded)
        new_version(county, next(chosen), left_on=yesterday, left_recorded_on=None, recorded_on=recorded)
        new_version(county, next(chosen), household_id="b" * 31 + draw.choice("cdf"), recorded_on=recorded)
    for days in (1, 30, 119, 120, 121):
        stay = {"kind": "emergency_admission", "started_on": NIGHT - timedelta(days=days)}
        add_rows(county, "hospital_events", stay | {"person_id": next(chosen), "recorded_on": yesterday})
    # The same stay sent again with its end: on the day it ended, weeks later, not yet, and ahead of the end.
    for ended, told in ((20, 20), (30, 5), (5, -1), (10, 12)):
        stay = {"kind": "emergency_admission", "started_on": NIGHT - timedelta(days=40), "person_id": next(chosen)}
        add_rows(county, "hospital_events", stay | {"recorded_on": NIGHT - timedelta(days=39)})
        end = {"ended_on": NIGHT - timedelta(days=ended), "recorded_on": NIGHT - timedelta(days=told)}
        add_rows(county, "hospital_events", stay | end)
    for ended, told in ((100, 100), (100, 380), (None, 20)):
        home = {
            "client_type": "service_user",
            "event_type": "service",
            "service_type": "long_term_support_residential_care",
            "service_component": "long_term_residential",
            "has_unpaid_carer": "unknown",
            "started_on": NIGHT - timedelta(days=400),
            "person_id": next(chosen),
        }
        add_rows(county, "care_events", home | {"recorded_on": NIGHT - timedelta(days=380)})
        end = None if ended is None else NIGHT - timedelta(days=ended)
        add_rows(county, "care_events", home | {"ended_on": end, "recorded_on": NIGHT - timedelta(days=told)})
    wrong = next(chosen)
    dead = {"died_on": NIGHT - timedelta(days=60), "recorded_on": NIGHT - timedelta(days=50)}
    new_version(county, wrong, **dead)
    new_version(county, wrong, died_on=None, recorded_on=NIGHT - timedelta(days=30))
    for days in (1, 729, 730, 731):
        seen = {"happened_on": NIGHT - timedelta(days=days), "recorded_on": yesterday}
        add_rows(county, "gp_events", {"person_id": next(chosen), "code_system": "snomed", "code": end_of_life} | seen)
    for outcome in ("completed", "refused", "no_access", "deceased", "moved"):
        met = {"agency": "fire", "contacted_on": NIGHT - timedelta(days=14), "outcome": outcome}
        add_rows(county, "contacts", met | {"person_id": next(chosen), "recorded_on": yesterday})
        add_rows(county, "contacts", met | {"person_id": next(chosen), "recorded_on": tomorrow})
        if outcome != "deceased" and outcome != "moved":
            add_rows(county, "contacts", met | {"household_id": homes[next(chosen)], "recorded_on": yesterday})
    # Alone at home with no alarm: whoever opts out, dies or refuses must not put the home on the fire service's sheet.
    alone = [person for person, home in homes.items() if home and list(homes.values()).count(home) == 1]
    for number, person in enumerate(draw.sample(sorted(alone), 8)):
        visit = {"visited_on": NIGHT - timedelta(days=60), "recorded_on": NIGHT - timedelta(days=59)}
        found = {"visit_outcome": "completed", "smoke_alarm_working": "no"}
        add_rows(county, "fire_visits", {"household_id": homes[person]} | visit | found)
        if number < 3:
            opt_out(county, ("objection", "restriction", "type_1")[number], person=person)
        elif number < 5:
            ended = {"died_on": yesterday} if number == 3 else {"left_on": yesterday}
            new_version(county, person, recorded_on=tomorrow, **ended)
        elif number == 5:
            opt_out(county, "safeguarding", person=person)
            opt_out(county, "type_1", person=person)
    ghost = {"birth_month": date(1904, 3, 1), "registered_on": date(1950, 1, 1), "recorded_on": date(2019, 5, 5)}
    kept = {"sex": "female", "ethnic_group": "unknown", "practice_code": "Z80001"}
    add_rows(county, "gp_patients", {"person_id": "d" * 32, "household_id": "c" * 32} | ghost | kept)
    add_rows(county, "homes", {"household_id": homes[next(chosen)], "source": "cqc", "property_type": "care_home",
                               "tenure": "unknown", "main_fuel": "unknown", "step_free_access": "unknown",
                               "recorded_on": yesterday})  # fmt: skip
    # A home that an old row of one source calls a care home and a newer one of another a house.
    told = {"household_id": homes[next(chosen)], "tenure": "unknown", "main_fuel": "unknown"}
    for source, kind, days in (("cqc", "care_home", 900), ("epc", "house", 9)):
        recorded = {"recorded_on": NIGHT - timedelta(days=days), "step_free_access": "unknown"}
        add_rows(county, "homes", told | recorded | {"source": source, "property_type": kind})
    # Deaths that the council alone tells of, recorded before the night and after it.
    for recorded in (yesterday, tomorrow):
        row = {"client_type": "service_user", "event_type": "request", "started_on": NIGHT - timedelta(days=90)}
        death = {"died_on": NIGHT - timedelta(days=2), "recorded_on": recorded, "has_unpaid_carer": "unknown"}
        add_rows(county, "care_events", row | death | {"person_id": next(chosen)})
    # Addresses matched with low certainty: of anybody, and of somebody whose home may be one under safeguarding.
    for days in (20, 3):
        recorded = NIGHT - timedelta(days=days)
        new_version(county, next(chosen), household_match="low", recorded_on=recorded)
    perhaps = next(chosen)
    new_version(county, perhaps, household_match="low", recorded_on=NIGHT - timedelta(days=4))
    opt_out(county, "safeguarding", home=homes[perhaps])


@pytest.fixture(scope="module", params=[11, pytest.param(12, marks=pytest.mark.full)])
def scored(request: pytest.FixtureRequest, bundle: Path, shared: Shared) -> Scored:
    seed = request.param
    at = shared.folder(f"promises-{seed}", partial(publish_nights, bundle, seed))
    nights = tuple(at / "out" / str(NIGHT + n * WEEK) for n in COUNTIES[seed])
    return Scored(at / "county", load_config(at / "settings" / "score.toml"), nights)


def publish_nights(bundle: Path, seed: int, at: Path) -> None:
    draw = random.Random(seed)
    config = load_config(settings_file(at / "settings", bundle=bundle, outreach=drawn_settings(draw)))
    synthesise(CountyPlan(people=draw.randint(150, 260), seed=seed), at / "county")
    plant(at / "county", draw, end_of_life=config.codelists["end_of_life"][0])
    for week in COUNTIES[seed]:
        score(at / "county", as_of=NIGHT + week * WEEK, out=at / "out", config=config)


def test_no_agency_is_given_more_doors_than_its_week_holds(scored):
    places = scored.config.outreach.capacity.places()
    for night in scored.nights:
        doors = {(row["lead_agency"], row["household_id"] or row["person_id"]) for row in scored.rows(night, "list")}
        knocks = Counter(agency for agency, _ in doors)
        assert all(knocks[agency] <= places[agency] for agency in AGENCIES)


def test_a_home_has_one_lead(scored):
    for night in scored.nights:
        leads = {(row["household_id"], row["lead_agency"]) for row in scored.rows(night, "list") if row["household_id"]}
        assert len(leads) == len({home for home, _ in leads})


def who_must_not_be_called_on(oracle) -> dict[str, set[str]]:
    """By the reason, as the oracle works it out in plain Python."""
    return {
        "opted out": oracle.opted_out(),
        "deceased": oracle.deceased(),
        "moved": oracle.moved(),
        "safeguarded": oracle.safeguarded(),
        "care home": oracle.in_care_home(),
        "end of life": oracle.near_the_end(),
        "in hospital": oracle.in_hospital(),
        "cooling off": oracle.cooling(),
    }


def test_nobody_is_listed_who_must_not_be_called_on(scored):
    for night in scored.nights:
        oracle = scored.oracle(night)
        listed = {row["person_id"] for row in scored.rows(night, "list")}
        out = who_must_not_be_called_on(oracle)
        assert {reason: len(listed & people) for reason, people in out.items()} == dict.fromkeys(out, 0)


def test_nobody_is_knocked_for_whose_address_was_matched_with_low_certainty(scored):
    for night in scored.nights:
        unsure = scored.oracle(night).unsure
        rows = [row for row in scored.rows(night, "list") if row["person_id"] in unsure]
        assert unsure
        assert {(row["household_id"], row["lead_agency"]) for row in rows} <= {(None, "gp")}


def test_nobody_is_kept_off_for_a_reason_that_does_not_hold(scored):
    for night in scored.nights:
        oracle = scored.oracle(night)
        holds = {
            "deceased": oracle.deceased(),
            "moved": oracle.moved(),
            "safeguarding": oracle.safeguarded(),
            "safeguarding_at_home": oracle.safeguarded(),
            "care_home": oracle.in_care_home(),
            "end_of_life": oracle.near_the_end(),
            "in_hospital": oracle.in_hospital(),
            "cooling_off": oracle.cooling(),
        }
        told = [row for row in scored.rows(night, "attrition") if row["step"] == "eligible"]
        wrong = Counter(row["reason"] for row in told if row["person_id"] not in holds[row["reason"]])
        assert wrong == {}
        assert {row["reason"] for row in told} >= {"deceased", "moved"}
    assert {row["reason"] for row in told} >= {"in_hospital", "end_of_life", "care_home", "safeguarding"}


def test_everyone_who_entered_is_accounted_for_once(scored):
    entered = {row["person_id"] for row in rows_of(scored.county, "gp_patients")}
    for night in scored.nights:
        told = scored.rows(night, "attrition")
        named = [row["person_id"] for row in told if row["person_id"]]
        assert sum(row["n"] for row in told) == len(entered)
        assert len(named) == len(set(named))
        assert set(named) <= entered
        assert all(row["n"] == 1 for row in told if row["person_id"])


def test_people_who_opted_out_are_counted_and_in_no_file(scored):
    for night in scored.nights:
        out = scored.oracle(night).opted_out() & {row["person_id"] for row in rows_of(scored.county, "gp_patients")}
        counted = sum(row["n"] for row in scored.rows(night, "attrition") if row["step"] == "permitted")
        assert counted == len(out)
        assert len(out) > 4
        files = texts_of(night)
        named = {person: [file for file, text in files.items() if person in text] for person in out}
        # Of somebody under safeguarding the lead alone hears; nobody else, and nothing else.
        marked = scored.oracle(night).under_safeguarding_and_opted_out()
        assert {person: told for person, told in named.items() if told and person not in marked} == {}
        assert {file for person in marked for file in named[person]} <= {"safeguarded.parquet"}


def test_no_home_of_somebody_who_opted_out_died_or_refused_is_called_on_as_one_of_nobody(scored):
    for night in scored.nights:
        oracle = scored.oracle(night)
        rows = [row for row in scored.rows(night, "needs") if row["person_id"] is None]
        # Those under safeguarding are left to the lead, and stand on no agency's sheet.
        assert {row["outcome"] for row in rows} <= {"no_person_linked", "safeguarding"}
        homes = {row["household_id"] for row in rows if row["outcome"] == "no_person_linked"}
        assert homes & oracle.homes_not_empty() == set()
        assert homes & oracle.homes_in_peace() == set()
        opted = oracle.opted_out()
        assert homes & {home for person, home in oracle.last_homes().items() if person in opted} == set()


def test_those_who_reached_the_list_are_the_list(scored):
    for night in scored.nights:
        reached = {row["person_id"] for row in scored.rows(night, "attrition") if row["step"] == "listed"}
        assert reached == {row["person_id"] for row in scored.rows(night, "list")}


def test_the_scores_hold_everyone_who_could_have_been_listed(scored):
    for night in scored.nights:
        steps = ("rank", "allocate", "listed")
        eligible = {row["person_id"] for row in scored.rows(night, "attrition") if row["step"] in steps}
        assert eligible == {row["person_id"] for row in scored.rows(night, "scores")}


def test_every_need_on_the_list_stands_among_the_needs_and_allocated_means_listed(scored):
    for night in scored.nights:
        needs = scored.rows(night, "needs")
        found = {(row["person_id"], row["need"]) for row in needs}
        rows = scored.rows(night, "list")
        assert {(row["person_id"], need) for row in rows for need in row["needs"]} <= found
        listed = {row["person_id"] for row in rows}
        assert all((row["outcome"] == "allocated") == (row["person_id"] in listed) for row in needs)
        homes = [row for row in needs if row["person_id"] is None]
        assert {row["outcome"] for row in homes} <= {"no_person_linked", "safeguarding"}


def test_a_listed_person_has_a_need_or_a_high_risk(scored):
    for night in scored.nights:
        rows = scored.rows(night, "list")
        assert all(row["needs"] or row["why"] == "model" for row in rows)
        assert [row["position"] for row in rows] == list(range(1, len(rows) + 1)), "rows stand as they are printed"
        assert len({row["rank"] for row in rows}) == len(rows), "no rank is shared"


def test_the_risks_are_the_models_of_the_records_known_that_night(scored, tmp_path):
    night = scored.nights[-1]
    config, day = scored.config, day_of(night)
    records = read_agencies(scored.county, config.tables, workspace=tmp_path, max_refused_share=0.1)
    gate = permitted_or_stop(records, config=config, purpose="direct_care", recipients=("group",), on=day)
    features = known_people(gate, AsOf(day), config=config).features()
    risks = predict(load_bundle(config.score.bundle, codelists=config.codelists), features, threads=1)

    scores = pl.read_parquet(night / "scores.parquet")
    columns = ["person_id", "risk", "risk_loss_of_independence", "risk_death", "score", "base"]
    expected = scores.select("person_id").join(risks, on="person_id").sort("person_id").select(columns)
    assert_frame_equal(scores.select(columns), expected, check_exact=True)


def test_base_and_contributions_add_up_to_the_log_odds_of_the_risk(scored):
    for night in scored.nights:
        told = pl.read_parquet(night / "reasons.parquet")
        scores = {row["person_id"]: row for row in scored.rows(night, "scores")}
        for row in scored.rows(night, "list"):
            contributions = told.filter(person_id=row["person_id"])["contribution"].to_list()
            log_odds = scores[row["person_id"]]["base"] + math.fsum(contributions)
            assert log_odds == pytest.approx(math.log(row["risk"] / (1 - row["risk"])), abs=1e-6)
        assert set(told["person_id"]) == {row["person_id"] for row in scored.rows(night, "list")}


def test_facts_are_set_beside_the_same_means_within_a_group_and_are_of_days_before_the_night(scored):
    for night in scored.nights:
        told = pl.read_parquet(night / "reasons.parquet").join(
            pl.read_parquet(night / "compared.parquet"), on="person_id"
        )

        means = told.with_columns(mean=pl.col("contribution") - pl.col("beside_peers"))
        spread = means.group_by("who", "feature").agg(pl.col("mean").max() - pl.col("mean").min(), pl.len())
        assert spread["mean"].max() < 1e-9
        assert spread["len"].max() > 1
        on_page = told.filter(pl.col("adds_in_100").is_not_null())
        assert on_page.height > 0
        assert (on_page["known_on"].drop_nulls() < date.fromisoformat(night.name[:10])).all()
        assert set(on_page["agency"].drop_nulls()) <= {"gp", "hospital", "social_care", "housing", "fire"}
        assert told.filter(pl.col("adds_in_100").is_null() & pl.col("known_on").is_not_null()).is_empty()


def test_the_files_keep_their_contracts(scored):
    for night in scored.nights:
        for name, contract in CONTRACTS.items():
            file = "list" if name == "listed" else name
            validated(contract, pl.read_parquet(night / f"{file}.parquet"))


def test_no_file_holds_ten_digits_in_a_row(scored):
    # SHA-256 digests of files, as sha256sum writes them, UUIDs of services, decimals of figures and bytes of memory are
    # no NHS numbers.
    allowed = (
        r"\b[0-9a-f]{64}\b|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\d+\.\d+(e-?\d+)?"
        r'|"peak_memory_bytes": \d+'
    )
    for night in scored.nights:
        for file, text in texts_of(night).items():
            read = re.sub(allowed, "", text)
            assert not re.search(r"\d{10}", read), file


def test_row_keys_join_no_two_nights_and_no_two_agencies(scored):
    keys = [row["row_key"] for night in scored.nights for row in scored.rows(night, "list")]
    assert len(keys) == len(set(keys)) > 0
    for night in scored.nights:
        people = {row["person_id"] for row in scored.rows(night, "list")}
        told = {file: text for file, text in texts_of(night).items() if file.startswith("agencies/")}
        ids = {file: set(re.findall(r"\b[bcdfghjklmnpqrst]{32}\b", text)) for file, text in told.items()}
        by_agency: dict[str, set[str]] = {}
        for file, found in ids.items():
            agency = file.split("/")[1].split(".")[0]  # a practice has files of its own in the folder `gp`
            by_agency[agency] = by_agency.get(agency, set()) | found
        mixed = Counter(key for found in by_agency.values() for key in found if key not in people)
        homes = {row["household_id"] for row in scored.rows(night, "needs")}
        assert [key for key, n in mixed.items() if n > 1 and key not in homes] == []


def test_new_and_left_are_told_against_the_last_night(scored):
    first, *later = scored.nights
    assert all(row["new_since_last"] for row in scored.rows(first, "list"))
    assert scored.rows(first, "left_list") == []
    for before, after in zip(scored.nights, later, strict=False):
        then = {row["person_id"] for row in scored.rows(before, "list")}
        rows = scored.rows(after, "list")
        assert {row["person_id"] for row in rows if not row["new_since_last"]} == then & {r["person_id"] for r in rows}
        left = {row["person_id"]: row["reason"] for row in scored.rows(after, "left_list")}
        assert left.keys() == then - {row["person_id"] for row in rows}
        told = {row["person_id"]: row["reason"] for row in scored.rows(after, "attrition") if row["person_id"]}
        assert {person: told.get(person, "no_longer_in_the_records") for person in left} == left


@dataclass(frozen=True)
class Decided:
    """What the group said after the last night, of every kind of person, and the night that heard of it."""

    said: tuple[Entry, ...]
    night: Path


def drawn_entries(scored: Scored, draw: random.Random) -> list[Entry]:
    """Answers of the group about people listed and not, in peace, gone, opted out, and about nobody on the register."""
    homes = {person: row["household_id"] for person, row in newest_versions(scored.county).items()}
    listed = [row["person_id"] for row in scored.rows(scored.nights[-1], "list")]
    others = sorted(set(homes) - set(listed))
    chosen = draw.sample(listed, len(listed) // 2) + draw.sample(others, len(others) // 4) + ["b" * 32]
    day = scored.nights[-1]
    said = []
    for person in chosen:
        decision = draw.choice([*DECISIONS, CONTACT_NOW, CONTACT_NOW, None])
        met = draw.random() < 0.3 or decision is None
        said.append(
            Entry(
                night=day_of(day),
                recipient=draw.choice(["group", *AGENCIES]),
                kind="listed" if person in listed or decision != CONTACT_NOW else "added",
                person_id=person,
                household_id=homes.get(person),
                decision=decision,
                led_by=draw.choice(AGENCIES) if decision == CONTACT_NOW else None,
                reason="need_agreed" if decision else None,
                told=draw.choice(["yes", None]),
                outcome=draw.choice([*OUTCOMES]) if met else None,
                contacted_on=day_of(day) + timedelta(days=1) if met else None,
                agency=draw.choice(AGENCIES) if met else None,
            )
        )
    return said


def recorded(out: Path, said: list[Entry], *, on: date) -> None:
    at = datetime.combine(on, time(12), tzinfo=UTC)
    append(out / "decisions.sqlite", said, role="meeting chair", recorded_at=at, file_sha256="0" * 64)


@pytest.fixture(scope="module")
def decided(scored: Scored, shared: Shared) -> Decided:
    said = drawn_entries(scored, random.Random(scored.county.parent.name))

    def publish_after_meeting(at: Path) -> None:
        copy_of(scored.nights[0].parent, at / "out")
        recorded(at / "out", said, on=NIGHT + timedelta(days=2))
        score(scored.county, as_of=NIGHT + WEEK, out=at / "out", config=scored.config)

    at = shared.folder(f"{scored.county.parent.name}-decided", publish_after_meeting)
    return Decided(tuple(said), at / "out" / str(NIGHT + WEEK))


def test_with_decisions_too_no_agency_has_more_doors_than_its_week_and_no_home_two_leads(scored, decided):
    """What a meeting agreed is never dropped: an agency with more of that than places gets nothing new."""
    rows = scored.rows(decided.night, "list")
    doors = {(row["lead_agency"], row["household_id"] or row["person_id"]) for row in rows}
    promised = {door for row, door in zip(rows, map(door_of, rows)) if row["status"] in ("agreed", "overdue")}
    agreed = Counter(agency for agency, door in doors if door in promised)
    knocks = Counter(agency for agency, _ in doors)
    for agency, places in scored.config.outreach.capacity.places().items():
        assert knocks[agency] <= max(places, agreed[agency])
    assert len(doors) == len({door for _, door in doors})


def door_of(row: Row) -> str:
    return str(row["household_id"] or row["person_id"])


def test_nobody_is_listed_who_must_not_be_called_on_though_the_group_agreed_to_it(scored, decided):
    oracle = scored.oracle(decided.night)
    listed = {row["person_id"] for row in scored.rows(decided.night, "list")}
    agreed = {one.person_id for one in decided.said if one.decision == CONTACT_NOW}
    out = {
        **who_must_not_be_called_on(oracle),
        "said otherwise": {one.person_id for one in decided.said if one.decision not in (CONTACT_NOW, None)},
        "told to be gone": {one.person_id for one in decided.said if one.outcome in ("deceased", "moved")},
        "not registered": {"b" * 32},
    }
    assert {reason: len(listed & people) for reason, people in out.items()} == dict.fromkeys(out, 0)
    assert agreed & set().union(*out.values()), "some whom the group agreed on must not be called on"
    told = {file: text for file, text in texts_of(decided.night).items() if file != "safeguarded.parquet"}
    assert not any(person in text for text in told.values() for person in oracle.opted_out())


def test_what_is_agreed_and_listed_has_its_lead_and_a_visit_made_is_agreed_no_more(scored, decided):
    rows = {row["person_id"]: row for row in scored.rows(decided.night, "list")}
    alone = Counter(one.household_id for one in decided.said if one.decision == CONTACT_NOW)
    for one in decided.said:
        row = rows.get(one.person_id)
        if row is None:
            continue
        waits = one.decision == CONTACT_NOW and one.outcome in (None, *STILL_TO_DO)
        # A visit to somebody else there is not the one agreed; past its day it is overdue.
        assert (row["status"] in ("agreed", "overdue")) is waits
        if waits and alone[one.household_id] == 1:
            assert row["lead_agency"] == one.led_by
    assert {row["person_id"] for row in rows.values() if row["status"] != "proposed"} <= {
        one.person_id for one in decided.said
    }


@pytest.mark.parametrize("scored", [11], indirect=True)
def test_what_is_recorded_on_the_night_or_later_changes_nothing_but_withdrawals_and_the_order_of_rows_nothing(
    scored, decided, tmp_path
):
    """Facts of every table told on the night or after it, of half the people, answers too, and all rows shuffled; then
    deaths, moves and leavings."""
    night, draw = day_of(decided.night), random.Random(5)
    late = copy_of(scored.county, tmp_path / "late")
    for table in {path.stem for path in late.glob("*.parquet")}:
        of_people = table in ("gp_patients", "permissions", "contacts")
        change(late, table, partial(shuffled if of_people else with_told_late, night=night, draw=draw))
    # A death or a move counts however late it was recorded.
    later = [one for one in drawn_entries(scored, random.Random(7)) if one.outcome not in ("deceased", "moved")]
    recorded(copy_of(decided.night.parent, tmp_path / "out"), later, on=night)

    before, of_late = (
        outreach_list(county, as_of=night, earlier=out, config=scored.config).frames
        for county, out in ((scored.county, decided.night.parent), (late, tmp_path / "out"))
    )

    assert [name for name in CONTRACTS if not getattr(before, name).equals(getattr(of_late, name))] == []
    published = {name: pl.read_parquet(decided.night / frame_file(name)) for name in CONTRACTS}
    assert [name for name in CONTRACTS if not getattr(before, name).lazy().collect().equals(published[name])] == []

    people = [row["person_id"] for row in scored.rows(decided.night, "scores")][:6]
    for number, person in enumerate(people):
        ends = ({"died_on": night}, {"left_on": night}, {"household_id": "b" * 32})[number % 3]
        new_version(late, person, recorded_on=night + WEEK, **ends)
    after = outreach_list(late, as_of=night, config=scored.config).frames

    columns = ["person_id", "risk", "score", "base", "n_known_agencies"]
    stay = before.scores.select(columns).filter(~pl.col("person_id").is_in(people))
    assert_frame_equal(
        after.scores.select(columns).filter(pl.col("person_id").is_in(stay["person_id"])), stay, check_exact=True
    )
    told = dict(after.attrition.filter(pl.col("person_id").is_in(people)).select("person_id", "reason").rows())
    assert [told[person] for person in people] == ["deceased", "moved", "moved"] * 2


def shuffled(rows: pl.DataFrame, night: date, draw: random.Random) -> pl.DataFrame:
    return rows[draw.sample(range(rows.height), rows.height)]


def with_told_late(rows: pl.DataFrame, night: date, draw: random.Random) -> pl.DataFrame:
    """And every second row that was known before the night, told again on it."""
    again = rows.filter(pl.col("recorded_on") < night).gather_every(2).with_columns(recorded_on=night)
    return shuffled(pl.concat([rows, again]), night, draw)


def test_with_a_wide_margin_nobody_loses_a_place_to_a_newcomer_hardly_worth_more(bundle, night_of_few_places, tmp_path):
    """Those who just missed a place have been to hospital since, so that without a margin they push others out."""
    places = {f"capacity.{agency}": 4 for agency in AGENCIES}
    out, county = night_of_few_places / "out", copy_of(night_of_few_places / "county", tmp_path / "county")
    missed = pl.read_parquet(out / str(NIGHT) / "attrition.parquet").filter(step="allocate")["person_id"].drop_nulls()
    day = timedelta(days=1)
    stay = {"kind": "emergency_admission", "started_on": NIGHT - day, "ended_on": NIGHT, "recorded_on": NIGHT + day}
    add_rows(county, "hospital_events", *(stay | {"person_id": person} for person in missed.sort()[:8]))
    lost = {}
    for margin in (0.0, 1.0):
        settings = settings_file(tmp_path / str(margin), bundle=bundle, outreach=places | {"stay_margin": margin})
        night = outreach_list(county, as_of=NIGHT + WEEK, earlier=out, config=load_config(settings))
        gone = night.frames.left_list
        lost[margin] = gone.filter(pl.col("reason").is_in(["no_place_this_week", "no_need_or_high_risk"])).height
    assert lost[0.0] > 0
    assert lost[1.0] == 0
