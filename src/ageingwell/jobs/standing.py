"""`status`: whether the last night happened, and whether its list may be relied on. It writes nothing.

Each check looks at one thing and tells what it found and what to do. A folder may be damaged in any way: a check that
cannot be made is a fault of its own, and the others go on.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from ageingwell.audit.chain import Verified
from ageingwell.audit.nights import changed_manifests, head_of, heads_of_nights
from ageingwell.audit.uses import audit_place
from ageingwell.audit.writing import verify
from ageingwell.config.answering import ListSettings
from ageingwell.config.load import Config, GivenConfig, config_given
from ageingwell.config.withdrawing import WithdrawalSettings, read_withdrawal_settings
from ageingwell.context import Surroundings
from ageingwell.decisions.ledger import read_ledger
from ageingwell.errors import AgeingWellError, ChangeError, LedgerError, PublishError, SignoffError, StatusError
from ageingwell.kept.frames import CONTRACTS, NIGHT_FORMAT, frame_file, read_frame
from ageingwell.kept.sealed import broken_link
from ageingwell.night.revising import NO_PAGES
from ageingwell.papers.comparing import not_as_signed
from ageingwell.papers.signing_off import read_signed
from ageingwell.publish import DAYS_AHEAD, current
from ageingwell.publish.lock import is_held
from ageingwell.publish.mark import mark_of
from ageingwell.publish.nights import published_nights
from ageingwell.publish.staging import STAGING

_RUN_AGAIN: Final = "run `ageingwell score` again, and look at what it says"
_PUT_BACK: Final = "put that night's folder back as it was published, or run `ageingwell score`"
_SIGN_ANEW: Final = "run `ageingwell signoff`, show the people who signed what changed, and have it signed again"
_NO_COPIES: Final = "put copies of the list away, and run `ageingwell score`"
# Without these a night is no whole night; pages are told apart.
_NEEDED: Final = (*(frame_file(name) for name in CONTRACTS), "run.json")


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: its name, one sentence of what was found, and what to do."""

    kind: str
    found: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.found}. What to do: {self.remedy}."


@dataclass(frozen=True)
class Standing:
    """How the last night stands: `faults`, in the order they were looked for, and `facts`, for people and machines."""

    faults: tuple[Fault, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults

    def plain(self) -> dict[str, Any]:
        """The same for JSON."""
        return {"is_good": self.is_good, "faults": [vars(fault) for fault in self.faults], **self.facts}


def status(out: str | Path, *, config: GivenConfig = None, surroundings: Surroundings | None = None) -> Standing:
    """Look whether the last night in `out` happened, is current, whole and in date, and whether its log is whole.

    `config` are the settings, or their file; of a mistake in them the rest is looked at all the same. Nothing that may
    lie in the folder makes this fail.
    """
    world = surroundings or Surroundings()
    seen = _Seen(Path(out), config, world)
    faults: list[Fault] = []
    for check in CHECKS:
        try:
            faults += check(seen)
        # Whatever a damaged folder makes fail is told as a fault of the folder.
        except Exception as fault:
            why = fault.found if isinstance(fault, AgeingWellError) else type(fault).__name__
            faults.append(_unseen(check.__name__.strip("_").replace("_", " "), why))
        if any(fault.kind in _NOTHING_MORE for fault in faults):
            break
    return Standing(tuple(faults), _facts(seen))


def stop_unless_good(standing: Standing) -> None:
    """Raise `StatusError` with every fault."""
    if standing.faults:
        n = len(standing.faults)
        told = "\n".join(f"  {fault}" for fault in standing.faults)
        raise StatusError(f"{n} {'thing is' if n == 1 else 'things are'} wrong:\n{told}")


def standing_text(standing: Standing) -> str:
    """What is good, in words: which night, since when, until when."""
    facts = standing.facts
    return "\n".join(
        [
            f"Good: the list of {facts.get('night')} is current, with {facts.get('n_listed')} people.",
            f"Published: {facts.get('published_at')}. Do not use after: {facts.get('expires_on')}.",
            f"The audit log is whole: {facts.get('audit_lines')} lines.",
            *([f"The list key is with: {', '.join(facts['key_holders'])}."] if facts.get("key_holders") else []),
        ]
    )


class _Seen:
    """What the checks look at, each thing read once."""

    def __init__(self, out: Path, config: GivenConfig, world: Surroundings) -> None:
        self.out, self.now, self.mistake = out, world.now(), ""
        self.whole: Config | None = None
        try:
            self.whole = config_given(config)
            self.settings = WithdrawalSettings.of(self.whole)
        except Exception as fault:
            self.mistake = fault.found if isinstance(fault, AgeingWellError) else type(fault).__name__
            self.settings = read_withdrawal_settings(None if config is None else Path(str(config)))

    @property
    def today(self) -> date:
        return self.now.date()

    @cached_property
    def is_running(self) -> bool:
        """Whether a run holds the folder now: what it has begun is not left over."""
        return is_held(self.out)

    @cached_property
    def folder(self) -> Path | None:
        """The current night; None where there is none, or the pointer is broken."""
        try:
            return current(self.out)
        except PublishError:
            return None

    @cached_property
    def manifest(self) -> dict[str, Any]:
        return {} if self.folder is None else _json(self.folder / "manifest.json")

    @cached_property
    def log(self) -> Path:
        return audit_place(self.out, self.settings.audit_file)

    @cached_property
    def verified(self) -> Verified:
        return verify(self.log, heads=heads_of_nights(self.out))

    @cached_property
    def lines(self) -> list[dict[str, Any]]:
        """The lines of the log, as far as they can be believed."""
        return self.verified.said

    def last(self, *commands: str) -> list[dict[str, Any]]:
        """The lines of the last use of a command: its first, and what came of it."""
        begun = [line for line in self.lines if line.get("did") in commands and line.get("stage") == "begun"]
        return [] if not begun else [begun[-1], *(one for one in self.lines if one.get("of") == begun[-1].get("n"))]

    @cached_property
    def expires_on(self) -> date | None:
        told = self.manifest.get("expires_on")
        days = ListSettings() if self.whole is None else self.whole.score.lists
        if isinstance(told, str):
            return date.fromisoformat(told)
        if self.folder is None:
            return None
        return _day_of(self.folder) + timedelta(days=days.expire_after_days)

    @cached_property
    def published_at(self) -> datetime | None:
        """When the current night was worked out, or worked out again with the same result."""
        if self.folder is None:
            return None
        told = [_json(self.folder / "run.json").get("published_at")]
        told += [
            line.get("at")
            for line in self.lines
            if line.get("did") == "score" and line.get("stage") == "done" and line.get("folder") == self.folder.name
        ]
        moments = [datetime.fromisoformat(one) for one in told if isinstance(one, str)]
        return max(moments, default=None)


def _json(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _day_of(folder: Path) -> date:
    return date.fromisoformat(folder.name[:10])


def _unseen(what: str, why: str) -> Fault:
    return Fault("unseen", f"{what} could not be looked at ({why})", "show this to the person who runs the nights")


def _settings(seen: _Seen) -> Iterator[Fault]:
    if seen.mistake:
        yield Fault(
            "settings", f"the settings have a mistake, so no night can be worked out: {seen.mistake}", "correct them"
        )


def _output_folder(seen: _Seen) -> Iterator[Fault]:
    if not seen.out.is_dir():
        yield Fault("no_folder", f"there is no folder {seen.out.name}", "give the folder of the published nights")


def _pointer(seen: _Seen) -> Iterator[Fault]:
    try:
        folder = current(seen.out)
    except PublishError as fault:
        yield Fault("pointer", fault.found, fault.remedy or _PUT_BACK)
        return
    if folder is None and published_nights(seen.out):
        yield Fault("pointer", "nights are published and none is current", _RUN_AGAIN)
    elif folder is None:
        yield Fault("no_night", "no night was ever published here", "run `ageingwell score`")


def _mark(seen: _Seen) -> Iterator[Fault]:
    if (why := mark_of(seen.out)) is not None:
        yield Fault(
            "do_not_use",
            "the current list is marked do not use: " + (why.split(". ")[0] or "nothing says why"),
            "put copies away, have the tables sent again, and run `ageingwell withdraw`",
        )


def _whole_night(seen: _Seen) -> Iterator[Fault]:
    folder = seen.folder
    if folder is None:
        return
    if not seen.manifest:
        yield Fault("manifest", f"manifest.json of the night {folder.name} cannot be read", _PUT_BACK)
    elif seen.manifest.get("format") != NIGHT_FORMAT:
        yield Fault("format", f"another version of ageingwell made the night {folder.name}", _RUN_AGAIN)
    lost = [name for name in _NEEDED if not (folder / name).is_file()]
    if lost:
        more = f" and {len(lost) - 3} more" if len(lost) > 3 else ""
        yield Fault("lost_files", f"files of the night {folder.name} are lost: {', '.join(lost[:3])}{more}", _PUT_BACK)
    if "list.parquet" not in lost:
        try:
            read_frame(folder, "listed", columns=("person_id",))
        except PublishError as fault:
            yield Fault("list", fault.found, _PUT_BACK)
    if (folder / NO_PAGES).exists() or seen.manifest.get("without_pages"):
        yield Fault("no_pages", f"the list of {folder.name} has no pages and workbooks", _NO_COPIES)
    elif not (folder / "report.html").is_file() or not (folder / "group.xlsx").is_file():
        yield Fault("lost_files", f"the pages of the night {folder.name} are lost", _PUT_BACK)


def _happened(seen: _Seen) -> Iterator[Fault]:
    if seen.folder is None:
        return
    at = seen.published_at
    if at is None:
        yield Fault("never_told", "nothing says when the last night was published", _RUN_AGAIN)
        return
    hours = 26 if seen.whole is None else seen.whole.score.status.night_within_hours
    age = seen.now - at
    if age > timedelta(hours=hours):
        since = f"{age.days} days" if age.days >= 2 else f"{int(age.total_seconds() // 3600)} hours"
        yield Fault(
            "not_happened", f"the last night was published {since} ago, and {hours} hours are allowed", _RUN_AGAIN
        )
    elif age < timedelta(minutes=-5):
        yield Fault("clock", "the last night was published in the future", "correct the clock of this machine")


def _is_current(seen: _Seen) -> Iterator[Fault]:
    nights = published_nights(seen.out)
    if seen.folder is None or not nights:
        return
    if (_day_of(seen.folder) - seen.today).days > DAYS_AHEAD:
        yield Fault("ahead", f"the current list is of a day to come, {_day_of(seen.folder)}", _NO_COPIES)
    elif nights[-1] != seen.folder:
        yield Fault("not_current", f"the newest night, {nights[-1].name}, is not the current one", _RUN_AGAIN)


def _in_date(seen: _Seen) -> Iterator[Fault]:
    if seen.expires_on is not None and seen.today > seen.expires_on:
        yield Fault("expired", f"the current list was not to be used after {seen.expires_on}", _NO_COPIES)


def _degraded(seen: _Seen) -> Iterator[Fault]:
    missing, late = seen.manifest.get("missing") or [], seen.manifest.get("late") or []
    gone = seen.manifest.get("columns_gone") or {}
    if missing or gone or seen.manifest.get("is_degraded"):
        what = ", ".join(map(str, [*missing, *gone])) or "records"
        yield Fault("degraded", f"the last night was worked out without all records: {what}", "ask for them to be sent")
    if late:
        yield Fault("late", f"records came late: {', '.join(map(str, late))}", "ask for them to be sent")


def _opt_outs(seen: _Seen) -> Iterator[Fault]:
    table = (seen.manifest.get("inputs") or {}).get("permissions")
    newest = table.get("newest_on") if isinstance(table, Mapping) else None
    if not isinstance(newest, str):
        return
    allowed = seen.settings.ledger.permissions_checked_within_days
    age = (seen.today - date.fromisoformat(newest)).days
    if age > allowed:
        yield Fault(
            "opt_outs",
            f"opt-outs were last checked {age} days ago, and {allowed} days are allowed",
            "have them sent again",
        )


def _keys(seen: _Seen) -> Iterator[Fault]:
    if seen.folder is None:
        return
    earlier = [folder for folder in published_nights(seen.out) if folder.name[:10] < seen.folder.name[:10]]
    before = _json(earlier[-1] / "manifest.json") if earlier else {}
    for name, what in (("key_fingerprint", "key of the pseudonyms"), ("list_key", "key of the lists")):
        one, other = before.get(name), seen.manifest.get(name)
        if one is not None and other is not None and one != other:
            yield Fault(
                "key_changed",
                f"the {what} is not the one of the night before ({one}, now {other})",
                "find out who changed it; if it is meant, give the agencies their new keys",
            )


def _audit_log(seen: _Seen) -> Iterator[Fault]:
    found = seen.verified
    if not found.is_whole:
        yield Fault(
            "audit_log",
            f"the audit log {seen.log.name} was changed or cut: its line {found.first_bad} is the first bad one "
            f"({found.why})",
            "keep it, show it to the person responsible for it, and put a copy back",
        )
        return
    for name in changed_manifests(seen.lines, seen.out):
        yield Fault(
            "manifest_changed", f"manifest.json of the night {name} is not the one that was published", _PUT_BACK
        )
    if seen.folder is not None and head_of(seen.folder) is None and seen.manifest.get("format") == NIGHT_FORMAT:
        yield Fault(
            "not_logged", f"nothing in the audit log says who worked out the night {seen.folder.name}", _RUN_AGAIN
        )
    if found.is_unfinished and not seen.is_running:
        yield Fault("audit_unfinished", "a run was ended half-way through a line of the audit log", _RUN_AGAIN)


def _chain(seen: _Seen) -> Iterator[Fault]:
    """Each night keeps the sums of the night before it: an old one that was changed and sealed again shows there."""
    nights = {folder.name: folder for folder in published_nights(seen.out)}
    for name, later in nights.items():
        told = _json(later / "manifest.json").get("last_night")
        before = nights.get(str(told.get("folder"))) if isinstance(told, Mapping) else None
        # A night that was deleted, or made again without somebody, has another name.
        if before is not None and broken_link(later, before):
            yield Fault(
                "chain", f"the night {before.name} is not the one that the night {name} was made after", _PUT_BACK
            )


def _last_run(seen: _Seen) -> Iterator[Fault]:
    run = seen.last("score")
    if len(run) == 1 and not seen.is_running:
        yield Fault("died", "the last run was ended half-way, and nothing says why", _RUN_AGAIN)
    if len(run) < 2 or run[-1].get("stage") != "stopped":
        return
    if run[-1].get("fault") == ChangeError.__name__:
        yield Fault(
            "waits",
            "the last run waits for a person: the records changed more than they can in a night",
            "look at what it said; if it is true, run again with --accept-change",
        )
    else:
        code = run[-1].get("exit_code")
        yield Fault("stopped", f"the last run stopped (exit {code if isinstance(code, int) else 1})", _RUN_AGAIN)


def _last_withdrawal(seen: _Seen) -> Iterator[Fault]:
    run = seen.last("withdraw", "score")
    if not run or run[0].get("did") != "withdraw":
        return
    is_failed = len(run) == 1 and not seen.is_running
    if is_failed or (len(run) > 1 and run[-1].get("stage") == "stopped"):
        yield Fault(
            "withdrawal",
            "taking people off the list did not finish",
            "put copies of the list away, and run `ageingwell withdraw` again",
        )


def _left_over(seen: _Seen) -> Iterator[Fault]:
    if seen.is_running:
        return
    left = [path.name for path in sorted(seen.out.iterdir()) if path.name.startswith(STAGING)]
    if left:
        yield Fault(
            "left_over",
            f"a run that was ended left {', '.join(left[:3])}",
            "run any command on this folder; it tidies up",
        )


def _ledger(seen: _Seen) -> Iterator[Fault]:
    path = seen.out / seen.settings.ledger_file
    if not path.exists():
        return
    try:
        read_ledger(path)
    except LedgerError as fault:
        yield Fault("ledger", fault.found, fault.remedy or _PUT_BACK)


def _signed_off(seen: _Seen) -> Iterator[Fault]:
    """Whether the night was made with what was signed, where the settings name a signed pack."""
    named = None if seen.whole is None else seen.whole.score.signoff.signed
    if named is None:
        return
    try:
        signed = read_signed(Path(named))
    except SignoffError as fault:
        yield Fault("signed_pack", fault.found, fault.remedy or _SIGN_ANEW)
        return
    if others := not_as_signed(signed.facts, seen.manifest):
        found = f"the last night was not made with what was signed: {' and '.join(others)} changed since then"
        yield Fault("not_signed", found, _SIGN_ANEW)


def _private(seen: _Seen) -> Iterator[Fault]:
    if os.name == "posix" and seen.out.stat().st_mode & 0o077:
        yield Fault("open", f"others can look into the folder {seen.out.name}", "chmod 700 it")


CHECKS: Final[Sequence[Callable[[_Seen], Iterator[Fault]]]] = (
    _settings,
    _output_folder,
    _pointer,
    _mark,
    _whole_night,
    _happened,
    _is_current,
    _in_date,
    _degraded,
    _opt_outs,
    _keys,
    _audit_log,
    _chain,
    _last_run,
    _last_withdrawal,
    _left_over,
    _ledger,
    _signed_off,
    _private,
)
# After one of these there is nothing left to look at.
_NOTHING_MORE: Final = ("no_folder",)


def _facts(seen: _Seen) -> dict[str, Any]:
    """What is told beside the faults, as far as it can be read."""

    def told(read: Callable[[], Any]) -> Any:
        try:
            return read()
        except Exception:
            return None

    steps: Any = told(lambda: {one["step"]: one["n"] for one in seen.manifest.get("steps", [])}) or {}
    head = told(lambda: seen.verified.head)
    return {
        "night": told(lambda: None if seen.folder is None else seen.folder.name),
        "n_listed": steps.get("listed"),
        "published_at": told(lambda: None if seen.published_at is None else seen.published_at.isoformat()),
        "expires_on": told(lambda: None if seen.expires_on is None else seen.expires_on.isoformat()),
        "is_running": told(lambda: seen.is_running),
        "audit_lines": told(lambda: len(seen.lines)),
        "audit_head": None if head is None else head.sha256,
        "key_holders": [] if seen.whole is None else list(seen.whole.score.keys.holders),
    }
