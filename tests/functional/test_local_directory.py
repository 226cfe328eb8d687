"""A night with, without, and with a late or damaged directory of local services."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from helpers.counties import NIGHT, copy_of, opt_out, settings_file, texts_of
from helpers.directory import page, service
from helpers.undrawn import without_pages

from ageingwell.config.load import load_config
from ageingwell.errors import ConfigError, SourceError
from ageingwell.night.in_memory import outreach_list
from ageingwell.night.local import read_local_directory
from ageingwell.night.score import score
from ageingwell.night.withdrawing import withdraw
from ageingwell.report.offers import NO_DIRECTORY, NOT_USABLE
from ageingwell.report.summary import notices

pytestmark = pytest.mark.usefixtures("read_once")


def config_with(folder: Path, bundle: Path | None = None, **services):
    """Settings with another directory; a directory of `None` is left out."""
    folder.mkdir(exist_ok=True, parents=True)
    path = settings_file(
        folder,
        bundle=bundle,
        changes={"annex_charts": False},
        services={k: v for k, v in services.items() if v is not None},
    )
    if "directory" in services and services["directory"] is None:
        text = (folder / "services.toml").read_text(encoding="utf-8")
        kept = [line for line in text.splitlines() if not line.startswith("directory")]
        (folder / "services.toml").write_text("\n".join(kept), encoding="utf-8")
    return load_config(path)


@pytest.fixture(scope="module")
def shipped_night(first_night):
    """A published night with the shipped directory."""
    return first_night / "out" / str(NIGHT)


@pytest.fixture(scope="module")
def late_night(small_county, bundle, tmp_path_factory):
    """A published night with a directory that was last checked long ago and holds a record that is refused."""
    at = tmp_path_factory.mktemp("late")
    checked = {"assured_date": "2026-01-31"}
    page(at / "late", *(service(f"s{n}", **checked) for n in range(9)), service("bad", status="?", **checked))
    config = config_with(at / "settings", bundle, directory=str(at / "late"))
    with without_pages():
        return score(small_county, as_of=NIGHT, out=at / "out", config=config)


def told(night, agency):
    return json.loads((night / "agencies" / f"{agency}.json").read_text(encoding="utf-8"))


def manifest(night):
    return json.loads((night / "manifest.json").read_text(encoding="utf-8"))


def offers(night, agency="voluntary"):
    """What one agency is told of services nearby, on a night that was published or only worked out."""
    rows = told(night, agency)["rows"] if isinstance(night, Path) else night.view(agency).to_dicts()
    return [text for row in rows for text in row["offers"]]


def test_the_shipped_directory_is_offered_to_made_up_people(shipped_night):
    night, directory = shipped_night, manifest(shipped_night)["directory"]

    assert any("; checked " in text for text in offers(night))
    assert directory["state"] == "in_time"
    assert directory["n_organisations"] >= 70
    assert not manifest(night)["is_degraded"]
    first = next(text for text in offers(night) if "; checked " in text)
    assert first in (night / "agencies" / "voluntary.csv").read_text(encoding="utf-8")
    # The page has the name, the telephone and the times; the workbook and the CSV also say when they were checked.
    assert first.partition(" (")[0] in (night / "agencies" / "voluntary.html").read_text(encoding="utf-8")


def test_what_is_written_for_machines_is_what_the_recipient_reads(shipped_night):
    for agency in ("gp", "fire"):
        of_machine = told(shipped_night, agency)
        frame = pl.read_parquet(shipped_night / "agencies" / f"{agency}.parquet")

        assert of_machine["recipient"] == agency
        assert frame.to_dicts() == of_machine["rows"]
        header = (shipped_night / "agencies" / f"{agency}.csv").read_text(encoding="utf-8-sig").splitlines()[0]
        assert header.replace('"', "").split(",")[: frame.width] == frame.columns
        assert frame.columns == [column["name"] for column in of_machine["columns"]]
        assert all(column["meaning"] for column in of_machine["columns"])


@pytest.fixture(scope="module")
def damaged_night(small_county, bundle, tmp_path_factory):
    """A night that was worked out with a directory that is damaged."""
    at = tmp_path_factory.mktemp("damaged")
    page(at / "broken", service("s1"))
    (at / "broken" / "services-1.json").write_bytes(b'{"contents": [')
    config = config_with(at / "settings", bundle, directory=str(at / "broken"))
    return outreach_list(small_county, as_of=NIGHT, config=config)


def test_without_a_directory_the_night_runs_and_says_so(damaged_night, bundle, tmp_path):
    config = config_with(tmp_path / "settings", bundle, directory=None)

    local = read_local_directory(config, on=NIGHT, made_up=True)

    # A night goes on with a damaged one: as without any, there are no services to offer.
    assert local.services.is_empty()
    assert damaged_night.n_listed > 0
    facts = replace(damaged_night.facts, directory=local.told)
    assert set(offers(replace(damaged_night, facts=facts))) == {NO_DIRECTORY}
    assert not local.is_missing
    # What the page for commissioners says then: tests/unit/test_report_commissioning.py.
    assert local.told["state"] == "none"


def test_a_damaged_directory_degrades_the_night_and_is_named(damaged_night):
    night = damaged_night

    assert night.facts.is_degraded
    assert "not whole JSON" in night.facts.directory["why"]
    assert set(offers(night)) <= {NOT_USABLE}
    assert any("directory of local services could not be used" in notice for notice in notices(night.facts))


def test_a_required_directory_that_is_damaged_stops_the_night(small_county, bundle, tmp_path):
    config = config_with(tmp_path / "settings", bundle, directory=str(tmp_path / "nowhere"), required=True)

    with pytest.raises(SourceError, match="no such directory"):
        score(small_county, as_of=NIGHT, out=tmp_path / "out", config=config)


def test_a_late_directory_is_used_and_named(late_night):
    assert manifest(late_night.folder)["directory"]["state"] == "late"
    assert any("last checked on 31 January 2026" in notice for notice in notices(late_night.facts))


def test_refused_records_of_the_directory_are_kept_with_file_number_and_field(late_night):
    refused = pl.read_parquet(late_night.folder / "refused" / "services.parquet")
    assert refused.rows() == [("services-1.json", 10, "status", ["unknown_label"])]
    assert manifest(late_night.folder)["directory"]["n_refused"] == 1


def test_made_up_services_are_never_offered_to_real_people(tmp_path):
    local = read_local_directory(load_config(), on=NIGHT, made_up=False)

    assert local.told["state"] == "made_up_not_used"
    assert local.services.is_empty()


def test_a_directory_of_ones_own_is_offered_to_real_people(tmp_path):
    page(tmp_path / "own", service("s1"))
    config = config_with(tmp_path / "settings", directory=str(tmp_path / "own"))

    assert read_local_directory(config, on=NIGHT, made_up=False).services.height == 1


def test_a_withdrawal_draws_the_same_directory_again(first_night, shipped_night, settings, tmp_path):
    here = copy_of(first_night, tmp_path / "here")
    gone = pl.read_parquet(shipped_night / "list.parquet")["person_id"][0]
    opt_out(here / "county", "objection", person=gone)

    revised = withdraw(here / "county", as_of=date(2026, 11, 23), out=here / "out", config=load_config(settings)).folder

    assert revised is not None
    assert revised.name == f"{NIGHT}.r2"
    assert not [path for path, text in texts_of(revised).items() if gone in text]
    assert (revised / "services.parquet").read_bytes() == (shipped_night / "services.parquet").read_bytes()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("place,district\nTotnes,South Hams\n", "no column latitude"),
        ("place,district,latitude,longitude,source\nTotnes,South Hams,-3.69,50.43,x\n", "row 1"),
        ("place,district,latitude,longitude,source\nTotnes,a,50.4,-3.7,x\nTotnes,a,50.4,-3.7,x\n", "row 1, 2"),
    ],
)
def test_a_table_of_positions_that_cannot_be_right_is_named(tmp_path, text, said):
    (tmp_path / "positions.csv").write_text(text, encoding="utf-8")

    with pytest.raises(ConfigError, match=said):
        config_with(tmp_path / "settings", positions=str(tmp_path / "positions.csv"))
