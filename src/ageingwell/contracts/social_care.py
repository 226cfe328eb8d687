"""What adult social care promises: the Client Level Data return."""

from collections.abc import Mapping

import pandera.polars as pa
import polars as pl

from ageingwell.contracts import known_labels
from ageingwell.contracts.fields import (
    NO_BLANK,
    amount,
    day,
    holds,
    label,
    not_before,
    open_label,
    pseudonym,
    text,
    yes_no_unknown,
)
from ageingwell.events import EventKey


class CareEvents(pa.DataFrameModel):
    """Events of the Adult Social Care Client Level Data (CLD) return, its own field names in snake case.

    Owner: the council. Delivery lag: quarterly; CLD has no date of recording, so the configuration says how long
    after the start an event is taken to have been known. Coverage: people known to the council; self-funders are
    mostly absent. Known defects: one person may have several council ids; event references are not unique; an event
    without an end is open or was never closed; services may outlive a death; one label is spelt in several ways. The
    day of death stands in some rows of a person only, and may be later than the day the row was recorded.
    """

    person_id: str = pseudonym("pseudonym of the person's NHS number")
    la_person_id: str = text("the council's own id of the person, pseudonymised", shape=NO_BLANK)
    client_type: str = label(
        "the person's part",
        "service_user",
        "carer",
        "carer_known_by_association",
        also=known_labels.CLIENT_TYPES_ALSO,
    )
    event_type: str = label("what kind of event", "request", "assessment", "service", "review")
    primary_support_reason: str = open_label("main reason for support", known=known_labels.SUPPORT_REASONS)
    service_type: str = open_label(
        "short or long term, and where", known=known_labels.SERVICE_TYPES, also=known_labels.SERVICE_TYPES_ALSO
    )
    service_component: str = open_label(
        "what is provided", known=known_labels.SERVICE_COMPONENTS, also=known_labels.SERVICE_COMPONENTS_ALSO
    )
    route_of_access: str = open_label("how the request came", known=known_labels.ROUTES_OF_ACCESS)
    review_reason: str = open_label("why the review was held", known=known_labels.REVIEW_REASONS)
    accommodation_status: str = open_label(
        "where the person lives", known=known_labels.ACCOMMODATION, also=known_labels.ACCOMMODATION_ALSO
    )
    has_unpaid_carer: str = yes_no_unknown("whether someone cares for the person unpaid")
    linked_person_id: str = pseudonym("the carer, or the person cared for", required=False, nullable=True)
    event_outcome: str = open_label("what followed", known=known_labels.EVENT_OUTCOMES)
    started_on: pl.Date = day("the day the event started")
    ended_on: pl.Date = day("the day the event ended", required=False, nullable=True)
    ended_recorded_on: pl.Date = day("the day the end was recorded", required=False, nullable=True)
    recorded_on: pl.Date = day("the day the council's system knew of the event")
    unit_cost: float = amount("cost of one unit, pounds", low=0, high=1_000_000)
    cost_frequency: str = open_label(
        "what a unit is: hourly, weekly, one-off …",
        known=known_labels.COST_FREQUENCIES,
        also=known_labels.COST_FREQUENCIES_ALSO,
    )
    planned_units_per_week: float = amount("units planned per week", low=0, high=10_000)
    died_on: pl.Date = day(
        "the day the person died, as the council knows it; told in one row it holds", required=False, nullable=True
    )

    @pa.check("ended_on", name="end_before_start")
    def _ends_after_start(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return holds(data, not_before("ended_on", "started_on"))

    @pa.check("ended_recorded_on", name="recorded_before_it_happened")
    def _end_recorded_after(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return holds(data, not_before("ended_recorded_on", "ended_on"))

    @pa.check("recorded_on", name="recorded_before_it_happened")
    def _recorded_after(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return holds(data, not_before("recorded_on", "started_on"))


# What makes rows one event. Services follow the public code for the Client Level Data return (the latest import of
# person, client type, event type, start, service type and component counts); its event reference is not unique.
EVENT_KEYS: Mapping[str, EventKey] = {
    "care_events": EventKey(
        ("person_id", "client_type", "event_type", "started_on", "service_type", "service_component"),
        "Rows of one person, client type, event type, service and start are one event, whatever their council ids. "
        "A row without a service type or component belongs to the one event of that day that has one. The end that "
        "was sent last is the end, and the newest cost is the cost: costs of several rows are not added up.",
        may_be_missing=("service_type", "service_component"),
        together=(("ended_on", "ended_recorded_on"), ("unit_cost", "cost_frequency", "planned_units_per_week")),
    ),
}
