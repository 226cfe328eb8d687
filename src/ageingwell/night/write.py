"""A night's files: what is told of it, and writing all of them in one step."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl

from ageingwell.audit.chain import Head
from ageingwell.bundle import Bundle
from ageingwell.checksums import SUMS
from ageingwell.config.load import Config
from ageingwell.context import Surroundings, peak_memory_bytes
from ageingwell.decisions.tables import LIST_UNTIL
from ageingwell.disk import DISK
from ageingwell.governance.manifest import (
    as_manifest,
    describe_bundle,
    describe_inputs,
    describe_ledger,
    library_versions,
)
from ageingwell.governance.night_facts import NightFacts, StepFacts, TrackRecordFacts
from ageingwell.governance.week import describe_week
from ageingwell.kept.frames import NIGHT_FORMAT, NightFrames, save_frames
from ageingwell.kept.measured import save_measured
from ageingwell.kept.quarters import COMMISSIONING, counts_before, keep_page, kept_brief, kept_page, pages_before
from ageingwell.kept.sealed import seal_night
from ageingwell.night.before import before_of, plans_of
from ageingwell.night.evidence import save_evidence
from ageingwell.night.nearby import (
    brief_files,
    brief_of,
    commissioning_page,
    community_of,
    exports,
    local_offers,
    with_local_offers,
    with_offers_on_pages,
)
from ageingwell.pseudonyms import Key
from ageingwell.pseudonyms.list_seal import LIST_SEAL, SEALED_FOR, list_seal
from ageingwell.publish import Published, publish_folder, staged, write_bytes
from ageingwell.register import LEAD_AGENCIES, Recipient
from ageingwell.report.annex import Evidence, annex_sections
from ageingwell.report.charts.svg import can_draw
from ageingwell.report.commissioning import counts_behind, published
from ageingwell.report.csv import agency_csv
from ageingwell.report.glance import agency_glance
from ageingwell.report.html import agency_html, annex_html, report_html
from ageingwell.report.link_table import link_sections
from ageingwell.report.people import people_told
from ageingwell.report.person import Person
from ageingwell.report.safe_to_use import safe_to_use
from ageingwell.report.section import Section
from ageingwell.report.since_last import since_last_list
from ageingwell.report.summary import notices, outcome_words, summarise
from ageingwell.report.track_record import works_less_well_for
from ageingwell.report.workbook import agency_workbook, safeguarding_workbook
from ageingwell.sources.read import Records
from ageingwell.timeline import AsOf
from ageingwell.views.apart import homes_for, safeguarding_view
from ageingwell.views.columns import AgencyView
from ageingwell.views.own_records import with_own_records
from ageingwell.views.practices import practice_views
from ageingwell.views.recipient import view_for


def describe_night(
    records: Records,
    frames: NightFrames,
    *,
    bundle: Bundle,
    config: Config,
    as_of: AsOf,
    messages: Sequence[str],
    record: TrackRecordFacts | None = None,
) -> NightFacts:
    """Everything a reader or an auditor is told of the night; no value of a record and no name.

    `record` is the track record of past lists, if there is one.
    """
    groups = bundle.tables.get(bundle.ranking_outcome, {}).get("groups")
    inputs = describe_inputs(records, config, as_of=as_of.day)
    return NightFacts(
        format=NIGHT_FORMAT,
        as_of=as_of.day,
        purpose=config.score.purpose,
        minimum_age=config.score.minimum_age,
        made_up=records.made_up,
        key_fingerprint=records.key_fingerprint,
        is_degraded=bool(records.missing),
        missing=list(records.missing),
        late=[name for name, told in inputs.items() if told["is_late"]],
        messages=list(messages),
        rules_only=not bundle.usable,
        inputs=inputs,
        steps=_steps(frames.counts()),
        capacity=config.outreach.capacity.places(),
        week=describe_week(frames.listed, frames.needs, frames.counts()),
        expires_on=(as_of.day + timedelta(days=config.score.lists.expire_after_days)).isoformat(),
        bundle=describe_bundle(bundle),
        config=config.digest,
        ledger=describe_ledger(config),
        versions=dict(library_versions()),
        track_record=record,
        works_less_well_for=[] if groups is None or not bundle.usable else works_less_well_for(groups),
    )


def as_published(facts: NightFacts, frames: NightFrames, *, key: Key) -> NightFacts:
    """The facts as the night is published: with the people counted once more, and the key of its rows."""
    return replace(
        facts,
        steps=_steps(frames.counts()),
        week=describe_week(frames.listed, frames.needs, frames.counts()),
        withdrawn=count_withdrawn(frames),
        list_key=key.fingerprint,
        sums=SUMS,
    )


def publish_night(
    frames: NightFrames,
    facts: NightFacts,
    records: Records,
    *,
    out: Path,
    config: Config,
    key: Key,
    evidence: Evidence,
    world: Surroundings,
    measures: pl.DataFrame | None = None,
    refused: Mapping[str, pl.DataFrame] | None = None,
    audit_head: Head | None = None,
) -> Published:
    """Write every file of the night into a staged folder and make it current in one step.

    `facts` are those that `as_published` gives; `measures` the figures of the deliveries; `refused` holds what was
    refused of sources that are no table of an agency, by name. `audit_head` is the line of the audit log that says that
    this run began: `run.json` keeps it.
    """
    name = facts.as_of.isoformat()
    with staged(out, name=name) as folder:
        DISK.make_folder(folder / "refused")
        for table in records.tables.values():
            if table.n_refused:
                DISK.write_frame(folder / "refused" / f"{table.name}.parquet", table.refused)
        for source, rows in (refused or {}).items():
            if not rows.is_empty():
                DISK.write_frame(folder / "refused" / f"{source}.parquet", rows)
        # Drawn from the frames and facts alone: the same ones give the same bytes.
        save_frames(frames, folder, seal=seal_of(frames.listed, facts, key=key))
        save_evidence(evidence, folder)
        if measures is not None:
            save_measured(measures, folder)
        write_bytes(folder / "manifest.json", as_json(as_manifest(facts.plain())))
        of_quarter, brief = _of_quarter(frames, facts, out=out, config=config)
        drawn = draw_pages(frames, facts, evidence, config=config, key=key, of_quarter=of_quarter, brief=brief)
        write_pages(folder, drawn)
        write_bytes(folder / "run.json", as_json(_run(world, audit_head)))
        seal_night(folder)
        return publish_folder(folder, out, name=name, today=world.now().date())


def _of_quarter(frames: NightFrames, facts: NightFacts, *, out: Path, config: Config) -> tuple[bytes, bytes | None]:
    """The quarter's page for commissioners and its brief: those made already or, on its first good night, new ones."""
    on = facts.as_of
    made = kept_page(out, on, is_degraded=facts.is_degraded)
    if made is not None:
        return made, kept_brief(out, on)
    before, earlier = counts_before(out, on), pages_before(out, on)
    community = community_of(frames, facts, config=config, before=before, earlier=earlier)
    numbers = published(community, counts_behind(community))
    page = commissioning_page(community, facts, config=config, notices=notices(facts), numbers=numbers)
    brief = brief_of(community, facts, config=config, numbers=numbers, notices=notices(facts))
    keep_page(out, on, page, counts=numbers, brief=brief)
    return page, brief


def seal_of(listed: pl.DataFrame, facts: NightFacts, *, key: Key) -> dict[str, str]:
    """What says in a list of pseudonyms that it is one of ours, whole, of which night, and until when it is used."""
    own = key.for_recipient(SEALED_FOR)
    told = {LIST_SEAL: list_seal(listed["person_id"], listed["household_id"], as_of=facts.as_of, key=own)}
    until = {} if facts.expires_on is None else {LIST_UNTIL: facts.expires_on}
    return told | until | {"night": facts.as_of.isoformat()}


def count_withdrawn(frames: NightFrames) -> list[StepFacts]:
    """How many people were taken off after the list was made, by reason."""
    return _steps(frames.counts().filter(step="withdrawn"))


def _steps(counts: pl.DataFrame) -> list[StepFacts]:
    return [
        {"step": step, "reason": reason, "n": n} for step, reason, n in counts.select("step", "reason", "n").iter_rows()
    ]


def write_pages(folder: Path, pages: Mapping[str, bytes]) -> None:
    """Write pages and workbooks, by file name, into a night's folder."""
    for place in sorted({(folder / name).parent for name in pages}):
        DISK.make_folders(place)
    for name, content in pages.items():
        write_bytes(folder / name, content)


def agency_files(
    agency: Recipient, frames: NightFrames, facts: NightFacts, *, config: Config, key: Key
) -> dict[str, bytes]:
    """Every file that one agency gets of a night, by its name: all of them drawn from that agency's view alone."""
    told = notices(facts)
    view, homes = _view(agency, frames, facts, config, key), _homes(agency, frames, facts, config, key)
    people = _people(view, frames, facts, config, key)
    files = _files_of(f"agencies/{agency}", view, homes, people, facts, told)
    for part in practice_views(view, frames.people, key=key):
        of_part = _people(part, frames, facts, config, key)
        files |= _files_of(f"agencies/{agency}/{part.practice}", part, None, of_part, facts, told)
    return files


def _files_of(
    name: str,
    view: AgencyView,
    homes: AgencyView | None,
    people: list[Person],
    facts: NightFacts,
    told: Sequence[str],
) -> dict[str, bytes]:
    """The workbook, CSV, page and files for machines of one view, under one name."""
    page = agency_html(
        view,
        notices=told,
        homes=homes,
        people=people,
        outcome=outcome_words(facts),
        told=agency_glance(view, facts=facts, reads_risk=bool(people)),
    )
    return {
        f"{name}.xlsx": agency_workbook(view, notices=told, homes=homes),
        f"{name}.csv": agency_csv(view, notices=told),
        f"{name}.html": page,
        **exports(view, name, notices=told),
    }


def draw_pages(
    frames: NightFrames,
    facts: NightFacts,
    evidence: Evidence,
    *,
    config: Config,
    key: Key,
    of_quarter: bytes | None = None,
    brief: bytes | None = None,
) -> dict[str, bytes]:
    """Every page and workbook of a night by its file name; `of_quarter` is the quarter's page for commissioners, and
    `brief` its brief for co-design in Markdown."""
    told = notices(facts)
    pages: dict[str, bytes] = {}
    for agency in LEAD_AGENCIES:
        pages |= agency_files(agency, frames, facts, config=config, key=key)
    group = _view("group", frames, facts, config, key)
    summary = summarise(
        group,
        facts=facts,
        attrition=frames.counts(),
        needs=frames.needs,
        gone=frames.left_list,
        just_missed=frames.just_missed,
        marginal=frames.marginal,
        people=_people(group, frames, facts, config, key),
        since_last=since_last_list(
            frames.since_last,
            gone=frames.left_list,
            last_time=frames.last_time,
            plans=frames.plans,
            as_of=facts.as_of,
            key=key,
        ),
    )
    apart = safeguarding_view(
        frames.safeguarded,
        needs=frames.needs,
        people=frames.people,
        ledger=config.ledger,
        as_of=facts.as_of,
        key=key,
        settings=config.outreach,
    )
    apart = replace(apart, keys=_keys("safeguarding", facts, key), use_until=facts.use_until)
    return pages | {
        "group.xlsx": agency_workbook(
            group, notices=told, plans=plans_of(group, frames, facts, config=config, key=key)
        ),
        **exports(group, "group", notices=told),
        "report.html": report_html(summary),
        "annex.html": annex_html(
            summary,
            sections=_annex(frames, evidence, summary, config),
            safe=safe_to_use(facts, evidence.tables),
        ),
        COMMISSIONING: of_quarter
        or commissioning_page(community_of(frames, facts, config=config), facts, config=config, notices=told),
        **brief_files(brief),
        "safeguarding.xlsx": safeguarding_workbook(apart, notices=told),
    }


def _annex(frames: NightFrames, evidence: Evidence, summary: Mapping[str, Any], config: Config) -> list[Section]:
    sections = annex_sections(
        evidence,
        beeswarm=frames.beeswarm,
        listed=frames.listed,
        reasons=frames.reasons,
        scores=frames.of_listed("scores"),
        drift=frames.drift,
        shows_risk=summary["shows_risk"],
        signed=config.may_lower,
        charts=config.score.annex_charts and can_draw(),
    )
    return [*sections, *link_sections(frames.links)]


def _view(recipient: Recipient, frames: NightFrames, facts: NightFacts, config: Config, key: Key) -> AgencyView:
    view = view_for(
        recipient,
        rows=frames.listed,
        needs=frames.needs,
        reasons=frames.reasons,
        people=frames.people,
        ledger=config.ledger,
        as_of=facts.as_of,
        key=key,
        settings=config.outreach,
        interventions=config.interventions,
        recorded=frames.recorded,
        remembered=before_of(recipient, frames, facts, config=config),
        less=frames.coarsened,
    )
    view = replace(view, keys=_keys(recipient, facts, key), use_until=facts.use_until)
    view = with_local_offers(view, local_offers(view, frames, facts, config=config), facts)
    return with_own_records(view, frames.past_events, ledger=config.ledger, key=key)


def view_of(recipient: Recipient, frames: NightFrames, facts: NightFacts, *, config: Config, key: Key) -> AgencyView:
    """What one recipient sees of a night; `NotPermittedError` where the ledger has no view for it."""
    return _view(recipient, frames, facts, config, key)


def _keys(recipient: str, facts: NightFacts, key: Key) -> tuple[str, str] | None:
    """The fingerprints of the keys of the pseudonyms and of this recipient's rows; none where records do not tell."""
    return None if facts.key_fingerprint is None else (facts.key_fingerprint, key.for_recipient(recipient).fingerprint)


def _people(view: AgencyView, frames: NightFrames, facts: NightFacts, config: Config, key: Key) -> list[Person]:
    people = people_told(
        view,
        rows=frames.listed,
        needs=frames.needs,
        reasons=frames.reasons,
        scores=frames.of_listed("scores"),
        compared=frames.compared,
        in_touch=frames.in_touch,
        past_events=frames.past_events,
        facts=facts,
        ledger=config.ledger,
        key=key,
        settings=config.outreach,
        remembered=before_of(view.recipient, frames, facts, config=config),
    )
    return with_offers_on_pages(people, local_offers(view, frames, facts, config=config))


def _homes(agency: Recipient, frames: NightFrames, facts: NightFacts, config: Config, key: Key) -> AgencyView | None:
    """The homes with a need for this agency that nobody is linked to; `None` where there are none."""
    guarded = frames.needs.filter(pl.col("person_id").is_null() & (pl.col("outcome") == "safeguarding"))
    homes = homes_for(
        agency,
        needs=frames.needs,
        ledger=config.ledger,
        as_of=facts.as_of,
        key=key,
        settings=config.outreach,
        interventions=config.interventions,
        safeguarded=guarded["household_id"].to_list(),
    )
    return None if homes.frame.is_empty() else homes


def _run(world: Surroundings, audit_head: Head | None) -> dict[str, Any]:
    return {
        "audit": None if audit_head is None else audit_head.plain(),
        "published_at": world.now().isoformat(timespec="seconds"),
        "stage_seconds": world.stages,
        "peak_memory_bytes": peak_memory_bytes(),
    }


def as_json(told: Mapping[str, Any]) -> bytes:
    """Plain data as the bytes of a JSON file."""
    return (json.dumps(told, indent=1, ensure_ascii=False, default=str) + "\n").encode()
