"""Features from adult social care: what was asked for, given, reviewed and declined."""

import polars as pl

from ageingwell.features.feature import (
    Dated,
    Direction,
    Feature,
    Seen,
    Shown,
    Value,
    any_of,
    label,
    n_days,
    unless_untold,
)
from ageingwell.register import Recipient

CARE_READERS: tuple[Recipient, ...] = ("group", "gp", "social_care", "safeguarding")


def _event(kind: str) -> pl.Expr:
    return (pl.col("event_type") == kind) & (pl.col("client_type") == "service_user")


def _service(prefix: str) -> pl.Expr:
    return _event("service") & label("service_type").str.starts_with(prefix)


def _open(seen: Seen) -> pl.Expr:
    """Still running on the cut-off: no end is known, or the end known is still to come."""
    return pl.col("ended_on").is_null() | (pl.col("ended_on") >= seen.as_of.day)


def _declined(_: Seen) -> pl.Expr:
    """Whether support was declined; of an event that has not ended nothing has come yet."""
    outcome = label("event_outcome")
    told = pl.when(outcome.is_not_null()).then(outcome.str.contains("support_declined", literal=True))
    return told.when(pl.col("ended_on").is_null()).then(pl.lit(value=False))


def _pence(seen: Seen) -> pl.Expr:
    """What a row costs the council a week on the cut-off; missing where that could not be told."""
    return pl.when(_open(seen)).then("weekly_pence").otherwise(0)


def _feature(
    name: str,
    value: Value,
    direction: Direction,
    present: str,
    absent: str,
    *,
    one: str | None = None,
    days: int | None = None,
    shown_as: Shown = "yes_no",
    can_change: bool = False,
    source: str = "care_events",
) -> Feature:
    return Feature(
        name=name,
        theme="care",
        source=source,
        value=value,
        direction=direction,
        present=present,
        absent=absent,
        one=one,
        lookback_days=days,
        shown_as=shown_as,
        can_change=can_change,
        readers=CARE_READERS,
    )


FEATURES: tuple[Feature, ...] = (
    _feature(
        "n_care_requests_365d",
        n_days(lambda _: _event("request"), day="started_on", days=365),
        "up",
        "{value} requests for social care in the past year",
        "no request for social care in the past year",
        one="1 request for social care in the past year",
        days=365,
        shown_as="count",
    ),
    _feature(
        "n_care_requests_1095d",
        n_days(lambda _: _event("request"), day="started_on", days=1095),
        "up",
        "{value} requests for social care in the past three years",
        "no request for social care in the past three years",
        one="1 request for social care in the past three years",
        days=1095,
        shown_as="count",
    ),
    _feature(
        "has_short_term_support_365d",
        any_of(lambda _: _service("short_term_support"), day="started_on", days=365),
        "up",
        "short-term support (such as reablement) in the past year",
        "no short-term support in the past year",
        days=365,
    ),
    _feature(
        "has_home_care",
        any_of(
            lambda seen: (
                _service("long_term_support_community") & (label("service_component") == "home_support") & _open(seen)
            ),
            day="started_on",
            days=None,
        ),
        "either",
        "home care in place",
        "no council home care in place",
    ),
    _feature(
        "has_long_term_support",
        any_of(lambda seen: _service("long_term_support") & _open(seen), day="started_on", days=None),
        "either",
        "long-term social care support in place",
        "no long-term social care support in place",
    ),
    _feature(
        "n_unplanned_reviews_365d",
        n_days(
            lambda _: _event("review") & label("review_reason").str.contains("unplanned", literal=True),
            day="started_on",
            days=365,
        ),
        "up",
        "{value} unplanned reviews of support in the past year",
        "no unplanned review of support in the past year",
        one="1 unplanned review of support in the past year",
        days=365,
        shown_as="count",
    ),
    _feature(
        "n_planned_reviews_730d",
        n_days(
            lambda _: _event("review") & label("review_reason").str.starts_with("planned"), day="started_on", days=730
        ),
        "either",
        "{value} planned reviews of support in the past two years",
        "no planned review of support in the past two years",
        one="1 planned review of support in the past two years",
        days=730,
        shown_as="count",
    ),
    _feature(
        "came_from_hospital_365d",
        any_of(
            lambda _: _event("request") & (label("route_of_access") == "discharge_from_hospital"),
            day="started_on",
            days=365,
        ),
        "up",
        "asked for social care on leaving hospital in the past year",
        "no request for social care from hospital in the past year",
        days=365,
    ),
    _feature(
        "has_unpaid_carer",
        any_of(lambda _: label("has_unpaid_carer") == "yes", day="started_on", days=1095),
        "either",
        "an unpaid carer recorded by social care",
        "no unpaid carer recorded by social care",
        days=1095,
    ),
    _feature(
        "is_unpaid_carer",
        any_of(lambda _: pl.col("client_type").str.starts_with("carer"), day="started_on", days=1095),
        "either",
        "caring for someone, as recorded by social care",
        "not recorded as a carer by social care",
        days=1095,
        can_change=True,
    ),
    _feature(
        "n_support_declined_1095d",
        n_days(_declined, day="started_on", days=1095),
        "either",
        "{value} offers of support declined in the past three years",
        "no offer of support declined in the past three years",
        one="1 offer of support declined in the past three years",
        days=1095,
        shown_as="count",
    ),
    _feature(
        "weekly_care_cost_gbp",
        # Summed in pence, so that the sum does not depend on the order of the rows.
        Dated(
            lambda seen: unless_untold(_pence(seen).sum() / 100, _pence(seen)),
            lambda seen: _pence(seen) > 0,
            "started_on",
        ),
        "either",
        "council support of about £{value} per week",
        "no council support with a weekly cost",
        shown_as="pounds",
    ),
    _feature(
        "has_equipment_1095d",
        any_of(lambda _: _event("service") & (label("service_component") == "equipment"), day="started_on", days=1095),
        "either",
        "equipment provided by social care in the past three years",
        "no equipment from social care in the past three years",
        days=1095,
    ),
    _feature(
        "is_isolated_social_care",
        any_of(
            lambda _: label("primary_support_reason").str.contains("social_isolation", literal=True),
            day="started_on",
            days=1095,
        ),
        "up",
        "social isolation noted by social care",
        "no social isolation noted by social care",
        days=1095,
        can_change=True,
    ),
)

# Rows of people who get support and name somebody as their carer: of the carer, who may have no row of their own.
NAMED: tuple[Feature, ...] = (
    _feature(
        "is_named_carer_1095d",
        any_of(lambda _: pl.lit(value=True), day="started_on", days=1095),
        "either",
        "recorded by social care as someone's carer in the past three years",
        "not recorded by social care as anyone's carer in the past three years",
        days=1095,
        can_change=True,
        source="named_carers",
    ),
)
