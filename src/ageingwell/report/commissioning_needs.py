"""The tables of the page for commissioners that count people: needs, places, services, groups and causes."""

from collections.abc import Collection, Sequence
from typing import Final

import polars as pl

from ageingwell.commissioning.community import (
    COLD,
    DEPRIVATION,
    DISTANCE,
    GROUPED,
    JOINT,
    KNOWN,
    NEEDS,
    STATES,
    Community,
)
from ageingwell.commissioning.costing import whole
from ageingwell.commissioning.fair_shares import FIFTHS, GROUPS, share_in_need, share_listed
from ageingwell.commissioning.reach import Gap
from ageingwell.commissioning.shown import Shown
from ageingwell.commissioning.tallies import DISTANCES, KNOWN_BANDS
from ageingwell.config.services import ServicesSettings
from ageingwell.governance.crosses import TOTAL
from ageingwell.governance.linked import share_words
from ageingwell.governance.night_facts import NightFacts
from ageingwell.register import AGENCY_WORDS, ASKED_AGENCIES, LEAD_AGENCIES, tables_telling_of
from ageingwell.report.commissioning_table import Table, in_a_sentence, need_words, table
from ageingwell.report.offers import miles_words
from ageingwell.views.words import NEED_WORDS, agency_words

EVERY_PLACE: Final = "All places"


def capacity(shown: Shown, community: Community, facts: NightFacts) -> Table:
    """How many weeks the agency that leads on a need would take to see each once, from the count as shown."""
    rows = []
    for agency in LEAD_AGENCIES:
        count = shown[NEEDS, TOTAL, agency] if agency in community.leads.values() else "0"
        places = facts.capacity.get(agency, 0)
        rows.append([agency_words(agency), count, str(places), weeks_words(count, places)])
    return table(
        "Needs against capacity, by the agency that leads on them",
        ("Agency", "Needs", "Homes per week", "Weeks to see each once"),
        rows,
        note="One visit can meet several needs, so this is the longest it could take.",
    )


def weeks_words(count: str, places: int) -> str:
    """How many weeks it takes to see each of so many once.

    >>> weeks_words("25", 10), weeks_words("not shown", 10), weeks_words("0", 10), weeks_words("25", 0)
    ('3', 'not shown', '0', 'no capacity')
    """
    n = whole(count)
    if n is None:
        return "not shown"
    if n == 0:
        return "0"
    return f"{-(-n // places):,}" if places else "no capacity"


def _places(shown: Shown, of: str) -> list[str]:
    return sorted(shown.rows(of))


def by_place(shown: Shown) -> Table:
    """Needs by place, and by the agency that leads on them."""
    heads = [agency for agency in LEAD_AGENCIES if (NEEDS, TOTAL, agency) in shown.words]
    rows = [
        [EVERY_PLACE if place == TOTAL else place, *(shown[NEEDS, place, head] for head in [*heads, TOTAL])]
        for place in [*_places(shown, NEEDS), TOTAL]
        if (NEEDS, place, TOTAL) in shown.words
    ]
    return table(
        "Needs by place, and the agency that leads on them",
        ("Place", *(AGENCY_WORDS[head] for head in heads), "All"),
        rows,
    )


def by_need(shown: Shown) -> Table:
    """Each need, and the place where most people have it; most people first."""
    needs = [need for need in NEED_WORDS if (NEEDS, TOTAL, need) in shown.words]
    places = _places(shown, NEEDS)
    rows = []
    for need in sorted(needs, key=lambda one: (-(shown.number(NEEDS, TOTAL, one) or 0), one)):
        most = max(places, key=lambda place: (shown.number(NEEDS, place, need) or 0, place), default="")
        there = shown[NEEDS, most, need]
        where = f"{most} ({there})" if whole(there) else "not shown"
        rows.append([need_words(need), shown[NEEDS, TOTAL, need], where])
    return table("Each need, and where most people have it", ("Need", "People", "Most of them in"), rows)


def gaps_by_place(found: Sequence[Gap]) -> Table:
    """Places with needs that no service nearby serves, or none with room: the gap to fill."""
    rows = []
    for place in sorted({gap.place for gap in found}):
        here = sorted((gap for gap in found if gap.place == place), key=lambda gap: gap.need)
        nobody, full = (
            "; ".join(f"{need_words(gap.need)} ({gap.people})" for gap in here if gap.is_full is is_full) or "none"
            for is_full in (False, True)
        )
        rows.append([place, nobody, full])
    return table(
        "Needs that no local service can meet, by place",
        ("Place", "No service nearby (people)", "Services nearby, all full (people)"),
        rows,
    )


def served(shown: Shown, reach: pl.DataFrame) -> Table:
    """Each need that services meet, and the places with one nearby."""
    places = _places(shown, NEEDS)
    rows = []
    for need, of_need in reach.filter(pl.col("place").is_in(places)).group_by("need", maintain_order=True):
        with_one = of_need.filter(pl.col("n_services") > 0)
        nearest = with_one["miles"].min()
        far = miles_words(nearest if isinstance(nearest, float) else None) if with_one.height else "none"
        rows.append(
            [
                need_words(str(need[0])),
                shown[NEEDS, TOTAL, str(need[0])],
                f"{with_one.height} of {len(places)}",
                f"{of_need.filter(pl.col('n_with_room') > 0).height} of {len(places)}",
                "visits people at home" if nearest is None and with_one.height else far,
            ]
        )
    return table(
        "Each need, and the places with a service for it nearby",
        ("Need", "People", "Places with a service", "Places with room", "Nearest"),
        rows,
    )


def met_by_agencies(settings: ServicesSettings) -> list[str]:
    """The needs that the agencies meet themselves, in words: a directory has no service for them, and need not."""
    return [in_a_sentence(need_words(need)) for need, terms in settings.needs.items() if not terms.is_service]


def known(shown: Shown, *, missing: Collection[str]) -> Table:
    """People by place and by how many services have a record of them, and the share that none has.

    `missing` are the tables that did not come: a service of whose records one is missing may know more people.
    """
    rows = []
    for place in [*_places(shown, KNOWN), TOTAL]:
        if (KNOWN, place, TOTAL) not in shown.words:
            continue
        cells = [shown[KNOWN, place, head] for head in (*KNOWN_BANDS, TOTAL)]
        rows.append([EVERY_PLACE if place == TOTAL else place, *cells, share_words(cells[0], cells[-1])])
    return table(
        "People by the number of services that have a record of them in three years",
        ("Place", *KNOWN_BANDS, "All", "Known to none"),
        rows,
        note=_not_counted(missing),
    )


def _not_counted(missing: Collection[str]) -> str:
    """Who is left out of the count of services, and of whom it cannot be told.

    >>> _not_counted(["care_events"]).split(". ")[1]
    'We do not know who these services know, because some of their records did not arrive: adult social care.'
    """
    register = "Everyone here is registered with a GP practice, so GP practices are not counted."
    others = [name for name in ASKED_AGENCIES if name != "gp" and set(tables_telling_of(name)) & set(missing)]
    if not others:
        return register
    named = ", ".join(agency_words(name).lower() for name in others)
    return f"{register} We do not know who these services know, because some of their records did not arrive: {named}."


def joint(shown: Shown) -> Table:
    """Homes that two agencies could visit together; most first."""
    pairs = [(one, other, words) for (of, one, other), words in shown.words.items() if of == JOINT]
    rows = [
        [f"{agency_words(one)} and {agency_words(other).lower()}", words]
        for one, other, words in sorted(pairs, key=lambda row: (-(whole(row[2]) or 0), row[0], row[1]))
    ]
    note = "A home that needs three agencies is counted in three rows." if rows else ""
    return table("Homes that two agencies could visit together", ("Agencies", "Homes"), rows, note=note)


def fair(shown: Shown) -> list[Table]:
    """Needs, the list and who waits by group, with the share in need and the share of these on the list."""
    order = {DEPRIVATION: FIFTHS, DISTANCE: DISTANCES}
    tables = []
    for of in GROUPED:
        groups = shown.rows(of, order.get(of, [one for one in shown.rows(of) if one != FIFTHS[-1]]))
        rows = [
            [
                "All" if one == TOTAL else one,
                *(shown[of, one, state] for state in (*STATES, TOTAL)),
                share_in_need(shown, of, one),
                share_listed(shown, of, one),
            ]
            for one in [*groups, TOTAL]
            if (of, one, TOTAL) in shown.words
        ]
        heads = ("Group", *STATES, "All", "In need", "Of these on the list")
        tables.append(table(GROUPS[of], heads, rows))
    return tables


def cold(shown: Shown) -> Table:
    """Cold homes with heart or lung disease by tenure: who could put the cause right."""
    columns = list(dict.fromkeys(other for of, _, other in shown.words if of == COLD and other != TOTAL))
    rows = [
        ["All" if one == TOTAL else one, *(shown[COLD, one, other] for other in [*columns, TOTAL])]
        for one in [*shown.rows(COLD), TOTAL]
        if (COLD, one, TOTAL) in shown.words
    ]
    return table(
        "People in a cold home with heart or lung disease, by who owns the home",
        ("Home", *columns, "All"),
        rows if columns else [],
        note="A cold home makes both illnesses worse. The owner of the home can put it right; a visit alone cannot.",
    )


def trend(by_quarter: pl.DataFrame) -> Table:
    """Needs from quarter to quarter, as each page showed them."""
    leads = [lead for lead in (*LEAD_AGENCIES, TOTAL) if lead in by_quarter["lead"]]
    quarters = by_quarter["quarter"].unique(maintain_order=True).to_list()
    said = {(quarter, lead): words for quarter, lead, words in by_quarter.iter_rows()}
    rows = [[quarter or "This quarter", *(said.get((quarter, lead), "0") for lead in leads)] for quarter in quarters]
    heads = ("Quarter", *(AGENCY_WORDS.get(lead, "All") for lead in leads))
    note = "A number moves only if 8 people or more came or went. A fall does not show that visits worked."
    return table("Needs by quarter, and the agency that leads on them", heads, rows, note=note)


def directory(services: pl.DataFrame) -> Table:
    """The directory's services by kind: how many run, have room, and were checked lately. No person is counted."""
    one_each = services.unique("service_id", keep="first", maintain_order=True)
    kinds = (
        one_each.group_by(pl.col("kind").fill_null("Not given"))
        .agg(
            n=pl.len(),
            room=(pl.col("room") == "yes").sum(),
            full=(pl.col("room") == "no").sum(),
        )
        .sort("kind")
    )
    rows = [[str(cell) for cell in row] for row in kinds.iter_rows()]
    return table("Services running now, by kind", ("Kind", "Services", "With room", "Full"), rows)
