"""Every benchmark of speed and memory in one command.

    python -m benchmarks.scale                      a quick look at every part, on small counties
    python -m benchmarks.scale reading night        only these parts
    python -m benchmarks.scale --full --write benchmarks/scale.md     for the record: hours, and 20 GB of disk

reading   read + check + features by ageingwell, pandas and DuckDB, in turn
night     the whole night against the usual straw man, with small trees and with large
growth    a whole night by the number of people, and the exponents of time and memory
england   11 million people: run with --run-england, else reckoned from the growth
ways      the same night in 1, 7 and 64 shards, in processes, on one thread and from CSV: are the bytes the same?
spark     a night on Spark against the same night without it (needs the extra `spark`; --spark-python names a Python)
explain   benchmarks/explain_speed.py, where it is there
fit       benchmarks/fit_speed.py, where it is there

Counties are made in --work and used again by a later run; without it they go into a temporary folder.
"""

import argparse
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.scale.children import ONE_THREAD, Cost
from benchmarks.scale.counties import county_of
from benchmarks.scale.growth import ENGLAND, growth, score, told_england, told_growth
from benchmarks.scale.on_spark import spark_against_local
from benchmarks.scale.others import OTHERS, other
from benchmarks.scale.rivals import night, reading
from benchmarks.scale.told import Told, page
from benchmarks.scale.ways import ways

PARTS = ("reading", "night", "growth", "england", "ways", "spark", *OTHERS)
SMALL, FULL = (20_000, 40_000, 80_000), (50_000, 100_000, 200_000, 400_000, 1_000_000)
COUNTY_GIB = 5.8e-7  # of disk a person takes as Parquet; a night takes as much again twice


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the parts that are asked for, and print or write their page."""
    asked = _asked(arguments)
    with tempfile.TemporaryDirectory(prefix="ageingwell-benchmarks-") as temporary:
        work = asked.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        parts = []
        for part in _parts(asked, work):
            print(page_of(part), flush=True)
            parts.append(part)
    if asked.write:
        asked.write.write_text(page(parts, command=_command(arguments)), encoding="utf-8")


def page_of(part: Told) -> str:
    """One part alone, for the screen."""
    return page([part], command="").partition("\n## ")[2]


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.scale", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all without any")
    parser.add_argument("--full", action="store_true", help="the sizes for the record")
    parser.add_argument("--people", type=int, help="people of reading, night and spark; 20,000, with --full 200,000")
    parser.add_argument(
        "--sizes", type=int, nargs="+", help="people of growth; 20 to 80 thousand, with --full to 1 million"
    )
    parser.add_argument("--rounds", type=int, default=3, help="rounds of whatever is done in turn")
    parser.add_argument(
        "--most-seconds",
        type=float,
        default=300.0,
        help="of CPU for the straw man's explainer before its time is reckoned",
    )
    parser.add_argument(
        "--run-england", action="store_true", help="make and score 11 million people, if the disk holds them"
    )
    parser.add_argument("--spark-python", default=sys.executable, help="the Python that has PySpark")
    parser.add_argument("--work", type=Path, help="where counties are kept")
    parser.add_argument("--write", type=Path, help="the page to write")
    asked = parser.parse_args(arguments)
    if strange := set(asked.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(strange))}")
    asked.parts = asked.parts or list(PARTS)
    asked.people = asked.people or (200_000 if asked.full else 20_000)
    asked.sizes = asked.sizes or (FULL if asked.full else SMALL)
    return asked


def _parts(asked: argparse.Namespace, work: Path) -> Iterator[Told]:
    """Each part that was asked for, in order, as it is done."""
    if "reading" in asked.parts:
        yield reading(county_of(asked.people, work), rounds=asked.rounds)
    if "night" in asked.parts:
        county = county_of(asked.people, work)
        yield night(
            county,
            rounds=asked.rounds,
            whole_night=lambda: score(county, work, env=ONE_THREAD),
            most_seconds=asked.most_seconds,
        )
    if {"growth", "england"} & set(asked.parts):
        found = growth(asked.sizes, work)
        yield told_growth(found)
        if "england" in asked.parts:
            run, why_not = _england(asked, work)
            yield told_england(found, run, why_not=why_not)
    if "ways" in asked.parts:
        yield ways(county_of(asked.people, work), asked.people, work)
    if "spark" in asked.parts:
        yield spark_against_local(county_of(asked.people, work), asked.people, work, python=asked.spark_python)
    yield from (other(part, full=asked.full) for part in OTHERS if part in asked.parts)


def _england(asked: argparse.Namespace, work: Path) -> tuple[Cost | None, str]:
    """England measured, or why it is not."""
    if not asked.run_england:
        return None, "it takes hours; --run-england runs it"
    needed, free = 3 * ENGLAND * COUNTY_GIB, shutil.disk_usage(work).free / 2**30
    if free < needed:
        return None, f"it needs {needed:.0f} GiB of disk, and {free:.0f} are free"
    return score(county_of(ENGLAND, work), work), ""


def _command(arguments: Sequence[str] | None) -> str:
    """The command as somebody would write it again: without the places of this machine."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    for place in ("--work", "--spark-python"):
        if place in given:
            at = given.index(place)
            del given[at : at + 2]
    return shlex.join(["python", "-m", "benchmarks.scale", *given])


if __name__ == "__main__":
    main()
