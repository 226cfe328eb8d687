"""What a command tells the log: a line before anything is shown or written, and one that says what came of it."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields
from datetime import date
from pathlib import Path
from typing import Any, Final

from ageingwell.audit.chain import Head
from ageingwell.audit.writing import add_line
from ageingwell.context import Surroundings
from ageingwell.disk import DISK, Disk
from ageingwell.errors import AgeingWellError
from ageingwell.pseudonyms.keys import LETTERS, Key

AUDIT_LOG: Final = "audit.jsonl"
Check = Callable[[Sequence[bytes]], None]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What somebody is about to do, for the first line of a use.

    `command` is its name. `role` says who as a role, never a name. `night` is the list's day, `purpose` what for,
    `settings` the SHA-256 of the settings, `overrides` what was accepted against a rule (`--accept-change`), `reason`
    one of a list, `about` the one person it is about as `about_person` gives it, `lists` the SHA-256 of each
    recipient's list, `counts` how many. Nothing here is a value of a record.
    """

    command: str = field(kw_only=False)
    role: str | None = None
    purpose: str | None = None
    night: date | None = None
    settings: str | None = None
    overrides: Sequence[str] = ()
    reason: str | None = None
    about: str | None = None
    lists: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """What is said of it, without what is empty."""
        told = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in ("command", "more")}
        said = {name: value for name, value in {**told, **self.more}.items() if value not in (None, (), [], {})}
        return said | ({} if self.night is None else {"night": self.night.isoformat()})


@dataclass
class Use:
    """A use that has begun: `head` is its first line. What is told of it stands in its last line.

    Without a `head` its first line could not be written, and `fault` says why: see `withdrawing_first`.
    """

    head: Head | None
    told: dict[str, Any] = field(default_factory=dict)
    fault: AgeingWellError | None = None

    def tell(self, **facts: Any) -> None:
        """Say what came of it: `counts`, `lists`, `folder`, `manifest_sha256` and the like; no value of a record."""
        self.told |= facts

    def stop_unless_logged(self) -> None:
        """Raise why the first line could not be written; from here on nothing may be done without it."""
        if self.fault is not None:
            raise self.fault


def audit_place(base: Path, file: str | None = None) -> Path:
    """Where the log lies: in the folder `base` (of the nights), unless the settings (`[audit] file`) name a path.

    >>> audit_place(Path("outreach")).as_posix(), audit_place(Path("outreach"), "/srv/audit.jsonl").as_posix()
    ('outreach/audit.jsonl', '/srv/audit.jsonl')
    """
    return base / (file or AUDIT_LOG)


@contextmanager
def logged(
    log: Path,
    asked: Asked,
    *,
    world: Surroundings,
    withdrawing_first: bool = False,
    check: Check | None = None,
    disk: Disk = DISK,
) -> Iterator[Use]:
    """Do something with records: its first line is on the disk when the block begins, its last when the block ends.

    A fault in the block is logged by the name of its class, and goes on. Raises `AuditError` where the log cannot be
    written or was changed: before the block, then nothing was done; after it, when all was done and only the last line
    is missing. Taking people off a list waits for no log: `withdrawing_first` lets the block begin all the same, and
    what else it does comes after `use.stop_unless_logged()`; at its end the fault is raised. `check` is given the lines
    of the log before the first is written, and may raise: nobody else writes to it meanwhile.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     place = audit_place(Path(folder))
    ...     with logged(place, Asked("purge", role="IG lead"), world=Surroundings(user="svc")) as use:
    ...         use.tell(counts={"nights": 3})
    ...     from ageingwell.audit.writing import read_lines
    ...     [(line["did"], line["stage"], line.get("counts")) for line in read_lines(place)]
    [('purge', 'begun', None), ('purge', 'done', {'nights': 3})]
    """
    try:
        use = Use(begin(log, asked, world=world, check=check, disk=disk))
    except AgeingWellError as fault:
        if not withdrawing_first:
            raise
        use = Use(None, fault=fault)
    try:
        yield use
    except BaseException as fault:
        if use.head is None:
            raise
        kind = {"fault": type(fault).__name__}
        code = {"exit_code": fault.exit_code} if isinstance(fault, AgeingWellError) else {}
        # The fault that stopped it is what somebody has to hear of.
        with suppress(AgeingWellError):
            end(log, asked.command, use, world=world, disk=disk, stage="stopped", more=kind | code)
        raise
    use.stop_unless_logged()
    end(log, asked.command, use, world=world, disk=disk)


@contextmanager
def learning_logged(command: str, out: Path, *, file: str | None, settings: str, world: Surroundings) -> Iterator[Use]:
    """As `logged`, for what is learned from records and written to the folder `out`: the log lies beside it."""
    asked = Asked(command, purpose="evaluation", settings=settings)
    with logged(audit_place(out.absolute().parent, file), asked, world=world) as use:
        yield use
        use.tell(folder=out.name)


def begin(log: Path, asked: Asked, *, world: Surroundings, check: Check | None = None, disk: Disk = DISK) -> Head:
    """Write the first line of a use, for those who cannot use `logged`; `end` writes the last."""

    def telling(lines: Sequence[bytes]) -> dict[str, Any]:
        if check is not None:
            check(lines)
        said = asked.plain()
        if asked.settings is not None and (before := _last_settings(lines)) is not None:
            said["settings_changed"] = before != asked.settings
        return _stamp(world, asked.command, "begun") | said

    return add_line(log, telling, disk=disk)


def end(
    log: Path,
    command: str,
    use: Use,
    *,
    world: Surroundings,
    disk: Disk = DISK,
    stage: str = "done",
    more: Mapping[str, Any] | None = None,
) -> Head:
    """Write the last line of a use: what came of it, and of which line it is the end (`of`)."""
    begun = {} if use.head is None else {"of": use.head.n}
    said = _stamp(world, command, stage) | begun | dict(more or {}) | use.told
    return add_line(log, lambda _: said, disk=disk)


def about_person(log: Path, person_id: str) -> str:
    """Whom a use is about, for the log: a digest keyed with a secret beside the log (`audit.jsonl.key`), never a
    pseudonym.

    The same person has the same digest in one log, so that it can be told who looked at their record. It begins with
    the key's fingerprint.
    """
    place = log.with_name(f"{log.name}.key")
    key = Key.read(place) if place.exists() or place.is_symlink() else Key.generate(place)
    return f"{key.fingerprint}:{key.digest(b'person:' + person_id.encode()).hex().translate(LETTERS)[:32]}"


def overrides(**accepted: bool) -> list[str]:
    """The options by which somebody accepted what a rule would have stopped.

    >>> overrides(accept_change=True, allow_made_up_bundle=False)
    ['--accept-change']
    """
    return [f"--{name.replace('_', '-')}" for name, is_given in accepted.items() if is_given]


def files_digest(files: Mapping[str, bytes]) -> str:
    """One SHA-256 for several files, by name: the list of a recipient in all its forms.

    >>> files_digest({"a": b"1", "b": b"2"}) == files_digest({"b": b"2", "a": b"1"})
    True
    """
    whole = hashlib.sha256()
    for name, content in sorted(files.items()):
        whole.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    return whole.hexdigest()


def _stamp(world: Surroundings, command: str, stage: str) -> dict[str, Any]:
    return {"at": world.now().isoformat(timespec="seconds"), "by": world.user, "did": command, "stage": stage}


def _last_settings(lines: Sequence[bytes]) -> str | None:
    for line in reversed(lines):
        if b'"settings": ' in line:
            return str(json.loads(line).get("settings"))
    return None
