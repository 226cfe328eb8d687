"""Needs about the home, care, medicines and company: each just met, just not met, and unknown."""

import polars as pl
import pytest
from helpers.outreach import criteria, needs_of, people, person, shipped_interventions

from ageingwell.config.outreach import Interventions, Thresholds
from ageingwell.errors import ConfigError
from ageingwell.outreach.needs import find_needs, with_outcome
from ageingwell.outreach.rules import need_rules

JUST_MET = {
    "cold_home": {"epc_rank": 5.0, "has_respiratory_disease": 1.0},
    "adaptation_waiting": {"has_adaptation_waiting": 1.0, "days_adaptation_waiting": 90.0},
    "hazard_and_falls": {"n_hazards_1095d": 1.0, "n_falls_1095d": 1.0},
    "carer_under_strain": {"is_unpaid_carer": 1.0, "age": 85.0},
    "unsafe_polypharmacy": {"n_medicines_90d": 10.0},
    "bereaved_and_alone": {"is_bereaved_730d": 1.0, "lives_alone_probability": 0.7},
    "isolation": {"is_isolated_social_care": 1.0},
}


@pytest.mark.parametrize("need", JUST_MET)
def test_just_met_is_met(need):
    assert list(criteria(**JUST_MET[need])) == [need]


@pytest.mark.parametrize(
    ("need", "known"),
    [
        ("cold_home", {"epc_rank": 4.0, "has_respiratory_disease": 1.0}),
        ("cold_home", {"epc_rank": 7.0, "has_hypertension": 1.0}),
        ("adaptation_waiting", {"has_adaptation_waiting": 0.0, "days_adaptation_waiting": 90.0}),
        ("hazard_and_falls", {"n_hazards_1095d": 1.0, "n_falls_1095d": 0.0}),
        ("carer_under_strain", {"is_unpaid_carer": 1.0, "age": 84.0}),
        ("carer_under_strain", {"is_unpaid_carer": 0.0, "age": 95.0}),
        ("unsafe_polypharmacy", {"n_medicines_90d": 9.0}),
        ("unsafe_polypharmacy", {"n_anticholinergic_or_sedative_90d": 3.0, "n_falls_365d": 0.0}),
        ("unsafe_polypharmacy", {"n_anticholinergic_90d": 2.0, "n_sedative_90d": 2.0, "n_falls_365d": 1.0}),
        ("bereaved_and_alone", {"is_bereaved_730d": 1.0, "lives_alone_probability": 0.69}),
        ("isolation", {"lives_alone_probability": 0.9, "n_gp_contacts_365d": 1.0, "n_known_agencies": 0.0}),
    ],
)
def test_just_short_is_not_met(need, known):
    assert need not in criteria(**known)


@pytest.mark.parametrize("need", JUST_MET)
def test_unknown_is_not_met(need):
    for fact in JUST_MET[need]:
        if not fact.startswith("days_"):
            assert need not in criteria(**{**JUST_MET[need], fact: None})


def test_of_somebody_of_whom_nothing_is_known_nothing_is_needed():
    assert criteria() == {}


def test_the_criterion_names_the_rating_and_the_illness():
    assert criteria(epc_rank=6.0, has_heart_failure=1.0, has_respiratory_disease=1.0)["cold_home"] == (
        "energy rating F; heart failure is recorded; lung disease is recorded"
    )


def test_the_criterion_says_how_long_they_have_waited():
    assert criteria(**JUST_MET["adaptation_waiting"])["adaptation_waiting"] == (
        "an adaptation to the home is waiting; waiting for 90 days"
    )


def test_three_fall_medicines_count_after_a_fall():
    found = criteria(n_anticholinergic_or_sedative_90d=3.0, n_falls_365d=1.0)

    assert found == {
        "unsafe_polypharmacy": "3 anticholinergic or sedative medicines, and a fall in the past year",
    }


def test_living_alone_and_unseen_by_everyone_is_a_reason_to_ask():
    assert list(criteria(lives_alone_probability=0.8, n_gp_contacts_365d=0.0, n_known_agencies=0.0)) == ["isolation"]


def test_a_need_carries_the_lead_and_the_action_of_its_table():
    needs = needs_of(person(n_medicines_90d=12.0))

    told = shipped_interventions().needs["unsafe_polypharmacy"]
    assert needs.select("lead_agency", "action", "urgency").rows() == [(told.lead, told.action, told.urgency)]


def test_a_rule_without_a_table_is_a_mistake_in_the_settings():
    told = shipped_interventions()
    fewer = Interventions(needs={name: table for name, table in told.needs.items() if name != "cold_home"})

    with pytest.raises(ConfigError, match="needs without a table: `cold_home`; tables without a rule: none"):
        find_needs(people(person()), rules=need_rules(Thresholds()), interventions=fewer)


def test_every_need_says_allocated_or_why_not():
    needs = needs_of(*(person(f"p{n}", f"h{n}", is_alarm_missing=1.0) for n in (1, 2, 3)))
    listed = pl.DataFrame({"person_id": ["p1"]})
    left_for = pl.col("person_id").replace_strict({"p2": "cooling_off"}, default=None, return_dtype=pl.String)

    told = with_outcome(needs.with_columns(left_for=left_for), listed=listed)

    outcomes = [("p1", "allocated"), ("p2", "cooling_off"), ("p3", "no_place_this_week")]
    assert told.select("person_id", "outcome").rows() == outcomes
