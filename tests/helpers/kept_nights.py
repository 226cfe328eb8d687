"""Small published nights of a few made-up people, of frames alone: quick to make, to withdraw from and to forget."""

import io
import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from ageingwell.context import Surroundings
from ageingwell.decisions.entry import Entry
from ageingwell.decisions.ledger import append
from ageingwell.disk import DISK, Disk
from ageingwell.keeping.searching import Named, files_below, keys_of, look_in
from ageingwell.pseudonyms import Key
from helpers.nights import run

AT = datetime(2026, 11, 29, 12, tzinfo=UTC)
LETTERS = "bcdfghjklmnpqrst"
KEY = Key.made_up(0)


def who(number: int) -> str:
    """A pseudonym of a person; that of their home is `home(number)`."""
    return f"{LETTERS[number % 16]}{LETTERS[number // 16 % 16]}" + "p" * 30


def home(number: int) -> str:
    return f"{LETTERS[number % 16]}{LETTERS[number // 16 % 16]}" + "h" * 30


def frames_of(people: Iterable[int], homes: Mapping[int, int]) -> dict[str, pl.DataFrame]:
    """The frames of a night that lists these people; `homes` says in which home each lives."""
    text = {"person_id": pl.String, "household_id": pl.String}
    rows = [{"person_id": who(one), "household_id": home(homes.get(one, one))} for one in people]
    lived = pl.DataFrame(rows, schema=text)
    attrition = lived.select(
        "person_id",
        step=pl.lit("listed"),
        reason=pl.lit("listed"),
        n=pl.lit(1, dtype=pl.Int64),
        re_enters_on=pl.lit(None, dtype=pl.Date),
    )
    return {"list": lived, "scores": lived, "residents": lived, "attrition": attrition}


def files_of_night(people: Iterable[int], homes: Mapping[int, int] | None = None) -> dict[str, bytes]:
    """The files of such a night; it says that an earlier version made it, so that nobody draws its pages."""
    files = {f"{name}.parquet": _parquet(frame) for name, frame in frames_of(people, homes or {}).items()}
    told = {"format": 1, "made_up": True, "purpose": "direct_care", "list_key": KEY.fingerprint}
    return files | {"manifest.json": json.dumps(told).encode(), "run.json": b"{}"}


def publish(out: Path, day: str, people: Iterable[int], homes: Mapping[int, int] | None = None) -> None:
    """Publish a night of these people."""
    run(out, day, files_of_night(people, homes))


def decide(out: Path, *people: int, on: date = date(2026, 11, 24)) -> None:
    """Write a decision on each of these people into the ledger."""
    entries = [Entry(date(2026, 11, 22), "fire", "listed", who(one), None, decision="said_no") for one in people]
    at = datetime(on.year, on.month, on.day, 12, tzinfo=UTC)
    append(out / "decisions.sqlite", entries, role="chair", recorded_at=at, file_sha256="0" * 64)


def world(at: datetime = AT, cache: Path | None = None) -> Surroundings:
    """A run at a fixed time."""
    return Surroundings(now=lambda: at, user="svc", cache=cache)


def named_in(place: Path, people: Iterable[int], nights: Iterable[date], *, disk: Disk = DISK) -> list[str]:
    """The files below a folder in which any of these people can be read, by pseudonym or by a row key."""
    ids = [who(one) for one in people]
    named = Named({*ids, *keys_of(ids, nights=nights, keys=[KEY])})
    found = look_in(named, files_below(place, disk=disk))
    assert found.unclear == ()
    return [str(path.relative_to(place)) for path in found.naming]


def text_of_ledger(path: Path) -> str:
    """Every byte of the ledger's file, and every row as text."""
    with closing(sqlite3.connect(path)) as database:
        return path.read_bytes().decode("latin-1") + "\n".join(database.iterdump())


def _parquet(frame: pl.DataFrame) -> bytes:
    written = io.BytesIO()
    frame.write_parquet(written)
    return written.getvalue()
