"""A night worked out from checked records: shards of people first, then what concerns the group.

permitted → shards → register → people → rank → doors → allocate → tell. What passes between is a sum of whole numbers,
a few people, or a file of a shard; so the list is the same, byte for byte, however the people are split.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Final

import polars as pl

from ageingwell.bundle import Bundle
from ageingwell.config.load import Config
from ageingwell.config.outreach import OutreachSettings
from ageingwell.context import Surroundings
from ageingwell.contracts.kept import Residents
from ageingwell.contracts.made import Attrition, Scores
from ageingwell.decisions.effects import held_visits, previous_as_agreed, with_days_named
from ageingwell.decisions.following import since_last, tell_decisions
from ageingwell.decisions.remembering import last_times, plans_in_force
from ageingwell.engines.engine import Engine
from ageingwell.engines.local import LocalEngine
from ageingwell.governance.disclosure import in_words
from ageingwell.governance.night_facts import LotFacts, NightFacts, TrackRecordFacts
from ageingwell.governance.recognised import manifest_of as recognised_manifest
from ageingwell.governance.recognised import sentences
from ageingwell.kept.frames import NightFrames
from ageingwell.model.contributions import merge_sums
from ageingwell.night.accounting import account_for_rows, rates_by_group
from ageingwell.night.attrition import (
    HELD_REASON,
    account_for_eligible,
    in_order,
    refused_altogether,
    still_ours,
)
from ageingwell.night.change import population_of
from ageingwell.night.coarsening import coarsened_rows, told_of_coarsened
from ageingwell.night.deciding import NOTHING_DECIDED, decided_tonight, with_recorded_contacts
from ageingwell.night.draws import FACTS_COMPARED, PEOPLE_DRAWN, drawn_of_all
from ageingwell.night.evidence import drift_of
from ageingwell.night.first_pass import CONTACTS, Registered, keep, kept, register_shard
from ageingwell.night.for_commissioners import counted_for_commissioners
from ageingwell.night.gathering import gathered, in_order_of_people, rows_of
from ageingwell.night.groups import count_groups, listed_by_group
from ageingwell.night.joining import contributions_of, slow_models, with_reasons_and_keys
from ageingwell.night.linking import with_links
from ageingwell.night.local import LocalDirectory, no_directory
from ageingwell.night.matches import low_matches
from ageingwell.night.models import remember
from ageingwell.night.offers import RANKED, Ordered, offer_at_doors
from ageingwell.night.past_events import ORDER as PAST_EVENTS_ORDER
from ageingwell.night.people import (
    ACCOUNTED,
    FEATURES,
    LEFT_FRAME,
    NEEDS,
    RESIDENTS,
    SCORES,
    Judged,
    Worked,
    work_shard,
)
from ageingwell.night.ranking import rank_everybody
from ageingwell.night.sampling import beeswarm_of
from ageingwell.night.shards import REGISTER, split_into_shards
from ageingwell.night.tell import Named, tell_shard
from ageingwell.night.tonight import Part, Tonight
from ageingwell.night.track_record import Archive, follow_shard, track_record
from ageingwell.night.untold import needs_not_looked_for
from ageingwell.night.write import describe_night
from ageingwell.outreach.allocate import Allocation, allocate
from ageingwell.outreach.eligible import LEFT
from ageingwell.outreach.flags import homes_under_markers, safeguarded, under_safeguarding
from ageingwell.outreach.listing import compare_with_previous, list_rows
from ageingwell.outreach.lot import LOT, NO_LOT, left_out, lot_of, week_of
from ageingwell.outreach.needs import with_outcome
from ageingwell.outreach.rules import need_rules
from ageingwell.peers import PeerGroups, alike_in, compare_cells
from ageingwell.permissions import marked, without_barred
from ageingwell.permitted import gate_or_stop
from ageingwell.pseudonyms import Key
from ageingwell.recognition.link_floors import stop_on_strangers
from ageingwell.recognition.links import add_links, links_of_people_and_homes
from ageingwell.recognition.people import Recognised, floors_to_keep
from ageingwell.recognition.sums import add_counts, judge
from ageingwell.register import RECIPIENTS
from ageingwell.sources.read import Records
from ageingwell.spine import agencies_contacting_homes, known_tables, latest_versions
from ageingwell.timeline import AsOf

ALL_ACCOUNTED: Final = "all_accounted"
LEFT_STEPS: Final = ("eligible", "rank", "allocate")


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
    workspace: Path,
    made: Path | None = None,
    ledger: pl.DataFrame = NOTHING_DECIDED,
    last_night: date | None = None,
    local: LocalDirectory | None = None,
    engine: Engine | None = None,
    n_shards: int = 1,
    lots: pl.DataFrame = NO_LOT,
    held: pl.DataFrame | None = None,
) -> tuple[NightFrames, NightFacts]:
    """Work out the night from checked records, in `n_shards` shards kept in the folder `workspace`.

    `made` is where the frames of everybody are put, which have to stay as long as the night that is given; without it a
    folder of `workspace`. `ledger` is what the group decided on earlier lists, as `read_ledger` gives it, and
    `last_night` the day of the list `previous`; `lots` everybody who took part in a lot before (`LOT`); `local` its
    local services; `held` are opt-outs that were sent before and hold all the same, as `gate_or_stop` takes them;
    `engine` says where the shards are worked, without one in this process.
    """
    local, engine = local or no_directory(), engine or LocalEngine()
    with world.stage("permitted"):
        tonight = _tonight(records, ledger, as_of=as_of, config=config, bundle=bundle, world=world, held=held)
    with world.stage("shards"):
        shards = split_into_shards(tonight.records, as_of, n_shards=n_shards, folder=workspace)
    parts = [Part(shard, tonight.without_rows()) for shard in shards]
    with world.stage("register"):
        registered = engine.map(register_shard, parts)
        links = _links(registered, records, as_of, config)
        judged = _judged(registered, config, tonight.decided.noes)
    with world.stage("people"):
        worked = engine.map(partial(work_shard, judged=judged), parts)
        peers = _peers(worked, config)
    with world.stage("rank"):
        rank_everybody(parts, key=key)
        ordered = Ordered(
            n_people=sum(part.n_eligible for part in worked),
            previous=previous_as_agreed(previous, agreed=judged.agreed),
            peers=peers,
            losers=left_out(lots, on=as_of.day)["person_id"],
        )
    with world.stage("doors"):
        offers = engine.map(partial(offer_at_doors, ordered=ordered), parts)
    with world.stage("allocate"):
        shared = allocate(
            pl.concat(offers),
            capacity=config.outreach.capacity,
            floors=floors_to_keep(config.outreach.floors, judged.counted),
            settings=config.outreach,
            seed=config.score.seed,
            lot_week=week_of(as_of.day),
            never_drawn=_not_drawn(parts, config.outreach),
            worker_places=config.costs.visits_a_worker,
        )
    kept_at = made or workspace / "made"
    night = _Night(
        records, tonight, parts, registered, worked, judged, shared, peers, previous, last_night, kept_at, lots
    )
    with world.stage("tell"):
        frames = _frames(night, engine, key=key, links=links, bundle=bundle, local=local)
    with world.stage("track record"):
        followed = None
        if archive is not None:
            follow = partial(follow_shard, archive=archive, judged=judged)
            followed = pl.concat(engine.map(follow, parts))
        record = track_record(archive, followed, bundle=bundle)
    with world.stage("account"):
        facts = replace(
            _facts(night, frames, bundle=bundle, record=record, ledger=ledger, local=local),
            rows=account_for_rows(records, tonight, parts, **_considered(frames)),
            rates_by_group=rates_by_group(records, tonight, links) | {"listed": _listed_by_group(worked, frames)},
        )
    return frames, with_links(facts, links, config)


def _listed_by_group(worked: Sequence[Worked], frames: NightFrames) -> list[dict[str, Any]]:
    """Who may be offered help and who is listed, by group, as the manifest may tell it."""
    listed = frames.people.join(frames.listed, on="person_id", how="semi")
    return listed_by_group(pl.concat([part.groups for part in worked]), count_groups(listed))


def _considered(frames: NightFrames) -> dict[str, pl.Series]:
    """Everybody registered of the age asked for, who may be used, and the homes where they live."""
    before = pl.col("step").is_in(["read", "permitted", "spine"])
    people = frames.attrition.lazy().filter(~before).select(pl.col("person_id").drop_nulls().unique()).collect()
    homes = frames.residents.lazy().select(pl.col("household_id").drop_nulls().unique()).collect()
    return {"people": people["person_id"], "homes": homes["household_id"]}


@dataclass(frozen=True)
class _Night:
    """What a night has worked out by the time its list is known."""

    records: Records
    tonight: Tonight
    parts: list[Part]
    registered: list[Registered]
    worked: list[Worked]
    judged: Judged
    shared: Allocation
    peers: PeerGroups | None
    previous: pl.DataFrame | None
    last_night: date | None
    folder: Path
    lots: pl.DataFrame


def _tonight(
    records: Records,
    ledger: pl.DataFrame,
    *,
    as_of: AsOf,
    config: Config,
    bundle: Bundle,
    world: Surroundings,
    held: pl.DataFrame | None,
) -> Tonight:
    """What is decided over all records before they are split; stops where this night may not be."""
    with_told = with_recorded_contacts(records, ledger, as_of=as_of)
    gate = gate_or_stop(
        with_told,
        config=config,
        purpose=config.score.purpose,
        recipients=RECIPIENTS,
        on=as_of.day,
        today=world.now().date(),
        held=held,
    )
    remember(bundle)
    permitted = gate.let_through(with_told)
    guarded = marked(gate.opted, "safeguarding")
    # Whose home is under safeguarding is asked of everybody registered, those who opted out of the rest included.
    versions = _newest_of(with_told, guarded["person_id"])
    return Tonight(
        as_of=as_of,
        config=config,
        # Whether codes were filled in is told by all rows, so the columns are those of what was let through.
        records=permitted.with_rows(with_told.rows()),
        gate=gate,
        contacting=_contacting(permitted, as_of, config),
        guarded=under_safeguarding(guarded, versions, on=as_of.day),
        staff_safety=marked(gate.opted, "staff_safety"),
        decided=decided_tonight(ledger, gate.barred, config=config, as_of=as_of),
        bundle_digest=bundle.digest,
        cache=bundle.cache,
    )


def _contacting(permitted: Records, as_of: AsOf, config: Config) -> tuple[str, ...]:
    """The agencies that contact homes, by all contacts that may be used and were known."""
    contacts = {name: table for name, table in permitted.tables.items() if name == CONTACTS}
    return tuple(agencies_contacting_homes(known_tables(replace(permitted, tables=contacts), as_of, config.tables)))


def _newest_of(records: Records, people: pl.Series) -> pl.DataFrame:
    """The newest row of the register of some people."""
    asked = people.drop_nulls().unique().to_frame("person_id").lazy()
    return latest_versions(records.tables[REGISTER].rows.join(asked, on="person_id", how="semi"))


def _links(registered: list[Registered], records: Records, as_of: AsOf, config: Config) -> pl.DataFrame:
    """How much of each table meets the register, as sent; stops where a table meets nobody."""
    rows = records.rows()
    both = [
        links_of_people_and_homes(name, rows[name], rows[REGISTER], as_of)
        for name in (CONTACTS, "permissions")
        if name in rows
    ]
    links = add_links([*(part.links for part in registered), *both])
    stop_on_strangers(links, config.tables)
    return links


def _judged(registered: list[Registered], config: Config, noes: pl.DataFrame) -> Judged:
    sums = add_counts([part.sums for part in registered])
    # A visit is made as soon as one shard knows a contact that made it.
    agreed = registered[0].agreed
    for part in registered[1:]:
        agreed = agreed.join(part.agreed, on="person_id", how="semi", maintain_order="left")
    newest = {
        name: max((day for part in registered if (day := part.newest[name]) is not None), default=None)
        for name in registered[0].newest
    }
    held = held_visits(agreed, noes)
    agreed = agreed.join(held, on="person_id", how="anti", maintain_order="left")
    return Judged(sums, judge(sums, config.score.recognition), agreed, held, newest)


def _peers(worked: list[Worked], config: Config) -> PeerGroups | None:
    """Whom everybody is compared with; None where the bundle is not usable and no figure is told."""
    contributions = [part.contributions for part in worked if part.contributions is not None]
    risks = [part.risks for part in worked if part.risks is not None]
    if not contributions:
        return None
    alike = alike_in(pl.concat([part.cells for part in worked]), minimum_age=config.score.minimum_age)
    risk_sums = pl.concat(risks).group_by("label").agg(pl.col("units").sum())
    return compare_cells(alike, merge_sums(contributions), risk_sums)


def _frames(
    night: _Night, engine: Engine, *, key: Key, links: pl.DataFrame, bundle: Bundle, local: LocalDirectory
) -> NightFrames:
    tonight, parts, shared, made = night.tonight, night.parts, night.shared, night.folder
    settings = tonight.config.outreach
    visited = shared.visits.select(pl.col("person_ids").explode()).to_series()
    ranked, of_visited = rows_of(parts, RANKED, visited), rows_of(parts, NEEDS, visited)
    rows = list_rows(shared.visits, ranked=ranked, needs=of_visited, settings=settings, as_of=tonight.as_of.day)
    listed, previous = rows["person_id"], night.previous
    losers = left_out(night.lots, on=tonight.as_of.day)
    accounted = [_accounted(part, listed, losers) for part in parts]
    counts = in_order(pl.concat([*accounted, refused_altogether(night.records)]))
    rows, gone_since = compare_with_previous(rows, previous=previous, left=_left_of(parts, previous))
    guarded = _safeguarded(night)
    named = Named(listed, guarded["person_id"].drop_nulls(), night.peers, night.judged.newest)
    told = engine.map(partial(tell_shard, named=named), parts)
    reasons = pl.concat([part.reasons for part in told])
    rows = rows.join(tonight.decided.told, on="person_id", how="left", maintain_order="left")
    rows = with_days_named(rows, night.judged.agreed)
    found = gathered(parts, NEEDS).sort("person_id", "household_id", "need", nulls_last=True)
    needs = with_outcome(found, listed=rows)
    seed = tonight.config.score.seed
    return NightFrames(
        listed=with_reasons_and_keys(rows, reasons, key=key, as_of=tonight.as_of),
        needs=homes_under_markers(needs, tonight.markers, note=settings.staff_safety_note),
        attrition=in_order_of_people(
            parts, ALL_ACCOUNTED, contract=Attrition, to=made / "attrition.parquet", first=counts
        ),
        scores=in_order_of_people(parts, SCORES, contract=Scores, to=made / "scores.parquet"),
        reasons=reasons.sort("person_id", "position"),
        recorded=pl.concat([part.recorded for part in told]).sort("person_id", "need", "position"),
        compared=pl.concat([part.compared for part in told]).sort("person_id"),
        in_touch=pl.concat([part.in_touch for part in told]).sort("person_id", "agency"),
        past_events=pl.concat([part.past_events for part in told]).sort(PAST_EVENTS_ORDER),
        people=pl.concat([part.people for part in told]).sort("person_id"),
        safeguarded=guarded,
        left_list=gone_since,
        just_missed=shared.just_missed,
        marginal=shared.marginal,
        beeswarm=_beeswarm(night, bundle, seed),
        drift=drift_of(bundle, _drawn(night, "compared", FACTS_COMPARED, seed), seed=seed),
        residents=in_order_of_people(parts, RESIDENTS, contract=Residents, to=made / "residents.parquet"),
        services=local.services,
        links=links,
        lot=_lots(night),
        coarsened=coarsened_rows(rows, [part.shared for part in told], tonight.config),
        counted=counted_for_commissioners(
            parts,
            needs=needs,
            listed=listed,
            entries=tonight.decided.entries,
            worker=shared.one_more_worker,
        ),
        **_remembered(night, rows, gone_since),
    )


def _remembered(night: _Night, rows: pl.DataFrame, gone: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """What the ledger tells of people on the list or whose visit is held, the plans that go on, and exact counts."""
    decided, judged, on = night.tonight.decided, night.judged, night.tonight.as_of.day
    plans = plans_in_force(decided.entries, as_of=on)
    asked = pl.concat([rows["person_id"], judged.held["person_id"], plans["person_id"]]).unique()
    named = still_ours(rows_of(night.parts, ALL_ACCOUNTED, asked))
    held = judged.held.join(named.filter(reason=HELD_REASON), on="person_id", how="semi", maintain_order="left")
    told = last_times(decided.entries, decided=decided.rows, agreed=judged.agreed, held=held)
    of_group = pl.concat([rows["person_id"], held["person_id"]])
    return {
        "last_time": told.filter(pl.col("person_id").is_in(of_group.implode())),
        "plans": plans.join(named, on="person_id", how="semi", maintain_order="left"),
        "since_last": since_last(
            decided.entries,
            previous=night.previous,
            last_night=night.last_night,
            rows=rows,
            still_to_do=pl.concat([judged.agreed["person_id"], judged.held["person_id"]]),
            n_held=held.height,
            n_left=gone.height,
        ),
    }


def _not_drawn(parts: Sequence[Part], settings: OutreachSettings) -> pl.Series:
    """Who never takes part in the lot: people with a need that the group keeps out of it."""
    if settings.random_share == 0 or not settings.lot_never_needs:
        return pl.Series("person_id", [], dtype=pl.String)
    return (
        gathered(parts, NEEDS).filter(pl.col("need").is_in(settings.lot_never_needs))["person_id"].drop_nulls().unique()
    )


def _lots(night: _Night) -> pl.DataFrame:
    """Tonight's lot after all before; of nobody who opted out since."""
    tonight, settings = night.tonight, night.tonight.config.outreach
    on = tonight.as_of.day
    drawn = lot_of(night.shared.draw, on=on, left_out_days=settings.lot_left_out_days, week=week_of(on))
    before = without_barred({"lot": night.lots.lazy()}, tonight.gate.barred)["lot"].collect()
    return pl.concat([before.select(LOT.names()).cast(LOT), drawn])


def _accounted(part: Part, listed: pl.Series, losers: pl.DataFrame) -> pl.DataFrame:
    """Account for everybody of a shard, those who could be offered help among them; gives those only counted."""
    everybody = pl.concat([kept(part, ACCOUNTED), account_for_eligible(kept(part, RANKED), listed, losers=losers)])
    keep(part, ALL_ACCOUNTED, everybody.filter(pl.col("person_id").is_not_null()))
    return everybody.filter(pl.col("person_id").is_null())


def _left_of(parts: Sequence[Part], previous: pl.DataFrame | None) -> pl.DataFrame:
    """Where those of the last list left tonight, who are not on it any more."""
    asked = pl.Series("person_id", [], dtype=pl.String) if previous is None else previous["person_id"]
    rows = rows_of(parts, ALL_ACCOUNTED, asked)
    return rows.filter(pl.col("step").is_in(LEFT_STEPS)).select(LEFT.names())


def _safeguarded(night: _Night) -> pl.DataFrame:
    """Whom the safeguarding lead hears of: of everybody under a marker, of those who opted out too.

    A duty to protect is not opted out of.
    """
    markers, on = marked(night.tonight.gate.opted, "safeguarding"), night.tonight.as_of.day
    left = pl.concat(
        [kept(part, LEFT_FRAME).filter(pl.col("reason").str.starts_with("safeguarding")) for part in night.parts]
    )
    people = pl.concat([markers["person_id"], left["person_id"]])
    return safeguarded(markers, _newest_of(night.tonight.records, people), left, on=on)


def _drawn(night: _Night, name: str, n: int, seed: int) -> pl.DataFrame:
    """The features of the people drawn of all, sorted by person_id."""
    people = drawn_of_all([getattr(part, name) for part in night.worked], n, seed=seed)
    return rows_of(night.parts, FEATURES, people).sort("person_id")


def _beeswarm(night: _Night, bundle: Bundle, seed: int) -> pl.DataFrame:
    features = _drawn(night, "drawn", PEOPLE_DRAWN, seed)
    threads = night.tonight.config.score.threads
    return beeswarm_of(contributions_of(bundle, features if bundle.usable else features.clear(), threads=threads))


def _facts(
    night: _Night,
    frames: NightFrames,
    *,
    bundle: Bundle,
    record: TrackRecordFacts | None,
    ledger: pl.DataFrame,
    local: LocalDirectory,
) -> NightFacts:
    tonight, config = night.tonight, night.tonight.config
    records, gate = night.records, tonight.gate
    words = Recognised(night.judged.counted, night.judged.sums.labels, pl.DataFrame())
    not_recognised = sentences(words)
    messages = [*night.shared.messages, *slow_models(bundle)]
    facts = describe_night(
        records, frames, bundle=bundle, config=config, as_of=tonight.as_of, messages=messages, record=record
    )
    homes_out = pl.concat([part.homes_out for part in night.worked])
    decisions = tell_decisions(
        ledger, previous=night.previous, settings=config.outreach.decisions, as_of=tonight.as_of.day
    )
    for_the_chair = decisions["warning"]
    unsure = pl.concat([part.unsure for part in night.registered])
    permitted = gate.let_through(tonight.records)
    return replace(
        facts,
        not_looked_for=needs_not_looked_for(
            need_rules(config.outreach.thresholds), untold=tonight.records.untold(), missing=records.missing
        ),
        population=population_of(pl.concat([part.population for part in night.worked])),
        homes_left_out=homes_out.group_by("reason").agg(pl.col("n").sum()).sort("reason").to_dicts(),
        decisions=decisions,
        messages=[*facts.messages, *([for_the_chair] if for_the_chair else [])],
        notes=[*gate.doubts, *low_matches(permitted, unsure, on=tonight.as_of.day), *not_recognised],
        recognised=recognised_manifest(words),
        dmd_to_bnf=None if gate.dmd_to_bnf is None else gate.dmd_to_bnf.told(),
        directory=local.told,
        coarsened=told_of_coarsened(frames.coarsened),
        is_degraded=facts.is_degraded or local.is_missing or bool(not_recognised),
        lot=_lot_facts(night),
    )


def _lot_facts(night: _Night) -> LotFacts:
    """What the manifest tells of tonight's lot; nothing where none is held."""
    config, draw = night.tonight.config, night.shared.draw
    if config.outreach.random_share == 0:
        return LotFacts()
    return LotFacts(
        seed=config.score.seed,
        week=week_of(night.tonight.as_of.day),
        random_share=config.outreach.random_share,
        left_out_days=config.outreach.lot_left_out_days,
        never_needs=list(config.outreach.lot_never_needs),
        n_doors=in_words(draw.height),
        n_won=in_words(int(draw["is_won"].sum())),
    )
