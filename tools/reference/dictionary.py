"""data-dictionary.md: the tables the agencies send, column by column."""

import re
from collections.abc import Iterable
from typing import Any

import pandera.polars as pa

from ageingwell.contracts import fields
from ageingwell.contracts.registry import EVENT_KEYS, TABLES, Column, columns
from ageingwell.contracts.services import DIRECTORY_RULES, SERVICE_TABLES
from ageingwell.register import AGENCY_OF
from tools.reference.markdown import code, made_type, prose, table

SHAPES = {
    fields.PSEUDONYM: "pseudonym: 32 letters",
    fields.LSOA21: "`E01` or `W01` and 6 digits",
    fields.PRACTICE_CODE: "a letter and 5 digits",
    fields.BNF_CODE: "4 to 15 capital letters or digits",
}
UNREADABLE = {
    "refused": "one that cannot be read refuses the row",
    "held": "one that cannot be read is read as empty and holds the person",
}
KINDS = {"text": "text", "date": "date", "label": "label", "whole": "whole number", "number": "number"}


def data_dictionary() -> str:
    """Every table with its columns, then the rules a row can break."""
    overview = table(("table", "agency", "what it holds"), map(_overview, TABLES))
    sections = [f"## {name}\n\n{_told(model)}\n\n{_one_event(name)}{_columns(name)}" for name, model in TABLES.items()]
    rules = table(("rule", "what it says"), ((f"`{rule}`", sentence) for rule, sentence in fields.RULES.items()))
    return "\n\n".join([overview, *sections, f"## Rules\n\n{rules}", _empty(), _directory()])


def _empty() -> str:
    """Which cells that are not empty are read as empty, and why."""
    said = (
        "An optional cell that cannot be read, or that holds no value in other words, is read as empty (as `unknown` "
        "where the column has that label), and counted by column and rule in `check` and in the manifest. Its row "
        "stays, and rules across columns are tested on what is left. Under *allowed* stands where such a cell refuses "
        "its row all the same or holds the person, and which days stand for none. A word that the settings map, or "
        "that is a label of the column, is what they say; a required value is never emptied."
    )
    rules = table(("rule", "what it says"), ((f"`{rule}`", what) for rule, what in fields.EMPTIED.items()))
    return f"## Cells read as empty\n\n{said}\n\n{rules}"


def _directory() -> str:
    """The tables the directory of local services is read into, and the rules a record of it can break."""
    said = (
        "The directory of local services is read from HSDS 3 into these tables; none has a person in it. A fault in "
        "identifier, name, organisation, status or ages refuses the whole record, a fault in a part that part alone."
    )
    sections = [f"### {name}\n\n{prose(model.__doc__)}\n\n{_fields(model)}" for name, model in SERVICE_TABLES.items()]
    rules = table(("rule", "what it says"), ((f"`{rule}`", what) for rule, what in DIRECTORY_RULES.items()))
    return "\n\n".join(
        ["## The directory of local services", said, *sections, f"### Rules of the directory\n\n{rules}"]
    )


def _fields(model: type[pa.DataFrameModel]) -> str:
    rows = (
        (f"`{name}`", made_type(field.dtype.type), "yes" if field.nullable else "no", field.description or "")
        for name, field in model.to_schema().columns.items()
    )
    return table(("column", "type", "may be empty", "what it is"), rows)


def _overview(name: str) -> tuple[str, ...]:
    return f"[`{name}`](#{name})", AGENCY_OF[name].replace("_", " "), _first(TABLES[name])


def _first(model: type) -> str:
    return prose(model.__doc__).split("\n\n")[0].rstrip(".")


LABELLED = re.compile(r"\s*\b(Owner|Delivery lag|Coverage|Known defects): ")


def _told(model: type) -> str:
    """The class's own words, with owner, lag, coverage and defects as a list."""
    listed = LABELLED.sub(lambda found: f"\n- **{found[1]}:** ", prose(model.__doc__))
    return listed.replace("\n- ", "\n\n- ", 1)


def _one_event(name: str) -> str:
    """What makes rows of the table one event, however often it was sent."""
    return f"**One event:** {EVENT_KEYS[name].sentence}\n\n" if name in EVENT_KEYS else ""


def _columns(name: str) -> str:
    schema = TABLES[name].to_schema()
    head = ("column", "type", "may be empty", "what it is", "allowed")
    return table(head, (_column(column, schema.columns[column.name].checks) for column in columns(name)))


def _column(column: Column, checks: Iterable[Any]) -> tuple[str, ...]:
    name = f"**`{column.name}`**" if column.required else f"`{column.name}`"
    empty = f"is `{column.missing}`" if column.missing else "yes" if column.nullable else "no"
    return name, KINDS[column.kind], empty, column.sentence, _allowed(column, checks)


def _allowed(column: Column, checks: Iterable[Any]) -> str:
    known = f"{code(column.known)}, and labels that the settings name" if column.known else "any label"
    said = [code(column.labels)] if column.labels else [known] if column.kind == "label" else []
    if column.also:
        said.append("also read: " + ", ".join(f"`{theirs}` as `{ours}`" for theirs, ours in column.also))
    said += [column.placeholder.sentence] if column.placeholder else []
    if not column.required and column.unreadable != "emptied":
        said.append(UNREADABLE[column.unreadable])
    for check in checks:
        facts = check.statistics or {}
        if "pattern" in facts:
            said.append(SHAPES.get(_pattern(facts["pattern"]), f"shape `{_pattern(facts['pattern'])}`"))
        elif "min_value" in facts or "max_value" in facts:
            said += [
                f"{words} {facts[key]:g}" for key, words in (("min_value", "from"), ("max_value", "to")) if key in facts
            ]
        elif (rule := str(check.error or check.name)) in fields.RULES:
            said.append(f"rule `{rule}`")
    return "; ".join(said)


def _pattern(pattern: Any) -> str:
    return str(getattr(pattern, "pattern", pattern))
