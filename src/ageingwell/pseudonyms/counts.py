"""What became of the rows: counts by table and rule, and the record that lies beside the tables. Never a value."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from ageingwell.errors import RefusedRowsError
from ageingwell.pseudonyms.remedies import remedy
from ageingwell.pseudonyms.screening import RULES

# What is counted of people whom a council knows by its own id, and of links to them.
LOCAL_PEOPLE: Final = {
    "number_lent": "rows without a usable NHS number that got the one number other rows carry for their la_person_id",
    "kept_by_local_id": "rows kept by la_person_id alone: strangers, who meet no other agency's records",
    "two_numbers": "of these, rows whose la_person_id carries two NHS numbers elsewhere, so that none was lent",
    "link_by_number": "linked people found by the one NHS number of their la_person_id",
    "link_by_local_id": "linked people known by la_person_id alone",
    "ids_without_number": "different la_person_ids without an NHS number in any row",
    "ids_with_two_numbers": "different la_person_ids with two NHS numbers or more",
}


@dataclass(frozen=True)
class TableCounts:
    """What became of one table's rows: `n_rows` = `n_written` + `n_refused`. Counts and names, never values.

    `refused_by_rule` counts `column: rule`; a row that breaks two rules counts in both. `left_empty` counts values of
    columns that may be blank and could not be read (a wrong UPRN of a patient): the row stays, the value goes. `sent`
    counts what those columns held in the rows that stay, `emptied_by_rule` why. `columns_not_sent` are columns of the
    contract that the table does not get, `columns_not_held` those of them that the layout never holds. `left_out`
    counts rows that a source profile leaves out on purpose, by profile and reason; they are not among `n_rows`.

    `not_carried` counts by column the values that stayed behind because they are no label, day, number or code of the
    column; `telling` counts those of them, by `column: rule`, that seem to tell who somebody is.
    `read_without_decimal` counts identifiers that ended with `.0`. `local_people` counts as `LOCAL_PEOPLE` says. `ids`
    is `own` where the table holds the agency's own ids; `own_ids` then counts what was sent in each column of
    identifiers, and `own_ids_like_nhs_numbers` how many of them would pass as NHS numbers.
    """

    n_rows: int = 0
    n_written: int = 0
    n_refused: int = 0
    n_reserved_numbers: int = 0
    refused_by_rule: Mapping[str, int] = field(default_factory=dict)
    left_empty: Mapping[str, int] = field(default_factory=dict)
    sent: Mapping[str, int] = field(default_factory=dict)
    emptied_by_rule: Mapping[str, int] = field(default_factory=dict)
    refused_columns: tuple[str, ...] = ()
    columns_not_sent: tuple[str, ...] = ()
    n_left_out: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    columns_not_held: tuple[str, ...] = ()
    read_without_decimal: Mapping[str, int] = field(default_factory=dict)
    local_people: Mapping[str, int] = field(default_factory=dict)
    ids: str = "nhs_number"
    not_carried: Mapping[str, int] = field(default_factory=dict)
    telling: Mapping[str, int] = field(default_factory=dict)
    own_ids: Mapping[str, int] = field(default_factory=dict)
    own_ids_like_nhs_numbers: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Pseudonymised:
    """What `pseudonymise` did: where the tables are, with which key (its fingerprint), and the counts by table.

    `sources` names the source profile of each file that one of them read. `coverage` counts the people of a list of who
    should be on the GP register, and those of them who are.
    """

    folder: Path
    key_fingerprint: str
    key_is_made_up: bool
    tables: Mapping[str, TableCounts]
    sources: Mapping[str, str] = field(default_factory=dict)
    coverage: Mapping[str, int] = field(default_factory=dict)


def added(first: TableCounts, second: TableCounts) -> TableCounts:
    """Add up two parts of one table."""
    return replace(
        second,
        n_rows=first.n_rows + second.n_rows,
        n_written=first.n_written + second.n_written,
        n_refused=first.n_refused + second.n_refused,
        n_reserved_numbers=first.n_reserved_numbers + second.n_reserved_numbers,
        refused_by_rule=dict(sorted((Counter(first.refused_by_rule) + Counter(second.refused_by_rule)).items())),
        left_empty=_summed(first.left_empty, second.left_empty),
        sent=_summed(first.sent, second.sent),
        emptied_by_rule=_summed(first.emptied_by_rule, second.emptied_by_rule),
        refused_columns=tuple(dict.fromkeys((*first.refused_columns, *second.refused_columns))),
        columns_not_sent=tuple(dict.fromkeys((*first.columns_not_sent, *second.columns_not_sent))),
        n_left_out=first.n_left_out + second.n_left_out,
        left_out=_summed(first.left_out, second.left_out),
        read_without_decimal=_summed(first.read_without_decimal, second.read_without_decimal),
        local_people=_summed(first.local_people, second.local_people),
        not_carried=_summed(first.not_carried, second.not_carried),
        telling=_summed(first.telling, second.telling),
        own_ids=_summed(first.own_ids, second.own_ids),
        own_ids_like_nhs_numbers=_summed(first.own_ids_like_nhs_numbers, second.own_ids_like_nhs_numbers),
    )


def _summed(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    return {name: first.get(name, 0) + second.get(name, 0) for name in sorted({*first, *second})}


def stop_if_too_many(table: str, counts: TableCounts, max_refused_share: float) -> None:
    """Raise `RefusedRowsError` above the share, of rows or of the values sent in a column; for opt-outs, above none.

    >>> spoilt = TableCounts(n_rows=9, n_written=9, sent={"uprn": 8}, left_empty={"uprn": 8},
    ...                      emptied_by_rule={"uprn: spreadsheet_number": 8})
    >>> stop_if_too_many("gp_patients", spoilt, 0.1)
    Traceback (most recent call last):
    ageingwell.errors.RefusedRowsError: gp_patients: 8 of 8 values of uprn cannot be read, and 10% may be unreadable:
    uprn: spreadsheet_number (8). What to do: export identifiers as text, not as numbers; ...
    """
    allowed = 0.0 if table == "permissions" else max_refused_share
    if counts.n_refused > allowed * counts.n_rows:
        raise RefusedRowsError(
            f"{table}: {counts.n_refused} of {counts.n_rows} rows are refused, and {allowed:.0%} are allowed: "
            f"{_told(counts.refused_by_rule)}",
            f"{remedy(counts.refused_by_rule)}; nothing was written",
        )
    for column, n in counts.left_empty.items():
        if n > allowed * counts.sent[column]:
            rules = {label: times for label, times in counts.emptied_by_rule.items() if label.startswith(f"{column}: ")}
            raise RefusedRowsError(
                f"{table}: {n} of {counts.sent[column]} values of {column} cannot be read, "
                f"and {allowed:.0%} may be unreadable: {_told(rules)}",
                f"{remedy(rules)}; leave the column out if it holds something else; nothing was written",
            )


def _told(by_rule: Mapping[str, int]) -> str:
    return "; ".join(f"{label} ({n})" for label, n in by_rule.items())


def record_of(result: Pseudonymised) -> dict[str, Any]:
    """Give what is told of a run as plain values: counts, names and the key's fingerprint."""
    return {
        "key_fingerprint": result.key_fingerprint,
        "key_is_made_up": result.key_is_made_up,
        "tables": {table: asdict(counts) for table, counts in sorted(result.tables.items())},
        "sources": dict(sorted(result.sources.items())),
        "coverage": dict(result.coverage),
        "rules": RULES,
        "local_people": LOCAL_PEOPLE,
    }


def record_text(result: Pseudonymised) -> str:
    """Write the record as JSON, the same for the same input and key."""
    return json.dumps(record_of(result), indent=2, sort_keys=True) + "\n"
