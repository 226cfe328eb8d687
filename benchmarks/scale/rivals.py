"""Ratios in one run: the same job and the same night done by others, turn by turn, each in a process of its own."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

import polars as pl

from benchmarks.scale.children import ONE_THREAD, Cost, result_of
from benchmarks.scale.counties import AS_OF
from benchmarks.scale.told import Told

READERS: Final = {"ageingwell (Polars)": "with_ageingwell", "pandas": "with_pandas", "DuckDB": "with_duckdb"}


class NotTheSame(Exception):  # noqa: N818 - what was found
    """Two who were to do the same work came to other results; no ratio of theirs means anything."""


def reading(county: Path, *, rounds: int) -> Told:
    """Read, check and make features with each library in turn; `NotTheSame` unless all give the same frame."""
    costs: dict[str, list[Cost]] = {name: [] for name in READERS}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            frames, rows = {}, {}
            for name, module in READERS.items():
                out = Path(folder) / f"{module}.parquet"
                given = {"data": str(county), "as_of": AS_OF, "out": str(out)}
                cost, answer = result_of(f"benchmarks.scale.{module}:run", given, env=ONE_THREAD)
                costs[name].append(cost)
                frames[name], rows[name] = pl.read_parquet(out), answer["rows"]
            stop_unless_same(frames, rows)
    frame = next(iter(frames.values()))
    n_rows = sum(read for read, _ in next(iter(rows.values())).values())
    says = (
        f"{n_rows:,} rows of four tables (GP register, entries and prescriptions, hospital) from Parquet; the rules of "
        f"their contracts; {frame.width - 1} features of {frame.height:,} people. One thread each, in "
        f"turn, the median of {rounds}. All three gave the same frame, and as many good rows of each table.",
        "ageingwell does more here than it is compared for: it puts the checked rows aside on disk, tells each refused "
        "row by file, number and rule, finds repeats, and makes every feature that these tables tell.",
    )
    return Told("Read, check and features", says, _side_by_side(costs))


def stop_unless_same(frames: dict[str, pl.DataFrame], rows: dict[str, Any]) -> None:
    """Raise `NotTheSame` unless all frames are equal, and all count the same rows read and good."""
    (first, frame), *others = frames.items()
    for name, other in others:
        if rows[name] != rows[first]:
            raise NotTheSame(f"{name} and {first} count other rows: {rows[name]} and {rows[first]}")
        if not frame.equals(other):
            unequal = [
                column
                for column in frame.columns
                if frame.height != other.height or not frame[column].equals(other[column])
            ]
            raise NotTheSame(f"{name} and {first} differ in {', '.join(unequal)}")


def _side_by_side(costs: dict[str, list[Cost]]) -> pl.DataFrame:
    ours = median(cost.cpu_seconds for cost in next(iter(costs.values())))
    rows = [
        (
            name,
            median(cost.cpu_seconds for cost in found),
            median(cost.wall_seconds for cost in found),
            median(cost.peak_gib for cost in found),
            median(cost.cpu_seconds for cost in found) / ours,
        )
        for name, found in costs.items()
    ]
    return pl.DataFrame(rows, schema=["with", "CPU s", "wall s", "peak GiB", "x our CPU s"], orient="row")


def night(county: Path, *, rounds: int, whole_night: Callable[[], Cost], most_seconds: float) -> Told:
    """The night by ageingwell's steps, by the straw man, and by the whole command; with small trees and with large."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        _, made = result_of(
            "benchmarks.scale.same_night:prepare", {"data": str(county), "as_of": AS_OF, "folder": folder}
        )
        whole = [whole_night() for _ in range(rounds)]
        rows: list[tuple[Any, ...]] = []
        says = []
        for model, trees in (("demo", made["demo_trees"]), ("large", made["large_trees"])):
            ours, theirs, same = _in_turn(county, place, model, rounds=rounds, most_seconds=most_seconds)
            label = f"{trees} trees" + (" (the demonstration's)" if model == "demo" else " of 31 leaves")
            rows += _rows(label, ours, theirs, whole)
            says.append(_how_alike(label, same))
            if theirs[-1]["explained"] < theirs[-1]["people"]:
                says.append(
                    f"With {label} the straw man's contributions are reckoned from {theirs[-1]['explained']:,} people."
                )
    return Told(
        f"The whole night of {made['people']:,} people against the usual straw man",
        (*_NIGHT_SAYS, *says),
        _night_frame(rows),
    )


_NIGHT_SAYS: Final = (
    "The same work: read, check, features, risk and exact contributions of everybody from the same trees, an order, a "
    "workbook of a thousand people with their five strongest features. One thread each, in turn, medians. The straw "
    "man is pandas, LightGBM's predict, `shap.TreeExplainer` and `to_excel`; the features that it does not make are "
    "given to it free of charge.",
    "The last column compares the straw man with our whole command, `ageingwell score`, which also reads the other "
    "seven tables and does what the straw man leaves out: opt-outs and permissions, whose codes are not recognised, "
    "homes and who lives together, needs, places shared fairly, reasons in words, views of each agency, 30 files of "
    "pages, workbooks and records for an audit.",
)


def _in_turn(
    county: Path, place: Path, model: str, *, rounds: int, most_seconds: float
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], tuple[float, float]]:
    """What both took in each round, and how alike their results are."""
    given = {
        "data": str(county),
        "as_of": AS_OF,
        "model": str(place / f"{model}.txt"),
        "given": str(place / "given.parquet"),
    }
    cache = {"cache": str(place / f"cache-{model}")}
    ours_out, theirs_out = place / "ours", place / "theirs"
    for out in (ours_out, theirs_out):
        out.mkdir(exist_ok=True)
    ask_ours = {**given, **cache, "out": str(ours_out)}
    # The tables of a model's trees are made once for a model; that first run is told apart.
    first = _answered("ageingwell", ask_ours)
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(_answered("ageingwell", ask_ours) | {"tables": first["stages"]["tables of the trees"]})
        theirs.append(_answered("straw_man", {**given, "most_seconds": most_seconds, "out": str(theirs_out)}))
    return ours, theirs, _alike(ours_out, theirs_out)


def _answered(who: str, given: dict[str, Any]) -> dict[str, Any]:
    cost, answer = result_of(f"benchmarks.scale.same_night:{who}", given, env=ONE_THREAD)
    return answer | {"cpu": cost.cpu_seconds, "peak": cost.peak_gib}


def _alike(ours: Path, theirs: Path) -> tuple[float, float]:
    """The largest difference between two risks of a person, and the share of listed people who are on both lists."""
    both = [pl.read_parquet(out / "scores.parquet") for out in (ours, theirs)]
    joined = both[0].join(both[1], on="person_id", how="full", suffix="_theirs")
    apart = joined.select((pl.col("risk") - pl.col("risk_theirs")).abs().fill_null(1.0).max()).item()
    lists = [set(pl.read_parquet(out / "list.parquet")["person_id"]) for out in (ours, theirs)]
    if apart > 1e-6:
        raise NotTheSame(f"the risks of the two nights differ by up to {apart:.1e}")
    return float(apart), len(lists[0] & lists[1]) / len(lists[0])


def _how_alike(label: str, same: tuple[float, float]) -> str:
    apart, shared = same
    return f"With {label} the two give everybody the same risk to {max(apart, 1e-9):.0e}, and {shared:.1%} of the list."


def cpu_of_everybody(answer: dict[str, Any]) -> float:
    """The CPU seconds of a straw man's night, its contributions reckoned for everybody where only some were explained.

    >>> stages = {"explainer tried": 1.0, "contributions": 10.0}
    >>> cpu_of_everybody({"cpu": 30.0, "stages": stages, "explained": 100, "people": 1000})
    119.0
    """
    measured, times = answer["stages"]["contributions"], answer["people"] / answer["explained"]
    tried = answer["stages"]["explainer tried"]  # done again with everybody: no part of the work
    return float(answer["cpu"] - tried + measured * (times - 1))


def _rows(label: str, ours: Sequence[Any], theirs: Sequence[Any], whole: Sequence[Cost]) -> list[tuple[Any, ...]]:
    mine = median(one["cpu"] for one in ours)
    his = median(cpu_of_everybody(one) for one in theirs)
    command = median(cost.cpu_seconds for cost in whole)
    return [
        (label, "ageingwell, the same work", mine, median(one["peak"] for one in ours), 1.0, None),
        (label, "ageingwell score, everything", command, median(cost.peak_gib for cost in whole), command / mine, 1.0),
        (label, "straw man", his, median(one["peak"] for one in theirs), his / mine, his / command),
        (label, "once for a model: its tables", median(one["tables"] for one in ours), None, None, None),
    ]


def _night_frame(rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    names = {"trees": pl.String, "night": pl.String, "CPU s": pl.Float64, "peak GiB": pl.Float64}
    return pl.DataFrame(
        rows, schema={**names, "x the same work": pl.Float64, "x our command": pl.Float64}, orient="row"
    )
