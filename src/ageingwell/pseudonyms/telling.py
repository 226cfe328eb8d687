"""What `pseudonymise` did, in words for the person who ran them. Counts and names, never values."""

from collections.abc import Mapping

from ageingwell.pseudonyms.counts import Pseudonymised, TableCounts
from ageingwell.pseudonyms.coverage import EXPECTED, FOUND


def pseudonymised_text(done: Pseudonymised) -> str:
    """Say for each table how many rows came through, what was refused, emptied and left out, and what to look at.

    >>> from pathlib import Path
    >>> counts = TableCounts(n_rows=9, n_written=8, n_refused=1, refused_by_rule={"nhs_number: missing": 1},
    ...                      sent={"uprn": 7}, left_empty={"uprn": 2}, emptied_by_rule={"uprn: not_a_uprn": 2})
    >>> print(pseudonymised_text(Pseudonymised(Path("out"), "tslbhgfbpgfp", True, {"gp_patients": counts})))
    gp_patients: 8 of 9 rows written
      1 row refused: nhs_number: missing (1)
      emptied: 2 of the 7 values of uprn that were sent: not_a_uprn (2)
    The folders refused and emptied name these rows: file, row number, column, rule.
    key fingerprint: tslbhgfbpgfp (a made-up key, for made-up people)
    tables: out
    """
    lines = [f"{file}: read as {source}" for file, source in done.sources.items()]
    lines += [line for table, counts in sorted(done.tables.items()) for line in _table_lines(table, counts)]
    if done.coverage:
        n, found = done.coverage[EXPECTED], done.coverage[FOUND]
        lines.append(f"{found:,} of the {n:,} people of the list of who should be registered are in gp_patients")
    if any(counts.n_refused or counts.left_empty or counts.telling for counts in done.tables.values()):
        lines.append("The folders refused and emptied name these rows: file, row number, column, rule.")
    made_up = " (a made-up key, for made-up people)" if done.key_is_made_up else ""
    return "\n".join([*lines, f"key fingerprint: {done.key_fingerprint}{made_up}", f"tables: {done.folder}"])


def _table_lines(table: str, counts: TableCounts) -> list[str]:
    lines = [f"{table}: {counts.n_written:,} of {_rows(counts.n_rows)} written"]
    if counts.n_refused:
        lines.append(f"  {_rows(counts.n_refused)} refused: {_rules(counts.refused_by_rule)}")
    for column, n in counts.left_empty.items():
        start = f"{column}: "
        rules = {
            label[len(start) :]: times for label, times in counts.emptied_by_rule.items() if label.startswith(start)
        }
        lines.append(
            f"  emptied: {n:,} of the {counts.sent[column]:,} values of {column} that were sent: {_rules(rules)}"
        )
    if counts.n_left_out:
        lines.append(f"  {_rows(counts.n_left_out)} left out on purpose: {_rules(counts.left_out)}")
    lines += _stayed_lines(counts)
    lines += _identity_lines(counts)
    if counts.refused_columns:
        lines.append(f"  columns left out: {', '.join(counts.refused_columns)}")
    if missed := [name for name in counts.columns_not_sent if name not in counts.columns_not_held]:
        lines.append(f"  columns not sent: {', '.join(missed)}")
    if counts.columns_not_held:
        lines.append(f"  columns that this layout never holds: {', '.join(counts.columns_not_held)}")
    return lines


def _stayed_lines(counts: TableCounts) -> list[str]:
    """What stayed behind because a column carries labels, days, numbers and codes alone."""
    start = "  left out, because the column takes other labels, days, numbers or codes: "
    lines = [start + ", ".join(f"{_values(n)} of {name}" for name, n in counts.not_carried.items())]
    if counts.telling:
        lines.append(f"  of these may name someone: {_rules(counts.telling)}")
    return lines if counts.not_carried else []


def _identity_lines(counts: TableCounts) -> list[str]:
    """How people and homes were known where it was not by an NHS number or UPRN as it should be written."""
    lines = [
        f"  read although they end with .0: {_values(n)} of {name}" for name, n in counts.read_without_decimal.items()
    ]
    if counts.ids == "own":
        lines.append("  ids: the agency's own; they join only tables with the same ids, and no NHS number or UPRN")
    found = {name: n for name, n in counts.local_people.items() if n}
    words = {
        "number_lent": "without a usable NHS number, given the one that other rows carry for their la_person_id",
        "kept_by_local_id": "without a usable NHS number, kept by la_person_id alone: strangers to every other table",
        "two_numbers": "of these with a la_person_id that has two NHS numbers elsewhere, so none was given",
        "link_by_number": "with a linked person found by the NHS number of their la_person_id",
        "link_by_local_id": "with a linked person known by la_person_id alone",
    }
    return lines + [f"  {_rows(found[name])} {text}" for name, text in words.items() if name in found]


def _rules(by_rule: Mapping[str, int]) -> str:
    return "; ".join(f"{label} ({n:,})" for label, n in by_rule.items())


def _values(n: int) -> str:
    return "1 value" if n == 1 else f"{n:,} values"


def _rows(n: int) -> str:
    return "1 row" if n == 1 else f"{n:,} rows"
