"""Charts of the evaluation: how far risks come true, in which order they put people, and what a list is worth."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl

from ageingwell.report.charts.svg import DEEP, INK, QUIET, WARM, as_svg, new_figure, style

# A line is told by its dashes and its mark as well as by its colour.
LINES: Final[Mapping[str, dict[str, Any]]] = {
    "model": {"color": DEEP, "linestyle": "-", "marker": "o", "linewidth": 2.2},
    "logistic regression": {"color": WARM, "linestyle": "--", "marker": "s"},
    "age alone": {"color": "#6a3d9a", "linestyle": ":", "marker": "^"},
    "visit everybody": {"color": QUIET, "linestyle": "-.", "marker": ""},
    "visit nobody": {"color": INK, "linestyle": "-", "marker": "", "linewidth": 0.8},
}
INCHES_A_ROW: Final = 0.3


def calibration_chart(curve: pl.DataFrame, *, name: str, title: str, text: str) -> str:
    """Observed share against mean risk in groups of people (columns mean_risk, value, low, high), with the diagonal."""
    known = curve.drop_nulls(["value", "low", "high"])
    risk, share = 100 * known["mean_risk"], 100 * known["value"]
    errors = [(share - 100 * known["low"]).to_list(), (100 * known["high"] - share).to_list()]
    end = max(float(risk.max() or 1), float((100 * known["high"]).max() or 1)) * 1.05  # type: ignore[arg-type]
    with style(name):
        figure, axes = new_figure(4.2, width=5.5)
        axes.plot([0, end], [0, end], color=QUIET, linestyle="--", linewidth=1, label="right on average")
        axes.errorbar(risk.to_list(), share.to_list(), yerr=errors, fmt="o", color=DEEP, label="groups of people, 95%")
        axes.set(xlim=(0, end), ylim=(0, end), xlabel="Mean risk given, in 100", ylabel="Had the event, in 100")
        axes.legend(loc="upper left")
        return as_svg(figure, name, title=title, text=text)


def net_benefit_chart(benefit: pl.DataFrame, *, name: str, title: str, text: str) -> str:
    """Net benefit per 1,000 people against the threshold (columns threshold, strategy, value)."""
    shown = benefit.filter(pl.col("strategy").is_in(list(LINES)))
    best = float(1000 * (shown.filter(strategy="model")["value"].max() or 0.0))  # type: ignore[arg-type, operator]
    with style(name):
        figure, axes = new_figure(3.6, width=7.0)
        for strategy, look in LINES.items():
            line = shown.filter(strategy=strategy).sort("threshold")
            if line.height:
                x, y = (100 * line["threshold"]).to_list(), (1000 * line["value"]).to_list()
                axes.plot(x, y, label=strategy.replace("everybody", "everyone"), **look)
        # Visiting everybody falls far below nothing: the rest would be flat beside it.
        axes.set_ylim(-0.15 * max(best, 1.0), 1.15 * max(best, 1.0))
        axes.set(xlabel="Visited at this risk or above, in 100", ylabel="Net benefit per 1,000 people")
        axes.legend()
        return as_svg(figure, name, title=title, text=text)


def interval_chart(
    rows: Sequence[tuple[str, float | None, float | None, float | None]],
    *,
    name: str,
    title: str,
    text: str,
    label: str,
    line_at: float | None = None,
) -> str:
    """A mark and its interval for each row (label, value, low, high), from top to bottom; none without a value."""
    known = [(label, x, low, high) for label, x, low, high in rows if None not in (x, low, high)]
    with style(name):
        figure, axes = new_figure(1.0 + INCHES_A_ROW * len(known))
        for place, (_, value, low, high) in enumerate(known):
            ends = [[max(value - low, 0.0)], [max(high - value, 0.0)]]  # type: ignore[operator]
            axes.errorbar([value], [place], xerr=ends, fmt="o", color=DEEP)
        if line_at is not None:
            axes.axvline(line_at, color=QUIET, linestyle="--", linewidth=1)
        axes.set_yticks(range(len(known)), [plain(row[0]) for row in known])
        axes.set(ylim=(len(known) - 0.5, -0.5), xlabel=label)
        axes.tick_params(axis="y", length=0)
        return as_svg(figure, name, title=title, text=text)


def plain(label: str) -> str:
    """A label as matplotlib writes it: a dollar sign would begin a formula."""
    return label.replace("$", r"\$")
