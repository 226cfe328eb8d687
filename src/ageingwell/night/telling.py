"""What a night tells of the people on its list: whom they are compared with, facts with their days, who is in touch."""

from collections.abc import Mapping
from datetime import date

import polars as pl

from ageingwell.config.load import Config
from ageingwell.features.evidence import agencies_of, fact_days
from ageingwell.model.contributions import Contributions
from ageingwell.peers import Peers
from ageingwell.reasons import (
    REASONS,
    dated,
    strongest_theme,
    tell_reasons,
    with_row_reasons,
    with_whole_numbers,
)
from ageingwell.spine import Tables, last_contacts
from ageingwell.timeline import AsOf

GP = "gp"
OF_THE_NIGHT = ("age", "n_household_65plus", "n_household_under_65")


def compared_of(peers: Peers, people: pl.Series) -> pl.DataFrame:
    """Whom each of these people is compared with (contract: `Compared`)."""
    compared = peers.groups.filter(pl.col("person_id").is_in(people.implode())).drop("row")
    return compared.cast({"n_peers": pl.Int64, "peers_risk": pl.Float64})  # of nobody a mean has no type


def strongest_themes(explained: Contributions, people: pl.Series, peers: Peers, config: Config) -> pl.DataFrame:
    """Per person the theme of the strongest fact linked with a higher chance: person_id, top_theme."""
    return strongest_theme(_told(explained, people, peers, config))


def reasons_of(
    explained: Contributions, people: pl.Series, peers: Peers, risks: pl.DataFrame, config: Config
) -> pl.DataFrame:
    """Every contribution of these people, with what those on their page add in 100; those of a list row are marked."""
    numbered = with_whole_numbers(_told(explained, people, peers, config), peers, risks)
    return with_row_reasons(numbered, raising=config.score.raising_reasons, lowering=config.score.lowering_reasons)


def _told(explained: Contributions, people: pl.Series, peers: Peers, config: Config) -> pl.DataFrame:
    compared = peers.groups.filter(pl.col("person_id").is_in(people.implode()))["person_id"]
    chosen = explained.features.filter(pl.col("person_id").is_in(compared.implode()))
    if chosen.is_empty():
        return pl.DataFrame(schema=REASONS)
    return tell_reasons(chosen, explained.of(chosen["person_id"]), peers, signed=config.may_lower)


def with_evidence(
    reasons: pl.DataFrame,
    tables: Tables,
    people: pl.DataFrame,
    as_of: AsOf,
    *,
    config: Config,
    newest: Mapping[str, date | None] | None = None,
) -> pl.DataFrame:
    """Say of each fact that a page shows which agency told it and of which day it is; `people` are of the spine.

    The sentence of an old fact names its month, as the settings say. `agency` is missing where several agencies told it
    together. `newest` is the day of the newest row of each table, where `tables` are those of some people alone.
    """
    names = sorted(reasons.filter(pl.col("adds_in_100").is_not_null())["feature"].unique())
    days = fact_days(tables, people, as_of, codelists=config.codelists, names=names, newest=newest)
    with_days = reasons.join(days, on=["person_id", "feature"], how="left", maintain_order="left")
    # Age and who lives there are as of the night, whatever the day on which the register's row came.
    on_page = pl.col("adds_in_100").is_not_null()
    of_the_night = pl.col("feature").is_in(OF_THE_NIGHT)
    one = {name: agencies_of(name)[0] for name in names if len(agencies_of(name)) == 1}
    agency = pl.col("feature").replace_strict(one, default=None, return_dtype=pl.String)
    named = with_days.with_columns(
        agency=pl.when(on_page).then(agency), known_on=pl.when(on_page & ~of_the_night).then("known_on")
    )
    return named.with_columns(dated(as_of=as_of.day, after_days=config.score.date_facts_after_days))


def in_touch_of(tables: Tables, people: pl.DataFrame, features: pl.DataFrame, as_of: AsOf) -> pl.DataFrame:
    """The agencies with a record of each person in three years, and the day of the newest (contract: `InTouch`).

    The practice is always there: everybody is on its register; its day is that of the last contact coded.
    """
    since = pl.duration(days=pl.col("days_since_gp_contact").cast(pl.Int64))
    coded = features.join(people, on="person_id", how="semi").select(
        "person_id",
        agency=pl.lit(GP),
        last_on=(pl.lit(as_of.day) - since).cast(pl.Date),
    )
    both = pl.concat([coded, last_contacts(tables, people, as_of)])
    return both.group_by("person_id", "agency").agg(pl.col("last_on").max()).sort("person_id", "agency")
