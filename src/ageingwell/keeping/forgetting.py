"""Forgetting a person: out of every night, list, ledger and file that is kept, and off every later list."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from ageingwell.audit.uses import Asked, logged
from ageingwell.config.load import Config, GivenConfig, config_given
from ageingwell.context import Surroundings
from ageingwell.contracts.fields import PSEUDONYM
from ageingwell.decisions.forgetting import empty_entries, entries_naming, remove_spare
from ageingwell.decisions.ledger import read_ledger
from ageingwell.disk import DISK, Disk
from ageingwell.errors import ArgumentError, KeepingError, KeyFileError, PublishError
from ageingwell.forgotten import (
    CERTIFICATES,
    FORGOTTEN,
    KEY,
    OF_FORGETTING,
    read_forgotten,
    with_key,
    write_forgotten,
)
from ageingwell.keeping.certificate import (
    Certificate,
    Item,
    begun_certificates,
    end_certificate,
    item_of,
    new_certificate,
)
from ageingwell.keeping.places import audit_of
from ageingwell.keeping.searching import Looked, Named, files_below, keys_of, look_in
from ageingwell.kept.followed import nights_followed, read_followed, without_followed
from ageingwell.kept.reading import KeptNight, read_night
from ageingwell.meeting.recording import ledger_path
from ageingwell.meeting.sent_lists import manifest_of
from ageingwell.night.revising import publish_withdrawal
from ageingwell.night.taking_off import Withdrawn, people_named, without_withdrawn
from ageingwell.permissions import FORGOTTEN as REASON
from ageingwell.pseudonyms import Key
from ageingwell.publish import current, publishing_lock
from ageingwell.publish.faults import explained
from ageingwell.publish.removing import every_night, is_superseded, remove_nights

LIFT: Final = "lift"
_HOMES: Final = ("person_id", "household_id")
GivenKey = Key | str | Path | None


@dataclass(frozen=True)
class ForgottenPeople:
    """What came of it: how many people, which nights were made again without them, and what was deleted whole.

    `without_pages` are the nights whose pages could not be drawn again; `entries` counts the entries of the ledger that
    were emptied; `files` names other files that were deleted, as they named somebody. No value of a record.
    """

    n_people: int
    n_new: int
    rebuilt: tuple[str, ...] = ()
    without_pages: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    entries: int = 0
    files: tuple[str, ...] = ()
    certificate: Path | None = None
    is_dry_run: bool = False


@dataclass(frozen=True)
class _Search:
    """Whom a run takes out, and how they are named in files."""

    people: frozenset[str]
    named: Named
    nights: tuple[Path, ...]


@dataclass
class _Done:
    """What a run has done so far."""

    certificate: Certificate
    rebuilt: list[str] = field(default_factory=list)
    without_pages: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    entries: int = 0

    def gone(self, item: Item) -> None:
        self.certificate = self.certificate.also(item)


def forget(
    people: Sequence[str],
    *,
    out: str | Path,
    config: GivenConfig = None,
    list_key: GivenKey = None,
    role: str | None = None,
    dry_run: bool = False,
    surroundings: Surroundings | None = None,
    disk: Disk = DISK,
) -> ForgottenPeople:
    """Take people, by pseudonym, out of everything that is kept in `out`, and see that no later list has them.

    A keyed mark of each is written first: from then on `score` and `withdraw` leave them out, whatever the agencies
    send, until `lift`. Then every night that names them is made again without them, as `withdraw` does, and its earlier
    revisions are deleted; the ledger's entries on them are emptied; other files in the folder and the cache that
    name them are deleted whole. A certificate says what was done. Without any `people` everyone who was forgotten
    before is looked for again: after a run that died, or where a night was put back from a copy. A run that dies leaves
    each night whole, and the next one does the rest.

    `list_key` is the key of the rows, as `score` had it; made-up nights do without. Lists that were sent, and copies
    elsewhere, are out of reach: tell whoever has them.

    Raises `ArgumentError` for what is no pseudonym, `KeyFileError` without the right list key, `KeepingError` where
    somebody is still named at the end, `LockedError` while another run writes to `out`.
    """
    world, out, settings = surroundings or Surroundings(), Path(out), config_given(config)
    wanted = _pseudonyms(people)
    if not out.is_dir():
        raise PublishError("there is no such folder of nights", "give the folder that `score` writes to")
    key = _key_of(out, list_key)
    if dry_run:
        return _would_forget(out, wanted, settings, key=key, world=world, disk=disk)
    with publishing_lock(out, holder=world.holder, disk=disk):
        asked = Asked("forget", role=role, settings=settings.digest, counts={"people": len(wanted)})
        with logged(audit_of(out, settings), asked, world=world, disk=disk) as use:
            done = _forgotten(out, wanted, settings, key=key, world=world, disk=disk)
            use.tell(
                counts={"people": done.n_people, "nights": len(done.rebuilt), "entries": done.entries},
                certificate=None if done.certificate is None else done.certificate.name,
            )
    return done


def lift(
    people: Sequence[str],
    *,
    out: str | Path,
    config: GivenConfig = None,
    role: str | None = None,
    surroundings: Surroundings | None = None,
    disk: Disk = DISK,
) -> int:
    """Let people who were forgotten be listed again, from tonight's records; how many marks were lifted."""
    world, out, settings = surroundings or Surroundings(), Path(out), config_given(config)
    wanted = _pseudonyms(people)
    with publishing_lock(out, holder=world.holder, disk=disk):
        asked = Asked("forget", role=role, settings=settings.digest, more={"lift": True})
        with logged(audit_of(out, settings), asked, world=world, disk=disk) as use:
            before = read_forgotten(out, disk=disk)
            after = before.without_people(wanted)
            n_lifted = len(before.marks) - len(after.marks)
            if n_lifted:
                write_forgotten(out, after, disk=disk)
            use.tell(counts={"people": n_lifted})
    return n_lifted


def _forgotten(
    out: Path, wanted: tuple[str, ...], config: Config, *, key: Key | None, world: Surroundings, disk: Disk
) -> ForgottenPeople:
    remove_spare(ledger_path(out, config), disk=disk)
    # The marks come first: whatever stops this run, no later list has these people.
    before = with_key(out, disk=disk) if wanted else read_forgotten(out, disk=disk)
    marks = before.with_people(wanted, on=world.now().date(), pseudonyms=_key_of_pseudonyms(out))
    n_new = len(marks.marks) - len(before.marks)
    if n_new:
        write_forgotten(out, marks, disk=disk)
    begun = begun_certificates(out, OF_FORGETTING, disk=disk)
    with world.stage("look"):
        everybody = _everybody(out, config)
        people = frozenset({*wanted, *marks.among(pl.Series("person_id", sorted(everybody), pl.String))})
        search = _search(out, people, config, key=key, disk=disk)
    certificate = new_certificate(out, OF_FORGETTING, at=world.now(), disk=disk, settings=config.digest)
    done = _Done(certificate.also(n_people=len(people), n_new=n_new))
    done.certificate.write(disk=disk)
    with world.stage("make nights again"):
        _take_out_of_nights(out, search, config, done, key=key, world=world, disk=disk)
    with world.stage("empty the ledger"):
        positions = entries_naming(ledger_path(out, config), people)
        empty_entries(ledger_path(out, config), positions, at=world.now(), why="forgotten", disk=disk)
        done.entries = len(positions)
    for path in nights_followed(out, disk=disk).values():
        without_followed(path, people, disk=disk)
    with world.stage("look again"):
        _delete_other_files(out, search, done, config, world=world, disk=disk)
        left = _look_everywhere(out, search, config, world=world, disk=disk)
    told = {
        "nights_made_again": done.rebuilt,
        "nights_without_pages": done.without_pages,
        "n_entries_emptied": done.entries,
    }
    done.certificate = done.certificate.also(**told)
    _stop_if_left(left, out)
    done.certificate.write(done_at=world.now(), disk=disk)
    for path, said in begun:
        end_certificate(path, said, at=world.now(), by=done.certificate.path.name, disk=disk)
    return ForgottenPeople(
        n_people=len(people),
        n_new=n_new,
        rebuilt=tuple(done.rebuilt),
        without_pages=tuple(done.without_pages),
        deleted=tuple(done.deleted),
        entries=done.entries,
        files=tuple(done.files),
        certificate=done.certificate.path,
    )


def _would_forget(
    out: Path, wanted: tuple[str, ...], config: Config, *, key: Key | None, world: Surroundings, disk: Disk
) -> ForgottenPeople:
    marks = read_forgotten(out, disk=disk)
    everybody = _everybody(out, config)
    people = frozenset({*wanted, *marks.among(pl.Series("person_id", sorted(everybody), pl.String))})
    search = _search(out, people, config, key=key, disk=disk)
    naming = [night for night in search.nights if _is_named_in(night, search, disk=disk)]
    superseded = [night for night in naming if is_superseded(night, search.nights)]
    others = _look_everywhere(out, search, config, world=world, disk=disk, but_nights=True)
    return ForgottenPeople(
        n_people=len(people),
        n_new=len(set(wanted) - set(marks.among(pl.Series("person_id", sorted(wanted), pl.String)))),
        rebuilt=tuple(night.name for night in naming if night not in superseded),
        deleted=tuple(night.name for night in superseded),
        entries=len(entries_naming(ledger_path(out, config), people)),
        files=tuple(path.name for path in others.naming if path != ledger_path(out, config)),
        is_dry_run=True,
    )


def _pseudonyms(people: Sequence[str]) -> tuple[str, ...]:
    found = pl.Series("person_id", [one.strip() for one in people if one.strip()], pl.String)
    wrong = int((~found.str.contains(PSEUDONYM)).sum())
    if wrong:
        raise ArgumentError(
            f"{wrong} of what was given is no pseudonym of a person",
            "give the 32 letters that stand under person_id, one person a line",
        )
    return tuple(found.unique().sort())


def _key_of(out: Path, given: GivenKey) -> Key | None:
    """The key of the rows of the nights; `KeyFileError` where it is not the current night's."""
    folder = current(out)
    key = given if isinstance(given, Key) or given is None else Key.read(Path(given))
    if folder is None:
        return key
    told = manifest_of(folder)
    if key is None:
        if not told.get("made_up"):
            raise KeyFileError("no list key was given", "give --list-key-file, the one that the nights were made with")
        key = Key.made_up(0)
    if told.get("list_key") not in (None, key.fingerprint):
        raise KeyFileError("this is not the list key that the current night was made with", "give that one")
    return key


def _key_of_pseudonyms(out: Path) -> str | None:
    """The fingerprint of the key of the pseudonyms, as the current night has it."""
    folder = current(out)
    told = None if folder is None else manifest_of(folder).get("key_fingerprint")
    return told if isinstance(told, str) else None


def _everybody(out: Path, config: Config) -> set[str]:
    """Everyone whom anything that is kept names."""
    people = set(read_ledger(ledger_path(out, config))["person_id"])
    for folder in every_night(out):
        people |= set(people_named(read_night(folder).frames)["person_id"])
    for path in nights_followed(out).values():
        kept = read_followed(path)
        people |= set() if kept is None else set(kept["person_id"])
    return {person for person in people if person is not None}


def _search(out: Path, people: frozenset[str], config: Config, *, key: Key | None, disk: Disk) -> _Search:
    """How these people are named: their pseudonyms, those of homes where nobody else lives, and all their row keys."""
    nights = tuple(every_night(out, disk=disk))
    pairs = [_homes_in(read_night(folder)) for folder in nights]
    pairs.append(read_ledger(ledger_path(out, config)).select(_HOMES).drop_nulls())
    every = pl.concat(pairs).unique()
    theirs = pl.col("person_id").is_in(list(people))
    homes = set(every.filter(theirs)["household_id"]) - set(every.filter(~theirs)["household_id"])
    days = [date.fromisoformat(folder.name[:10]) for folder in nights]
    days += [date.fromisoformat(day) for day in nights_followed(out, disk=disk)]
    days += read_ledger(ledger_path(out, config))["night"].drop_nulls().unique().to_list()
    keys = keys_of({*people, *homes}, nights=days, keys=[] if key is None else [key])
    return _Search(people, Named({*people, *homes, *keys}), nights)


def _homes_in(night: KeptNight) -> pl.DataFrame:
    """Who lives where by a night's frames: person_id, household_id."""
    every = (frame.lazy() for frame in vars(night.frames).values())
    told = [frame for frame in every if set(_HOMES) <= set(frame.collect_schema().names())]
    parts: list[pl.DataFrame] = [
        frame.select(pl.col(name).cast(pl.String) for name in _HOMES).drop_nulls().collect() for frame in told
    ]
    return pl.concat([pl.DataFrame(schema=dict.fromkeys(_HOMES, pl.String)), *parts]).unique()


def _is_named_in(night: Path, search: _Search, *, disk: Disk) -> bool:
    """Whether a night names somebody; a file that cannot be looked into counts as one that does."""
    found = look_in(search.named, files_below(night, disk=disk), disk=disk)
    return bool(found.naming or found.unclear)


def _take_out_of_nights(
    out: Path, search: _Search, config: Config, done: _Done, *, key: Key | None, world: Surroundings, disk: Disk
) -> None:
    newest = [night for night in search.nights if not is_superseded(night, search.nights)]
    now = current(out, disk=disk)
    for night in newest:
        # A run that died may have left the pointer on an earlier revision: publishing moves it on.
        is_behind = now is not None and now != night and now.name[:10] == night.name[:10]
        if is_behind or _is_named_in(night, search, disk=disk):
            _make_again(out, night, search, config, done, key=key, world=world, disk=disk)
    old = [night for night in search.nights if night not in newest]
    _delete_nights(out, [night for night in old if _is_named_in(night, search, disk=disk)], done, disk=disk)


def _make_again(
    out: Path,
    night: Path,
    search: _Search,
    config: Config,
    done: _Done,
    *,
    key: Key | None,
    world: Surroundings,
    disk: Disk,
) -> None:
    """Publish a night without them and delete what it was; where it still names them, delete it whole too."""
    kept = read_night(night)
    frames = without_withdrawn(kept.frames, _all_out(search.people, kept))
    today = world.now().date()
    revision = publish_withdrawal(kept, frames, out=out, config=config, key=key, today=today, disk=disk)
    made = revision.night.folder
    if made != night and not _is_named_in(made, search, disk=disk):
        done.rebuilt.append(made.name)
        done.without_pages += [made.name] if revision.told else []
        _delete_nights(out, [night], done, disk=disk)
        return
    now = current(out, disk=disk)
    _delete_nights(out, [one for one in {night, made} if one != now], done, disk=disk)


def _all_out(people: frozenset[str], kept: KeptNight) -> Withdrawn:
    """Everyone forgotten, and the homes where nobody else lives on that night."""
    where = _homes_in(kept)
    theirs = pl.col("person_id").is_in(list(people))
    homes = where.filter(theirs).select("household_id").unique()
    alone = homes.join(where.filter(~theirs), on="household_id", how="anti").sort("household_id")
    nobody = pl.DataFrame(schema=dict.fromkeys(_HOMES, pl.String))
    return Withdrawn(
        people=pl.DataFrame({"person_id": sorted(people)}, schema={"person_id": pl.String}).with_columns(
            reason=pl.lit(REASON)
        ),
        homes=alone.with_columns(reason=pl.lit(REASON)),
        now_at=nobody,
        lived_in=nobody.select("household_id"),
        guarded=nobody,
    )


def _delete_nights(out: Path, nights: Iterable[Path], done: _Done, *, disk: Disk) -> None:
    going = sorted(nights)
    for night in going:
        done.gone(item_of("night", night, disk=disk))
        done.deleted.append(night.name)
    remove_nights(out, [night.name for night in going], disk=disk)


def _delete_other_files(
    out: Path, search: _Search, done: _Done, config: Config, *, world: Surroundings, disk: Disk
) -> None:
    """Delete every other file in the folder and in the cache that names somebody: nothing can be cut out of it."""
    found = _look_everywhere(out, search, config, world=world, disk=disk, but_nights=True)
    ledger = ledger_path(out, config)
    with explained("a file that names somebody cannot be deleted"):
        for path in found.naming:
            if path == ledger:
                continue
            done.gone(item_of("file", path, name=_own_name(path, search), disk=disk))
            disk.remove(path)
            disk.sync_folder(path.parent)
            done.files.append(_own_name(path, search))


def _own_name(path: Path, search: _Search) -> str:
    """A file's name, unless that names somebody."""
    return "a file whose name was theirs" if search.named.found_in(path.name.encode(errors="replace")) else path.name


def _look_everywhere(
    out: Path, search: _Search, config: Config, *, world: Surroundings, disk: Disk, but_nights: bool = False
) -> Looked:
    """Which files name somebody: in the folder of nights, the ledger and its journals, and the cache."""
    nights = set(every_night(out, disk=disk))
    ours = {out / FORGOTTEN, out / KEY, out / CERTIFICATES, out / ".lock"}
    ledger = ledger_path(out, config)
    beside = [] if ledger.is_relative_to(out) else [Path(f"{ledger}{end}") for end in ("", "-wal", "-shm", "-journal")]
    paths = [
        path
        for path in files_below(out, disk=disk)
        if not (path in ours or ours & set(path.parents))
        and not (but_nights and any(night in path.parents for night in nights))
    ]
    paths += [path for path in beside if disk.kind(path) == "file"]
    if world.cache is not None and world.cache.is_dir():
        paths += list(files_below(world.cache, disk=disk))
    return look_in(search.named, paths, disk=disk)


def _stop_if_left(left: Looked, out: Path) -> None:
    if left.naming:
        names = ", ".join(sorted({_within(path, out) for path in left.naming})[:5])
        raise KeepingError(
            f"people who were to be forgotten are still named in {names}",
            "delete those files, and run `ageingwell forget --again`",
        )
    if left.unclear:
        names = ", ".join(sorted({_within(path, out) for path in left.unclear})[:5])
        raise KeepingError(
            f"nobody can say whether people who were to be forgotten are named in {names}: it cannot be looked into",
            "look yourself, move it out of the folder, and run `ageingwell forget --again`",
        )


def _within(path: Path, out: Path) -> str:
    return str(path.relative_to(out)) if path.is_relative_to(out) else path.name
