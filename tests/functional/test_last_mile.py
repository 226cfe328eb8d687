"""From each agency's file to the people on it and back: everybody found, nothing lost, no name outside the agency."""

import stat
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from click.testing import CliRunner, Result
from helpers.counties import NIGHT, copy_of, hashes_of, texts_of
from helpers.filled import OFFICE, cells_of, fill, keys_of, saved_again
from helpers.raw import NUMBERS

from ageingwell.agency.matching import reidentify
from ageingwell.audit.chain import BEGINNING
from ageingwell.audit.writing import add_line, head_file, read_lines
from ageingwell.cli import cli
from ageingwell.config.load import load_config
from ageingwell.decisions.ledger import read_ledger
from ageingwell.decisions.reading import NAMED
from ageingwell.disk import Disk
from ageingwell.errors import AuditError, KeyFileError, PublishError, SourceError
from ageingwell.night.score import score
from ageingwell.pseudonyms import Key, pseudonym, row_key
from ageingwell.synthetic.county import CountyPlan, synthesise

SEED = 5
CANARY = "Qwyxly"  # part of no word: it stands in every name, address and telephone of the registers
MEETING = date(2026, 11, 24)
WHY, CASE = "visit_agreed", "visits of 24 November, minute 7"
YES = {"decision": "Contact now", "led_by": "Fire and rescue", "reason": "Need agreed"}
LISTS = ("gp", "social_care", "housing", "fire", "voluntary", "group")


@pytest.fixture(scope="module")
def home(settings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A county from raw extracts, its first night in `out`, and the agencies' registers with planted names."""
    folder = tmp_path_factory.mktemp("last-mile")
    synthesise(CountyPlan(people=150, seed=SEED, raw=True), folder / "raw")
    _fire_risks(folder / "raw")
    lookup = (folder / "raw" / "postcode_lookup.csv").rename(folder / "postcode_lookup.csv")
    told = ["pseudonymise", "--raw", folder / "raw", "--out", folder / "tables", "--made-up-key", SEED]
    run(*told, "--lsoa-lookup", lookup)
    score(folder / "tables", as_of=NIGHT, out=folder / "out", config=load_config(settings))
    (folder / "agency").mkdir()
    patients = pl.read_csv(folder / "raw" / "gp_patients.csv", infer_schema=False)
    patients.select("nhs_number", "uprn").write_csv(folder / "agency" / "patients.csv")
    _people(folder / "raw").write_csv(folder / "agency" / "people.csv")
    _homes(folder / "raw").write_csv(folder / "agency" / "homes.csv")
    return folder


def _fire_risks(raw: Path) -> None:
    """Homes without a working smoke alarm: some where people live, and two at which nobody is registered."""
    visits = pl.read_csv(raw / "fire_visits.csv", infer_schema=False)
    older = pl.col("birth_date") < "1955"
    homes = pl.read_csv(raw / "gp_patients.csv", infer_schema=False).filter(older)["uprn"].drop_nulls().unique().sort()
    uprns = [*homes.head(12), "999900000001", "999900000002"]
    told = {"smoke_alarm_working": "no", "smoker": "yes", "recorded_on": "2026-11-10", "visited_on": "2026-11-09"}
    told |= {"home_oxygen": "yes", "visit_outcome": "completed", "household_match": "exact"}
    found = visits.head(len(uprns)).with_columns(
        pl.Series("uprn", uprns), *(pl.lit(text).alias(name) for name, text in told.items())
    )
    pl.concat([visits, found.select(visits.columns)]).write_csv(raw / "fire_visits.csv")


def _people(raw: Path) -> pl.DataFrame:
    """A register of everybody, as a practice or social care has it: one row a person, under its own headings."""
    numbers = pl.read_csv(raw / "gp_patients.csv", infer_schema=False)["nhs_number"].unique().sort()
    return numbers.to_frame("NHS Number").with_columns(
        pl.format("{} {}", pl.lit(CANARY), pl.int_range(pl.len())).alias("Full name"),
        pl.format("{} {} Lane", pl.int_range(pl.len()), pl.lit(CANARY)).alias("Address"),
        pl.format("01632 {} {}", pl.int_range(pl.len()), pl.lit(CANARY)).alias("Telephone"),
        pl.lit("secret remark").alias("Remarks"),
    )


def _homes(raw: Path) -> pl.DataFrame:
    """A register of every home, as housing or the fire service has it, with nobody's NHS number."""
    tables = [pl.read_csv(path, infer_schema=False) for path in sorted(raw.glob("*.csv"))]
    uprns = pl.concat(table["uprn"] for table in tables if "uprn" in table.columns).drop_nulls().unique().sort()
    return uprns.to_frame("uprn").with_columns(
        pl.format("{} {} House", pl.int_range(pl.len()), pl.lit(CANARY)).alias("address_line_1"),
        pl.format("{} tenant {}", pl.lit(CANARY), pl.int_range(pl.len())).alias("tenant"),
    )


@pytest.fixture
def at(home: Path, tmp_path: Path) -> Path:
    """The night's folder to record into, and the agency's own folder."""
    copy_of(home / "out", tmp_path / "out")
    copy_of(home / "agency", tmp_path / "agency")
    return tmp_path


def run(*words: object) -> Result:
    ran = CliRunner().invoke(cli, [str(word) for word in words])
    assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.exc_info
    return ran


def sent(at: Path, recipient: str, form: str = "xlsx") -> Path:
    below = "" if recipient in ("group", "safeguarding") else "agencies/"
    return at / "out" / "current" / f"{below}{recipient}.{form}"


def register(at: Path, recipient: str) -> Path:
    return at / "agency" / ("homes.csv" if recipient in ("fire", "housing") else "people.csv")


def named(at: Path, listed: Path, recipient: str, *more: object, to: str = "named.xlsx") -> tuple[Path, Result]:
    """The list with names, made at the agency."""
    out = at / "agency" / to
    told = ["--list", listed, "--register", register(at, recipient), "--out", out, "--reason", WHY, "--case", CASE]
    return out, run("reidentify", *told, "--made-up-key", SEED, *more)


def record(at: Path, *files: Path, more: tuple[str, ...] = ()) -> Result:
    return run("record", *files, "--out", at / "out", "--recorded-on", MEETING, *more)


def names_in(at: Path, *said: str) -> list[str]:
    """Where a planted word can be read outside the agency: files of the nights, the ledger, and what was said."""
    found = [path for path, text in texts_of(at / "out").items() if CANARY.lower() in text.lower()]
    return found + [text for text in said if CANARY.lower() in text.lower()]


# There and back


@pytest.mark.sweep(of=3)
@pytest.mark.parametrize(
    ("recipient", "form"),
    # The group's list is no CSV.
    [(one, form) for one in LISTS for form in ("xlsx", "csv", "parquet") if (one, form) != ("group", "csv")],
)
def test_from_each_file_everybody_is_found_and_every_row_comes_back(at, recipient, form):
    keys = keys_of(sent(at, recipient))
    assert keys

    out, ran = named(at, sent(at, recipient, form), recipient)
    assert ran.exit_code == 0, ran.output
    rows = cells_of_named(out)
    filled = fill(out, dict.fromkeys(keys, YES), to=at / "agency" / "filled.xlsx")
    done = record(at, filled)

    assert f"{len(keys)} of the {len(keys)} " in ran.output
    assert [row["Row key"] for row in rows] == keys
    assert all(CANARY in row["Own register: " + where_of(recipient)] for row in rows)
    assert done.exit_code == 0, done.output
    assert f"{len(keys)} recorded" in done.output
    people = pl.read_parquet(at / "out" / "current" / "list.parquet").select("person_id")
    keyed = people.with_columns(k=row_key(pl.col("person_id"), recipient=recipient, as_of=NIGHT, key=Key.made_up(0)))
    expected = set(keyed.filter(pl.col("k").is_in(keys))["person_id"])
    assert set(read_ledger(at / "out" / "decisions.sqlite")["person_id"]) == expected
    assert names_in(at, ran.output, done.output) == []
    assert CANARY not in (at / "agency" / "reidentify-log.jsonl").read_text()
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert stat.S_IMODE((at / "agency" / "reidentify-log.jsonl").stat().st_mode) == 0o600


def where_of(recipient: str) -> str:
    return "address_line_1" if recipient in ("fire", "housing") else "Full name"


def cells_of_named(path: Path, sheet: str = "List") -> list[dict[str, object]]:
    """The rows of a list with names, by heading."""
    page = openpyxl.load_workbook(path)[sheet]
    heads = [cell.value for cell in page[1]]
    return [dict(zip(heads, (cell.value or None for cell in row), strict=True)) for row in page.iter_rows(min_row=2)]


def test_names_stand_before_the_answers_and_everything_else_is_as_it_was_sent(at):
    out, _ = named(at, sent(at, "gp"), "gp")

    before, now = openpyxl.load_workbook(sent(at, "gp")), openpyxl.load_workbook(out)
    assert now.sheetnames == before.sheetnames
    heads, heads_now = ([cell.value for cell in book["List"][1]] for book in (before, now))
    first = heads.index("Decision")
    own = ["match", "Full name", "Address", "Telephone"]
    assert heads_now == [*heads[:first], *(f"Own register: {one}" for one in own), *heads[first:]]
    for row, row_now in zip(before["List"].iter_rows(values_only=True), now["List"].iter_rows(values_only=True)):
        assert row_now[:first] == row[:first]
        assert row_now[first + len(own) :] == row[first:]
    cover, cover_now = ([row[:2] for row in book["Cover"].iter_rows(values_only=True)] for book in (before, now))
    assert cover_now[: len(cover)] == cover
    assert [row[0] for row in cover_now[len(cover) :]] == [NAMED]
    assert {row["Own register: match"] for row in cells_of_named(out)} == {"This person"}
    assert "secret remark" not in texts_of(at / "agency")["named.xlsx"]


def test_a_csv_with_names_comes_back_as_well_as_a_workbook(at):
    out, ran = named(at, sent(at, "gp", "csv"), "gp", to="named.csv")
    rows = pl.read_csv(out, infer_schema=False)
    assert rows.columns.index("Own register: Full name") < rows.columns.index("decision")
    answered = {name: pl.lit(text).alias(name) for name, text in YES.items()}
    rows.with_columns(*answered.values()).write_csv(at / "agency" / "filled.csv")

    done = record(at, at / "agency" / "filled.csv")

    assert (ran.exit_code, done.exit_code) == (0, 0), done.output
    assert f"{rows.height} recorded" in done.output
    assert "4 columns of names, addresses, telephones or numbers of people; they are left out" in done.output
    assert names_in(at, done.output) == []


@pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed")
def test_names_are_left_out_of_a_file_that_another_program_saved(at):
    out, _ = named(at, sent(at, "fire"), "fire")
    filled = fill(out, dict.fromkeys(keys_of(sent(at, "fire")), YES), to=at / "agency" / "filled.xlsx")

    done = record(at, saved_again(filled, at / "agency", to="ods"))

    assert done.exit_code == 0, done.output
    assert names_in(at, done.output) == []


@pytest.mark.parametrize("headings", [(), ("Name", "Surname", None)], ids=["as they were", "anyhow"])
def test_a_file_to_mend_has_no_name_in_it_however_the_columns_are_headed(at, headings):
    out, _ = named(at, sent(at, "gp"), "gp")
    keys = keys_of(sent(at, "gp"))
    filled = fill(out, {keys[0]: {**YES, "decision": "Contact soon"}, keys[1]: YES}, to=at / "agency" / "filled.xlsx")
    book = openpyxl.load_workbook(filled)
    at_name = [cell.value for cell in book["List"][1]].index("Own register: Full name") + 1
    for column, heading in enumerate(headings, start=at_name):  # over the names, the addresses and the telephones
        book["List"].cell(1, column).value = heading
    book.save(filled)

    done = record(at, filled, more=("--fix-to", str(at / "out")))

    assert done.exit_code == 22
    assert cells_of(at / "out" / "filled.fix.xlsx")[0]["decision"] == "Contact soon"
    assert names_in(at, done.output) == []


def test_a_list_is_matched_again_after_it_was_filled_in(at):
    first, _ = named(at, sent(at, "gp"), "gp")
    keys = keys_of(sent(at, "gp"))
    answers = {keys[0]: {**YES, "by_when": datetime(2026, 12, 8)}}
    filled = fill(first, answers, to=at / "agency" / "filled.xlsx")

    second, ran = named(at, filled, "gp", to="again.xlsx")

    assert ran.exit_code == 0, ran.output
    assert cells_of_named(second) == cells_of_named(filled)


# One practice reads of its own patients


def test_each_practice_has_a_file_of_its_own_patients_and_all_files_together_are_the_list(at):
    people = pl.read_parquet(at / "out" / "current" / "people.parquet").select("person_id", "practice_code")
    keyed = people.with_columns(k=row_key(pl.col("person_id"), recipient="gp", as_of=NIGHT, key=Key.made_up(0)))
    practice_of = dict(keyed.select("k", "practice_code").iter_rows())
    books = sorted((at / "out" / "current" / "agencies" / "gp").glob("*.xlsx"))

    keys = {book.stem: keys_of(book) for book in books}

    assert len(books) > 1
    assert all({practice_of[key] for key in of_one} == {practice} for practice, of_one in keys.items())
    whole = keys_of(sent(at, "gp"))
    assert sorted(key for of_one in keys.values() for key in of_one) == sorted(whole)
    for book in books:
        forms = {path.suffix for path in book.parent.glob(f"{book.stem}.*")}
        assert forms == {".xlsx", ".csv", ".html", ".json", ".parquet"}
        page = book.with_suffix(".html").read_text(encoding="utf-8")
        assert f"GP practice {book.stem}" in page
        others = [key for practice, of_one in keys.items() if practice != book.stem for key in of_one]
        assert not [key for key in others if f"{key[:4]} {key[4:8]}" in page or key in texts_of(book.parent)[book.name]]


def test_a_practices_own_file_goes_there_and_back(at):
    book = sorted((at / "out" / "current" / "agencies" / "gp").glob("*.xlsx"))[0]

    out, ran = named(at, book, "gp")
    filled = fill(out, dict.fromkeys(keys_of(book), YES), to=at / "agency" / "filled.xlsx")
    done = record(at, filled)

    assert (ran.exit_code, done.exit_code) == (0, 0), done.output
    assert f"list for gp of {NIGHT}" in done.output
    assert f"{len(keys_of(book))} recorded" in done.output
    # Nothing but the note on names differs from what was sent.
    assert "cells hold words" not in done.output
    assert "did not come back" not in done.output


# Homes


def test_homes_without_a_person_and_doors_are_found_by_their_uprn(at):
    out, ran = named(at, sent(at, "fire"), "fire")

    homes = cells_of_named(out, "Homes")
    assert homes
    assert {row["Own register: match"] for row in homes} == {"This home"}
    assert all(CANARY in row["Own register: address_line_1"] for row in homes)
    assert f"{len(homes)} of the {len(homes)} home" in ran.output
    assert {row["Own register: match"] for row in cells_of_named(out)} == {"The home only: ask who lives there"}


def test_whoever_else_lives_there_is_not_shown_in_a_persons_place(at):
    """A register that knows people by number: of somebody who is not on it only the address of the home is told."""
    raw = pl.read_csv(register(at, "gp"), infer_schema=False)
    patients = pl.read_csv(at / "agency" / "patients.csv", infer_schema=False).unique("nhs_number", keep="last")
    both = (
        patients.select("nhs_number", "uprn")
        .drop_nulls()
        .with_columns(
            person_id=pseudonym(pl.col("nhs_number"), domain="person", key=Key.made_up(SEED)),
            household_id=pseudonym(pl.col("uprn"), domain="home", key=Key.made_up(SEED)),
        )
    )
    listed = pl.read_parquet(at / "out" / "current" / "list.parquet").select("person_id", "household_id").drop_nulls()
    away = both.join(listed, on=["person_id", "household_id"]).row(0, named=True)
    # Somebody else, with another number, is the one whom the register has at that home.
    (at / "agency" / "people.csv").write_text(
        f"nhs_number,uprn,name,address,phone\n{spare(raw)},{away['uprn']},Neighbour,1 High Street,01632 960000\n"
    )

    out, ran = named(at, sent(at, "group"), "group")

    rows = [row for row in cells_of_named(out) if row["Own register: match"] != "Not on your register"]
    assert rows, ran.output
    for row in rows:
        assert row["Own register: match"] == "The home only: ask who lives there"
        assert row["Own register: address"] == "1 High Street"
        assert (row["Own register: name"], row["Own register: phone"]) == (None, None)


def spare(raw: pl.DataFrame) -> str:
    """An NHS number of the reserved range that nobody of the county has."""
    return next(number for number in NUMBERS if number not in set(raw["NHS Number"]))


def test_several_entries_for_one_home_give_nobodys_name(at):
    homes = pl.read_csv(register(at, "fire"), infer_schema=False)
    second = homes.with_columns(tenant=pl.lit("Second tenant"))
    pl.concat([homes, second]).write_csv(register(at, "fire"))

    out, ran = named(at, sent(at, "fire"), "fire")

    assert ran.exit_code == 0
    rows = [*cells_of_named(out), *cells_of_named(out, "Homes")]
    assert {row["Own register: tenant"] for row in rows} == {None}
    assert all(CANARY in row["Own register: address_line_1"] for row in rows)


def test_the_safeguarding_lead_finds_everybody_and_is_asked_nothing(at):
    rows = openpyxl.load_workbook(sent(at, "safeguarding"))["Safeguarding"].max_row - 1

    out, ran = named(at, sent(at, "safeguarding"), "social_care")

    assert ran.exit_code == 0, ran.output
    found = cells_of_named(out, "Safeguarding")
    assert len(found) == rows
    people = [row for row in found if row["Row is a"] == "Person"]
    assert all(CANARY in str(row["Own register: Full name"]) for row in people)
    assert openpyxl.load_workbook(out).sheetnames == ["Cover", "Safeguarding"]


# Who did not match, and what could not be used


def test_who_is_not_on_the_register_is_told_by_row_and_never_by_value(at):
    keys = keys_of(sent(at, "gp"))
    people = pl.read_parquet(at / "out" / "current" / "list.parquet").select("person_id")
    keyed = people.with_columns(k=row_key(pl.col("person_id"), recipient="gp", as_of=NIGHT, key=Key.made_up(0)))
    gone = keyed.filter(pl.col("k") == keys[2])["person_id"].item()
    rows = pl.read_csv(register(at, "gp"), infer_schema=False)
    left = rows.filter(pseudonym(pl.col("NHS Number"), domain="person", key=Key.made_up(SEED)) != gone)
    assert left.height == rows.height - 1
    left.write_csv(register(at, "gp"))

    out, ran = named(at, sent(at, "gp"), "gp")

    assert f"{len(keys) - 1} of the {len(keys)} people on the list" in ran.output
    assert "Not on your register: row 4 of the sheet List" in ran.output
    row = cells_of_named(out)[2]
    assert (row["Row key"], row["Own register: match"]) == (keys[2], "Not on your register")
    assert row["Own register: Full name"] is None
    assert keys[2] not in ran.output


def test_rows_of_a_register_that_cannot_be_used_are_counted_and_match_nobody(at):
    rows = pl.read_csv(register(at, "gp"), infer_schema=False)
    spoilt = pl.concat(
        [
            rows.head(2).with_columns(pl.lit(None, dtype=pl.String).alias("NHS Number")),
            rows.head(3).with_columns(pl.lit("9990000019").alias("NHS Number")),
            rows.head(1).with_columns(pl.lit("Somebody else").alias("Full name")),
        ]
    )
    pl.concat([rows, spoilt]).write_csv(register(at, "gp"))

    _, ran = named(at, sent(at, "gp"), "gp")

    assert "2 are without a number, 3 are with a number that cannot be read, 2 contradict each other" in ran.output


def test_the_newest_version_of_a_person_counts(at):
    rows = pl.read_csv(register(at, "gp"), infer_schema=False)
    old = rows.with_columns(pl.lit("Former name").alias("Full name"), recorded_on=pl.lit("2020-01-01"))
    pl.concat([old, rows.with_columns(recorded_on=pl.lit("2026-01-01"))]).write_csv(register(at, "gp"))

    out, ran = named(at, sent(at, "gp"), "gp")

    assert "contradict" not in ran.output
    assert all(CANARY in row["Own register: Full name"] for row in cells_of_named(out))


# The brake


def test_a_register_of_a_whole_range_gives_nobody_away(at, tmp_path):
    numbers = pl.read_csv(register(at, "gp"), infer_schema=False).select(nhs_number="NHS Number")
    bare, twice, posed = (tmp_path / f"{name}.csv" for name in ("bare", "twice", "posed"))
    numbers.write_csv(bare)
    numbers.with_columns(name=pl.col("nhs_number")).write_csv(twice)
    numbers.with_columns(name=pl.lit("")).write_csv(posed)
    told = ["--made-up-key", SEED, "--reason", WHY, "--case", CASE, "--list", sent(at, "gp")]

    first = run("reidentify", *told, "--register", bare, "--out", tmp_path / "1.xlsx")
    kept = run("reidentify", *told, "--register", bare, "--keep", "nhs_number", "--out", tmp_path / "2.xlsx")
    second = run("reidentify", *told, "--register", twice, "--out", tmp_path / "3.xlsx")
    third = run("reidentify", *told, "--register", posed, "--out", tmp_path / "4.xlsx")

    assert [ran.exit_code for ran in (first, kept, second, third)] == [4, 4, 4, 0]
    assert "no column is headed as a name, an address or a telephone" in first.output
    assert "the column name holds NHS numbers" in second.output
    assert f"0 of the {len(keys_of(sent(at, 'gp')))} people" in third.output


@pytest.mark.parametrize("name", ["scores", "needs", "attrition", "people", "residents"])
def test_nobody_is_looked_up_who_is_on_no_list(at, name):
    """Every other table of a night that holds pseudonyms is refused before anybody is looked up."""
    out, ran = named(at, at / "out" / "current" / f"{name}.parquet", "gp")

    assert ran.exit_code == 4
    assert "this is not a list" in ran.output
    assert not out.exists()
    assert not (at / "agency" / "reidentify-log.jsonl").exists()


def test_the_groups_own_list_of_pseudonyms_is_matched_and_asks_nothing(at):
    out, ran = named(at, at / "out" / "current" / "list.parquet", "gp")

    rows = cells_of_named(out)
    assert ran.exit_code == 0, ran.output
    assert len(rows) == pl.read_parquet(at / "out" / "current" / "list.parquet").height
    assert all(CANARY in row["Own register: Full name"] for row in rows)
    assert "Decision" not in rows[0]


@pytest.mark.parametrize(
    ("reason", "case"),
    [
        ("", CASE),
        ("visits agreed", CASE),
        ("see NHS 999 000 0018 now", CASE),
        (WHY, ""),
        (WHY, " - "),
        (WHY, "a" * 61),
        (WHY, "7\n8"),
    ],
)
def test_without_a_reason_and_a_case_nothing_is_done(at, reason, case):
    told = ["--list", sent(at, "gp"), "--register", register(at, "gp"), "--made-up-key", SEED]

    ran = run("reidentify", *told, "--out", at / "agency" / "o.xlsx", "--reason", reason, "--case", case)
    without = run("reidentify", *told, "--out", at / "agency" / "o.xlsx")

    assert (ran.exit_code, without.exit_code) == (28, 2)
    assert sorted(path.name for path in (at / "agency").iterdir()) == ["homes.csv", "patients.csv", "people.csv"]


def test_a_line_stands_in_the_log_before_anybody_is_looked_up(at):
    out, ran = named(at, sent(at, "gp"), "gp")

    log = at / "agency" / "reidentify-log.jsonl"
    asked, done = read_lines(log)
    assert (asked["did"], asked["stage"], asked["reason"], done["stage"]) == ("reidentify", "begun", WHY, "done")
    assert asked["list"].startswith(f"gp {NIGHT} ")
    assert asked["counts"]["rows"] == done["counts"]["people"] == len(cells_of_named(out))
    assert asked["by"]
    assert asked["previous"] == BEGINNING
    # The case is found by whoever knows it, and read by nobody.
    assert CASE not in log.read_text() + ran.output
    assert len(asked["case"]) == 32


class _Full(Disk):
    """A disk on which no line can be added to a log."""

    def watch(self, moment, operation, *paths):
        if (moment, operation) == ("before", "append"):
            raise OSError(28, "No space left on device")


def test_nobody_is_looked_up_where_the_log_cannot_be_written(at):
    told = {"register": register(at, "gp"), "key": Key.made_up(SEED), "list_key": Key.made_up(0)}
    told |= {"reason": WHY, "case": CASE}
    out = at / "agency" / "named.xlsx"

    with pytest.raises(AuditError, match=r"the audit log reidentify-log\.jsonl cannot be read or written"):
        reidentify(sent(at, "gp"), out=out, disk=_Full(), **told)
    (at / "agency" / "a folder").mkdir()
    with pytest.raises(AuditError, match="not a file"):
        reidentify(sent(at, "gp"), out=out, log=at / "agency" / "a folder", **told)

    assert not out.exists()


@pytest.mark.parametrize("how", ["edit", "cut", "remove", "swap", "truncate"])
def test_a_log_that_was_changed_stops_everything(at, tmp_path, how):
    log = tmp_path / "log.jsonl"
    for number in range(4):
        add_line(log, lambda _, number=number: {"did": f"use {number}", "by": "ann"})
    assert [line["did"] for line in read_lines(log)] == [f"use {number}" for number in range(4)]
    lines = log.read_bytes().splitlines(keepends=True)
    changed = {
        "edit": [lines[0].replace(b"ann", b"bob"), *lines[1:]],
        "cut": lines[1:],
        "remove": [lines[0], *lines[2:]],
        "swap": [lines[1], lines[0], *lines[2:]],
        "truncate": lines[:3],
    }
    log.write_bytes(b"".join(changed[how]))

    with pytest.raises(AuditError, match="was changed or cut"):
        add_line(log, lambda _: {"did": "use 5"})
    _, ran = named(at, sent(at, "gp"), "gp", "--log", log)

    assert ran.exit_code == 24
    assert not (at / "agency" / "named.xlsx").exists()


def test_a_log_of_an_earlier_version_goes_on(at):
    log = at / "agency" / "reidentify-log.jsonl"
    first = b'{"at": "2026-11-01T09:00:00+00:00", "by": "ann", "did": "reidentify", "previous": "%s"}'
    first %= BEGINNING.encode()
    second = b'{"did": "reidentified", "previous": "%s"}' % sha256(first).hexdigest().encode()
    log.write_bytes(first + b"\n" + second + b"\n")

    _, ran = named(at, sent(at, "gp"), "gp")

    assert ran.exit_code == 0, ran.output
    assert [line["did"] for line in read_lines(log)] == ["reidentify", "reidentified", "reidentify", "reidentify"]
    assert head_file(log).read_text().startswith("4 ")


# Errors in plain English


def wrong(at: Path, **told: object) -> str:
    given = {
        "register": register(at, "gp"),
        "key": Key.made_up(SEED),
        "list_key": Key.made_up(0),
        "reason": WHY,
        "case": CASE,
    }
    with pytest.raises((SourceError, KeyFileError, PublishError)) as stopped:
        reidentify(**({"listed": sent(at, "gp"), "out": at / "agency" / "o.xlsx"} | given | told))
    assert not (at / "agency" / "o.xlsx").exists()
    return str(stopped.value)


def test_a_wrong_key_is_named_by_its_fingerprint(at):
    assert "its pseudonyms were made with the key" in wrong(at, key=Key.made_up(9))
    assert "its row keys were made with the key" in wrong(at, list_key=Key.made_up(9))
    assert "one key serves both pseudonyms and lists" in wrong(at, list_key=Key.made_up(SEED))
    assert "the key of your lists is missing" in wrong(at, list_key=None)


def test_a_wrong_night_or_recipient_is_told(at):
    assert f"this is the night {NIGHT}, and 2026-11-15 was given" in wrong(at, night=date(2026, 11, 15))
    assert "this is the list gp, and fire was given" in wrong(at, recipient="fire")


def test_a_file_that_lost_whose_list_it_is_says_what_to_do(at):
    bare = at / "agency" / "bare.csv"
    rows = pl.read_csv(sent(at, "gp", "csv"), infer_schema=False)
    rows.drop("list_code", "list_keys", "use_until", "notices").write_csv(bare)
    told = {
        "register": register(at, "gp"),
        "key": Key.made_up(SEED),
        "list_key": Key.made_up(0),
        "reason": WHY,
        "case": CASE,
    }

    assert "say so with --recipient and --night" in wrong(at, listed=bare)
    done = reidentify(bare, out=at / "agency" / "named.xlsx", recipient="gp", night=NIGHT, **told)

    assert done.n_matched == rows.height


def test_a_wrong_file_or_sheet_is_told(at):
    other = at / "agency" / "other.xlsx"
    book = openpyxl.load_workbook(sent(at, "gp"))
    del book["List"]
    book.save(other)
    (at / "agency" / "list.docx").write_bytes(b"")

    assert "no sheet has both a column `Row key` and a column `Decision`" in wrong(at, listed=other)
    assert "a list is a workbook, a CSV or a Parquet file" in wrong(at, listed=at / "agency" / "list.docx")
    assert "this is not one of our lists" in wrong(at, listed=register(at, "gp"))
    assert "end the name with .xlsx or .csv" in wrong(at, out=at / "agency" / "o.parquet")
    assert "the columns nhs_number and uprn are missing" in wrong(at, register=sent(at, "gp", "csv"))
    assert "the register has no column Street" in wrong(at, keep=["Street"])


def test_an_existing_file_is_never_written_over(at):
    (at / "agency" / "named.xlsx").write_text("kept")

    _, ran = named(at, sent(at, "gp"), "gp")

    assert ran.exit_code == 9
    assert "there already" in ran.output
    assert (at / "agency" / "named.xlsx").read_text() == "kept"


# Add someone


def someone_else(at: Path) -> tuple[str, str]:
    """The NHS number and pseudonym of somebody of the night who is on no list."""
    listed = set(pl.read_parquet(at / "out" / "current" / "list.parquet")["person_id"])
    others = set(
        pl.read_parquet(at / "out" / "current" / "attrition.parquet")
        .filter(pl.col("step").is_in(["rank", "allocate"]))["person_id"]
        .drop_nulls()
    )
    people = pl.read_csv(register(at, "gp"), infer_schema=False).select(
        "NHS Number", person=pseudonym(pl.col("NHS Number"), domain="person", key=Key.made_up(SEED))
    )
    return next((n, p) for n, p in people.iter_rows() if p in others - listed)


def add(at: Path, listed: Path, *more: object) -> tuple[Path, Result]:
    out = at / "out" / "back.xlsx"
    return out, run("add", "--list", listed, "--out", out, "--made-up-key", SEED, *more)


def put_forward(path: Path, heading: str, *numbers: str, to: Path) -> Path:
    book = openpyxl.load_workbook(path)
    sheet = book["Add someone"]
    heads = {cell.value: cell.column for cell in sheet[1]}
    for row, number in enumerate(numbers, start=2):
        sheet.cell(row, heads[heading]).value = number
        sheet.cell(row, heads["Led by"]).value = "Voluntary sector"
        sheet.cell(row, heads["Reason for adding"]).value = "They asked themselves"
    book.save(to)
    return to


@pytest.mark.parametrize("heading", ["Own register: NHS number", "Person"])
def test_somebody_is_put_forward_by_an_nhs_number_that_stays_at_the_agency(at, heading):
    number, person = someone_else(at)
    keys = keys_of(sent(at, "gp"))
    first, _ = named(at, sent(at, "gp"), "gp")
    filled = fill(first, {keys[0]: YES}, to=at / "agency" / "filled.xlsx")
    filled = put_forward(filled, heading, number, to=at / "agency" / "filled.xlsx")

    out, ran = add(at, filled, "--log", at / "agency" / "log.jsonl")
    done = record(at, out)

    assert ran.exit_code == 0, ran.output
    assert "1 person is put forward by their key" in ran.output
    assert done.exit_code == 0, done.output
    added = read_ledger(at / "out" / "decisions.sqlite").filter(pl.col("kind") == "added")
    assert added.select("person_id", "reason", "led_by").rows() == [(person, "asked_themselves", "voluntary")]
    assert read_ledger(at / "out" / "decisions.sqlite").height == 2
    # What goes back names nobody, and neither does the log.
    assert names_in(at, ran.output, done.output) == []
    assert [path for path, text in texts_of(at / "out").items() if number in text] == []
    assert number not in (at / "agency" / "log.jsonl").read_text()
    assert "cells hold words" not in done.output


def test_people_are_put_forward_from_a_table_beside_a_csv(at):
    number, person = someone_else(at)
    (at / "agency" / "new.csv").write_text(
        f"NHS number,Led by,Reason for adding\n{number},Housing,They asked themselves\n9990000019,Housing,\n"
    )

    out, ran = add(at, sent(at, "gp", "csv"), "--people", at / "agency" / "new.csv", "--log", at / "agency" / "log")
    done = record(at, out)

    assert "Add someone, row 3: this is not an NHS number" in ran.output
    assert done.exit_code == 22  # the second row comes back: nobody knows who it is
    added = read_ledger(at / "out" / "decisions.sqlite")
    assert added["person_id"].to_list() == [person]


def test_a_name_or_number_in_place_of_a_key_never_comes_back(at):
    number, _ = someone_else(at)
    filled = put_forward(sent(at, "gp"), "Person", number, f"Mrs {CANARY}", to=at / "agency" / "filled.xlsx")

    done = record(at, filled, more=("--fix-to", str(at / "out")))

    assert done.exit_code == 22
    assert done.output.count("write the key of 32 letters") == 2
    assert names_in(at, done.output) == []
    assert [path for path, text in texts_of(at / "out").items() if number in text] == []


def test_a_name_on_the_sheet_to_add_someone_stays_at_the_agency(at):
    filled = put_forward(sent(at, "gp"), "Person", f"Mrs {CANARY}", to=at / "agency" / "filled.xlsx")

    _, ran = add(at, filled, "--log", at / "agency" / "log.jsonl")

    assert "Add someone, row 2: this is not an NHS number" in ran.output
    assert names_in(at, ran.output) == []


def test_a_file_of_many_numbers_is_no_list_of_people_to_add(at):
    numbers = pl.read_csv(register(at, "gp"), infer_schema=False).select(nhs_number="NHS Number").head(21)
    numbers.write_csv(at / "agency" / "range.csv")

    out, ran = add(at, sent(at, "gp"), "--people", at / "agency" / "range.csv")

    assert ran.exit_code == 4
    assert "at most 20" in ran.output
    assert not out.exists()


def test_who_is_on_the_list_already_is_told(at):
    keys = keys_of(sent(at, "gp"))
    people = pl.read_csv(register(at, "gp"), infer_schema=False).with_columns(
        k=row_key(
            pseudonym(pl.col("NHS Number"), domain="person", key=Key.made_up(SEED)),
            recipient="gp", as_of=NIGHT, key=Key.made_up(0),
        )
    )  # fmt: skip
    number = people.filter(pl.col("k") == keys[0])["NHS Number"].item()

    _, ran = add(at, put_forward(sent(at, "gp"), "Person", number, to=at / "agency" / "filled.xlsx"))

    assert "Add someone, row 2: on the list already" in ran.output


# Who has no register


def test_a_link_worker_is_told_who_makes_contact_first(at):
    page = sent(at, "voluntary", "html").read_text(encoding="utf-8")
    cover = [row[1] for row in openpyxl.load_workbook(sent(at, "voluntary"))["Cover"].iter_rows(values_only=True)]

    assert "The agency that leads makes contact first" in page
    assert any("The agency that leads makes contact first" in str(text) for text in cover)
    assert "makes contact first" not in sent(at, "fire", "html").read_text(encoding="utf-8")


def test_the_same_list_and_register_give_the_same_rows(at):
    named(at, sent(at, "gp"), "gp", to="one.xlsx")
    named(at, sent(at, "gp"), "gp", to="two.xlsx")

    hashes = hashes_of(at / "agency")
    assert hashes["one.xlsx"] == hashes["two.xlsx"]
