"""A night without a usable model: rules alone choose, every file is whole, and nobody is told a chance."""

import json
import shutil
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from helpers.counties import NIGHT, copy_of, files_with, hashes_of, listed, opt_out, settings_file, texts_of
from helpers.sealed import seal_again

from ageingwell.config.load import Config, load_config
from ageingwell.errors import SourceError
from ageingwell.kept.frames import read_frame
from ageingwell.night.in_memory import outreach_list
from ageingwell.night.score import score
from ageingwell.publish import current

pytestmark = pytest.mark.usefixtures("read_once")


@pytest.fixture(scope="module")
def rules_only(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Config:
    """Settings with a bundle that beat no rival."""
    folder = tmp_path_factory.mktemp("rules")
    shutil.copytree(bundle, folder / "bundle")
    path = folder / "bundle" / "bundle.json"
    told = json.loads(path.read_text())
    path.write_text(json.dumps(told | {"verdict": {"usable": False, "reason": "no better than age alone"}}))
    seal_again(folder / "bundle")
    return load_config(settings_file(folder / "settings", bundle=folder / "bundle"))


def night(at: Path, config: Config, *, as_of: date = NIGHT) -> Path:
    return score(at / "county", as_of=as_of, out=at / "out", config=config).folder


def test_rules_alone_choose_and_a_withdrawal_finds_every_file(small_county, rules_only, tmp_path):
    copy_of(small_county, tmp_path / "county")
    first = night(tmp_path, rules_only)

    rows = listed(first)
    assert rows
    assert {row["why"] for row in rows} == {"rule"}
    assert {row["risk"] for row in rows} == {None}
    scores = pl.read_parquet(first / "scores.parquet")
    assert scores["risk"].null_count() == scores.height
    # The annex tells how the model was measured, and of nobody.
    pages = [text for file, text in texts_of(first).items() if file.endswith(".html") and file != "annex.html"]
    assert not [text for text in pages if " in 100 (" in text]
    again = outreach_list(tmp_path / "county", as_of=NIGHT, config=rules_only, earlier=tmp_path / "out").frames
    assert [name for name in vars(again) if not getattr(again, name).equals(read_frame(first, name))] == []

    person = rows[0]["person_id"]
    opt_out(tmp_path / "county", "objection", person=person)
    events = tmp_path / "county" / "gp_events.parquet"
    events.write_bytes(events.read_bytes()[:-100])
    with pytest.raises(SourceError):
        night(tmp_path, rules_only, as_of=NIGHT + timedelta(days=7))

    now = current(tmp_path / "out")
    assert now is not None
    assert now.name == f"{NIGHT}.r2"
    assert files_with(now, person) == []
    assert (now / "report.html").exists()


def test_a_week_without_any_place_is_a_whole_night_with_an_empty_list(small_county, bundle, tmp_path):
    nobody = {f"capacity.{agency}": 0 for agency in ("gp", "social_care", "housing", "fire", "voluntary")}
    config = load_config(settings_file(tmp_path / "settings", bundle=bundle, outreach=nobody))

    made = score(small_county, as_of=NIGHT, out=tmp_path / "out", config=config)

    assert made.n_listed == 0
    assert hashes_of(made.folder).keys() >= {"list.parquet", "report.html", "annex.html", "agencies/fire.xlsx"}
