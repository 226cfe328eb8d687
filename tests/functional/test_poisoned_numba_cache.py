"""A pickle planted wherever Numba would look for compiled code is never opened."""

import hashlib
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.evidence import counted

from ageingwell.lookup import kernel

PLACES = ("beside the source", "the user's cache", "NUMBA_CACHE_DIR")
# Each is compiled alone in a blink; all of them take ten seconds.
FUNCTIONS = ("_among", "_as_number", "finish")
RUN = """
import numpy as np
from ageingwell.lookup import kernel
print(kernel._as_number(2.5), kernel._among(1.0, np.array([1.0])))
kernel.finish(0.0, np.zeros((1, 2)), np.zeros(2), 2)
"""


class Marks:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)

    def __reduce__(self):
        return (os.mkdir, (self.folder,))


def plant(place: str, package: Path, home: Path, marks: Path) -> None:
    """Put an index that marks its reading where Numba keeps that of each function, by Numba's own rules."""
    source = package / "lookup" / "kernel.py"
    folder = f"lookup_{hashlib.sha1(str(source.parent).encode(), usedforsecurity=False).hexdigest()}"
    at = {
        PLACES[0]: source.parent / "__pycache__",
        PLACES[1]: home / ".cache" / "numba" / folder,
        PLACES[2]: home / "named" / folder,
    }[place]
    at.mkdir(parents=True, exist_ok=True)
    for name in FUNCTIONS:
        line = getattr(kernel, name).py_func.__code__.co_firstlineno
        version = f"py{sys.version_info[0]}{sys.version_info[1]}{sys.abiflags}"
        index = at / f"kernel.{name}-{line}.{version}.nbi"
        index.write_bytes(pickle.dumps(Marks(marks / name)))


@pytest.mark.slow
def test_no_planted_index_is_run_wherever_it_lies(tmp_path: Path) -> None:
    package = tmp_path / "copied" / "ageingwell"
    shutil.copytree(Path(kernel.__file__).parents[1], package, ignore=shutil.ignore_patterns("__pycache__"))
    ran = []
    # Where the environment names a folder, Numba looks there alone.
    for places in (PLACES[:2], PLACES[2:]):
        home, marks = tmp_path / places[0], tmp_path / f"run from {places[0]}"
        marks.mkdir()
        for place in places:
            plant(place, package, home, marks)
        named = {"NUMBA_CACHE_DIR": str(home / "named")} if PLACES[2] in places else {}
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("NUMBA_", "XDG_"))}
        asked = {**plain, "HOME": str(home), "PYTHONPATH": str(package.parent), **named}
        done = subprocess.run([sys.executable, "-c", RUN], env=asked, capture_output=True, text=True, cwd=tmp_path)
        ran += [path.name for path in marks.iterdir()]
        assert done.returncode == 0 or ran, done.stderr
        kept = [path for path in (*package.rglob("*.nb?"), *home.rglob("*.nb?")) if path.stat().st_size > 4096]
        assert ran or kept == [], "nothing is kept for the next night to read"
    counted("S2.payloads", len(PLACES) * len(FUNCTIONS), len(ran))
    assert ran == []
    # The planted index does run where somebody opens it.
    pickle.loads(next((tmp_path / PLACES[2] / "named").rglob("*.nbi")).read_bytes())  # noqa: S301
    assert len(list((tmp_path / f"run from {PLACES[2]}").iterdir())) == 1
