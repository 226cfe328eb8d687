"""`connect` on a folder of an agency's own files: what each is, a verdict for each table, and settings that load."""

import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from ageingwell.cli import cli
from ageingwell.config.load import load_config
from ageingwell.errors import PublishError
from ageingwell.jobs import connecting
from ageingwell.jobs.settling_in import SETTINGS, init
from tools.profiles import SOURCES

pytestmark = pytest.mark.slow

VISITS = "Ref,Property UPRN,Date visited,Result,Lives alone,Officer\n"
RESULTS = ["Completed", "Completed", "No access", "Refused"]


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return _raw(tmp_path)


def _raw(at: Path, *, times: int = 20) -> Path:
    """The sample of one profile under another name, and visits in a layout that no profile knows."""
    folder = at / "raw"
    folder.mkdir()
    (folder / "some.csv").write_bytes((SOURCES / "fire_visits_nfcc" / "sample" / "HFSV_export.csv").read_bytes())
    rows = [
        f"V{number},{100070000000 + 37 * number},{number % 28 + 1:02}/03/2025,{result},{'YN'[number % 2]},Z\n"
        for number, result in enumerate(RESULTS * times)
    ]
    (folder / "ours.csv").write_text(VISITS + "".join(rows), encoding="utf-8")
    return folder


def _run(*arguments: object) -> str:
    done = CliRunner().invoke(cli, [str(each) for each in arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


RARE, COMMON = "Fell in love", "Fell asleep"
HEADLESS = [f"999000100{number},Surname{number},ZZ6 6A{'ABCDEFGH'[number]},100070000037,F" for number in range(8)]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A folder with both, rare and common labels of no known kind, and a file without headings: as page and as JSON."""
    raw = _raw(tmp_path_factory.mktemp("told"), times=40)
    labels = [RARE] * 7 + [COMMON] * 8
    with (raw / "ours.csv").open("a", encoding="utf-8") as file:
        file.writelines(f"R{number},100070000037,01/04/2025,{label},Y,Z\n" for number, label in enumerate(labels))
    (raw / "people.csv").write_text("\n".join(HEADLESS), encoding="utf-8")
    looked, found = connecting.connect, []

    def once(*folder: Path, **others: object) -> connecting.Connected:
        found.extend([] if found else [looked(*folder, **others)])
        return found[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connecting, "connect", once)
        return _run("connect", raw), _run("connect", raw, "--json")


def test_json_holds_an_object_for_each_file(told: tuple[str, str]) -> None:
    found = {one["file"]: one for one in json.loads(told[1])}
    assert set(found) == {"some.csv", "ours.csv", "people.csv"}
    keys = {"file", "profile", "table", "columns_used", "columns_dropped", "missing"}
    assert all(keys <= set(one) for one in found.values())
    assert found["some.csv"]["profile"] == "fire_visits_nfcc"
    assert found["some.csv"]["table"] == "fire_visits"
    assert "Address" in found["some.csv"]["columns_dropped"]
    assert found["ours.csv"]["profile"] is None
    assert found["ours.csv"]["table"] == "fire_visits"
    assert found["ours.csv"]["columns_used"] == ["Property UPRN", "Date visited", "Result", "Lives alone"]


def test_the_verdict_stands_first_on_the_page_of_a_table(told: tuple[str, str]) -> None:
    page = told[0]
    assert "fire_visits (fire): a night would run without" in page
    assert "Still to ask for, the most needed first\n  gp_patients (gp): a night needs this table" in page
    # The tables of other agencies are asked for, and are no fault of this folder.
    assert "A night would stop because" not in page


def test_a_label_in_fewer_than_eight_rows_is_not_shown(told: tuple[str, str]) -> None:
    assert RARE not in told[0]
    assert f"not recognised: {COMMON}" in told[0]


def test_the_first_row_of_a_file_without_a_header_is_not_told_as_headings(told: tuple[str, str]) -> None:
    assert "people.csv: not recognised" in told[0]
    assert not [value for row in HEADLESS for value in row.split(",")[:3] if value in "".join(told)]


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
def test_a_draft_is_not_put_among_settings_that_are_there_already(raw: Path, tmp_path: Path) -> None:
    init(tmp_path / "ours")
    before = sorted(path.name for path in (tmp_path / "ours").iterdir())
    done = CliRunner().invoke(cli, ["connect", str(raw), "--out", str(tmp_path / "ours")])
    assert done.exit_code == 9
    assert sorted(path.name for path in (tmp_path / "ours").iterdir()) == before
