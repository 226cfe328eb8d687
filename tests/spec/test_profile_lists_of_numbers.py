"""A list of NHS numbers does not say what it means: its name must, or the settings."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from ageingwell.profiles.profile import shipped_profiles
from ageingwell.profiles.recognise import recognise, recognised_as
from ageingwell.profiles.transform import run_profile

PROFILES = shipped_profiles()
BARE = "9990001006\n9990001014\n"
HEADED = "NHS Number\n9990001006\n"


def known(path: Path, text: str) -> str | None:
    """Which profile knows a file of this text."""
    path.write_text(text, encoding="utf-8")
    found = recognise(path, PROFILES.values())
    return found.profile.name if found else None


@pytest.mark.parametrize(
    ("name", "text", "profile"),
    [
        ("objections.txt", BARE, "objections"),
        ("Objections to outreach.csv", HEADED, "objections"),
        ("t1oo.txt", BARE, "type1_search"),
        # What the numbers mean is not said: it may be who was asked about, or who may be used.
        ("numbers.txt", BARE, None),
        ("numbers.csv", HEADED, None),
        ("ndop_returned.txt", BARE, None),
        ("national_opt_out_returned.txt", BARE, None),
        # More is told than we know the meaning of: some of them may have come back.
        ("objections.csv", "NHS Number,Status\n9990001006,withdrawn\n", None),
    ],
)
def test_a_bare_list_of_numbers_is_known_by_a_telling_name_alone(
    tmp_path: Path, name: str, text: str, profile: str | None
) -> None:
    assert known(tmp_path / name, text) == profile


def test_the_settings_may_say_what_a_list_of_numbers_is(tmp_path: Path) -> None:
    (tmp_path / "numbers.txt").write_text(BARE, encoding="utf-8")

    assert recognised_as(tmp_path / "numbers.txt", PROFILES["objections"]).kind == "bare"


@pytest.mark.parametrize(
    ("entries", "is_opted_out"),
    [
        ("827241000000103,01/02/2020", True),
        ("827241000000103,01/02/2020;827261000000102,01/02/2021", False),
        ("827261000000102,01/02/2021;827241000000103,01/02/2020", False),
        ("827261000000102,01/02/2020;827241000000103,01/02/2021", True),
        # In doubt, the opt-out stands: both on one day, a day that is not told, a code that nobody knows.
        ("827261000000102,01/02/2020;827241000000103,01/02/2020", True),
        ("827261000000102,01/02/2020;827241000000103,", True),
        ("827261000000102,;827241000000103,01/02/2020", True),
        ("827241000000103,01/02/2020;827241000000999,01/02/2021", True),
    ],
)
def test_of_the_entries_of_a_type_1_opt_out_the_newest_counts(tmp_path: Path, entries: str, is_opted_out: bool) -> None:
    lines = "".join(f"9990001006,{entry}\n" for entry in entries.split(";"))
    (tmp_path / "search.csv").write_text("NHS Number,SNOMED CT,Date\n" + lines, encoding="utf-8")
    (tmp_path / "workspace").mkdir()
    found = recognised_as(tmp_path / "search.csv", PROFILES["type1_search"])

    made = run_profile(found.profile, [found], workspace=tmp_path / "workspace", extracted_on=date(2026, 11, 1))
    rows = pl.read_parquet(made.tables[0].path)

    assert rows["nhs_number"].to_list() == (["9990001006"] if is_opted_out else [])
