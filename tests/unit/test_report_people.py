"""What a person's page says, as data: in the order of the list, adding up, for readers of the risk alone."""

import re
from datetime import date

import polars as pl
import pytest
from helpers.views import (
    COMPARED,
    FACTS,
    FOUND,
    IN_TOUCH,
    KEY,
    LEDGER,
    LISTED,
    SCORES,
    TOLD,
    pseudonym,
    reason,
    reasons,
    row,
    rows,
    see,
)

from ageingwell.features.build import FEATURES
from ageingwell.report.people import people_told
from ageingwell.report.unknown import ASKED
from ageingwell.report.words import BANNED
from ageingwell.views.words import agency_words

OCTOBER = date(2026, 10, 3)
P1 = 1  # on the list after p3, whose home has an urgent need
# They have a risk of 35 in 100 (0.40 - 1/20), those compared with 12: 23 lie between them.
FACTS_OF_P1 = reasons(
    reason("p1", 1, "n_falls_365d", "health", "2 falls", adds_in_100=9, agency="gp", known_on=OCTOBER),
    reason("p1", 2, "lives_alone_probability", "everyday_life", "probably lives alone", adds_in_100=4),
    reason("p1", 3, "is_female", "everyday_life", None),
    reason("p1", 4, "has_telecare", "fire", "telecare", adds_in_100=-2, direction="lowers", agency="fire"),
    reason("p1", 5, "has_oxygen", "fire", None, value="unknown", shown=False),
)


def told(recipient="group", **changed):
    given = {"rows": LISTED, "needs": FOUND, "reasons": TOLD, "scores": SCORES} | changed
    view = see(recipient, **{name: frame for name, frame in given.items() if name in ("rows", "needs", "reasons")})
    tables = {"compared": COMPARED, "in_touch": IN_TOUCH, "facts": FACTS} | given
    return people_told(view, **tables, ledger=LEDGER, key=KEY)


def page(**changed):
    """The page of p1."""
    return told(reasons=FACTS_OF_P1, **changed)[P1]


def test_one_page_a_person_in_the_order_of_the_list():
    keys = see("group").frame["row_key"]

    pages = told()

    assert [page["anchor"] for page in pages] == [f"person-{n}" for n in range(1, len(keys) + 1)]
    assert [page["row_key"].replace(" ", "") for page in pages] == [key[:8] for key in keys]


def test_people_of_one_home_share_a_door():
    doors = {}
    for person in told():
        doors.setdefault(person["door"], []).append(person["household_key"])

    assert sorted(len(homes) for homes in doors.values()) == [1, 1, 1, 1, 2]
    assert all(len(set(homes)) == 1 for homes in doors.values())


def test_who_may_not_read_the_risk_gets_no_page_of_a_person():
    assert [told(agency) for agency in ("social_care", "housing", "fire", "voluntary")] == [[]] * 4
    assert told("gp")


def test_the_figure_the_comparison_the_facts_and_the_rest_add_up():
    found = page()

    assert (found["chance"]["words"], found["chance"]["range_words"]) == ("35 in 100", "30 to 40")
    assert (found["others"]["in_100"], found["others"]["n_words"]) == (12, "about 245")
    assert [(fact["fact"], fact["adds_words"]) for fact in found["raises"]] == [
        ("2 falls", "+9"),
        ("Probably lives alone", "+4"),
    ]
    assert [(fact["fact"], fact["adds_words"]) for fact in found["lowers"]] == [("Telecare", "−2")]
    assert found["rest"] == 12
    assert found["sum_words"] == "12 + 13 − 2 + 12 = 35"


def test_all_other_facts_stand_by_theme_and_what_is_left_is_explained():
    of_theme = pl.concat(
        FACTS_OF_P1.filter(theme=theme, position=place).with_columns(others_in_100=pl.lit(number, pl.Int64))
        for (theme, place), number in {("health", 1): 8, ("fire", 4): -5}.items()
    )
    rest = FACTS_OF_P1.join(of_theme, on=["person_id", "position"], how="anti")

    found = told(reasons=pl.concat([of_theme, rest]))[P1]

    assert [(theme["words"], theme["adds_words"]) for theme in found["other_facts"]] == [
        ("All other facts about health", "+8"),
        ("All other facts about fire", "−5"),
    ]
    assert (found["rest"], found["rest_words"]) == (
        9,
        "Most people in that group have a higher chance than its average",
    )
    assert found["sum_words"] == "12 + 13 − 2 + 8 − 5 + 9 = 35"


def test_a_fact_has_its_agency_and_its_day_or_is_as_recorded_up_to_the_night():
    falls, alone = page()["raises"]

    assert (falls["agency"], falls["day"]) == ("GP practices", "3 October 2026")
    assert (alone["agency"], alone["day"]) == ("Several agencies", "recorded up to 22 November 2026")


def test_a_fact_the_reader_may_not_read_is_counted_with_what_is_left():
    unread = reasons(reason("p1", 1, "a_feature_of_nobody", "health", "hidden", adds_in_100=9))

    found = told(reasons=pl.concat([FACTS_OF_P1, unread]))[P1]

    assert "hidden" not in str(found).lower()
    assert found["rest"] == page()["rest"]


def test_by_rules_alone_there_is_no_figure_and_no_fact():
    without = LISTED.with_columns(
        pl.lit(None, dtype=pl.Float64).alias(name) for name in ("risk", "risk_low", "risk_high")
    )

    found = told(
        rows=without,
        reasons=FACTS_OF_P1.head(0),
        compared=COMPARED.head(0),
        scores=SCORES.with_columns(risk_death=pl.lit(None, dtype=pl.Float64)),
    )[0]

    assert (found["chance"], found["others"], found["outcomes"]) == (None, None, [])
    assert (found["raises"], found["lowers"], found["rest"], found["sum_words"]) == ([], [], 0, "")
    assert found["needs"]


@pytest.mark.parametrize(("risk", "words"), [(0.004, "fewer than 1 in 100"), (0.997, "more than 99 in 100")])
def test_the_ends_of_the_scale_are_told_as_ends(risk, words):
    ends = LISTED.with_columns(risk=pl.lit(risk), risk_low=pl.lit(risk), risk_high=pl.lit(risk))

    found = told(rows=ends)[0]

    assert found["chance"]["words"] == words
    assert words.removesuffix(" in 100") in found["chance"]["sentence"]


def test_other_outcomes_are_told_apart():
    assert page()["outcomes"] == [{"what": "die within a year", "in_100": 4, "words": "4 in 100"}]


def test_who_is_in_touch_the_newest_first_and_who_is_not():
    found = page()

    assert found["in_touch"] == [
        {"agency": "Housing", "last": "1 November 2026"},
        {"agency": "Fire and rescue", "last": "9 March 2024"},
        {"agency": "GP practices", "last": None},
    ]
    # Hospital records did not come that night: whether the hospital knows the person is not known.
    assert found["not_in_touch"] == [agency_words("social_care"), agency_words("voluntary")]


def test_what_is_not_known_is_said_and_never_taken_for_no():
    said = page()["unknown"]

    assert said[0] == "No records of hospital events were sent. We do not know what they would say."
    assert said[1] == "The records from homes are late and may be out of date."
    assert "The fire service has not recorded: oxygen." in said
    assert said[-1] == "If a box is empty, we do not know. It does not mean there is no problem."


def test_somebody_without_a_home_on_record_is_told_so():
    last = told()[-1]

    assert last["household_key"] == "no home linked"
    assert any(sentence.startswith("We do not know this person's home") for sentence in last["unknown"])


def test_every_fact_that_may_be_unknown_and_told_has_words_for_it():
    # What is counted of people comes from the register, which everybody is on.
    unasked = {
        feature.name
        for feature in FEATURES
        if feature.without_rows is None and feature.absent is not None and feature.source not in ("spine", "derived")
    }

    assert unasked <= set(ASKED)
    assert set(ASKED) <= {feature.name for feature in FEATURES}


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({}, "it leads on “No working smoke alarm”, as urgent as any need found here"),
        ({"status": "agreed"}, "you chose this lead"),
        ({"lead_agency": "housing"}, "it is going to see someone else in this home"),
    ],
)
def test_the_lead_has_a_printed_reason(changed, why):
    listed = rows(row("p1", "h1", 1, "fire", **changed))

    found = told(rows=listed)[0]

    assert found["lead"]["why"] == why


def test_without_a_home_the_practice_writes_and_without_a_need_the_facts_decide():
    assert told()[-1]["lead"]["why"] == "we do not know this person's home, so the practice writes or phones"
    no_need = FOUND.filter(pl.col("person_id") != pseudonym("p1"))

    listed = rows(row("p1", "h1", 1, "gp", why="model"))
    found = told(rows=listed, needs=no_need, reasons=FACTS_OF_P1)[0]

    assert found["lead"]["why"] == "no rule found a need; the fact that adds most is about health"


def test_what_a_visitor_has_to_know_first_is_told_apart():
    notes = {person["row_key"]: person["notes"] for person in told()}

    assert ["Read the staff safety marker before going"] in notes.values()


def test_no_page_labels_people_or_claims_causes():
    said = str(told(reasons=FACTS_OF_P1)).lower()

    assert not [word for word in BANNED if re.search(rf"\b{re.escape(word)}\b", said)]


def test_the_same_night_gives_the_same_words():
    assert told(reasons=FACTS_OF_P1) == told(reasons=FACTS_OF_P1[::-1], rows=LISTED[::-1], in_touch=IN_TOUCH[::-1])
