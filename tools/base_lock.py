"""The part of requirements.txt that `pip install ageingwell` needs, without any extra, hashes and all.

    python -m tools.base_lock > base.txt

Follows the metadata of the packages that are installed here, so run it where the tests run.
"""

import re
import sys
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
ENTRY = re.compile(r"^(?=[a-z0-9-]+(?:\[[a-z0-9,-]+\])?==)", flags=re.MULTILINE)


def needed_by(package: str) -> set[str]:
    """Every package that this one needs on this machine, with none of its extras."""
    wanted, found = [(package, "")], set[tuple[str, str]]()
    while wanted:
        name, extra = wanted.pop()
        if (name, extra) in found:
            continue
        found.add((name, extra))
        for line in requires(name) or ():
            one = Requirement(line)
            if one.marker is None or one.marker.evaluate({"extra": extra}):
                wanted += [(canonicalize_name(one.name), of) for of in ("", *one.extras)]
    return {name for name, _ in found} - {package}


def entries_of(lock: str, names: set[str]) -> str:
    """The entries of a lock file that pin these packages."""
    head = re.compile(r"[a-z0-9-]+")
    return "".join(one for one in ENTRY.split(lock) if (name := head.match(one)) and name[0] in names)


def main() -> None:
    """Print the entries of the base installation."""
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    sys.stdout.write(entries_of(lock, needed_by("ageingwell")))


if __name__ == "__main__":
    main()
