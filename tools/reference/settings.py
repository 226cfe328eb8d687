"""settings.md: every key of every settings file."""

import types
from datetime import date
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from ageingwell.config.costs import CostsSettings
from ageingwell.config.files import Settings, read_toml, shipped
from ageingwell.config.limits import Limits
from ageingwell.config.may_lower import MayLower
from ageingwell.config.outreach import Interventions, OutreachSettings
from ageingwell.config.score import Ledger, ScoreSettings, SourceSettings, TableSettings, TrainSettings
from ageingwell.config.services import ServicesSettings
from ageingwell.contracts.registry import TABLES
from tools.reference.markdown import code, prose, table

SETTINGS_FILES: dict[str, type[Settings]] = {
    "score.toml": ScoreSettings,
    "train.toml": TrainSettings,
    "agencies.toml": TableSettings,
    "permissions.toml": Ledger,
    "outreach.toml": OutreachSettings,
    "interventions.toml": Interventions,
    "may_lower.toml": MayLower,
    "services.toml": ServicesSettings,
    "costs.toml": CostsSettings,
}


def settings() -> str:
    """One section a file."""
    return "\n\n".join(_file(name, model) for name, model in SETTINGS_FILES.items())


def _file(name: str, model: type[Settings]) -> str:
    values = read_toml(shipped("configs") / name)
    title = f"## {name}\n\n{prose(model.__doc__)}"
    if name == "agencies.toml":
        return "\n\n".join([f"{title} One section `[<table>]` for each of {code(TABLES)}.", *_of_agencies()])
    return "\n\n".join([title, _keys(model, values), *_sections(model, values)])


def _of_agencies() -> list[str]:
    """The keys of a table's section, of the sections inside it, and of a source's section."""
    # The limits of one table are those of all, told once below.
    parts = [part for part in _sections(TableSettings, {}) if ".limits]" not in part.partition("\n")[0]]
    inside = [
        part.replace("\n\n", f"\n\nWritten `[<table>.{name}]`. ", 1)
        for name, part in zip(_named_sections(TableSettings), parts, strict=True)
    ]
    limits = f"### `[limits]`\n\n{prose(Limits.__doc__)} `[<table>.reader.limits]` has the same keys for one table.\n\n"
    source = f"### `[sources.<profile>]`\n\n{prose(SourceSettings.__doc__)}\n\n{_keys(SourceSettings, {})}"
    return [_keys(TableSettings, {}), *inside, limits + _keys(Limits, {}), source]


def _named_sections(model: type[Settings]) -> list[str]:
    return [name for name, field in model.model_fields.items() if _inner(field.annotation) is not None]


def _keys(model: type[Settings], values: dict[str, Any]) -> str:
    plain = {name: field for name, field in model.model_fields.items() if _inner(field.annotation) is None}
    if not plain:
        return ""
    rows = (
        (f"`{name}`", _type(field), _default(field), _shown(values, name), field.description or "")
        for name, field in plain.items()
    )
    return table(("key", "type", "default", "shipped", "what it does"), rows)


def _sections(model: type[Settings], values: dict[str, Any], above: str = "") -> list[str]:
    """The tables inside a file: `[name]`, `[name.<label>]` for one a label, `[[name]]` for a list, `[name.inside]`."""
    parts = []
    for name, field in model.model_fields.items():
        inner = _inner(field.annotation)
        if inner is None:
            continue
        origin = get_origin(field.annotation)
        full = f"{above}{name}"
        shape = f"[[{full}]]" if origin is tuple else f"[{full}.<name>]" if origin is dict else f"[{full}]"
        here = values.get(name, {}) if shape == f"[{full}]" else {}
        sentence = field.description or ""
        parts.append(f"### `{shape}`\n\n{sentence[:1].upper()}{sentence[1:]}.\n\n{_keys(inner, here)}")
        if shape == f"[{full}]":
            parts += _sections(inner, here, f"{full}.")
    return parts


def _inner(annotation: Any) -> type[Settings] | None:
    """The settings class a key holds, alone, in a list or by name; `None` for a plain value."""
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, Settings):
            return candidate
    return None


def _shown(values: dict[str, Any], name: str) -> str:
    return f"`{_written(values[name])}`" if name in values else ""


def _written(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_written(item) for item in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    value = field.get_default(call_default_factory=True)
    return "none" if value is None or value == {} else f"`{_written(value)}`"


def _type(field: FieldInfo) -> str:
    return "; ".join([_words(field.annotation), *filter(None, (_bound(item) for item in field.metadata))])


def _words(annotation: Any) -> str:
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return code(inside)
    if origin is tuple:
        return "list of: " + _words(inside[0])
    if origin in (Union, types.UnionType):
        return " or ".join(_words(part) for part in inside if part is not type(None))
    if origin is dict:
        return "table"
    return {str: "text", int: "whole number", float: "number", bool: "`true` or `false`", date: "date"}[annotation]


def _bound(item: Any) -> str | None:
    signs = {"ge": "at least", "le": "at most", "gt": "more than", "lt": "less than", "min_length": "not empty"}
    for name, words in signs.items():
        if hasattr(item, name):
            return words if name == "min_length" else f"{words} {getattr(item, name)}"
    return None
