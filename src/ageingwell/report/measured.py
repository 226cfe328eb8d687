"""What the evaluation found of one outcome, as tables a reader can take in; every count of people through the door."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from ageingwell.evaluation.wall import GAIN, LOGISTIC, MODEL
from ageingwell.governance.disclosure import HIDDEN, SMALL, in_words, is_small, people_shown
from ageingwell.views.words import agency_words, label_words

Table = dict[str, Any]
Row = Mapping[str, Any]
UNTOLD: Final = "not known"

CALIBRATION_WORDS: Final = {
    "slope": "Calibration slope (1 is right)",
    "intercept": "Calibration intercept (0 is right)",
    "intercept_at_slope_1": "Calibration in the large, on the log-odds (0 is right)",
    "observed_over_expected": "Events observed over expected (1 is right)",
    "brier": "Brier score (lower is better)",
    "reliability": "Of the Brier score: unreliability (lower is better)",
    "resolution": "Of the Brier score: resolution (higher is better)",
    "uncertainty": "Of the Brier score: what is left with the overall share only",
    "within_groups": "Of the Brier score: what ten groups hide",
    "scaled_brier": "Scaled Brier score (0 is giving everyone the overall share, 1 is always right)",
    "ici": "Mean gap between risk and smoothed share (integrated calibration index)",
    "e50": "Median gap between risk and smoothed share",
    "e90": "Gap that 9 in 10 people are below",
    "emax": "Largest gap between risk and smoothed share",
}
GROUPING_WORDS: Final = {
    "sex": "Sex",
    "age_band": "Age",
    "ethnic_group": "Ethnic group",
    "deprivation_fifth": "Deprivation fifth",
    "rurality": "Rural or urban",
    "tenure": "Tenure",
    "practice": "Practice",
    "data_completeness": "Completeness of the records",
}


@dataclass(frozen=True)
class Told:
    """How a figure is written: times what, with how many decimals, with which words after it."""

    times: float = 1.0
    places: int = 3
    unit: str = ""


PLAIN: Final = Told()
OF_100: Final = Told(100, 0, " in 100")
SHARP_OF_100: Final = Told(100, 1, " in 100")  # the lowest groups of risk are all near 1 in 100
PER_1000: Final = Told(1000, 1)
RATIO: Final = Told(places=2)
FINE: Final = Told(places=4)

GROUP_COLUMNS: Final[Mapping[str, tuple[str, Told]]] = {
    "event rate": ("Had the event", OF_100),
    "share listed": ("On the list", OF_100),
    "false-negative rate": ("Missed, of those with the event", OF_100),
    "positive predictive value": ("Had the event, of those listed", OF_100),
    "auroc": ("AUROC", RATIO),
    "observed over expected": ("Observed over expected", RATIO),
    "calibration slope": ("Calibration slope (1 is right)", RATIO),
    "calibration intercept": ("Calibration intercept (0 is right)", RATIO),
}
WALL_COLUMNS: Final[Mapping[str, tuple[str, Told]]] = {
    "auroc": ("AUROC", PLAIN),
    GAIN: ("The model is ahead by", PLAIN),
    "average_precision": ("Average precision", PLAIN),
    "ppv": ("Had the event, of those listed", OF_100),
    "sensitivity": ("Listed, of those with the event", OF_100),
    "lift": ("Lift", RATIO),
    "net_benefit": ("Net benefit per 1,000 people", PER_1000),
}


def figure(row: Row, told: Told = PLAIN) -> str:
    """A figure with its interval, as it is told.

    >>> row = {"value": 0.312, "low": 0.25, "high": 0.38}
    >>> figure(row), figure(row, OF_100), figure({"value": None, "low": None, "high": None})
    ('0.312 (0.250 to 0.380)', '31 in 100 (25 to 38)', 'not known')
    """
    if is_small(row):
        return HIDDEN
    if row["value"] is None:
        return UNTOLD
    value, low, high = (None if row[name] is None else _number(row[name], told) for name in ("value", "low", "high"))
    middle = f"{value}{told.unit}"
    return middle if low is None or high is None else f"{middle} ({low} to {high})"


def told_curve(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The calibration curve as it may be drawn: without groups in which 1 to 7 people had the event."""
    curve = tables["calibration_curve"]
    return curve.filter(pl.Series([not is_small(row) for row in curve.iter_rows(named=True)], dtype=pl.Boolean))


def _number(value: float, told: Told) -> str:
    return f"{round(told.times * value, told.places) + 0.0:.{told.places}f}"  # never -0.0


def wall_table(tables: Mapping[str, pl.DataFrame]) -> Table:
    """The benchmark wall: a row a score, all on the same people and at the same list length."""
    wall = tables["wall"].filter(band="all")
    found = {(row["name"], row["measure"]): row for row in wall.iter_rows(named=True)}
    names = wall["name"].unique(maintain_order=True).to_list()
    rows = [
        [score_words(name), *(_cell(found.get((name, measure)), told) for measure, (_, told) in WALL_COLUMNS.items())]
        for name in names
    ]
    note = (
        "All scores put the same people in order, and each list is equally long. Intervals are 95% intervals. The "
        "model is clearly ahead if the interval of its lead does not include zero. Lift compares the list with one "
        "picked at random: 2 means twice as many people who had the event."
    )
    return _table(
        "The model compared with simpler methods", ["Score", *(w for w, _ in WALL_COLUMNS.values())], rows, note=note
    )


def age_table(tables: Mapping[str, pl.DataFrame]) -> Table:
    """The area under the curve in each age band, a column a score."""
    areas = tables["wall"].filter((pl.col("measure") == "auroc") & (pl.col("band") != "all"))
    names = areas["name"].unique(maintain_order=True).to_list()
    found = {(row["name"], row["band"]): row for row in areas.iter_rows(named=True)}
    rows = []
    for band in areas["band"].unique(maintain_order=True):
        ours = found[names[0], band]
        counts = [in_words(ours["n"]), in_words(ours["n_events"])]
        rows.append([band, *counts, *(_cell(found.get((name, band)), PLAIN) for name in names)])
    heads = ["Age", "People", "Had the event", *(score_words(name) for name in names)]
    note = (
        "Within a narrow age band it is harder to put people in the right order. Across all ages, age does much of "
        "the work."
    )
    return _table("AUROC by age", heads, rows, note=note)


def calibration_table(tables: Mapping[str, pl.DataFrame]) -> Table:
    """Every figure of calibration, with its interval."""
    rows = [
        [CALIBRATION_WORDS.get(row["measure"], label_words(row["measure"])), figure(row, FINE)]
        for row in tables["calibration"].iter_rows(named=True)
    ]
    return _table("Calibration in figures", ("Figure", "Found"), rows)


def curve_table(tables: Mapping[str, pl.DataFrame]) -> Table:
    """The calibration curve as a table: groups of people in order of risk."""
    rows = [
        [
            str(row["group"]),
            f"{_number(row['mean_risk'], SHARP_OF_100)} in 100",
            figure(row, SHARP_OF_100),
            in_words(row["n"]),
            in_words(row["n_events"]),
        ]
        for row in tables["calibration_curve"].iter_rows(named=True)
    ]
    heads = ("Group, lowest risks first", "Mean risk given", "Had the event", "People", "With the event")
    return _table("Risks given, and what happened", heads, rows)


RANGES_NOTE: Final = (
    "People held out, by the chance they were given. A range was right if the share observed among about a hundred "
    "people of one chance was inside it, as far as their number allows. Ranges were made on one half of the "
    "households and checked on the other. A range also allows for what no record says about one person; no record "
    "can check that. People with a chance above those checked get no range."
)


def ranges_table(tables: Mapping[str, pl.DataFrame]) -> Table:
    """How often ranges held, by band of the chance given; of a bundle that did not measure it, no rows."""
    rows = [
        [
            f"{100 * row['band']:.0f} to {100 * row['band_end']:.0f} in 100",
            in_words(row["n"]),
            HIDDEN if is_small(row) else _number(row["mean_risk"], SHARP_OF_100),
            figure(row, SHARP_OF_100),
            _ends_of_range(row),
            _held(row),
        ]
        for row in (tables["ranges"].iter_rows(named=True) if "ranges" in tables else ())
    ]
    heads = ("Chance given", "People", "Mean given, in 100", "Had the event", "Mean range, in 100", "Ranges held")
    return _table("How often the ranges held", heads, rows, note=RANGES_NOTE)


def _ends_of_range(row: Row) -> str:
    if is_small(row):
        return HIDDEN
    if row["range_low"] is None:
        return "none told: too few people to check"
    told = f"{100 * row['range_low']:.0f} to {100 * row['range_high']:.0f}"
    return told if row["n_checked"] == row["n"] else f"{told}, of {in_words(row['n_checked'])} people"


def _held(row: Row) -> str:
    if is_small(row):
        return HIDDEN
    if row["coverage"] is None:
        return "too few people to check"
    return f"{100 * row['coverage']:.0f} in 100 of {row['n_groups']:,} checks"


def capacity_table(tables: Mapping[str, pl.DataFrame]) -> Table:
    """What lists as long as each agency can serve contain, with the worst and best way to break ties at the cut."""
    capacity = tables["capacity"]
    found = {(row["agency"], row["measure"]): row for row in capacity.iter_rows(named=True)}
    rows = []
    for agency in capacity["agency"].unique(maintain_order=True) if capacity.width else []:
        row = [agency_words(agency) if agency != "all" else "All together", in_words(found[agency, "ppv"]["k"])]
        for measure in ("ppv", "sensitivity"):
            told = found[agency, measure]
            row += [figure(told, OF_100), _ties(told)]
        lift = found.get((agency, "lift"))
        rows.append([*row, UNTOLD if lift is None else figure(lift, RATIO)])
    heads = (
        "Agency",
        "List length",
        "Had the event, of those listed",
        "Worst and best if equal scores are split",
        "Listed, of those with the event",
        "Worst and best if equal scores are split",
        "Lift",
    )
    note = "Each list is as long as the agency can serve in these weeks, scaled down to the people held out."
    return _table("At each agency's capacity", heads, rows, note=note)


def net_benefit_table(tables: Mapping[str, pl.DataFrame]) -> Table:
    """Net benefit per 1,000 people at each threshold, a column a strategy."""
    benefit = tables["net_benefit"]
    return _by_threshold(
        benefit.rename({"strategy": "who"}),
        caption="Net benefit per 1,000 people",
        told=lambda row: HIDDEN if row["value"] is None else _number(row["value"], PER_1000),
        note="Useful visits minus wasted visits. The threshold sets how much a wasted visit counts: at 20 in 100, "
        "four wasted visits count as much as one useful visit. Simple scores were turned into risks on these "
        "same people, which makes them look better than they are.",
    )


def gain_table(tables: Mapping[str, pl.DataFrame]) -> Table:
    """How far the model is ahead in net benefit, per 1,000 people, with its interval."""
    gain = tables["net_benefit_gain"]
    return _by_threshold(
        gain.rename({"rival": "who"}),
        caption="How much more net benefit the model gives than each other way, per 1,000 people",
        told=lambda row: figure(row, PER_1000),
        note="",
    )


def group_rows(groups: pl.DataFrame, measure: str) -> list[tuple[str, float | None, float | None, float | None]]:
    """One measure by group, to draw: label, value, low, high; what is hidden has no value."""
    return [
        (
            f"{GROUPING_WORDS.get(row['grouping'], row['grouping'])}: {row['group']}",
            row["value"],
            row["low"],
            row["high"],
        )
        for row in groups.filter(measure=measure).iter_rows(named=True)
    ]


def groups_table(tables: Mapping[str, pl.DataFrame]) -> Table:
    """Who is missed and who is listed, group by group, at the length that all agencies together can serve."""
    groups = tables["groups"]
    found = {(row["grouping"], row["group"], row["measure"]): row for row in groups.iter_rows(named=True)}
    shown = people_shown(groups)
    rows = []
    for grouping, group in groups.select("grouping", "group").unique(maintain_order=True).iter_rows():
        is_hidden = shown[grouping, group] == SMALL
        cells = [
            HIDDEN if is_hidden else _cell(found.get((grouping, group, measure)), told)
            for measure, (_, told) in GROUP_COLUMNS.items()
        ]
        rows.append([f"{GROUPING_WORDS.get(grouping, grouping)}: {group}", shown[grouping, group], *cells])
    heads = ["Group", "People", *(words for words, _ in GROUP_COLUMNS.values())]
    note = (
        "For a list as long as all agencies together can serve. A figure is not shown if it, or the "
        "figure of the others, comes from 1 to 7 people or events."
    )
    return _table("Group by group", heads, rows, note=note)


def _by_threshold(table: pl.DataFrame, *, caption: str, told: Callable[[Row], str], note: str) -> Table:
    names = table["who"].unique(maintain_order=True).to_list()
    found = {(row["threshold"], row["who"]): row for row in table.iter_rows(named=True)}
    rows = [
        [f"{100 * threshold:.0f} in 100", *(told(found[threshold, name]) for name in names)]
        for threshold in table["threshold"].unique(maintain_order=True)
    ]
    return _table(caption, ["Visited at this risk or above", *(score_words(name) for name in names)], rows, note=note)


def score_words(name: str) -> str:
    """A score as a heading.

    >>> score_words("model"), score_words("2+ emergency admissions")
    ('The model', '2+ emergency admissions')
    """
    # The name of a strategy in stored tables is older than the word a reader is shown.
    words = {MODEL: "The model", LOGISTIC: "Logistic regression", "visit everybody": "Visit everyone"}
    return words.get(name, f"{name[:1].upper()}{name[1:]}")


def _cell(row: Row | None, told: Told) -> str:
    return "" if row is None else figure(row, told)


def _ties(row: Row) -> str:
    if is_small(row):
        return HIDDEN
    return UNTOLD if row["worst"] is None else f"{100 * row['worst']:.0f} to {100 * row['best']:.0f} in 100"


def _table(caption: str, heads: Sequence[str], rows: list[list[str]], *, note: str = "") -> Table:
    return {"caption": caption, "note": note, "heads": list(heads), "rows": rows}
