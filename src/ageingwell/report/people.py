"""Everything each person's page says, as plain data: the figure and its comparison, facts, needs, who knows them.

Nothing here is drawn: a page pours these dictionaries out. Only a reader who may read the risk and every theme gets
them; anybody else gets an empty list.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from operator import itemgetter
from typing import Any, Final, cast

import polars as pl

from ageingwell.config.outreach import OutreachSettings
from ageingwell.config.score import Ledger
from ageingwell.governance.night_facts import NightFacts
from ageingwell.pseudonyms.digests import row_key
from ageingwell.pseudonyms.keys import Key
from ageingwell.report.cells import day_words, shown_key
from ageingwell.report.past import past_of
from ageingwell.report.person import InTouch, Person
from ageingwell.report.person_facts import (
    chance_of,
    linked_facts,
    other_facts,
    other_outcomes,
    others_of,
    rest_of,
    rest_words,
    sum_of,
)
from ageingwell.report.person_needs import by_when_of, lead_of, needs_of, notes_of
from ageingwell.report.summary import outcome_words
from ageingwell.report.unknown import unknown_of, without_record
from ageingwell.views.columns import AgencyView
from ageingwell.views.reader import Reader, reader_of
from ageingwell.views.recipient import NO_HOME
from ageingwell.views.words import agency_words

UNKNOWN: Final = "unknown"
NOBODY_TO_RING: Final = "No service in the directory for this. Their own number is in your register."
PAST: Final = "past_events"
Row = dict[str, Any]


def people_told(
    view: AgencyView,
    *,
    rows: pl.DataFrame,
    needs: pl.DataFrame,
    reasons: pl.DataFrame,
    scores: pl.DataFrame,
    compared: pl.DataFrame,
    in_touch: pl.DataFrame,
    past_events: pl.DataFrame | None = None,
    facts: NightFacts,
    ledger: Ledger,
    key: Key,
    settings: OutreachSettings | None = None,
    remembered: pl.DataFrame | None = None,
) -> list[Person]:
    """One dictionary a person of the view, in its order; none at all where the reader may not read the risk.

    `rows` is the night's table `list`, the other frames are its tables of their names, `facts` what is told of the
    night, `remembered` what this reader may be told of before. What the view itself says of a person (place, age,
    status, next step, last time, plan) is taken from the view.
    """
    settings = settings or OutreachSettings()
    reader = reader_of(view.recipient, ledger=ledger, thresholds=settings.thresholds)
    if not reader.reads_risk:
        return []
    readable = reasons.filter(pl.col("feature").is_in(sorted(reader.features)))
    happened = None if past_events is None else _read_of_the_past(past_events, reader)
    tables = {"needs": needs, "reasons": readable, "scores": scores, "compared": compared, "in_touch": in_touch}
    tables |= {} if happened is None else {PAST: happened}
    by_person = _by_person(rows, tables)
    keys = row_key(pl.col("person_id"), recipient=view.recipient, as_of=view.as_of, key=key)
    person_of = dict(rows.select(keys.alias("_key"), "person_id").iter_rows())
    shown = view.frame.to_dicts()
    before = {} if remembered is None else {row["person_id"]: row for row in remembered.iter_rows(named=True)}
    doors = doors_of(view.frame["household_key"].to_list())
    pages = [
        _from_view(row, place=place, door=door)
        | _of_person(
            by_person[person_of[row["row_key"]]],
            before=before.get(person_of[row["row_key"]], {}),
            facts=facts,
            as_of=view.as_of,
            reader=reader,
            settings=settings,
        )
        for place, (row, door) in enumerate(zip(shown, doors, strict=True), start=1)
    ]
    return cast(list[Person], pages)


@dataclass(frozen=True)
class _Known:
    """One person's row of the list, and their rows of every other table."""

    row: Row
    tables: Mapping[str, pl.DataFrame]

    def rows(self, table: str) -> list[Row]:
        return self.tables[table].to_dicts()

    def first(self, table: str) -> Row:
        """The one row of a table; empty where there is none."""
        return next(iter(self.rows(table)), {})

    def on_page(self) -> list[Row]:
        """The facts that have a whole number, by position."""
        shown = [row for row in self.rows("reasons") if row["adds_in_100"] is not None]
        return sorted(shown, key=itemgetter("position"))

    def unknown(self) -> list[str]:
        """The features without a value."""
        return [row["feature"] for row in self.rows("reasons") if row["value"] == UNKNOWN]


def _read_of_the_past(past_events: pl.DataFrame, reader: Reader) -> pl.DataFrame:
    """What happened to the people themselves, of the themes that this reader may read."""
    return past_events.filter(pl.col("is_theirs") & pl.col("theme").is_in(sorted(reader.themes)))


def _by_person(rows: pl.DataFrame, tables: Mapping[str, pl.DataFrame]) -> dict[str, _Known]:
    listed = rows["person_id"].implode()
    theirs = {
        name: frame.filter(pl.col("person_id").is_in(listed)).partition_by("person_id", as_dict=True)
        for name, frame in tables.items()
    }
    nothing = {name: frame.head(0) for name, frame in tables.items()}
    return {
        row["person_id"]: _Known(
            row, {name: theirs[name].get((row["person_id"],), none) for name, none in nothing.items()}
        )
        for row in rows.iter_rows(named=True)
    }


def _from_view(shown: Row, *, place: int, door: int) -> Row:
    return {
        "anchor": f"person-{place}",
        "row_key": shown_key(shown["row_key"]),
        "household_key": shown_key(shown["household_key"]),
        "door": door,
        "position": int(shown["position"]),
        "urgency": shown["urgency"],
        "act_by": shown["act_by"],
        "by_when": by_when_of(shown["urgency"], shown["act_by"]),
        "place": shown["place"],
        "age_band": shown["age_band"],
        "band": shown["band"],
        "status": shown["status"],
        "is_new": shown["new_since_last"] == "New",
        "found_by": shown["found_by"],
        "action": shown["action"],
        "communication": shown["communication_need"],
        "part": shown.get("part", ""),
        "say": shown["what_to_say"],
        "told": shown["person_told"],
        "offers": [],
        "ring": NOBODY_TO_RING,
    }


def _of_person(
    known: _Known, *, before: Row, facts: NightFacts, as_of: date, reader: Reader, settings: OutreachSettings
) -> Row:
    row, needs = known.row, known.tables["needs"]
    chance = chance_of(row, outcome=outcome_words(facts))
    others = None if chance is None else others_of(known.first("compared"))
    raises, lowers = (linked_facts(known.on_page(), direction, as_of=as_of) for direction in ("raises", "lowers"))
    facts_told, further = [*raises, *lowers], other_facts(known.rows("reasons"))
    rest = rest_of(chance, others, facts_told, further)
    touching = known.rows("in_touch")
    absent = without_record(
        [agency["agency"] for agency in touching],
        missing=facts.missing,
        has_home=row["household_id"] is not None,
    )
    return {
        "chance": chance,
        "others": others,
        "raises": raises,
        "lowers": lowers,
        "other_facts": further,
        "rest": rest,
        "rest_words": rest_words(rest),
        "sum_words": sum_of(chance, others, facts_told, further),
        "outcomes": other_outcomes(known.first("scores"), facts.ranking_outcome),
        "unknown": unknown_of(facts=facts, unknown=known.unknown(), has_home=row["household_id"] is not None),
        "in_touch": touched(touching),
        "not_in_touch": [agency_words(name) for name in absent],
        "needs": needs_of(needs, reader),
        "lead": lead_of(row, needs, reader, strongest=next(iter(raises), None), chosen=_chosen(row, before)),
        "last_time": before.get("last_time") or [],
        "plan": before.get("plan") or [],
        "review": before.get("review") or "",
        "is_review_due": bool(before.get("is_review_due")),
        "is_overdue": row["status"] == "overdue",
        "past": past_of(known.rows(PAST), as_of=as_of) if PAST in known.tables else None,
        "joint_with": [agency_words(agency) for agency in row["joint_with"]],
        "partners_full": [agency_words(agency) for agency in row["partners_full"]],
        "notes": notes_of(row, settings),
    }


def _chosen(row: Row, before: Row) -> str | None:
    """That this lead was chosen, and when; of a home where the choice for another holds, that alone."""
    if before.get("chosen_lead") == row["lead_agency"]:
        return str(before["chosen"]) if before.get("chosen") else None
    return None


def touched(rows: Sequence[Row]) -> list[InTouch]:
    """Who is in touch, the newest first: rows of `in_touch` of one person."""
    newest_first = sorted(rows, key=lambda row: (-(row["last_on"] or date.min).toordinal(), row["agency"]))
    return [
        InTouch(agency=agency_words(row["agency"]), last=None if row["last_on"] is None else day_words(row["last_on"]))
        for row in newest_first
    ]


def doors_of(homes: Sequence[str]) -> list[int]:
    """Number the doors in the order of the list; who has no home linked is a door of their own.

    >>> doors_of(["a", "a", "no home linked", "b", "no home linked"])
    [1, 1, 2, 3, 4]
    """
    numbers: dict[str, int] = {}
    doors = []
    for place, home in enumerate(homes):
        door = f"{NO_HOME}/{place}" if home == NO_HOME else home
        doors.append(numbers.setdefault(door, len(numbers) + 1))
    return doors
