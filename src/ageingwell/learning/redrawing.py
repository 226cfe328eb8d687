"""How much of a list is luck: the model fitted again on redrawn households, and who of the top stays in it."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ageingwell.config.score import TrainSettings
from ageingwell.errors import TooFewEventsError
from ageingwell.evaluation.rank_stability import rank_stability, redrawn_scores
from ageingwell.learning.training import fit_outcome, left_without_help
from ageingwell.model.fitted import FittedRisk

Ints = NDArray[np.int64]


def redraw(
    outcome: str,
    model: FittedRisk,
    *,
    fit: pl.DataFrame,
    test: pl.DataFrame,
    k: int,
    redraws: int,
    settings: TrainSettings,
) -> pl.DataFrame:
    """`rank_stability` of the top `k` of `test` by `model`, against models fitted on redrawn households of `fit`.

    Both frames are parts of `look_back`. A household is drawn whole, as often as there are households, with
    replacement. Each redraw is a whole training. Raises `TooFewEventsError` below `minimum_events`.
    """
    rows, weight = left_without_help(outcome, fit, settings)
    n_events = int(rows[outcome].sum())
    if n_events < settings.minimum_events:
        raise TooFewEventsError(
            f"{outcome}: {n_events:,} events to fit on again, and at least {settings.minimum_events:,} are needed",
            "leave out the redraws, or give records of more people",
        )
    households = _places(rows["household"])
    at_risk = test.drop_nulls(outcome)

    def score_after(drawn: Ints) -> NDArray[np.float64]:
        again = np.concatenate([households[number] for number in drawn])
        return fit_outcome(outcome, rows[again], weight[again], settings).score(at_risk)

    redrawn = redrawn_scores(score_after, n=len(households), draws=redraws, seed=settings.seed)
    return rank_stability(model.score(at_risk), redrawn, k=k)


def _places(household: pl.Series) -> list[Ints]:
    """The rows of each household, households in the order of their pseudonyms."""
    number = household.rank("dense").to_numpy().astype(np.int64) - 1
    order = np.argsort(number, kind="stable")
    return np.split(order, np.cumsum(np.bincount(number))[:-1])
