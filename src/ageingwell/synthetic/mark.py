"""The mark beside made-up data: `synthetic.json` says that nobody in the folder is real."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ageingwell.errors import SourceError
from ageingwell.sources.read import MARK_OF_MADE_UP_DATA, is_made_up


@dataclass(frozen=True)
class Mark:
    """What the mark says: the day the extracts were taken, and the seed of the public key."""

    as_of: date
    seed: int


def read_mark(folder: Path) -> Mark:
    """Read the mark of a county; a folder without one is a `SourceError`."""
    if not is_made_up(folder):
        raise SourceError(
            f"{folder} is not marked as made-up data ({MARK_OF_MADE_UP_DATA})", "make it with `ageingwell synth`"
        )
    content = json.loads((folder / MARK_OF_MADE_UP_DATA).read_text(encoding="utf-8"))
    return Mark(as_of=date.fromisoformat(content["as_of"]), seed=int(content["seed"]))
