"""Matching: terms, who a service is for, how far it is, room, how fresh its details are; and the words of each."""

from datetime import date

import polars as pl
import pytest
from helpers.directory import at, page, service, term

from ageingwell.config.services import ServicesSettings
from ageingwell.services.directory import read_directory
from ageingwell.services.match import ASKS, match_services
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
SETTINGS = ServicesSettings(reach_miles=8, offers_a_need=3, stale_after_days=180)
MILE = 1 / 69.09  # degrees of latitude


def offered(tmp_path, *records, on=NIGHT):
    page(tmp_path, *records)
    return offerable(read_directory(tmp_path), on=on)


def match(services, *, terms=("lunch-club",), place="Church Stretton", ages=(80, 84), settings=SETTINGS, youngest=65):
    asks = pl.DataFrame([(1, list(terms), place, *ages)], schema=ASKS, orient="row")
    return match_services(asks, services=services, positions=POSITIONS, settings=settings, on=NIGHT, youngest=youngest)


def names(found):
    return [name.removeprefix("Lunch club ") for name in found["name"]]


def test_nearer_comes_first_then_room_then_fresher_details(tmp_path):
    full = [{"id": "r", "available": 0, "updated": "2026-10-01"}]
    services = offered(
        tmp_path,
        service("two miles off", service_at_locations=[at("a", 52.54 + 2 * MILE, -2.80)]),
        service("full", capacities=full),
        service("room not told", capacities=None),
        service("older", assured_date="2026-09-01"),
        service("fresh"),
    )

    found = match(services, settings=SETTINGS.model_copy(update={"offers_a_need": 9}))

    assert names(found) == ["fresh", "older", "room not told", "full", "two miles off"]


def test_at_most_as_many_are_offered_as_the_settings_say(tmp_path):
    services = offered(tmp_path, *(service(f"s{number}") for number in range(5)))

    found = match(services)

    assert names(found) == ["s0", "s1", "s2"]
    assert found["position"].to_list() == [1, 2, 3]


def test_a_service_out_of_reach_is_not_offered(tmp_path):
    services = offered(
        tmp_path,
        service("within", service_at_locations=[at("a", 52.54 + 7.9 * MILE, -2.80)]),
        service("beyond", service_at_locations=[at("b", 52.54 + 8.1 * MILE, -2.80)]),
        service("nowhere told", service_at_locations=[at("c", None, None)]),
    )

    found = match(services)

    assert names(found) == ["within"]
    assert found["miles"].item() == pytest.approx(7.9, abs=0.01)


def test_a_service_in_two_halls_is_offered_at_the_nearer(tmp_path):
    both = [at("far", 52.54 + 3 * MILE, -2.80), at("near", 52.54 + 1 * MILE, -2.80)]

    found = match(offered(tmp_path, service("s1", service_at_locations=both)))

    assert found["location_id"].to_list() == ["near"]


@pytest.mark.parametrize(
    ("limits", "ages", "outcome"),
    [
        ({"minimum_age": 60}, (80, 84), "surely"),
        ({"minimum_age": 82}, (80, 84), "ask"),  # some of the band are old enough
        ({"minimum_age": 85}, (80, 84), "no"),
        ({"maximum_age": 79}, (80, 84), "no"),
        ({"maximum_age": 82}, (80, 84), "ask"),
        ({"minimum_age": None}, (80, 84), "surely"),
        ({"minimum_age": 65}, (None, None), "surely"),  # everybody on the list has reached 65
        ({"minimum_age": 75}, (None, None), "ask"),
        ({"minimum_age": 60, "maximum_age": 90}, (None, None), "ask"),
        ({"minimum_age": 60}, (90, 150), "surely"),
        ({"minimum_age": 60, "maximum_age": 99}, (90, 150), "ask"),
    ],
)
def test_ages_are_met_for_certain_perhaps_or_not(tmp_path, limits, ages, outcome):
    found = match(offered(tmp_path, service("s1", **limits)), ages=ages)

    assert ("no" if found.is_empty() else "surely" if found["is_checked"].item() else "ask") == outcome


@pytest.mark.parametrize(
    ("areas", "outcome"),
    [
        (["Church Stretton"], "surely"),
        (["church stretton "], "surely"),
        (["Shropshire"], "surely"),
        (["England"], "surely"),
        (["Totnes"], "no"),
        (["South Hams", "Totnes"], "no"),
        (["Villages along the brook"], "ask"),
        (["Totnes", "Villages along the brook"], "ask"),
        ([], "ask"),  # it comes to people, and does not say where
    ],
)
def test_a_service_that_comes_to_people_is_judged_by_its_areas(tmp_path, areas, outcome):
    told = [{"id": area, "name": area} for area in areas]
    found = match(offered(tmp_path, service("s1", service_at_locations=None, service_areas=told)))

    assert ("no" if found.is_empty() else "surely" if found["is_checked"].item() else "ask") == outcome
    assert found["miles"].to_list() in ([], [None])


def test_what_is_sure_comes_before_what_has_to_be_asked(tmp_path):
    services = offered(
        tmp_path,
        service("ask, at the door", minimum_age=82),
        service("sure, two miles off", service_at_locations=[at("a", 52.54 + 2 * MILE, -2.80)]),
    )

    assert names(match(services)) == ["sure, two miles off", "ask, at the door"]


def test_details_checked_long_ago_or_never_may_be_out_of_date(tmp_path):
    services = offered(
        tmp_path,
        service("180 days", assured_date="2026-05-26"),
        service("181 days", assured_date="2026-05-25"),
        service("never", assured_date=None),
    )

    found = match(services)

    assert dict(found.select("name", "is_out_of_date").iter_rows()) == {
        "Lunch club 180 days": False,
        "Lunch club 181 days": True,
        "Lunch club never": True,
    }


@pytest.mark.parametrize("status", ["inactive", "defunct", "temporarily closed"])
def test_only_a_service_that_is_running_is_offered(tmp_path, status):
    assert offered(tmp_path, service("s1", status=status)).is_empty()


def test_another_term_is_not_offered(tmp_path):
    services = offered(tmp_path, service("s1", attributes=[term("carer-support", "Carer support")]))

    assert match(services).is_empty()


def test_a_place_nobody_knows_and_an_empty_directory_give_nothing(tmp_path):
    services = offered(tmp_path, service("s1"))

    assert match(services, place="Atlantis").is_empty()
    assert match(services, place=None).is_empty()
    assert match(services, terms=()).is_empty()
    assert match(nothing_offerable()).is_empty()


def test_the_order_of_the_directory_changes_nothing(tmp_path):
    records = [service(f"s{number}", capacities=None, assured_date="2026-10-01") for number in range(6)]
    one = match(offered(tmp_path / "a", *records))
    other = match(offered(tmp_path / "b", *records[::-1]))

    assert one.equals(other)


@pytest.mark.parametrize(
    ("parts", "column", "words"),
    [
        ({"cost_options": [{"amount": 0}]}, "cost", "free"),
        ({"cost_options": [{"amount": 4, "currency": "EUR"}]}, "cost", "4 EUR"),
        ({"cost_options": [{"amount": 1, "valid_to": "2026-11-21"}], "fees_description": "Ask"}, "cost", "Ask"),
        ({"cost_options": None}, "cost", "cost not given"),
        ({"schedules": None}, "when", "times not given"),
        ({"schedules": [{"freq": "DAILY", "opens_at": "09:00:00"}]}, "when", "every day, 09:00"),
        ({"schedules": [{"byday": "MO,TU,WE,TH,FR"}]}, "when", "Mondays to Fridays"),
        ({"schedules": [{"freq": "MONTHLY", "byday": "1TU", "description": "First Tuesday"}]}, "when", "First Tuesday"),
        ({"schedules": [{"byday": "MO", "valid_to": "2026-11-21"}]}, "when", "times not given"),
        ({"capacities": [{"available": 0}, {"available": 2}]}, "room", "yes"),
        ({"capacities": [{"available": 0}]}, "room", "no"),
    ],
)
def test_prices_times_and_room_are_told_as_they_hold_on_the_night(tmp_path, parts, column, words):
    assert offered(tmp_path, service("s1", **parts))[column].to_list() == [words]


def test_the_times_of_a_location_go_before_those_of_the_service(tmp_path):
    hall = at("l1", 52.54, -2.80) | {"schedules": [{"byday": "FR", "opens_at": "10:00"}]}

    services = offered(tmp_path, service("s1", service_at_locations=[hall, at("l2", 52.54, -2.80)]))

    assert dict(services.select("location_id", "when").iter_rows()) == {
        "l1": "Fridays, 10:00",
        "l2": "Wednesdays, 12:00",
    }
