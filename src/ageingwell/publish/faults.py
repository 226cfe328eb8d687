"""What the operating system refuses, in words: which kind of place, the reason, what to do; never a record's value."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ageingwell.errors import PublishError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_FAILED_WRITE = _FULL | {errno.EIO, errno.EROFS}
# Polars and XlsxWriter raise errors of their own, with the operating system's number in the text alone.
_NUMBER_IN_TEXT = re.compile(r"\(os error ([0-9]+)\)|\[Errno ([0-9]+)\]")


@contextmanager
def explained(found: str) -> Iterator[None]:
    """Turn an operating system's error into a PublishError that begins with `found`.

    >>> with explained("the night's folder cannot be written"):
    ...     raise OSError(errno.ENOSPC, "No space left on device", "list.parquet")
    Traceback (most recent call last):
    ageingwell.errors.PublishError: the night's folder cannot be written: No space left on device (ENOSPC). What to do:
    free space on the output folder's disk and run again; until then the last complete night stays current.
    """
    try:
        yield
    except OSError as error:
        raise publish_error(found, error.errno) from None


def publish_error(found: str, number: int | None) -> PublishError:
    """Say what an error number means for the output folder and what mends it."""
    reason = "unknown fault" if number is None else f"{os.strerror(number)} ({errno.errorcode.get(number, number)})"
    remedy = f"{_remedy(number)} and run again; until then the last complete night stays current"
    return PublishError(f"{found}: {reason}", remedy)


def _remedy(number: int | None) -> str:
    if number in _FULL:
        return "free space on the output folder's disk"
    if number in _FORBIDDEN:
        return "let this account write to the output folder, or choose another one,"
    return "check the output folder and its disk"


def failed_write(error: Exception, folder: Path) -> int | None:
    """Return the error number when a disk could not take, or `folder` did not allow, what was written; else None.

    >>> failed_write(ValueError("parquet: underlying IO error: No space left on device (os error 28)"), Path("staged"))
    28
    >>> failed_write(PermissionError(errno.EACCES, "Permission denied", "staged/list.parquet"), Path("staged"))
    13
    >>> failed_write(PermissionError(errno.EACCES, "Permission denied", "extracts/gp.csv"), Path("staged")) is None
    True
    """
    number = error.errno if isinstance(error, OSError) else None
    if number is None and (named := _NUMBER_IN_TEXT.search(str(error))):
        number = int(named[1] or named[2])
    if number in _FAILED_WRITE:
        return number
    path = error.filename if isinstance(error, OSError) else None
    is_ours = isinstance(path, str) and Path(path).is_relative_to(folder)
    return number if is_ours and number in _FORBIDDEN else None
