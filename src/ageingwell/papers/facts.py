"""What a pack says of itself for machines (`pack.json`), so that a later run can be compared with what was signed."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel

from ageingwell.config.load import Config
from ageingwell.governance.hazards import named_tests, result_of
from ageingwell.papers.drafting import Draft
from ageingwell.papers.fields import fields_of
from ageingwell.papers.run import Run

FORMAT: Final = 1
# On these no result depends, or they may hold a password: a place in a database, the folder a bundle lies in.
_NOT_TOLD: Final = frozenset({"location", "query"})
_HOW_IT_IS_WORKED: Final = frozenset({"engine", "threads", "memory_gib", "shards", "status", "signoff"})


def pack_facts(run: Run, drafts: Sequence[Draft]) -> dict[str, Any]:
    """Everything of a pack that can be compared: figures, settings, hazards, results of tests, columns and blanks."""
    return {
        "format": FORMAT,
        "night": run.folder.name,
        "night_sums": run.sums,
        "config": run.facts["config"],
        "bundle": run.facts["bundle"]["digest"],
        "version": run.facts["versions"].get("ageingwell"),
        "made_up": run.facts["made_up"],
        "fields": {name: {"value": one.value, "where": one.where} for name, one in fields_of(run).items()},
        "tables": _tables(drafts),
        "settings": dict(sorted(flat_settings(run.config))),
        "hazards": {one.id: one.model_dump(mode="json") for one in run.hazards},
        "tests": {test: result_of(test, run.results) for test in named_tests(run.hazards)},
        "columns": {f"{one.table}.{one.column}": one.kind for one in run.columns},
        "blanks": blanks_of(drafts),
    }


def blanks_of(drafts: Sequence[Draft]) -> list[dict[str, str]]:
    """What is left for people, paper by paper."""
    return [
        {"paper": draft.name, "heading": heading, "role": blank.role, "what": blank.what, "why": blank.why}
        for draft in drafts
        for heading, blank in draft.blanks
    ]


def flat_settings(config: Config) -> Iterator[tuple[str, str]]:
    """Every setting on which a result may depend, by its path; of a table's place and query nothing is told."""
    files: dict[str, BaseModel | Mapping[str, Any]] = {
        "score": config.score,
        "outreach": config.outreach,
        "interventions": config.interventions,
        "permissions": config.ledger,
        "may_lower": config.may_lower,
        "services": config.services,
        "training": config.train,
        "agencies": config.tables,
    }
    for name, settings in files.items():
        yield from _flat(name, settings)
    for name, codes in config.codelists.items():
        yield f"codelists.{name}", hashlib.sha256("\n".join(codes).encode()).hexdigest()[:12]


def _flat(path: str, told: Any) -> Iterator[tuple[str, str]]:
    if isinstance(told, BaseModel):
        told = told.model_dump(mode="json")
    if not isinstance(told, Mapping):
        yield path, json.dumps(told, ensure_ascii=False, default=str)
        return
    for name, value in told.items():
        if name not in _NOT_TOLD and not (path == "score" and name in _HOW_IT_IS_WORKED):
            yield from _flat(f"{path}.{name}", value)


def _tables(drafts: Sequence[Draft]) -> dict[str, list[list[str]]]:
    return {
        f"{draft.name}: {table.caption}": [list(row) for row in table.rows]
        for draft in drafts
        for part in draft.parts
        for table in part.tables
        if draft.name != "hazard-log"
    }
