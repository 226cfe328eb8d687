"""Change every line of a long audit log in every way and follow it whole; look up a list in the whole number range.

    python -m benchmarks.reliability audit_log [--lines 1000] [--seed 13]

The tests follow the lines around a change alone, and look at ranges of some thousand numbers.
"""

import argparse
import hashlib
import json
import random
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from ageingwell.agency.matching import reidentify
from ageingwell.audit.chain import Head, digest, follow, line_of
from ageingwell.context import Surroundings
from ageingwell.errors import ReidentifyError
from ageingwell.pseudonyms import Key, pseudonym, row_key
from ageingwell.report.csv import agency_csv
from ageingwell.views.columns import PLACE, ROW_KEY, AgencyView
from benchmarks.reliability.figures import write_figure

Lines = list[bytes]
NIGHT = date(2026, 11, 22)
FIRST, LAST = 999_000_000, 999_999_999  # the range of test numbers, without the check digit


def log_of(n: int) -> Lines:
    """A log of `n` lines."""
    lines: Lines = []
    for number in range(n):
        before = Head(number, digest(lines[-1])) if lines else None
        lines.append(line_of({"did": ("score", "explain")[number % 2], "n_of": number}, before))
    return lines


def changes(lines: Lines, at: int, rng: random.Random) -> dict[str, Lines]:
    """What may be done to one line."""
    where = rng.randrange(len(lines[at]))
    flipped = bytes([lines[at][where] ^ (1 << rng.randrange(8))])
    other = (at + 1) % len(lines)
    swapped = [*lines]
    swapped[at], swapped[other] = swapped[other], swapped[at]
    put_in = line_of({"did": "score"}, Head(at, digest(lines[at - 1])) if at else None)
    return {
        "edited": [*lines[:at], lines[at][:where] + flipped + lines[at][where + 1 :], *lines[at + 1 :]],
        "deleted": [*lines[:at], *lines[at + 1 :]],
        "swapped": swapped,
        "inserted": [*lines[:at], put_in, *lines[at:]],
        "cut": lines[:at],
        "chained anew": anew(lines, at),
    }


def anew(lines: Lines, at: int) -> Lines:
    """A line that says something else, and every digest after it made again."""
    changed = lines[:at]
    for number, line in enumerate(lines[at:], start=at):
        told = {name: value for name, value in json.loads(line).items() if name not in ("n", "previous")}
        told |= {"did": "nothing"} if number == at else {}
        changed.append(line_of(told, Head(number, digest(changed[-1])) if changed else None))
    return changed


def missed(n_lines: int, seed: int) -> tuple[int, list[str]]:
    """How many changes were tried, and which nobody saw."""
    lines, rng = log_of(n_lines), random.Random(seed)
    head, n, unseen = Head(n_lines, digest(lines[-1])), 0, []
    for at in range(n_lines):
        for what, changed in changes(lines, at, rng).items():
            n += 1
            if follow(b"".join(line + b"\n" for line in changed), [head]).is_whole:
                unseen.append(f"line {at + 1} {what}")
    return n, unseen


def numbers() -> pl.Series:
    """Every valid number of the range: modulus 11, as the NHS has it."""
    prefix = pl.int_range(FIRST, LAST + 1, eager=True).to_frame("p")
    weighted = pl.sum_horizontal((pl.col("p") // 10 ** (9 - at) % 10) * (11 - at) for at in range(1, 10))
    check = (11 - weighted % 11) % 11
    return prefix.filter(check != 10).select(pl.col("p") * 10 + check).to_series().cast(pl.String)


def found_in_ranges(folder: Path) -> tuple[int, int]:
    """How many rows were asked for in registers that are ranges, and how many people were found."""
    key, lists = (Key(hashlib.sha256(word).digest()) for word in (b"pseudonyms", b"lists"))
    every = numbers()
    listed = every.gather_every(every.len() // 50).to_frame("n")
    people = listed.select(person=pseudonym(pl.col("n"), domain="person", key=key))
    rows = people.select(
        row_key=row_key(pl.col("person"), recipient="fire", as_of=NIGHT, key=lists), place=pl.lit("Ludlow")
    )
    own = lists.for_recipient("fire")
    view = AgencyView("fire", NIGHT, (ROW_KEY, PLACE), rows, keys=(key.fingerprint, own.fingerprint))
    (folder / "fire.csv").write_bytes(agency_csv(view))
    world = Surroundings(now=lambda: datetime(2026, 11, 24, 9, tzinfo=UTC) + timedelta(0), user="somebody")
    ranges: dict[str, Callable[[], pl.Series]] = {
        "the whole range": lambda: every,
        "the whole range, shuffled": lambda: every.shuffle(seed=1),
        "every second number": lambda: every.gather_every(2),
        "every fourth number": lambda: every.gather_every(4),
        "its first hundred thousand": lambda: every.head(100_000),
    }
    n = found = 0
    for number, (what, register) in enumerate(ranges.items()):
        names = register().to_frame("nhs_number").with_columns(name=pl.format("Person {}", pl.int_range(pl.len())))
        names.write_csv(folder / "register.csv")
        n += rows.height
        try:
            done = reidentify(
                folder / "fire.csv",
                register=folder / "register.csv",
                out=folder / f"{number}.csv",
                key=key,
                list_key=own,
                reason="visit_agreed",
                case="7",
                surroundings=world,
            )
            found += done.n_people
            print(f"{what}: {done.n_people} of {rows.height} found")
        except ReidentifyError as fault:
            print(f"{what}: {fault.found}")
    return n, found


def main(argv: Sequence[str]) -> int:
    """Run both, write the figures, and give 0 where nothing was missed and nobody found."""
    parser = argparse.ArgumentParser(prog="audit_log", description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=13)
    told = parser.parse_args(argv)
    command = f"python -m benchmarks.reliability audit_log --lines {told.lines} --seed {told.seed}"
    n, unseen = missed(told.lines, told.seed)
    print(f"{n:,} changes of a log of {told.lines:,} lines, {len(unseen)} not seen", *unseen[:5])
    write_figure("S6.edits", n, len(unseen), seed=told.seed, command=command)
    with tempfile.TemporaryDirectory() as folder:
        n_asked, found = found_in_ranges(Path(folder))
    write_figure("P9.refusals", n_asked, found, seed=None, command=command)
    return int(bool(unseen or found))
