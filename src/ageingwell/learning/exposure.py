"""What agencies did inside the horizon, taken out of what a model learns from.

Outreach that works lowers the very outcome a model is trained on. A model that learned from it would tell that those
who were helped were never at risk, and the next list would leave them out. So a person is followed up to the day help
was taken up, and from then on what happens to them is nobody's outcome (artificially censored). Those who are like them
and were not helped, or not yet, stand for them: each counts for 1 / the chance that somebody like them was still
without help on the day their own following ended. The risk learned is the risk of people left alone.

Leaving helped people out, or marking help by a term that is set to none at prediction, would not do: whoever died in
the first week was not helped, because they had no time to be, so either way the ones left would seem to be at more risk
than they are.

Sources: Robins and Finkelstein, Biometrics 2000;56:779 (inverse probability of censoring); Vock and others, Journal of
Biomedical Informatics 2016;61:119 (the same, for any classifier on health records).
"""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ageingwell.model.logistic import ridge_logistic

Floats = NDArray[np.float64]
# Strata of people about as likely to be helped, and the fewest helped people in each.
STRATA, FEWEST = 10, 20
PENALTY = 100.0
# Somebody who stands for more people than this would decide too much alone.
MOST_WEIGHT = 20.0


def left_alone(rows: pl.DataFrame, outcome: str, *, horizon_days: int, features: Sequence[str]) -> Floats:
    """How much each person's outcome counts for what happens without help, (n,): 0 where help came first.

    `rows` are people at risk of the outcome, with `cut_off`, `contacted_on`, `<outcome>_on` and the features. Without
    anybody helped inside the horizon every weight is 1.
    """
    helped, ended = _days(rows, outcome, horizon_days)
    weight = np.ones(rows.height)
    for cut_off in rows["cut_off"].unique(maintain_order=True):
        now = (rows["cut_off"] == cut_off).to_numpy()
        exposed = (helped < ended)[now]
        if exposed.any():
            facts = rows.filter(now).select(pl.col(name).cast(pl.Float64) for name in features).to_numpy()
            weight[now] = weights_without_help(helped[now], ended[now], _strata(facts, exposed))
    return weight


def is_exposed(rows: pl.DataFrame, outcome: str, *, horizon_days: int) -> NDArray[np.bool_]:
    """Whether help came before the outcome, or before the end of the horizon without it, (n,)."""
    helped, ended = _days(rows, outcome, horizon_days)
    return np.asarray(helped < ended)


def _days(rows: pl.DataFrame, outcome: str, horizon_days: int) -> tuple[Floats, Floats]:
    """Days from the cut-off to the first help and to the outcome; the horizon's end stands for what did not come."""
    found = [
        (rows[name] - rows["cut_off"]).dt.total_days().fill_null(horizon_days).to_numpy().astype(float)
        for name in ("contacted_on", f"{outcome}_on")
    ]
    return found[0], found[1]


def weights_without_help(helped: Floats, ended: Floats, stratum: NDArray[np.int64]) -> Floats:
    """1 / the chance of no help up to the end of each person's own following, within strata; 0 where help came first.

    `helped` and `ended` (n,) are days since the cut-off: of the first help, and of the outcome or else the end of the
    horizon. Help on the day of the outcome comes after it. The chance is Kaplan and Meier's, with help as the event.

    >>> weights_without_help(np.array([9.0, 2.0, 9.0, 9.0]), np.array([1.0, 9.0, 5.0, 9.0]), np.zeros(4, dtype=int))
    array([1. , 0. , 1.5, 1.5])
    """
    weight = np.zeros(helped.size)
    for number in np.unique(stratum):
        ours = stratum == number
        weight[ours] = 1 / np.maximum(_chance_of_none(helped[ours], ended[ours]), 1 / MOST_WEIGHT)
    return np.where(helped < ended, 0.0, weight)


def _chance_of_none(helped: Floats, ended: Floats) -> Floats:
    """The chance of no help before each person's own end, (n,)."""
    last = np.minimum(helped, ended)
    days = np.unique(helped[helped < ended])
    # Whoever's following ends on a day other than by help is at risk of help the day before, and no longer on it.
    at_risk = np.array([((last > day) | ((helped == day) & (helped < ended))).sum() for day in days])
    n_helped = np.array([((helped == day) & (helped < ended)).sum() for day in days])
    chance = np.append(1.0, np.cumprod(1 - n_helped / at_risk))
    return np.asarray(chance[np.searchsorted(days, ended, side="left")])


def _strata(facts: Floats, exposed: NDArray[np.bool_]) -> NDArray[np.int64]:
    """People parted by how likely help was, from what was known of them: equal groups of a penalised logistic score."""
    n = int(np.clip(min(exposed.sum(), (~exposed).sum()) // FEWEST, 1, STRATA))
    if n == 1:
        return np.zeros(exposed.size, dtype=np.int64)
    design = _standardised(facts)
    beta = ridge_logistic(
        design,
        exposed.astype(float),
        weight=np.ones(exposed.size),
        penalty=PENALTY,
        lower=np.full(design.shape[1], -np.inf),
    )
    score = design @ beta[:-1]
    cuts = np.quantile(score, np.arange(1, n) / n)
    return np.asarray(np.searchsorted(cuts, score, side="right"), dtype=np.int64)


def _standardised(facts: Floats) -> Floats:
    """Facts of one spread about nought, missing ones at their mean and marked; what is alike for all is left out."""
    gaps = np.isnan(facts)
    told = np.where(gaps, 0.0, facts)
    means = told.sum(axis=0) / np.maximum((~gaps).sum(axis=0), 1)
    both = np.column_stack([np.where(gaps, means, facts), gaps])
    spread = both.std(axis=0)
    varied = spread > 1e-12
    return np.asarray((both[:, varied] - both[:, varied].mean(axis=0)) / spread[varied])
