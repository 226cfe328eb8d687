"""Whatever stops a recording, a file's entries are in the ledger whole or not at all; recording again mends it."""

import os
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from helpers.kill import exit_code, fork
from helpers.nights import Dead, DyingDisk, ExitingDisk, Recorder

from ageingwell.decisions.entry import Entry, entries_of
from ageingwell.decisions.ledger import append, read_ledger
from ageingwell.disk import DISK, Disk
from ageingwell.errors import LedgerError

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
BEFORE = [Entry(date(2026, 11, 22), "gp", "listed", "b" * 32, None, decision="said_no", reason="own_wish")]
FILE = [Entry(date(2026, 11, 22), "fire", "listed", letter * 32, None, told="yes") for letter in "cdfg"]


def add(path: Path, entries: list[Entry], *, disk: Disk = DISK) -> None:
    append(path, entries, role="chair", recorded_at=AT, file_sha256="0" * 64, disk=disk)


def moments(path: Path) -> int:
    """How many moments an append has at which it may be stopped."""
    recorder = Recorder()
    add(path, FILE, disk=recorder)
    return len(recorder.moments)


@pytest.mark.parametrize("there_before", [[], BEFORE])
def test_stopped_at_any_moment_the_ledger_has_all_of_a_file_or_nothing(tmp_path, there_before):
    n_moments = moments(tmp_path / "counted.sqlite")
    assert n_moments > 2 * len(FILE)
    seen = set()
    for at in range(n_moments):
        path = tmp_path / f"{at}.sqlite"
        add(path, there_before)

        with pytest.raises(Dead):
            add(path, FILE, disk=DyingDisk(at))

        kept = entries_of(read_ledger(path))
        assert kept in (there_before, there_before + FILE)
        seen.add(len(kept))
        if kept == there_before:
            add(path, FILE)
        assert entries_of(read_ledger(path)) == there_before + FILE
    assert seen == {len(there_before), len(there_before + FILE)}


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a process of its own")
def test_a_process_that_ends_at_any_moment_leaves_all_of_a_file_or_nothing(tmp_path):
    for at in range(moments(tmp_path / "counted.sqlite")):
        path = tmp_path / f"{at}.sqlite"
        add(path, BEFORE)

        assert exit_code(fork(lambda path=path, at=at: add(path, FILE, disk=ExitingDisk(at)))) == 9

        assert entries_of(read_ledger(path)) in (BEFORE, BEFORE + FILE)
        assert not [file for file in tmp_path.glob("*.sqlite*") if file.stat().st_mode & 0o077]


def test_a_ledger_refuses_to_be_changed(tmp_path):
    add(tmp_path / "ledger.sqlite", BEFORE + FILE)
    for statement in ("UPDATE entries SET said = ''", "DELETE FROM entries WHERE position = 2"):
        with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as database, pytest.raises(sqlite3.IntegrityError):
            database.execute(statement)
    assert entries_of(read_ledger(tmp_path / "ledger.sqlite")) == BEFORE + FILE


def test_every_byte_of_a_ledger_that_matters_is_guarded(tmp_path):
    path = tmp_path / "ledger.sqlite"
    add(path, BEFORE + FILE)
    content = path.read_bytes()
    changed = content.replace(b"said_no", b"said_ok")
    assert changed != content
    path.write_bytes(changed)

    with pytest.raises(LedgerError):
        read_ledger(path)


@pytest.mark.parametrize("content", [b"not a database at all, though long enough to be one" * 50])
def test_a_file_that_is_no_ledger_is_told_in_words(tmp_path, content):
    (tmp_path / "ledger.sqlite").write_bytes(content)

    with pytest.raises(LedgerError, match="cannot be read or written"):
        read_ledger(tmp_path / "ledger.sqlite")
