"""The way round for a model that cannot be tabulated: LightGBM's own contributions, about 300 times slower."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ageingwell.errors import BundleError
from ageingwell.lookup.margin import CurveMargin, Explained, Floats, checked_matrix, summed

if TYPE_CHECKING:
    import lightgbm as lgb


@dataclass(frozen=True)
class DoesNotFit:
    """Why a model has no tables, and the same answers from LightGBM's `pred_contrib`."""

    reason: str
    booster: "lgb.Booster"
    line: tuple[float, float]
    margin: CurveMargin

    def explain(self, x: Floats, *, threads: int) -> Explained:
        """What `LookupTables.explain` gives. `BundleError` for trees with several outputs."""
        features = self.booster.num_feature()
        # LightGBM takes no array without rows, and a row more gives the base in any case.
        rows = np.concatenate([self.margin.numbers(checked_matrix(x, features)), np.zeros((1, features))])
        raw = np.asarray(self.booster.predict(rows, pred_contrib=True, num_threads=threads))
        if raw.shape != (len(rows), features + 1):
            raise BundleError("the trees have several outputs; only models with one can be explained here")
        intercept, slope = self.line
        base = float(intercept + slope * (self.margin.intercept + raw[-1, -1]))
        contributions = slope * (raw[:-1, :-1] + self.margin.contributions(x))
        return Explained(base, contributions, summed(base, contributions))

    def log_odds(self, x: Floats, *, threads: int) -> Floats:
        """The calibrated log-odds (n,) by LightGBM's own prediction."""
        if not len(checked_matrix(x, self.booster.num_feature())):
            return np.empty(0)
        raw = np.asarray(self.booster.predict(self.margin.numbers(x), raw_score=True, num_threads=threads))
        intercept, slope = self.line
        return summed(intercept + slope * (self.margin.intercept + raw), slope * self.margin.contributions(x))
