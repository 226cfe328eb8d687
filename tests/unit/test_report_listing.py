"""The list of page one: blocks, rows, questions; and how new each agency's records are."""

import re
from datetime import date

from helpers.people import AT_THE_SAME_DOOR, BY_RULE, FULL, PEOPLE_TOLD, chance, need, person
from helpers.views import FACTS, FOUND, LEFT, see

from ageingwell.governance.night_facts import NightFacts
from ageingwell.report.doors import by_door
from ageingwell.report.freshness import freshness
from ageingwell.report.html import report_html
from ageingwell.report.listing import listing_of
from ageingwell.report.room import setting_of
from ageingwell.report.summary import summarise
from ageingwell.report.words import BANNED


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


def test_a_page_with_more_to_say_is_set_closer():
    found = [need("Falls assessment", "Soon", "GP practices", "x" * 70, "y" * 150)]
    long, longer = person(9, needs=found * 5), person(9, needs=found * 8)

    assert [setting_of(one) for one in (BY_RULE, AT_THE_SAME_DOOR, long, longer, FULL)] == [
        "roomy",
        "plain",
        "close",
        "tight",
        "closest",
    ]


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
    assert "The range is 24 to 39" in said
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
