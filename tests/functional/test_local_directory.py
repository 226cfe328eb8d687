"""A night with, without, and with a late or damaged directory of local services."""

import json
import shutil
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from helpers.counties import NIGHT, copy_of, opt_out, settings_file, texts_of
from helpers.directory import page, service

from ageingwell.config.load import load_config
from ageingwell.errors import ConfigError, SourceError
from ageingwell.night.local import read_local_directory
from ageingwell.night.score import score
from ageingwell.report.offers import NO_DIRECTORY, NOT_USABLE


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
def shipped_night(small_county, bundle, tmp_path_factory):
    """A night with the shipped directory, on a county that nobody changes."""
    folder = tmp_path_factory.mktemp("shipped")
    return night(small_county, folder, config_with(folder / "settings", bundle))


def night(county, tmp_path, config):
    return score(county, as_of=NIGHT, out=tmp_path / "out", config=config)


def offers(run, agency="voluntary"):
    told = json.loads((run.folder / "agencies" / f"{agency}.json").read_text(encoding="utf-8"))
    return [text for row in told["rows"] for text in row["offers"]]


def notices(run):
    return json.loads((run.folder / "agencies" / "fire.json").read_text(encoding="utf-8"))["notices"]


def test_the_shipped_directory_is_offered_to_made_up_people(shipped_night):
    run = shipped_night

    assert any("; checked " in text for text in offers(run))
    assert run.facts.directory["state"] == "in_time"
    assert run.facts.directory["n_organisations"] >= 70
    assert not run.facts.is_degraded
    first = next(text for text in offers(run) if "; checked " in text)
    assert first in (run.folder / "agencies" / "voluntary.csv").read_text(encoding="utf-8")
    # The page has the name, the telephone and the times; the workbook and the CSV also say when they were checked.
    assert first.partition(" (")[0] in (run.folder / "agencies" / "voluntary.html").read_text(encoding="utf-8")


def test_what_is_written_for_machines_is_what_the_recipient_reads(shipped_night):
    run = shipped_night
    for agency in ("gp", "fire"):
        told = json.loads((run.folder / "agencies" / f"{agency}.json").read_text(encoding="utf-8"))
        frame = pl.read_parquet(run.folder / "agencies" / f"{agency}.parquet")

        assert told["recipient"] == agency
        assert frame.to_dicts() == told["rows"]
        header = (run.folder / "agencies" / f"{agency}.csv").read_text(encoding="utf-8-sig").splitlines()[0]
        assert header.replace('"', "").split(",")[: frame.width] == frame.columns
        assert frame.columns == [column["name"] for column in told["columns"]]
        assert all(column["meaning"] for column in told["columns"])


def test_without_a_directory_the_night_runs_and_says_so(small_county, bundle, tmp_path):
    run = night(small_county, tmp_path, config_with(tmp_path / "settings", bundle, directory=None))

    assert set(offers(run)) <= {NO_DIRECTORY}
    assert not run.facts.is_degraded
    assert "No directory of local services is connected" in (run.folder / "commissioning.html").read_text("utf-8")


def test_a_damaged_directory_degrades_the_night_and_is_named(small_county, bundle, tmp_path):
    broken = tmp_path / "broken"
    page(broken, service("s1"))
    (broken / "services-1.json").write_bytes(b'{"contents": [')

    run = night(small_county, tmp_path, config_with(tmp_path / "settings", bundle, directory=str(broken)))

    assert run.facts.is_degraded
    assert "not whole JSON" in run.facts.directory["why"]
    assert set(offers(run)) <= {NOT_USABLE}
    assert any("directory of local services could not be used" in notice for notice in notices(run))


def test_a_required_directory_that_is_damaged_stops_the_night(small_county, bundle, tmp_path):
    config = config_with(tmp_path / "settings", bundle, directory=str(tmp_path / "nowhere"), required=True)

    with pytest.raises(SourceError, match="no such directory"):
        night(small_county, tmp_path, config)


def test_a_late_directory_is_used_and_named(small_county, bundle, tmp_path):
    page(tmp_path / "late", service("s1", assured_date="2026-01-31"))

    run = night(small_county, tmp_path, config_with(tmp_path / "settings", bundle, directory=str(tmp_path / "late")))

    assert run.facts.directory["state"] == "late"
    assert any("last checked on 31 January 2026" in notice for notice in notices(run))


def test_refused_records_of_the_directory_are_kept_with_file_number_and_field(small_county, bundle, tmp_path):
    page(tmp_path / "some", *(service(f"s{n}") for n in range(9)), service("bad", status="?"))

    run = night(small_county, tmp_path, config_with(tmp_path / "settings", bundle, directory=str(tmp_path / "some")))

    refused = pl.read_parquet(run.folder / "refused" / "services.parquet")
    assert refused.rows() == [("services-1.json", 10, "status", ["unknown_label"])]
    assert run.facts.directory["n_refused"] == 1


def test_made_up_services_are_never_offered_to_real_people(tmp_path):
    local = read_local_directory(load_config(), on=NIGHT, made_up=False)

    assert local.told["state"] == "made_up_not_used"
    assert local.services.is_empty()


def test_a_directory_of_ones_own_is_offered_to_real_people(tmp_path):
    page(tmp_path / "own", service("s1"))
    config = config_with(tmp_path / "settings", directory=str(tmp_path / "own"))

    assert read_local_directory(config, on=NIGHT, made_up=False).services.height == 1


def test_a_withdrawal_draws_the_same_directory_again(shipped_night, small_county, bundle, tmp_path):
    config = config_with(tmp_path / "settings", bundle)
    county = copy_of(small_county, tmp_path / "county")
    shutil.copytree(shipped_night.folder.parent, tmp_path / "out", symlinks=True)
    gone = shipped_night.frames.listed["person_id"][0]
    opt_out(county, "objection", person=gone)

    later = score(county, as_of=date(2026, 11, 23), out=tmp_path / "out", config=config)

    revised = next(path for path in (tmp_path / "out").iterdir() if path.name.startswith("2026-11-22.r2"))
    assert not [path for folder in (revised, later.folder) for path, text in texts_of(folder).items() if gone in text]
    assert (revised / "services.parquet").read_bytes() == (shipped_night.folder / "services.parquet").read_bytes()


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
