"""The same night, scored anywhere and anyhow, gives the same bytes: `run.json` is the one file that may differ."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from shutil import copyfile

import polars as pl
import pytest
from helpers.counties import AUDIT, NIGHT, copy_of, hashes_of, settings_file

from ageingwell.config.load import load_config
from ageingwell.night.score import score
from ageingwell.publish import current

WAYS: Mapping[str, Mapping[str, str]] = {
    "one thread, the other end of the world": {
        "POLARS_MAX_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "PYTHONHASHSEED": "1",
        "TZ": "Pacific/Kiritimati",
    },
    "two threads, another language": {
        "POLARS_MAX_THREADS": "2",
        "PYTHONHASHSEED": "4711",
        "TZ": "America/Adak",
        "LC_ALL": "C",
        "LANG": "C",
    },
}


def run(county: Path, out: Path, settings: Path, *, at: Path, **environment: str) -> Path:
    """Score in a process of its own, from the working folder `at`, and give the night's folder."""
    relative = [os.path.relpath(path, at) for path in (county, out, settings)]
    command = ["score", "--as-of", str(NIGHT), "--data", relative[0], "--out", relative[1], "--config", relative[2]]
    ran = subprocess.run(
        [sys.executable, "-m", "ageingwell", *command],
        cwd=at,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    folder = current(out)
    assert folder is not None
    return folder


@pytest.fixture
def expected(first_night: Path) -> dict[str, str]:
    return hashes_of(first_night / "out" / str(NIGHT))


@pytest.mark.parametrize("way", WAYS)
def test_another_process_writes_the_same_bytes(small_county, settings, expected, way, tmp_path):
    (tmp_path / "elsewhere").mkdir()

    night = run(small_county, tmp_path / "out", settings, at=tmp_path / "elsewhere", **WAYS[way])

    assert hashes_of(night) == expected
    assert len(expected) > 20


def test_the_models_threads_change_nothing(small_county, bundle, expected, tmp_path):
    one_thread = settings_file(tmp_path / "settings", bundle=bundle, changes={"threads": 1})

    night = score(small_county, as_of=NIGHT, out=tmp_path / "out", config=load_config(one_thread)).folder

    assert hashes_of(night) == expected


def test_tables_sent_as_csv_give_the_bytes_of_parquet(small_county, settings, expected, tmp_path):
    sent = tmp_path / "county"
    sent.mkdir()
    for file in small_county.iterdir():
        if file.suffix == ".parquet":
            pl.read_parquet(file).write_csv(sent / f"{file.stem}.csv")
        elif file.is_file():
            copyfile(file, sent / file.name)

    night = score(sent, as_of=NIGHT, out=tmp_path / "out", config=load_config(settings)).folder

    found = hashes_of(night)
    assert {name for name in expected if found.get(name) != expected[name]} == {"manifest.json"}
    assert set(found) == set(expected)


def test_scored_again_into_the_same_folder_nothing_is_published(first_night, settings, expected, tmp_path):
    here = copy_of(first_night, tmp_path / "here")

    again = score(here / "county", as_of=NIGHT, out=here / "out", config=load_config(settings))

    assert not again.changed
    assert again.folder == here / "out" / str(NIGHT)
    assert hashes_of(again.folder) == expected
    assert sorted(path.name for path in (here / "out").iterdir()) == [".lock", str(NIGHT), *AUDIT, "current"]
