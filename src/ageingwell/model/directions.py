"""How a risk may move with a feature: up, down, or either way."""

from collections.abc import Mapping, Sequence
from typing import Any

from ageingwell.errors import FrameError
from ageingwell.model.columns import Column

Direction = int | str
Directions = Mapping[str, Direction] | Sequence[Direction]
DIRECTIONS: Mapping[Direction, int] = {"up": 1, "down": -1, "either": 0, 1: 1, -1: -1, 0: 0}


def signs_of(monotone: Directions | None, columns: Sequence[Column]) -> tuple[int, ...]:
    """1, -1 or 0 a column."""
    if monotone is None:
        return (0,) * len(columns)
    if isinstance(monotone, Mapping):
        unknown = sorted(set(monotone) - {column.name for column in columns})
        if unknown:
            raise FrameError(f"monotone names columns that are not there: {', '.join(unknown[:5])}")
        given: list[Direction] = [monotone.get(column.name, 0) for column in columns]
    else:
        given = list(monotone)
        if len(given) != len(columns):
            raise FrameError(f"monotone has {len(given)} entries for {len(columns)} columns", "give one per column")
    if any(direction not in DIRECTIONS for direction in given):
        raise FrameError("monotone takes up, down and either, or 1, -1 and 0")
    signs = tuple(DIRECTIONS[direction] for direction in given)
    bent = [column.name for column, sign in zip(columns, signs) if sign and column.is_category]
    if bent:
        raise FrameError(f"categories have no direction: {', '.join(bent[:5])}", "leave them out of monotone")
    return signs


def plain_directions(monotone: Directions | None) -> Any:
    """The same as JSON can hold it.

    >>> plain_directions({"falls": "up"}), plain_directions((1, 0))
    ({'falls': 'up'}, [1, 0])
    """
    if monotone is None:
        return None
    if isinstance(monotone, Mapping):
        return {name: _plain(direction) for name, direction in monotone.items()}
    return [_plain(direction) for direction in monotone]


def _plain(direction: Direction) -> Direction:
    return direction if isinstance(direction, str) else int(direction)
