"""Every source profile, run over its own sample: what comes out is what a person looked over and wrote down."""

from datetime import date
from functools import cache
from pathlib import Path

import polars as pl
import pytest

from ageingwell.contracts.registry import TABLES
from ageingwell.profiles.profile import LOOKUPS, Profile, read_profile
from ageingwell.profiles.recognise import recognise
from ageingwell.profiles.transform import run_profile
from tools.profiles import EXTRACTED_ON, SOURCES, files_of, made_of_sample

pytestmark = pytest.mark.slow

NAMES = sorted(path.name for path in SOURCES.iterdir() if (path / "profile.toml").is_file())


@cache
def every_profile() -> dict[str, Profile]:
    return {name: read_profile(SOURCES / name) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_gives_what_is_expected_of_it_and_no_row_is_lost_without_a_reason(name: str, tmp_path: Path) -> None:
    made = made_of_sample(every_profile()[name], tmp_path)
    expected = {path.name: path.read_text(encoding="utf-8") for path in (SOURCES / name / "expected").iterdir()}
    assert files_of(made) == expected
    for table in made.tables:
        rows = pl.read_parquet(table.path)
        assert rows.height == table.n_rows
        assert set(rows["_file"].unique()) <= {file.file for file in made.files}
        assert rows["_row"].min() is None or rows["_row"].min() >= 1


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_says_where_its_layout_is_documented_and_how_sure_it_is(name: str) -> None:
    profile = every_profile()[name]
    assert profile.documented
    assert profile.certainty in ("official", "code", "typical")
    assert profile.ask_for
    assert set(profile.sql) <= {*TABLES, *LOOKUPS}


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_recognised_among_all_profiles_whatever_its_files_are_called(name: str, tmp_path: Path) -> None:
    profiles = list(every_profile().values())
    wrong = []
    for number, path in enumerate(sorted((SOURCES / name / "sample").iterdir())):
        renamed = tmp_path / f"file{number}{''.join(path.suffixes[-1:])}"
        renamed.write_bytes(path.read_bytes())
        found = recognise(renamed, profiles)
        if found is None and _needs_its_name(path, profiles):
            continue
        wrong += [path.name] if found is None or found.profile.name != name else []
    assert not wrong


def _needs_its_name(path: Path, profiles: list[Profile]) -> bool:
    """Whether such a file says nothing of what it means, and is known by a telling name alone."""
    found = recognise(path, profiles)
    return found is not None and found.file.name_must_match


def test_the_order_of_the_files_changes_nothing(tmp_path: Path) -> None:
    profile = read_profile(SOURCES / "fire_visits_nfcc")
    sample = next((SOURCES / "fire_visits_nfcc" / "sample").iterdir())
    one, two = tmp_path / "a.csv", tmp_path / "b.csv"
    one.write_bytes(sample.read_bytes())
    two.write_bytes(sample.read_bytes())
    found = [recognise(path, [profile], name=path.name) for path in (one, two)]
    tables = []
    for number, files in enumerate((found, found[::-1])):
        place = tmp_path / str(number)
        place.mkdir()
        made = run_profile(profile, [each for each in files if each], workspace=place, extracted_on=EXTRACTED_ON)
        tables.append(pl.read_parquet(made.tables[0].path))
    assert tables[0].equals(tables[1])


def test_the_day_of_the_extract_for_samples_is_a_day() -> None:
    assert date(2026, 11, 1) == EXTRACTED_ON
