"""What the estimates are linked with: across people drawn by lot, and step by step for the first people of the list."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import polars as pl
from scipy.special import expit

from ageingwell.features.build import FEATURES
from ageingwell.features.feature import Feature
from ageingwell.governance.disclosure import HIDDEN, SUPPRESS_BELOW
from ageingwell.reasons import FURTHER
from ageingwell.register import THEME_WORDS
from ageingwell.report.cells import shown_key
from ageingwell.report.charts.contributions import beeswarm_chart, waterfall_chart
from ageingwell.report.section import Part, Section, chart, section, table

STEPS: Final = 8
PEOPLE: Final = 3
BY_NAME: Final = {feature.name: feature for feature in FEATURES}


def linked_sections(
    beeswarm: pl.DataFrame, listed: pl.DataFrame, reasons: pl.DataFrame, scores: pl.DataFrame, *, charts: bool
) -> Iterator[Section]:
    """The section on everybody and the one on the first people of the list; none where nobody has a risk."""
    if beeswarm.height:
        yield _everybody(beeswarm, charts=charts)
    known = listed.join(scores.select("person_id", "base"), on="person_id").drop_nulls(["risk", "base"])
    first = known.join(reasons, on="person_id", how="semi").sort("rank").head(PEOPLE)
    if first.height:
        says = [
            "Step by step from the starting point to one person's estimate, on the log-odds, for the "
            "first people on the list. They are shown by their keys, as on the list. A fact that may not be given as "
            "a reason, or that nobody has recorded, is counted in “all other facts” of its theme.",
        ]
        parts = [part for row in first.iter_rows(named=True) for part in _person(row, reasons, charts=charts)]
        yield section("The first people on the list", "first-people", says=says, parts=parts)


def fact_words(name: str) -> str:
    """A feature by its name as a label; one that is not ours any more keeps its name."""
    return feature_words(BY_NAME[name]) if name in BY_NAME else name


def feature_words(feature: Feature) -> str:
    """A feature as a label: its sentence without the number, or its name.

    >>> feature_words(BY_NAME["n_falls_365d"]), feature_words(BY_NAME["is_female"])
    ('… falls recorded by the GP in the past year', 'female')
    """
    if feature.present is None:
        return feature.name.removeprefix("is_").removeprefix("n_").replace("_", " ")
    return feature.present.replace("{value}", "…")


def _everybody(beeswarm: pl.DataFrame, *, charts: bool) -> Section:
    """The order of the features is that of the mean size of their contributions."""
    sizes = (
        beeswarm.group_by("feature")
        .agg(size=pl.col("contribution").abs().mean())
        .sort("size", "feature", descending=[True, False])
    )
    labels = {name: fact_words(name) for name in sizes["feature"]}
    people = beeswarm["person_id"].n_unique()
    says = [
        f"What the model that ranks adds for each of up to {beeswarm_size(people)} people scored tonight, "
        f"picked at random: the {len(labels)} facts that move estimates most. It shows what goes with risk. "
        "It does not show causes."
    ]
    title = "What moves the estimates of people scored tonight"
    parts: list[Part] = []
    if charts:
        first = next(iter(labels.values()))
        text = (
            f"A row of dots for each of {len(labels)} facts, one dot per person. The further from the middle, the more "
            f"the fact moves that person's estimate. The fact that moves most: {first}. The table below gives each "
            "fact's means."
        )
        points = without_names(beeswarm)
        parts.append(chart(beeswarm_chart(points, labels=labels, name="beeswarm", title=title, text=text), title))
    rows = [_means(beeswarm.filter(feature=name), words) for name, words in labels.items()]
    heads = ["Fact", "Mean size", "Higher values", "Lower values", "Nothing on record"]
    note = (
        "Mean contributions to the log-odds: 0.1 is about 1 in 100 at a risk of 10 in 100. Higher "
        "values are those above the median. A mean of fewer than 8 people is not shown."
    )
    parts.append(table({"caption": "Mean contributions", "note": note, "heads": heads, "rows": rows}))
    return section("What moves the estimates", "contributions", says=says, parts=parts)


def beeswarm_size(people: int) -> int:
    """People as told: a number drawn by lot, rounded up to the next hundred."""
    return -(-people // 100) * 100


def without_names(beeswarm: pl.DataFrame) -> pl.DataFrame:
    """The points to draw: each person a number from 0 on, which is all that is left of who they are."""
    row = (pl.col("person_id").rank("dense") - 1).cast(pl.Int64).alias("row")
    return beeswarm.select(row, "feature", "value", "contribution")


def _means(points: pl.DataFrame, words: str) -> list[str]:
    middle = points["value"].median()
    known = points.drop_nulls("value")
    higher, lower = (pl.col("value") > middle, pl.col("value") <= middle) if middle is not None else (False, False)
    parts = [known.filter(higher), known.filter(lower), points.filter(pl.col("value").is_null())]
    size = float(np.abs(points["contribution"].to_numpy()).mean())
    return [words, f"{size:.3f}", *(_mean(part["contribution"]) for part in parts)]


def _mean(contributions: pl.Series) -> str:
    if not len(contributions):
        return "nobody"
    return HIDDEN if len(contributions) < SUPPRESS_BELOW else f"{contributions.to_numpy().mean():+.3f}"


def _person(row: dict[str, Any], reasons: pl.DataFrame, *, charts: bool) -> Iterator[Part]:
    key = shown_key(row["row_key"])
    steps = steps_of(reasons.filter(person_id=row["person_id"]))
    base, end = row["base"], row["base"] + sum(step for _, step in steps)
    title = f"{key} ({row['band']})"
    text = (
        f"From {100 * expit(base):.1f} in 100, the starting point, to {100 * expit(end):.1f} in 100. "
        f"The table below gives every step."
    )
    if charts:
        name = f"person-{row['row_key'][:8]}"
        yield chart(waterfall_chart(steps, base=base, name=name, title=title, text=text), title)
    rows = [["starting point", f"{base:+.2f}"], *([words, f"{step:+.2f}"] for words, step in steps)]
    note = f"Together {end:+.2f} on the log-odds, which is {100 * expit(end):.1f} in 100."
    yield table({"caption": f"Step by step: {title}", "note": note, "heads": ["Fact", "Log-odds"], "rows": rows})


def steps_of(reasons: pl.DataFrame) -> list[tuple[str, float]]:
    """One person's strongest facts that may be told, in their sentences, and all others by theme; they add up.

    A step is one feature's, while a page tells what a whole family adds. What a page may not tell as lowering is none
    here either: only a step that goes the way its sentence is signed for has a name.

    >>> told = {"feature": ["has_dementia", "is_female"], "contribution": [0.5, -0.25], "text": ["dementia", None]}
    >>> more = {"theme": ["health", "everyday_life"], "direction": ["raises", "lowers"]}
    >>> steps_of(pl.DataFrame(told | more))
    [('dementia', 0.5), ('all other facts about everyday life', -0.25)]
    """
    readable = [feature.name for feature in FEATURES if "group" in feature.readers]
    goes_that_way = (pl.col("contribution") > 0) == (pl.col("direction") == "raises")
    may_be_told = pl.col("text").is_not_null() & pl.col("feature").is_in(readable) & goes_that_way
    told = reasons.filter(may_be_told).sort(pl.col("contribution").abs(), "feature", descending=[True, False])
    words = pl.col("text").str.replace(FURTHER, "")
    named = told.head(STEPS)
    others = reasons.join(named, on="feature", how="anti")
    rest = [
        (f"all other facts about {words_of_theme.lower()}", others.filter(theme=theme)["contribution"].sum())
        for theme, words_of_theme in THEME_WORDS.items()
    ]
    return [*named.select(words, "contribution").rows(), *((label, step) for label, step in rest if step)]
