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
from ageingwell.lookup.grouping import Group, join, tabulate
from ageingwell.lookup.margin import CurveMargin, flat, full_margin, starts
from ageingwell.lookup.pieces import Piece, cut
from ageingwell.lookup.readings import Readings, read_splits
from ageingwell.lookup.tables import LookupTables
from ageingwell.lookup.trees import Tree, UnfitError, read_trees

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
        return _compile(read_trees(booster), line=line, margin=margin)
    except UnfitError as why:
        return DoesNotFit(str(why), booster, line, margin)


def _compile(trees: Sequence[Tree], *, line: tuple[float, float], margin: CurveMargin) -> LookupTables:
    from ageingwell.lookup.merge import merge  # imports Numba

    intercept, slope = line
    readings = read_splits(trees)
    pieces: list[Piece] = []
    for tree in trees:
        if tree.splits:
            pieces += cut(tree, readings, most=IN_A_PIECE, most_in_a_leaf=IN_A_LEAF)
    groups = [join(some, readings) for some in merge(pieces, readings, most=IN_A_GROUP)]
    size = 8 * sum(len(group.features) * group.outcomes for group in groups)
    if size > MOST_BYTES:
        raise UnfitError(f"its tables would take {size >> 20:,} MiB; the most is {MOST_BYTES >> 20:,}")
    base = intercept + slope * (margin.intercept + sum(tree.mean() for tree in trees))
    return LookupTables(
        base=np.array([base]),
        feature=readings.feature,
        kind=readings.kind,
        edge_start=readings.edge_start,
        edges=readings.edges,
        **_conditions(groups, readings),
        **_blocks(groups, readings, slope=slope),
        **flat(margin, slope=slope),
    )


def _conditions(groups: Sequence[Group], readings: Readings) -> dict[str, NDArray[Any]]:
    """Every group's conditions, one group after the other."""
    conditions = np.array([c for group in groups for c in group.conditions], np.int64)
    return {
        "condition_start": starts([len(group.conditions) for group in groups]),
        "condition_reading": readings.reading_of[conditions],
        "condition_cut": readings.cut_of[conditions],
        "condition_stride": np.array([stride for group in groups for stride in group.strides], np.uint16),
    }


def _blocks(groups: Sequence[Group], readings: Readings, *, slope: float) -> dict[str, NDArray[Any]]:
    """The groups in blocks, and each block's entries sorted by feature."""
    tables = [slope * tabulate(group, readings) for group in groups]
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
