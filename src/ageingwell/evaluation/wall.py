"""The benchmark wall: the model and its simple rivals on the same people, at the same list length, and the verdict."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike
from scipy.special import logit

from ageingwell.errors import FrameError
from ageingwell.evaluation.calibration import calibration
from ageingwell.evaluation.checked import outcome_and
from ageingwell.evaluation.discrimination import AGE_BANDS, auroc, auroc_by_band, auroc_difference, average_precision
from ageingwell.evaluation.estimate import Estimate, Floats, tidy
from ageingwell.evaluation.utility import as_risk, at_list_length, net_benefit

MODEL = "model"
AGE = "age alone"
FRAILTY = "frailty index"
ADMISSIONS = "2+ emergency admissions"
LOGISTIC = "logistic regression"
MACHINE = "explainable boosting machine"

# DESIGN's rule: beaten by an interval without zero, and level with logistic regression to within half a point.
TO_BEAT = (AGE, FRAILTY, ADMISSIONS)
NO_FURTHER_BELOW = 0.005
GAIN = "auroc_model_minus_rival"


@dataclass(frozen=True)
class Verdict:
    """Whether a model may rank people, and why in words."""

    usable: bool
    reason: str


def benchmark_wall(
    scores: Mapping[str, ArrayLike],
    *,
    outcome: ArrayLike,
    age: ArrayLike,
    k: int,
    threshold: float,
    model: str = MODEL,
    risks: Sequence[str] = (MODEL, LOGISTIC, MACHINE),
    draws: int = 200,
    seed: int = 1,
    households: ArrayLike | None = None,
) -> pl.DataFrame:
    """Every score's figures side by side: name, measure, band, worst, best, value, low, high, n, n_events.

    `scores` are (n,) of the same people, more meaning more risk, `model` among them; those named in `risks` are risks
    in [0, 1] and are measured for calibration as they are. For net benefit at `threshold` every other score is first
    turned into a risk on these very people, which flatters it. Measures: auroc (band `all` and each age band),
    average_precision, ppv, sensitivity (the share captured) and lift at a list of `k`, slope, intercept and
    observed_over_expected of risks, net_benefit, and auroc_model_minus_rival with DeLong's paired interval.
    The interval of average_precision draws `households` (n,); all others follow from formulas
    that take people as independent of one another.

    >>> wall = benchmark_wall(
    ...     {"model": [0.1, 0.2, 0.7, 0.4], "age alone": [70, 80, 75, 90]},
    ...     outcome=[0, 0, 1, 1], age=[70, 80, 75, 90], k=2, threshold=0.2, draws=10,
    ... )
    >>> wall.filter(measure="auroc", band="all").select("name", "value").rows()
    [('model', 1.0), ('age alone', 0.75)]
    """
    if model not in scores:
        raise FrameError(
            f"the comparison needs the score named {model!r}", "give it with the scores to compare it with"
        )
    happened, years, *given = outcome_and(outcome, age, *scores.values())
    named = dict(zip(scores, given, strict=True))
    rows: list[tuple[dict[str, Any], Estimate]] = []
    for name, score in named.items():
        labels = {"name": name, "band": "all", "worst": None, "best": None}
        told = _order(happened, score, draws, seed, households) | _worth(happened, score, threshold, name in risks)
        if name != model:
            told[GAIN] = auroc_difference(happened, named[model], score)
        rows += [({**labels, "measure": measure}, estimate) for measure, estimate in told.items()]
        rows += [({**labels, "measure": "auroc", "band": band}, part) for band, part in _bands(happened, score, years)]
        rows += [({**labels, **ends}, estimate) for ends, estimate in _at_list(happened, score, k)]
    columns = ["name", "measure", "band", "worst", "best", "value", "low", "high", "n", "n_events"]
    table = tidy(rows).select(columns)
    return table.with_columns(pl.col("worst", "best").cast(pl.Float64))


def side_by_side(wall: pl.DataFrame) -> pl.DataFrame:
    """The wall to look at: measure, band, and a column a score with its figure and interval as text."""
    number = pl.col("value").round(3).cast(pl.String)
    interval = pl.format("{} ({} to {})", number, pl.col("low").round(3), pl.col("high").round(3))
    told = wall.with_columns(text=pl.when(pl.col("low").is_null()).then(number).otherwise(interval))
    return told.pivot("name", index=["measure", "band"], values="text", aggregate_function="first")


def verdict(wall: pl.DataFrame, *, to_beat: Sequence[str] = TO_BEAT, level_with: str = LOGISTIC) -> Verdict:
    """Usable if it orders people better than age, frailty index and admissions, each by an interval without zero.

    And if its area is no more than 0.005 below that of logistic regression. A rival that was not measured was not
    beaten.

    >>> verdict(pl.DataFrame({"name": [], "measure": [], "band": [], "value": [], "low": []}), to_beat=["age alone"])
    Verdict(usable=False, reason='not measured against age alone and logistic regression')
    """
    told = wall.filter(measure=GAIN).with_columns(pl.col("value", "low").cast(pl.Float64).fill_nan(None))
    gains = {row["name"]: row for row in told.iter_rows(named=True)}
    absent = [name for name in (*to_beat, level_with) if name not in gains or gains[name]["value"] is None]
    unbeaten = [name for name in to_beat if name not in absent and not (gains[name]["low"] or 0.0) > 0]
    faults = []
    if absent:
        faults.append(f"not measured against {_listed(absent)}")
    if unbeaten:
        faults.append(f"not better than {_listed(unbeaten)} beyond chance")
    behind = 0.0 if level_with in absent else -gains[level_with]["value"]
    if behind > NO_FURTHER_BELOW + 1e-12:
        faults.append(f"AUROC {behind:.4f} below {level_with}, and {NO_FURTHER_BELOW} is allowed")
    if faults:
        return Verdict(False, "; ".join(faults))
    ahead = gains[level_with]["value"]
    return Verdict(True, f"better than {_listed(to_beat)} beyond chance, and AUROC {ahead:+.4f} against {level_with}")


def _listed(names: Sequence[str]) -> str:
    return " and ".join(", ".join(names).rsplit(", ", 1))


def _order(happened: Floats, score: Floats, draws: int, seed: int, households: ArrayLike | None) -> dict[str, Estimate]:
    return {
        "auroc": auroc(happened, score),
        "average_precision": average_precision(happened, score, draws=draws, seed=seed, households=households),
    }


def _bands(happened: Floats, score: Floats, years: Floats) -> Iterator[tuple[str, Estimate]]:
    for row in auroc_by_band(happened, score, years, bands=AGE_BANDS).iter_rows(named=True):
        yield row["band"], _estimate(row)


def _at_list(happened: Floats, score: Floats, k: int) -> Iterator[tuple[dict[str, Any], Estimate]]:
    for row in at_list_length(happened, score, k=k).iter_rows(named=True):
        if row["measure"] != "listed":
            yield {name: row[name] for name in ("measure", "worst", "best")}, _estimate(row)


def _worth(happened: Floats, score: Floats, threshold: float, is_risk: bool) -> dict[str, Estimate]:
    told = {}
    if is_risk:
        tiny = 1e-12
        lines = calibration(happened, logit(np.clip(score, tiny, 1 - tiny)))
        told = {row["measure"]: _estimate(row) for row in lines.iter_rows(named=True)}
    risk = score if is_risk else as_risk(happened, score)
    benefit = net_benefit(happened, {"it": risk}, thresholds=[threshold]).row(0, named=True)
    return told | {"net_benefit": _estimate(benefit)}


def _estimate(row: Mapping[str, Any]) -> Estimate:
    value, low, high = (float("nan") if row[name] is None else float(row[name]) for name in ("value", "low", "high"))
    return Estimate(value, low, high, row["n"], row["n_events"])
