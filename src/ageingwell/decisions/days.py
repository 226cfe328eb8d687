"""Days as people and spreadsheets write them."""

import re
from datetime import date, timedelta
from typing import Final

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FULL: Final = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
                "november", "december")  # fmt: skip
_ISO: Final = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_NUMBERS: Final = re.compile(r"([0-9]{1,2})[/.\-]([0-9]{1,2})[/.\-]([0-9]{4}|[0-9]{2})")
_WORDS: Final = re.compile(r"([0-9]{1,2})(?:st|nd|rd|th)?[ \-]([a-z]+)\.?,?[ \-]([0-9]{4}|[0-9]{2})")
_SERIAL: Final = re.compile(r"([0-9]{5})(?:\.[0-9]+)?")
# A time of the day behind a day: "09:30", "9:30:00.5 am", "T09:30:00Z".
_TIME: Final = re.compile(r"[t ,]+[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)? ?(?:am|pm|z)?$")
# No list asks for a day outside these years: cells hold nothing else, and 0026-08-06 is a slip.
_YEARS: Final = range(2000, 2200)
_EXCEL_DAY_0: Final = date(1899, 12, 30)


def day_of(text: str) -> date | None:
    """Read a day: a date cell, a spreadsheet's day number, 2026-08-06, 6 August 2026, 6 Aug 26, or 06/08/2026.

    Day before month, as in the United Kingdom; a day that could only be read the other way round is none, nor is one
    before 2000. A time of the day is left out.

    >>> [str(day_of(text)) for text in ("2026-08-06", "6 August 2026", "06/08/2026", "46240", "6th Aug 26")]
    ['2026-08-06', '2026-08-06', '2026-08-06', '2026-08-06', '2026-08-06']
    >>> str(day_of("2026-08-06 09:30")), day_of("08/26/2026"), day_of("next week"), day_of("0026-08-06")
    ('2026-08-06', None, None, None)
    """
    written = _TIME.sub("", " ".join(text.split()).casefold())
    if found := _ISO.fullmatch(written):
        return _real(found[1], found[2], found[3])
    if found := _NUMBERS.fullmatch(written):
        return _real(found[3], found[2], found[1])
    if found := _WORDS.fullmatch(written):
        return _real(found[3], _month(found[2]), found[1])
    if found := _SERIAL.fullmatch(written):
        return _in_range(_EXCEL_DAY_0 + timedelta(days=int(found[1])))
    return None


def _in_range(day: date) -> date | None:
    return day if day.year in _YEARS else None


def _month(word: str) -> str:
    known = word in _MONTHS or word in _FULL or word == "sept"
    return str(_MONTHS.index(word[:3]) + 1) if known else "0"


def _real(year: str, month: str, day: str) -> date | None:
    try:
        return _in_range(date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day)))
    except ValueError:
        return None
