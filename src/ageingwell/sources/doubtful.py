"""Which rows of a chunk may break their contract, found in one pass: Pandera then tests these alone.

The contract stays the only place where rules are written. Its checks are asked for their expressions, and these are
evaluated at once for the whole chunk; a rule about texts alone is evaluated once for each distinct text, of which a
column of millions holds a few thousand. A row that is not in doubt keeps every rule; of one that is, Pandera says what
it breaks. Pandera's own pass over all rows costs five to ten times as much (one result a column and check, each
collected and joined to its rows).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandera.polars as pa
import polars as pl

from ageingwell.contracts.registry import TABLES

# Pandera's built-in checks that contracts use, as Pandera evaluates them.
_BUILT_IN: Mapping[str, Callable[..., pl.Expr]] = {
    "isin": lambda value, allowed_values: value.is_in(allowed_values),
    "str_matches": lambda value, pattern: value.str.contains(pattern if pattern.startswith("^") else f"^{pattern}"),
    "greater_than_or_equal_to": lambda value, min_value: value >= min_value,
    "less_than_or_equal_to": lambda value, max_value: value <= max_value,
}


@dataclass(frozen=True)
class Rules:
    """The rules of a contract as expressions: those of texts alone, by the columns they look at, and all others.

    Each is true where a row keeps the rules. `schema` is what the rows must be made of for that to mean anything.
    """

    schema: pl.Schema
    of_texts: tuple[tuple[tuple[str, ...], pl.Expr], ...]
    others: pl.Expr


class _Asked:
    """Stands in the place of a frame: a check that selects an expression from it gives the expression itself."""

    def select(self, rule: pl.Expr) -> pl.Expr:
        return rule


def doubtful_rows(table: str, rows: pl.DataFrame, distinct: Mapping[str, pl.Series]) -> pl.Series:
    """The places of the rows that may break a rule of their contract, in order; every other row keeps them all.

    `distinct` may hold, for a column of texts, every text that is in it, and others.
    """
    rules = rules_of(table)
    if rows.schema != rules.schema:
        # Types that the contract does not know: no expression of it can be trusted.
        return pl.int_range(rows.height, dtype=pl.Int64, eager=True)
    found = [_breaking(rows, names, rule, distinct) for names, rule in rules.of_texts]
    found.append(rows.select((~rules.others).arg_true()).to_series())
    return pl.concat([places.cast(pl.Int64) for places in found]).unique().sort()


def _breaking(
    rows: pl.DataFrame, names: tuple[str, ...], rule: pl.Expr, distinct: Mapping[str, pl.Series]
) -> pl.Series:
    """The places of the rows whose texts in some columns break a rule."""
    if len(names) == 1:
        texts = distinct[names[0]] if names[0] in distinct else texts_of(rows[names[0]])
        wrong = texts.to_frame(names[0]).filter(~rule)[names[0]] if len(texts) else texts
        if wrong.is_empty():
            return pl.Series(dtype=pl.Int64)
        return rows[names[0]].is_in(wrong.implode()).fill_null(value=False).arg_true()
    wrongs = rows.lazy().select(names).unique().filter(~rule).collect()
    if wrongs.is_empty():
        return pl.Series(dtype=pl.Int64)
    return rows.with_row_index("place").join(wrongs, on=names, how="semi", nulls_equal=True)["place"]


def texts_of(column: pl.Series) -> pl.Series:
    """Every text of a column, once each where that is worth finding out: among few rows most are told apart anyway.

    >>> texts_of(pl.Series(["a", "a", None, "a", "b", "a"])).sort().to_list()
    ['a', 'b']
    """
    first = column.head(max(len(column) // 20, 100))
    return (column if first.n_unique() > len(first) // 2 > 25 else column.unique()).drop_nulls()


@cache
def rules_of(table: str) -> Rules:
    """The contract of a table as expressions.

    Raises `TypeError` for a contract that says what these expressions cannot: a check of the whole frame, or a
    built-in check that stands for no expression here.
    """
    contract = TABLES[table].to_schema()
    if contract.checks or contract.unique or contract.parsers or contract.dtype is not None:
        raise TypeError(f"{table}: a rule of the whole table is not a rule of a row")
    schema = pl.Schema({name: column.dtype.type for name, column in contract.columns.items()})
    rules = [rule for name, column in contract.columns.items() for rule in _rules(table, name, column)]
    of_texts: dict[tuple[str, ...], list[pl.Expr]] = {}
    others = [pl.col(name).is_not_null() for name, column in contract.columns.items() if not column.nullable]
    for rule in rules:
        names = tuple(sorted(set(rule.meta.root_names())))
        if all(schema[name] == pl.String for name in names) and _is_dear(rule, names):
            of_texts.setdefault(names, []).append(rule)
        else:
            others.append(rule)
    told = tuple((names, pl.all_horizontal(found)) for names, found in sorted(of_texts.items()))
    return Rules(schema, told, pl.all_horizontal(others))


def _is_dear(rule: pl.Expr, names: tuple[str, ...]) -> bool:
    """Whether a rule takes more than finding the distinct texts does; of two columns these are found slowly."""
    return len(names) == 1 or ".str." in str(rule)


def _rules(table: str, name: str, column: Any) -> list[pl.Expr]:
    """The checks of one column, each as an expression; what it cannot tell of a missing value counts as kept."""
    if column.unique or column.coerce or column.regex or column.parsers:
        raise TypeError(f"{table}: what the contract says of {name} is not a rule of a row")
    return [_rule(table, name, check).fill_null(value=True) for check in column.checks]


def _rule(table: str, name: str, check: pa.Check) -> pl.Expr:
    if check.element_wise or check.groupby or not check.ignore_na:
        raise TypeError(f"{table}: the check {check.name} of {name} is not a rule of a row")
    if check.name is not None and check.name in _BUILT_IN and check.statistics:
        return _BUILT_IN[check.name](pl.col(name), **check.statistics)
    rule = check._check_fn(pa.PolarsData(_Asked(), name))  # type: ignore[arg-type]
    if not isinstance(rule, pl.Expr):
        raise TypeError(f"{table}: the check {check.name} of {name} gives no expression")
    return rule
