"""Who was on a list and who could have been, kept when the night itself has gone: pseudonyms, and nothing of them.

A year later these people's records tell what became of those who were listed; see the track record on page one.
"""

import io
from collections.abc import Collection
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from ageingwell.disk import DISK, Disk
from ageingwell.errors import PublishError
from ageingwell.kept.frames import read_frame
from ageingwell.room import explained

FOLLOWED: Final = "followed"
_SCHEMA: Final = pl.Schema({"person_id": pl.String, "was_listed": pl.Boolean})


def followed_file(out: Path, night: str) -> Path:
    """Where the people of a night are kept: `followed/2026-11-22.parquet`."""
    return out / FOLLOWED / f"{night}.parquet"


def keep_followed(out: Path, folder: Path, *, disk: Disk = DISK) -> bool:
    """Keep the people of a night that is about to go; whether there was anything to keep. An earlier file stays."""
    path = followed_file(out, folder.name[:10])
    if disk.kind(path) is not None:
        return True
    try:
        listed, scores = (read_frame(folder, name, columns=("person_id",)) for name in ("listed", "scores"))
    except PublishError:
        return False
    people = scores.select(pl.col("person_id").cast(pl.String)).drop_nulls().unique().sort("person_id")
    on_list = listed["person_id"].cast(pl.String).implode()
    _put(path, people.with_columns(was_listed=pl.col("person_id").is_in(on_list)), disk=disk)
    return True


def read_followed(path: Path) -> pl.DataFrame | None:
    """The people of a night that has gone: person_id, was_listed; None where the file is of no use."""
    try:
        return pl.read_parquet(path).select(pl.col(name).cast(kind) for name, kind in _SCHEMA.items())
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None


def nights_followed(out: Path, *, disk: Disk = DISK) -> dict[str, Path]:
    """The files of nights that have gone, by their day, the oldest first."""
    if disk.kind(out / FOLLOWED) != "folder":
        return {}
    found = {}
    for name in disk.names(out / FOLLOWED):
        day, _, ending = name.partition(".")
        if ending == "parquet" and _is_day(day):
            found[day] = out / FOLLOWED / name
    return found


def without_followed(path: Path, people: Collection[str], *, disk: Disk = DISK) -> bool:
    """Take people out of one file; whether any was there. A file that is of no use is removed."""
    kept = read_followed(path)
    if kept is None:
        with explained(f"{path.name} cannot be removed"):
            disk.remove(path)
            disk.sync_folder(path.parent)
        return True
    rest = kept.filter(~pl.col("person_id").is_in(list(people)))
    if rest.height == kept.height:
        return False
    _put(path, rest, disk=disk)
    return True


def _put(path: Path, people: pl.DataFrame, *, disk: Disk) -> None:
    written = io.BytesIO()
    people.write_parquet(written, compression="zstd", statistics=False)
    spare = path.parent.parent / f".staging-{FOLLOWED}"  # the next run sweeps away what a dead one leaves
    with explained(f"{path.name} cannot be written"):
        if disk.kind(path.parent) is None:
            disk.make_folder(path.parent)
            disk.set_mode(path.parent, 0o700)
            disk.sync_folder(path.parent.parent)
        disk.remove(spare)
        disk.write(spare, written.getvalue())
        disk.set_mode(spare, 0o600)
        disk.sync_file(spare)
        disk.replace(spare, path)
        disk.sync_folder(path.parent)


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
