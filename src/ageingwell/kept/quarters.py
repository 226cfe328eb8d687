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
BRIEF: Final = "commissioning-brief"  # .md and .html
# Pages before this one that a reader may still have: two years with this one.
EARLIER: Final = 7
_COUNTS: Final = re.compile(r"commissioning-([0-9]{4}-Q[1-4])\.csv")
_COUNTED: Final = pl.Schema({"of": pl.String, "one": pl.String, "other": pl.String, "n": pl.Int64})
# The numbers of the page beside their counts, of versions that keep them: `governance.pages.PUBLISHED`.
_PUBLISHED: Final = pl.Schema(
    {"of": pl.String, "one": pl.String, "other": pl.String, "group": pl.String, "n": pl.Int64, "shown": pl.String}
)
_BRIEF: Final = re.compile(r"commissioning-([0-9]{4}-Q[1-4])\.md")
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


def kept_brief(out: Path, on: date, *, disk: Disk = DISK) -> bytes | None:
    """The brief for co-design of the newest quarter up to that of a day; None where none was kept."""
    with explained("the brief for co-design cannot be read"):
        if disk.kind(out) is None:
            return None
        found = {match[1]: out / match[0] for name in disk.names(out) if (match := _BRIEF.fullmatch(name))}
        reached = [name for name in sorted(found) if name <= quarter_of(on)]
        return disk.read(found[reached[-1]]) if reached else None


def counts_before(out: Path, on: date, *, disk: Disk = DISK) -> pl.DataFrame | None:
    """The counts that the page of the quarter before that of a day was drawn from; None where there is none of use.

    A quarter without a page is passed over: the last page that was published counts.
    """
    contents = _counts_kept(out, on, disk=disk)
    return _counts_of(contents[-1][1]) if contents else None


def pages_before(out: Path, on: date, *, disk: Disk = DISK) -> list[tuple[str, pl.DataFrame]]:
    """The quarter and the numbers of each page before that of a day, the oldest first (`governance.pages.PUBLISHED`).

    Pages of versions that did not keep their numbers are left out.
    """
    read = [(quarter, _numbers_of(content)) for quarter, content in _counts_kept(out, on, disk=disk)[-EARLIER:]]
    return [(quarter, numbers) for quarter, numbers in read if numbers is not None]


def _counts_kept(out: Path, on: date, *, disk: Disk) -> list[tuple[str, bytes]]:
    """The quarter and the counts of each page before that of a day, the oldest first."""
    with explained("the counts of the last page for commissioners cannot be read"):
        if disk.kind(out) is None:
            return []
        found = {match[1]: out / match[0] for name in disk.names(out) if (match := _COUNTS.fullmatch(name))}
        return [(name, disk.read(found[name])) for name in sorted(found) if name < quarter_of(on)]


def _counts_of(content: bytes) -> pl.DataFrame | None:
    numbers = _numbers_of(content)
    if numbers is not None:
        return numbers.drop_nulls("n").filter(pl.col("n") > 0).select(_COUNTED.names())
    try:
        return pl.read_csv(content, schema=_COUNTED)
    except pl.exceptions.PolarsError:
        return None


def _numbers_of(content: bytes) -> pl.DataFrame | None:
    if not content.startswith(",".join(_PUBLISHED.names()).encode()):
        return None
    try:
        return pl.read_csv(content, schema=_PUBLISHED)
    except pl.exceptions.PolarsError:
        return None


def keep_page(
    out: Path, on: date, page: bytes, *, counts: pl.DataFrame, brief: bytes | None = None, disk: Disk = DISK
) -> None:
    """Keep the page of the quarter of a day, the counts behind it and the brief, on disk; a page that is there stays as
    it is.

    `counts` are its numbers with their counts (`governance.pages.PUBLISHED`), or counts alone. Hold
    `publishing_lock(out)` around it.
    """
    kept = out / f"commissioning-{quarter_of(on)}.html"
    with explained("the page for commissioners cannot be written"):
        if disk.kind(kept) is not None:
            return
        # The page last: where it is, its counts are too.
        for path, content in (
            (kept.with_suffix(".csv"), counts.write_csv().encode()),
            (kept.with_suffix(".md"), brief),
            (kept, page),
        ):
            if content is not None:
                put_beside(path, content, disk=disk)
