"""Who asked to be forgotten, kept as keyed marks: enough to leave them out of every later list, and no name or key.

Two files stand beside the nights. `forgotten.json` has a mark for each person, HMAC-SHA256 of the pseudonym under a
key of its own; `forgotten.key` is that key. It is not the key of the lists: that one may change, and then nobody could
say any more who is meant. Where one of the two is lost or was changed, nobody can say whom to leave out, and every
reader stops: an empty list is never taken for "nobody".
"""

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import polars as pl

from ageingwell.disk import DISK, Disk
from ageingwell.errors import KeepingError, KeyFileError
from ageingwell.pseudonyms import Key, keyed_letters
from ageingwell.room import explained

FORGOTTEN: Final = "forgotten.json"
KEY: Final = "forgotten.key"
CERTIFICATES: Final = "certificates"
OF_FORGETTING: Final = "forget"  # in the name of a certificate
_LABEL: Final = "forgotten:person"
_SEAL: Final = b"forgotten:seal:"
_FORMAT: Final = 1
_REMEDY: Final = (
    f"put {FORGOTTEN} and {KEY} back from the last good copy of the output folder; until then nobody can say who must "
    "not be listed again"
)


@dataclass(frozen=True)
class Mark:
    """One person who was forgotten: the keyed mark, the day, and the fingerprint of the key of the pseudonyms then."""

    mark: str
    on: date
    pseudonyms: str | None = None


@dataclass(frozen=True)
class Forgotten:
    """Everyone who was forgotten, and the key of their marks; no key before the first."""

    key: Key | None
    marks: tuple[Mark, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.marks)

    def among(self, people: pl.Series) -> pl.Series:
        """Those of some pseudonyms who were forgotten: unique, in order."""
        there = people.drop_nulls().unique().sort().alias("person_id")
        if self.key is None or not self.marks:
            return there.clear()
        marks = pl.Series(self._marks(there), dtype=pl.String)
        return there.filter(marks.is_in([one.mark for one in self.marks]))

    def with_people(self, people: Sequence[str], *, on: date, pseudonyms: str | None) -> "Forgotten":
        """The same with some more; who is among them stays as they are."""
        known = {one.mark for one in self.marks}
        new = [
            mark for mark in self._marks(pl.Series("person_id", sorted(set(people)), pl.String)) if mark not in known
        ]
        return replace(self, marks=(*self.marks, *(Mark(mark, on, pseudonyms) for mark in new)))

    def without_people(self, people: Sequence[str]) -> "Forgotten":
        """The same without some, who may be listed again."""
        lifted = set(self._marks(pl.Series("person_id", sorted(set(people)), pl.String)))
        return replace(self, marks=tuple(one for one in self.marks if one.mark not in lifted))

    def stop_on_another_key(self, fingerprint: str | None) -> None:
        """Stop where tonight's pseudonyms were made with another key than those that were forgotten: none would match.

        Raises `KeepingError`.
        """
        others = {one.pseudonyms for one in self.marks} - {None, fingerprint}
        if fingerprint is not None and others:
            raise KeepingError(
                "the pseudonyms were made with another key than those of people who were forgotten, so nobody can say "
                "who they are",
                "have the agencies tell their new pseudonyms, forget those, and lift the old marks (docs/how-to/"
                "keep-and-delete.md)",
            )

    def _marks(self, people: pl.Series) -> list[str]:
        if self.key is None:
            return []
        marks = people.to_frame("p").select(keyed_letters(pl.col("p"), label=_LABEL, key=self.key))
        return list(marks["p"])


def read_forgotten(out: Path, *, disk: Disk = DISK) -> Forgotten:
    """Read who was forgotten in the nights of `out`; nobody where nobody ever was.

    Raises `KeepingError` where that cannot be said: a file is lost, damaged, was changed, or is of another version.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     out = Path(folder)
    ...     write_forgotten(out, with_key(out).with_people(["b" * 32], on=date(2026, 11, 29), pseudonyms=None))
    ...     read_forgotten(out).among(pl.Series(["b" * 32, "c" * 32])).to_list()
    ['bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb']
    """
    with explained(f"{FORGOTTEN} cannot be looked for"):
        is_there = disk.kind(out / FORGOTTEN) is not None
    if not is_there:
        if _was_somebody_forgotten(out, disk=disk):
            raise KeepingError(f"{FORGOTTEN} is missing, and a certificate says that people were forgotten", _REMEDY)
        return Forgotten(None)
    key = _key(out)
    try:
        told = json.loads(disk.read(out / FORGOTTEN))
        seal = told.pop("seal")
        marks = tuple(Mark(one["mark"], date.fromisoformat(one["on"]), one["pseudonyms"]) for one in told["people"])
        is_ours = told["format"] == _FORMAT and seal == _seal(told, key)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        is_ours = False
    if not is_ours:
        raise KeepingError(f"{FORGOTTEN} is damaged, was changed, or is of another version", _REMEDY)
    return Forgotten(key, marks)


def with_key(out: Path, *, disk: Disk = DISK) -> Forgotten:
    """Who was forgotten, with a key to mark more people: a new one is made where there is none yet."""
    there = read_forgotten(out, disk=disk)
    if there.key is not None:
        return there
    # Nothing was ever marked with a key that lies here alone: a run ended before it wrote the marks.
    with suppress(KeepingError):
        return Forgotten(_key(out))
    _put(out / KEY, os.urandom(32).hex().encode() + b"\n", disk=disk)
    return Forgotten(_key(out))


def write_forgotten(out: Path, forgotten: Forgotten, *, disk: Disk = DISK) -> None:
    """Write who was forgotten, in one step and on disk. Hold the publishing lock of the nights around it."""
    if forgotten.key is None:
        raise ValueError("marks need a key")
    people = [{"mark": one.mark, "on": str(one.on), "pseudonyms": one.pseudonyms} for one in forgotten.marks]
    told: dict[str, Any] = {"format": _FORMAT, "people": sorted(people, key=lambda one: one["mark"] or "")}
    told["seal"] = _seal(told, forgotten.key)
    _put(out / FORGOTTEN, (json.dumps(told, indent=1) + "\n").encode(), disk=disk)


def _put(path: Path, content: bytes, *, disk: Disk) -> None:
    spare = path.parent / f".staging-{path.name}"  # the next run sweeps away what a dead one leaves
    with explained(f"{path.name} cannot be written"):
        disk.remove(spare)
        disk.write(spare, content)
        disk.set_mode(spare, 0o600)
        disk.sync_file(spare)
        disk.replace(spare, path)
        disk.sync_folder(path.parent)


def _key(out: Path) -> Key:
    try:
        return Key.read(out / KEY)
    except KeyFileError as fault:
        raise KeepingError(f"{FORGOTTEN} cannot be read without its key: {fault.found}", _REMEDY) from None


def _seal(told: dict[str, Any], key: Key) -> str:
    plain = json.dumps(told, sort_keys=True, separators=(",", ":"))
    return key.digest(_SEAL + plain.encode()).hex()


def _was_somebody_forgotten(out: Path, *, disk: Disk) -> bool:
    with explained("the certificates cannot be listed"):
        if disk.kind(out / CERTIFICATES) != "folder":
            return False
        return any(name.endswith(f"-{OF_FORGETTING}.json") for name in disk.names(out / CERTIFICATES))
