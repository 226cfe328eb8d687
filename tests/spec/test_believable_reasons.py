"""Facts a professional believes: what may lower is signed, age is no fact beside its own age, old facts are dated."""

import math
from dataclasses import replace
from datetime import date
from functools import cache

import numpy as np
import polars as pl
import pytest
from scipy.special import logit

from ageingwell.config.load import load_config
from ageingwell.config.may_lower import MayLower
from ageingwell.errors import ConfigError
from ageingwell.features.build import FEATURES
from ageingwell.in_hundred import whole
from ageingwell.model.fitted import Explanation
from ageingwell.night.in_memory import outreach_list
from ageingwell.peers import Peers
from ageingwell.reasons import dated, stop_on_unknown_facts, tell_reasons, with_whole_numbers
from ageingwell.synthetic.county import CountyPlan, synthesise

CONFIG = load_config()
NIGHT = date(2026, 11, 22)
# What the readers of the demonstration no longer believed.
NEVER_LOWER = (
    "has_emollient_or_airflow",
    "is_alarm_missing",
    "has_home_care",
    "has_long_term_support",
    "n_support_declined_1095d",
    "n_fire_visits_refused_1095d",
    "n_gp_contacts_365d",
    "has_memory_concern",
    "has_fire_before_visit_1095d",
    "has_equipment_1095d",
    "has_telecare",
    "weekly_care_cost_gbp",
)


def told_of(values, beside, *, who="women aged 80 to 84 in Ludlow", signed=CONFIG.may_lower, peers_risk=0.2):
    """The reasons of one person whose features have these values and add so much beside their peers.

    They are compared with people at 20 in 100; -0.8 on the log-odds from there is 10 in 100, and 0.6 is 31.
    """
    columns = {name: pl.Series([value], dtype=pl.Float64) for name, value in values.items()}
    features = pl.DataFrame({"person_id": ["p1"], **columns})
    start = float(logit(peers_risk))
    explanation = Explanation(tuple(values), np.array([start]), np.array([[beside[name] for name in values]]))
    groups = pl.DataFrame({"person_id": ["p1"], "who": [who], "n_peers": [240], "peers_risk": [peers_risk], "row": [0]})
    peers = Peers(groups, np.zeros((1, len(values))))
    risk = pl.DataFrame({"person_id": ["p1"], "risk": 1 / (1 + np.exp(-explanation.log_odds))})
    return with_whole_numbers(tell_reasons(features, explanation, peers, signed=signed), peers, risk)


def on_page(told):
    facts = told.filter(pl.col("adds_in_100").is_not_null())
    return dict(facts.select("text", "adds_in_100").iter_rows())


@pytest.mark.parametrize("name", NEVER_LOWER)
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_artefacts_of_who_was_asked_of_help_and_of_the_outcome_never_lower(name, value):
    told = told_of({name: value}, {name: -0.8})

    assert on_page(told) == {}
    # It still counts: under all other facts of its theme.
    theme = next(feature.theme for feature in FEATURES if feature.name == name)
    assert told.filter(theme=theme)["others_in_100"].to_list() == [-10]


def test_nothing_lowers_without_a_signed_list():
    assert on_page(told_of({"has_dementia": 0.0}, {"has_dementia": -0.8})) == {"no record of dementia": -10}
    assert on_page(told_of({"has_dementia": 0.0}, {"has_dementia": -0.8}, signed=MayLower())) == {}


@pytest.mark.parametrize(("people", "told"), [(1.0, {}), (2.0, {"2 people aged 65 and over in the home": -10})])
def test_a_number_lowers_only_within_the_values_signed(people, told):
    assert on_page(told_of({"n_household_65plus": people}, {"n_household_65plus": -0.8})) == told


def test_an_unknown_fact_never_lowers():
    assert on_page(told_of({"has_dementia": None}, {"has_dementia": -0.8})) == {}


@pytest.mark.parametrize(
    ("who", "told"),
    [
        ("women aged 80 to 84 in Ludlow", {}),
        ("women aged 80 to 84 in all places", {}),
        ("women aged 75 to 84 in all places", {"aged 80 to 84": 11}),
        ("everybody aged 65 and over in all places", {"aged 80 to 84": 11}),
    ],
)
def test_age_is_no_fact_beside_people_of_the_same_age_and_elsewhere_a_band(who, told):
    assert on_page(told_of({"age": 83.0}, {"age": 0.6}, who=who)) == told


def test_diabetes_and_its_insulin_are_one_fact_with_one_number():
    told = told_of({"has_diabetes": 1.0, "has_insulin_90d": 1.0}, {"has_diabetes": 0.5, "has_insulin_90d": -0.3})

    # +0.2 on the log-odds from 20 in 100: 23.4, and so +3.
    assert on_page(told) == {"diabetes recorded by the GP": 3}


def test_a_number_made_by_several_facts_says_how_many():
    signs = ["has_mobility_problems", "has_gait_balance_problem", "has_foot_problems"]

    told = told_of(dict.fromkeys(signs, 1.0), dict.fromkeys(signs, 0.2))

    # +0.6 on the log-odds from 20 in 100: 31.3; each of the three makes a third of it.
    assert on_page(told) == {"foot problems recorded by the GP, and 2 related facts": 11}


def test_health_problems_that_are_not_on_record_stand_together():
    absent = {"has_dementia": -0.3, "has_heart_failure": -0.2, "has_cancer_1825d": -0.1}

    told = told_of(dict.fromkeys(absent, 0.0), absent)

    # -0.6 on the log-odds from 20 in 100: 12.1, and so -8.
    assert on_page(told) == {"no record of dementia, and 2 other health problems not on record": -8}


def test_more_facts_stand_on_the_page_while_all_others_would_outweigh_each_of_them():
    illnesses = [
        "has_dementia",
        "has_heart_failure",
        "has_respiratory_disease",
        "has_cancer_1825d",
        "has_skin_ulcer",
        "has_weight_loss",
        "has_mobility_problems",
        "has_chronic_kidney_disease",
        "has_diabetes",
    ]

    told = told_of(dict.fromkeys(illnesses, 1.0), dict.fromkeys(illnesses, 0.25))

    numbers = told["adds_in_100"].drop_nulls().to_list()
    assert len(numbers) > 5
    assert max(told["others_in_100"].drop_nulls(), default=0) <= max(numbers)


def test_an_old_fact_is_dated_and_a_new_one_and_what_holds_today_are_not():
    facts = pl.DataFrame(
        {
            "feature": ["mobility_level", "mobility_level", "n_household_65plus"],
            "text": ["may need help to get out", "may need help to get out", "2 people aged 65 and over in the home"],
            "known_on": [date(2022, 3, 9), date(2026, 3, 9), date(2012, 3, 9)],
        }
    )

    assert facts.select(dated(as_of=NIGHT, after_days=365))["text"].to_list() == [
        "may need help to get out, in March 2022",
        "may need help to get out",
        "2 people aged 65 and over in the home",
    ]


def test_a_list_that_names_a_fact_there_is_not_stops_the_night(small_county):
    with pytest.raises(ConfigError, match="there is no fact called `has_dementa`") as stopped:
        stop_on_unknown_facts(MayLower(not_on_record=("has_dementa",)))
    assert "has_dementia" in str(stopped.value)

    stop_on_unknown_facts(CONFIG.may_lower)
    wrong = replace(CONFIG, may_lower=MayLower(at_most={"lives_alone": 0.5}))
    with pytest.raises(ConfigError, match="there is no fact called `lives_alone`"):
        outreach_list(small_county, as_of=NIGHT, config=wrong)


def test_the_list_that_comes_with_the_software_waits_for_a_sites_own_sign_off():
    assert not CONFIG.may_lower.is_signed
    assert not CONFIG.may_lower.features & set(NEVER_LOWER)


SEEDS = (7, 8, 9)
EACH_COUNTY = pytest.mark.parametrize(
    "seed", [SEEDS[0], *(pytest.param(seed, marks=pytest.mark.full) for seed in SEEDS[1:])]
)


@pytest.fixture(scope="module")
def night_of(tmp_path_factory):
    """The frames of a night of the made-up county of a seed."""

    @cache
    def made(seed):
        folder = tmp_path_factory.mktemp(f"county{seed}")
        synthesise(CountyPlan(people=1_500, seed=seed), folder / "county")
        return outreach_list(folder / "county", as_of=NIGHT, config=CONFIG).frames

    return made


@pytest.mark.slow
@EACH_COUNTY
def test_no_fact_outside_the_signed_list_lowers_on_any_page(night_of, seed):
    lowering = night_of(seed).reasons.filter(pl.col("adds_in_100") < 0)

    assert lowering.height
    assert set(lowering["feature"]) <= CONFIG.may_lower.features
    assert set(lowering["direction"]) == {"lowers"}


@pytest.mark.slow
@pytest.mark.full
def test_where_a_chance_differs_the_remainder_is_the_largest_term_on_at_most_2_in_100_pages(night_of):
    # Beside all pages, those whose chance is within 1 in 100 of others': there is hardly anything to explain there.
    pages = largest = alike = of_alike = 0
    for night in map(night_of, SEEDS):
        compared = {row["person_id"]: row["peers_risk"] for row in night.compared.iter_rows(named=True)}
        for row in night.listed.filter(pl.col("person_id").is_in(list(compared))).iter_rows(named=True):
            theirs = night.reasons.filter(person_id=row["person_id"])
            facts, themes = (theirs[name].drop_nulls().to_list() for name in ("adds_in_100", "others_in_100"))
            rest = whole(row["risk"]) - whole(compared[row["person_id"]]) - sum(facts) - sum(themes)
            is_alike = abs(whole(row["risk"]) - whole(compared[row["person_id"]])) <= 1
            is_largest = max(map(abs, [*themes, rest])) > max(map(abs, facts), default=0)
            pages, largest = pages + 1, largest + is_largest
            alike, of_alike = alike + is_alike, of_alike + (is_alike and is_largest)
    assert pages > 200
    assert largest - of_alike <= 0.02 * (pages - alike)
    assert largest <= 0.035 * pages


@pytest.mark.slow
@EACH_COUNTY
def test_base_and_contributions_still_make_each_log_odds(night_of, seed):
    night = night_of(seed)
    sums = night.reasons.group_by("person_id").agg(pl.col("contribution").sum())
    scores = night.scores if isinstance(night.scores, pl.DataFrame) else night.scores.collect()
    both = sums.join(scores, on="person_id")
    assert both.height
    for row in both.iter_rows(named=True):
        assert math.isclose(row["base"] + row["contribution"], float(logit(row["risk"])), abs_tol=1e-6)
