"""A bundle is what was sealed, or it is refused: before a parser sees a byte, and always with a `BundleError`."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import lightgbm as lgb
import pytest
from click.testing import CliRunner
from helpers.evidence import counted
from helpers.sealed import seal_again

from ageingwell.bundle import find_bundle, load_bundle
from ageingwell.checksums import SUMS
from ageingwell.cli import cli
from ageingwell.config.score import ModelSettings
from ageingwell.errors import BundleError
from ageingwell.jobs.sealing import seal
from benchmarks.reliability.bit_flips import flip_bits, no_parser

FILES = sorted(path.name for path in find_bundle("demo").iterdir())
OTHERS = [name for name in FILES if name != SUMS]


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """A copy of the demonstration bundle, to change."""
    return Path(shutil.copytree(find_bundle("demo"), tmp_path / "demo"))


def load(folder: Path, **more: object) -> object:
    return load_bundle(folder, codelists=None, **more)  # type: ignore[arg-type]


def refused(folder: Path) -> str:
    with no_parser(), pytest.raises(BundleError) as told:
        load(folder)
    return str(told.value)


def test_flipped_bits_are_refused_before_any_parser_runs(demo: Path) -> None:
    found = flip_bits(demo, flips=600, seed=13)

    bad = {key: n for key, n in found.items() if key[1] != "refused"}
    counted("S1.bit_flips", found.total(), sum(bad.values()), seed=13)
    assert {name for name, _ in found} == set(FILES)
    assert bad == {}


# What somebody else does to a file of the bundle; `folder` is the bundle, `name` the file.
DAMAGES: dict[str, Callable[[Path, str], object]] = {
    "removed": lambda folder, name: (folder / name).unlink(),
    "emptied": lambda folder, name: (folder / name).write_bytes(b""),
    "cut by a byte": lambda folder, name: (folder / name).write_bytes((folder / name).read_bytes()[:-1]),
    "cut in half": lambda folder, name: (folder / name).write_bytes(
        (folder / name).read_bytes()[: (folder / name).stat().st_size // 2]
    ),
    "lengthened by a space": lambda folder, name: (folder / name).write_bytes((folder / name).read_bytes() + b" "),
    "doubled": lambda folder, name: (folder / name).write_bytes((folder / name).read_bytes() * 2),
    "renamed": lambda folder, name: (folder / name).rename(folder / f"{name}.txt"),
    "in capitals": lambda folder, name: (folder / name).write_bytes((folder / name).read_bytes().upper() + b"\n"),
    "with other line ends": lambda folder, name: (folder / name).write_bytes(
        (folder / name).read_bytes().replace(b"\n", b"\r\n")
    ),
    "behind a byte order mark": lambda folder, name: (folder / name).write_bytes(
        b"\xef\xbb\xbf" + (folder / name).read_bytes()
    ),
    "a link to itself elsewhere": lambda folder, name: (
        (folder / name).rename(folder.parent / name),
        (folder / name).symlink_to(folder.parent / name),
    ),
    "a link to nothing": lambda folder, name: ((folder / name).unlink(), (folder / name).symlink_to("nowhere")),
    "a folder": lambda folder, name: ((folder / name).unlink(), (folder / name).mkdir()),
    "a pipe": lambda folder, name: ((folder / name).unlink(), os.mkfifo(folder / name)),
    "in another's place": lambda folder, name: (folder / name).write_bytes(
        (folder / OTHERS[(OTHERS.index(name) + 1) % len(OTHERS)] if name in OTHERS else folder / "card.md").read_bytes()
    ),
}


def test_a_file_that_is_not_as_it_was_is_named(tmp_path: Path) -> None:
    told = {}
    for name in FILES:
        for number, (what, damage) in enumerate(DAMAGES.items()):
            folder = Path(shutil.copytree(find_bundle("demo"), tmp_path / f"{name}{number}" / "demo"))
            damage(folder, name)
            told[name, what] = refused(folder)
            shutil.rmtree(folder.parent)
    counted("S1.other_changes", len(told), 0, note="each change to each file of a bundle")
    unnamed = [case for case, sentence in told.items() if case[0] not in sentence]
    # Of a folder without sums every file is as good as the other; of a folder in the place of a file, that is told.
    assert [case for case in unnamed if case[0] != SUMS] == []
    assert all("ageingwell seal" in told["card.md", what] for what in ("doubled", "cut by a byte"))


@pytest.mark.parametrize("name", ["notes.txt", "model_death.txt", ".hidden", "evaluation.json~", "nested/file"])
def test_one_file_more_is_refused(demo: Path, name: str) -> None:
    (demo / name).parent.mkdir(exist_ok=True)
    (demo / name).write_text("more")

    assert name.partition("/")[0] in refused(demo)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "".join(reversed(text.splitlines(keepends=True))),
        lambda text: text.rstrip("\n"),
        lambda text: text + "\n",
        lambda text: text.replace("  ", " *"),
        lambda text: text + text.splitlines(keepends=True)[0],
        lambda text: "# sums\n" + text,
        lambda text: text.replace("  card.md", "  ./card.md"),
        lambda text: text.replace("  card.md", "  ../demo/card.md"),
        lambda text: re.sub("(?m)^.{64}  card.md\n", "", text),
        lambda text: re.sub("(?m)^(.{63}).  card.md", r"\g<1>g  card.md", text),
        lambda text: text.replace("model.txt", "MODEL.txt"),
        lambda text: "",
        lambda text: "0" * 5_000_000,
    ],
)
def test_sums_in_any_other_form_are_refused(demo: Path, change: Callable[[str], str]) -> None:
    text = (demo / SUMS).read_text()
    (demo / SUMS).write_text(change(text))
    assert (demo / SUMS).read_text() != text

    refused(demo)


def test_the_program_that_everybody_has_reads_the_sums(demo: Path) -> None:
    checker = shutil.which("sha256sum")
    if checker is None:
        pytest.skip("no sha256sum on this system")
    subprocess.run([checker, "--check", "--strict", "--quiet", SUMS], cwd=demo, check=True)


def test_files_of_two_sealed_bundles_do_not_mix(demo: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(demo, tmp_path / "other"))
    facts = json.loads((other / "bundle.json").read_text())
    facts["outcomes"]["loss_of_independence"]["calibration"]["intercept"] += 1.0
    (other / "bundle.json").write_text(json.dumps(facts))
    (other / "card.md").write_text("another card")
    seal_again(other)
    load(other)

    for name in ("bundle.json", "card.md", SUMS):
        mixed = Path(shutil.copytree(demo, tmp_path / f"mixed {name}"))
        shutil.copy(other / name, mixed / name)
        refused(mixed)


def test_a_card_that_leads_to_a_key_is_never_read(demo: Path, tmp_path: Path) -> None:
    key = tmp_path / "list.key"
    key.write_text("a secret")
    (demo / "card.md").unlink()
    (demo / "card.md").symlink_to(key)

    assert "card.md is a link, or no file" in refused(demo)
    with pytest.raises(BundleError, match=r"card\.md is a link"):
        seal(demo)


# Sealed nonsense: sums say that nothing was changed, not that it was ever a model.


@pytest.fixture
def quick_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    """LightGBM's parser, asked once for each text."""
    monkeypatch.setattr(lgb, "Booster", lru_cache(lambda model_str, parse=lgb.Booster: parse(model_str=model_str)))


def _places(value: object, at: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """Every place in plain data, of lists the first entry alone."""
    found = [at] if at else []
    inside = value.items() if isinstance(value, dict) else list(enumerate(value))[:1] if isinstance(value, list) else ()
    return found + [place for key, one in inside for place in _places(one, (*at, key))]


def test_sealed_nonsense_ends_in_a_bundle_error_or_in_a_bundle(demo: Path, quick_trees: None) -> None:
    text = (demo / "bundle.json").read_text()
    places = [place for place in _places(json.loads(text)) if len(place) < 6]
    wrong = (None, "x", -1, [], {}, [[]], 1e308, True)
    ended: dict[str, int] = {"refused": 0, "read": 0}
    for number, place in enumerate(places[:: max(1, len(places) // 60)][:60]):
        facts = json.loads(text)
        inner = facts
        for key in place[:-1]:
            inner = inner[key]
        if number % 2:
            inner[place[-1]] = wrong[number // 2 % len(wrong)]
        else:
            del inner[place[-1]]
        (demo / "bundle.json").write_text(json.dumps(facts))
        seal_again(demo)
        try:
            load(demo)
            ended["read"] += 1
        except BundleError:
            ended["refused"] += 1
    assert sum(ended.values()) == 60
    assert ended["refused"] > 8


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"[]", b"null", b"1", b'"x"', b"\xff", b"{}", b'{"format": 5}', b'{"format": []}', b"[" * 100_000),
        *(b'{"format": ' + b"9" * 5_000 + b"}", b'{"a":' * 50_000, b'{"format": 5, "outcomes": {"death": 1}}'),
    ],
)
@pytest.mark.parametrize("name", ["bundle.json", "evaluation.json", "lookup.json"])
def test_sealed_text_that_is_no_bundle_ends_in_a_bundle_error(demo: Path, name: str, content: bytes) -> None:
    (demo / name).write_bytes(content)
    seal_again(demo)

    with pytest.raises(BundleError):
        load(demo)


# Sealing


def test_a_card_is_filled_in_and_sealed_again_and_nothing_else_is(demo: Path) -> None:
    filled = (demo / "card.md").read_text() + "\nOwner: the programme office.\n"
    (demo / "card.md").write_text(filled)
    assert "ageingwell seal" in refused(demo)

    seal(demo)

    assert load(demo).card == filled  # type: ignore[attr-defined]
    (demo / "evaluation.json").write_text("{}\n")
    with pytest.raises(BundleError, match=r"evaluation\.json is not the file that was saved"):
        seal(demo)


def as_before(folder: Path) -> None:
    """Make of a bundle one that the last version without sums wrote."""
    path = folder / "bundle.json"
    path.write_text(re.sub(r'"format": [56]', '"format": 4', path.read_text(), count=1))
    for name in (SUMS, "lookup.json"):
        (folder / name).unlink()


def test_a_bundle_of_before_is_told_how_to_be_sealed_and_one_that_lost_its_sums_is_not(demo: Path) -> None:
    as_before(demo)
    assert f"ageingwell seal {demo}" in refused(demo)

    told = seal(demo).told

    assert "nobody can say whether it was changed before" in " ".join(told)
    assert load(demo).facts["format"] == 4  # type: ignore[attr-defined]
    text = (demo / "bundle.json").read_text()
    (demo / "bundle.json").write_text(re.sub(r'"format": 4', '"format": 5', text, count=1))
    (demo / SUMS).unlink()
    with pytest.raises(BundleError, match="SHA256SUMS is missing"):
        seal(demo)


def test_a_bundle_of_before_with_a_changed_model_is_not_sealed(demo: Path) -> None:
    as_before(demo)
    (demo / "model.txt").write_text((demo / "model.txt").read_text().replace("leaf_value=", "leaf_value=1", 1))

    with pytest.raises(BundleError, match=r"model\.txt is not the file that was saved"):
        seal(demo)


@pytest.mark.parametrize(("asked", "is_read"), [("2026-01-01", False), ("2020-01-01", True)])
def test_an_older_bundle_put_back_is_refused_where_the_settings_say_so(demo: Path, asked: str, is_read: bool) -> None:
    trust = ModelSettings(trained_on_or_after=asked)
    if is_read:
        load(demo, trust=trust)
        return
    with pytest.raises(BundleError, match=r"trained on records up to .* and the settings ask for 2026-01-01"):
        load(demo, trust=trust)


@pytest.mark.parametrize(
    ("change", "code", "told"),
    [
        (lambda folder: None, 0, "sealed: "),
        (lambda folder: (folder / "card.md").write_text("filled in"), 0, "SHA-256 of its SHA256SUMS: "),
        (lambda folder: (folder / "model.txt").write_text("tree"), 8, "model.txt is not the file that was saved"),
        (lambda folder: shutil.rmtree(folder), 8, "there is no saved model of this name"),
        (lambda folder: [path.unlink() for path in folder.iterdir()], 8, "there is no model bundle here"),
        (lambda folder: as_before(folder), 0, "nobody can say whether it was changed before"),
    ],
)
def test_the_command_seals_or_says_why_not(demo: Path, change, code: int, told: str) -> None:
    change(demo)

    ran = CliRunner().invoke(cli, ["seal", str(demo)])

    assert ran.exit_code == code, ran.output
    assert told in ran.output
