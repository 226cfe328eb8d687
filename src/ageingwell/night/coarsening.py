"""What the rows of each recipient's list would show of everybody on the register, and which rows tell less for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from ageingwell.config.files import table_rows
from ageingwell.config.load import Config
from ageingwell.night.first_pass import kept
from ageingwell.night.joining import side_by_side
from ageingwell.night.tonight import Part
from ageingwell.outreach.needs import recorded_facts
from ageingwell.outreach.rules import need_rules
from ageingwell.register import RECIPIENTS, Recipient
from ageingwell.views.doors import rows_for
from ageingwell.views.reader import Reader, reader_of
from ageingwell.views.sharing import COARSENED, FEWEST_SHARING, added_up, coarsened, counted, seen_of
from ageingwell.views.told import Words

# The frames of a shard, by the names that its second pass keeps them under.
_FEATURES, _NEEDS = "features", "needs"


@dataclass(frozen=True)
class Shared:
    """What one recipient's rows would show: of the people listed (`SEEN`), and of everybody, counted."""

    listed: pl.DataFrame
    counts: pl.DataFrame


def readers_of(config: Config) -> list[Reader]:
    """Everybody who is given a list by the ledger; what the safeguarding lead has to know is never left out."""
    asked: list[Recipient] = [one for one in RECIPIENTS if one != "safeguarding" and one in config.ledger.views]
    return [reader_of(one, ledger=config.ledger, thresholds=config.outreach.thresholds) for one in asked]


def shared_in(part: Part, spine: pl.DataFrame, listed: pl.DataFrame) -> dict[str, Shared]:
    """What the rows of each recipient would show of the people of a shard: `spine` is theirs, `listed` part of it."""
    config = part.tonight.config
    features = kept(part, _FEATURES).join(spine.select("person_id"), on="person_id", how="semi")
    everybody = side_by_side(spine, features, spine.select("person_id"))
    recorded = recorded_facts(everybody, rules=need_rules(config.outreach.thresholds))
    districts = districts_of(config.places)
    found = {}
    for reader in readers_of(config):
        seen = seen_of(
            reader,
            spine,
            needs=kept(part, _NEEDS),
            recorded=recorded,
            words=Words(config.interventions, config.outreach),
            districts=districts,
        )
        of_listed = seen.join(listed.select("person_id"), on="person_id", how="semi")
        found[str(reader.recipient)] = Shared(of_listed, counted(seen))
    return found


def districts_of(places: Path) -> pl.DataFrame:
    """The district of each place, of the file of places: place, district."""
    return table_rows(places).select("place", "district").unique().sort("place", "district")


def coarsened_rows(rows: pl.DataFrame, shards: Sequence[Mapping[str, Shared]], config: Config) -> pl.DataFrame:
    """Which rows of the night's list tell less on each recipient's list (`COARSENED`)."""
    found = [pl.DataFrame(schema=COARSENED)]
    for reader in readers_of(config):
        own = rows_for(reader.recipient, rows=rows).select("person_id")
        parts = [shard[str(reader.recipient)] for shard in shards]
        listed = pl.concat([part.listed for part in parts]).join(own, on="person_id", how="semi").sort("person_id")
        found.append(coarsened(reader, listed, added_up(part.counts for part in parts)))
    return pl.concat(found)


def told_of_coarsened(less: pl.DataFrame) -> list[dict[str, Any]]:
    """How many rows of each recipient's list tell less, by what is left out last, for the manifest."""
    counts = less.group_by("recipient", "step").agg(n_rows=pl.len(), too_few=(pl.col("n") < FEWEST_SHARING).sum())
    return counts.sort("recipient", "step").to_dicts()
