"""Lists that came back are recorded by the command, in a folder that holds a county and its nights."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl
from click.testing import CliRunner, Result

from ageingwell.cli import cli
from ageingwell.decisions.ledger import read_ledger
from ageingwell.pseudonyms import Key, row_key
from helpers.counties import NIGHT, listed
from helpers.filled import keys_of

NEXT = NIGHT + timedelta(days=7)
MEETING = NIGHT + timedelta(days=2)
YES = {"decision": "Contact now", "led_by": "Fire and rescue", "reason": "Need agreed"}
NO = {"decision": "Person has said no", "reason": "Person's own wish"}
ADDED = {"added_for": "A visitor to the home is worried", "led_by": "Voluntary sector", "note": "seen by the warden"}
RECIPIENTS = ("gp", "social_care", "housing", "fire", "voluntary", "group")


def record(at: Path, *files: Path, more: tuple[str, ...] = (), on: date = MEETING) -> Result:
    """Run `record` on files that came back."""
    arguments = ["record", *map(str, files), "--out", str(at / "out"), "--recorded-on", str(on), *more]
    ran = CliRunner().invoke(cli, arguments)
    assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.exception
    return ran


def book(at: Path, recipient: str = "gp", *, night: str = "current") -> Path:
    """The workbook that a recipient was sent."""
    return at / "out" / night / ("group.xlsx" if recipient == "group" else f"agencies/{recipient}.xlsx")


def ledger(at: Path) -> pl.DataFrame:
    """What was decided, entry by entry."""
    return read_ledger(at / "out" / "decisions.sqlite")


def people_by_key(at: Path, recipient: str = "gp", *, night: date = NIGHT) -> dict[str, str]:
    """The people of a list by the row key that a recipient has of each."""
    people = pl.DataFrame({"person_id": [row["person_id"] for row in listed(at / "out" / str(night))]})
    key = row_key(pl.col("person_id"), recipient=recipient, as_of=night, key=Key.made_up(0))
    return dict(people.select(key.alias("key"), "person_id").rows())


def key_on(person: str, recipient: str, night: date) -> str:
    """The row key of a person on a recipient's list of a night."""
    return str(pl.select(row_key(pl.lit(person), recipient=recipient, as_of=night, key=Key.made_up(0))).item())


def both_on(at: Path) -> tuple[str, dict[str, str]]:
    """A person who stands on two agencies' lists, and the row key on each."""
    found: dict[str, dict[str, str]] = {}
    for recipient in RECIPIENTS:
        persons = people_by_key(at, recipient)
        for one in keys_of(book(at, recipient)):
            found.setdefault(persons[one], {})[recipient] = one
    return next((person, keys) for person, keys in found.items() if len(set(keys) - {"group"}) > 1)


def not_listed(at: Path) -> list[str]:
    """People who could be on the list and just have no place or no need."""
    gone = pl.read_parquet(at / "out" / "current" / "attrition.parquet")
    left = gone.filter(pl.col("step").is_in(["rank", "allocate"])).drop_nulls("person_id").sort("person_id")
    return left["person_id"].to_list()
