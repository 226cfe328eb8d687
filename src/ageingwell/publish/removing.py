"""Taking published nights away: each whole or gone, and never the current one."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from ageingwell.disk import DISK, Disk
from ageingwell.errors import PublishError
from ageingwell.publish.nights import Night, current, latest_before, revisions
from ageingwell.publish.staging import STAGING
from ageingwell.room import explained

# What has this name is no night any more, and the next run that takes the lock sweeps it away.
GOING: Final = f"{STAGING}gone-"
_AFTER_EVERY_NIGHT: Final = "9999-12-31"


def every_night(out: Path, *, disk: Disk = DISK) -> Iterator[Path]:
    """Every published folder, the newest night first, and of a night the newest revision first."""
    name = _AFTER_EVERY_NIGHT
    while (folder := latest_before(out, name, disk=disk)) is not None:
        name = folder.name[:10]
        yield from reversed(revisions(out, name, disk=disk))


def is_superseded(folder: Path, others: Iterable[Path]) -> bool:
    """Tell whether one of the other folders is a later revision of the same night.

    >>> is_superseded(Path("2026-11-22"), [Path("2026-11-22.r2"), Path("2026-11-23")])
    True
    >>> is_superseded(Path("2026-11-22.r2"), [Path("2026-11-22"), Path("2026-11-23")])
    False
    """
    mine = Night.named(folder.name)
    theirs = [Night.named(other.name) for other in others]
    return mine is not None and any(one and one.date == mine.date and one > mine for one in theirs)


def remove_nights(out: Path, names: Iterable[str], *, disk: Disk = DISK) -> None:
    """Take published nights away for good. A run that dies on the way leaves each whole, or gone for every reader.

    Hold `publishing_lock(out)` around it. What is no night, or is gone already, is left out.

    Raises:
        PublishError: one of them is the current night (then none was touched), or the disk refuses.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     (Path(place) / "2026-11-22").mkdir()
    ...     remove_nights(Path(place), ["2026-11-22", "2026-11-21"])
    ...     sorted(path.name for path in Path(place).iterdir())
    []
    """
    with explained("a night cannot be taken away"):
        now = current(out, disk=disk)
        there = [name for name in names if Night.named(name) and disk.kind(out / name) == "folder"]
        if now is not None and now.name in there:
            raise PublishError("the current night is not taken away", "publish a later one first")
        # Aside first, for a folder that is half empty must not have a night's name.
        for name in there:
            disk.remove(out / f"{GOING}{name}")
            disk.rename(out / name, out / f"{GOING}{name}")
        disk.sync_folder(out)
        for name in there:
            disk.remove(out / f"{GOING}{name}")
        disk.sync_folder(out)
