"""What every measure is given, checked: outcomes of 0 and 1, finite scores, labels of households, one entry a person.

Nothing is guessed. A missing outcome is no event and no absence of one, and text is no number: both stop, with how many
there are and what to do.
"""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from ageingwell.errors import FrameError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def outcome_and(outcome: ArrayLike, *others: ArrayLike, named: str = "outcome") -> tuple[NDArray[Any], ...]:
    """The outcome as booleans and the other arrays as floats, all (n,) of the same people.

    Raises `FrameError`, a `ValueError`: nobody given; an outcome that is missing or anything but 0, 1, false and true;
    a score that is missing, infinite or no number; arrays of different lengths. `named` is what the outcome is called.

    >>> outcome_and([0, 1, True], [0.2, 0.5, 0.9])
    (array([False,  True,  True]), array([0.2, 0.5, 0.9]))
    """
    happened = zero_or_one(outcome, named=named)
    arrays = [finite(other) for other in others]
    _of_the_same_people(happened, *arrays)
    return happened, *arrays


def outcome_and_risk(outcome: ArrayLike, risk: ArrayLike) -> tuple[NDArray[Any], ...]:
    """As `outcome_and`, of a risk: `FrameError` where it lies outside [0, 1]."""
    happened, risks = outcome_and(outcome, risk)
    beyond = int(((risks < 0) | (risks > 1)).sum())
    if beyond:
        raise FrameError(
            f"a risk is between 0 and 1, and {beyond:,} of {risks.size:,} do not",
            "give risks, not log-odds or in 100",
        )
    return happened, risks


def outcome_and_listed(outcome: ArrayLike, listed: ArrayLike) -> tuple[Bools, Bools]:
    """The outcome and who is on the list, each 0 or 1 a person, as booleans (n,); `FrameError` as `outcome_and`."""
    happened, on_list = zero_or_one(outcome), zero_or_one(listed, named="list")
    _of_the_same_people(happened, on_list)
    return happened, on_list


def zero_or_one(values: ArrayLike, *, named: str = "outcome") -> Bools:
    """An array of 0 and 1, or false and true, as booleans (n,); `FrameError` for anything else, missing ones too."""
    found = _flat(values, f"the {named} must be a flat array of 0 and 1")
    missing = int(missing_in(found).sum())
    if missing:
        raise FrameError(
            f"the {named} must be 0 or 1 for everyone: {missing:,} of {found.size:,} are missing",
            "leave out the people where it is not known, and say how many they are",
        )
    is_one = _equals(found, 1)
    others = int((~(is_one | _equals(found, 0))).sum())
    if others:
        raise FrameError(
            f"the {named} must be 0 and 1: {others:,} of {found.size:,} are something else",
            "give 1 or true where it holds and 0 or false where it does not",
        )
    return is_one


def finite(values: ArrayLike) -> Floats:
    """An array of finite numbers as floats (n,); `FrameError` where one is missing, infinite or no number."""
    found = _flat(values, "a score must be one number a person")
    missing = int(missing_in(found).sum())
    if missing:
        raise FrameError(
            f"a score is missing for {missing:,} of {found.size:,} people",
            "say what a missing one means before comparing it, or leave these people out of all arrays",
        )
    numbers = _as_floats(found)
    infinite = int(np.isinf(numbers).sum())
    if infinite:
        raise FrameError(
            f"a score is infinite for {infinite:,} of {found.size:,} people",
            "give finite ones; keep risks off 0 and 1 before taking their log-odds",
        )
    return numbers


def same_people(*arrays: ArrayLike) -> tuple[Floats, ...]:
    """Several arrays as `finite` gives them; `FrameError` where they are not of the same length."""
    found = tuple(finite(array) for array in arrays)
    _of_the_same_people(*found)
    return found


def weights(values: ArrayLike, *, n: int) -> Floats:
    """Weights (n,), none of them negative and one at least above 0; `FrameError` otherwise.

    >>> weights([1, 0, 2], n=3).tolist()
    [1.0, 0.0, 2.0]
    """
    found = finite(values)
    if found.size != n:
        raise FrameError(f"weights of {found.size:,} and {n:,} people do not belong together", "give one per person")
    negative = int((found < 0).sum())
    if negative or not found.any():
        raise FrameError(
            f"{negative:,} of {n:,} weights are negative" if negative else "all weights are 0", "correct them"
        )
    return found


def household_places(households: ArrayLike, *, n: int) -> NDArray[np.int64]:
    """The number of each person's household (n,), by labels; `FrameError` where one is missing.

    People of unknown homes would be taken for one large household.

    >>> household_places(["oak", "elm", "oak"], n=3).tolist()
    [1, 0, 1]
    """
    found = as_array(households)
    if found.shape != (n,):
        raise FrameError(f"{n:,} people and households of {found.size:,} do not belong together", "give one per person")
    missing = int(missing_in(found).sum())
    if missing:
        raise FrameError(f"the household is missing for {missing:,} of {n:,} people", "give each of them its own label")
    labels = found.astype(str) if found.dtype.kind == "O" else found
    return np.asarray(np.unique(labels, return_inverse=True)[1], dtype=np.int64)


def length_of_list(k: int) -> int:
    """The length of a list, a whole number of people from 1; `FrameError` otherwise."""
    if isinstance(k, bool | np.bool_) or not isinstance(k, int | np.integer) or k < 1:
        raise FrameError("a list holds at least one person, and a whole number of them", "give its length")
    return int(k)


def as_array(values: ArrayLike) -> NDArray[Any]:
    """An array in which nothing has been made into something else: a gap in a list of text stays a gap.

    >>> as_array(["F", None, float("nan")]).tolist()
    ['F', None, nan]
    """
    if isinstance(values, np.ma.MaskedArray):
        return np.where(np.ma.getmaskarray(values), np.array(None, dtype=object), np.ma.getdata(values).astype(object))
    if isinstance(values, pl.Series) and values.null_count():
        return np.fromiter(values.to_list(), dtype=object, count=len(values))
    found = np.asarray(values)
    # NumPy writes NaN as the text "nan" where there is text beside it.
    return np.array(values, dtype=object) if found.dtype.kind in "US" and isinstance(values, list | tuple) else found


def missing_in(values: NDArray[Any]) -> Bools:
    """Which of the values (n,) are missing: None, NaN, NaT and the NA of pandas.

    >>> missing_in(np.array([1.0, np.nan])).tolist(), missing_in(np.array(["a", None], dtype=object)).tolist()
    ([False, True], [False, True])
    """
    if values.dtype.kind in "biuUS":
        return np.zeros(values.shape, dtype=bool)
    if values.dtype.kind in "fc":
        return np.asarray(np.isnan(values))
    if values.dtype.kind in "mM":
        return np.asarray(np.isnat(values))
    return np.array([_is_missing(value) for value in values.tolist()], dtype=bool)


def _is_missing(value: Any) -> bool:
    # pandas' NA has no truth value, so that it can't be compared with itself, as NaN can; arrays have more than one.
    if value is None or type(value).__name__ == "NAType":
        return True
    return not isinstance(value, np.ndarray | pl.Series | list) and bool(value != value)


def _flat(values: ArrayLike, expected: str) -> NDArray[Any]:
    found = as_array(values)
    if found.ndim != 1:
        raise FrameError(
            f"{expected}, and one of shape {found.shape} was given",
            "give one entry per person; of `predict_proba` the second column",
        )
    if not found.size:
        raise FrameError(f"{expected}, and nobody was given", "give at least one person")
    return found


def _equals(values: NDArray[Any], number: int) -> Bools:
    if values.dtype.kind in "biuf":
        return np.asarray(values == number)
    if values.dtype.kind != "O":
        return np.zeros(values.shape, dtype=bool)
    return np.array([not isinstance(value, str) and bool(np.all(value == number)) for value in values], dtype=bool)


def _as_floats(values: NDArray[Any]) -> Floats:
    texts = values.dtype.kind not in "biufO" or any(isinstance(value, str | bytes) for value in _objects(values))
    try:
        if not texts:
            return values.astype(float)
    except (TypeError, ValueError, OverflowError):
        texts = True
    raise FrameError(f"a score must be a number for all {values.size:,} people", "give numbers, not text or dates")


def _objects(values: NDArray[Any]) -> list[Any]:
    return values.tolist() if values.dtype.kind == "O" else []


def _of_the_same_people(*arrays: NDArray[Any]) -> None:
    sizes = [array.size for array in arrays]
    other = next((size for size in sizes if size != sizes[0]), None)
    if other is not None:
        raise FrameError(
            f"arrays of {sizes[0]:,} and {other:,} people do not belong together", "give the same people in one order"
        )
