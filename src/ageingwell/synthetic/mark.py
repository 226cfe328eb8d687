"""The mark beside made-up data: `synthetic.json` says that nobody in the folder is real."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ageingwell.errors import SourceError
from ageingwell.reading.limits import json_within, small_bytes
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
    mark = folder / MARK_OF_MADE_UP_DATA
    try:
        content = json_within(small_bytes(mark).decode("utf-8"), mark.name)
        return Mark(as_of=date.fromisoformat(content["as_of"]), seed=int(content["seed"]))
    except (ValueError, TypeError, KeyError, OverflowError):
        raise SourceError(f"{mark.name}: does not say of which day and seed it is", "make the county again") from None
