"""The list after a meeting knows what was recorded before its night, and nothing that was recorded later."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from helpers.counties import NIGHT, copy_of, hashes_of, listed, opt_out
from helpers.filled import fill, keys_of, tamper
from helpers.recording import (
    ADDED,
    MEETING,
    NEXT,
    NO,
    YES,
    book,
    both_on,
    key_on,
    ledger,
    not_listed,
    people_by_key,
    record,
)
from helpers.shared import Shared

from ageingwell.cli import cli
from ageingwell.config.load import load_config
from ageingwell.kept.frames import read_frame
from ageingwell.night.in_memory import outreach_list
from ageingwell.night.score import score
from ageingwell.publish import current

pytestmark = pytest.mark.usefixtures("read_once")

BY_WHEN = {**YES, "by_when": "31 January 2027"}


@dataclass(frozen=True)
class Week:
    """A county, its first night, what a meeting recorded, and the night after; who is who."""

    at: Path
    who: Mapping[str, str]

    @property
    def night(self) -> Path:
        return self.at / "out" / str(NEXT)

    def row(self, who: str) -> dict[str, Any] | None:
        return next((row for row in listed(self.night) if row["person_id"] == self.who[who]), None)

    def left(self, who: str) -> dict[str, Any]:
        told = pl.read_parquet(self.night / "attrition.parquet").filter(person_id=self.who[who])
        return told.row(0, named=True)


@pytest.fixture(scope="module")
def week(first_night: Path, settings: Path, shared: Shared) -> Week:
    at = shared.folder("next-list", partial(play, first_night, settings))
    return Week(at, json.loads((at / "who.json").read_text()))


def play(first_night: Path, settings: Path, at: Path) -> None:
    """One meeting about people of different homes, and the next night."""
    shutil.copytree(first_night, at, symlinks=True, dirs_exist_ok=True)
    disputed, keys = both_on(at)
    homes = dict(pl.read_parquet(at / "out" / str(NIGHT) / "residents.parquet")["person_id", "household_id"].rows())
    taken, chosen = {homes[disputed]}, {"disputed": disputed}
    on_gp = people_by_key(at).values()
    candidates = {"agreed": on_gp, "no": on_gp, "added": not_listed(at), "objects": not_listed(at)}
    for name, people in candidates.items():
        chosen[name] = next(one for one in people if homes[one] and homes[one] not in taken)
        taken.add(homes[chosen[name]])
    answers = {key_on(chosen[who], "gp", NIGHT): said for who, said in (("agreed", BY_WHEN), ("no", NO))}
    added = [{**ADDED, "person": chosen[name]} for name in ("added", "objects")]
    assert record(at, fill(book(at), answers, added=added, to=at / "back.xlsx")).exit_code == 0
    # Two agencies disagree about one person, who has refused.
    first, second = [name for name in keys if name != "group"][:2]
    met = {**NO, "outcome": "Refused", "contacted_on": "23 November 2026"}
    sides = (fill(book(at, a), {keys[a]: said}, to=at / f"{a}.xlsx") for a, said in ((first, YES), (second, met)))
    assert record(at, *sides).exit_code == 23
    opt_out(at / "county", "objection", person=chosen["objects"])
    score(at / "county", as_of=NEXT, out=at / "out", config=load_config(settings))
    (at / "who.json").write_text(json.dumps(chosen))


@pytest.fixture
def at(week: Week, tmp_path: Path) -> Path:
    """That week, to go on from."""
    return copy_of(week.at, tmp_path / "here")


def score_by_command(at: Path, settings: Path, *, on: date) -> Any:
    paths = ["--data", at / "county", "--out", at / "out", "--config", settings]
    return CliRunner().invoke(cli, ["score", "--as-of", str(on), *map(str, paths)])


def test_somebody_added_is_on_the_next_list_as_a_need_found_by_the_group(week):
    row = week.row("added")

    assert row is not None
    assert (row["status"], row["lead_agency"]) == ("agreed", "voluntary")
    assert row["why"] in ("rule", "both")
    assert "added_by_group" in row["needs"]
    needs = pl.read_parquet(week.night / "needs.parquet").filter(need="added_by_group", person_id=row["person_id"])
    assert needs["criterion"].to_list() == ["added by the group: a visitor to the home is worried"]
    assert "warden" not in (week.night / "report.html").read_text()


def test_an_agreed_visit_keeps_its_place_until_it_is_made(week, at, settings):
    agreed = week.row("agreed")
    assert agreed is not None
    assert agreed["status"] == "agreed"
    # The list of the first night is told of the visit once it was made.
    done = {**BY_WHEN, "outcome": "Completed", "contacted_on": "30 November 2026"}
    later = fill(book(at, night=str(NIGHT)), {key_on(week.who["agreed"], "gp", NIGHT): done}, to=at / "done.xlsx")
    assert record(at, later, on=date(2026, 12, 1)).exit_code == 0

    after = outreach_list(at / "county", as_of=NEXT + timedelta(days=7), config=settings, earlier=at / "out").frames

    left = after.attrition.filter(person_id=week.who["agreed"]).row(0, named=True)
    assert (left["reason"], left["re_enters_on"]) == ("cooling_off", date(2026, 11, 30) + timedelta(days=180))


def test_a_no_leaves_everyone_at_the_door_in_peace(week):
    then = listed(week.at / "out" / str(NIGHT))
    home = next(row["household_id"] for row in then if row["person_id"] == week.who["no"])

    assert home not in {row["household_id"] for row in listed(week.night)}
    left = week.left("no")
    assert (left["reason"], left["re_enters_on"]) == ("decided_otherwise", MEETING + timedelta(days=365))


def test_what_came_of_a_visit_counts_while_the_chair_has_yet_to_settle_the_decision(week):
    (entry,) = ledger(week.at).filter(person_id=week.who["disputed"]).to_dicts()

    assert (entry["decision"], entry["outcome"]) == (None, "refused")
    assert week.row("disputed") is None
    assert week.left("disputed")["reason"] == "cooling_off"


def test_who_opts_out_stays_in_the_ledger_and_is_on_no_page(week):
    person = week.who["objects"]

    assert person in set(ledger(week.at)["person_id"])
    for file in week.night.rglob("*.parquet"):
        frame = pl.read_parquet(file)
        assert person not in json.dumps(frame.to_dict(as_series=False), default=str), file.name


def test_a_night_tells_which_entries_it_knew_and_how_many_were_decided(week):
    told = json.loads((week.night / "manifest.json").read_text())["decisions"]

    assert told["n_decided"] == "1 to 7"
    assert told["ledger_head"] == ledger(week.at)["hash"][-1]


def test_what_is_recorded_on_the_night_or_later_changes_nothing(week, at, settings):
    """And so the same ledger gives the same night, to a notebook too, which writes nothing there."""
    still = {row["person_id"] for row in listed(week.night)} - set(week.who.values())
    keys = [key for key in keys_of(book(at, night=str(NIGHT))) if people_by_key(at)[key] in still]
    done = {"outcome": "Completed", "contacted_on": "25 November 2026"}
    answers = dict(zip(keys, (YES, NO, done), strict=False))
    filled = fill(book(at, night=str(NIGHT)), answers, to=at / "later.xlsx")
    assert record(at, filled, on=NEXT).exit_code == 0
    assert len(answers) == ledger(at).height - ledger(week.at).height == 3

    hashes = hashes_of(at / "out")
    again = outreach_list(at / "county", as_of=NEXT, config=settings, earlier=at / "out").frames

    assert hashes_of(at / "out") == hashes
    assert week.who["no"] not in again.listed["person_id"]
    named = {name: set(frame["person_id"]) for name, frame in vars(again).items() if "person_id" in frame.columns}
    assert len(named) > 8
    assert [name for name, people in named.items() if week.who["objects"] in people] == []
    assert [name for name in vars(again) if not getattr(again, name).equals(read_frame(week.night, name))] == []


def test_a_list_of_another_folder_is_refused_before_anything_is_recorded(week, first_night, tmp_path):
    here = copy_of(first_night, tmp_path / "here")
    mine = fill(book(here), {keys_of(book(here))[0]: YES}, to=here / "back.xlsx")

    ran = record(here, mine, book(week.at))

    assert ran.exit_code == 20
    assert f"of the night {NEXT}, which is not in this output folder" in ran.output
    assert ledger(here).is_empty()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET said = replace(said, 'contact_now', 'said_no') WHERE position = 1",
        "DELETE FROM entries WHERE position = 1",
        "UPDATE entries SET position = 9 WHERE position = 2",
    ],
)
def test_a_ledger_that_was_changed_stops_the_night_and_the_recording(at, settings, statement):
    tamper(at / "out" / "decisions.sqlite", statement)

    assert record(at, at / "back.xlsx").exit_code == 21
    assert score_by_command(at, settings, on=NEXT + timedelta(days=7)).exit_code == 21
    folder = current(at / "out")
    assert folder is not None
    assert folder.name == str(NEXT)


def test_a_ledger_whose_end_was_cut_off_is_noticed_by_the_next_night(at, settings):
    tamper(at / "out" / "decisions.sqlite", "DELETE FROM entries WHERE position = (SELECT max(position) FROM entries)")

    ran = score_by_command(at, settings, on=NEXT + timedelta(days=7))

    assert ran.exit_code == 21
    assert "lacks entries" in ran.output
