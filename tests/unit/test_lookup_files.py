"""Kept tables come back as they were, or not at all."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from helpers.boosters import people, train

from ageingwell.errors import BundleError
from ageingwell.lookup import compile_booster, load_tables, save_tables
from ageingwell.lookup.soundness import TYPES

X, Y = people()
KEY = "3f2a-loss_of_independence"


@pytest.fixture(scope="module")
def tables():
    return compile_booster(train(X, Y))


def test_tables_come_back_as_they_were_kept(tables, tmp_path):
    save_tables(tables, tmp_path / "cache", key=KEY)

    kept = load_tables(tmp_path / "cache", key=KEY)

    assert all(np.array_equal(getattr(kept, name), getattr(tables, name)) for name in TYPES)
    assert np.array_equal(kept.explain(X, threads=1).contributions, tables.explain(X, threads=1).contributions)


def test_tables_that_were_never_kept_are_not_there(tmp_path):
    assert load_tables(tmp_path, key=KEY) is None


def test_damaged_tables_are_not_there(tables, tmp_path):
    path = save_tables(tables, tmp_path, key=KEY)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)

    assert load_tables(tmp_path, key=KEY) is None


def test_cut_off_tables_are_not_there_even_with_their_own_hash(tables, tmp_path):
    path = save_tables(tables, tmp_path, key=KEY)
    content = path.read_bytes()[:-200]
    path.write_bytes(content)
    path.with_suffix(".sha256").write_text(hashlib.sha256(content).hexdigest())

    assert load_tables(tmp_path, key=KEY) is None


@pytest.mark.parametrize(
    "change",
    [
        {"entries": lambda old: old[:-1]},
        {"entry_table": lambda old: old + 1},
        {"entry_group": lambda old: old + 1_000},
        {"entry_group": lambda old: old - 1_000},
        {"condition_stride": lambda old: old * np.uint16(3)},
        {"condition_reading": lambda old: old + 100},
        {"feature": lambda old: old - 10},
        {"run_feature": lambda old: old + 6},
        {"edge_start": lambda old: old[::-1].copy()},
        {"entry_outcomes": lambda old: old[:0]},
        {"missing": lambda old: old.astype(np.float32)},
        {"knot_start": lambda old: old + 1},
        {"heights": lambda old: np.append(old, 0.0)},
        {"level_start": lambda old: old[:-1]},
    ],
)
def test_tables_that_point_outside_are_not_there_even_with_their_own_hash(tables, tmp_path, change):
    ((name, wrong),) = change.items()
    save_tables(replace(tables, **{name: wrong(getattr(tables, name))}), tmp_path, key=KEY)

    assert load_tables(tmp_path, key=KEY) is None


@pytest.mark.parametrize("key", ["", "../x", "a/b", "A", ".a"])
def test_a_key_that_is_no_file_name_is_refused(tables, tmp_path, key):
    with pytest.raises(BundleError, match="small letters"):
        save_tables(tables, tmp_path, key=key)
