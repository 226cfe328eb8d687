"""What a night could not look for: needs whose facts rest on columns or tables that never came."""

from collections.abc import Mapping
from typing import Any

from ageingwell.contracts.registry import TABLES
from ageingwell.features.build import FEATURES, columns_behind
from ageingwell.governance.night_facts import InputFacts
from ageingwell.outreach.rules import NeedRule


def needs_not_looked_for(
    rules: tuple[NeedRule, ...], *, untold: Mapping[str, frozenset[str]], missing: tuple[str, ...]
) -> list[str]:
    """The needs that a rule could have missed, as a column behind one of its facts never came, in the rules' order.

    `untold` names by table the columns that never came; `missing` the tables.
    """
    gone = {(table, column) for table, columns in untold.items() for column in columns}
    gone |= {(table, column) for table in missing for column in TABLES[table].to_schema().columns}
    blind = {feature.name for feature in FEATURES if columns_behind(feature) & gone}
    return [rule.name for rule in rules if _reads(rule) & blind]


def _reads(rule: NeedRule) -> set[str]:
    read = [expression for fact in rule.facts() for expression in (fact.holds, fact.value) if expression is not None]
    return {name for expression in read for name in expression.meta.root_names()}


def columns_gone(inputs: Mapping[str, InputFacts], before: Mapping[str, Any] | None) -> dict[str, list[str]]:
    """The columns that came last time and do not tonight, by table.

    `inputs` is what tonight's manifest tells of each table, `before` the whole manifest of the last night.

    >>> columns_gone({"homes": {"absent_columns": ["tenure", "main_fuel"]}},
    ...              {"inputs": {"homes": {"absent_columns": ["tenure"]}}})
    {'homes': ['main_fuel']}
    """
    last = {} if before is None else dict(before.get("inputs", {}))
    found = {
        table: [name for name in told["absent_columns"] if name not in last[table]["absent_columns"]]
        for table, told in inputs.items()
        if "absent_columns" in last.get(table, {})
    }
    return {table: names for table, names in found.items() if names}
