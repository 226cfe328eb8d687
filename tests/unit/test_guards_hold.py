"""Guards that no other test would miss, each tried by itself: two fences behind one another hide each other."""

import hashlib
import io
import os
import re
import sqlite3
import zipfile
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
from helpers.boosters import people, train

from ageingwell.cli.root import for_the_owner_alone
from ageingwell.config.load import load_config
from ageingwell.decisions.entry import Entry
from ageingwell.decisions.ledger import append, read_ledger
from ageingwell.errors import BundleError, KeyFileError, LedgerError
from ageingwell.lookup import compile_booster, digest_of, load_tables, save_tables
from ageingwell.model.saving import read
from ageingwell.night.list_key import list_key_of, stop_on_one_key_for_two
from ageingwell.night.working import suitable_bundle
from ageingwell.pseudonyms import Key
from ageingwell.pseudonyms.registers import stop_on_one_key
from ageingwell.report.sheets import Book
from ageingwell.sources.checked import Records

GOOD = hashlib.sha256(b"a key for this test").digest()


def key_file(folder: Path, content: bytes = GOOD, *, mode: int = 0o600) -> Path:
    path = folder / "list.key"
    path.write_bytes(content)
    path.chmod(mode)
    return path


# Keys


def test_a_link_to_a_key_is_refused_as_a_link(tmp_path: Path) -> None:
    link = tmp_path / "link.key"
    link.symlink_to(key_file(tmp_path))

    with pytest.raises(KeyFileError, match="symbolic link"):
        Key.read(link)


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such flag")
def test_a_key_file_that_becomes_a_link_after_the_look_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = tmp_path / "link.key"
    link.symlink_to(key_file(tmp_path))
    monkeypatch.setattr(Path, "is_symlink", lambda path: False)

    with pytest.raises(KeyFileError, match="cannot be opened"):
        Key.read(link)


@pytest.mark.skipif(os.name != "posix", reason="Windows has access lists")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601])
def test_a_key_file_of_which_others_have_any_right_is_refused(mode: int, tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="by others"):
        Key.read(key_file(tmp_path, mode=mode))


@pytest.mark.parametrize(
    "weak",
    [GOOD[:31], bytes(32), bytes(range(100, 132)), GOOD[:8] * 4, b"correct horse battery staple now"],
    ids=["short", "zero", "counting", "repeating", "text"],
)
def test_a_weak_key_is_refused(weak: bytes, tmp_path: Path) -> None:
    with pytest.raises(KeyFileError):
        Key.read(key_file(tmp_path, weak))


def test_the_key_of_the_tables_may_not_be_the_key_of_the_lists() -> None:
    key = Key(GOOD)

    with pytest.raises(KeyFileError, match="list key"):
        stop_on_one_key_for_two(key, key.fingerprint)
    with pytest.raises(KeyFileError, match="one key"):
        stop_on_one_key(key, Key(GOOD))
    stop_on_one_key_for_two(key, None)
    stop_on_one_key_for_two(key, Key.made_up(1).fingerprint)


def test_real_records_need_a_list_key(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="no list key was given"):
        list_key_of(None, tmp_path)


# What is kept


@pytest.mark.skipif(os.name != "posix", reason="Windows has access lists")
def test_whatever_a_command_writes_is_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with for_the_owner_alone():
            (tmp_path / "page.html").write_text("page")
            (tmp_path / "folder").mkdir()
    finally:
        os.umask(before)

    assert [(tmp_path / name).stat().st_mode & 0o077 for name in ("page.html", "folder")] == [0, 0]


def test_a_ledger_of_which_a_word_was_changed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "decisions.sqlite"
    entry = Entry(date(2026, 11, 22), "fire", "listed", "b" * 32, None, decision="said_no", reason="own_wish")
    append(path, [entry], role="chair", recorded_at=datetime(2026, 11, 24, tzinfo=UTC), file_sha256="0" * 64)
    with sqlite3.connect(path) as database:
        database.execute("DROP TRIGGER entries_are_not_changed")
        database.execute("UPDATE entries SET said = replace(said, 'said_no', 'said_yes')")
    database.close()

    with pytest.raises(LedgerError, match="chain"):
        read_ledger(path)


def test_a_changed_table_of_the_cache_is_not_used(tmp_path: Path) -> None:
    """A whole table with one figure changed: only the digest tells."""
    tables = compile_booster(train(*people()))
    changed = replace(tables, **_one_figure_changed(tables))
    kept = save_tables(changed, tmp_path / "changed")
    path = save_tables(tables, tmp_path / "cache")
    assert load_tables(tmp_path / "changed", digest=digest_of(changed)) is not None, "what was changed holds together"

    path.write_bytes(kept.read_bytes())

    assert load_tables(tmp_path / "cache", digest=digest_of(tables)) is None


def _one_figure_changed(tables: object) -> dict[str, np.ndarray]:
    for field in fields(tables):  # type: ignore[arg-type]
        array = getattr(tables, field.name)
        if array.dtype == np.float64 and array.size > 10:
            other = array.copy()
            other.flat[5] += 0.5
            return {field.name: other}
    raise AssertionError("there are no figures")


# Models


def test_a_changed_model_is_refused() -> None:
    part = {"file": "model.txt", "sha256": hashlib.sha256(b"Tree\n").hexdigest()}

    with pytest.raises(BundleError, match="not the file that was saved"):
        read(part, {"model.txt": b"tree\n"})


def test_a_bundle_of_invented_people_is_refused_for_real_records() -> None:
    real = Records({}, missing=(), made_up=False)

    with pytest.raises(BundleError, match="made-up people"):
        suitable_bundle(load_config(), real, allow_made_up=False, cache=None)


# Workbooks


def test_no_text_of_a_workbook_begins_as_a_formula_does() -> None:
    book = Book("title", as_of=date(2026, 11, 22))
    book.lines("Cover", [("=1+1", "=HYPERLINK(1)")], heading="=2+2")
    with zipfile.ZipFile(io.BytesIO(book.close())) as parts:
        texts = parts.read("xl/sharedStrings.xml").decode()
        sheets = [parts.read(name) for name in parts.namelist() if "worksheets/" in name]

    assert re.findall(r"<t[^>]*>([^<]*)", texts) == ["'=2+2", "'=1+1", "'=HYPERLINK(1)"]
    assert not any(b"<f>" in sheet for sheet in sheets)
