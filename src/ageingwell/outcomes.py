"""What happened in the year after a cut-off: the labels, who could not be followed, and who is not at risk.

Used in training and evaluation only, on the records as they stand after a settling period, so that late ones are in.
Death is never hidden: it is part of `loss_of_independence`, an outcome of its own, and, for the other outcomes, a
competing event told apart (`died_without_…`).
"""

from collections.abc import Mapping

import polars as pl

from ageingwell.config.files import codes_of
from ageingwell.contracts.prefixes import starts_with_any
from ageingwell.spine import Tables, latest_versions
from ageingwell.timeline import AsOf, Horizon

CARE_HOME = ("long_term_support_nursing_care", "long_term_support_residential_care")
COMMUNITY = "long_term_support_community"
OUTCOMES = ("loss_of_independence", "emergency_admission", "new_long_term_care", "death")


def label_outcomes(
    settled: Tables, spine: pl.DataFrame, as_of: AsOf, *, horizon: Horizon, codelists: Mapping[str, tuple[str, ...]]
) -> pl.DataFrame:
    """Label every person of the spine: one row a person, each outcome 1, 0 or missing.

    `settled` are the tables as known once the horizon and the settling period have passed. Somebody who left the area
    inside the horizon without the outcome is missing (censored), not a 0, and so is somebody who, as was recorded too
    late to be known, had died or left before the cut-off. A care-home resident is at risk of none
    (they are scored apart); somebody with long-term support is not at risk of new long-term care.
    """
    people = spine.select("person_id", "care_home")
    for found in (
        _exits(settled, as_of, horizon),
        _admissions(settled, as_of, horizon, codelists),
        _care(settled, as_of, horizon),
    ):
        people = people.join(found, on="person_id", how="left", maintain_order="left")
    happened = [pl.col(name).fill_null(value=False).alias(name) for name in _HAPPENED]
    people = people.with_columns(happened)
    fell = pl.col("fell")
    lost = pl.col("died") | fell | pl.col("entered_care_home") | (pl.col("started_care") & ~pl.col("had_care"))
    return people.select(
        "person_id",
        loss_of_independence=_label(lost),
        emergency_admission=_label(pl.col("admitted")),
        new_long_term_care=_label(pl.col("started_care") | pl.col("entered_care_home"), at_risk=~pl.col("had_care")),
        death=_label(pl.col("died")),
        died_without_emergency_admission=pl.col("died") & ~pl.col("admitted"),
        died_without_new_long_term_care=pl.col("died") & ~(pl.col("started_care") | pl.col("entered_care_home")),
        left_area=pl.col("left"),
    )


_HAPPENED = ("died", "left", "gone", "admitted", "fell", "started_care", "entered_care_home", "had_care")


def _label(happened: pl.Expr, *, at_risk: pl.Expr | None = None) -> pl.Expr:
    followed = (happened | ~pl.col("left")) & ~pl.col("gone")
    risk = pl.col("care_home") != "yes"
    return pl.when(followed & (risk if at_risk is None else risk & at_risk)).then(happened.cast(pl.Int8))


def _exits(settled: Tables, as_of: AsOf, horizon: Horizon) -> pl.DataFrame:
    died, left = pl.col("died_on"), pl.col("left_on")
    return latest_versions(settled["gp_patients"]).select(
        "person_id",
        died=horizon.holds(died, as_of),
        # A practice closes the registration of somebody who died; that is no leaving.
        left=horizon.holds(left, as_of) & (died.is_null() | (left < died)),
        gone=(died < as_of.day) | (left < as_of.day),
    )


def _admissions(
    settled: Tables, as_of: AsOf, horizon: Horizon, codelists: Mapping[str, tuple[str, ...]]
) -> pl.DataFrame:
    if "hospital_events" not in settled:
        return _admissions_by_gp_codes(settled, as_of, horizon, codelists)
    emergencies = settled["hospital_events"].filter(
        (pl.col("kind") == "emergency_admission") & horizon.holds(pl.col("started_on"), as_of)
    )
    icd10 = pl.col("icd10").str.replace(".", "", literal=True)
    fall = starts_with_any(icd10, (*codes_of(codelists, "icd10_fall"), *codes_of(codelists, "icd10_fracture")))
    return emergencies.group_by("person_id").agg(admitted=pl.lit(value=True).first(), fell=fall.any()).collect()


def _admissions_by_gp_codes(
    settled: Tables, as_of: AsOf, horizon: Horizon, codelists: Mapping[str, tuple[str, ...]]
) -> pl.DataFrame:
    """Without hospital records: admissions and injurious falls as the GP coded them."""
    rows = settled["gp_events"].filter(
        (pl.col("code_system") == "snomed") & horizon.holds(pl.coalesce("happened_on", "recorded_on"), as_of)
    )
    admitted = pl.col("code").is_in(codes_of(codelists, "emergency_admission"))
    fell = pl.col("code").is_in((*codes_of(codelists, "injurious_fall"), *codes_of(codelists, "fracture")))
    return rows.group_by("person_id").agg(admitted=admitted.any(), fell=fell.any()).collect()


def _care(settled: Tables, as_of: AsOf, horizon: Horizon) -> pl.DataFrame:
    if "care_events" not in settled:
        return pl.DataFrame(
            schema={
                "person_id": pl.String,
                "started_care": pl.Boolean,
                "entered_care_home": pl.Boolean,
                "had_care": pl.Boolean,
            }
        )
    service = (pl.col("event_type") == "service") & (pl.col("client_type") == "service_user")
    long_term = settled["care_events"].filter(service & pl.col("service_type").is_in([COMMUNITY, *CARE_HOME]))
    starts = horizon.holds(pl.col("started_on"), as_of)
    open_then = (pl.col("started_on") < as_of.day) & (pl.col("ended_on").is_null() | (pl.col("ended_on") >= as_of.day))
    home_care = (pl.col("service_type") == COMMUNITY) & (pl.col("service_component") == "home_support")
    return (
        long_term.group_by("person_id")
        .agg(
            started_care=(starts & home_care).fill_null(value=False).any(),
            entered_care_home=(starts & pl.col("service_type").is_in(CARE_HOME)).any(),
            had_care=open_then.any(),
        )
        .collect()
    )
