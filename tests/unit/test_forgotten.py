"""Who was forgotten is never lost in silence: a file that is gone, cut or changed stops every reader."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from helpers.kept_nights import who

from ageingwell.errors import KeepingError
from ageingwell.forgotten import FORGOTTEN, KEY, Forgotten, read_forgotten, with_key, write_forgotten

ON = date(2026, 11, 29)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder of nights in which one person was forgotten, as its certificate says."""
    write_forgotten(tmp_path, with_key(tmp_path).with_people([who(1)], on=ON, pseudonyms="b" * 12))
    (tmp_path / "certificates").mkdir()
    (tmp_path / "certificates" / "2026-11-29T120000Z-forget.json").write_text("{}")
    return tmp_path


def test_the_mark_tells_who_was_forgotten_and_holds_no_pseudonym(out: Path):
    people = pl.Series([who(1), who(2), None])

    assert read_forgotten(out).among(people).to_list() == [who(1)]
    assert who(1) not in (out / FORGOTTEN).read_text()


def test_forgetting_twice_leaves_one_mark_and_lifting_takes_it(out: Path):
    there = read_forgotten(out).with_people([who(1)], on=ON, pseudonyms=None)

    assert len(there.marks) == 1
    assert there.without_people([who(1)]).marks == ()


def test_two_folders_mark_the_same_person_differently(out: Path, tmp_path_factory: pytest.TempPathFactory):
    other = tmp_path_factory.mktemp("other")
    there = with_key(other).with_people([who(1)], on=ON, pseudonyms=None)

    assert there.marks[0].mark != read_forgotten(out).marks[0].mark


def removed(path: Path) -> None:
    path.unlink()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def one_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def nobody(path: Path) -> None:
    told = json.loads(path.read_text())
    path.write_text(json.dumps(told | {"people": []}))


def nested(path: Path) -> None:
    path.write_text("[" * 100_000)


@pytest.mark.parametrize("spoil", [removed, cut, emptied, one_bit, nobody, nested])
def test_marks_that_cannot_be_believed_stop_every_reader(out: Path, spoil: Callable[[Path], None]):
    spoil(out / FORGOTTEN)

    with pytest.raises(KeepingError, match=r"put forgotten\.json and forgotten\.key back"):
        read_forgotten(out)


@pytest.mark.parametrize("spoil", [removed, cut, emptied, one_bit])
def test_a_key_that_cannot_be_believed_does_too(out: Path, spoil: Callable[[Path], None]):
    spoil(out / KEY)

    with pytest.raises(KeepingError):
        read_forgotten(out)
    with pytest.raises(KeepingError):
        with_key(out)


def test_a_key_that_others_can_read_does_too(out: Path):
    (out / KEY).chmod(0o644)

    with pytest.raises(KeepingError, match="can be read or changed by others"):
        read_forgotten(out)


def test_where_nobody_ever_was_forgotten_nobody_is(tmp_path: Path):
    assert read_forgotten(tmp_path) == Forgotten(None)


def test_a_run_that_died_between_the_key_and_the_marks_leaves_nobody_forgotten(tmp_path: Path):
    before = with_key(tmp_path)

    assert read_forgotten(tmp_path) == Forgotten(None)
    assert with_key(tmp_path).key == before.key


def test_pseudonyms_under_another_key_stop_a_night(out: Path):
    there = read_forgotten(out)

    there.stop_on_another_key("b" * 12)
    there.stop_on_another_key(None)
    with pytest.raises(KeepingError, match="another key"):
        there.stop_on_another_key("c" * 12)
