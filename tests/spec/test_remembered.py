"""What is told of before: one row a person from the ledger, in words, and to each reader no more than its own part."""

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from helpers.filled import tamper
from helpers.outreach import shipped_interventions

from ageingwell.config.outreach import OutreachSettings, Thresholds
from ageingwell.config.score import Ledger, RecipientView
from ageingwell.decisions.effects import agreed_visits, decisions_in_force
from ageingwell.decisions.entry import ENTRIES, Entry
from ageingwell.decisions.ledger import append, read_ledger
from ageingwell.decisions.plan import Plan, Step
from ageingwell.decisions.plan_choices import step_choices
from ageingwell.decisions.remembering import last_times, plans_in_force
from ageingwell.errors import LedgerError
from ageingwell.register import RECIPIENTS
from ageingwell.report.remembered import remembered
from ageingwell.views.reader import Reader, reader_of

NIGHT, AS_OF = date(2026, 11, 22), date(2026, 11, 29)
NO_CONTACTS = pl.DataFrame(
    schema=dict.fromkeys(("person_id", "household_id", "agency", "outcome"), pl.String)
    | dict.fromkeys(("contacted_on", "recorded_on"), pl.Date)
)
PERSON = "b" * 32
SERVICES = pl.DataFrame({"service_id": ["s1"], "name": ["Bereavement café"], "organisation": ["Age Well"]})
PLAN = Plan(
    matters="stay_at_home",
    also_matters="see_people",
    steps=(
        Step("need:cold_home", "housing", date(2026, 12, 1)),
        Step("service:s1", "voluntary"),
        Step("need:falls_assessment", "fire"),
    ),
    agreed="yes",
    review_on=date(2026, 11, 28),
    note="Likes to be rung first",
)


def ledger(*rows: Mapping[str, Any]) -> pl.DataFrame:
    rest = {"recorded_on": date(2026, 11, 24), "night": NIGHT, "recipient": "group", "kind": "listed",
            "person_id": PERSON}  # fmt: skip
    return pl.DataFrame([{"position": n, **rest, **one} for n, one in enumerate(rows, start=1)], schema=ENTRIES)


def last(*rows: Mapping[str, Any]) -> pl.DataFrame:
    entries = ledger(*rows)
    decided = decisions_in_force(entries, as_of=AS_OF)
    agreed = agreed_visits(decided, contacts=NO_CONTACTS, settings=OutreachSettings(), as_of=AS_OF)
    return last_times(entries, decided=decided, agreed=agreed, held=agreed.clear())


def reader(recipient: str, *themes: str) -> Reader:
    views = {recipient: RecipientView(themes=themes)}
    return reader_of(recipient, ledger=Ledger(permitted=(), views=views), thresholds=Thresholds())  # type: ignore[arg-type]


def told(who: Reader, *, last_time: pl.DataFrame, plans: pl.DataFrame | None = None) -> dict[str, Any]:
    words = remembered(
        who,
        last_time=last_time,
        plans=plans_in_force(ledger(), as_of=AS_OF) if plans is None else plans,
        services=SERVICES,
        interventions=shipped_interventions(),
        as_of=AS_OF,
    )
    return words.row(0, named=True) if words.height else {"last_time": [], "plan": []}


YES = {"decision": "contact_now", "led_by": "gp", "reason": "neighbour_or_family", "by_when": date(2026, 11, 26)}
MET = {"recipient": "fire", "outcome": "no_access", "contacted_on": date(2026, 11, 25), "agency": "fire"}
SAID = {"recipient": "housing", "person_said": "not_now"}


def test_one_row_tells_the_decision_what_came_of_it_and_what_the_person_said():
    row = last(YES, MET, SAID).row(0, named=True)

    assert (row["decision"], row["led_by"], row["due_on"], row["status"]) == (
        "contact_now", "gp", date(2026, 11, 26), "overdue",
    )  # fmt: skip
    assert (row["outcome"], row["contacted_by"], row["contacted_on"]) == ("no_access", "fire", date(2026, 11, 25))
    assert (row["person_said"], row["said_to"], row["said_on"]) == ("not_now", "housing", date(2026, 11, 24))


def test_of_several_contacts_the_newest_is_told_and_a_corrected_one_as_corrected():
    later = {**MET, "recipient": "gp", "agency": "gp", "outcome": "accepted", "contacted_on": date(2026, 11, 26)}
    corrected = {**later, "outcome": "declined_help"}

    row = last(later, MET, corrected).row(0, named=True)

    assert (row["outcome"], row["contacted_by"]) == ("declined_help", "gp")
    assert row["decision"] is None


@pytest.mark.parametrize(
    ("recipient", "lines"),
    [
        (
            "group",
            [
                "24 November: you decided: Contact now, led by GP practices, by 26 November "
                "(a neighbour or the family asked)",
                "25 November: contact by Fire and rescue: No access",
                "24 November: the person said: Not now",
            ],
        ),
        ("gp", ["24 November: the group decided: Contact now, led by GP practices, by 26 November"]),
        ("fire", ["25 November: contact by Fire and rescue: No access"]),
        ("housing", ["24 November: the person said: Not now"]),
        ("social_care", []),
        ("voluntary", []),
    ],
)
def test_an_agency_is_told_its_own_part_whatever_themes_it_may_read(recipient, lines):
    who = reader(recipient, "health", "care", "home", "fire", "everyday_life")

    assert told(who, last_time=last(YES, MET, SAID))["last_time"] == lines


@pytest.mark.parametrize(
    ("recipient", "themes", "lines"),
    [
        # Housing leads on cold homes; it reads the step in full only where it may read the whole rule.
        ("housing", ("home", "health", "care", "fire", "everyday_life"), ["warm-home check"]),
        ("housing", (), ["May need a warmer home"]),
        # A service and a need that is not its own: that there is a step, and no more.
        ("voluntary", (), ["ask the chair what it is"]),
        ("fire", ("fire", "home"), ["ask the chair what it is"]),
        ("gp", ("health", "care", "home", "fire", "everyday_life"), []),
        ("social_care", ("care",), []),
    ],
)
def test_an_agency_reads_its_own_steps_of_a_plan_as_far_as_their_needs_tell_it_anyway(recipient, themes, lines):
    plans = plans_in_force(ledger({"plan": _row(PLAN)}), as_of=AS_OF)

    said = told(reader(recipient, *themes), last_time=last().clear(), plans=plans)["plan"]

    assert len(said) == len(lines)
    for line, words in zip(said, lines, strict=True):
        assert words in line
        assert line.startswith(step_owner(recipient))
    for secret in ("Staying in my own home", "Likes to be rung", "café", "agreed"):
        assert secret not in " ".join(said).replace("you agreed with the group", "")


def step_owner(recipient: str) -> str:
    return {"housing": "Housing: ", "voluntary": "Voluntary sector: ", "fire": "Fire and rescue: "}[recipient]


def _row(plan: Plan) -> dict[str, Any]:
    return plan.plain() | {
        "review_on": plan.review_on,
        "steps": [{"step": s.step, "words": s.words, "who": s.who, "by_when": s.by_when} for s in plan.steps],
    }


def test_the_group_reads_the_whole_plan_and_that_its_review_is_due():
    plans = plans_in_force(ledger({"plan": _row(PLAN)}), as_of=AS_OF)

    row = told(reader("group"), last_time=last().clear(), plans=plans)

    assert row["plan"] == [
        "What matters: Staying in my own home and Seeing people",
        f"Housing: {step_choices(shipped_interventions(), SERVICES)['need:cold_home']}, by 1 December",
        "Voluntary sector: Bereavement café (Age Well)",
        f"Fire and rescue: {step_choices(shipped_interventions(), SERVICES)['need:falls_assessment']}",
        "The person agreed: yes",
        "In their words: Likes to be rung first",
    ]
    assert row["review"] == "Review due since 28 November"


def test_a_plan_is_that_of_the_newest_list_until_it_ends_and_a_new_one_begins_anew():
    first, second = {**_row(PLAN)}, {**_row(PLAN), "helped": "yes"}
    over = {**second, "ended_for": "matters_met"}
    older_list_later = {"plan": first, "recorded_on": date(2026, 11, 26)}
    newer = {"plan": second, "night": date(2026, 11, 25), "recorded_on": date(2026, 11, 25)}
    ended = {"plan": over, "night": date(2026, 11, 26), "recorded_on": date(2026, 11, 27)}
    again = {"plan": first, "night": date(2026, 11, 27), "recorded_on": date(2026, 11, 28)}

    def plan_of(*rows: Mapping[str, Any]) -> list[tuple[str | None, date]]:
        return plans_in_force(ledger(*rows), as_of=AS_OF).select("helped", "made_on").unique().rows()

    assert plan_of({"plan": first}, newer, older_list_later) == [("yes", date(2026, 11, 24))]
    assert plan_of({"plan": first}, newer, ended) == []
    assert plan_of({"plan": first}, newer, ended, again) == [(None, date(2026, 11, 28))]


def test_every_recipient_has_a_view_of_nothing_where_nothing_is_known():
    for recipient in RECIPIENTS:
        if recipient != "safeguarding":
            assert told(reader(recipient), last_time=last())["last_time"] == []


def test_a_ledger_of_version_1_is_read_and_goes_on_as_version_2(tmp_path: Path):
    path = tmp_path / "decisions.sqlite"
    when = datetime(2026, 11, 24, tzinfo=UTC)
    old = Entry(NIGHT, "gp", "listed", PERSON, None, decision="contact_now", led_by="gp", reason="need_agreed")
    as_version_1(path, old, when)
    assert read_ledger(path).select("decision", "question", "person_said", "plan").rows() == [
        ("contact_now", None, None, None)
    ]

    append(path, [Entry(NIGHT, "group", "listed", PERSON, None, plan=PLAN)], role="chair", recorded_at=when,
           file_sha256="0" * 64)  # fmt: skip

    told_now = read_ledger(path)
    assert told_now["position"].to_list() == [1, 2]
    assert Plan.of(told_now["plan"][1]) == PLAN
    tamper(path, "PRAGMA user_version = 9", guarded=True)
    with pytest.raises(LedgerError, match="another version"):
        read_ledger(path)


def as_version_1(path: Path, entry: Entry, when: datetime) -> None:
    """A ledger as the first version wrote it: without the keys that came later."""
    append(path, [entry], role="chair", recorded_at=when, file_sha256="0" * 64)
    with sqlite3.connect(path) as database:
        said = json.loads(database.execute("SELECT said FROM entries").fetchone()[0])
        for name in ("question", "person_said", "plan"):
            del said[name]
        text = json.dumps(said, ensure_ascii=False)
        digest = hashlib.sha256(f"1\n{'0' * 64}\n{text}".encode()).hexdigest()
        database.execute("DROP TRIGGER entries_are_not_changed")
        database.execute("UPDATE entries SET said = ?, hash = ?", (text, digest))
        database.execute("PRAGMA user_version = 1")
    database.close()
    # Ledgers had no head then.
    (path.parent / f"{path.name}.head").unlink(missing_ok=True)
