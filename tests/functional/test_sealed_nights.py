"""A published night is read as it was published, or the file that was changed is named."""

import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from helpers.counties import NIGHT, copy_of, files_with, listed, opt_out
from helpers.evidence import counted

from ageingwell.checksums import SUMS
from ageingwell.config.load import load_config
from ageingwell.errors import PublishError
from ageingwell.kept.frames import CONTRACTS, frame_file, read_frame
from ageingwell.kept.reading import read_night
from ageingwell.kept.sealed import broken_link, changed_since, digest_of_night, read_kept, seal_night
from ageingwell.night.withdrawing import withdraw
from ageingwell.publish import current


@pytest.fixture
def night(first_night: Path, tmp_path: Path) -> Path:
    """A copy of a published night."""
    return Path(shutil.copytree(first_night / "out" / str(NIGHT), tmp_path / str(NIGHT)))


def flips(folder: Path, *, n: int, seed: int) -> Iterator[str]:
    """Turn one bit of one file over, give its name, and turn it back; every file is drawn as often as another."""
    rng = random.Random(seed)
    names = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
    names = [name for name in names if name != "run.json" and (folder / name).stat().st_size]
    for name in [*names, *rng.choices(names, k=max(0, n - len(names)))][:n]:
        whole = (folder / name).read_bytes()
        content = bytearray(whole)
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        (folder / name).write_bytes(content)
        yield name
        (folder / name).write_bytes(whole)


def is_refused(folder: Path, name: str) -> bool:
    """Whether a changed file is told of as it is read, by its own name, and by whoever looks at the whole night."""
    told = changed_since(folder)
    if told is None or name not in told:
        return False
    if name == SUMS:
        return True
    try:
        read_kept(folder, name)
    except PublishError as fault:
        return name in str(fault)
    return False


def test_a_flipped_bit_anywhere_in_a_night_is_found_and_its_file_named(night: Path) -> None:
    assert changed_since(night) is None
    n = bad = 0
    for name in flips(night, n=100, seed=4):
        n += 1
        # A flipped digit in the sums is found at the file whose sum it was.
        bad += changed_since(night) is None if name == SUMS else not is_refused(night, name)
    counted("S1.nights", n, bad, seed=4, note="every file of a night")
    assert (n, bad) == (100, 0)


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_frame_that_was_changed_is_not_read(night: Path, name: str) -> None:
    path = night / frame_file(name)
    frame = pl.read_parquet(path)
    frame.with_columns(pl.lit("more").alias("more")).write_parquet(path)

    with pytest.raises(
        PublishError, match=rf"{frame_file(name)} is not the file that was saved \(published night {NIGHT}"
    ):
        read_frame(night, name)
    assert frame_file(name) in read_night(night).unusable


def test_a_changed_frame_of_the_current_night_is_not_carried_into_its_revision(
    first_night: Path, settings: Path, tmp_path: Path
) -> None:
    ours = copy_of(first_night, tmp_path / "ours")
    out = ours / "out"
    night = out / str(NIGHT)
    person, *others = (row["person_id"] for row in listed(night))
    reasons = pl.read_parquet(night / "reasons.parquet")
    reasons.with_columns(text=pl.lit("An invented reason")).write_parquet(night / "reasons.parquet")
    # Whoever may write here may put a link in place of a file, too.
    (tmp_path / "list.key").write_text("a secret that no page may show")
    (night / "card.md").unlink()
    (night / "card.md").symlink_to(tmp_path / "list.key")
    opt_out(ours / "county", "objection", person=person)

    withdraw(ours / "county", out=out, as_of=NIGHT, config=load_config(settings))

    now = current(out)
    assert now is not None
    assert now.name == f"{NIGHT}.r2"
    told = json.loads((now / "manifest.json").read_text())
    assert told["left_out"] == ["reasons.parquet"]
    assert {row["person_id"] for row in listed(now)} <= set(others)
    assert not (now / "reasons.parquet").exists()
    assert not (now / "card.md").exists()
    content = b"".join(path.read_bytes() for path in now.rglob("*") if path.is_file())
    assert b"a secret" not in content
    assert changed_since(now) is None


@pytest.mark.parametrize("damaged", [SUMS, "list.parquet", "manifest.json"])
def test_whoever_opted_out_is_off_a_night_of_which_a_single_bit_was_turned_over(
    first_night: Path, settings: Path, tmp_path: Path, damaged: str
) -> None:
    ours = copy_of(first_night, tmp_path / "ours")
    path = ours / "out" / str(NIGHT) / damaged
    person = listed(path.parent)[0]["person_id"]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    opt_out(ours / "county", "objection", person=person)

    withdraw(ours / "county", out=ours / "out", as_of=NIGHT, config=load_config(settings))

    now = current(ours / "out")
    assert now is not None
    assert now.name == f"{NIGHT}.r2"
    assert files_with(now, person) == []
    assert changed_since(now) is None


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda night: (night / SUMS).unlink(), SUMS),
        (lambda night: (night / "more.csv").write_text("more"), "more.csv"),
        (lambda night: (night / "agencies" / "fire.csv").unlink(), "agencies/fire.csv"),
        (lambda night: (night / "needs.parquet").rename(night / "need.parquet"), "need.parquet"),
        (
            lambda night: ((night / "group.json").unlink(), (night / "group.json").symlink_to("/etc/hosts")),
            "group.json",
        ),
        (lambda night: shutil.copy(night / "list.parquet", night / "scores.parquet"), "scores.parquet"),
    ],
)
def test_whatever_else_is_done_to_a_night_is_told(night: Path, change, named: str) -> None:
    change(night)

    assert named in (changed_since(night) or "")


def test_a_night_that_lost_its_sums_is_no_night_of_before(night: Path) -> None:
    (night / SUMS).unlink()

    with pytest.raises(PublishError, match="SHA256SUMS of the published night 2026-11-22 is missing"):
        read_frame(night, "listed")


def test_a_night_of_before_there_were_sums_is_read(night: Path) -> None:
    told = json.loads((night / "manifest.json").read_text())
    del told["sums"]
    (night / "manifest.json").write_text(json.dumps(told))
    (night / SUMS).unlink()

    assert changed_since(night) is None
    assert read_frame(night, "listed").height
    assert digest_of_night(night) is None


def test_nights_form_a_chain(night: Path, tmp_path: Path) -> None:
    later = tmp_path / "2026-11-29"
    later.mkdir()
    link = {"folder": night.name, "sums_sha256": digest_of_night(night)}
    (later / "manifest.json").write_text(json.dumps({"last_night": link}))
    seal_night(later)
    assert not broken_link(later, night)

    # Changed, and sealed again: the night itself cannot tell.
    (night / "needs.parquet").write_bytes((night / "list.parquet").read_bytes())
    seal_night(night)

    assert changed_since(night) is None
    assert broken_link(later, night)
