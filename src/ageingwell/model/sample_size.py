"""How many people and events a prediction model needs, by Riley's criteria.

Source: Riley and others, BMJ 2020;368:m441, box 3 and figures 2 to 4 (binary outcomes).
"""

from dataclasses import dataclass
from math import ceil, exp, log

# Where nothing is known of how well the outcome can be predicted, Riley and others take 15% of what is possible.
USUAL_SHARE_OF_R2 = 0.15


@dataclass(frozen=True)
class SampleNeeded:
    """The people each criterion asks for, the most of them, and the events expected among these."""

    for_the_mean_risk: int
    for_little_shrinkage: int
    for_little_optimism: int
    n: int
    n_events: int


def sample_needed(
    *, n_parameters: int, event_share: float, r2_nagelkerke: float = USUAL_SHARE_OF_R2, shrinkage: float = 0.9
) -> SampleNeeded:
    """People and events needed to develop a model of `n_parameters` on an outcome that `event_share` of people have.

    Three criteria: the mean risk within 0.05, a shrinkage of `shrinkage` (0.9: predictions need to be shrunk by 10%),
    and an apparent Nagelkerke R² at most 0.05 too high. Raises `ValueError` where a number is out of its bounds.

    The worked example of Riley's own package pmsampsize (24 parameters, 17.4% events, Cox-Snell R² 0.288):

    >>> sample_needed(n_parameters=24, event_share=0.174, r2_nagelkerke=0.288 / highest_r2(0.174))
    SampleNeeded(for_the_mean_risk=221, for_little_shrinkage=623, for_little_optimism=662, n=662, n_events=116)
    """
    if n_parameters < 1 or not 0 < event_share < 1 or not 0 < r2_nagelkerke < 1 or not 0 < shrinkage < 1:
        raise ValueError("a sample size needs parameters, and shares between 0 and 1")
    possible = highest_r2(event_share)
    expected = r2_nagelkerke * possible
    mean_risk = ceil((1.96 / 0.05) ** 2 * event_share * (1 - event_share))
    little_shrinkage = _for_shrinkage(n_parameters, expected, shrinkage)
    little_optimism = _for_shrinkage(n_parameters, expected, expected / (expected + 0.05 * possible))
    n = max(mean_risk, little_shrinkage, little_optimism)
    return SampleNeeded(mean_risk, little_shrinkage, little_optimism, n, ceil(n * event_share))


def highest_r2(event_share: float) -> float:
    """The highest Cox-Snell R² possible at an event share.

    >>> [round(highest_r2(share), 2) for share in (0.5, 0.1, 0.01)]
    [0.75, 0.48, 0.11]
    """
    mean_log_likelihood = event_share * log(event_share) + (1 - event_share) * log(1 - event_share)
    return float(1 - exp(2 * mean_log_likelihood))


def _for_shrinkage(n_parameters: int, r2: float, shrinkage: float) -> int:
    return ceil(n_parameters / ((shrinkage - 1) * log(1 - r2 / shrinkage)))
