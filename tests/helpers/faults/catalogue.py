"""The catalogue as a table: each fault, what is tried, and how a night has to end."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CATALOGUE = Path(__file__).parents[2] / "functional" / "faults" / "catalogue.toml"
POSITIONS = ("first", "middle", "last")
ENDS = ("goes on", "row refused", "cell emptied", "person held", "degraded", "stops")
# What has become of the list that was current before: everybody withdrawn is off, or it may not be used.
LISTS = ("withdrawn", "marked")


@dataclass(frozen=True)
class Case:
    """One damage of one table, or of what stands around the records, and how the night has to end."""

    fault: str
    how: str
    ends: str
    code: int = 0
    list: str = "withdrawn"
    table: str = ""
    column: str = ""
    row: str = ""
    text: str = ""
    rule: str = ""
    says: tuple[str, ...] = ()
    through: str = "read"
    gap: str = ""

    @property
    def name(self) -> str:
        """What pytest shows."""
        where = ".".join(part for part in (self.table, self.column) if part)
        return " ".join(part for part in (self.fault, self.how, where, self.text[:12], self.row) if part)


@dataclass(frozen=True)
class Fault:
    """A fault in one plain sentence, what follows from it, and its cases; `elsewhere` names tests that hold it."""

    id: str
    what: str
    then: str
    cases: tuple[Case, ...]
    elsewhere: tuple[str, ...] = ()


def read_catalogue(file: Path = CATALOGUE) -> list[Fault]:
    """Every fault in the order of the table."""
    told = tomllib.loads(file.read_text(encoding="utf-8"))
    return [
        Fault(
            one["id"],
            one["what"],
            one["then"],
            tuple(case for tried in one.get("tried", ()) for case in _cases(one["id"], tried)),
            tuple(one.get("elsewhere", ())),
        )
        for one in told["fault"]
    ]


def _cases(fault: str, tried: Mapping[str, Any]) -> list[Case]:
    """Each place of `in`, in each row where `how` damages a row."""
    fixed = {key: value for key, value in tried.items() if key in Case.__dataclass_fields__}
    fixed["says"] = tuple(tried.get("says", ()))
    rows = POSITIONS if tried.get("rows", False) else ("",)
    places = [place.partition(".") for place in tried.get("in", [""])]
    return [
        Case(fault, **fixed | {"table": table, "column": column, "row": row})
        for table, _, column in places
        for row in rows
    ]
