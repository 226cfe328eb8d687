"""The page for commissioners of a quarter: made once, kept beside the nights, and carried unchanged by each of them.

A page made every night would give a person away who is withdrawn: whatever rounds two counts, one that moves by a step
between two nights says that the exact count crossed it. So a quarter has one page, and the same bytes stand in every
night and revision of it.
"""

import re
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from ageingwell.disk import DISK, Disk
from ageingwell.kept.beside import put_beside
from ageingwell.room import explained

COMMISSIONING: Final = "commissioning.html"
_COUNTS: Final = re.compile(r"commissioning-([0-9]{4}-Q[1-4])\.csv")
_COUNTED: Final = pl.Schema({"of": pl.String, "one": pl.String, "other": pl.String, "n": pl.Int64})
_KEPT: Final = re.compile(r"commissioning-([0-9]{4}-Q[1-4])\.html")


def quarter_of(day: date) -> str:
    """The calendar quarter of a day.

    >>> quarter_of(date(2026, 11, 22))
    '2026-Q4'
    """
    return f"{day.year}-Q{(day.month + 2) // 3}"


def kept_page(out: Path, on: date, *, is_degraded: bool = False, disk: Disk = DISK) -> bytes | None:
    """The page of the quarter of a day; None where it is still to be made.

    A night that is degraded makes no page for a quarter while there is one of an earlier quarter: that is carried on.
    """
    with explained("the page for commissioners cannot be read"):
        if disk.kind(out) is None:
            return None
        found = {match[1]: out / match[0] for name in disk.names(out) if (match := _KEPT.fullmatch(name))}
        quarter = quarter_of(on)
        earlier = [name for name in sorted(found) if name < quarter]
        name = quarter if quarter in found else earlier[-1] if is_degraded and earlier else None
        return None if name is None else disk.read(found[name])


def counts_before(out: Path, on: date, *, disk: Disk = DISK) -> pl.DataFrame | None:
    """The counts that the page of the quarter before that of a day was drawn from; None where there is none of use.

    A quarter without a page is passed over: the last page that was published counts.
    """
    with explained("the counts of the last page for commissioners cannot be read"):
        if disk.kind(out) is None:
            return None
        found = {match[1]: out / match[0] for name in disk.names(out) if (match := _COUNTS.fullmatch(name))}
        earlier = [name for name in sorted(found) if name < quarter_of(on)]
        content = disk.read(found[earlier[-1]]) if earlier else None
    if content is None:
        return None
    try:
        return pl.read_csv(content, schema=_COUNTED)
    except pl.exceptions.PolarsError:
        return None


def keep_page(out: Path, on: date, page: bytes, *, counts: pl.DataFrame, disk: Disk = DISK) -> None:
    """Keep the page of the quarter of a day, and the counts behind it, on disk; a page that is there stays as it is.

    Hold `publishing_lock(out)` around it.
    """
    kept = out / f"commissioning-{quarter_of(on)}.html"
    with explained("the page for commissioners cannot be written"):
        if disk.kind(kept) is not None:
            return
        # The page last: where it is, its counts are too.
        for path, content in ((kept.with_suffix(".csv"), counts.write_csv().encode()), (kept, page)):
            put_beside(path, content, disk=disk)
