"""Paths and links that lead out of the folders of a run: tried in a process of its own that sees each file opened.

python -m helpers.paths HOME        HOME as `helpers.commands.prepared` makes it; prints a line of JSON for each
"""

import contextlib
import json
import os
import resource
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from ageingwell.contracts.registry import TABLES
from helpers.commands import LATER, Opened
from helpers.counties import NIGHT, copy_of

SECRET = "Zqxj-secret-4711"  # noqa: S105 - what no message may say
SECONDS = 60
# Options to write to, of each command, and the words that come with them.
NIGHT_OF = "--data {home}/county --as-of {night} --config {home}/settings/score.toml"
FOLDERS = {
    "init": "init {at}",
    "synth": "synth --people 50 --out {at}",
    "connect --samples": "connect --samples {at}",
    "connect --out": "connect {home}/raw --out {at}",
    "check": "check --data {home}/county --refused-to {at}",
    "pseudonymise": "pseudonymise --raw {home}/raw --out {at} --made-up-key 1",
    "score": f"score {NIGHT_OF} --out {{at}}",
    "withdraw": "withdraw --data {home}/county --as-of {night} --out {at}",
    "record --out": "record {home}/back.xlsx --out {at} --fix-to {home}/made/fix{n}",
    "record --fix-to": "record {home}/back.xlsx --out {home}/made/nights --recorded-on {later} --fix-to {at}",
    "evaluate": "evaluate --data {home}/county --out {at} --config {home}/settings/score.toml",
    "recalibrate": "recalibrate --data {home}/county --bundle {home}/bundle --out {at}",
    "train": "train --data {home}/county --out {at}",
    "impact": "impact --data {home}/county --nights {home}/made/nights --out {at}",
    "signoff --pack": "signoff --out {home}/made/nights --pack {at} --config {home}/settings/score.toml",
    "demo": "demo --people 50 --out {at}",
}
FILES = {
    "key new": "key new {at}",
    "explain --page": f"explain {{person}} {NIGHT_OF} --page {{at}}",
    "reidentify --out": "reidentify --list {home}/made/nights/current/agencies/gp.xlsx --register {home}/register.csv "
    "--reason visits --made-up-key 1 --out {at}.xlsx",
    "reidentify --log": "reidentify --list {home}/made/nights/current/agencies/gp.xlsx --register {home}/register.csv "
    "--reason visits --made-up-key 1 --out {home}/made/{n}.xlsx --log {at}",
    "add --out": "add --list {home}/made/nights/current/agencies/gp.xlsx --made-up-key 1 --out {at}.xlsx",
}
READ = {
    "--data": "check --data {at}",
    "--raw": "check --raw {at}",
    "--config": "check --data {home}/county --config {at}",
    "--list": "reidentify --list {at} --register {home}/register.csv --reason x --made-up-key 1 "
    "--out {home}/made/{n}.xlsx",
    "--register": "reidentify --list {home}/made/nights/current/agencies/gp.xlsx --register {at} --reason x "
    "--made-up-key 1 --out {home}/made/{n}.xlsx",
    "--people": "add --list {home}/made/nights/current/agencies/gp.xlsx --people {at} --made-up-key 1 "
    "--out {home}/made/{n}.xlsx",
    "--key-file": "pseudonymise --raw {home}/raw --out {home}/made/{n} --key-file {at}",
    "--list-key-file": f"score {NIGHT_OF} --out {{home}}/made/{{n}} --list-key-file {{at}}",
    "--bundle": "recalibrate --data {home}/county --out {home}/made/{n} --bundle {at}",
    "FILES": "record {at} --out {home}/made/nights",
}
SETTINGS = ("agencies", "permissions", "outreach", "interventions", "services", "may_lower", "training", "bundle")


# A table is read by `check` in a second or so: of all tables and kinds these, and all of them with `every`.
SOME = {(0, "a link to a file"), (1, "a pipe"), (2, "a link to a device"), (3, "a link to nothing")}
# A bundle is looked at when all tables are read. These end as the other values do, and are tried with `every`.
LONG = {("bundle", "../outside/pipe"), ("bundle", "/proc/self/environ")}


class Payload(NamedTuple):
    """A path or link that leads astray: its name, what puts it there, the command, and whether it has to be refused."""

    name: str
    put: Callable[[Path], object]
    words: str
    refused: bool = True


def link(to: str) -> Callable[[Path], object]:
    return lambda at: at.symlink_to(to if to.startswith("/") else at.parents[1] / "outside" / to)


KINDS: dict[str, Callable[[Path], object]] = {
    "a link to a file": link("secret.txt"),
    "a link to a folder": link("folder"),
    "a link to nothing": link("new"),
    "a link to a device": link("/dev/zero"),
    "a pipe": os.mkfifo,
    "a hard link": lambda at: os.link(at.parents[1] / "outside" / "secret.txt", at),
}


def payloads(*, every: bool) -> Iterator[Payload]:
    """Every payload: places to write to, files to read, links among the nights, the tables and the settings."""
    for name, words in (FOLDERS | FILES).items():
        for kind, put in KINDS.items():
            ending = ".xlsx" if "{at}.xlsx" in words else ""
            yield Payload(f"{name}: {kind}", lambda at, put=put, e=ending: put(at.with_name(at.name + e)), words)
        yield Payload(f"{name}: a device", lambda at: None, words.replace("{at}", "/dev/zero"))
        yield Payload(f"{name}: a NUL", lambda at: None, words.replace("{at}", "{at}\0x"))
        yield Payload(f"{name}: a name of 300 letters", lambda at: None, words.replace("{at}", "{at}" + "a" * 300))
    for name, words in READ.items():
        for kind in ("a link to a device", "a pipe", "a link to nothing"):
            yield Payload(f"{name}: {kind}", KINDS[kind], words)
        yield Payload(f"{name}: a NUL", lambda at: None, words.replace("{at}", "{at}\0x"))
        yield Payload(f"{name}: a device", lambda at: None, words.replace("{at}", "/dev/zero"))
    yield from _of_nights()
    for number, table in enumerate(TABLES):
        for kind in ("a link to a file", "a pipe", "a link to a device", "a link to nothing"):
            if every or (number, kind) in SOME:
                yield Payload(f"{table}.csv: {kind}", _table(f"{table}.csv", KINDS[kind]), "check --data {at}")
        for kind in ("a link to a file", "a pipe"):
            if every or (number, kind) in SOME:
                put = _table(f"{table}.csv", KINDS[kind], of="raw")
                yield Payload(f"raw {table}.csv: {kind}", put, "check --raw {at}")
    of_settings = f"score {NIGHT_OF} --out {{home}}/made/{{n}}".replace("{home}/settings", "{at}")
    for key in SETTINGS:
        for value in ("../outside/pipe", "../outside/secret.txt", "/proc/self/environ", "/dev/zero", "a\\u0000b"):
            if every or (key, value) not in LONG:
                yield Payload(f"{key} = {value}", _setting(key, value), of_settings)


def _of_nights() -> Iterator[Payload]:
    record = "record {home}/back.xlsx --out {at} --recorded-on {later} --fix-to {home}/made/fix{n}"
    for name in (".lock", "decisions.sqlite", "decisions.sqlite-wal", "decisions.sqlite-shm", "current", "current.txt"):
        for kind, put in KINDS.items():
            # A pointer that is text is written by replacing it; a log of SQLite that is a file with a second name too.
            yield Payload(f"nights/{name}: {kind}", _nights(name, put), record, refused=False)
    for name in ("DO_NOT_USE.txt", ".staging-mark", ".staging-pointer", f".staging-{NIGHT}", f"{NIGHT}.r2"):
        for kind in ("a link to a file", "a link to a folder", "a hard link"):
            # What a dead run left is removed, a link itself and not what it leads to.
            yield Payload(f"nights/{name}: {kind}", _nights(name, KINDS[kind]), record, refused=False)


def _nights(name: str, put: Callable[[Path], object]) -> Callable[[Path], object]:
    def placed(at: Path) -> None:
        copy_of(at.parents[1] / "made" / "nights", at)
        path = at / name
        if path.is_symlink() or path.exists():
            path.unlink()
        _put_in(at, path, put)

    return placed


def _table(name: str, put: Callable[[Path], object], *, of: str = "county") -> Callable[[Path], object]:
    def placed(at: Path) -> None:
        copy_of(at.parents[1] / of, at)
        for path in at.glob(f"{name.split('.')[0]}.*"):
            path.unlink()
        _put_in(at, at / name, put)

    return placed


def _setting(key: str, value: str) -> Callable[[Path], object]:
    def placed(at: Path) -> None:
        copy_of(at.parents[1] / "settings", at)
        text = (at / "score.toml").read_text()
        lines = [line for line in text.splitlines() if not line.startswith(f"{key} ")]
        (at / "score.toml").write_text("\n".join([f'{key} = "{value}"', *lines]))

    return placed


def _put_in(at: Path, path: Path, put: Callable[[Path], object]) -> None:
    """Put the payload at a path that lies a folder deeper than those it is written for."""
    near = at.parent / f"{at.name}-near"
    put(near)
    if near.is_symlink():
        path.symlink_to(near.readlink())
        near.unlink()
    else:
        near.rename(path)


def main(home: Path, *, every: bool) -> None:
    """Try every payload, and say of each how it ended and what it touched."""
    from click.testing import CliRunner

    from ageingwell.cli import cli

    signal.signal(signal.SIGALRM, _hangs)
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, resource.RLIM_INFINITY))
    outside, tries = home / "outside", home / "tries"
    for folder in (outside, outside / "folder", tries):
        folder.mkdir(mode=0o700)
    (outside / "secret.txt").write_text(f"nhs_number,name\n{SECRET},{SECRET}\n")
    (outside / "folder" / "notes.txt").write_text(SECRET)
    os.mkfifo(outside / "pipe")
    CliRunner().invoke(cli, ["synth", "--people", "50", "--raw", "--out", str(home / "raw")])
    shutil.rmtree(home / "settings" / "nothing", ignore_errors=True)
    opened = Opened([home / "made", tries, home / "tmp", home / "cache"])
    sys.addaudithook(opened)
    before = _looked_at(outside)
    for number, payload in enumerate(payloads(every=every)):
        at = tries / f"t{number}"
        payload.put(at)
        opened.outside.clear()
        told = {"home": home, "at": at, "n": number, "night": NIGHT, "later": LATER}
        words = payload.words.format(person=(home / "person.txt").read_text(), **told).split(" ")
        signal.alarm(SECONDS)
        with contextlib.redirect_stderr(sys.stdout):
            ran = CliRunner().invoke(cli, words)
        signal.alarm(0)
        raised = None if isinstance(ran.exception, SystemExit | None) else repr(ran.exception)
        after = _looked_at(outside)
        faults = {
            "raised": raised,
            "outside": sorted(set(opened.outside)),
            "touched": after != before,
            "secret": SECRET in ran.output,
            "done": payload.refused and ran.exit_code == 0,
        }
        told = {"payload": payload.name, "exit_code": ran.exit_code, "said": ran.output[-300:]}
        sys.stdout.write(json.dumps(told | {"faults": {name: found for name, found in faults.items() if found}}) + "\n")
        sys.stdout.flush()


def _hangs(_: int, __: object) -> None:
    raise TimeoutError("it hangs")


def _looked_at(folder: Path) -> dict[str, object]:
    """Every file below a folder as it is now: bytes, mode and size."""
    return {
        str(path): (path.read_bytes() if path.is_file() else None, path.lstat().st_mode)
        for path in sorted(folder.rglob("*"))
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), every=sys.argv[2:] == ["every"])
