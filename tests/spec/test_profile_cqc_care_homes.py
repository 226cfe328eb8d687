"""A care home without a UPRN is the one home of its postcode, or none."""

from datetime import date
from pathlib import Path

import polars as pl

from ageingwell.profiles.profile import shipped_profiles
from ageingwell.profiles.recognise import recognised_as
from ageingwell.profiles.transform import run_profile

CQC = shipped_profiles()["cqc_care_homes"]
DIRECTORY = """Care directory,,
Produced on 02 November 2026,,
Name,Postcode,Service types
One home here,ZZ6 6AA,Nursing homes
Several homes here,zz66ab,Residential homes|Homecare agencies
Nobody knows this postcode,ZZ6 6AC,Residential homes
A dentist,ZZ6 6AA,Dentist
"""


def test_a_care_home_of_the_directory_lies_where_its_postcode_has_one_home(tmp_path: Path) -> None:
    path = tmp_path / "directory.csv"
    path.write_text(DIRECTORY, encoding="utf-8")
    areas = pl.DataFrame(
        {
            "uprn": ["100070000001", "100070000002", "100070000003", None],
            "postcode": ["ZZ66AA", "ZZ6 6AB", "ZZ6 6AB", "ZZ6 6AA"],
            "lsoa21": ["E01000001"] * 4,
        }
    )
    areas.write_parquet(tmp_path / "areas.parquet")
    (tmp_path / "workspace").mkdir()

    made = run_profile(
        CQC,
        [recognised_as(path, CQC)],
        workspace=tmp_path / "workspace",
        extracted_on=date(2026, 11, 1),
        areas=[tmp_path / "areas.parquet"],
    )

    rows = pl.read_parquet(made.tables[0].path).select("_row", "uprn", "property_type", "recorded_on").rows()
    assert rows == [(1, "100070000001", "care_home", "2026-11-02")]
    assert made.tables[0].left_out == {
        "no UPRN, and several homes at the postcode": 1,
        "no UPRN, and no home known at the postcode": 1,
        "no care home": 1,
    }
