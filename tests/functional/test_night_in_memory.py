"""A night for a notebook: the same list as a published one, behind the same gate, and nothing left behind."""

import hashlib
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from helpers.counties import NIGHT, copy_of, hashes_of, settings_file
from helpers.filled import fill, keys_of

import ageingwell as aw
from ageingwell.config.files import shipped
from ageingwell.decisions.ledger import read_ledger
from ageingwell.errors import ArgumentError, BundleError, KeyFileError, NotPermittedError, SourceError
from ageingwell.night.score import OutreachRun
from ageingwell.shown import LINES_OF_A_SCREEN

pytestmark = pytest.mark.usefixtures("read_once")


def frames(county: Path) -> dict[str, pl.DataFrame]:
    return {path.stem: pl.read_parquet(path) for path in sorted(county.glob("*.parquet"))}


@pytest.fixture(scope="module")
def worked_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a night works, and where programs put what they need for a while."""
    return tmp_path_factory.mktemp("worked-in")


@pytest.fixture(scope="module")
def night(small_county: Path, settings: Path, worked_in: Path):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(worked_in)
        patch.setenv("TMPDIR", str(worked_in))
        patch.setattr("tempfile.tempdir", None)
        before = hashes_of(small_county)
        made = aw.outreach_list(small_county, as_of=str(NIGHT), config=settings)
        assert hashes_of(small_county) == before
        return made


def test_the_list_is_that_of_the_published_night(night, first_night):
    published = first_night / "out" / str(NIGHT)
    for frame in ("needs", "scores", "reasons", "attrition"):
        assert getattr(night.frames, frame).equals(pl.read_parquet(published / f"{frame}.parquet")), frame
    assert night.list.equals(pl.read_parquet(published / "list.parquet"))
    assert night.n_listed > 0


@pytest.mark.parametrize("turn", [0, pytest.param(1, marks=pytest.mark.full)])
def test_frames_give_the_same_list_as_their_folder(night, small_county, settings, turn):
    """Every table once of pandas and once of Polars, there collected or not."""
    as_given = [
        lambda frame: frame.to_pandas(),
        lambda frame: frame,
        lambda frame: frame.to_pandas(),
        pl.DataFrame.lazy,
    ]
    given = {name: as_given[(at + turn) % 4](frame) for at, (name, frame) in enumerate(frames(small_county).items())}

    assert aw.outreach_list(given, as_of=NIGHT, config=str(settings), made_up=True).list.equals(night.list)


def test_nothing_is_published_or_kept(night, worked_in):
    assert night.n_listed > 0
    assert list(worked_in.iterdir()) == []


# Fail closed


def test_without_permissions_there_is_no_list(small_county, settings):
    given = frames(small_county)
    del given["permissions"]
    with pytest.raises(SourceError, match="permissions: the table is required"):
        aw.outreach_list(given, as_of=NIGHT, config=settings, made_up=True)


def test_permissions_that_were_not_checked_lately_give_no_list(small_county, settings):
    given = frames(small_county)
    given["permissions"] = given["permissions"].with_columns(checked_on=pl.lit(date(2026, 1, 1)))
    with pytest.raises(NotPermittedError, match="35 days before the list"):
        aw.outreach_list(given, as_of=NIGHT, config=settings, made_up=True)


def test_a_use_that_the_ledger_does_not_list_gives_no_list(small_county, bundle, tmp_path):
    site = settings_file(tmp_path / "site", bundle=bundle, permissions={})
    ledger = tmp_path / "site" / "permissions.toml"
    text = ledger.read_text(encoding="utf-8")
    assert '"direct_care", ' in text
    ledger.write_text(text.replace('"direct_care", ', ""), encoding="utf-8")
    with pytest.raises(NotPermittedError):
        aw.outreach_list(small_county, as_of=NIGHT, config=site)


def test_real_records_need_a_key_and_no_bundle_of_made_up_people(small_county, settings, tmp_path):
    given = frames(small_county)
    with pytest.raises(KeyFileError, match="no list key was given"):
        aw.outreach_list(given, as_of=NIGHT, config=settings)
    key = tmp_path / "list.key"
    key.write_bytes(hashlib.sha256(b"a key of these tests").digest())
    key.chmod(0o600)
    with pytest.raises(BundleError, match="trained on made-up people"):
        aw.outreach_list(given, as_of=NIGHT, config=settings, list_key=str(key))


def test_an_agency_gets_its_view_and_nothing_else(night, first_night):
    sent = pl.read_parquet(first_night / "out" / str(NIGHT) / "agencies" / "fire.parquet")
    view = night.view("fire")
    assert view.select(sent.columns).equals(sent)
    assert not {"person_id", "household_id", "risk"} & set(view.columns)
    with pytest.raises(ArgumentError, match="no such recipient"):
        night.view("landlord")


def test_what_was_recorded_fits_on_one_screen(first_night, settings, tmp_path):
    out = copy_of(first_night / "out", tmp_path / "out")
    book = out / "current" / "group.xlsx"
    answer = {"decision": "Person has said no", "reason": "Person's own wish"}
    filled = fill(book, {keys_of(book)[0]: answer}, to=tmp_path / "back.xlsx")

    recorded = aw.record([str(filled)], out=str(out), config=settings, recorded_on="2026-11-24")

    assert "back.xlsx" in repr(recorded)
    assert len(repr(recorded).splitlines()) <= LINES_OF_A_SCREEN
    assert read_ledger(out / "decisions.sqlite")["person_id"].item() not in repr(recorded)


def test_a_published_night_names_what_a_person_opens_and_shows_nobodys_row(night, first_night):
    folder = first_night / "out" / str(NIGHT)
    published = OutreachRun(folder, changed=True, is_current=True, frames=night.frames, facts=night.facts)

    assert [path.name for path in published.to_open.values()] == [
        "report.html", "group.xlsx", "agencies", "commissioning.html", "annex.html",
    ]  # fmt: skip
    assert str(published.folder) in repr(published)
    assert "report.html" in repr(published)
    assert published.frames.listed["person_id"][0] not in repr(published) + published._repr_html_()


@pytest.mark.parametrize(
    ("data", "more", "said"),
    [
        ({"gp_patientz": pl.DataFrame()}, {}, "there is no table gp_patientz"),
        ([pl.DataFrame()], {}, "neither a folder nor frames by name"),
        ("nowhere", {"made_up": True}, "made_up was given with a folder"),
    ],
)
def test_what_is_no_data_says_what_to_give(data, more, said):
    with pytest.raises(ArgumentError, match=said):
        aw.outreach_list(data, as_of=NIGHT, **more)


# On one screen


def test_nobodys_row_is_on_the_screen(night):
    shown = repr(night) + night._repr_html_() + repr(night.frames) + night.frames._repr_html_()
    ids = [*night.list["person_id"], *night.list["row_key"], *night.list["household_id"].drop_nulls()]
    assert [one for one in ids if one in shown] == []
    assert len(repr(night).splitlines()) <= LINES_OF_A_SCREEN
    assert "Night of 22 November 2026" in shown


def test_a_check_fits_on_one_screen(small_county, settings):
    shown = repr(aw.check(str(small_county), config=str(settings), on="2026-11-22"))
    assert len(shown.splitlines()) <= LINES_OF_A_SCREEN
    assert "a night would stop on  0" in shown
    assert "gp_patients" in shown


def test_a_look_at_files_needs_no_key_and_fits_on_one_screen(tmp_path):
    county = aw.synthesise(aw.CountyPlan(people=60, raw=True), str(tmp_path / "raw"))
    looked = aw.connect(str(county.folder), extracted_on="2026-11-22")
    assert len(repr(looked).splitlines()) <= LINES_OF_A_SCREEN
    assert "gp_patients" in repr(looked)


def test_without_settings_the_shipped_ones_count():
    assert aw.load_config().places == shipped("configs") / "places.csv.gz"
