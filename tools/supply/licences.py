"""The licence of each package, as it stands in `licences.toml`, held against what the installed package says."""

import tomllib
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Final

from tools.supply.lock import Package

LIST: Final = Path(__file__).with_name("licences.toml")
# What packages without an SPDX expression write in their classifiers, and the licences that may stand behind it.
CLASSIFIED: Final[Mapping[str, tuple[str, ...]]] = {
    "MIT License": ("MIT",),
    "BSD License": ("BSD-2-Clause", "BSD-3-Clause"),
    "Apache Software License": ("Apache-2.0",),
    "Mozilla Public License 2.0 (MPL 2.0)": ("MPL-2.0",),
    "Python Software Foundation License": ("PSF-2.0", "matplotlib"),
}


def read_licences(file: Path = LIST) -> tuple[dict[str, str], frozenset[str]]:
    """The licence of each package, and the licences that are allowed."""
    told = tomllib.loads(file.read_text(encoding="utf-8"))
    return dict(told["packages"]), frozenset(told["allowed"])


def faults(packages: Iterable[Package], licences: Mapping[str, str], allowed: Iterable[str]) -> list[str]:
    """The packages without a licence here, with one that is not allowed, or whose own words say another."""
    told = []
    for name in sorted({package.name for package in packages}):
        licence = licences.get(name)
        if licence is None:
            told.append(f"{name}: no licence is listed in tools/supply/licences.toml")
        elif strange := [part for part in parts_of(licence) if part not in allowed]:
            told.append(f"{name}: {', '.join(strange)} is not on the allowed list")
        elif (said := said_by(name)) and not agrees(licence, said):
            told.append(f"{name}: licences.toml says {licence}, and the installed package says {' / '.join(said)}")
    return told


def parts_of(licence: str) -> list[str]:
    """The licences of an SPDX expression.

    >>> parts_of("MIT OR (Apache-2.0 WITH LLVM-exception)")
    ['MIT', 'Apache-2.0 WITH LLVM-exception']
    """
    bare = licence.replace("(", "").replace(")", "").replace(" AND ", " OR ")
    return bare.split(" OR ")


def said_by(name: str) -> list[str]:
    """What an installed package says of its licence; nothing where it is not installed, or says it in prose."""
    try:
        told = metadata(name)
    except PackageNotFoundError:
        return []
    expression = told.get("License-Expression")
    if expression:
        return [expression]
    classes = [line.rpartition("::")[2].strip() for line in told.get_all("Classifier", []) if "License ::" in line]
    return [line for line in classes if line in CLASSIFIED]


def agrees(licence: str, said: Iterable[str]) -> bool:
    """Whether each thing said is among the licences listed."""
    listed = set(parts_of(licence))
    return all(listed & {*CLASSIFIED.get(word, ()), *parts_of(word)} for word in said)


def licences_page(packages: Iterable[Package], licences: Mapping[str, str]) -> str:
    """The packages and their licences as a table."""
    by_name = {package.name: package for package in packages}
    rows = [f"| {name} | {licences.get(name, 'not known')} |" for name in sorted(by_name)]
    return "\n".join(["| package | licence |", "| --- | --- |", *rows])
