"""Charts of contributions, drawn by shap from values that the model has worked out: nothing is computed again here."""

import warnings
from collections.abc import Sequence
from textwrap import wrap
from typing import Any, Final

import numpy as np
import polars as pl

from ageingwell.model.drawing import drawn_by, shap_library
from ageingwell.report.charts.measures import plain
from ageingwell.report.charts.svg import as_svg, new_figure, style

INCHES_A_ROW: Final = 0.45
LETTERS_A_LINE: Final = 40
RAISES: Final = "#b00036"
LOWERS: Final = "#005a9e"


def beeswarm_chart(
    points: pl.DataFrame, *, labels: dict[str, str], name: str, title: str, text: str, seed: int = 1
) -> str:
    """One dot a person and feature, the features in the order of `labels`.

    `points` hold row (0, 1, … of a person; no identifier is wanted here), feature, value and contribution.
    """
    shap = shap_library()
    features = list(labels)
    values, facts = (_wide(points, features, column) for column in ("contribution", "value"))
    explanation = shap.Explanation(
        values=values,
        base_values=np.zeros(len(values)),
        data=facts,
        feature_names=[_wrapped(x) for x in labels.values()],
    )
    with style(name), drawn_by(seed), warnings.catch_warnings():
        # Of a fact that nobody has on record shap asks for the middle value too, and says that there is none.
        warnings.filterwarnings("ignore", "All-NaN slice encountered", RuntimeWarning)
        figure, axes = new_figure(1.2 + INCHES_A_ROW * len(features), width=9.0)
        shap.plots.beeswarm(
            explanation,
            max_display=len(features),
            order=np.arange(len(features)),
            ax=axes,
            plot_size=None,
            show=False,
            color_bar=False,  # it would be a bitmap; the legend says the same
            axis_color="#1b1f23",
            s=9,
            group_remaining_features=False,
        )
        for dots in axes.collections:
            dots.set_clip_on(False)  # every dot lies inside; a path for each would double the size
        axes.set_xlabel("Contribution to the log-odds (to the right: a higher chance)", fontsize=11)
        figure.legend(handles=_legend(shap), loc="outside lower center", ncols=3)
        axes.tick_params(axis="y", labelsize=11)
        return as_svg(figure, name, title=title, text=text)


def waterfall_chart(steps: Sequence[tuple[str, float]], *, base: float, name: str, title: str, text: str) -> str:
    """From the base, where everybody starts, to one risk: (label, contribution) of each step, on the log-odds."""
    import matplotlib.pyplot as plt

    shap = shap_library()
    labels, values = zip(*steps)
    explanation = shap.Explanation(
        values=np.array(values), base_values=base, data=None, feature_names=[_wrapped(label) for label in labels]
    )
    with style(name), plt.ioff():
        figure = plt.figure()
        try:
            figure.subplots_adjust(left=0.42, right=0.97, bottom=0.13, top=0.98)
            figure.gca()  # shap draws into it, and fits its figures to the arrows as they are then
            shap.plots.waterfall(explanation, max_display=len(steps), show=False)
            axes, *ends = figure.axes
            for end in ends:
                end.set_axis_off()  # their formulas are said in words below
            _darken(axes)
            axes.tick_params(labelsize=11)
            axes.set_xlabel(f"Log-odds, from {base:.2f} to {base + sum(values):.2f}")
            return as_svg(figure, name, title=title, text=text)
        finally:
            plt.close(figure)


def _darken(axes: Any) -> None:
    """Give arrows and figures colours that can be read: shap's own blue and white have too little contrast."""
    from matplotlib.colors import to_rgb

    for arrow in axes.patches:
        red, _, blue = to_rgb(arrow.get_facecolor())
        arrow.set_color(RAISES if red > blue else LOWERS)
    for figure in axes.texts:
        red, green, blue = to_rgb(figure.get_color())
        if green < 0.9:  # it stands beside its arrow, and not in white on it
            figure.set_color(RAISES if red > blue else LOWERS)


def _wrapped(label: str) -> str:
    return "\n".join(wrap(plain(label), LETTERS_A_LINE))


def _wide(points: pl.DataFrame, features: Sequence[str], column: str) -> Any:
    wide = points.sort("row").pivot("feature", index="row", values=column)
    return wide.select(features).cast(pl.Float64).to_numpy()


def _legend(shap: Any) -> list[Any]:
    from matplotlib.lines import Line2D

    low, high = shap.plots.colors.red_blue(0.0), shap.plots.colors.red_blue(1.0)
    told = {"low value on record": low, "high value on record": high, "nothing on record": "#777777"}
    return [Line2D([], [], color=color, marker="o", linestyle="", label=label) for label, color in told.items()]
