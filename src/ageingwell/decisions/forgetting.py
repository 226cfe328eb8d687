"""Emptying the ledger of what was said of somebody, so that its chain still holds and no page of the file has it.

The file is written anew, in memory first, and takes the old one's place in one step: nothing of an entry is left in
free pages or in a journal, and a run that dies leaves the old file or the new one.
"""

import json
import sqlite3
from collections.abc import Collection
from contextlib import closing
from datetime import datetime
from pathlib import Path

from ageingwell.decisions.ledger import (
    BEGINNING,
    EMPTIED,
    EMPTYING,
    WITH_EMPTIED,
    Row,
    hash_of,
    make_table,
    read_rows,
    says_nothing,
)
from ageingwell.disk import DISK, Disk
from ageingwell.errors import LedgerError

_SPARE = ".{}.part"


def entries_naming(path: Path, people: Collection[str]) -> list[int]:
    """The positions of the entries of some people, by pseudonym; none where there is no ledger."""
    return [row[0] for row in read_rows(path) if not says_nothing(row) and json.loads(row[1])["person_id"] in people]


def empty_entries(path: Path, positions: Collection[int], *, at: datetime, why: str, disk: Disk = DISK) -> None:
    """Empty some entries, and add one that says which were emptied, when and why; nothing where there are none.

    Hold the publishing lock of the nights around it. Raises `LedgerError` where the chain does not hold or the disk
    refuses; then nothing was emptied.
    """
    if not positions:
        return
    rows = read_rows(path)
    wanted = set(positions)
    kept: list[Row] = [
        (position, EMPTIED if position in wanted else said, before, digest) for position, said, before, digest in rows
    ]
    told = {
        "recorded_at": at.isoformat(timespec="seconds"),
        "recorded_on": str(at.date()),
        "kind": EMPTYING,
        "positions": sorted(wanted),
        "why": why,
    }
    said, before, position = json.dumps(told), rows[-1][3] if rows else BEGINNING, len(rows) + 1
    _put([*kept, (position, said, before, hash_of(position, said, before))], path, disk=disk)


def write_anew(path: Path, *, disk: Disk = DISK) -> None:
    """Write the same entries into a new file: what an older one had in free pages is in it no more."""
    if rows := read_rows(path):
        _put(rows, path, disk=disk)


def _put(rows: list[Row], path: Path, *, disk: Disk) -> None:
    spare = path.with_name(_SPARE.format(path.name))
    try:
        with disk.watched("settle_ledger", path):
            _settle(path)
        disk.remove(spare)
        disk.write(spare, _file_of(rows))
        disk.set_mode(spare, 0o600)
        disk.sync_file(spare)
        disk.replace(spare, path)
        disk.sync_folder(path.parent)
    except OSError as fault:
        raise LedgerError(
            f"the ledger {path.name} cannot be replaced ({fault.strerror})", "free the disk, and run again"
        ) from None


def remove_spare(path: Path, *, disk: Disk = DISK) -> None:
    """Remove what a run that died left of a ledger it was about to put in place."""
    disk.remove(path.with_name(_SPARE.format(path.name)))


def _file_of(rows: list[Row]) -> bytes:
    """A database with these rows and nothing else, as the bytes of its file."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        database.execute("PRAGMA page_size = 4096")
        make_table(database)
        database.execute(f"PRAGMA user_version = {WITH_EMPTIED}")
        database.execute("BEGIN")
        database.executemany("INSERT INTO entries VALUES (?, ?, ?, ?)", rows)
        database.execute("COMMIT")
        return database.serialize()


def _settle(path: Path) -> None:
    """Bring what a journal beside the ledger holds into it: left there, it would be read into the new file."""
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            database.execute("PRAGMA locking_mode = EXCLUSIVE")
            database.execute("PRAGMA journal_mode = DELETE").fetchone()
    except sqlite3.Error as fault:
        reason = getattr(fault, "sqlite_errorname", "not SQLite")
        raise LedgerError(f"the ledger {path.name} cannot be read or written ({reason})", "run again") from None
