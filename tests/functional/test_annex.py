"""A night's technical annex: drawn from what the bundle was measured on and from the night's own frames."""

from pathlib import Path

import polars as pl
import pytest
from helpers.counties import NIGHT, copy_of, opt_out

from ageingwell.bundle import load_bundle
from ageingwell.config.load import Config, load_config
from ageingwell.config.withdrawing import WithdrawalSettings
from ageingwell.evaluation.stored import from_text
from ageingwell.night.score import score
from ageingwell.night.withdraw import withdraw_from_current
from ageingwell.pseudonyms import Key

pytest.importorskip("matplotlib", reason="charts need the extra `annex`")


@pytest.fixture(scope="module")
def config(charted_settings: Path) -> Config:
    return load_config(charted_settings)


def test_the_annex_holds_charts_measures_drift_and_the_card(charted_night: Path):
    told = (charted_night / "annex.html").read_text(encoding="utf-8")

    # Order, calibration, groups and worth of two outcomes, some perhaps too small to draw; the beeswarm, three people.
    assert 4 + 1 + 3 <= told.count('<svg role="img"') <= 8 + 1 + 3
    for anchor in ("outcome-loss_of_independence", "outcome-death", "contributions", "first-people", "drift", "card"):
        assert f'<h2 id="{anchor}">' in told
    assert len(told) < 1_500_000


def test_a_night_keeps_the_evidence_its_annex_shows(charted_night: Path, config: Config, bundle: Path):
    kept = from_text((charted_night / "evaluation.json").read_text(encoding="utf-8"))
    tables = load_bundle(bundle, codelists=config.codelists).tables

    assert all(kept[outcome][name].equals(table) for outcome, named in tables.items() for name, table in named.items())
    assert (charted_night / "card.md").read_bytes() == (bundle / "card.md").read_bytes()
    drift = pl.read_parquet(charted_night / "drift.parquet")
    assert set(drift["change"].drop_nulls()) <= {"chance", "little", "some", "much"}
    assert drift.height == tables["loss_of_independence"]["reference"]["column"].n_unique()


def test_the_same_night_gives_the_same_annex(charted_night: Path, small_county: Path, config: Config, tmp_path: Path):
    again = score(small_county, as_of=NIGHT, out=tmp_path / "again", config=config).folder

    assert (again / "annex.html").read_bytes() == (charted_night / "annex.html").read_bytes()


def test_whoever_opts_out_leaves_the_picture_of_everybody(
    charted_night: Path, small_county: Path, config: Config, tmp_path: Path
):
    county, out = copy_of(small_county, tmp_path / "county"), copy_of(charted_night.parent, tmp_path / "outreach")
    before = pl.read_parquet(charted_night / "beeswarm.parquet")
    person = before["person_id"].sort()[0]
    opt_out(county, "objection", person=person)

    made = withdraw_from_current(
        county,
        out=out,
        settings=WithdrawalSettings.of(config),
        workspace=tmp_path / "space",
        on=NIGHT,
        key=Key.made_up(0),
    )

    assert made is not None
    after = pl.read_parquet(made.night.folder / "beeswarm.parquet")
    assert after.sort(after.columns).equals(before.filter(pl.col("person_id") != person).sort(after.columns))
    assert (made.night.folder / "annex.html").read_bytes() != (charted_night / "annex.html").read_bytes()
    assert (made.night.folder / "card.md").read_bytes() == (charted_night / "card.md").read_bytes()
