"""Whom each night offered a visit, and whom it could have offered one: what an impact is told from.

A night that is still whole tells the estimate, who was to lead and the needs found; of one that went, its `followed/`
file tells who was listed and who could have been.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from ageingwell.disk import DISK, Disk
from ageingwell.errors import PublishError
from ageingwell.kept.followed import nights_followed, read_followed
from ageingwell.kept.frames import read_frame
from ageingwell.publish import revisions
from ageingwell.publish.removing import every_night

# One row a night and person who could have been listed. `needs` are those found by rule, met that week or not.
OFFERED: Final = pl.Schema(
    {
        "night": pl.Date(),
        "person_id": pl.String(),
        "household_id": pl.String(),
        "risk": pl.Float64(),
        "is_listed": pl.Boolean(),
        "lead_agency": pl.String(),
        "needs": pl.List(pl.String()),
    }
)


@dataclass(frozen=True)
class Nights:
    """What the nights tell: `offered` (`OFFERED`), and the days of nights that are whole, of those that are kept as
    names alone, and of those that cannot be read."""

    offered: pl.DataFrame
    whole: tuple[date, ...]
    followed: tuple[date, ...]
    unread: tuple[date, ...]


def read_nights(out: Path, *, before: date, disk: Disk = DISK) -> Nights:
    """Read every night of the folder `out` earlier than the day `before`, the newest revision of each."""
    rows: list[pl.DataFrame] = []
    days: dict[str, list[date]] = {"whole": [], "followed": [], "unread": []}
    for day, how, frame in _each(out, before=before, disk=disk):
        days[how].append(day)
        if frame is not None:
            rows.append(frame)
    offered = pl.concat(rows) if rows else pl.DataFrame(schema=OFFERED)
    told = {how: tuple(sorted(found)) for how, found in days.items()}
    return Nights(offered.sort("night", "person_id"), **told)


def _each(out: Path, *, before: date, disk: Disk) -> Iterator[tuple[date, str, pl.DataFrame | None]]:
    there = {folder.name[:10] for folder in every_night(out, disk=disk)}
    kept = nights_followed(out, disk=disk)
    for name in sorted(there | set(kept)):
        day = date.fromisoformat(name)
        if day >= before:
            continue
        whole = _of_night(revisions(out, name, disk=disk)[-1], day) if name in there else None
        if whole is not None:
            yield day, "whole", whole
        elif name in kept and (people := read_followed(kept[name])) is not None:
            yield day, "followed", _of_followed(people, day)
        else:
            yield day, "unread", None


def _of_night(folder: Path, day: date) -> pl.DataFrame | None:
    try:
        scores = read_frame(folder, "scores", columns=("person_id", "household_id", "risk"))
        listed = read_frame(folder, "listed", columns=("person_id", "lead_agency"))
        needs = read_frame(folder, "needs", columns=("person_id", "need"))
    except PublishError:
        return None
    of_person = needs.drop_nulls("person_id").group_by("person_id").agg(needs=pl.col("need").unique().sort())
    both = (
        scores.select("person_id", "household_id", "risk")
        .join(listed.select("person_id", "lead_agency", is_listed=pl.lit(value=True)), on="person_id", how="left")
        .join(of_person, on="person_id", how="left")
    )
    return both.select(
        night=pl.lit(day),
        person_id="person_id",
        household_id="household_id",
        risk="risk",
        is_listed=pl.col("is_listed").fill_null(value=False),
        lead_agency="lead_agency",
        needs=pl.col("needs").fill_null([]),
    ).cast(OFFERED)


def _of_followed(people: pl.DataFrame, day: date) -> pl.DataFrame:
    empty = {name: pl.lit(None, dtype=OFFERED[name]) for name in ("household_id", "risk", "lead_agency")}
    return (
        people.select(
            night=pl.lit(day),
            person_id="person_id",
            is_listed="was_listed",
            needs=pl.lit([], dtype=pl.List(pl.String)),
            **empty,
        )
        .select(OFFERED.names())
        .cast(OFFERED)
    )
