"""The second pass over a shard: everything that concerns one person and their home, up to the order of people.

permitted → known → features → risk → flags → eligible → needs → counts. Nothing here depends on people elsewhere but
what `Judged` tells; what the whole group needs is a sum of whole numbers, a handful of people, or a file of the shard.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from ageingwell.bundle import Bundle
from ageingwell.features.build import build_features
from ageingwell.night.attrition import account_for_shard
from ageingwell.night.change import count_population
from ageingwell.night.draws import FACTS_COMPARED, PEOPLE_DRAWN, first_drawn
from ageingwell.night.first_pass import HELD, SPINE, counts_kept, keep, kept
from ageingwell.night.groups import count_groups
from ageingwell.night.joining import (
    contacts_of,
    contributions_of,
    everybody,
    risks_of,
    scores_of,
    side_by_side,
    with_why_held,
)
from ageingwell.night.local import residents_of
from ageingwell.night.shards import REGISTER
from ageingwell.night.tonight import Part, Tonight
from ageingwell.night.unlinked import unlinked_home_needs
from ageingwell.outreach.eligible import eligible, with_homes_of_others
from ageingwell.outreach.flags import Markers, exits, flagged, with_people_at
from ageingwell.outreach.needs import find_needs
from ageingwell.outreach.rank import rank_keys
from ageingwell.outreach.rules import need_rules
from ageingwell.peers import cell_label, count_cells, in_cells, sum_risks
from ageingwell.permitted import held_people
from ageingwell.recognition.people import care_homes_to_check, untold_of
from ageingwell.recognition.sums import Sums
from ageingwell.sources.read import Records
from ageingwell.spine import deaths_told, latest_versions, sure_homes, unsure_homes

JUDGED: Final = "spine_judged"
FEATURES: Final = "features"
ELIGIBLE: Final = "eligible"
NEEDS: Final = "needs"
LEFT_FRAME: Final = "left"
ACCOUNTED: Final = "accounted"
SCORES: Final = "scores"
RESIDENTS: Final = "residents"
KEYS: Final = "rank_keys"


@dataclass(frozen=True)
class Judged:
    """What the first pass over all shards came to: what is recognised, the visits agreed and still to be made, those
    of them that are held until the chair says (not among the agreed), and the day of the newest row of each table."""

    sums: Sums
    counted: pl.DataFrame
    agreed: pl.DataFrame
    held: pl.DataFrame
    newest: Mapping[str, date | None]


@dataclass(frozen=True)
class Worked:
    """What the second pass tells of a shard; everything else lies in its folder.

    `cells`, `contributions` and `risks` are the sums by cell that peers are told from, `population` counts of people,
    homes and practices, `homes_out` homes left out by reason. `drawn` and `compared` are the first people of the
    shard in the order of the night's draws. `n_eligible` is how many people may be offered help, and `groups` how many
    of them are in each group.
    """

    cells: pl.DataFrame
    contributions: pl.DataFrame | None
    risks: pl.DataFrame | None
    population: pl.DataFrame
    homes_out: pl.DataFrame
    drawn: pl.DataFrame
    compared: pl.DataFrame
    n_eligible: int
    groups: pl.DataFrame


def work_shard(part: Part, judged: Judged) -> Worked:
    """Work out everybody of a shard."""
    tonight, config = part.tonight, part.tonight.config
    bundle = tonight.bundle
    sent = tonight.sent(part.shard.everything())
    permitted = tonight.gate.let_through(sent)
    tables, spine, features = _known(part, judged, permitted)
    risks = risks_of(bundle, features, threads=config.score.threads)
    people = _flagged(tonight, permitted, tables, side_by_side(spine, features, risks))
    contacts = with_homes_of_others(contacts_of(permitted), people=people, registered=everybody(tables, tonight.as_of))
    stay, left = eligible(
        people,
        contacts=contacts,
        settings=config.outreach,
        as_of=tonight.as_of.day,
        resting=tonight.decided.resting(people),
        # Somebody added is left in peace like anyone: the list they were not on did not account for it.
        agreed=judged.agreed.filter(kind="listed"),
        held=judged.held,
    )
    left = with_why_held(left, held_people(permitted))
    needs, homes_out = _needs(part, judged, sent, tables, people)
    why_not = left.select("person_id", left_for="reason").unique("person_id", keep="first", maintain_order=True)
    keep(part, FEATURES, features)
    keep(part, ELIGIBLE, stay.select(_columns_kept(stay)).sort("person_id"))
    keep(part, KEYS, rank_keys(stay, needs, settings=config.outreach))
    keep(part, NEEDS, needs.join(why_not, on="person_id", how="left", maintain_order="left"))
    keep(part, LEFT_FRAME, left)
    keep(part, SCORES, scores_of(stay, bundle))
    keep(part, RESIDENTS, residents_of(spine, left))
    keep(
        part,
        ACCOUNTED,
        account_for_shard(part, permitted, tables, spine, left, n_eligible=stay.height, held=kept(part, HELD)),
    )
    return _told(part, bundle, spine, features, risks, people, stay, homes_out)


def _known(
    part: Part, judged: Judged, permitted: Records
) -> tuple[dict[str, pl.LazyFrame], pl.DataFrame, pl.DataFrame]:
    """The tables, the spine and the features, with what is not recognised unknown."""
    tonight, config = part.tonight, part.tonight.config
    tables, spine = tonight.known(permitted), kept(part, SPINE)
    own = tonight.known_own(part.shard, tables)
    counts = counts_kept(part, judged.sums)
    untold = untold_of(
        own,
        spine,
        tonight.as_of,
        counts=counts,
        counted=judged.counted,
        floors=config.score.recognition,
    )
    spine = care_homes_to_check(spine, untold)
    keep(part, JUDGED, spine)
    features = build_features(
        tables,
        spine,
        tonight.as_of,
        codelists=config.codelists,
        untold=tonight.records.untold(),
        unrecognised=untold,
        medicines=counts.medicines,
    )
    return tables, spine, features


def _flagged(
    tonight: Tonight, permitted: Records, tables: dict[str, pl.LazyFrame], people: pl.DataFrame
) -> pl.DataFrame:
    newest = latest_versions(sure_homes(permitted.tables[REGISTER].rows))
    unsure = unsure_homes(permitted.tables[REGISTER].rows)
    return flagged(
        people,
        tables=tables,
        gone=exits(newest, told_dead=deaths_told(permitted.rows())["person_id"], on=tonight.as_of.day),
        markers=Markers(with_people_at(tonight.guarded, unsure), with_people_at(tonight.staff_safety, unsure)),
        held=held_people(permitted),
        as_of=tonight.as_of,
        codelists=tonight.config.codelists,
        thresholds=tonight.config.outreach.thresholds,
    )


def _needs(
    part: Part, judged: Judged, sent: Records, tables: dict[str, pl.LazyFrame], people: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The needs of people and of homes that nobody is linked to, and how many such homes are left out, by reason."""
    tonight, config = part.tonight, part.tonight.config
    rules = need_rules(config.outreach.thresholds)
    of_homes, homes_out = unlinked_home_needs(
        sent,
        tonight.gate.opted,
        tables,
        guarded=tonight.guarded["household_id"],
        rules=rules,
        config=config,
        as_of=tonight.as_of,
    )
    of_people = find_needs(people, rules=rules, interventions=config.interventions)
    added = tonight.decided.added_needs(judged.agreed, people)
    return pl.concat([of_people, of_homes, added], how="diagonal"), homes_out


# What later steps ask of somebody who may be offered help.
_ASKED: Final = (
    "person_id",
    "household_id",
    "place",
    "sex",
    "age",
    "care_home",
    "known_to",
    "not_told_by",
    "deprivation_decile",
    "is_rural",
    "risk",
    "risk_low",
    "risk_high",
    "has_staff_safety_marker",
)


def _columns_kept(stay: pl.DataFrame) -> list[str]:
    return [name for name in _ASKED if name in stay.columns]


def _told(
    part: Part,
    bundle: Bundle,
    spine: pl.DataFrame,
    features: pl.DataFrame,
    risks: pl.DataFrame,
    people: pl.DataFrame,
    stay: pl.DataFrame,
    homes_out: pl.DataFrame,
) -> Worked:
    config = part.tonight.config
    cells = in_cells(spine)
    labels = features.select("person_id").join(cells, on="person_id", how="left", maintain_order="left")
    explained = contributions_of(bundle, features, threads=config.score.threads)
    return Worked(
        cells=count_cells(spine),
        contributions=explained.sums_by(labels.select(cell_label())["label"]) if bundle.usable else None,
        risks=sum_risks(cells, risks) if bundle.usable else None,
        population=count_population(people),
        homes_out=homes_out,
        drawn=first_drawn(stay.select("person_id"), PEOPLE_DRAWN, seed=config.score.seed),
        compared=first_drawn(features.select("person_id"), FACTS_COMPARED, seed=config.score.seed),
        n_eligible=stay.height,
        groups=count_groups(stay),
    )
