"""Telling a person what is held of them: where, why they were on a list or not, who saw it, what was decided."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import polars as pl

from ageingwell.audit.uses import Asked, about_person, logged
from ageingwell.audit.writing import read_lines
from ageingwell.config.load import Config, GivenConfig, config_given
from ageingwell.context import Surroundings
from ageingwell.decisions.entry import LOT_KIND, Entry, entries_of
from ageingwell.decisions.ledger import read_ledger
from ageingwell.disk import DISK, Disk
from ageingwell.errors import ArgumentError, PublishError, UnknownPersonError
from ageingwell.forgotten import read_forgotten
from ageingwell.given import GivenDay, maybe_day_of
from ageingwell.keeping.own_facts import own_criterion, own_features
from ageingwell.keeping.places import audit_of
from ageingwell.keeping.records_of import RecordsHeld, records_of
from ageingwell.keeping.searching import keys_of
from ageingwell.kept.followed import nights_followed, read_followed
from ageingwell.kept.reading import KeptNight, read_night
from ageingwell.meeting.recording import ledger_path
from ageingwell.night.list_key import GivenKey
from ageingwell.pseudonyms import Key
from ageingwell.publish.removing import every_night
from ageingwell.register import LEAD_AGENCIES
from ageingwell.room import scratch

COMMAND: Final = "person"
REASON: Final = "subject access request"


@dataclass(frozen=True)
class Listed:
    """One night on whose list a person was, and what the list said of them."""

    night: date
    position: int | None
    urgency: str | None
    lead_agency: str | None
    action: str | None
    in_100: int | None
    needs: tuple[tuple[str, tuple[str, ...]], ...]
    facts: tuple[tuple[str, str], ...]
    seen_by: tuple[str, ...] | None


@dataclass(frozen=True)
class Looked:
    """One use of the records that was about a person: the day, the command, the role and the reason that were given."""

    on: str
    command: str
    role: str | None
    reason: str | None


@dataclass(frozen=True)
class Basis:
    """A line of the permission ledger: the tables it lets be used, the legal basis, and for which recipients."""

    sources: tuple[str, ...]
    legal_basis: str
    recipients: tuple[str, ...]


@dataclass(frozen=True)
class Draw:
    """A draw at random of the last places that the person took part in, and the day until which they were left off."""

    night: date
    agency: str | None
    is_won: bool
    left_out_until: date | None


@dataclass(frozen=True)
class PersonHeld:
    """All that is held of one person. `named` are the nights that name them, listed or not; `followed` counts the old
    lists kept as pseudonyms alone, `n_notes` the notes in somebody's own words, which may be about others too. `bases`
    are the lines of the permission ledger in force, and `contact` is whom the person can ask."""

    person_id: str
    as_of: date
    records: RecordsHeld | None
    named: tuple[date, ...]
    listed: tuple[Listed, ...]
    entries: tuple[Entry, ...]
    looked: tuple[Looked, ...]
    n_followed: int
    n_notes: int
    purpose: str
    bases: tuple[Basis, ...] = ()
    made_up: bool = False
    draws: tuple[Draw, ...] = ()
    contact: str | None = None


def person(
    person_id: str,
    *,
    out: str | Path,
    data: str | Path | None = None,
    config: GivenConfig = None,
    list_key: GivenKey = None,
    as_of: GivenDay | None = None,
    role: str | None = None,
    surroundings: Surroundings | None = None,
    disk: Disk = DISK,
) -> PersonHeld:
    """Tell what is held of one person, by pseudonym, in the nights of `out` and, where given, the records of `data`.

    An audit line is on the disk before anything is looked up. Nothing of anybody else is told: no fact of somebody they
    live with, no marker that somebody set, no words of a professional. With the `list_key` of the nights it is told
    whose lists they stood on.

    Raises `UnknownPersonError` where nothing is held of them, `ArgumentError` for what is no pseudonym.
    """
    world, out, settings = surroundings or Surroundings(), Path(out), config_given(config)
    if not pl.Series([person_id]).str.contains(r"^[bcdfghjklmnpqrst]{32}$").item():
        raise ArgumentError("the word given is not the pseudonym of a person", "give the 32 letters under person_id")
    if not out.is_dir():
        raise PublishError("there is no such folder of nights", "give the folder that `score` writes to")
    on = maybe_day_of(as_of, name="as_of") or world.now().date()
    log = audit_of(out, settings)
    asked = Asked(COMMAND, role=role, reason=REASON, settings=settings.digest, about=about_person(log, person_id))
    with logged(log, asked, world=world, disk=disk):
        return _held(person_id, out, None if data is None else Path(data), settings, list_key, on=on)


def _held(who: str, out: Path, data: Path | None, config: Config, list_key: GivenKey, *, on: date) -> PersonHeld:
    nights = [read_night(folder) for folder in every_night(out)]
    naming = [night for night in nights if _is_named(night, who)]
    theirs = read_ledger(ledger_path(out, config)).filter(pl.col("person_id") == who)
    entries = entries_of(theirs)
    followed = sum(_is_followed(path, who) for path in nights_followed(out).values())
    records = None
    if data is not None:
        with scratch() as workspace:
            records = records_of(who, data, config=config, workspace=workspace, on=on)
    if not (naming or theirs.height or followed or (records and records.tables)):
        _stop_unknown(who, out, has_records=data is not None)
    key = list_key if isinstance(list_key, Key) or list_key is None else Key.read(Path(list_key))
    listed = [_listed(night, who, config, key) for night in naming if _row(night.frames.listed, who)]
    return PersonHeld(
        person_id=who,
        as_of=on,
        records=records,
        named=tuple(sorted({_day(night) for night in naming})),
        listed=tuple(_newest_first(listed)),
        entries=tuple(entries),
        draws=_draws(theirs),
        looked=tuple(_looked(out, config, who)),
        n_followed=followed,
        n_notes=sum(entry.note is not None for entry in entries),
        purpose=config.score.purpose,
        bases=_bases(config, on),
        made_up=any(night.facts.get("made_up") for night in nights),
        contact=config.score.person.contact,
    )


def _draws(theirs: pl.DataFrame) -> tuple[Draw, ...]:
    """The draws the person took part in, as the ledger tells each last."""
    newest = theirs.filter(kind=LOT_KIND).sort("position").unique("night", keep="last", maintain_order=True)
    rows = newest.filter(pl.col("lot").is_in(["won", "lost"])).sort("night")
    return tuple(
        Draw(night, agency, lot == "won", until)
        for night, agency, lot, until in rows.select("night", "agency", "lot", "left_out_until").iter_rows()
    )


def _bases(config: Config, on: date) -> tuple[Basis, ...]:
    """What lets records be used for the purpose of the run; the safeguarding lead's part of it is told to nobody."""
    lines = (
        line for line in config.ledger.permitted if config.score.purpose in line.purposes and on <= line.expires_on
    )
    return tuple(
        Basis(
            tuple(line.sources),
            line.legal_basis,
            tuple(one for one in line.recipients if one != "safeguarding"),
        )
        for line in lines
    )


def _stop_unknown(who: str, out: Path, *, has_records: bool) -> None:
    if len(read_forgotten(out).among(pl.Series([who]))):
        raise UnknownPersonError(
            "nothing is held of that person: they were forgotten, and a keyed mark alone is kept so that they are not "
            "listed again",
            "tell them so; `ageingwell forget --lift` takes the mark away",
        )
    where = "check the pseudonym" + ("" if has_records else "; give --data to look in the agencies' records too")
    raise UnknownPersonError("nothing is held of a person of that pseudonym", where)


def _day(night: KeptNight) -> date:
    return date.fromisoformat(night.folder.name[:10])


def _is_named(night: KeptNight, who: str) -> bool:
    # What only the safeguarding lead has is not told, nor that there is any.
    every = {name: frame for name, frame in vars(night.frames).items() if name != "safeguarded"}
    return any(_row(frame, who) is not None for frame in every.values())


def _row(frame: pl.DataFrame | pl.LazyFrame, who: str) -> dict[str, Any] | None:
    if "person_id" not in frame.collect_schema().names():
        return None
    found = frame.lazy().filter(pl.col("person_id") == who).head(1).collect().to_dicts()
    return found[0] if found else None


def _is_followed(path: Path, who: str) -> bool:
    kept = read_followed(path)
    return kept is not None and who in kept["person_id"]


def _listed(night: KeptNight, who: str, config: Config, key: Key | None) -> Listed:
    row = _row(night.frames.listed, who) or {}
    theirs = pl.col("person_id") == who
    needs = night.frames.needs.filter(theirs)
    told = [
        (need["need"], tuple(own_criterion(need["need"], need.get("criterion") or "", config.outreach.thresholds)))
        for need in needs.to_dicts()
        if need.get("outcome") in (None, "allocated")
    ]
    reasons = night.frames.reasons.filter(theirs)
    shown = [row for row in reasons.to_dicts() if row.get("shown") and row.get("text")]
    own = own_features()
    risk = row.get("risk")
    return Listed(
        night=_day(night),
        position=row.get("position"),
        urgency=row.get("urgency"),
        lead_agency=row.get("lead_agency"),
        action=row.get("action"),
        in_100=None if risk is None else round(100 * risk),
        needs=tuple(told),
        facts=tuple((row["direction"], row["text"]) for row in shown if row["feature"] in own),
        seen_by=_seen_by(night, who, key),
    )


def _seen_by(night: KeptNight, who: str, key: Key | None) -> tuple[str, ...] | None:
    """Whose lists of a night have the person's row; None where that cannot be told: no key, or no lists any more."""
    if key is None and night.facts.get("made_up"):
        key = Key.made_up(0)
    if key is None or key.fingerprint != night.facts.get("list_key"):
        return None
    found = []
    for recipient in ("group", *LEAD_AGENCIES):
        place = night.folder / (f"{recipient}.parquet" if recipient == "group" else f"agencies/{recipient}.parquet")
        mine = keys_of([who], nights=[_day(night)], keys=[key])
        if place.is_file() and mine & set(pl.read_parquet(place, columns=["row_key"])["row_key"]):
            found.append(recipient)
    return tuple(found) if found else None


def _newest_first(listed: Iterable[Listed]) -> list[Listed]:
    """One a night: of several revisions the newest, which comes first, and the readers of them all."""
    first: dict[date, Listed] = {}
    for one in listed:
        there = first.setdefault(one.night, one)
        if one.seen_by is not None and there.seen_by is not None:
            seen = (*there.seen_by, *(name for name in one.seen_by if name not in there.seen_by))
            first[one.night] = replace(there, seen_by=seen)
    return [first[day] for day in sorted(first, reverse=True)]


def _looked(out: Path, config: Config, who: str) -> list[Looked]:
    """The uses that the audit log says were about the person, the oldest first."""
    log = audit_of(out, config)
    about = about_person(log, who)
    mine = [line for line in read_lines(log) if line.get("about") == about and line.get("stage") == "begun"]
    return [Looked(str(line["at"])[:10], line["did"], line.get("role"), line.get("reason")) for line in mine]
