"""Somebody who is forgotten can be read nowhere any more, and no later list has them until the mark is lifted."""

import gzip
import json
import shutil
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result
from helpers.counties import NIGHT, copy_of, files_with_each, listed, opt_out
from helpers.evidence import counted
from helpers.filled import fill
from helpers.filled import keys_of as rows_of_list

from ageingwell.cli import cli
from ageingwell.config.load import load_config
from ageingwell.decisions.entry import Entry
from ageingwell.decisions.ledger import append, read_ledger
from ageingwell.keeping.searching import Named, files_below, keys_of, look_in
from ageingwell.kept.followed import keep_followed
from ageingwell.night.in_memory import outreach_list
from ageingwell.pseudonyms import Key
from ageingwell.publish import current

BEFORE = NIGHT - timedelta(days=7)
NEXT = NIGHT + timedelta(days=7)
OLD = date(2025, 6, 1)


@pytest.fixture
def at(first_night: Path, tmp_path: Path) -> Path:
    """A county and its nights, with the first person of the list in every place that a person can be kept in."""
    here = copy_of(first_night, tmp_path / "here")
    out, night = here / "out", here / "out" / str(NIGHT)
    person = listed(night)[0]["person_id"]
    # An earlier night, of an earlier form, and a revision that another one took the place of.
    shutil.copytree(night, out / str(BEFORE))
    told = json.loads((out / str(BEFORE) / "manifest.json").read_text())
    (out / str(BEFORE) / "manifest.json").write_text(json.dumps(told | {"format": 3}))
    shutil.copytree(out / str(BEFORE), out / f"{BEFORE}.r2")
    keep_followed(out, night)
    (out / "followed" / f"{NIGHT}.parquet").rename(out / "followed" / f"{OLD}.parquet")
    said = [
        Entry(NIGHT, "fire", "listed", one["person_id"], one["household_id"], decision="said_no", note="at the door")
        for one in listed(night)[:3]
    ]
    when = datetime(2026, 11, 24, 12, tzinfo=UTC)
    append(out / "decisions.sqlite", said, role="chair", recorded_at=when, file_sha256="0" * 64)
    # What people put there themselves: a list that came back, an archive of a night, a table saved as Unicode text.
    shutil.copy(night / "group.xlsx", out / "group-filled-in.fix.xlsx")
    with zipfile.ZipFile(out / "old-night.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(night / "list.parquet", "2026-11-22/list.parquet")
    (out / "copy.csv.gz").write_bytes(gzip.compress(person.encode()))
    (out / "unicode.txt").write_bytes(person.encode("utf-16"))
    (out / "notes.txt").write_text("nothing of anybody")
    (here / "id.txt").write_text(person + "\n")
    shutil.copytree(night, here / "copy")
    return here


def run(*words: object) -> Result:
    ran = CliRunner().invoke(cli, [str(word) for word in words])
    assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.exception
    return ran


def names_of(at: Path) -> tuple[str, Named]:
    """The person's pseudonym, and all that names them: every recipient's row key of every night too."""
    person = (at / "id.txt").read_text().strip()
    nights = [OLD, BEFORE, NIGHT, NEXT]
    return person, Named({person, *keys_of([person], nights=nights, keys=[Key.made_up(0)])})


def score(at: Path, settings: Path, *, on: date) -> Result:
    return run("score", "--data", at / "county", "--as-of", on, "--out", at / "out", "--config", settings)


def test_a_search_of_every_byte_finds_nobody_and_no_later_list_has_them_until_the_mark_is_lifted(
    at: Path, settings: Path, monkeypatch: pytest.MonkeyPatch
):
    person, named = names_of(at)
    out, n_listed = at / "out", len(listed(at / "out" / str(NIGHT)))
    before = look_in(named, files_below(out)).naming
    given = ["--id-file", at / "id.txt", "--out", out, "--config", settings, "--role", "IG lead"]

    dry = run("forget", *given, "--dry-run", "--json")
    assert look_in(named, files_below(out)).naming == before, "a dry run changes nothing"
    ran = run("forget", *given, "--json")

    assert (dry.exit_code, ran.exit_code) == (0, 0), ran.output
    done = json.loads(ran.stdout)
    assert done["entries"] == json.loads(dry.stdout)["entries"] == 1
    assert sorted(done["files"]) == ["copy.csv.gz", "group-filled-in.fix.xlsx", "old-night.zip", "unicode.txt"]
    assert set(done["rebuilt"]) == {f"{NIGHT}.r2", f"{BEFORE}.r3"}
    left = look_in(named, files_below(out))
    assert (left.naming, left.unclear) == ((), ())
    assert files_with_each(out, [person])[person] == []
    counted("P7.forgotten", len(before), len(left.naming), note="files that named people who were forgotten")

    # What is of others stays.
    night = current(out)
    assert night is not None
    assert len(listed(night)) == n_listed - 1
    assert (night / "report.html").exists(), "pages are drawn again with the key of the night"
    assert read_ledger(out / "decisions.sqlite").height == 2
    assert (out / "notes.txt").exists()
    assert pl.read_parquet(out / "followed" / f"{OLD}.parquet").height > 0
    (told,) = [json.loads(path.read_text()) for path in out.glob("certificates/*-forget.json")]
    assert (told["state"], told["n_people"], told["n_entries_emptied"]) == ("done", 1, 1)

    # The records still have them; the list does not.
    ran = score(at, settings, on=NEXT)
    assert ran.exit_code == 0, ran.output
    assert look_in(named, files_below(out)).naming == ()
    steps = json.loads((out / str(NEXT) / "manifest.json").read_text())["steps"]
    assert [step["n"] for step in steps if step["reason"] == "forgotten"] == [None], "a small count is hidden"

    # A night put back from a copy is told, and its people come off again; the pages of those that are left were seen.
    monkeypatch.setattr("ageingwell.night.revising.draw_pages", lambda *_, **__: {})
    shutil.copytree(at / "copy", out / "2026-11-08")
    ran = run("purge", "--out", out, "--config", settings)
    assert ran.exit_code == 25
    assert "2026-11-08" in ran.output
    assert run("forget", "--again", "--out", out, "--config", settings).exit_code == 0
    assert look_in(named, files_below(out)).naming == ()

    # Without the key of the marks nobody can say whom to leave out.
    (out / "forgotten.key").rename(at / "forgotten.key")
    ran = score(at, settings, on=NEXT)
    assert ran.exit_code == 25
    assert "forgotten.json" in (out / "DO_NOT_USE.txt").read_text()
    (at / "forgotten.key").rename(out / "forgotten.key")

    ran = run("forget", "--lift", *given)
    assert "1 person may be listed again" in ran.output
    lifted = outreach_list(at / "county", as_of=NEXT, earlier=out, config=load_config(settings))
    assert person in set(lifted.frames.listed["person_id"])


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["forget", "--id-file", "{wrong}", "--out", "{out}"], 18, "not pseudonyms of people"),
        (["forget", "--out", "{out}"], 2, "give PERSON_ID"),
        (["forget", "--again", "--lift", "--out", "{out}"], 2, "--lift goes with people"),
        (["person", "--id-file", "{stranger}", "--out", "{out}", "--json"], 11, "nothing is held"),
        (["person", "--id-file", "{stranger}", "--out", "{out}"], 2, "give one of --page"),
        (["purge", "--out", "{nowhere}"], 9, "there is no such folder of nights"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is(
    first_night: Path, tmp_path: Path, words: list[str], code: int, told: str
):
    out = copy_of(first_night / "out", tmp_path / "out")
    before = sorted(path.name for path in out.iterdir() if not path.name.startswith(("audit", ".")))
    (tmp_path / "wrong.txt").write_text("9990000018\n")
    (tmp_path / "stranger.txt").write_text("b" * 32)
    places = {"out": out, "wrong": tmp_path / "wrong.txt", "stranger": tmp_path / "stranger.txt"}

    ran = run(*(word.format(**places, nowhere=tmp_path / "nowhere") for word in words))

    assert ran.exit_code == code, ran.output
    assert told in ran.output
    assert "999" not in ran.output
    assert sorted(path.name for path in out.iterdir() if not path.name.startswith(("audit", "."))) == before


def test_a_list_whose_version_has_gone_can_still_be_recorded(first_night: Path, settings: Path, tmp_path: Path):
    here = copy_of(first_night, tmp_path / "here")
    out, sent = here / "out", here / "sent.xlsx"
    shutil.copy(out / str(NIGHT) / "group.xlsx", sent)
    away, stays = rows_of_list(sent)[:2]
    no = {"decision": "Person has said no", "reason": "Person's own wish"}
    filled = fill(sent, {away: no, stays: no}, to=here / "back.xlsx")
    group = pl.read_parquet(out / str(NIGHT) / "list.parquet").filter(row_key=away)
    opt_out(here / "county", "objection", person=group["person_id"].item())
    run("withdraw", "--data", here / "county", "--as-of", NEXT, "--out", out, "--config", settings)
    assert run("purge", "--out", out, "--config", settings).exit_code == 0
    assert not (out / str(NIGHT)).exists()

    ran = run("record", filled, "--out", out, "--recorded-on", NIGHT + timedelta(days=2), "--config", settings)

    assert "is not in this output folder" not in ran.output
    assert read_ledger(out / "decisions.sqlite").height == 1, ran.output
