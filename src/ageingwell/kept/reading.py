"""A published night read back to take people off it, whichever version made it and whatever was lost of it since."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final, cast, get_args

import polars as pl

from ageingwell.config.score import Purpose
from ageingwell.contracts.fields import PSEUDONYM
from ageingwell.contracts.services import schema_of
from ageingwell.errors import PublishError
from ageingwell.kept.frames import (
    CONTRACTS,
    NIGHT_FORMAT,
    OPTIONAL,
    NightFrames,
    frame_file,
    read_frame,
    read_frame_unchecked,
)
from ageingwell.kept.sealed import MANIFEST, read_kept

# The columns in which a frame names people and homes.
KEYS: Final = ("person_id", "household_id", "door_id")
_LISTS: Final = {"extra_doors": pl.List(pl.String)}
# Without these it cannot be said whose a row is; a row without a home is still known by its person.
_NEEDED: Final = ("person_id", "door_id")


@dataclass(frozen=True)
class KeptNight:
    """A published night as it was found.

    `frames` hold nobody where a file is not there or of no use; `found` names the frames that are; `unusable` says of
    each other file that lies there why it is of no use. `facts` is the manifest, empty where that cannot be read.
    `doubtful` are frames that were changed since they were published, as they are now: good for one thing alone, to
    see whom they name.
    """

    folder: Path
    frames: NightFrames
    facts: Mapping[str, Any]
    found: tuple[str, ...]
    unusable: Mapping[str, str]
    doubtful: Mapping[str, pl.DataFrame] = field(default_factory=dict)

    @property
    def as_it_lies(self) -> NightFrames:
        """The frames with those that were changed since, to find out who is named anywhere; never to be published."""
        return replace(self.frames, **self.doubtful) if self.doubtful else self.frames

    @property
    def format(self) -> object:
        """The format the night says it has; nights before there were formats are of format 1."""
        return self.facts.get("format", 1)

    @property
    def purpose(self) -> Purpose | None:
        """What the list is for, where its manifest says it."""
        said = self.facts.get("purpose")
        return cast("Purpose", said) if said in get_args(Purpose) else None

    @property
    def register_digests(self) -> tuple[str, ...]:
        """The digests of the files of the register it was made from; none where another version made it."""
        try:
            told = self.facts["inputs"]["gp_patients"]["files"] if self.format == NIGHT_FORMAT else ()
            return tuple(str(file["sha256"]) for file in told)
        except (KeyError, TypeError):
            return ()

    @property
    def why_no_pages(self) -> str | None:
        """Why its pages cannot be drawn again by this version; None where they can."""
        if not self.facts:
            return f"{MANIFEST} cannot be read"
        if self.format != NIGHT_FORMAT:
            return "another version of ageingwell made this night"
        asked = [name for name in CONTRACTS if name in self.found or name not in OPTIONAL]
        lost = [*self.unusable, *(frame_file(name) for name in asked if self._is_lost(name))]
        return f"{', '.join(sorted(set(lost)))} cannot be used" if lost else None

    def _is_lost(self, name: str) -> bool:
        return not set(schema_of(CONTRACTS[name])) <= set(getattr(self.frames, name).columns) or name not in self.found


def read_night(folder: Path) -> KeptNight:
    """Read a published night. Nothing that may lie in its folder makes this fail: what is of no use is told."""
    frames: dict[str, pl.DataFrame] = {}
    unusable: dict[str, str] = {}
    doubtful: dict[str, pl.DataFrame] = {}
    for name in (one.name for one in fields(NightFrames)):
        if not (folder / frame_file(name)).exists():
            continue
        try:
            frames[name] = usable(read_frame(folder, name), name)
        except PublishError as fault:
            unusable[frame_file(name)] = fault.found
            with suppress(PublishError):
                doubtful[name] = usable(read_frame_unchecked(folder, name), name)
    nobody = {name: pl.DataFrame(schema=schema_of(model)) for name, model in CONTRACTS.items()}
    return KeptNight(folder, NightFrames(**(nobody | frames)), _facts(folder), tuple(frames), unusable, doubtful)


def n_listed(folder: Path) -> int:
    """How many people a published night lists; nobody where its list is of no use."""
    try:
        return usable(read_frame(folder, "listed"), "listed").height
    except PublishError:
        return 0


def usable(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """The frame with its pseudonyms as text, without what nobody could be found in: rows of nobody, nested columns.

    Raises `PublishError` where it does not say whom its rows are of: it cannot be taken for a frame without somebody.

    >>> usable(pl.DataFrame({"person": ["p1"]}), "compared")
    Traceback (most recent call last):
    ageingwell.errors.PublishError: compared.parquet lacks `person_id`
    """
    contract = CONTRACTS[name].to_schema().columns
    lacking = [key for key in _NEEDED if key in contract and key not in frame.columns]
    if lacking:
        raise PublishError(f"{frame_file(name)} lacks {', '.join(f'`{key}`' for key in lacking)}")
    named = _with_pseudonyms(frame, name)
    strange = [column for column in named.columns if column not in contract and _hides_names(named.schema[column])]
    return _of_somebody(named.drop(strange), {key: contract[key].nullable for key in KEYS if key in contract})


def _with_pseudonyms(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    wanted = {**dict.fromkeys(KEYS, pl.String()), **_LISTS}
    there = {column: kind for column, kind in wanted.items() if column in frame.columns}
    try:
        named = frame.with_columns(pl.col(column).cast(kind) for column, kind in there.items())
    except pl.exceptions.PolarsError:
        named = None
    if named is None or not all(_are_pseudonyms(named[column]) for column in there):
        raise PublishError(f"{frame_file(name)} holds something else where pseudonyms are promised")
    return named


def _are_pseudonyms(keys: pl.Series) -> bool:
    flat = keys.explode() if keys.dtype == pl.List else keys
    return bool(flat.drop_nulls().str.contains(PSEUDONYM).all())


def _hides_names(kind: pl.DataType) -> bool:
    return kind != pl.List(pl.String) and (kind.is_nested() or kind in (pl.Binary, pl.Object))


def _of_somebody(frame: pl.DataFrame, nullable: Mapping[str, bool]) -> pl.DataFrame:
    """Without rows of which nobody can say whose they are; counts of people (no person, and no home promised) stay."""
    if not nullable.get("person_id", True):
        return frame.drop_nulls("person_id")
    if "person_id" in nullable and "household_id" in nullable:
        return frame.filter(pl.any_horizontal(pl.col(key).is_not_null() for key in nullable if key in frame.columns))
    return frame


def _facts(folder: Path) -> dict[str, Any]:
    try:
        told = json.loads(read_kept(folder, MANIFEST))
    except (OSError, ValueError, RecursionError, PublishError):
        return {}
    return told if isinstance(told, dict) else {}
