"""A need counts what any agency tells: a fall only the hospital knows, smoking only the practice knows, and so on."""

from collections.abc import Callable

import polars as pl
import pytest
from helpers.known import codes, features_of, needs_found, register
from helpers.outreach import criteria
from helpers.tables import table

from ageingwell.config.outreach import Thresholds
from ageingwell.config.score import Ledger, RecipientView
from ageingwell.features.build import FEATURES
from ageingwell.outreach.rules import need_rules
from ageingwell.views.reader import reader_of

Frames = dict[str, pl.DataFrame]
ONE = [("p1", "h1", "1940-01-01")]


def night(people: list[tuple[str, str, str]] | None = None, **tables: pl.DataFrame) -> Frames:
    people = people or ONE
    first = {"gp_patients": register(*people), "gp_events": codes(("p1", "gp_contact", "2020-05-01"))}
    return {**first, **tables}


def stay(kind: str, icd10: str | None, day: str) -> pl.DataFrame:
    drawn = f"person_id | kind | icd10 | started_on | recorded_on\np1 | {kind} | {icd10 or ''} | {day} | {day}"
    return table(drawn, like="hospital_events")


def visit(home: str = "h1", day: str = "2026-10-01", **answers: str) -> pl.DataFrame:
    names, cells = " | ".join(answers), " | ".join(answers.values())
    head = f"household_id | visit_outcome | visited_on | recorded_on | {names}"
    return table(f"{head}\n{home} | completed | {day} | {day} | {cells}", like="fire_visits")


def issued(person: str, bnf: str, day: str = "2026-10-20") -> pl.DataFrame:
    frame = table(
        f"person_id | bnf_code | issued_on | recorded_on\n{person} | B | {day} | {day}", like="gp_prescriptions"
    )
    return frame.with_columns(bnf_code=pl.lit(bnf))


def hazard(home: str = "h1", day: str = "2026-10-01") -> pl.DataFrame:
    head = "household_id | event_type | category | happened_on | recorded_on"
    return table(f"{head}\n{home} | hazard_found | 1 | {day} | {day}", like="housing_events")


# --- Falls ---


@pytest.mark.parametrize("kind", ["emergency_admission", "ae_attendance"])
@pytest.mark.parametrize("icd10", ["W19", "S72.0"])
def test_a_fall_that_only_the_hospital_knows_is_a_fall_and_an_injury(kind: str, icd10: str) -> None:
    found = needs_found(night(hospital_events=stay(kind, icd10, "2026-09-20"), housing_events=hazard()))

    assert ("p1", "falls_assessment") in found
    assert ("p1", "hazard_and_falls") in found


@pytest.mark.parametrize(
    ("kind", "icd10", "day"),
    [
        ("emergency_admission", "J18.9", "2026-09-20"),
        ("emergency_admission", None, "2026-09-20"),  # nobody knows why
        ("planned_admission", "S72.0", "2026-09-20"),
        ("emergency_admission", "W19", "2025-11-21"),  # more than a year ago
    ],
)
def test_a_stay_for_something_else_or_of_another_year_is_no_fall(kind: str, icd10: str | None, day: str) -> None:
    assert ("p1", "falls_assessment") not in needs_found(night(hospital_events=stay(kind, icd10, day)))


def test_an_injury_typical_of_a_fall_counts_in_both_rules_of_falls() -> None:
    found = needs_found(night(gp_events=codes(("p1", "injurious_fall", "2026-08-01")), housing_events=hazard()))

    assert {need for _, need in found} >= {"falls_assessment", "hazard_and_falls"}


def test_falls_and_injuries_typical_of_one_are_counted_together_once_a_day() -> None:
    told = codes(
        ("p1", "fall", "2026-08-01"), ("p1", "injurious_fall", "2026-08-01"), ("p1", "injurious_fall", "2026-09-01")
    )

    assert features_of(night(gp_events=told))["p1"]["n_falls_365d"] == 2.0


@pytest.mark.parametrize("frailty", ["frailty_moderate", "frailty_severe"])
def test_coded_frailty_with_a_fall_calls_for_an_assessment(frailty: str) -> None:
    told = codes(("p1", frailty, "2015-01-01"), ("p1", "fall", "2026-08-01"))

    assert ("p1", "falls_assessment") in needs_found(night(gp_events=told))


# --- Fire: what feeds a fire, and what starts it, each told by any agency ---

OXYGEN = "0306000000AAAAA"
EMOLLIENT = "130201000AAAAAA"
YOUNG = [*ONE, ("p2", "h1", "1980-01-01")]  # somebody of 46 at the same home
FEEDS: dict[str, Callable[[str], Frames]] = {
    "oxygen at a visit": lambda _: {"fire_visits": visit(home_oxygen="yes")},
    "emollient at a visit": lambda _: {"fire_visits": visit(emollient="yes")},
    "airflow mattress at a visit": lambda _: {"fire_visits": visit(airflow_mattress="yes")},
    "oxygen coded": lambda who: {"gp_events": codes((who, "home_oxygen", "2026-08-13"))},
    "oxygen prescribed": lambda who: {"gp_prescriptions": issued(who, OXYGEN)},
    "emollient prescribed": lambda who: {"gp_prescriptions": issued(who, EMOLLIENT)},
}
STARTS: dict[str, Callable[[str], Frames]] = {
    "smoking at a visit": lambda _: {"fire_visits": visit(day="2026-10-02", smoker="yes")},
    "smoking coded": lambda who: {"gp_events": codes((who, "smoker", "2026-08-13"))},
}


def joined(*parts: Frames) -> Frames:
    names = {name for part in parts for name in part}
    return {name: pl.concat([part[name] for part in parts if name in part]) for name in names}


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("feed", FEEDS)
def test_what_feeds_a_fire_and_smoking_meet_whoever_tells_of_each(feed: str, start: str) -> None:
    both = joined(FEEDS[feed]("p1"), STARTS[start]("p1"))

    assert ("p1", "oxygen_or_emollient_smoking") in needs_found(night(**both))


@pytest.mark.parametrize(("feeder", "smoker"), [("p1", "p2"), ("p2", "p1")])
@pytest.mark.parametrize("feed", ["oxygen coded", "oxygen prescribed", "emollient prescribed"])
def test_they_meet_at_the_home_whoever_of_any_age_they_are_recorded_of(feed: str, feeder: str, smoker: str) -> None:
    both = joined(FEEDS[feed](feeder), STARTS["smoking coded"](smoker))

    assert ("p1", "oxygen_or_emollient_smoking") in needs_found(night(YOUNG, **both))


@pytest.mark.parametrize("part", [*FEEDS, *STARTS])
def test_one_of_the_two_alone_is_no_such_need(part: str) -> None:
    alone = (FEEDS | STARTS)[part]("p1")

    assert ("p1", "oxygen_or_emollient_smoking") not in needs_found(night(**alone))


def test_they_do_not_meet_across_homes_nor_after_three_years() -> None:
    apart = [*ONE, ("p2", "h2", "1945-01-01")]
    there = joined(FEEDS["oxygen coded"]("p1"), STARTS["smoking coded"]("p2"))
    long_ago = codes(("p1", "home_oxygen", "2026-08-13"), ("p1", "smoker", "2023-11-22"))

    assert needs_found(night(apart, **there)) == {}
    assert ("p1", "oxygen_or_emollient_smoking") not in needs_found(night(gp_events=long_ago))


def test_somebody_without_a_home_on_record_is_asked_of_their_own_record() -> None:
    both = joined(FEEDS["oxygen coded"]("p1"), STARTS["smoking coded"]("p1"))

    assert ("p1", "oxygen_or_emollient_smoking") in needs_found(night([("p1", "", "1940-01-01")], **both))


def test_of_charlie_each_line_counts_once_however_many_tell_it() -> None:
    told = visit(smoker="yes", alcohol_concern="yes")
    coded = codes(("p1", "smoker", "2026-08-13"), ("p1", "alcohol_concern", "2026-08-13"))
    fire = table("household_id | incident_type | happened_on | recorded_on", like="fire_incidents")

    two_lines = needs_found(night(YOUNG, fire_visits=told, gp_events=coded, fire_incidents=fire))

    assert ("p1", "fire_safety") not in two_lines


def test_alcohol_of_the_practice_and_a_fire_told_at_a_visit_are_lines_of_charlie() -> None:
    told = visit(smoker="yes", fire_in_last_year="yes")

    found = needs_found(night(YOUNG, fire_visits=told, gp_events=codes(("p2", "alcohol_concern", "2026-08-13"))))

    assert found["p1", "fire_safety"].startswith("a concern about alcohol in the GP record of this home (alcohol); ")
    assert "(previous fires)" in found["p1", "fire_safety"]


def test_a_fire_told_at_a_visit_and_one_attended_are_one_line_of_charlie() -> None:
    known = {"n_fire_incidents_1095d": 1.0, "has_fire_before_visit_1095d": 1.0, "someone_smokes": 1.0}

    assert "fire_safety" not in criteria(**known)
    assert "fire_safety" in criteria(**known, has_alcohol_concern=1.0)


def test_a_crew_that_may_not_read_health_reads_what_its_visits_told_and_nothing_of_the_practice() -> None:
    ledger = Ledger(permitted=(), views={"fire": RecipientView(themes=("fire", "home", "everyday_life"))})
    fire = reader_of("fire", ledger=ledger, thresholds=Thresholds())
    rules = {rule.name: rule for rule in need_rules(Thresholds())}

    for name in ("oxygen_or_emollient_smoking", "fire_safety"):
        sentences = {fact.words.replace("{}", "4") for fact in rules[name].facts()}
        read = fire.facts_of(name, "; ".join(sorted(sentences)))
        assert read
        assert not [sentence for sentence in read if "GP record" in sentence or "prescribed" in sentence]
        assert not fire.reads_need(name)


# --- Medicines ---


def test_a_medicine_on_two_lists_is_one_medicine() -> None:
    # The first stands on both lists; amitriptyline is anticholinergic.
    both = pl.concat([issued("p1", "0304010J0AAAAAA"), issued("p1", "0403010B0AAAGAG")])
    told = night(gp_prescriptions=both, gp_events=codes(("p1", "fall", "2026-08-01")))

    found = features_of(told)["p1"]

    assert (found["n_anticholinergic_90d"], found["n_sedative_90d"]) == (2.0, 1.0)
    assert found["n_anticholinergic_or_sedative_90d"] == 2.0
    assert ("p1", "unsafe_polypharmacy") not in needs_found(told)


# --- Care and company ---

CARE = "person_id | client_type | event_type | linked_person_id | started_on | recorded_on"


@pytest.mark.parametrize(
    ("client", "named", "carer"), [("service_user", "p1", 1.0), ("carer", "p1", 0.0), ("service_user", "p7", 0.0)]
)
def test_whom_a_service_users_row_names_cares_for_them_and_whom_a_carers_row_names_does_not(
    client: str, named: str, carer: float
) -> None:
    care = table(f"{CARE}\np9 | {client} | assessment | {named} | 2026-03-01 | 2026-04-01", like="care_events")
    frames = night([("p1", "h1", "1938-01-01")], care_events=care)

    assert features_of(frames)["p1"]["is_named_carer_1095d"] == carer
    assert (("p1", "carer_under_strain") in needs_found(frames)) is bool(carer)


def test_a_bereavement_that_the_practice_coded_counts_for_who_lives_alone() -> None:
    found = needs_found(night(gp_events=codes(("p1", "bereavement", "2026-03-01"))))

    assert found["p1", "bereaved_and_alone"].startswith("the GP has recorded a bereavement in the past 2 years; ")
    assert needs_found(night(gp_events=codes(("p1", "bereavement", "2024-11-21")))) == {}


# --- Homes ---


@pytest.mark.parametrize(
    ("fuel", "off_gas"),
    [
        ("mains_gas", 0.0),
        *((fuel, 1.0) for fuel in ("electricity", "oil", "lpg", "solid_fuel", "heat_network", "other")),
        ("unknown", None),
    ],
)
def test_only_mains_gas_is_on_gas(fuel: str, off_gas: float | None) -> None:
    assert features_of(night(homes=home(main_fuel=fuel)))["p1"]["is_off_gas"] == off_gas


@pytest.mark.parametrize(
    ("kind", "stairs"),
    [("house", 1.0), ("maisonette", 1.0), ("bungalow", 0.0), ("flat", 0.0), ("other", None), ("unknown", None)],
)
def test_a_home_of_another_kind_tells_nothing_of_stairs(kind: str, stairs: float | None) -> None:
    assert features_of(night(homes=home(property_type=kind)))["p1"]["has_stairs"] == stairs


def home(**told: str) -> pl.DataFrame:
    names, cells = " | ".join(told), " | ".join(told.values())
    return table(f"household_id | source | recorded_on | {names}\nh1 | epc | 2026-01-01 | {cells}", like="homes")


# --- A sentence never denies what a need says ---


def test_no_sentence_says_that_nothing_is_on_record_where_another_agency_may_have_told_it() -> None:
    # What several agencies tell: an absent sentence names the agency, or is about that agency's records alone.
    told_by_several = (
        "fall",
        "smokes",
        "smoking",
        "oxygen",
        "emollient",
        "alcohol",
        "broken bone",
        "injury",
        "carer",
        "bereave",
    )
    named = ("by the GP", "at a visit", "according to a visit", "by social care", "hospital", "emergency", "prescribed")
    blunt = {
        feature.name: feature.absent
        for feature in FEATURES
        if feature.absent and any(word in feature.absent for word in told_by_several)
        if not any(agency in feature.absent for agency in named)
    }
    assert blunt == {}
