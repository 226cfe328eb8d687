"""What happened in the year after a cut-off: the labels, who could not be followed, and who is not at risk.

Used in training and evaluation only, on the records as they stand after a settling period, so that late ones are in.
Death is never hidden: it is part of `loss_of_independence`, an outcome of its own, and, for the other outcomes, a
competing event told apart (`died_without_…`).
"""

from collections.abc import Mapping

import polars as pl

from ageingwell.config.files import codes_of
from ageingwell.contracts.prefixes import diagnosed_with
from ageingwell.recognition.counting import DIAGNOSES, ENTRIES
from ageingwell.spine import Tables, deaths_told, latest_versions
from ageingwell.timeline import AsOf, Horizon

CARE_HOME = ("long_term_support_nursing_care", "long_term_support_residential_care")
COMMUNITY = "long_term_support_community"
TAKEN_UP = ("accepted", "completed")
OUTCOMES = ("loss_of_independence", "emergency_admission", "new_long_term_care", "death")


def label_outcomes(
    settled: Tables,
    spine: pl.DataFrame,
    as_of: AsOf,
    *,
    horizon: Horizon,
    codelists: Mapping[str, tuple[str, ...]],
    untold: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Label every person of the spine: one row a person, each outcome 1, 0 or missing, and its first day.

    `<outcome>_on` is that day, empty without the outcome.
    `settled` are the tables as known once the horizon and the settling period have passed. Somebody who left the area
    inside the horizon without the outcome is missing (censored), not a 0, and so is somebody who, as was recorded too
    late to be known, had died or left before the cut-off. A care-home resident is at risk of none
    (they are scored apart); somebody with long-term support is not at risk of new long-term care. Of whom `untold`, as
    `recognise` gives it for the settled tables, marks a column that an outcome rests on, that outcome is missing.
    """
    people = spine.select("person_id", "care_home")
    for found in (
        _exits(settled, as_of, horizon),
        _admissions(settled, as_of, horizon, codelists),
        _care(settled, as_of, horizon),
    ):
        people = people.join(found, on="person_id", how="left", maintain_order="left")
    people = people.with_columns(pl.col(name).fill_null(value=False) for name in ("left", "gone", "had_care"))
    new_care = pl.when(~pl.col("had_care")).then(pl.col("started_care_on"))
    first = {
        "loss_of_independence": pl.min_horizontal("died_on", "fell_on", "entered_care_home_on", new_care),
        "emergency_admission": pl.col("admitted_on"),
        "new_long_term_care": pl.min_horizontal("started_care_on", "entered_care_home_on"),
        "death": pl.col("died_on"),
    }
    at_risk = {"new_long_term_care": ~pl.col("had_care")}
    died = pl.col("died_on").is_not_null()
    labels = {
        name: _label(
            first[name],
            at_risk=at_risk.get(name, pl.lit(value=True)) & ~_is_untold(name, people, settled, untold),
        )
        for name in OUTCOMES
    }
    return people.select(
        "person_id",
        **labels,
        died_without_emergency_admission=died & first["emergency_admission"].is_null(),
        died_without_new_long_term_care=died & first["new_long_term_care"].is_null(),
        left_area=pl.col("left"),
        **{f"{name}_on": pl.when(labels[name] == 1).then(day) for name, day in first.items()},
    )


def outcome_rests_on(outcome: str, settled: Tables) -> tuple[str, ...]:
    """The columns of codes and open labels that an outcome rests on, as `table.column`.

    >>> outcome_rests_on("emergency_admission", {"hospital_events": pl.LazyFrame()})
    ()
    """
    care = ("care_events.service_type", "care_events.service_component")
    stays = () if "hospital_events" in settled else (ENTRIES,)
    return {
        "loss_of_independence": (*care, *(stays or (DIAGNOSES,))),
        "emergency_admission": stays,
        "new_long_term_care": care,
    }.get(outcome, ())


def _is_untold(outcome: str, people: pl.DataFrame, settled: Tables, untold: pl.DataFrame | None) -> pl.Expr:
    """Whether the records cannot say if an outcome came about: of those with it too, or the ones alone would stay."""
    asked = outcome_rests_on(outcome, settled)
    if untold is None or not asked:
        return pl.lit(value=False)
    nobody = untold.filter(pl.any_horizontal(asked))["person_id"]
    return pl.lit(people["person_id"].is_in(nobody.implode()))


def first_contacts(settled: Tables, spine: pl.DataFrame, as_of: AsOf, *, horizon: Horizon) -> pl.DataFrame:
    """The first day inside the horizon on which somebody took up help: person_id, contacted_on; the others are absent.

    Help is a contact that was accepted or completed, with the person or with their home of the cut-off. It belongs to
    no feature: it lies after the cut-off, and training needs it only to know whose outcome it may have changed.
    """
    if "contacts" not in settled:
        return pl.DataFrame(schema={"person_id": pl.String, "contacted_on": pl.Date})
    day = pl.col("contacted_on")
    taken_up = settled["contacts"].filter(pl.col("outcome").is_in(TAKEN_UP) & horizon.holds(day, as_of)).collect()
    of_home = taken_up.drop("person_id").join(spine.select("person_id", "household_id"), on="household_id")
    of_person = taken_up.join(spine.select("person_id"), on="person_id", how="semi")
    both = pl.concat([rows.select("person_id", "contacted_on") for rows in (of_home, of_person)])
    return both.group_by("person_id").agg(day.min()).sort("person_id")


def _label(first: pl.Expr, *, at_risk: pl.Expr) -> pl.Expr:
    happened = first.is_not_null()
    followed = (happened | ~pl.col("left")) & ~pl.col("gone")
    return pl.when(followed & (pl.col("care_home") != "yes") & at_risk).then(happened.cast(pl.Int8))


def _exits(settled: Tables, as_of: AsOf, horizon: Horizon) -> pl.DataFrame:
    died, left = pl.col("died_on"), pl.col("left_on")
    # Whose death the practice does not know social care may know; where both tell a day, the register's counts.
    told = deaths_told(settled).rename({"died_on": "_told_on"})
    register = latest_versions(settled["gp_patients"]).join(told, on="person_id", how="left", maintain_order="left")
    return register.with_columns(died_on=pl.coalesce(died, "_told_on")).select(
        "person_id",
        died_on=pl.when(horizon.holds(died, as_of)).then(died),
        # A practice closes the registration of somebody who died; that is no leaving.
        left=horizon.holds(left, as_of) & (died.is_null() | (left < died)),
        gone=(died < as_of.day) | (left < as_of.day),
    )


def _admissions(
    settled: Tables, as_of: AsOf, horizon: Horizon, codelists: Mapping[str, tuple[str, ...]]
) -> pl.DataFrame:
    if "hospital_events" not in settled:
        return _admissions_by_gp_codes(settled, as_of, horizon, codelists)
    day = pl.col("started_on")
    emergencies = settled["hospital_events"].filter(
        (pl.col("kind") == "emergency_admission") & horizon.holds(day, as_of)
    )
    fall = diagnosed_with((*codes_of(codelists, "icd10_fall"), *codes_of(codelists, "icd10_fracture")))
    return emergencies.group_by("person_id").agg(admitted_on=day.min(), fell_on=day.filter(fall).min()).collect()


def _admissions_by_gp_codes(
    settled: Tables, as_of: AsOf, horizon: Horizon, codelists: Mapping[str, tuple[str, ...]]
) -> pl.DataFrame:
    """Without hospital records: admissions and injurious falls as the GP coded them."""
    day = pl.coalesce("happened_on", "recorded_on")
    rows = settled["gp_events"].filter((pl.col("code_system") == "snomed") & horizon.holds(day, as_of))
    admitted = pl.col("code").is_in(codes_of(codelists, "emergency_admission"))
    fell = pl.col("code").is_in((*codes_of(codelists, "injurious_fall"), *codes_of(codelists, "fracture")))
    first = rows.group_by("person_id").agg(admitted_on=day.filter(admitted).min(), fell_on=day.filter(fell).min())
    return first.collect()


def _care(settled: Tables, as_of: AsOf, horizon: Horizon) -> pl.DataFrame:
    if "care_events" not in settled:
        return pl.DataFrame(
            schema={
                "person_id": pl.String,
                "started_care_on": pl.Date,
                "entered_care_home_on": pl.Date,
                "had_care": pl.Boolean,
            }
        )
    service = (pl.col("event_type") == "service") & (pl.col("client_type") == "service_user")
    long_term = settled["care_events"].filter(service & pl.col("service_type").is_in([COMMUNITY, *CARE_HOME]))
    day = pl.col("started_on")
    starts = horizon.holds(day, as_of)
    open_then = (day < as_of.day) & (pl.col("ended_on").is_null() | (pl.col("ended_on") >= as_of.day))
    home_care = (pl.col("service_type") == COMMUNITY) & (pl.col("service_component") == "home_support")
    return (
        long_term.group_by("person_id")
        .agg(
            started_care_on=day.filter(starts & home_care).min(),
            entered_care_home_on=day.filter(starts & pl.col("service_type").is_in(CARE_HOME)).min(),
            had_care=open_then.any(),
        )
        .collect()
    )
