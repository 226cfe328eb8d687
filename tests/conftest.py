"""Its place puts `tests/` on the path, so that tests can import from `helpers`; and what many tests share."""

import gc
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from helpers.cases import CASES, chosen
from helpers.evidence import ended, skipped
from helpers.shared import Shared

if TYPE_CHECKING:
    from helpers.once import Once

SLOW_FOLDERS = ("property", "reference")


def pytest_configure() -> None:
    """Collect garbage seldom: thousands of tests are objects that stay, and each collection walked through them all.

    And where there is one process for each processor, give each its own: Polars hands every query to a thread and
    waits for it, and waking that thread on another processor takes a tenth of a night's time.
    """
    gc.set_threshold(200_000, 20, 100)
    worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    if worker and hasattr(os, "sched_setaffinity"):
        processors = sorted(os.sched_getaffinity(0))
        if os.environ["PYTEST_XDIST_WORKER_COUNT"] == str(len(processors)):
            os.sched_setaffinity(0, {processors[int(worker)]})


def pytest_collection_finish() -> None:
    """From here on the tests themselves are not looked at any more."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark as slow whatever needs a trained bundle, for most of those score a night, and all laws and comparisons.

    A law is tried on many drawn records, and a comparison runs another library beside ours. Of tests with very many
    cases some are left out (see `helpers.cases`), unless a test was asked for by name.
    """
    for item in items:
        if "bundle" in getattr(item, "fixturenames", ()) or item.path.parent.name in SLOW_FOLDERS:
            item.add_marker("slow")
    if not any("::" in str(asked) for asked in config.args):
        items[:], left_out = chosen(items, os.environ.get(CASES, "some"))
        config.hook.pytest_deselected(items=left_out)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Write down which tests were skipped: what they would have counted keeps its place in the evidence.

    And how each test ended that a control of the hazard log names.
    """
    if report.when == "call" or report.outcome != "passed":
        ended(report.nodeid, report.outcome)
    if report.skipped and not hasattr(report, "wasxfail"):
        skipped(report.nodeid, why=str(report.longrepr[-1] if isinstance(report.longrepr, tuple) else ""))


@pytest.fixture(scope="session", autouse=True)
def cache_of_our_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Commands keep tables in a folder of the tests, not in the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AGEINGWELL_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """Folders made once for all processes; whoever changes one instead of a copy fails here."""
    made = Shared(tmp_path_factory)
    yield made
    assert made.changed() == [], "a test wrote into a folder that other tests read: let it work on a copy"


@pytest.fixture(scope="session")
def county(shared: Shared) -> Path:
    """The folder of a small made-up county: 400 people aged 65 and over, seen from 22 November 2026."""
    from ageingwell.synthetic.county import CountyPlan, synthesise

    return shared.folder("county", lambda folder: synthesise(CountyPlan(people=400, seed=3), folder))


@pytest.fixture(scope="session")
def county_tables(county: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pl.DataFrame]:
    """The good rows of every table of the small county."""
    from ageingwell.config.load import load_config
    from ageingwell.sources.read import read_agencies

    workspace = tmp_path_factory.mktemp("checked")
    records = read_agencies(county, load_config().tables, workspace=workspace, max_refused_share=0.1)
    return {name: table.rows.collect() for name, table in records.tables.items()}


@pytest.fixture(scope="session")
def small_county(shared: Shared) -> Path:
    """The folder of a smaller one, of 150 people aged 65 and over: quick to score, copy and change."""
    from ageingwell.synthetic.county import CountyPlan, synthesise

    return shared.folder("small", lambda folder: synthesise(CountyPlan(people=150, seed=5), folder))


@pytest.fixture(scope="session")
def bundle(shared: Shared) -> Path:
    """The folder of a model bundle with few small trees, trained on 1,000 made-up people and marked as usable."""
    from helpers.counties import train_small_bundle

    from ageingwell.synthetic.county import CountyPlan, synthesise

    def train(folder: Path) -> None:
        synthesise(CountyPlan(people=1_000, seed=3), folder / "county")
        train_small_bundle(folder / "county", folder)

    return shared.folder("trained", train) / "bundle"


@pytest.fixture(scope="session")
def settings(bundle: Path, shared: Shared) -> Path:
    """A settings file for `--config`: the shipped settings with the small bundle."""
    from helpers.counties import settings_file

    return shared.folder("settings", partial(settings_file, bundle=bundle)) / "score.toml"


@pytest.fixture(scope="session")
def first_night(small_county: Path, settings: Path, shared: Shared) -> Path:
    """The smallest county in `county` and its first night, published in `out`; copy it to go on from there."""
    return shared.folder("first-night", partial(_scored, small_county, settings))


@pytest.fixture(scope="session")
def few_places(bundle: Path, shared: Shared) -> Path:
    """Settings with so few places a week that some doors just miss one."""
    from helpers.counties import settings_file

    places = {f"capacity.{agency}": 4 for agency in ("gp", "social_care", "housing", "fire", "voluntary")}
    write = partial(settings_file, bundle=bundle, outreach=places)
    return shared.folder("few-places", write) / "score.toml"


@pytest.fixture(scope="session")
def night_of_few_places(small_county: Path, few_places: Path, shared: Shared) -> Path:
    """The smallest county in `county` and its first night with few places, published in `out`."""
    return shared.folder("night-of-few-places", partial(_scored, small_county, few_places))


@pytest.fixture(scope="session")
def charted_settings(bundle: Path, shared: Shared) -> Path:
    """The settings with the small bundle, and with charts in the annex."""
    from helpers.counties import settings_file

    write = partial(settings_file, bundle=bundle, changes={"annex_charts": True})
    return shared.folder("charted-settings", write) / "score.toml"


@pytest.fixture(scope="session")
def charted_night(small_county: Path, charted_settings: Path, shared: Shared) -> Path:
    """The folder of a published night of the smallest county, with charts in its annex."""
    from helpers.counties import NIGHT

    night = shared.folder("charted-night", partial(_scored, small_county, charted_settings))
    return night / "out" / str(NIGHT)


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> "Once":
    """What was read of tables and nights that nobody changed since."""
    from helpers.once import Once

    return Once(tmp_path_factory.mktemp("once"))


@pytest.fixture(scope="module")
def read_once(once: "Once") -> Iterator[None]:
    """Nights read tables and nights that nobody changed once: for modules that are about what follows."""
    with once.patched():
        yield


@pytest.fixture(scope="session")
def first_real_night(shared: Shared) -> Path:
    """The folder in which the tutorial from raw files to a list was walked through: `raw`, `tables`, `outreach`."""
    from helpers.first_real_night import walked

    return shared.folder("first-real-night", walked)


@pytest.fixture
def pages_not_drawn() -> Iterator[None]:
    """Who is on a night, and who comes off it, is decided before a page is drawn: where only that is asked, none is."""
    from helpers.undrawn import without_pages

    with without_pages():
        yield


def _scored(county: Path, settings: Path, folder: Path) -> None:
    """Copy a county to `folder` and publish its first night there."""
    from helpers.counties import NIGHT, copy_of

    from ageingwell.config.load import load_config
    from ageingwell.night.score import score

    copy_of(county, folder / "county")
    score(folder / "county", as_of=NIGHT, out=folder / "out", config=load_config(settings))
