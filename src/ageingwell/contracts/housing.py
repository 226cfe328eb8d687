"""What housing promises: homes and what happened in them."""

from collections.abc import Mapping

import pandera.polars as pa
import polars as pl

from ageingwell.contracts import known_labels
from ageingwell.contracts.fields import (
    NO_BLANK,
    day,
    holds,
    household_match,
    label,
    not_before,
    open_label,
    pseudonym,
    text,
    whole,
    yes_no_unknown,
)
from ageingwell.events import EventKey

PROPERTY_TYPES = (
    "house",
    "bungalow",
    "flat",
    "maisonette",
    "park_home",
    "sheltered",
    "extra_care",
    "care_home",
    "other",
    "unknown",
)
MAIN_FUELS = ("mains_gas", "electricity", "oil", "lpg", "solid_fuel", "heat_network", "other", "unknown")
TENURES = ("owner_occupied", "social_rented", "private_rented", "shared_ownership", "other", "unknown")


class Homes(pa.DataFrameModel):
    """Homes, one row a home, source and version; each column takes its latest known value that is not unknown.

    A home is a care home where the newest row of any one source says so, whatever another source says later.

    Owner: housing authority, landlords, the energy performance register. Delivery lag: weeks; certificates only at
    sale, letting or works. Coverage: social landlords know their own stock; long-settled owner-occupiers usually have
    no energy certificate. Known defects: an energy rating may be ten years old.
    """

    household_id: str = pseudonym("pseudonym of the home's UPRN")
    source: str = open_label(
        "who says so: epc, landlord, council_tax …", required=True, known=known_labels.HOME_SOURCES
    )
    tenure: str = label("how the home is held", *TENURES, required=False)
    property_type: str = label("kind of home", *PROPERTY_TYPES, required=False)
    lowest_floor: int = whole("lowest floor of the home; 0 is the ground floor", low=-5, high=100)
    epc_rating: str = label(
        "energy performance rating", "a", "b", "c", "d", "e", "f", "g", required=False, nullable=True
    )
    epc_inspected_on: pl.Date = day("the day of the energy inspection", required=False, nullable=True)
    main_fuel: str = label("main heating fuel", *MAIN_FUELS, required=False)
    step_free_access: str = yes_no_unknown("whether the home can be entered without a step")
    occupants: int = whole("people living there", low=0, high=500)
    single_adult_discount: str = yes_no_unknown("council tax discount for one adult, on `recorded_on`")
    household_match: str = household_match()
    recorded_on: pl.Date = day("the day the source's system knew this version")

    @pa.check("recorded_on", name="recorded_before_it_happened")
    def _recorded_after(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return holds(data, not_before("recorded_on", "epc_inspected_on"))


class HousingEvents(pa.DataFrameModel):
    """Repairs, hazards, adaptations, arrears and support, one row an event.

    Owner: housing authority and social landlords. Delivery lag: weeks. Coverage: the landlords' own tenants, and
    adaptations and hazards of all tenures. Known defects: completion of an adaptation is recorded late or never.
    """

    household_id: str = pseudonym("pseudonym of the home's UPRN")
    case_id: str = text("the case the event belongs to, pseudonymised", shape=NO_BLANK)
    event_type: str = label(
        "what happened",
        "repair_requested",
        "hazard_found",
        "adaptation_requested",
        "adaptation_approved",
        "adaptation_completed",
        "adaptation_withdrawn",
        "arrears_letter",
        "tenancy_support",
        "disrepair_complaint",
    )
    hazard: str = open_label("Housing Health and Safety Rating System hazard", known=known_labels.HAZARDS)
    category: int = whole("hazard category, 1 (serious) or 2", low=1, high=2)
    happened_on: pl.Date = day("the day it happened")
    household_match: str = household_match()
    recorded_on: pl.Date = day("the day it was entered")

    @pa.check("recorded_on", name="recorded_before_it_happened")
    def _recorded_after(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return holds(data, not_before("recorded_on", "happened_on"))


# What makes rows one event. A home is no event: each fact of it is its newest.
EVENT_KEYS: Mapping[str, EventKey] = {
    "housing_events": EventKey(
        ("household_id", "event_type", "happened_on", "case_id", "hazard", "category"),
        "Rows that agree in all but `recorded_on` are one event. A row without a case, hazard or category belongs to "
        "the one event of that home, kind and day that has one.",
        may_be_missing=("case_id", "hazard", "category"),
    ),
}
