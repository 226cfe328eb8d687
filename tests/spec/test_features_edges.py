"""Edges of single features, drawn by hand where the small county does not reach."""

from datetime import date
from typing import Any

import polars as pl
import pytest
from helpers.knowledge import CONFIG, known_on, spine_on
from helpers.tables import table

from ageingwell.errors import ConfigError
from ageingwell.features.build import build_features
from ageingwell.timeline import AsOf

NIGHT = date(2026, 11, 22)
PEOPLE = """
    person_id | household_id | moved_in_on | birth_month | registered_on | recorded_on
    p1        | h1           | 2020-01-01  | 1940-01-01  | 2000-01-01    | 2020-01-02
"""


def features(people: str = PEOPLE, codelists: Any = CONFIG.codelists, **tables: pl.DataFrame) -> dict[str, Any]:
    patients = table(people, like="gp_patients").with_columns(sex=pl.lit("female"))
    frames = {"gp_patients": patients, **tables}
    spine = spine_on(frames, NIGHT)
    made = build_features(known_on(frames, NIGHT), spine, AsOf(NIGHT), codelists=codelists)
    return made.row(by_predicate=pl.col("person_id") == "p1", named=True)


def prescriptions(*medicines: tuple[str, str, str]) -> pl.DataFrame:
    lines = "\n".join(f"p1 | {bnf} | {dmd} | {day} | {day}" for bnf, dmd, day in medicines)
    return table(f"person_id | bnf_code | dmd_code | issued_on | recorded_on\n{lines}", like="gp_prescriptions").cast(
        {"bnf_code": pl.String, "dmd_code": pl.String}
    )


def entries(code: str, *days: tuple[str, str]) -> pl.DataFrame:
    lines = "\n".join(f"p1 | snomed | code | {happened} | {recorded}" for happened, recorded in days)
    drawn = table(f"person_id | code_system | code | happened_on | recorded_on\n{lines}", like="gp_events")
    return drawn.with_columns(code=pl.lit(CONFIG.codelists[code][0]))


def adaptations(*steps: tuple[str, str, str]) -> pl.DataFrame:
    lines = "\n".join(f"h1 | {case} | adaptation_{step} | {day} | {day}" for case, step, day in steps)
    return table(f"household_id | case_id | event_type | happened_on | recorded_on\n{lines}", like="housing_events")


# --- Look-backs at their edges ---


def test_the_edges_of_a_year_of_falls() -> None:
    # 22 November 2025 is 365 days before the night.
    days = [("2025-11-21", "2026-11-21"), ("2025-11-22", "2026-11-21"), ("2026-11-21", "2026-11-21")]

    found = features(gp_events=entries("fall", *days))

    assert (found["n_falls_365d"], found["n_falls_1095d"], found["has_falls"]) == (2.0, 3.0, 1.0)


def test_a_fall_coded_twice_on_a_day_is_one_fall() -> None:
    twice = [("2026-05-01", "2026-05-01"), ("2026-05-01", "2026-05-09"), ("2026-05-02", "2026-05-09")]

    assert features(gp_events=entries("fall", *twice))["n_falls_365d"] == 2.0


def test_an_entry_without_its_day_counts_on_the_day_it_was_entered() -> None:
    assert features(gp_events=entries("fall", ("", "2025-11-22")))["n_falls_365d"] == 1.0
    assert features(gp_events=entries("fall", ("", "2025-11-21")))["n_falls_365d"] == 0.0


def test_the_trend_sets_one_half_year_against_the_other() -> None:
    # 182 days before the night is 24 May 2026; 364 days before is 23 November 2025.
    days = ["2025-11-22", "2025-11-23", "2026-05-23", "2026-05-24", "2026-10-01", "2026-11-21"]

    found = features(gp_events=entries("gp_contact", *((day, "2026-11-21") for day in days)))

    assert found["gp_contact_trend"] == 3 - 2
    assert found["days_since_gp_contact"] == 1.0


# --- Medicines ---


def test_a_medicine_is_counted_once_whatever_its_strength_and_pack() -> None:
    same = [("0403010B0AAAGAG", "", "2026-11-01"), ("0403010B0AAAHAH", "", "2026-10-01")]
    other = [("0212000B0AAAAAA", "", "2026-09-01"), ("", "42104411000001109", "2026-11-01")]

    assert features(gp_prescriptions=prescriptions(*same))["n_medicines_90d"] == 1.0
    assert features(gp_prescriptions=prescriptions(*same, *other))["n_medicines_90d"] == 3.0


def test_a_dmd_code_that_starts_like_a_bnf_chapter_belongs_to_no_group() -> None:
    prefix = CONFIG.codelists["bnf_sedative"][0]
    lookalike = (prefix + "0000000000")[:16]

    found = features(gp_prescriptions=prescriptions(("", lookalike, "2026-11-01")))

    assert (found["n_medicines_90d"], found["n_sedative_90d"]) == (1.0, None)
    assert features(gp_prescriptions=prescriptions((lookalike[:15], "", "2026-11-01")))["n_sedative_90d"] == 1.0


@pytest.mark.parametrize(("n", "many"), [(4, 0.0), (5, 1.0)])
def test_five_medicines_are_many(n: int, many: float) -> None:
    found = features(gp_prescriptions=prescriptions(*((f"02120{i}0B0AAAAAA", "", "2026-11-01") for i in range(n))))

    assert found["has_polypharmacy"] == many


# --- Adaptations ---


@pytest.mark.parametrize(
    ("steps", "waiting", "since"),
    [
        ([("c1", "requested", "2026-11-12")], 1.0, 10.0),
        ([("c1", "requested", "2026-10-13"), ("c1", "approved", "2026-11-12")], 1.0, 40.0),
        ([("c1", "requested", "2026-10-13"), ("c1", "completed", "2026-11-12")], 0.0, 0.0),
        ([("c1", "requested", "2026-10-13"), ("c1", "withdrawn", "2026-11-12")], 0.0, 0.0),
        ([("c1", "requested", "2026-11-12"), ("c1", "completed", "2026-11-12")], 0.0, 0.0),
        ([("c1", "requested", "2026-10-13"), ("c2", "completed", "2026-11-12")], 1.0, 40.0),
        ([("c1", "requested", "2026-10-13"), ("c2", "requested", "2026-11-12")], 1.0, 40.0),
        # Without case numbers: one done in 2022, another asked for ten days ago.
        (
            [("", "requested", "2021-01-01"), ("", "completed", "2022-01-01"), ("", "requested", "2026-11-12")],
            1.0,
            10.0,
        ),
        # Before they lived there somebody else had asked: whether it is still wanted is not known.
        ([("c1", "requested", "2019-12-31")], None, None),
        ([("c1", "requested", "2019-12-31"), ("c1", "completed", "2026-11-12")], 0.0, 0.0),
        ([("c1", "requested", "2019-12-31"), ("c2", "requested", "2026-11-12")], 1.0, 10.0),
    ],
)
def test_an_adaptation_waits_from_its_asking_until_it_is_done_or_withdrawn(
    steps: list[tuple[str, str, str]], waiting: float | None, since: float | None
) -> None:
    found = features(housing_events=adaptations(*steps))

    assert (found["has_adaptation_waiting"], found["days_adaptation_waiting"]) == (waiting, since)


# --- The home and those before ---


def visit(day: str, **answers: str) -> pl.DataFrame:
    names, cells = " | ".join(answers), " | ".join(answers.values())
    head = f"household_id | visit_outcome | visited_on | recorded_on | {names}"
    return table(f"{head}\nh1 | completed | {day} | {day} | {cells}", like="fire_visits")


def test_a_previous_occupiers_facts_are_unknown() -> None:
    found = features(fire_visits=visit("2019-12-31", smoker="yes"))

    assert found["someone_smokes"] is None
    assert features(fire_visits=visit("2020-01-01", smoker="yes"))["someone_smokes"] == 1.0


def test_a_previous_occupiers_facts_are_unknown_also_where_the_day_of_the_move_is_not_sent() -> None:
    moved = """
        person_id | household_id | birth_month | registered_on | recorded_on
        p1        | h0           | 1940-01-01  | 2000-01-01    | 2000-01-02
        p1        | h1           | 1940-01-01  | 2000-01-01    | 2025-03-01
    """

    assert features(moved, fire_visits=visit("2015-01-01", smoker="yes"))["someone_smokes"] is None
    assert features(moved, fire_visits=visit("2025-04-01", smoker="yes"))["someone_smokes"] == 1.0


def test_the_newest_answer_counts_and_not_asked_does_not_replace_it() -> None:
    visits = pl.concat(
        [visit("2021-01-01", smoker="yes"), visit("2022-01-01", smoker="no"), visit("2023-01-01", smoker="unknown")]
    )

    assert features(fire_visits=visits)["someone_smokes"] == 0.0


def test_somebody_without_a_home_on_record_has_unknown_home_facts_and_no_household() -> None:
    people = PEOPLE.replace("h1 ", "   ")

    found = features(people, fire_visits=visit("2021-01-01", smoker="yes"), housing_events=adaptations())

    unknown = ("someone_smokes", "n_repairs_365d", "has_fire_visit_1825d", "is_bereaved_730d", "n_household_65plus")
    assert {name: found[name] for name in unknown} == dict.fromkeys(unknown)
    assert found["lives_alone_probability"] is None


@pytest.mark.parametrize(
    ("died", "told", "bereaved"),
    [
        ("2026-11-01", "2026-11-02", 1.0),
        ("2026-11-01", "2026-11-22", 0.0),
        ("2024-11-22", "2024-11-23", 1.0),
        ("2024-11-21", "2024-11-23", 0.0),
        ("2019-12-31", "2020-01-03", 0.0),
    ],
)
def test_a_death_in_the_home_is_felt_for_two_years_by_those_who_lived_there(
    died: str, told: str, bereaved: float
) -> None:
    people = f"""
        person_id | household_id | moved_in_on | birth_month | registered_on | died_on | died_recorded_on | recorded_on
        p1        | h1           | 2020-01-01  | 1940-01-01  | 2000-01-01    |         |                  | 2020-01-02
        p2        | h1           | 2010-01-01  | 1938-01-01  | 2000-01-01    | {died}  | {told}           | 2010-01-02
    """

    assert features(people)["is_bereaved_730d"] == bereaved


def test_a_death_is_felt_where_the_person_lived_last_whatever_the_order_of_the_rows() -> None:
    versions = [
        "p2 | h2 | 2010-01-01 | 2000-01-01 | 2026-11-01 | 2026-11-02 | 2020-01-02",
        "p2 | h1 | 2010-01-01 | 2000-01-01 | 2026-11-01 | 2026-11-02 | 2010-01-02",
    ]
    head = "person_id | household_id | moved_in_on | registered_on | died_on | died_recorded_on | recorded_on"

    def bereaved(home: str, rows: list[str]) -> float:
        people = "\n".join([head, f"p1 | {home} | 2010-01-01 | 2000-01-01 | | | 2020-01-02", *rows])
        born = table(people, like="gp_patients").with_columns(birth_month=pl.lit(date(1940, 1, 1)))
        frames = {"gp_patients": born}
        made = build_features(known_on(frames, NIGHT), spine_on(frames, NIGHT), AsOf(NIGHT), codelists=CONFIG.codelists)
        return made["is_bereaved_730d"].item()  # type: ignore[no-any-return]

    for rows in (versions, versions[::-1]):
        assert (bereaved("h1", rows), bereaved("h2", rows)) == (0.0, 1.0)


# --- Stays ---


@pytest.mark.parametrize(
    ("ended", "nights", "since"),
    [
        ("2026-10-31", 8.0, 22.0),  # 21 days of lag are over the day before the night
        ("2026-11-01", 30.0, None),  # not yet: the stay counts as still open, up to the night
        ("", 30.0, None),
    ],
)
def test_the_end_of_a_stay_is_known_after_the_lag(ended: str, nights: float, since: float | None) -> None:
    head = "person_id | kind | started_on | ended_on | recorded_on"
    # Recorded while it lasted, and ended in the same row later: the row does not say when its end was told.
    stay = f"{head}\np1 | emergency_admission | 2026-10-23 | {ended} | 2026-10-24"

    found = features(hospital_events=table(stay, like="hospital_events"))

    assert (found["n_emergency_bed_days_365d"], found["days_since_discharge"]) == (nights, since)


# --- Costs ---


@pytest.mark.parametrize(
    ("cost", "frequency", "units", "weekly"),
    [
        ("20.00", "hourly", "7", 140.0),
        ("100.00", "weekly", "", 100.0),
        ("100.00", "4_weekly", "", 25.0),
        ("100.00", "fortnightly", "", 50.0),
        ("20.00", "hourly", "", None),
        ("", "weekly", "", None),
        ("100.00", "", "", None),
        ("100.00", "unknown", "", None),
        ("100.00", "one_off", "", 0.0),
        ("1000000", "daily", "10000", 1e10),
    ],
)
def test_the_weekly_cost_is_worked_out_from_unit_and_frequency(
    cost: str, frequency: str, units: str, weekly: float | None
) -> None:
    head = "person_id | client_type | event_type | started_on | recorded_on | unit_cost | cost_frequency"
    drawn = f"p1 | service_user | service | 2026-01-01 | 2026-02-01 | {cost} | {frequency} | {units}"
    care = table(f"{head} | planned_units_per_week\n{drawn}", like="care_events")

    assert features(care_events=care)["weekly_care_cost_gbp"] == weekly


# --- Settings ---


@pytest.mark.parametrize("name", ["fall", "efi_falls", "bnf_opioid", "icd10_fall"])
def test_a_missing_code_list_stops_the_run_and_is_no_healthy_zero(name: str) -> None:
    fewer = {other: codes for other, codes in CONFIG.codelists.items() if other != name}
    stays = table("person_id | started_on | recorded_on\np1 | 2026-01-01 | 2026-01-02", like="hospital_events")

    with pytest.raises(ConfigError, match=f"there is no list `{name}`"):
        features(
            codelists=fewer,
            gp_events=entries("gp_contact", ("2026-01-01", "2026-01-01")),
            gp_prescriptions=prescriptions(("0403010B0AAAGAG", "", "2026-11-01")),
            hospital_events=stays,
        )
