"""The ledger of decisions: one SQLite file, only ever added to, each entry carrying the hash of the one before.

An entry that was changed, taken out or put in between breaks the chain, and every reader checks the whole chain. Who
can write the file could still cut off its end or write a new chain; so the hash of the last entry lies in a file beside
it, and each night keeps in its manifest the hash it had read up to, for which the next night looks.

What was said of somebody who was forgotten is gone, and its hash stays: such an empty entry counts only where a later
entry of the chain says that it was emptied (`decisions.forgetting`).
"""

import errno
import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl

from ageingwell.decisions.entry import ENTRIES, Entry
from ageingwell.decisions.ledger_head import remember_head, stop_on_lost_entries
from ageingwell.decisions.plan import Plan
from ageingwell.disk import DISK, Disk
from ageingwell.errors import LedgerError

BEGINNING: Final = "0" * 64
# Entries of version 1 lack what a person said, the question asked, and plans: there they are read as not said. A
# ledger of version 3 may have entries that were emptied; one in which nobody was forgotten stays of version 2.
_VERSION: Final = 2
WITH_EMPTIED: Final = 3
_READ: Final = (1, _VERSION, WITH_EMPTIED)
# All that is left of an entry of somebody who was forgotten, and the kind of the entry that says so.
EMPTIED: Final = '{"emptied": true}'
EMPTYING: Final = "emptied"
Row = tuple[int, str, str, str]
_OF_THE_CHAIN: Final = ("position", "previous_hash", "hash")
_MENDING: Final = "put back the last good copy of the ledger; entries since then can be recorded again from their files"
_TABLE: Final = """
CREATE TABLE entries (
    position INTEGER PRIMARY KEY,
    said TEXT NOT NULL,
    previous_hash TEXT NOT NULL UNIQUE,
    hash TEXT NOT NULL UNIQUE
) STRICT;
CREATE TRIGGER entries_are_not_changed BEFORE UPDATE ON entries
BEGIN SELECT RAISE(ABORT, 'entries of the ledger are never changed'); END;
CREATE TRIGGER entries_are_not_removed BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'entries of the ledger are never removed'); END;
"""


def read_ledger(path: Path) -> pl.DataFrame:
    """Read every entry, oldest first; no rows where there is no ledger yet.

    Raises `LedgerError` where the file is damaged or its chain of hashes does not hold.

    >>> from tempfile import TemporaryDirectory
    >>> from datetime import UTC
    >>> entry = Entry(date(2026, 11, 22), "fire", "listed", "b" * 32, None, decision="said_no", reason="own_wish")
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "decisions.sqlite"
    ...     append(path, [entry], role="chair", recorded_at=datetime(2026, 11, 24, tzinfo=UTC), file_sha256="0" * 64)
    ...     read_ledger(path).select("position", "recorded_on", "recipient", "decision").rows()
    [(1, datetime.date(2026, 11, 24), 'fire', 'said_no')]
    """
    return pl.DataFrame([_row(*row) for row in read_rows(path) if not says_nothing(row)], schema=ENTRIES)


def read_hashes(path: Path) -> tuple[str, ...]:
    """The hash of every entry, of emptied ones too: what a night had read up to is among them."""
    return tuple(digest for _, _, _, digest in read_rows(path))


def read_rows(path: Path) -> list[Row]:
    """Every row as it is kept, once the whole chain has been followed: position, said, previous hash, hash."""
    if not path.exists():
        stop_on_lost_entries(path, ())
        return []
    with _opened(path) as database:
        return _checked(database, path)


def says_nothing(row: Row) -> bool:
    """Whether a row is an entry that was emptied, or the one that says that others were."""
    return row[1] == EMPTIED or emptied_by(row[1]) is not None


def emptied_by(said: str) -> frozenset[int] | None:
    """The positions that an entry says were emptied; None where it is another kind of entry.

    >>> emptied_by('{"kind": "emptied", "positions": [3, 1]}') == {1, 3}, emptied_by('{"kind": "listed"}')
    (True, None)
    """
    told = json.loads(said)
    return frozenset(told["positions"]) if told.get("kind") == EMPTYING else None


def append(
    path: Path,
    entries: Sequence[Entry],
    *,
    role: str,
    recorded_at: datetime,
    file_sha256: str,
    disk: Disk = DISK,
) -> None:
    """Add the entries of one file, all of them or none, and return when they are on the disk.

    Hold the publishing lock of the nights around it. Raises `LedgerError` where the chain does not hold or the disk
    refuses; then nothing was added.
    """
    if not entries:
        return
    stamp = {"recorded_at": recorded_at.isoformat(timespec="seconds"), "recorded_on": str(recorded_at.date())}
    with disk.watched("open_ledger", path), _opened(path) as database:
        database.execute("BEGIN IMMEDIATE")
        known = _checked(database, path)
        previous = known[-1][3] if known else BEGINNING
        if not known:
            make_table(database)
        # From here on an older version cannot read what is added; it says so instead of losing it.
        version = max(_VERSION, database.execute("PRAGMA user_version").fetchone()[0])
        database.execute(f"PRAGMA user_version = {version}")
        for position, entry in enumerate(entries, start=len(known) + 1):
            said = json.dumps({**stamp, "role": role, "file_sha256": file_sha256, **entry.plain()}, ensure_ascii=False)
            digest = hash_of(position, said, previous)
            row = (position, said, previous, digest)
            with disk.watched("add_entry", path):
                database.execute("INSERT INTO entries VALUES (?, ?, ?, ?)", row)
            previous = digest
        with disk.watched("commit_ledger", path):
            database.execute("COMMIT")
    # The entries are kept; where the head is not, that of an earlier one holds.
    with suppress(OSError):
        remember_head(path, previous, disk=disk)
    disk.sync_folder(path.parent)


def head(ledger: pl.DataFrame) -> str:
    """The hash of the last entry: it stands for every entry up to it."""
    return str(ledger["hash"][-1]) if ledger.height else BEGINNING


def hash_of(position: int, said: str, previous: str) -> str:
    """The hash of an entry, which stands for every entry before it too."""
    return hashlib.sha256(f"{position}\n{previous}\n{said}".encode()).hexdigest()


def _row(position: int, said: str, previous: str, digest: str) -> dict[str, Any]:
    told = json.loads(said)
    days = ("recorded_on", "night", "by_when", "contacted_on", "left_out_until")
    told |= {name: None if told.get(name) is None else date.fromisoformat(told[name]) for name in days}
    plan = Plan.read(told["plan"]) if told.get("plan") is not None else None
    told = {name: told.get(name) for name in ENTRIES if name not in _OF_THE_CHAIN}
    told["plan"] = None if plan is None else asdict(plan)
    return {"position": position, **told, "previous_hash": previous, "hash": digest}


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The database, for its owner alone; a fault of SQLite is a `LedgerError` without any value of a row."""
    try:
        os.close(DISK.open_ours(path))
        for beside in ("-wal", "-shm", "-journal"):
            # SQLite makes them itself; a link in their place would lead it elsewhere.
            other = path.with_name(f"{path.name}{beside}")
            if (kind := DISK.kind(other)) is not None and (kind != "file" or other.lstat().st_nlink > 1):
                raise OSError(errno.ELOOP, f"{other.name} is a link, or no file")
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            # One writer at a time, by the nights' lock: then WAL needs no shared memory, which network shares lack.
            database.execute("PRAGMA locking_mode = EXCLUSIVE")
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = FULL")
            yield database
    except (sqlite3.Error, OSError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else getattr(fault, "sqlite_errorname", "not SQLite")
        raise LedgerError(f"the ledger {path.name} cannot be read or written ({reason})", _MENDING) from None


def make_table(database: sqlite3.Connection) -> None:
    """Make the table of entries, which refuses to change or remove any."""
    # Statement by statement: a script would end the transaction.
    statements = [part.strip() for part in _TABLE.replace("END;", "END;;").split(";\n") if part.strip()]
    for statement in statements:
        database.execute(statement)


def _checked(database: sqlite3.Connection, path: Path) -> list[Row]:
    """Every row, oldest first, once the whole chain has been followed."""
    if not database.execute("SELECT 1 FROM sqlite_schema WHERE name = 'entries'").fetchall():
        stop_on_lost_entries(path, ())
        return []
    if database.execute("PRAGMA user_version").fetchone()[0] not in _READ:
        raise LedgerError(f"the ledger {path.name} was written by another version", "use that version, or a new ledger")
    rows = database.execute("SELECT position, said, previous_hash, hash FROM entries ORDER BY position").fetchall()
    previous, emptied, allowed = BEGINNING, set[int](), set[int]()
    for at, (position, said, before, digest) in enumerate(rows, start=1):
        is_emptied = said == EMPTIED
        if position != at or before != previous or not (is_emptied or digest == hash_of(position, said, before)):
            raise _changed(path, at)
        if is_emptied:
            emptied.add(at)
        else:
            # Only what stands before it: an entry cannot say of itself, or of what comes, that it was emptied.
            allowed |= {one for one in emptied_by(said) or () if one < at}
        previous = digest
    stop_on_lost_entries(path, [row[3] for row in rows])
    if emptied - allowed:
        raise _changed(path, min(emptied - allowed))
    return rows


def _changed(path: Path, at: int) -> LedgerError:
    return LedgerError(f"the ledger {path.name} was changed: its chain no longer matches from entry {at} on", _MENDING)
