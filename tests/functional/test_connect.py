"""`connect` on a folder of an agency's own files: what each is, a verdict for each table, and settings that load."""

import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from ageingwell.cli import cli
from ageingwell.config.load import load_config
from ageingwell.errors import PublishError
from ageingwell.jobs.settling_in import SETTINGS, init
from tools.profiles import SOURCES

pytestmark = pytest.mark.slow

VISITS = "Ref,Property UPRN,Date visited,Result,Lives alone,Officer\n"
RESULTS = ["Completed", "Completed", "No access", "Refused"]


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """The sample of one profile under another name, and visits in a layout that no profile knows."""
    folder = tmp_path / "raw"
    folder.mkdir()
    (folder / "some.csv").write_bytes((SOURCES / "fire_visits_nfcc" / "sample" / "HFSV_export.csv").read_bytes())
    rows = [
        f"V{number},{100070000000 + 37 * number},{number % 28 + 1:02}/03/2025,{result},{'YN'[number % 2]},Z\n"
        for number, result in enumerate(RESULTS * 20)
    ]
    (folder / "ours.csv").write_text(VISITS + "".join(rows), encoding="utf-8")
    return folder


def _run(*arguments: object) -> str:
    done = CliRunner().invoke(cli, [str(each) for each in arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_json_holds_an_object_for_each_file(raw: Path) -> None:
    found = {one["file"]: one for one in json.loads(_run("connect", raw, "--json"))}
    assert set(found) == {"some.csv", "ours.csv"}
    keys = {"file", "profile", "table", "columns_used", "columns_dropped", "missing"}
    assert all(keys <= set(one) for one in found.values())
    assert found["some.csv"]["profile"] == "fire_visits_nfcc"
    assert found["some.csv"]["table"] == "fire_visits"
    assert "Address" in found["some.csv"]["columns_dropped"]
    assert found["ours.csv"]["profile"] is None
    assert found["ours.csv"]["table"] == "fire_visits"
    assert found["ours.csv"]["columns_used"] == ["Property UPRN", "Date visited", "Result", "Lives alone"]


def test_the_verdict_stands_first_on_the_page_of_a_table(raw: Path) -> None:
    page = _run("connect", raw)
    assert "fire_visits (fire): a night would run without" in page
    assert "Still to ask for, the most needed first\n  gp_patients (gp): a night needs this table" in page
    # The tables of other agencies are asked for, and are no fault of this folder.
    assert "A night would stop because" not in page


@pytest.mark.slow
def test_a_label_in_fewer_than_eight_rows_is_not_shown(raw: Path) -> None:
    text = (raw / "ours.csv").read_text(encoding="utf-8")
    rare = "".join(f"R{number},100070000037,01/04/2025,Fell in love,Y,Z\n" for number in range(7))
    (raw / "ours.csv").write_text(text + rare, encoding="utf-8")
    page = _run("connect", raw)
    assert "Fell in love" not in page
    (raw / "ours.csv").write_text(text + rare + "R8,100070000037,01/04/2025,Fell in love,Y,Z\n", encoding="utf-8")
    assert "not recognised: Fell in love" in _run("connect", raw)


def test_drafted_settings_load_and_read_the_files_again(raw: Path, tmp_path: Path) -> None:
    out = tmp_path / "settings"
    _run("connect", raw, "--out", out)
    config = load_config(out / "score.toml")
    assert config.sources["fire_visits_nfcc"].files == ("some.csv",)
    assert (out / "sources" / "our_ours" / "fire_visits.sql").is_file()
    tables = tmp_path / "tables"
    _run("pseudonymise", "--raw", raw, "--out", tables, "--config", out / "score.toml", "--made-up-key", 1)
    made = pl.read_parquet(tables / "fire_visits.parquet")
    assert made.height == 114 + 80
    assert made["visit_outcome"].value_counts().sort("visit_outcome").rows() == [
        ("Completed", 40),
        ("No access", 20),
        ("Refused", 20),
        ("completed", 76),
        ("no_access", 22),
        ("refused", 16),
    ]


def test_what_a_draft_cannot_tell_is_left_empty_and_its_rows_are_refused(raw: Path) -> None:
    text = (raw / "ours.csv").read_text(encoding="utf-8")
    for result in set(RESULTS):
        text = text.replace(f",{result},", ",A sentence of some length,")
    (raw / "ours.csv").write_text(text, encoding="utf-8")
    (raw / "some.csv").unlink()
    page = _run("connect", raw)
    assert "to check: visit_outcome was not found, and no row is read without it" in page
    assert "fire_visits (fire): a night would stop because" in page


def test_settings_are_never_written_over(tmp_path: Path) -> None:
    init(tmp_path / "ours")
    before = (tmp_path / "ours" / "score.toml").read_bytes()
    with pytest.raises(PublishError, match=r"score\.toml"):
        init(tmp_path / "ours")
    assert (tmp_path / "ours" / "score.toml").read_bytes() == before


def test_settings_that_init_writes_mean_what_the_shipped_ones_mean(tmp_path: Path) -> None:
    files = init(tmp_path / "ours")
    assert [path.name for path in files] == list(SETTINGS)
    ours, shipped = load_config(tmp_path / "ours" / "score.toml"), load_config()
    assert (ours.score, ours.tables, ours.outreach) == (shipped.score, shipped.tables, shipped.outreach)


def test_a_file_that_nobody_knows_stops_pseudonymise_and_says_what_to_do(raw: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(
        cli, ["pseudonymise", "--raw", str(raw), "--out", str(tmp_path / "out"), "--made-up-key", "1"]
    )
    assert done.exit_code != 0
    assert "ours.csv: no table of the contracts has this name" in done.stderr
    assert "ageingwell connect" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_the_first_row_of_a_file_without_a_header_is_not_told_as_headings(raw: Path) -> None:
    rows = [f"999000100{number},Surname{number},ZZ6 6A{'ABCDEFGH'[number]},100070000037,F" for number in range(8)]
    (raw / "people.csv").write_text("\n".join(rows), encoding="utf-8")
    told = _run("connect", raw) + _run("connect", raw, "--json")
    assert "people.csv: not recognised" in told
    assert not [value for row in rows for value in row.split(",")[:3] if value in told]


@pytest.mark.slow
def test_a_draft_is_not_put_among_settings_that_are_there_already(raw: Path, tmp_path: Path) -> None:
    init(tmp_path / "ours")
    before = sorted(path.name for path in (tmp_path / "ours").iterdir())
    done = CliRunner().invoke(cli, ["connect", str(raw), "--out", str(tmp_path / "ours")])
    assert done.exit_code == 9
    assert sorted(path.name for path in (tmp_path / "ours").iterdir()) == before
