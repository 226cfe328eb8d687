"""The manifest of a night: what went in, what was counted at every step, what made the list. No value of a record."""

from collections.abc import Mapping
from datetime import date, timedelta
from importlib.metadata import version
from typing import Any

from ageingwell.bundle import Bundle
from ageingwell.config.load import Config
from ageingwell.governance.disclosure import shown_count
from ageingwell.governance.night_facts import BundleFacts, InputFacts
from ageingwell.sources.read import CheckedTable, Records

LIBRARIES = ("ageingwell", "polars", "pandera", "lightgbm", "numpy", "scipy")


def describe_inputs(records: Records, config: Config, *, as_of: date) -> dict[str, InputFacts]:
    """Each table: its files with SHA-256, what was refused and emptied by rule, what is not there, how new it is."""
    return {name: _input(table, config, as_of=as_of) for name, table in sorted(records.tables.items())}


def _input(table: CheckedTable, config: Config, *, as_of: date) -> InputFacts:
    promised = config.tables[table.name].promised_days
    limits = [days for days in (config.tables[table.name].late_after_days, promised) if days is not None]
    # Rows dated ahead are not known on the night: one slip of the year would make a table up to date for good.
    # Records of the night itself are not used; a check of opt-outs on the day of the night is.
    newest = table.newest_known(as_of if table.name == "permissions" else as_of - timedelta(days=1))
    is_late = bool(limits) and (newest is None or newest < as_of - timedelta(days=min(limits)))
    return {
        "files": [{"file": file.file, "sha256": file.sha256, "n_rows": file.n_rows} for file in table.files],
        "n_read": table.n_read,
        "n_good": table.n_good,
        "n_refused": table.n_refused,
        "refused_by_rule": table.refused_by_rule().to_dicts(),
        "newest_on": None if newest is None else newest.isoformat(),
        "is_late": is_late,
        "promised_days": promised,
        "n_repeated": table.n_repeated,
        "n_dated_ahead": table.n_dated_ahead(as_of),
        "dropped_columns": list(table.dropped_columns),
        "absent_columns": list(table.absent_columns),
        "partly_absent_columns": [{"column": column, "file": file} for column, file in table.partly_absent],
        "empty_columns": list(table.empty_columns),
        "not_held_columns": list(table.not_held_columns),
        "emptied": table.emptied.to_dicts(),
        "badly_read_columns": list(table.badly_read),
        "left_out": table.left_out.to_dicts(),
        "recorded_on_made_as": table.made_recorded_on,
    }


def as_manifest(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a night as its manifest tells them: 1 to 7 people are `null`, more are rounded to the nearest 5.

    The counts of the list itself, and of the rows of a delivery, are exact: they are the reader's own, and must add up.

    >>> told = as_manifest({"steps": [{"step": "permitted", "reason": "objection", "n": 1}], "week": {"n_waiting": 12}})
    >>> told["steps"][0]["n"], told["week"]["n_waiting"]
    (None, 10)
    """
    counted = {
        name: _shown(facts[name]) for name in ("steps", "withdrawn", "homes_left_out", "population") if name in facts
    }
    if isinstance(week := facts.get("week"), Mapping):
        of_others = {name: _shown(week[name]) for name in ("n_waiting", "urgent_waiting") if name in week}
        counted["week"] = {**week, **of_others}
    return {**facts, **counted}


def _shown(told: Any) -> Any:
    """Plain data with every whole number in it as it may be shown: a manifest of any version can be told again."""
    if isinstance(told, Mapping):
        return {name: _shown(value) for name, value in told.items()}
    if isinstance(told, list | tuple):
        return [_shown(value) for value in told]
    return shown_count(told) if isinstance(told, int) and not isinstance(told, bool) else told


def describe_bundle(bundle: Bundle) -> BundleFacts:
    """Which models made the risks, and what was found of them."""
    return {
        "digest": bundle.digest,
        "made_up": bundle.made_up,
        "verdict": bundle.facts["verdict"],
        "training": dict(bundle.facts["training"]),
        "evaluation": dict(bundle.facts["evaluation"]),
        "outcomes": {
            outcome: {"sha256": part["sha256"], "calibration": part["calibration"]}
            for outcome, part in bundle.facts["outcomes"].items()
        },
    }


def describe_ledger(config: Config) -> dict[str, Any]:
    """The permission ledger in force, line by line."""
    return config.ledger.model_dump(mode="json")


def library_versions() -> Mapping[str, str]:
    """The versions of everything that can change a number."""
    return {library: version(library) for library in LIBRARIES}
