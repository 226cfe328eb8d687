"""Putting a file beside the nights in one step: whole and on disk, or the one before."""

from contextlib import suppress
from pathlib import Path

from ageingwell.disk import DISK, Disk


def put_beside(path: Path, content: bytes, *, disk: Disk = DISK) -> None:
    """Write a file beside the nights, or take another's place, in one step. Hold the publishing lock around it.

    Raises `OSError` where the operating system refuses; then the file is as it was.
    """
    # A run that is killed leaves it behind, and the next one sweeps away all that begins so.
    spare = path.with_name(f".staging-{path.name}")
    disk.remove(spare)
    try:
        disk.write(spare, content)
        disk.sync_file(spare)
        disk.replace(spare, path)
        disk.sync_folder(path.parent)
    finally:
        with suppress(OSError):
            disk.remove(spare)
