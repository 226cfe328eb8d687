"""Every command, run once in a process of its own in which each opening of a file, and each mode, is looked at.

python -m helpers.commands HOME [NAME ...]     HOME as `prepared` makes it; prints a line of JSON for each command
"""

import errno
import json
import os
import shlex
import shutil
import stat
import sys
import time
from collections.abc import Callable, Collection
from datetime import timedelta
from pathlib import Path

from ageingwell.agency.matching import LOG
from ageingwell.disk import Disk
from helpers.counties import AUDIT, NIGHT, copy_of, listed
from helpers.stopping import Failing, watching

LATER = NIGHT + timedelta(days=7)
# `{home}` holds what is read, and `{made}` is the one folder to write to, beside the temporary one and the cache.
COMMANDS = {
    "init": "init {made}/ours",
    "synth": "synth --people 60 --out {made}/county --dirty 0.1",
    "synth --raw": "synth --people 60 --out {made}/raw --raw",
    "key new": "key new {made}/agency.key",
    "connect --samples": "connect --samples {made}/samples",
    "connect --out": "connect {made}/raw --out {made}/drafted --extracted-on {night}",
    "check --raw": "check --raw {made}/raw --refused-to {made}/refused_raw",
    "pseudonymise": "pseudonymise --raw {made}/raw --out {made}/tables --made-up-key 1",
    "check": "check --data {made}/county --refused-to {made}/refused",
    "score": "score --data {home}/county --as-of {night} --out {made}/out --config {home}/settings/score.toml",
    "withdraw": "withdraw --data {home}/changed --as-of {later} --out {made}/nights",
    "record": "record {home}/back.xlsx --out {made}/nights --recorded-on {later} --fix-to {made}/fixes",
    "explain --page": "explain {person} --data {home}/county --as-of {night} --page {made}/page.html "
    "--config {home}/settings/score.toml",
    "signoff": "signoff --out {made}/nights --pack {made}/pack --night {night} --config {home}/settings/score.toml",
    "signoff --sign": "signoff --sign --out {made}/nights --pack {made}/pack --role 'meeting chair' --name A "
    "--config {home}/settings/score.toml",
    "reidentify": "reidentify --list {made}/nights/current/agencies/gp.xlsx --register {home}/register.csv "
    "--out {made}/who.xlsx --reason visit_agreed --case 7 --made-up-key 1",
    "key derive": "key derive {made}/agency.key --recipient fire --out {made}/fire.key",
    "approve": "approve --list {made}/nights/current/agencies/gp.xlsx --out {made}/approval.toml "
    "--reason visit_agreed --case 7 --made-up-key 1",
    "add": "add --list {made}/nights/current/agencies/gp.xlsx --out {made}/send.xlsx --made-up-key 1",
    "evaluate": "evaluate --data {home}/county --out {made}/evaluated --config {home}/settings/score.toml",
    "recalibrate": "recalibrate --data {home}/county --bundle {home}/bundle --out {made}/moved",
    "impact": "impact --data {home}/county --nights {made}/nights --out {made}/impact "
    "--config {home}/settings/score.toml",
    "demo": "demo --out {made}/demo --people 50",
}
# Exit codes that say no more than what the small county is: rows to refuse, too few people, a row to correct.
FINE = (0, 5, 10, 22)


def prepared(home: Path, *, first_night: Path, settings: Path, bundle: Path, reader: Callable[..., object]) -> Path:
    """Put together what the commands read; `reader` fills in a list (`helpers.filled.fill`)."""
    home.mkdir(mode=0o700)
    for name, there in {"county": first_night / "county", "settings": settings.parent, "bundle": bundle}.items():
        copy_of(there, home / name)
    changed = copy_of(first_night / "county", home / "changed")
    person = listed(first_night / "out" / str(NIGHT))[0]["person_id"]
    from helpers.counties import new_version
    from helpers.filled import keys_of

    new_version(changed, person, died_on=NIGHT)
    book = first_night / "out" / "current" / "agencies" / "gp.xlsx"
    # The first row is mended; the second has a word that nobody knows, so that a file to correct is written.
    keys = keys_of(book)[1:3]
    reader(book, {keys[0]: {"told": "Yes"}, keys[1]: {"told": "Perhaps"}}, to=home / "back.xlsx")
    (home / "register.csv").write_text("nhs_number,name\n9990001006,A Person\n")
    (home / "person.txt").write_text(listed(first_night / "out" / str(NIGHT))[1]["person_id"])
    made = home / "made"
    # The log of `explain`, which makes no folder.
    audit = home / "settings" / settings.name
    audit.write_text(audit.read_text().replace("[audit]", f'[audit]\nfile = "{made}/audit.jsonl"'))
    for folder in (made, home / "tmp", home / "cache"):
        folder.mkdir(mode=0o700)
    copy_of(first_night / "out", made / "nights")
    for path in (made / "nights", *(made / "nights").rglob("*")):
        if not path.is_symlink():
            path.chmod(0o700 if path.is_dir() else 0o600)
    return home


def environment(home: Path) -> dict[str, str]:
    """Where a command may put what it needs for itself."""
    ours = {
        "HOME": str(home / "tmp"),
        "TMPDIR": str(home / "tmp"),
        "AGEINGWELL_CACHE": str(home / "cache"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    # A command that ran in this process before has set where Matplotlib keeps its own, which would be elsewhere.
    rest = {name: value for name, value in os.environ.items() if name != "MPLCONFIGDIR"}
    return {**rest, **ours, "PYTHONWARNINGS": "ignore"}


def words_of(command: str, home: Path) -> list[str]:
    """A command as the words of a command line."""
    told = {"home": home, "made": home / "made", "night": NIGHT, "later": LATER}
    return shlex.split(command.format(person=(home / "person.txt").read_text(), **told))


WRITES = frozenset(Failing.WRITES - {"rename", "replace", "swap"})


class Opened:
    """Listens to the interpreter: what is opened to write, made, renamed or removed outside the roots."""

    CHANGES = frozenset({"os.mkdir", "os.remove", "os.rmdir", "os.rename", "os.link", "os.symlink", "os.truncate"})
    WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

    def __init__(self, roots: list[Path]) -> None:
        self.roots = [root.resolve() for root in roots]
        self.outside: list[str] = []

    def __call__(self, event: str, facts: tuple[object, ...]) -> None:
        if event == "open" and isinstance(facts[2], int) and facts[2] & self.WRITES:
            self._look(facts[0])
        elif event in self.CHANGES:
            # Of a symbolic link the first is the text that it holds.
            for path in {"os.rename": facts[:2], "os.link": facts[:2], "os.symlink": facts[1:2]}.get(event, facts[:1]):
                self._look(path)

    def _look(self, path: object) -> None:
        if not isinstance(path, str | bytes | os.PathLike) or os.fspath(path) in (os.devnull, b"/dev/null"):
            return
        place = Path(os.path.realpath(Path(os.fsdecode(path)).parent)) / Path(os.fsdecode(path)).name
        if not any(place.is_relative_to(root) for root in self.roots):
            self.outside.append(str(place))


def open_to_others(*folders: Path) -> list[str]:
    """What somebody else may read, write or look into."""
    found = [path for folder in folders for path in (folder, *folder.rglob("*")) if not path.is_symlink()]
    return [str(path) for path in found if stat.S_IMODE(path.lstat().st_mode) & 0o077]


def main(home: Path, names: Collection[str]) -> None:
    """Run commands, or all where none is named, under umask 000 and say of each what it left and opened."""
    from click.testing import CliRunner

    from ageingwell.cli import cli

    os.umask(0)
    opened = Opened([home / "made", home / "tmp", home / "cache"])
    sys.addaudithook(opened)
    wide: list[str] = []
    seen = 0

    def watch(self: Disk, moment: str, operation: str, *paths: Path) -> None:
        nonlocal seen
        for path in paths:
            if moment != "before" and path.is_relative_to(home) and not path.is_symlink() and path.exists():
                seen += 1
                wide.extend([f"{operation} {path}"] if stat.S_IMODE(path.lstat().st_mode) & 0o077 else [])

    Disk.watch = watch  # type: ignore[method-assign]
    for name in names or COMMANDS:
        opened.outside.clear()
        wide.clear()
        begun = time.process_time()
        ran = CliRunner().invoke(cli, words_of(COMMANDS[name], home))
        fault = ran.exception if not isinstance(ran.exception, SystemExit | None) else None
        told = {
            "command": name,
            "exit_code": ran.exit_code,
            "fault": None if fault is None else repr(fault),
            "said": ran.output[-400:],
            "outside": sorted(set(opened.outside)),
            "wide": [*dict.fromkeys(wide), *open_to_others(home / "made", home / "tmp", home / "cache")],
            "left": sorted(path.name for path in (home / "tmp").iterdir()),
            "seen": seen,
            "seconds": round(time.process_time() - begun, 2),
        }
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


# What may go wrong with a place, by the operations that it stops: where, which, with which error.
FAULTS = {
    "temporary folder full": ("tmp", WRITES, errno.ENOSPC),
    "temporary folder read-only": ("tmp", WRITES, errno.EROFS),
    "no temporary folder": (None, frozenset[str](), 0),
    "output full": ("made", WRITES, errno.ENOSPC),
    "output full at the end": ("made", frozenset({"sync_file"}), errno.ENOSPC),
    "output read-only": ("made", WRITES | {"rename", "replace", "swap"}, errno.EROFS),
}
# These put nothing aside in the temporary folder.
WITHOUT_TEMPORARY = frozenset({
    "init", "synth", "synth --raw", "key new", "connect --samples", "pseudonymise", "score", "withdraw", "record",
    "reidentify", "add", "demo", "key derive", "approve", "signoff", "signoff --sign",
})  # fmt: skip
# These take seconds before they come to their output; what a night's folder does is told in tests of its own.
LONG = frozenset({"score", "withdraw", "evaluate", "recalibrate", "impact", "demo"})


class Refusing(Disk):
    """A disk on which a place takes nothing, as when it is full."""

    def __init__(self, place: Path | None, operations: frozenset[str], number: int) -> None:
        self.place, self.operations, self.number = place, operations, number

    def watch(self, moment: str, operation: str, *paths: Path) -> None:
        is_there = self.place is not None and paths[-1].is_relative_to(self.place)
        if moment == "before" and operation in self.operations and is_there:
            raise OSError(self.number, os.strerror(self.number), str(paths[-1]))


LOGS = (".lock", LOG, AUDIT[0], ".staging-")


def _files(folder: Path) -> dict[str, bytes]:
    """The files of a folder; without the log of who was looked up, whose line comes before anything else."""
    every = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith(LOGS))
    return {str(path): path.read_bytes() for path in every}


def case(fault: str, name: str) -> bool:
    """Whether a command meets a fault at all."""
    return name not in (WITHOUT_TEMPORARY if "output" not in fault else {"check --raw"})


def is_quick(fault: str, name: str) -> bool:
    """Whether a case belongs to the tests; all are tried by `python -m benchmarks.reliability full_disks`."""
    return "output" not in fault or (fault == "output full" and name not in LONG)


def faults(home: Path, *, commands: Callable[[str, str], bool]) -> None:
    """Run the commands under each fault, and say how each ended and whether anything changed."""
    from click.testing import CliRunner

    from ageingwell.cli import cli

    # Some read what others made.
    for name in ("synth", "synth --raw", "signoff"):
        CliRunner().invoke(cli, words_of(COMMANDS[name], home))
    copy_of(home / "made", home / "was")
    before = _files(home / "made")
    for fault, (where, operations, number) in FAULTS.items():
        for name, command in COMMANDS.items():
            if not case(fault, name) or not commands(fault, name):
                continue
            os.environ["TMPDIR"] = str(home / ("nowhere" if where is None else "tmp"))
            words = words_of(command, home)
            if name.startswith("synth") or name == "signoff":
                words[words.index("--pack" if name == "signoff" else "--out") + 1] += "-again"
            with watching(Refusing(where and home / where, operations, number)):
                ran = CliRunner().invoke(cli, words)
            raised = None if isinstance(ran.exception, SystemExit | None) else repr(ran.exception)
            same = _files(home / "made") == before
            told = {"fault": fault, "command": name, "exit_code": ran.exit_code, "raised": raised, "same": same}
            told |= {"said": ran.output[-900:], "left": sorted(path.name for path in (home / "tmp").iterdir())}
            sys.stdout.write(json.dumps(told) + "\n")
            sys.stdout.flush()
            if not same:
                shutil.rmtree(home / "made")
                copy_of(home / "was", home / "made")


if __name__ == "__main__":
    if sys.argv[2:] == ["faults"]:
        faults(Path(sys.argv[1]), commands=is_quick)
    elif sys.argv[2:] == ["every", "fault"]:
        faults(Path(sys.argv[1]), commands=lambda fault, name: True)
    else:
        main(Path(sys.argv[1]), sys.argv[2:])
