"""One model's risks on people it had not seen, in one look: the figures, the curve, and what they say in words."""

from dataclasses import dataclass
from typing import Any

import polars as pl
from numpy.typing import ArrayLike
from scipy.special import expit

from ageingwell.evaluation.calibration import calibration, calibration_groups
from ageingwell.evaluation.checked import outcome_and
from ageingwell.evaluation.discrimination import auroc, auroc_difference
from ageingwell.evaluation.estimate import tidy
from ageingwell.evaluation.wall import Verdict
from ageingwell.given import library
from ageingwell.shown import Screen, Shown, interval_text, sentence

GAIN = "auroc_gain"
DEEP, QUIET = "#1d4e5f", "#4a545c"


@dataclass(frozen=True, repr=False)
class Evaluation(Shown):
    """How good risks were on people whose outcome is known.

    `table` has a row a measure (measure, value, low, high, n, n_events): `auroc`, `slope`, `intercept`,
    `intercept_at_slope_1`, `observed_over_expected` and, beside a baseline, `auroc_gain`, how much better it orders
    people than the baseline does. `curve` has a row a group of people of about one risk, lowest first (group,
    mean_risk, value, low, high, n, n_events). `baseline` is the baseline's name. The intervals are 95% and take people
    as independent of one another.
    """

    table: pl.DataFrame
    curve: pl.DataFrame
    baseline: str | None = None

    @property
    def verdict(self) -> Verdict:
        """Whether the risks put people in order beyond chance, and no worse than the baseline; and why in words."""
        area, gain = self._figures("auroc"), self._figures(GAIN)
        if area is None:
            return Verdict(False, "we cannot say: everyone had the outcome, or no one did")
        orders = area[1] > 0.5
        beaten = gain is not None and gain[2] < 0
        said = [f"it orders people {'better than' if orders else 'no better than'} chance (AUROC {_figure(*area)})"]
        if gain is not None:
            than = "better than" if gain[1] > 0 else "worse than" if beaten else "about as well as"
            said.append(f"{than} {self.baseline} (by {_figure(*gain)})")
        return Verdict(orders and not beaten, "; ".join([*said, self._in_height()]))

    def plot_calibration(self, ax: Any = None) -> Any:
        """Draw observed shares against the risks given, in 100, with 95% intervals; gives the matplotlib axes.

        On the dashed line risks are right. Draws into `ax` where one is given. Raises `MissingExtraError` without
        matplotlib (extra `notebook`).
        """
        plt = library("matplotlib.pyplot", extra="notebook", wanted_for="a plot of the calibration")
        axes = plt.subplots(figsize=(5.5, 4.2), layout="constrained")[1] if ax is None else ax
        known = self.curve.drop_nulls(["value", "low", "high"])
        risk, share, low, high = ((100 * known[name]).to_numpy() for name in ("mean_risk", "value", "low", "high"))
        end = 1.05 * max([1.0, *risk.tolist(), *high.tolist()])
        axes.plot([0, end], [0, end], color=QUIET, linestyle="--", linewidth=1, label="right on average")
        axes.errorbar(
            risk, share, yerr=[share - low, high - share], fmt="o", color=DEEP, capsize=3, label="observed, 95%"
        )
        axes.set(xlim=(0, end), ylim=(0, end), xlabel="Risk given, in 100", ylabel="Had the outcome, in 100")
        axes.legend(loc="upper left", frameon=False)
        return axes

    def _in_height(self) -> str:
        slope, ratio = self._figures("slope"), self._figures("observed_over_expected")
        if slope is None or ratio is None:
            return "whether the risks are right cannot be told"
        ways = {
            "too high": ratio[2] < 1,
            "too low": ratio[1] > 1,
            "too far apart": slope[2] < 1,
            "too close together": slope[1] > 1,
        }
        wrong = " and ".join(words for words, holds in ways.items() if holds)
        told = f"slope {_figure(*slope)}; {_figure(*ratio)} events for each one expected"
        return f"the risks are {wrong or 'as high as they should be'} ({told})"

    def _figures(self, measure: str) -> tuple[float, float, float] | None:
        row = self.table.filter(measure=measure).select("value", "low", "high").drop_nulls()
        return None if row.is_empty() else row.row(0)

    def _screen(self) -> Screen:
        first = self.table.row(0, named=True)
        told = self.verdict
        facts = {
            "people": first["n"],
            "with the outcome": first["n_events"],
            "verdict": "usable" if told.usable else "not usable",
        }
        rows = [(row["measure"], interval_text(row["value"], row["low"], row["high"])) for row in self.table.to_dicts()]
        return Screen("Evaluation of risks", facts, ("measure", "value (95%)"), rows, sentence(told.reason))


def _figure(value: float, low: float, high: float) -> str:
    return f"{value:.2f}, 95% interval {low:.2f} to {high:.2f}"


def evaluate_risk(
    outcome: ArrayLike,
    log_odds: ArrayLike,
    *,
    baseline: ArrayLike | None = None,
    baseline_name: str = "the baseline",
    groups: int = 10,
) -> Evaluation:
    """Measure risks, given as log-odds (n,), against the `outcome` (n,) of 0 and 1.

    `baseline` (n,) is another score of the same people, more meaning more risk, such as their age. `groups` is the
    number of points of the curve.

    >>> found = evaluate_risk([0, 1, 0, 1], [-1.0, -1.0, 1.0, 1.0], baseline=[70, 80, 75, 90], baseline_name="age")
    >>> found.table.select("measure", "value").rows()[0], found.curve.height
    (('auroc', 0.5), 2)
    """
    happened, odds = outcome_and(outcome, log_odds)
    told = [({"measure": "auroc"}, auroc(happened, odds))]
    if baseline is not None:
        told.append(({"measure": GAIN}, auroc_difference(happened, odds, baseline)))
    table = pl.concat([tidy(told), calibration(happened, odds)])
    named = None if baseline is None else baseline_name
    return Evaluation(table, calibration_groups(happened, expit(odds), groups=groups), named)
