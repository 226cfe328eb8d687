"""The edges of the command line: every command under every code page, every path that cannot be opened, each ending."""

import errno
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from helpers.counties import NIGHT, copy_of, listed

import ageingwell
from ageingwell.__main__ import main
from ageingwell.cli import cli
from ageingwell.governance.night_facts import NightFacts
from ageingwell.kept.reading import read_night
from ageingwell.night.score import OutreachRun

CODE_PAGES = ("cp1252", "cp850", "latin-1", "ascii", "utf-8")
# What each path is for decides the exit code.
CODES = {
    **dict.fromkeys(("data", "raw", "listed", "register", "people", "lsoa_lookup", "approval", "id_file"), 4),
    "sign": 8,  # the bundle, which is not there, is looked at first
    **dict.fromkeys(("config_path",), 3),
    **dict.fromkeys(("key_file", "list_key_file"), 7),
    "against": 32,
    **dict.fromkeys(
        ("out", "nights", "after", "pack", "page", "log", "refused_to", "fix_to", "folder", "samples", "bundle"), 9
    ),
    "files": 20,
}


def commands(group: click.Group = cli, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*above, name))
        else:
            yield (*above, name), command


COMMANDS = dict(commands())
PATHS = [
    (words, param.name)
    for words, command in COMMANDS.items()
    for param in command.params
    if isinstance(param.type, click.Path)
]

WRITING_FILES = (("reidentify",), ("add",), ("approve",), ("key", "derive"))
FOLDERS = [at for at in PATHS if at[1] in ("data", "raw", "out", "refused_to", "fix_to") and at[0] not in WRITING_FILES]


class Heard(io.TextIOWrapper):
    """A stream of a code page, which keeps in mind what was said before it was written in that."""

    def __init__(self, code_page: str) -> None:
        super().__init__(io.BytesIO(), encoding=code_page, errors="strict")
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return super().write(text)


def spoken(
    words: tuple[object, ...], code_page: str, monkeypatch: pytest.MonkeyPatch, streams: tuple[Heard, ...] = ()
) -> tuple[int, bytes, bytes]:
    """Run the command as its own program would, with streams of this code page: exit code, output, errors."""
    streams = streams or (Heard(code_page), Heard(code_page))
    with monkeypatch.context() as patch:
        patch.setattr(sys, "argv", ["ageingwell", *map(str, words)])
        patch.setattr(sys, "stdout", streams[0])
        patch.setattr(sys, "stderr", streams[1])
        with pytest.raises(SystemExit) as ended:
            main()
        for stream in streams:
            stream.flush()
    return int(ended.value.code or 0), *(stream.buffer.getvalue() for stream in streams)


def run(*words: object) -> Result:
    ran = CliRunner().invoke(cli, [str(word) for word in words])
    assert ran.exception is None or isinstance(ran.exception, SystemExit), repr(ran.exception)
    return ran


@pytest.fixture(scope="module")
def night(first_night: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A county, its first published night, and one of its people's raw extract."""
    folder = copy_of(first_night, tmp_path_factory.mktemp("edges") / "night")
    (folder / "raw").mkdir()
    (folder / "raw" / "homes.csv").write_text("uprn,tenure,naïve –\n7,owner_occupied,x\n", encoding="utf-8")
    (folder / "register.csv").write_text("nhs_number,name\n9990000018,Zoë\n", encoding="utf-8")
    return folder


# Code pages


@pytest.mark.parametrize("code_page", CODE_PAGES)
def test_the_help_of_every_command_is_printed_under_every_code_page(code_page, monkeypatch):
    for words in ((), *COMMANDS):
        code, out, _ = spoken((*words, "--help"), code_page, monkeypatch)

        assert (code, out[:6]) == (0, b"Usage:")


def answers(night: Path, settings: Path, at: Path) -> list[tuple[object, ...]]:
    """A command of every kind that answers in words, and ends well."""
    person = listed(night / "out" / "current")[0]["person_id"]
    data = ("--data", night / "county")
    return [
        ("explain", person, *data, "--as-of", NIGHT, "--config", settings),
        ("check", *data, "--config", settings),
        ("score", *data, "--as-of", NIGHT, "--out", night / "out", "--config", settings),
        ("record", night / "out" / "current" / "group.xlsx", "--out", night / "out", "--dry-run"),
        ("views", "explain", "fire", "--config", settings),
        ("pseudonymise", "--raw", night / "raw", "--out", at / "made", "--made-up-key", 1),
        ("reidentify", "--list", night / "out" / "current" / "list.parquet", "--register", night / "register.csv",
         "--made-up-key", 1, "--reason", "visit_agreed", "--case", "7", "--out", at / "found.csv"),
        ("add", "--list", night / "out" / "current" / "agencies" / "gp.xlsx", "--out", at / "back.xlsx",
         "--made-up-key", 5),
        ("synth", "--people", 60, "--out", at / "synth", "--check-rates"),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def said(night: Path, settings: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str, bytes]]:
    """Of each command on a poor code page: how it ended, what it says, and what of that was written.

    What `score` and `views` say is said of the night that is there: no other is worked out.
    """
    told, kept = {}, read_night(night / "out" / str(NIGHT))
    there = OutreachRun(kept.folder, True, True, kept.frames, NightFacts.from_plain(kept.facts))
    with pytest.MonkeyPatch.context() as patch:
        for scored in ("ageingwell.night.score.score", "ageingwell.jobs.viewing.score"):
            patch.setattr(scored, lambda *_, **__: there)
        for words in answers(night, settings, tmp_path_factory.mktemp("said")):
            streams = (Heard("cp850"), Heard("cp850"))
            code, out, _ = spoken(words, "cp850", patch, streams)
            told[str(words[0])] = (code, streams[0].text, out)
    return told


def test_every_command_answers_in_words_on_a_poor_code_page(said):
    for command, (code, text, out) in said.items():
        assert code == 0, command
        assert out.strip()
        assert len(out.decode("cp850").splitlines()) == len(text.splitlines())


@pytest.mark.parametrize("code_page", CODE_PAGES)
def test_every_answer_in_words_is_printed_under_every_code_page(said, code_page, monkeypatch):
    """No command asks what its streams can write, so what it says is the same on each."""
    for command, (_, text, _) in said.items():
        with monkeypatch.context() as patch:
            patch.setitem(cli.commands, "said", click.Command("said", callback=lambda text=text: click.echo(text)))
            code, out, err = spoken(("said",), code_page, monkeypatch)

        assert (code, err) == (0, b""), command
        if code_page == "utf-8":
            assert out.decode("utf-8") == f"{text}\n"
        # Click takes a console that says ASCII for one that was never set up, and writes UTF-8.
        written = out.decode("utf-8" if code_page == "ascii" else code_page)
        assert len(written.splitlines()) == len(f"{text}\n".splitlines())
        assert out.strip()


def test_a_minus_that_the_code_page_lacks_stays_a_minus(monkeypatch):
    @click.command()
    def said() -> None:
        click.echo("−3 in 100, £5, Zoë, 65–74, 山")

    for code_page, words in {
        "utf-8": "−3 in 100, £5, Zoë, 65–74, 山",
        "cp1252": "-3 in 100, £5, Zoë, 65–74, ?",
        "cp850": "-3 in 100, £5, Zoë, 65-74, ?",
    }.items():
        with monkeypatch.context() as patch:
            patch.setitem(cli.commands, "said", said)
            _, out, _ = spoken(("said",), code_page, monkeypatch)
        assert out.decode(code_page) == f"{words}\n"


@pytest.mark.parametrize("code_page", CODE_PAGES)
def test_every_error_is_printed_under_every_code_page(code_page, monkeypatch, tmp_path):
    for words, code in {("check", "--data", tmp_path / "−naïve\udcff"): 4, ("explain", "–", "--as-of", "…"): 2}.items():
        ended, out, err = spoken(words, code_page, monkeypatch)

        assert (ended, out) == (code, b"")
        assert b"Traceback" not in err


# Paths


def place(kind: str, at: Path) -> str:
    """A path that cannot be opened."""
    (at / "file").write_text("x")
    (at / "loop").symlink_to(at / "loop")
    places = {
        "below a file": at / "file" / "x",
        "a link to itself": at / "loop",
        "too long a name": at / ("a" * 300),
        "too deep": at.joinpath(*["b" * 200] * 30),
        "not UTF-8": at / "\udcff" / "x",
    }
    return str(places[kind])


def words_for(name: str, path: str, command: click.Command, at: Path, county: Path) -> list[str]:
    """The words of a command that is right but for one path."""
    (at / "list.csv").write_text(f"person_id\n{'b' * 32}\n")
    (at / "register.csv").write_text("nhs_number\n9990000018\n")
    (at / "list.key").write_text(sha256(b"a key of a test").hexdigest())
    (at / "list.key").chmod(0o600)
    right = {
        "data": county, "raw": county, "out": at / "out", "listed": at / "list.csv", "register": at / "register.csv",
        "files": at / "list.csv", "as_of": NIGHT, "people": 60, "person_id": "b" * 32, "recipient": "gp",
        "reason": "visit_agreed", "case": "7", "key_file": at / "list.key",
        "bundle": at / "bundle", "pack": at / "pack", "nights": at / "nights",
    }  # fmt: skip
    # Whom these are about may be said in other ways too, so neither is required.
    also = {"forget": ("person_id",), "person": ("person_id",)}.get(str(command.name), ())
    words = ["--json"] if command.name == "person" and name != "page" else []
    for param in command.params:
        if param.name == name or param.required or param.name in also:
            value = path if param.name == name else str(right[str(param.name)])
            words += [value] if isinstance(param, click.Argument) else [param.opts[0], value]
    return words


@pytest.mark.parametrize("kind", ["below a file", "a link to itself", "too long a name", "too deep", "not UTF-8"])
@pytest.mark.parametrize(("words", "name"), PATHS, ids=str)
def test_every_path_that_cannot_be_opened_ends_with_its_code_and_a_sentence(words, name, kind, tmp_path, small_county):
    told = words_for(name, place(kind, tmp_path), COMMANDS[words], tmp_path, small_county)
    before = sorted(tmp_path.iterdir())

    ran = run(*words, *told)

    # These look for the night first: without one no key is needed.
    of_no_night = {"record": 20, "forget": 9, "person": 9} if name == "list_key_file" else {}
    # `score` and `withdraw` withdraw people before they look at anything else, so they make their folder.
    looks_later = words[0] in ("score", "withdraw") and name in ("data", "config_path")
    made = {path.name for path in tmp_path.iterdir()} - {path.name for path in before}
    assert made <= ({"out"} if name == "list_key_file" or looks_later else set())
    if looks_later and words[0] == "withdraw":
        assert (ran.exit_code, "no current list" in ran.stdout) == (0, True)
        return
    assert ran.exit_code == of_no_night.get(words[0], CODES[name])
    assert "What to do: " in ran.stderr
    assert ran.stdout == ""


@pytest.mark.parametrize(("words", "name"), FOLDERS, ids=str)
def test_a_folder_that_may_not_be_looked_into_ends_with_its_code(words, name, tmp_path, small_county, monkeypatch):
    closed = tmp_path / "closed"
    closed.mkdir()
    told = words_for(name, str(closed), COMMANDS[words], tmp_path, small_county)
    # Who cannot see whether people are made up asks for the key first.
    told += ["--list-key-file", str(tmp_path / "list.key")] if words[0] == "score" else []
    looked, asked = os.scandir, Path.lstat

    def scandir(path: Path) -> object:
        if Path(path) == closed:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return looked(path)

    def lstat(path: Path) -> os.stat_result:
        if path.parent == closed:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return asked(path)

    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr(Path, "lstat", lstat)
    ran = run(*words, *told)

    if (words[0], name) == ("withdraw", "data"):
        # There is no list here from which anybody had to come off.
        assert (ran.exit_code, "no current list" in ran.stdout) == (0, True)
        return
    assert ran.exit_code == CODES[name]
    assert "Permission denied" in ran.stderr


@pytest.mark.parametrize("name", ["listed", "register", "lsoa_lookup", "config_path", "files"])
def test_a_device_or_pipe_in_place_of_a_file_is_refused_and_never_waited_for(name, tmp_path, small_county):
    os.mkfifo(tmp_path / "pipe")
    for path in ("/dev/zero", str(tmp_path / "pipe")):
        words = next(words for words, of in PATHS if of == name)
        told = words_for(name, path, COMMANDS[words], tmp_path, small_county)

        ran = run(*words, *told)

        assert ran.exit_code == CODES[name]
        assert "is not a file on a disk" in ran.stderr


def test_an_empty_path_is_not_taken_for_the_folder_we_are_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert run("synth", "--people", 60, "--out", "").exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_a_lost_settings_file_is_not_quietly_replaced_by_the_shipped_one(settings, tmp_path):
    for name in ("permissions.toml", "agencies.toml", "outreach.toml"):
        own = copy_of(settings.parent, tmp_path / name)
        (own / name).unlink(missing_ok=True)
        (own / name).symlink_to("nowhere")

        ran = run("views", "explain", "gp", "--config", own / "score.toml")

        assert (ran.exit_code, name in ran.stderr) == (3, True)


@pytest.mark.parametrize("name", ["codelists", "places.csv.gz", "codelists/fall.csv"])
def test_settings_that_may_not_be_read_are_named(settings, name, tmp_path):
    own = copy_of(settings.parent, tmp_path / "own")
    shipped = Path(ageingwell.__file__).parents[2] / "configs"
    (own / "codelists").mkdir()
    for path in (shipped / "codelists").glob("*.csv"):
        (own / "codelists" / path.name).write_bytes(path.read_bytes())
    (own / name).rename(own / "moved") if (own / name).exists() else None
    (own / name).symlink_to(own / name)

    ran = run("views", "explain", "gp", "--config", own / "score.toml")

    assert (ran.exit_code, Path(name).name in ran.stderr) == (3, True)


# Endings


def raising(fault: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_args: object, **_settings: object) -> None:
        raise fault

    monkeypatch.setattr("ageingwell.jobs.checking.check", stopped)


def test_what_no_layer_foresaw_ends_with_the_code_of_the_path_it_happened_below(small_county, monkeypatch):
    inside = str(small_county / "gp_events.parquet")
    raising(PermissionError(errno.EACCES, "Permission denied", inside), monkeypatch)
    ran = run("check", "--data", small_county)

    assert ran.exit_code == 4
    assert ran.stderr.splitlines()[-1].startswith("Error: gp_events.parquet cannot be read (Permission denied)")

    raising(OSError(errno.ENOSPC, "No space left on device"), monkeypatch)
    ran = run("check", "--data", small_county)

    assert ran.exit_code == 9
    assert "No space left on device" in ran.stderr


def test_ctrl_c_ends_with_130_and_output_that_nobody_reads_with_141_and_silence(small_county, monkeypatch):
    raising(KeyboardInterrupt(), monkeypatch)
    assert run("check", "--data", small_county).exit_code == 130

    raising(BrokenPipeError(errno.EPIPE, "Broken pipe"), monkeypatch)
    ran = run("check", "--data", small_county)
    assert (ran.exit_code, ran.output) == (141, "")


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="pipes and devices of POSIX")
@pytest.mark.parametrize("words", [("--help",), ("init",)])
def test_a_reader_who_has_gone_and_a_full_disk_leave_no_traceback(words, tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    endings = {}
    for name, out in (("gone", writer), ("full", os.open("/dev/full", os.O_WRONLY))):
        done = subprocess.run(
            [sys.executable, "-m", "ageingwell", *words, *([tmp_path / name] if words == ("init",) else [])],
            stdout=out,
            stderr=subprocess.PIPE,
            timeout=120,
            check=False,
        )
        os.close(out)
        told = [line for line in done.stderr.decode().splitlines() if not line.startswith('{"event": "stage"')]
        endings[name] = (done.returncode, len(told))

    assert endings == {"gone": (141, 0), "full": (9, 1)}
