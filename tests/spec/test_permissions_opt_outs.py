"""Opt-outs, objections and restrictions: who is taken out of which tables, before anything is worked out."""

from datetime import date
from typing import Any

import polars as pl
import pytest
from helpers.tables import table

from ageingwell.config.score import Ledger, Purpose
from ageingwell.permissions import excluded, in_force, keep_permitted, marked

NIGHT = date(2026, 11, 22)

PATIENTS = table(
    """
    person_id | household_id | recorded_on
    ann       | h1           | 2020-01-01
    bob       | h1           | 2020-01-01
    cat       | h2           | 2020-01-01
    cat       | h1           | 2026-12-01
    dan       |              | 2020-01-01
    """,
    like="gp_patients",
)
CARE = table(
    """
    person_id | linked_person_id | recorded_on
    ann       | bob              | 2020-01-01
    bob       |                  | 2020-01-01
    eve       | ann              | 2020-01-01
    """,
    like="care_events",
)
VISITS = table(
    """
    household_id | recorded_on
    h1           | 2020-01-01
    h2           | 2020-01-01
    """,
    like="fire_visits",
)
CONTACTS = table(
    """
    person_id | household_id | recorded_on
    ann       |              | 2020-01-01
    dan       |              | 2020-01-01
              | h1           | 2020-01-01
              | h2           | 2020-01-01
    """,
    like="contacts",
)
TABLES = {
    "gp_patients": PATIENTS,
    "gp_events": table("person_id | code\nann | 1\nbob | 2\ndan | 3", like="gp_events"),
    "care_events": CARE,
    "fire_visits": VISITS,
    "contacts": CONTACTS,
    "permissions": table("person_id | kind\nann | objection", like="permissions"),
}


def opted(kind: str, *, person: str | None = "ann", home: str | None = None) -> pl.DataFrame:
    return table(f"person_id | household_id | kind\n{person or ''} | {home or ''} | {kind}", like="permissions")


def ledger(**settings: Any) -> Ledger:
    return Ledger.model_validate({"permitted": (), "views": {}, **settings})


def lazy() -> dict[str, pl.LazyFrame]:
    return {name: frame.lazy() for name, frame in TABLES.items()}


def left(permissions: pl.DataFrame, purpose: Purpose = "direct_care", **settings: Any) -> dict[str, list[Any]]:
    """Who is left in each table: person ids, or home ids where a table has no people."""
    kept = keep_permitted(lazy(), permissions, purpose=purpose, ledger=ledger(**settings))
    rows = {name: frame.collect() for name, frame in kept.items()}
    return {
        name: frame["household_id" if name == "fire_visits" else "person_id"].to_list() for name, frame in rows.items()
    }


ALL = left(opted("safeguarding"))


@pytest.mark.parametrize("other_agencies", [False, True])
@pytest.mark.parametrize("purpose", ["direct_care", "risk_stratification", "evaluation"])
@pytest.mark.parametrize("kind", ["type_1", "national", "objection", "restriction", "safeguarding", "staff_safety"])
def test_each_kind_for_each_purpose(kind: str, purpose: Purpose, other_agencies: bool) -> None:
    found = left(opted(kind), purpose, type_1_allows_other_agencies=other_agencies)

    is_out = (
        kind in ("objection", "restriction")
        or (kind == "national" and purpose != "direct_care")
        or (kind == "type_1" and not other_agencies)
    )
    gp_out = is_out or kind == "type_1"
    assert ("ann" in found["gp_patients"]) is not gp_out
    assert ("ann" in found["gp_events"]) is not gp_out
    assert ("ann" in found["care_events"]) is not is_out
    assert ("ann" in found["contacts"]) is not is_out
    # Nobody else is touched, and a home stays when a person leaves.
    assert found["fire_visits"] == ["h1", "h2"]
    assert [person for person in found["gp_patients"] if person != "ann"] == ["bob", "cat", "cat", "dan"]


def test_nobody_is_lost_where_nobody_opted_out() -> None:
    assert ALL == {
        "gp_patients": ["ann", "bob", "cat", "cat", "dan"],
        "gp_events": ["ann", "bob", "dan"],
        "care_events": ["ann", "bob", "eve"],
        "fire_visits": ["h1", "h2"],
        "contacts": ["ann", "dan", None, None],
        "permissions": ["ann"],
    }
    assert left(opted("objection").clear()) == ALL


@pytest.mark.parametrize("kind", ["objection", "restriction"])
def test_an_objection_of_a_home_takes_everyone_who_lives_there_and_the_home(kind: str) -> None:
    found = left(opted(kind, person=None, home="h1"))

    # Cat's move to h1 is recorded after the night: a withdrawal holds however late the rest is known.
    assert found["gp_patients"] == ["dan"]
    assert found["gp_events"] == ["dan"]
    assert found["care_events"] == ["eve"]
    assert found["fire_visits"] == ["h2"]
    assert found["contacts"] == ["dan", None]


@pytest.mark.parametrize("kind", ["objection", "restriction", "type_1", "national"])
def test_an_opt_out_of_a_home_does_not_bind_those_who_moved_away(kind: str) -> None:
    found = left(opted(kind, person=None, home="h2"), "risk_stratification")

    # Cat lived in h2 once and lives in h1 now: a stranger's objection is not hers.
    assert found["gp_patients"] == ["ann", "bob", "cat", "cat", "dan"]


def test_a_newest_row_without_a_home_does_not_lift_the_opt_out_of_the_home_before() -> None:
    patients = pl.concat([PATIENTS, table("person_id | recorded_on\nbob | 2026-11-01", like="gp_patients")])
    tables = lazy() | {"gp_patients": patients.lazy()}

    kept = keep_permitted(tables, opted("objection", person=None, home="h1"), purpose="direct_care", ledger=ledger())

    assert kept["gp_patients"].collect()["person_id"].to_list() == ["dan"]


def test_a_type_1_opt_out_of_a_home_bars_gp_facts_of_all_who_live_there() -> None:
    found = left(opted("type_1", person=None, home="h1"), type_1_allows_other_agencies=True)

    assert found["gp_patients"] == ["dan"]
    assert found["gp_events"] == ["dan"]
    assert found["care_events"] == ["ann", "bob", "eve"]
    assert found["fire_visits"] == ["h1", "h2"]


def test_somebody_who_objects_is_not_named_as_the_carer_of_another() -> None:
    kept = keep_permitted(lazy(), opted("objection"), purpose="direct_care", ledger=ledger())

    care = kept["care_events"].collect()
    assert care.select("person_id", "linked_person_id").rows() == [("bob", None), ("eve", None)]
    assert left(opted("objection", person="bob"))["care_events"] == ["ann", "eve"]


def test_a_person_known_to_no_table_can_object() -> None:
    assert left(opted("objection", person="nobody")) == ALL


def test_the_permissions_table_itself_stays_whole() -> None:
    assert left(opted("objection"))["permissions"] == ["ann"]


def test_what_is_in_force_on_a_night() -> None:
    permissions = table(
        """
        person_id | kind      | from_on    | to_on
        always    | objection |            |
        begun     | objection | 2026-11-22 |
        to_come   | objection | 2027-06-01 |
        last_day  | objection | 2020-01-01 | 2026-11-22
        over      | objection | 2020-01-01 | 2026-11-21
        """,
        like="permissions",
    )

    found = in_force(permissions.lazy(), on=NIGHT)["person_id"].to_list()

    # One that begins later is heeded at once: the most protective reading holds.
    assert found == ["always", "begun", "to_come", "last_day"]


def test_who_is_excluded_comes_with_each_reason_once() -> None:
    permissions = pl.concat([opted("objection"), opted("restriction"), opted("objection"), opted("safeguarding")])

    found = excluded(permissions, purpose="direct_care", ledger=ledger())

    assert found.rows() == [("ann", None, "objection"), ("ann", None, "restriction")]


def test_markers_are_told_of_people_and_of_homes() -> None:
    permissions = pl.concat([opted("staff_safety", person=None, home="h1"), opted("safeguarding"), opted("national")])

    assert marked(permissions, "staff_safety").rows() == [(None, "h1")]
    assert marked(permissions, "safeguarding").rows() == [("ann", None)]
    assert marked(permissions, "objection").is_empty()
