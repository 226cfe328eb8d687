"""A made-up county as it was sent on an earlier day, or as it is once people on lists were visited."""

from datetime import date
from pathlib import Path

import polars as pl

from ageingwell.disk import DISK
from ageingwell.errors import ConfigError, PublishError
from ageingwell.kept.offered import read_nights
from ageingwell.room import scratch
from ageingwell.synthetic.county import CountyPlan, CountySummary, Progress, synthesise
from ageingwell.synthetic.visited import Visits, sent_on, visited
from ageingwell.synthetic.writing import county_folder


def synth(
    plan: CountyPlan,
    out: str | Path,
    *,
    known_on: date | None = None,
    after: str | Path | None = None,
    visits: Visits | None = None,
    progress: Progress | None = None,
) -> CountySummary:
    """Make the county of `plan` in the folder `out`, as `synthesise` does.

    With `known_on` only what had been sent by that day is written, to make a night as it would have been. With `after`,
    the folder of nights of this county, everybody on their lists was offered a visit, and what came after follows from
    `visits`: to see whether `impact` finds what is true. The people are the same whichever is asked.

    Raises `ConfigError` for a plan of raw or spoilt extracts together with these, and `PublishError` where the nights
    list nobody.
    """
    if known_on is None and after is None:
        return synthesise(plan, out, progress=progress)
    if plan.raw or plan.dirty:
        raise ConfigError("raw or spoilt extracts cannot be made of an earlier day or after visits", "leave that out")
    offered = None if after is None else _offered(Path(after))
    with scratch() as place:
        made = synthesise(plan, place / "county", progress=progress)
        source = place / "county"
        if offered is not None:
            source = place / "visited"
            visited(place / "county", offered, source, visits=visits or Visits())
        with county_folder(Path(out)) as folder:
            if known_on is None:
                _copy(source, folder)
            else:
                sent_on(source, known_on, folder)
    rows = {path.stem: pl.scan_parquet(path).select(pl.len()).collect().item() for path in Path(out).glob("*.parquet")}
    return CountySummary(Path(out), made.n_people_65plus, made.n_people, made.n_homes, rows)


def _offered(nights: Path) -> pl.DataFrame:
    """Everybody on a list of the nights: person_id, offered_on."""
    listed = read_nights(nights, before=date.max).offered.filter("is_listed")
    if listed.is_empty():
        raise PublishError("the nights list nobody", "give the folder of nights that `score` made of this county")
    return listed.select("person_id", offered_on="night")


def _copy(source: Path, folder: Path) -> None:
    for path in sorted(source.iterdir()):
        DISK.write(folder / path.name, DISK.read(path))
