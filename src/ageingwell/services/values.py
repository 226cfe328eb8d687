"""Reading the values of one record: each is what its field promises, or a fault with the field's path and a rule."""

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_TIME: Final = re.compile(r"^([01][0-9]|2[0-3]):([0-5][0-9])")
_DAY: Final = re.compile(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?=$|[T ])")
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")
LONGEST_TEXT: Final = 300


@dataclass
class Reader:
    """Reads the fields of a record, or of a part of one, and keeps what was wrong as (field, rule).

    >>> reader = Reader({"id": "s1", "minimum_age": "sixty"})
    >>> reader.text("id", needed=True), reader.number("minimum_age"), reader.faults
    ('s1', None, [('minimum_age', 'not_a_number')])
    """

    record: Mapping[str, Any]
    path: str = ""
    faults: list[tuple[str, str]] = field(default_factory=list)

    def fault(self, name: str, rule: str) -> None:
        """Note a fault of a field."""
        self.faults.append((f"{self.path}{name}", rule))

    def text(self, name: str, *, needed: bool = False) -> str | None:
        """One line of text; blank counts as missing."""
        value = self.record.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if value is not None and not isinstance(value, str):
            self.fault(name, "not_a_text")
            return None
        plain = _CONTROLS.sub(" ", value).strip()[:LONGEST_TEXT] if value else ""
        if not plain and needed:
            self.fault(name, "missing")
        return plain or None

    def number(
        self, name: str, *, needed: bool = False, least: float = -math.inf, most: float = math.inf
    ) -> float | None:
        """A number, also one written as text."""
        value = self.record.get(name)
        if value is None or value == "":
            if needed:
                self.fault(name, "missing")
            return None
        try:
            read = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError, OverflowError):
            read = math.nan
        if math.isnan(read):
            self.fault(name, "not_a_number")
            return None
        if not least <= read <= most:
            self.fault(name, "out_of_range")
            return None
        return read

    def whole(self, name: str, *, least: int, most: int) -> int | None:
        """A whole number."""
        read = self.number(name, least=least, most=most)
        if read is None or read == int(read):
            return None if read is None else int(read)
        self.fault(name, "not_a_number")
        return None

    def day(self, name: str) -> date | None:
        """A day; the time of a date-time is left out."""
        value = self.text(name)
        if value is None:
            return None
        found = _DAY.match(value)
        try:
            return date.fromisoformat(found[0] if found else "")
        except ValueError:
            self.fault(name, "not_a_date")
            return None

    def time(self, name: str) -> str | None:
        """Hour and minute; seconds and time zone are left out."""
        value = self.text(name)
        if value is None:
            return None
        found = _TIME.match(value)
        if found is None:
            self.fault(name, "not_a_time")
            return None
        return found[0]

    def label(self, name: str, labels: tuple[str, ...], *, needed: bool = False) -> str | None:
        """One of a field's labels, folded."""
        value = self.text(name, needed=needed)
        if value is None:
            return None
        folded = fold(value, "_")
        if folded not in labels:
            self.fault(name, "unknown_label")
            return None
        return folded

    def days(self, name: str) -> list[str]:
        """Days of the week; a week of the month before one (`1TU`) is left to the description."""
        value = self.text(name)
        wanted = [part.strip().upper()[-2:] for part in (value or "").split(",") if part.strip()]
        if any(day not in DAYS for day in wanted):
            self.fault(name, "unknown_label")
            return []
        return [day for day in DAYS if day in wanted]

    def ordered(self, first: str, first_value: Any, last: str, last_value: Any) -> None:
        """The end must not lie before the start."""
        if first_value is not None and last_value is not None and last_value < first_value:
            self.fault(last, "end_before_start")

    def part(self, name: str) -> "Reader | None":
        """A record inside the record."""
        value = self.record.get(name)
        if value is not None and not isinstance(value, Mapping):
            self.fault(name, "not_a_record")
            return None
        return None if value is None else Reader(value, f"{self.path}{name}.", self.faults)

    def parts(self, name: str) -> Iterator["Reader"]:
        """The records of a list inside the record, with faults of their own."""
        value = self.record.get(name)
        if value is None:
            return
        if not isinstance(value, list):
            self.fault(name, "not_a_list")
            return
        for number, entry in enumerate(value, start=1):
            if isinstance(entry, Mapping):
                yield Reader(entry, f"{self.path}{name}[{number}].")
            else:
                self.fault(f"{name}[{number}]", "not_a_record")

    @contextmanager
    def keeping(self, part: "Reader") -> Iterator[None]:
        """Take a part's faults over once it is read."""
        yield
        if part.faults is not self.faults:
            self.faults.extend(part.faults)


def fold(label: str, joint: str = "-") -> str:
    """Fold a label: lower case, every run of other than letters and digits one joint, ends trimmed.

    >>> fold("Strength and Balance")
    'strength-and-balance'
    """
    return re.sub(r"[\W_]+", joint, label.lower()).strip(joint)
