"""Words typed into a column of labels, days, numbers or codes reach nobody: no list, page, manifest or log."""

import json
import tempfile
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from helpers.canaries import IDENTIFIERS, Canaries, Person, encodings
from helpers.counties import NIGHT, change, copy_of, settings_file
from helpers.evidence import counted
from helpers.raw import CONTRACTS, KEY, raw_rows
from helpers.tables import write_csv

from ageingwell.cli import cli
from ageingwell.contracts.registry import TABLES, columns, open_labels
from ageingwell.errors import AgeingWellError
from ageingwell.pseudonyms import pseudonymise
from ageingwell.publish import current
from ageingwell.synthetic.county import CountyPlan, synthesise
from ageingwell.synthetic.other_words import REMARKS

PEOPLE = Canaries.made(40, seed=5)
# What is no identifier of anybody by itself: a day without a year, and an id of an agency that a digest takes in.
LOCAL = ("la_person_id", "case_id")
# Forms that are read back as bytes or as another text only where a program makes them.
MADE = ("bytes", "gzip", "md5", "sha", "UTF-16", "Latin-1", "JSON, all", "URL, all")


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthesise(CountyPlan(people=120, seed=3), tmp_path_factory.mktemp("county")).folder


def said(*words: object) -> tuple[int, str]:
    ran = CliRunner().invoke(cli, [str(word) for word in words])
    assert ran.exception is None or isinstance(ran.exception, SystemExit), type(ran.exception)
    return ran.exit_code, ran.output


def spellings(n: int) -> list[tuple[int, str, str]]:
    """`n` texts that tell who a canary is: whose, which identifier, and the text as somebody might type it."""
    texts = [
        (at, identifier, pattern.decode())
        for at, person in enumerate(PEOPLE.people)
        for identifier in IDENTIFIERS
        for name, pattern in encodings(identifier, getattr(person, identifier))
        if not any(made in name for made in MADE) and "," not in name and pattern.isascii() and len(pattern) >= 7
    ]
    step = max(1, len(texts) // n)
    return texts[::step][:n]


def with_canaries(frame: pl.DataFrame, table: str, texts: list[str]) -> pl.DataFrame:
    """A table as text with a canary in every column but the keys: in needed columns of few rows, in others of many."""
    as_text = frame.with_columns(pl.all().cast(pl.String))
    for turn, column in enumerate(columns(table)):
        if column.is_pseudonym or column.name not in frame.columns:
            continue
        every = 3 if not column.required else max(40, frame.height // 4)
        text = texts[turn % len(texts)]
        is_planted = pl.int_range(pl.len()) % every == turn % every
        as_text = as_text.with_columns(pl.when(is_planted).then(pl.lit(text)).otherwise(column.name).alias(column.name))
    return as_text


def test_canaries_in_every_column_of_every_table_come_out_nowhere(county, tmp_path, monkeypatch):
    """The property: whatever text stands in whatever column, no file, page or message of a night holds it."""
    data, temporary = tmp_path / "data", tmp_path / "temporary"
    data.mkdir()
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    (data / "synthetic.json").write_text('{"synthetic": true}', encoding="utf-8")
    planted = [text for _, _, text in spellings(60)]
    for at, table in enumerate(TABLES):
        frame = pl.read_parquet(county / f"{table}.parquet")
        spoilt = frame if table == "permissions" else with_canaries(frame, table, planted[at:] + planted[:at])
        spoilt.write_parquet(data / f"{table}.parquet")
    settings = settings_file(tmp_path / "settings", changes={"max_refused_share": 0.5})

    told = said("score", "--data", data, "--as-of", NIGHT, "--out", tmp_path / "out", "--config", settings)
    checked = said("check", "--data", data, "--config", settings, "--refused-to", tmp_path / "refused")

    assert told[0] == 0, told[1]
    night = current(tmp_path / "out")
    assert night is not None
    assert pl.read_parquet(night / "list.parquet").height > 5
    hits = PEOPLE.search(tmp_path / "out", tmp_path / "refused", temporary) + PEOPLE.search_text(told[1], checked[1])
    counted("P1.free_text", len(open_labels()) + 1, len({(hit.person, hit.identifier) for hit in hits}), seed=3)
    assert hits == []


def test_a_remark_for_a_communication_need_is_other_to_everybody(county, tmp_path):
    """Each of the remarks stands for many people, by turns."""
    data = copy_of(county, tmp_path / "data")
    by_turns = pl.Series("communication_need", REMARKS)
    change(
        data, "gp_patients", lambda rows: rows.with_columns(by_turns[[n % len(REMARKS) for n in range(rows.height)]])
    )

    checked = said("check", "--data", data, "--as-of", NIGHT, "--json")

    assert [remark for remark in REMARKS if remark in checked[1]] == []
    assert not any(word in checked[1] for word in ("cadwallader", "Cadwallader", "gittins", "sandford", "07700"))
    of_need = [row for row in json.loads(checked[1])["recognised"] if row["column"] == "communication_need"]
    assert [row["n_recognised"] for row in of_need] == [0]


def of_canary(table: str, person: Person) -> dict[str, str | None]:
    """A good row about a canary, as an agency's own file has it: names and addresses in columns of their own."""
    known = {name: getattr(person, name) for name in IDENTIFIERS if name not in ("local_id", "note")}
    own = {"la_person_id": person.local_id} if table == "care_events" else {}
    return raw_rows(table, 1)[0] | known | own


@pytest.mark.slow
def test_an_agency_sends_no_canary_from_a_wrong_column(tmp_path):
    """Every identifier in many spellings in every carried column of every table, by turns."""
    n_cells, texts = 0, spellings(280)
    for table in TABLES:
        if table == "permissions":
            continue
        rows = []
        for column in columns(table):
            if column.is_pseudonym or column.name in (*LOCAL, "birth_month", "lsoa21"):
                continue
            for at, _, text in texts[:: 1 if column.kind in ("label", "text") else 3]:
                rows.append(of_canary(table, PEOPLE.people[at]) | {column.name: text})
                n_cells += 1
        (tmp_path / "raw").mkdir(exist_ok=True)
        write_csv(tmp_path / "raw" / f"{table}.csv", rows)

    made = pseudonymise(
        tmp_path / "raw", out=tmp_path / "out", key=KEY, contract_columns=CONTRACTS, max_refused_share=1.0
    )

    hits = PEOPLE.search(tmp_path / "out") + PEOPLE.search_text(repr(made))
    counted("P1.canaries", n_cells, len(hits), seed=5)
    assert hits == []
    assert n_cells > 4_000


@pytest.mark.parametrize("column", ["kind", "from_on", "to_on", "checked_on"])
def test_an_opt_out_with_a_canary_tells_nobody_of_it(tmp_path, column):
    (tmp_path / "raw").mkdir()
    person = PEOPLE.people[3]
    texts = (person.nhs_number, person.phone, person.surname)
    rows = [raw_rows("permissions", 1)[0] | {column: text} for text in texts]
    write_csv(tmp_path / "raw" / "permissions.csv", rows)
    told = ""
    try:
        told = repr(pseudonymise(tmp_path / "raw", out=tmp_path / "out", key=KEY, contract_columns=CONTRACTS))
    except AgeingWellError as fault:
        told = str(fault)

    assert PEOPLE.search_text(told) == []
    assert not (tmp_path / "out").exists() or PEOPLE.search(tmp_path / "out") == []


def test_honest_columns_raise_no_alarm(tmp_path):
    """What our own county sends in its columns is carried, all of it but the labels that no list has."""
    raw = synthesise(CountyPlan(people=150, seed=11, raw=True), tmp_path / "raw").folder

    done = pseudonymise(raw, out=tmp_path / "out", key=KEY.made_up(11), contract_columns=CONTRACTS)

    assert {name: dict(counts.not_carried) for name, counts in done.tables.items() if counts.not_carried} == {}
    assert sum(len(counts.telling) for counts in done.tables.values()) == 0
