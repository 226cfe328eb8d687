"""What an agency can ask for, by the cause for which rows are refused or values cannot be read."""

from collections.abc import Mapping
from typing import Final

_NUMBERS: Final = (
    "ask for the NHS number in every row; where the system has none, NHS England's Demographics Batch Service traces "
    "it from name, birth date and postcode, and social care may send la_person_id as well"
)
_HOMES: Final = (
    "ask for the UPRN of every home; the council's address register has it, and address matching (such as ASSIGN) "
    "finds it"
)
_TEXT: Final = "export identifiers as text, not as numbers"

# By column and rule, and else by rule alone.
_ASK: Final = {
    "nhs_number: missing": _NUMBERS,
    "uprn: missing": _HOMES,
    "birth_date: missing": "ask for the date of birth of every patient",
    "birth_month: missing": "ask for the month of birth of every patient",
    "not_an_nhs_number": "ask whether the column holds NHS numbers: ten digits with a right check digit; an agency's "
    'own ids need `ids = "own"` (--ids own)',
    "not_a_uprn": "ask whether the column holds UPRNs: 1 to 12 digits; leave it out where it holds another reference",
    "spreadsheet_number": _TEXT,
    "not_a_date": "ask for dates written year-month-day, such as 1940-05-17, or declare their form under "
    "`[TABLE.reader]` date_formats",
    "one_of_two_needed": "send each row with either a person or a home, and not both",
    "looks_like_an_identifier": "leave out the column, or ask for codes or fixed labels instead of what was typed",
    "free_text": "leave out the column, or ask for codes or fixed labels instead of what was typed",
    "wrong_number_of_fields": "ask for the file again, with quotation marks round fields that hold a comma",
    "not_an_area": "ask for codes of Lower layer Super Output Areas of 2021, or send postcodes and a look-up",
    "not_in_the_look_up": "give a newer look-up of postcodes",
}


def remedy(by_rule: Mapping[str, int]) -> str:
    """What to ask for, the most frequent cause first.

    >>> remedy({"nhs_number: spreadsheet_number": 8, "nhs_number: missing": 9})[:51]
    'ask for the NHS number in every row; where the syst'
    """
    labels = sorted(by_rule, key=lambda label: (-by_rule[label], label))
    asked = dict.fromkeys(_ASK.get(label) or _ASK.get(label.split(": ")[-1], "") for label in labels)
    return "; ".join(text for text in asked if text)
