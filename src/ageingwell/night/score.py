"""The nightly batch: four agencies' records in, one ranked, explained outreach list out.

The order of a night: permitted → spine → features → risk → eligible → needs → rank → household → allocate → reasons →
views → report → publish. Withdrawals come first and last, and also when scoring stops.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path

from ageingwell.audit.uses import Asked, audit_place, logged, overrides
from ageingwell.config.load import Config, GivenConfig, config_given
from ageingwell.config.withdrawing import TABLES_OF_WITHDRAWALS, WithdrawalSettings
from ageingwell.context import Surroundings
from ageingwell.errors import AgeingWellError, ChangeError, SourceError, WithdrawalError
from ageingwell.given import GivenDay, day_of
from ageingwell.governance.night_facts import NightFacts
from ageingwell.kept.barred import BARRED_FILE
from ageingwell.kept.frames import NightFrames
from ageingwell.meeting.recording import ledger_path
from ageingwell.meeting.sent_lists import manifest_of
from ageingwell.night.answered import published_as
from ageingwell.night.barring import (
    Lost,
    as_opt_outs,
    barred_before,
    keep_barred,
    lost_since,
    settle_barred,
    stop_on_delivery,
    told_by,
)
from ageingwell.night.change import last_manifest, last_night, stop_on_change, what_changed
from ageingwell.night.deliveries import dated_ahead, differences_since, older_than_last, same_as_last
from ageingwell.night.evidence import evidence_of
from ageingwell.night.from_spark import with_tables_of_spark
from ageingwell.night.holding import held, marked_too
from ageingwell.night.linking import last_links, with_fallen_links
from ageingwell.night.list_key import list_key_or_fault, stop_on_one_key_for_two
from ageingwell.night.local import read_local_directory
from ageingwell.night.lot_kept import keep_lot
from ageingwell.night.showing import files_to_open, screen_of_night
from ageingwell.night.taking_off import people_named, without_withdrawn
from ageingwell.night.untold import columns_gone
from ageingwell.night.withdraw import digests_of, find_withdrawn, withdraw_from_current
from ageingwell.night.withdrawing import withdraw
from ageingwell.night.working import work_out
from ageingwell.night.write import as_published, publish_night
from ageingwell.permissions import stop_unless_checked
from ageingwell.pseudonyms import Key
from ageingwell.publish import DAYS_AHEAD, Published, latest_before
from ageingwell.publish.mark import set_mark
from ageingwell.shown import Screen, Shown
from ageingwell.sources.measures import measure_tables
from ageingwell.sources.read import is_made_up, read_agencies
from ageingwell.timeline import AsOf
from ageingwell.views.words import label_words


@dataclass(frozen=True, repr=False)
class OutreachRun(Shown):
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

    @property
    def to_open(self) -> dict[str, Path]:
        """What a person opens, by what it is: the report, the group's workbook, the folder of the agencies' pages, …"""
        return files_to_open(self.folder)

    def _screen(self) -> Screen:
        which = "" if self.is_current else " This is not the current night."
        hint = f"In {self.folder}.{which} frames, facts, to_open"
        return screen_of_night(self.facts, self.n_listed, self.to_open, hint)


def score(
    data: str | Path,
    *,
    as_of: GivenDay,
    out: str | Path,
    config: GivenConfig = None,
    list_key: Key | str | Path | None = None,
    allow_made_up_bundle: bool = False,
    accept_change: bool = False,
    surroundings: Surroundings | None = None,
) -> OutreachRun:
    """Score everyone known on the night `as_of` and publish the outreach list in `out`.

    Reads every contract table in the folder `data`. Opt-outs, deaths and moves are taken off the current list first,
    whatever happens next. Every `AgeingWellError` leaves the last complete night current. `list_key`, a key or the file
    it is read from, keys the rows; only data marked as made up can do without one. A night that lists nobody, or lost
    more people, homes or patients of a practice than `max_lost_share` since the last, is a `ChangeError` unless
    `accept_change`; so is a night of real records that is further ahead than tomorrow. Raises `LockedError` while
    another run writes to `out`, `AuditError` where the audit log cannot be written or was changed.
    """
    world = surroundings or Surroundings()
    data, out, as_of = Path(data), Path(out), day_of(as_of)
    try:
        settings = config_given(config)
    except Exception as fault:
        # A mistake in the settings stops the night, and keeps nobody on the list who died or objected.
        given = None if isinstance(config, Config) else config
        with suppress(WithdrawalError, ChangeError, SourceError):
            withdraw(
                data,
                out=out,
                as_of=as_of,
                config=given,
                list_key=list_key,
                accept_change=accept_change,
                surroundings=world,
            )
        raise (marked_too(fault, out) if isinstance(fault, AgeingWellError) else fault) from None
    try:
        return _scored(
            data,
            as_of=as_of,
            out=out,
            config=settings,
            list_key=list_key,
            allow_made_up_bundle=allow_made_up_bundle,
            accept_change=accept_change,
            world=world,
        )
    except AgeingWellError as fault:
        raise marked_too(fault, out) from None


def _scored(
    data: Path,
    *,
    as_of: date,
    out: Path,
    config: Config,
    list_key: Key | str | Path | None,
    allow_made_up_bundle: bool,
    accept_change: bool,
    world: Surroundings,
) -> OutreachRun:
    asked = Asked(
        "score",
        purpose=config.score.purpose,
        night=as_of,
        settings=config.digest,
        overrides=overrides(accept_change=accept_change, allow_made_up_bundle=allow_made_up_bundle),
        more={"key_holders": config.score.keys.holders},
    )
    with (
        held(out, holder=world.holder) as scratch,
        logged(audit_place(out, config.score.audit.file), asked, world=world, withdrawing_first=True) as use,
    ):
        reachable = partial(with_tables_of_spark, config, data)
        with world.stage("withdraw"), reachable(only=TABLES_OF_WITHDRAWALS, or_without=True) as reached:
            key = list_key_or_fault(list_key, data)
            usable = None if isinstance(key, AgeingWellError) else key
            done = withdraw_from_current(
                data,
                out=out,
                settings=WithdrawalSettings.of(reached),
                workspace=scratch / "first",
                on=as_of,
                key=usable,
                accept_change=accept_change,
                is_followed=True,
                tell=world.tell,
            )
        if done is not None:
            use.tell(withdrawn=published_as(done.night.folder))
        use.stop_unless_logged()
        if isinstance(key, AgeingWellError):
            raise key
        if not accept_change and not is_made_up(data):
            _stop_if_ahead(as_of, today=world.now().date())
        with world.stage("read"), reachable() as reached:
            records = read_agencies(
                data,
                reached.tables,
                workspace=scratch / "records",
                max_refused_share=config.score.max_refused_share,
                progress=world.tell,
            )
            stop_on_one_key_for_two(key, records.key_fingerprint)
            local = read_local_directory(config, on=as_of, made_up=records.made_up)
        told = told_by(records.tables, ledger=config.ledger, on=as_of)
        before = last_manifest(out, on=as_of)
        lost = lost_since(
            barred_before(out, before, accepted=accept_change), told, limits=config.score.change, on=as_of
        )
        with world.stage("compare deliveries"):
            measures = measure_tables(records.tables, on=as_of)
            differences = [
                *lost.differences,
                *differences_since(last_night(out, on=as_of), measures, records=records, limits=config.score.change),
                *dated_ahead(records.tables, on=as_of, today=world.now().date(), limits=config.score.change),
            ]
        stop_unless_checked(records.tables["permissions"].rows, config.ledger, on=as_of, today=world.now().date())
        if not accept_change:
            stop_on_delivery(differences)
        frames, facts, bundle = work_out(
            records,
            as_of=AsOf(as_of),
            config=config,
            nights=out,
            key=key,
            allow_made_up_bundle=allow_made_up_bundle,
            local=local,
            world=world,
            scratch=scratch,
            held=None if accept_change else as_opt_outs(lost.held),
        )
        facts = _with_what_changed(facts, lost, accepted=differences if accept_change else None)
        # Against the night before, so that the same night made again says the same.
        earlier = latest_before(out, as_of.isoformat())
        facts = _with_older_deliveries(facts, older_than_last(earlier, measures))
        told_then = None if earlier is None else manifest_of(earlier)
        facts = replace(facts, same_as_last=same_as_last(facts.inputs, told_then, on=as_of))
        gone = columns_gone(facts.inputs, before)
        facts = replace(facts, columns_gone=gone, is_degraded=facts.is_degraded or bool(gone))
        facts = with_fallen_links(facts, frames.links, before=last_links(out, on=as_of), config=config)
        n_listed, limit = frames.listed.height, config.score.max_lost_share
        if not accept_change:
            stop_on_change(facts, before=before, n_listed=n_listed, max_lost_share=limit)
        else:
            said = what_changed(facts, before=before, n_listed=n_listed, max_lost_share=limit)
            facts = replace(facts, accepted_changes=[*facts.accepted_changes, *said])
        with (
            world.stage("withdraw again"),
            reachable(only=TABLES_OF_WITHDRAWALS, or_without=True) as reached,
        ):
            # An opt-out may have come while the night was worked out.
            withdrawn = find_withdrawn(
                data,
                out=out,
                settings=WithdrawalSettings.of(reached),
                workspace=scratch / "last",
                on=as_of,
                listed=people_named(frames),
                judged=digests_of(records.tables["gp_patients"]),
            )
            if withdrawn.unread:
                raise SourceError(
                    f"{' and '.join(withdrawn.unread)}: could be read when the night began, and not at its end",
                    "have the table sent again, and run once more",
                )
            frames = without_withdrawn(frames, withdrawn)
        with world.stage("publish"):
            # Whom tonight's tables bar is on disk before the night is, so that no crash forgets them.
            keep_barred(out, told, on=as_of)
            facts = replace(as_published(facts, frames, key=key), barred=BARRED_FILE)
            evidence = evidence_of(bundle)
            night = publish_night(
                frames,
                facts,
                records,
                out=out,
                config=config,
                key=key,
                evidence=evidence,
                measures=measures,
                world=world,
                refused={"services": local.refused},
                audit_head=use.head,
            )
            use.tell(
                **published_as(night.folder),
                changed=night.changed,
                is_current=night.is_current,
                counts={"listed": frames.listed.height},
            )
            settle_barred(out, told, lost, accepted=accept_change and night.is_current, on=as_of)
            if night.is_current:
                people = frames.scores.lazy().select("person_id").collect()["person_id"]
                keep_lot(ledger_path(out, config), frames.lot, on=as_of, people=people)
            if night.is_current:
                # It was worked out from tables that could be believed, whatever was said of the list before.
                set_mark(out, None)
    return _run(night, frames, facts)


def _stop_if_ahead(as_of: date, *, today: date) -> None:
    """A wrong date would make a list of days on which nobody knows yet who will have opted out, died or moved."""
    if (days := (as_of - today).days) > DAYS_AHEAD:
        raise ChangeError(
            f"the night {as_of} is {days} days ahead of today, {today}",
            "correct --as-of, or the clock of this machine; if it is meant, run again with --accept-change",
        )


def _with_what_changed(facts: NightFacts, lost: Lost, *, accepted: Sequence[str] | None) -> NightFacts:
    """The facts with what a person accepted; else with what is to be said of opt-outs that are gone and hold."""
    if accepted is not None:
        lifted = [] if lost.held.is_empty() else [lost.lifted]
        return replace(facts, accepted_changes=[*accepted, *lifted])
    return replace(facts, notes=[*facts.notes, *lost.notes], is_degraded=facts.is_degraded or bool(lost.silent))


def _with_older_deliveries(facts: NightFacts, older: Sequence[str]) -> NightFacts:
    """The facts with a note for each table that came in an older delivery than last time: the night is degraded."""
    said = [
        f"{label_words(table).lower()}: the newest record is older than last time. Was an old delivery sent again?"
        for table in older
    ]
    return replace(facts, notes=[*facts.notes, *said], is_degraded=facts.is_degraded or bool(said))


def _run(night: Published, frames: NightFrames, facts: NightFacts) -> OutreachRun:
    return OutreachRun(night.folder, night.changed, night.is_current, frames.as_kept(night.folder), facts)
