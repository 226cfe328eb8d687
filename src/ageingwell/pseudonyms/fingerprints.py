"""What each table tells of how it was pseudonymised: the key, whose ids, columns that its layout never holds.

All of it is written into every Parquet file, so that it travels with the table. A fingerprint tells keys apart and
tells nothing about the key. Tables under two keys do not join: every person of the one is a stranger to the other, and
an opt-out made under another key is heeded for nobody. The same is true of tables keyed by NHS number and by own ids.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ageingwell.errors import SourceError
from ageingwell.reading.guarded import parquet_facts
from ageingwell.reading.limits import json_within, small_bytes

RECORD: Final = "pseudonymised.json"
KEY_FINGERPRINT: Final = "ageingwell.key_fingerprint"
IDS: Final = "ageingwell.ids"
NOT_HELD: Final = "ageingwell.not_held"

_WHOSE: Final = {"nhs_number": "NHS numbers and UPRNs", "own": "an agency's own ids"}


@dataclass(frozen=True)
class Told:
    """What one file of a table tells: its key's fingerprint, whose ids it holds, which columns are never held."""

    key_fingerprint: str | None = None
    ids: str | None = None
    not_held: tuple[str, ...] = ()


def told_by(table: str, path: Path) -> Told:
    """Read what a file of a table tells. A Parquet file tells it itself; for any other, `pseudonymised.json` does.

    The record lies beside the file or beside its folder, and counts where it lists the table. Records from elsewhere,
    and made-up ones, tell nothing.

    >>> import polars as pl, tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     file = Path(place) / "homes.parquet"
    ...     pl.DataFrame({"household_id": ["b" * 32]}).write_parquet(file, metadata={IDS: "own", NOT_HELD: "tenure"})
    ...     told_by("homes", file)
    Told(key_fingerprint=None, ids='own', not_held=('tenure',))
    """
    own = _metadata(path) if path.suffix.lower() == ".parquet" else {}
    if not own.keys() & {KEY_FINGERPRINT, IDS, NOT_HELD}:
        return _by_record(table, path)
    # Before own ids could be told there were none.
    ids = own.get(IDS) or ("nhs_number" if KEY_FINGERPRINT in own else None)
    not_held = tuple(name for name in own.get(NOT_HELD, "").split(",") if name)
    return Told(own.get(KEY_FINGERPRINT), ids, not_held)


def fingerprints(files: Mapping[str, Iterable[Path]]) -> dict[str, tuple[str, ...]]:
    """Give the fingerprints of the keys that each table was made with, sorted; a table that tells none is left out.

    `files` are each table's files; `told_by` says where the fingerprint stands.

    >>> import polars as pl, tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     file = Path(place) / "homes.parquet"
    ...     pl.DataFrame({"household_id": ["b" * 32]}).write_parquet(file, metadata={KEY_FINGERPRINT: "tslbhgfbpgfp"})
    ...     fingerprints({"homes": [file]})
    {'homes': ('tslbhgfbpgfp',)}
    """
    told = {
        table: {key for path in parts if (key := told_by(table, path).key_fingerprint)}
        for table, parts in files.items()
    }
    return {table: tuple(sorted(keys)) for table, keys in told.items() if keys}


def stop_on_two_keys(files: Mapping[str, Iterable[Path]]) -> str | None:
    """Stop where tables were made with different keys; give the one fingerprint, or `None` where no table tells one.

    Raises `SourceError` naming each fingerprint and its tables.
    """
    found = fingerprints(files)
    keys = sorted({key for each in found.values() for key in each})
    if len(keys) < 2:
        return keys[0] if keys else None
    by_key = "; ".join(f"{key}: {', '.join(table for table in found if key in found[table])}" for key in keys)
    raise SourceError(
        f"the tables were pseudonymised with {len(keys)} different keys, so people and homes do not join ({by_key})",
        "have every agency pseudonymise again with the one key agreed on, opt-outs included, and compare fingerprints",
    )


def stop_on_mixed_ids(files: Mapping[str, Iterable[Path]], *, own: Collection[str] = ()) -> None:
    """Stop where some tables hold pseudonyms of NHS numbers and UPRNs, and others of an agency's own ids.

    `own` are the tables of which the settings say that they hold own ids. Raises `SourceError` naming both.

    >>> stop_on_mixed_ids({"homes": []}, own=["homes"])
    """
    by_ids: dict[str, list[str]] = {}
    for table in dict.fromkeys((*files, *own)):
        told = {told_by(table, path).ids for path in files.get(table, ())} | ({"own"} if table in own else set())
        for ids in sorted(told - {None}, key=str):
            by_ids.setdefault(str(ids), []).append(table)
    if len(by_ids) < 2:
        return
    told_all = "; ".join(f"{_WHOSE.get(ids, ids)}: {', '.join(by_ids[ids])}" for ids in sorted(by_ids))
    raise SourceError(
        f"the tables are keyed by different ids, so people and homes do not join ({told_all})",
        "have all tables, opt-outs included, pseudonymised by one kind of id: "
        '`ids = "own"` (--ids own) for all of them, or for none',
    )


def _metadata(path: Path) -> Mapping[str, str]:
    try:
        return parquet_facts(path).metadata
    except SourceError:
        # Whoever reads the table itself says what is wrong with the file.
        return {}


def _by_record(table: str, path: Path) -> Told:
    for folder in _folders(table, path):
        record = _record(folder / RECORD)
        counts = record.get("tables", {}).get(table)
        if counts is not None:
            not_held = counts.get("columns_not_held", [])
            return Told(record["key_fingerprint"], counts.get("ids", "nhs_number"), tuple(not_held))
    return Told()


def _folders(table: str, path: Path) -> Iterator[Path]:
    yield path.parent
    # A table in parts lies one folder deeper than the record.
    if path.parent.name == table:
        yield path.parent.parent


def _record(path: Path) -> Mapping[str, Any]:
    if not path.exists():
        return {}
    try:
        record = json_within(small_bytes(path).decode("utf-8"), path.name)
        is_record = isinstance(record["key_fingerprint"], str) and all(
            isinstance(counts, dict) for counts in record["tables"].values()
        )
    except (SourceError, ValueError, TypeError, KeyError, AttributeError):
        is_record = False
    if not is_record:
        raise SourceError(f"{path.name} cannot be read", "send it again as `pseudonymise` wrote it, or remove it")
    return dict(record)
