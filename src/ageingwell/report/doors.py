"""One recipient's list, door by door, from nothing but the cells of its own view."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from ageingwell.report.cells import shown_key
from ageingwell.report.filters import Question, marks_of, questions_of
from ageingwell.views.columns import AgencyView, Column
from ageingwell.views.recipient import NO_HOME

ASKED: Final[tuple[Question, ...]] = (
    ("urgency", "How soon", "Everyone"),
    ("part", "Your part", "Every part"),
    ("lead_agency", "Lead", "Every lead"),
    ("needs", "Need", "Every need"),
    ("place", "Place", "Every place"),
    ("known_to", "Already known to", "Every service"),
    ("new_since_last", "New or not", "Everybody"),
    ("status", "Decision", "Every state"),
)
ORDERS: Final = (
    {"by": "place", "text": "Place, A to Z"},
    {"by": "lead_agency", "text": "Lead, A to Z"},
    {"by": "-age_band", "text": "Age, oldest first"},
    {"by": "status", "text": "Decision, A to Z"},
)
SORTED_ONLY: Final[tuple[Question, ...]] = (("age_band", "Age", "Every age"),)
# What stands in the box on top of somebody's page, in this order.
FIRST: Final = (
    "action",
    "part",
    "lead_agency",
    "act_by",
    "urgency",
    "needs",
    "last_time",
    "earlier",
    "facts",
    "offers",
    "known_to",
    "person_told",
    "plan",
    "what_to_say",
    "communication_need",
)
LEADS: Final = "You lead"
# How many texts of a column the box has room for; all of them stand below.
AT_FIRST: Final[Mapping[str, int]] = {"facts": 2, "earlier": 1, "offers": 1}
URGENT: Final = "Urgent"
# What the list shows of a row: below the key, in columns, and below those. Its page shows every column of the view.
BELOW_THE_KEY: Final = ("age_band", "place")
IN_COLUMNS: Final = ("needs", "part", "earlier", "status", "chance")
BELOW: Final[Mapping[str, tuple[str, ...]]] = {
    "needs": ("action",),
    "part": ("lead_agency", "act_by"),
    "chance": ("band",),
    "earlier": ("last_time",),
}
ON_THE_LIST: Final = (*BELOW_THE_KEY, *IN_COLUMNS, *(name for under in BELOW.values() for name in under))
LONG: Final = 24  # from this width in a workbook on, a column takes the whole line of a door's page
KEYS: Final = ("row_key", "household_key")


def by_door(view: AgencyView) -> dict[str, Any]:
    """Set a view out as a list with a row a person and a page a door, with what the list can be asked by."""
    columns = {column.name: column for column in view.columns}
    titles = {name: column.title for name, column in columns.items()}
    people = view.frame.to_dicts()
    answers = [{name: _texts(person[name]) for name in titles if name not in KEYS} for person in people]
    asked = [question for question in ASKED if question[0] in titles]
    sorted_only = [question for question in SORTED_ONLY if question[0] in titles]
    marks = marks_of(answers, asked=[*asked, *sorted_only])
    doors: list[dict[str, Any]] = [
        {
            "anchor": f"door-{number}",
            "key": shown_key(home),
            "has_home": home != NO_HOME,
            "people": [_person(people[at], columns) for at in inside],
        }
        for number, (home, inside) in enumerate(_together(people), start=1)
    ]
    anchors = [door["anchor"] for door in doors for _ in door["people"]]
    return {
        "doors": doors,
        "listed": [
            {
                "anchor": anchor,
                "key": shown_key(person["row_key"]),
                "who": _who(person),
                "cells": _listed(person),
                "is_urgent": person.get("urgency") == URGENT,
                "marks": mark,
            }
            for anchor, person, mark in zip(anchors, people, marks, strict=True)
        ],
        "heads": {name: titles[name] for name in IN_COLUMNS if name in titles},
        "below": BELOW,
        "questions": questions_of(answers, asked=asked),
        "orders": [order for order in ORDERS if order["by"].lstrip("-") in titles],
    }


def _together(people: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[int]]]:
    """The rows of each door, in the order of the list: neighbours with one home key; without a home each alone."""
    doors = groupby(
        range(len(people)),
        key=lambda at: (people[at]["household_key"], at if people[at]["household_key"] == NO_HOME else -1),
    )
    return [(home, list(inside)) for (home, _), inside in doors]


def _person(person: Mapping[str, Any], columns: Mapping[str, Column]) -> dict[str, Any]:
    told: dict[str, dict[str, Any]] = {
        name: {"label": column.title, "name": name, "texts": _texts(person[name]), "is_long": column.width >= LONG}
        for name, column in columns.items()
        if name not in KEYS
    }
    rest = [
        part
        for name, part in told.items()
        if name not in (*FIRST, *BELOW_THE_KEY) or len(part["texts"]) > AT_FIRST.get(name, len(part["texts"]))
    ]
    return {
        "key": shown_key(person["row_key"]),
        "who": _who(person),
        "first": [_at_first(told[name]) for name in FIRST if name in told and not _goes_without_saying(name, person)],
        # What takes a whole line comes after what takes half of one: else holes stand between them.
        "told": sorted(rest, key=lambda part: bool(part["is_long"])),
    }


def _goes_without_saying(name: str, person: Mapping[str, Any]) -> bool:
    """Whether the box has said it: who leads, where you do; how soon, unless that is urgent."""
    if name == "lead_agency":
        return bool(person.get("part") == LEADS)
    return name == "urgency" and person[name] != URGENT


def _at_first(part: Mapping[str, Any]) -> dict[str, Any]:
    """A column as the box shows it: the first few texts, and of what is on nearby whom to telephone and when.

    >>> cell = {"name": "offers", "texts": ["Lunch club, 0113 496 0236 (Mondays; 1 mile; free)", "Class, no number"]}
    >>> _at_first(cell)["texts"]
    ['Lunch club, 0113 496 0236 (Mondays)']
    """
    texts = part["texts"][: AT_FIRST.get(part["name"], len(part["texts"]))]
    if part["name"] == "offers":
        shortest = (text.partition("; ")[0] for text in texts)
        texts = [f"{text})" if "(" in text and not text.endswith(")") else text for text in shortest]
    return {**part, "texts": texts}


def _who(person: Mapping[str, Any]) -> str:
    return ", ".join(person[name] for name in BELOW_THE_KEY if name in person)


def _listed(person: Mapping[str, Any]) -> dict[str, list[str]]:
    return {name: _texts(person[name]) for name in ON_THE_LIST if name in person}


def _texts(cell: str | Sequence[str]) -> list[str]:
    return [cell] if isinstance(cell, str) else list(cell)
