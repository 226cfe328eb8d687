"""How often the 95% intervals of the measures hold the truth: `python -m benchmarks.intervals` writes intervals.md.

Each row is a population of which the truth is known, drawn again and again: tiny groups, a perfect order, risks that
are right and risks that are not. Beside the share of intervals that hold the truth stands which way the others miss.
"""

import argparse
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ageingwell.evaluation.brier import brier
from ageingwell.evaluation.calibration import calibration, observed_over_expected
from ageingwell.evaluation.discrimination import (
    auroc,
    auroc_difference,
    average_precision,
    average_precision_difference,
)
from ageingwell.evaluation.estimate import Estimate, difference, proportion
from ageingwell.evaluation.ici import calibration_index
from ageingwell.evaluation.utility import net_benefit

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
PAGE = Path(__file__).with_suffix(".md")
DRAWS = 200
# So many people stand for everybody where the truth has no formula.
EVERYBODY = 400_000


@dataclass(frozen=True)
class Population:
    """Where people come from: their risk in log-odds and how the outcome follows from it."""

    name: str
    n: int
    # Mean and spread of the log-odds told, and what the true log-odds are: `shift + slope * told`.
    mean: float = -2.0
    spread: float = 1.0
    shift: float = 0.0
    slope: float = 1.0

    def draw(self, generator: np.random.Generator, n: int | None = None) -> tuple[Bools, Floats]:
        told = generator.normal(self.mean, self.spread, self.n if n is None else n)
        return generator.random(told.size) < expit(self.shift + self.slope * told), told


POPULATIONS = (
    Population("30 people, 1 in 6 with the event", 30),
    Population("60 people, a nearly perfect order", 60, spread=6.0),
    Population("200 people, 1 in 6", 200),
    Population("1,000 people, 1 in 6", 1_000),
    Population("1,000 people, 1 in 60", 1_000, mean=-4.5),
    Population("200 people, risks too far apart", 200, slope=0.6),
    Population("1,000 people, risks too far apart", 1_000, slope=0.6),
    Population("1,000 people, risks too low", 1_000, shift=0.5),
)
Measure = Callable[[Bools, Floats, int], Mapping[str, Estimate]]


def rival_of(told: Floats) -> Floats:
    """Another score of the same people, which orders them less well: their risk with noise that is fixed by it."""
    noise = np.sin(1e4 * told)
    return told + 1.5 * told.std() * noise


def as_estimate(row: Mapping[str, float | None]) -> Estimate:
    """A row of a table of measures; what cannot be told is NaN."""
    value, low, high = (float("nan") if row[name] is None else float(row[name]) for name in ("value", "low", "high"))
    return Estimate(value, low, high, 0, 0)


def of_order(happened: Bools, told: Floats, seed: int) -> dict[str, Estimate]:
    other = rival_of(told)
    return {
        "AUROC": auroc(happened, told),
        "AUROC, difference": auroc_difference(happened, told, other),
        "average precision": average_precision(happened, told, draws=DRAWS, seed=seed),
        "average precision, difference": average_precision_difference(happened, told, other, draws=DRAWS, seed=seed),
    }


def of_height(happened: Bools, told: Floats, seed: int) -> dict[str, Estimate]:
    found = {row["measure"]: as_estimate(row) for row in calibration(happened, told).to_dicts()}
    top = np.argsort(-told, kind="stable")[: max(1, told.size // 10)]
    rest = np.setdiff1d(np.arange(told.size), top)
    share, other = (proportion(int(happened[rows].sum()), rows.size) for rows in (top, rest))
    return {
        "calibration slope": found["slope"],
        "calibration intercept": found["intercept"],
        "observed over expected": observed_over_expected(happened, expit(told)),
        "share of the top tenth": share,
        "share, difference of two groups": difference(share, other),
    }


def of_worth(happened: Bools, told: Floats, seed: int) -> dict[str, Estimate]:
    table = net_benefit(happened, {"model": expit(told)}, thresholds=[0.2]).filter(strategy="model").row(0, named=True)
    parts = brier(happened, expit(told), groups=10, draws=DRAWS, seed=seed).to_dicts()
    score = next(row for row in parts if row["measure"] == "brier")
    return {"net benefit at 0.2": as_estimate(table), "Brier score": as_estimate(score)}


def of_distance(happened: Bools, told: Floats, seed: int) -> dict[str, Estimate]:
    rows = calibration_index(happened, expit(told), draws=60, seed=seed).to_dicts()
    return {
        f"calibration index, {row['measure']}": as_estimate(row)
        for row in rows
        if row["measure"] in ("ici", "e50", "e90")
    }


def truths(population: Population) -> dict[str, float]:
    """What each measure comes to in everybody; a curve's distance is that of the true curve."""
    generator = np.random.default_rng(zlib.crc32(population.name.encode()))
    happened, told = population.draw(generator, EVERYBODY)
    order, worth = of_order_of_everybody(happened, told), of_worth_of_everybody(happened, told)
    true = expit(population.shift + population.slope * told)
    apart = np.abs(true - expit(told))
    # Of the top tenth of a group of this size, over many groups.
    many = told[: EVERYBODY // population.n * population.n].reshape(-1, population.n)
    risks = true[: many.size].reshape(many.shape)
    at = np.argsort(-many, axis=1)
    length = max(1, population.n // 10)
    top, rest = (float(np.take_along_axis(risks, part, axis=1).mean()) for part in (at[:, :length], at[:, length:]))
    return {
        **order,
        **worth,
        "calibration slope": population.slope,
        "calibration intercept": population.shift,
        "observed over expected": float(true.mean() / expit(told).mean()),
        "share of the top tenth": top,
        "share, difference of two groups": top - rest,
        "calibration index, ici": float(apart.mean()),
        "calibration index, e50": float(np.median(apart)),
        "calibration index, e90": float(np.quantile(apart, 0.9)),
    }


def of_order_of_everybody(happened: Bools, told: Floats) -> dict[str, float]:
    other = rival_of(told)
    precision = average_precision(happened, told, draws=1).value
    return {
        "AUROC": auroc(happened, told).value,
        "AUROC, difference": auroc_difference(happened, told, other).value,
        "average precision": precision,
        "average precision, difference": precision - average_precision(happened, other, draws=1).value,
    }


def of_worth_of_everybody(happened: Bools, told: Floats) -> dict[str, float]:
    risk = expit(told)
    benefit = np.where(risk >= 0.2, np.where(happened, 1.0, -0.25), 0.0)
    return {"net benefit at 0.2": float(benefit.mean()), "Brier score": float(((risk - happened) ** 2).mean())}


def covered(population: Population, *, repeats: int) -> list[tuple[str, int, int, int]]:
    """For each measure: how many intervals could be told, lay wholly above the truth, wholly below it."""
    generator = np.random.default_rng(zlib.crc32(population.name.encode()) + 1)
    true = truths(population)
    counts: dict[str, list[int]] = {}
    for measure, share in ((of_order, 1.0), (of_height, 1.0), (of_worth, 1.0), (of_distance, 0.25)):
        for number in range(max(1, int(repeats * share))):
            for name, told in measure(*population.draw(generator), number).items():
                of_name = counts.setdefault(name, [0, 0, 0])
                if not np.isnan([told.low, told.high]).any():
                    of_name[0] += 1
                    of_name[1] += told.low > true[name] + 1e-12
                    of_name[2] += told.high < true[name] - 1e-12
    return [(name, *three) for name, three in counts.items()]  # type: ignore[misc]


def page(repeats: int) -> str:
    """The whole page."""
    lines = [
        "# What the 95% intervals hold",
        "",
        "Of 100 intervals about 95 should hold the truth. Each line is one measure on one made-up population, drawn",
        "again and again; the last columns say which way the others miss. *Wide*: more than 97 in 100 hold it, so that",
        "the interval says less than it could. *Short*: fewer than 93 in 100, beyond what chance can do here.",
        f"One command writes this page: `python -m benchmarks.intervals --repeats {repeats}`.",
        "",
        "| Measure | Population | Intervals told | Hold the truth | Too high | Too low | |",
        "|---|---|---|---|---|---|---|",
    ]
    for population in POPULATIONS:
        for name, told, above, below in covered(population, repeats=repeats):
            if told < 50:
                continue
            share = 1 - (above + below) / told
            # What so many draws of a true 95% can give by chance alone.
            slack = 1.96 * np.sqrt(0.95 * 0.05 / told)
            word = "wide" if share > 0.97 else "**short**" if share < 0.93 - slack else ""
            cells = (
                name,
                population.name,
                f"{told:,}",
                f"{share:.1%}",
                f"{above / told:.1%}",
                f"{below / told:.1%}",
                word,
            )
            lines.append(f"| {' | '.join(cells)} |")
            print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=1_000)
    PAGE.write_text(page(parser.parse_args().repeats), encoding="utf-8")


if __name__ == "__main__":
    main()
