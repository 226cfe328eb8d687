"""What a caller gives, as it is meant: a day as a date or as text; and a library of an extra, or what to install."""

from datetime import date, datetime
from importlib import import_module
from typing import Any

from ageingwell.errors import ArgumentError, MissingExtraError

# Every day that the public functions take: `as_of`, `on`, `recorded_up_to`, `extracted_on`, `recorded_on`.
GivenDay = date | str


def day_of(given: GivenDay, *, name: str = "as_of") -> date:
    """The day that was given: a `date`, a `datetime` (its day), or text written as 2026-11-22.

    Raises `ArgumentError`, which is a `ValueError` too, for anything else; `name` is what the argument is called.

    >>> day_of("2026-11-22"), day_of(datetime(2026, 11, 22, 6, 30))
    (datetime.date(2026, 11, 22), datetime.date(2026, 11, 22))
    """
    if isinstance(given, datetime):
        return given.date()
    if isinstance(given, date):
        return given
    if isinstance(given, str):
        try:
            found = date.fromisoformat(given.strip())
        except ValueError:
            found = None
        # Python also reads 20261122 and 2026-W47-7, which a person may have meant otherwise.
        if found is not None and found.isoformat() == given.strip():
            return found
    raise ArgumentError(f"{name} is not a day that can be read", "write it as 2026-11-22")


def maybe_day_of(given: GivenDay | None, *, name: str) -> date | None:
    """The same for a day that may be left out."""
    return None if given is None else day_of(given, name=name)


def library(name: str, *, extra: str, wanted_for: str) -> Any:
    """A library that comes with one of our extras; `MissingExtraError` says which to install.

    >>> library("json", extra="notebook", wanted_for="reading").loads("[1]")
    [1]
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as fault:
        if (fault.name or "").partition(".")[0] != name.partition(".")[0]:
            raise
        raise MissingExtraError(
            f"{wanted_for} needs {name}, which is not installed", f"pip install 'ageingwell[{extra}]'"
        ) from None
