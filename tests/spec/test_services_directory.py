"""Reading the local directory: every record is good or refused with its file, number and field; none is lost."""

import json

import pytest
from helpers.directory import at, package, page, service, term

from ageingwell.config.load import load_config
from ageingwell.contracts.services import DIRECTORY_RULES
from ageingwell.errors import SourceError
from ageingwell.services.directory import read_directory
from ageingwell.services.records import rows_of
from tools.directory.__main__ import main as write_made_up_directory


def refused(directory):
    return [(row["file"], row["row_number"], row["column"], row["rules"]) for row in directory.refused.to_dicts()]


def test_a_page_a_list_one_service_and_a_folder_of_pages_read_alike(tmp_path):
    folder = tmp_path / "folder"
    page(folder, service("s1"), name="services-1.json")
    (tmp_path / "list.json").write_text(json.dumps([service("s1")]), encoding="utf-8")
    (tmp_path / "one.json").write_text(json.dumps(service("s1")), encoding="utf-8-sig")

    read = [read_directory(path).tables for path in (folder, tmp_path / "list.json", tmp_path / "one.json")]

    for name, table in read[0].items():
        assert table.height == (0 if name == "service_areas" else 1)
        assert table.equals(read[1][name])
        assert table.equals(read[2][name])


def test_pages_of_a_folder_are_read_in_the_order_of_their_names(tmp_path):
    page(tmp_path, service("s1"), service("s2"), name="a.json")
    page(tmp_path, service("s3"), name="b.json")

    directory = read_directory(tmp_path)

    assert directory.tables["services"]["service_id"].to_list() == ["s1", "s2", "s3"]
    assert [(file.file, file.n_records) for file in directory.files] == [("a.json", 2), ("b.json", 1)]


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"name": None}, "name", "missing"),
        ({"name": "  "}, "name", "missing"),
        ({"name": ["x"]}, "name", "not_a_text"),
        ({"status": None}, "status", "missing"),
        ({"status": "open"}, "status", "unknown_label"),
        ({"minimum_age": "sixty"}, "minimum_age", "not_a_number"),
        ({"minimum_age": True}, "minimum_age", "not_a_number"),
        ({"minimum_age": 60.5}, "minimum_age", "not_a_number"),
        ({"minimum_age": -1}, "minimum_age", "out_of_range"),
        ({"maximum_age": 50}, "maximum_age", "end_before_start"),
        ({"organization": None}, "organization", "missing"),
        ({"organization": "Bluebell"}, "organization", "not_a_record"),
        ({"organization": {"id": "o1"}}, "organization.name", "missing"),
    ],
)
def test_a_record_that_cannot_be_offered_is_refused_with_its_file_number_and_field(tmp_path, changes, field, rule):
    page(tmp_path, service("s1"), service("s2", **changes))

    directory = read_directory(tmp_path)

    assert refused(directory) == [("services-1.json", 2, field, [rule])]
    assert directory.tables["services"]["service_id"].to_list() == ["s1"]
    assert (directory.n_read, directory.n_refused) == (2, 1)


@pytest.mark.parametrize(
    ("changes", "field", "rule", "table"),
    [
        ({"service_at_locations": [at("l1", 0, 0)]}, "service_at_locations[1].location.latitude", "out_of_range", None),
        ({"service_at_locations": [{"id": "x"}]}, "service_at_locations[1].location", "missing", "service_places"),
        ({"service_at_locations": {}}, "service_at_locations", "not_a_list", "service_places"),
        ({"schedules": [{"freq": "HOURLY"}]}, "schedules[1].freq", "unknown_label", "schedules"),
        ({"schedules": [{"opens_at": "25:00"}]}, "schedules[1].opens_at", "not_a_time", "schedules"),
        ({"schedules": [{"byday": "MO,XX"}]}, "schedules[1].byday", "unknown_label", "schedules"),
        ({"schedules": ["Wednesdays"]}, "schedules[1]", "not_a_record", "schedules"),
        ({"cost_options": [{"amount": "cheap"}]}, "cost_options[1].amount", "not_a_number", "costs"),
        ({"cost_options": [{"amount": -2}]}, "cost_options[1].amount", "out_of_range", "costs"),
        ({"capacities": [{"maximum": 4}]}, "capacities[1].available", "missing", "capacities"),
        ({"service_areas": [{"id": "x"}]}, "service_areas[1].name", "missing", "service_areas"),
        ({"attributes": [{"taxonomy_term": {}}]}, "attributes[1].taxonomy_term.name", "missing", "terms"),
        ({"assured_date": "2026-02-30"}, "assured_date", "not_a_date", None),
    ],
)
def test_a_part_that_is_wrong_is_refused_alone(tmp_path, changes, field, rule, table):
    page(tmp_path, service("s1", **changes))

    directory = read_directory(tmp_path)

    assert ("services-1.json", 1, field, [rule]) in refused(directory)
    assert directory.tables["services"].height == 1
    assert directory.n_refused == 0
    assert table is None or directory.tables[table].is_empty()


def test_a_second_record_of_one_identifier_is_refused(tmp_path):
    page(tmp_path, service("s1"), service("s1", name="Another"))

    directory = read_directory(tmp_path)

    assert refused(directory) == [("services-1.json", 2, "id", ["twice"])]
    assert directory.tables["services"]["name"].to_list() == ["Lunch club s1"]


def test_no_record_is_lost_however_wrong_the_directory_is(tmp_path):
    sent = [service("s1"), None, 7, "x", [], {}, service("s2", name=None), service("s1"), service("s3")]
    page(tmp_path, *sent)

    directory = read_directory(tmp_path)

    told = {row["row_number"] for row in directory.refused.to_dicts()}
    assert told == {2, 3, 4, 5, 6, 7, 8}
    assert directory.tables["services"].height + directory.n_refused == len(sent)


def test_every_rule_a_record_can_break_has_its_sentence():
    wrong = service("s1", status="?", minimum_age="?", organization=[], name=None, maximum_age=999)

    _, faults = rows_of(wrong)

    assert {rule for _, rule in faults} <= DIRECTORY_RULES.keys()


def test_the_day_of_the_check_is_the_assurance_else_the_last_change(tmp_path):
    changed = service("s2", assured_date=None, last_modified="2026-03-04T09:00:00Z")
    page(tmp_path, service("s1", last_modified="2026-11-01T00:00:00Z"), changed)

    checked = read_directory(tmp_path).tables["services"]["checked_on"]

    assert [str(day) for day in checked] == ["2026-10-02", "2026-03-04"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"contents": [', "not whole JSON"),
        (b"\xff\xfe{}", "not UTF-8"),
        (b'{"content": []}', "Open Referral UK 1"),
        (b'{"services": 3}', "neither a page of services"),
        (b"[]", "has no service in it"),
        (b"[" * 100_000, "services-1.json"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, content, said):
    (tmp_path / "services-1.json").write_bytes(content)

    with pytest.raises(SourceError, match=said):
        read_directory(tmp_path)


def test_a_directory_that_is_not_there_or_empty_is_named(tmp_path):
    with pytest.raises(SourceError, match="no such directory"):
        read_directory(tmp_path / "nowhere")
    with pytest.raises(SourceError, match="holds neither"):
        read_directory(tmp_path)


def test_a_directory_that_is_mostly_wrong_is_not_used(tmp_path):
    page(tmp_path, service("s1"), service("s2", status="?"), service("s3", status="?"))

    with pytest.raises(SourceError, match=r"2 of 3 records.*record 2, field `status`"):
        read_directory(tmp_path, max_refused_share=0.5)


def test_a_tabular_package_reads_as_the_page_does(tmp_path):
    page(tmp_path / "pages", service("s1", service_areas=[{"id": "x", "name": "Totnes"}]))
    package(
        tmp_path / "package",
        organization=[{"id": "o1", "name": "Bluebell Neighbours"}],
        service=[
            {
                "id": "s1",
                "organization_id": "o1",
                "name": "Lunch club s1",
                "status": "active",
                "minimum_age": "60",
                "assured_date": "2026-10-02",
            }
        ],
        location=[{"id": "l1", "name": "Hall l1", "latitude": "52.54", "longitude": "-2.80"}],
        service_at_location=[{"id": "at", "service_id": "s1", "location_id": "l1"}],
        phone=[{"id": "p", "service_id": "s1", "number": "01632 960123"}],
        schedule=[{"id": "c", "service_id": "s1", "freq": "WEEKLY", "byday": "WE", "opens_at": "12:00"}],
        cost_option=[
            {"id": "m", "service_id": "s1", "amount": "6.5", "currency": "GBP", "amount_description": "a meal"}
        ],
        service_capacity=[
            {"id": "r", "service_id": "s1", "available": "3", "maximum": "12", "updated": "2026-10-02T10:00:00Z"}
        ],
        service_area=[{"id": "x", "service_id": "s1", "name": "Totnes"}],
        taxonomy_term=[{"id": "t", "code": "lunch-club", "name": "Lunch club"}],
        attribute=[{"id": "a", "link_id": "s1", "link_entity": "service", "taxonomy_term_id": "t"}],
    )

    pages, tables = read_directory(tmp_path / "pages").tables, read_directory(tmp_path / "package").tables

    for name, table in pages.items():
        assert table.equals(tables[name]), name


def test_a_row_of_a_package_that_belongs_to_no_service_is_told(tmp_path):
    package(
        tmp_path,
        organization=[{"id": "o1", "name": "Bluebell"}],
        service=[{"id": "s1", "organization_id": "o1", "name": "Lunch club", "status": "active"}],
        phone=[{"id": "p", "service_id": "s9", "number": "01632 960123"}],
    )

    directory = read_directory(tmp_path)

    assert directory.tables["services"].height == 1
    assert ("phone.csv", 1) in {(file, number) for file, number, _, _ in refused(directory)}


def test_a_package_with_a_ragged_row_or_without_organisations_is_named(tmp_path):
    package(tmp_path / "short", service=[{"id": "s1", "name": "x"}])
    package(tmp_path / "ragged", organization=[{"id": "o1", "name": "x"}], service=[{"id": "s1", "name": "x"}])
    (tmp_path / "ragged" / "service.csv").write_text("id,name\ns1\n", encoding="utf-8")

    with pytest.raises(SourceError, match=r"organization\.csv missing"):
        read_directory(tmp_path / "short")
    with pytest.raises(SourceError, match=r"service\.csv: row 1"):
        read_directory(tmp_path / "ragged")


def test_the_shipped_directory_is_what_its_tool_writes_and_is_marked_as_made_up():
    config = load_config()
    directory = read_directory(config.directory)
    organisations = directory.tables["organisations"]

    assert write_made_up_directory(["--check"]) == 0
    assert directory.refused.is_empty()
    assert organisations.height >= 70
    assert json.loads((config.directory / "synthetic.json").read_text(encoding="utf-8"))["synthetic"] is True
    assert all(number.startswith("0113 496 0") for number in directory.tables["services"]["telephone"])
    assert sum(path.stat().st_size for path in config.directory.iterdir()) < 300_000


def test_a_term_is_matched_by_its_code_or_its_name(tmp_path):
    from datetime import date

    from ageingwell.services.offerable import offerable

    page(tmp_path, service("s1", attributes=[term("LC-7", "Lunch Club"), term("lunch-club", "Lunch club")]))

    offered = offerable(read_directory(tmp_path), on=date(2026, 11, 22))

    assert offered["terms"].to_list() == [["lc-7", "lunch-club"]]


PLURALS = {
    "organization": "organizations",
    "service": "services",
    "location": "locations",
    "service_at_location": "service_at_locations",
    "address": "addresses",
    "schedule": "schedules",
    "cost_option": "cost_options",
    "service_area": "service_areas",
    "service_capacity": "service_capacities",
    "phone": "phones",
    "taxonomy_term": "taxonomy_terms",
    "attribute": "attributes",
}


def whole_package():
    return {
        "organization": [{"id": "o1", "name": "Bluebell"}],
        "service": [{"id": "s1", "organization_id": "o1", "name": "Lunch club", "status": "active"}],
        "location": [{"id": "l1", "name": "Hall", "latitude": "52.54", "longitude": "-2.81"}],
        "service_at_location": [{"id": "a1", "service_id": "s1", "location_id": "l1"}],
        "address": [{"id": "d1", "location_id": "l1", "city": "Totnes"}],
        "schedule": [{"id": "h1", "service_id": "s1", "freq": "WEEKLY", "byday": "MO"}],
        "cost_option": [{"id": "c1", "service_id": "s1", "amount": "6.5", "currency": "GBP"}],
        "service_area": [{"id": "x1", "service_id": "s1", "name": "Totnes"}],
        "service_capacity": [{"id": "y1", "service_id": "s1", "available": "3", "updated": "2026-10-02T10:00:00Z"}],
        "phone": [{"id": "p1", "service_id": "s1", "number": "01632 960123"}],
        "taxonomy_term": [{"id": "t1", "code": "lunch-club", "name": "Lunch club"}],
        "attribute": [{"id": "b1", "link_id": "s1", "link_entity": "service", "taxonomy_term_id": "t1"}],
    }


def test_the_names_of_the_standards_own_data_package_read_alike(tmp_path):
    sent = whole_package()
    package(tmp_path / "one", **sent)
    package(tmp_path / "many", **{PLURALS[name]: rows for name, rows in sent.items()})

    one, many = read_directory(tmp_path / "one"), read_directory(tmp_path / "many")

    assert one.refused.is_empty()
    for name, table in one.tables.items():
        assert table.equals(many.tables[name]), name
    assert {file.file for file in many.files} == {f"{name}.csv" for name in PLURALS.values()}


@pytest.mark.parametrize("name", PLURALS)
def test_a_file_of_a_package_under_two_names_stops(name, tmp_path):
    package(tmp_path, **whole_package(), **{PLURALS[name]: whole_package()[name]})

    with pytest.raises(
        SourceError, match=rf"{name}\.csv and {PLURALS[name]}\.csv|{PLURALS[name]}\.csv and {name}\.csv"
    ):
        read_directory(tmp_path)


def test_a_refused_row_of_a_package_is_named_by_the_file_that_was_sent(tmp_path):
    sent = {PLURALS[name]: rows for name, rows in whole_package().items()}
    sent["phones"] = [{"id": "p1", "service_id": "s9", "number": "01632 960123"}]
    package(tmp_path, **sent)

    assert {file for file, *_ in refused(read_directory(tmp_path))} == {"phones.csv"}
