"""The words of pages and workbooks: steps, reasons, purposes, and the words that are never used."""

from typing import Final

MARKING: Final = "OFFICIAL-SENSITIVE: PERSONAL"
SHEET_NAMES: Final = {
    "list": "List",
    "homes": "Homes",
    "add": "Add someone",
    "plans": "Plans",
    "safeguarding": "Safeguarding",
}

# Never written on a page: they label people, claim causes or certainty (evidence: plain-English and NHS content rules).
BANNED: Final = (
    "elderly",
    "pensioner",
    "pensioners",
    "oap",
    "senior",
    "seniors",
    "frail",
    "high risk",
    "high-risk",
    "predicts",
    "predicted",
    "because",
)

STEP_WORDS: Final = {
    "read": "Record could not be used",
    "permitted": "May not be used",
    "spine": "Not a resident of the age asked for",
    "eligible": "Not offered help tonight",
    "rank": "Nothing found to act on",
    "allocate": "No place this week",
    "withdrawn": "Withdrawn after the list was made",
    "listed": "On the list",
}

REASON_WORDS: Final = {
    "type_1": "asked their GP not to share their record (type 1 opt-out)",
    "national": "asked for their data not to be used (national opt-out)",
    "objection": "asked not to be included",
    "forgotten": "asked for their record here to be deleted",
    "restriction": "asked for their record to be restricted",
    "deceased": "has died",
    "moved": "has moved away",
    "safeguarding": "with the safeguarding lead",
    "safeguarding_at_home": "someone at home is with the safeguarding lead",
    "impossible_age": "the register gives an age over 115: held, for the practice to check",
    "record_held": "the newest record of the practice could not be read",
    "death_not_read": "the practice gives a day of death that could not be read: held, for the practice to check",
    "leaving_not_read": "the practice gives a day of leaving that could not be read: held, for the practice to check",
    "home_not_read": "the practice gives a home that could not be read: held, for the practice to check",
    "care_home": "lives in a care home",
    "end_of_life": "near the end of life: no routine outreach",
    "in_hospital": "in hospital: held until they are home",
    "cooling_off": "visited or contacted recently, so not asked again yet",
    "decided_otherwise": "you decided not to contact them yet, or they said no",
    "no_to_settle": "held until the chair decides: someone reports a no",
    "no_need_or_high_risk": "no need found, and the chance is not among the highest",
    "no_place_this_week": "no visit left this week",
    "lost_the_lot": "not picked in the random draw, so not visited for now",
    "no_longer_in_the_records": "no longer in the records that may be used",
    "no_person_linked": "we do not know who lives in the home",
    "opted_out": "someone there opted out",
    "before_the_resident_left": "what was found there is about someone who has died or left",
    "allocated": "on the list",
    "listed": "on the list",
}

PURPOSE_WORDS: Final = {
    "direct_care": "direct care",
    "risk_stratification": "finding who to offer help to first (risk stratification)",
    "evaluation": "evaluation",
}


def reason_words(reason: str) -> str:
    """Say a reason as a reader would; one that has no words yet is written out.

    >>> reason_words("in_hospital"), reason_words("lives_abroad")
    ('in hospital: held until they are home', 'lives abroad')
    """
    return REASON_WORDS.get(reason, reason.replace("_", " "))


def step_words(step: str) -> str:
    """Say a step of the night as a reader would."""
    return STEP_WORDS.get(step, step.replace("_", " ").capitalize())
