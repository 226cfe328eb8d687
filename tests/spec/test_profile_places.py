"""What the profiles of homes, alerts and fires conclude from a cell, and what they leave unknown."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from ageingwell.errors import SourceError
from ageingwell.profiles.profile import shipped_profiles
from ageingwell.profiles.recognise import recognised_as
from ageingwell.profiles.transform import MadeTable, run_profile

PROFILES = shipped_profiles()
UPRN = "100070000001"


def made(tmp_path: Path, profile: str, text: str) -> MadeTable:
    """The one table that a profile makes of one file, taken on 1 November 2026."""
    (tmp_path / "file.csv").write_text(text, encoding="utf-8")
    (tmp_path / "workspace").mkdir()
    found = recognised_as(tmp_path / "file.csv", PROFILES[profile])
    return run_profile(found.profile, [found], workspace=tmp_path / "workspace", extracted_on=date(2026, 11, 1)).tables[
        0
    ]


def cells(table: MadeTable, column: str) -> list[str | None]:
    """One column of a made table."""
    return pl.read_parquet(table.path)[column].to_list()


@pytest.mark.parametrize(
    ("number", "levels", "floors"),
    [
        # The open data of the old register: words, and floors of two figures.
        (
            "LMK_KEY",
            ["Ground", "00", "1st", "01", "20+", "21st or above", "Basement", "-1", "mid floor", "NODATA!", "attic"],
            ["0", "0", "1", "1", "20", "21", "-1", "-1", "1", None, "attic"],
        ),
        # The newer layout gives the code of the survey: 0 basement, 1 ground, 2 middle, 3 top floor.
        ("CERTIFICATE_NUMBER", ["0", "1", "2", "3", "1st", "Ground"], ["-1", "0", "1", "1", "1", "0"]),
    ],
)
def test_the_floor_of_a_flat_is_read_as_each_layout_writes_it(
    tmp_path: Path, number: str, levels: list[str], floors: list[str | None]
) -> None:
    rows = "".join(f"1,UPRN-{UPRN},C,Flat,2024-01-02,{level}\n" for level in levels)
    header = f"{number},UPRN,CURRENT_ENERGY_RATING,PROPERTY_TYPE,LODGEMENT_DATE,FLOOR_LEVEL\n"

    table = made(tmp_path, "epc_register", header + rows)

    assert cells(table, "lowest_floor") == floors
    assert set(cells(table, "uprn")) == {UPRN}


@pytest.mark.parametrize(
    ("discount", "ended", "answer"),
    [
        ("Single person discount,25", "", "yes"),
        ("SPD,", "", "yes"),
        (",25%", "", "yes"),
        ("Single person discount,25", "01/04/2026", "no"),
        ("No discount,0", "", "no"),
        # Somebody else lives there whom the tax does not count, or nothing is told.
        ("Disregard - carer,25", "", "unknown"),
        ("Disregards,50", "", "unknown"),
        (",", "", "unknown"),
    ],
)
def test_a_council_tax_discount_tells_of_one_adult_only_where_no_other_is_disregarded(
    tmp_path: Path, discount: str, ended: str, answer: str
) -> None:
    header = "UPRN,Discount Type,Discount %,End Date\n"

    assert cells(made(tmp_path, "council_tax", f"{header}{UPRN},{discount},{ended}\n"), "single_adult_discount") == [
        answer
    ]


@pytest.mark.parametrize(
    ("alert", "kind", "ends"),
    [
        ("VIO1.01,,true", "staff_safety", None),
        ("RISK2.04,,Y", "staff_safety", None),
        ("RISK3.03,01/03/2025,N", "staff_safety", "2025-03-01"),
        ("VIO1.01,,false", "staff_safety", "2026-11-01"),
        # Marked as active, though its end is past: it stays in force.
        ("VIO1.01,01/03/2025,true", "staff_safety", None),
        ("SAF3.01,,true", "safeguarding", None),
        ("RISK4.01,,true", None, None),
        ("COM1.03,,true", None, None),
    ],
)
def test_alerts_of_danger_and_of_safeguarding_are_markers_of_the_home(
    tmp_path: Path, alert: str, kind: str | None, ends: str | None
) -> None:
    table = made(tmp_path, "person_alerts", f"person_alert_code,end_date,is_active,uprn\n{alert},{UPRN}\n")

    assert cells(table, "kind") == ([kind] if kind else [])
    assert cells(table, "to_on") == ([ends] if kind else [])


@pytest.mark.parametrize(
    ("incident", "kind"),
    [
        ("Primary fire,Dwelling,Accidental", "accidental_dwelling_fire"),
        ("Chimney fire,Dwelling - house,Not known", "accidental_dwelling_fire"),
        ("Primary fire,Dwelling,Deliberate", "deliberate_fire"),
        ("False alarm - apparatus,Dwelling,", "false_alarm"),
        ("Special service - effecting entry,Dwelling,", "special_service"),
        ("Primary fire,Non Residential,Accidental", None),
        ("Primary fire,Dwelling,", None),
    ],
)
def test_a_fire_is_an_accident_in_a_dwelling_only_where_both_are_told(
    tmp_path: Path, incident: str, kind: str | None
) -> None:
    header = "UPRN,Incident Date,Incident Type,Property Category,Motive\n"

    assert cells(made(tmp_path, "irs", f"{header}{UPRN},12 Jun 2024,{incident}\n"), "incident_type") == (
        [kind] if kind else []
    )


def test_alerts_that_name_their_codes_by_a_number_need_the_list_of_codes(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="person_alert_codes"):
        made(tmp_path, "person_alerts", f"person_alert_code_id,end_date,is_active,uprn\n57,,true,{UPRN}\n")
