"""What stands behind a feature: the agency, the table, and the columns that its value rests on.

Read off the features' own expressions, with a few words on columns that we prepare ourselves, so that a column which
an agency does not send makes unknown whatever rests on it.
"""

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Final

from ageingwell.contracts.registry import columns
from ageingwell.features.feature import Feature, Seen
from ageingwell.register import AGENCY_OF, TABLE_ENTRIES, TableName
from ageingwell.timeline import AsOf

Column = tuple[str, str]

# The table that each prepared source is made of. A table that is not among them is a source of its own name.
_TABLE_OF: Final[Mapping[str, TableName]] = {
    "spine": "gp_patients",
    "gp_events": "gp_events",
    "household_gp_events": "gp_events",
    "medicines": "gp_prescriptions",
    "household_medicines": "gp_prescriptions",
    "household_deaths": "gp_patients",
    "hospital_events": "hospital_events",
    "care_events": "care_events",
    "named_carers": "care_events",
    "home_facts": "homes",
    "housing_events": "housing_events",
    "adaptations": "housing_events",
    "fire_visits": "fire_visits",
    "fire_incidents": "fire_incidents",
}
# The agency and the table behind each prepared source.
ORIGINS: Final[Mapping[str, tuple[str, str]]] = {
    **{source: (AGENCY_OF[table], table) for source, table in _TABLE_OF.items()},
    **{
        table.name: (table.agency, table.name)
        for table in TABLE_ENTRIES
        if table.agency is not None and table.name not in _TABLE_OF.values()
    },
}

# A missing value here is told by another column, as the data dictionary says: nothing becomes unknown by it.
FALL_BACKS: Final = frozenset(
    {
        ("gp_events", "happened_on"),  # else recorded_on
        ("gp_patients", "moved_in_on"),  # else the first row at the home after one elsewhere, else registered_on
        ("gp_patients", "left_recorded_on"),  # else left_on and the table's lag
        ("gp_patients", "died_recorded_on"),
        ("care_events", "ended_recorded_on"),
        ("housing_events", "case_id"),  # else all the adaptations of a home are one case
        ("gp_prescriptions", "dmd_code"),  # a row has one code or the other
        # Without it a home is taken as sure: where nobody tells how an address was matched, none could be used.
        ("gp_patients", "household_match"),
        ("homes", "household_match"),
        ("housing_events", "household_match"),
        ("fire_visits", "household_match"),
        ("fire_incidents", "household_match"),
    }
)

# A missing value here says something of its own: still open, still alive. Where the column never came it says nothing.
MEANINGFUL: Final = frozenset(
    {("care_events", "ended_on"), ("hospital_events", "ended_on"), ("gp_patients", "died_on")}
)

# The columns of the spine, and those we prepare ourselves, by what they are made of.
_MADE_OF: Final[Mapping[str, tuple[Column, ...]]] = {
    "age": (("gp_patients", "birth_month"),),
    "is_oldest": (("gp_patients", "birth_month"), ("gp_patients", "household_id")),
    "deprivation_decile": (("gp_patients", "lsoa21"),),
    "is_rural": (("gp_patients", "lsoa21"),),
    "n_household_members": (("gp_patients", "household_id"),),
    "n_household_65plus": (("gp_patients", "household_id"),),
    "n_household_under_65": (("gp_patients", "household_id"),),
    "_n_members": (("gp_patients", "household_id"),),
    "lived_here_from": (("gp_patients", "registered_on"),),
    "n_adults": (("gp_patients", "household_id"), ("gp_patients", "birth_month")),
    "single_adult_told_on": (("homes", "single_adult_discount"),),
    # Housing and fire know somebody by the home.
    "known_to": (("gp_patients", "household_id"),),
    "not_told_by": (("gp_patients", "household_id"),),
    "lists": (("gp_events", "code_system"), ("gp_events", "code")),
    "last_issued_on": (("gp_prescriptions", "issued_on"),),
    "substance": (("gp_prescriptions", "bnf_code"),),
    "icd10_fall": (("hospital_events", "icd10"), ("hospital_events", "other_icd10")),
    "icd10_fracture": (("hospital_events", "icd10"), ("hospital_events", "other_icd10")),
    "weekly_pence": tuple(
        ("care_events", name)
        for name in ("event_type", "client_type", "unit_cost", "cost_frequency", "planned_units_per_week")
    ),
    "is_waiting": (("housing_events", "event_type"), ("housing_events", "happened_on")),
    "asked_on": (("housing_events", "event_type"), ("housing_events", "happened_on")),
}
_BY_HOME: Final = (("gp_patients", "household_id"),)
# What every feature of a prepared source rests on besides.
_OF_SOURCE: Final[Mapping[str, tuple[Column, ...]]] = {
    "named_carers": (("care_events", "linked_person_id"), ("care_events", "client_type")),
    **dict.fromkeys(
        (
            *("household_gp_events", "household_medicines", "household_deaths", "home_facts"),
            *("housing_events", "adaptations", "fire_visits", "fire_incidents"),
        ),
        _BY_HOME,
    ),
}


class _EveryList(dict[str, int]):
    """The bit of any code list, for an expression that is read and never run."""

    def __contains__(self, _: object) -> bool:
        return True

    def __missing__(self, _: str) -> int:
        return 0


@cache
def roots_of(feature: Feature) -> tuple[str, ...]:
    """The columns that a feature's expression reads, of its prepared source or, where derived, of other features."""
    return tuple(sorted(set(feature.value(Seen(AsOf(date(2000, 1, 1)), _EveryList())).meta.root_names())))


def columns_of_source(feature: Feature) -> frozenset[Column]:
    """The columns of the contract's tables that a feature of a prepared source rests on; fall-backs are left out."""
    table = ORIGINS[feature.source][1]
    resting = {column for root in roots_of(feature) for column in made_of(root, table=table)}
    return frozenset({*resting, *_OF_SOURCE.get(feature.source, ())}) - FALL_BACKS


def made_of(root: str, *, table: str) -> tuple[Column, ...]:
    """What one column of a prepared source or of the spine is made of.

    >>> made_of("icd10_fall", table="hospital_events"), made_of("smoker", table="fire_visits")
    ((('hospital_events', 'icd10'), ('hospital_events', 'other_icd10')), (('fire_visits', 'smoker'),))
    """
    if root in _MADE_OF:
        return _MADE_OF[root]
    if root.startswith("bnf_"):
        return (("gp_prescriptions", "bnf_code"),)
    if root in {column.name for column in columns(table)}:
        return ((table, root),)
    raise AssertionError(f"nobody says what the column `{root}` of a prepared source is made of")
