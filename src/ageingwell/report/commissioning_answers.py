"""The five questions that a commissioner asks, each answered in one line at the top of the page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from ageingwell.commissioning.community import NEEDS, Community
from ageingwell.commissioning.costing import cost_of_outcomes, pounds
from ageingwell.commissioning.fair_shares import fair_words
from ageingwell.commissioning.reach import gaps, one_more_worker
from ageingwell.commissioning.shown import Shown
from ageingwell.commissioning.trends import going_words
from ageingwell.config.effects import EVENTS
from ageingwell.governance.crosses import TOTAL
from ageingwell.report.commissioning_money import worker_words
from ageingwell.report.commissioning_table import in_a_sentence, need_words
from ageingwell.views.words import NEED_WORDS, capital

# Of needs that a line names, at most so many: the page goes on with all of them.
NAMED: Final = 2


@dataclass(frozen=True)
class Asked:
    """What the answers are read from: the page's numbers, services in reach, the trend and places per week."""

    shown: Shown
    community: Community
    reach: pl.DataFrame
    trend: pl.DataFrame
    capacity: Mapping[str, int]
    numbers: pl.DataFrame


def five_answers(asked: Asked) -> list[dict[str, str]]:
    """The question and the answer of each, in the order in which commissioners ask them."""
    told = (
        ("Largest need", _largest(asked.shown)),
        ("Missing or full", _missing(asked)),
        ("One more worker", _worker(asked)),
        ("Did it help?", _helped(asked.community)),
        ("Fair, and better?", f"{fair_words(asked.shown)}; {going_words(asked.trend)}"),
    )
    return [{"question": question, "answer": capital(answer)} for question, answer in told]


def _largest(shown: Shown) -> str:
    """The need that most people have, and the place where most of them live; of counts as they are shown."""
    needs = {need: shown.number(NEEDS, TOTAL, need) or 0 for need in NEED_WORDS}
    most = max(needs, key=lambda need: (needs[need], need))
    if not needs[most]:
        return "too few people have a need to say"
    there = {place: shown.number(NEEDS, place, most) or 0 for place in shown.rows(NEEDS)}
    where = max(there, key=lambda place: (there[place], place))
    said = f"{need_words(most)} ({shown[NEEDS, TOTAL, most]} people)"
    return f"{said}, most of them in {where}" if there[where] else said


def _missing(asked: Asked) -> str:
    if asked.community.services.is_empty():
        return "no directory of services can be read, so nobody can say"
    found = gaps(asked.shown, asked.reach, asked.community)
    nobody = list(dict.fromkeys(gap.need for gap in found if not gap.is_full))
    full = list(dict.fromkeys(gap.need for gap in found if gap.is_full))
    return f"no service nearby in some place: {_named(nobody)}; nearby but full: {_named(full)}"


def _named(needs: Sequence[str]) -> str:
    if not needs:
        return "none"
    first = ", ".join(in_a_sentence(need_words(need)) for need in needs[:NAMED])
    return f"{first} and {len(needs) - NAMED} more" if len(needs) > NAMED else first


def _worker(asked: Asked) -> str:
    return worker_words(one_more_worker(asked.shown, asked.community))


def _helped(community: Community) -> str:
    """What it cost to prevent an event, where that was measured and may be told."""
    if community.effects is None:
        return "not known yet: visits were not compared with no visits"
    every = [one for one in cost_of_outcomes(community.effects, community.costs) if one.agency is None]
    told = [one for one in every if one.cost.gbp is not None]
    if told:
        return (
            f"each {EVENTS[told[0].outcome]} prevented cost {pounds(told[0].cost.low)} to {pounds(told[0].cost.high)}"
        )
    why = every[0].cost.why_not if every else "nothing was measured"
    return f"not known yet: {why}"
