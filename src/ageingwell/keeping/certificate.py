"""What was deleted, when and by which schedule: a certificate beside the nights, without any value of a record."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, Final

from ageingwell.disk import DISK, Disk
from ageingwell.errors import KeepingError
from ageingwell.forgotten import CERTIFICATES
from ageingwell.keeping.searching import files_below
from ageingwell.room import explained

BEGUN: Final = "begun"
DONE: Final = "done"
_FORMAT: Final = 1


@dataclass(frozen=True)
class Item:
    """One thing that goes: its kind and name, how many files and bytes, and a SHA-256 over their names and contents."""

    kind: str
    name: str
    files: int
    bytes: int
    sha256: str

    def plain(self) -> dict[str, Any]:
        """As JSON can hold it; of the contents only what the hash of the whole list says."""
        return {"kind": self.kind, "name": self.name, "files": self.files, "bytes": self.bytes}


def item_of(kind: str, path: Path, *, name: str | None = None, disk: Disk = DISK) -> Item:
    """Count a file or folder that is to go."""
    files = [path] if disk.kind(path) == "file" else list(files_below(path, disk=disk))
    whole, size = hashlib.sha256(), 0
    for file in files:
        content = disk.read(file)
        size += len(content)
        line = f"{file.relative_to(path.parent)}\t{len(content)}\t{hashlib.sha256(content).hexdigest()}\n"
        whole.update(line.encode(errors="replace"))
    return Item(kind, name or path.name, len(files), size, whole.hexdigest())


@dataclass(frozen=True)
class Certificate:
    """A certificate and the file it stands in. `told` is what it says besides the list of what was deleted."""

    path: Path
    what: str
    begun_at: datetime
    items: tuple[Item, ...]
    told: Mapping[str, Any]

    def plain(self, state: str, *, done_at: datetime | None) -> dict[str, Any]:
        """As JSON can hold it. The hash is over every file that was deleted: name, size and content."""
        listed = "".join(f"{item.kind}\t{item.name}\t{item.bytes}\t{item.sha256}\n" for item in self.items)
        return {
            "format": _FORMAT,
            "what": self.what,
            "state": state,
            "begun_at": _stamp(self.begun_at),
            "done_at": None if done_at is None else _stamp(done_at),
            **self.told,
            "n_files": sum(item.files for item in self.items),
            "n_bytes": sum(item.bytes for item in self.items),
            "sha256_of_deleted": hashlib.sha256(listed.encode()).hexdigest(),
            "deleted": [item.plain() for item in self.items],
        }

    def write(self, *, done_at: datetime | None = None, disk: Disk = DISK) -> None:
        """Put the certificate on disk in one step: before anything is deleted, and with a day when all of it is."""
        state = BEGUN if done_at is None else DONE
        put_certificate(self.path, self.plain(state, done_at=done_at), disk=disk)

    def also(self, *items: Item, **told: Any) -> "Certificate":
        """The same with more that was deleted, or told."""
        return replace(self, items=(*self.items, *items), told={**self.told, **told})


def new_certificate(
    out: Path, what: str, *, at: datetime, items: Iterable[Item] = (), disk: Disk = DISK, **told: Any
) -> Certificate:
    """A certificate under a name of its own: `certificates/2026-11-29T142100Z-purge.json`."""
    names = set(certificate_names(out, disk=disk))
    stem = f"{at:%Y-%m-%dT%H%M%SZ}"
    name = next(one for n in count(1) if (one := f"{stem}{'' if n == 1 else f'.{n}'}-{what}.json") not in names)
    return Certificate(out / CERTIFICATES / name, what, at, tuple(items), told)


def put_certificate(path: Path, told: Mapping[str, Any], *, disk: Disk = DISK) -> None:
    """Write a certificate whole, in one step."""
    spare = path.parent.parent / ".staging-certificate"  # the next run sweeps away what a dead one leaves
    with explained("the certificate cannot be written, and nothing is deleted without it"):
        if disk.kind(path.parent) is None:
            disk.make_folder(path.parent)
            disk.set_mode(path.parent, 0o700)
            disk.sync_folder(path.parent.parent)
        disk.remove(spare)
        disk.write(spare, (json.dumps(told, indent=1) + "\n").encode())
        disk.set_mode(spare, 0o600)
        disk.sync_file(spare)
        disk.replace(spare, path)
        disk.sync_folder(path.parent)


def certificate_names(out: Path, *, disk: Disk = DISK) -> list[str]:
    """The names of all certificates, the oldest first."""
    return disk.names(out / CERTIFICATES) if disk.kind(out / CERTIFICATES) == "folder" else []


def begun_certificates(out: Path, what: str, *, disk: Disk = DISK) -> list[tuple[Path, dict[str, Any]]]:
    """The certificates of one kind whose run did not come to its end, each with what it says.

    Raises `KeepingError` for one that cannot be read: nobody can say what it stands for.
    """
    found = []
    for name in certificate_names(out, disk=disk):
        if not name.endswith(f"-{what}.json"):
            continue
        told = None
        with suppress(ValueError, RecursionError):
            told = json.loads(disk.read(out / CERTIFICATES / name))
        if not isinstance(told, dict) or told.get("state") not in (BEGUN, DONE):
            raise KeepingError(
                f"the certificate {name} cannot be read", "put it back, or move it away and say so in the audit log"
            )
        if told["state"] == BEGUN:
            found.append((out / CERTIFICATES / name, told))
    return found


def end_certificate(path: Path, told: Mapping[str, Any], *, at: datetime, by: str, disk: Disk = DISK) -> None:
    """Say of a certificate whose run died that a later run did the rest."""
    put_certificate(path, {**told, "state": DONE, "done_at": _stamp(at), "done_by_a_later_run": by}, disk=disk)


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
