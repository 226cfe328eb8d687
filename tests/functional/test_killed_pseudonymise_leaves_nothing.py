"""A run that was killed leaves raw records half done beside its folder; the next run removes them."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from ageingwell.room import scratch, staged_folder

KILLED = """
import os, signal, sys
from pathlib import Path
from ageingwell.room import staged_folder
with staged_folder(Path(sys.argv[1])) as staging:
    (staging / "people.csv").write_text("9990001006")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="only there can a process be asked after without a right to end it")
def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "out")], check=False)
    assert done.returncode < 0
    assert len(list(tmp_path.glob(".out.*.partial"))) == 1
    with staged_folder(tmp_path / "out") as staging:
        assert list(tmp_path.glob(".out.*.partial")) == [staging]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.skipif(os.name != "posix", reason="only there can a process be asked after without a right to end it")
def test_what_a_running_run_is_filling_stays(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with staged_folder(tmp_path / "out") as first:
        with pytest.raises(RuntimeError), staged_folder(tmp_path / "out"):
            raise RuntimeError
        assert first.is_dir()


LOOKED = """
import os, signal
from ageingwell.room import scratch
with scratch("ageingwell-connect") as place:
    (place / "people.csv").write_text("9990001006")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="only there can a process be asked after without a right to end it")
def test_what_a_killed_look_left_is_removed_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    subprocess.run([sys.executable, "-c", LOOKED], check=False)
    assert len(list(tmp_path.iterdir())) == 1
    with scratch("ageingwell-connect") as place:
        assert list(tmp_path.iterdir()) == [place]
    assert list(tmp_path.iterdir()) == []
