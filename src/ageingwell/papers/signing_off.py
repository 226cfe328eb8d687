"""Signatures under a pack: who signed, in which role, on which day, over which bytes.

A pack's `SHA256SUMS` covers every file of it. A signature in `signatures.json` names the SHA-256 of those sums, so that
a file that was changed afterwards shows. It proves no identity: that the person signed is for the group to know, and a
line of the audit log tells from which account it was done.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from ageingwell.checksums import SUMS, ChangedError, UnsealedError, check_folder, read_plainly, sums_of_folder
from ageingwell.disk import DISK, Disk
from ageingwell.errors import SignoffError
from ageingwell.room import write_file

PACK: Final = "pack.json"
SIGNATURES: Final = "signatures.json"
# What a computer made of the run: people edit the papers, and nothing else.
MADE: Final = (PACK, "figures.csv", "blanks.csv")
_MAKE_ANEW: Final = "draw the papers of that night again, and sign those"


@dataclass(frozen=True)
class Signature:
    """Who signed a pack, in which role, on which day, and the SHA-256 of the sums of its files then.

    `n_blanks` is how many places were still to be filled in, `edited` the papers that people had changed.
    """

    who: str
    role: str
    on: str
    sums_sha256: str
    n_blanks: int = 0
    edited: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The signature in words.

        >>> Signature("A Example", "IG lead", "2026-11-29", "0" * 64).words
        'A Example (IG lead) on 2026-11-29'
        """
        return f"{self.who} ({self.role}) on {self.on}"


@dataclass(frozen=True)
class SignedPack:
    """A pack whose signatures hold: its folder, what it says of itself (`pack.json`), and who signed."""

    folder: Path
    facts: Mapping[str, Any]
    signatures: tuple[Signature, ...]


def read_signed(folder: Path) -> SignedPack:
    """Read a signed pack. Raises `SignoffError` where nobody signed it, or any file was changed since."""
    found = signatures_of(folder)
    if not found:
        raise SignoffError(f"{folder.name}: nobody has signed this pack", "sign it: `ageingwell signoff --sign`")
    _stop_if_changed(folder)
    sums = _sha256(folder / SUMS)
    if wrong := [one for one in found if one.sums_sha256 != sums]:
        raise SignoffError(f"{folder.name}: the signature of {wrong[0].words} is over other files", _MAKE_ANEW)
    return SignedPack(folder, facts_of(folder), found)


def signatures_of(folder: Path) -> tuple[Signature, ...]:
    """The signatures under a pack, whether they hold or not; none where nobody signed."""
    if not folder.is_dir():
        raise SignoffError(f"{folder.name}: there is no such pack", "give the folder that `signoff` wrote")
    try:
        told = json.loads(read_plainly(folder / SIGNATURES, most_bytes=1 << 20))
        return tuple(Signature(**(one | {"edited": tuple(one["edited"])})) for one in told["signatures"])
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, TypeError, KeyError, RecursionError, ChangedError):
        raise SignoffError(f"{folder.name}: {SIGNATURES} cannot be read", "put back the file as it was") from None


def facts_of(folder: Path) -> Mapping[str, Any]:
    """What a pack says of itself; `SignoffError` where that cannot be read."""
    try:
        told = json.loads(read_plainly(folder / PACK, most_bytes=1 << 26))
    except (OSError, ValueError, RecursionError, ChangedError):
        told = None
    if not isinstance(told, dict) or "fields" not in told:
        raise SignoffError(f"{folder.name}: {PACK} cannot be read, so this is not a pack", "give a folder of `signoff`")
    return told


def sign_pack(
    folder: Path, *, who: str, role: str, on: date, blank_mark: str, disk: Disk = DISK
) -> tuple[Signature, tuple[Signature, ...]]:
    """Sign a pack as it lies there: the papers as people have filled them in. Gives the signature and all of them.

    Raises `SignoffError` where what the computer made was changed, where a paper is gone, or where a file was changed
    after somebody signed: their signature would then stand under other words than they read.
    """
    before = signatures_of(folder)
    facts_of(folder)
    edited = _edited(folder)
    if before and edited:
        raise SignoffError(
            f"{folder.name}: {', '.join(edited)} was changed after {before[-1].words}",
            "put the file back as it was, or draw the papers again and sign those",
        )
    if not before and edited:
        write_file(folder / SUMS, sums_of_folder(folder, but=(SIGNATURES,)), disk=disk)
    mine = Signature(
        who=who,
        role=role,
        on=on.isoformat(),
        sums_sha256=_sha256(folder / SUMS),
        n_blanks=_n_blanks(folder, blank_mark),
        edited=edited,
    )
    every = (*before, mine)
    told = {"format": 1, "signatures": [asdict(one) for one in every]}
    write_file(folder / SIGNATURES, (json.dumps(told, indent=1, ensure_ascii=False) + "\n").encode(), disk=disk)
    return mine, every


def _edited(folder: Path) -> tuple[str, ...]:
    """The papers that differ from what the sums say, or were added; anything else that does is a `SignoffError`."""
    then = _sums(folder)
    now = _sums_now(folder)
    if gone := sorted(set(then) - set(now)):
        raise SignoffError(f"{folder.name}: {gone[0]} is gone", _MAKE_ANEW)
    changed = tuple(sorted(name for name in now if now[name] != then.get(name)))
    if wrong := [name for name in changed if name in MADE]:
        raise SignoffError(f"{folder.name}: {wrong[0]} is not as the run made it", _MAKE_ANEW)
    return changed


def _sums(folder: Path) -> dict[str, str]:
    try:
        text = read_plainly(folder / SUMS, most_bytes=1 << 20).decode("utf-8", "replace")
    except (OSError, ChangedError):
        raise SignoffError(f"{folder.name}: {SUMS} cannot be read", _MAKE_ANEW) from None
    return _parsed(text)


def _sums_now(folder: Path) -> dict[str, str]:
    try:
        return _parsed(sums_of_folder(folder, but=(SIGNATURES,)).decode())
    except ChangedError as fault:
        raise SignoffError(f"{folder.name}: {fault}", "take it out of the pack") from None


def _parsed(text: str) -> dict[str, str]:
    return {line[66:]: line[:64] for line in text.splitlines()}


def _stop_if_changed(folder: Path, but: Collection[str] = (SIGNATURES,)) -> None:
    try:
        check_folder(folder, but=but)
    except UnsealedError:
        raise SignoffError(f"{folder.name}: {SUMS} is missing", _MAKE_ANEW) from None
    except (ChangedError, OSError) as fault:
        told = fault if isinstance(fault, ChangedError) else "it cannot be read"
        raise SignoffError(f"{folder.name}: {told}; the signatures hold no more", _MAKE_ANEW) from None


def _n_blanks(folder: Path, mark: str) -> int:
    papers = sorted(path for path in folder.glob("*.md") if path.is_file() and not path.is_symlink())
    return sum(path.read_text(encoding="utf-8", errors="replace").count(mark) for path in papers)


def _sha256(path: Path) -> str:
    return hashlib.sha256(read_plainly(path)).hexdigest()


def all_words(signatures: Sequence[Signature]) -> tuple[str, ...]:
    """Every signature in words."""
    return tuple(one.words for one in signatures)
