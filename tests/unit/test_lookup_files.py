"""Kept tables come back as they were, or not at all."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.boosters import people, train

from ageingwell.errors import BundleError
from ageingwell.lookup import compile_booster, digest_of, load_tables, save_tables
from ageingwell.lookup.soundness import TYPES

X, Y = people()


@pytest.fixture(scope="module")
def tables():
    return compile_booster(train(X, Y))


def raised(tables):
    """The same tables with one of their numbers changed: sound, and of another model."""
    return replace(tables, entries=np.concatenate([tables.entries[:1] + tables.unit, tables.entries[1:]]))


def test_tables_come_back_as_they_were_kept(tables, tmp_path):
    save_tables(tables, tmp_path / "cache")

    kept = load_tables(tmp_path / "cache", digest=digest_of(tables))

    assert all(np.array_equal(getattr(kept, name), getattr(tables, name)) for name in TYPES)
    assert np.array_equal(kept.explain(X, threads=1).contributions, tables.explain(X, threads=1).contributions)


def test_tables_that_were_never_kept_are_not_there(tables, tmp_path):
    assert load_tables(tmp_path, digest=digest_of(tables)) is None


def test_other_tables_in_their_place_are_not_there(tables, tmp_path):
    """Whoever may write to the folder puts sound tables of another model under the name that a night looks for."""
    path = save_tables(tables, tmp_path)
    path.write_bytes(save_tables(raised(tables), tmp_path / "made").read_bytes())
    path.with_suffix(".sha256").write_text(hashlib.sha256(path.read_bytes()).hexdigest())

    assert load_tables(tmp_path / "made", digest=digest_of(raised(tables))) is not None
    assert load_tables(tmp_path, digest=digest_of(tables)) is None


def test_every_flipped_bit_of_kept_tables_is_found(tables, tmp_path):
    path = save_tables(tables, tmp_path)
    whole = path.read_bytes()
    draw = np.random.default_rng(5)
    for at, bit in zip(draw.integers(0, len(whole), 100), draw.integers(0, 8, 100)):
        content = bytearray(whole)
        content[at] ^= 1 << int(bit)
        path.write_bytes(content)
        assert load_tables(tmp_path, digest=digest_of(tables)) is None


@pytest.mark.parametrize(
    "change", [lambda old: old[:-200], lambda old: old + b"\0" * 8, lambda old: b"", lambda old: b"[]"]
)
def test_cut_off_or_lengthened_tables_are_not_there_even_under_their_own_digest(tables, tmp_path, change):
    content = change(save_tables(tables, tmp_path).read_bytes())

    assert load_under_its_own_digest(content, tmp_path) is None


def load_under_its_own_digest(content: bytes, folder: Path):
    """What comes of bytes whose digest a bundle would tell."""
    (path,) = folder.glob("lookup*.bin")
    digest = hashlib.sha256(content).hexdigest()
    path.with_name(f"{path.name.partition('-')[0]}-{digest}.bin").write_bytes(content)
    return load_tables(folder, digest=digest)


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
        {"knot_start": lambda old: old + 1},
        {"heights": lambda old: np.append(old, 0.0)},
        {"level_start": lambda old: old[:-1]},
    ],
)
def test_tables_that_point_outside_are_not_there_even_under_their_own_digest(tables, tmp_path, change):
    ((name, wrong),) = change.items()
    unsound = replace(tables, **{name: wrong(getattr(tables, name))})
    save_tables(unsound, tmp_path)

    assert load_tables(tmp_path, digest=digest_of(unsound)) is None


def test_kept_tables_behind_a_link_are_not_there(tables, tmp_path):
    path = save_tables(tables, tmp_path)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")

    assert load_tables(tmp_path, digest=digest_of(tables)) is None


@pytest.mark.parametrize("digest", ["", "../x", "a/b", "A" * 64, ".a"])
def test_what_is_no_digest_is_refused(tmp_path, digest):
    with pytest.raises(BundleError, match="64 hexadecimal digits"):
        load_tables(tmp_path, digest=digest)
