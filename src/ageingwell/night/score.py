"""The nightly batch: four agencies' records in, one ranked, explained outreach list out.

The order of a night: permitted → spine → features → risk → eligible → needs → rank → household → allocate → reasons →
views → report → publish. Withdrawals come first and last, and also when scoring stops.
"""

from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path

from ageingwell.bundle import Bundle, load_bundle
from ageingwell.config.load import Config
from ageingwell.context import Surroundings
from ageingwell.engines.choosing import engine_of
from ageingwell.errors import AgeingWellError, BundleError, KeyFileError, SourceError
from ageingwell.governance.night_facts import NightFacts
from ageingwell.kept.frames import NightFrames, previous_list
from ageingwell.night.change import last_manifest, stop_on_change
from ageingwell.night.deciding import read_decisions
from ageingwell.night.evidence import evidence_of
from ageingwell.night.from_spark import with_tables_of_spark
from ageingwell.night.linking import last_links, with_fallen_links
from ageingwell.night.local import read_local_directory
from ageingwell.night.outreach import outreach_list
from ageingwell.night.shards import folder_of_shards, shards_needed
from ageingwell.night.taking_off import people_named, without_withdrawn
from ageingwell.night.track_record import settled_archive
from ageingwell.night.untold import columns_gone
from ageingwell.night.withdraw import TABLES_OF_WITHDRAWALS, find_withdrawn, withdraw_from_current
from ageingwell.night.write import as_published, publish_night
from ageingwell.pseudonyms import Key
from ageingwell.publish import Published, latest_before, publishing_lock, put_aside
from ageingwell.reasons import stop_on_unknown_facts
from ageingwell.sources.read import Records, is_made_up, read_agencies
from ageingwell.timeline import AsOf


@dataclass(frozen=True)
class OutreachRun:
    """Where a night lies and what stands in it."""

    folder: Path
    changed: bool
    is_current: bool
    frames: NightFrames
    facts: NightFacts

    @property
    def n_listed(self) -> int:
        """People on the list."""
        return self.frames.listed.height


def score(
    data: Path,
    *,
    as_of: date,
    out: Path,
    config: Config,
    list_key: Key | Path | None = None,
    allow_made_up_bundle: bool = False,
    accept_change: bool = False,
    surroundings: Surroundings | None = None,
) -> OutreachRun:
    """Score everyone known on the night `as_of` and publish the outreach list in `out`.

    Reads every contract table in the folder `data`. Opt-outs, deaths and moves are taken off the current list first,
    whatever happens next. Every `AgeingWellError` leaves the last complete night current. `list_key`, a key or the file
    it is read from, keys the rows; only data marked as made up can do without one. A night that lists nobody, or lost
    more people, homes or patients of a practice than `max_lost_share` since the last, is a `ChangeError` unless
    `accept_change`. Raises `LockedError` while another run writes to `out`.
    """
    world = surroundings or Surroundings()
    with publishing_lock(out, holder=world.holder), put_aside(out) as scratch:
        reachable = partial(with_tables_of_spark, config, data)
        with world.stage("withdraw"), reachable(only=TABLES_OF_WITHDRAWALS, or_without=True) as reached:
            key = _list_key_or_fault(list_key, data)
            usable = None if isinstance(key, AgeingWellError) else key
            withdraw_from_current(
                data,
                out=out,
                config=reached,
                workspace=scratch / "first",
                on=as_of,
                key=usable,
                accept_change=accept_change,
                tell=world.tell,
            )
        if isinstance(key, AgeingWellError):
            raise key
        stop_on_unknown_facts(config.may_lower)
        with world.stage("read"), reachable() as reached:
            records = read_agencies(
                data,
                reached.tables,
                workspace=scratch / "records",
                max_refused_share=config.score.max_refused_share,
                progress=world.tell,
            )
            local = read_local_directory(config, on=as_of, made_up=records.made_up)
        previous = latest_before(out, as_of.isoformat())
        last_list = previous_list(previous)
        ledger = read_decisions(out, config=config, previous=previous)
        bundle = _suitable_bundle(config, records, allow_made_up=allow_made_up_bundle, cache=world.cache)
        with engine_of(config.score.engine) as engine, folder_of_shards(config.score, scratch) as workspace:
            frames, facts = outreach_list(
                records,
                as_of=AsOf(as_of),
                config=config,
                bundle=bundle,
                previous=last_list,
                archive=settled_archive(out, AsOf(as_of), config=config),
                key=key,
                world=world,
                workspace=workspace,
                made=scratch / "made",
                ledger=ledger,
                local=local,
                engine=engine,
                n_shards=shards_needed(records, config.score),
            )
        if previous is not None and last_list is None:
            facts = replace(facts, notes=[*facts.notes, "the last list cannot be read, so everybody counts as new"])
        before = last_manifest(out, on=as_of)
        gone = columns_gone(facts.inputs, before)
        facts = replace(facts, columns_gone=gone, is_degraded=facts.is_degraded or bool(gone))
        facts = with_fallen_links(facts, frames.links, before=last_links(out, on=as_of), config=config)
        if not accept_change:
            stop_on_change(
                facts, before=before, n_listed=frames.listed.height, max_lost_share=config.score.max_lost_share
            )
        with (
            world.stage("withdraw again"),
            reachable(only=TABLES_OF_WITHDRAWALS, or_without=True) as reached,
        ):
            # An opt-out may have come while the night was worked out.
            withdrawn = find_withdrawn(
                data, out=out, config=reached, workspace=scratch / "last", on=as_of, listed=people_named(frames)
            )
            frames = without_withdrawn(frames, withdrawn)
        with world.stage("publish"):
            facts = as_published(facts, frames, key=key)
            evidence = evidence_of(bundle, config.score.bundle)
            night = publish_night(
                frames,
                facts,
                records,
                out=out,
                config=config,
                key=key,
                evidence=evidence,
                world=world,
                refused={"services": local.refused},
            )
    return _run(night, frames, facts)


def _suitable_bundle(config: Config, records: Records, *, allow_made_up: bool, cache: Path | None) -> Bundle:
    bundle = load_bundle(config.score.bundle, codelists=config.codelists, cache=cache)
    if bundle.made_up and not records.made_up and not allow_made_up:
        raise BundleError(
            "the model bundle was trained on made-up people and these records are not marked as made up",
            "train a bundle on your own records, or insist with --allow-made-up-bundle to try the software",
        )
    return bundle


def _list_key_or_fault(list_key: Key | Path | None, data: Path) -> Key | AgeingWellError:
    """The key of the rows, or why there is none: that stops the night, and must not stop the withdrawals."""
    try:
        return _list_key(list_key, data)
    except AgeingWellError as fault:
        return fault


def _list_key(list_key: Key | Path | None, data: Path) -> Key:
    """The key of the rows; made-up data may use the public one, real data never."""
    if list_key is not None:
        return Key.read(list_key) if isinstance(list_key, Path) else list_key
    if not data.is_dir():
        raise SourceError(f"{data.name}: there is no such data folder", "give the folder that holds the tables")
    if not is_made_up(data):
        raise KeyFileError(
            "these records are not marked as made up and no list key was given",
            "give --list-key-file, a file of at least 32 random bytes that only you can read",
        )
    return Key.made_up(0)


def _run(night: Published, frames: NightFrames, facts: NightFacts) -> OutreachRun:
    return OutreachRun(night.folder, night.changed, night.is_current, frames.as_kept(night.folder), facts)
