"""Any measure in any group, beside everybody else: one engine, many thin measures.

Where few people or few events stand behind a figure, the row says so in `is_small`: whatever leaves the room then
passes through the disclosure door first.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from ageingwell.errors import FrameError
from ageingwell.evaluation.checked import as_array, missing_in, outcome_and_listed, zero_or_one
from ageingwell.evaluation.estimate import Estimate, Method, difference, proportion, tidy

# Counts from 1 to 7 are hidden in what is published (NHS England, HES disclosure rule).
SMALL_BELOW = 8
NOT_KNOWN = "not known"

Measure = Callable[..., Estimate]


def by_group(measures: Mapping[str, Measure], *arrays: ArrayLike, groupings: Mapping[str, ArrayLike]) -> pl.DataFrame:
    """Each measure in each group of each grouping, and how far it lies from the rest of the people.

    A measure is called with the group's part of `arrays`, all (n,), in the order given: first the outcome, of 0 and 1.
    A grouping is (n,) labels; a missing label is the group `not known`, and whole numbers with a gap are the groups
    they were without. `FrameError` where an outcome is missing or not 0 or 1, anything else is missing, or lengths
    differ. Columns: grouping, group, measure, value, low, high, n, n_events,
    difference, difference_low, difference_high, is_small (1 to 7 people, events or people without the event, or the
    same among the rest). The difference is null where either side cannot be told or nobody is left.

    >>> measures = {"false-negative rate": false_negative_rate}
    >>> by_group(
    ...     measures, [1, 1, 1, 0], [1, 0, 1, 0], groupings={"sex": ["F", "F", "M", "M"]}
    ... ).select("group", "value", "n", "difference").rows()
    [('F', 0.5, 2, 0.5), ('M', 0.0, 1, -0.5)]
    """
    columns = _whole(arrays)
    rows = []
    for grouping, labels in groupings.items():
        of_person = _labels(labels)
        if of_person.shape != columns[0].shape:
            raise FrameError(
                f"grouping {grouping}: {of_person.size:,} labels, and arrays of {columns[0].size:,} people",
                "give one label a person",
            )
        for group in np.unique(of_person):
            inside = of_person == group
            for name, measure in measures.items():
                ours = measure(*(column[inside] for column in columns))
                rest = measure(*(column[~inside] for column in columns)) if not inside.all() else None
                rows.append(({"grouping": grouping, "group": str(group), "measure": name}, ours, rest))
    return _beside_the_rest(rows)


def selection_rate(outcome: ArrayLike, listed: ArrayLike, *, method: Method = "wilson") -> Estimate:
    """The share of people who are on the list."""
    _, on_list = outcome_and_listed(outcome, listed)
    return proportion(int(on_list.sum()), on_list.size, method=method)


def false_negative_rate(outcome: ArrayLike, listed: ArrayLike, *, method: Method = "wilson") -> Estimate:
    """Of people who had the event, the share the list missed; n is people with the event, n_events those missed."""
    happened, on_list = outcome_and_listed(outcome, listed)
    return proportion(int((happened & ~on_list).sum()), int(happened.sum()), method=method)


def false_positive_rate(outcome: ArrayLike, listed: ArrayLike, *, method: Method = "wilson") -> Estimate:
    """Of people who did not have the event, the share that was on the list."""
    happened, on_list = outcome_and_listed(outcome, listed)
    return proportion(int((~happened & on_list).sum()), int((~happened).sum()), method=method)


def positive_predictive_value(outcome: ArrayLike, listed: ArrayLike, *, method: Method = "wilson") -> Estimate:
    """Of people on the list, the share who had the event."""
    happened, on_list = outcome_and_listed(outcome, listed)
    return proportion(int((happened & on_list).sum()), int(on_list.sum()), method=method)


def event_rate(outcome: ArrayLike, *_: ArrayLike, method: Method = "wilson") -> Estimate:
    """The share of people who had the event."""
    happened = zero_or_one(outcome)
    return proportion(int(happened.sum()), happened.size, method=method)


AT_THE_CUT: Mapping[str, Measure] = {
    "event rate": event_rate,
    "share listed": selection_rate,
    "positive predictive value": positive_predictive_value,
    "false-negative rate": false_negative_rate,
    "false-positive rate": false_positive_rate,
}


def _whole(arrays: Sequence[ArrayLike]) -> list[NDArray[Any]]:
    """The arrays, the outcome first, in none of which anything is missing."""
    if not arrays:
        raise FrameError("no outcome was given", "give it first, and then what else the measures take")
    columns = [zero_or_one(arrays[0]), *(as_array(array) for array in arrays[1:])]
    for number, column in enumerate(columns[1:], start=2):
        if column.shape != columns[0].shape:
            raise FrameError(
                f"the outcome of {columns[0].size:,} people and array {number} of shape {column.shape} do not belong "
                "together",
                "give one entry per person in every array",
            )
        missing = int(missing_in(column).sum())
        if missing:
            raise FrameError(
                f"array {number} is missing for {missing:,} of {column.size:,} people",
                "say what a missing entry means, or leave these people out of all arrays",
            )
    return columns


def _labels(labels: ArrayLike) -> NDArray[np.str_]:
    """Labels as text, the missing ones named."""
    found = as_array(labels)
    if found.ndim != 1:
        raise FrameError(
            f"a grouping must be flat, and one of shape {found.shape} was given", "give one label a person"
        )
    missing = missing_in(found)
    if found.dtype.kind == "M":
        found = found.astype(str).astype(object)
    return np.array([NOT_KNOWN if gone else _label(value) for value, gone in zip(found.tolist(), missing)], dtype=str)


def _label(value: Any) -> str:
    # A column of whole numbers that has a gap holds decimals.
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_small(estimate: Estimate) -> bool:
    counts = (estimate.n, estimate.n_events, estimate.n - estimate.n_events)
    return any(0 < count < SMALL_BELOW for count in counts)


def _beside_the_rest(rows: list[tuple[dict[str, str], Estimate, Estimate | None]]) -> pl.DataFrame:
    told = tidy((labels, ours) for labels, ours, _ in rows)
    gaps = [None if rest is None else difference(ours, rest) for _, ours, rest in rows]
    ends = {"difference": "value", "difference_low": "low", "difference_high": "high"}
    return told.with_columns(
        *(
            pl.Series(name, [None if gap is None else getattr(gap, end) for gap in gaps], dtype=pl.Float64).fill_nan(
                None
            )
            for name, end in ends.items()
        ),
        pl.Series("is_small", [_is_small(ours) or (rest is not None and _is_small(rest)) for _, ours, rest in rows]),
    )
