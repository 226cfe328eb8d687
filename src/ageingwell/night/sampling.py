"""People drawn by lot for the annex's picture of everybody, with what each fact adds to their risk."""

from typing import Final

import numpy as np
import polars as pl

from ageingwell.model.contributions import Contributions

FACTS: Final = 15
BEESWARM: Final = pl.Schema(
    {"person_id": pl.String, "feature": pl.String, "value": pl.Float64, "contribution": pl.Float64}
)


def beeswarm_of(explained: Contributions) -> pl.DataFrame:
    """The contributions of the people drawn, all those of `explained`: person_id, feature, value, contribution.

    Of the 15 facts whose contributions are largest on average among them. The pseudonyms are kept so that whoever opts
    out later can be taken out; no page shows them.
    """
    people = explained.features.sort("person_id")
    if people.is_empty():
        return pl.DataFrame(schema=BEESWARM)
    chosen = people["person_id"]
    found = explained.of(chosen)
    sizes = np.abs(found.contributions).mean(axis=0)
    strongest = [found.features[at] for at in np.argsort(-sizes, kind="stable")[:FACTS]]
    pulls = pl.DataFrame(found.contributions, schema=list(found.features), orient="row").select(strongest)
    long = [
        pl.DataFrame({"person_id": chosen, "feature": name, "value": people[name], "contribution": pulls[name]})
        for name in strongest
    ]
    return pl.concat(long).cast(BEESWARM).select(BEESWARM.names())
