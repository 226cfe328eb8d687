"""What the profiles of research databases and of FHIR conclude where a file tells less than our tables ask."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ageingwell.profiles.profile import Profile, read_profile, shipped_profiles
from ageingwell.profiles.recognise import recognise
from ageingwell.profiles.transform import Made, run_profile
from tools.profiles import EXTRACTED_ON, SOURCES, made_of_sample

NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"


def made_of(profile: Profile, files: dict[str, str], place: Path) -> Made:
    place.mkdir(exist_ok=True)
    for name, text in files.items():
        (place / name).write_text(text, encoding="utf-8")
    found = [recognise(place / name, shipped_profiles().values()) for name in sorted(files)]
    assert {one.profile.name for one in found if one} == {profile.name}
    workspace = place / "work"
    workspace.mkdir()
    return run_profile(profile, [one for one in found if one], workspace=workspace, extracted_on=EXTRACTED_ON)


def rows(made: Made, table: str) -> list[dict[str, Any]]:
    return pl.read_parquet(next(one.path for one in made.tables if one.table == table)).to_dicts()


def left_out(made: Made, table: str) -> dict[str, int]:
    return dict(next(one.left_out for one in made.tables if one.table == table))


def patient(name: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": name, "birthDate": "1941-02", "gender": "female", **more}


def condition(subject: str, **more: Any) -> dict[str, Any]:
    coding = [{"system": "http://snomed.info/sct", "code": "38341003"}]
    about = {"subject": {"reference": f"Patient/{subject}"}, "onsetDateTime": "2019"}
    return {"resourceType": "Condition", "code": {"coding": coding}, **about, **more}


def lines(*resources: dict[str, Any]) -> str:
    return "".join(json.dumps(one) + "\n" for one in resources)


def test_fhir_people_without_any_nhs_number_keep_the_ids_of_their_resources(tmp_path: Path) -> None:
    made = made_of(
        shipped_profiles()["fhir_r4"],
        {"people.ndjson": lines(patient("a")), "conditions.ndjson": lines(condition("a"), condition("b"))},
        tmp_path,
    )
    assert {one.table: one.ids for one in made.tables} == {"gp_events": "own", "gp_patients": "own"}
    assert [row["nhs_number"] for row in rows(made, "gp_events")] == ["a", "b"]
    person = rows(made, "gp_patients")[0]
    assert (person["birth_month"], person["registered_on"], person["practice_code"]) == (
        "1941-02-01",
        "2019-01-01",
        "Z00000",
    )


def test_one_nhs_number_makes_nhs_numbers_the_key_of_every_fhir_file(tmp_path: Path) -> None:
    numbered = patient("a", identifier=[{"system": NHS_NUMBER, "value": "9990001006"}])
    made = made_of(
        shipped_profiles()["fhir_r4"],
        {
            "people.ndjson": lines(numbered, patient("b")),
            "conditions.ndjson": lines(condition("a"), condition("b"), condition("c")),
        },
        tmp_path,
    )
    assert {one.ids for one in made.tables} == {"nhs_number"}
    assert [row["nhs_number"] for row in rows(made, "gp_events")] == ["9990001006"]
    assert left_out(made, "gp_events") == {"of nobody whose NHS number is told": 2}
    assert left_out(made, "gp_patients") == {"no NHS number": 1}


@pytest.mark.parametrize(
    ("told", "died_on"),
    [
        ({}, None),
        ({"deceasedBoolean": False}, None),
        ({"deceasedBoolean": True}, "a death without a day"),
        ({"deceasedDateTime": "2025-11"}, "2025-11-01"),
        ({"deceasedDateTime": "2025-11-03T10:00:00Z"}, "2025-11-03"),
    ],
)
def test_a_fhir_death_without_a_day_is_no_life(told: dict[str, Any], died_on: str | None, tmp_path: Path) -> None:
    made = made_of(shipped_profiles()["fhir_r4"], {"a.ndjson": lines(patient("a", **told), condition("a"))}, tmp_path)
    assert rows(made, "gp_patients")[0]["died_on"] == died_on


def test_a_table_of_which_no_row_was_sent_is_not_made(tmp_path: Path) -> None:
    made = made_of(shipped_profiles()["fhir_r4"], {"a.ndjson": lines(patient("a"), condition("a"))}, tmp_path)
    assert [one.table for one in made.tables] == ["gp_events", "gp_patients"]


def test_an_omop_death_without_a_day_is_no_life(tmp_path: Path) -> None:
    made = made_of(
        shipped_profiles()["omop_5_4"],
        {
            "a.csv": "person_id,gender_concept_id,year_of_birth\n1,8507,1940\n2,8532,1941\n",
            "b.csv": "person_id,death_date,cause_concept_id\n1,,0\n",
            "c.csv": "observation_period_id,person_id,observation_period_start_date,observation_period_end_date\n"
            "1,1,2010-01-01,2026-01-01\n2,2,2010-01-01,2026-01-01\n",
        },
        tmp_path,
    )
    assert [row["died_on"] for row in rows(made, "gp_patients")] == ["a death without a day", None]
    assert [row["birth_month"] for row in rows(made, "gp_patients")] == ["1940-07-01", "1941-07-01"]


@pytest.mark.parametrize("name", ["omop_5_4", "synthea_csv", "fhir_r4"])
def test_no_code_of_another_terminology_becomes_a_medicine(name: str, tmp_path: Path) -> None:
    made = made_of_sample(read_profile(SOURCES / name), tmp_path)
    assert not {row["dmd_code"] for row in rows(made, "gp_prescriptions")} - {"319283006"}
    assert any("RxNorm" in reason for reason in left_out(made, "gp_prescriptions"))


@pytest.mark.parametrize("name", ["omop_5_4", "synthea_csv", "fhir_r4"])
def test_a_stay_is_an_emergency_only_where_something_says_so(name: str, tmp_path: Path) -> None:
    made = made_of_sample(read_profile(SOURCES / name), tmp_path)
    assert any("not told whether it was an emergency" in reason for reason in left_out(made, "hospital_events"))
    assert {row["kind"] for row in rows(made, "hospital_events")} == {
        "ae_attendance",
        "emergency_admission",
        "planned_admission",
    }
