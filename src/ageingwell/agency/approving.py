"""A second person's approval: a file that belongs to another account, for one list, one reason and a few days."""

import os
import stat
import tomllib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from ageingwell.agency.brake import case_digest, stop_unless_reason
from ageingwell.agency.lists import read_list
from ageingwell.config.answering import ReidentifySettings
from ageingwell.context import Surroundings
from ageingwell.disk import DISK, Disk
from ageingwell.errors import PublishError, ReidentifyError
from ageingwell.pseudonyms.keys import Key

_LONGEST_BYTES: Final = 4096
_ASK: Final = (
    "ask someone else to run `ageingwell approve` under their own account, and give their file with --approval"
)


@dataclass(frozen=True)
class Approval:
    """What somebody approved: a list (its bytes), a reason and a case (as a digest), between two days."""

    list_sha256: str
    reason: str
    case: str
    approved_on: date
    expires_on: date

    def written(self) -> bytes:
        """The approval as TOML."""
        return (
            f'list_sha256 = "{self.list_sha256}"\nreason = "{self.reason}"\ncase = "{self.case}"\n'
            f"approved_on = {self.approved_on}\nexpires_on = {self.expires_on}\n"
        ).encode()


def approve(
    listed: Path,
    *,
    reason: str,
    case: str,
    out: Path,
    key: Key,
    settings: ReidentifySettings | None = None,
    days: int | None = None,
    surroundings: Surroundings | None = None,
    disk: Disk = DISK,
) -> Approval:
    """Write a new file in which the account that runs this approves that somebody else looks up a list.

    It holds for `days` (the settings' own where not told). The file has no name in it: whose it is, the system knows.
    Like every file of ours it is for its owner alone: let the other account read it. Raises `ReidentifyError` without
    a reason, or for more days than may be.
    """
    settings, world = settings or ReidentifySettings(), surroundings or Surroundings()
    stop_unless_reason(reason, case)
    held = settings.approval_days if days is None else days
    if not 1 <= held <= settings.approval_days:
        raise ReidentifyError(f"an approval holds at most {settings.approval_days} days", "give fewer --days")
    today = world.now().date()
    found = Approval(read_list(listed).sha256, reason, case_digest(case, key=key), today, today + timedelta(days=held))
    try:
        disk.write_new(out, found.written())
        disk.sync_file(out)
    except OSError as error:
        raise PublishError(f"{out.name} cannot be written ({error.strerror})", "name a new file") from None
    return found


def approved_by(
    path: Path | None,
    *,
    list_sha256: str,
    reason: str,
    case: str,
    settings: ReidentifySettings,
    world: Surroundings,
) -> str:
    """Who approved it: the account the file belongs to. `case` is the digest.

    Raises `ReidentifyError` where there is no approval, or it is of the account that asks, of another list, reason or
    case, out of date, or could have been written by somebody else.
    """
    if path is None:
        raise ReidentifyError("nobody else has approved it, and your settings ask for a second person", _ASK)
    told, owner = _read(path)
    if owner is None or owner == world.user:
        raise ReidentifyError(f"{path.name}: the approval is of the account that asks, or nobody's", _ASK)
    begun, last = _day_of(told.get("approved_on")), _day_of(told.get("expires_on"))
    if begun is None or last is None or not begun <= world.now().date() <= last:
        raise ReidentifyError(f"{path.name}: the approval is not in date", _ASK)
    if (last - begun).days > settings.approval_days:
        raise ReidentifyError(f"{path.name}: the approval holds longer than {settings.approval_days} days", _ASK)
    wanted = {"list_sha256": list_sha256, "reason": reason, "case": case}
    if {name: told.get(name) for name in wanted} != wanted:
        raise ReidentifyError(f"{path.name}: the approval is of another list, reason or case", _ASK)
    return owner


def _day_of(value: object) -> date | None:
    return value if isinstance(value, date) and not isinstance(value, datetime) else None


def _read(path: Path) -> tuple[dict[str, Any], str | None]:
    """What an approval says and whose it is; only its owner may be able to change it."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        raise ReidentifyError(f"{path.name} cannot be opened ({error.strerror})", _ASK) from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or (os.name == "posix" and status.st_mode & 0o022):
            raise ReidentifyError(f"{path.name}: others than its owner can change the approval", _ASK)
        content = os.read(descriptor, _LONGEST_BYTES)
    finally:
        os.close(descriptor)
    try:
        return tomllib.loads(content.decode()), account_of(status)
    except (ValueError, RecursionError):
        raise ReidentifyError(f"{path.name}: this is not an approval", _ASK) from None


def account_of(status: os.stat_result) -> str | None:
    """The name of the account a file belongs to; None where the system does not tell (Windows)."""
    try:
        import pwd
    except ImportError:
        return None
    try:
        return pwd.getpwuid(status.st_uid).pw_name
    except KeyError:
        return f"account {status.st_uid}"
