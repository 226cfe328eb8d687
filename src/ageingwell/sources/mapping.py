"""Whether the settings of the tables name what the contracts have: a mapping that maps nothing would do so quietly."""

from collections.abc import Mapping

from ageingwell.config.score import TableSettings
from ageingwell.contracts.registry import TABLES, columns
from ageingwell.errors import ConfigError
from ageingwell.pseudonyms.conversion import RAW
from ageingwell.reading.listed import fold_one, why_not_ours
from ageingwell.sources.headings import folded_heading
from ageingwell.sources.parse import EMPTY

# What an agency's own files have in place of a column of the contract: mapped at the agency, and gone at the group.
RAW_COLUMNS = frozenset({*(raw for raws in RAW.values() for raw in raws), "linked_la_person_id"})


def stop_on_wrong_mapping(settings: Mapping[str, TableSettings]) -> None:
    """Stop on a mapping that names a column or label no contract has, and on a `not_held` that cannot be.

    Raises `ConfigError` with every such mistake.
    """
    found = [mistake for name, table in settings.items() if name in TABLES for mistake in _wrong_mapping(name, table)]
    if found:
        raise ConfigError(
            "agencies.toml: " + "; ".join(found), "correct them; the data dictionary lists the columns and labels"
        )


def _wrong_mapping(table: str, settings: TableSettings) -> list[str]:
    ours = {column.name: column for column in columns(table)}
    theirs = [settings.columns.get(name, name) for name in ours]
    folded = [folded_heading(name) for name in theirs]
    base = settings.recorded_on and settings.recorded_on.split(" ")[0]
    unknown = [
        *(f"columns.{name}" for name in settings.columns if name not in ours and name not in RAW_COLUMNS),
        *(f"values.{name}" for name in settings.values if name not in ours),
        *(f"constants.{name}" for name in settings.constants if name not in ours),
        *([] if base is None or (base in ours and ours[base].kind == "date") else [f"recorded_on = {base}"]),
    ]
    labels = [
        f"values.{name}: `{label}` is not one of its labels"
        for name, values in settings.values.items()
        if name in ours and ours[name].labels
        for label in values.values()
        if label not in (*ours[name].labels, *EMPTY)
    ]
    labels += [
        f"values.{name}: a label of your own {why}; it is {at}. of the column"
        for name, values in settings.words.items()
        if name in ours and ours[name].known
        for at, label in enumerate(values.values(), start=1)
        if label.strip() not in EMPTY and (why := why_not_ours(fold_one(label)))
    ]
    twice = sorted({name for name in theirs if folded.count(folded_heading(name)) > 1})
    return [
        *(f"[{table}] {key}: the contract has no such column" for key in unknown),
        *(f"[{table}] {mistake}" for mistake in labels),
        *(f"[{table}] columns: `{name}` is mapped to two columns" for name in twice),
        *_wrongly_constant(table, settings),
        *_wrongly_not_held(table, settings),
    ]


def _wrongly_constant(table: str, settings: TableSettings) -> list[str]:
    """Columns with a constant that the settings say more of: each is named once."""
    told = {
        **dict.fromkeys(settings.not_held, "is said not to be held"),
        **({"recorded_on": "is reckoned by recorded_on"} if settings.recorded_on is not None else {}),
        **dict.fromkeys(settings.columns, "is mapped to a column that is sent"),
    }
    return [f"[{table}] constants.{name}: the column {told[name]}" for name in settings.constants if name in told]


def _wrongly_not_held(table: str, settings: TableSettings) -> list[str]:
    ours = {column.name: column for column in columns(table)}
    unknown = [name for name in settings.not_held if name not in ours]
    needed = [name for name in settings.not_held if name in ours and ours[name].required]
    mapped = [name for name in settings.not_held if name in settings.columns]
    cannot_be_absent = not settings.held and (settings.required or table == "permissions")
    return [
        *(f"[{table}] not_held: the contract has no column `{name}`" for name in unknown),
        *(f"[{table}] not_held: `{name}` is required, and no table is read without it" for name in needed),
        *(f"[{table}] not_held: `{name}` is mapped under [{table}.columns], so it is held" for name in mapped),
        *([f"[{table}] held = false: a run needs this table"] if cannot_be_absent else []),
    ]
