"""How far risks lie from what happened, squared, and what that distance is made of."""

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from ageingwell.evaluation.calibration import equal_groups
from ageingwell.evaluation.checked import outcome_and_risk
from ageingwell.evaluation.estimate import (
    Estimate,
    Floats,
    distance_interval,
    events_apart,
    gap_interval,
    resampled,
    tidy,
)

PARTS = ("brier", "reliability", "resolution", "uncertainty", "within_groups", "scaled_brier")


def brier(
    outcome: ArrayLike,
    risk: ArrayLike,
    *,
    groups: int | None = None,
    draws: int = 500,
    seed: int = 1,
    households: ArrayLike | None = None,
) -> pl.DataFrame:
    """The Brier score and Murphy's parts of it: measure, value, low, high, n, n_events.

    Bootstrap intervals draw `households` (n,) where they are given.
    `brier = reliability - resolution + uncertainty + within_groups`. People of one risk make a group, and
    `within_groups` is 0; with `groups=10` people are first put into ten groups of about equal size, and
    `within_groups` holds what that blurs. `scaled_brier` is 1 - brier / uncertainty: 0 for the overall share told to
    everybody, 1 for certainty. Sources: Murphy, Journal of Applied Meteorology 1973;12:595; Stephenson and others,
    Weather and Forecasting 2008;23:752.

    >>> brier([0, 1, 0, 1], [0.25, 0.25, 0.75, 0.75], draws=10).select("measure", "value").rows()[:4]
    [('brier', 0.3125), ('reliability', 0.0625), ('resolution', 0.0), ('uncertainty', 0.25)]
    """
    happened, risks = outcome_and_risk(outcome, risk)
    n, n_events = happened.size, int(happened.sum())
    _, of_person = np.unique(risks if groups is None else equal_groups(risks, groups), return_inverse=True)

    def parts(drawn: NDArray[np.int64]) -> Floats:
        return _parts(happened.astype(float), risks, of_person, drawn.astype(float))

    found = parts(np.ones(n, dtype=np.int64))
    redrawn = resampled(parts, n, draws=draws, seed=seed, households=households)
    apart = events_apart(happened, households)
    ends = [
        _interval(part, float(found[at]), redrawn[:, at], n_events=min(apart, n - n_events))
        for at, part in enumerate(PARTS)
    ]
    return tidy(
        ({"measure": part}, Estimate(float(found[at]), *ends[at], n, n_events)) for at, part in enumerate(PARTS)
    )


def _interval(part: str, value: float, redrawn: Floats, *, n_events: int) -> tuple[float, float]:
    # Chance moves observed shares away from the risks and from each other, never nearer on average.
    if part in ("reliability", "resolution"):
        return distance_interval(value, redrawn)
    if part == "brier" and value > 0:
        # Its values lean to the high side, and their logarithms hardly.
        low, high = gap_interval(float(np.log(value)), np.log(np.maximum(redrawn, 1e-12)), n_events=n_events)
        return float(np.exp(low)), float(np.exp(high))
    return gap_interval(value, redrawn, n_events=n_events)


def _parts(y: Floats, risk: Floats, of_person: NDArray[np.int64], weight: Floats) -> Floats:
    """In the order of `PARTS`; `weight` is how often each person counts."""
    people = np.bincount(of_person, weight)
    held = np.maximum(people, 1)
    observed = np.bincount(of_person, weight * y) / held
    expected = np.bincount(of_person, weight * risk) / held
    n = people.sum()
    overall = float((weight * y).sum() / n)
    score = float((weight * (risk - y) ** 2).sum() / n)
    reliability = float((people * (expected - observed) ** 2).sum() / n)
    resolution = float((people * (observed - overall) ** 2).sum() / n)
    uncertainty = overall * (1 - overall)
    within = score - (reliability - resolution + uncertainty)
    scaled = 1 - score / uncertainty if uncertainty > 0 else float("nan")
    return np.array([score, reliability, resolution, uncertainty, within, scaled])
