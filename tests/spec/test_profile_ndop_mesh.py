"""The list that the national check for opt-outs returned says who may be used; the list sent is never taken for it."""

from pathlib import Path

import polars as pl
import pytest

from ageingwell.errors import SourceError
from ageingwell.profiles.profile import shipped_profiles
from ageingwell.profiles.recognise import recognise, recognised_as
from ageingwell.profiles.transform import run_profile

ASKED = [f"99900010{n:02d}" for n in range(10)]
ALLOWED = ASKED[:8]
NDOP = shipped_profiles()["ndop_mesh"]


def made(tmp_path: Path, files: dict[str, list[str]]) -> pl.DataFrame:
    """What the profile makes of lists of numbers, by file name."""
    for name, numbers in files.items():
        (tmp_path / name).write_text("".join(f"{number},\n" for number in numbers), encoding="utf-8")
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    found = run_profile(NDOP, [recognised_as(tmp_path / name, NDOP) for name in files], workspace=workspace)
    return pl.read_parquet(found.tables[0].path)


@pytest.mark.parametrize(
    ("asked", "allowed"),
    [
        ("NDOP_sent_X26OT001-201126-0001.dat", "NDOP_returned_X26OT001-201126-0001.dat"),
        ("X26OT001-201126-0001.dat", "X26OT001-201126-0002.dat"),
        ("b-201126.dat", "a-201126.dat"),
        ("request_201126.dat", "one_201126.dat"),
        ("one_201126.dat", "response_201126.dat"),
    ],
)
def test_those_in_the_list_returned_may_be_used_whatever_the_names(tmp_path: Path, asked: str, allowed: str) -> None:
    rows = made(tmp_path, {asked: ASKED, allowed: ALLOWED})

    assert rows["nhs_number"].to_list() == ALLOWED
    assert rows["kind"].unique().to_list() == ["national_allowed"]
    assert rows["checked_on"].unique().to_list() == ["2026-11-20"]


def test_a_list_returned_counts_alone_where_its_name_says_what_it_is(tmp_path: Path) -> None:
    assert made(tmp_path, {"returned-201126-0001.dat": ALLOWED})["nhs_number"].to_list() == ALLOWED


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"X26OT001-201126-0001.dat": ASKED}, "it is not known whether"),
        ({"sent-201126.dat": ASKED}, "only the list that was sent"),
        # Somebody worked out who has opted out: a part of the list sent, and no list of who may be used.
        ({"a-201126.dat": ASKED, "b-201126.dat": ASKED[8:]}, "it is not known whether"),
        ({"sent-201126.dat": ASKED, "returned-201126.dat": ASKED[8:]}, "less than half"),
        ({"sent-201126.dat": ASKED, "opted_out-201126.dat": ALLOWED}, "who were taken out"),
        ({"not_returned-201126.dat": ASKED}, "who were taken out"),
        # The names are the wrong way round.
        ({"returned-201126.dat": ASKED, "sent-201126.dat": ALLOWED}, "sent by its name and returned by its numbers"),
        # Two lists sent, of two days.
        ({"a-201126.dat": ASKED, "b-201026.dat": ASKED[:9]}, "it is not known whether"),
        ({"a-201126.dat": ASKED, "b-201126.dat": ASKED}, "it is not known whether"),
        ({"sent-201126.dat": ASKED[:9], "returned-201126.dat": ASKED[1:]}, "not of one national check"),
        ({"returned-201126.dat": ALLOWED, "returned-201026.dat": ASKED}, "more than one national check"),
    ],
)
def test_where_it_is_not_certain_which_list_it_is_the_profile_stops(
    tmp_path: Path, files: dict[str, list[str]], sentence: str
) -> None:
    with pytest.raises(SourceError, match=sentence):
        made(tmp_path, files)


def test_a_list_without_commas_is_no_list_of_the_national_check(tmp_path: Path) -> None:
    path = tmp_path / "NDOP_returned_201126.dat"
    path.write_text("\n".join(ALLOWED), encoding="utf-8")

    assert recognise(path, [NDOP]) is None
