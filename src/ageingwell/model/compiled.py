"""A fitted model with its look-up tables: every row's risk and all its contributions from one pass.

The tables are made once for a model and kept in a cache folder, if there is one; they hold the margin's curves, the
trees and the calibration line. A model whose trees do not fit is explained by LightGBM itself, slower.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import expit

from ageingwell.lookup import DoesNotFit, Explained, LookupTables, digest_of, load_tables, save_tables
from ageingwell.lookup.compiling import compile_booster
from ageingwell.model.fitted import Explanation, FittedRisk

Floats = NDArray[np.float64]
# With 150 features, 20 MB of values and as much of contributions at a time.
PEOPLE_IN_A_CHUNK = 16_384


@dataclass(frozen=True)
class CompiledRisk:
    """A fitted model and the tables of its trees, margin and line, or why there are none."""

    fitted: FittedRisk
    tables: LookupTables | DoesNotFit

    @property
    def features(self) -> tuple[str, ...]:
        """The features' names, in the model's order."""
        return self.fitted.features

    @property
    def base(self) -> float:
        """The calibrated log-odds from which everybody's contributions start."""
        return self.tables.explain(np.empty((0, len(self.features))), threads=1).base

    @property
    def why_slow(self) -> str | None:
        """Why the model is explained by LightGBM itself; None where it is explained by look-up."""
        return self.tables.reason if isinstance(self.tables, DoesNotFit) else None

    def explain(self, features: pl.DataFrame, *, threads: int = 1) -> Explanation:
        """What each feature adds for each row, as `FittedRisk.explain` gives it to about 1e-14.

        The same bits for any number of threads and any division of the rows into calls.
        """
        codes, found = self._pass(features, threads)
        return self.fitted.calibrated(found.base, found.contributions, codes)

    def log_odds(self, features: pl.DataFrame, *, threads: int = 1) -> Floats:
        """The calibrated log-odds: base plus contributions, in the order of the features, a chunk of rows at a time."""
        made = np.empty(features.height)
        for first in range(0, features.height, PEOPLE_IN_A_CHUNK):
            some = features.slice(first, PEOPLE_IN_A_CHUNK)
            codes, found = self._pass(some, threads)
            made[first : first + some.height] = self.fitted.calibrated_log_odds(found.log_odds, codes)
        return made

    def score(self, log_odds: Floats) -> Floats:
        """The raw log-odds of `FittedRisk.score` that calibrate to these; NaN where a level line hides them."""
        line, log_odds = self.fitted.line, self.fitted.bend.straight(log_odds)
        return (log_odds - line.intercept) / line.slope if line.slope else np.full(len(log_odds), np.nan)

    def risk_and_range(self, log_odds: Floats) -> tuple[Floats, Floats, Floats]:
        """The risks of calibrated log-odds, and the lower and the upper end of the range around each.

        Beyond what was checked both ends are NaN.
        """
        risk, spread = np.asarray(expit(log_odds)), self.fitted.spread
        low, high = spread.ends(log_odds)
        is_checked = spread.is_checked(log_odds)
        return (
            risk,
            np.where(is_checked, np.minimum(low, risk), np.nan),
            np.where(is_checked, np.maximum(high, risk), np.nan),
        )

    def _pass(self, features: pl.DataFrame, threads: int) -> tuple[Floats, Explained]:
        """The matrix of the features, and what its tables make of it."""
        codes = self.fitted.matrix(features)
        return codes, self.tables.explain(codes, threads=threads)


def compile_risk(model: FittedRisk, *, digest: str | None = None, cache: Path | None = None) -> CompiledRisk:
    """Compile a model, or take its tables from the folder `cache`, where they are known by their `digest`.

    The digest comes from a bundle whose sums were checked; without one nothing is taken and nothing kept. Tables that
    are absent or changed are made again; a folder that cannot be written costs the time to make them.
    """
    kept = None if cache is None or digest is None else load_tables(cache, digest=digest)
    if kept is not None and _are_of(kept, model):
        return CompiledRisk(model, kept)
    made = _tabulated(model)
    if cache is not None and isinstance(made, LookupTables) and digest_of(made) == digest:
        _keep(made, cache)
    return CompiledRisk(model, made)


def digest_of_tables(model: FittedRisk) -> str | None:
    """The digest of a model's tables, for its bundle to tell; None where the trees do not fit."""
    made = _tabulated(model)
    return None if isinstance(made, DoesNotFit) else digest_of(made)


def _tabulated(model: FittedRisk) -> LookupTables | DoesNotFit:
    return compile_booster(model.booster_, line=(model.line.intercept, model.line.slope), margin=model.surroundings)


def _are_of(tables: LookupTables, model: FittedRisk) -> bool:
    return len(tables.missing) == len(model.columns)


def _keep(tables: LookupTables, cache: Path) -> None:
    try:
        save_tables(tables, cache)
    except OSError:
        # Nothing is lost but the time to make them again.
        return
