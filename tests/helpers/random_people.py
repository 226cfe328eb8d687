"""People with random records and random models that explain them, as a night would, without a county."""

from collections.abc import Collection
from dataclasses import fields
from datetime import date
from functools import cache

import numpy as np
import polars as pl

from ageingwell.bundle import Bundle
from ageingwell.config.load import Config, load_config
from ageingwell.contracts.services import schema_of
from ageingwell.decisions.remembering import LAST_TIME, PLANS
from ageingwell.evaluation.calibration import Line
from ageingwell.features.build import FEATURES
from ageingwell.features.feature import Feature
from ageingwell.kept.frames import CONTRACTS, NightFrames
from ageingwell.model.columns import Column
from ageingwell.model.fitted import FittedRisk
from ageingwell.model.margin import Curve, Margin
from ageingwell.night.joining import contributions_of, risks_of
from ageingwell.night.telling import reasons_of
from ageingwell.outreach.needs import find_needs
from ageingwell.outreach.rules import need_rules
from ageingwell.peers import compare, find_alike
from ageingwell.register import LEAD_AGENCIES, THEME_OF_AGENCY
from ageingwell.services.offerable import nothing_offerable
from helpers.boosters import train
from helpers.outreach import shipped_interventions
from helpers.views import pseudonym

Draw = np.random.Generator
LEVELS = {"clutter_rating": 9, "epc_rank": 7, "mobility_level": 4, "care_support_level": 4}
INTERVENTIONS = shipped_interventions()


@cache
def config() -> Config:
    """The shipped settings."""
    return load_config()


def drawn_features(n: int, draw: Draw) -> pl.DataFrame:
    """Every feature of `n` people in random homes, a quarter of the values unknown."""
    columns = {feature.name: _values(feature, n, draw) for feature in FEATURES}
    return pl.DataFrame({"person_id": [pseudonym(f"p{number}") for number in range(n)], **columns})


def _values(feature: Feature, n: int, draw: Draw) -> pl.Series:
    if feature.name == "age":
        return pl.Series(feature.name, draw.integers(65, 100, n).astype(float))
    if feature.shown_as == "share" or feature.name.endswith(("_probability", "_index")):
        drawn = draw.random(n).round(2)
    elif feature.name in LEVELS:
        drawn = draw.integers(1, LEVELS[feature.name] + 1, n).astype(float)
    elif feature.name.startswith(("is_", "has_", "someone_", "came_")):
        drawn = draw.integers(0, 2, n).astype(float)
    else:
        drawn = draw.choice([0.0, 1.0, 2.0, 3.0, 12.0, 40.0, 400.0], n)
    return pl.Series(feature.name, drawn).set(pl.Series(draw.random(n) < 0.25), None)


def with_others_facts(features: pl.DataFrame, other: pl.DataFrame, themes: Collection[str]) -> pl.DataFrame:
    """The same people with the facts of some themes taken from another drawing."""
    theirs = [feature.name for feature in FEATURES if feature.theme in themes]
    return features.with_columns(other.select(theirs).get_columns())


@cache
def _booster(seed: int) -> object:
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(200, len(FEATURES))).round(1)
    x[draw.random(x.shape) < 0.2] = np.nan
    return train(x, draw.normal(size=200), trees=10, num_leaves=6)


def drawn_bundle(draw: Draw) -> Bundle:
    """A usable bundle of one random model that lets every fact count, known or not."""
    curves = tuple(
        Curve((0.0, 1.0, 50.0), tuple(draw.normal(size=3).round(3).tolist()), round(float(draw.normal()), 3))
        for _ in FEATURES
    )
    model = FittedRisk(
        booster_=_booster(int(draw.integers(3))),
        columns=tuple(Column(feature.name) for feature in FEATURES),
        margin=Margin(-1.0, curves),
        levels=(None,) * len(FEATURES),
        typical=(0.0,) * len(FEATURES),
        missing_in_training=frozenset(feature.name for feature in FEATURES),
        line=Line(-0.2, 0.1),
    )
    return Bundle({"loss_of_independence": model}, {"verdict": {"usable": True}}, "ab12")


def needs_of(features: pl.DataFrame) -> pl.DataFrame:
    """The needs of these people by rule, all of them allocated."""
    homes = [pseudonym(f"h{number // 2}") for number in range(features.height)]
    people = features.with_columns(pl.Series("household_id", homes), is_end_of_life=pl.lit(value=False))
    found = find_needs(people, rules=need_rules(config().outreach.thresholds), interventions=INTERVENTIONS)
    return found.with_columns(outcome=pl.lit("allocated"))


def risks_and_reasons(features: pl.DataFrame, bundle: Bundle) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What the model makes of these people, each beside the others: their risks, and every contribution."""
    explained = contributions_of(bundle, features, threads=1)
    risks = risks_of(bundle, features, threads=1)
    spine = features.select("person_id", pl.col("age").cast(pl.Int64), sex=pl.lit("female"), place=pl.lit("Ludlow"))
    alike = find_alike(spine.with_columns(care_home=pl.lit("no")), minimum_age=65)
    reasons = reasons_of(explained, features["person_id"], compare(alike, explained, risks), risks, config())
    return risks, reasons.with_columns(known_on=pl.lit(None, dtype=pl.Date), agency=pl.lit("gp"))


def night_of(**frames: pl.DataFrame) -> NightFrames:
    """A night of which only some frames matter; nothing is on nearby unless services are given."""
    frames = {"services": nothing_offerable(), **_of_pages(frames["listed"]), **_before(frames["listed"]), **frames}
    empty = {name: pl.DataFrame(schema=schema_of(contract)) for name, contract in CONTRACTS.items()}
    return NightFrames(**{field.name: frames.get(field.name, empty[field.name]) for field in fields(NightFrames)})


OWN_WORDS = "Likes to be rung on Sundays"


def _before(listed: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """A decision and a plan of everybody: each agency leads some, and each takes a step of every kind."""
    on, steps = date(2026, 11, 20), ("need:falls_assessment", "need:cold_home", "need:no_working_alarm", "own")
    said, planned = [], []
    for number, person in enumerate(listed["person_id"]):
        agency, other = (LEAD_AGENCIES[(number + more) % len(LEAD_AGENCIES)] for more in (0, 1))
        said.append(
            dict.fromkeys(LAST_TIME)
            | {"person_id": person, "night": on, "decided_on": on, "decision": "contact_now", "led_by": agency}
            | {"reason": "own_wish", "outcome": "no_access", "contacted_on": on, "contacted_by": other}
            | {"person_said": "not_now", "said_on": on, "said_to": other, "said_night": on}
        )
        of_plan = {"person_id": person, "night": on, "made_on": on, "matters": "warm_at_home", "also_matters": None}
        of_plan |= {"agreed": "yes", "review_on": on, "is_review_due": True, "helped": "no", "note": OWN_WORDS}
        planned += [
            of_plan | {"number": n, "step": step, "words": OWN_WORDS if step == "own" else None, "by_when": on}
            | {"who": LEAD_AGENCIES[(number + n) % len(LEAD_AGENCIES)]}
            for n, step in enumerate(steps, start=1)
        ]  # fmt: skip
    return {"last_time": pl.DataFrame(said, schema=LAST_TIME), "plans": pl.DataFrame(planned, schema=PLANS)}


def _of_pages(listed: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """What the pages of persons need besides: other outcomes, whom they are compared with, who knows them."""
    people = listed.select("person_id")
    return {
        "scores": people.with_columns(risk_new_long_term_care=pl.lit(0.02)),
        "compared": people.with_columns(who=pl.lit("women aged 80 to 84 in Clun"), n_peers=pl.lit(240), peers_risk=0.1),
        "in_touch": listed.select("person_id", agency="known_to", last_on=pl.lit(None, dtype=pl.Date))
        .explode("agency")
        .drop_nulls("agency"),
        # Whoever knows somebody has seen them once; what one agency recorded is nobody else's to read.
        "past_events": listed.select(
            "person_id",
            happened_on=pl.lit(date(2026, 5, 24)),
            agency="known_to",
            theme=pl.col("known_to"),
            text=pl.lit("Care review"),
            is_theirs=pl.lit(value=True),
        )
        .explode("agency", "theme")
        .drop_nulls("agency")
        .with_columns(pl.col("theme").replace_strict(THEME_OF_AGENCY, return_dtype=pl.String)),
    }
