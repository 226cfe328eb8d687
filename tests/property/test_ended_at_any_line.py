"""Whatever line a signal comes at, what is written is there whole or not at all, with nothing half done beside it."""

import errno
import inspect
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import pytest

from ageingwell.disk import Disk
from ageingwell.ending import Ended, ending_tidily
from ageingwell.errors import PublishError
from ageingwell.publish.lock import publishing_lock
from ageingwell.publish.nights import current
from ageingwell.publish.staging import publish_folder, put_aside, staged, write_bytes
from ageingwell.room import gone_afterwards, scratch, staged_file, staged_folder

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="signals of POSIX"),
    # A file that was open when the signal came is closed when nothing refers to it any more.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"),
]

WATCHED = ("ageingwell/room.py", "ageingwell/disk.py", "ageingwell/publish/staging.py")
# The lock file stays where it is, and a pointer not yet in its place names nobody: the next run takes it away.
MAY_STAY = {".lock", ".staging-pointer"}
PAGE = b"<p>Nobody to visit.</p>"
# From the line that removes the folder on, a signal may come between two lines: the next run removes it then.
_LINES, _FIRST = inspect.getsourcelines(gone_afterwards)
REMOVING = _FIRST + next(number for number, line in enumerate(_LINES) if line.strip() == "finally:")


def a_file(place: Path) -> None:
    with staged_file(place / "page.html") as path:
        path.write_bytes(PAGE)


def a_folder(place: Path) -> None:
    with staged_folder(place / "pages") as folder:
        (folder / "page.html").write_bytes(PAGE)


def what_is_put_aside(place: Path) -> None:
    with scratch(within=place) as folder:
        (folder / "page.html").write_bytes(PAGE)


def what_a_night_puts_aside(place: Path) -> None:
    with publishing_lock(place, holder="process 1"), put_aside(place) as folder:
        (folder / "page.html").write_bytes(PAGE)


def a_night(place: Path) -> None:
    with publishing_lock(place, holder="process 1"), staged(place, name="2026-11-22") as folder:
        write_bytes(folder / "page.html", PAGE)
        publish_folder(folder, place, name="2026-11-22")


def ended_at(line: int, write: Callable[[Path], None], place: Path) -> bool:
    """Send a signal at one of the lines that `write` comes to; False when there are not so many."""
    lines = 0
    place.mkdir()

    def trace(frame: FrameType, event: str, _: object) -> Callable[..., object] | None:
        nonlocal lines
        code = frame.f_code
        if not code.co_filename.endswith(WATCHED):
            return None
        is_removing = code.co_name == "gone_afterwards" and frame.f_lineno >= REMOVING
        if event == "line" and not is_removing:
            lines += 1
            if lines == line:
                signal.raise_signal(signal.SIGTERM)
        return trace

    def ended() -> Iterator[None]:
        before = sys.gettrace()
        try:
            with ending_tidily():
                sys.settrace(trace)
                write(place)
        except Ended:
            pass
        finally:
            sys.settrace(before)
        yield

    # What a trace raises while an error is being handled may leave that error behind: a generator has its own.
    next(ended())
    assert sys.exc_info() == (None, None, None)
    return lines >= line


@pytest.mark.parametrize("write", [a_file, a_folder, what_is_put_aside, what_a_night_puts_aside, a_night])
def test_a_signal_at_any_line_leaves_all_of_it_or_nothing(write: Callable[[Path], None], tmp_path: Path) -> None:
    line = 1
    while ended_at(line, write, place := tmp_path / str(line)):
        half_done = [path.name for path in place.iterdir() if path.name.startswith(".") and path.name not in MAY_STAY]
        assert half_done == [], f"line {line}"
        assert all(page.read_bytes() == PAGE for page in place.rglob("*.html")), f"line {line}"
        assert (night := current(place)) is None or (night / "page.html").exists(), f"line {line}"
        line += 1
    assert line > 20


class NoSwap(Disk):
    """A disk that cannot change two folders for each other in one step."""

    def swap(self, one: Path, other: Path) -> None:
        raise OSError(errno.ENOTSUP, "not supported")


def test_a_folder_that_is_replaced_in_two_steps_is_there_whichever_line_a_signal_comes_at(tmp_path: Path) -> None:
    def replaced(place: Path) -> None:
        pages = place / "pages"
        pages.mkdir()
        (pages / "page.html").write_bytes(PAGE)
        with staged_folder(pages, ours=lambda _: True, disk=NoSwap()) as folder:
            (folder / "page.html").write_bytes(PAGE)

    line = 1
    while ended_at(line, replaced, place := tmp_path / str(line)):
        assert [path.name for path in place.iterdir()] == ["pages"], f"line {line}"
        assert (place / "pages" / "page.html").read_bytes() == PAGE
        line += 1
    assert line > 20


class NoSecondRename(NoSwap):
    """A disk that also refuses to give the new folder the old one's name."""

    def rename(self, old: Path, new: Path) -> None:
        if old.name.endswith(".partial"):
            raise OSError(errno.EIO, "failed", str(old))
        super().rename(old, new)


def test_a_folder_that_could_not_be_replaced_has_its_name_again(tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "page.html").write_bytes(PAGE)

    with (
        pytest.raises(PublishError),
        staged_folder(pages, ours=lambda _: True, disk=NoSecondRename()) as folder,
    ):
        (folder / "page.html").write_bytes(b"other")

    assert [path.name for path in tmp_path.iterdir()] == ["pages"]
    assert (pages / "page.html").read_bytes() == PAGE
