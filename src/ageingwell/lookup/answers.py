"""A model's answers: to the same bits whichever way they are found, and each time by a way that is quick.

| way                                 | what it costs                                                             |
|-------------------------------------|---------------------------------------------------------------------------|
| leaf by leaf (`direct.py`)          | about what `pred_contrib` takes                                           |
| tables (`tables.py`)                | to make, as much as some 1,000 rows leaf by leaf; then a 100th or less    |
| the booster itself (`exact.py`)     | what LightGBM's prediction takes; gives log-odds without contributions    |

Tables are made once so many rows have been asked for that making them would have paid, so that nobody waits much longer
than if it had been known beforehand how many were to come. Trees of a kind that cannot be taken apart (linear
leaves, random forests, several outputs) are explained by LightGBM, whichever rows are asked for.
"""

from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ageingwell.lookup import plain
from ageingwell.lookup.compiling import compile_forest
from ageingwell.lookup.curves import Curves, curves_of, draw_curves
from ageingwell.lookup.direct import Direct
from ageingwell.lookup.exact import on_the_grid
from ageingwell.lookup.fallback import DoesNotFit
from ageingwell.lookup.forest import Forest, read_forest
from ageingwell.lookup.kernels import is_compiled
from ageingwell.lookup.margin import CurveMargin, Explained, Floats, checked_matrix, flat, full_margin
from ageingwell.lookup.tables import LookupTables
from ageingwell.lookup.trees import UnfitError

if TYPE_CHECKING:
    import lightgbm as lgb

# Making tables takes as long as explaining 900 to 3,000 rows leaf by leaf, measured on forests of every size.
ROWS_THAT_PAY = 1000
# A prediction without tables takes about a hundredth of an explanation without.
PREDICTIONS_FOR_A_ROW = 100
ROWS_AT_A_TIME = 16_384
# Going through all tables by plain NumPy takes as long as so many rows leaf by leaf, however few rows there are.
FEW_ROWS = 16
# LightGBM takes as long for a tree as plain NumPy for looking up so many numbers.
WORK_OF_A_TREE = 50


def answers_of(booster: "lgb.Booster", *, line: tuple[float, float], margin: CurveMargin) -> "Answers | DoesNotFit":
    """The answers of a model; see `compile_booster` for its parts."""
    margin = full_margin(margin, booster.num_feature())
    try:
        return Answers(booster, read_forest(booster, line=line, margin=margin))
    except UnfitError as why:
        return DoesNotFit(str(why), booster, line, margin)


class Answers:
    """What a model of curves, trees and a calibration line says of rows. It can be used from several threads."""

    def __init__(self, booster: "lgb.Booster", forest: Forest) -> None:
        self.booster, self.forest = booster, forest
        self.tables: LookupTables | None = None
        self.is_too_large = False
        self._asked = 0
        self._lock = Lock()

    def explain(self, x: Floats, *, threads: int = 1) -> Explained:
        """The base, the contributions (n, p) and the calibrated log-odds (n,) of `x`, (n, p) of float64."""
        checked_matrix(x, len(self.forest.margin.curves))
        tables = self._tables_for(len(x))
        if tables is None or (len(x) < FEW_ROWS and not is_compiled()):
            return self._direct.explain(x)
        return tables.explain(x, threads=threads)

    def log_odds(self, x: Floats, *, threads: int = 1) -> Floats:
        """The calibrated log-odds (n,) of `x`: those of `explain`, by whichever way is quicker."""
        checked_matrix(x, len(self.forest.margin.curves))
        tables = self._tables_for(len(x) // PREDICTIONS_FOR_A_ROW)
        if tables is not None and not is_compiled() and tables.work_a_row > WORK_OF_A_TREE * len(self.forest.trees):
            tables = None
        made = np.empty(len(x))
        for first in range(0, len(x), ROWS_AT_A_TIME):
            rows = slice(first, first + ROWS_AT_A_TIME)
            if tables is None:
                made[rows] = self._predicted(x[rows], threads)
            else:
                made[rows] = tables.explain(x[rows], threads=threads).log_odds
        return made

    def _predicted(self, x: Floats, threads: int) -> Floats:
        """The log-odds of some rows by LightGBM."""
        rows, columns = len(x), np.array(x.T, order="C")
        sums, made = np.empty(columns.shape), np.empty(rows)
        draw_curves(columns, self._curves, self.forest.unit, sums, rows)
        plain.finish(self.forest.start, sums, made, rows)
        plain.read_levels(columns, self._flat["level_start"], self._flat["levels"], rows)
        made += np.asarray(self._exact.predict(columns.T, raw_score=True, num_threads=threads))
        return made

    def _tables_for(self, rows: int) -> LookupTables | None:
        """The tables, if they have been made, or if they pay with so many rows more."""
        if self.tables is not None or self.is_too_large:
            return self.tables
        with self._lock:
            self._asked += rows
            if self._asked >= ROWS_THAT_PAY and self.tables is None and not self.is_too_large:
                try:
                    self.tables = compile_forest(self.forest)
                except UnfitError:
                    self.is_too_large = True
            return self.tables

    @cached_property
    def _direct(self) -> Direct:
        return Direct(self.forest)

    @cached_property
    def _exact(self) -> "lgb.Booster":
        return on_the_grid(self.booster, self.forest)

    @cached_property
    def _flat(self) -> dict[str, NDArray[Any]]:
        return flat(self.forest.margin, slope=self.forest.line[1])

    @cached_property
    def _curves(self) -> list[Curves]:
        return curves_of(self._flat)
