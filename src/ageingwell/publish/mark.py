"""The mark *do not use*: a file beside the nights, for as long as nobody can say who is to come off the current one.

It changes no night: what was published stays as it is, and so do the bytes that others read.
"""

from pathlib import Path
from typing import Final

from ageingwell.disk import DISK, Disk
from ageingwell.room import explained

DO_NOT_USE: Final = "DO_NOT_USE.txt"
_SPARE: Final = ".staging-mark"  # the next run sweeps away what a dead one leaves


def set_mark(out: Path, why: str | None, *, disk: Disk = DISK) -> None:
    """Mark the current list with one sentence, or take the mark away where `why` is None: in one step, on disk.

    Hold `publishing_lock(out)` around it.
    """
    with explained("the mark of the current list cannot be written"):
        if mark_of(out, disk=disk) == why:
            return
        if why is None:
            disk.remove(out / DO_NOT_USE)
        else:
            disk.remove(out / _SPARE)
            disk.write(out / _SPARE, f"{why}\n".encode())
            disk.sync_file(out / _SPARE)
            disk.replace(out / _SPARE, out / DO_NOT_USE)
        disk.sync_folder(out)


def mark_of(out: Path, *, disk: Disk = DISK) -> str | None:
    """What the mark says; None where the current list may be used.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     set_mark(Path(folder), "Do not use this list.")
    ...     told = mark_of(Path(folder))
    ...     set_mark(Path(folder), None)
    ...     told, mark_of(Path(folder))
    ('Do not use this list.', None)
    """
    kind = disk.kind(out / DO_NOT_USE)
    if kind != "file":
        # What a link says is not ours; that there is something counts as a mark until a run puts its own there.
        return None if kind is None else "Do not use this list: its mark was replaced by something that is no file."
    return disk.read(out / DO_NOT_USE).decode("utf-8", errors="replace").strip()
