"""How many people and events a prediction model needs before it may be trained: Riley's criteria.

Sources: Riley and others, BMJ 2020;368:m441 and Statistics in Medicine 2019;38:1276; the area turned into an R² as in
Riley and others, Statistics in Medicine 2021;40:859.
"""

from dataclasses import dataclass
from math import ceil, exp, inf, log

import numpy as np
import polars as pl
from scipy import stats
from scipy.special import log_expit, logit

from ageingwell.errors import FrameError

SHRINKAGE = "shrinkage"
OPTIMISM = "optimism"
OVERALL_RISK = "overall risk"
# Riley's advice where nothing is known of the model: it will explain 15% of what can be explained.
SHARE_EXPLAINED = 0.15


@dataclass(frozen=True)
class SampleSize:
    """The people and events needed, the criterion that asks for most, and what each criterion asks for."""

    n: int
    n_events: int
    binding: str
    n_by_criterion: tuple[tuple[str, int], ...]
    r_squared: float
    events_per_parameter: float

    def table(self) -> pl.DataFrame:
        """One row a criterion: criterion, n, is_binding."""
        rows = [(name, n, name == self.binding) for name, n in self.n_by_criterion]
        return pl.DataFrame(rows, schema=["criterion", "n", "is_binding"], orient="row")


def minimum_sample_size(
    *,
    n_parameters: int,
    event_share: float,
    r_squared: float | None = None,
    area: float | None = None,
    shrinkage: float = 0.9,
    optimism: float = 0.05,
    margin: float = 0.05,
) -> SampleSize:
    """The fewest people to train a binary prediction model on, and the criterion that binds.

    `n_parameters` counts every coefficient a predictor may take (a category of four takes three); `event_share` is
    the outcome's share. How good the model will be comes from `r_squared` (Cox and Snell's, of an earlier model), or
    from its `area` (AUROC); without either, 15% of the largest possible R² is assumed. Criteria: predictor effects
    shrink by no more than 1 - `shrinkage`; the apparent Nagelkerke R² is too high by no more than `optimism`; the
    overall risk is known to within `margin`.

    >>> needed = minimum_sample_size(n_parameters=24, event_share=0.174, r_squared=0.288)
    >>> needed.n, needed.n_events, needed.binding, needed.events_per_parameter
    (662, 116, 'optimism', 4.8)
    """
    if not (0 < event_share < 1 and 1 <= n_parameters < inf and 0 < shrinkage < 1):
        raise FrameError("a share and a shrinkage are between 0 and 1, and a model has at least one parameter")
    if not (0 < optimism < 1 and 0 < margin < 1):
        raise FrameError("an optimism and a margin are between 0 and 1")
    largest = largest_r_squared(event_share)
    explained = r_squared if r_squared is not None else _assumed(area, event_share, largest)
    if not 0 < explained < min(largest, shrinkage):
        raise FrameError(f"an R² of {explained:.3f} cannot be: here it is between 0 and {min(largest, shrinkage):.3f}")
    allowed = explained / (explained + optimism * largest)
    # 1.96 as in the papers, so that their tables come out to the person.
    by_criterion = (
        (SHRINKAGE, _for_shrinkage(n_parameters, explained, shrinkage)),
        (OPTIMISM, _for_shrinkage(n_parameters, explained, allowed)),
        (OVERALL_RISK, ceil((1.96 / margin) ** 2 * event_share * (1 - event_share))),
    )
    binding, n = max(by_criterion, key=lambda each: each[1])
    events = n * event_share
    return SampleSize(n, ceil(events), binding, by_criterion, explained, round(events / n_parameters, 2))


def largest_r_squared(event_share: float) -> float:
    """The largest Cox and Snell R² an outcome of this share allows.

    >>> round(largest_r_squared(0.174), 3)
    0.603
    """
    return 1 - exp(2 * _log_likelihood_of_share(event_share))


def r_squared_of_area(area: float, event_share: float) -> float:
    """Cox and Snell's R² of a model with this area (AUROC), its log-odds normal among those with and without the event.

    Riley and others draw a million people; the same expectation is taken here by quadrature, so nothing is random.

    >>> round(r_squared_of_area(0.89, 0.174), 3)
    0.291
    """
    if not 0.5 < area < 1:
        raise FrameError("an area that is better than chance is between 0.5 and 1")
    apart = float(np.sqrt(2) * stats.norm.ppf(area))
    points, weights = np.polynomial.hermite_e.hermegauss(80)
    weights = weights / weights.sum()
    # Of normal scores one apart, the true log-odds are a straight line in the score.
    height = float(logit(event_share)) - apart**2 / 2
    with_event = float((weights * log_expit(height + apart * (points + apart))).sum())
    without = float((weights * log_expit(-(height + apart * points))).sum())
    fitted = event_share * with_event + (1 - event_share) * without
    return 1 - exp(-2 * (fitted - _log_likelihood_of_share(event_share)))


def _assumed(area: float | None, event_share: float, largest: float) -> float:
    return SHARE_EXPLAINED * largest if area is None else r_squared_of_area(area, event_share)


def _for_shrinkage(n_parameters: int, r_squared: float, shrinkage: float) -> int:
    return ceil(n_parameters / ((shrinkage - 1) * log(1 - r_squared / shrinkage)))


def _log_likelihood_of_share(event_share: float) -> float:
    """The mean log-likelihood of a person when everybody is told the overall share."""
    return event_share * log(event_share) + (1 - event_share) * log(1 - event_share)
