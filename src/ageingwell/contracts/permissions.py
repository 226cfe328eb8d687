"""Opt-outs, objections and markers; and what the agencies already did."""

from collections.abc import Mapping

import pandera.polars as pa
import polars as pl

from ageingwell.contracts.fields import OPT_OUT_END, day, exactly_one, holds, label, not_before, pseudonym
from ageingwell.events import EventKey
from ageingwell.register import LEAD_AGENCIES


class Permissions(pa.DataFrameModel):
    """Opt-outs, objections, restrictions and markers, one row each. A refused row stops the run.

    A first or last day that cannot be read is read as empty: the opt-out is in force, and has no end.

    Owner: GP practices (type 1), the national opt-out service, each agency (objections and markers). Delivery lag:
    must be nil. Coverage: everyone who asked. A missing table stops the run: an opt-out never fails open.

    `national_allowed` turns the question round: the national service gives back the people who may be used. Where one
    such row was sent, everybody on the GP register who has none in force counts as nationally opted out.
    """

    # An opt-out of a person may not become one of their home, nor the other way round.
    person_id: str = pseudonym("the person it concerns", required=False, nullable=True, unreadable="refused")
    household_id: str = pseudonym("the home it concerns", required=False, nullable=True, unreadable="refused")
    kind: str = label(
        "what was asked or marked",
        "type_1",
        "national",
        "national_allowed",
        "objection",
        "restriction",
        "safeguarding",
        "staff_safety",
    )
    from_on: pl.Date = day("in force from this day; empty: in force", required=False, nullable=True)
    to_on: pl.Date = day(
        "in force up to and with this day; empty: no end", required=False, nullable=True, placeholder=OPT_OUT_END
    )
    checked_on: pl.Date = day("the day the source was last checked")

    @pa.check("kind", name="one_of_two_needed")
    def _one_subject(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return holds(data, exactly_one("person_id", "household_id"))

    @pa.check("kind", name="missing")
    def _allows_a_person(cls, data: pa.PolarsData) -> pl.LazyFrame:
        # The national service answers for people; a home cannot allow everybody in it.
        return holds(data, (pl.col("kind") != "national_allowed") | pl.col("person_id").is_not_null())

    @pa.check("to_on", name="end_before_start")
    def _ends_after_start(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return holds(data, not_before("to_on", "from_on"))


class Contacts(pa.DataFrameModel):
    """What the agencies did, one row a contact; the group's recorded decisions are written in this shape.

    Owner: every agency. Delivery lag: days. Known defects: contacts outside this programme are mostly absent.
    """

    person_id: str = pseudonym("the person contacted", required=False, nullable=True)
    household_id: str = pseudonym("the home contacted", required=False, nullable=True)
    agency: str = label("who made contact", *LEAD_AGENCIES)
    contacted_on: pl.Date = day("the day of contact")
    outcome: str = label(
        "how it ended",
        "accepted",
        "completed",
        "declined_help",
        "refused",
        "referred_on",
        "no_access",
        "deferred",
        "in_hospital",
        "wrong_address",
        "deceased",
        "moved",
    )
    recorded_on: pl.Date = day("the day it was entered")

    @pa.check("agency", name="one_of_two_needed")
    def _one_subject(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return holds(data, exactly_one("person_id", "household_id"))

    @pa.check("recorded_on", name="recorded_before_it_happened")
    def _recorded_after(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return holds(data, not_before("recorded_on", "contacted_on"))


# What makes rows one event.
EVENT_KEYS: Mapping[str, EventKey] = {
    "contacts": EventKey(
        ("person_id", "household_id", "agency", "contacted_on", "outcome"),
        "Rows that agree in all but `recorded_on` are one contact.",
    ),
}
