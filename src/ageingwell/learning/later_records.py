"""What later records tell of people from a day on: admissions, nights in hospital, new care, deaths, days at home.

Everybody is looked at for the same number of days from their own first day. Somebody who moved away counts for the part
that is known (`followed`); somebody who died has nothing more happen to them, and their death is told beside.
"""

from collections.abc import Mapping
from datetime import date
from typing import Final

import polars as pl

from ageingwell.config.files import codes_of
from ageingwell.contracts.prefixes import diagnosed_with
from ageingwell.outcomes import CARE_HOME, COMMUNITY
from ageingwell.spine import Tables, deaths_told, latest_versions

# What is counted of each person in the days looked at, and what each rests on.
OF_HOSPITAL: Final = ("emergency_admissions", "falls_admissions", "emergency_bed_days")
OUTCOMES_COUNTED: Final = (*OF_HOSPITAL, "new_long_term_care", "deaths", "days_at_home")
YEAR: Final = 365
# Admissions of the year before the first day, which people were chosen by; and of the year before that, which no visit
# can have changed and nobody was chosen by.
PRIOR, YEAR_BEFORE = "prior_admissions", "admissions_the_year_before"
_FOR: Final = ("person_id", "index_on")


def later_records(
    tables: Tables, people: pl.DataFrame, *, days: int, codelists: Mapping[str, tuple[str, ...]]
) -> pl.DataFrame:
    """Count what happened to people (person_id, index_on) in the `days` days from `index_on`.

    `tables` are those known once the time had passed and late records had come. Columns: person_id, index_on,
    `followed` (the part of the days that is known), the outcomes of `OUTCOMES_COUNTED` (counts; nights for
    `emergency_bed_days`; 0 or 1 for care and death; days alive outside hospital and care homes for `days_at_home`),
    `PRIOR` and `YEAR_BEFORE`. Without hospital records those of hospitals, and days at home, are missing. Who is not on
    the register, or died or left before `index_on`, is absent.
    """
    asked = people.select(_FOR).unique().join(_endings(tables), on="person_id")
    end = pl.col("index_on") + pl.duration(days=days)
    gone = pl.min_horizontal("died_on", "left_on")
    here = asked.filter(gone.is_null() | (gone >= pl.col("index_on"))).with_columns(
        _end=end,
        _known_to=pl.min_horizontal(end, pl.when(pl.col("died_on").is_null()).then("left_on")),
    )
    here = here.with_columns(_alive_to=pl.min_horizontal("_known_to", "died_on"))
    care = _care(tables, here)
    stays = _stays(tables, here, care, codelists)
    found = here.join(care, on=_FOR, how="left").join(stays, on=_FOR, how="left")
    return _counted(found, days=days, has_hospital="hospital_events" in tables).sort(_FOR)


def _counted(found: pl.DataFrame, *, days: int, has_hospital: bool) -> pl.DataFrame:
    before_end = pl.col("died_on") < pl.col("_end")
    at_home_to = pl.min_horizontal("_alive_to", "entered_on")
    hospital = [*OF_HOSPITAL, PRIOR, YEAR_BEFORE]
    none = [pl.lit(None, pl.Float64).alias(name) for name in (*hospital, "_nights_before_care")]
    told = found.with_columns(pl.col(hospital).fill_null(0) if has_hospital else none)
    at_home = (at_home_to - pl.col("index_on")).dt.total_days() - pl.col("_nights_before_care").fill_null(0.0)
    return told.select(
        *_FOR,
        followed=(pl.col("_known_to") - pl.col("index_on")).dt.total_days() / days,
        **{name: pl.col(name).cast(pl.Float64) for name in OF_HOSPITAL},
        new_long_term_care=pl.min_horizontal("entered_on", "home_care_on").is_not_null().cast(pl.Float64),
        deaths=before_end.fill_null(value=False).cast(pl.Float64),
        days_at_home=(at_home if has_hospital else pl.lit(None)).cast(pl.Float64),
        **{name: pl.col(name).cast(pl.Float64) for name in (PRIOR, YEAR_BEFORE)},
    )


def _endings(tables: Tables) -> pl.DataFrame:
    """The day each person on the register died or left: person_id, died_on, left_on."""
    told = deaths_told(tables).rename({"died_on": "_told_on"})
    register = latest_versions(tables["gp_patients"]).join(told, on="person_id", how="left")
    return register.select("person_id", "left_on", died_on=pl.coalesce("died_on", "_told_on"))


def _care(tables: Tables, people: pl.DataFrame) -> pl.DataFrame:
    """The first new home care (of those who had no long-term care) and the first move into a care home, in the days."""
    if "care_events" not in tables:
        none = [pl.lit(None, pl.Date).alias(name) for name in ("home_care_on", "entered_on")]
        return people.select(*_FOR, *none)
    is_service = (pl.col("event_type") == "service") & (pl.col("client_type") == "service_user")
    kinds = pl.col("service_type").is_in([COMMUNITY, *CARE_HOME])
    services = (
        tables["care_events"]
        .filter(is_service & kinds)
        .select("person_id", "service_type", "service_component", "started_on", "ended_on")
    )
    both = people.lazy().join(services, on="person_id").collect()
    day, index = pl.col("started_on"), pl.col("index_on")
    is_in = (day >= index) & (day < pl.col("_alive_to"))
    had = ((day < index) & (pl.col("ended_on").is_null() | (pl.col("ended_on") >= index))).any()
    is_home_care = (pl.col("service_type") == COMMUNITY) & (pl.col("service_component") == "home_support")
    return (
        both.group_by(_FOR)
        .agg(
            home_care_on=day.filter(is_in & is_home_care).min(),
            entered_on=day.filter(is_in & pl.col("service_type").is_in(CARE_HOME)).min(),
            had=had,
        )
        .with_columns(home_care_on=pl.when(~pl.col("had")).then("home_care_on"))
        .drop("had")
    )


def _stays(
    tables: Tables, people: pl.DataFrame, care: pl.DataFrame, codelists: Mapping[str, tuple[str, ...]]
) -> pl.DataFrame:
    """Emergency stays of each person in the days, in the year before, and in the year before that; and their nights."""
    if "hospital_events" not in tables:
        return people.select(_FOR)
    fall = diagnosed_with((*codes_of(codelists, "icd10_fall"), *codes_of(codelists, "icd10_fracture")))
    # A stay with several main diagnoses is one stay.
    stays = (
        tables["hospital_events"]
        .filter(pl.col("kind") == "emergency_admission")
        .group_by("person_id", "started_on")
        .agg(pl.col("ended_on").max(), is_fall=fall.any().fill_null(value=False))
    )
    day, index, last = pl.col("started_on"), pl.col("index_on"), pl.col("_alive_to")
    whom = people.join(care, on=_FOR, how="left").lazy()
    both = whom.join(stays, on="person_id").collect()
    # Stays that overlap, such as a transfer sent as a new stay, share their nights.
    both = both.sort(*_FOR, "started_on").with_columns(
        _out=pl.min_horizontal(pl.col("ended_on").fill_null(last), last),
    )
    earlier = pl.col("_out").cum_max().shift(1).over(_FOR)
    both = both.with_columns(_in=pl.max_horizontal("started_on", "index_on", earlier))
    nights = (pl.col("_out") - pl.col("_in")).dt.total_days().clip(lower_bound=0)
    at_home_to = pl.min_horizontal("_out", "entered_on")
    before_care = (at_home_to - pl.col("_in")).dt.total_days().clip(lower_bound=0)
    is_in = (day >= index) & (day < last)
    since = (index - day).dt.total_days()
    return both.group_by(_FOR).agg(
        emergency_admissions=is_in.sum(),
        falls_admissions=(is_in & pl.col("is_fall")).sum(),
        emergency_bed_days=nights.sum(),
        _nights_before_care=before_care.sum().cast(pl.Float64),
        **{
            PRIOR: since.is_between(1, YEAR).sum(),
            YEAR_BEFORE: since.is_between(YEAR + 1, 2 * YEAR).sum(),
        },
    )


def settled_by(until: date, *, days: int, settling_days: int) -> pl.Expr:
    """Whether the days from `index_on` have passed by `until`, and late records have come."""
    return pl.col("index_on") + pl.duration(days=days + settling_days) <= until
