"""The services that can be offered tonight: active ones, one row a service and location, told in words."""

from datetime import date
from typing import Any, Final

import polars as pl

from ageingwell.contracts.made import validated
from ageingwell.contracts.services import Offerable, schema_of
from ageingwell.services.directory import Directory
from ageingwell.services.values import DAYS, fold

DAY_WORDS: Final = dict(
    zip(DAYS, ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays"), strict=True)
)
FREQUENCY_WORDS: Final = {"daily": "every day", "weekly": "every week", "monthly": "every month", "yearly": "yearly"}
NO_TIMES: Final = "times not given"
NO_COST: Final = "cost not given"
FREE: Final = "free"
SHOWN_TIMES: Final = 2

Row = dict[str, Any]


def offerable(directory: Directory, *, on: date) -> pl.DataFrame:
    """Put each active service and location on one row (contract: `Offerable`), with what holds on the day `on`."""
    tables = directory.tables
    active = tables["services"].filter(pl.col("status") == "active")
    rows = (
        active.join(
            tables["organisations"].select("organisation_id", organisation="name"), on="organisation_id", how="left"
        )
        .join(_terms(tables["terms"]), on="service_id", how="left")
        .join(_areas(tables["service_areas"]), on="service_id", how="left")
        .join(_costs(tables["costs"], on), on="service_id", how="left")
        .join(_room(tables["capacities"]), on="service_id", how="left")
        .join(_places(tables["service_places"]), on="service_id", how="left")
        .with_columns(
            pl.col("terms", "areas").fill_null([]),
            pl.col("room").fill_null("unknown"),
            cost=pl.coalesce("cost", "fees").fill_null(NO_COST),
            when=_when(tables["schedules"], on),
        )
        .select(schema_of(Offerable).names())
        .sort("service_id", "location_id", nulls_last=True)
    )
    return validated(Offerable, rows)


def nothing_offerable() -> pl.DataFrame:
    """No services: there is no directory, or it could not be used."""
    return pl.DataFrame(schema=schema_of(Offerable))


def _terms(terms: pl.DataFrame) -> pl.DataFrame:
    both = terms.with_columns(
        pl.concat_list(pl.col("code", "name").map_elements(fold, return_dtype=pl.String)).alias("both")
    )
    return both.group_by("service_id", maintain_order=True).agg(
        terms=pl.col("both").list.explode(keep_nulls=False, empty_as_null=False).unique().sort(),
        kind=pl.col("name").first(),
    )


def _areas(areas: pl.DataFrame) -> pl.DataFrame:
    return areas.group_by("service_id", maintain_order=True).agg(areas=pl.col("area").unique().sort())


def _room(capacities: pl.DataFrame) -> pl.DataFrame:
    has_room = pl.when(pl.col("available").max() > 0).then(pl.lit("yes")).otherwise(pl.lit("no"))
    return capacities.group_by("service_id", maintain_order=True).agg(room=has_room)


def _places(places: pl.DataFrame) -> pl.DataFrame:
    where = pl.concat_list("name", "town").list.drop_nulls().list.unique(maintain_order=True).list.join(", ")
    return places.select(
        "service_id",
        "location_id",
        "latitude",
        "longitude",
        where=pl.when(where != "").then(where),
    )


def _holds(on: date) -> pl.Expr:
    return (pl.col("valid_from") <= on).fill_null(value=True) & (pl.col("valid_to") >= on).fill_null(value=True)


def _costs(costs: pl.DataFrame, on: date) -> pl.DataFrame:
    told = costs.filter(_holds(on)).with_columns(
        words=pl.struct("option", "amount", "currency", "per").map_elements(price_words, return_dtype=pl.String)
    )
    return told.group_by("service_id", maintain_order=True).agg(cost=pl.col("words").drop_nulls().str.join("; "))


def price_words(price: Row) -> str | None:
    """Say a price as a reader does.

    >>> price_words({"option": None, "amount": 3.5, "currency": "GBP", "per": "a session"})
    '£3.50 a session'
    >>> price_words({"option": "carers", "amount": 0.0, "currency": "GBP", "per": None})
    'free (carers)'
    """
    if price["amount"] is None:
        said: str | None = price["per"] or price["option"]
        return said
    amount = f"{price['amount']:,.2f}".removesuffix(".00")
    money = f"£{amount}" if price["currency"] == "GBP" else f"{amount} {price['currency']}"
    words = FREE if price["amount"] == 0 else " ".join(filter(None, [money, price["per"]]))
    return f"{words} ({price['option']})" if price["option"] else words


def _when(schedules: pl.DataFrame, on: date) -> pl.Expr:
    """When each service and location is open: its own times, else the service's."""
    told: dict[tuple[str, str | None], list[str]] = {}
    for row in schedules.filter(_holds(on)).iter_rows(named=True):
        if words := time_words(row):
            told.setdefault((row["service_id"], row["location_id"]), []).append(words)

    def words_of(key: Row) -> str:
        own = told.get((key["service_id"], key["location_id"])) or told.get((key["service_id"], None)) or [NO_TIMES]
        return "; ".join(dict.fromkeys(own[:SHOWN_TIMES]))

    return pl.struct("service_id", "location_id").map_elements(words_of, return_dtype=pl.String)


def time_words(schedule: Row) -> str | None:
    """Say a rule of opening times as a reader does.

    >>> times = {"days": ["TU"], "frequency": "weekly", "opens_at": "10:00", "closes_at": "11:30"}
    >>> time_words(times | {"description": None})
    'Tuesdays, 10:00 to 11:30'
    """
    days = " and ".join(DAY_WORDS[day] for day in schedule["days"])
    if set(schedule["days"]) == set(DAYS[:5]):
        days = "Mondays to Fridays"
    # A monthly rule on a day of the week says more than its day: only the directory's own words tell which week.
    if schedule["frequency"] in ("monthly", "yearly") and schedule["description"]:
        return str(schedule["description"])
    often = days or FREQUENCY_WORDS.get(str(schedule["frequency"]), "")
    hours = " to ".join(filter(None, [schedule["opens_at"], schedule["closes_at"]]))
    own_words: str | None = schedule["description"]
    return ", ".join(filter(None, [often, hours])) or own_words
