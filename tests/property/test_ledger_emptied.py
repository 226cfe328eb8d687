"""The ledger without what was said of somebody: its chain holds, nothing is left in the file, and no edit passes."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from helpers.evidence import counted
from helpers.kept_nights import decide, text_of_ledger, who

from ageingwell.decisions.forgetting import empty_entries, entries_naming, write_anew
from ageingwell.decisions.ledger import EMPTIED, read_hashes, read_ledger, read_rows
from ageingwell.errors import LedgerError

AT = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    decide(tmp_path, *range(40))
    decide(tmp_path, 1, 2)
    return tmp_path / "decisions.sqlite"


def test_what_was_said_is_gone_from_every_byte_and_everything_else_stays(ledger: Path):
    before, hashes = read_ledger(ledger), read_hashes(ledger)

    empty_entries(ledger, entries_naming(ledger, {who(1)}), at=AT, why="forgotten")

    assert who(1) not in text_of_ledger(ledger)
    assert read_ledger(ledger).equals(before.filter(before["person_id"] != who(1)))
    assert read_hashes(ledger)[:42] == hashes, "a night still finds the entry it had read up to"
    assert sorted(path.name for path in ledger.parent.iterdir()) == ["decisions.sqlite", "decisions.sqlite.head"]


def test_a_ledger_that_was_emptied_goes_on(ledger: Path):
    empty_entries(ledger, [1, 42], at=AT, why="forgotten")
    decide(ledger.parent, 7)
    empty_entries(ledger, entries_naming(ledger, {who(7)}), at=AT, why="forgotten")

    assert read_ledger(ledger).height == 42 + 1 - 2 - 2
    assert entries_naming(ledger, {who(7)}) == []


def test_an_entry_that_somebody_else_emptied_is_seen(ledger: Path):
    empty_entries(ledger, [5], at=AT, why="forgotten")
    passed = []
    for position in range(1, 44):
        if position == 5:
            continue
        changed = ledger.with_name(f"{position}.sqlite")
        changed.write_bytes(ledger.read_bytes())
        with closing(sqlite3.connect(changed)) as database:
            database.execute("DROP TRIGGER entries_are_not_changed")
            database.execute("UPDATE entries SET said = ? WHERE position = ?", (EMPTIED, position))
            database.commit()
        try:
            read_rows(changed)
            passed.append(position)
        except LedgerError:
            changed.unlink()
    counted("S6.emptied_entries", 42, len(passed), note="entries of the ledger emptied by hand")
    assert passed == []


def test_what_lies_in_free_pages_is_gone_when_it_is_written_anew(ledger: Path):
    before = read_rows(ledger)
    with closing(sqlite3.connect(ledger)) as database:
        database.execute("PRAGMA secure_delete = OFF")
        database.execute("CREATE TABLE aside (said TEXT)")
        database.executemany("INSERT INTO aside VALUES (?)", [(who(99) * 20,)] * 50)
        database.commit()
        database.execute("DROP TABLE aside")
        database.commit()
    assert who(99).encode() in ledger.read_bytes()

    write_anew(ledger)

    assert who(99).encode() not in ledger.read_bytes()
    assert read_rows(ledger) == before


def test_a_journal_beside_the_ledger_is_not_read_into_the_new_one(ledger: Path):
    with closing(sqlite3.connect(ledger, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA user_version = 2")
        database.execute("PRAGMA wal_autocheckpoint = 0")
        journal = Path(f"{ledger}-wal").read_bytes()
    Path(f"{ledger}-wal").write_bytes(journal)

    empty_entries(ledger, entries_naming(ledger, {who(1)}), at=AT, why="forgotten")

    assert who(1) not in text_of_ledger(ledger)
    assert read_ledger(ledger).height == 40
