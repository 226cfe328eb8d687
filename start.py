#!/usr/bin/env python3
"""Set everything up and run one command, with nothing but Python 3.11 to 3.13 and pip; no administrator rights needed.

    python3 start.py demo    sets up .venv, makes a county of made-up people, scores it, says what to open
    python3 start.py test    sets up .venv with the tools of the tests, and runs the tests
    python3 start.py quick   the same for the quick half of the tests, in two minutes
    python3 start.py every   the same with every case of those tests that have very many, where `test` tries some
    python3 start.py setup   sets up .venv with those tools, and no more

On Windows write `py start.py demo`. What follows the word is handed on: `python3 start.py test -k allocate`. The
packages installed are those of requirements-demo.txt (for the tests requirements-dev.txt), each checked against its
hash. A second run installs nothing, unless those files or pyproject.toml have changed.
"""

# An old Python has to be able to read this file far enough to say that it is too old: no new syntax in here.

import ctypes
import ctypes.util
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST, NEWEST = (3, 11), (3, 13)
ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

DEV = "requirements-dev.txt"
LOCKS = {"demo": "requirements-demo.txt", "test": DEV, "quick": DEV, "every": DEV, "setup": DEV}
# The lock file of the tests holds all of the other.
SATISFIES = {name: ("demo",) if name == "demo" else tuple(LOCKS) for name in LOCKS}
# Four processes at most, for each holds the whole stack.
TESTS = ("-m", "pytest", "-q", "--numprocesses=auto", "--maxprocesses=4", "--dist=worksteal")
RUNS = {
    "demo": ("-m", "ageingwell", "demo"),
    "test": TESTS,
    "quick": (*TESTS, "-m", "not slow"),
    "every": TESTS,
}
# What would lead Python or pip out of .venv.
LEADING_ASTRAY = ("PYTHONPATH", "PYTHONHOME", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_PYTHON")
# One thread a process, for there are two processes or more; where a test asks for others, they wait without working.
ONE_EACH = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}
# The tests start hundreds of processes: what Python compiles is kept for the next.
ONE_EACH["PYTHONDONTWRITEBYTECODE"] = ""
SET = {"test": ONE_EACH, "quick": ONE_EACH, "every": {**ONE_EACH, "AGEINGWELL_CASES": "every"}}
# Where all tests write what they counted, for docs/evidence.md; begun anew by each run.
EVIDENCE = ROOT / ".evidence"

GOMP = """LightGBM, the library that computes the risks, needs {library}, and this machine has none. Install it with
    {how}
and run this again."""
HOW_ON_LINUX = """apt-get install libgomp1      on Debian and Ubuntu
    dnf install libgomp           on Fedora, Red Hat and their kin
    zypper install libgomp1       on SUSE
(this once the machine's administrator has to help; in a container, put it into the image)"""


def main(arguments):
    """Check the machine, set up what is missing, run the command; returns its exit code."""
    command = arguments[0] if arguments else ""
    if command not in LOCKS:
        print(__doc__)
        return 0 if command in ("-h", "--help", "help") else 2
    fault = fault_of_python() or fault_of_openmp()
    if fault:
        print(fault, file=sys.stderr)
        return 1
    try:
        set_up(command)
        if command not in RUNS:
            return 0
        more = dict(SET.get(command, {}))
        if command in ("test", "every"):
            shutil.rmtree(str(EVIDENCE), ignore_errors=True)
            more["AGEINGWELL_EVIDENCE"] = str(EVIDENCE)
        return subprocess.call([str(PYTHON), *RUNS[command], *arguments[1:]], cwd=str(ROOT), env=surroundings(more))
    except subprocess.CalledProcessError as fault:
        print(f"\nThe set-up stopped here (exit code {fault.returncode}). What to do: read the lines above; then")
        print("  - without a way to the package index: set proxy or index-url in pip's own configuration;")
        print("  - on a full disk or in a folder that cannot be written: make room, or copy this folder elsewhere;")
        print("  - then run the same command again: it goes on from where it stopped.")
        return 1
    except KeyboardInterrupt:
        return 130


def fault_of_python():
    """Say what is wrong with this Python, or nothing."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return None
    here, oldest, newest = (".".join(map(str, version[:2])) for version in (sys.version_info, OLDEST, NEWEST))
    how = f"py -{oldest}" if os.name == "nt" else f"python{oldest}"
    return (
        f"This is Python {here}, and ageingwell runs on {oldest} to {newest}.\n"
        f"Install one of those, and run for example\n    {how} start.py demo"
    )


def fault_of_openmp():
    """Say how to get the OpenMP library that LightGBM links to, or nothing where it is there."""
    if sys.platform == "darwin":
        usual = [Path(root, "opt/libomp/lib/libomp.dylib") for root in ("/opt/homebrew", "/usr/local")]
        if any(path.exists() for path in usual) or ctypes.util.find_library("omp"):
            return None
        return GOMP.format(library="libomp.dylib", how="brew install libomp")
    if sys.platform.startswith("linux"):
        try:
            ctypes.CDLL("libgomp.so.1")
        except OSError:
            return GOMP.format(library="libgomp.so.1", how=HOW_ON_LINUX)
    return None


def set_up(command):
    """Make .venv and install into it, unless the stamp says that all is there."""
    wanted = {name: digest(lock) for name, lock in LOCKS.items()}
    if stamp(command) == wanted[command] and works():
        return
    stale = any(stamp(name) not in (None, wanted[name]) for name in LOCKS)
    if stale or not works():
        print(f"Making .venv with Python {sys.version_info[0]}.{sys.version_info[1]} ...", flush=True)
        without = [] if importlib.util.find_spec("ensurepip") else ["--without-pip"]
        run([sys.executable, "-m", "venv", "--clear", *without, str(VENV)])
    print(f"Installing what {LOCKS[command]} lists into .venv (once; a few minutes) ...", flush=True)
    pip = pip_command()
    run([*pip, "--require-hashes", "--only-binary", ":all:", "-r", LOCKS[command]])
    # The build tool is among the packages just installed, so nothing without a hash is fetched to build ours.
    run([*pip, "--no-deps", "--no-build-isolation", "--no-index", "--editable", "."])
    for name in SATISFIES[command]:
        stamp_path(name).write_text(wanted[name], encoding="ascii")


def pip_command():
    """The pip of .venv; where Python came without one to put there, the pip beside it, pointed at .venv."""
    options = ["install", "--disable-pip-version-check", "--no-input"]
    options += [] if sys.stdout.isatty() else ["--quiet"]
    if (PYTHON.parent / ("pip.exe" if os.name == "nt" else "pip")).exists():
        return [str(PYTHON), "-m", "pip", *options]
    return [sys.executable, "-m", "pip", "--python", str(PYTHON), *options]


def digest(lock):
    """What an installation depends on, as one line."""
    parts = [(ROOT / name).read_bytes() for name in (lock, "pyproject.toml")]
    # The folder too: a virtual environment that was copied or moved does not work.
    parts += [sys.version.encode(), str(ROOT).encode()]
    return hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def stamp_path(name):
    """Where it is written down that an installation is complete."""
    return VENV / (".complete-" + name)


def stamp(name):
    """What the last complete installation depended on; `None` where there was none."""
    try:
        return stamp_path(name).read_text(encoding="ascii")
    except (OSError, ValueError):
        return None


def works():
    """Whether the Python of .venv starts; it does not after an upgrade of the Python it was made with."""
    try:
        return subprocess.call([str(PYTHON), "-c", ""], env=surroundings({})) == 0
    except OSError:
        return False


def run(command):
    """Run one step of the set-up; raises CalledProcessError where it fails."""
    subprocess.run(command, cwd=str(ROOT), env=surroundings({}), check=True)


def surroundings(more):
    """The environment handed to every step."""
    kept = {name: value for name, value in os.environ.items() if name not in LEADING_ASTRAY}
    return {**kept, "PIP_USER": "0", **more}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
