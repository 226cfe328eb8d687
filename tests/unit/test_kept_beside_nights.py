"""The files kept beside the nights are whole, old or new, wherever a run dies; and a quarter has one page."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from helpers.counties import NIGHT
from helpers.evidence import counted
from helpers.nights import Dead, DyingDisk, Recorder

from ageingwell.disk import Disk
from ageingwell.kept.barred import BARRED, read_barred, write_barred
from ageingwell.kept.quarters import counts_before, keep_page, kept_page
from ageingwell.report.commissioning import COUNTS

OLD, NEW = (pl.DataFrame([(name, "objection", NIGHT, NIGHT)], schema=BARRED, orient="row") for name in ("old", "new"))
COUNTED = pl.DataFrame([("known by place", "Totnes", "None", 12)], schema=COUNTS, orient="row")


def dies_anywhere(
    folder: Path, write: Callable[[Path, Disk], None], is_whole: Callable[[Path], bool]
) -> tuple[int, int]:
    """Die at every moment of a write; how many moments there are, and after how many what is read is not whole."""
    seen = Recorder()
    write(folder / "counted", seen)
    bad = 0
    for at in range(len(seen.moments)):
        here = folder / str(at)
        here.mkdir()
        write_barred(here, OLD)
        with pytest.raises(Dead):
            write(here, DyingDisk(at))
        bad += not is_whole(here)
    return len(seen.moments), bad


def test_who_was_barred_is_known_wherever_a_run_dies(tmp_path: Path) -> None:
    (tmp_path / "counted").mkdir()
    write_barred(tmp_path / "counted", OLD)

    def is_whole(here: Path) -> bool:
        read = read_barred(here)
        return read is not None and any(read.equals(one) for one in (OLD, NEW))

    n, bad = dies_anywhere(tmp_path, lambda here, disk: write_barred(here, NEW, disk=disk), is_whole)

    counted("R1.crash_points", n, bad)
    assert n > 10
    assert bad == 0


def test_the_page_of_a_quarter_is_never_without_its_counts(tmp_path: Path) -> None:
    (tmp_path / "counted").mkdir()

    def is_whole(here: Path) -> bool:
        page = kept_page(here, NIGHT)
        counts = counts_before(here, date(2027, 1, 3))
        return page is None or (page == b"page" and counts is not None and counts.equals(COUNTED))

    n, bad = dies_anywhere(
        tmp_path, lambda here, disk: keep_page(here, NIGHT, b"page", counts=COUNTED, disk=disk), is_whole
    )

    counted("R1.crash_points", n, bad)
    assert bad == 0


def test_a_page_that_is_there_stays_until_the_next_quarter_and_a_degraded_night_makes_none(tmp_path: Path) -> None:
    keep_page(tmp_path, date(2026, 10, 1), b"first", counts=COUNTED)
    keep_page(tmp_path, date(2026, 12, 31), b"second", counts=COUNTED)

    assert kept_page(tmp_path, NIGHT) == b"first"
    assert kept_page(tmp_path, date(2027, 1, 1)) is None
    assert kept_page(tmp_path, date(2027, 1, 1), is_degraded=True) == b"first"
    # Before the first page of all there is none to carry on.
    assert kept_page(tmp_path / "empty", NIGHT, is_degraded=True) is None
