"""Which nights an output folder holds. A folder has its name only once it is complete, so readers need no lock."""

import re
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from ageingwell.disk import DISK, Disk
from ageingwell.errors import PublishError
from ageingwell.room import explained

LINK = "current"
TEXT = "current.txt"
DAYS_AHEAD = 1  # a night may be worked out on the evening before

_NIGHT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:\.r([2-9]|[1-9][0-9]+))?")


class Night(NamedTuple):
    """A night's date as text and its revision, from 1; sorts by date, then revision.

    >>> Night.named("2026-11-22.r3"), str(Night("2026-11-22", 1)), Night.named(".staging-2026-11-22")
    (Night(date='2026-11-22', revision=3), '2026-11-22', None)
    """

    date: str
    revision: int

    @classmethod
    def named(cls, folder: str) -> "Night | None":
        """Read a folder's name; None when it is no night's."""
        parts = _NIGHT.fullmatch(folder)
        return parts and cls(parts[1], int(parts[2] or 1))

    def __str__(self) -> str:
        return self.date if self.revision == 1 else f"{self.date}.r{self.revision}"


def checked_name(name: str) -> str:
    """Return `name` when it is an ISO date; names sort as dates only then.

    Raises:
        ValueError: anything else.
    """
    if date.fromisoformat(name).isoformat() != name:
        raise ValueError("a night's name is a date written as 2026-11-22")
    return name


def current(out: Path, *, disk: Disk = DISK) -> Path | None:
    """Return the folder of the current night, None before the first; open all its files there, not under `current/`.

    Raises:
        PublishError: the pointer is no pointer, or leads to a night that is not there. A lost night is never taken
            for a first one: then withdrawals would have nothing to withdraw from.
    """
    with explained("the pointer to the current night cannot be read"):
        pointer, target = _pointer(out, disk=disk)
        if target is None:
            return None
        if Night.named(target) is None or not (out / target).is_dir():
            raise PublishError(
                f"`{pointer}` in the output folder leads to no published night",
                "put that night's folder back, or remove the pointer to start again",
            )
        return out / target


def revisions(out: Path, name: str, *, disk: Disk = DISK) -> tuple[Path, ...]:
    """Return the published folders of the night `name`, the first revision first."""
    return tuple(out / str(night) for night in _nights(out, disk=disk) if night.date == checked_name(name))


def latest_before(out: Path, name: str, *, disk: Disk = DISK) -> Path | None:
    """Return the latest revision of the latest published night strictly earlier than the date `name`, if any."""
    earlier = [night for night in _nights(out, disk=disk) if night.date < checked_name(name)]
    return out / str(earlier[-1]) if earlier else None


def published_nights(out: Path, *, disk: Disk = DISK) -> tuple[Path, ...]:
    """Return the folders of all published nights and revisions, the earliest first."""
    return tuple(out / str(night) for night in _nights(out, disk=disk))


def next_revision(out: Path, name: str, *, disk: Disk = DISK) -> Night:
    """Return the night `name` with the revision after the last name taken, be it by a folder or anything else."""
    taken = [night.revision for night in map(Night.named, disk.names(out)) if night and night.date == name]
    return Night(name, 1 + max(taken, default=0))


def is_later(one: Path, other: Path) -> bool:
    """Tell whether one night's folder is of a later date, or a later revision of the same date, than another's.

    >>> is_later(Path("2026-11-22.r10"), Path("2026-11-22.r9")), is_later(Path("2026-11-22.r10"), Path("2026-11-23"))
    (True, False)
    """
    first, second = Night.named(one.name), Night.named(other.name)
    return first is not None and second is not None and first > second


def is_ahead(one: Path, other: Path, *, today: date | None) -> bool:
    """Tell whether one night's date is further ahead of `today` than any list is made for, and another's is not.

    >>> is_ahead(Path("2026-12-20"), Path("2026-11-23"), today=date(2026, 11, 22))
    True
    >>> is_ahead(Path("2026-11-23"), Path("2026-11-22"), today=date(2026, 11, 22))
    False
    """
    first, second = Night.named(one.name), Night.named(other.name)
    if first is None or second is None or today is None:
        return False
    latest = (today + timedelta(days=DAYS_AHEAD)).isoformat()
    return first.date > latest >= second.date


def _nights(out: Path, *, disk: Disk) -> list[Night]:
    with explained("the published nights cannot be listed"):
        if disk.kind(out) is None:
            return []
        found = (Night.named(name) for name in disk.names(out) if (out / name).is_dir())
        return sorted(night for night in found if night)


def _pointer(out: Path, *, disk: Disk) -> tuple[str, str | None]:
    if disk.kind(out / TEXT) is not None:
        return TEXT, disk.read(out / TEXT).decode("ascii", errors="replace").strip()
    kind = disk.kind(out / LINK)
    if kind not in (None, "link"):
        raise PublishError("`current` in the output folder is not a link", "move it away: no run made it")
    # A link set by hand may read `./2026-11-22/`.
    return LINK, str(Path(disk.read_link(out / LINK))) if kind else None
