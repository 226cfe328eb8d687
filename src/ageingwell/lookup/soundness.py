"""Whether tables read from a file can be used: the loops that use them do not check where a number points."""

from dataclasses import fields
from math import frexp

import numpy as np
from numpy.typing import NDArray

from ageingwell.lookup.tables import LookupTables

FLOATS = ("base", "unit", "edges", "entries", "knots", "heights", "missing", "levels")
TYPES = {field.name: "float64" if field.name in FLOATS else "int64" for field in fields(LookupTables)}
TYPES["condition_stride"] = "uint16"


def hold_together(tables: LookupTables) -> bool:
    """Whether every array has its type and length, and every number points to something that is there."""
    return (
        all(
            getattr(tables, name).dtype == np.dtype(kind) and getattr(tables, name).ndim == 1
            for name, kind in TYPES.items()
        )
        and _fit_in_length(tables)
        and _below(tables.feature, len(tables.missing))
        and _below(tables.run_feature, len(tables.missing))
        and _below(tables.condition_reading, len(tables.feature))
        and _look_ups_stay_in_their_tables(tables)
    )


def _fit_in_length(tables: LookupTables) -> bool:
    groups, blocks = len(tables.condition_start) - 1, len(tables.run_start) - 1
    return (
        len(tables.base) == len(tables.unit) == 1
        and _is_power_of_two(float(tables.unit[0]))
        and len(tables.knots) == len(tables.heights)
        and _divides(tables.knot_start, len(tables.missing), len(tables.knots))
        and _divides(tables.level_start, len(tables.missing), len(tables.levels))
        and len(tables.feature) == len(tables.kind)
        and len(tables.condition_reading) == len(tables.condition_cut) == len(tables.condition_stride)
        and len(tables.entry_group) == len(tables.entry_table) == len(tables.entry_outcomes)
        and _divides(tables.edge_start, len(tables.feature), len(tables.edges))
        and _divides(tables.condition_start, groups, len(tables.condition_reading))
        and _divides(tables.block_start, blocks, groups)
        and _divides(tables.run_start, blocks, len(tables.run_feature))
        and _divides(tables.entry_start, len(tables.run_feature), len(tables.entry_table))
    )


def _look_ups_stay_in_their_tables(tables: LookupTables) -> bool:
    """Whether each entry's table lies in `entries`, and the highest outcome of its group in the table."""
    run_of = np.repeat(np.arange(len(tables.run_feature)), np.diff(tables.entry_start))
    block_of = np.repeat(np.arange(len(tables.run_start) - 1), np.diff(tables.run_start))[run_of]
    strides = np.concatenate([[0], np.cumsum(tables.condition_stride, dtype=np.int64)])
    highest = strides[tables.condition_start[1:]] - strides[tables.condition_start[:-1]]
    if not _below(tables.entry_group, np.diff(tables.block_start)[block_of]):
        return False
    group = tables.block_start[block_of] + tables.entry_group
    return (
        _below(tables.entry_table, len(tables.entries))
        and _below(tables.entry_outcomes, len(tables.entries) + 1 - tables.entry_table)
        and _below(highest[group], tables.entry_outcomes)
    )


def _divides(start: NDArray[np.int64], parts: int, whole: int) -> bool:
    """Whether `start` divides a whole into that many parts."""
    return bool(len(start) == parts + 1 and start[0] == 0 and start[-1] == whole and (np.diff(start) >= 0).all())


def _below(numbers: NDArray[np.int64], end: int | NDArray[np.int64]) -> bool:
    """Whether all numbers lie in [0, end)."""
    return bool(((numbers >= 0) & (numbers < end)).all())


def _is_power_of_two(number: float) -> bool:
    return frexp(number)[0] == 0.5
