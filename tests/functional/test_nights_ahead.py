"""A night dated ahead of the clock: refused for real records, and never in the way of the nights before it."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from helpers.counties import NIGHT, copy_of

from ageingwell.config.load import load_config
from ageingwell.context import Surroundings
from ageingwell.errors import ChangeError
from ageingwell.night.score import OutreachRun, score
from ageingwell.pseudonyms import Key
from ageingwell.publish import current

pytestmark = pytest.mark.usefixtures("read_once")

TODAY = Surroundings(now=lambda: datetime(NIGHT.year, NIGHT.month, NIGHT.day, 22, tzinfo=UTC))
AHEAD = NIGHT + timedelta(days=20)


@pytest.fixture
def at(night_of_few_places: Path, tmp_path: Path) -> Path:
    return copy_of(night_of_few_places, tmp_path / "here")


def scored(at: Path, settings: Path, days: int) -> OutreachRun:
    night = NIGHT + timedelta(days=days)
    return score(at / "county", as_of=night, out=at / "out", config=load_config(settings), surroundings=replace(TODAY))


@pytest.mark.usefixtures("pages_not_drawn")
def test_a_night_with_a_wrong_date_does_not_keep_the_next_one_from_being_current(at: Path, few_places: Path) -> None:
    ahead = scored(at, few_places, 20)
    assert current(at / "out") == ahead.folder

    tomorrow = scored(at, few_places, 1)

    assert tomorrow.is_current
    assert current(at / "out") == tomorrow.folder


def test_a_night_of_real_records_further_ahead_than_tomorrow_is_refused_and_changes_nothing(
    at: Path, few_places: Path
) -> None:
    (at / "county" / "synthetic.json").unlink()
    before = sorted(path.name for path in (at / "out").iterdir())

    with pytest.raises(ChangeError, match="20 days ahead of today"):
        score(
            at / "county",
            as_of=AHEAD,
            out=at / "out",
            config=load_config(few_places),
            list_key=Key(hashlib.sha256(b"a list key of a test").digest()),
            surroundings=replace(TODAY),
        )

    assert sorted(path.name for path in (at / "out").iterdir()) == before
