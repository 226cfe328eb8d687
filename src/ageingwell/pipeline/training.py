"""Train a bundle: several cut-offs in the past, split in time, calibrated on people and a year it was not fitted to.

Fit on earlier cut-offs, calibrate on a later one, test on the latest. Every label used before the test cut-off had
settled by then, as it would have in life. People are split by household once for all cut-offs, so nobody stands on
both sides.
"""

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ageingwell.bundle import save_bundle
from ageingwell.config.load import Config
from ageingwell.config.score import TrainSettings
from ageingwell.errors import SourceError, TooFewEventsError
from ageingwell.evaluation.calibration import calibration_line
from ageingwell.evaluation.discrimination import Estimate, auroc, auroc_difference
from ageingwell.features.build import FEATURES, build_features, names, with_agencies_missing
from ageingwell.governance.card import model_card
from ageingwell.model.columns import columns_of, to_matrix
from ageingwell.model.fitted import FittedRisk, calibrate, with_range
from ageingwell.model.fitting import Recipe, fit_risk
from ageingwell.model.trees import SHAPES, SIGNS
from ageingwell.outcomes import label_outcomes
from ageingwell.permissions import in_force, keep_permitted, stop_unless_checked, stop_unless_permitted
from ageingwell.pipeline.surroundings import Surroundings
from ageingwell.publish.faults import explained
from ageingwell.sources.read import Records, read_agencies
from ageingwell.spine import build_spine, known_tables, latest_versions
from ageingwell.timeline import AsOf, Horizon

PARTS = ("fit", "calibrate", "test")
# What the model has to beat at the same list length; each is a column of the features, more meaning more risk.
BASELINES = {
    "age alone": "age",
    "frailty index": "frailty_index",
    "emergency admissions": "n_emergency_admissions_365d",
}


@dataclass(frozen=True)
class CutOffs:
    """The days a training looks from: features up to each, outcomes in the horizon after it."""

    fit: tuple[AsOf, ...]
    calibrate: AsOf
    test: AsOf

    def of(self, part: str) -> tuple[AsOf, ...]:
        """The cut-offs of one part of the split."""
        return {"fit": self.fit, "calibrate": (self.calibrate,), "test": (self.test,)}[part]


@dataclass(frozen=True)
class TrainingRun:
    """Where a bundle lies, and what was found of each outcome's model."""

    folder: Path
    facts: Mapping[str, Any]


def train(
    data: Path,
    *,
    out: Path,
    config: Config,
    recorded_up_to: date | None = None,
    surroundings: Surroundings | None = None,
) -> TrainingRun:
    """Train a bundle on the records in `data` and write it to the folder `out`.

    `recorded_up_to` is the day the extract was taken; without it, the day after the newest row of the GP register.
    Raises `TooFewEventsError` with the number needed where an outcome is too rare.
    """
    world = surroundings or Surroundings()
    settings = config.train
    with tempfile.TemporaryDirectory(prefix="ageingwell-") as scratch:
        with world.stage("read"):
            records = read_agencies(
                data,
                config.tables,
                workspace=Path(scratch),
                max_refused_share=config.score.max_refused_share,
                progress=world.tell,
            )
        today = recorded_up_to or _day_after_newest(records)
        permitted = _permitted(records, config=config, on=today)
        cut_offs = choose_cut_offs(AsOf(today), settings)
        people = _split(latest_versions(permitted.tables["gp_patients"].rows), settings)
        with world.stage("features and outcomes"):
            parts = {part: _part(part, cut_offs, people, permitted, config) for part in PARTS}
    models, found = {}, {}
    for outcome in _trainable(records, settings):
        with world.stage(f"model of {outcome}"):
            models[outcome], found[outcome] = _train_outcome(outcome, parts, settings)
    facts = {
        "made_up": records.made_up,
        "training": _describe(cut_offs, parts, settings),
        "evaluation": found,
        "verdict": verdict(found[next(iter(models))]),
    }
    with explained("the bundle cannot be written"):
        save_bundle(models, facts, out, codelists=config.codelists)
        (out / "card.md").write_text(model_card(facts, models), encoding="utf-8")
    return TrainingRun(out, facts)


def _day_after_newest(records: Records) -> date:
    newest = records.tables["gp_patients"].newest_on
    if newest is None:
        raise SourceError("gp_patients: the table has no rows", "send it again")
    return newest + timedelta(days=1)


def _permitted(records: Records, *, config: Config, on: date) -> Records:
    purpose = "evaluation" if config.score.purpose == "direct_care" else config.score.purpose
    stop_unless_permitted(
        config.ledger, records.tables, purpose=purpose, recipients=("group",), on=on, made_up=records.made_up
    )
    permissions = records.tables["permissions"].rows
    stop_unless_checked(permissions, config.ledger, on=on)
    return records.with_rows(
        keep_permitted(records.rows(), in_force(permissions, on=on), purpose=purpose, ledger=config.ledger)
    )


def choose_cut_offs(today: AsOf, settings: TrainSettings) -> CutOffs:
    """The latest cut-off whose outcomes have settled is the test; those before it had settled by the test's day.

    >>> from ageingwell.config.load import load_config
    >>> chosen = choose_cut_offs(AsOf(date(2026, 11, 22)), load_config().train)
    >>> chosen.test.day.isoformat(), chosen.calibrate.day.isoformat(), [cut.day.isoformat() for cut in chosen.fit]
    ('2025-08-24', '2024-05-26', ['2023-05-27', '2022-05-27'])
    """
    until_settled = settings.horizon_days + settings.settling_days
    test = today.minus(until_settled)
    calibration = test.minus(until_settled)
    between = settings.days_between_fit_cut_offs
    return CutOffs(
        tuple(calibration.minus(between * n) for n in range(1, settings.fit_cut_offs + 1)), calibration, test
    )


def _split(people: pl.DataFrame, settings: TrainSettings) -> pl.DataFrame:
    """Each person's part, drawn once for their household: person_id, part."""
    door = pl.coalesce("household_id", "person_id")
    doors = people.select(door=door).unique().sort("door")
    draws = [_draw(f"{settings.seed}:{name}") for name in doors["door"]]
    share = pl.Series("_draw", draws, dtype=pl.Float64)
    part = (
        pl.when(pl.col("_draw") < settings.test_share)
        .then(pl.lit("test"))
        .when(pl.col("_draw") < settings.test_share + settings.calibration_share)
        .then(pl.lit("calibrate"))
        .otherwise(pl.lit("fit"))
    )
    drawn = doors.with_columns(share).select("door", part=part)
    return people.select("person_id", door=door).join(drawn, on="door").select("person_id", "part")


def _draw(text: str) -> float:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / 2**64


def _part(part: str, cut_offs: CutOffs, people: pl.DataFrame, records: Records, config: Config) -> pl.DataFrame:
    """Features and labels of one part of the split, its cut-offs one under the other."""
    ours = people.filter(pl.col("part") == part).select("person_id")
    return pl.concat([_at(cut_off, ours, records, config) for cut_off in cut_offs.of(part)])


def _at(cut_off: AsOf, people: pl.DataFrame, records: Records, config: Config) -> pl.DataFrame:
    settings = config.train
    then = known_tables(records, cut_off, config.tables)
    settled = known_tables(records, cut_off.plus(settings.horizon_days + settings.settling_days), config.tables)
    spine = build_spine(then, cut_off, minimum_age=config.score.minimum_age, places=config.places)
    features = build_features(then, spine, cut_off, codelists=config.codelists)
    labels = label_outcomes(settled, spine, cut_off, horizon=Horizon(settings.horizon_days), codelists=config.codelists)
    both = features.join(labels, on="person_id", maintain_order="left")
    return both.join(people, on="person_id", how="semi", maintain_order="left").with_columns(cut_off=cut_off.day)


def _trainable(records: Records, settings: TrainSettings) -> list[str]:
    """The outcomes asked for; emergency admissions need hospital records unless the settings insist."""
    without_hospital = "hospital_events" in records.missing and not settings.insist_on_emergency_admission
    return [name for name in settings.outcomes if name != "emergency_admission" or not without_hospital]


def _train_outcome(
    outcome: str, parts: Mapping[str, pl.DataFrame], settings: TrainSettings
) -> tuple[FittedRisk, dict[str, Any]]:
    at_risk = {part: rows.drop_nulls(outcome) for part, rows in parts.items()}
    labels = {part: rows[outcome].to_numpy().astype(np.int8) for part, rows in at_risk.items()}
    _stop_on_few_events(outcome, labels, settings)
    rehearsed = with_agencies_missing(
        at_risk["fit"].select(names()), share=settings.late_agency_share, seed=settings.seed
    )
    columns = columns_of(rehearsed)
    fitted = fit_risk(
        to_matrix(rehearsed, columns),
        labels["fit"],
        columns=columns,
        signs=[SIGNS[feature.direction] for feature in FEATURES],
        groups=at_risk["fit"]["person_id"].to_numpy(),
        recipe=_recipe(settings),
    )
    model = calibrate(fitted, at_risk["calibrate"], labels["calibrate"])
    model = with_range(model, at_risk["test"], labels["test"])
    return model, _evaluate(model, at_risk["test"], labels["test"])


def _recipe(settings: TrainSettings) -> Recipe:
    """What the fit may choose from; no leaf describes fewer people than the settings allow."""
    shapes = tuple(
        replace(shape, people_per_leaf=max(shape.people_per_leaf, settings.minimum_people_per_leaf))
        for shape in SHAPES
        if shape.leaves <= settings.leaves
    )
    return Recipe(shapes=shapes, most_trees=settings.trees, seed=settings.seed)


def _stop_on_few_events(outcome: str, labels: Mapping[str, NDArray[np.int8]], settings: TrainSettings) -> None:
    events = int(labels["fit"].sum())
    if events < settings.minimum_events:
        raise TooFewEventsError(
            f"{outcome}: {events} events among {labels['fit'].size:,} people to fit on, and "
            f"{settings.minimum_events} are needed",
            "train on a county or several, or recalibrate a bundle trained elsewhere",
        )
    for part in ("calibrate", "test"):
        if not 0 < int(labels[part].sum()) < labels[part].size:
            raise TooFewEventsError(f"{outcome}: nobody held out to {part} had the event", "train on more people")


def _evaluate(model: FittedRisk, test: pl.DataFrame, outcome: NDArray[np.int8]) -> dict[str, Any]:
    """The latest year, on people the model never saw: order, calibration, and the simple rivals beside it."""
    score = model.score(test)
    line = calibration_line(outcome, model.log_odds(score))
    bands = {"65 to 74": (65, 75), "75 to 84": (75, 85), "85 and over": (85, 200)}
    age = test["age"].to_numpy()
    rivals = {name: test[column].fill_null(0.0).to_numpy() for name, column in BASELINES.items()}
    return {
        "n": int(outcome.size),
        "n_events": int(outcome.sum()),
        "mean_risk": round(float(model.risk(score).mean()), 6),
        "auroc": _told(auroc(outcome, score)),
        "auroc_by_age": {
            band: _told(auroc(outcome[(age >= low) & (age < high)], score[(age >= low) & (age < high)]))
            for band, (low, high) in bands.items()
        },
        "calibration": {"intercept": round(line.intercept, 4), "slope": round(line.slope, 4)},
        "rivals": {
            name: {**_told(auroc(outcome, rival)), "beaten_by": _told(auroc_difference(outcome, score, rival))}
            for name, rival in rivals.items()
        },
    }


def _told(found: Estimate) -> dict[str, Any]:
    figures = {"value": found.value, "low": found.low, "high": found.high}
    return {name: None if np.isnan(x) else round(x, 4) for name, x in figures.items()} | {
        "n": found.n,
        "n_events": found.n_events,
    }


def verdict(found: Mapping[str, Any]) -> dict[str, Any]:
    """Usable if it orders people better than every simple rival, by an interval that excludes zero; why, in words.

    >>> verdict({"rivals": {"age alone": {"beaten_by": {"low": -0.01}}}})
    {'usable': False, 'reason': 'not better than age alone beyond chance'}
    """
    unbeaten = sorted(name for name, rival in found["rivals"].items() if not (rival["beaten_by"]["low"] or 0.0) > 0)
    if unbeaten:
        return {"usable": False, "reason": f"not better than {', '.join(unbeaten)} beyond chance"}
    return {"usable": True, "reason": f"better than {', '.join(found['rivals'])} on the latest year, beyond chance"}


def _describe(cut_offs: CutOffs, parts: Mapping[str, pl.DataFrame], settings: TrainSettings) -> dict[str, Any]:
    return {
        "cut_offs": {part: [cut.day.isoformat() for cut in cut_offs.of(part)] for part in PARTS},
        "n_people": {part: rows["person_id"].n_unique() for part, rows in parts.items()},
        "horizon_days": settings.horizon_days,
        "settings": settings.model_dump(mode="json"),
    }
