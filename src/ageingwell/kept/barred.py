"""Who was barred when the tables last came: a file beside the nights, in which nobody is named.

A row that is gone from a delivery withdraws no opt-out and undoes no death. So each run keeps whom the tables barred,
by kind: not the pseudonym, which somebody who opted out may have in no file, but a digest of it. A pseudonym is itself
keyed and 128 bits wide, so that nobody without the key of the pseudonyms can try identities against the digests.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Literal

import polars as pl

from ageingwell.disk import DISK, Disk
from ageingwell.errors import PublishError
from ageingwell.kept.beside import put_beside
from ageingwell.room import explained

BARRED_FILE: Final = "barred.csv"
# The digest of a person or home, what barred them, and the first and the last night on which a table said so.
BARRED = pl.Schema({"subject": pl.String, "kind": pl.String, "first_on": pl.Date, "told_on": pl.Date})


def subject_of(pseudonym: str, domain: Literal["person", "home"]) -> str:
    """The digest that stands for a person or a home in the file.

    >>> subject_of("b" * 32, "person") == subject_of("b" * 32, "home")
    False
    """
    return hashlib.blake2b(f"{domain}:{pseudonym}".encode(), digest_size=16, person=b"ageingwell.bar").hexdigest()


def subjects_of(pseudonyms: Iterable[str], domain: Literal["person", "home"]) -> pl.DataFrame:
    """The digest of each different pseudonym: id, subject.

    >>> subjects_of(["b" * 32, "b" * 32], "person").height
    1
    """
    every = sorted(set(pseudonyms))
    told = {"id": every, "subject": [subject_of(one, domain) for one in every]}
    return pl.DataFrame(told, schema={"id": pl.String, "subject": pl.String})


def read_barred(out: Path, *, disk: Disk = DISK) -> pl.DataFrame | None:
    """What the file in `out` says (`BARRED`); None where there is none yet.

    Raises `PublishError` where it was changed or damaged: then nobody can say whose opt-out is lost.
    """
    with explained("the file of who was barred cannot be read"):
        if disk.kind(out / BARRED_FILE) is None:
            return None
        first, _, rest = disk.read(out / BARRED_FILE).partition(b"\n")
    if first != _seal(rest):
        raise PublishError(
            f"{BARRED_FILE} in the output folder was changed or damaged, so nobody can say whose opt-out is gone",
            "put it back from a copy; or check that all opt-outs are sent, remove it, and run again "
            "with --accept-change",
        )
    return pl.read_csv(rest, schema=BARRED)


def write_barred(out: Path, barred: pl.DataFrame, *, disk: Disk = DISK) -> None:
    """Replace the file in one step, on disk for good; the same rows give the same bytes, and then nothing is written.

    Hold `publishing_lock(out)` around it.

    >>> import tempfile
    >>> from datetime import date
    >>> row = pl.DataFrame([("s", "objection", date(2026, 11, 22), date(2026, 11, 22))], schema=BARRED, orient="row")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_barred(Path(folder), row)
    ...     read_barred(Path(folder)).equals(row)
    True
    """
    rows = barred.select(BARRED.names()).cast(BARRED).sort("kind", "subject").write_csv().encode()
    content = _seal(rows) + b"\n" + rows
    with explained("the file of who was barred cannot be written"):
        if disk.kind(out / BARRED_FILE) is not None and disk.read(out / BARRED_FILE) == content:
            return
        put_beside(out / BARRED_FILE, content, disk=disk)


def without_people(out: Path, people: Iterable[str], *, disk: Disk = DISK) -> None:
    """Take people (by pseudonym) out of the file in `out`: of somebody who was forgotten a keyed mark alone is kept."""
    barred = read_barred(out, disk=disk)
    if barred is None:
        return
    kept = barred.filter(~pl.col("subject").is_in(subjects_of(people, "person")["subject"].implode()))
    if kept.height < barred.height:
        write_barred(out, kept, disk=disk)


def _seal(rows: bytes) -> bytes:
    return b"sha256 " + hashlib.sha256(rows).hexdigest().encode()
