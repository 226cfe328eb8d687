"""Evaluate a bundle: the latest settled year, on households it never saw, beside every simple rival.

The cut-off, the labels and the households held out are those of training: a household's part is drawn from its
pseudonym and the seed the bundle was trained with, so whoever was held out then is held out now.
"""

import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from ageingwell.audit.uses import learning_logged
from ageingwell.bundle import Bundle, load_bundle
from ageingwell.checksums import SUMS
from ageingwell.config.load import Config, GivenConfig, config_given
from ageingwell.config.score import TrainSettings
from ageingwell.context import Surroundings
from ageingwell.errors import TooFewEventsError
from ageingwell.evaluation.drift import population_stability
from ageingwell.evaluation.wall import LOGISTIC, MACHINE, MODEL, Verdict, verdict
from ageingwell.features.build import names
from ageingwell.given import GivenDay, maybe_day_of
from ageingwell.learning.hindsight import Past, look_back
from ageingwell.learning.measuring import WEEKS, hold, measure, places_of
from ageingwell.learning.redrawing import redraw
from ageingwell.publish.whole import sealed, write_whole
from ageingwell.shown import Screen, Shown, interval_text, listed, sentence

SOMETIMES = ("rank_stability", "spend_ceiling")  # tables that are there when asked for
FROM_TRAINING = ("seed", "test_share", "calibration_share", "horizon_days", "settling_days")


@dataclass(frozen=True, repr=False)
class EvaluationRun(Shown):
    """Where the tables lie, the tables by name (each with a column `outcome`), the verdict, and what was looked at."""

    folder: Path
    tables: Mapping[str, pl.DataFrame]
    verdict: Verdict
    facts: Mapping[str, Any]

    def _screen(self) -> Screen:
        outcome = str(self.facts["ranking_outcome"])
        wall = self.tables["wall"].filter(outcome=outcome, measure="auroc", band="all")
        rows = [(row["name"], interval_text(row["value"], row["low"], row["high"])) for row in wall.to_dicts()]
        facts = {
            "outcome": outcome,
            "cut-off": self.facts["cut_off"],
            "people held out": self.facts["n_people"],
            "verdict": "usable" if self.verdict.usable else "not usable",
            "tables": listed(self.tables, most=8),
            "folder": self.folder,
        }
        return Screen("Evaluation of a bundle", facts, ("score", "AUROC (95%)"), rows, sentence(self.verdict.reason))


def evaluate(
    data: str | Path,
    *,
    bundle: str | Path,
    out: str | Path,
    config: GivenConfig = None,
    recorded_up_to: GivenDay | None = None,
    weeks: int = WEEKS,
    cost_gbp: float | None = None,
    draws: int = 200,
    redraws: int = 0,
    machine: bool = True,
    surroundings: Surroundings | None = None,
) -> EvaluationRun:
    """Measure a saved bundle on the records in `data` and write every table to the folder `out`, as Parquet and CSV.

    The list looked at is as long as the agencies can serve in `weeks`, cut to the share of people held out. With
    `cost_gbp`, what one event of the ranking outcome costs, the spend ceiling of each band of risk is worked out too.
    With `redraws` the ranking outcome's model is fitted again on so many redrawn sets of households, to tell in
    `rank_stability` who stays on the list; each takes as long as a training. `machine` puts an explainable boosting
    machine on the wall where the extra `ebm` is installed.
    `summary.json` holds the verdict and what was looked at. The same records and bundle give the same files.

    Raises `BundleError` for a bundle that does not match, and `TooFewEventsError` where nobody held out had the
    ranking outcome, or everybody did.
    """
    world = surroundings or Surroundings()
    data, out, config = Path(data), Path(out), config_given(config)
    day = maybe_day_of(recorded_up_to, name="recorded_up_to")
    with learning_logged("evaluate", out, file=config.score.audit.file, settings=config.digest, world=world) as use:
        run = _evaluated(
            data,
            bundle=bundle,
            out=out,
            config=config,
            day=day,
            weeks=weeks,
            cost_gbp=cost_gbp,
            draws=draws,
            redraws=redraws,
            machine=machine,
            world=world,
        )
        use.tell(is_usable=run.verdict.usable)
        return run


def _evaluated(
    data: Path,
    *,
    bundle: str | Path,
    out: Path,
    config: Config,
    day: date | None,
    weeks: int,
    cost_gbp: float | None,
    draws: int,
    redraws: int,
    machine: bool,
    world: Surroundings,
) -> EvaluationRun:
    loaded = load_bundle(bundle, codelists=config.codelists, cache=world.cache, trust=config.score.model)
    then = replace(config, train=as_trained(config.train, loaded))
    past = look_back(data, config=then, parts=("fit", "test"), recorded_up_to=day, surroundings=world)
    test, fit = past.parts["test"], past.parts["fit"]
    places = places_of(config.outreach.capacity.places(), weeks=weeks, share=past.shares["test"])
    tables: dict[str, list[pl.DataFrame]] = {}
    for outcome, model in loaded.models.items():
        with world.stage(f"measure {outcome}"):
            held = hold(
                outcome, model, test=test, fit=fit, places=places, machine_seed=config.train.seed if machine else None
            )
            if held is None and outcome == loaded.ranking_outcome:
                raise TooFewEventsError(f"{outcome}: nobody held out had the event, or everyone did", "use more people")
            cost = cost_gbp if outcome == loaded.ranking_outcome else None
            found = {} if held is None else measure(held, cost_gbp=cost, draws=draws, seed=config.train.seed)
            if held is not None and redraws and outcome == loaded.ranking_outcome:
                stays = redraw(outcome, model, fit=fit, test=test, k=held.k, redraws=redraws, settings=then.train)
                found |= {"rank_stability": stays}
            for name, table in found.items():
                tables.setdefault(name, []).append(table.select(pl.lit(outcome).alias("outcome"), pl.all()))
    whole = {name: pl.concat(parts) for name, parts in tables.items()}
    with world.stage("drift"):
        # How far the people held out, at the latest cut-off, lie from those fitted on, years before.
        homes = (fit["household"].to_numpy(), test["household"].to_numpy())
        whole["drift"] = population_stability(fit.select(names()), test.select(names()), draws=draws, households=homes)
    told = verdict(whole["wall"].filter(outcome=loaded.ranking_outcome))
    facts = _facts(past, loaded, told, weeks, config) | {"rivals_absent": _absent(whole["wall"], machine=machine)}
    _write(out, whole, facts)
    return EvaluationRun(out, whole, told, facts)


def summary_text(run: EvaluationRun) -> str:
    """What a person reads first: how the model compares on the ranking outcome, if its risks are right, the verdict.

    The table has a row for each score and fits a terminal of 100 columns; the files have every measure.
    """
    outcome = run.facts["ranking_outcome"]
    wall = run.tables["wall"].filter((pl.col("outcome") == outcome) & (pl.col("band") == "all"))
    looked_at = f"{outcome}, cut-off {run.facts['cut_off']}, {run.facts['n_people']:,} people held out"
    absent = [f"not in the comparison: {name}" for name in run.facts["rivals_absent"]]
    usable = "usable" if run.verdict.usable else "not usable"
    lines = [looked_at, *_compared(wall), *absent, *_height(wall), *_luck(run.tables)]
    return "\n".join([*lines, f"verdict: {usable}: {run.verdict.reason}"])


def _compared(wall: pl.DataFrame) -> list[str]:
    """A line for each score: its AUROC, and what a list as long as the agencies can serve would find."""
    heads: tuple[str, ...] = ("", "AUROC", "of 100 listed, had it", "of 100 cases, listed")
    rows = [heads]
    for (name,), found in wall.group_by("name", maintain_order=True):
        figures = {row["measure"]: row for row in found.iter_rows(named=True)}
        in_100 = [_interval(figures.get(measure), 100, 0) for measure in ("ppv", "sensitivity")]
        rows.append((str(name), _interval(figures.get("auroc"), 1, 3), *in_100))
    widths = [max(len(row[at]) for row in rows) for at in range(len(heads))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _interval(row: Mapping[str, Any] | None, times: int, places: int) -> str:
    if row is None or row["value"] is None:
        return "not shown"
    value, low, high = (
        None if row[end] is None else f"{times * row[end]:.{places}f}" for end in ("value", "low", "high")
    )
    return f"{value}" if low is None else f"{value} ({low} to {high})"


def _height(wall: pl.DataFrame) -> list[str]:
    """Whether the model's risks are too low or too high for these people, and then what to do."""
    found = wall.filter(name=MODEL, measure="observed_over_expected").drop_nulls(["value", "low", "high"])
    if found.is_empty():
        return []
    row = found.row(0, named=True)
    value, low, high = (round(100 * row[end]) for end in ("value", "low", "high"))
    happened = f"for every 100 events it expected, {value} happened ({low} to {high})"
    if row["low"] <= 1 <= row["high"]:
        return [f"Its risks are right on average: {happened}."]
    return [f"Its risks are too {'low' if row['low'] > 1 else 'high'}: {happened}. Correct that with `recalibrate`."]


def _luck(tables: Mapping[str, pl.DataFrame]) -> list[str]:
    """How much of the list stays when the model is fitted on redrawn households, where that was asked for."""
    if "rank_stability" not in tables:
        return []
    stays = tables["rank_stability"].filter(measure="share_that_stays").row(0, named=True)
    value, low, high = (round(100 * stays[name]) for name in ("value", "low", "high"))
    drawn = f"fitted on redrawn households ({stays['n']} times)"
    return [f"of a list of {stays['n_events']:,}, {value} in 100 ({low} to {high}) are on the list of a model {drawn}"]


def _absent(wall: pl.DataFrame, *, machine: bool) -> list[str]:
    """Rivals that were not measured, and why."""
    there = set(wall["name"])
    why = "the extra `ebm` is not installed" if machine else "not asked for"
    found = [] if MACHINE in there else [f"{MACHINE} ({why})"]
    return found if LOGISTIC in there else [*found, f"{LOGISTIC} (nobody fitted on had the outcome)"]


def as_trained(settings: TrainSettings, bundle: Bundle) -> TrainSettings:
    """The settings of the split and the horizon as they were when the bundle was trained."""
    then = bundle.facts.get("training", {}).get("settings", {})
    return settings.model_copy(update={name: then[name] for name in FROM_TRAINING if name in then})


def _facts(past: Past, bundle: Bundle, told: Verdict, weeks: int, config: Config) -> dict[str, Any]:
    return {
        "made_up": past.made_up,
        "bundle_sha256": bundle.digest,
        "bundle_made_up": bundle.made_up,
        "ranking_outcome": bundle.ranking_outcome,
        "cut_off": past.cut_offs.test.day.isoformat(),
        "n_people": past.parts["test"].height,
        "held_out_share": round(past.shares["test"], 4),
        "weeks": weeks,
        "places_a_week": config.outreach.capacity.places(),
        "verdict": asdict(told),
        "config_sha256": config.digest,
    }


def _write(out: Path, tables: Mapping[str, pl.DataFrame], facts: Mapping[str, Any]) -> None:
    files: dict[str, bytes] = {}
    for name, table in tables.items():
        files |= {f"{name}.csv": table.write_csv().encode(), f"{name}.parquet": _parquet(table)}
    files["summary.json"] = (json.dumps(facts, indent=1) + "\n").encode()
    # An earlier evaluation may have been asked for more; a folder with any other file, such as extracts, stays.
    earlier = {f"{name}.{form}" for name in SOMETIMES for form in ("csv", "parquet")}
    write_whole(out, sealed(files), what="the evaluation", replaces={*files, *earlier, SUMS}.__contains__)


def _parquet(table: pl.DataFrame) -> bytes:
    content = io.BytesIO()
    table.write_parquet(content, compression="zstd")
    return content.getvalue()
