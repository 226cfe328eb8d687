"""What the page for commissioners works out: costs with their ranges, gaps, fair shares, the map, trends, the brief."""

import json
import re
import shutil
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from helpers.directory import at, page, service, term

from ageingwell.commissioning.brief import briefs
from ageingwell.commissioning.community import (
    COUNTS,
    DEPRIVATION,
    LISTED,
    MATTERS,
    NEEDS,
    SAID,
    STATES,
    WORK,
    WORKER,
    Community,
)
from ageingwell.commissioning.costing import Cost, cost_of_outcomes, cost_of_plans
from ageingwell.commissioning.fair_shares import fair_words
from ageingwell.commissioning.gaps import services_in_reach
from ageingwell.commissioning.shown import Shown
from ageingwell.commissioning.tallies import counts_behind, published
from ageingwell.config.costs import CostsSettings
from ageingwell.config.effects import EFFECTS, EVENTS
from ageingwell.config.files import shipped
from ageingwell.config.load import load_config
from ageingwell.config.services import NeedTerms, ServicesSettings
from ageingwell.decisions.entry import ENTRIES
from ageingwell.errors import ConfigError
from ageingwell.governance.night_facts import NightFacts
from ageingwell.kept.quarters import counts_before, keep_page, kept_brief, pages_before
from ageingwell.learning import effects_told
from ageingwell.night.for_commissioners import _said, _work
from ageingwell.report.brief import brief_markdown
from ageingwell.report.commissioning import commissioning
from ageingwell.report.html import brief_html, commissioning_html
from ageingwell.report.impact_words import OUTCOME_NAMES
from ageingwell.services.directory import read_directory
from ageingwell.services.offerable import nothing_offerable, offerable

NIGHT = date(2026, 11, 22)
TOLD = {"covers": "a visit", "source": "our own accounts", "year": 2026, "price_base": "2025/26 prices"}
COSTS = CostsSettings(visits={"fire": {"gbp": 100, "low": 80, "high": 120, "per": "visit", **TOLD}})
POSITIONS = pl.DataFrame(
    {
        "place": ["Clun", "Totnes"],
        "district": ["Shropshire", "South Hams"],
        "latitude": [52.42, 50.43],
        "longitude": [-3.03, -3.69],
    }
)
LEADS = {"isolation": "voluntary", "unsafe_polypharmacy": "gp", "no_working_alarm": "fire"}
SETTINGS = ServicesSettings(
    needs={
        "isolation": NeedTerms(terms=("lunch-club",)),
        "unsafe_polypharmacy": NeedTerms(terms=("medicines-advice",), is_service=False),
    }
)


def community(*counts, services=None, **more):
    """A community of which only counts are known: rows of `COUNTS`."""
    nobody = pl.DataFrame(schema=dict.fromkeys(("person_id", "household_id", "need", "lead_agency"), pl.String))
    people = [(f"p{n}", place, []) for n, place in enumerate(("Clun", "Totnes"))]
    schema = {"person_id": pl.String, "place": pl.String, "known_to": pl.List(pl.String)}
    return Community(
        residents=pl.DataFrame(people, schema=schema, orient="row"),
        needs=nobody,
        services=nothing_offerable() if services is None else services,
        positions=POSITIONS,
        just_missed=pl.DataFrame(schema={"lead_agency": pl.String, "risk_reached": pl.Float64}),
        marginal=pl.DataFrame(
            schema={"lead_agency": pl.String, "places": pl.Int64, "used": pl.Int64, "extra_doors": pl.List(pl.String)}
        ),
        leads=LEADS,
        counted=pl.DataFrame(counts, schema=COUNTS, orient="row"),
        costs=COSTS,
        **more,
    )


def numbers_of(town):
    return published(town, counts_behind(town))


def page_of(town, **facts):
    told = commissioning(town, facts=NightFacts(NIGHT, **facts), settings=SETTINGS, on=NIGHT)
    return told, commissioning_html(told, as_of="22 November 2026").decode()


NEEDS_FOUND = [(NEEDS, "Totnes", "isolation", 42), (NEEDS, "Clun", "unsafe_polypharmacy", 30)]


@pytest.mark.parametrize(
    ("n_visited", "n_completed", "said"),
    [
        # 80 visits at £100 (£80 to £120) and 20 plans: £400; the share's interval is 0.168 to 0.355 (Wilson).
        (80, 20, "£400 (£225 to £714)"),
        (20, 20, "too few plans to say"),
        (80, 3, "too few plans to say"),
        (80, 0, "too few plans to say"),
    ],
)
def test_a_completed_plan_costs_the_visits_it_took_with_both_ranges(n_visited, n_completed, said):
    town = community(
        (WORK, "fire", "visited", n_visited), (WORK, "fire", "with a plan that met what mattered", n_completed)
    )

    found = cost_of_plans(numbers_of(town), COSTS)

    assert found["fire"].words == said
    assert found["housing"].words == "not known: fill in costs.toml"


def effect(
    *,
    by="all",
    name="all",
    method="lot",
    days=365,
    value=-0.1,
    low=-0.2,
    high=-0.05,
    why_not=None,
    outcome="emergency_admissions",
):
    return (by, name, method, days, outcome, value, low, high, 400, why_not)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([effect()], "£1,000 (£400 to £2,400)"),
        ([effect(low=-0.2, high=0.01)], "the figures do not show that visits prevent it"),
        ([effect(value=None, low=None, high=None, why_not="too few people")], "may not be told: too few people"),
        # By lot before people alike, and the longest time first.
        ([effect(method="matched", value=-9.0), effect(days=90, value=-9.0), effect()], "£1,000 (£400 to £2,400)"),
        ([effect(by="agency", name="housing")], "not known: fill in costs.toml"),
        # Fewer days at home are nothing that was prevented.
        ([effect(outcome="days_at_home"), effect()], "£1,000 (£400 to £2,400)"),
    ],
)
def test_an_event_prevented_has_a_cost_only_where_visits_are_shown_to_prevent_it(rows, said):
    found = cost_of_outcomes(pl.DataFrame(rows, schema=EFFECTS, orient="row"), COSTS)

    assert [one.cost.words for one in found] == [said]
    assert cost_of_outcomes(None, COSTS) == []


def test_events_are_those_that_an_impact_tells_and_the_shipped_costs_are_of_some_of_them():
    assert set(EVENTS) == OUTCOME_NAMES.keys() - {"days_at_home"}
    assert set(load_config().costs.outcomes) <= EVENTS.keys()
    assert EFFECTS.items() <= effects_told.TOLD.items(), "the columns that an impact writes"
    with pytest.raises(ValueError, match="none of: emergency_admissions"):
        CostsSettings(outcomes={"emergency_admission": {"per": "event"}})


def test_a_need_that_the_agency_meets_itself_is_never_a_gap():
    everywhere = [(NEEDS, place, need, 30) for place in ("Clun", "Totnes") for need in SETTINGS.needs]
    reach = services_in_reach(community(*everywhere), settings=SETTINGS, on=NIGHT)
    shipped_needs = load_config().services.needs

    assert reach["need"].unique().to_list() == ["isolation"]
    assert not shipped_needs["unsafe_polypharmacy"].is_service
    assert shipped_needs["isolation"].is_service


def test_what_one_more_worker_reaches_is_told_with_the_cost_of_a_year():
    told, text = page_of(community(*NEEDS_FOUND, (WORKER, "fire", "homes", 12), (WORKER, "fire", "people", 17)))

    # £100 (80 to 120) a visit, 10 homes a week, 42 weeks.
    assert told["workers"]["rows"] == [["Fire and rescue", "10", "15", "£42,000 (£33,600 to £50,400)"]]
    assert "about 10 more homes in a week, £42,000 a year" in text


def test_the_first_five_lines_answer_the_five_questions():
    told, _ = page_of(community(*NEEDS_FOUND))

    assert [one["answer"] for one in told["answers"]] == [
        "Isolation (40 people), most of them in Totnes",
        "No directory of services can be read, so nobody can say",
        "Not worked out",
        "Not known yet: visits were not compared with no visits",
        "Too few people in any group to compare; this is the first quarter, so nothing can be compared yet",
    ]


def test_the_share_on_the_list_is_of_the_counts_as_shown():
    rows = [(DEPRIVATION, "1 (most deprived)", state, n) for state, n in zip(STATES, (100, 10, 40), strict=True)]
    rows += [(DEPRIVATION, "5 (least deprived)", state, n) for state, n in zip(STATES, (300, 20, 180), strict=True)]

    told, _ = page_of(community(*NEEDS_FOUND, *rows))

    # 10 of 50; 30 of 250.
    assert told["fair"][0]["rows"][0][-1] == "20 in 100"
    assert fair_words(Shown.of(numbers_of(community(*rows)))) == (
        "of people with a need, 20 in 100 are on the list in the most deprived areas, 12 in 100 in all"
    )
    assert LISTED in told["fair"][0]["heads"]


def test_a_quarter_is_compared_with_the_pages_before_it_as_they_were_shown(tmp_path: Path):
    first = community((NEEDS, "Totnes", "isolation", 40), quarter="2026-Q3")
    keep_page(tmp_path, date(2026, 8, 1), b"page", counts=numbers_of(first), brief=b"# Brief")
    earlier, before = pages_before(tmp_path, NIGHT), counts_before(tmp_path, NIGHT)

    told, _ = page_of(community((NEEDS, "Totnes", "isolation", 61), quarter="2026-Q4", earlier=earlier, before=before))

    assert told["trend"]["rows"] == [["2026-Q3", "40", "40"], ["2026-Q4", "60", "60"]]
    assert told["answers"][-1]["answer"].endswith("needs went from 40 to 60 since 2026-Q3")
    assert kept_brief(tmp_path, NIGHT) == b"# Brief"
    assert before is not None
    assert before.filter(of=NEEDS).rows() == [(NEEDS, "Totnes", "isolation", 40)]


def test_the_map_has_a_tile_a_place_or_the_outlines_given_and_no_point():
    square = ((-3.8, 50.4), (-3.6, 50.4), (-3.6, 50.5), (-3.8, 50.4))
    tiles, _ = page_of(community(*NEEDS_FOUND))
    drawn, text = page_of(community(*NEEDS_FOUND, outlines={"Totnes": (square,)}))

    assert len(re.findall("<rect", tiles["map"]["svg"])) == 2
    assert "each place is a tile" in tiles["map"]["note"]
    assert len(re.findall("<path", drawn["map"]["svg"])) == 1
    assert "No outline is given for: Clun" in drawn["map"]["note"]
    assert "<circle" not in text
    assert "http" not in drawn["map"]["svg"]


def test_the_brief_has_a_section_for_each_service_with_what_was_said_counted(tmp_path: Path):
    page(
        tmp_path,
        service("lunch", service_at_locations=[at("t", 50.43, -3.69)], attributes=[term("lunch-club", "Lunch club")]),
    )
    services = offerable(read_directory(tmp_path), on=NIGHT)
    said = [
        (SAID, "isolation", "wants_help", 12),
        (SAID, "isolation", "not_now", 3),
        (MATTERS, "isolation", "see_people", 9),
    ]
    town = community((NEEDS, "Clun", "isolation", 42), *NEEDS_FOUND, *said, services=services)
    reach = services_in_reach(town, settings=SETTINGS, on=NIGHT)

    found, notices = briefs(numbers_of(town), reach, town, SETTINGS), ["MADE-UP PEOPLE.", "Another note."]
    text = brief_markdown(found, as_of="22 November 2026", rounded="", notices=notices)
    html = brief_html(text).decode()

    assert [line for line in text.splitlines() if line.startswith("## ")] == ["## 1. Isolation"]
    for line in (
        "- No service is near: Clun.",
        "- Wants help: 10",
        "- Not now: 1 to 7",
        "- Seeing people: 10",
        "- One visit: not known: fill in costs.toml.",
    ):
        assert line in text
    assert html.count("<h3>") == text.count("### ") == 7
    assert "**" not in html
    assert "<script" not in html
    assert "MADE-UP PEOPLE." in text
    assert "Another note." not in text


# Settings


def settings_with(folder: Path, file: str, old: str, new: str) -> list[str]:
    for name in ("score.toml", file):
        shutil.copy(shipped("configs") / name, folder / name)
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    try:
        load_config(folder / "score.toml")
    except ConfigError as fault:
        return fault.found.splitlines()[1:]
    return []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('source = "BMC Research Notes 2015; s13104-015-1120-1"\n', "", "a cost needs `source`"),
        ("gbp = 55\n", "gbp = 55\nlow = 60\n", "`gbp` is not between `low` and `high`"),
        ("gbp = 57\n", "", "`low` and `high` need `gbp` between them"),
        (
            'gbp = 349\nper = "person"',
            'gbp = 349\nper = "visit"',
            "`completed.falls_assessment.per` has to be `person`",
        ),
        ("[completed.falls_assessment]", "[completed.falls_asessment]", "did you mean `falls_assessment`?"),
        ("[visits.voluntary]", "[visits.volunteers]", "volunteers"),
        ("weeks_a_year = 42", 'effects = "lost.parquet"\nweeks_a_year = 42', "there is no file lost.parquet"),
    ],
)
def test_a_cost_that_nobody_can_check_is_a_mistake_of_the_settings(tmp_path, old, new, said):
    found = settings_with(tmp_path, "costs.toml", old, new)

    assert len(found) == 1
    assert said in found[0]
    assert "costs.toml" in found[0]


def test_every_shipped_cost_says_where_it_comes_from():
    costs = load_config().costs
    figures = [*costs.visits.values(), *costs.completed.values(), *costs.outcomes.values()]

    assert len([one for one in figures if not one.is_blank]) == 7
    assert all(one.source and one.price_base and one.covers and one.leaves_out for one in figures if not one.is_blank)
    assert Cost(*costs.visit("gp")).words == "£86 (£71 to £102)"


GOOD = {"type": "Polygon", "coordinates": [[[-3.7, 50.4], [-3.6, 50.4], [-3.6, 50.5], [-3.7, 50.4]]]}


@pytest.mark.parametrize(
    ("geometry", "said"),
    [
        (GOOD, None),
        ({"type": "MultiPolygon", "coordinates": [GOOD["coordinates"]]}, None),
        ({"type": "Point", "coordinates": [-3.7, 50.4]}, "Polygon or MultiPolygon"),
        ({"type": "LineString", "coordinates": GOOD["coordinates"][0]}, "Polygon or MultiPolygon"),
        ({"type": "Polygon", "coordinates": [[[50.4, -3.7], [50.4, -3.6], [50.5, -3.6], [50.4, -3.7]]]}, "in degrees"),
        ({"type": "Polygon", "coordinates": []}, "Polygon or MultiPolygon"),
        (None, "Polygon or MultiPolygon"),
    ],
)
def test_outlines_are_polygons_inside_the_country_and_nothing_finer(tmp_path, geometry, said):
    features = [{"type": "Feature", "properties": {"place": "Totnes"}, "geometry": geometry}]
    (tmp_path / "ours.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))

    found = settings_with(tmp_path, "services.toml", "reach_miles", 'outlines = "ours.geojson"\nreach_miles')

    assert (said is None and found == []) or (said is not None and said in found[0] and "feature 1" in found[0])


# What the night counts


def entry(person, **said):
    """A row of the ledger: what one list said of one person."""
    return {"night": NIGHT, "recipient": "group", "kind": "listed", "person_id": person} | said


def plan(**said):
    return {"matters": "see_people", "steps": [], **said}


def test_visits_plans_and_what_people_said_are_counted_once_for_each_person():
    entries = pl.DataFrame(
        [
            entry("p1", led_by="fire", outcome="no_access"),
            entry("p1", led_by="fire", outcome="completed", agency="fire", person_said="not_now"),
            entry("p1", person_said="wants_help"),
            entry("p2", led_by="gp", outcome="no_access"),
            entry("p3", led_by="gp", outcome="accepted", plan=plan(agreed="yes")),
            entry("p3", plan=plan(ended_for="matters_met")),
        ],
        schema=ENTRIES,
    )
    needs = pl.DataFrame({"person_id": ["p1", "p1", "p3"], "need": ["isolation", "cold_home", "isolation"]})

    counted = pl.concat([_work(entries), _said(entries, needs)]).sort("of", "one", "other")

    assert counted.rows() == [
        ("visits and plans", "fire", "visited", 1),
        ("visits and plans", "gp", "visited", 1),
        ("visits and plans", "gp", "with a plan", 1),
        ("visits and plans", "gp", "with a plan that met what mattered", 1),
        ("what matters", "isolation", "see_people", 1),
        ("what people said", "cold_home", "wants_help", 1),
        ("what people said", "isolation", "wants_help", 1),
    ]
