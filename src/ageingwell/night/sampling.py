"""People drawn by lot for the annex's picture of everybody, with what each fact adds to their risk."""

from typing import Final

import numpy as np
import polars as pl

from ageingwell.model.contributions import Contributions

PEOPLE: Final = 400  # more dots hide one another, and each is a line of the page
FACTS: Final = 15
BEESWARM: Final = pl.Schema(
    {"person_id": pl.String, "feature": pl.String, "value": pl.Float64, "contribution": pl.Float64}
)


def draw_beeswarm(explained: Contributions, people: pl.Series | None, *, seed: int) -> pl.DataFrame:
    """The contributions of up to 400 of `people`: person_id, feature, value, contribution; no rows for nobody.

    Of the 15 facts whose contributions are largest on average among those drawn. The pseudonyms are kept so that
    whoever opts out later can be taken out; no page shows them. The draw depends on the seed and on who there is, not
    on their order.
    """
    if people is None or people.is_empty():
        return pl.DataFrame(schema=BEESWARM)
    everybody = people.unique().sort()
    drawn = np.random.default_rng(seed).permutation(len(everybody))[:PEOPLE]
    chosen = everybody[np.sort(drawn).tolist()]
    found = explained.of(chosen)
    sizes = np.abs(found.contributions).mean(axis=0)
    strongest = [found.features[at] for at in np.argsort(-sizes, kind="stable")[:FACTS]]
    pulls = pl.DataFrame(found.contributions, schema=list(found.features), orient="row").select(strongest)
    values = chosen.to_frame("person_id").join(explained.features, on="person_id", maintain_order="left")
    long = [
        pl.DataFrame({"person_id": chosen, "feature": name, "value": values[name], "contribution": pulls[name]})
        for name in strongest
    ]
    return pl.concat(long).cast(BEESWARM).select(BEESWARM.names())
