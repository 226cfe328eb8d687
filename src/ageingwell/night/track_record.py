"""How past lists did: counted from an archived list whose year has settled, else from the model's own latest test."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from ageingwell.bundle import Bundle
from ageingwell.config.load import Config
from ageingwell.errors import PublishError
from ageingwell.evaluation.utility import at_list_length
from ageingwell.evaluation.wall import AGE, MODEL
from ageingwell.governance.disclosure import in_words
from ageingwell.governance.night_facts import TrackRecordFacts
from ageingwell.kept.followed import nights_followed, read_followed
from ageingwell.kept.frames import read_frame
from ageingwell.night.first_pass import counts_kept
from ageingwell.night.people import Judged
from ageingwell.night.shards import REGISTER
from ageingwell.night.tonight import Part
from ageingwell.outcomes import label_outcomes
from ageingwell.publish import latest_before
from ageingwell.recognition.counting import Counts
from ageingwell.recognition.people import untold_of
from ageingwell.spine import Tables, latest_versions
from ageingwell.timeline import AsOf, Horizon


@dataclass(frozen=True)
class Archive:
    """A list published long enough ago: its night, who was listed, and everybody who could have been (`scores`)."""

    day: date
    listed: pl.DataFrame
    scores: pl.DataFrame


def settled_archive(out: Path, as_of: AsOf, *, config: Config) -> Archive | None:
    """The newest night whose horizon and settling period have passed by `as_of`: published, or what is kept of it.

    None where there is none, or its files are of no use any more: that stops no list of tonight, and the pages then
    tell of the model's own test, as they do without an old list.
    """
    settings = config.train
    after = as_of.minus(settings.horizon_days + settings.settling_days).plus(1).day.isoformat()
    folder = latest_before(out, after)
    kept = {day: path for day, path in nights_followed(out).items() if day < after}
    if kept and (folder is None or max(kept) > folder.name[:10]):
        return _of_followed(max(kept), kept[max(kept)])
    if folder is None:
        return None
    day = date.fromisoformat(folder.name.split(".")[0])
    try:
        listed, scores = (read_frame(folder, name, columns=("person_id",)) for name in ("listed", "scores"))
    except PublishError:
        return None
    return Archive(day, listed, scores)


def _of_followed(day: str, path: Path) -> Archive | None:
    people = read_followed(path)
    if people is None:
        return None
    return Archive(date.fromisoformat(day), people.filter("was_listed").select("person_id"), people.select("person_id"))


FOLLOWED = pl.Schema({"person_id": pl.String, "birth_month": pl.Date, "happened": pl.Int8, "was_listed": pl.Boolean})


def follow_shard(part: Part, archive: Archive, judged: Judged) -> pl.DataFrame:
    """What became of a shard's people who could have been listed then (`FOLLOWED`).

    Tonight's records, as known and permitted, tell it: who may not be used any more is counted on neither side.
    """
    tonight = part.tonight
    return follow(
        archive,
        tonight.known(tonight.gate.let_through(tonight.sent(part.shard.own()))),
        outcome=tonight.bundle.ranking_outcome,
        counts=counts_kept(part, judged.sums),
        counted=judged.counted,
        config=tonight.config,
    )


def follow(
    archive: Archive, tables: Tables, *, outcome: str, counts: Counts, counted: pl.DataFrame, config: Config
) -> pl.DataFrame:
    """What became of the people of some tables (`FOLLOWED`); those of whom it is not known are absent."""
    born = latest_versions(tables[REGISTER]).select("person_id", "birth_month")
    # Nobody in a care home could be listed.
    people = archive.scores.select("person_id").join(born, on="person_id").with_columns(care_home=pl.lit("no"))
    day, horizon = AsOf(archive.day), Horizon(config.train.horizon_days)
    untold = untold_of(
        tables, people, day.plus(horizon.days), counts=counts, counted=counted, floors=config.score.recognition
    )
    labels = label_outcomes(tables, people, day, horizon=horizon, codelists=config.codelists, untold=untold)
    followed = people.join(labels.select("person_id", happened=outcome), on="person_id").drop_nulls("happened")
    listed = pl.col("person_id").is_in(archive.listed["person_id"].implode())
    return followed.with_columns(was_listed=listed).select(FOLLOWED.names()).cast(FOLLOWED)


def track_record(archive: Archive | None, followed: pl.DataFrame | None, *, bundle: Bundle) -> TrackRecordFacts | None:
    """What became of people listed before, beside as many picked by age alone; counts as a page may show them.

    `followed` is what `follow_shard` tells of all shards. Keys: from (`archive` or `test`), day, outcome, n_listed,
    n_happened, n_by_age. None where neither an old list nor a test of a usable model tells anything.
    """
    counted = None if archive is None or followed is None else _counted(archive, followed, bundle.ranking_outcome)
    return counted or _tested(bundle)


def _counted(archive: Archive, followed: pl.DataFrame, outcome: str) -> TrackRecordFacts | None:
    everybody = followed.sort("person_id")
    listed = everybody.filter("was_listed")
    if listed.is_empty():
        return None
    years = -everybody["birth_month"].to_physical().to_numpy()
    oldest = at_list_length(everybody["happened"].to_numpy(), years, k=listed.height).filter(measure="ppv")
    return _told(
        "archive",
        archive.day.isoformat(),
        outcome,
        n_listed=listed.height,
        n_happened=int(listed["happened"].sum()),
        n_by_age=round(oldest["value"][0] * listed.height),
    )


def _tested(bundle: Bundle) -> TrackRecordFacts | None:
    """The wall of the bundle's latest test, at the length of a list the agencies can serve."""
    outcome = bundle.ranking_outcome
    wall = bundle.tables.get(outcome, {}).get("wall")
    if wall is None or not bundle.usable:
        return None
    rows = {row["name"]: row for row in wall.filter(measure="ppv", band="all").iter_rows(named=True)}
    if MODEL not in rows or AGE not in rows:
        return None
    day = max(bundle.facts["training"]["cut_offs"]["test"])
    model, by_age = rows[MODEL], rows[AGE]
    return _told("test", day, outcome, n_listed=model["n"], n_happened=model["n_events"], n_by_age=by_age["n_events"])


def _told(origin: str, day: str, outcome: str, *, n_listed: int, n_happened: int, n_by_age: int) -> TrackRecordFacts:
    return {
        "from": origin,
        "day": day,
        "outcome": outcome,
        "n_listed": in_words(n_listed),
        "n_happened": in_words(n_happened),
        "n_by_age": in_words(n_by_age),
    }
