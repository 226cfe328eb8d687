"""The last pass over a shard: what is told of those of its people who are on the list."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from ageingwell.night.coarsening import Shared, shared_in
from ageingwell.night.first_pass import kept
from ageingwell.night.joining import contributions_of, side_by_side
from ageingwell.night.past_events import past_events_of
from ageingwell.night.people import ELIGIBLE, FEATURES, JUDGED
from ageingwell.night.shards import around
from ageingwell.night.telling import compared_of, in_touch_of, reasons_of, with_evidence
from ageingwell.night.tonight import Part
from ageingwell.outreach.needs import recorded_facts
from ageingwell.outreach.rules import need_rules
from ageingwell.peers import NOBODY, PeerGroups


@dataclass(frozen=True)
class Named:
    """Whom a page names: people on the list, and people whom the safeguarding lead hears of (person_id).

    `newest` is the day of the newest row of each table.
    """

    listed: pl.Series
    guarded: pl.Series
    peers: PeerGroups | None
    newest: Mapping[str, date | None]


@dataclass(frozen=True)
class ToldOf:
    """What is told of a shard's people: `reasons`, `recorded`, `compared`, `in_touch` and `past_events` of those
    listed, the spine of `people`, and by recipient what rows would show of those listed and of everybody (`shared`)."""

    reasons: pl.DataFrame
    recorded: pl.DataFrame
    compared: pl.DataFrame
    in_touch: pl.DataFrame
    past_events: pl.DataFrame
    people: pl.DataFrame
    shared: Mapping[str, Shared]


def tell_shard(part: Part, named: Named) -> ToldOf:
    """Explain the people of a shard who are on the list, with the day of each fact and who is in touch."""
    tonight, config = part.tonight, part.tonight.config
    spine = kept(part, JUDGED)
    listed = spine.filter(pl.col("person_id").is_in(named.listed.implode()))
    people = spine.filter(pl.col("person_id").is_in(pl.concat([named.listed, named.guarded]).implode()))
    features = _of(part, FEATURES, listed)
    risks = _of(part, ELIGIBLE, listed)
    peers = NOBODY if named.peers is None else named.peers.of(listed)
    explained = contributions_of(tonight.bundle, features, threads=config.score.threads)
    reasons = reasons_of(explained, listed["person_id"], peers, risks, config)
    tables = tonight.known(tonight.gate.let_through(tonight.sent(around(part.shard.everything(), listed))))
    return ToldOf(
        reasons=with_evidence(reasons, tables, listed, tonight.as_of, config=config, newest=named.newest),
        recorded=recorded_facts(
            side_by_side(listed, features, risks.select("person_id")),
            rules=need_rules(config.outreach.thresholds),
        ),
        compared=compared_of(peers, listed["person_id"]),
        in_touch=in_touch_of(tables, listed, features, tonight.as_of),
        past_events=past_events_of(tables, listed, tonight.as_of, codelists=config.codelists),
        people=people,
        shared=shared_in(part, spine, listed),
    )


def _of(part: Part, name: str, people: pl.DataFrame) -> pl.DataFrame:
    rows = pl.scan_parquet(part.shard.folder / f"{name}.parquet")
    return rows.join(people.lazy().select("person_id"), on="person_id", how="semi").sort("person_id").collect()
