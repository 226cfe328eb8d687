"""The ledger: a source is used for a purpose and recipient only where a line in force says so."""

from datetime import date
from typing import Any

import pytest
from helpers.tables import table

from ageingwell.config.load import load_config
from ageingwell.config.score import Ledger
from ageingwell.errors import NotPermittedError
from ageingwell.permissions import stop_unless_checked, stop_unless_permitted

NIGHT = date(2026, 11, 22)
LINE: dict[str, Any] = {
    "sources": ("care_events", "homes"),
    "purposes": ("direct_care",),
    "recipients": ("group", "fire"),
    "legal_basis": "common law duty of care",
    "expires_on": NIGHT,
}


def ledger(*lines: dict[str, Any], **settings: Any) -> Ledger:
    return Ledger.model_validate({"permitted": lines, "views": {}, **settings})


def refusal(told: Ledger, *sources: str, on: date = NIGHT, made_up: bool = False, **use: Any) -> str:
    with pytest.raises(NotPermittedError) as stopped:
        ask(told, *sources, on=on, made_up=made_up, **use)
    assert stopped.value.exit_code == 6
    return stopped.value.found.removeprefix("the permission ledger does not allow this run: ")


def ask(told: Ledger, *sources: str, on: date = NIGHT, made_up: bool = False, **use: Any) -> None:
    asked: dict[str, Any] = {"purpose": "direct_care", "recipients": ("group",), **use}
    stop_unless_permitted(told, sources, on=on, made_up=made_up, **asked)


def test_a_listed_use_is_permitted_up_to_and_with_its_last_day() -> None:
    ask(ledger(LINE), "care_events", "homes", recipients=("group", "fire"))


def test_the_day_after_its_last_a_line_has_lapsed_and_the_pair_is_named() -> None:
    told = refusal(ledger(LINE), "care_events", on=date(2026, 11, 23))

    assert told == "care_events for direct_care, to group: lapsed on 2026-11-22"


def test_an_empty_ledger_permits_nothing() -> None:
    assert refusal(ledger(), "homes") == "homes for direct_care, to group: not listed"


@pytest.mark.parametrize(
    ("source", "use"),
    [
        ("gp_events", {}),
        ("homes", {"purpose": "evaluation"}),
        ("homes", {"recipients": ("housing",)}),
    ],
)
def test_a_source_purpose_or_recipient_that_is_not_listed_is_not_permitted(source: str, use: dict[str, Any]) -> None:
    assert refusal(ledger(LINE), source, **use).endswith(": not listed")


def test_one_line_must_hold_the_source_the_purpose_and_the_recipient_together() -> None:
    lines = (LINE | {"recipients": ("housing",)}, LINE | {"purposes": ("evaluation",)})

    assert refusal(ledger(*lines), "homes") == "homes for direct_care, to group: not listed"


def test_a_newer_line_takes_the_place_of_a_lapsed_one() -> None:
    old, older = LINE | {"expires_on": date(2025, 1, 1)}, LINE | {"expires_on": date(2024, 1, 1)}

    ask(ledger(old, LINE), "homes")
    assert refusal(ledger(older, old), "homes").endswith("lapsed on 2025-01-01")


def test_a_line_for_made_up_data_permits_no_other() -> None:
    told = ledger(LINE | {"made_up_data_only": True})

    ask(told, "homes", made_up=True)
    assert refusal(told, "homes") == "homes for direct_care, to group: listed for made-up data only"
    ask(ledger(LINE | {"made_up_data_only": True}, LINE), "homes", made_up=False)


def test_every_pair_is_named_and_many_are_counted() -> None:
    told = refusal(ledger(), "homes", "gp_events", recipients=("group", "fire", "gp", "housing"))

    assert told.count("not listed") == 5
    assert told.endswith("(and 3 more)")


def test_the_shipped_ledger_permits_made_up_data_and_nothing_else() -> None:
    config = load_config()
    everyone = ("group", "gp", "social_care", "housing", "fire", "voluntary", "safeguarding")

    ask(config.ledger, *config.tables, recipients=everyone, made_up=True)
    assert "listed for made-up data only" in refusal(config.ledger, *config.tables, recipients=everyone)


# --- Whether the opt-outs were checked ---

OPT_OUTS = """
    person_id | kind      | checked_on
    p1        | objection | 2026-10-18
    p2        | objection | 2026-09-01
"""


def test_opt_outs_checked_within_35_days_are_believed() -> None:
    opted = table(OPT_OUTS, like="permissions").lazy()

    # From 18 October to 22 November are 35 days.
    stop_unless_checked(opted, ledger(), on=NIGHT)
    with pytest.raises(NotPermittedError, match="the 35 days before the list: objection: last on 2026-10-18"):
        stop_unless_checked(opted, ledger(), on=date(2026, 11, 23))


def test_an_empty_table_of_opt_outs_stops_the_run_unless_the_ledger_says_it_may_be_empty() -> None:
    nobody = table(OPT_OUTS, like="permissions").clear().lazy()

    with pytest.raises(NotPermittedError, match="the table has no rows"):
        stop_unless_checked(nobody, ledger(), on=NIGHT)
    stop_unless_checked(nobody, ledger(permissions_may_be_empty=True), on=NIGHT)
