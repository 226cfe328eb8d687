"""Train a bundle: fit on earlier cut-offs, calibrate on a later one, measure on the latest; see `hindsight`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ageingwell.audit.uses import learning_logged
from ageingwell.config.load import Config, GivenConfig, config_given
from ageingwell.config.score import TrainSettings
from ageingwell.context import Surroundings
from ageingwell.errors import TooFewEventsError
from ageingwell.evaluation.drift import reference_bins
from ageingwell.evaluation.sample_size import minimum_sample_size
from ageingwell.evaluation.stored import as_text, from_text
from ageingwell.features.build import FEATURES, names, with_agencies_missing
from ageingwell.given import GivenDay, maybe_day_of
from ageingwell.governance.card import model_card
from ageingwell.governance.disclosure import disclose
from ageingwell.learning.exposure import is_exposed, left_alone
from ageingwell.learning.hindsight import PARTS, Past, look_back
from ageingwell.learning.measuring import WEEKS, Held, hold, in_short, measure, places_of
from ageingwell.learning.ranges import alike
from ageingwell.learning.storing import save_bundle
from ageingwell.model.calibrating import calibrate
from ageingwell.model.columns import columns_of, to_matrix
from ageingwell.model.fitted import AGE, FittedRisk
from ageingwell.model.fitting import Recipe, fit_risk
from ageingwell.model.order import in_mean_one
from ageingwell.model.ranges import range_of, unlikeness
from ageingwell.model.traps import Trap, traps_in
from ageingwell.model.trees import SHAPES, SIGNS
from ageingwell.room import explained
from ageingwell.shown import Screen, Shown, interval_text, sentence

Labels = Mapping[str, NDArray[np.int8]]


@dataclass(frozen=True, repr=False)
class TrainingRun(Shown):
    """Where a bundle lies, what was found of each outcome's model, and every table of its measures by outcome."""

    folder: Path
    facts: Mapping[str, Any]
    tables: Mapping[str, Mapping[str, pl.DataFrame]]

    def _screen(self) -> Screen:
        found = self.facts["evaluation"]
        rows = [
            (name, interval_text(*(one["auroc"][end] for end in ("value", "low", "high"))))
            for name, one in found.items()
        ]
        told = self.facts["verdict"]
        facts = {
            "verdict": "usable" if told["usable"] else "not usable",
            "folder": self.folder,
            "card": self.folder / "card.md",
        }
        return Screen("Trained bundle", facts, ("outcome", "AUROC (95%)"), rows, sentence(told["reason"]))


def train(
    data: str | Path,
    *,
    out: str | Path,
    config: GivenConfig = None,
    recorded_up_to: GivenDay | None = None,
    surroundings: Surroundings | None = None,
) -> TrainingRun:
    """Train a bundle on the records in `data` and write it to the folder `out`.

    `recorded_up_to` is the day the extract was taken; without it, the day after the newest row of the GP register.
    Raises `TooFewEventsError` with the number needed where an outcome is too rare.
    """
    data, out, config = Path(data), Path(out), config_given(config)
    day = maybe_day_of(recorded_up_to, name="recorded_up_to")
    world = surroundings or Surroundings()
    with learning_logged("train", out, file=config.score.audit.file, settings=config.digest, world=world) as use:
        run = _trained(data, out=out, config=config, day=day, world=world)
        use.tell(is_usable=bool(run.facts["verdict"]["usable"]))
        return run


def _trained(data: Path, *, out: Path, config: Config, day: date | None, world: Surroundings) -> TrainingRun:
    settings = config.train
    past = look_back(data, config=config, recorded_up_to=day, surroundings=world)
    places = places_of(config.outreach.capacity.places(), weeks=WEEKS, share=past.shares["test"])
    models, found, tables, traps = {}, {}, {}, {}
    for outcome in _trainable(past, settings):
        with world.stage(f"model of {outcome}"):
            models[outcome] = train_outcome(outcome, past.parts, settings)
            traps[outcome] = [str(trap) for trap in traps_of(outcome, past.parts["fit"], settings)]
        with world.stage(f"measure {outcome}"):
            held = _held(outcome, models[outcome], past, places)
            tables[outcome] = measure(held, cost_gbp=None, draws=settings.draws, seed=settings.seed)
            found[outcome] = in_short(held, tables[outcome], seed=settings.seed)
    # What the facts looked like then, so that a night can say how far they have drifted since.
    reference = reference_bins(past.parts["fit"].select(names())).with_columns(disclose(pl.col("n")))
    tables[next(iter(models))]["reference"] = reference
    facts = {
        "made_up": past.made_up,
        "training": _describe(past, settings, list(models)) | ({"traps": traps} if any(traps.values()) else {}),
        "evaluation": found,
        "verdict": found[next(iter(models))]["verdict"],
    }
    with explained("the bundle cannot be written"):
        # From the tables as they are stored, so that the card can be written again from the bundle, byte for byte.
        card = model_card(facts, models, from_text(as_text(tables)))
        save_bundle(models, facts, out, codelists=config.codelists, tables=tables, card=card)
    return TrainingRun(out, facts, tables)


def _held(outcome: str, model: FittedRisk, past: Past, places: Mapping[str, int]) -> Held:
    held = hold(outcome, model, test=past.parts["test"], fit=past.parts["fit"], places=places)
    if held is None:
        raise TooFewEventsError(f"{outcome}: nobody held out to test had the event", "train on more people")
    return held


def _trainable(past: Past, settings: TrainSettings) -> list[str]:
    """The outcomes asked for; emergency admissions need hospital records unless the settings insist."""
    without_hospital = "hospital_events" in past.missing and not settings.insist_on_emergency_admission
    return [name for name in settings.outcomes if name != "emergency_admission" or not without_hospital]


def train_outcome(
    outcome: str, parts: Mapping[str, pl.DataFrame], settings: TrainSettings, *, by_age: bool = True
) -> FittedRisk:
    """The calibrated model of one outcome with its range, from the parts of `look_back`.

    Without `by_age` calibration is one line for people of every age, as it was in bundles of format 5 and before.
    """
    to_fit, later = (left_without_help(outcome, parts[part], settings) for part in ("fit", "calibrate"))
    at_risk = {"fit": to_fit[0], "calibrate": later[0], "test": parts["test"].drop_nulls(outcome)}
    labels = {part: rows[outcome].to_numpy().astype(np.int8) for part, rows in at_risk.items()}
    _stop_on_few_events(outcome, labels, settings)
    fitted = fit_outcome(outcome, *to_fit, settings, by_age=by_age)
    model = calibrate(fitted, at_risk["calibrate"], labels["calibrate"], weight=later[1])
    odds = model.log_odds(model.score(at_risk["test"]))
    return replace(model, spread=range_of(labels["test"], odds, unlike=unlikeness(odds, alike(at_risk["test"]))))


def fit_outcome(
    outcome: str, rows: pl.DataFrame, weight: NDArray[np.float64], settings: TrainSettings, *, by_age: bool = True
) -> FittedRisk:
    """One outcome's model, fitted on rows and weights of `left_without_help`, not yet calibrated on a later year."""
    rehearsed = with_agencies_missing(rows.select(names()), share=settings.late_agency_share, seed=settings.seed)
    columns = columns_of(rehearsed)
    return fit_risk(
        to_matrix(rehearsed, columns),
        rows[outcome].to_numpy().astype(np.int8),
        columns=columns,
        signs=[SIGNS[feature.direction] for feature in FEATURES],
        weight=weight,
        groups=rows["person_id"].to_numpy(),
        recipe=_recipe(settings, by_age=by_age),
    )


def traps_of(outcome: str, rows: pl.DataFrame, settings: TrainSettings) -> tuple[Trap, ...]:
    """What in the rows to fit on makes a model look better than it is; see `RiskModel.fit`.

    Rows of one person are kept together, and later cut-offs test: neither is told.
    """
    seen = left_without_help(outcome, rows, settings)[0]
    features, happened = seen.select(names()), seen[outcome].to_numpy().astype(float)
    columns = columns_of(features)
    return traps_in(to_matrix(features, columns), happened, columns, has_groups=True, has_time=True)


def left_without_help(
    outcome: str, rows: pl.DataFrame, settings: TrainSettings
) -> tuple[pl.DataFrame, NDArray[np.float64]]:
    """The rows at risk of the outcome that were seen without help, and their weights (n,), 1 in the mean."""
    at_risk = rows.drop_nulls(outcome)
    alone = left_alone(at_risk, outcome, horizon_days=settings.horizon_days, features=names())
    seen, weight = at_risk.filter(alone > 0), alone[alone > 0]
    return seen, in_mean_one(weight)


def _recipe(settings: TrainSettings, *, by_age: bool) -> Recipe:
    """What the fit may choose from; no leaf describes fewer people than the settings allow.

    Without the blend: a model of curves and few trees can be read on its card, and is trained in half the time.
    """
    shapes = tuple(
        replace(shape, people_per_leaf=max(shape.people_per_leaf, settings.minimum_people_per_leaf))
        for shape in SHAPES
        if shape.leaves <= settings.leaves
    )
    return Recipe(
        shapes=shapes,
        most_trees=settings.trees,
        seed=settings.seed,
        blends=False,
        bends=True,
        age=AGE if by_age else None,
    )


def _stop_on_few_events(outcome: str, labels: Labels, settings: TrainSettings) -> None:
    events, rows = int(labels["fit"].sum()), labels["fit"].size
    needed = events_needed(events, rows, settings=settings, n_features=len(FEATURES))
    if events < needed:
        raise TooFewEventsError(
            f"{outcome}: {events:,} events among {rows:,} rows to fit on, and at least {needed:,} are needed",
            f"train on a county or several, recalibrate a bundle made elsewhere, or take {outcome} out of `outcomes`",
        )
    for part in ("calibrate", "test"):
        if not 0 < int(labels[part].sum()) < labels[part].size:
            raise TooFewEventsError(f"{outcome}: nobody held out to {part} had the event", "train on more people")


def events_needed(events: int, rows: int, *, settings: TrainSettings, n_features: int) -> int:
    """The fewest events to fit on: Riley's criteria at this share of events, and never fewer than `minimum_events`.

    Every feature counts as `parameters_per_feature` parameters; of its effect at least `least_shrinkage` is to hold on
    new people. Without an event the floor alone is told: no share can be had from none.

    >>> from ageingwell.config.load import load_config
    >>> events_needed(75, 1_250, settings=load_config().train, n_features=141)
    597
    """
    if not 0 < events < rows:
        return settings.minimum_events
    riley = minimum_sample_size(
        n_parameters=max(1, ceil(settings.parameters_per_feature * n_features)),
        event_share=events / rows,
        shrinkage=settings.least_shrinkage,
    )
    return max(settings.minimum_events, riley.n_events)


def _outreach(outcome: str, past: Past, settings: TrainSettings) -> dict[str, Any]:
    """How many of the rows at risk were helped before the outcome could be seen, by part; small counts are hidden."""
    told = {}
    for part in PARTS:
        at_risk = past.parts[part].drop_nulls(outcome)
        n = int(is_exposed(at_risk, outcome, horizon_days=settings.horizon_days).sum())
        told[part] = {"rows": at_risk.height, "exposed": pl.select(disclose(pl.lit(n))).item()}
    return told


def _describe(past: Past, settings: TrainSettings, outcomes: Sequence[str]) -> dict[str, Any]:
    return {
        "cut_offs": {part: [cut.day.isoformat() for cut in past.cut_offs.of(part)] for part in PARTS},
        "n_people": {part: past.parts[part]["person_id"].n_unique() for part in PARTS},
        "n_events": {part: {name: int(past.parts[part][name].sum()) for name in outcomes} for part in PARTS},
        "outreach": {outcome: _outreach(outcome, past, settings) for outcome in outcomes},
        "horizon_days": settings.horizon_days,
        "settings": settings.model_dump(mode="json"),
    }
