"""A whole night with more urgent homes than the fire service has places: every list, page and file tells the same."""

import csv
import io
import json
from dataclasses import replace

import polars as pl
import pytest
from helpers.counties import NIGHT, change, copy_of, settings_file
from openpyxl import load_workbook

from ageingwell.config.load import load_config
from ageingwell.governance.disclosure import shown_count
from ageingwell.night.score import score
from ageingwell.night.taking_off import Withdrawn, without_withdrawn
from ageingwell.register import LEAD_AGENCIES

FIRE_PLACES = 3
BLIND = ("social_care", "housing", "fire", "voluntary")


@pytest.fixture(scope="module")
def night(small_county, bundle, tmp_path_factory):
    """Oxygen and smoking in every home that the fire service has visited; three places to see to them."""
    folder = tmp_path_factory.mktemp("urgent")
    county = copy_of(small_county, folder / "county")
    change(county, "fire_visits", lambda rows: rows.with_columns(smoker=pl.lit("yes"), home_oxygen=pl.lit("yes")))
    path = settings_file(
        folder / "settings",
        bundle=bundle,
        outreach={"capacity.fire": FIRE_PLACES, "capacity.gp": 4, "capacity.housing": 3},
    )
    config = load_config(path)
    return score(county, as_of=NIGHT, out=folder / "out", config=config), config


def doors_of(listed):
    return listed.with_columns(door=pl.coalesce("household_id", "person_id"))


def test_urgent_homes_stand_first_and_every_place_of_the_agency_goes_to_them(night):
    run, _ = night
    listed = doors_of(pl.read_parquet(run.folder / "list.parquet"))
    needs = pl.read_parquet(run.folder / "needs.parquet").filter(urgency="urgent").drop_nulls("person_id")

    is_urgent = listed["urgency"] == "urgent"
    assert listed["position"].to_list() == list(range(1, listed.height + 1))
    assert is_urgent.to_list() == sorted(is_urgent, reverse=True)
    fire = listed.filter((pl.col("lead_agency") == "fire") | pl.col("joint_with").list.contains("fire"))
    assert fire["door"].n_unique() == FIRE_PLACES
    assert set(fire["urgency"]) == {"urgent"}
    assert needs.filter(outcome="no_place_this_week").height > 0
    assert not is_urgent.all()


def test_no_agency_has_more_visits_than_places_joint_ones_included(night):
    run, config = night
    listed = doors_of(pl.read_parquet(run.folder / "list.parquet"))
    visits = listed.unique("door").select("door", agency=pl.concat_list("lead_agency", "joint_with")).explode("agency")

    used = dict(visits.group_by("agency").len().iter_rows())

    assert all(n <= config.outreach.capacity.places()[agency] for agency, n in used.items())
    for agency in LEAD_AGENCIES:
        rows = pl.read_parquet(run.folder / "agencies" / f"{agency}.parquet")
        homes = rows.filter(pl.col("household_key") != "no home linked")["household_key"].n_unique()
        alone = rows.filter(pl.col("household_key") == "no home linked").height
        assert homes + alone == used.get(agency, 0)


def test_page_one_says_how_many_people_in_how_many_homes_who_waits_and_who_is_full(night):
    run, _ = night
    page = (run.folder / "report.html").read_text()
    week = json.loads((run.folder / "manifest.json").read_text())["week"]
    listed = doors_of(pl.read_parquet(run.folder / "list.parquet"))
    attrition = pl.read_parquet(run.folder / "attrition.parquet").filter(step="allocate")

    assert (week["n_people"], week["n_homes"]) == (listed.height, listed["door"].n_unique())
    assert week["n_waiting"] == shown_count(attrition["n"].sum())
    assert week["urgent_waiting"]["fire"] > 0
    assert f"{listed.height} people</strong>" in page or f"{listed.height} people in {week['n_homes']} homes" in page
    assert "are waiting for a place" in page
    assert "Fire and rescue is full" in page


@pytest.mark.parametrize("name", ["group", *(f"agencies/{agency}" for agency in LEAD_AGENCIES)])
def test_every_file_of_a_list_has_the_same_order_with_urgent_rows_first(name, night):
    run, _ = night
    frame = pl.read_parquet(run.folder / f"{name}.parquet")
    rows = json.loads((run.folder / f"{name}.json").read_text())["rows"]
    if name != "group":
        lines = csv.DictReader(io.StringIO((run.folder / f"{name}.csv").read_text(encoding="utf-8-sig")))
        keyed = [line["row_key"] for line in lines if line["row_key"]]
        assert keyed[: frame.height] == frame["row_key"].to_list()
    book = load_workbook(run.folder / f"{name}.xlsx")
    cells = [str(cell.value) for sheet in book.worksheets for row in sheet.iter_rows() for cell in row]

    is_urgent = (frame["urgency"] == "Urgent").to_list()
    assert is_urgent == sorted(is_urgent, reverse=True)
    assert frame["position"].to_list() == [str(n) for n in range(1, frame.height + 1)]
    assert [row["row_key"] for row in rows] == frame["row_key"].to_list()
    assert set(frame["act_by"]) <= set(cells)
    keys = set(frame["row_key"])
    assert [cell for cell in dict.fromkeys(cells) if cell in keys] == frame["row_key"].to_list()


def test_a_row_beside_you_lead_always_says_why(night):
    run, _ = night
    for agency in BLIND:
        rows = pl.read_parquet(run.folder / "agencies" / f"{agency}.parquet")
        said = {text for needs in rows["needs"] for text in needs}
        assert "None for you to lead" not in said
        assert rows["needs"].list.len().min() in (None, 1, 2, 3)


def test_when_somebody_is_taken_off_the_printed_order_has_no_gap(night):
    run, _ = night
    frames = run.frames.in_memory()
    first = frames.listed["person_id"][0]
    nobody = pl.DataFrame(schema={"person_id": pl.String, "household_id": pl.String, "reason": pl.String})
    gone = Withdrawn(
        pl.DataFrame({"person_id": [first], "reason": ["deceased"]}),
        nobody.select("household_id", "reason"), nobody.select("person_id", "household_id"),
        nobody.select("household_id"), nobody,
    )  # fmt: skip

    left = without_withdrawn(replace(frames), gone).listed

    assert left["position"].to_list() == list(range(1, frames.listed.height))
    assert left["person_id"].to_list() == frames.listed["person_id"].to_list()[1:]
