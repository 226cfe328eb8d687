"""A death that social care tells of: it bars the person however late it was told, and is an outcome like another."""

from datetime import date
from itertools import permutations
from pathlib import Path

import polars as pl
import pytest
from helpers.knowledge import CONFIG, known_on, spine_on
from helpers.known import features_of, register
from helpers.tables import good_rows, read, table, write_csv

from ageingwell.outcomes import label_outcomes
from ageingwell.outreach.flags import exits
from ageingwell.spine import deaths_told, latest_versions
from ageingwell.timeline import AsOf, Horizon

NIGHT = date(2026, 11, 22)
Frames = dict[str, pl.DataFrame]


def care(*rows: tuple[str, str]) -> Frames:
    """Rows of p1, each the day it was recorded and the day of death it tells (or none)."""
    lines = "\n".join(
        f"p1 | service_user | request | 2025-01-0{n} | {told} | {died}" for n, (told, died) in enumerate(rows, start=1)
    )
    head = "person_id | client_type | event_type | started_on | recorded_on | died_on"
    people = register(("p1", "h1", "1940-01-01"), ("p2", "h2", "1940-01-01"))
    entries = table("person_id | recorded_on", like="gp_events")
    return {"gp_patients": people, "gp_events": entries, "care_events": table(f"{head}\n{lines}", like="care_events")}


def gone(frames: Frames) -> dict[str, bool]:
    lazy = {name: frame.lazy() for name, frame in frames.items()}
    found = exits(latest_versions(lazy["gp_patients"]), told_dead=deaths_told(lazy)["person_id"], on=NIGHT)
    return dict(found.select("person_id", "died").rows())


TOLD = ("2026-10-01", "2026-09-20")


@pytest.mark.parametrize(
    "rows",
    [
        (TOLD,),
        (("2025-02-01", "2026-09-20"),),  # a row recorded before the death, which a later return filled in
        (("2026-12-01", "2026-11-21"),),  # told after the night
        *permutations([TOLD, ("2026-11-01", ""), ("2025-02-01", "")]),
    ],
)
def test_one_row_that_tells_it_bars_the_person_and_nobody_else(rows: tuple[tuple[str, str], ...]) -> None:
    assert gone(care(*rows)) == {"p1": True, "p2": False}


def test_without_a_death_told_nobody_is_barred() -> None:
    assert gone(care(("2026-10-01", ""))) == {"p1": False, "p2": False}
    frames = care(("2026-10-01", ""))
    del frames["care_events"]
    assert gone(frames) == {"p1": False, "p2": False}


def test_it_changes_no_feature_as_a_death_that_a_visitor_tells_changes_none() -> None:
    assert features_of(care(TOLD)) == features_of(care((TOLD[0], "")))


@pytest.mark.parametrize(("told", "died", "known"), [
    ("2026-10-01", "2026-09-20", True),
    ("2026-11-22", "2026-11-20", False),
    ("2025-02-01", "2026-09-20", True),  # known after the lag of the table, by default 60 days
    ("2025-02-01", "2026-11-01", False),
])  # fmt: skip
def test_what_is_made_of_records_of_a_day_knows_no_later_death(told: str, died: str, known: bool) -> None:
    [row] = known_on(care((told, died)), NIGHT)["care_events"].collect()["died_on"].to_list() or [None]

    assert (row is not None) is known


def test_a_death_that_the_practice_does_not_tell_is_an_outcome() -> None:
    frames, cut_off = care(("2026-10-20", "2026-09-20")), AsOf(date(2026, 8, 1))

    labels = label_outcomes(
        known_on(frames, NIGHT),
        spine_on(frames, cut_off.day),
        cut_off,
        horizon=Horizon(365),
        codelists=CONFIG.codelists,
    )

    told = labels.select("person_id", "death", "death_on", "loss_of_independence").rows()
    assert told == [("p1", 1, date(2026, 9, 20), 1), ("p2", 0, None, 0)]


def test_where_both_tell_a_day_the_register_counts() -> None:
    frames, cut_off = care(("2026-10-20", "2026-09-20")), AsOf(date(2026, 8, 1))
    known_then = spine_on(frames, cut_off.day)
    died = pl.when(pl.col("person_id") == "p1").then(pl.lit(date(2026, 9, 19)))
    frames["gp_patients"] = frames["gp_patients"].with_columns(died_on=died)

    labels = label_outcomes(
        known_on(frames, NIGHT), known_then, cut_off, horizon=Horizon(365), codelists=CONFIG.codelists
    )

    assert labels["death_on"].to_list() == [date(2026, 9, 19), None]


@pytest.mark.parametrize(("cell", "day"), [("2024-06-20", date(2024, 6, 20)), ("", None), ("1900-01-01", None)])
def test_the_day_may_be_later_than_the_row_and_may_be_missing(cell: str, day: date | None, tmp_path: Path) -> None:
    row = good_rows("care_events", 1)[0] | {"died_on": cell}
    write_csv(tmp_path / "care_events.csv", [row])

    checked = read("care_events", tmp_path)

    assert checked.rows.collect()["died_on"].to_list() == [day]
