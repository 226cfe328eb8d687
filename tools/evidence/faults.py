"""The fault catalogue as a page: what can go wrong, what then happens, and how many ways the tests try."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CATALOGUE = Path(__file__).resolve().parents[2] / "tests" / "functional" / "faults" / "catalogue.toml"
NOTICE = "<!-- Written by `python -m tools.evidence` from tests/functional/faults/catalogue.toml: change that. -->"
INTRODUCTION = """# What can go wrong, and what then happens

Each fault here is tried by the tests, most of them in the first, a middle and the last row of each table that has the
column. Each is tried on a folder that has a list already. One person on that list has objected since, and one has died.

Afterwards both are off the list, whatever else is broken. If the tables cannot say who is to come off, the list is
marked *do not use*. No case ends in a traceback, leaves half a night behind, or prints a value of a record.

The code is the one that the command ends with ([all of them](../reference/errors.md))."""
SECTIONS = {
    "F01": "People and identifiers",
    "F21": "Files",
    "F51": "Opt-outs, keys, models and settings",
    "F70": "The machine and the run",
    "F87": "Found by attacks",
}
HEAD = "| fault | what is wrong | what then happens | codes | cases |\n| --- | --- | --- | --- | ---: |"


def faults_page(file: Path = CATALOGUE) -> str:
    """The whole page as Markdown."""
    faults = tomllib.loads(file.read_text(encoding="utf-8"))["fault"]
    parts = [NOTICE, INTRODUCTION]
    rows: list[str] = []
    for fault in faults:
        if fault["id"] in SECTIONS:
            rows = [HEAD]
            parts += [f"## {SECTIONS[fault['id']]}", ""]
        rows.append(_row(fault))
        parts[-1] = "\n".join(rows)
    return "\n\n".join([*parts, *_gaps(faults)]) + "\n"


def _row(fault: Mapping[str, Any]) -> str:
    tried = fault.get("tried", [])
    codes = ", ".join(str(code) for code in sorted({one.get("code", 0) for one in tried}))
    n = sum(map(_n_cases, tried))
    where = ", ".join(f"`{name}`" for name in fault.get("elsewhere", []))
    cases = str(n) if n else f"see {where}"
    return f"| {fault['id']} | {fault['what']} | {fault['then']} | {codes} | {cases} |"


def _n_cases(tried: Mapping[str, Any]) -> int:
    return len(tried.get("in", [""])) * (3 if tried.get("rows", False) else 1)


def _gaps(faults: list[dict[str, Any]]) -> list[str]:
    gaps = [f"- {fault['id']}: {one['gap']}." for fault in faults for one in fault.get("tried", []) if "gap" in one]
    if not gaps:
        return []
    return [
        "## Not closed yet",
        "Of these the catalogue says what has to happen, and the software does not do it:",
        "\n".join(gaps),
    ]
