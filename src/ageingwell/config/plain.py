"""What no setting may be, whatever it is about: a value of another type that would quietly be taken for the right one.

Pydantic reads `true` as 1, "5" as 5 and 1 as true; TOML has numbers without an end. Each is a slip in a settings file.
"""

import math
import re
from collections.abc import Iterator
from datetime import date
from typing import Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel

# Above this no setting means anything: a thousand million people, days, bytes.
LARGEST: Final = 10**12
_UNSEEN: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def mistake_in(value: object, annotation: object) -> str | None:
    """What is wrong with a value of a setting that is declared so; None where nothing is.

    >>> mistake_in(True, int), mistake_in(float("inf"), float | None), mistake_in(5, int)
    ('write a number, not true or false', 'write a number that has an end', None)
    """
    types = set(_types(annotation))
    if Any in types:
        return None
    if any(isinstance(one, type) and issubclass(one, BaseModel) for one in types):
        # A section tells its own mistakes, key by key.
        return None
    return next((fault for one in _values(value) if (fault := _mistake(one, types))), None)


def _mistake(value: object, types: set[Any]) -> str | None:
    numbers = types & {int, float}
    if isinstance(value, bool):
        return "write a number, not true or false" if numbers and bool not in types else None
    if isinstance(value, int | float):
        if not math.isfinite(value):
            return "write a number that has an end"
        if abs(value) > LARGEST:
            return f"write a number up to {LARGEST:,}"
        if not numbers and bool in types:
            return "write true or false"
        if not numbers and date in types:
            return "write a day, such as 2026-11-22"
    if isinstance(value, str):
        if _UNSEEN.search(value):
            return "holds a character that cannot be seen"
        if str not in types and types & {int, float, bool}:
            what = "true or false" if bool in types else "a number" if float in types else "a whole number"
            return f"write {what}, without quotes"
    return None


def _values(value: object) -> Iterator[object]:
    """A value and what is in it."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from (*_values(key), *_values(one))
    elif isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from _values(one)
    else:
        yield value


def _types(annotation: object) -> Iterator[object]:
    """Every type that stands in an annotation."""
    if get_origin(annotation) is Literal:
        yield from (type(one) for one in get_args(annotation))
    elif parts := get_args(annotation):
        for part in parts:
            yield from _types(part)
    else:
        yield annotation


def nearest_name(name: str, known: list[str]) -> str | None:
    """The known name that a slip of the keyboard makes of a name: the fewest letters added, lost, changed or swapped.

    >>> nearest_name("permisions", ["permissions", "purpose"]), nearest_name("colour", ["permissions", "purpose"])
    ('permissions', None)
    """
    most = 1 + len(name) // 5
    near = sorted((slips, one) for one in known if (slips := _slips(name.lower(), one.lower())) <= most)
    return near[0][1] if near else None


def _slips(one: str, other: str) -> int:
    """How many slips lie between two names (Damerau and Levenshtein, each letter swapped once)."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        this = [row]
        for at, there in enumerate(other, start=1):
            cost = min(last[at] + 1, this[at - 1] + 1, last[at - 1] + (letter != there))
            if before and row > 1 and at > 1 and letter == other[at - 2] and one[row - 2] == there:
                cost = min(cost, before[at - 2] + 1)
            this.append(cost)
        before, last = last, this
    return last[-1]
