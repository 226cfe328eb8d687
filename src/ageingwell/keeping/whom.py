"""Whom a run takes out, and how they are named in files."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from ageingwell.config.load import Config
from ageingwell.decisions.ledger import read_ledger
from ageingwell.disk import Disk
from ageingwell.errors import KeyFileError
from ageingwell.keeping.searching import Named, files_below, keys_of, look_in
from ageingwell.kept.followed import nights_followed, read_followed
from ageingwell.kept.reading import KeptNight, read_night
from ageingwell.meeting.recording import ledger_path
from ageingwell.meeting.sent_lists import manifest_of
from ageingwell.night.list_key import GivenKey
from ageingwell.night.taking_off import people_named
from ageingwell.pseudonyms import Key
from ageingwell.publish import current
from ageingwell.publish.removing import every_night

PAIR: Final = ("person_id", "household_id")


@dataclass(frozen=True)
class Search:
    """Whom a run takes out, and how they are named in files."""

    people: frozenset[str]
    named: Named
    nights: tuple[Path, ...]


def key_of_nights(out: Path, given: GivenKey) -> Key | None:
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


def key_of_pseudonyms(out: Path) -> str | None:
    """The fingerprint of the key of the pseudonyms, as the current night has it."""
    folder = current(out)
    told = None if folder is None else manifest_of(folder).get("key_fingerprint")
    return told if isinstance(told, str) else None


def everybody_kept(out: Path, config: Config) -> set[str]:
    """Everyone whom anything that is kept names."""
    people = set(read_ledger(ledger_path(out, config))["person_id"])
    for folder in every_night(out):
        people |= set(people_named(read_night(folder).frames)["person_id"])
    for path in nights_followed(out).values():
        kept = read_followed(path)
        people |= set() if kept is None else set(kept["person_id"])
    return {person for person in people if person is not None}


def search_for(out: Path, people: frozenset[str], config: Config, *, key: Key | None, disk: Disk) -> Search:
    """How these people are named: their pseudonyms, those of homes where nobody else lives, and all their row keys."""
    nights = tuple(every_night(out, disk=disk))
    pairs = [homes_in(read_night(folder)) for folder in nights]
    pairs.append(read_ledger(ledger_path(out, config)).select(PAIR).drop_nulls())
    every = pl.concat(pairs).unique()
    theirs = pl.col("person_id").is_in(list(people))
    homes = set(every.filter(theirs)["household_id"]) - set(every.filter(~theirs)["household_id"])
    days = [date.fromisoformat(folder.name[:10]) for folder in nights]
    days += [date.fromisoformat(day) for day in nights_followed(out, disk=disk)]
    days += read_ledger(ledger_path(out, config))["night"].drop_nulls().unique().to_list()
    keys = keys_of({*people, *homes}, nights=days, keys=[] if key is None else [key])
    return Search(people, Named({*people, *homes, *keys}), nights)


def homes_in(night: KeptNight) -> pl.DataFrame:
    """Who lives where by a night's frames: person_id, household_id."""
    every = (frame.lazy() for frame in vars(night.frames).values())
    told = [frame for frame in every if set(PAIR) <= set(frame.collect_schema().names())]
    parts: list[pl.DataFrame] = [
        frame.select(pl.col(name).cast(pl.String) for name in PAIR).drop_nulls().collect() for frame in told
    ]
    return pl.concat([pl.DataFrame(schema=dict.fromkeys(PAIR, pl.String)), *parts]).unique()


def is_named_in(night: Path, search: Search, *, disk: Disk) -> bool:
    """Whether a night names somebody; a file that cannot be looked into counts as one that does."""
    found = look_in(search.named, files_below(night, disk=disk), disk=disk)
    return bool(found.naming or found.unclear)
