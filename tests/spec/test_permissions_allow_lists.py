"""The national service returns who may be used: everybody else on the register counts as opted out."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from helpers.knowledge import CONFIG, records_of
from helpers.tables import good_rows, read, refusals, table, write_csv

from ageingwell.config.load import Config
from ageingwell.config.score import Purpose
from ageingwell.errors import NotPermittedError
from ageingwell.permissions import allow_list, excluded, in_force, opt_outs_that_meet
from ageingwell.permitted import Permitted, permitted_or_stop

NIGHT = date(2026, 11, 22)
PEOPLE = [f"p{number}" for number in range(1, 9)]
HEAD = "person_id | household_id | kind | from_on | to_on | checked_on"


def rows(
    *people: str, kind: str = "national_allowed", from_on: str = "", to_on: str = "", checked_on: str = "2026-11-20"
) -> str:
    return "\n".join(f"{person} | | {kind} | {from_on} | {to_on} | {checked_on}" for person in people)


def drawn(*parts: str) -> pl.DataFrame:
    return table("\n".join([HEAD, *parts]), like="permissions")


def register() -> pl.DataFrame:
    lines = "\n".join(f"{person} | h{person} | 1940-01-01 | 2000-01-01 | 2020-01-02" for person in PEOPLE)
    return table(f"person_id | household_id | birth_month | registered_on | recorded_on\n{lines}", like="gp_patients")


def gate(permissions: pl.DataFrame, purpose: Purpose = "risk_stratification", **settings: Any) -> Permitted:
    ledger = CONFIG.ledger.model_copy(update=settings)
    config = Config(**{**vars(CONFIG), "ledger": ledger})
    records = records_of({"gp_patients": register(), "permissions": permissions})
    return permitted_or_stop(records, config=config, purpose=purpose, recipients=("group",), on=NIGHT)


def used(permissions: pl.DataFrame, purpose: Purpose = "risk_stratification", **settings: Any) -> list[str]:
    """Whose rows of the register may be used."""
    kept = gate(permissions, purpose, **settings).records.tables["gp_patients"].rows.collect()
    return sorted(kept["person_id"].to_list())


def test_whoever_is_not_on_the_list_counts_as_nationally_opted_out() -> None:
    permissions = drawn(rows(*PEOPLE[:6], "stranger"))

    assert used(permissions) == PEOPLE[:6]
    opted = gate(permissions).opted
    assert opted.select("person_id", "kind").rows() == [("p7", "national"), ("p8", "national")]


@pytest.mark.parametrize(
    ("purpose", "out"), [("direct_care", []), ("risk_stratification", ["p7", "p8"]), ("evaluation", ["p7", "p8"])]
)
def test_the_purpose_decides_as_for_any_national_opt_out(purpose: Purpose, out: list[str]) -> None:
    permissions = drawn(rows(*PEOPLE[:6]))

    assert used(permissions, purpose) == [person for person in PEOPLE if person not in out]
    told = excluded(gate(permissions, purpose).opted, purpose=purpose, ledger=CONFIG.ledger)
    assert told["person_id"].to_list() == out
    assert set(told["reason"]) <= {"national"}


def test_national_opt_outs_in_addition_count_too() -> None:
    permissions = drawn(rows(*PEOPLE), rows("p1", kind="national"))

    assert used(permissions) == PEOPLE[1:]


def test_other_kinds_stand_beside_it_as_ever() -> None:
    permissions = drawn(rows(*PEOPLE[:7]), rows("p1", kind="objection"), rows("p2", kind="safeguarding"))

    assert used(permissions) == PEOPLE[1:7]
    assert gate(permissions).opted.filter(kind="safeguarding")["person_id"].to_list() == ["p2"]


@pytest.mark.parametrize(
    "lapsed",
    [
        {"to_on": "2026-11-21"},
        {"from_on": "2026-11-23"},
        {"checked_on": "2026-10-17"},  # 36 days before, and 35 are allowed
        {"checked_on": "2026-11-23"},  # after the night: no check
    ],
)
def test_a_row_that_is_not_in_force_allows_nobody(lapsed: dict[str, str]) -> None:
    permissions = drawn(rows(*PEOPLE[:7]), rows("p8", **lapsed))

    assert used(permissions) == PEOPLE[:7]


@pytest.mark.parametrize(
    "current",
    [{"to_on": "2026-11-22"}, {"from_on": "2026-11-22"}, {"checked_on": "2026-10-18"}, {"checked_on": "2026-11-22"}],
)
def test_its_first_and_last_day_and_the_last_day_of_a_check_count(current: dict[str, str]) -> None:
    assert used(drawn(rows(*PEOPLE[:7]), rows("p8", **current))) == PEOPLE


@pytest.mark.parametrize("lapsed", [{"to_on": "2026-11-21"}, {"from_on": "2026-11-23"}])
def test_a_list_that_has_lapsed_is_a_list_that_allows_nobody(lapsed: dict[str, str]) -> None:
    with pytest.raises(NotPermittedError, match="allows 0 of 8 people on the GP register"):
        gate(drawn(rows(*PEOPLE, **lapsed)))


@pytest.mark.parametrize("checked_on", ["2026-10-17", "2026-11-23"])
def test_a_stale_list_stops_like_any_other_kind(checked_on: str) -> None:
    fresh = rows("p1", kind="objection")

    with pytest.raises(NotPermittedError, match="not checked in the 35 days before the list: national_allowed"):
        gate(drawn(rows(*PEOPLE, checked_on=checked_on), fresh))


@pytest.mark.parametrize("purpose", ["direct_care", "risk_stratification", "evaluation"])
def test_a_list_under_another_key_or_cut_short_stops_whatever_the_purpose(purpose: Purpose) -> None:
    strangers = [f"x{number}" for number in range(100)]

    for listed in (strangers, [*strangers, "p1"]):  # one of eight is 0.125, below the ledger's 0.2
        with pytest.raises(NotPermittedError, match=r"allows [01] of 8 people on the GP register") as found:
            gate(drawn(rows(*listed)), purpose)
        assert "same key" in str(found.value)
    # Most of a list may live elsewhere, as long as the register is on it.
    assert used(drawn(rows(*strangers, *PEOPLE))) == PEOPLE
    assert used(drawn(rows("p1")), permissions_linked_at_least=0.1) == ["p1"]


def test_the_list_itself_is_no_opt_out() -> None:
    permissions = drawn(rows(*PEOPLE))

    assert in_force(permissions.lazy(), on=NIGHT).is_empty()
    homes = pl.Series("household_id", [], dtype=pl.String)
    assert opt_outs_that_meet(permissions, register().lazy(), homes).is_empty()
    assert allow_list(drawn(rows("p1", kind="national")).lazy(), CONFIG.ledger, on=NIGHT) is None


def test_a_newer_version_of_the_register_makes_nobody_allowed() -> None:
    changed = register().with_columns(recorded_on=pl.lit(NIGHT + timedelta(days=5)))
    records = records_of({"gp_patients": pl.concat([register(), changed]), "permissions": drawn(rows(*PEOPLE[:7]))})

    found = permitted_or_stop(records, config=CONFIG, purpose="evaluation", recipients=("group",), on=NIGHT)

    assert "p8" not in found.records.tables["gp_patients"].rows.collect()["person_id"].to_list()


def test_a_home_allows_nobody_and_its_row_is_refused(tmp_path: Path) -> None:
    good = good_rows("permissions", 3)
    home = good[0] | {"kind": "national_allowed", "person_id": None, "household_id": good[0]["person_id"]}
    write_csv(tmp_path / "permissions.csv", [home, *good[1:]])

    # A refused row of opt-outs stops the run, as any other does.
    assert refusals(read("permissions", tmp_path)) == [(1, "kind", ["missing"])]
