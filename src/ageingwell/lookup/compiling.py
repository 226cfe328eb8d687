"""Compile a booster to tables, once for a model.

The steps: read the trees (`trees.py`), number the ways values are read (`readings.py`), cut the trees into pieces with
few joint outcomes (`pieces.py`), merge pieces into groups (`merge.py`), tabulate each group's Shapley values for every
joint outcome (`grouping.py`, by the formula in `shapley.py`), and lay the tables out in blocks (here).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ageingwell.lookup.fallback import DoesNotFit
from ageingwell.lookup.forest import Forest, read_forest
from ageingwell.lookup.grouping import Group, join, tabulate
from ageingwell.lookup.margin import CurveMargin, flat, full_margin, starts
from ageingwell.lookup.merge import merge
from ageingwell.lookup.pieces import Piece, cut
from ageingwell.lookup.readings import Readings
from ageingwell.lookup.tables import LookupTables
from ageingwell.lookup.trees import UnfitError

if TYPE_CHECKING:
    import lightgbm as lgb

# Joint outcomes of a subtree before merging and of a group after it. Measured; twice or half as many change little.
IN_A_PIECE = IN_A_GROUP = 1024
# An outcome is kept in 16 bits.
IN_A_LEAF = 1 << 16
MOST_BYTES = 512 << 20
GROUPS_IN_A_BLOCK = 64


def compile_booster(
    booster: "lgb.Booster", *, line: tuple[float, float] = (0.0, 1.0), margin: CurveMargin | None = None
) -> LookupTables | DoesNotFit:
    """Tabulate a booster's exact path-dependent SHAP values, carried through the line `intercept + slope · log-odds`.

    `margin` is what the trees were boosted from, if anything. Where the trees do not fit the tables, `DoesNotFit` says
    why and explains by LightGBM's own `pred_contrib`. `BundleError` for a margin that does not match the trees.

    One split, at which 3 of 4 rows go left to a mean of 0 and 1 goes right to 8: a row there is 6 above the mean of 2.

    >>> import lightgbm as lgb
    >>> x, y = np.array([[0.0], [0.0], [0.0], [1.0]]), np.array([0.0, 0.0, 0.0, 8.0])
    >>> settings = {"min_data_in_leaf": 1, "min_data_in_bin": 1, "learning_rate": 1.0, "verbosity": -1}
    >>> booster = lgb.train(settings, lgb.Dataset(x, y, params=settings), 1)
    >>> tables = compile_booster(booster)
    >>> base, contributions, log_odds = tables.explain(np.array([[1.0], [0.0]]), threads=1)
    >>> round(base, 6), contributions.round(6).tolist(), log_odds.round(6).tolist()
    (2.0, [[6.0], [-2.0]], [8.0, 0.0])
    """
    margin = full_margin(margin, booster.num_feature())
    try:
        return compile_forest(read_forest(booster, line=line, margin=margin))
    except UnfitError as why:
        return DoesNotFit(str(why), booster, line, margin)


def compile_forest(forest: Forest) -> LookupTables:
    """The tables of a forest; `UnfitError` where they would be too large, before the long part of the work."""
    readings = forest.readings
    groups = [join(some, readings) for some in merge(_pieces(forest), readings, most=IN_A_GROUP)]
    _stop_if_too_large(sum(_size(len(group.features), group.outcomes) for group in groups))
    tables = tabulate(groups, forest)
    return LookupTables(
        base=np.array([forest.base]),
        unit=np.array([forest.unit]),
        feature=readings.feature,
        kind=readings.kind,
        edge_start=readings.edge_start,
        edges=readings.edges,
        **_conditions(groups, readings),
        **_blocks(groups, tables),
        **flat(forest.margin, slope=forest.line[1]),
    )


def _pieces(forest: Forest) -> list[Piece]:
    """All trees in pieces; `UnfitError` as soon as those that are merged with none make the tables too large."""
    pieces: list[Piece] = []
    least = 0
    for tree, first in zip(forest.trees, forest.first_leaf):
        if tree.splits:
            for piece in cut(tree, forest.readings, first_leaf=first, most=IN_A_PIECE, most_in_a_leaf=IN_A_LEAF):
                pieces.append(piece)
                if piece.outcomes > IN_A_GROUP:
                    players = np.unique(forest.readings.feature[forest.readings.reading_of[list(piece.conditions)]])
                    least += _size(len(players), piece.outcomes)
                    _stop_if_too_large(least)
    return pieces


def _size(features: int, outcomes: int) -> int:
    """The bytes of a table."""
    return 8 * features * outcomes


def _stop_if_too_large(size: int) -> None:
    if size > MOST_BYTES:
        raise UnfitError(f"its tables would take more than {MOST_BYTES >> 20:,} MiB")


def _conditions(groups: Sequence[Group], readings: Readings) -> dict[str, NDArray[Any]]:
    """Every group's conditions, one group after the other."""
    conditions = np.array([c for group in groups for c in group.conditions], np.int64)
    return {
        "condition_start": starts([len(group.conditions) for group in groups]),
        "condition_reading": readings.reading_of[conditions],
        "condition_cut": readings.cut_of[conditions],
        "condition_stride": np.array([stride for group in groups for stride in group.strides], np.uint16),
    }


def _blocks(groups: Sequence[Group], tables: Sequence[NDArray[np.float64]]) -> dict[str, NDArray[Any]]:
    """The groups in blocks, and each block's entries sorted by feature."""
    table_start = starts([table.size for table in tables])
    firsts = range(0, len(groups), GROUPS_IN_A_BLOCK)
    runs: list[list[int]] = []
    entries: list[list[tuple[int, int, int]]] = []
    for first in firsts:
        of: dict[int, list[tuple[int, int, int]]] = {}
        for place, group in enumerate(groups[first : first + GROUPS_IN_A_BLOCK]):
            for row, feature in enumerate(group.features):
                of.setdefault(feature, []).append(
                    (place, int(table_start[first + place]) + row * group.outcomes, group.outcomes)
                )
        runs.append(sorted(of))
        entries += [of[feature] for feature in runs[-1]]
    flat = np.array([entry for run in entries for entry in run], np.int64).reshape(-1, 3)
    return {
        "block_start": np.array([*firsts, len(groups)], np.int64),
        "run_start": starts([len(run) for run in runs]),
        "run_feature": np.array([feature for run in runs for feature in run], np.int64),
        "entry_start": starts([len(run) for run in entries]),
        "entry_group": np.ascontiguousarray(flat[:, 0]),
        "entry_table": np.ascontiguousarray(flat[:, 1]),
        "entry_outcomes": np.ascontiguousarray(flat[:, 2]),
        "entries": np.concatenate([*(table.ravel() for table in tables), np.zeros(0)]),
    }
