"""Contributions in plain sentences: what is linked with a higher or lower chance, and what nobody knows.

Exact SHAP values say what the model makes of a record; they say nothing of causes. What a fact adds is told beside the
people somebody is compared with: its contribution less their mean contribution. A sentence is shown only for a fact
that is on record: a missing value is never a protection, and sex is never a reason.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import expit

from ageingwell.features.build import FEATURES
from ageingwell.features.feature import Feature
from ageingwell.in_hundred import average_slope, in_whole_numbers
from ageingwell.model.fitted import Explanation
from ageingwell.peers import Peers

# The range of pulls smaller than this, on the log-odds, is not worth a reader's time (about 0.2 in 100 at most).
WORTH_TELLING = 0.02
# How many facts a person's page shows at most.
RAISING_ON_PAGE, LOWERING_ON_PAGE = 5, 3
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


def tell_reasons(features: pl.DataFrame, explanation: Explanation, peers: Peers) -> pl.DataFrame:
    """Every contribution of every person, the strongest beside their peers first (contract: `Reasons`).

    `features` are the rows that were explained, with person_id. `beside_peers` is the contribution less the group's
    mean, `adds` the same in 100. `text` is empty where the fact may not be given as a reason: it is unknown, its
    feature has no sentence, or it says too little to matter.
    """
    by_name = {feature.name: feature for feature in FEATURES}
    beside = explanation.contributions - peers.means_of(features["person_id"])
    adds = 100 * beside * _slopes(features, explanation, peers)[:, None]
    parts = [
        _of_feature(features, by_name[name], explanation.contributions[:, n], beside[:, n], adds[:, n])
        for n, name in enumerate(explanation.features)
    ]
    told = pl.concat(parts).with_columns(_weight=pl.col(BESIDE).abs())
    ranked = told.sort("person_id", "_weight", "feature", descending=[False, True, False])
    return (
        ranked.with_columns(position=pl.int_range(1, pl.len() + 1).over("person_id"))
        .select(REASONS.names())
        .cast(REASONS)
    )


def _slopes(features: pl.DataFrame, explanation: Explanation, peers: Peers) -> NDArray[np.float64]:
    own = features.select("person_id").join(peers.groups, on="person_id", how="left", maintain_order="left")
    return average_slope(own["peers_risk"].to_numpy(), expit(explanation.log_odds))


def _of_feature(
    features: pl.DataFrame,
    feature: Feature,
    contribution: NDArray[np.float64],
    beside: NDArray[np.float64],
    adds: NDArray[np.float64],
) -> pl.DataFrame:
    value = pl.col(feature.name)
    return (
        features.select("person_id", feature.name)
        .with_columns(pl.Series("contribution", contribution), pl.Series(BESIDE, beside), pl.Series("adds", adds))
        .select(
            "person_id",
            feature=pl.lit(feature.name),
            value=_shown_value(feature, value),
            contribution="contribution",
            beside_peers=BESIDE,
            adds="adds",
            theme=pl.lit(feature.theme),
            text=pl.when(_may_be_told(feature, value)).then(sentence(feature, value)),
            direction=pl.when(pl.col(BESIDE) > 0).then(pl.lit("raises")).otherwise(pl.lit("lowers")),
            can_change=pl.lit(feature.can_change),
        )
    )


def _may_be_told(feature: Feature, value: pl.Expr) -> pl.Expr:
    """Whether the pull is worth telling, and is one a reader can make sense of.

    A fact that can only raise a risk is told as raising where it is on record and as lowering where it is not: the
    other two say how its record differs from an unknown one, which is no news of the person. An illness, a medicine or
    a hospital stay on record is never a protection.
    """
    worth = pl.col(BESIDE).abs() >= WORTH_TELLING
    raises, is_present = pl.col(BESIDE) > 0, value >= feature.present_from
    if feature.direction == "up":
        return worth & (raises == is_present)
    if feature.may_protect or feature.theme != "health":
        return worth
    return worth & (raises | ~is_present)


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


def strongest_reasons(told: pl.DataFrame, *, raising: int, lowering: int) -> pl.DataFrame:
    """The few facts that speak for all: the strongest that raise and that lower, one a subject, in their order.

    Of several facts on one subject (falls in one year and in three) the strongest speaks for all.
    """
    subject = pl.col("feature").replace_strict(
        {feature.name: feature.subject for feature in FEATURES}, return_dtype=pl.String
    )
    with_text = told.filter(pl.col("text").is_not_null()).with_columns(_subject=subject)
    firsts = with_text.sort("person_id", "position").unique(
        ["person_id", "_subject"], keep="first", maintain_order=True
    )
    nth = pl.int_range(1, pl.len() + 1).over("person_id", "direction")
    limit = pl.when(pl.col("direction") == "raises").then(raising).otherwise(lowering)
    kept = firsts.filter(nth <= limit).drop("_subject")
    return kept.sort("person_id", pl.col("direction") == "lowers", "position")


def with_whole_numbers(told: pl.DataFrame, peers: Peers, risks: pl.DataFrame) -> pl.DataFrame:
    """Give what each fact of the person's page adds in whole numbers of 100, in the column `adds_in_100`.

    It is empty for what stands under “all other facts together”: whatever may not be shown, is too weak, or rounds to
    nothing. `risks` has person_id and risk. The column `adds`, not in whole numbers, is dropped.
    """
    page = strongest_reasons(told, raising=RAISING_ON_PAGE, lowering=LOWERING_ON_PAGE)
    of_people = page.group_by("person_id", maintain_order=True).agg("feature", "adds")
    risk = risks.select("person_id", "risk")
    known = of_people.join(peers.groups, on="person_id").join(risk, on="person_id", maintain_order="left")
    rounded = [
        in_whole_numbers(adds, start=start, end=end).shown
        for adds, start, end in known.select("adds", "peers_risk", "risk").iter_rows()
    ]
    whole = pl.Series("adds_in_100", rounded, dtype=pl.List(pl.Int64))
    numbers = known.select("person_id", "feature").with_columns(whole).explode("feature", "adds_in_100")
    shown = numbers.filter(pl.col("adds_in_100") != 0)
    return told.join(shown, on=["person_id", "feature"], how="left", maintain_order="left").drop("adds")


def with_row_reasons(numbered: pl.DataFrame, *, raising: int, lowering: int) -> pl.DataFrame:
    """Mark the facts that a list row shows, of those on the person's page: the strongest, in the column `shown`."""
    on_page = numbered.filter(pl.col("adds_in_100").is_not_null())
    rows = strongest_reasons(on_page, raising=raising, lowering=lowering)
    marks = rows.select("person_id", "feature", shown=pl.lit(value=True))
    marked = numbered.join(marks, on=["person_id", "feature"], how="left", maintain_order="left")
    return marked.with_columns(pl.col("shown").fill_null(value=False))


def reasons_of_people(shown: pl.DataFrame) -> pl.DataFrame:
    """One row a person: the sentences in the order a reader meets them, and the theme of the strongest that raises."""
    raising = pl.col("direction") == "raises"
    words = pl.when(raising).then(pl.format("higher: {}", "text")).otherwise(pl.format("lower: {}", "text"))
    return shown.group_by("person_id", maintain_order=True).agg(
        reasons=words, top_theme=pl.col("theme").filter(raising).first()
    )
