"""What travels between processes: work and its item one way, a result or a fault the other.

Only the standard pickle is used: it takes a function by its name, so work is a function of an installed module, and it
refuses a `Key`, so no engine can carry one.
"""

import pickle
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Never

from ageingwell.errors import AgeingWellError, EngineError

if TYPE_CHECKING:
    from ageingwell.engines.engine import Item, Result

_PACKAGE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class _Fault:
    """What went wrong, without the text of an error nobody foresaw: that could hold a value of a record."""

    kind: type[AgeingWellError] | None
    found: str = ""
    remedy: str | None = None
    of_system: tuple[int | None, str | None, str | None] | None = None


def packed(work: "Callable[[Item], Result]", items: "Sequence[Item]") -> bytes:
    """Write work and its items as bytes, once for all: what the items share is written once.

    Raises `EngineError` for what cannot be sent.

    >>> import math
    >>> opened(Job(packed(math.sqrt, [9.0, 16.0])).done(1), part="part 2 of 2")
    4.0
    """
    try:
        return pickle.dumps((work, list(items)), protocol=pickle.HIGHEST_PROTOCOL)
    except (pickle.PicklingError, TypeError, AttributeError):
        raise EngineError(
            "the work or its items cannot be sent to another process",
            "give a function of a module, and items of paths, numbers, text and small frames; a key is never sent",
        ) from None


class Job:
    """Work and its items as they arrived, read when the first of them is done."""

    def __init__(self, parcel: bytes) -> None:
        self._parcel = parcel

    @cached_property
    def _read(self) -> tuple[Callable[[Any], Any], list[Any]]:
        found: tuple[Callable[[Any], Any], list[Any]] = pickle.loads(self._parcel)  # noqa: S301 - our own run wrote it
        return found

    def done(self, number: int) -> bytes:
        """Do one item and write its result, or its fault, as bytes. Raises nothing that work can raise."""
        try:
            work, items = self._read
            return pickle.dumps((None, work(items[number])), protocol=pickle.HIGHEST_PROTOCOL)
        except Exception as fault:
            return failed(fault)


def failed(fault: Exception) -> bytes:
    """Write a fault in the place of a result."""
    return pickle.dumps((_described(fault), None), protocol=pickle.HIGHEST_PROTOCOL)


def opened(outcome: bytes, *, part: str) -> Any:
    """Give the result, or raise the fault; `part` stands in the text of those that nobody foresaw."""
    fault, result = pickle.loads(outcome)  # noqa: S301 - our own worker wrote it
    if fault is not None:
        _raise(fault, part)
    return result


def part_of(number: int, n_items: int) -> str:
    """Name an item by its number, for its content may not be told.

    >>> part_of(0, 64)
    'part 1 of 64'
    """
    return f"part {number + 1} of {n_items}"


def _described(fault: Exception) -> _Fault:
    if isinstance(fault, AgeingWellError):
        return _Fault(type(fault), fault.found, fault.remedy)
    if isinstance(fault, OSError):
        name = None if fault.filename is None else str(fault.filename)
        return _Fault(None, of_system=(fault.errno, fault.strerror, name))
    if isinstance(fault, MemoryError):
        return _Fault(EngineError, "memory ran out", "use fewer `processes` or more parts, or give the machine more")
    return _Fault(
        EngineError,
        f"{type(fault).__name__} at {_place_of(fault)}",
        'this is a mistake in the program: run again with `name = "local"` and `processes = 1` for the whole text, '
        "which may hold values of records, and report the place",
    )


def _place_of(fault: Exception) -> str:
    """The line of ours where it happened; a file of ours is named from the package on."""
    frames = traceback.extract_tb(fault.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(_PACKAGE)]
    beyond = [frame for frame in ours if Path(frame.filename) != Path(__file__)]
    frame = (beyond or frames)[-1]
    path = Path(frame.filename)
    name = path.relative_to(_PACKAGE.parent).as_posix() if path.is_relative_to(_PACKAGE) else path.name
    return f"{name}, line {frame.lineno}"


def _raise(fault: _Fault, part: str) -> Never:
    if fault.of_system is not None:
        raise OSError(*fault.of_system)
    kind = fault.kind or EngineError
    raise kind(f"{part}: {fault.found}" if kind is EngineError else fault.found, fault.remedy)
