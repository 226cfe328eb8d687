"""The same night, scored anywhere and anyhow, gives the same bytes: `run.json` is the one file that may differ."""

import os
import re
import subprocess
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from shutil import copyfile

import polars as pl
import pytest
from helpers.counties import AUDIT, BESIDE_NIGHTS, NIGHT, copy_of, hashes_of, settings_file
from helpers.evidence import counted

from ageingwell.config.load import load_config
from ageingwell.night.score import score
from ageingwell.publish import current

HASH = re.compile(r"\b[0-9a-f]{64}\b")
# A process that has no home, and nothing kept from before.
HOMELESS = {"HOME": "/nowhere", "XDG_CACHE_HOME": "/nowhere/cache", "AGEINGWELL_CACHE": "/nowhere/cache"}
# At the other end of the world.
FAR = HOMELESS | {
    "POLARS_MAX_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "PYTHONHASHSEED": "1",
    "TZ": "Pacific/Kiritimati",
    "LC_ALL": "C",
    "LANG": "C",
}
# Where a small i is another letter.
NEAR = HOMELESS | {
    "POLARS_MAX_THREADS": "2",
    "OMP_NUM_THREADS": "2",
    "OMP_WAIT_POLICY": "passive",  # or each waits at full speed
    "PYTHONHASHSEED": "77",
    "TZ": "America/Adak",
    "LC_ALL": "tr_TR.UTF-8",
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


def assert_same(found: Mapping[str, str], expected: Mapping[str, str], *, but: Collection[str] = ()) -> None:
    """Every file has the bytes expected, apart from those that may differ; counted for the evidence."""
    names = {*found, *expected}
    differ = {name for name in names if found.get(name) != expected.get(name)}
    counted("R5.same_bytes", 1, int(differ != set(but)))
    assert differ == set(but)
    assert len(names) > 20


@pytest.fixture
def expected(first_night: Path) -> dict[str, str]:
    return hashes_of(first_night / "out" / str(NIGHT))


@pytest.mark.full
def test_another_process_with_another_number_of_threads_writes_the_same_bytes(small_county, bundle, expected, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    one_thread = settings_file(tmp_path / "settings", bundle=bundle, changes={"threads": 1})

    night = run(small_county, tmp_path / "out", one_thread, at=tmp_path / "elsewhere", **FAR)

    assert_same(hashes_of(night), expected)


def test_rows_in_another_order_sent_as_csv_in_another_folder_in_two_shards_on_two_threads_give_the_same_bytes(
    small_county, bundle, first_night, expected, tmp_path
):
    """All that may differ at once; and the folder's name has an umlaut, a space and a bracket."""
    here = tmp_path / "Für älter werdende [2]"
    (here / "Kreis Süd").mkdir(parents=True)
    for file in sorted(small_county.iterdir()):
        if file.suffix == ".parquet":
            rows = pl.read_parquet(file).sample(fraction=1, shuffle=True, seed=7)
            rows.write_csv(here / "Kreis Süd" / f"{file.stem}.csv")
        elif file.is_file():
            copyfile(file, here / "Kreis Süd" / file.name)

    in_shards = settings_file(tmp_path / "settings", bundle=bundle)
    in_shards.write_text("shards = 2\n" + in_shards.read_text(encoding="utf-8"), encoding="utf-8")

    night = run(here / "Kreis Süd", here / "out", in_shards, at=here, **NEAR)

    # The manifest tells the names and hashes of the files that were read, and these are other files.
    assert_same(hashes_of(night), expected, but={"SHA256SUMS", "manifest.json"})
    manifests = [folder / "manifest.json" for folder in (night, first_night / "out" / str(NIGHT))]
    texts = (HASH.sub("a hash", path.read_text(encoding="utf-8")) for path in manifests)
    one, other = (text.replace(".parquet", ".csv") for text in texts)
    assert one == other


def test_scored_again_into_the_same_folder_nothing_is_published(first_night, settings, expected, tmp_path):
    here = copy_of(first_night, tmp_path / "here")

    again = score(here / "county", as_of=NIGHT, out=here / "out", config=load_config(settings))

    assert not again.changed
    assert again.folder == here / "out" / str(NIGHT)
    assert_same(hashes_of(again.folder), expected)
    assert sorted(path.name for path in (here / "out").iterdir()) == sorted(
        [".lock", str(NIGHT), *BESIDE_NIGHTS, *AUDIT, "current"]
    )
