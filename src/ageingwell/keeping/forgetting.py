"""Forgetting a person: out of every night, list, ledger and file that is kept, and off every later list."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from ageingwell.audit.uses import Asked, logged
from ageingwell.config.load import Config, GivenConfig, config_given
from ageingwell.context import Surroundings
from ageingwell.contracts.fields import PSEUDONYM
from ageingwell.decisions.forgetting import empty_entries, entries_naming, remove_spare, write_anew
from ageingwell.disk import DISK, Disk
from ageingwell.errors import ArgumentError, KeepingError, PublishError
from ageingwell.forgotten import OF_FORGETTING, read_forgotten, with_key, write_forgotten
from ageingwell.keeping.certificate import begun_certificates, end_certificate, new_certificate
from ageingwell.keeping.places import audit_of
from ageingwell.keeping.searching import Looked, look_in
from ageingwell.keeping.taking_out import Done, delete_other_files, look_everywhere, take_out_of_nights
from ageingwell.keeping.whom import everybody_kept, is_named_in, key_of_nights, key_of_pseudonyms, search_for
from ageingwell.kept.followed import nights_followed, without_followed
from ageingwell.meeting.recording import ledger_path
from ageingwell.night.list_key import GivenKey
from ageingwell.pseudonyms import Key
from ageingwell.publish import publishing_lock
from ageingwell.publish.removing import is_superseded

LIFT: Final = "lift"


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
    key = key_of_nights(out, list_key)
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
    marks = before.with_people(wanted, on=world.now().date(), pseudonyms=key_of_pseudonyms(out))
    n_new = len(marks.marks) - len(before.marks)
    if n_new:
        write_forgotten(out, marks, disk=disk)
    begun = begun_certificates(out, OF_FORGETTING, disk=disk)
    with world.stage("look"):
        everybody = everybody_kept(out, config)
        people = frozenset({*wanted, *marks.among(pl.Series("person_id", sorted(everybody), pl.String))})
        search = search_for(out, people, config, key=key, disk=disk)
    certificate = new_certificate(out, OF_FORGETTING, at=world.now(), disk=disk, settings=config.digest)
    done = Done(certificate.also(n_people=len(people), n_new=n_new))
    done.certificate.write(disk=disk)
    with world.stage("make nights again"):
        take_out_of_nights(out, search, config, done, key=key, world=world, disk=disk)
    with world.stage("empty the ledger"):
        ledger = ledger_path(out, config)
        positions = entries_naming(ledger, people)
        empty_entries(ledger, positions, at=world.now(), why="forgotten", disk=disk)
        done.entries = len(positions)
        if disk.kind(ledger) == "file" and look_in(search.named, [ledger], disk=disk).naming:
            write_anew(ledger, disk=disk)
    for path in nights_followed(out, disk=disk).values():
        without_followed(path, people, disk=disk)
    with world.stage("look again"):
        delete_other_files(out, search, done, config, world=world, disk=disk)
        left = look_everywhere(out, search, config, world=world, disk=disk)
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
    everybody = everybody_kept(out, config)
    people = frozenset({*wanted, *marks.among(pl.Series("person_id", sorted(everybody), pl.String))})
    search = search_for(out, people, config, key=key, disk=disk)
    naming = [night for night in search.nights if is_named_in(night, search, disk=disk)]
    superseded = [night for night in naming if is_superseded(night, search.nights)]
    others = look_everywhere(out, search, config, world=world, disk=disk, but_nights=True)
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
            f"{wrong} of the words given are not pseudonyms of people",
            "give the 32 letters under person_id, one person per line",
        )
    return tuple(found.unique().sort())


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
