"""The rules of a contract as expressions, so that a whole table is tested at once.

The contract stays the only place where rules are written: its checks are asked for their expressions. What these find
wrong, Pandera is asked about, and its answer counts. Pandera's own pass over all rows costs five to ten times as much
(one result a column and check, each collected and joined to its rows).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandera.polars as pa
import polars as pl


def _in_range(value: pl.Expr, min_value: Any, max_value: Any, *, include_min: bool, include_max: bool) -> pl.Expr:
    above: pl.Expr = value >= min_value if include_min else value > min_value
    below: pl.Expr = value <= max_value if include_max else value < max_value
    return above & below


# Pandera's built-in checks that contracts use, as Pandera evaluates them.
_BUILT_IN: Mapping[str, Callable[..., pl.Expr]] = {
    "isin": lambda value, allowed_values: value.is_in(allowed_values),
    "str_matches": lambda value, pattern: value.str.contains(pattern if pattern.startswith("^") else f"^{pattern}"),
    "greater_than_or_equal_to": lambda value, min_value: value >= min_value,
    "less_than_or_equal_to": lambda value, max_value: value <= max_value,
    "greater_than": lambda value, min_value: value > min_value,
    "less_than": lambda value, max_value: value < max_value,
    "in_range": _in_range,
    "str_length": lambda value, min_value: value.str.len_chars() >= min_value,
}


@dataclass(frozen=True)
class Rules:
    """The rules of a contract: `schema` is what the columns are made of, `required` those that must be there.

    Each rule is true where a row keeps it: `present` tells of the columns that must have a value in every row,
    `of_rows` of each column what else holds, and is true where the value is missing.
    """

    schema: pl.Schema
    required: tuple[str, ...]
    unique: tuple[str, ...]
    present: Mapping[str, pl.Expr]
    of_rows: Mapping[str, tuple[pl.Expr, ...]]


class _Asked:
    """Stands in the place of a frame: a check that selects an expression from it gives the expression itself."""

    def select(self, rule: pl.Expr) -> pl.Expr:
        return rule


@cache
def rules_of(model: type[pa.DataFrameModel]) -> Rules:
    """The rules of a contract as expressions.

    Raises `TypeError` for a contract that says what these expressions cannot: a check of the whole frame, or a
    built-in check that is not known as an expression.
    """
    contract, name = model.to_schema(), model.__name__
    of_the_whole = ("checks", "unique", "parsers", "dtype", "strict", "coerce", "ordered", "unique_column_names")
    if any(getattr(contract, said) for said in (*of_the_whole, "add_missing_columns", "drop_invalid_rows")):
        raise TypeError(f"{name}: a rule of the whole table is not a rule of a row")
    columns = contract.columns.items()
    if free := [column for column, told in columns if told.dtype is None]:
        raise TypeError(f"{name}: the contract does not say what {free[0]} is made of")
    schema = pl.Schema({column: told.dtype.type for column, told in columns})
    return Rules(
        schema=schema,
        required=tuple(column for column, told in columns if told.required),
        present={column: _present(column, schema[column]) for column, told in columns if not told.nullable},
        unique=tuple(column for column, told in columns if told.unique),
        of_rows={column: tuple(_rules(f"{name}: {column}", column, told)) for column, told in columns},
    )


def _present(name: str, dtype: pl.DataType) -> pl.Expr:
    """Whether there is a value; no number is none, as Pandera has it."""
    there = pl.col(name).is_not_null()
    return there & pl.col(name).is_not_nan() if dtype.is_float() else there


def _rules(place: str, name: str, column: Any) -> list[pl.Expr]:
    """The checks of one column, each as an expression; what it cannot tell of a missing value counts as kept."""
    if column.coerce or column.regex or column.parsers:
        raise TypeError(f"{place} is not what a rule of a row can tell")
    return [_rule(place, name, check).fill_null(value=True) for check in column.checks]


def _rule(place: str, name: str, check: pa.Check) -> pl.Expr:
    if check.element_wise or check.groupby or not check.ignore_na:
        raise TypeError(f"{place}: the check {check.name} is not a rule of a row")
    said = {key: value for key, value in (check.statistics or {}).items() if value is not None}
    if said:  # one of Pandera's own
        if check.name is None or check.name not in _BUILT_IN:
            raise TypeError(f"{place}: the check {check.name} is not known as an expression")
        return _BUILT_IN[check.name](pl.col(name), **said)
    rule = check._check_fn(pa.PolarsData(_Asked(), name))  # type: ignore[arg-type]
    if not isinstance(rule, pl.Expr):
        raise TypeError(f"{place}: the check {check.name} gives no expression")
    return rule


def keeps_all(model: type[pa.DataFrameModel], frame: pl.DataFrame) -> bool:
    """Whether a table keeps its contract. False means in doubt: Pandera is to say what is broken, if anything.

    Raises `TypeError` where the contract says what no expression can.
    """
    rules, has = rules_of(model), frame.schema
    there = [name for name in rules.schema if name in has]
    if not has.keys() >= set(rules.required) or any(has[name] != rules.schema[name] for name in there):
        return False
    kept = [
        *(rules.present[name].all() for name in there if name in rules.present),
        *(pl.col(name).is_unique().all() for name in there if name in rules.unique),
        *(rule.all() for name in there for rule in rules.of_rows[name]),
    ]
    return not kept or bool(frame.select(pl.all_horizontal(kept)).item())
