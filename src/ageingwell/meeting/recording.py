"""Taking the group's decisions back: lists in, a ledger that grows, and what is to be mended or settled out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain, count
from pathlib import Path

import polars as pl

from ageingwell.audit.uses import Asked, audit_place, logged
from ageingwell.config.load import Config, GivenConfig, config_given
from ageingwell.context import Surroundings
from ageingwell.decisions.accounting import account_of
from ageingwell.decisions.changed import changed_cells
from ageingwell.decisions.entry import entries_of
from ageingwell.decisions.judging import Judged, judge
from ageingwell.decisions.ledger import append, read_ledger
from ageingwell.decisions.plan_choices import step_choices
from ageingwell.decisions.plan_rows import judge_plans
from ageingwell.decisions.reading import Filled, read_filled
from ageingwell.decisions.sent import SentList
from ageingwell.decisions.settling import Clash, settle, to_keep
from ageingwell.disk import Disk
from ageingwell.errors import DecisionFileError
from ageingwell.given import GivenDay, maybe_day_of
from ageingwell.meeting.mending import draw_clashes, draw_fix
from ageingwell.meeting.recorded import TOLD_ROWS, VERDICTS, Recorded, RecordedFile
from ageingwell.meeting.sent_lists import list_of, manifest_of, sent_list, services_of
from ageingwell.pseudonyms import Key
from ageingwell.publish import DISK, current, publishing_lock, revisions
from ageingwell.report.choices import headings
from ageingwell.room import explained, write_file


@dataclass(frozen=True)
class _Read:
    """A file, the list it is, that list's code, and its rows judged."""

    path: Path
    filled: Filled
    sent: SentList
    code: str
    rows: list[Judged]


def ledger_path(out: Path, config: Config) -> Path:
    """Where the ledger lies: in the folder of the nights, unless settings name a path of its own."""
    return out / config.outreach.decisions.ledger


def record(
    files: Sequence[str | Path],
    *,
    out: str | Path,
    config: GivenConfig = None,
    role: str = "not stated",
    list_key: Key | str | Path | None = None,
    fix_to: str | Path | None = None,
    recorded_on: GivenDay | None = None,
    dry_run: bool = False,
    surroundings: Surroundings | None = None,
    disk: Disk = DISK,
) -> Recorded:
    """Take filled lists back, and add what they say to the ledger in `out`: each file whole, or not at all.

    What is in a file is accounted for: every row in one class, and what was not read is told. A row that answers
    something is accepted, unchanged (said before), a clash (for the chair; of it only what nobody disputes is kept) or
    rejected. Rejected rows are written to `<file>.fix.xlsx` beside the file, or in `fix_to`; clashes to
    `clashes-<night>.xlsx`; with a number where another file of that name lies, for somebody may have typed in it.
    Recording the same file twice changes nothing. `role` says who records, as a role and not a name. `recorded_on` in
    place of today is for made-up nights alone. With `dry_run` nothing is written.

    Raises `DecisionFileError` where a file is no list of a night in `out`, before anything is recorded; `LedgerError`
    where the ledger was changed, `AuditError` where the audit log was or cannot be written; `LockedError` while a run
    writes to `out`.
    """
    world = surroundings or Surroundings()
    out, config = Path(out), config_given(config)
    list_key = Path(list_key) if isinstance(list_key, str) else list_key
    fix_to = None if fix_to is None else Path(fix_to)
    if role not in config.score.audit.roles:
        raise DecisionFileError(
            "the role is not one of those in the settings ([audit] roles)",
            f"give one of {', '.join(config.score.audit.roles)}, or add the role there; never a name",
        )
    if not out.is_dir() or current(out) is None:
        raise DecisionFileError(
            "no night is published in the output folder", "give the folder that the lists came from"
        )
    asked = Asked(
        "record",
        role=role,
        purpose=config.score.purpose,
        settings=config.digest,
        counts={"files": len(files)},
        more={"dry_run": dry_run or None},
    )
    log = audit_place(out, config.score.audit.file)
    with publishing_lock(out, holder=world.holder), logged(log, asked, world=world, disk=disk) as use:
        at = _when(out, maybe_day_of(recorded_on, name="recorded_on"), world)
        path = ledger_path(out, config)
        with world.stage("read"):
            read = [_read(Path(file), out=out, key=list_key, on=at.date(), config=config) for file in files]
        with world.stage("settle"):
            settled, clashes = settle([one.rows for one in read], ledger=entries_of(read_ledger(path)))
            judged = [_Read(one.path, one.filled, one.sent, one.code, rows) for one, rows in zip(read, settled)]
        with world.stage("write"):
            drawn: dict[Path, bytes] = {}
            notes = config.outreach.plans.notes
            fixes = [_drawn_fix(one, fix_to, drawn, notes=notes) for one in judged]
            clash_files = _drawn_clashes(clashes, judged, fix_to, drawn, out=out, key=list_key)
            if not dry_run:
                for path_to, content in drawn.items():
                    with explained(f"{path_to.name} cannot be written", place="that folder"):
                        disk.make_folders(path_to.parent)
                    write_file(path_to, content, disk=disk)
                for one in judged:
                    append(
                        path,
                        to_keep(one.rows),
                        role=role,
                        recorded_at=at,
                        file_sha256=one.filled.sha256,
                        disk=disk,
                    )
        use.tell(
            counts={verdict: sum(row.verdict == verdict for one in judged for row in one.rows) for verdict in VERDICTS},
            lists={one.code or one.sent.recipient: one.filled.sha256 for one in judged},
        )
    return Recorded(
        files=tuple(
            _told(one, fix, use_until=_expired_on(out, one.sent.night, today=at.date(), config=config))
            for one, fix in zip(judged, fixes)
        ),
        rows=_told_rows(judged),
        clash_files=clash_files,
        n_clashes=len(clashes),
        ledger=path,
        is_dry_run=dry_run,
    )


def _when(out: Path, recorded_on: date | None, world: Surroundings) -> datetime:
    if recorded_on is None:
        return world.now()
    folder = current(out)
    if folder is None or not manifest_of(folder).get("made_up"):
        raise DecisionFileError("a day of recording was given and the night is not made up", "leave it out")
    return datetime.combine(recorded_on, time(12), tzinfo=UTC)


def _read(path: Path, *, out: Path, key: Key | Path | None, on: date, config: Config) -> _Read:
    filled = read_filled(path, titles=headings())
    sent, code = sent_list(filled, out=out, key=key)
    rows = judge(filled, sent, on=on, contact_days_before=config.outreach.decisions.contact_days_before)
    if filled.plans:
        sent = replace(sent, steps=step_choices(config.interventions, services_of(out, sent.night)))
        rows += judge_plans(filled, sent, notes=config.outreach.plans.notes)
    return _Read(path, filled, sent, code, rows)


def _drawn_fix(one: _Read, fix_to: Path | None, drawn: dict[Path, bytes], *, notes: bool) -> Path | None:
    """Draw the rows to mend, and say where they go; nothing is printed again of people who were taken off."""
    if not any(row.verdict == "rejected" and not row.is_withdrawn for row in one.rows):
        return None
    content = draw_fix(one.filled, one.sent, one.rows, code=one.code, notes=notes)
    path = _own_name((fix_to or one.path.parent) / f"{one.path.stem}.fix.xlsx", content, drawn)
    drawn[path] = content
    return path


def _drawn_clashes(
    clashes: Sequence[Clash],
    read: Sequence[_Read],
    fix_to: Path | None,
    drawn: dict[Path, bytes],
    *,
    out: Path,
    key: Key | Path | None,
) -> tuple[Path, ...]:
    """Draw what the chair has to settle of each night, and say where it goes."""
    paths = []
    for night in sorted({clash.night for clash in clashes}):
        group, code = list_of("group", night, out=out, key=key)
        content = draw_clashes([clash for clash in clashes if clash.night == night], group, code=code)
        path = _own_name((fix_to or read[0].path.parent) / f"clashes-{night}.xlsx", content, drawn)
        drawn[path] = content
        paths.append(path)
    return tuple(paths)


def _own_name(path: Path, content: bytes, drawn: Mapping[Path, bytes]) -> Path:
    """The path, or the first with a number behind it where another file lies: somebody may have typed in that one."""
    numbered = (path.with_stem(f"{path.stem}-{number}") for number in count(2))
    return next(one for one in chain([path], numbered) if one not in drawn and _is_free(one, content))


def _is_free(path: Path, content: bytes) -> bool:
    with explained(f"{path.name} cannot be read"):
        return not path.exists() or path.read_bytes() == content


def _expired_on(out: Path, night: date, *, today: date, config: Config) -> date | None:
    """The last day of use of a list that is past it; None where it is in date."""
    said = manifest_of(revisions(out, night.isoformat())[-1]).get("expires_on")
    days = config.score.lists.expire_after_days
    last = date.fromisoformat(said) if isinstance(said, str) else night + timedelta(days=days)
    return last if today > last else None


def _told(one: _Read, fix: Path | None, *, use_until: date | None) -> RecordedFile:
    edited = [
        (row.sheet, row.number, column) for row, columns in changed_cells(one.filled, one.sent) for column in columns
    ]
    counts = {verdict: sum(row.verdict == verdict for row in one.rows) for verdict in VERDICTS}
    account = account_of(one.filled, one.sent, one.rows)
    return RecordedFile(
        one.path.name, one.sent.recipient, one.sent.night, counts, tuple(edited), fix, account, use_until
    )


def _told_rows(read: Sequence[_Read]) -> pl.DataFrame:
    rows = [
        (one.path.name, row.row.sheet, row.row.number, row.verdict, "; ".join(row.notes))
        for one in read
        for row in one.rows
    ]
    return pl.DataFrame(rows, schema=TOLD_ROWS, orient="row")
