"""The limits of everything that is read from outside, and the errors that name them.

The numbers and their reasons stand in `config.limits.Limits`. What is beyond one is a `LimitError` (exit code 26) that
names the file, what was found, and the key to raise; it never holds a value.
"""

import json
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from ageingwell.config.limits import USUAL as USUAL
from ageingwell.config.limits import Limits as Limits
from ageingwell.errors import LimitError, SourceError

__all__ = [
    "KB",
    "MB",
    "USUAL",
    "Limits",
    "beyond",
    "json_within",
    "memory_for",
    "regular_size",
    "small_bytes",
    "stop_on_depth",
]

KB: Final = 1_000
MB: Final = 1_000_000
GIB: Final = 1 << 30

# Marks, a record of pseudonymise, a code list: what people write by hand is never larger.
SMALL_BYTES: Final = 4 * MB
# A text within quotes that is never closed ends with the text: so no place is looked at twice.
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[{]|[\]}]', re.DOTALL)


def beyond(place: str, found: str, key: str, limits: Limits = USUAL) -> LimitError:
    """The error of what is beyond a limit.

    >>> str(beyond("homes.csv", "has 500,000 columns", "columns"))
    'homes.csv: has 500,000 columns, and at most 2,000 are read. What to do: look at the file; if it is right, raise \
`columns` under [limits] in agencies.toml.'
    """
    most = getattr(limits, key)
    return LimitError(
        f"{place}: {found}, and at most {most:,g} are read"
        if most < 10**6
        else f"{place}: {found}, and at most {most:,.0f} are read",
        f"look at the file; if it is right, raise `{key}` under [limits] in agencies.toml",
    )


def regular_size(path: Path, limits: Limits = USUAL) -> int:
    """The bytes of a file on the disk; what is no file (a device, a pipe) would be read for ever, and is refused."""
    facts = fault = None
    try:
        facts = path.stat()
    except OSError as error:
        fault = error.strerror
    except ValueError:
        fault = "its name holds a character that no name can"
    if facts is None:
        raise SourceError(f"{path.name}: cannot be read ({fault})", "check that it exists and may be read")
    if not stat.S_ISREG(facts.st_mode):
        raise SourceError(f"{path.name}: is not a file", "give a file, not a folder, a device or a pipe")
    if facts.st_size > limits.file_gib * GIB:
        raise beyond(path.name, f"takes {facts.st_size / GIB:,.1f} GiB", "file_gib", limits)
    return facts.st_size


def memory_for(size: int, limits: Limits = USUAL) -> float:
    """The bytes of memory that reading a file of so many bytes may take."""
    return limits.memory_mb * MB + limits.memory_times * size


def small_bytes(path: Path, *, most: int = SMALL_BYTES) -> bytes:
    """The bytes of a small file; one that is larger than any of its kind is a `LimitError`, and never read."""
    size = regular_size(path)
    content, fault = None, None
    if size <= most:
        try:
            with path.open("rb") as file:
                # Not more than was allowed, even where the file has grown since.
                content = file.read(most + 1)
        except OSError as error:
            fault = error.strerror
    if fault is not None:
        raise SourceError(f"{path.name}: cannot be read ({fault})", "check that it exists and may be read")
    if content is None or len(content) > most:
        raise LimitError(
            f"{path.name}: takes more than {most / MB:g} MB, which no file of its kind does",
            "look whether it is the right file",
        )
    return content


def json_within(text: str, place: str, limits: Limits = USUAL) -> Any:
    """What a text of JSON says, within the limits.

    Raises `LimitError` for what nests too deep, has too many values or too long a number, and `json.JSONDecodeError`
    for what is no JSON. The numbers NaN and Infinity are no JSON.

    >>> json_within('{"a": [1, 2]}', "page.json")
    {'a': [1, 2]}
    """
    if (values := text.count(",") + text.count("[") + text.count("{")) > limits.values:
        raise beyond(place, f"holds {values:,} values", "values", limits)
    stop_on_depth(text, place, limits)
    long = None
    try:
        return json.loads(text, parse_int=whole_within(limits), parse_constant=_no_number)
    except LongNumberError as fault:
        long = fault.n_digits
    except RecursionError:
        raise beyond(place, "nests lists too deep", "depth", limits) from None
    raise beyond(place, f"holds a number of {long:,} digits", "digits", limits)


def stop_on_depth(text: str, place: str, limits: Limits = USUAL) -> None:
    """Stop on JSON whose lists nest too deep: whatever works through it would nest as deep."""
    if text.count("[") + text.count("{") <= limits.depth:
        return
    depth = 0
    for token in _TOKEN.finditer(text):
        first = token[0][0]
        depth += 1 if first in "[{" else -1 if first in "]}" else 0
        if depth > limits.depth:
            raise beyond(place, "nests lists too deep", "depth", limits)


class LongNumberError(Exception):
    """A number of JSON with more digits than any has; `n_digits` says how many."""

    def __init__(self, n_digits: int) -> None:
        self.n_digits = n_digits


def whole_within(limits: Limits) -> Callable[[str], int]:
    """How a whole number of JSON is read: Python refuses one of 4,300 digits, and takes long for a shorter one."""

    def read(text: str) -> int:
        if len(text) > limits.digits:
            raise LongNumberError(len(text))
        return int(text)

    return read


def _no_number(_: str) -> Any:
    raise json.JSONDecodeError("no number", "", 0)
