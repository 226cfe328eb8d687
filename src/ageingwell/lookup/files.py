"""Keep tables in a cache folder under the SHA-256 of their bytes, which the model's bundle tells: never a pickle.

A cache folder is nobody's to trust: whoever can change a file in it can change a digest beside it too. So the digest
comes from elsewhere, from a bundle whose own sums were checked. Bytes of another digest are not read at all. What is
absent or is not to be trusted counts as not there, so that the caller compiles again.

The form is our own, plain and one for every version of Python and NumPy, for the same tables have to give the same
digest everywhere; an archive would not, and has a parser of its own.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ageingwell.checksums import ChangedError, read_plainly
from ageingwell.disk import DISK, Disk
from ageingwell.errors import BundleError
from ageingwell.lookup.soundness import TYPES, hold_together
from ageingwell.lookup.tables import LookupTables
from ageingwell.publish.whole import make_folders

# Raise it whenever tables made by an earlier version would mean something else.
FORMAT = 4


def digest_of(tables: LookupTables) -> str:
    """The SHA-256 of the tables' bytes: the same for the same tables on every machine."""
    digest = hashlib.sha256()
    for part in _parts(tables):
        digest.update(part)
    return digest.hexdigest()


def save_tables(tables: LookupTables, folder: Path, *, disk: Disk = DISK) -> Path:
    """Write the tables into the cache folder under their digest, and return their file.

    The file takes its place in one step, so that a reader finds a whole one or none. `OSError` where the folder cannot
    be written.
    """
    content = b"".join(_parts(tables))
    path = _path(folder, hashlib.sha256(content).hexdigest())
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    make_folders(folder, disk=disk)
    disk.remove(partial)
    disk.write(partial, content)
    disk.replace(partial, path)
    return path


def load_tables(folder: Path, *, digest: str) -> LookupTables | None:
    """The tables of this digest, or None where there are none to trust: then compile the booster."""
    try:
        content = read_plainly(_path(folder, digest))
    except (OSError, ChangedError):
        return None
    if hashlib.sha256(content).hexdigest() != digest:
        return None
    try:
        tables = LookupTables(**dict(_arrays(content)))
    except (ValueError, TypeError):
        return None
    return tables if hold_together(tables) else None


def _path(folder: Path, digest: str) -> Path:
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise BundleError("the digest of kept tables is not 64 hexadecimal digits")
    return folder / f"lookup{FORMAT}-{digest}.bin"


def _parts(tables: LookupTables) -> Iterator[bytes]:
    """A line with the length of each array, then the arrays, numbers in the order of bytes that Intel and ARM use."""
    arrays = [getattr(tables, field.name) for field in fields(tables)]
    yield json.dumps([FORMAT, *map(len, arrays)]).encode() + b"\n"
    for field, array in zip(fields(tables), arrays):
        yield np.ascontiguousarray(array, dtype=_kind(field.name)).tobytes()


def _arrays(content: bytes) -> Iterator[tuple[str, NDArray[Any]]]:
    head, _, rest = content.partition(b"\n")
    form, *lengths = json.loads(head)
    if form != FORMAT:
        raise ValueError("tables of another format")
    at = 0
    for field, length in zip(fields(LookupTables), lengths, strict=True):
        kind = _kind(field.name)
        yield field.name, np.frombuffer(rest, kind, count=length, offset=at).astype(kind.newbyteorder("="))
        at += length * kind.itemsize
    if at != len(rest):
        raise ValueError("more than the tables")


def _kind(name: str) -> np.dtype[Any]:
    return np.dtype(TYPES[name]).newbyteorder("<")
