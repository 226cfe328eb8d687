"""What makes a model look better than it is, and can be seen in its rows before it is fitted.

A feature that tells the outcome by itself, an identifier, a date, people with several rows: none of them stops a fit,
and each makes it useless without a word. Each is looked for so that ordinary data, and chance, stay silent: what can't
be told from an ordinary feature isn't told. Findings hold figures of many rows only, never a value.
"""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ageingwell.model.columns import Column
from ageingwell.model.identifiers import dates_among, identifiers_among
from ageingwell.model.leaks import leaks_among
from ageingwell.model.order import canonical_order
from ageingwell.model.twins import share_of_twins

Floats = NDArray[np.float64]


class TrapWarning(UserWarning):
    """Something in the rows makes a model look better than it is; the four warnings below are of this class."""


class LeakWarning(TrapWarning):
    """One feature tells the outcome by itself: it may have been recorded because of it."""


class IdentifierWarning(TrapWarning):
    """A column numbers or names its rows: it can tell nothing of new ones."""


class TimeWarning(TrapWarning):
    """A column is a date or an order, and `time=` was not given: nothing says how the model does on later rows."""


class RepeatedRowsWarning(TrapWarning):
    """Rows are of the same people or homes, and `groups=` was not given: they judge fits on themselves."""


@dataclass(frozen=True)
class Trap:
    """One finding: the warning's class, and what was seen and what to do in words."""

    kind: type[TrapWarning]
    found: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.found}. What to do: {self.remedy}"


def traps_in(
    codes: Floats, outcome: Floats, columns: Sequence[Column], *, has_groups: bool, has_time: bool
) -> tuple[Trap, ...]:
    """The traps among rows to fit on: `codes` (n, p) of `to_matrix`, `outcome` (n,) of 0 and 1.

    >>> died = np.repeat([0.0, 1.0], [80, 40])
    >>> codes = np.column_stack([np.arange(120.0) % 7, np.where(died == 1, 3.0, np.nan)])
    >>> found = traps_in(codes, died, [Column("visits"), Column("cause")], has_groups=False, has_time=False)
    >>> [(trap.kind.__name__, trap.found) for trap in found]
    [('LeakWarning', 'cause is recorded for 100% of the rows with the outcome and 0% of the others')]
    """
    order = canonical_order(codes, outcome, weight=np.ones(len(outcome)))
    return tuple(_found(codes[order], outcome[order], columns, has_groups=has_groups, has_time=has_time))


def _found(
    codes: Floats, outcome: Floats, columns: Sequence[Column], *, has_groups: bool, has_time: bool
) -> Iterator[Trap]:
    for found in leaks_among(codes, outcome, columns):
        yield Trap(
            LeakWarning, found, "leave it out unless it was known, with this value, before the outcome could happen"
        )
    repeats = []
    for identifier in identifiers_among(codes, columns):
        if identifier.repeats and not has_groups:
            repeats.append(identifier)
        else:
            yield Trap(IdentifierWarning, identifier.found, "leave the column out; it says nothing about new rows")
    if not has_time:
        for found in dates_among(codes, columns):
            yield Trap(
                TimeWarning,
                found,
                "give it as time= so that later rows test earlier ones, and leave it out of the features: "
                "new rows will have later dates than any seen",
            )
    if has_groups:
        return
    for identifier in repeats:
        yield Trap(
            RepeatedRowsWarning,
            identifier.found,
            "take it out of the features and give it as groups= so that nobody's rows test a fit on their own",
        )
    twins = 0.0 if repeats else share_of_twins(codes, columns)
    if twins:
        yield Trap(
            RepeatedRowsWarning,
            f"{100 * twins:.0f}% of the rows are nearly the same as another row, far more than chance would bring",
            "if people, homes or places have several rows, give whose they are as groups=; if rows were copied, "
            "keep one of each",
        )


def warn_of(traps: Sequence[Trap], *, stacklevel: int) -> None:
    """Warn of each trap, in the class of its own."""
    for trap in traps:
        warnings.warn(str(trap), trap.kind, stacklevel=stacklevel + 1)
