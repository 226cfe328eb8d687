"""What commands write into the audit log, what they never write there, and what they do without it."""

import json
import re
from hashlib import sha256
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result
from helpers.counties import NIGHT, copy_of, listed, opt_out
from helpers.evidence import counted

from ageingwell.audit.nights import changed_manifests, head_of, heads_of_nights
from ageingwell.audit.uses import about_person
from ageingwell.audit.writing import read_lines, verify
from ageingwell.cli import cli
from ageingwell.publish import current


@pytest.fixture
def at(first_night: Path, tmp_path: Path) -> Path:
    """A county and its first night, with the log of that night."""
    return copy_of(first_night, tmp_path / "at")


def run(*words: object) -> Result:
    ran = CliRunner().invoke(cli, [str(word) for word in words])
    assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.exc_info
    return ran


def withdraw(at: Path) -> Result:
    return run("withdraw", "--data", at / "county", "--as-of", NIGHT, "--out", at / "out")


def people_on(out: Path) -> set[str]:
    return {row["person_id"] for row in listed(current(out))}


def test_a_night_and_its_log_know_each_other(at):
    lines, night = read_lines(at / "out" / "audit.jsonl", heads=heads_of_nights(at / "out")), at / "out" / str(NIGHT)
    begun, done = (line for line in lines if line["did"] == "score")

    assert head_of(night).n == begun["n"]
    assert done["manifest_sha256"] == sha256((night / "manifest.json").read_bytes()).hexdigest()
    assert done["counts"] == {"listed": len(listed(night))}
    assert set(done["lists"]) >= {"gp", "social_care", "housing", "fire", "voluntary", "group", "safeguarding"}
    assert changed_manifests(lines, at / "out") == []
    (night / "manifest.json").write_text("{}")
    assert changed_manifests(lines, at / "out") == [str(NIGHT)]


def test_a_log_that_was_made_anew_is_not_the_one_that_nights_know(at, pages_not_drawn):
    for path in (at / "out").glob("audit.jsonl*"):
        path.unlink()
    ran = withdraw(at)  # writes a new log
    assert ran.exit_code == 0, ran.output
    assert verify(at / "out" / "audit.jsonl").is_whole
    assert "knows" in (verify(at / "out" / "audit.jsonl", heads=heads_of_nights(at / "out")).why or "")


def test_whoever_opted_out_comes_off_whatever_is_wrong_with_the_log(at, settings, pages_not_drawn):
    """The one thing that waits for no line: a list with somebody on it who objected is worse than a gap in a log."""
    log, bad = at / "out" / "audit.jsonl", 0
    spoils = {
        "changed": lambda: log.write_bytes(log.read_bytes().replace(b"score", b"sc0re", 1)),
        "no file": lambda: (log.unlink(), log.mkdir()),
    }
    for number, spoil in enumerate(spoils.values()):
        spoil()
        person = sorted(people_on(at / "out"))[0]
        opt_out(at / "county", "objection", person=person)
        if number == 1:
            words = ("score", "--data", at / "county", "--as-of", NIGHT, "--out", at / "out", "--config", settings)
            ran = run(*words)
        else:
            ran = withdraw(at)
        assert ran.exit_code == 24, ran.output
        assert "audit log audit.jsonl" in ran.stderr
        bad += person in people_on(at / "out")
    assert bad == 0
    counted("P7.schedules", len(spoils), bad, note="opt-outs on a night whose audit log cannot be written")


def test_nothing_but_withdrawals_is_done_without_the_log(at, settings):
    log = at / "out" / "audit.jsonl"
    log.write_bytes(log.read_bytes()[:-40])
    before = sorted(path.name for path in (at / "out").iterdir())
    person = listed(at / "out" / str(NIGHT))[0]["person_id"]
    (at / "audit.jsonl").mkdir()

    score = ("--data", at / "county", "--as-of", "2026-11-23", "--out", at / "out", "--config", settings)
    tried = [
        run("score", *score, "--accept-change"),
        run("record", at / "out" / "current" / "group.xlsx", "--out", at / "out"),
        run("explain", person, "--data", at / "county", "--as-of", NIGHT, "--config", settings),
    ]

    assert [ran.exit_code for ran in tried] == [24, 24, 24]
    assert not [ran.stdout for ran in tried if ran.stdout]
    assert sorted(path.name for path in (at / "out").iterdir()) == before


def test_the_log_holds_no_pseudonym_and_no_value(at, settings):
    person = listed(at / "out" / str(NIGHT))[0]["person_id"]
    told = run("explain", person, "--data", at / "county", "--as-of", NIGHT, "--config", settings)
    assert told.exit_code == 0, told.output
    filled = at / "out" / "current" / "group.xlsx"
    assert run("record", filled, "--out", at / "out", "--role", "meeting chair").exit_code == 0

    night = current(at / "out")
    frames = [pl.read_parquet(night / f"{name}.parquet") for name in ("scores", "people", "list")]
    ids = {one for frame in frames for name in ("person_id", "household_id") for one in frame[name].drop_nulls()}
    logs = [path for folder in (at, at / "out") for path in folder.glob("audit.jsonl*")]
    text = " ".join(path.read_bytes().decode() for path in logs)
    words = set(re.findall(r"[b-t]{32}", text))
    assert len(ids) > 100
    assert not ids & words
    assert not re.search(r"(?<![0-9a-f])[0-9]{10}(?![0-9a-f])", text)
    # Whoever knows the person finds the line.
    looked = [
        line for line in read_lines(at / "audit.jsonl") if line.get("about") == about_person(at / "audit.jsonl", person)
    ]
    assert [line["did"] for line in looked] == ["explain"]
    assert "meeting chair" in text


def test_a_role_that_is_none_is_refused_and_stands_nowhere(at):
    for role in ("Mrs Jane Example", "chair of the group", "", "9990000018"):
        ran = run("record", at / "out" / "current" / "group.xlsx", "--out", at / "out", "--role", role)
        assert ran.exit_code == 20
        assert not role or role not in (at / "out" / "audit.jsonl").read_text()
        assert not role or role not in ran.output


def test_settings_that_changed_are_told(at, settings, tmp_path):
    own = copy_of(settings.parent, tmp_path / "own") / settings.name
    own.write_text(own.read_text().replace("minimum_age = 65", "minimum_age = 66"))
    for config in (settings, own):
        run("record", at / "out" / "current" / "group.xlsx", "--out", at / "out", "--config", config)
    begun = [
        line for line in read_lines(at / "out" / "audit.jsonl") if line["did"] == "record" and line["stage"] == "begun"
    ]
    assert [line["settings_changed"] for line in begun] == [False, True]
    assert json.dumps(begun[-1])
