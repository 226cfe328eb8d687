"""Read source profiles: `profile.toml`, one `<table>.sql` for each table it feeds, and `labels.csv`."""

import csv
import io
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from ageingwell.config.files import MOST_SETTINGS_BYTES, MOST_TABLE_BYTES, file_bytes, mistakes, read_toml, shipped
from ageingwell.contracts.registry import TABLES
from ageingwell.errors import ConfigError
from ageingwell.profiles.written import SourceFile, WrittenProfile

IGNORE = "ignore"
# What a profile may make beside tables of the contracts: where homes lie (for areas of postcodes and homes of
# postcodes), in which home each person lives, and who should be on the GP register.
LOOKUPS = {
    "areas": ("uprn", "postcode", "lsoa21"),
    "addresses": ("nhs_number", "uprn", "household_match"),
    "coverage": ("nhs_number",),
}
_LABELS = ("table", "column", "theirs", "ours")
_LABELS_TEXT = "table, column, theirs, ours"


@dataclass(frozen=True)
class Profile:
    """A source profile. `sql` is by table; `labels` by table and column: their value, folded, to our label.

    The label `ignore` leaves a row out where the column is required, and reads the cell as empty where it is not.
    """

    name: str
    title: str
    agency: str
    documented: tuple[str, ...]
    certainty: str
    ask_for: str
    files: Mapping[str, SourceFile]
    sql: Mapping[str, str]
    release: str | None = None
    date_formats: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    ids: Literal["nhs_number", "own", "either"] = "nhs_number"
    not_held: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    labels: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)


@cache
def shipped_profiles() -> dict[str, Profile]:
    """Every profile that comes with the package, by name."""
    return read_profiles(shipped("configs") / "sources")


def known_profiles(own: Path) -> dict[str, Profile]:
    """Every profile that comes with the package and those of a site's own folder; its own take the place of ours."""
    return dict(sorted({**shipped_profiles(), **read_profiles(own)}.items()))


def read_profiles(folder: Path) -> dict[str, Profile]:
    """Read every profile of a folder of profiles, by name; no folder holds none."""
    if not folder.is_dir():
        return {}
    return {path.name: read_profile(path) for path in sorted(folder.iterdir()) if (path / "profile.toml").is_file()}


def read_profile(folder: Path) -> Profile:
    """Read one profile. Raises `ConfigError` with every mistake of `profile.toml`, the SQL's names and the labels."""
    path = folder / "profile.toml"
    try:
        written = WrittenProfile.model_validate(read_toml(path))
    except ValidationError as fault:
        found = "; ".join(mistakes(WrittenProfile, path, fault))
        raise ConfigError(f"{folder.name}/{found}", "correct the profile; see the how-to on source profiles") from None
    sql = {file.stem: _sql(file) for file in sorted(folder.glob("*.sql"))}
    if strange := [name for name in sql if name not in TABLES and name not in LOOKUPS]:
        raise ConfigError(
            f"{folder.name}/{strange[0]}.sql: no table of the contracts has this name",
            f"use one of {', '.join([*TABLES, *LOOKUPS])}",
        )
    if not sql and any(file.used for file in written.files.values()):
        raise ConfigError(f"{folder.name}: the profile has no <table>.sql", "write one SELECT for each table it feeds")
    if lost := [kind for kind, file in written.files.items() if file.feeds is not None and file.feeds not in sql]:
        raise ConfigError(f"{folder.name}: [files.{lost[0]}] feeds a table without SQL", "write it, or name another")
    return Profile(
        name=folder.name,
        sql=sql,
        labels=_labels(folder / "labels.csv"),
        **{key: getattr(written, key) for key in WrittenProfile.model_fields},
    )


def _labels(path: Path) -> dict[str, dict[str, dict[str, str]]]:
    if not path.is_file():
        return {}
    found: dict[str, dict[str, dict[str, str]]] = {}
    for number, row in enumerate(_rows(path), start=2):
        table, column, theirs, ours = (row[name].strip() for name in _LABELS)
        mapped = found.setdefault(table, {}).setdefault(column, {})
        folded = folded_label(theirs)
        if mapped.setdefault(folded, ours) != ours:
            raise ConfigError(
                f"{path.parent.name}/labels.csv, line {number}: this value is given two labels", "leave one of them"
            )
    return found


def _rows(path: Path) -> Iterable[dict[str, str]]:
    fault = "is not CSV in UTF-8"
    with suppress(UnicodeDecodeError, csv.Error):
        text = file_bytes(path, most=MOST_TABLE_BYTES).decode("utf-8-sig")
        rows = csv.DictReader(io.StringIO(text, newline=""))
        if tuple(rows.fieldnames or ()) != _LABELS:
            raise ConfigError(f"{path.parent.name}/labels.csv: the header is not {_LABELS_TEXT}", "write these columns")
        found = list(rows)
        if all(None not in row and None not in row.values() for row in found):
            return found
        fault = "has a row with other than four fields"
    raise ConfigError(f"{path.parent.name}/labels.csv: {fault}", "correct the file")


def _sql(path: Path) -> str:
    try:
        return file_bytes(path, most=MOST_SETTINGS_BYTES).decode("utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"{path.parent.name}/{path.name}: is not UTF-8", "save it as UTF-8") from None


def folded_label(text: str) -> str:
    """Fold a label as the contracts do: small letters, every run of other signs one `_`.

    >>> folded_label("NFA – Moved  to other LA")
    'nfa_moved_to_other_la'
    """
    return "_".join("".join(sign if sign.isalnum() else " " for sign in text.lower()).split())
