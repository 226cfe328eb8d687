"""An opt-out in doubt stops the run: stale by its kind, checked on a day to come, or made under another key."""

from datetime import date
from typing import Any

import polars as pl
import pytest
from helpers.tables import table

from ageingwell.config.score import Ledger
from ageingwell.contracts.registry import columns
from ageingwell.errors import NotPermittedError
from ageingwell.permissions import opt_outs_that_meet, stop_unless_checked, stop_unless_linked

NIGHT = date(2026, 11, 22)
KINDS = next(column.labels for column in columns("permissions") if column.name == "kind")


def ledger(**settings: Any) -> Ledger:
    return Ledger.model_validate({"permitted": (), "views": {}, **settings})


def checked(kind: str, *days: str) -> pl.LazyFrame:
    """Every kind checked yesterday, but for one."""
    fresh = [f"p | {other} | 2026-11-21" for other in KINDS if other != kind]
    rows = [f"p | {kind} | {day}" for day in days]
    return table("\n".join(["person_id | kind | checked_on", *fresh, *rows]), like="permissions").lazy()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("day", ["2026-11-23", "2062-01-01", "2098-12-31"])
def test_a_check_on_a_day_to_come_does_not_count_for_any_kind(kind: str, day: str) -> None:
    stop_unless_checked(checked(kind, "2026-10-18", day), ledger(), on=NIGHT)

    with pytest.raises(NotPermittedError, match=f"{kind}: last on 2019-01-01"):
        stop_unless_checked(checked(kind, "2019-01-01", day), ledger(), on=NIGHT)
    with pytest.raises(NotPermittedError, match=f"{kind}: no check up to the night of the list"):
        stop_unless_checked(checked(kind, day), ledger(), on=NIGHT)


@pytest.mark.parametrize("kind", KINDS)
def test_fresh_checks_of_other_kinds_say_nothing_of_a_stale_one(kind: str) -> None:
    with pytest.raises(NotPermittedError, match=f"{kind}: last on 2019-06-01") as found:
        stop_unless_checked(checked(kind, "2019-06-01"), ledger(), on=NIGHT)

    assert not [other for other in KINDS if other != kind and f"{other}:" in str(found.value)]


def test_an_older_night_run_again_takes_a_check_that_came_since() -> None:
    later = checked("national", "2026-11-27")

    stop_unless_checked(later, ledger(), on=NIGHT, today=date(2026, 11, 28))


# --- Opt-outs under another key ---

REGISTER = pl.LazyFrame({"person_id": [f"p{number}" for number in range(20)]})
HOMES = pl.Series("household_id", [f"h{number}" for number in range(20)])


def opted(kind: str, subject: str, ids: list[str]) -> pl.DataFrame:
    schema = {"person_id": pl.String, "household_id": pl.String, "kind": pl.String}
    return pl.DataFrame([{subject: name, "kind": kind} for name in ids], schema=schema)


@pytest.mark.parametrize("subject", ["person_id", "household_id"])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("staff_safety", "national_allowed")])
def test_opt_outs_that_meet_nobody_stop_the_run(kind: str, subject: str) -> None:
    known = [f"{subject[0]}{number}" for number in range(9)]
    strangers = [f"x{number}" for number in range(9)]

    assert stop_unless_linked(opt_outs_that_meet(opted(kind, subject, known), REGISTER, HOMES), ledger()) == []
    # Fewer may all live elsewhere: then the reader is told.
    [told] = stop_unless_linked(opt_outs_that_meet(opted(kind, subject, strangers[:4]), REGISTER, HOMES), ledger())
    assert kind.replace("_", " ") in told
    with pytest.raises(NotPermittedError, match=f"{kind}: 0 of 9"):
        stop_unless_linked(opt_outs_that_meet(opted(kind, subject, strangers), REGISTER, HOMES), ledger())


def test_the_share_that_has_to_be_known_is_the_ledgers() -> None:
    # 2 of 9 are 0.22, 1 of 9 is 0.11.
    two = opted("type_1", "person_id", ["p1", "p2", *(f"x{number}" for number in range(7))])
    one = opted("type_1", "person_id", ["p1", *(f"x{number}" for number in range(8))])

    assert stop_unless_linked(opt_outs_that_meet(two, REGISTER, HOMES), ledger()) == []
    with pytest.raises(NotPermittedError, match="type_1: 1 of 9 people"):
        stop_unless_linked(opt_outs_that_meet(one, REGISTER, HOMES), ledger())
    few_live_here = ledger(permissions_linked_at_least=0.1)
    assert stop_unless_linked(opt_outs_that_meet(one, REGISTER, HOMES), few_live_here) == []


def test_a_mark_for_staff_safety_bars_nobody_and_stops_nothing() -> None:
    marks = opted("staff_safety", "person_id", [f"x{number}" for number in range(9)])

    assert opt_outs_that_meet(marks, REGISTER, HOMES).is_empty()
