"""Its place puts `tests/` on the path, so that tests can import from `helpers`; and what many tests share."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest


@pytest.fixture(scope="session", autouse=True)
def cache_of_our_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Commands keep tables in a folder of the tests, not in the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AGEINGWELL_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small made-up county: 400 people aged 65 and over, seen from 22 November 2026."""
    from ageingwell.synthetic.county import CountyPlan, synthesise

    folder = tmp_path_factory.mktemp("county")
    synthesise(CountyPlan(people=400, seed=3), folder)
    return folder


@pytest.fixture(scope="session")
def county_tables(county: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pl.DataFrame]:
    """The good rows of every table of the small county."""
    from ageingwell.config.load import load_config
    from ageingwell.sources.read import read_agencies

    workspace = tmp_path_factory.mktemp("checked")
    records = read_agencies(county, load_config().tables, workspace=workspace, max_refused_share=0.1)
    return {name: table.rows.collect() for name, table in records.tables.items()}


@pytest.fixture(scope="session")
def small_county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a smaller one, of 150 people aged 65 and over: quick to score, copy and change."""
    from ageingwell.synthetic.county import CountyPlan, synthesise

    folder = tmp_path_factory.mktemp("small") / "county"
    synthesise(CountyPlan(people=150, seed=5), folder)
    return folder


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model bundle with few small trees, trained on 1,000 made-up people and marked as usable."""
    from helpers.counties import train_small_bundle

    from ageingwell.synthetic.county import CountyPlan, synthesise

    folder = tmp_path_factory.mktemp("trained")
    synthesise(CountyPlan(people=1_000, seed=3), folder / "county")
    return train_small_bundle(folder / "county", folder)


@pytest.fixture(scope="session")
def settings(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A settings file for `--config`: the shipped settings with the small bundle."""
    from helpers.counties import settings_file

    return settings_file(tmp_path_factory.mktemp("settings"), bundle=bundle)


@pytest.fixture(scope="session")
def charted_settings(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The settings with the small bundle, and with charts in the annex."""
    from helpers.counties import settings_file

    return settings_file(tmp_path_factory.mktemp("charted"), bundle=bundle, changes={"annex_charts": True})


@pytest.fixture(scope="session")
def charted_night(small_county: Path, charted_settings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a published night of the smallest county, with charts in its annex."""
    from helpers.counties import NIGHT

    from ageingwell.config.load import load_config
    from ageingwell.night.score import score

    out = tmp_path_factory.mktemp("charted") / "outreach"
    return score(small_county, as_of=NIGHT, out=out, config=load_config(charted_settings)).folder
