"""A night on one screen: counts, what did not come, and what to open."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ageingwell.governance.night_facts import NightFacts
from ageingwell.shown import Screen, listed

# What a person opens first, in this order: the whole group's page, its workbook, and the agencies' own.
TO_OPEN: Final[Mapping[str, str]] = {
    "the group's report": "report.html",
    "the workbook to fill in": "group.xlsx",
    "each agency's own pages": "agencies",
    "for commissioners": "commissioning.html",
    "how good the model is": "annex.html",
}


def files_to_open(folder: Path) -> dict[str, Path]:
    """What a person opens of a published night, by what it is; a night without pages has none of them."""
    return {what: folder / name for what, name in TO_OPEN.items() if (folder / name).exists()}


def screen_of_night(facts: NightFacts, n_listed: int, files: Mapping[str, Path], hint: str) -> Screen:
    """Counts and names of tables alone: nobody's row is among them."""
    shown: dict[str, object] = {
        "people": "made-up people" if facts.made_up else "real people",
        "on the list": n_listed,
        "not sent": listed(facts.missing),
        "late": listed(facts.late),
        "chosen by": "rules alone: no usable model" if facts.rules_only else "rules and a model",
        "messages": len(facts.messages),
    }
    day = f"{facts.as_of.day} {facts.as_of:%B %Y}"
    return Screen(f"Night of {day}", shown | {what: path.name for what, path in files.items()}, hint=hint)
