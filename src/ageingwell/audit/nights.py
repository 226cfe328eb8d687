"""What the published nights and their log say of each other: heads of the log in nights, manifests of nights in it."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ageingwell.audit.chain import Head
from ageingwell.publish.nights import published_nights


def heads_of_nights(out: Path) -> list[Head]:
    """The line of the log that each published night was begun with, as its `run.json` keeps it."""
    return [head for folder in published_nights(out) if (head := head_of(folder)) is not None]


def head_of(folder: Path) -> Head | None:
    """The line of the log that a night was begun with; None where it says none, as nights of earlier versions."""
    try:
        told = json.loads((folder / "run.json").read_bytes())["audit"]
        return Head(int(told["line"]), str(told["sha256"]), f"the night {folder.name}")
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def changed_manifests(lines: Iterable[Mapping[str, Any]], out: Path) -> list[str]:
    """The nights whose manifest is another than the one that the log knows; nights that were deleted are none."""
    known: dict[str, object] = {}
    for line in lines:
        for told in (line, line.get("withdrawn")):
            if isinstance(told, Mapping) and "manifest_sha256" in told:
                known[str(told.get("folder"))] = told["manifest_sha256"]
    there = {folder.name: folder for folder in published_nights(out)}
    return [name for name, sha256 in known.items() if name in there and _sha256(there[name]) != sha256]


def _sha256(folder: Path) -> str | None:
    try:
        return hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    except OSError:
        return None
