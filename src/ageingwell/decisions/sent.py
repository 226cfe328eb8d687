"""A list as it was sent, beside which the one that comes back is held."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from ageingwell.decisions.reading import Filled


@dataclass(frozen=True)
class Subject:
    """The person whom a row is about, the lead that was suggested, and the status of their row."""

    person_id: str
    household_id: str | None
    suggested_lead: str | None = None
    status: str | None = None

    @property
    def is_agreed(self) -> bool:
        """Whether a visit to them was agreed by the time of the list, and not made."""
        return self.status in ("agreed", "overdue")


@dataclass(frozen=True)
class SentList:
    """A list as it was sent: whose, of which night, its read-only cells by row key, and whom each row is about.

    `withdrawn` are the row keys of people taken off since; `known` finds anybody of that night, by pseudonym or key.
    `as_sent` is the whole file that went out. `steps` are the steps a plan may have, by label.
    """

    recipient: str
    night: date
    columns: tuple[str, ...]
    cells: Mapping[str, Mapping[str, str]]
    people: Mapping[str, Subject]
    withdrawn: frozenset[str] = frozenset()
    known: Mapping[str, Subject] = field(default_factory=dict)
    as_sent: Filled | None = None
    steps: Mapping[str, str] = field(default_factory=dict)
