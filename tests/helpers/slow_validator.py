"""The contracts a second time: slow, plain Python, row by row, written from the data dictionary's text.

It shares no code that checks with the package. Of the contracts it takes what is declared as data: the kind of each
column, whether it is required, its labels, and what becomes of a cell that cannot be read. Shapes, ranges, days,
numbers and rules across columns are written here again, in other words: a slip in either shows as a disagreement.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import Any

from ageingwell.contracts.gp import UNIT
from ageingwell.contracts.registry import Column, columns

# White space by Unicode, which is what "blanks around a cell" means; Python's own `strip` takes four controls more.
BLANKS = "\t\n\x0b\x0c\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
WORDS_FOR_EMPTY = {"null", "na", "n/a", "#n/a", "nan", "nat"}
YES = {"y", "1", "1_0", "true", "t"}
NO = {"n", "0", "0_0", "false", "f"}
DIGITS = set("0123456789")
ICD10 = r"[A-Z][0-9][0-9A-Z](?:\.?[0-9A-Z]{1,3})?"

# Shapes and ranges, as the column "allowed" of the dictionary tells them.
SHAPES = {
    ("gp_patients", "lsoa21"): r"[EW]01[0-9]{6}",
    ("gp_patients", "practice_code"): r"[A-Z][0-9]{5}",
    ("gp_prescriptions", "bnf_code"): r"[0-9A-Z]{4,15}",
    ("gp_prescriptions", "dmd_code"): r"[0-9]{6,18}",
    ("gp_events", "value_unit"): UNIT,
    ("hospital_events", "icd10"): ICD10,
    ("hospital_events", "other_icd10"): rf"{ICD10}(?:[ ;]+{ICD10})*",
}
# Ids and codes of a system: 1 to 64 signs, none of them a blank.
WITHOUT_BLANKS = {("gp_events", "code"), ("housing_events", "case_id"), ("care_events", "la_person_id")}
PSEUDONYM = r"[bcdfghjklmnpqrst]{32}"
RANGES = {
    ("gp_events", "value"): (-10_000_000, 10_000_000),
    ("care_events", "unit_cost"): (0, 1_000_000),
    ("care_events", "planned_units_per_week"): (0, 10_000),
    ("homes", "lowest_floor"): (-5, 100),
    ("homes", "occupants"): (0, 500),
    ("housing_events", "category"): (1, 2),
    ("fire_visits", "clutter_rating"): (1, 9),
}
Read = Mapping[str, Any]


@dataclass(frozen=True)
class Cell:
    """One cell as it is read: its value, the rule it is refused or emptied for, and whether its person is held."""

    value: Any = None
    refused: str | None = None
    emptied: tuple[str, ...] = ()
    held: bool = False


@dataclass
class Verdict:
    """What becomes of a row: the faults that refuse it, its emptied cells, whether it holds its person, its values."""

    refused: set[tuple[str, str]] = field(default_factory=set)
    emptied: set[tuple[str, str]] = field(default_factory=set)
    held: bool = False
    values: dict[str, Any] = field(default_factory=dict)


def verdict(table: str, row: Mapping[str, str | None]) -> Verdict:
    """What the contract says of a row; a column that is not in it was not sent."""
    found = Verdict()
    for column in columns(table):
        cell = read_cell(table, column.name, row.get(column.name))
        found.values[column.name] = cell.value
        if cell.refused:
            found.refused.add((column.name, cell.refused))
        elif cell.value is None and not column.nullable:
            found.refused.add((column.name, "missing"))
        found.emptied |= {(column.name, rule) for rule in cell.emptied}
        found.held = found.held or cell.held
    for name, rule, is_kept in ACROSS[table]:
        if not is_kept(found.values):
            found.refused.add((name, rule))
    return found


@cache
def _columns(table: str) -> dict[str, Column]:
    return {column.name: column for column in columns(table)}


@cache
def read_cell(table: str, name: str, text: str | None) -> Cell:
    """One cell by itself: what it says, or why it says nothing."""
    column = _columns(table)[name]
    text = (text or "").strip(BLANKS)
    if not text:
        return Cell(column.missing)
    if column.is_emptied and text.lower() in WORDS_FOR_EMPTY - set(column.labels):
        return Cell(column.missing, emptied=("word_for_empty",))
    if column.kind == "label":
        return _label(column, text)
    if column.kind == "date":
        return _date(column, text)
    if column.kind == "text":
        return _text(table, column, text)
    return _number(table, column, text)


def _unreadable(column: Column, rule: str, value: Any = None) -> Cell:
    """A cell that breaks a rule of its own: what its column does with one."""
    if column.unreadable == "refused":
        return Cell(value, refused=rule)
    return Cell(column.missing, emptied=(rule,), held=column.unreadable == "held")


def fold(text: str) -> str:
    """Small letters, every run of other than letters and digits one `_`, ends trimmed."""
    letters = [sign if unicodedata.category(sign)[0] in "LN" else "_" for sign in text.lower()]
    return re.sub("_+", "_", "".join(letters)).strip("_")


def _label(column: Column, text: str) -> Cell:
    folded = fold(text)
    if set(column.labels) == {"yes", "no", "unknown"}:
        more = re.match(r"(?i)yes *[-–—:] *[^\s–—-]", text)
        folded = "yes" if folded in YES or (more and folded not in YES | NO) else "no" if folded in NO else folded
    folded = dict(column.also).get(folded, folded)
    if folded == "" or folded in column.also_missing:
        return Cell(column.missing)
    if column.labels and folded not in column.labels:
        return _unreadable(column, "unknown_label", folded)
    return Cell(_on_the_list(column, folded))


def _on_the_list(column: Column, folded: str) -> str:
    """An open label as it is carried: on our list, by the part of a pattern that we wrote, or as other."""
    if not column.known or folded in column.known:
        return folded
    for pattern in column.known:
        ours = pattern.replace("*", "")
        fits = {
            (True, True): ours in folded,
            (True, False): folded.endswith(ours),
            (False, True): folded.startswith(ours),
        }.get((pattern.startswith("*"), pattern.endswith("*")), False)
        if fits:
            return ours.strip("_")
    return "other_not_listed"


def _text(table: str, column: Column, text: str) -> Cell:
    if (table, column.name) in WITHOUT_BLANKS and (len(text) > 64 or set(text) & set(BLANKS)):
        return _unreadable(column, "wrong_shape", text)
    shape = PSEUDONYM if column.is_pseudonym else SHAPES.get((table, column.name))
    if shape is not None and not re.fullmatch(shape, text):
        return _unreadable(column, "wrong_shape", text)
    if (table, column.name) == ("gp_prescriptions", "dmd_code") and not is_snomed(text):
        return _unreadable(column, "bad_check_digit", text)
    return Cell(text)


def _date(column: Column, text: str) -> Cell:
    found = day_of(text)
    if found is None:
        return _unreadable(column, "not_a_date")
    rule = column.placeholder
    if rule is not None:
        is_low = found < rule.low_before or found in rule.also_low
        becomes = rule.low if is_low else rule.far if found.year >= 2099 else None
        if becomes == "refused":
            return Cell(None, refused="placeholder_day")
        if becomes is not None:
            return Cell(None, emptied=("placeholder_day",), held=becomes == "held")
    return Cell(found)


def day_of(text: str) -> date | None:
    """A day written year-month-day, with or without a time of day and its zone; the day is as it was written."""
    day, rest = text[:10], text[10:]
    if len(day) < 10 or day[4] + day[7] != "--" or not set(day[:4] + day[5:7] + day[8:]) <= DIGITS:
        return None
    if rest and not _is_time(rest):
        return None
    if day == "0000-00-00":
        return date.min  # MySQL's day of nought is no day, and stands for none
    try:
        return date(int(day[:4]), int(day[5:7]), int(day[8:]))
    except ValueError:
        return None


def _is_time(text: str) -> bool:
    if text[0] not in " T":
        return False
    clock, zone = re.fullmatch(r"([0-9:.,]*)(.*)", text[1:], re.DOTALL).groups()  # type: ignore[union-attr]
    hours, *others = clock.split(":")
    if not others or len(others) > 2 or len(hours) not in (1, 2) or not hours.isdigit() or int(hours) > 23:
        return False
    seconds, mark, parts = (others[1] if len(others) == 2 else "00").replace(",", ".").partition(".")
    if mark and not (parts.isdigit() and len(others) == 2):
        return False
    if any(len(one) != 2 or not one.isdigit() or int(one) > 59 for one in (others[0], seconds)):
        return False
    zone = zone[1:] if zone.startswith(" ") else zone
    if not zone:
        return not text.endswith(" ")
    digits = zone[1:3] + zone[-2:]
    is_shift = zone[0] in "+-" and set(digits) <= DIGITS and (len(zone) == 5 or (len(zone) == 6 and zone[3] == ":"))
    return zone in ("Z", "UTC") or is_shift


def _number(table: str, column: Column, text: str) -> Cell:
    number = number_of(text)
    fault = "not_a_number" if column.kind == "number" else "not_a_whole_number"
    is_whole = number is not None and number == int(number) and -(2.0**63) <= number < 2.0**63
    if number is None or (column.kind == "whole" and not is_whole):
        return _unreadable(column, fault)
    low, high = RANGES.get((table, column.name), (None, None))
    value = int(number) if column.kind == "whole" else number
    if low is not None and not low <= value <= high:
        return _unreadable(column, "out_of_range", value)
    return Cell(value)


def number_of(text: str) -> float | None:
    """A number as people write it; None for what could be read in two ways, and for what is none."""
    if re.fullmatch(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", text):
        found = float(text)
        return found if abs(found) < float("inf") else None
    # Blanks of web pages, of Word and of spreadsheets, and the minus sign of typographers.
    tidy = re.sub("[ \t\u00a0\u2007\u202f]+", " ", text).replace("−", "-")
    is_in_brackets = tidy.startswith("(") and tidy.endswith(")")
    if ("(" in tidy or ")" in tidy) and not is_in_brackets:
        return None
    if is_in_brackets:
        tidy = tidy[1:-1]
        tidy = tidy.removeprefix(" ")
        tidy = tidy.removesuffix(" ")
    signs = ""
    for sign in ("+-", "£", "+-"):
        if tidy[:1] and tidy[0] in sign:
            signs += tidy[0] if tidy[0] != "£" else ""
            tidy = tidy[1:].removeprefix(" ")
        if sign == "+-" and tidy.startswith(" "):
            return None
    if len(signs) > 1 or (signs and is_in_brackets):
        return None
    whole, point, parts = tidy.partition(".")
    if point and parts and not set(parts) <= DIGITS:
        return None
    for between in (",", " "):
        groups = whole.split(between)
        if len(groups) > 1 and 1 <= len(groups[0]) <= 3 and all(len(one) == 3 for one in groups[1:]):
            whole = "".join(groups)
            break
    if not (whole or parts) or not set(whole) <= DIGITS:
        return None
    if not whole and not point:
        return None
    number = float(f"{whole or '0'}.{parts or '0'}")
    if number == float("inf"):
        return None
    return -number if is_in_brackets or signs == "-" else number


# SNOMED CT identifiers end in a check digit by Verhoeff, here by the group of the pentagon's turns and flips.
def _times(one: int, other: int) -> int:
    turned = (one % 5 + (other % 5 if one < 5 else -(other % 5))) % 5
    return turned + 5 * ((one >= 5) != (other >= 5))


_TURN = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def is_snomed(text: str) -> bool:
    """6 to 18 digits, no 0 in front, and the last is the check digit of the others."""
    if not 6 <= len(text) <= 18 or not set(text) <= DIGITS or text[0] == "0":
        return False
    product = 0
    for place, digit in enumerate(reversed(text)):
        number = int(digit)
        for _ in range(place % 8):
            number = _TURN[number]
        product = _times(product, number)
    return product == 0


# Rules across columns; a rule that meets a missing value is kept.
Rule = tuple[str, str, Callable[[Read], bool]]


def _not_before(later: str, earlier: str) -> Callable[[Read], bool]:
    return lambda row: row[later] is None or row[earlier] is None or row[later] >= row[earlier]


def _ends(later: str, earlier: str) -> Rule:
    return later, "end_before_start", _not_before(later, earlier)


def _recorded(later: str, earlier: str) -> Rule:
    return later, "recorded_before_it_happened", _not_before(later, earlier)


def _one_of(first: str, second: str) -> Callable[[Read], bool]:
    return lambda row: (row[first] is None) != (row[second] is None)


def _age_is_possible(row: Read) -> bool:
    born, recorded = row["birth_month"], row["recorded_on"]
    if born is None or recorded is None:
        return True
    if recorded < born:
        return False
    try:
        birthday = born.replace(year=born.year + 116)
    except ValueError:  # 29 February: the day before
        birthday = born.replace(year=born.year + 116, day=28)
    return recorded < birthday


def _death_is_not_foretold(row: Read) -> bool:
    told = [day for day in (row["recorded_on"], row["died_recorded_on"]) if day is not None]
    return row["died_on"] is None or not told or row["died_on"] <= max(told) + timedelta(days=365)


def _patient_recorded(row: Read) -> bool:
    return all(_not_before("recorded_on", earlier)(row) for earlier in ("registered_on", "moved_in_on"))


ACROSS: Mapping[str, tuple[Rule, ...]] = {
    "gp_patients": (
        ("birth_month", "not_the_first", lambda row: row["birth_month"] is None or row["birth_month"].day == 1),
        ("birth_month", "impossible_age", _age_is_possible),
        _ends("registered_on", "birth_month"),
        _ends("moved_in_on", "birth_month"),
        _ends("left_on", "registered_on"),
        _ends("died_on", "birth_month"),
        ("died_on", "recorded_before_it_happened", _death_is_not_foretold),
        _recorded("left_recorded_on", "left_on"),
        _recorded("died_recorded_on", "died_on"),
        (
            "died_recorded_on",
            "recorded_without_its_day",
            lambda row: row["died_on"] is not None or row["died_recorded_on"] is None,
        ),
        ("recorded_on", "recorded_before_it_happened", _patient_recorded),
    ),
    "gp_events": (
        (
            "code",
            "bad_check_digit",
            lambda row: row["code_system"] != "snomed" or row["code"] is None or is_snomed(row["code"]),
        ),
        _recorded("recorded_on", "happened_on"),
    ),
    "gp_prescriptions": (
        ("issued_on", "one_of_two_needed", lambda row: row["bnf_code"] is not None or row["dmd_code"] is not None),
        _recorded("recorded_on", "issued_on"),
    ),
    "hospital_events": (_ends("ended_on", "started_on"), _recorded("recorded_on", "started_on")),
    "care_events": (
        _ends("ended_on", "started_on"),
        _recorded("ended_recorded_on", "ended_on"),
        _recorded("recorded_on", "started_on"),
    ),
    "homes": (_recorded("recorded_on", "epc_inspected_on"),),
    "housing_events": (_recorded("recorded_on", "happened_on"),),
    "fire_visits": (_recorded("recorded_on", "visited_on"),),
    "fire_incidents": (_recorded("recorded_on", "happened_on"),),
    "permissions": (
        ("kind", "one_of_two_needed", _one_of("person_id", "household_id")),
        ("kind", "missing", lambda row: row["kind"] != "national_allowed" or row["person_id"] is not None),
        _ends("to_on", "from_on"),
    ),
    "contacts": (
        ("agency", "one_of_two_needed", _one_of("person_id", "household_id")),
        _recorded("recorded_on", "contacted_on"),
    ),
}
