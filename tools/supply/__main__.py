"""What the software is made of.

    python -m tools.supply --check             every licence is listed, allowed, and what the installed package says
    python -m tools.supply --sbom FILE         write the list of packages as CycloneDX
    python -m tools.supply --vulnerabilities   ask pip-audit for known holes, where it and its database can be had

All of it is about requirements.txt: what `pip install` of a release brings, with every extra that a night can use.
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ageingwell import __version__
from tools.supply.licences import faults, read_licences
from tools.supply.lock import LOCK, read_lock
from tools.supply.sbom import as_json, sbom

_SECONDS = 180
# Of pip-audit: 0 where nothing was found, 1 where something was; it also ends with 1 without its database.
_FOUND = "Found "


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what is asked."""
    asked = _asked(arguments)
    packages = read_lock()
    licences, allowed = read_licences()
    if asked.sbom:
        asked.sbom.write_text(as_json(sbom(packages, licences, version=__version__)), encoding="utf-8")
        return 0
    if asked.vulnerabilities:
        return _vulnerabilities()
    told = faults(packages, licences, allowed)
    sys.stderr.write("".join(f"{line}\n" for line in told))
    return 1 if told else 0


def _vulnerabilities() -> int:
    """Ask, and fail only on a hole that is known: not to know is told, and is no failure."""
    tool = shutil.which("pip-audit")
    if tool is None:
        sys.stdout.write("known holes: not run: pip-audit is not installed\n")
        return 0
    command = [tool, "--requirement", str(LOCK), "--disable-pip", "--no-deps", "--progress-spinner", "off"]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        sys.stdout.write("known holes: not run: no database within three minutes\n")
        return 0
    if ran.returncode and _FOUND not in ran.stderr:
        sys.stdout.write("known holes: not run: no database\n")
        return 0
    sys.stdout.write(ran.stdout + ran.stderr)
    return ran.returncode


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m tools.supply", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    one = parser.add_mutually_exclusive_group(required=True)
    one.add_argument("--check", action="store_true")
    one.add_argument("--sbom", type=Path, metavar="FILE")
    one.add_argument("--vulnerabilities", action="store_true")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
