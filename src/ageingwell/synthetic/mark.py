"""The mark beside made-up data: `synthetic.json` says that nobody in the folder is real."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ageingwell.errors import SourceError

MARK = "synthetic.json"


@dataclass(frozen=True)
class Mark:
    """What the mark says: the day the extracts were taken, and the seed of the public key."""

    as_of: date
    seed: int


def is_synthetic(folder: Path) -> bool:
    """Whether a folder of tables is marked as made up."""
    try:
        return bool(json.loads((folder / MARK).read_text(encoding="utf-8")).get("synthetic"))
    except (OSError, ValueError):
        return False


def read_mark(folder: Path) -> Mark:
    """Read the mark; a folder without one is a `SourceError`."""
    if not is_synthetic(folder):
        raise SourceError(f"{folder} is not marked as made-up data ({MARK})", "make it with `ageingwell synth`")
    content = json.loads((folder / MARK).read_text(encoding="utf-8"))
    return Mark(as_of=date.fromisoformat(content["as_of"]), seed=int(content["seed"]))
