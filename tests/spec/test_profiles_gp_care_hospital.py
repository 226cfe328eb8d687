"""What the profiles of GP systems, social care and hospitals make of the traps of their layouts."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest
from helpers.raw import NUMBERS

from ageingwell.errors import SourceError
from ageingwell.profiles.profile import shipped_profiles
from ageingwell.profiles.recognise import recognise
from ageingwell.profiles.transform import MadeTable, run_profile

pytestmark = pytest.mark.slow

FIRST, SECOND = "9990001006", "9990001014"


def made(tmp_path: Path, profile: str, files: Mapping[str, str]) -> dict[str, MadeTable]:
    """Write drawn files (cells parted by `|`) and run a profile over them."""
    sent, work = tmp_path / "sent", tmp_path / "work"
    sent.mkdir()
    work.mkdir()
    found = []
    for name, drawing in files.items():
        lines = [[cell.strip() for cell in line.split("|")] for line in drawing.strip().splitlines()]
        (sent / name).write_text("".join("\t".join(line) + "\n" for line in lines), encoding="utf-8")
        one = recognise(sent / name, shipped_profiles().values())
        assert one is not None
        assert one.profile.name == profile
        found.append(one)
    result = run_profile(shipped_profiles()[profile], found, workspace=work)
    return {table.table: table for table in result.tables}


def rows(table: MadeTable, *columns: str) -> list[tuple[str | None, ...]]:
    return pl.read_parquet(table.path).select(columns).rows()


PRACTICES = """
OrganisationGuid | ODSCode | OrganisationName
{O1}             | M82051  | Made-up
{O2}             | M82030  | Made-up
"""
PATIENT_COLUMNS = (
    "PatientGuid | OrganisationGuid | Sex | DateOfBirth | DateOfDeath | DateOfRegistration | NhsNumber"
    " | DateofDeactivation | Deleted | SpineSensitive | IsConfidential | ProcessingId\n"
)
PATIENTS = (
    PATIENT_COLUMNS + f"{{P1}} | {{O1}} | F | 1940-02-03 | | 2001-01-01 | {FIRST} | | FALSE | FALSE | FALSE | 1\n"
)
CODES = """
CodeId | ReadTermId | SnomedCTConceptId
1      | 16D..      | 161898004
2      | 9Nu0.      | 827241000000103
3      | 9Nu1.      | 827261000000102
4      | EMISNQ12   |
"""
ENTRY_COLUMNS = (
    "ObservationGuid | PatientGuid | CodeId | EffectiveDate | EffectiveDatePrecision | EnteredDate"
    " | Deleted | IsConfidential | ProcessingId\n"
)


def emis(
    tmp_path: Path, entries: str, *, patients: str = PATIENTS, more: Mapping[str, str] | None = None
) -> dict[str, MadeTable]:
    files = {
        "291_Admin_Organisation_20261001031500_A.csv": PRACTICES,
        "291_Admin_Patient_20261001031500_A.csv": patients,
        "291_Coding_ClinicalCode_20261001031500_A.csv": CODES,
        "291_CareRecord_Observation_20261001031500_A.csv": ENTRY_COLUMNS + entries,
    }
    return made(tmp_path, "emis", files | dict(more or {}))


def test_a_partial_day_is_told_as_far_as_it_is_known(tmp_path: Path) -> None:
    known = {"YMD": "2021-09-24", "YMDT": "2021-09-24", "YM": "2021-09-01", "Y": None}
    entries = [
        f"{{E{n}}} | {{P1}} | 1 | 2021-09-24 | {precision} | 2021-10-0{n} | FALSE | FALSE | {n}"
        for n, precision in enumerate(known, start=1)
    ]
    told = rows(emis(tmp_path, "\n".join(entries))["gp_events"], "recorded_on", "code", "happened_on")
    wanted = [(f"2021-10-0{n}", "161898004", day) for n, day in enumerate(known.values(), start=1)]
    assert sorted(told, key=str) == wanted


# What is in the record of each person, and until when it holds.
OPTED_OUT = [
    ([("2", "2019-05-02", "YMD", "FALSE")], [None]),
    # Withdrawn later: it ends with that day.
    ([("2", "2019-05-02", "YMD", "FALSE"), ("3", "2020-06-01", "YMD", "FALSE")], ["2020-06-01"]),
    # Withdrawn earlier, on the same day, on an unknown day, in the future, or in a deleted entry: it stands.
    ([("2", "2019-05-02", "YMD", "FALSE"), ("3", "2018-06-01", "YMD", "FALSE")], [None]),
    ([("2", "2019-05-02", "YMD", "FALSE"), ("3", "2019-05-02", "YMD", "FALSE")], [None]),
    ([("2", "2019-05-02", "YMD", "FALSE"), ("3", "2020-06-01", "Y", "FALSE")], [None]),
    ([("2", "2019-05-02", "Y", "FALSE"), ("3", "2020-06-01", "YMD", "FALSE")], [None]),
    ([("2", "2019-05-02", "YMD", "FALSE"), ("3", "2062-06-01", "YMD", "FALSE")], [None]),
    ([("2", "2019-05-02", "YMD", "FALSE"), ("3", "2020-06-01", "YMD", "TRUE")], [None]),
    # Asked for again after a withdrawal.
    (
        [
            ("2", "2019-05-02", "YMD", "FALSE"),
            ("3", "2020-06-01", "YMD", "FALSE"),
            ("2", "2021-01-01", "YMD", "FALSE"),
        ],
        ["2020-06-01", None],
    ),
    ([("2", "2019-05-02", "YMD", "TRUE")], []),
]


def test_a_type_1_opt_out_in_the_record_ends_only_with_a_withdrawal_on_a_known_later_day(tmp_path: Path) -> None:
    people = dict(zip(NUMBERS, OPTED_OUT, strict=False))
    lines = [
        f"{{E{at}-{n}}} | {{P{at}}} | {code} | {day} | {precision} | 2021-10-04 | {deleted} | TRUE | {n}"
        for at, (entries, _) in enumerate(OPTED_OUT)
        for n, (code, day, precision, deleted) in enumerate(entries)
    ]
    patients = [
        f"{{P{at}}} | {{O1}} | F | 1940-02-03 | | 2001-01-01 | {number} | | FALSE | FALSE | FALSE | {at}"
        for at, number in enumerate(people)
    ]
    found = emis(tmp_path, "\n".join(lines), patients=PATIENT_COLUMNS + "\n".join(patients))["permissions"]
    told = rows(found, "nhs_number", "kind", "to_on", "checked_on")
    for number, (_, to_on) in people.items():
        assert [row for row in told if row[0] == number] == [(number, "type_1", day, "2026-10-01") for day in to_on]
    assert len(told) == sum(len(to_on) for _, to_on in OPTED_OUT)


def test_what_a_later_extract_deletes_is_gone_and_what_it_changes_is_changed(tmp_path: Path) -> None:
    later = {
        "291_Admin_Patient_20261101031500_A.csv": PATIENT_COLUMNS
        + f"{{P1}} | {{O1}} | F | 1940-02-03 | 2026-10-09 | 2001-01-01 | {FIRST} | | FALSE | FALSE | FALSE | 1\n"
        + f"{{P2}} | {{O1}} | M | 1941-02-03 | | 2001-01-01 | {SECOND} | | TRUE | FALSE | FALSE | 2",
        "291_CareRecord_Observation_20261101031500_A.csv": ENTRY_COLUMNS
        + "{E1} | {P1} | 1 | 2021-09-24 | YMD | 2021-10-04 | TRUE | FALSE | 1\n"
        + "{E2} | {P1} | 1 | 2020-09-24 | YMD | 2021-10-04 | FALSE | FALSE | 2",
    }
    patients = PATIENTS + f"{{P2}} | {{O1}} | M | 1941-02-03 | | 2001-01-01 | {SECOND} | | FALSE | FALSE | FALSE | 2"
    entries = """{E1} | {P1} | 1 | 2021-09-24 | YMD | 2021-10-04 | FALSE | FALSE | 1
    {E2} | {P1} | 1 | 2021-09-24 | YMD | 2021-10-04 | FALSE | FALSE | 2
    {E3} | {P2} | 1 | 2021-09-24 | YMD | 2021-10-04 | FALSE | FALSE | 3"""
    tables = emis(tmp_path, entries, patients=patients, more=later)
    assert rows(tables["gp_patients"], "nhs_number", "died_on", "recorded_on") == [
        (FIRST, None, "2026-10-01"),
        (FIRST, "2026-10-09", "2026-11-01"),
    ]
    assert tables["gp_patients"].left_out == {"deleted: the patient is out of the practice's sharing": 2}
    assert [day for _, day in rows(tables["gp_events"], "nhs_number", "happened_on")] == ["2021-09-24", "2020-09-24"]
    assert tables["gp_events"].left_out == {"an earlier version of the entry": 2, "deleted": 1}


def test_of_records_at_two_practices_the_current_one_counts_and_a_death_told_by_either(tmp_path: Path) -> None:
    patients = PATIENTS + (
        f"{{P9}} | {{O2}} | F | 1940-02-03 | 2026-09-30 | 1990-01-01 | {FIRST} | 2000-12-01 | FALSE | FALSE | FALSE | 2"
    )
    found = emis(tmp_path, "{E1} | {P1} | 1 | 2021-09-24 | YMD | | FALSE | FALSE | 1", patients=patients)["gp_patients"]
    told = rows(found, "practice_code", "registered_on", "left_on", "died_on")
    assert told == [("M82051", "2001-01-01", None, "2026-09-30")]


@pytest.mark.parametrize("flag", ["SpineSensitive", "IsConfidential"])
def test_a_person_marked_sensitive_is_restricted_and_their_entries_stay_at_the_practice(
    tmp_path: Path, flag: str
) -> None:
    flags = "TRUE | FALSE" if flag == "SpineSensitive" else "FALSE | TRUE"
    patients = PATIENT_COLUMNS + f"{{P1}} | {{O1}} | F | 1940-02-03 | | 2001-01-01 | {FIRST} | | FALSE | {flags} | 1"
    tables = emis(tmp_path, "{E1} | {P1} | 1 | 2021-09-24 | YMD | | FALSE | FALSE | 1", patients=patients)
    assert rows(tables["permissions"], "nhs_number", "kind") == [(FIRST, "restriction")]
    assert tables["gp_events"].n_rows == 0
    assert tables["gp_events"].left_out == {"marked confidential": 1}


def test_a_register_without_days_of_death_is_not_taken_for_one(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    header = "NHS Number,Date of Birth,Gender,Registered Date,Usual GP's Organisation Code"
    path.write_text(f"{header}\n{FIRST},05-Dec-1936,Male,31-May-2001,M82051\n", encoding="utf-8")
    assert recognise(path, shipped_profiles().values()) is None


def test_the_day_of_the_extract_is_asked_for_where_no_name_tells_it(tmp_path: Path) -> None:
    files = {"a.csv": PRACTICES, "b.csv": PATIENTS, "c.csv": CODES, "d.csv": ENTRY_COLUMNS}
    with pytest.raises(SourceError, match="the day this extract was taken is not known"):
        made(tmp_path, "emis", files)


CARE_COLUMNS = (
    "LA Person Unique Identifier | NHS Number | Date of Death | Client Type | Event Type | Event Start Date"
    " | Event End Date | Event Outcome | Adult 1 Linked Person_ID | Adult 2 Linked Person_ID\n"
)


def test_both_releases_give_the_same_table_and_a_row_of_nobody_is_left_out(tmp_path: Path) -> None:
    first = f"""sc1 | {FIRST} | 05/09/2026 | Service User | Request | 03/04/2026 | NULL | NFA - Support declined | |
    sc2 | | | Carer | Assessment | 03/04/2026 | 04/04/2026 | No change in package | NULL | sc1
    | NULL | | Service User | Request | 03/04/2026 | | NFA- Other | |"""
    second = (
        first.replace("User", "user")
        .replace("Carer", "Unpaid carer")
        .replace("No change in package", "Continuation of support or services")
    )
    columns = ("nhs_number", "la_person_id", "linked_la_person_id", "client_type", "started_on", "ended_on", "died_on")
    for release, text in (("cld_r1", first), ("cld_r2", second)):
        (tmp_path / release).mkdir()
        found = made(tmp_path / release, release, {"return.csv": CARE_COLUMNS + text})["care_events"]
        (who, carer) = rows(found, *columns)
        assert who == (FIRST, "sc1", None, who[3], "2026-04-03", None, "2026-09-05")
        assert carer[:3] == (None, "sc2", "sc1")
        assert str(carer[3]).lower().removeprefix("unpaid ") == "carer"
        assert found.left_out == {"neither an NHS number nor an LA person id": 1}
        assert found.unknown_labels == {}


STAY_COLUMNS = (
    "NEWNHSNO | ADMIDATE | ADMIMETH | DISDATE | DISMETH | EPIORDER | EPISTART | EPIEND | PROCODE | DIAG_01 | DIAG_02\n"
)


@pytest.mark.parametrize(
    ("written", "code"),
    [("S7200", "S7200"), ("I10X", "I10"), ("G20XD", "G20"), ("F009A", "F009"), ("w19.0", "W190"), ("M8455", "M8455")],
)
def test_a_diagnosis_is_read_without_what_fills_or_marks_it(tmp_path: Path, written: str, code: str) -> None:
    stay = f"{FIRST} | 2026-01-01 | 21 | 2026-01-05 | 1 | 01 | 2026-01-01 | 2026-01-05 | RXW | {written} | "
    assert rows(made(tmp_path, "hes_apc", {"e.csv": STAY_COLUMNS + stay})["hospital_events"], "icd10") == [(code,)]


def test_episodes_of_one_stay_are_one_row_and_every_position_counts(tmp_path: Path) -> None:
    # The second stay was never discharged (1801-01-01); the third has no hospital code, and its diagnosis is kept.
    episodes = f"""{FIRST} | 2026-01-01 | 2A | 1801-01-01 | 8 | 01 | 2026-01-01 | 2026-01-03 | RXW | R69X6 | W190
    {FIRST} | 2026-01-01 | 2A | 2026-01-09 | 1 | 02 | 2026-01-03 | 2026-01-09 | RXW | S7200 | -
    {FIRST} | 2026-03-01 | 11 | 1801-01-01 | 8 | 01 | 2026-03-01 | 2026-03-02 | RXW | H259 |
    {SECOND} | 2026-03-01 | 81 | 2026-03-02 | 1 | 01 | 2026-03-01 | 2026-03-02 | | J440 | W010
    {SECOND} | 2026-04-01 | 31 | 2026-04-02 | 1 | 01 | 2026-04-01 | 2026-04-02 | RXW | O800 |
    | 2026-04-01 | 21 | 2026-04-02 | 1 | 01 | 2026-04-01 | 2026-04-02 | RXW | J440 |"""
    found = made(tmp_path, "hes_apc", {"e.csv": STAY_COLUMNS + episodes})["hospital_events"]
    # Known six weeks after its last day: 9 January + 42 days is 20 February, 2 March + 42 days 13 April.
    assert rows(found, "nhs_number", "kind", "icd10", "other_icd10", "ended_on", "recorded_on") == [
        (FIRST, "emergency_admission", "S7200", "R69 W190", "2026-01-09", "2026-02-20"),
        (FIRST, "planned_admission", "H259", None, None, "2026-04-13"),
        (SECOND, "planned_admission", "J440", "W010", "2026-03-02", "2026-04-13"),
    ]
    assert found.left_out == {"kind: a value that is left out": 1, "no NHS number": 1}


def test_entries_without_a_dictionary_are_left_out_and_say_what_to_ask_for(tmp_path: Path) -> None:
    files = {
        "p.txt": "patid | pracid | gender | yob | regstartdate | regenddate | cprd_ddate\n"
        "7 | 20001 | 2 | 1940 | 31/05/2001 | | 09/10/2024",
        "o.txt": "patid | obsid | obsdate | enterdate | medcodeid\n7 | 1 | 03/02/2020 | 04/02/2020 | 284596015",
    }
    tables = made(tmp_path, "cprd_aurum", files)
    assert rows(tables["gp_patients"], "birth_month", "practice_code", "died_on", "died_recorded_on") == [
        ("1940-07-01", "Z20001", "2024-10-09", "2024-10-23")
    ]
    assert tables["gp_events"].n_rows == 0
    [(reason, n)] = tables["gp_events"].left_out.items()
    assert (n, "put CPRD's medical dictionary" in reason) == (1, True)
