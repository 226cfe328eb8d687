"""The raw tables of an agency's folder, from files named after a table and from files that a source profile knows."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import polars as pl

from ageingwell.config.score import SourceSettings, TableSettings
from ageingwell.disk import DISK
from ageingwell.errors import SourceError
from ageingwell.profiles.finding import Assigned, RawFile, assigned, raw_files, stop_on_ways_out
from ageingwell.profiles.profile import Profile
from ageingwell.profiles.recognise import Recognised
from ageingwell.profiles.running import Ran, run_profiles
from ageingwell.profiles.transform import FILE, ROW, MadeTable
from ageingwell.pseudonyms.reading import RawChunk, raw_chunks, table_files
from ageingwell.reading.options import AS_IT_IS, ReaderOptions, reader_options


@dataclass(frozen=True)
class RawTable:
    """One raw table: its own `files`, and the tables that source profiles `made` for it.

    `ragged` are rows of the profiles' files with a wrong number of fields (file, row). `options` say how its own files
    are read.
    """

    files: tuple[Path, ...] = ()
    made: tuple[MadeTable, ...] = ()
    ragged: tuple[tuple[str, int], ...] = ()
    options: ReaderOptions = AS_IT_IS

    def chunks(self, *, rows_at_once: int, without: Collection[str] = ()) -> Iterator[RawChunk]:
        """Yield all its rows in a fixed order, each chunk of one file, without the columns `without` of made tables."""
        for path in self.files:
            yield from raw_chunks(path, rows_at_once=rows_at_once, options=self.options)
        for table in self.made:
            yield from _made_chunks(table, rows_at_once=rows_at_once, without=without)
        for file in sorted({file for file, _ in self.ragged}):
            rows = tuple(row for name, row in self.ragged if name == file)
            yield RawChunk(file, pl.DataFrame(), pl.Series([], dtype=pl.Int64), rows, (), is_made=True)

    @property
    def left_out(self) -> dict[str, int]:
        """How many rows the profiles leave out on purpose, by profile and reason."""
        return {f"{one.profile.name}: {why}": n for one in self.made for why, n in one.left_out.items()}

    @property
    def not_held(self) -> tuple[str, ...]:
        """The columns that none of its sources ever has, where it comes from profiles alone."""
        if self.files or not self.made:
            return ()
        each = [set(one.profile.not_held.get(one.table, ())) for one in self.made]
        return tuple(sorted(set.intersection(*each)))

    @property
    def has_own_ids(self) -> bool:
        """Whether people and homes carry ids of the extract's own. Raises `SourceError` where some do and some not."""
        kinds = {one.ids for one in self.made} | ({"nhs_number"} if self.files else set())
        if len(kinds) > 1:
            names = ", ".join(sorted(one.profile.name for one in self.made))
            raise SourceError(
                f"the sources {names} name people in different ways, so their rows would not join",
                "pseudonymise extracts with the agency's own ids separately from those with NHS numbers",
            )
        return kinds == {"own"}


@dataclass(frozen=True)
class RawFolder:
    """What an agency's folder holds: its tables by name, which file went where, and the look-ups of the profiles."""

    tables: Mapping[str, RawTable]
    found: Assigned
    ran: Ran = field(repr=False)


def raw_folder(
    raw: Path,
    *,
    known: Collection[str],
    workspace: Path,
    profiles: Mapping[str, Profile],
    settings: Mapping[str, TableSettings] | None = None,
    sources: Mapping[str, SourceSettings] | None = None,
    extracted_on: date | None = None,
    beside: Path | None = None,
    faults: list[str] | None = None,
    draft: Callable[[RawFile], Recognised | None] | None = None,
) -> RawFolder:
    """Find every table of an agency's folder, by file name and by source profile, and run the profiles.

    `beside` is a file that may lie among them and is none, such as the look-up of postcodes. Raises `SourceError` for
    a file that is neither a table nor known to a profile: what it holds must not vanish. With a list of `faults`, what
    is wrong with a file or a source is put there instead, and the others are read. `draft` may say of a file that no
    profile knows how to read it.
    """
    if raw.is_dir():
        stop_on_ways_out(raw)
    named = table_files(raw, known=known, settings=settings or {})
    leave = [path for paths in named.values() for path in paths] + ([] if beside is None else [beside])
    folders = [raw / name for name in named if (raw / name).is_dir()]
    others = raw_files(raw, workspace=_made(workspace / "unpacked"), leave=[*leave, *folders]) if raw.is_dir() else []
    found = assigned(others, profiles, sources, faults=faults)
    if draft is not None:
        found = _with_drafts(found, draft)
    if found.unknown and faults is None:
        _stop_on_unknown(found, known)
    ran = run_profiles(found, workspace=workspace, settings=sources, extracted_on=extracted_on, faults=faults)
    tables = _joined(named, ran, settings or {})
    if faults is None and not tables:
        _stop_without_table(raw, found, known)
    return RawFolder(tables, found, ran)


def _stop_without_table(raw: Path, found: Assigned, known: Collection[str]) -> None:
    if found.recognised:
        names = ", ".join(f"{one.name} ({one.profile.title})" for one in found.recognised[:3])
        raise SourceError(
            f"{raw} holds no table of records, only what helps to read them: {names}",
            "put it into the folder of the extracts that it belongs to, and run again",
        )
    raise SourceError(f"{raw} holds no table", f"the tables are {', '.join(sorted(known))}")


def _with_drafts(found: Assigned, draft: Callable[[RawFile], Recognised | None]) -> Assigned:
    drafted = [(file, draft(file)) for file in found.unknown]
    return Assigned(
        (*found.recognised, *(one for _, one in drafted if one is not None)),
        tuple(file for file, one in drafted if one is None),
    )


def _made(folder: Path) -> Path:
    DISK.make_folders(folder)
    return folder


def _stop_on_unknown(found: Assigned, known: Collection[str]) -> None:
    names = ", ".join(file.name for file in found.unknown[:5])
    more = f" and {len(found.unknown) - 5} more" if len(found.unknown) > 5 else ""
    raise SourceError(
        f"{names}{more}: no table of the contracts has this name, and no source profile knows this header",
        "run `ageingwell connect` on the folder: it drafts settings for such files; or take them out. "
        f"The tables are {', '.join(sorted(known))}",
    )


def _joined(
    named: Mapping[str, Sequence[Path]], ran: Ran, settings: Mapping[str, TableSettings]
) -> dict[str, RawTable]:
    made = ran.tables()
    tables = {
        name: RawTable(
            files=tuple(named.get(name, ())),
            made=tuple(made.get(name, ())),
            options=reader_options(settings[name].reader) if name in settings else AS_IT_IS,
        )
        for name in sorted({*named, *made})
    }
    for each in ran.made.values():
        # A row that is no row belongs to no table yet; it is told with the first table that its file feeds.
        first = next((table.table for table in each.tables if table.table in tables), None)
        if each.ragged and first is not None:
            tables[first] = replace(tables[first], ragged=(*tables[first].ragged, *each.ragged))
    return tables


def _made_chunks(table: MadeTable, *, rows_at_once: int, without: Collection[str]) -> Iterator[RawChunk]:
    scan = pl.scan_parquet(table.path, glob=False)
    columns = tuple(name for name in table.columns if name not in without)
    total = table.n_rows
    for start in range(0, max(total, 1), rows_at_once):
        part = scan.slice(start, rows_at_once).collect()
        if part.is_empty():
            yield RawChunk(
                table.profile.name, part.select(columns), pl.Series([], dtype=pl.Int64), (), columns, is_made=True
            )
        for one in part.partition_by(FILE, maintain_order=True) if part.height else ():
            yield RawChunk(one[FILE][0], one.select(columns), one[ROW], (), columns, is_made=True)


def told_sources(folder: RawFolder) -> dict[str, str]:
    """The source profile of each file that one of them read."""
    return {one.name: one.profile.name for one in folder.found.recognised}
