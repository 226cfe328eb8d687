"""What each column of the agencies' tables is used for, so that those used for nothing can be asked not to be sent.

Personal data are to be no more than what is needed (UK GDPR article 5(1)(c)). What the features, the rules for needs,
the joins and the keys of events use is read off themselves. What other steps use is listed here by hand, each with the
module that uses it; a test looks whether it still does, and another that a night is the same without the columns that
are said to be used for nothing.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from ageingwell.contracts.registry import EVENT_KEYS, TABLES, columns, recorded_column
from ageingwell.features.behind import FALL_BACKS
from ageingwell.features.build import FEATURES, columns_behind
from ageingwell.model.fitted import FittedRisk
from ageingwell.outreach.rules import NeedRule
from ageingwell.register import TABLE_ENTRIES

Kind = Literal["used", "not used", "repeats alone", "no weight"]
Pair = tuple[str, str]


@dataclass(frozen=True)
class Use:
    """A column that a step other than a feature or a rule uses: what for, and the module that does."""

    table: str
    column: str
    what_for: str
    module: str


OTHER_USES: Final = (
    Use("gp_patients", "ethnic_group", "to measure whether groups are served alike", "recognition.links"),
    Use("gp_patients", "practice_code", "a list of its own for each practice", "views.practices"),
    Use("gp_patients", "left_on", "to take off the list who has left", "night.withdraw"),
    Use("gp_patients", "communication_need", "so that a visitor is understood", "views.recipient"),
    Use("care_events", "accommodation_status", "to see who lives in a care home", "spine"),
    Use("care_events", "died_on", "to take off the list who has died", "spine"),
    Use("homes", "source", "to see which source reports a care home", "spine"),
    Use("permissions", "kind", "to follow opt-outs and markers", "permissions"),
    Use("permissions", "from_on", "to follow opt-outs and markers", "permissions"),
    Use("permissions", "to_on", "to follow opt-outs and markers", "permissions"),
    Use("contacts", "agency", "to wait after someone was contacted", "outreach.eligible"),
    Use("contacts", "contacted_on", "to wait after someone was contacted", "outreach.eligible"),
    Use("contacts", "outcome", "to wait after someone was contacted", "outreach.eligible"),
)


@dataclass(frozen=True)
class ColumnUse:
    """A column, how it is used, and what for."""

    table: str
    column: str
    kind: Kind
    what_for: str


def column_uses(
    rules: Collection[NeedRule], models: Mapping[str, FittedRisk], *, tables: Collection[str] = tuple(TABLES)
) -> list[ColumnUse]:
    """Every column of the contracts and what it is used for, by the rules for needs and the models in use.

    Examples
    --------
    >>> from ageingwell.config.outreach import Thresholds
    >>> from ageingwell.outreach.rules import need_rules
    >>> found = column_uses(need_rules(Thresholds()), {})
    >>> sorted(f"{one.table}.{one.column}" for one in found if one.kind == "not used")
    ['care_events.la_person_id', 'fire_visits.referral_source', 'homes.epc_inspected_on']
    """
    for_facts, idle = _of_features(rules, models)
    others = {(use.table, use.column): use.what_for for use in OTHER_USES}
    told = []
    for table in tables:
        needed = {recorded_column(table), *_contact_day(table)}
        repeats = set(EVENT_KEYS[table].columns) if table in EVENT_KEYS else set()
        for column in columns(table):
            pair = (table, column.name)
            if pair in others:
                kind, what_for = "used", others[pair]
            elif pair in for_facts or pair in FALL_BACKS:
                kind, what_for = "used", "facts of the model or rules for needs"
            elif column.name in needed or column.name in ("person_id", "household_id"):
                kind, what_for = "used", "to join records, and to know since when each is known"
            elif pair in idle:
                kind, what_for = "no weight", "only facts that carry no weight in the models of this run"
            elif column.name in repeats:
                kind, what_for = "repeats alone", "only to tell a repeat from a second event"
            else:
                kind, what_for = "not used", "nothing"
            told.append(ColumnUse(table, column.name, kind, what_for))  # type: ignore[arg-type]
    return told


def columns_sent(inputs: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """The contract columns that came for a night, by its manifest's `inputs`; a column that is all empty did not."""
    return {
        table: [column.name for column in columns(table) if column.name not in _not_there(told)]
        for table, told in inputs.items()
        if table in TABLES
    }


def _not_there(told: Mapping[str, Any]) -> set[str]:
    return {name for part in ("absent_columns", "not_held_columns", "empty_columns") for name in told.get(part, ())}


def _contact_day(table: str) -> set[str]:
    return {entry.contact_on for entry in TABLE_ENTRIES if entry.name == table and entry.contact_on is not None}


def _of_features(rules: Collection[NeedRule], models: Mapping[str, FittedRisk]) -> tuple[set[Pair], set[Pair]]:
    """The columns behind what counts, and those behind nothing but facts without weight."""
    of_rules = {
        name
        for rule in rules
        for fact in rule.facts()
        for expression in (fact.holds, fact.value)
        if expression is not None
        for name in expression.meta.root_names()
    }
    by_name = {feature.name: feature for feature in FEATURES}
    counting = of_rules | (with_weight(models) if models else set(by_name))
    counted = {pair for name in counting & set(by_name) for pair in columns_behind(by_name[name])}
    every = {pair for feature in FEATURES for pair in columns_behind(feature)}
    return counted, every - counted


def with_weight(models: Mapping[str, FittedRisk]) -> set[str]:
    """The features that move the risk of some model: a curve that is not flat, or a tree that asks for it."""
    found = set()
    for model in models.values():
        asked = model.booster_.feature_importance()
        for place, name in enumerate(model.features):
            if asked[place] > 0 or not model.margin.curves[place].adds_nothing:
                found.add(name)
    return found
