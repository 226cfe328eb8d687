"""The list of page one: blocks, rows, questions; and how new each agency's records are."""

import re
from dataclasses import replace
from datetime import date

import polars as pl
import pytest
from helpers.people import AT_THE_SAME_DOOR, FULL, PEOPLE_TOLD, chance, need, person
from helpers.views import FACTS, FOUND, LEFT, see

from ageingwell.config.load import load_config
from ageingwell.governance.manifest import describe_inputs
from ageingwell.governance.night_facts import NightFacts
from ageingwell.report.doors import by_door
from ageingwell.report.freshness import freshness
from ageingwell.report.html import report_html
from ageingwell.report.listing import listing_of
from ageingwell.report.person_facts import chance_of
from ageingwell.report.room import setting_of
from ageingwell.report.summary import summarise
from ageingwell.report.words import BANNED
from ageingwell.sources.check import REFUSED
from ageingwell.sources.read import CheckedTable, Records


def page_of(people):
    """The report of people made by hand."""
    return report_html(summarise(see("group"), facts=FACTS, attrition=LEFT, needs=FOUND, people=people)).decode()


def words_of(page):
    return " ".join(re.sub(r"<[^>]+>", " ", page.split("<body>")[1]).split()).replace(" .", ".").replace(" ;", ";")


def test_people_of_one_interval_stand_in_one_block_and_those_at_one_door_in_the_block_of_the_first():
    blocks = listing_of(PEOPLE_TOLD)["blocks"]

    assert [(block["band"], len(block["rows"])) for block in blocks] == [("Top 20", 2), ("Top 50", 1)]
    assert blocks[0]["rows"][1]["person"] == AT_THE_SAME_DOOR


def test_a_block_says_who_cannot_be_told_apart():
    alike = [person(n, band="top 20", chance=chance(n, 10, 20)) for n in (14, 15, 16)]
    unlike = [*alike, person(4, band="top 20", chance=chance(40, 30, 50))]

    assert listing_of(alike)["blocks"][0]["told"] == "The order of these 3 people is not exact."
    assert listing_of(unlike)["blocks"][0]["told"] == (
        "4 people. Do not compare people inside this block: the order is not exact."
    )


def test_of_people_too_high_to_be_checked_no_block_says_who_can_be_told_apart():
    unchecked = chance_of({"risk": 0.64, "risk_low": None, "risk_high": None}, outcome="die within a year")
    highest = [person(n, band="top 20", chance=unchecked) for n in (1, 2)]
    mixed = [*highest, person(3, band="top 20", chance=chance(40, 30, 50))]

    assert listing_of(highest)["blocks"][0]["told"] == (
        "2 people. Too few people have a chance this high to put them in order."
    )
    assert listing_of(mixed)["blocks"][0]["told"] == (
        "3 people. Do not compare people inside this block: the order is not exact."
    )


def test_a_chance_beyond_what_was_checked_is_told_without_a_narrow_range():
    unchecked = chance_of({"risk": 0.64, "risk_low": None, "risk_high": None}, outcome="die within a year")

    said = words_of(page_of([{**FULL, "chance": unchecked}]))

    assert "Too few people have a chance this high to be exact: read it as about half or more." in said
    assert "(about half or more; too few people to be exact)" in said
    assert "None" not in said


def test_all_other_facts_stand_by_theme_before_the_sum():
    further = [{"theme": "Health", "words": "All other facts about health", "adds": -2, "adds_words": "−2"}]
    rest = {"rest": -1, "rest_words": "Most people in that group have a lower chance than its average"}

    said = words_of(page_of([{**FULL, "other_facts": further, **rest}]))

    assert "All other facts about health −2 Most people in that group have a lower chance than its average −1" in said


def test_a_row_has_three_facts_that_raise_and_one_that_lowers():
    row = listing_of([FULL])["blocks"][0]["rows"][0]

    assert [fact["is_lower"] for fact in row["facts"]] == [False, False, False, True]


def test_a_question_that_all_answer_alike_is_not_asked():
    asked = [question["name"] for question in listing_of(PEOPLE_TOLD)["questions"]]

    assert asked == ["lead", "need", "place", "known", "new", "status"]
    assert listing_of([FULL])["questions"][0]["name"] == "need"


def test_the_numbers_on_a_row_are_those_of_its_answers():
    listing = listing_of(PEOPLE_TOLD)
    [leads] = [question for question in listing["questions"] if question["name"] == "lead"]

    for row in (row for block in listing["blocks"] for row in block["rows"]):
        assert leads["answers"][int(row["marks"]["lead"])]["text"] == row["person"]["lead"]["agency"]


def test_who_is_known_to_the_practice_alone_is_known_to_no_service():
    rows = [row for block in listing_of(PEOPLE_TOLD)["blocks"] for row in block["rows"]]

    assert [row["services"] for row in rows] == [["Adult social care"], [], []]


@pytest.mark.parametrize(
    ("n_needs", "setting"), [(0, "roomy"), (3, "plain"), (5, "close"), (7, "tight"), (20, "closest")]
)
def test_a_page_with_more_to_say_is_set_closer(n_needs, setting):
    found = [need("Falls assessment", "Soon", "GP practices", "x" * 70, "y" * 150)]

    assert setting_of(person(9, needs=found * n_needs)) == setting


def test_doors_keep_neighbours_together_and_show_only_the_views_own_cells():
    view = see("fire")
    told = by_door(view)

    assert sum(len(door["people"]) for door in told["doors"]) == view.frame.height
    people = [one for door in told["doors"] for one in door["people"]]
    shown = {part["name"] for one in people for part in (*one["first"], *one["told"])}
    # The place stands beside the code; who leads is left out where the reader does, how soon where that is not urgent.
    own = {column.name for column in view.columns} - {"row_key", "household_key", "place"}
    assert shown <= own
    assert own - shown <= {"lead_agency", "urgency"}
    assert all(one["who"] for one in people)
    assert not [head for head in told["heads"] if head in ("chance", "band", "age_band")]


def test_the_worst_of_an_agencys_tables_is_told():
    inputs = {"homes": {"newest_on": "2026-11-20"}, "housing_events": {"newest_on": "2026-08-06"}}

    assert freshness(NightFacts(date(2026, 11, 22), inputs=inputs, late=["housing_events"])) == [
        {
            "agency": "Housing",
            "status": "LATE",
            "told": "108 days old: newest 6 August 2026. Facts from housing events may be out of date.",
        }
    ]


def test_a_persons_page_tells_the_figure_the_comparison_and_a_sum_that_a_reader_can_check():
    said = words_of(page_of(PEOPLE_TOLD))

    assert "31 in 100 people with a record like this start home care" in said
    assert "For this person it may be anywhere from 24 to 39." in said
    assert "12 in 100 is the figure for women aged 80 to 84 in Church Stretton (about 210 people)" in said
    assert "Separate estimates: 9 in 100 die within a year" in said
    assert "Sum: 12 + 22 − 3 = 31 31" in said
    assert "No estimate: this person is here by rule alone." in said
    assert "Read the staff safety marker before going" in said
    assert "Strength and Balance class" in said


def test_a_page_has_no_control_that_pretends_to_save_a_decision():
    page = page_of(PEOPLE_TOLD)

    assert not re.search(r"<(input|textarea|form)\b", page)
    assert page.count("This page keeps nothing") == len(PEOPLE_TOLD)


def test_a_persons_page_labels_nobody_and_claims_no_cause():
    said = words_of(page_of(PEOPLE_TOLD)).lower()

    assert not [word for word in BANNED if re.search(rf"\b{re.escape(word)}\b", said)]


def test_markup_in_what_is_said_of_a_person_is_text():
    payload = "<img src=x onerror=alert(1)>"
    attacked = person(1, place=payload, action=payload, unknown=[payload], communication=payload, offers=[])

    page = page_of([attacked])

    assert "<img" not in page
    assert page.count("&lt;img src=x") >= 4


def test_up_to_date_is_said_only_against_the_agencys_own_promise():
    day = date(2026, 11, 22)
    told = {"newest_on": "2026-11-19"}
    states = {
        "no promise": freshness(NightFacts(day, inputs={"homes": told})),
        "one table promised of two": freshness(
            NightFacts(day, inputs={"homes": {**told, "promised_days": 7}, "housing_events": told})
        ),
        "promised": freshness(NightFacts(day, inputs={"homes": {**told, "promised_days": 7}})),
    }

    assert {case: one["status"] for case, [one] in states.items()} == {
        "no promise": "3 days old",
        "one table promised of two": "3 days old",
        "promised": "Up to date",
    }


@pytest.mark.parametrize(("promised", "is_late"), [(None, False), (3, False), (2, True)])
def test_a_promise_that_is_broken_makes_a_table_late(promised, is_late):
    config = load_config()
    homes = config.tables["homes"].model_copy(update={"promised_days": promised})
    promising = replace(config, tables={**config.tables, "homes": homes})
    days = pl.DataFrame({"day": [date(2026, 11, 19)], "n_rows": [1]})
    table = CheckedTable("homes", pl.LazyFrame(), pl.DataFrame(schema=REFUSED), n_read=1, n_good=1, by_day=days)

    told = describe_inputs(Records({"homes": table}, missing=(), made_up=True), promising, as_of=date(2026, 11, 22))

    assert told["homes"]["is_late"] == is_late
    assert told["homes"]["promised_days"] == promised
