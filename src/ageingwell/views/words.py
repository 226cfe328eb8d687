"""The words of the views: agencies, needs and outcomes as a reader meets them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from ageingwell.reading.listed import NOT_LISTED
from ageingwell.register import AGENCY_WORDS


@dataclass(frozen=True, slots=True)
class NeedWords:
    """A need by its name, for who may read every fact its rule counts; else in words that tell no fact at all.

    `say` is what a visitor who may not read the facts says at the door, and `step` their next step: the same for all
    needs of the same functional words, or they would tell them apart.
    """

    name: str
    functional: str
    say: str
    step: str


STEADY: Final = (
    "May need help to stay steady",
    "We are asking people in this area how they are getting about, and whether anything would help",
    "Ask how steady they feel on their feet, and offer a check",
)
FIRE: Final = (
    "May need help to be safe from fire at home",
    "We are offering people in this area a visit about staying safe from fire at home",
    "Make a home fire safety visit and ask every question of it",
)
COMPANY: Final = (
    "May welcome company",
    "We are calling on people in this area to say hello and to tell them what is on near home",
    "Call to say hello; ask what matters to them and tell them what is on near home",
)

NEED_WORDS: Final[dict[str, NeedWords]] = {
    "falls_assessment": NeedWords("Falls assessment", *STEADY),
    "falls_gait_balance": NeedWords("Gait and balance check", *STEADY),
    "oxygen_or_emollient_smoking": NeedWords(
        "Smoking near oxygen or skin products",
        "May need help within days to be safe from fire at home",
        "We are offering people in this area a visit about staying safe from fire at home",
        "Make a home fire safety visit within days and ask every question of it",
    ),
    "no_working_alarm": NeedWords("No working smoke alarm", *FIRE),
    "fire_safety": NeedWords("Fire safety at home (CHARLIE-P)", *FIRE),
    "cold_home": NeedWords(
        "Cold home, and heart or lung disease",
        "May need a warmer home",
        "We are asking people in this area whether their home is warm enough",
        "Check heating, draughts and the cost of keeping warm",
    ),
    "adaptation_waiting": NeedWords(
        "Adaptation waiting",
        "May need help to get about at home",
        "We are asking people in this area whether anything would make getting about easier",
        "Ask what would make getting about at home easier",
    ),
    "hazard_and_falls": NeedWords(
        "Hazard at home, and a fall",
        "May need something at home put right",
        "We are asking people in this area whether anything at home needs putting right",
        "Look with them for anything at home that needs putting right",
    ),
    "carer_under_strain": NeedWords(
        "Carer under strain",
        "May welcome support",
        "We are asking people in this area how they are doing, and telling them what support there is",
        "Ask how they are doing and what support would help",
    ),
    "unsafe_polypharmacy": NeedWords(
        "Many medicines",
        "May welcome a talk with the practice",
        "The practice is offering its patients a talk about how they are doing",
        "Offer a talk about how they are doing",
    ),
    "bereaved_and_alone": NeedWords("Bereaved and living alone", *COMPANY),
    "isolation": NeedWords("Isolation", *COMPANY),
    "added_by_group": NeedWords(
        "Added by the group",
        "Added by the group",
        "We are calling on people in this area to ask whether anything would help at home",
        "See them as the group agreed; ask how they are managing and what would help",
    ),
}
ANY_NEED: Final = NeedWords(
    "Another need",
    "May welcome help",
    "We are calling on people in this area to ask whether anything would help at home",
    "Ask whether anything would help at home",
)

WELLBEING: Final = "Wellbeing check"  # why somebody is visited of whom no need is told

OUTCOME_WORDS: Final[dict[str, str]] = {
    "loss_of_independence": "start home care, enter a care home, have a serious fall admission or die within a year",
    "emergency_admission": "have an unplanned hospital stay within a year",
    "new_long_term_care": "start long-term care within a year",
    "death": "die within a year",
}

# The same, of what has happened.
PAST_OUTCOMES: Final[dict[str, str]] = {
    "loss_of_independence": (
        "started home care, entered a care home, had a serious fall admission or died within a year"
    ),
    "emergency_admission": "had an unplanned hospital stay within a year",
    "new_long_term_care": "started long-term care within a year",
    "death": "died within a year",
}

FOUND_BY: Final[dict[str, str]] = {"rule": "a rule", "model": "a high chance", "both": "a rule, and a high chance"}


def agency_words(name: str) -> str:
    """Name an agency for a reader.

    >>> agency_words("fire"), agency_words("a_new_one")
    ('Fire and rescue', 'A new one')
    """
    return AGENCY_WORDS.get(name, label_words(name))


def cannot_tell(agencies: Sequence[str]) -> str:
    """Say that nobody is known to be in touch, and of which agencies that cannot be told.

    >>> cannot_tell(["Housing", "Fire and rescue"])
    'we cannot tell: no records to check from Housing, Fire and rescue'
    """
    return f"we cannot tell: no records to check from {', '.join(agencies)}"


def words_of_outcome(outcome: str) -> str:
    """Say an outcome as the end of “about 31 in 100 …”.

    >>> words_of_outcome("death"), words_of_outcome("a_new_one")
    ('die within a year', 'a new one')
    """
    return OUTCOME_WORDS.get(outcome, label_words(outcome).lower())


def past_outcome(outcome: str) -> str:
    """Say an outcome as the end of “15 of 30 people …”, of a year that has passed.

    >>> past_outcome("death"), past_outcome("a_new_one")
    ('died within a year', 'had a new one within a year')
    """
    return PAST_OUTCOMES.get(outcome, f"had {label_words(outcome).lower()} within a year")


def capital(text: str) -> str:
    """Begin a text with a capital, as a sentence begins.

    >>> capital("dementia recorded by the GP"), capital("")
    ('Dementia recorded by the GP', '')
    """
    return f"{text[:1].upper()}{text[1:]}"


# Labels of communication needs that hold a name.
_LANGUAGES: Final[dict[str, str]] = {"british_sign_language": "British Sign Language", "bsl": "British Sign Language"}
# Labels that say of a need only that there is one, or not even that.
_SAYS_LITTLE: Final[dict[str, str]] = {
    NOT_LISTED: "Other need: ask them",
    "other": "Other need: ask them",
    "unknown": "Not known",
    "data_not_held": "Not known",
    "none": "None needed",
}


_ABBREVIATIONS: Final = ("bsl", "epc", "gp", "pdf", "sms")


def communication_words(label: str) -> str:
    """Say a communication need as a reader would.

    >>> communication_words("large_print"), communication_words("british_sign_language")
    ('Large print', 'British Sign Language')
    >>> communication_words("bsl_interpreter"), communication_words("other_not_listed")
    ('BSL interpreter', 'Other need: ask them')
    """
    if label in _SAYS_LITTLE:
        return _SAYS_LITTLE[label]
    words = [word.upper() if word in _ABBREVIATIONS else word for word in label.replace("_", " ").split()]
    return _LANGUAGES.get(label, capital(" ".join(words)))


def need_words(need: str) -> str:
    """A need by its name for readers.

    >>> need_words("falls_assessment"), need_words("a_new_need")
    ('Falls assessment', 'A new need')
    """
    return NEED_WORDS[need].name if need in NEED_WORDS else label_words(need)


def label_words(label: str) -> str:
    """Write a label as a reader would.

    >>> label_words("no_access"), label_words("gp_patients")
    ('No access', 'GP patients')
    """
    words = [word.upper() if word in _ABBREVIATIONS else word for word in label.lower().replace("_", " ").split()]
    return capital(" ".join(words))


MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def day_words(day: date) -> str:
    """Write a day as a reader does, in no machine's own language.

    >>> day_words(date(2026, 8, 6))
    '6 August 2026'
    """
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
