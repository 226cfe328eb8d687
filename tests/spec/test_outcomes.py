"""The labels: what happened in the year after a cut-off, who cannot be followed, who is not at risk."""

from datetime import date
from typing import Any

import polars as pl
import pytest
from helpers.knowledge import CONFIG, known_on
from helpers.tables import table

from ageingwell.errors import ConfigError
from ageingwell.outcomes import OUTCOMES, label_outcomes
from ageingwell.timeline import AsOf, Horizon

CUT_OFF = date(2025, 8, 1)
LATER = date(2026, 10, 30)  # 455 days on: a year and 90 days of settling
PATIENT = "person_id | recorded_on | left_on | left_recorded_on | died_on | died_recorded_on\np1 | 2020-01-01"
STAYED = table(f"{PATIENT} | | | |", like="gp_patients")
NO_STAYS = table("person_id | recorded_on\np1 | 2020-01-01", like="hospital_events").clear()


def labels(care_home: str = "no", settled_on: date = LATER, **tables: pl.DataFrame) -> dict[str, Any]:
    """The labels of one person, by default one who stayed and to whom nothing happened."""
    frames = {"gp_patients": STAYED, "hospital_events": NO_STAYS, **tables}
    spine = pl.DataFrame({"person_id": ["p1"], "care_home": [care_home]})
    found = label_outcomes(
        known_on(frames, settled_on), spine, AsOf(CUT_OFF), horizon=Horizon(365), codelists=CONFIG.codelists
    )
    return found.row(0, named=True)


def outcomes(**tables: pl.DataFrame) -> tuple[int | None, ...]:
    found = labels(**tables)
    return tuple(found[name] for name in OUTCOMES)


def patient(left: str = "", died: str = "", *, left_told: str = "", died_told: str = "") -> pl.DataFrame:
    return table(f"{PATIENT} | {left} | {left_told} | {died} | {died_told}", like="gp_patients")


def stay(day: str, icd10: str = "J18", kind: str = "emergency_admission", told: str = "2026-09-01") -> pl.DataFrame:
    head = "person_id | kind | icd10 | started_on | recorded_on"
    return table(f"{head}\np1 | {kind} | {icd10} | {day} | {told}", like="hospital_events")


def service(
    day: str, kind: str = "community", part: str = "home_support", ended: str = "", **more: str
) -> pl.DataFrame:
    head = (
        "person_id | client_type | event_type | service_type | service_component | started_on | ended_on | recorded_on"
    )
    who, what = more.get("client_type", "service_user"), more.get("event_type", "service")
    told = more.get("told", "2026-09-01")
    drawn = f"p1 | {who} | {what} | long_term_support_{kind} | {part} | {day} | {ended} | {told}"
    return table(f"{head}\n{drawn}", like="care_events")


#                loss_of_independence, emergency_admission, new_long_term_care, death
NOTHING = (0, 0, 0, 0)


def test_nothing_happened() -> None:
    assert outcomes() == NOTHING
    assert outcomes(care_events=service("2026-01-01").clear()) == NOTHING


# --- Each component ---


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (stay("2026-01-01"), (0, 1, 0, 0)),
        (stay("2026-01-01", "S72.0"), (1, 1, 0, 0)),
        (stay("2026-01-01", "W19"), (1, 1, 0, 0)),
        (stay("2026-01-01", ""), (0, 1, 0, 0)),
        (stay("2026-01-01", "S720", "planned_admission"), NOTHING),
        (stay("2026-01-01", "S720", "ae_attendance"), NOTHING),
    ],
)
def test_an_emergency_admission_counts_and_a_fall_or_fracture_loses_independence(
    made: pl.DataFrame, expected: tuple[int, ...]
) -> None:
    assert outcomes(hospital_events=made) == expected


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (service("2026-01-01"), (1, 0, 1, 0)),
        (service("2026-01-01", "residential_care", ""), (1, 0, 1, 0)),
        (service("2026-01-01", "nursing_care", ""), (1, 0, 1, 0)),
        (service("2026-01-01", part="day_support"), NOTHING),
        (service("2026-01-01", part=""), NOTHING),
        (service("2026-01-01", event_type="request"), NOTHING),
        (service("2026-01-01", client_type="carer"), NOTHING),
        (service("2026-01-01", ended="2026-02-01"), (1, 0, 1, 0)),
    ],
)
def test_new_home_care_or_a_care_home_is_new_long_term_care(made: pl.DataFrame, expected: tuple[int, ...]) -> None:
    assert outcomes(care_events=made) == expected


def test_a_death_is_an_outcome_and_part_of_the_loss_of_independence() -> None:
    found = labels(gp_patients=patient(died="2026-03-03"))

    assert [found[name] for name in OUTCOMES] == [1, 0, 0, 1]
    assert found["died_without_emergency_admission"]
    assert found["died_without_new_long_term_care"]
    assert not found["left_area"]


def test_a_death_after_an_admission_is_not_a_competing_event_of_it() -> None:
    found = labels(gp_patients=patient(died="2026-03-03"), hospital_events=stay("2026-02-01"))

    assert not found["died_without_emergency_admission"]
    assert found["died_without_new_long_term_care"]


# --- The edges of the horizon ---


@pytest.mark.parametrize(
    ("day", "inside"), [("2025-07-31", 0), ("2025-08-01", 1), ("2026-07-31", 1), ("2026-08-01", 0)]
)
def test_the_horizon_is_the_cut_off_and_the_364_days_after_it(day: str, inside: int) -> None:
    assert labels(hospital_events=stay(day))["emergency_admission"] == inside
    if day >= "2025-08-01":
        assert labels(gp_patients=patient(died=day))["death"] == inside
        assert labels(care_events=service(day, "nursing_care", ""))["new_long_term_care"] == inside


# --- Who cannot be followed ---


def test_somebody_who_left_the_area_is_censored_and_never_a_negative() -> None:
    found = labels(gp_patients=patient(left="2026-01-01"))

    assert [found[name] for name in OUTCOMES] == [None, None, None, None]
    assert found["left_area"]


def test_what_happened_before_somebody_left_still_counts() -> None:
    gone = patient(left="2026-01-01")

    assert outcomes(gp_patients=gone, hospital_events=stay("2025-09-01", "S72")) == (1, 1, None, None)
    assert outcomes(gp_patients=gone, care_events=service("2025-09-01")) == (1, None, 1, None)


def test_a_registration_closed_by_a_death_is_no_leaving() -> None:
    for left in ("2026-03-03", "2026-03-20"):
        found = labels(gp_patients=patient(left=left, died="2026-03-03"))

        assert [found[name] for name in OUTCOMES] == [1, 0, 0, 1]
        assert not found["left_area"]


def test_somebody_who_left_and_died_elsewhere_was_not_followed_in_between() -> None:
    found = labels(gp_patients=patient(left="2025-09-01", died="2026-06-01"))

    assert [found[name] for name in OUTCOMES] == [1, None, None, 1]
    assert found["left_area"]


def test_leaving_after_the_horizon_censors_nothing() -> None:
    assert outcomes(gp_patients=patient(left="2026-08-01")) == NOTHING


def test_somebody_who_left_and_came_back_was_followed() -> None:
    back = table(
        """
        person_id | left_on    | recorded_on
        p1        | 2026-01-01 | 2020-01-01
        p1        |            | 2026-05-01
        """,
        like="gp_patients",
    )

    assert outcomes(gp_patients=back) == NOTHING


@pytest.mark.parametrize("gone", [{"died": "2025-07-20"}, {"left": "2025-07-31"}])
def test_somebody_gone_before_the_cut_off_as_was_told_too_late_is_labelled_nothing(gone: dict[str, str]) -> None:
    found = labels(gp_patients=patient(**gone), hospital_events=stay("2025-09-01", "S72"))

    assert [found[name] for name in OUTCOMES] == [None, None, None, None]


# --- Who is not at risk ---


def test_a_care_home_resident_is_at_risk_of_none() -> None:
    found = labels(care_home="yes", gp_patients=patient(died="2026-03-03"))

    assert [found[name] for name in OUTCOMES] == [None, None, None, None]
    assert [labels(care_home="check")[name] for name in OUTCOMES] == [0, 0, 0, 0]


def test_somebody_with_home_care_is_not_at_risk_of_new_long_term_care() -> None:
    already = service("2024-01-01")

    assert outcomes(care_events=already) == (0, 0, None, 0)
    assert outcomes(care_events=pl.concat([already, service("2026-01-01")])) == (0, 0, None, 0)
    # Moving into a care home loses independence, also from home care.
    assert outcomes(care_events=pl.concat([already, service("2026-01-01", "nursing_care", "")])) == (1, 0, None, 0)


@pytest.mark.parametrize(("ended", "at_risk"), [("2025-07-31", True), ("2025-08-01", False), ("2025-09-01", False)])
def test_care_that_ended_before_the_cut_off_leaves_at_risk(ended: str, at_risk: bool) -> None:
    found = labels(care_events=pl.concat([service("2024-01-01", ended=ended), service("2026-01-01")]))

    assert found["new_long_term_care"] == (1 if at_risk else None)


# --- Late records ---


def test_late_records_count_once_they_have_settled() -> None:
    late = stay("2026-07-20", told="2026-10-29")

    assert labels(hospital_events=late)["emergency_admission"] == 1
    assert labels(hospital_events=late, settled_on=date(2026, 10, 29))["emergency_admission"] == 0


# --- Tables that are missing ---


def test_without_hospital_records_admissions_and_falls_come_from_gp_codes() -> None:
    def coded(name: str, day: str = "2026-01-01", system: str = "snomed") -> pl.DataFrame:
        head = "person_id | code_system | code | happened_on | recorded_on"
        return table(head + f"\np1 | {system} | x | {day} | 2026-09-01", like="gp_events").with_columns(
            code=pl.lit(CONFIG.codelists[name][0])
        )

    def found(events: pl.DataFrame) -> tuple[int | None, ...]:
        frames = {"gp_patients": STAYED, "gp_events": events}
        spine = pl.DataFrame({"person_id": ["p1"], "care_home": ["no"]})
        made = label_outcomes(
            known_on(frames, LATER), spine, AsOf(CUT_OFF), horizon=Horizon(365), codelists=CONFIG.codelists
        )
        return made.select(OUTCOMES).row(0)

    assert found(coded("emergency_admission")) == (0, 1, 0, 0)
    assert found(coded("fracture")) == (1, 0, 0, 0)
    assert found(coded("injurious_fall")) == (1, 0, 0, 0)
    assert found(coded("fracture", system="local")) == NOTHING
    assert found(coded("fracture", day="")) == NOTHING  # told after the horizon, and nobody says when it happened
    assert found(coded("fracture").clear()) == NOTHING


def test_a_missing_code_list_is_named() -> None:
    spine = pl.DataFrame({"person_id": ["p1"], "care_home": ["no"]})
    frames = {"gp_patients": STAYED, "hospital_events": stay("2026-01-01")}

    with pytest.raises(ConfigError, match="there is no list `icd10_fall`"):
        label_outcomes(known_on(frames, LATER), spine, AsOf(CUT_OFF), horizon=Horizon(365), codelists={})
