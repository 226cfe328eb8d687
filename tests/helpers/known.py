"""One night of a few people drawn by hand: their spine, their features, their needs."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl

from ageingwell.features.build import build_features
from ageingwell.outreach.needs import find_needs
from ageingwell.outreach.rules import need_rules
from ageingwell.timeline import AsOf
from helpers.knowledge import CONFIG, known_on, spine_on
from helpers.tables import table

NIGHT = date(2026, 11, 22)
Features = dict[str, Any]


def register(*people: tuple[str, str, str]) -> pl.DataFrame:
    """The GP register: each a person, their home and the month of their birth; all moved in on 1 January 2020."""
    lines = "\n".join(
        f"{person} | {home} | 2020-01-01 | {born} | 2000-01-01 | 2020-01-02" for person, home, born in people
    )
    head = "person_id | household_id | moved_in_on | birth_month | registered_on | recorded_on"
    return table(f"{head}\n{lines}", like="gp_patients", sex="female")


def codes(*entries: tuple[str, str, str]) -> pl.DataFrame:
    """GP entries: each a person, the code list whose first code it is, and its day."""
    rows = [
        {"person_id": person, "code_system": "snomed", "code": CONFIG.codelists[name][0], "happened_on": day}
        for person, name, day in entries
    ]
    drawn = table("person_id | recorded_on", like="gp_events")
    made = pl.DataFrame(rows, schema_overrides={"happened_on": pl.String}).with_columns(
        pl.col("happened_on").str.to_date(), recorded_on=pl.col("happened_on").str.to_date()
    )
    return pl.concat([drawn, made], how="diagonal_relaxed").select(drawn.columns)


def features_of(frames: Mapping[str, pl.DataFrame], **more: Any) -> dict[str, Features]:
    """The features of everybody of the age asked for, by person."""
    spine = spine_on(frames, NIGHT)
    made = build_features(known_on(frames, NIGHT), spine, AsOf(NIGHT), codelists=CONFIG.codelists, **more)
    return {row["person_id"]: row for row in made.iter_rows(named=True)}


def needs_found(frames: Mapping[str, pl.DataFrame]) -> dict[tuple[str, str], str]:
    """The criterion of each need, by person and need."""
    spine = spine_on(frames, NIGHT)
    made = build_features(known_on(frames, NIGHT), spine, AsOf(NIGHT), codelists=CONFIG.codelists)
    people = made.join(spine.select("person_id", "household_id"), on="person_id").with_columns(is_end_of_life=False)
    needs = find_needs(people, rules=need_rules(CONFIG.outreach.thresholds), interventions=CONFIG.interventions)
    return {(person, need): told for person, need, told in needs.select("person_id", "need", "criterion").iter_rows()}
