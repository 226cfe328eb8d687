"""The nightly batch: four agencies' records in, one ranked, explained outreach list out.

The order of a night: permitted → spine → features → risk → eligible → needs → rank → household → allocate → reasons →
views → report → publish. Withdrawals come first and last, and also when scoring stops.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from ageingwell.bundle import Bundle, load_bundle
from ageingwell.config.load import Config
from ageingwell.config.score import Recipient
from ageingwell.context import Surroundings
from ageingwell.decisions.effects import previous_as_agreed
from ageingwell.decisions.following import tell_decisions
from ageingwell.errors import AgeingWellError, BundleError, KeyFileError, SourceError
from ageingwell.governance.recognised import manifest_of as recognised_manifest
from ageingwell.governance.recognised import sentences
from ageingwell.kept.frames import NightFrames, previous_list
from ageingwell.known import known_people
from ageingwell.night.attrition import account_for_everyone
from ageingwell.night.change import last_manifest, population_of, stop_on_change
from ageingwell.night.deciding import NOTHING_DECIDED, decided_tonight, read_decisions, with_recorded_contacts
from ageingwell.night.evidence import drift_of, evidence_of
from ageingwell.night.joining import (
    contacts_of,
    contributions_of,
    everybody,
    risks_of,
    scores_of,
    side_by_side,
    slow_models,
    with_reasons_and_keys,
    with_why_held,
)
from ageingwell.night.linking import last_links, with_fallen_links, with_links
from ageingwell.night.local import LocalDirectory, no_directory, read_local_directory, residents_of
from ageingwell.night.matches import low_matches
from ageingwell.night.sampling import draw_beeswarm
from ageingwell.night.taking_off import people_named, without_withdrawn
from ageingwell.night.telling import (
    compared_of,
    in_touch_of,
    peers_of,
    reasons_of,
    strongest_themes,
    with_evidence,
)
from ageingwell.night.track_record import Archive, settled_archive, track_record
from ageingwell.night.unlinked import unlinked_home_needs
from ageingwell.night.untold import columns_gone, needs_not_looked_for
from ageingwell.night.withdraw import find_withdrawn, withdraw_from_current
from ageingwell.night.write import NightFacts, describe_night, publish_night
from ageingwell.outreach.allocate import allocate
from ageingwell.outreach.eligible import eligible, with_homes_of_others
from ageingwell.outreach.flags import (
    Markers,
    exits,
    flagged,
    homes_under_markers,
    safeguarded,
    under_safeguarding,
    with_people_at,
)
from ageingwell.outreach.household import one_knock_a_door
from ageingwell.outreach.listing import compare_with_previous, list_rows, unplaced
from ageingwell.outreach.needs import find_needs, with_outcome
from ageingwell.outreach.rank import rank_people
from ageingwell.outreach.rules import need_rules
from ageingwell.permissions import marked
from ageingwell.permitted import held_people, permitted_or_stop
from ageingwell.pseudonyms import Key, row_key
from ageingwell.publish import Published, latest_before, publishing_lock, put_aside
from ageingwell.recognition.people import floors_to_keep
from ageingwell.sources.read import Records, is_made_up, read_agencies
from ageingwell.spine import deaths_told, latest_versions, sure_homes
from ageingwell.timeline import AsOf

RECIPIENTS: tuple[Recipient, ...] = ("group", "gp", "social_care", "housing", "fire", "voluntary", "safeguarding")


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
        with world.stage("withdraw"):
            key = _list_key_or_fault(list_key, data)
            usable = None if isinstance(key, AgeingWellError) else key
            withdraw_from_current(
                data,
                out=out,
                config=config,
                workspace=scratch / "first",
                on=as_of,
                key=usable,
                accept_change=accept_change,
                tell=world.tell,
            )
        if isinstance(key, AgeingWellError):
            raise key
        with world.stage("read"):
            records = read_agencies(
                data,
                config.tables,
                workspace=scratch / "records",
                max_refused_share=config.score.max_refused_share,
                progress=world.tell,
            )
            local = read_local_directory(config, on=as_of, made_up=records.made_up)
        previous = latest_before(out, as_of.isoformat())
        last_list = previous_list(previous)
        ledger = read_decisions(out, config=config, previous=previous)
        bundle = _suitable_bundle(config, records, allow_made_up=allow_made_up_bundle, cache=world.cache)
        frames, facts = outreach_list(
            records,
            as_of=AsOf(as_of),
            config=config,
            bundle=bundle,
            previous=last_list,
            archive=settled_archive(out, AsOf(as_of), config=config),
            key=key,
            world=world,
            ledger=ledger,
            local=local,
        )
        if previous is not None and last_list is None:
            facts["notes"].append("the last list cannot be read, so everybody counts as new")
        before = last_manifest(out, on=as_of)
        facts["columns_gone"] = columns_gone(facts["inputs"], before)
        facts["is_degraded"] = facts["is_degraded"] or bool(facts["columns_gone"])
        facts = with_fallen_links(facts, frames.links, before=last_links(out, on=as_of), config=config)
        if not accept_change:
            stop_on_change(
                facts, before=before, n_listed=frames.listed.height, max_lost_share=config.score.max_lost_share
            )
        with world.stage("withdraw again"):
            # An opt-out may have come while the night was worked out.
            gone = find_withdrawn(
                data, out=out, config=config, workspace=scratch / "last", on=as_of, listed=people_named(frames)
            )
            frames = without_withdrawn(frames, gone)
        with world.stage("publish"):
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


def outreach_list(
    records: Records,
    *,
    as_of: AsOf,
    config: Config,
    bundle: Bundle,
    previous: pl.DataFrame | None,
    archive: Archive | None,
    key: Key,
    world: Surroundings,
    ledger: pl.DataFrame = NOTHING_DECIDED,
    local: LocalDirectory | None = None,
) -> tuple[NightFrames, NightFacts]:
    """Work out the night from checked records: pure but for `world`, which times the stages.

    `ledger` is what the group decided on earlier lists, as `read_ledger` gives it; `local` its local services.
    """
    local = local or no_directory()
    settings = config.outreach
    sent, records = records, with_recorded_contacts(records, ledger, as_of=as_of)
    with world.stage("permitted"):
        gate = permitted_or_stop(
            records,
            config=config,
            purpose=config.score.purpose,
            recipients=RECIPIENTS,
            on=as_of.day,
            today=world.now().date(),
            sent=sent,
        )
        permitted, opted = gate.records, gate.opted
    with world.stage("spine"):
        known = known_people(gate, as_of, config=config)
        tables, spine = known.tables, known.spine
    with world.stage("features"):
        features = known.features()
    with world.stage("risk"):
        risks = risks_of(bundle, features, threads=config.score.threads)
        explained = contributions_of(bundle, features, threads=config.score.threads)
        peers = peers_of(spine, bundle, explained, risks, config)
        newest = latest_versions(sure_homes(permitted.tables["gp_patients"].rows))
        # Whose home is under safeguarding is asked of everybody registered, those who opted out of the rest included.
        registered_people = latest_versions(records.tables["gp_patients"].rows)
        guarded_homes = under_safeguarding(marked(opted, "safeguarding"), registered_people, on=as_of.day)
        markers = Markers(
            with_people_at(guarded_homes, gate.unsure), with_people_at(marked(opted, "staff_safety"), gate.unsure)
        )
        held = held_people(permitted)
        people = flagged(
            side_by_side(spine, features, risks),
            tables=tables,
            gone=exits(newest, told_dead=deaths_told(permitted.rows())["person_id"], on=as_of.day),
            markers=markers,
            held=held,
            as_of=as_of,
            codelists=config.codelists,
            thresholds=settings.thresholds,
        )
    with world.stage("eligible"):
        contacts = with_homes_of_others(contacts_of(permitted), people=people, registered=everybody(tables, as_of))
        decided = decided_tonight(ledger, records, opted, config=config, as_of=as_of)
        stay, left = eligible(
            people, contacts=contacts, settings=settings, as_of=as_of.day, resting=decided.resting(people)
        )
        left = with_why_held(left, held)
        agreed = decided.agreed(contacts)
    with world.stage("needs"):
        rules = need_rules(settings.thresholds)
        of_homes, homes_out = unlinked_home_needs(
            records, opted, tables, guarded=guarded_homes["household_id"], rules=rules, config=config, as_of=as_of
        )
        of_people = find_needs(people, rules=rules, interventions=config.interventions)
        needs = pl.concat([of_people, of_homes, decided.added_needs(agreed, people)])
    with world.stage("rank"):
        lot = row_key(pl.col("person_id"), recipient="lot", as_of=as_of.day, key=key)
        last_list = previous_as_agreed(previous, agreed=agreed)
        ranked = rank_people(stay, needs, previous=last_list, settings=settings, lot=lot)
        by_model = ranked.filter(pl.col("why").is_in(["model", "both"]))["person_id"]
        ranked = ranked.join(
            strongest_themes(explained, by_model, peers),
            on="person_id",
            how="left",
            maintain_order="left",
        )
    with world.stage("household"):
        doors = one_knock_a_door(ranked, needs, settings=settings)
    with world.stage("allocate"):
        shared = allocate(
            doors,
            capacity=settings.capacity,
            floors=floors_to_keep(settings.floors, known.words.counted),
            settings=settings,
            seed=config.score.seed,
        )
        rows = list_rows(shared.visits, ranked=ranked, needs=needs, settings=settings)
        left = pl.concat([left, unplaced(ranked, rows=rows)])
        rows, gone_since = compare_with_previous(rows, previous=previous, left=left)
    with world.stage("reasons"):
        listed = spine.filter(pl.col("person_id").is_in(rows["person_id"].implode()))
        reasons = reasons_of(explained, rows["person_id"], peers, risks, config)
        reasons = with_evidence(reasons, tables, listed, as_of, config=config)
        rows = rows.join(decided.told, on="person_id", how="left", maintain_order="left")
        rows = with_reasons_and_keys(rows, reasons, key=key, as_of=as_of)
    with world.stage("track record"):
        record = track_record(archive, tables, bundle=bundle, config=config)
    # The lead hears of everybody under a marker, of those who opted out too: a duty to protect is not opted out of.
    guarded = safeguarded(marked(opted, "safeguarding"), registered_people, left, on=as_of.day)
    needs = with_outcome(needs, listed=rows, left=left)
    frames = NightFrames(
        listed=rows,
        needs=homes_under_markers(needs, markers, note=settings.staff_safety_note),
        attrition=account_for_everyone(
            records, permitted, opted, tables, spine, left, rows, held=known.held, config=config, as_of=as_of
        ),
        scores=scores_of(stay, bundle),
        reasons=reasons,
        compared=compared_of(peers, rows["person_id"]),
        in_touch=in_touch_of(tables, listed, features, as_of),
        people=spine.filter(pl.col("person_id").is_in(pl.concat([rows["person_id"], guarded["person_id"]]).implode())),
        safeguarded=guarded,
        left_list=gone_since,
        just_missed=shared.just_missed,
        marginal=shared.marginal,
        beeswarm=draw_beeswarm(explained, stay["person_id"] if bundle.usable else None, seed=config.score.seed),
        drift=drift_of(bundle, features, seed=config.score.seed),
        residents=residents_of(spine, left),
        services=local.services,
        links=gate.links,
    )
    not_recognised = sentences(known.words)
    messages = [*shared.messages, *slow_models(bundle)]
    facts = describe_night(records, frames, bundle=bundle, config=config, as_of=as_of, messages=messages, record=record)
    facts["not_looked_for"] = needs_not_looked_for(rules, untold=known.untold, missing=records.missing)
    facts["population"] = population_of(people)
    facts["homes_left_out"] = homes_out.to_dicts()
    facts["decisions"] = tell_decisions(ledger, previous=previous, settings=settings.decisions, as_of=as_of.day)
    if facts["decisions"]["warning"]:
        facts["messages"].append(facts["decisions"]["warning"])
    facts["notes"] = [*gate.doubts, *low_matches(permitted, known.unsure, on=as_of.day), *not_recognised]
    facts["recognised"] = recognised_manifest(known.words)
    facts["dmd_to_bnf"] = None if gate.dmd_to_bnf is None else gate.dmd_to_bnf.told()
    is_degraded = facts["is_degraded"] or local.is_missing or bool(not_recognised)
    return frames, with_links(facts | {"directory": dict(local.told), "is_degraded": is_degraded}, gate.links, config)


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
    return OutreachRun(night.folder, night.changed, night.is_current, frames, facts)
