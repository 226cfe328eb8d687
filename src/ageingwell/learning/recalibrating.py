"""Recalibrate a bundle for a place: its risks keep their reasons, and take on the place's own height.

A town has too few events to train on, and a county's bundle may tell its people too much or too little. The place's
calibration line, and what differs by age, are the parent's, moved as far as the place's events can say (`model.place`).
People of one age keep their order.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from scipy.special import expit

from ageingwell.audit.uses import learning_logged
from ageingwell.bundle import Bundle, load_bundle
from ageingwell.config.load import Config, GivenConfig, config_given
from ageingwell.context import Surroundings
from ageingwell.errors import TooFewEventsError
from ageingwell.evaluation.calibration import calibration, calibration_slope
from ageingwell.evaluation.discrimination import auroc, auroc_difference
from ageingwell.evaluation.estimate import tidy
from ageingwell.evaluation.groups import by_group
from ageingwell.evaluation.stored import as_text, from_text
from ageingwell.evaluation.wall import GAIN, TO_BEAT
from ageingwell.features.build import names
from ageingwell.given import GivenDay, maybe_day_of
from ageingwell.governance.card import model_card
from ageingwell.governance.disclosure import disclose, is_small
from ageingwell.learning.evaluating import as_trained
from ageingwell.learning.exposure import left_alone
from ageingwell.learning.hindsight import Past, look_back
from ageingwell.learning.measuring import WEEKS, groupings, hold, in_short, measure, places_of
from ageingwell.learning.storing import save_bundle
from ageingwell.model.fitted import FittedRisk
from ageingwell.model.place import Move, move_to_place, moved
from ageingwell.room import explained
from ageingwell.shown import Screen, Shown


@dataclass(frozen=True, repr=False)
class RecalibrationRun(Shown):
    """Where the place's bundle lies, its facts, and how each outcome's line moved."""

    folder: Path
    facts: Mapping[str, Any]
    moves: Mapping[str, Move]

    def _screen(self) -> Screen:
        told = self.facts["verdict"]
        facts = {"verdict": "usable" if told["usable"] else "not usable", "folder": self.folder}
        lines = moves_text(self).splitlines()
        return Screen("Bundle moved to a place", facts, ("what moved",), [(line,) for line in lines])


def recalibrate(
    data: str | Path,
    *,
    bundle: str | Path,
    out: str | Path,
    config: GivenConfig = None,
    recorded_up_to: GivenDay | None = None,
    surroundings: Surroundings | None = None,
) -> RecalibrationRun:
    """Move a bundle's calibration to the place whose records lie in `data`, and write the place's bundle to `out`.

    The move is learned on the latest year from households not held out, and measured on those held out, before and
    after. `facts["recalibration"]` holds the parent's digest, what moved and what was found. The verdict stays the
    parent's, for the order of people of one age stays, unless a rival, or the parent itself, orders the place's people
    better beyond chance.

    Raises `BundleError` for a bundle that does not match, and `TooFewEventsError` where the place has no people at
    risk of an outcome.
    """
    world = surroundings or Surroundings()
    data, out, config = Path(data), Path(out), config_given(config)
    day = maybe_day_of(recorded_up_to, name="recorded_up_to")
    with learning_logged("recalibrate", out, file=config.score.audit.file, settings=config.digest, world=world) as use:
        run = _recalibrated(data, bundle=bundle, out=out, config=config, day=day, world=world)
        use.tell(is_usable=bool(run.facts["verdict"]["usable"]))
        return run


def _recalibrated(
    data: Path, *, bundle: str | Path, out: Path, config: Config, day: date | None, world: Surroundings
) -> RecalibrationRun:
    parent = load_bundle(bundle, codelists=config.codelists, trust=config.score.model)
    then = replace(config, train=as_trained(config.train, parent))
    parts = ("fit", "rest", "test")
    past = look_back(data, config=then, parts=parts, recorded_up_to=day, surroundings=world)
    moves = {outcome: _move(outcome, model, past, then) for outcome, model in parent.models.items()}
    models = {outcome: moved(model, moves[outcome]) for outcome, model in parent.models.items()}
    found, tables = {}, {}
    for outcome, model in models.items():
        with world.stage(f"measure {outcome}"):
            found[outcome], tables[outcome] = _measured(outcome, model, past, parent, then)
    facts = {
        "made_up": parent.made_up or past.made_up,
        "training": parent.facts["training"],
        "evaluation": found,
        "verdict": _verdict(parent, models, tables[parent.ranking_outcome], past),
        "recalibration": _facts(parent, models, moves, past),
    }
    with explained("the bundle cannot be written"):
        card = model_card(facts, models, from_text(as_text(tables)))
        save_bundle(models, facts, out, codelists=config.codelists, tables=tables, card=card)
    return RecalibrationRun(out, facts, moves)


def moves_text(run: RecalibrationRun) -> str:
    """What a person reads first: how far each outcome's risks moved, and the bundle's folder."""
    lines = [
        f"{outcome}: log-odds {move.height:+.3f}, slope {move.slope:.3f}; kept {move.height_share:.0%} and "
        f"{move.slope_share:.0%} of what the place alone would say{_by_age(move)}"
        for outcome, move in run.moves.items()
    ]
    next_step = f'To use it, write bundle = "{run.folder}" into score.toml.'
    told = [f"verdict: {run.facts['verdict']['reason']}", f"bundle: {run.folder}"]
    return "\n".join([*lines, *told, *([next_step] if run.facts["verdict"]["usable"] else [])])


def _by_age(move: Move) -> str:
    if move.term is None:
        return ""
    return (
        f"; for each 10 years of age log-odds {move.height_by_age:+.3f}, slope {move.slope_by_age:+.3f}; kept "
        f"{move.height_by_age_share:.0%} and {move.slope_by_age_share:.0%}"
    )


def _move(outcome: str, model: FittedRisk, past: Past, config: Config) -> Move:
    """Learned from what was seen without help, as training is."""
    rows = past.parts["rest"].drop_nulls(outcome)
    if rows.is_empty():
        raise TooFewEventsError(f"{outcome}: nobody in these records is at risk of it", "send more people")
    weight = left_alone(rows, outcome, horizon_days=config.train.horizon_days, features=names())
    return move_to_place(model, model.matrix(rows, gaps="fill"), rows[outcome].to_numpy().astype(float), weight=weight)


def _measured(
    outcome: str, model: FittedRisk, past: Past, parent: Bundle, config: Config
) -> tuple[dict[str, Any], dict[str, pl.DataFrame]]:
    """The place's measures; the parent's where nobody held out had the outcome."""
    places = places_of(config.outreach.capacity.places(), weeks=WEEKS, share=past.shares["test"])
    held = hold(outcome, model, test=past.parts["test"], fit=past.parts["fit"], places=places)
    kept = {name: table for name, table in parent.tables.get(outcome, {}).items() if name == "reference"}
    if held is None:
        of_parent = {**parent.facts["evaluation"][outcome], "measured_on": "parent"}
        return of_parent, dict(parent.tables.get(outcome, {}))
    train = config.train
    tables = measure(held, cost_gbp=None, draws=train.draws, seed=train.seed)
    return {**in_short(held, tables, seed=train.seed), "measured_on": "place"}, tables | kept


def _verdict(
    parent: Bundle, models: Mapping[str, FittedRisk], tables: Mapping[str, pl.DataFrame], past: Past
) -> dict[str, Any]:
    """The parent's; not usable where a rival to beat, or the parent, orders the place's people better beyond chance."""
    told = parent.facts["verdict"]
    gains = tables["wall"].filter((pl.col("measure") == GAIN) & pl.col("name").is_in(TO_BEAT) & (pl.col("high") < 0))
    if gains.height:
        named = " and ".join(gains["name"])
        return {"usable": False, "reason": f"in this place {named} orders people better beyond chance"}
    if _orders_worse(parent, models, past):
        return {"usable": False, "reason": "in this place its parent orders people better beyond chance"}
    keeps = "as its parent, whose order of people of one age it keeps"
    return {"usable": told["usable"], "reason": f"{keeps}: {told['reason']}"}


def _orders_worse(parent: Bundle, models: Mapping[str, FittedRisk], past: Past) -> bool:
    """Whether people held out are in a worse order than the parent puts them in, beyond chance."""
    outcome = parent.ranking_outcome
    held = past.parts["test"].drop_nulls(outcome)
    happened = held[outcome].to_numpy().astype(np.int8)
    if not 0 < happened.sum() < happened.size:
        return False
    before, after = (model.score(held, gaps="fill") for model in (parent.models[outcome], models[outcome]))
    return bool(auroc_difference(happened, after, before).high < 0)


def _facts(parent: Bundle, models: Mapping[str, FittedRisk], moves: Mapping[str, Move], past: Past) -> dict[str, Any]:
    told = {}
    for outcome, move in moves.items():
        rows, held = (past.parts[part].drop_nulls(outcome) for part in ("rest", "test"))
        told[outcome] = {
            **_counts(rows, outcome),
            **{name: round(figure, 6) for name, figure in move.figures.items()},
            "held_out": {
                **_counts(held, outcome),
                "before": _calibration(parent.models[outcome], held, outcome),
                "after": _calibration(models[outcome], held, outcome),
            },
        }
    return {"parent_sha256": parent.digest, "cut_off": past.cut_offs.test.day.isoformat(), "outcomes": told}


def _counts(rows: pl.DataFrame, outcome: str) -> dict[str, int | None]:
    """People and events as they may leave; 1 to 7 are hidden."""
    counts = {"n": rows.height, "n_events": int(rows[outcome].sum())}
    return {name: pl.select(disclose(pl.lit(count))).item() for name, count in counts.items()}


def _calibration(model: FittedRisk, held: pl.DataFrame, outcome: str) -> dict[str, Any]:
    """Area, slope and height on households held out, and slopes within age bands, with their intervals.

    Empty where it cannot be told; area and slopes of bands also where they rest on 1 to 7 people, events or non-events.
    """
    happened = held[outcome].to_numpy().astype(np.int8)
    if not held.height:
        return {}
    odds = model.log_odds(model.score(held, gaps="fill"))
    bands = {"age_band": groupings(held, names())["age_band"]}
    slopes = by_group({"slope": calibration_slope}, happened, expit(odds), groupings=bands)
    area = tidy([({"measure": "auroc"}, auroc(happened, odds))]).row(0, named=True)
    return {
        **{row["measure"]: _ends(row) for row in calibration(happened, odds).iter_rows(named=True)},
        "auroc": [] if is_small(area) else _ends(area),
        "slope_by_age_band": {
            row["group"]: [] if row["is_small"] else _ends(row) for row in slopes.iter_rows(named=True)
        },
    }


def _ends(row: Mapping[str, Any]) -> list[float | None]:
    """A figure and the ends of its interval, None where it cannot be told."""
    return [None if row[end] is None else round(row[end], 4) for end in ("value", "low", "high")]
