"""Zip files: their tables in the order of their names, none of it written to disk."""

import fnmatch
import zipfile
from contextlib import suppress
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from ageingwell.errors import SourceError
from ageingwell.reading.forms import form_of
from ageingwell.reading.limits import USUAL, Limits, regular_size
from ageingwell.reading.streams import Part, stop_on_bomb, watched

_ENCRYPTED = 0x1


def zip_parts(path: Path, *, member: str | None = None, limits: Limits = USUAL) -> tuple[Part, ...]:
    """The tables in a zip file.

    Raises `SourceError` for a damaged file, one with a password, a file within that is itself packed or that nobody
    can read, names that lead out of the folder, and for what unpacks without end.
    """
    size = regular_size(path, limits)
    found = _infos(path)
    stop_on_bomb(path.name, sum(info.file_size for info in found), size, limits)
    for info in found:
        if _leads_out(info.filename):
            raise SourceError(f"{path.name}: the name of a file in it leads out of its folder", "pack it again")
    wanted = [info for info in found if not _is_mark(info.filename) and _is_meant(info.filename, member)]
    if not wanted:
        what = "no file" if member is None else f"no file `{member}`"
        raise SourceError(f"{path.name}: holds {what}", "send it again, with its tables")
    names = [info.filename for info in wanted]
    if len(set(names)) < len(names):
        raise SourceError(f"{path.name}: holds two files of one name", "pack it again")
    return tuple(_part(path, info, limits) for info in sorted(wanted, key=lambda info: info.filename))


def _infos(path: Path) -> list[zipfile.ZipInfo]:
    found = None
    faults = (OSError, zipfile.BadZipFile, NotImplementedError, ValueError)
    with suppress(*faults), zipfile.ZipFile(path) as archive:
        found = [info for info in archive.infolist() if not info.is_dir()]
    if found is None:
        raise SourceError(f"{path.name}: not a whole zip file", "send it again; it may have been cut off")
    return found


def _leads_out(name: str) -> bool:
    return name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") or ":" in name.split("/")[0]


def _is_mark(name: str) -> bool:
    """What packing programs leave in a zip file beside its files."""
    return any(part.startswith(".") or part == "__MACOSX" for part in PurePosixPath(name).parts)


def _is_meant(name: str, member: str | None) -> bool:
    return member is None or fnmatch.fnmatch(name, member) or fnmatch.fnmatch(PurePosixPath(name).name, member)


def _part(path: Path, info: zipfile.ZipInfo, limits: Limits) -> Part:
    name = f"{path.name}/{info.filename}"
    if info.flag_bits & _ENCRYPTED:
        raise SourceError(f"{path.name}: has a password", "unpack it where it arrives, and send it without one")
    form = form_of(info.filename)
    if form is None:
        raise SourceError(
            f"{name}: no file that can be read", "take it out of the zip file, or name the file that is the table"
        )
    if form in ("zip", "parquet") or info.filename.lower().endswith(".gz"):
        raise SourceError(f"{name}: packed within a packed file", "unpack it once")
    return Part(name, form, partial(_opened, path, info, name, limits))


def _opened(path: Path, info: zipfile.ZipInfo, name: str, limits: Limits) -> BinaryIO:
    inner = None
    with (
        suppress(OSError, ValueError, zipfile.BadZipFile, NotImplementedError, RuntimeError),
        zipfile.ZipFile(path) as archive,
    ):
        inner = archive.open(info)
    if inner is None:
        raise SourceError(f"{name}: cannot be unpacked", "pack it again with the usual method, and send it again")
    return watched(inner, name, packed=lambda: info.compress_size, limits=limits)  # type: ignore[arg-type]
