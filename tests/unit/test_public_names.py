"""What `import ageingwell as aw` shows: every name by Tab, days and paths as text, one screen per result."""

import datetime as dt
import inspect
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import ageingwell as aw
from ageingwell import evaluation
from ageingwell.errors import AgeingWellError, ArgumentError, MissingExtraError
from ageingwell.given import day_of, library
from ageingwell.shown import LETTERS_OF_A_LINE, LINES_OF_A_SCREEN, Screen, Shown

ROOT = Path(__file__).resolve().parents[2]


def test_tab_shows_every_public_name_and_the_version():
    assert set(aw.__all__) | {"__version__"} <= set(dir(aw))
    assert not [name for name in dir(aw) if not hasattr(aw, name)]
    assert {"score", "explain", "RiskModel", "outreach_list", "load_bundle"} <= set(dir(aw))


def test_what_tab_shows_can_be_imported_and_a_wrong_name_cannot():
    assert all(getattr(aw, name) is not None for name in aw.__all__)
    with pytest.raises(AttributeError, match="no attribute 'scores'"):
        aw.scores  # noqa: B018


def test_the_version_is_said_once():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" not in project["project"]
    assert project["tool"]["hatch"]["version"]["path"] == "src/ageingwell/__init__.py"
    assert aw.__version__.count(".") == 2


def test_importing_loads_nothing_heavy():
    code = (
        "import ageingwell, sys; dir(ageingwell); print([n for n in ('polars','numpy','lightgbm') if n in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_the_measures_are_in_one_shop_window():
    assert [name for name in evaluation.__all__ if not callable(getattr(evaluation, name))] == []
    assert evaluation.calibration([0, 1, 0, 1], [-1.0, -1.0, 1.0, 1.0]).height == 4  # the function, not its file
    assert aw.evaluation is evaluation


@pytest.mark.parametrize("name", ["score", "outreach_list", "explain"])
def test_every_night_is_taken_as_text(name):
    arguments = {"out": "nights"} if name == "score" else {}
    people = ("somebody",) if name == "explain" else ()
    with pytest.raises(
        ArgumentError, match=r"as_of is not a day that can be read\. What to do: write it as 2026-11-22"
    ):
        getattr(aw, name)(*people, "nowhere", as_of="22/11/2026", **arguments)


DAYS = {
    "check": "on",
    "train": "recorded_up_to",
    "evaluate": "recorded_up_to",
    "recalibrate": "recorded_up_to",
    "impact": "recorded_up_to",
}


@pytest.mark.parametrize("name", DAYS)
def test_every_other_day_is_named_in_the_error(name, tmp_path):
    wanted = inspect.signature(getattr(aw, name)).parameters
    given = {
        key: value for key, value in {"out": tmp_path, "bundle": "demo", "nights": tmp_path}.items() if key in wanted
    }
    with pytest.raises(ArgumentError, match=f"{DAYS[name]} is not a day"):
        getattr(aw, name)(str(tmp_path), **given, **{DAYS[name]: "last week"})


@pytest.mark.parametrize(
    "given", ["2026-11-22", " 2026-11-22 ", dt.date(2026, 11, 22), dt.datetime(2026, 11, 22, 9), np.str_("2026-11-22")]
)
def test_a_day_as_people_write_it(given):
    assert day_of(given) == dt.date(2026, 11, 22)


@pytest.mark.parametrize("given", ["22/11/2026", "20261122", "2026-W47-7", "2026-11-31", "", None, 20261122])
def test_no_day_is_guessed(given):
    with pytest.raises(ValueError, match="write it as 2026-11-22"):
        day_of(given)


def test_a_county_is_planned_by_text_too():
    assert aw.CountyPlan(people=60, as_of="2026-11-22").as_of == dt.date(2026, 11, 22)


def test_paths_are_text_or_path(tmp_path):
    made = aw.init(str(tmp_path / "ours"))
    assert (tmp_path / "ours" / "score.toml").read_bytes() == made[0].read_bytes()
    assert aw.load_config(str(made[0])).digest == aw.load_config(made[0]).digest


def test_settings_that_are_there_are_never_written_over(tmp_path):
    (tmp_path / "train.toml").write_text("mine", encoding="utf-8")
    with pytest.raises(AgeingWellError, match="never written over"):
        aw.init(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["train.toml"]


def test_the_shipped_bundle_needs_no_code_lists():
    bundle = aw.load_bundle("demo")
    assert bundle.models
    assert bundle.digest == aw.load_bundle("demo", codelists=aw.load_config().codelists).digest


def test_a_library_that_is_not_there_names_its_extra():
    with pytest.raises(MissingExtraError, match=r"a plot needs no_such_library.*pip install 'ageingwell\[notebook\]'"):
        library("no_such_library.pyplot", extra="notebook", wanted_for="a plot")


def test_the_extra_that_is_named_exists():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    named = {line.split(">=")[0] for line in project["project"]["optional-dependencies"]["notebook"]}
    assert named == {"pandas", "shap", "matplotlib"}


class Long(Shown):
    """A result with far too much to show."""

    def _screen(self) -> Screen:
        facts = {f"<script>{n}</script>": "x" * 300 for n in range(40)}
        return Screen("A & B", facts, ("one", "two"), [(n, n) for n in range(5_000)], "word " * 60)


def test_whatever_there_is_one_screen_is_shown():
    lines = repr(Long()).splitlines()
    assert len(lines) <= LINES_OF_A_SCREEN
    assert max(map(len, lines)) <= LETTERS_OF_A_LINE


def test_html_is_escaped_and_short():
    html = Long()._repr_html_()
    assert "<script>" not in html
    assert "A &amp; B" in html
    assert "and 4,990 more" in html
    assert len(html) < 40_000


@pytest.mark.parametrize("name", ["bundle", "settings"])
def test_a_result_fits_on_one_screen(name):
    shown = aw.load_bundle("demo") if name == "bundle" else aw.load_config()
    assert len(repr(shown).splitlines()) <= LINES_OF_A_SCREEN
    assert "<table>" in shown._repr_html_()
    assert max(map(len, repr(shown).splitlines())) <= LETTERS_OF_A_LINE


def test_the_bundle_tells_its_verdict_and_its_outcomes():
    told = repr(aw.load_bundle("demo"))
    assert "made-up people" in told
    assert "loss_of_independence" in told
    assert "usable" in told


def test_a_training_fits_on_one_screen(tmp_path):
    from ageingwell.learning.training import TrainingRun

    area = {"auroc": {"value": 0.7, "low": 0.65, "high": 0.75}}
    facts = {"evaluation": {"death": area}, "verdict": {"usable": False, "reason": "no better than age alone"}}
    shown = repr(TrainingRun(tmp_path, facts, {}))
    assert "death    0.70 (0.65 to 0.75)" in shown
    assert shown.endswith("No better than age alone.")
