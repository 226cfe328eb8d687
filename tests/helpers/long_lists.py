"""The lists of a made-up county in a week with places for many, so that every recipient's list is long."""

import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl

from ageingwell.config.load import Config, load_config
from ageingwell.config.outreach import Capacity
from ageingwell.night.joining import side_by_side
from ageingwell.outreach.allocate import allocate
from ageingwell.outreach.household import one_knock_a_door
from ageingwell.outreach.listing import list_rows
from ageingwell.outreach.needs import find_needs, recorded_facts
from ageingwell.outreach.rank import rank_people
from ageingwell.outreach.rules import need_rules
from ageingwell.synthetic.county import CountyPlan, synthesise
from ageingwell.views.reader import EVERY_THEME
from helpers.knowledge import features_on
from helpers.views import reasons


def long_night(people: int, *, capacity: Capacity, seed: int) -> tuple[Config, SimpleNamespace, date]:
    """The list of a made-up county in a week with places for many: rules and sharing as on any night, risks drawn."""
    config = load_config()
    config = replace(config, outreach=config.outreach.model_copy(update={"capacity": capacity}))
    rules = need_rules(config.outreach.thresholds)
    with tempfile.TemporaryDirectory() as scratch:
        plan = CountyPlan(people=people, seed=seed)
        synthesise(plan, Path(scratch))
        spine, features = features_on(
            {path.stem: pl.read_parquet(path) for path in Path(scratch).glob("*.parquet")}, plan.as_of
        )
    draw = np.random.default_rng(seed)
    risks = pl.DataFrame({"person_id": features["person_id"], "risk": draw.beta(1, 8, features.height).round(4)})
    everybody = side_by_side(spine, features, risks).with_columns(
        is_end_of_life=pl.lit(value=False),
        has_staff_safety_marker=pl.Series(draw.random(features.height) < 0.05),
        risk_low=pl.col("risk"),
        risk_high=pl.col("risk"),
    )
    needs = find_needs(everybody, rules=rules, interventions=config.interventions).with_columns(
        outcome=pl.lit("allocated")
    )
    ranked = rank_people(everybody, needs, previous=None, settings=config.outreach)
    # The strongest fact of somebody whom the estimate brought here may be of any theme.
    ranked = ranked.with_columns(top_theme=pl.Series(draw.choice(sorted(EVERY_THEME), ranked.height)))
    shared = allocate(
        one_knock_a_door(ranked, needs, settings=config.outreach),
        capacity=capacity, floors=config.outreach.floors, settings=config.outreach,
    )  # fmt: skip
    listed = list_rows(shared.visits, ranked=ranked, needs=needs, settings=config.outreach, as_of=plan.as_of)
    frames = SimpleNamespace(
        listed=listed.with_columns(new_since_last=pl.lit(value=True)),
        needs=needs,
        reasons=reasons(),
        people=everybody,
        recorded=recorded_facts(everybody.join(listed.select("person_id"), on="person_id", how="semi"), rules=rules),
    )
    return config, frames, plan.as_of
