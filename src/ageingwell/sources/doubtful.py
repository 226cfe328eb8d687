"""Which rows of a chunk may break their contract, found in one pass: Pandera then tests these alone.

The contract's rules are evaluated as expressions, at once for the whole chunk; a rule about texts alone is evaluated
once for each distinct text, of which a column of millions holds a few thousand. A row that is not in doubt keeps every
rule; of one that is, Pandera says what it breaks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import polars as pl

from ageingwell.contracts import expressions
from ageingwell.contracts.registry import TABLES


@dataclass(frozen=True)
class Rules:
    """The rules of a contract as expressions: those of texts alone, by the columns they look at, and all others.

    Each is true where a row keeps the rules. `schema` is what the rows must be made of for that to mean anything.
    """

    schema: pl.Schema
    of_texts: tuple[tuple[tuple[str, ...], pl.Expr], ...]
    others: pl.Expr


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
    """The contract of a table as expressions, those of texts apart.

    Raises `TypeError` for a contract that says what these expressions cannot.
    """
    contract = expressions.rules_of(TABLES[table])
    if contract.unique:
        raise TypeError(f"{table}: a rule of the whole table is not a rule of a row")
    of_texts: dict[tuple[str, ...], list[pl.Expr]] = {}
    others = list(contract.present.values())
    for rule in (rule for rules in contract.of_rows.values() for rule in rules):
        names = tuple(sorted(set(rule.meta.root_names())))
        if all(contract.schema[name] == pl.String for name in names) and _is_dear(rule, names):
            of_texts.setdefault(names, []).append(rule)
        else:
            others.append(rule)
    told = tuple((names, pl.all_horizontal(found)) for names, found in sorted(of_texts.items()))
    return Rules(contract.schema, told, pl.all_horizontal(others))


def _is_dear(rule: pl.Expr, names: tuple[str, ...]) -> bool:
    """Whether a rule takes more than finding the distinct texts does; of two columns these are found slowly."""
    return len(names) == 1 or ".str." in str(rule)
