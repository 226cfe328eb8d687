"""Which key each table was made with: written into every Parquet file, so that it travels with the table.

A fingerprint tells keys apart and tells nothing about the key. Tables under two keys do not join: every person of the
one is a stranger to the other, and an opt-out made under another key is heeded for nobody.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import polars as pl

from ageingwell.errors import SourceError

RECORD: Final = "pseudonymised.json"
KEY_FINGERPRINT: Final = "ageingwell.key_fingerprint"


def fingerprints(files: Mapping[str, Iterable[Path]]) -> dict[str, tuple[str, ...]]:
    """Give the fingerprints of the keys that each table was made with, sorted; a table that tells none is left out.

    `files` are each table's files. A Parquet file tells its own; for any other, `pseudonymised.json` beside it (or
    beside its folder) does, where that lists the table. Records from elsewhere, and made-up ones, tell none.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     file = Path(place) / "homes.parquet"
    ...     pl.DataFrame({"household_id": ["b" * 32]}).write_parquet(file, metadata={KEY_FINGERPRINT: "tslbhgfbpgfp"})
    ...     fingerprints({"homes": [file]})
    {'homes': ('tslbhgfbpgfp',)}
    """
    told = {table: tuple(sorted({*_told(table, parts)})) for table, parts in files.items()}
    return {table: keys for table, keys in told.items() if keys}


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


def _told(table: str, parts: Iterable[Path]) -> Iterable[str]:
    for path in parts:
        own = _metadata(path).get(KEY_FINGERPRINT) if path.suffix.lower() == ".parquet" else None
        if found := own or _by_record(table, path):
            yield found


def _metadata(path: Path) -> Mapping[str, str]:
    try:
        return pl.read_parquet_metadata(path)
    except (pl.exceptions.PolarsError, OSError):
        # Whoever reads the table itself says what is wrong with the file.
        return {}


def _by_record(table: str, path: Path) -> str | None:
    # A table in parts lies one folder deeper than the record.
    folder = path.parent.parent if path.parent.name == table else path.parent
    record = _record(folder / RECORD)
    return record["key_fingerprint"] if table in record.get("tables", {}) else None


def _record(path: Path) -> Mapping[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        is_record = isinstance(record["key_fingerprint"], str) and isinstance(record["tables"], dict)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError):
        is_record = False
    if not is_record:
        raise SourceError(f"{path.name} cannot be read", "send it again as `pseudonymise` wrote it, or remove it")
    return dict(record)
