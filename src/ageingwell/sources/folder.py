"""What else lies in the data folder: files nobody read, and those that look like a table nobody found."""

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from ageingwell.config.score import TableSettings
from ageingwell.contracts.registry import TABLES
from ageingwell.errors import SourceError
from ageingwell.sources.declared import DECLARED
from ageingwell.sources.headings import folded_heading
from ageingwell.sources.locate import MARK_OF_MADE_UP_DATA, candidates, is_database, readable

# What our own commands leave beside the tables: synth its mark and its truth, pseudonymise its record and refusals.
OURS = frozenset({MARK_OF_MADE_UP_DATA, "truth", "pseudonymised.json", "refused", "emptied", "postcode_lookup.csv"})
# `contact.csv` is `contacts` misspelt; `housing_events` and `hospital_events` are further apart than this.
ALIKE = 0.88


def unused_files(data: Path, settings: Mapping[str, TableSettings]) -> tuple[str, ...]:
    """The names of what lies in the data folder and belongs to no table; hidden files and our own are left out."""
    used = {path for name, table in settings.items() for path in _top_of(name, table, data)}
    with readable(data):
        found = sorted(path for path in data.iterdir() if not path.name.startswith((".", "_")))
        # A file system that folds case finds `contacts.csv` under the name `Contacts.csv`.
        return tuple(
            path.name
            for path in found
            if path.name not in OURS
            and not DECLARED.fullmatch(path.name)
            and not any(path.samefile(other) for other in used)
        )


def _top_of(name: str, settings: TableSettings, data: Path) -> list[Path]:
    """The entries of the data folder that hold a table."""
    if is_database(settings):
        return []
    root = Path(os.path.realpath(data))
    places = [Path(os.path.realpath(path)) for path in candidates(name, settings, data)]
    inside = [path.relative_to(root) for path in places if path.is_relative_to(root) and path != root]
    return [data / path.parts[0] for path in inside]


def near_files(data: Path, settings: Mapping[str, TableSettings], *, missing: Iterable[str]) -> dict[str, str]:
    """For each missing table the file that looks like it, where there is one.

    Case, a number or date behind the name, *copy*, a slip and another kind of file are seen through: `Contacts.csv`,
    `contacts (1).csv`, `contacts.docx`, `Copy of contacts.xlsx`, `contact.csv` and `Contacts/` look like contacts.
    """
    wanted = [name for name in missing if settings[name].location is None]
    found: dict[str, str] = {}
    for file in unused_files(data, settings):
        for table in difflib.get_close_matches(_stem(file), wanted, n=1, cutoff=ALIKE):
            found.setdefault(table, file)
    return found


def _stem(file: str) -> str:
    folded = folded_heading(file.split(".")[0])
    without_copy = re.sub(r"^(copy_of|copy)_|_copy(?=_|$)", "", folded)
    return re.sub(r"(_v?[0-9]+)+$", "", without_copy)


def stop_on_near_file(name: str, data: Path, settings: Mapping[str, TableSettings]) -> None:
    """Stop where a table is missing, is needed or protects people, and a file looks like it."""
    if not (settings[name].required or name in ("permissions", "contacts")):
        return
    found = near_files(data, settings, missing=[table for table in TABLES if table == name])
    if name in found:
        raise SourceError(
            f"{name}: the table was not found, but {found[name]} in the data folder looks like it",
            f"call it {name}.csv, or {name} with another ending that can be read; or take it out of the folder",
        )
