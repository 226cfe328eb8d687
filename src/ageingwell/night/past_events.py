"""What happened to each person on the list in the last three years: one dated line each, with who recorded it.

A page draws these lines as a timeline; an agency's own list shows the agency its own earlier contact. Codes and free
text stay behind: a line says what kind of thing happened, in the words below and no others.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from ageingwell.config.files import codes_of
from ageingwell.contracts.made import PastEvents
from ageingwell.contracts.services import schema_of
from ageingwell.features.build import Codelists
from ageingwell.features.gp import FALLS
from ageingwell.register import THEME_OF_AGENCY
from ageingwell.spine import Tables
from ageingwell.timeline import AsOf, Lookback

YEARS_SHOWN: Final = 3
SHOWN: Final = Lookback(365 * YEARS_SHOWN)


@dataclass(frozen=True)
class Source:
    """How the rows of one table become lines: the agency, the day, the column that says what it was, and its words.

    A label without words here makes no line: what nobody has put into plain words is not shown.
    """

    table: str
    agency: str
    day: str
    kind: str
    words: Mapping[str, str]


SOURCES: Final = (
    Source(
        "hospital_events",
        "hospital",
        "started_on",
        "kind",
        {
            "emergency_admission": "Unplanned hospital stay",
            "planned_admission": "Planned hospital stay",
            "ae_attendance": "A&E visit",
        },
    ),
    Source(
        "care_events",
        "social_care",
        "started_on",
        "event_type",
        {
            "request": "Asked social care for support",
            "assessment": "Care assessment",
            "service": "Care service started",
            "review": "Care review",
        },
    ),
    Source(
        "housing_events",
        "housing",
        "happened_on",
        "event_type",
        {
            "repair_requested": "Repair asked for",
            "hazard_found": "Hazard found in the home",
            "adaptation_requested": "Adaptation asked for",
            "adaptation_approved": "Adaptation approved",
            "adaptation_completed": "Adaptation done",
            "adaptation_withdrawn": "Adaptation withdrawn",
            "arrears_letter": "Letter about rent arrears",
            "tenancy_support": "Tenancy support",
            "disrepair_complaint": "Complaint about disrepair",
        },
    ),
    Source(
        "fire_visits",
        "fire",
        "visited_on",
        "visit_outcome",
        {
            "completed": "Home fire safety visit: done",
            "refused": "Home fire safety visit: refused",
            "no_access": "Home fire safety visit: no one let us in",
            "not_suitable": "Home fire safety visit: not suitable",
        },
    ),
    Source(
        "fire_incidents",
        "fire",
        "happened_on",
        "incident_type",
        {
            "accidental_dwelling_fire": "Accidental fire at home",
            "deliberate_fire": "Deliberate fire",
            "false_alarm": "False alarm",
            "special_service": "Fire crew called out, not for a fire",
        },
    ),
)
CONTACT_WORDS: Final[Mapping[str, str]] = {
    "accepted": "Contact: accepted help",
    "completed": "Contact: done",
    "declined_help": "Contact: declined help",
    "refused": "Contact: refused",
    "referred_on": "Contact: referred on",
    "no_access": "Contact: no answer",
    "deferred": "Contact: put off",
    "in_hospital": "Contact: was in hospital",
    "wrong_address": "Contact: wrong address",
}
FALL: Final = "Fall recorded by the GP"
ORDER: Final = ("person_id", "happened_on", "agency", "text", "is_theirs")
_LINE: Final = ("person_id", "happened_on", "agency", "theme", "text", "is_theirs")


def past_events_of(tables: Tables, people: pl.DataFrame, as_of: AsOf, *, codelists: Codelists) -> pl.DataFrame:
    """Tell what happened to some people in three years (contract: `PastEvents`), the oldest first.

    Parameters
    ----------
    tables
        The tables as they were known on the night.
    people
        Rows of the spine: person_id, household_id, lived_here_from.
    as_of
        The night; nothing of that day or later is told.
    codelists
        The code lists, for falls.

    Returns
    -------
    pl.DataFrame
        person_id, happened_on, agency, theme, text, is_theirs: false for what happened at the home before they lived
        there, which the agency that knows the home may see and the person's page never shows.
    """
    found = [*_of_sources(tables, people), *_falls(tables, people, codelists), *_contacts(tables, people)]
    if not found:
        return pl.DataFrame(schema=schema_of(PastEvents))
    lines = pl.concat([rows.select(_LINE) for rows in found]).filter(SHOWN.holds(pl.col("happened_on"), as_of))
    # Two agencies may tell of one day; one agency's own repeat of a line is one line.
    return lines.collect().unique().sort(ORDER)


def _of_sources(tables: Tables, people: pl.DataFrame) -> Iterator[pl.LazyFrame]:
    for source in SOURCES:
        if source.table in tables:
            what = pl.col(source.kind).replace_strict(source.words, default=None, return_dtype=pl.String)
            rows = tables[source.table].with_columns(agency=pl.lit(source.agency), happened_on=pl.col(source.day))
            yield _about(rows.with_columns(text=what), people)


def _falls(tables: Tables, people: pl.DataFrame, codelists: Codelists) -> Iterator[pl.LazyFrame]:
    if "gp_events" in tables:
        is_fall = pl.col("code").is_in([code for name in FALLS for code in codes_of(codelists, name)])
        rows = tables["gp_events"].filter(is_fall & (pl.col("code_system") == "snomed"))
        dated = rows.drop_nulls("happened_on").with_columns(agency=pl.lit("gp"), text=pl.lit(FALL))
        yield _about(dated, people)


def _contacts(tables: Tables, people: pl.DataFrame) -> Iterator[pl.LazyFrame]:
    if "contacts" in tables:
        what = pl.col("outcome").replace_strict(CONTACT_WORDS, default=None, return_dtype=pl.String)
        rows = tables["contacts"].with_columns(text=what, happened_on=pl.col("contacted_on"))
        yield _about(rows.filter(pl.col("person_id").is_not_null()).drop("household_id"), people)
        yield _about(rows.filter(pl.col("household_id").is_not_null()).drop("person_id"), people)


def _about(rows: pl.LazyFrame, people: pl.DataFrame) -> pl.LazyFrame:
    """The lines of these people: their own, or of the home they live in."""
    told = rows.drop_nulls("text").with_columns(theme=_theme())
    if "person_id" in told.collect_schema().names():
        ours = people.lazy().select("person_id")
        return told.join(ours, on="person_id", how="semi").with_columns(is_theirs=pl.lit(value=True))
    homes = people.select("person_id", "household_id", "lived_here_from").drop_nulls("household_id").lazy()
    at_home = told.join(homes, on="household_id")
    return at_home.with_columns(is_theirs=pl.col("lived_here_from") <= pl.col("happened_on"))


def _theme() -> pl.Expr:
    return pl.col("agency").replace_strict(THEME_OF_AGENCY, return_dtype=pl.String)
