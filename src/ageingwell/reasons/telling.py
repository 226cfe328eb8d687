"""Contributions in plain sentences: what is linked with a higher or lower chance, and what nobody knows.

Exact SHAP values say what the model makes of a record; they say nothing of causes. What a fact adds is told beside the
people somebody is compared with: its contribution less their mean contribution. A sentence is shown only for a fact
that is on record: a missing value is never a protection, sex is never a reason, and age is none beside people of the
same age. As linked with a lower chance only what a professional signed is told (`may_lower.toml`).
"""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import expit

from ageingwell.config.may_lower import MayLower
from ageingwell.features.build import FEATURES
from ageingwell.features.feature import Feature
from ageingwell.in_hundred import average_slope
from ageingwell.model.fitted import Explanation
from ageingwell.peers import Peers, five_years
from ageingwell.reasons.signed import may_lower

REASONS = pl.Schema(
    {
        "person_id": pl.String,
        "position": pl.Int64,
        "feature": pl.String,
        "value": pl.String,
        "contribution": pl.Float64,
        "beside_peers": pl.Float64,
        "adds": pl.Float64,
        "theme": pl.String,
        "text": pl.String,
        "direction": pl.String,
        "can_change": pl.Boolean,
    }
)
BESIDE = "beside_peers"
_WHO = "_who"


def tell_reasons(features: pl.DataFrame, explanation: Explanation, peers: Peers, *, signed: MayLower) -> pl.DataFrame:
    """Every contribution of every person, the strongest beside their peers first (contract: `Reasons`).

    `features` are the rows that were explained, with person_id. `beside_peers` is the contribution less the group's
    mean, `adds` the same in 100. `text` is empty where the fact may not be given as a reason: it is unknown, its
    feature has no sentence, or it would lower and is not on the `signed` list.
    """
    by_name = {feature.name: feature for feature in FEATURES}
    own = features.select("person_id").join(peers.groups, on="person_id", how="left", maintain_order="left")
    people = features.with_columns(own["who"].alias(_WHO))
    beside = explanation.contributions - peers.means_of(features["person_id"])
    slopes = average_slope(own["peers_risk"].to_numpy(), expit(explanation.log_odds))
    adds = 100 * beside * slopes[:, None]
    chosen = [by_name[name] for name in explanation.features]
    told = _long(people, chosen, signed, explanation.contributions, beside, adds)
    ranked = told.sort("person_id", "_weight", "feature", descending=[False, True, False])
    return (
        ranked.with_columns(position=pl.int_range(1, pl.len() + 1).over("person_id"))
        .select(REASONS.names())
        .cast(REASONS)
    )


def _long(
    people: pl.DataFrame,
    features: Sequence[Feature],
    signed: MayLower,
    contributions: NDArray[np.float64],
    beside: NDArray[np.float64],
    adds: NDArray[np.float64],
) -> pl.DataFrame:
    """One row a feature and person, in this order. All sentences are one query: one by one they cost most."""
    pulls = pl.from_numpy(beside, schema=[f"{BESIDE} {feature.name}" for feature in features], orient="row")
    texts = pl.concat([people, pulls], how="horizontal").select(
        *(_shown_value(feature, pl.col(feature.name)).alias(f"value {feature.name}") for feature in features),
        *(_text(feature, signed).alias(f"text {feature.name}") for feature in features),
    )
    of_features = pl.DataFrame(
        {
            "feature": [feature.name for feature in features],
            "theme": [feature.theme for feature in features],
            "can_change": [feature.can_change for feature in features],
        }
    )
    every = of_features.join(people.select("person_id"), how="cross", maintain_order="left_right")
    return every.with_columns(
        pl.concat([texts[f"value {feature.name}"] for feature in features]).alias("value"),
        pl.concat([texts[f"text {feature.name}"] for feature in features]).alias("text"),
        *(
            pl.Series(name, values.T.reshape(-1))
            for name, values in (("contribution", contributions), (BESIDE, beside), ("adds", adds))
        ),
    ).with_columns(
        _weight=pl.col(BESIDE).abs(),
        direction=pl.when(pl.col(BESIDE) > 0).then(pl.lit("raises")).otherwise(pl.lit("lowers")),
    )


def _text(feature: Feature, signed: MayLower) -> pl.Expr:
    """What is told of each person's fact; missing where it may not be told."""
    value = pl.col(feature.name)
    told, words = _may_be_told(feature, value, signed), sentence(feature, value)
    if feature.name == "age":
        told, words = told & ~_is_of_same_age(value), pl.format("aged {}", five_years(value))
    return pl.when(told).then(words)


def _may_be_told(feature: Feature, value: pl.Expr, signed: MayLower) -> pl.Expr:
    """Whether the pull is one a reader can make sense of.

    A fact that can only raise a risk is told as raising where it is on record; as lowering is told what is signed.
    """
    raises, is_present = pl.col(f"{BESIDE} {feature.name}") > 0, value >= feature.present_from
    makes_sense = is_present if feature.direction == "up" else pl.lit(value=True)
    return pl.when(raises).then(makes_sense).otherwise(may_lower(feature, value, signed))


def _is_of_same_age(age: pl.Expr) -> pl.Expr:
    """Whether somebody is compared with people of the same five years: then their age is no fact beside them."""
    return pl.col(_WHO).str.contains(pl.format("aged {} in ", five_years(age)), literal=True)


def _shown_value(feature: Feature, value: pl.Expr) -> pl.Expr:
    """The value as text; `unknown` where nothing is on record."""
    rounded = value.round(2) if feature.shown_as == "share" else value.round(0).cast(pl.Int64)
    return rounded.cast(pl.String).fill_null("unknown")


def sentence(feature: Feature, value: pl.Expr) -> pl.Expr:
    """The reader's sentence for a value of the feature; missing where the value is, or the feature has none.

    >>> repairs = next(feature for feature in FEATURES if feature.name == "n_repairs_365d")
    >>> told = pl.DataFrame({"n": [0.0, 1.0, 3.0, None]}).select(sentence(repairs, pl.col("n")))["n"]
    >>> told.to_list()[:2], told.to_list()[2:]
    (['no repair requested in the past year', '1 repair requested in the past year'],
     ['3 repairs requested in the past year', None])
    """
    whole = value.round(0).cast(pl.Int64).cast(pl.String)
    present = _filled(feature.present, whole)
    absent = _filled(feature.absent, whole)
    one = present if feature.one is None else pl.lit(feature.one)
    if feature.most is not None:
        most_from, most = feature.most
        present = pl.when(value >= most_from).then(pl.lit(most)).otherwise(present)
    told = pl.when(value == 1).then(one).when(value >= feature.present_from).then(present)
    return told.when(value.is_not_null()).then(absent).alias(value.meta.output_name())


def _filled(words: str | None, value: pl.Expr) -> pl.Expr:
    if words is None:
        return pl.lit(None, dtype=pl.String)
    return pl.format(words.replace("{value}", "{}"), value) if "{value}" in words else pl.lit(words)
