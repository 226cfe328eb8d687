"""Who may be offered help tonight, and why each of the others may not."""

from datetime import date, timedelta

import polars as pl
import pytest
from helpers.outreach import AS_OF, contacts, people, person

from ageingwell.config.outreach import OutreachSettings
from ageingwell.outreach.eligible import eligible

SETTINGS = OutreachSettings()


def split(*rows, met=()):
    stay, left = eligible(people(*rows), contacts=contacts(*met), settings=SETTINGS, as_of=AS_OF)
    return stay["person_id"].to_list(), left.select("person_id", "reason", "re_enters_on").rows()


def days_ago(days: int) -> date:
    return AS_OF - timedelta(days=days)


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        ({"is_deceased": True}, "deceased"),
        ({"has_moved": True}, "moved"),
        ({"is_safeguarded": True}, "safeguarding"),
        ({"is_record_held": True}, "record_held"),
        ({"care_home": "yes"}, "care_home"),
        ({"is_end_of_life": True}, "end_of_life"),
        ({"is_in_hospital": True}, "in_hospital"),
    ],
)
def test_each_flag_takes_a_person_off_with_its_reason(known, reason):
    assert split(person("p1", **known), person("p2", "h2")) == (["p2"], [("p1", reason, None)])


def test_safeguarding_is_counted_even_where_another_reason_only_postpones():
    _, left = split(person("p1", is_safeguarded=True, is_in_hospital=True, is_end_of_life=True))

    assert left == [("p1", "safeguarding", None)]


def test_nobody_knocks_for_another_at_a_door_under_safeguarding():
    stay, left = split(person("p1", is_safeguarded=True), person("p2"), person("p3", "h3"))

    assert stay == ["p3"]
    assert [row[:2] for row in left] == [("p1", "safeguarding"), ("p2", "safeguarding_at_home")]


def test_safeguarding_of_one_does_not_reach_strangers_at_a_possible_care_home():
    check = {"care_home": "check"}

    assert split(person("p1", is_safeguarded=True, **check), person("p2", **check))[0] == ["p2"]


def test_a_possible_care_home_excludes_nobody():
    assert split(person("p1", care_home="check")) == (["p1"], [])


def test_someone_without_a_linked_home_stays():
    assert split(person("p1", None)) == (["p1"], [])


@pytest.mark.parametrize(
    ("outcome", "days"), [("completed", 180), ("refused", 365), ("no_access", 14), ("deferred", 28)]
)
def test_a_household_is_left_in_peace_until_the_day_and_no_longer(outcome, days):
    last_night, first_again = days_ago(days - 1), days_ago(days)

    assert split(person("p1"), met=[("p1", None, last_night, outcome)]) == (
        [],
        [("p1", "cooling_off", last_night + timedelta(days=days))],
    )
    assert split(person("p1"), met=[("p1", None, first_again, outcome)]) == (["p1"], [])


def test_a_visit_to_one_holds_for_everyone_at_the_door():
    stay, left = split(
        person("p1", "h1"), person("p2", "h1"), person("p3", "h3"), met=[("p1", None, days_ago(5), "completed")]
    )

    assert stay == ["p3"]
    assert [row[:2] for row in left] == [("p1", "cooling_off"), ("p2", "cooling_off")]


def test_the_longest_of_several_contacts_counts():
    _, left = split(person("p1"), met=[("p1", None, days_ago(5), "refused"), (None, "h1", days_ago(1), "no_access")])

    assert left == [("p1", "cooling_off", days_ago(5) + timedelta(days=365))]


def test_a_refusal_by_those_who_lived_there_before_binds_nobody_who_moved_in_since():
    newcomer = person("p1", "h1", lived_here_from=days_ago(10))

    assert split(newcomer, met=[(None, "h1", days_ago(30), "refused")]) == (["p1"], [])


def test_someone_who_refused_at_the_old_home_is_left_in_peace_alone_at_the_new_one():
    mover = person("p1", "h1", lived_here_from=days_ago(10))

    stay, left = split(mover, person("p2", "h1"), met=[("p1", None, days_ago(30), "refused")])

    assert stay == ["p2"]
    assert [row[:2] for row in left] == [("p1", "cooling_off")]


def test_a_contact_recorded_on_the_night_itself_is_not_known_yet():
    # recorded the day after the contact, so on `as_of`
    assert split(person("p1"), met=[("p1", None, days_ago(1), "refused")]) == (["p1"], [])


def test_a_reported_death_or_move_counts_however_late_it_was_recorded():
    stay, left = split(
        person("p1", "h1"),
        person("p2", "h2"),
        person("p3", "h2"),
        met=[("p1", None, AS_OF, "deceased"), ("p2", None, AS_OF, "moved")],
    )

    assert stay == ["p3"]
    # The register has 90 days to follow.
    assert left == [("p1", "deceased", None), ("p2", "moved", AS_OF + timedelta(days=90))]


@pytest.mark.parametrize("days", [1, 89, 90, 91, 400, 4_000])
def test_a_reported_move_bars_as_long_as_the_settings_say_and_no_longer(days):
    moved = [("p1", None, days_ago(days), "moved")]

    if days < 90:
        assert split(person("p1"), met=moved) == ([], [("p1", "moved", days_ago(days - 90))])
    else:
        assert split(person("p1"), met=moved) == (["p1"], [])


def test_a_reported_death_is_not_undone_by_time():
    assert split(person("p1"), met=[("p1", None, days_ago(4_000), "deceased")]) == ([], [("p1", "deceased", None)])


def test_a_move_that_the_register_has_followed_is_over():
    assert split(person("p1", lived_here_from=days_ago(3)), met=[("p1", None, days_ago(200), "moved")]) == (["p1"], [])


def test_a_staff_safety_marker_of_someone_not_eligible_warns_those_who_visit_the_others():
    rows = people(person("p1", is_in_hospital=True, has_staff_safety_marker=True), person("p2"), person("p3", None))

    stay, _ = eligible(rows, contacts=contacts(), settings=SETTINGS, as_of=AS_OF)

    assert stay.select("person_id", "has_staff_safety_marker").rows() == [("p2", True), ("p3", False)]


def test_everyone_goes_out_once():
    rows = [person(f"p{n}", f"h{n % 4}", is_deceased=n == 1, is_safeguarded=n == 2) for n in range(8)]

    stay, left = split(*rows, met=[("p3", None, days_ago(3), "completed")])

    assert sorted([*stay, *(row[0] for row in left)]) == sorted(f"p{n}" for n in range(8))


@pytest.mark.parametrize(
    ("who", "home", "day", "outcome", "is_put_off"),
    [
        ("p1", None, date(2026, 11, 10), "completed", True),
        ("p2", None, date(2026, 11, 18), "completed", False),  # a visit to another there is not the one agreed
        ("p2", None, date(2026, 11, 18), "declined_help", True),  # a no at the door is one for all
        ("p1", None, date(2026, 11, 18), "no_access", True),
        (None, "h1", date(2026, 11, 18), "no_access", True),
    ],
)
def test_an_agreed_visit_is_put_off_by_a_contact_with_the_person_or_home_or_by_a_no_at_the_door(
    who, home, day, outcome, is_put_off
):
    both = people(person("p1", "h1"), person("p2", "h1"))
    agreed = pl.DataFrame({"person_id": ["p1"]})

    stay, left = eligible(
        both, contacts=contacts((who, home, day, outcome)), settings=SETTINGS, as_of=AS_OF, agreed=agreed
    )

    assert ("p1" not in stay["person_id"].to_list()) is is_put_off
    # Without the agreement they are left in peace as before.
    assert (
        "p1"
        not in eligible(both, contacts=contacts((who, home, day, outcome)), settings=SETTINGS, as_of=AS_OF)[0][
            "person_id"
        ].to_list()
    )
    assert left.filter(person_id="p2").height == 1


def test_a_visit_that_is_held_holds_the_home_and_says_why():
    three = people(person("p1", "h1"), person("p2", "h1"), person("p3", "h3"))
    held = pl.DataFrame({"person_id": ["p1"], "household_id": ["h1"]})

    stay, left = eligible(three, contacts=contacts(), settings=SETTINGS, as_of=AS_OF, held=held)

    assert stay["person_id"].to_list() == ["p3"]
    assert left.select("person_id", "reason", "re_enters_on").rows() == [
        ("p1", "no_to_settle", None),
        ("p2", "no_to_settle", None),
    ]
