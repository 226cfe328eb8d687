"""The items of TRIPOD+AI, and where a model card answers each.

Source: Collins and others, TRIPOD+AI statement, BMJ 2024;385:e078378 (27 items, some in parts). Told in our words.
"""

from dataclasses import dataclass
from typing import Final

SHORT: Final = "In short"
FOR: Final = "What it is for"
NOT_FOR: Final = "What it must not be used for"
PEOPLE: Final = "Whose records"
MADE: Final = "How it was made"
FOUND: Final = "What was found"
GROUPS: Final = "Group by group"
LIMITS: Final = "Limits, and how to use it"
PERSON: Final = "To be filled in by a person"


@dataclass(frozen=True)
class Item:
    """One item or part of one: its number, what it asks for, and the sections of the card that answer it."""

    number: str
    asks: str
    answered: tuple[str, ...]

    @property
    def main(self) -> int:
        """The number of the item it belongs to.

        >>> Item("12a", "how people were parted", (MADE,)).main
        12
        """
        return int(self.number.rstrip("abcdefg"))


ITEMS: Final = (
    Item("1", "title: target population, outcome, development or evaluation", (SHORT,)),
    Item("2", "abstract", (SHORT,)),
    Item("3a", "healthcare context, and why a model; models there are", (FOR, PERSON)),
    Item("3b", "target population, purpose, place in the pathway, users", (FOR,)),
    Item("3c", "known health inequalities", (PERSON,)),
    Item("4", "objectives", (SHORT,)),
    Item("5a", "sources of the data, and who they represent", (PEOPLE, PERSON)),
    Item("5b", "dates of the data", (PEOPLE,)),
    Item("6a", "setting and places", (PEOPLE, PERSON)),
    Item("6b", "who was eligible", (PEOPLE,)),
    Item("6c", "treatments received", (PEOPLE, PERSON)),
    Item("7", "preparing and checking the data", (PEOPLE,)),
    Item("8a", "outcome, horizon, how it was found", (PEOPLE,)),
    Item("8b", "who assessed the outcome, where that takes judgement", (PEOPLE,)),
    Item("8c", "blinding of the assessment", (PEOPLE,)),
    Item("9a", "choice of predictors", (MADE,)),
    Item("9b", "definition of every predictor", (MADE,)),
    Item("9c", "who assessed predictors, where that takes judgement", (PEOPLE,)),
    Item("10", "sample size", (MADE,)),
    Item("11", "missing data", (MADE,)),
    Item("12a", "how the data were parted", (MADE,)),
    Item("12b", "how predictors were handled", (MADE,)),
    Item("12c", "type of model, building steps, internal validation", (MADE,)),
    Item("12d", "differences between clusters: how they were looked at", (GROUPS,)),
    Item("12e", "measures of performance", (FOUND,)),
    Item("12f", "updating of the model", (MADE,)),
    Item("12g", "how predictions are worked out", (MADE,)),
    Item("13", "class imbalance", (MADE,)),
    Item("14", "fairness", (GROUPS,)),
    Item("15", "output of the model, and thresholds", (MADE,)),
    Item("16", "differences of development and evaluation data", (PEOPLE,)),
    Item("17", "ethical approval", (PERSON,)),
    Item("18a", "funding", (PERSON,)),
    Item("18b", "conflicts of interest", (PERSON,)),
    Item("18c", "protocol", (PERSON,)),
    Item("18d", "registration", (PERSON,)),
    Item("18e", "sharing of data", (PERSON,)),
    Item("18f", "sharing of code", (MADE,)),
    Item("19", "involvement of patients and the public", (PERSON,)),
    Item("20a", "flow of people, with and without the event", (PEOPLE, FOUND)),
    Item("20b", "who the people were", (GROUPS,)),
    Item("20c", "predictors in development and evaluation compared", (PEOPLE,)),
    Item("21", "people and events in each analysis", (PEOPLE,)),
    Item("22", "the full model", (MADE,)),
    Item("23a", "performance with intervals, subgroups included", (FOUND, GROUPS)),
    Item("23b", "differences of performance between clusters", (GROUPS,)),
    Item("24", "results of updating", (MADE,)),
    Item("25", "interpretation, fairness included", (SHORT, PERSON)),
    Item("26", "limitations", (LIMITS, PERSON)),
    Item("27a", "poor or missing input in use", (LIMITS,)),
    Item("27b", "what users do, and what they must know", (LIMITS,)),
    Item("27c", "next steps", (LIMITS, PERSON)),
)

# What a person writes, by item; a part answers several where one answer serves them.
BY_A_PERSON: Final = {
    "Owner of the model, clinical-safety officer, date of the next review": (),
    "Why a model here, and which models there are already": ("3a",),
    "Health inequalities known in this place": ("3c",),
    "Who the records are about, and who is not in them; places and practices": ("5a", "6a"),
    "Services and treatments that changed in the years looked at": ("6c",),
    "Local review of the code lists": (),
    "Approval: ethics or information governance, and the legal basis": ("17",),
    "Funding, and the funder's part in it": ("18a",),
    "Conflicts of interest": ("18b",),
    "Protocol, and registration of the study": ("18c", "18d"),
    "Who may have the data, and how": ("18e",),
    "Older people, carers and the public: how they took part": ("19",),
    "What the figures mean here, for groups as well as for all; what could mislead": ("25", "26"),
    "What is looked at next, and where else the model was tried": ("27c",),
}
