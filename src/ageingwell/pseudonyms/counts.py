"""What became of the rows: counts by table and rule, and the record that lies beside the tables. Never a value."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ageingwell.errors import RefusedRowsError
from ageingwell.pseudonyms.screening import RULES


@dataclass(frozen=True)
class TableCounts:
    """What became of one table's rows: `n_rows` = `n_written` + `n_refused`. Counts and names, never values.

    `refused_by_rule` counts `column: rule`; a row that breaks two rules counts in both. `left_empty` counts values of
    columns that may be blank and could not be read (a wrong UPRN of a patient): the row stays, the value goes.
    """

    n_rows: int = 0
    n_written: int = 0
    n_refused: int = 0
    n_reserved_numbers: int = 0
    refused_by_rule: Mapping[str, int] = field(default_factory=dict)
    left_empty: Mapping[str, int] = field(default_factory=dict)
    refused_columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pseudonymised:
    """What `pseudonymise` did: where the tables are, with which key (its fingerprint), and the counts by table."""

    folder: Path
    key_fingerprint: str
    key_is_made_up: bool
    tables: Mapping[str, TableCounts]


def added(first: TableCounts, second: TableCounts) -> TableCounts:
    """Add up two parts of one table."""
    return replace(
        first,
        n_rows=first.n_rows + second.n_rows,
        n_written=first.n_written + second.n_written,
        n_refused=first.n_refused + second.n_refused,
        n_reserved_numbers=first.n_reserved_numbers + second.n_reserved_numbers,
        refused_by_rule=dict(sorted((Counter(first.refused_by_rule) + Counter(second.refused_by_rule)).items())),
        left_empty=_summed(first.left_empty, second.left_empty),
        refused_columns=tuple(dict.fromkeys((*first.refused_columns, *second.refused_columns))),
    )


def _summed(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    return {name: first.get(name, 0) + second.get(name, 0) for name in sorted({*first, *second})}


def stop_if_too_many(table: str, counts: TableCounts, max_refused_share: float) -> None:
    """Raise `RefusedRowsError` above the share, and for any refused opt-out."""
    allowed = 0.0 if table == "permissions" else max_refused_share
    if counts.n_refused <= allowed * counts.n_rows:
        return
    rules = "; ".join(f"{label} ({n})" for label, n in counts.refused_by_rule.items())
    raise RefusedRowsError(
        f"{table}: {counts.n_refused} of {counts.n_rows} rows are refused, and {allowed:.0%} are allowed: {rules}",
        "mend the extract where it is made; nothing was written",
    )


def record_text(result: Pseudonymised) -> str:
    """Write the record as JSON, the same for the same input and key."""
    record: dict[str, Any] = {
        "key_fingerprint": result.key_fingerprint,
        "key_is_made_up": result.key_is_made_up,
        "tables": {table: asdict(counts) for table, counts in sorted(result.tables.items())},
        "rules": RULES,
    }
    return json.dumps(record, indent=2, sort_keys=True) + "\n"
