"""What a recipient is told of each row: needs, facts, next step, what to say and how soon.

A reader who may read every rule is told of every need by name. Anybody else is told of the needs whose whole rule it
may read, and beside them the same words on every row for those it leads and may not read; its facts are those on
record that it may read, whether or not a rule was met by them. So nothing here depends on what may not be read but
that the row is on the list, and whether a need that it leads is urgent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from ageingwell.config.outreach import Interventions, OutreachSettings
from ageingwell.views.reader import URGENCY, Reader, Visit

_TOLD: Final = pl.Schema(
    {
        "person_id": pl.String(),
        "needs_told": pl.List(pl.String),
        "facts_told": pl.List(pl.String),
        "own_step": pl.String(),
        "say": pl.String(),
        "urgency_told": pl.String(),
    }
)
Row = dict[str, Any]


@dataclass(frozen=True)
class Words:
    """The settings whose words a view uses."""

    interventions: Interventions
    settings: OutreachSettings


@dataclass
class _Door:
    """The needs at one door that a reader is told of, its own first, and whether it leads an urgent one it may not
    read."""

    told: list[Row] = field(default_factory=list)
    has_hidden_urgent: bool = False


def told_of(
    reader: Reader, seen: pl.DataFrame, needs: pl.DataFrame, recorded: pl.DataFrame | None, *, words: Words
) -> pl.DataFrame:
    """Say of each person of `seen` (person_id, door, lead_agency) what this reader is told: one row a person.

    `recorded` are the facts on record of each, as `recorded_facts` gives them; without it none is shown beside those of
    the needs told.
    """
    doors = _doors(reader, seen, needs)
    facts = _recorded_facts(reader, recorded, words)
    rows = [
        _of_person(reader, person, doors.get(door, _Door()), facts.get(person, []), words=words)
        for person, door in seen.select("person_id", "door").iter_rows()
    ]
    return pl.DataFrame(rows, schema=_TOLD, orient="row")


def _doors(reader: Reader, seen: pl.DataFrame, needs: pl.DataFrame) -> dict[str, _Door]:
    """Needs told by door: those the reader leads first (of the group's, those of the lead at the door), then the most
    urgent."""
    at_door = seen.select("person_id", "door", lead_at_door="lead_agency")
    ours = pl.col("lead_at_door") if reader.recipient == "group" else pl.lit(reader.recipient)
    theirs = (
        needs.drop("household_id")
        .join(at_door, on="person_id")
        .with_columns(
            comes=pl.col("lead_agency") != ours, rank=pl.col("urgency").replace_strict(URGENCY, return_dtype=pl.Int64)
        )
    )
    doors: dict[str, _Door] = {}
    for need in theirs.sort("comes", "rank", "need", "action", "person_id").to_dicts():
        door = doors.setdefault(need["door"], _Door())
        if reader.tells(need["need"]) and (not need["comes"] or reader.reads_need(need["need"])):
            door.told.append(need)
        elif reader.leads(need["lead_agency"]) and need["urgency"] == "urgent":
            door.has_hidden_urgent = True
    return doors


def _of_person(reader: Reader, person: str, door: _Door, recorded: list[str], *, words: Words) -> tuple[Any, ...]:
    """One row of what is told, in the order of `_TOLD`."""
    always = None if reader.reads_every_need else reader.visit(words.interventions, words.settings)
    hidden = reader.visit(words.interventions, words.settings, urgent=True) if door.has_hidden_urgent else None
    own = [need for need in door.told if need["person_id"] == person]
    by_name = sorted(own, key=lambda need: (str(need["need"]), str(need["lead_agency"])))
    names = [reader.need_words(need["need"]) for need in by_name]
    names += [word for visit in (hidden, always) if visit is not None for word in visit.needs]
    facts = [fact for need in by_name for fact in reader.facts_of(need["need"], need["criterion"])]
    step, say = _step(own, door.told, hidden, always), _say(reader, own, hidden, always, words.interventions)
    ranks = [need["rank"] for need in door.told] + [URGENCY[visit.urgency] for visit in (hidden, always) if visit]
    urgency = {rank: name for name, rank in URGENCY.items()}[min(ranks, default=URGENCY["routine"])]
    return person, list(dict.fromkeys(names)), list(dict.fromkeys([*facts, *recorded])), step, say, urgency


def _step(own: Sequence[Row], at_door: Sequence[Row], hidden: Visit | None, always: Visit | None) -> str | None:
    """The reader's own next step: for the most urgent need that it leads, the person's before the door's."""
    led = [need for need in (*own, *at_door) if not need["comes"]]
    if hidden is not None and not any(need["urgency"] == "urgent" for need in led):
        return hidden.step
    if led:
        return str(led[0]["action"])
    return None if always is None else always.step


def _say(
    reader: Reader, own: Sequence[Row], hidden: Visit | None, always: Visit | None, interventions: Interventions
) -> str:
    """What a visitor says: of the person's most urgent need, first of those that the reader leads."""
    led = [need for need in own if not need["comes"]]
    if hidden is not None and not any(need["urgency"] == "urgent" for need in led):
        return hidden.say
    if led or (own and always is None):
        return reader.say((led or own)[0]["need"], interventions)
    return interventions.say if always is None else always.say


def _recorded_facts(reader: Reader, recorded: pl.DataFrame | None, words: Words) -> dict[str, list[str]]:
    """By person, the facts on record that this reader may read, of the rules that it leads and may not read in whole.

    Facts that a rule tells without counting them stand only beside one that it counts.
    """
    if recorded is None or reader.reads_every_need:
        return {}
    led = {need for need, then in words.interventions.needs.items() if reader.leads(then.lead)}
    found: dict[str, dict[str, list[tuple[str, bool]]]] = {}
    rows = recorded.filter(pl.col("need").is_in(sorted(led))).sort("person_id", "need", "position")
    for person, need, sentence, counts in rows.select("person_id", "need", "sentence", "counts").iter_rows():
        if not reader.tells(need) and reader.facts_of(need, sentence):
            found.setdefault(person, {}).setdefault(need, []).append((sentence, counts))
    return {
        person: [fact for facts in of_need.values() if any(counts for _, counts in facts) for fact, _ in facts]
        for person, of_need in found.items()
    }
