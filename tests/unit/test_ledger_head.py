"""Who edits the ledger and writes its chain anew is found by the file beside it, or by the next night's manifest."""

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from helpers.evidence import counted

from ageingwell.decisions.entry import Entry
from ageingwell.decisions.ledger import BEGINNING, append, read_ledger
from ageingwell.decisions.ledger_head import head_file
from ageingwell.errors import LedgerError

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)


def add(path: Path, *letters: str) -> None:
    entries = [Entry(date(2026, 11, 22), "fire", "listed", letter * 32, None, told="yes") for letter in letters]
    append(path, entries, role="chair", recorded_at=AT, file_sha256="0" * 64)


def rows_of(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as database:
        return [said for (said,) in database.execute("SELECT said FROM entries ORDER BY position")]


def write_anew(path: Path, said: list[str]) -> None:
    """Write a ledger with these entries and a chain that holds, as anyone can who knows how it is made."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        for trigger in ("entries_are_not_changed", "entries_are_not_removed"):
            database.execute(f"DROP TRIGGER {trigger}")
        database.execute("DELETE FROM entries")
        previous = BEGINNING
        for position, words in enumerate(said, start=1):
            digest = hashlib.sha256(f"{position}\n{previous}\n{words}".encode()).hexdigest()
            database.execute("INSERT INTO entries VALUES (?, ?, ?, ?)", (position, words, previous, digest))
            previous = digest


EDITS: dict[str, Callable[[list[str], int], list[str]]] = {
    "cut off from": lambda said, at: said[:at],
    "without": lambda said, at: said[:at] + said[at + 1 :],
    "changed at": lambda said, at: [*said[:at], said[at].replace("fire", "gp"), *said[at + 1 :]],
    "swapped at": lambda said, at: [*said[:at], *reversed(said[at : at + 2]), *said[at + 2 :]],
    "doubled at": lambda said, at: [*said[: at + 1], *said[at:]],
}


def test_a_ledger_written_anew_is_found_wherever_it_was_edited(tmp_path: Path) -> None:
    path = tmp_path / "decisions.sqlite"
    add(path, *"bcdfgh")
    said, whole = rows_of(path), path.read_bytes()
    tried = missed = 0
    for edit in EDITS.values():
        for at in range(len(said)):
            edited = edit(said, at)
            # The last entry has none to be swapped with, and to add one is what a recording does.
            if edited in (said, [*said, said[-1]]):
                continue
            path.write_bytes(whole)
            write_anew(path, edited)
            tried += 1
            try:
                read_ledger(path)
                missed += 1
            except LedgerError:
                continue
    counted("S1.nights", tried, missed, note="each edit of the decisions, its chain written again")
    assert (tried, missed) == (28, 0)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: head_file(path).write_text("0" * 64 + "\n"),
        lambda path: head_file(path).write_text("x"),
        lambda path: (head_file(path).unlink(), head_file(path).symlink_to("/dev/zero")),
        lambda path: head_file(path).write_text("0" * 5_000),
    ],
)
def test_a_ledger_that_is_gone_or_whose_head_was_changed_is_not_begun_again(tmp_path: Path, damage) -> None:
    path = tmp_path / "decisions.sqlite"
    add(path, *"bcd")
    damage(path)

    with pytest.raises(LedgerError):
        read_ledger(path)
    with pytest.raises(LedgerError):
        add(path, "f")


def test_a_ledger_of_before_has_no_head_until_something_is_added(tmp_path: Path) -> None:
    path = tmp_path / "decisions.sqlite"
    add(path, "b")
    head_file(path).unlink()
    assert read_ledger(path).height == 1

    add(path, "c")

    assert head_file(path).read_text().strip() == read_ledger(path)["hash"][-1]
    assert not head_file(path).stat().st_mode & 0o077
