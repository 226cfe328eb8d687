"""Local services against needs: which places have a service for each need nearby, which have none, which are full."""

from datetime import date
from typing import Final

import polars as pl

from ageingwell.commissioning.community import Community
from ageingwell.config.services import ServicesSettings
from ageingwell.services.match import ASKS, match_services
from ageingwell.services.values import fold

EVERY_SERVICE: Final = 10_000


def services_in_reach(community: Community, *, settings: ServicesSettings, on: date) -> pl.DataFrame:
    """Count the services that serve each need near each place: place, need, n_services, n_with_room, miles.

    A need that the agency which leads meets itself (`is_service = false`, such as a review by the practice's
    pharmacist) is left out: a directory has no service for it, and that is no gap.
    """
    places = community.residents.lazy().select("place").unique().sort("place").collect()["place"].to_list()
    wanted = [need for need, terms in settings.needs.items() if terms.is_service]
    asked = [(place, need) for need in wanted for place in places]
    asks = [
        (number, [fold(term) for term in settings.needs[need].terms], place, None, None)
        for number, (place, need) in enumerate(asked)
    ]
    found = match_services(
        pl.DataFrame(asks, schema=ASKS, orient="row"),
        services=community.services,
        positions=community.positions,
        settings=settings.model_copy(update={"offers_a_need": EVERY_SERVICE}),
        on=on,
    )
    counted = found.group_by("ask_id").agg(
        n_services=pl.len().cast(pl.Int64),
        n_with_room=(pl.col("room") != "no").sum().cast(pl.Int64),
        miles=pl.col("miles").min(),
    )
    every = pl.DataFrame(asked, schema={"place": pl.String, "need": pl.String}, orient="row").with_row_index("ask_id")
    joined = every.with_columns(pl.col("ask_id").cast(pl.Int64)).join(counted, on="ask_id", how="left")
    return joined.drop("ask_id").with_columns(pl.col("n_services", "n_with_room").fill_null(0))
