"""The agencies, the recipients and the tables: named here once, and everything else derived from them.

A new agency or table begins with its name and its line here. What cannot follow from the line (its contract, its
section in `configs/agencies.toml`, its line in the permission ledger) the type checker, the settings or the tests then
ask for; `docs/how-to/extend.md` lists the files. Not to be confused with the GP register, the people a practice has
registered: that is the table `GP_REGISTER`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

Theme = Literal["health", "care", "home", "fire", "everyday_life"]
# Who sends records or visits people; and of them those who visit, lead on a need and get a list of their own.
Agency = Literal["gp", "hospital", "social_care", "housing", "fire", "voluntary"]
LeadAgency = Literal["gp", "social_care", "housing", "fire", "voluntary"]
# Who may be given something: the group that meets, each agency that leads, and the safeguarding lead.
Recipient = Literal["group", LeadAgency, "safeguarding"]
TableName = Literal[
    "gp_patients",
    "gp_events",
    "gp_prescriptions",
    "hospital_events",
    "care_events",
    "homes",
    "housing_events",
    "fire_visits",
    "fire_incidents",
    "permissions",
    "contacts",
]


@dataclass(frozen=True)
class AgencyEntry:
    """An agency: its words for readers, and the theme that a record with it belongs to.

    `by_home` says that it knows people by their home alone, so that of somebody without one it cannot tell. An agency
    that leads has `visits`: the homes it can see in a week unless the settings say otherwise, and what they are.
    """

    name: Agency
    words: str
    theme: Theme
    by_home: bool = False
    visits: tuple[int, str] | None = None


@dataclass(frozen=True)
class TableEntry:
    """A table: the agency that sends it (None: each agency may), and where its contract is.

    `contract` is a file of `ageingwell.contracts` and the class in it. `contact_on` names the day on which a row's
    person or home was in touch with the agency; without it a row tells of no contact.
    """

    name: TableName
    agency: Agency | None
    contract: str
    contact_on: str | None = None


# The order is that of pages and lists.
AGENCY_ENTRIES: Final = (
    AgencyEntry(
        "gp", "GP practices", "health", visits=(15, "homes per week that the practices and community nurses can visit")
    ),
    AgencyEntry("hospital", "Hospital", "health"),
    AgencyEntry(
        "social_care", "Adult social care", "care", visits=(12, "homes per week that adult social care can visit")
    ),
    AgencyEntry(
        "housing", "Housing", "home", by_home=True, visits=(10, "homes per week that the housing authority can visit")
    ),
    AgencyEntry("fire", "Fire and rescue", "fire", by_home=True, visits=(20, "home fire safety visits per week")),
    AgencyEntry(
        "voluntary",
        "Voluntary sector",
        "everyday_life",
        visits=(25, "homes per week that the voluntary link workers can visit"),
    ),
)

TABLE_ENTRIES: Final = (
    TableEntry("gp_patients", "gp", "gp.GpPatients"),
    TableEntry("gp_events", "gp", "gp.GpEvents", contact_on="happened_on"),
    TableEntry("gp_prescriptions", "gp", "gp.GpPrescriptions"),
    TableEntry("hospital_events", "hospital", "hospital.HospitalEvents", contact_on="started_on"),
    TableEntry("care_events", "social_care", "social_care.CareEvents", contact_on="started_on"),
    TableEntry("homes", "housing", "housing.Homes"),
    TableEntry("housing_events", "housing", "housing.HousingEvents", contact_on="happened_on"),
    TableEntry("fire_visits", "fire", "fire.FireVisits", contact_on="visited_on"),
    TableEntry("fire_incidents", "fire", "fire.FireIncidents", contact_on="happened_on"),
    TableEntry("permissions", None, "permissions.Permissions"),
    TableEntry("contacts", None, "permissions.Contacts"),
)

GP_REGISTER: Final = "gp_patients"
THEME_WORDS: Final[Mapping[str, str]] = {
    "health": "Health",
    "care": "Care",
    "home": "Home",
    "fire": "Fire",
    "everyday_life": "Everyday life",
}

# --- Derived ----------------------------------------------------------------------------------------------------------

THEMES: Final[tuple[Theme, ...]] = get_args(Theme)
AGENCIES: Final[tuple[Agency, ...]] = get_args(Agency)
LEAD_AGENCIES: Final[tuple[LeadAgency, ...]] = get_args(LeadAgency)
RECIPIENTS: Final[tuple[Recipient, ...]] = get_args(Recipient)
TABLE_NAMES: Final[tuple[TableName, ...]] = get_args(TableName)

AGENCY_WORDS: Final[Mapping[str, str]] = {
    "group": "The group",
    **{agency.name: agency.words for agency in AGENCY_ENTRIES},
    "safeguarding": "Safeguarding lead",
}
# The theme that a record with an agency belongs to: who may not read the theme is not told that there is a record.
THEME_OF_AGENCY: Final[Mapping[str, Theme]] = {agency.name: agency.theme for agency in AGENCY_ENTRIES}
# Who knows somebody by the home alone.
BY_HOME: Final = tuple(agency.name for agency in AGENCY_ENTRIES if agency.by_home)
# The homes each agency can see in a week, and what they are, unless the settings say otherwise.
VISITS: Final = {agency.name: agency.visits for agency in AGENCY_ENTRIES if agency.visits is not None}

# A table that every agency may send goes under its own name.
AGENCY_OF: Final[Mapping[str, str]] = {table.name: table.agency or table.name for table in TABLE_ENTRIES}
# The tables whose rows tell of contact with the agency that sends them: the agency, and the day of the contact.
SIGNS_OF_CONTACT: Final[Mapping[str, tuple[Agency, str]]] = {
    table.name: (table.agency, table.contact_on)
    for table in TABLE_ENTRIES
    if table.agency is not None and table.contact_on is not None
}


def tables_of(agency: str) -> tuple[str, ...]:
    """The tables that an agency sends, in order.

    >>> tables_of("fire"), tables_of("voluntary")
    (('fire_visits', 'fire_incidents'), ())
    """
    return tuple(table.name for table in TABLE_ENTRIES if table.agency == agency)


def tables_telling_of(agency: str) -> tuple[str, ...]:
    """The tables that would tell of contact with an agency: of one that sends no records of its own, `contacts`.

    None where it sends records that tell of no contact: whether such an agency knows somebody is not asked.

    >>> tables_telling_of("fire"), tables_telling_of("gp"), tables_telling_of("voluntary")
    (('fire_visits', 'fire_incidents'), ('gp_events',), ('contacts',))
    """
    own = tuple(name for name, (of, _) in SIGNS_OF_CONTACT.items() if of == agency)
    return own if tables_of(agency) else ("contacts",)


# The agencies of which it is asked whether they know somebody.
ASKED_AGENCIES: Final[tuple[Agency, ...]] = tuple(agency for agency in AGENCIES if tables_telling_of(agency))
