"""The labels of the Client Level Data return as councils spell them, each kept once and known by its number."""

TEXTS: list[str | None] = [None]


def _label(text: str) -> int:
    """The number of a label; labels are kept once and gathered by number."""
    if text not in TEXTS:
        TEXTS.append(text)
    return TEXTS.index(text)


SERVICE_USER, CARER = _label("Service User"), _label("Carer")
REQUEST, ASSESSMENT, SERVICE, REVIEW = (_label(text) for text in ("Request", "Assessment", "Service", "Review"))
REASONS = tuple(
    _label(text)
    for text in (
        "Physical Support: Personal care support",
        "Physical Support: Access & mobility only",
        "Support with Memory & Cognition",
        "Social Support: Support for Social Isolation/Other",
        "Sensory Support: Support for visual impairment",
        "Mental Health Support",
        "Unknown",
    )
)
# The same labels as councils spell them: both dashes, with and without a space.
NO_FURTHER = tuple(
    _label(text)
    for text in (
        "NFA - Information & Advice",
        "NFA – Information & Advice",
        "NFA - Support declined",
        "NFA – Support declined",
        "NFA- Self-funded client",
        "NFA - No services offered: Other reason",
    )
)
PROGRESS = tuple(_label(text) for text in ("Progress to Assessment", "Progress to assessment"))
PLANNED_REVIEW = tuple(_label(text) for text in ("Planned", "Planned - annual", "Planned – Annual"))
UNPLANNED_REVIEW = tuple(
    _label(text)
    for text in ("Unplanned - Hospital (planned & unplanned)", "Unplanned – Carer related", "Unplanned - Other")
)
COMMUNITY = tuple(_label(text) for text in ("Long Term Support: Community", "Long Term Support - Community"))
RESIDENTIAL, NURSING = _label("Long Term Support: Residential Care"), _label("Long Term Support: Nursing Care")
ST_MAX, LOW_LEVEL = _label("Short Term Support: ST-Max"), _label("Short Term Support: Ongoing Low Level")
DIRECT_TO_CARER = _label("Carer Support: Direct to Carer")
FROM_HOSPITAL, FROM_COMMUNITY = _label("Discharge from Hospital"), _label("Community / Other route")
HOMES = {
    "owned": _label("Owner occupier or shared ownership scheme"),
    "tenant": _label("Tenant"),
    "private": _label("Tenant - private landlord"),
    "sheltered": _label("Sheltered housing / extra care housing / other sheltered housing"),
    "care_home": _label("Registered care home"),
    "nursing_home": _label("Registered nursing home"),
}
EQUIPMENT, HOME_SUPPORT, REABLEMENT = (_label(text) for text in ("Equipment", "Home support", "Reablement"))
LONG_NURSING, LONG_RESIDENTIAL = _label("Long term nursing care"), _label("Long term residential care")
FOR_CARERS = _label("Carer: universal services")
HOURLY, WEEKLY, ONE_OFF = (_label(text) for text in ("Hourly", "Weekly", "One-off"))
SUPPORT_PLANNING = _label("Progress to Support Planning / Services")
TO_REABLEMENT = _label("Progress to Reablement/ST-Max")
NO_CHANGE = _label("No change in package")
REASSESSED = _label("Progress to Re-assessment / Unplanned Review")
UNKNOWN = _label("Unknown")
