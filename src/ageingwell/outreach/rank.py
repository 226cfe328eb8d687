"""The order of people, and by which road each came to be considered: a rule, the model, or both."""

import math

import polars as pl

from ageingwell.config.outreach import NeedValues, OutreachSettings

# The last time any service is known to have met the person; never met counts as the longest wait.
LAST_SEEN = ("days_since_gp_contact", "days_since_discharge", "days_since_fire_visit")
PREVIOUS = ("lead_agency", "why", "status")
RISK_TOLD = "risk_told"


def rank_people(
    people: pl.DataFrame,
    needs: pl.DataFrame,
    *,
    previous: pl.DataFrame | None,
    settings: OutreachSettings,
    lot: pl.Expr | None = None,
) -> pl.DataFrame:
    """Order people by risk; where the risk is the same to two decimals, by need, then by longest unseen.

    Risks that agree at `risk_decimals` cannot honestly be told apart, so need decides among them. The last tie is
    broken by `lot`, an order of its own for each night that the same night always draws again, so that it is not the
    same people who lose every time; without one by `person_id`. Without a usable model every risk is null and the
    order is need, then longest unseen.

    Adds `rank` (from 1), `band` ("top 20"), `n_needs`, `need_value`, `why` (rule, model, both; null: neither, not
    a candidate), `previous_lead` and `previous_status`. Someone listed by the model last time keeps that road until
    they fall below the share by more than the margin; a status other than `proposed` is the group's and stays.

    >>> people = pl.DataFrame({
    ...     "person_id": ["p1", "p2", "p3"], "risk": [0.104, 0.31, 0.101], "days_since_gp_contact": [9.0, 9.0, 400.0],
    ...     "days_since_discharge": [None] * 3, "days_since_fire_visit": [30.0, None, None],
    ... })
    >>> needs = pl.DataFrame({"person_id": ["p3"], "need": ["cold_home"], "urgency": ["soon"]})
    >>> ranked = rank_people(people, needs, previous=None, settings=OutreachSettings())
    >>> ranked.select("rank", "person_id", "band", "why").rows()
    [(1, 'p2', 'top 20', 'model'), (2, 'p3', 'top 20', 'rule'), (3, 'p1', 'top 20', None)]
    """
    keys = in_rank_order(rank_keys(people, needs, settings=settings), lot=lot)
    return with_roads(people.join(keys, on="person_id"), n_people=people.height, previous=previous, settings=settings)


def rank_keys(people: pl.DataFrame, needs: pl.DataFrame, *, settings: OutreachSettings) -> pl.DataFrame:
    """What the order of people is made of: person_id, risk_told (as it can be told apart), need_value, n_needs,
    days_unseen.
    """
    known = people.join(_by_person(needs, settings.need_values), on="person_id", how="left", maintain_order="left")
    return known.select(
        "person_id",
        pl.col("risk").cast(pl.Float64).round(settings.risk_decimals).alias(RISK_TOLD),
        pl.col("need_value").fill_null(0.0),
        pl.col("n_needs").fill_null(0).cast(pl.Int64),
        days_unseen=pl.min_horizontal(LAST_SEEN),
    )


def in_rank_order(keys: pl.DataFrame, *, lot: pl.Expr | None = None, first: int = 1) -> pl.DataFrame:
    """The keys in the order of people, with `rank` from `first` on; the last tie is broken by `lot`."""
    return keys.sort(
        RISK_TOLD,
        "need_value",
        "n_needs",
        "days_unseen",
        pl.col("person_id") if lot is None else lot,
        "person_id",
        descending=[True, True, True, True, False, False],
        nulls_last=[True, True, True, False, True, True],
    ).with_columns(rank=pl.int_range(first, pl.len() + first, dtype=pl.Int64))


def with_roads(
    ranked: pl.DataFrame, *, n_people: int, previous: pl.DataFrame | None, settings: OutreachSettings
) -> pl.DataFrame:
    """People and their ranks with the road each came by, in the order of rank; `n_people` are ranked in all."""
    known = ranked.join(_listed(previous), on="person_id", how="left")
    frozen = known.with_columns(is_frozen=(pl.col("previous_status") != "proposed").fill_null(value=False))
    told = frozen.with_columns(band=rank_band(settings.bands), why=_road(n_people, settings))
    return told.drop("previous_why", RISK_TOLD, strict=False).sort("rank")


def rank_band(bands: tuple[int, ...]) -> pl.Expr:
    """Say the rank as an interval, not a place: nobody can tell the 12th from the 13th.

    >>> pl.DataFrame({"rank": [20, 21, 51]}).select(rank_band((20, 50)))["rank"].to_list()
    ['top 20', 'top 50', 'after 50']
    """
    words = pl.lit(f"after {bands[-1]}")
    for end in reversed(bands):
        words = pl.when(pl.col("rank") <= end).then(pl.lit(f"top {end}")).otherwise(words)
    return words.alias("rank")


def need_value(values: NeedValues) -> pl.Expr:
    """Give the worth of a need by its urgency, in units of risk."""
    return pl.col("urgency").replace_strict(values.model_dump(), return_dtype=pl.Float64)


def _by_person(needs: pl.DataFrame, values: NeedValues) -> pl.DataFrame:
    return (
        needs.filter(pl.col("person_id").is_not_null())
        .group_by("person_id")
        .agg(pl.len().alias("n_needs"), need_value(values).sort().sum().round(6).alias("need_value"))
    )


def _listed(previous: pl.DataFrame | None) -> pl.DataFrame:
    """The last list, one row a person: lead, road and status of that night."""
    if previous is None:
        return pl.DataFrame(
            schema={"person_id": pl.String, **{f"previous_{_short(name)}": pl.String for name in PREVIOUS}}
        )
    return previous.select("person_id", *(pl.col(name).alias(f"previous_{_short(name)}") for name in PREVIOUS))


def _short(name: str) -> str:
    return name.removesuffix("_agency")


def _road(n_people: int, settings: OutreachSettings) -> pl.Expr:
    """By rule, by the model, by both; a frozen person without either keeps the road they came by."""
    share = settings.high_risk_share
    places = math.ceil(round(share * n_people, 6))
    kept = math.ceil(round(share * (1 + settings.stay_margin) * n_people, 6))
    by_model_before = pl.col("previous_why").is_in(["model", "both"]).fill_null(value=False)
    is_high = pl.col("risk").is_not_null() & ((pl.col("rank") <= places) | (by_model_before & (pl.col("rank") <= kept)))
    has_need = pl.col("n_needs") > 0
    return (
        pl.when(is_high & has_need)
        .then(pl.lit("both"))
        .when(is_high)
        .then(pl.lit("model"))
        .when(has_need)
        .then(pl.lit("rule"))
        .when(pl.col("is_frozen"))
        .then(pl.col("previous_why"))
    )
