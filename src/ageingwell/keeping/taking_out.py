"""Taking people out of what is kept: nights made again without them, and files that name them deleted."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from ageingwell.config.load import Config
from ageingwell.context import Surroundings
from ageingwell.disk import Disk
from ageingwell.forgotten import CERTIFICATES, FORGOTTEN, KEY
from ageingwell.keeping.certificate import Certificate, Item, item_of
from ageingwell.keeping.searching import Looked, files_below, look_in
from ageingwell.keeping.whom import PAIR, Search, homes_in, is_named_in
from ageingwell.kept.reading import KeptNight, read_night
from ageingwell.meeting.recording import ledger_path
from ageingwell.night.revising import publish_withdrawal
from ageingwell.night.taking_off import Withdrawn, without_withdrawn
from ageingwell.permissions import FORGOTTEN as REASON
from ageingwell.pseudonyms import Key
from ageingwell.publish import current
from ageingwell.publish.removing import every_night, is_superseded, remove_nights
from ageingwell.room import explained

JOURNALS: Final = ("-wal", "-shm", "-journal")  # what SQLite puts beside the ledger while it writes


@dataclass
class Done:
    """What a run has done so far."""

    certificate: Certificate
    rebuilt: list[str] = field(default_factory=list)
    without_pages: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    entries: int = 0

    def gone(self, item: Item) -> None:
        """Put on the certificate that something was deleted."""
        self.certificate = self.certificate.also(item)


def take_out_of_nights(
    out: Path, search: Search, config: Config, done: Done, *, key: Key | None, world: Surroundings, disk: Disk
) -> None:
    """Make each night that names somebody again without them, and delete its earlier revisions that do."""
    newest = [night for night in search.nights if not is_superseded(night, search.nights)]
    now = current(out, disk=disk)
    for night in newest:
        # A run that died may have left the pointer on an earlier revision: publishing moves it on.
        is_behind = now is not None and now != night and now.name[:10] == night.name[:10]
        if is_behind or is_named_in(night, search, disk=disk):
            _make_again(out, night, search, config, done, key=key, world=world, disk=disk)
    old = [night for night in search.nights if night not in newest]
    _delete_nights(out, [night for night in old if is_named_in(night, search, disk=disk)], done, disk=disk)


def _make_again(
    out: Path,
    night: Path,
    search: Search,
    config: Config,
    done: Done,
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
    if made != night and not is_named_in(made, search, disk=disk):
        done.rebuilt.append(made.name)
        done.without_pages += [made.name] if revision.told else []
        _delete_nights(out, [night], done, disk=disk)
        return
    now = current(out, disk=disk)
    _delete_nights(out, [one for one in {night, made} if one != now], done, disk=disk)


def _all_out(people: frozenset[str], kept: KeptNight) -> Withdrawn:
    """Everyone forgotten, and the homes where nobody else lives on that night."""
    where = homes_in(kept)
    theirs = pl.col("person_id").is_in(list(people))
    homes = where.filter(theirs).select("household_id").unique()
    alone = homes.join(where.filter(~theirs), on="household_id", how="anti").sort("household_id")
    nobody = pl.DataFrame(schema=dict.fromkeys(PAIR, pl.String))
    return Withdrawn(
        people=pl.DataFrame({"person_id": sorted(people)}, schema={"person_id": pl.String}).with_columns(
            reason=pl.lit(REASON)
        ),
        homes=alone.with_columns(reason=pl.lit(REASON)),
        now_at=nobody,
        lived_in=nobody.select("household_id"),
        guarded=nobody,
    )


def _delete_nights(out: Path, nights: Iterable[Path], done: Done, *, disk: Disk) -> None:
    going = sorted(nights)
    for night in going:
        done.gone(item_of("night", night, disk=disk))
        done.deleted.append(night.name)
    remove_nights(out, [night.name for night in going], disk=disk)


def delete_other_files(
    out: Path, search: Search, done: Done, config: Config, *, world: Surroundings, disk: Disk
) -> None:
    """Delete every other file in the folder and in the cache that names somebody: nothing can be cut out of it."""
    found = look_everywhere(out, search, config, world=world, disk=disk, but_nights=True)
    ledger = ledger_path(out, config)
    with explained("a file that names them cannot be deleted"):
        for path in found.naming:
            if path.name in {f"{ledger.name}{end}" for end in ("", *JOURNALS)}:
                continue
            done.gone(item_of("file", path, name=_own_name(path, search), disk=disk))
            disk.remove(path)
            disk.sync_folder(path.parent)
            done.files.append(_own_name(path, search))


def _own_name(path: Path, search: Search) -> str:
    """A file's name, unless that names somebody."""
    return "a file whose name was theirs" if search.named.found_in(path.name.encode(errors="replace")) else path.name


def look_everywhere(
    out: Path, search: Search, config: Config, *, world: Surroundings, disk: Disk, but_nights: bool = False
) -> Looked:
    """Which files name somebody: in the folder of nights, the ledger and its journals, and the cache."""
    nights = set(every_night(out, disk=disk))
    ours = {out / FORGOTTEN, out / KEY, out / CERTIFICATES, out / ".lock"}
    ledger = ledger_path(out, config)
    beside = [] if ledger.is_relative_to(out) else [Path(f"{ledger}{end}") for end in ("", *JOURNALS)]
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
