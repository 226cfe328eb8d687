"""How much of the list is the people, and how much the luck of the data the model saw."""

from collections.abc import Callable

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from ageingwell.errors import FrameError
from ageingwell.evaluation.checked import finite
from ageingwell.evaluation.estimate import Estimate, Floats, percentile_interval, tidy
from ageingwell.evaluation.utility import chance_listed

# Somebody listed in this share of redrawn models is on the list whatever the luck.
NEARLY_ALWAYS = 0.95


def redrawn_scores(
    score_after: Callable[[NDArray[np.int64]], ArrayLike], *, n: int, draws: int = 50, seed: int = 1
) -> Floats:
    """Scores (draws, people) of models refitted on bootstrap samples of their `n` training rows.

    `score_after(rows)` fits on those rows, drawn with replacement, and scores the people under test, always the same
    ones in the same order. Draw households rather than rows where rows of one household depend on one another.
    """
    generator = np.random.default_rng(seed)
    return np.array([finite(score_after(generator.integers(n, size=n))) for _ in range(draws)])


def rank_stability(score: ArrayLike, redrawn: ArrayLike, *, k: int) -> pl.DataFrame:
    """How the top `k` by `score` (n,) fares under `redrawn` scores (draws, n): measure, value, low, high, n, n_events.

    `share_that_stays` is the mean share of the top k still in it, `overlap` the people in both lists over those in
    either; both with the middle 95% of draws. `nearly_always` is the share of the top k listed in 95% of draws or
    more, without an interval. Ties at the cut count by their chance. `n` is the draws,
    `n_events` the length of the list.

    >>> rank_stability([0.9, 0.8, 0.1], [[0.9, 0.8, 0.1], [0.9, 0.1, 0.8]], k=2)["value"].to_list()
    [0.75, 0.6666666666666666, 0.5]
    """
    listed, again = _chances(score, redrawn, k)
    length = min(k, listed.size)
    stays = np.minimum(listed, again).sum(axis=1) / length
    overlap = np.minimum(listed, again).sum(axis=1) / np.maximum(listed, again).sum(axis=1)
    always = float((listed * (again.mean(axis=0) >= NEARLY_ALWAYS)).sum() / length)
    draws = again.shape[0]
    told = {
        "share_that_stays": Estimate(float(stays.mean()), *percentile_interval(stays), draws, length),
        "overlap": Estimate(float(overlap.mean()), *percentile_interval(overlap), draws, length),
        "nearly_always": Estimate(always, float("nan"), float("nan"), draws, length),
    }
    return tidy(({"measure": measure}, estimate) for measure, estimate in told.items())


def chance_in_top(redrawn: ArrayLike, *, k: int) -> Floats:
    """Each person's chance (n,) to stand in the top `k` over `redrawn` scores (draws, n).

    >>> chance_in_top([[0.9, 0.8, 0.1], [0.9, 0.1, 0.8]], k=2).tolist()
    [1.0, 0.5, 0.5]
    """
    return np.asarray(_listed_by_draw(redrawn, k).mean(axis=0))


def _chances(score: ArrayLike, redrawn: ArrayLike, k: int) -> tuple[Floats, Floats]:
    listed, again = chance_listed(score, k=k), _listed_by_draw(redrawn, k)
    if again.shape[1] != listed.size:
        raise FrameError(
            f"the score is of {listed.size:,} people, and the redrawn scores are of {again.shape[1]:,}",
            "give scores (draws, people) of the same people",
        )
    return listed, again


def _listed_by_draw(redrawn: ArrayLike, k: int) -> Floats:
    draws = redrawn if isinstance(redrawn, list | tuple | np.ndarray) else np.asarray(redrawn)
    rows = [chance_listed(row, k=k) for row in draws]
    if len({row.size for row in rows}) != 1:
        raise FrameError(
            "the redrawn scores must be (draws, people), the same people in every draw", "give a row a draw"
        )
    return np.array(rows)
