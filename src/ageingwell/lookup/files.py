"""Keep tables in a cache folder: plain arrays under a key, with their SHA-256 beside them, never a pickle.

The key names all that the tables were made from: take the bundle's hash and the outcome. What is absent, damaged or of
another format counts as not there, so that the caller compiles again.
"""

import hashlib
import io
import os
import re
import zipfile
from dataclasses import fields
from pathlib import Path

import numpy as np

from ageingwell.errors import BundleError
from ageingwell.lookup.soundness import hold_together
from ageingwell.lookup.tables import LookupTables

# Raise it whenever tables made by an earlier version would mean something else.
FORMAT = 3


def save_tables(tables: LookupTables, folder: Path, *, key: str) -> Path:
    """Write the tables of `key` into the cache folder and return their file; `BundleError` for an unusable key.

    The file takes its place in one step, so that a reader finds the old one or the new one. `OSError` where the folder
    cannot be written.
    """
    path = _path(folder, key)
    folder.mkdir(parents=True, exist_ok=True)
    written = io.BytesIO()
    np.savez(written, allow_pickle=False, **{field.name: getattr(tables, field.name) for field in fields(tables)})
    content = written.getbuffer()
    _put(path, content)
    _put(path.with_suffix(".sha256"), hashlib.sha256(content).hexdigest().encode())
    return path


def load_tables(folder: Path, *, key: str) -> LookupTables | None:
    """The tables kept under `key`, or None where there are none to trust: then compile the booster."""
    path = _path(folder, key)
    try:
        content, digest = path.read_bytes(), path.with_suffix(".sha256").read_text(encoding="ascii")
    except (OSError, ValueError):
        return None
    if hashlib.sha256(content).hexdigest() != digest:
        return None
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            tables = LookupTables(**{field.name: arrays[field.name] for field in fields(LookupTables)})
    except (ValueError, KeyError, OSError, zipfile.BadZipFile):
        return None
    return tables if hold_together(tables) else None


def _path(folder: Path, key: str) -> Path:
    if not re.fullmatch(r"[0-9a-z][0-9a-z_-]{0,200}", key):
        raise BundleError("a key of kept tables holds only small letters, digits, `_` and `-`")
    return folder / f"lookup{FORMAT}-{key}.npz"


def _put(path: Path, content: bytes | memoryview) -> None:
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    partial.write_bytes(content)
    partial.replace(path)
