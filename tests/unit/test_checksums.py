"""The one fence between a folder and its parsers: what is no plain file is not opened, and says so."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ageingwell import checksums
from ageingwell.checksums import (
    SUMS,
    ChangedError,
    UnsealedError,
    check_folder,
    checked_file,
    checked_files,
    read_plainly,
    sums_of_folder,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with sums, of a file and a file in a folder."""
    made = tmp_path / "sealed"
    (made / "in").mkdir(parents=True)
    (made / "a.txt").write_bytes(b"a")
    (made / "in" / "b.txt").write_bytes(b"b")
    (made / SUMS).write_bytes(sums_of_folder(made))
    return made


def test_a_whole_folder_and_each_file_of_it_are_as_they_were(folder: Path) -> None:
    check_folder(folder)
    assert (checked_file(folder, "a.txt"), checked_file(folder, "in/b.txt")) == (b"a", b"b")
    with pytest.raises(FileNotFoundError):
        checked_file(folder, "never.txt")
    with pytest.raises(ChangedError, match="in is a folder"):
        checked_files(folder)


@pytest.mark.parametrize(
    "put",
    [
        lambda path: path.symlink_to(path.parent / "in" / "b.txt"),
        lambda path: path.symlink_to(path.parent / "in"),
        lambda path: path.symlink_to("/dev/zero"),
        lambda path: path.symlink_to("nowhere"),
        lambda path: os.mkfifo(path),
    ],
    ids=["a link to a file", "a link to a folder", "a link to a device", "a link to nothing", "a pipe"],
)
def test_what_is_no_plain_file_is_not_opened(folder: Path, put: Callable[[Path], None]) -> None:
    (folder / "a.txt").unlink()
    put(folder / "a.txt")

    for read in (
        lambda: read_plainly(folder / "a.txt"),
        lambda: checked_file(folder, "a.txt"),
        lambda: check_folder(folder),
        lambda: sums_of_folder(folder),
    ):
        with pytest.raises(ChangedError, match=r"a\.txt is a link, or no file"):
            read()


def test_a_file_behind_a_linked_folder_is_not_opened(folder: Path) -> None:
    (folder / "in").rename(folder.parent / "in")
    (folder / "in").symlink_to(folder.parent / "in")

    with pytest.raises(ChangedError, match=r"in/b\.txt is behind a link"):
        checked_file(folder, "in/b.txt")


def test_a_file_put_in_anothers_place_between_look_and_opening_is_not_read(folder: Path, monkeypatch) -> None:
    opened = os.open

    def slow(path: Path, flags: int) -> int:
        (folder / "in" / "b.txt").replace(folder / "a.txt")
        return opened(path, flags)

    monkeypatch.setattr(checksums.os, "open", slow)

    with pytest.raises(ChangedError, match="put in another's place while it was read"):
        read_plainly(folder / "a.txt")


def test_no_more_is_read_than_a_folder_may_hold(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ChangedError, match="larger than any file"):
        read_plainly(folder / "a.txt", most_bytes=0)
    monkeypatch.setattr(checksums, "MOST_FILES", 1)
    with pytest.raises(ChangedError, match="more files than were saved"):
        check_folder(folder)


@pytest.mark.parametrize("name", ["new\nline", "back\\slash", "bell\a"])
def test_a_name_that_would_break_a_line_of_the_sums_is_refused(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"")

    with pytest.raises(ChangedError, match="a name that no file here was saved under") as told:
        check_folder(folder)
    assert str(told.value).isprintable()


def test_folders_in_folders_have_an_end(folder: Path) -> None:
    deep = folder.joinpath(*["deeper"] * 20)
    deep.mkdir(parents=True)

    with pytest.raises(ChangedError, match="is a folder, and no folder was saved here"):
        check_folder(folder)


def test_a_folder_without_sums_says_so(folder: Path) -> None:
    (folder / SUMS).unlink()

    for read in (lambda: check_folder(folder), lambda: checked_file(folder, "a.txt")):
        with pytest.raises(UnsealedError):
            read()
