"""What the local directory holds once it is read: services, who runs them, where, when, at what cost, with what room.

The names of fields follow the Human Services Data Specification (HSDS) 3.0, which Open Referral UK uses. Everything
here is public: no table has a person in it.
"""

import pandera.polars as pa
import polars as pl

from ageingwell.config.positions import LATITUDES, LONGITUDES

STATUSES = ("active", "inactive", "defunct", "temporarily_closed")


class Organisations(pa.DataFrameModel):
    """Organisations, one row each. Source: `organization` of each service, or organization.csv."""

    organisation_id: str = pa.Field(unique=True, description="identifier in the directory")
    name: str = pa.Field(str_length={"min_value": 1}, description="public name")
    website: str = pa.Field(nullable=True, description="address of its website")


class Services(pa.DataFrameModel):
    """Services, one row each. Source: the records of `/services`, or service.csv."""

    service_id: str = pa.Field(unique=True, description="identifier in the directory")
    organisation_id: str = pa.Field(description="who runs it")
    name: str = pa.Field(str_length={"min_value": 1}, description="public name")
    status: str = pa.Field(isin=list(STATUSES), description="only an active service is offered")
    minimum_age: int = pa.Field(ge=0, le=130, nullable=True, description="youngest age served; empty: no limit given")
    maximum_age: int = pa.Field(ge=0, le=130, nullable=True, description="oldest age served; empty: no limit given")
    eligibility: str = pa.Field(nullable=True, description="who it is for, in the directory's words")
    fees: str = pa.Field(nullable=True, description="what it costs, in the directory's words")
    telephone: str = pa.Field(nullable=True, description="the first telephone number")
    checked_on: pl.Date = pa.Field(
        nullable=True, description="the day someone checked the details (`assured_date`), or the last change"
    )


class ServicePlaces(pa.DataFrameModel):
    """Where a service is given, one row a service and location. Source: `service_at_locations`."""

    service_id: str = pa.Field(description="the service")
    location_id: str = pa.Field(description="identifier of the location")
    name: str = pa.Field(nullable=True, description="name of the building or site")
    town: str = pa.Field(nullable=True, description="town of its address")
    latitude: float = pa.Field(ge=LATITUDES[0], le=LATITUDES[1], nullable=True, description="degrees north")
    longitude: float = pa.Field(ge=LONGITUDES[0], le=LONGITUDES[1], nullable=True, description="degrees east")


class ServiceAreas(pa.DataFrameModel):
    """Whom a service is for by where they live, one row a service and area. Source: `service_areas`."""

    service_id: str = pa.Field(description="the service")
    area: str = pa.Field(description="a place, a district or a nation by name; no rows: no limit given")


class Schedules(pa.DataFrameModel):
    """When a service is open, one row a rule. Source: `schedules` of a service or of a service at a location."""

    service_id: str = pa.Field(description="the service")
    location_id: str = pa.Field(nullable=True, description="the location it is for; empty: for all")
    frequency: str = pa.Field(
        isin=["daily", "weekly", "monthly", "yearly"], nullable=True, description="how often it comes round (`freq`)"
    )
    days: pl.List = pa.Field(dtype_kwargs={"inner": pl.String}, description="days of the week (`byday`), MO to SU")
    opens_at: str = pa.Field(nullable=True, str_matches=r"^\d\d:\d\d$", description="hour and minute")
    closes_at: str = pa.Field(nullable=True, str_matches=r"^\d\d:\d\d$", description="hour and minute")
    valid_from: pl.Date = pa.Field(nullable=True, description="first day the rule holds")
    valid_to: pl.Date = pa.Field(nullable=True, description="last day the rule holds")
    description: str = pa.Field(nullable=True, description="the opening hours in the directory's words")


class Costs(pa.DataFrameModel):
    """What a service costs, one row an option. Source: `cost_options`."""

    service_id: str = pa.Field(description="the service")
    option: str = pa.Field(nullable=True, description="who or what the price is for")
    amount: float = pa.Field(ge=0, nullable=True, description="the price; 0 is free")
    currency: str = pa.Field(nullable=True, description="three letters, capitals; GBP if not given")
    per: str = pa.Field(nullable=True, description="what the amount buys, in the directory's words")
    valid_from: pl.Date = pa.Field(nullable=True, description="first day of the price")
    valid_to: pl.Date = pa.Field(nullable=True, description="last day of the price")


class Terms(pa.DataFrameModel):
    """What kind of service it is, one row a service and taxonomy term. Source: `attributes` of a service."""

    service_id: str = pa.Field(description="the service")
    code: str = pa.Field(description="code of the term; its name where it has none")
    name: str = pa.Field(description="name of the term; its code where it has none")
    taxonomy: str = pa.Field(nullable=True, description="which list of terms it is from")


class Capacities(pa.DataFrameModel):
    """How much room a service has, one row a unit. Source: `capacities` (service_capacity.csv) of a service."""

    service_id: str = pa.Field(description="the service")
    unit: str = pa.Field(nullable=True, description="what is counted: places, visits")
    available: float = pa.Field(ge=0, description="how many are free; 0 is full")
    maximum: float = pa.Field(ge=0, nullable=True, description="how many there are")
    updated_on: pl.Date = pa.Field(nullable=True, description="the day it was counted")


class Offerable(pa.DataFrameModel):
    """`services.parquet`: the active services of the night's directory, one row a service and location."""

    service_id: str = pa.Field(description="identifier in the directory")
    location_id: str = pa.Field(nullable=True, description="the location; empty: it has none, and comes to people")
    name: str = pa.Field(description="public name of the service")
    organisation: str = pa.Field(description="who runs it")
    terms: pl.List = pa.Field(dtype_kwargs={"inner": pl.String}, description="codes and names of its terms, folded")
    kind: str = pa.Field(nullable=True, description="its first term in words")
    where: str = pa.Field(nullable=True, description="name and town of the location")
    latitude: float = pa.Field(nullable=True, description="degrees north")
    longitude: float = pa.Field(nullable=True, description="degrees east")
    minimum_age: int = pa.Field(nullable=True, description="youngest age served")
    maximum_age: int = pa.Field(nullable=True, description="oldest age served")
    areas: pl.List = pa.Field(dtype_kwargs={"inner": pl.String}, description="areas served; none: no limit given")
    cost: str = pa.Field(description="what it costs, in words")
    when: str = pa.Field(description="when it is open, in words")
    telephone: str = pa.Field(nullable=True, description="the first telephone number")
    room: str = pa.Field(isin=["yes", "no", "unknown"], description="whether it had room when last counted")
    checked_on: pl.Date = pa.Field(nullable=True, description="the day someone checked the details")


SERVICE_TABLES: dict[str, type[pa.DataFrameModel]] = {
    "organisations": Organisations,
    "services": Services,
    "service_places": ServicePlaces,
    "service_areas": ServiceAreas,
    "schedules": Schedules,
    "costs": Costs,
    "terms": Terms,
    "capacities": Capacities,
}

# Rules that a record of the directory can break, with what each says.
DIRECTORY_RULES: dict[str, str] = {
    "missing": "a value is needed here and none was sent",
    "not_a_text": "the value is not a text",
    "not_a_list": "the value is not a list of records",
    "not_a_record": "the entry is not a record with named fields",
    "not_a_date": "the date is not a real day written year-month-day",
    "not_a_number": "the value is not a number",
    "not_a_time": "the time is not written as hour and minute",
    "out_of_range": "the value is outside the range this field promises",
    "unknown_label": "the label is not one of this field's labels",
    "end_before_start": "the end is before the start",
    "twice": "an earlier record has the same identifier",
}


def schema_of(model: type[pa.DataFrameModel]) -> pl.Schema:
    """The Polars schema of a contract.

    >>> schema_of(Organisations).names()
    ['organisation_id', 'name', 'website']
    """
    return pl.Schema({name: field.dtype.type for name, field in model.to_schema().columns.items()})
