"""Did it help? A night of a past year with a lot and decisions, later records; the command, its pages and tables."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from helpers.counties import NIGHT, copy_of, files_with_each, hashes_of, opt_out, settings_file
from helpers.hard_words import hard_words, kept, still_hard
from helpers.reader_text import shown_texts

from ageingwell.cli import cli
from ageingwell.config.load import load_config
from ageingwell.contracts.impact_made import IMPACT_TABLES
from ageingwell.decisions.entry import Entry
from ageingwell.decisions.ledger import append, read_ledger
from ageingwell.decisions.plan import Plan, Step
from ageingwell.errors import ArgumentError, LotError, PublishError
from ageingwell.jobs.impacting import ImpactRun, impact
from ageingwell.keeping.person import person
from ageingwell.keeping.person_page import plain_of
from ageingwell.night.score import score
from ageingwell.synthetic.visited import sent_on

THEN = NIGHT - timedelta(days=456)


@pytest.fixture(scope="module")
def place(small_county: Path, bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A night of a past year on what was known then, half of its places by lot; the group decided about one person."""
    at = tmp_path_factory.mktemp("helped")
    few = {f"capacity.{agency}": 4 for agency in ("gp", "social_care", "housing", "fire", "voluntary")}
    lot = {"random_share": 0.5, "floors.unknown_to_every_service": 0.0, "floors.most_deprived_fifth": 0.0}
    config = load_config(settings_file(at / "settings", bundle=bundle, outreach={**few, **lot}))
    score(sent_on(small_county, THEN, at / "sent"), as_of=THEN, out=at / "out", config=config)
    listed = pl.read_parquet(at / "out" / str(THEN) / "list.parquet")["person_id"][0]
    plan = Plan(
        "see_people", (Step("need:isolation", "voluntary"),), "yes", THEN, helped="yes", ended_for="matters_met"
    )
    said = [
        Entry(THEN, "group", "listed", listed, None, decision="contact_now", led_by="voluntary"),
        Entry(THEN, "group", "listed", listed, None, plan=plan),
    ]
    at_noon = datetime(THEN.year, THEN.month, THEN.day, 12, tzinfo=UTC) + timedelta(days=3)
    append(at / "out" / "decisions.sqlite", said, role="chair", recorded_at=at_noon, file_sha256="0" * 64)
    return at


def told(place: Path, data: Path, out: Path, **more: object) -> ImpactRun:
    return impact(data, nights=place / "out", out=out, config=place / "settings" / "score.toml", **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def run(place: Path, small_county: Path) -> ImpactRun:
    return told(place, small_county, place / "impact", recorded_up_to=NIGHT, days=91)


def test_the_ledger_tells_the_lot_as_the_night_does(place):
    lot = pl.read_parquet(place / "out" / str(THEN) / "lot.parquet")
    entries = read_ledger(place / "out" / "decisions.sqlite").filter(kind="lot")

    assert lot.height > 0
    assert set(entries.select("person_id", "lot").iter_rows()) == {
        (person, "won" if is_won else "lost") for person, is_won in lot.select("person_id", "is_won").iter_rows()
    }
    held = plain_of(person(lot["person_id"][0], out=place / "out", config=place / "settings" / "score.toml"))
    assert [draw["night"] for draw in held["draws"]] == [THEN]


def test_the_pages_say_the_answer_first_and_name_nobody(run, place):
    page = (run.folder / "impact.html").read_text("utf-8")

    assert run.facts["answer"] in page
    # So few people cannot say anything, and the page says how many would.
    assert not run.facts["is_told"]
    assert "We cannot tell yet" in run.facts["answer"]
    assert {one["outcome"] for one in run.facts["answers"]} == set(run.tables["effects"]["outcome"])
    names = pl.read_parquet(place / "out" / str(THEN) / "scores.parquet").select("person_id", "household_id")
    words = [word for column in names for word in column.drop_nulls()]
    assert not any(files_with_each(run.folder, words).values())
    for name in ("impact.html", "impact-annex.html"):
        texts = shown_texts((run.folder / name).read_text("utf-8"), name)
        assert still_hard(texts, hard_words(), kept()) == []


def test_the_files_are_those_of_the_contracts(run):
    tables = {f"{name}.parquet" for name in IMPACT_TABLES}
    files = {path.name for path in run.folder.iterdir()}

    assert files == tables | {"impact.html", "impact-annex.html", "impact.json", "SHA256SUMS"}


def test_counts_of_few_people_are_shown_nowhere(run):
    shown = [*run.tables["delivered"]["shown"], *run.tables["plans"]["shown"]]

    assert {text for text in shown if text.isdigit() and 0 < int(text) < 8} == set()
    for name in ("effects", "balance", "checks"):
        counts = run.tables[name].select("n_visited", "n_others").to_numpy().ravel()
        assert not ((counts > 0) & (counts < 8)).any()


def test_who_opted_out_is_on_no_side_and_is_counted_as_left_out(place, small_county, tmp_path, run):
    data = copy_of(small_county, tmp_path / "county")
    for who in pl.read_parquet(place / "out" / str(THEN) / "list.parquet")["person_id"][:9]:
        opt_out(data, "objection", person=who)

    found = told(place, data, tmp_path / "impact")

    assert found.facts["left_out"]["listed"] == "10"
    assert run.facts["left_out"]["listed"] != "10"


def test_the_command_prints_the_answer_as_json_and_the_files_are_the_same_again(run, place, small_county, tmp_path):
    words = ["impact", "--data", small_county, "--nights", place / "out", "--out", tmp_path / "made"]
    words += ["--config", place / "settings" / "score.toml", "--recorded-up-to", NIGHT, "--days", "91", "--json"]

    ran = CliRunner().invoke(cli, [str(word) for word in words])

    assert ran.exit_code == 0, ran.output
    facts = json.loads(ran.stdout)
    assert (facts["days"], facts["recorded_up_to"]) == (91, str(NIGHT))
    assert facts == {"folder": str(tmp_path / "made"), **json.loads((tmp_path / "made" / "impact.json").read_text())}
    assert hashes_of(tmp_path / "made") == hashes_of(run.folder)


def test_a_lot_that_was_changed_stops_with_a_code_of_its_own(place, small_county, tmp_path):
    copy_of(place, tmp_path / "copy")
    ledger = tmp_path / "copy" / "out" / "decisions.sqlite"
    some = read_ledger(ledger).filter(lot="won").row(0, named=True)
    other = Entry(THEN, "group", "lot", some["person_id"], None, agency=some["agency"], lot="lost")
    append(ledger, [other], role="chair", recorded_at=datetime(2026, 1, 1, tzinfo=UTC), file_sha256="0" * 64)

    with pytest.raises(LotError, match=f"of the lot of {THEN}, lot.parquet and the ledger") as fault:
        told(tmp_path / "copy", small_county, tmp_path / "impact")

    assert fault.value.exit_code == 31
    assert not (tmp_path / "impact").exists()


def test_what_did_not_come_is_not_taken_for_nothing(place, small_county, tmp_path):
    data = copy_of(small_county, tmp_path / "county")
    missing = {
        "new_long_term_care": ("care_events", "the social care records did not come"),
        "emergency_admissions": ("hospital_events", "the hospital records did not come"),
    }
    for table, _ in missing.values():
        (data / f"{table}.parquet").unlink()

    found = told(place, data, tmp_path / "impact", recorded_up_to=NIGHT)

    answers = {one["outcome"]: one["words"] for one in found.facts["answers"]}
    assert {outcome: answers[outcome] for outcome in missing} == {outcome: why for outcome, (_, why) in missing.items()}
    assert not set(missing) & set(found.tables["effects"]["outcome"])


def test_what_cannot_be_asked_is_told(place, small_county, tmp_path):
    with pytest.raises(ArgumentError, match="days is 7"):
        told(place, small_county, tmp_path / "impact", days=7)
    with pytest.raises(PublishError, match="no night is published"):
        impact(small_county, nights=tmp_path, out=tmp_path / "impact")


def test_before_the_days_have_passed_the_page_says_when(place, small_county, tmp_path):
    early = sent_on(small_county, NIGHT - timedelta(days=30), tmp_path / "early")

    found = told(place, early, tmp_path / "impact", recorded_up_to=NIGHT - timedelta(days=30))

    assert "will have been followed long enough on" in found.facts["answer"]
    assert found.tables["effects"].filter(days=365).is_empty()
