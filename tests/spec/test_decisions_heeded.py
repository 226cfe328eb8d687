"""What the ledger means for a night: which decision holds, for how long, and for whom at the door."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from ageingwell.config.outreach import DecisionDays, DecisionSettings, OutreachSettings
from ageingwell.decisions.effects import (
    agreed_visits,
    contacts_in,
    decisions_in_force,
    held_visits,
    left_in_peace_by_decision,
    needs_of_added,
    previous_as_agreed,
    told_by_now,
    unsettled_noes,
)
from ageingwell.decisions.entry import ENTRIES
from ageingwell.decisions.following import tell_decisions

NIGHT = date(2026, 11, 22)
AS_OF = date(2026, 12, 6)
SETTINGS = OutreachSettings()
NO_CONTACTS = pl.DataFrame(
    schema={
        "person_id": pl.String,
        "household_id": pl.String,
        "agency": pl.String,
        "contacted_on": pl.Date,
        "outcome": pl.String,
        "recorded_on": pl.Date,
    }
)


def ledger(*rows: dict[str, Any]) -> pl.DataFrame:
    rest = {
        "recorded_on": date(2026, 11, 24),
        "night": NIGHT,
        "recipient": "gp",
        "kind": "listed",
        "household_id": "h1",
    }
    return pl.DataFrame([{"position": n, **rest, **one} for n, one in enumerate(rows, start=1)], schema=ENTRIES)


def contact(**given: Any) -> pl.DataFrame:
    rest = {"household_id": None, "agency": "fire", "recorded_on": given["contacted_on"]}
    return pl.DataFrame([{**rest, **given}], schema=NO_CONTACTS.schema)


YES = {"person_id": "p1", "decision": "contact_now", "led_by": "fire"}
NO = {"person_id": "p1", "decision": "said_no"}


def test_the_groups_word_holds_and_a_newer_list_before_an_older_one():
    of_one_night = ledger({**NO, "recipient": "group"}, {**YES, "recipient": "gp"})
    of_two = ledger({**YES, "night": date(2026, 11, 29)}, {**NO, "recipient": "group"})

    assert decisions_in_force(of_one_night, as_of=AS_OF)["decision"].to_list() == ["said_no"]
    assert decisions_in_force(of_two, as_of=AS_OF)["decision"].to_list() == ["contact_now"]


def test_what_is_recorded_on_the_night_is_not_yet_known():
    late = ledger({**YES, "recorded_on": AS_OF, "told": "yes"})

    assert decisions_in_force(late, as_of=AS_OF).is_empty()
    assert told_by_now(late, as_of=AS_OF).is_empty()


@pytest.mark.parametrize(
    ("decision", "by_when", "back_on"),
    [
        # Recorded on 24 November 2026: 365, 180, 90 and 14 days later; and the day that was named.
        ("said_no", None, date(2027, 11, 24)),
        ("not_right", None, date(2027, 5, 23)),
        ("already_supported", None, date(2027, 2, 22)),
        ("need_to_know_more", None, date(2026, 12, 8)),
        ("need_to_know_more", date(2027, 1, 15), date(2027, 1, 15)),
    ],
)
def test_who_was_decided_otherwise_about_comes_back_on_a_day(decision, by_when, back_on):
    decided = decisions_in_force(
        ledger({"person_id": "p1", "decision": decision, "by_when": by_when}), as_of=date(2026, 12, 1)
    )
    people = pl.DataFrame({"person_id": ["p1", "p2"], "household_id": ["h1", "h1"]})

    resting = left_in_peace_by_decision(decided, people=people, days=DecisionDays(), as_of=date(2026, 12, 1))

    both = [("p1", back_on), ("p2", back_on)]
    assert resting.rows() == (both if decision == "said_no" else both[:1])


def test_recording_the_same_decision_again_does_not_begin_the_days_anew():
    again = {**NO, "told": "yes", "recorded_on": date(2026, 12, 1)}
    decided = decisions_in_force(ledger(NO, again), as_of=AS_OF)

    assert decided["recorded_on"].to_list() == [date(2026, 11, 24)]


@pytest.mark.parametrize(
    ("by_when", "as_of", "status", "due_on"),
    [
        (date(2026, 12, 6), date(2026, 12, 6), "agreed", date(2026, 12, 6)),
        (date(2026, 12, 6), date(2026, 12, 7), "overdue", date(2026, 12, 6)),
        (date(2026, 12, 6), date(2027, 12, 7), "overdue", date(2026, 12, 6)),
        # No day named: 42 days from 24 November 2026.
        (None, date(2027, 1, 5), "agreed", date(2027, 1, 5)),
        (None, date(2027, 1, 6), "overdue", date(2027, 1, 5)),
    ],
)
def test_an_agreed_visit_is_overdue_after_its_day_and_never_lapses(by_when, as_of, status, due_on):
    decided = decisions_in_force(ledger({**YES, "by_when": by_when}), as_of=as_of)

    agreed = agreed_visits(decided, contacts=NO_CONTACTS, settings=SETTINGS, as_of=as_of)

    assert agreed.select("status", "due_on").rows() == [(status, due_on)]


@pytest.mark.parametrize(
    ("outcome", "contacted_on", "household_id", "is_agreed"),
    [
        ("completed", date(2026, 11, 30), None, False),
        ("no_access", date(2026, 11, 30), None, True),
        ("completed", date(2026, 11, 20), None, True),  # before the list: not the visit agreed on it
        ("accepted", date(2026, 11, 30), "h1", False),
    ],
)
def test_a_visit_is_agreed_until_a_contact_since_the_list_made_it(outcome, contacted_on, household_id, is_agreed):
    person = None if household_id else "p1"
    contacts = contact(person_id=person, household_id=household_id, outcome=outcome, contacted_on=contacted_on)
    decided = decisions_in_force(ledger(YES), as_of=AS_OF)

    assert (agreed_visits(decided, contacts=contacts, settings=SETTINGS, as_of=AS_OF).height == 1) is is_agreed


def test_at_an_agreed_door_the_lead_chosen_holds_for_all_and_the_others_stay_proposed():
    listed = pl.DataFrame(
        {
            "person_id": ["p1", "p2", "p3"],
            "household_id": ["h1", "h1", "h3"],
            "lead_agency": ["gp", "gp", "gp"],
            "why": ["model", "rule", "both"],
            "status": ["proposed", "proposed", "agreed"],
        }
    )
    late = {**YES, "person_id": "p9", "household_id": "h9", "by_when": date(2026, 11, 30)}
    decided = decisions_in_force(ledger(YES, late), as_of=AS_OF)
    agreed = agreed_visits(decided, contacts=NO_CONTACTS, settings=SETTINGS, as_of=AS_OF)

    previous = previous_as_agreed(listed, agreed=agreed)

    assert previous is not None
    assert previous.rows() == [
        ("p1", "fire", "model", "agreed"),
        ("p2", "fire", "rule", "proposed"),
        ("p3", "gp", "both", "proposed"),  # agreed once, and no longer
        ("p9", "fire", "rule", "overdue"),
    ]


def test_a_contact_that_was_corrected_counts_as_corrected_and_a_death_however_late():
    told = {"person_id": "p1", "agency": "fire", "contacted_on": date(2026, 11, 23)}
    entries = ledger(
        {**told, "outcome": "no_access"},
        {**told, "outcome": "completed", "recorded_on": date(2026, 11, 25)},
        {**told, "person_id": "p2", "outcome": "deceased", "recorded_on": AS_OF},
        {**told, "person_id": "p3", "outcome": "completed", "recorded_on": AS_OF},
    )

    contacts = contacts_in(entries, as_of=AS_OF)

    assert contacts.select("person_id", "outcome").rows() == [("p1", "completed"), ("p2", "deceased")]


def test_somebody_added_has_a_need_where_they_live_now_and_only_among_tonights_people():
    added = {**YES, "kind": "added", "reason": "asked_themselves"}
    agreed = decisions_in_force(ledger(added, {**added, "person_id": "p8"}), as_of=AS_OF)
    people = pl.DataFrame({"person_id": ["p1"], "household_id": ["h7"]})

    needs = needs_of_added(agreed, people=people, settings=SETTINGS)

    assert needs.select("person_id", "household_id", "criterion", "lead_agency", "urgency").rows() == [
        ("p1", "h7", "added by the group: they asked themselves", "fire", "soon")
    ]


SAYS_NO = {"person_id": "p1", "person_said": "no_contact", "recipient": "fire"}
CHAIR_SAYS = {**YES, "recipient": "group", "led_by": "gp"}


@pytest.mark.parametrize(
    ("entries", "is_held"),
    [
        ([CHAIR_SAYS, SAYS_NO], True),
        ([SAYS_NO, CHAIR_SAYS], False),  # the chair knew, and decided
        ([CHAIR_SAYS, SAYS_NO, CHAIR_SAYS], False),
        ([CHAIR_SAYS, SAYS_NO, {**SAYS_NO, "person_said": "wants_help"}], False),  # corrected by who said it
        ([CHAIR_SAYS, {**SAYS_NO, "recorded_on": AS_OF}], False),  # not yet known
        ([CHAIR_SAYS, {**SAYS_NO, "person_said": "not_now"}], False),
        ([CHAIR_SAYS, SAYS_NO, {**YES, "recipient": "gp"}], True),  # an agency does not settle it
    ],
)
def test_a_no_against_an_agreed_visit_holds_it_until_the_chair_says(entries, is_held):
    both = ledger(*entries)
    agreed = agreed_visits(decisions_in_force(both, as_of=AS_OF), contacts=NO_CONTACTS, settings=SETTINGS, as_of=AS_OF)

    held = held_visits(agreed, unsettled_noes(both, as_of=AS_OF))

    assert held["person_id"].to_list() == (["p1"] if is_held else [])


def test_who_asked_not_to_be_contacted_is_left_in_peace_as_after_a_no_with_all_at_the_door():
    noes = unsettled_noes(ledger(SAYS_NO), as_of=AS_OF)
    people = pl.DataFrame({"person_id": ["p1", "p2", "p3"], "household_id": ["h1", "h1", "h3"]})
    nothing = decisions_in_force(ledger(SAYS_NO), as_of=AS_OF)

    resting = left_in_peace_by_decision(nothing, people=people, days=DecisionDays(), as_of=AS_OF, noes=noes)

    assert resting.rows() == [("p1", date(2027, 11, 24)), ("p2", date(2027, 11, 24))]


def test_a_visit_that_was_let_go_is_no_longer_agreed_and_may_be_proposed_after_its_days():
    gone = ledger(CHAIR_SAYS, {**CHAIR_SAYS, "decision": "let_go", "led_by": None})
    decided = decisions_in_force(gone, as_of=AS_OF)
    people = pl.DataFrame({"person_id": ["p1"], "household_id": ["h1"]})

    assert agreed_visits(decided, contacts=NO_CONTACTS, settings=SETTINGS, as_of=AS_OF).is_empty()
    # Recorded on 24 November 2026: 28 days later.
    resting = left_in_peace_by_decision(decided, people=people, days=DecisionDays(), as_of=AS_OF)
    assert resting.rows() == [("p1", date(2026, 12, 22))]


def followed(n_following: int, n_all: int) -> dict[str, Any]:
    entries = ledger(*({**YES, "person_id": f"p{n}", "agrees_with_suggestion": n < n_following} for n in range(n_all)))
    listed = pl.DataFrame({"person_id": [f"p{n}" for n in range(40)]})
    return tell_decisions(entries, previous=listed, settings=DecisionSettings(), as_of=AS_OF)


def test_the_chair_is_told_when_the_group_follows_nearly_every_suggestion():
    assert followed(30, 30)["warning"].startswith("For the chair: of the last decisions about 100 in 100")
    assert followed(28, 30)["warning"] is None  # 93 in 100: not above 95
    assert followed(29, 29)["warning"] is None  # too few to say


def test_what_is_told_of_decisions_passes_disclosure():
    told = followed(9, 33)

    assert (told["n_decided"], told["n_open"], told["n_decisions"]) == ("35", "1 to 7", "35")
    assert told["followed_in_100"] == 27
    assert followed(3, 3)["followed_in_100"] is None


def test_who_was_decided_on_two_lists_is_one_person_decided():
    # 10 of 40 people, each decided on two lists: 10 are decided and 30 open.
    both = ({**YES, "person_id": f"p{n}", "night": night} for n in range(10) for night in (NIGHT, date(2026, 11, 29)))
    listed = pl.DataFrame({"person_id": [f"p{n}" for n in range(40)]})

    told = tell_decisions(ledger(*both), previous=listed, settings=DecisionSettings(), as_of=AS_OF)

    assert (told["n_decided"], told["n_open"]) == ("10", "30")
