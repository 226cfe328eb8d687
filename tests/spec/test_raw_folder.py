"""What lies in an agency's folder is found whatever it lies in, and given to one source or to none."""

import zipfile
from pathlib import Path

import pytest

from ageingwell.config.score import SourceSettings
from ageingwell.errors import ConfigError, SourceError
from ageingwell.profiles.finding import RawFile, assigned, raw_files
from ageingwell.profiles.profile import shipped_profiles

IRS = "Incident Type,Property Type,UPRN,Date of Incident\nFire,House,100070000037,12 Jun 2024\n"


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    folder = tmp_path / "raw"
    (folder / "fire").mkdir(parents=True)
    (folder / "fire" / "a.csv").write_text(IRS, encoding="utf-8")
    (folder / ".hidden").write_text("x", encoding="utf-8")
    (folder / "_started").write_text("x", encoding="utf-8")
    (folder / "Thumbs.db").write_text("x", encoding="utf-8")
    return folder


def _names(folder: Path, tmp_path: Path) -> list[str]:
    work = tmp_path / "work"
    work.mkdir()
    return [file.name for file in raw_files(folder, workspace=work)]


def test_files_in_folders_and_archives_are_found_by_their_place_and_what_systems_leave_is_not(
    raw: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(raw / "b.zip", "w") as archive:
        archive.writestr("inner/c.csv", IRS)
        archive.writestr("__MACOSX/._c.csv", "x")
    assert _names(raw, tmp_path) == ["b.zip/inner/c.csv", "fire/a.csv"]


def test_a_path_in_an_archive_leads_nowhere_else(raw: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(raw / "b.zip", "w") as archive:
        archive.writestr("../../../escaped.csv", IRS)
        archive.writestr("/tmp/escaped_too.csv", IRS)  # noqa: S108 - inside an archive
    work = tmp_path / "work"
    work.mkdir()
    unpacked = [file.path for file in raw_files(raw, workspace=work) if "b.zip" in file.name]
    assert len(unpacked) == 2
    assert all(path.resolve().is_relative_to(work.resolve()) for path in unpacked)
    assert not (tmp_path / "escaped.csv").exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["damaged", "growing"])
def test_an_archive_that_cannot_be_trusted_is_named_and_not_unpacked(name: str, raw: Path, tmp_path: Path) -> None:
    path = raw / "b.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("c.csv", IRS if name == "damaged" else "0" * 600_000_000)
    if name == "damaged":
        path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(SourceError, match=r"b\.zip"):
        _names(raw, tmp_path)


def test_the_settings_give_a_file_to_a_source_and_a_file_that_is_not_of_it_stops(raw: Path) -> None:
    file = RawFile(raw / "fire" / "a.csv", "fire/a.csv")
    profiles = shipped_profiles()
    found = assigned([file], profiles, {"irs": SourceSettings(files=("fire/*.csv",))})
    assert [one.profile.name for one in found.recognised] == ["irs"]
    with pytest.raises(SourceError, match=r"fire/a\.csv|a\.csv: this is not a file of the source cld_r1"):
        assigned([file], profiles, {"cld_r1": SourceSettings(files=("a.csv",))})
    two = {name: SourceSettings(files=("a.csv",)) for name in ("irs", "hhsrs")}
    with pytest.raises(ConfigError, match="two sources: irs, hhsrs"):
        assigned([file], profiles, two)
    with pytest.raises(ConfigError, match=r"\[sources\.no_such\]"):
        assigned([file], profiles, {"no_such": SourceSettings()})


def test_a_file_that_nobody_can_read_is_unknown_and_not_passed_over(raw: Path) -> None:
    (raw / "letter.docx").write_bytes(b"x")
    found = assigned([RawFile(raw / "letter.docx", "letter.docx")], shipped_profiles())
    assert [file.name for file in found.unknown] == ["letter.docx"]
