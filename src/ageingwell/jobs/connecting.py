"""Look at an agency's own files: what each is, what would come of it, what links, and what to ask the agency for."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl

from ageingwell.config.load import SOURCES, Config, GivenConfig, config_given
from ageingwell.context import Surroundings
from ageingwell.contracts.registry import TABLES, columns
from ageingwell.disk import DISK
from ageingwell.given import GivenDay, maybe_day_of
from ageingwell.jobs.checking import CheckedRecords, check
from ageingwell.jobs.settling_in import init, source_sections
from ageingwell.jobs.verdicts import TableVerdict, verdicts
from ageingwell.profiles.drafting import Draft, draft
from ageingwell.profiles.finding import RawFile
from ageingwell.profiles.profile import LOOKUPS, Profile, known_profiles, read_profile
from ageingwell.profiles.recognise import Recognised, recognise
from ageingwell.profiles.transform import tables_of
from ageingwell.pseudonyms.counts import Pseudonymised
from ageingwell.pseudonyms.extracts import pseudonymise_found
from ageingwell.pseudonyms.keys import Key
from ageingwell.pseudonyms.postcodes import look_up_among
from ageingwell.pseudonyms.tables import RawFolder, raw_folder
from ageingwell.reading.forms import is_readable
from ageingwell.reading.headings import folded_heading
from ageingwell.reading.showable import may_be_shown
from ageingwell.register import AGENCY_OF
from ageingwell.room import scratch
from ageingwell.shown import Screen, Shown

_NOT_FOUND = "the table is required and was not found"
LABELS = pl.Schema(
    {"table": pl.String, "column": pl.String, "label": pl.String, "known": pl.Boolean, "n_rows": pl.Int64}
)
LINKS = pl.Schema({"table": pl.String, "of": pl.String, "n": pl.Int64, "n_linked": pl.Int64})


@dataclass(frozen=True)
class FileFound:
    """One file of the folder: the source profile that reads it, or None, and what becomes of its columns.

    `table` is the table it feeds first, `tables` are all. `missing` are columns the layout may have and this file does
    not. `drafted` is the name of the profile drafted for a file that no profile knows, and `to_check` what to look at.
    """

    file: str
    profile: str | None
    table: str | None
    tables: tuple[str, ...] = ()
    columns_used: tuple[str, ...] = ()
    columns_dropped: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    title: str = ""
    drafted: str | None = None
    to_check: tuple[str, ...] = ()


@dataclass(frozen=True, repr=False)
class Connected(Shown):
    """What `connect` found: files, a verdict for each table, labels with counts, links, and what is still to ask for.

    `labels` has the labels of each column that has any (table, column, label, known, n_rows); a label in fewer than
    eight rows is counted among `label` = None. `links` tells how many people and homes of each table meet the GP
    register. `problems` belong to no one table. `would_run` says whether a night would.
    """

    files: tuple[FileFound, ...]
    tables: tuple[TableVerdict, ...]
    labels: pl.DataFrame
    links: pl.DataFrame
    ask: tuple[str, ...]
    problems: tuple[str, ...] = ()
    pseudonymised: Pseudonymised | None = None
    checked: CheckedRecords | None = field(default=None, repr=False)

    @property
    def would_run(self) -> bool:
        """Whether a night would run on these files."""
        return not self.problems and not any(table.would_stop for table in self.tables)

    def _screen(self) -> Screen:
        facts = {"a night would run": self.would_run, "files": len(self.files), "to ask for": len(self.ask)}
        rows = [(table.table, table.agency, table.verdict) for table in self.tables]
        return Screen(
            "Files looked at", facts, ("table", "agency", "what a night would do"), rows, "files, tables, ask"
        )


def connect(
    raw: str | Path,
    *,
    key: Key | None = None,
    config: GivenConfig = None,
    on: GivenDay | None = None,
    extracted_on: GivenDay | None = None,
    refused_to: str | Path | None = None,
    draft_to: str | Path | None = None,
    surroundings: Surroundings | None = None,
) -> Connected:
    """Look at every file of a folder as `pseudonymise` and a night would, in a place that is gone afterwards.

    `key` is a key for this look alone, by default a random one: nothing made with it is kept. Where a source needs the
    day of its extract and nobody tells it, `extracted_on`, else `on` (today), stands for it. Every fault is told; none
    stops the others.
    """
    world = surroundings or Surroundings()
    raw, config = Path(raw), config_given(config)
    day = maybe_day_of(on, name="on") or world.now().date()
    extracted = maybe_day_of(extracted_on, name="extracted_on") or day
    problems: list[str] = []
    with scratch("ageingwell-connect") as place:
        DISK.make_folder(place / "sources")
        DISK.make_folder(place / "tables")
        drafts = _Drafts(place / "drafts")
        folder = raw_folder(
            raw,
            known=TABLES.keys(),
            workspace=place / "sources",
            profiles=known_profiles(config.own_profiles),
            settings=config.tables,
            sources=config.sources,
            extracted_on=extracted,
            faults=problems,
            beside=look_up_among(raw),
            draft=drafts.recognised,
        )
        links, labels = _links(folder), _labels(folder)
        made = pseudonymise_found(
            folder,
            out=place / "tables",
            key=key or Key(secrets.token_bytes(32)),
            contract_columns=contract_columns(),
            faults=problems,
            lsoa_lookup=look_up_among(raw),
            mapping=config.tables,
        )
        checked = check(place / "tables", config=config, refused_to=refused_to, on=day, surroundings=world)
    if draft_to is not None:
        _write_settings(Path(draft_to), folder, drafts, extracted_on=extracted)
    found = [_recognised(one, drafts) for one in folder.found.recognised]
    unknown = [FileFound(file.name, None, None) for file in folder.found.unknown]
    # Another agency's folder holds what this one lacks: it is asked for below, and stops nothing here.
    ours = [problem for problem in checked.problems if _NOT_FOUND not in problem]
    tables, general = verdicts(checked, made, raw=folder, problems=[*problems, *ours])
    return Connected(
        files=tuple(sorted((*found, *unknown), key=lambda one: one.file)),
        tables=tables,
        labels=labels,
        links=links,
        ask=_ask(config, checked, folder),
        problems=general,
        pseudonymised=made,
        checked=checked,
    )


def contract_columns() -> dict[str, list[str]]:
    """The columns of each table of the contracts."""
    return {table: [column.name for column in columns(table)] for table in TABLES}


class _Drafts:
    """The profiles drafted for files that no profile knows, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made: dict[str, Draft] = {}
        self.profiles: dict[str, Profile] = {}

    def recognised(self, file: RawFile) -> Recognised | None:
        """Draft a profile for a file and read the file by it; a second file of the same shape takes the first's."""
        for profile in self.profiles.values():
            if (found := recognise(file.path, [profile], name=file.name)) is not None:
                return found
        made = draft(file) if is_readable(file.path) else None
        if made is None:
            return None
        name = _free(made.name, self.made)
        place = self.folder / name
        _write_profile(place, made)
        self.made[name], self.profiles[name] = made, read_profile(place)
        return recognise(file.path, [self.profiles[name]], name=file.name)


def _free(name: str, taken: Mapping[str, Draft]) -> str:
    names = [name, *(f"{name}_{number}" for number in range(2, len(taken) + 3))]
    return next(each for each in names if each not in taken)


def _recognised(one: Recognised, drafts: _Drafts) -> FileFound:
    tables = tables_of(one.profile, one.kind)
    made = drafts.made.get(one.profile.name)
    if made is not None:
        return FileFound(
            file=one.name,
            profile=None,
            table=made.table,
            tables=tables,
            columns_used=tuple(one.headings.values()),
            columns_dropped=one.dropped,
            missing=made.missing,
            title=f"no profile knows it; drafted as {one.profile.name}",
            drafted=one.profile.name,
            to_check=made.to_check,
        )
    return FileFound(
        file=one.name,
        profile=one.profile.name,
        table=tables[0] if tables else None,
        tables=tables,
        columns_used=tuple(one.headings.values()),
        columns_dropped=one.dropped,
        missing=one.missing,
        title=one.file.title,
    )


def _labels(folder: RawFolder) -> pl.DataFrame:
    parts = [pl.DataFrame(schema=LABELS)]
    for made in folder.ran.made.values():
        for table in made.tables:
            if table.table in LOOKUPS:
                continue
            rows = pl.scan_parquet(table.path, glob=False)
            for column in columns(table.table):
                if column.kind == "label" and column.name in table.columns:
                    unknown = {label for name, label in table.unknown_labels if name == column.name}
                    parts.append(_label_counts(rows, table.table, column.name, unknown))
    every = pl.concat(parts)
    # Sources of one table may share a label.
    keys = ["table", "column", "label", "known"]
    return (
        every.group_by(keys)
        .agg(pl.col("n_rows").sum())
        .sort("table", "column", "n_rows", "label", descending=[False, False, True, False])
    )


def _label_counts(rows: pl.LazyFrame, table: str, column: str, unknown: set[str]) -> pl.DataFrame:
    counted = rows.drop_nulls(column).group_by(label=column).agg(n_rows=pl.len().cast(pl.Int64)).collect()
    folded = pl.col("label").map_elements(folded_heading, return_dtype=pl.String)
    told = counted.with_columns(
        known=~folded.is_in(sorted(unknown)),
        label=pl.when(may_be_shown(pl.col("label"), n_rows=pl.col("n_rows"))).then("label"),
        table=pl.lit(table),
        column=pl.lit(column),
    )
    return told.group_by("table", "column", "label", "known").agg(pl.col("n_rows").sum()).select(LABELS.names())


def _links(folder: RawFolder) -> pl.DataFrame:
    """How many people and homes of each table that profiles made meet the register of the same folder."""
    tables = {
        name: pl.concat([pl.scan_parquet(made.path, glob=False) for made in table.made], how="diagonal")
        for name, table in folder.tables.items()
        if table.made
    }
    register = tables.get("gp_patients")
    if register is None:
        return pl.DataFrame(schema=LINKS)
    here = register.collect_schema().names()
    rows = []
    for name, scan in tables.items():
        for of, column in (("people", "nhs_number"), ("homes", "uprn")):
            if name != "gp_patients" and column in here and column in scan.collect_schema().names():
                ours = register.select(pl.col(column).str.replace_all(r"\s", "")).unique()
                theirs = scan.select(pl.col(column).str.replace_all(r"\s", "")).drop_nulls().unique().collect()
                met = theirs.join(ours.collect(), on=column, how="semi")
                rows.append((name, of, theirs.height, met.height))
    return pl.DataFrame(rows, schema=LINKS, orient="row")


def _ask(config: Config, checked: CheckedRecords, folder: RawFolder) -> tuple[str, ...]:
    """What is still missing, in the order in which to ask for it: what a night needs first."""
    here = set(folder.tables)
    wanted = [name for name in TABLES if name not in here and config.tables[name].held]
    needed = [name for name in wanted if config.tables[name].required]
    others = [name for name in wanted if name not in needed]
    ask = [f"{name} ({AGENCY_OF[name]}): a night needs this table" for name in needed]
    for name, one in _missing_columns(checked):
        ask.append(f"{name} ({AGENCY_OF[name]}): columns {one}")
    ask += [f"{name} ({AGENCY_OF[name]}): a night runs without this table and says so" for name in others]
    return tuple(ask)


def _missing_columns(checked: CheckedRecords) -> Sequence[tuple[str, str]]:
    absent = (
        checked.columns.filter(pl.col("what").is_in(["absent", "empty"])) if checked.columns.height else checked.columns
    )
    return [
        (name[0], ", ".join(rows["column"].to_list())) for name, rows in absent.group_by("table", maintain_order=True)
    ]


def _write_settings(out: Path, folder: RawFolder, drafts: _Drafts, *, extracted_on: date) -> None:
    files: dict[str, list[str]] = {}
    days: dict[str, date | None] = {}
    for one in folder.found.recognised:
        files.setdefault(one.profile.name, []).append(one.name)
        needs_day = one.extracted_on is None and any("_extracted_on" in sql for sql in one.profile.sql.values())
        days[one.profile.name] = extracted_on if needs_day else days.get(one.profile.name)
    # It stops where there are settings already: nothing of a draft is put among them.
    profiles = {
        f"{SOURCES}/{name}/{title}": text for name, made in drafts.made.items() for title, text in made.files.items()
    }
    init(out, added={"agencies.toml": source_sections(files, extracted_on=days)}, beside=profiles)


def _write_profile(place: Path, made: Draft) -> None:
    DISK.make_folders(place)
    for title, text in made.files.items():
        DISK.write(place / title, text.encode())
