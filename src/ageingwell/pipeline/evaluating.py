"""Evaluate a bundle: the latest settled year, on households it never saw, beside every simple rival.

The cut-off, the labels and the households held out are those of training: a household's part is drawn from its
pseudonym and the seed the bundle was trained with, so whoever was held out then is held out now.
"""

import io
import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from ageingwell.bundle import Bundle, load_bundle, predict
from ageingwell.config.load import Config
from ageingwell.config.score import TrainSettings
from ageingwell.errors import PublishError, TooFewEventsError
from ageingwell.evaluation.drift import population_stability
from ageingwell.evaluation.wall import LOGISTIC, MODEL, TO_BEAT, Verdict, side_by_side, verdict
from ageingwell.features.build import names
from ageingwell.pipeline import training
from ageingwell.pipeline.measuring import Held, groupings, measure
from ageingwell.pipeline.rivals import COUNTED, logistic_regression, simple_rivals
from ageingwell.pipeline.surroundings import Surroundings
from ageingwell.publish import write_bytes
from ageingwell.sources.read import Records, read_agencies
from ageingwell.spine import build_spine, known_tables, latest_versions
from ageingwell.timeline import AsOf

# A quarter's lists: most people on them are different ones, and there are enough of them to count.
WEEKS = 13
FROM_TRAINING = ("seed", "test_share", "calibration_share", "horizon_days", "settling_days")


@dataclass(frozen=True)
class EvaluationRun:
    """Where the tables lie, the tables by name (each with a column `outcome`), the verdict, and what was looked at."""

    folder: Path
    tables: Mapping[str, pl.DataFrame]
    verdict: Verdict
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class _People:
    """Features and labels of those held out, what they were fitted beside, and the share of people held out."""

    test: pl.DataFrame
    fit: pl.DataFrame
    held_out_share: float
    cut_off: date
    made_up: bool


def evaluate(
    data: Path,
    *,
    config: Config,
    bundle: str | Path,
    out: Path,
    recorded_up_to: date | None = None,
    weeks: int = WEEKS,
    cost_gbp: float | None = None,
    draws: int = 200,
    surroundings: Surroundings | None = None,
) -> EvaluationRun:
    """Measure a saved bundle on the records in `data` and write every table to `out`, as Parquet and CSV.

    The list looked at is as long as the agencies can serve in `weeks`, cut to the share of people held out. With
    `cost_gbp`, what one event of the ranking outcome costs, the spend ceiling of each band of risk is worked out too.
    `summary.json` holds the verdict and what was looked at. The same records and bundle give the same files.

    Raises `BundleError` for a bundle that does not match, and `TooFewEventsError` where nobody held out had the
    ranking outcome, or everybody did.
    """
    world = surroundings or Surroundings()
    loaded = load_bundle(bundle, codelists=config.codelists)
    with world.stage("read and build"):
        people = _people(data, config, _as_trained(config.train, loaded), recorded_up_to, world)
    tables: dict[str, list[pl.DataFrame]] = {}
    for outcome in loaded.models:
        with world.stage(f"measure {outcome}"):
            held = _held(outcome, people, loaded, config, weeks)
            if held is None and outcome == loaded.ranking_outcome:
                raise TooFewEventsError(f"{outcome}: nobody held out had the event, or everybody", "use more people")
            cost = cost_gbp if outcome == loaded.ranking_outcome else None
            found = {} if held is None else measure(held, cost_gbp=cost, draws=draws, seed=config.train.seed)
            for name, table in found.items():
                tables.setdefault(name, []).append(table.select(pl.lit(outcome).alias("outcome"), pl.all()))
    whole = {name: pl.concat(parts) for name, parts in tables.items()}
    with world.stage("drift"):
        whole["drift"] = _drift(people, draws)
    ranking = whole["wall"].filter(outcome=loaded.ranking_outcome)
    told = verdict(ranking, to_beat=(*TO_BEAT, COUNTED))
    facts = _facts(people, loaded, told, weeks, config)
    _write(out, whole, facts)
    return EvaluationRun(out, whole, told, facts)


def summary_text(run: EvaluationRun) -> str:
    """What a person reads first: the wall of the ranking outcome and the verdict."""
    outcome = run.facts["ranking_outcome"]
    wall = side_by_side(run.tables["wall"].filter(outcome=outcome).drop("outcome"))
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True,
                   tbl_width_chars=250, fmt_str_lengths=40):  # fmt: skip
        drawn = str(wall)
    looked_at = f"{outcome}, cut-off {run.facts['cut_off']}, {run.facts['n_people']:,} people held out"
    usable = "usable" if run.verdict.usable else "not usable"
    return f"{looked_at}\n{drawn}\nverdict: {usable}: {run.verdict.reason}"


def _as_trained(settings: TrainSettings, bundle: Bundle) -> TrainSettings:
    """The settings of the split and the horizon as they were when the bundle was trained."""
    then = bundle.facts.get("training", {}).get("settings", {})
    return settings.model_copy(update={name: then[name] for name in FROM_TRAINING if name in then})


def _people(
    data: Path, config: Config, settings: TrainSettings, recorded_up_to: date | None, world: Surroundings
) -> _People:
    with tempfile.TemporaryDirectory(prefix="ageingwell-") as scratch:
        records = read_agencies(
            data,
            config.tables,
            workspace=Path(scratch),
            max_refused_share=config.score.max_refused_share,
            progress=world.tell,
        )
        today = recorded_up_to or training._day_after_newest(records)
        permitted = training._permitted(records, config=config, on=today)
        cut_offs = training.choose_cut_offs(AsOf(today), settings)
        people = training._split(latest_versions(permitted.tables["gp_patients"].rows), settings)
        spine = _spine(permitted, cut_offs.test, config)
        test = training._part("test", cut_offs, people, permitted, config)
        fit = training._part("fit", cut_offs, people, permitted, config)
    known = spine.select("person_id", "ethnic_group", "practice_code")
    with_spine = test.join(known, on="person_id", how="left", maintain_order="left")
    return _People(with_spine, fit, test.height / max(1, spine.height), cut_offs.test.day, records.made_up)


def _spine(records: Records, cut_off: AsOf, config: Config) -> pl.DataFrame:
    then = known_tables(records, cut_off, config.tables)
    return build_spine(then, cut_off, minimum_age=config.score.minimum_age, places=config.places)


def _held(outcome: str, people: _People, bundle: Bundle, config: Config, weeks: int) -> Held | None:
    """Those held out who were at risk of the outcome; None where a measure would have nothing to compare."""
    test, fit = (rows.drop_nulls(outcome) for rows in (people.test, people.fit))
    happened = test[outcome].cast(pl.Int8).to_numpy()
    if not 0 < happened.sum() < happened.size:
        return None
    risks = predict(bundle, test, threads=config.score.threads)
    scores = {MODEL: risks[f"risk_{outcome}"].to_numpy(), **simple_rivals(test)}
    fitted_on = fit[outcome].cast(pl.Int8).to_numpy()
    if 0 < fitted_on.sum() < fitted_on.size:
        logistic = logistic_regression(fit, fitted_on, test, features=names())
        scores |= {} if logistic is None else {LOGISTIC: logistic}
    places = config.outreach.capacity.places()
    return Held(
        outcome=happened,
        age=test["age"].to_numpy(),
        scores=scores,
        groupings=groupings(test, names()),
        places={agency: round(doors * weeks * people.held_out_share) for agency, doors in places.items()},
    )


def _drift(people: _People, draws: int) -> pl.DataFrame:
    """How far the people held out, at the latest cut-off, lie from those fitted on, years before."""
    return population_stability(people.fit.select(names()), people.test.select(names()), draws=draws)


def _facts(people: _People, bundle: Bundle, told: Verdict, weeks: int, config: Config) -> dict[str, Any]:
    return {
        "made_up": people.made_up,
        "bundle_sha256": bundle.digest,
        "bundle_made_up": bundle.made_up,
        "ranking_outcome": bundle.ranking_outcome,
        "cut_off": people.cut_off.isoformat(),
        "n_people": people.test.height,
        "held_out_share": round(people.held_out_share, 4),
        "weeks": weeks,
        "places_a_week": config.outreach.capacity.places(),
        "verdict": asdict(told),
        "config_sha256": config.digest,
    }


def _write(out: Path, tables: Mapping[str, pl.DataFrame], facts: Mapping[str, Any]) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise PublishError(f"{out.name}: the folder cannot be made ({fault.strerror})", "name another") from None
    for name, table in tables.items():
        write_bytes(out / f"{name}.csv", table.write_csv().encode())
        write_bytes(out / f"{name}.parquet", _parquet(table))
    write_bytes(out / "summary.json", (json.dumps(facts, indent=1) + "\n").encode())


def _parquet(table: pl.DataFrame) -> bytes:
    content = io.BytesIO()
    table.write_parquet(content, compression="zstd")
    return content.getvalue()
