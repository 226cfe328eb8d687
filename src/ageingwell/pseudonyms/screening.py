"""What makes a row refused at the agency: an identifier that is none, and identities where none belong.

The screen is the second fence. The first is that a column carries only what its contract promises (`carrying`), and
that columns that no contract knows are never carried at all.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from ageingwell.pseudonyms.identifiers import canonical_nhs_number, canonical_uprn, is_missing

RULES: Final = {
    "missing": "a value is needed here and none was sent",
    "not_an_nhs_number": "the value is not ten digits with a right check digit",
    "spreadsheet_number": "a spreadsheet or a column of numbers has changed the number (an exponent, a decimal point "
    "with more than one zero after it, commas or an apostrophe)",
    "not_a_uprn": "the value is not 1 to 12 digits",
    "not_an_area": "the value is not the code of a Lower layer Super Output Area of 2021",
    "not_in_the_look_up": "the look-up of postcodes does not hold this postcode",
    "not_a_date": "the date is not a real day written year-month-day",
    "one_of_two_needed": "exactly one of two columns must hold a value",
    "looks_like_an_identifier": "the value seems to hold a name, address, day, long number, postcode, telephone number "
    "or e-mail address",
    "free_text": "the value is too long for a label, or holds a line break",
    "wrong_number_of_fields": "the row does not have as many fields as the header",
}

# Codes of clinical terminologies are long numbers by nature; they are compared with the row's own NHS number only.
CODES: Final = ("code", "bnf_code", "dmd_code", "icd10")
# The longest label of the national return of adult social care has 60 letters.
_LONGEST_LABEL: Final = 120
# A hospital record has room for twenty diagnoses of up to seven characters.
_LONGEST: Final = {"other_icd10": 200}
# A time of day behind the day is left off, as where the group reads days (`sources.written`).
_ZONE: Final = r"(?: ?(?:Z|UTC|[+-][0-9]{2}:?[0-9]{2}))?"
_TIME: Final = rf"[ T](?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]+)?)?{_ZONE}"
_DATE: Final = rf"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(?:{_TIME})?$"
_MONTH: Final = r"^[0-9]{4}-[0-9]{2}(?:-[0-9]{2})?$"


# The last digits of such a number may be lost, and a UPRN has no check digit that would tell. So none is ever read.
_SPREADSHEET: Final = r"(?i)[0-9]e\+?[0-9]+$|[0-9][.,][0-9]*$|^'"
# An agency's own id may hold a point or an E by nature: these forms are left, which only a column of numbers writes.
_SPREADSHEET_ID: Final = r"^[0-9]+\.0*$|^[0-9](?:\.[0-9]+)?[eE]\+[0-9]+$|^[0-9]\.[0-9]+[eE][0-9]+$|^'"
_OTHER_DIGITS: Final = r"[^0-9\P{Nd}]"
# An id of noughts and signs alone, such as 0 or 000/0, stands for none; two people who have it are not one.
_SAYS_SOMETHING: Final = r"[\p{L}1-9]|[^0-9\P{Nd}]"
LSOA21: Final = r"^[EW]01[0-9]{6}$"

_PERSONS: Final = ("nhs_number", "linked_nhs_number")
_HOMES: Final = ("uprn",)


def with_canonical(rows: pl.DataFrame, *, own: bool = False) -> pl.DataFrame:
    """Put the canonical spelling of each identifier beside it, so that it is worked out once a row.

    Where the ids are the agency's `own`, that is the text without the blanks around it.
    """
    persons = [_spelt(canonical_nhs_number, name, own=own) for name in _PERSONS if name in rows.columns]
    homes = [_spelt(canonical_uprn, name, own=own) for name in _HOMES if name in rows.columns]
    return rows.with_columns(*persons, *homes)


def _spelt(canonical_of: Callable[[pl.Expr], pl.Expr], name: str, *, own: bool) -> pl.Expr:
    return (sound_id(name) if own else canonical_of(pl.col(name))).alias(f"_{name}")


def local_id(column: str) -> pl.Expr:
    """The agency's own id as it is digested: without the blanks around it; null where it is none or spoilt."""
    return pl.when(~_means_nobody(column)).then(sound_id(column))


def sound_id(column: str) -> pl.Expr:
    """An id of any text without the blanks around it; null where it is missing, or a spreadsheet has spoilt it."""
    return pl.when(~is_missing(pl.col(column)) & ~_is_spoilt_id(column)).then(pl.col(column).str.strip_chars())


def _is_spoilt_id(column: str) -> pl.Expr:
    text = pl.col(column).str.strip_chars()
    return text.str.contains(_SPREADSHEET_ID) | text.str.contains(_OTHER_DIGITS)


def _means_nobody(column: str) -> pl.Expr:
    return is_missing(pl.col(column)) | ~pl.col(column).str.contains(_SAYS_SOMETHING)


def canonical(column: str) -> pl.Expr:
    """The canonical spelling of an identifier column in rows that `with_canonical` has seen."""
    return pl.col(f"_{column}")


@dataclass(frozen=True)
class Fault:
    """A rule that a column of the raw table must keep, and the expression that is true where a row breaks it."""

    column: str
    rule: str
    is_broken: pl.Expr


def needed_person(column: str, *, own: bool = False) -> list[Fault]:
    """Faults of an NHS number, or of an `own` id, that must be there."""
    return [Fault(column, "missing", is_missing(pl.col(column))), *wrong_person(column, own=own)]


def wrong_person(column: str, *, own: bool = False) -> list[Fault]:
    """Faults of an NHS number, or of an `own` id, that may be blank."""
    return _unreadable(column, "not_an_nhs_number", own=own)


def needed_home(column: str, *, own: bool = False) -> list[Fault]:
    """Faults of a UPRN, or of an `own` id, that must be there."""
    return [Fault(column, "missing", is_missing(pl.col(column))), *wrong_home(column, own=own)]


def wrong_home(column: str, *, own: bool = False) -> list[Fault]:
    """Faults of a UPRN, or of an `own` id, that may be blank."""
    return _unreadable(column, "not_a_uprn", own=own)


def _unreadable(column: str, rule: str, *, own: bool) -> list[Fault]:
    text = pl.col(column)
    is_wrong = ~is_missing(text) & canonical(column).is_null()
    if own:
        return [Fault(column, "spreadsheet_number", is_wrong)]
    is_damaged = text.str.strip_chars().str.contains(_SPREADSHEET)
    return [
        Fault(column, "spreadsheet_number", is_wrong & is_damaged),
        Fault(column, rule, is_wrong & ~is_damaged),
    ]


def wrong_local_id(column: str) -> list[Fault]:
    """Faults of an agency's own id, which may be blank: another spelling would be another digest, and join nothing."""
    return [Fault(column, "spreadsheet_number", ~is_missing(pl.col(column)) & _is_spoilt_id(column))]


def local_id_is_sent(column: str) -> pl.Expr:
    """Where an agency's own id was sent."""
    return ~_means_nobody(column)


def wrong_area(column: str) -> list[Fault]:
    """Faults of an area's code, which may be blank."""
    text = pl.col(column)
    return [Fault(column, "not_an_area", ~is_missing(text) & area(column).is_null())]


def area(column: str) -> pl.Expr:
    """The code of an area in capitals; null where it is none."""
    text = pl.col(column).str.strip_chars().str.to_uppercase()
    return pl.when(text.str.contains(LSOA21)).then(text)


def one_of_two(person: str, home: str, *, present: frozenset[str], own: bool = False) -> list[Fault]:
    """Faults of a row about either a person or a home: exactly one of the two, and that one right.

    An NHS number that cannot be read beside a good UPRN is a fault too: an opt-out of a person must not become one of
    a home and so be lost for the person.
    """
    faults = [
        *(wrong_person(person, own=own) if person in present else []),
        *(wrong_home(home, own=own) if home in present else []),
    ]
    blanks = [is_missing(pl.col(column)) if column in present else pl.lit(value=True) for column in (person, home)]
    return [*faults, Fault(person if person in present else home, "one_of_two_needed", blanks[0] == blanks[1])]


def birth_faults(column: str) -> list[Fault]:
    """Faults of a date or month of birth."""
    text = pl.col(column)
    is_wrong = ~is_missing(text) & birth_day(column).is_null()
    return [Fault(column, "missing", is_missing(text)), Fault(column, "not_a_date", is_wrong)]


def birth_day(column: str) -> pl.Expr:
    """The day of a date of birth, or the first day of a month of birth; null where it is not one."""
    text = pl.col(column).str.strip_chars()
    day = pl.when(text.str.contains(_DATE)).then(text.str.head(10))
    if column == "birth_month":
        day = pl.when(text.str.contains(_MONTH)).then(text.str.head(7) + "-01")
    return day.str.to_date("%Y-%m-%d", strict=False)


def screened(column: str, *, own_numbers: Sequence[str] = ()) -> list[Fault]:
    """Faults of a column that is carried over, in rows that `with_carried` has seen: it could tell who somebody is.

    `own_numbers` are the columns of the row's own identifiers, which no code may be.
    """
    text = pl.col(column)
    is_long = (text.str.len_chars() > _LONGEST.get(column, _LONGEST_LABEL)) | text.str.contains(
        r"[\x00-\x08\x0a-\x1f\x7f]"
    )
    is_identifier = pl.col(f"_tells_{column}")
    if column in CODES and own_numbers:
        digits = text.str.replace_all(r"[^0-9]", "")
        is_identifier = pl.any_horizontal((digits == canonical(name)).fill_null(value=False) for name in own_numbers)
    return [
        Fault(column, "looks_like_an_identifier", is_identifier),
        Fault(column, "free_text", is_long & pl.col(f"_stays_{column}")),
    ]


def wrong_day(column: str) -> list[Fault]:
    """Faults of a day that is needed and carried over, in rows that `with_carried` has seen."""
    return [Fault(column, "not_a_date", pl.col(f"_stays_{column}") & ~pl.col(f"_tells_{column}"))]


def refused_cells(rows: pl.DataFrame, faults: list[Fault]) -> pl.DataFrame:
    """Give `row` (0-based), `column` and `rule` for every rule that a row breaks; never a value."""
    broken = rows.select(fault.is_broken.fill_null(value=False).alias(str(n)) for n, fault in enumerate(faults))
    found = [
        broken.select(row=pl.arg_where(pl.col(str(n)))).with_columns(
            column=pl.lit(fault.column), rule=pl.lit(fault.rule)
        )
        for n, fault in enumerate(faults)
    ]
    none = pl.DataFrame(schema={"row": pl.get_index_type(), "column": pl.String, "rule": pl.String})
    return pl.concat([none, *found])
