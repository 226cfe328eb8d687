"""The page for commissioners: counts by hand, gaps, and no identifier anywhere."""

import re
from dataclasses import replace
from datetime import date

import polars as pl
from helpers.directory import at, page, service, term
from helpers.views import pseudonym

from ageingwell.config.services import NeedTerms, ServicesSettings
from ageingwell.governance.disclosure import HIDDEN
from ageingwell.governance.night_facts import NightFacts
from ageingwell.report.commissioning import Community, commissioning
from ageingwell.report.html import commissioning_html
from ageingwell.report.words import BANNED
from ageingwell.services.directory import read_directory
from ageingwell.services.offerable import nothing_offerable, offerable

NIGHT = date(2026, 11, 22)
POSITIONS = pl.DataFrame(
    {
        "place": ["Church Stretton", "Totnes"],
        "district": ["Shropshire", "South Hams"],
        "latitude": [52.54, 50.43],
        "longitude": [-2.80, -3.69],
    }
)
SETTINGS = ServicesSettings(
    needs={"isolation": NeedTerms(terms=("lunch-club",)), "cold_home": NeedTerms(terms=("warm-home",))}
)
LEADS = {"isolation": "voluntary", "cold_home": "housing"}
FACTS = NightFacts(
    NIGHT,
    capacity={"gp": 15, "housing": 10, "voluntary": 25},
    directory={"state": "in_time", "n_services": 1},
)


def people(**counts):
    """Residents by place, so many each; a third of them are known to nobody, a third to one service, a third to two."""
    rows = [
        (
            pseudonym(f"{place}{n}"),
            pseudonym(f"h{place}{n}"),
            place.replace("_", " "),
            [[], ["fire"], ["fire", "gp"]][n % 3],
        )
        for place, count in counts.items()
        for n in range(count)
    ]
    schema = {"person_id": pl.String, "household_id": pl.String, "place": pl.String, "known_to": pl.List(pl.String)}
    return pl.DataFrame(rows, schema=schema, orient="row")


def needs(residents, **found):
    """Needs as `place__need=count`: the first so many people of the place."""
    rows = []
    for name, count in found.items():
        place, need = name.split("__")
        those = residents.filter(pl.col("place") == place.replace("_", " ")).head(count)
        rows += [(p, h, need, LEADS[need]) for p, h in those.select("person_id", "household_id").iter_rows()]
    schema = {"person_id": pl.String, "household_id": pl.String, "need": pl.String, "lead_agency": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def just_missed(*risks):
    rows = [("fire", n, 0.1, risk) for n, risk in enumerate(risks, start=1)]
    schema = {"lead_agency": pl.String, "position": pl.Int64, "value": pl.Float64, "risk_reached": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


MARGINAL = pl.DataFrame(
    {"lead_agency": ["fire", "gp"], "places": [20, 15], "used": [20, 3], "extra_doors": [[pseudonym("hx")], []]}
)


def told(residents, found, *, services=None, risks=(), **facts):
    community = Community(
        residents=residents,
        needs=found,
        services=nothing_offerable() if services is None else services,
        positions=POSITIONS,
        just_missed=just_missed(*risks),
        marginal=MARGINAL,
        leads=LEADS,
    )
    return commissioning(community, facts=replace(FACTS, **facts), settings=SETTINGS, on=NIGHT)


def test_needs_are_counted_by_place_and_agency_and_set_against_capacity():
    residents = people(Church_Stretton=60, Totnes=60)
    found = needs(
        residents,
        Church_Stretton__isolation=42,
        Totnes__isolation=23,
        Church_Stretton__cold_home=18,
        Totnes__cold_home=9,
    )

    page = told(residents, found)

    # 18 + 42 = 60; 9 + 23 = 32; 27 and 65; 92. Each is rounded by itself to the nearest 5.
    assert page["by_place"]["heads"] == ["Place", "Housing", "Voluntary sector", "All"]
    assert page["by_place"]["rows"] == [
        ["Church Stretton", "20", "40", "60"],
        ["Totnes", "10", "25", "30"],
        ["All places", "25", "65", "90"],
    ]
    # 25 needs at 10 doors a week take 3 weeks, 65 at 25 take 3 as well.
    assert [row for row in page["capacity"]["rows"] if row[1] != "0"] == [
        ["Housing", "25", "10", "3"],
        ["Voluntary sector", "65", "25", "3"],
    ]


def test_a_need_that_no_service_nearby_serves_is_a_gap_of_its_place(tmp_path):
    page(
        tmp_path,
        service("lunch", attributes=[term("lunch-club", "Lunch club")]),
        service(
            "warm",
            service_at_locations=[at("t", 50.43, -3.69)],
            attributes=[term("warm-home", "Warm home")],
            capacities=[{"available": 0}],
        ),
    )
    services = offerable(read_directory(tmp_path), on=NIGHT)
    residents = people(Church_Stretton=60, Totnes=60)
    found = needs(
        residents,
        Church_Stretton__isolation=42,
        Totnes__isolation=23,
        Church_Stretton__cold_home=18,
        Totnes__cold_home=9,
    )

    gaps = told(residents, found, services=services)["gaps"]

    assert gaps["rows"] == [
        ["Church Stretton", "Cold home, and heart or lung disease (20)", "none"],
        ["Totnes", "Isolation (25)", "Cold home, and heart or lung disease (10)"],
    ]


def test_a_small_count_is_hidden_everywhere_on_the_page_with_those_that_would_give_it_away():
    residents = people(Church_Stretton=60, Totnes=60)
    found = needs(
        residents,
        Church_Stretton__isolation=42,
        Totnes__isolation=23,
        Church_Stretton__cold_home=18,
        Totnes__cold_home=3,
    )

    rows = told(residents, found)["by_place"]["rows"]

    assert rows == [
        ["Church Stretton", HIDDEN, HIDDEN, "60"],
        ["Totnes", HIDDEN, HIDDEN, "25"],
        ["All places", "20", "65", "85"],
    ]


def test_people_known_to_none_are_a_share_of_the_counts_as_shown():
    rows = told(people(Church_Stretton=90, Totnes=60), needs(people()))["known"]["rows"]

    # 30, 30, 30 of 90 and 20, 20, 20 of 60; 30 of 90 is 33 in 100.
    assert rows[0] == ["Church Stretton", "30", "30", "30", "0", "90", "33 in 100"]
    assert rows[-1] == ["All places", "50", "50", "50", "0", "150", "33 in 100"]


def test_homes_with_needs_of_two_agencies_are_visits_that_could_be_joined():
    residents = people(Totnes=40)
    found = needs(residents, Totnes__isolation=22, Totnes__cold_home=12)

    joint = told(residents, found)["joint"]

    assert joint["rows"] == [["Housing and voluntary sector", "10"]]


def test_one_more_visit_shows_no_single_home():
    residents = people(Totnes=40)

    few = told(residents, needs(residents), risks=[0.3] * 7)["one_more"]["rows"]
    enough = told(residents, needs(residents), risks=[0.1, 0.3] * 4)["one_more"]["rows"]

    assert few[0][-1] == "too few homes to say"
    assert enough[0] == [
        "Fire and rescue",
        "20",
        "20",
        "one more home per week, about 52 per year",
        "about 20 in 100",
    ]
    assert enough[1][3] == "nobody: no home is waiting"


def test_the_page_has_no_identifier_no_banned_word_and_says_where_there_is_no_directory():
    residents = people(Church_Stretton=60, Totnes=60)
    found = needs(residents, Church_Stretton__isolation=42, Totnes__cold_home=12)

    text = commissioning_html(told(residents, found, risks=[0.2] * 9), as_of="22 November 2026").decode()

    assert not re.search(r"[bcdfghjklmnpqrst]{20,}", text)
    words = f" {re.sub('<[^>]+>', ' ', text.split('</head>')[1]).lower()} "
    assert not [word for word in BANNED if f" {word} " in words]
    assert "could not be read tonight" in text
    community = told(residents, found) | {"directory_state": "none"}
    assert "No directory of local services is connected" in commissioning_html(community, as_of="x").decode()


def test_a_night_without_anybody_still_has_its_page():
    nobody = people()

    text = commissioning_html(told(nobody, needs(nobody)), as_of="22 November 2026").decode()

    assert "Needs and capacity" in text


def test_a_service_whose_records_did_not_come_is_named_beside_the_count_of_services():
    residents = people(Totnes=60)

    assert "cannot tell" not in told(residents, needs(residents))["known"]["note"]
    assert told(residents, needs(residents), missing=["care_events", "gp_events"])["known"]["note"].endswith(
        "We do not know who these services know, because some of their records did not arrive: adult social care."
    )
