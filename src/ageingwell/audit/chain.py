"""A chain of lines: each holds its number and the SHA-256 of the line before, so that any change shows.

A file beside the log (`audit.jsonl.head`) says which line was the last. Without it nobody could see that the last lines
are missing; published nights keep such a head too.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

BEGINNING: Final = "0" * 64
_HEAD: Final = re.compile(r"([0-9]{1,9}) ([0-9a-f]{64})\n?")
# A line holds counts, names and digests; one that is longer was not written by us.
LONGEST_LINE: Final = 1 << 16


@dataclass(frozen=True)
class Head:
    """The last line that somebody knows of: its number from 1, its SHA-256, and where that is kept.

    >>> Head.read("2 " + "a" * 64).n
    2
    """

    n: int
    sha256: str
    kept_in: str = "its head file"

    @classmethod
    def read(cls, text: str, *, kept_in: str = "its head file") -> "Head | None":
        """Read what `written` wrote; None where it is something else."""
        found = _HEAD.fullmatch(text)
        return None if found is None else cls(int(found[1]), found[2], kept_in)

    @property
    def written(self) -> str:
        """The head as a line of text."""
        return f"{self.n} {self.sha256}\n"

    def plain(self) -> dict[str, Any]:
        """The head as JSON holds it."""
        return {"line": self.n, "sha256": self.sha256}


@dataclass(frozen=True)
class Verified:
    """What came of following a log's chain.

    `lines` are the whole lines up to the first bad one. `first_bad` is that line's number and `why` what is wrong with
    it; both None where the log is whole. `is_unfinished` where a run was stopped half-way through the last line: the
    next one takes that piece away.
    """

    lines: tuple[bytes, ...]
    first_bad: int | None = None
    why: str | None = None
    is_unfinished: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether no line was changed, removed or put in."""
        return self.first_bad is None

    @property
    def head(self) -> Head | None:
        """The last line; None where there is none."""
        return Head(len(self.lines), digest(self.lines[-1])) if self.lines else None

    @property
    def said(self) -> list[dict[str, Any]]:
        """The lines as plain data."""
        return [json.loads(line) for line in self.lines]


def digest(line: bytes) -> str:
    """The SHA-256 of a line, without its end."""
    return hashlib.sha256(line).hexdigest()


def line_of(told: dict[str, Any], before: Head | None) -> bytes:
    """A new line behind `before`, without its end.

    >>> line_of({"did": "score"}, None)[:26]
    b'{"n": 1, "did": "score", "'
    """
    number, previous = (1, BEGINNING) if before is None else (before.n + 1, before.sha256)
    whole = {"n": number, **told, "previous": previous}
    return json.dumps(whole, ensure_ascii=False, allow_nan=False, default=str).encode()


def follow(
    content: bytes, heads: Sequence[Head] = (), *, needs_head: bool = False, after: Head | None = None
) -> Verified:
    """Follow the chain of a log's bytes, and look whether every head is of one of its lines.

    `needs_head`: a head is expected and there is none, which is a fault as soon as the log has a second line. `after`:
    the content is what stands behind this line, which was followed before.

    >>> first = line_of({"did": "score"}, None)
    >>> second = line_of({"did": "explain"}, Head(1, digest(first)))
    >>> follow(first + b"\\n" + second + b"\\n").is_whole, follow(second + b"\\n").first_bad
    (True, 1)
    >>> follow(first + b"\\n", [Head(2, digest(second))]).why
    'lines are missing: its head file knows line 2'
    """
    lines = content.split(b"\n")
    is_unfinished = bool(lines.pop())
    n_before, previous = (0, BEGINNING) if after is None else (after.n, after.sha256)
    for number, line in enumerate(lines, start=1):
        if _told(line, n_before + number) != previous:
            return Verified(tuple(lines[: number - 1]), n_before + number, "it does not follow from the line before it")
        previous = digest(line)
    whole = tuple(lines)
    if needs_head and len(whole) > 1:
        return Verified(whole[:-1], n_before + len(whole), "the head file is missing")
    for head in sorted((head for head in heads if head.n > n_before), key=lambda one: one.n):
        at = head.n - n_before
        if at > len(whole):
            first = n_before + len(whole) + 1
            return Verified(whole, first, f"lines are missing: {head.kept_in} knows line {head.n}")
        if digest(whole[at - 1]) != head.sha256:
            return Verified(whole[: at - 1], head.n, f"it is not the line that {head.kept_in} knows")
    return Verified(whole, is_unfinished=is_unfinished)


def _told(line: bytes, number: int) -> object:
    """The digest that a line says is of the one before it; None where it is no line of a log, or not this one."""
    if len(line) > LONGEST_LINE:
        return None
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return None
    # Logs of agencies from before lines had numbers go on as they are.
    return told.get("previous") if isinstance(told, dict) and told.get("n", number) == number else None
