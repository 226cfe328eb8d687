"""The third pass over a shard: its doors, and of each agency's offers those that can matter to the week's choice."""

from dataclasses import dataclass
from typing import Final

import polars as pl

from ageingwell.night.first_pass import keep, kept
from ageingwell.night.joining import contributions_of
from ageingwell.night.people import ELIGIBLE, FEATURES, NEEDS
from ageingwell.night.ranking import RANKS
from ageingwell.night.telling import strongest_themes
from ageingwell.night.tonight import Part
from ageingwell.outreach.allocate import offers_that_matter
from ageingwell.outreach.household import one_knock_a_door
from ageingwell.outreach.lot import without_losers
from ageingwell.outreach.rank import with_roads
from ageingwell.peers import PeerGroups

RANKED: Final = "ranked"


@dataclass(frozen=True)
class Ordered:
    """What the order of everybody came to: how many are ranked, the last list as agreed, the groups of peers, and who
    lost a lot and is left in peace (person_id).
    """

    n_people: int
    previous: pl.DataFrame | None
    peers: PeerGroups | None
    losers: pl.Series


def offer_at_doors(part: Part, ordered: Ordered) -> pl.DataFrame:
    """Join a shard's people into doors and keep the offers that can matter (`one_knock_a_door`)."""
    tonight, settings = part.tonight, part.tonight.config.outreach
    numbered = kept(part, ELIGIBLE).join(kept(part, RANKS), on="person_id")
    ranked = with_roads(numbered, n_people=ordered.n_people, previous=ordered.previous, settings=settings)
    by_model = ranked.filter(pl.col("why").is_in(["model", "both"]))
    keep(part, RANKED, ranked)
    themes = _themes(part, by_model, ordered.peers)
    doors = one_knock_a_door(
        ranked.join(themes, on="person_id", how="left", maintain_order="left"), kept(part, NEEDS), settings=settings
    )
    return offers_that_matter(
        without_losers(doors, ordered.losers),
        capacity=settings.capacity,
        floors=tonight.config.outreach.floors,
        settings=settings,
    )


def _themes(part: Part, people: pl.DataFrame, groups: PeerGroups | None) -> pl.DataFrame:
    """The theme of the strongest fact of everybody whom the model brought here: person_id, top_theme."""
    tonight = part.tonight
    nobody = pl.DataFrame(schema={"person_id": pl.String, "top_theme": pl.String})
    if groups is None or people.is_empty():
        return nobody
    features = pl.scan_parquet(part.shard.folder / f"{FEATURES}.parquet")
    theirs = features.join(people.lazy().select("person_id"), on="person_id", how="semi").sort("person_id").collect()
    explained = contributions_of(tonight.bundle, theirs, threads=tonight.config.score.threads)
    return strongest_themes(explained, people["person_id"], groups.of(people), tonight.config)
