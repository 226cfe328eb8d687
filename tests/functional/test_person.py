"""What a person is told of themselves: all of it, and nothing of anybody else."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from helpers.counties import NIGHT, copy_of, listed, newest_versions, opt_out

from ageingwell.config.load import load_config
from ageingwell.decisions.entry import Entry
from ageingwell.decisions.ledger import append
from ageingwell.keeping.own_facts import NOT_TOLD
from ageingwell.keeping.person import PersonHeld, person
from ageingwell.keeping.person_page import page_of, plain_of, write_page


@pytest.fixture
def at(first_night: Path, tmp_path: Path) -> Path:
    return copy_of(first_night, tmp_path / "here")


@pytest.fixture(scope="module")
def held(first_night: Path, settings: Path, tmp_path_factory: pytest.TempPathFactory) -> PersonHeld:
    """What is told to the first person of the list, worked out once."""
    here = copy_of(first_night, tmp_path_factory.mktemp("held") / "here")
    return told(here, listed(here / "out" / str(NIGHT))[0]["person_id"], settings)


def told(at: Path, who: str, settings: Path) -> PersonHeld:
    return person(
        who, out=at / "out", data=at / "county", config=load_config(settings), as_of=NIGHT, role="practice manager"
    )


def text_of(page: bytes) -> str:
    words: list[str] = []
    parser = HTMLParser()
    parser.handle_data = words.append  # type: ignore[method-assign]
    parser.feed(page.decode())
    return " ".join(words)


def decide(at: Path, who: str, **said: Any) -> None:
    entry = Entry(NIGHT, "gp", "added", who, None, **said)
    when = datetime(2026, 11, 24, 12, tzinfo=UTC)
    append(at / "out" / "decisions.sqlite", [entry], role="chair", recorded_at=when, file_sha256="0" * 64)


def test_a_page_tells_why_they_were_listed_who_saw_it_and_what_was_decided(at: Path, settings: Path):
    row = listed(at / "out" / str(NIGHT))[0]
    decide(at, row["person_id"], decision="contact_now", reason="neighbour_or_family", led_by="fire", note="ask Ann")

    held = told(at, row["person_id"], settings)
    write_page(held, at / "page.html")
    page, plain = (at / "page.html").read_bytes(), plain_of(held)

    assert oct((at / "page.html").stat().st_mode & 0o777) == "0o600"
    assert plain["listed"][0]["position"] == 1
    assert {"group", row["lead_agency"]} <= set(plain["listed"][0]["seen_by"])
    assert set(plain["listed"][0]["needs"]) <= set(row["needs"])
    assert plain["decided"][0]["decision"] == "Contact now"
    assert plain["looked_at"][0]["reason"] == "subject access request"
    words = text_of(page)
    assert "You were number 1 on the list" in words
    assert "Practice manager" in words
    # What a professional wrote, and who was worried, may be about others.
    assert "Ann" not in words
    assert "neighbour" not in words
    assert "1 note in someone's own words" in words


def test_a_page_says_how_to_object_with_whom_and_what_happens_then(held: PersonHeld):
    words = text_of(page_of(held))
    named = text_of(page_of(replace(held, contact="The Ageing Well office, 01234 567890")))

    assert "tell the people who gave you this page" in words
    assert "tell The Ageing Well office, 01234 567890" in named
    for right in ("Object", "Have something put right", "Ask a person to look again", "Be forgotten", "Complain"):
        assert right in words
    assert "taken off the current list the same night" in words
    assert "within 30 days" in words


def test_counts_of_rows_are_those_of_the_tables(first_night: Path, held: PersonHeld):
    records = held.records
    assert records is not None

    n = {table.table: table.n for table in records.tables if table.about == "you"}

    events = pl.read_parquet(first_night / "county" / "gp_events.parquet").filter(person_id=held.person_id)
    assert n["GP events"] == events.height


@pytest.mark.parametrize("kind", ["safeguarding", "staff_safety"])
def test_the_page_is_the_same_with_a_marker_of_theirs_and_of_their_home_and_without(
    at: Path, held: PersonHeld, settings: Path, kind: str
):
    who, before = held.person_id, page_of(held)
    opt_out(at / "county", kind, person=who)
    opt_out(at / "county", kind, home=newest_versions(at / "county")[who]["household_id"])

    after = page_of(told(at, who, settings))
    assert after == before
    assert b"safeguarding" not in after.lower()


def test_who_is_held_by_a_marker_reads_what_others_read_who_were_not_listed(at: Path, settings: Path):
    left = pl.read_parquet(at / "out" / str(NIGHT) / "attrition.parquet").drop_nulls("person_id")
    held = left.filter(pl.col("reason").str.starts_with("safeguarding"))["person_id"].to_list()
    others = left.filter(reason="no_need_or_high_risk")["person_id"].to_list()
    assert held, "the made-up county has nobody under a marker"

    pages = [plain_of(told(at, who, settings)) for who in (held[0], others[0])]

    same = [{key: page[key] for key in ("nights", "listed", "decided", "plans", "bases")} for page in pages]
    assert same[0] == same[1]


def test_nothing_of_anybody_they_live_with_is_told(at: Path, settings: Path):
    night = at / "out" / str(NIGHT)
    people = pl.read_parquet(night / "people.parquet").filter(pl.col("n_household_members") > 1)
    rows = [row for row in listed(night) if row["person_id"] in set(people["person_id"])]
    for row in rows[:2]:
        page = page_of(told(at, row["person_id"], settings)).decode()
        others = [
            one["person_id"]
            for one in newest_versions(at / "county").values()
            if one["household_id"] == row["household_id"] and one["person_id"] != row["person_id"]
        ]
        assert not any(other in page for other in others)
        assert row["household_id"] not in page
        assert "someone in this home" not in page
        assert "in the home died" not in page


def test_of_a_need_that_rests_on_others_too_that_is_said(at: Path, settings: Path):
    from ageingwell.keeping.own_facts import own_criterion

    thresholds = load_config(settings).outreach.thresholds
    criterion = "home oxygen, and someone in this home smokes"

    assert own_criterion("oxygen_or_emollient_smoking", criterion, thresholds) == [NOT_TOLD]
    assert own_criterion("no_working_alarm", "no working smoke alarm was found", thresholds) == [
        "no working smoke alarm was found"
    ]


def test_what_is_told_to_machines_is_plain_data(held: PersonHeld):
    assert json.loads(json.dumps(plain_of(held), default=str))["person_id"] == held.person_id
