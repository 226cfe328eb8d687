"""The sums of a night: written with it, and asked whenever a file of it is read again.

`run.json` apart, which holds times and differs with every run, `SHA256SUMS` in a night's folder covers every file. A
night also keeps the SHA-256 of the sums of the night before it, so that nights form a chain: who would change an old
one without a trace has to change every later one too. Nights of earlier versions have no sums and are read as they are.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, Final

from ageingwell.checksums import (
    SUMS,
    ChangedError,
    UnsealedError,
    check_folder,
    checked_file,
    read_plainly,
    sums_of_folder,
)
from ageingwell.errors import PublishError
from ageingwell.publish import write_bytes

MANIFEST: Final = "manifest.json"
_DIFFERS_EACH_RUN: Final = ("run.json",)
_REMEDY: Final = "put that night's folder back as it was published"


def seal_night(folder: Path) -> None:
    """Write the sums of a staged night: the last file before it is published."""
    write_bytes(folder / SUMS, sums_of_folder(folder, but=_DIFFERS_EACH_RUN))


def read_kept(folder: Path, name: str) -> bytes:
    """Read a file of a published night, no link followed, once it fits the night's sums.

    Raises `PublishError` naming the file where it was changed, and `OSError` where it is not there or cannot be read.
    """
    try:
        return read_plainly(folder / name, name) if name in _DIFFERS_EACH_RUN else checked_file(folder, name)
    except UnsealedError:
        return _without_sums(folder, name)
    except ChangedError as fault:
        raise PublishError(f"{fault} (published night {folder.name})", _REMEDY) from None


def digest_of_night(folder: Path) -> str | None:
    """The SHA-256 of a night's sums, which stands for all of its files; None where it has none."""
    try:
        return hashlib.sha256(read_plainly(folder / SUMS)).hexdigest()
    except (OSError, ChangedError):
        return None


def changed_since(folder: Path) -> str | None:
    """What of a published night is not as it was published, as half a sentence; None where nothing is.

    None too for a night without sums, of an earlier version.
    """
    try:
        check_folder(folder, but=_DIFFERS_EACH_RUN)
    except UnsealedError:
        return f"{SUMS} is missing" if _tells_of_sums(folder) else None
    except ChangedError as fault:
        return str(fault)
    except OSError as fault:
        return f"cannot be read ({fault.strerror})"
    return None


def broken_link(folder: Path, before: Path) -> bool:
    """Whether a night remembers other sums of the night `before` than that has now."""
    try:
        told = json.loads(read_kept(folder, MANIFEST)).get("last_night", {})
    except (OSError, ValueError, AttributeError, RecursionError, PublishError):
        return True
    return bool(told.get("folder") == before.name and told.get("sums_sha256") != digest_of_night(before))


def _without_sums(folder: Path, name: str) -> bytes:
    if _tells_of_sums(folder):
        raise PublishError(f"{SUMS} of the published night {folder.name} is missing", _REMEDY)
    try:
        return read_plainly(folder / name, name)
    except ChangedError as fault:
        raise PublishError(f"{fault} (published night {folder.name})", _REMEDY) from None


def _tells_of_sums(folder: Path) -> bool:
    """Whether the manifest says that the night has sums: then it lost them."""
    try:
        told: Any = json.loads(read_plainly(folder / MANIFEST))
    except (OSError, ValueError, RecursionError, ChangedError):
        return False
    return isinstance(told, dict) and told.get("sums") is not None
