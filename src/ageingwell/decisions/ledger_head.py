"""The head of the ledger, in a file beside it: a ledger that lost its end, or was written anew, does not hold it.

The chain alone cannot tell that its last entries are missing. Who edits the ledger and forgets this file is found when
the ledger is next read; who edits both is found by the next night, which keeps the head it had read in its manifest.
"""

import re
from collections.abc import Collection
from pathlib import Path

from ageingwell.checksums import ChangedError, read_plainly
from ageingwell.disk import Disk
from ageingwell.errors import LedgerError


def head_file(ledger: Path) -> Path:
    """Where the head lies.

    >>> head_file(Path("out/decisions.sqlite")).name
    'decisions.sqlite.head'
    """
    return ledger.with_name(f"{ledger.name}.head")


def remember_head(ledger: Path, head: str, *, disk: Disk) -> None:
    """Write down the hash of the last entry, once that is on the disk; in one step.

    A run that dies before it leaves the head of an earlier entry, which the ledger holds too. Sync the folder after it.
    """
    spare = ledger.with_name(f".{ledger.name}.head")
    disk.remove(spare)
    disk.write(spare, f"{head}\n".encode())
    disk.sync_file(spare)
    disk.replace(spare, head_file(ledger))


def stop_on_lost_entries(ledger: Path, hashes: Collection[str]) -> None:
    """Raise `LedgerError` where the entry that the head tells of is not among the ledger's `hashes`.

    Ledgers of earlier versions have no head until something is added.
    """
    try:
        told = read_plainly(head_file(ledger), most_bytes=1_000).decode("ascii", errors="replace")
    except FileNotFoundError:
        return
    except (OSError, ChangedError):
        raise _lost(ledger, f"{head_file(ledger).name} cannot be read") from None
    if not re.fullmatch(r"[0-9a-f]{64}\n", told):
        raise _lost(ledger, f"{head_file(ledger).name} was changed")
    if told.strip() not in hashes:
        raise _lost(ledger, f"the ledger {ledger.name} lacks entries that it held before, or was changed")


def _lost(ledger: Path, found: str) -> LedgerError:
    return LedgerError(
        found,
        f"put back the newest good copies of {ledger.name} and {head_file(ledger).name}; entries lost for good "
        "can be recorded again from their files once the head file is moved away",
    )
