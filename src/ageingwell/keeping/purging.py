"""Deleting what is older than the schedule says: nights, what is left of them, old decisions, files that came back."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import polars as pl

from ageingwell.audit.uses import Asked, logged
from ageingwell.config.load import Config, GivenConfig, config_given
from ageingwell.config.retention import RetentionSettings
from ageingwell.context import Surroundings
from ageingwell.decisions.forgetting import empty_entries
from ageingwell.decisions.ledger import read_ledger
from ageingwell.disk import DISK, Disk
from ageingwell.errors import KeepingError, PublishError
from ageingwell.forgotten import OF_FORGETTING, read_forgotten
from ageingwell.keeping.certificate import (
    Item,
    begun_certificates,
    end_certificate,
    item_of,
    new_certificate,
)
from ageingwell.keeping.places import audit_of
from ageingwell.kept.followed import FOLLOWED, keep_followed, nights_followed
from ageingwell.kept.reading import read_night
from ageingwell.meeting.recording import ledger_path
from ageingwell.night.taking_off import people_named
from ageingwell.publish import current, publishing_lock
from ageingwell.publish.removing import every_night, is_superseded, remove_nights
from ageingwell.room import explained

PURGE: Final = "purge"
NIGHT, SUPERSEDED, FOLLOWED_NIGHT, RETURNED, CACHED, DECISIONS = (
    "night", "superseded revision", "followed night", "returned file", "cache", "decisions"
)  # fmt: skip
# Files that `record` writes, and what one of its runs that died leaves beside them.
RETURNED_NAME: Final = re.compile(r".*\.fix(-[0-9]+)?\.xlsx|clashes-[0-9-]+\.xlsx|\..*\.xlsx\.part")
_CACHED_NAME: Final = re.compile(r"lookup.*")


@dataclass(frozen=True)
class Due:
    """What is older than the schedule says: things by kind, and the positions of entries of the ledger."""

    items: tuple[Item, ...] = ()
    entries: tuple[int, ...] = ()


@dataclass(frozen=True)
class Purged:
    """What went, or would go; its certificate, and what the reader has to know. No value of a record.

    `ended` names the certificates of earlier runs that died, and whose rest this one did.
    """

    due: Due
    certificate: Path | None
    is_dry_run: bool
    ended: tuple[str, ...] = ()
    schedule: Mapping[str, int] = field(default_factory=dict)

    @property
    def n_files(self) -> int:
        """How many files went."""
        return sum(item.files for item in self.due.items)

    @property
    def n_bytes(self) -> int:
        """How many bytes they had."""
        return sum(item.bytes for item in self.due.items)


def purge(
    out: str | Path,
    *,
    config: GivenConfig = None,
    dry_run: bool = False,
    role: str | None = None,
    surroundings: Surroundings | None = None,
    disk: Disk = DISK,
) -> Purged:
    """Delete from the output folder what is older than `[retention]` of the settings says, never the current night.

    A certificate is on the disk before anything goes, and an audit line before that. Whatever stops it leaves each
    night whole or gone; the next purge ends what was begun. With `dry_run` nothing is written or deleted.

    Raises `KeepingError` once all else is done where a night names somebody who was forgotten, or where a run of
    `forget` did not come to its end; `LockedError` while another run writes to `out`.
    """
    world, out, settings = surroundings or Surroundings(), Path(out), config_given(config)
    if not out.is_dir():
        raise PublishError("there is no such folder of nights", "give the folder that `score` writes to")
    if dry_run:
        due = due_now(out, settings, world=world, disk=disk)
        return Purged(due, None, is_dry_run=True, schedule=settings.score.retention.model_dump())
    asked = Asked(PURGE, role=role, settings=settings.digest)
    with publishing_lock(out, holder=world.holder, disk=disk):
        with logged(audit_of(out, settings), asked, world=world, disk=disk) as use:
            done = _purged(out, settings, world=world, disk=disk)
            counts = {"things": len(done.due.items), "files": done.n_files, "entries": len(done.due.entries)}
            use.tell(counts=counts, certificate=None if done.certificate is None else done.certificate.name)
        again = nights_naming_forgotten(out, disk=disk)
        open_runs = [path.name for path, _ in begun_certificates(out, OF_FORGETTING, disk=disk)]
    if again or open_runs:
        where = f"in the nights {', '.join(again)}" if again else f"by the certificate {open_runs[0]}"
        raise KeepingError(
            f"people who were forgotten may be named still: {where}; everything else was purged",
            "run `ageingwell forget --again` to take them out",
        )
    return done


def _purged(out: Path, config: Config, *, world: Surroundings, disk: Disk) -> Purged:
    ended = _end_what_was_begun(out, config, world=world, disk=disk)
    with world.stage("look"):
        due = due_now(out, config, world=world, disk=disk)
    schedule = config.score.retention.model_dump()
    if not due.items and not due.entries:
        return Purged(due, None, is_dry_run=False, ended=ended, schedule=schedule)
    certificate = new_certificate(
        out,
        PURGE,
        at=world.now(),
        items=due.items,
        disk=disk,
        schedule=schedule,
        settings=config.digest,
        n_entries_emptied=len(due.entries),
    )
    certificate.write(disk=disk)
    with world.stage("delete"):
        _delete(out, due.items, config.score.retention, world=world, disk=disk)
        ledger = ledger_path(out, config)
        empty_entries(ledger, due.entries, at=world.now(), why="older than the schedule", disk=disk)
    certificate.write(done_at=world.now(), disk=disk)
    return Purged(due, certificate.path, is_dry_run=False, ended=ended, schedule=schedule)


def due_now(out: Path, config: Config, *, world: Surroundings, disk: Disk = DISK) -> Due:
    """What is older than the schedule says today."""
    today, keep = world.now().date(), config.score.retention
    nights = list(every_night(out, disk=disk))
    now = current(out, disk=disk)
    items, staying = [], []
    for folder in nights:
        kind = None if folder == now else _due_night(folder, nights, keep, today=today)
        if kind is None:
            staying.append(folder)
        else:
            items.append(item_of(kind, folder, disk=disk))
    for day, path in nights_followed(out, disk=disk).items():
        if _is_past(day, keep.followed_days, today=today):
            items.append(item_of(FOLLOWED_NIGHT, path, name=f"{FOLLOWED}/{path.name}", disk=disk))
    for name in disk.names(out):
        is_ours = RETURNED_NAME.fullmatch(name) and disk.kind(out / name) == "file"
        if is_ours and _age_in_days(out / name, today=today) > keep.returned_days:
            items.append(item_of(RETURNED, out / name, disk=disk))
    items += _due_of_cache(world.cache, keep, today=today, disk=disk)
    return Due(tuple(items), _due_entries(out, config, staying, today=today))


def nights_naming_forgotten(out: Path, *, disk: Disk = DISK) -> tuple[str, ...]:
    """The nights whose frames name somebody who was forgotten; none where nobody ever was."""
    forgotten = read_forgotten(out, disk=disk)
    if not forgotten:
        return ()
    named = ((folder.name, people_named(read_night(folder).frames)) for folder in every_night(out, disk=disk))
    return tuple(name for name, people in named if len(forgotten.among(people["person_id"])))


def _due_night(folder: Path, nights: list[Path], keep: RetentionSettings, *, today: date) -> str | None:
    if _is_past(folder.name[:10], keep.nights_days, today=today):
        return NIGHT
    if is_superseded(folder, nights) and _is_past(folder.name[:10], keep.superseded_days - 1, today=today):
        return SUPERSEDED
    return None


def _is_past(day: str, days: int, *, today: date) -> bool:
    return today - date.fromisoformat(day) > timedelta(days=days)


def _age_in_days(path: Path, *, today: date) -> int:
    return (today - date.fromtimestamp(path.stat().st_mtime)).days


def _due_of_cache(cache: Path | None, keep: RetentionSettings, *, today: date, disk: Disk) -> list[Item]:
    if cache is None or not cache.is_dir():
        return []
    found = []
    for name in disk.names(cache):
        if not _CACHED_NAME.fullmatch(name) or disk.kind(cache / name) != "file":
            continue
        told = (cache / name).stat()
        if (today - date.fromtimestamp(max(told.st_atime, told.st_mtime))).days > keep.cache_days:
            found.append(item_of(CACHED, cache / name, disk=disk))
    return found


def _due_entries(out: Path, config: Config, staying: list[Path], *, today: date) -> tuple[int, ...]:
    """Entries of people on whom nothing was said for long, and whom no night that stays names."""
    ledger = read_ledger(ledger_path(out, config))
    last = ledger.group_by("person_id").agg(pl.col("recorded_on").max())
    oldest = today - timedelta(days=config.score.retention.decisions_days)
    old = last.filter(pl.col("recorded_on") < oldest)
    for folder in staying:
        if old.is_empty():
            return ()
        old = old.join(people_named(read_night(folder).frames), on="person_id", how="anti")
    return tuple(ledger.join(old, on="person_id", how="semi")["position"].sort())


def _delete(out: Path, items: tuple[Item, ...], keep: RetentionSettings, *, world: Surroundings, disk: Disk) -> None:
    nights = [item for item in items if item.kind in (NIGHT, SUPERSEDED)]
    today = world.now().date()
    for name in (item.name for item in nights if item.kind == NIGHT):
        if not _is_past(name[:10], keep.followed_days, today=today) and _is_last_of_its_day(out, name, disk=disk):
            keep_followed(out, out / name, disk=disk)
    remove_nights(out, [item.name for item in nights], disk=disk)
    with explained("a file cannot be deleted"):
        for item in items:
            if item.kind in (RETURNED, FOLLOWED_NIGHT):
                disk.remove(out / item.name)
            elif item.kind == CACHED and world.cache is not None:
                disk.remove(world.cache / item.name)
        if disk.kind(out / FOLLOWED) == "folder":
            disk.sync_folder(out / FOLLOWED)
        disk.sync_folder(out)


def _is_last_of_its_day(out: Path, name: str, *, disk: Disk) -> bool:
    if disk.kind(out / name) != "folder":
        return False
    return not is_superseded(out / name, every_night(out, disk=disk))


def _end_what_was_begun(out: Path, config: Config, *, world: Surroundings, disk: Disk) -> tuple[str, ...]:
    """Delete what a purge that died had said it would, and say on its certificate that this was done."""
    ended = []
    for path, told in begun_certificates(out, PURGE, disk=disk):
        listed = ((str(one["kind"]), str(one["name"])) for one in told["deleted"])
        items = tuple(Item(kind, name, 0, 0, "") for kind, name in listed if _is_ours(kind, name))
        now = current(out, disk=disk)
        _delete(
            out,
            tuple(item for item in items if now is None or item.name != now.name),
            config.score.retention,
            world=world,
            disk=disk,
        )
        end_certificate(path, told, at=world.now(), by=PURGE, disk=disk)
        ended.append(path.name)
    return tuple(ended)


def _is_ours(kind: str, name: str) -> bool:
    """Whether a certificate names a thing that purge deletes: whoever wrote the file, nothing else goes."""
    names = {
        NIGHT: r"[0-9-]{10}(\.r[0-9]+)?",
        SUPERSEDED: r"[0-9-]{10}(\.r[0-9]+)?",
        FOLLOWED_NIGHT: rf"{FOLLOWED}/[0-9-]{{10}}\.parquet",
        RETURNED: RETURNED_NAME.pattern,
        CACHED: _CACHED_NAME.pattern,
    }
    return kind in names and re.fullmatch(names[kind], name) is not None and ("/" not in name or kind == FOLLOWED_NIGHT)
