"""How past lists did: counted from an archived list whose year has settled, else from the model's own latest test."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from ageingwell.bundle import Bundle
from ageingwell.config.load import Config
from ageingwell.errors import PublishError
from ageingwell.evaluation.utility import at_list_length
from ageingwell.evaluation.wall import AGE, MODEL
from ageingwell.governance.disclosure import in_words
from ageingwell.kept.frames import read_frame
from ageingwell.outcomes import label_outcomes
from ageingwell.publish import latest_before
from ageingwell.recognition.people import recognise
from ageingwell.spine import Tables, latest_versions
from ageingwell.timeline import AsOf, Horizon


@dataclass(frozen=True)
class Archive:
    """A list published long enough ago: its night, who was listed, and everybody who could have been (`scores`)."""

    day: date
    listed: pl.DataFrame
    scores: pl.DataFrame


def settled_archive(out: Path, as_of: AsOf, *, config: Config) -> Archive | None:
    """The newest published night whose horizon and settling period have passed by `as_of`.

    None where there is none, or its files are of no use any more: that stops no list of tonight, and the pages then
    tell of the model's own test, as they do without an old list.
    """
    settings = config.train
    last = as_of.minus(settings.horizon_days + settings.settling_days)
    folder = latest_before(out, last.plus(1).day.isoformat())
    if folder is None:
        return None
    day = date.fromisoformat(folder.name.split(".")[0])
    try:
        listed, scores = (read_frame(folder, name, columns=("person_id",)) for name in ("listed", "scores"))
    except PublishError:
        return None
    return Archive(day, listed, scores)


def track_record(archive: Archive | None, tables: Tables, *, bundle: Bundle, config: Config) -> dict[str, Any] | None:
    """What became of people listed before, beside as many picked by age alone; counts as a page may show them.

    `tables` are tonight's, as known and permitted: who may not be used any more is counted on neither side. Keys: from
    (`archive` or `test`), day, outcome, n_listed, n_happened, n_by_age. None where neither an old list nor a test of a
    usable model tells anything.
    """
    counted = None if archive is None else _counted(archive, tables, bundle=bundle, config=config)
    return counted or _tested(bundle)


def _counted(archive: Archive, tables: Tables, *, bundle: Bundle, config: Config) -> dict[str, Any] | None:
    outcome = bundle.ranking_outcome
    born = latest_versions(tables["gp_patients"]).select("person_id", "birth_month")
    # Nobody in a care home could be listed.
    people = archive.scores.select("person_id").join(born, on="person_id").with_columns(care_home=pl.lit("no"))
    horizon = Horizon(config.train.horizon_days)
    told = recognise(
        tables,
        people,
        AsOf(archive.day).plus(horizon.days),
        places=config.places,
        codelists=config.codelists,
        floors=config.score.recognition,
    )
    labels = label_outcomes(
        tables, people, AsOf(archive.day), horizon=horizon, codelists=config.codelists, untold=told.untold
    )
    followed = people.join(labels.select("person_id", outcome), on="person_id").drop_nulls(outcome).sort("person_id")
    listed = followed.join(archive.listed, on="person_id", how="semi")
    if listed.is_empty():
        return None
    years = -followed["birth_month"].to_physical().to_numpy()
    oldest = at_list_length(followed[outcome].to_numpy(), years, k=listed.height).filter(measure="ppv")
    return _told(
        "archive",
        archive.day.isoformat(),
        outcome,
        n_listed=listed.height,
        n_happened=int(listed[outcome].sum()),
        n_by_age=round(oldest["value"][0] * listed.height),
    )


def _tested(bundle: Bundle) -> dict[str, Any] | None:
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


def _told(origin: str, day: str, outcome: str, **counts: int) -> dict[str, Any]:
    return {"from": origin, "day": day, "outcome": outcome, **{name: in_words(n) for name, n in counts.items()}}
