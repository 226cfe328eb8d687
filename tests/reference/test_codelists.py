"""The shipped code lists: real identifiers, tidy files, and a README that tells the truth about them."""

import csv
import re
from itertools import pairwise
from pathlib import Path

import pytest
from helpers.verhoeff import check_digit, passes

FOLDER = Path(__file__).parents[2] / "configs" / "codelists"
FILES = sorted(FOLDER.glob("*.csv"))
NAMES = [path.stem for path in FILES]
PREFIXES = [name for name in NAMES if name.startswith(("icd10_", "bnf_"))]
SNOMED = [name for name in NAMES if name not in PREFIXES]

_DEFICITS = """
    activity_limitation anaemia arthritis atrial_fibrillation care_requirement chronic_kidney_disease cognitive_problems
    coronary_heart_disease diabetes dizziness dyspnoea falls foot_problems fragility_fracture hearing_loss heart_failure
    heart_valve_disease housebound hypertension hypotension mobility_problems osteoporosis parkinsons peptic_ulcer
    peripheral_vascular_disease polypharmacy respiratory_disease skin_ulcer sleep_disturbance social_vulnerability
    stroke_tia thyroid_disorders urinary_incontinence urinary_system_disease vision_problems weight_loss
"""
_OTHERS = """
    gp_contact fall injurious_fall loss_of_consciousness unable_to_get_up fracture dementia cancer copd_asthma
    end_of_life emergency_admission carer bereavement smoker alcohol_concern depression home_oxygen frailty_severe
    frailty_moderate gait_balance_problem delirium urinary_tract_infection flu_vaccination
    icd10_fall icd10_fracture icd10_injury
    bnf_anticholinergic bnf_sedative bnf_opioid bnf_antihypertensive bnf_anticoagulant bnf_antipsychotic bnf_insulin
    bnf_emollient bnf_oxygen
    dmd_anticholinergic dmd_sedative dmd_opioid dmd_antihypertensive dmd_anticoagulant dmd_antipsychotic dmd_insulin
    dmd_emollient
"""
DEFICITS, OTHERS = _DEFICITS.split(), _OTHERS.split()

# Lists that would count one entry as two different things if they shared a code.
APART = [
    ("fall", "injurious_fall"),
    ("frailty_severe", "frailty_moderate"),
    ("carer", "efi_care_requirement"),
    ("bereavement", "efi_social_vulnerability"),
    ("smoker", "alcohol_concern"),
    ("emergency_admission", "gp_contact"),
    *((f"efi_{deficit}", "gp_contact") for deficit in DEFICITS if deficit != "polypharmacy"),
]
WITHIN = [
    ("dementia", "efi_cognitive_problems"),
    ("fall", "efi_falls"),
    ("copd_asthma", "efi_respiratory_disease"),
    ("icd10_fracture", "icd10_injury"),
]


def rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def codes(name: str) -> list[str]:
    return [row["code"] for row in rows(name)]


def readme_counts() -> dict[str, str]:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    return {found[1]: found[2] for found in re.finditer(r"^\| `(\w+)` \| [^|]+ \| (\w+) \|", text, re.MULTILINE)}


def test_the_check_digit_of_the_published_example_is_three() -> None:
    assert check_digit("236") == "3"


def test_every_promised_list_is_there_and_no_other() -> None:
    assert len(DEFICITS) == 36
    files = {f"efi_{deficit}" for deficit in DEFICITS if deficit != "polypharmacy"} | set(OTHERS)
    assert set(NAMES) == files


def test_the_readme_counts_every_list_rightly() -> None:
    expected = {name: str(len(codes(name))) for name in NAMES} | {"efi_polypharmacy": "none"}
    assert readme_counts() == expected


def test_the_readme_warns_and_names_the_owner_of_the_terms() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert "made-up data" in text
    assert "must review" in text
    assert "SNOMED International" in text


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_tidy(name: str) -> None:
    raw = (FOLDER / f"{name}.csv").read_bytes()
    listed = rows(name)
    assert raw.startswith(b"code,term\n")
    assert raw.endswith(b"\n")
    assert b"\r" not in raw
    assert listed
    for row in listed:
        assert set(row) == {"code", "term"}
        assert all(value and value == " ".join(value.split()) for value in row.values())


@pytest.mark.parametrize("name", NAMES)
def test_codes_are_sorted_and_none_stands_twice(name: str) -> None:
    assert all(left < right for left, right in pairwise(codes(name)))


@pytest.mark.parametrize("name", SNOMED)
def test_every_snomed_identifier_is_a_concept_with_a_right_check_digit(name: str) -> None:
    for code in codes(name):
        assert re.fullmatch(r"[1-9][0-9]{5,17}", code), code
        # The two digits before the last say what is identified: 00 and 10 are concepts.
        assert code[-3:-1] in {"00", "10"}, code
        assert passes(code), code


@pytest.mark.parametrize("name", PREFIXES)
def test_prefixes_have_the_shape_of_their_system_and_none_covers_another(name: str) -> None:
    shape = r"[A-Z]\d\d\d?" if name.startswith("icd10_") else r"\d{4}(\d\d(\d([0-9A-Z]{2})?)?)?"
    listed = codes(name)
    assert all(re.fullmatch(shape, code) for code in listed)
    assert not [(left, right) for left, right in pairwise(listed) if right.startswith(left)]


@pytest.mark.parametrize(("one", "other"), APART)
def test_lists_that_mean_different_things_share_no_code(one: str, other: str) -> None:
    assert not set(codes(one)) & set(codes(other))


@pytest.mark.parametrize(("narrow", "wide"), WITHIN)
def test_a_wide_list_covers_the_narrow_one(narrow: str, wide: str) -> None:
    missed = [code for code in codes(narrow) if not code.startswith(tuple(codes(wide)))]
    assert [code for code in missed if not code.startswith("M")] == []


def test_a_code_has_the_same_term_on_every_list() -> None:
    terms: dict[str, set[str]] = {}
    for name in SNOMED:
        for row in rows(name):
            terms.setdefault(row["code"], set()).add(row["term"])
    assert {code: found for code, found in terms.items() if len(found) > 1} == {}


def test_falls_and_injuries_are_whole_blocks_of_icd_10() -> None:
    assert codes("icd10_fall") == [f"W{number:02}" for number in range(20)]
    injuries = [f"S{number:02}" for number in range(100)] + [f"T{number:02}" for number in range(15)]
    assert codes("icd10_injury") == injuries
