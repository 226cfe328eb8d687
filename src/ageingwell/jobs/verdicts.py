"""One verdict a table, in words an analyst acts on: a night would run, would run without something, or would stop."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from ageingwell.contracts.fields import EMPTIED, RULES
from ageingwell.contracts.registry import TABLES
from ageingwell.jobs.checking import CheckedRecords
from ageingwell.pseudonyms.counts import Pseudonymised, TableCounts
from ageingwell.pseudonyms.tables import RawFolder
from ageingwell.register import AGENCY_OF


@dataclass(frozen=True)
class TableVerdict:
    """What a night would do with one table: the verdict, and a line for each thing behind it."""

    table: str
    agency: str
    verdict: str
    would_stop: bool
    lines: tuple[str, ...]


def verdicts(
    checked: CheckedRecords,
    made: Pseudonymised | None = None,
    *,
    raw: RawFolder | None = None,
    problems: Sequence[str],
) -> tuple[tuple[TableVerdict, ...], tuple[str, ...]]:
    """Give a verdict for each table that was sent, and the problems that are of no one table.

    `made` and `raw` tell what became of raw files on the way to the tables that were checked.
    """
    once = tuple(dict.fromkeys(problems))
    names = [name for name in TABLES if _is_here(name, checked, made)]
    of_table = {name: [problem for problem in once if problem.startswith((f"{name}:", f"{name}."))] for name in names}
    told = {problem for found in of_table.values() for problem in found}
    tables = tuple(_verdict(name, checked, made, raw, of_table[name]) for name in names)
    return tables, tuple(problem for problem in once if problem not in told)


def with_meaning(refused: pl.DataFrame) -> pl.DataFrame:
    """The refused rows by rule (table, column, rule, n_rows), each with the sentence of its rule.

    >>> with_meaning(pl.DataFrame({"table": ["homes"], "rule": ["missing"], "n_rows": [2]}))["meaning"].to_list()
    ['a value is needed here and none was sent']
    """
    return refused.with_columns(meaning=pl.col("rule").replace_strict(RULES, default=None, return_dtype=pl.String))


def verdict_words(checked: CheckedRecords) -> str:
    """What a night would do with these records, in one sentence.

    >>> nothing = pl.DataFrame()
    >>> verdict_words(CheckedRecords(nothing, nothing, ("homes",), made_up=True, problems=()))
    'A night would run, without homes.'
    """
    if checked.problems:
        n = len(checked.problems)
        return (
            "A night would stop on the problem above." if n == 1 else f"A night would stop on the {n} problems above."
        )
    return f"A night would run, without {', '.join(checked.missing)}." if checked.missing else "A night would run."


def _is_here(name: str, checked: CheckedRecords, made: Pseudonymised | None) -> bool:
    return name in checked.tables["table"] or (made is not None and name in made.tables)


def _verdict(
    name: str, checked: CheckedRecords, made: Pseudonymised | None, raw: RawFolder | None, problems: list[str]
) -> TableVerdict:
    absent = _columns(checked, name, "absent", "empty")
    if problems:
        verdict = "a night would stop because " + "; and because ".join(_without_name(one, name) for one in problems)
    elif absent:
        verdict = f"a night would run without {', '.join(absent)}"
    else:
        verdict = "a night would run"
    lines = [
        *(_on_the_way(name, made.tables[name], raw) if made is not None and name in made.tables else ()),
        *_read(checked, name),
    ]
    return TableVerdict(name, AGENCY_OF[name], verdict, bool(problems), tuple(lines))


def _without_name(problem: str, name: str) -> str:
    return problem.removeprefix(f"{name}: ")


def _columns(checked: CheckedRecords, name: str, *what: str) -> list[str]:
    found = checked.columns.filter((pl.col("table") == name) & pl.col("what").is_in(what))
    return found["column"].to_list()


def _on_the_way(name: str, counts: TableCounts, raw: RawFolder | None) -> list[str]:
    lines = []
    if raw is not None and name in raw.tables:
        sources = [f"source {one.profile.name}" for one in raw.tables[name].made]
        sources += [path.name for path in raw.tables[name].files]
        lines.append("from " + ", ".join(sources))
    lines += [f"{_rows(n)} left out on purpose: {why}" for why, n in counts.left_out.items()]
    lines += [f"{_rows(n)} refused at the agency: {why}" for why, n in counts.refused_by_rule.items()]
    lines += [f"{_rows(n, 'cell')} emptied at the agency: {why}" for why, n in counts.emptied_by_rule.items()]
    return lines


def _read(checked: CheckedRecords, name: str) -> list[str]:
    row = checked.tables.filter(pl.col("table") == name)
    if row.is_empty():
        return []
    n_read, n_good = row["n_read"].item(), row["n_good"].item()
    lines = [f"{n_good:,} of {n_read:,} rows are good; the newest was recorded on {row['newest_on'].item()}"]
    for broken in checked.refused.filter(pl.col("table") == name).iter_rows(named=True):
        where = broken["column"] or "the row"
        lines.append(f"{_rows(broken['n_rows'])} refused: {where}: {RULES[broken['rule']]}")
    for cell in checked.emptied.filter(pl.col("table") == name).iter_rows(named=True):
        sentence = {**RULES, **EMPTIED}[cell["rule"]]
        lines.append(f"{_rows(cell['n_cells'], 'cell')} read as empty: {cell['column']}: {sentence}")
    if unused := _columns(checked, name, "heading_not_used"):
        lines.append(f"headings not used: {', '.join(unused)}")
    return lines


def _rows(n: int, what: str = "row") -> str:
    return f"1 {what}" if n == 1 else f"{n:,} {what}s"
