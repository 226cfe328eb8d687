"""What happened in three years: which lines a night keeps, who reads them, and how they are set out."""

from datetime import date, timedelta

import polars as pl
from helpers.views import AS_OF, KEY, LEDGER, pseudonym, see

from ageingwell.config.load import load_config
from ageingwell.night.past_events import past_events_of
from ageingwell.report.past import LEVELS, past_of
from ageingwell.timeline import AsOf
from ageingwell.views.own_records import NOTHING, with_own_records

PERSON, HOME = pseudonym("p1"), pseudonym("h1")
PEOPLE = pl.DataFrame(
    {"person_id": [PERSON], "household_id": [HOME], "lived_here_from": [date(2025, 1, 1)]},
    schema_overrides={"lived_here_from": pl.Date},
)


def told(**tables):
    lazy = {name: pl.DataFrame(rows).lazy() for name, rows in tables.items()}
    return past_events_of(lazy, PEOPLE, AsOf(AS_OF), codelists=load_config().codelists)


def visits(*days):
    return [{"household_id": HOME, "visited_on": day, "visit_outcome": "refused"} for day in days]


def test_a_visit_before_somebody_moved_in_is_the_homes_and_not_theirs():
    found = told(fire_visits=visits(date(2024, 5, 1), date(2025, 5, 1)))

    assert found.select("happened_on", "is_theirs").rows() == [(date(2024, 5, 1), False), (date(2025, 5, 1), True)]


def test_nothing_of_the_night_or_later_or_older_than_three_years_is_kept():
    days = (AS_OF, AS_OF - timedelta(days=1), AS_OF - timedelta(days=1095), AS_OF - timedelta(days=1096))

    assert told(fire_visits=visits(*days))["happened_on"].to_list() == [days[2], days[1]]


def test_a_label_that_has_no_plain_words_makes_no_line_and_a_repeat_makes_one():
    rows = [{"person_id": PERSON, "started_on": date(2026, 3, 3), "kind": kind} for kind in ("ae_attendance", "other")]

    assert told(hospital_events=[*rows, rows[0]])["text"].to_list() == ["A&E visit"]


def past_events(*rows):
    return pl.DataFrame(
        [(PERSON, day, agency, theme, text, is_theirs) for day, agency, theme, text, is_theirs in rows],
        schema=["person_id", "happened_on", "agency", "theme", "text", "is_theirs"],
        orient="row",
    )


EVENTS = past_events(
    (date(2024, 5, 1), "fire", "fire", "Home fire safety visit: refused", False),
    (date(2026, 5, 1), "fire", "fire", "Home fire safety visit: done", True),
    (date(2026, 6, 1), "hospital", "health", "Unplanned hospital stay", True),
    (date(2026, 7, 1), "housing", "home", "Adaptation asked for", True),
)


def cells(recipient, *, ledger=LEDGER):
    view = with_own_records(see(recipient), EVENTS, ledger=ledger, key=KEY)
    return [cell for row in view.frame["earlier"] for cell in row] if "earlier" in view.frame.columns else None


def test_an_agency_reads_its_own_records_newest_first_and_nobody_elses():
    assert set(cells("fire")) == {
        "1 May 2026: Home fire safety visit: done",
        "1 May 2024: Home fire safety visit: refused",
        NOTHING,
    }
    assert not [cell for cell in cells("gp") if cell != NOTHING]


def test_who_may_not_read_its_own_theme_has_no_such_column():
    barred = LEDGER.model_copy(update={"views": {**LEDGER.views, "fire": LEDGER.views["housing"]}})

    assert cells("fire", ledger=barred) is None
    assert cells("voluntary") is None


def test_marks_of_one_day_stand_above_each_other_and_the_table_has_every_one():
    rows = [{"happened_on": date(2026, 5, 1), "agency": "hospital", "text": f"Thing {n}"} for n in range(5)]
    past = past_of(rows, as_of=AS_OF)

    assert [mark["level"] for mark in past["marks"]] == [0, 1, 2, 0, 0]
    assert max(mark["level"] for mark in past["marks"]) < LEVELS
    assert len(past["lines"]) == 5
    assert past["said"].startswith("5 things on record in three years.")
