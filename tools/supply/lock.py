"""The packages of a lock file, each with its version, hashes, condition, and what asks for it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
LOCK: Final = ROOT / "requirements.txt"
OURS: Final = "ageingwell"
_PINNED: Final = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)(\[[^]]*\])?==(?P<version>[^\s;\\]+)(\s*;\s*(?P<when>[^\\]+?))?\s*\\?$"
)
_HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_VIA: Final = re.compile(r"^\s+#\s+(via\s+)?(?P<name>[A-Za-z0-9._-]+)(\s+\(pyproject\.toml.*\))?$")


@dataclass(frozen=True)
class Package:
    """One pinned package. `when` is the condition under which it is installed, `needed_by` who asks for it."""

    name: str
    version: str
    when: str
    sha256: tuple[str, ...]
    needed_by: tuple[str, ...]


def read_lock(file: Path = LOCK) -> list[Package]:
    """Every package of a lock file, in its order.

    >>> read_lock()[0].name
    'annotated-types'
    """
    return list(_packages(file.read_text(encoding="utf-8").splitlines()))


def _packages(lines: list[str]) -> Iterator[Package]:
    starts = [(at, said) for at, line in enumerate(lines) if (said := _PINNED.match(line))]
    ends = [*(at for at, _ in starts[1:]), len(lines)]
    for (at, said), end in zip(starts, ends, strict=True):
        block = lines[at:end]
        hashes = tuple(found[1] for line in block if (found := _HASH.search(line)))
        via = tuple(found["name"] for line in block[1:] if (found := _VIA.match(line)) and found["name"] != "via")
        yield Package(said["name"].lower(), said["version"], (said["when"] or "").strip(), hashes, via)
