"""What a purge and a forgetting tell whoever ran them: in words, and as plain data."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from ageingwell.keeping.forgetting import ForgottenPeople
from ageingwell.keeping.purging import Purged

_KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "night": ("night", "nights"),
    "superseded revision": ("earlier version of a night", "earlier versions of a night"),
    "followed night": ("file of who was on an old list", "files of who was on an old list"),
    "returned file": ("file with rows to correct or for the chair", "files with rows to correct or for the chair"),
    "cache": ("file of the cache", "files of the cache"),
}


def purged_text(done: Purged) -> str:
    """What went, or would go, kind by kind."""
    lines = []
    for kind, (one, many) in _KINDS.items():
        names = [item.name for item in done.due.items if item.kind == kind]
        if names:
            told = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
            lines.append(f"  {len(names)} {one if len(names) == 1 else many}: {told}")
    if n := len(done.due.entries):
        lines.append(f"  {n} old {'decision' if n == 1 else 'decisions'} about people that no night names any more")
    if not lines:
        return "Nothing is older than the schedule says, so nothing was deleted."
    would = "Would delete" if done.is_dry_run else "Deleted"
    size = f"{done.n_files:,} files, {done.n_bytes / 1e6:,.1f} MB"
    head = f"{would} {size}:"
    tail = "Nothing was deleted: this was a dry run." if done.is_dry_run else f"certificate: {done.certificate}"
    return "\n".join([head, *lines, tail])


def purged_plain(done: Purged) -> dict[str, Any]:
    """The same for machines."""
    return {
        "dry_run": done.is_dry_run,
        "deleted": [item.plain() for item in done.due.items],
        "n_entries_emptied": len(done.due.entries),
        "n_files": done.n_files,
        "n_bytes": done.n_bytes,
        "certificate": None if done.certificate is None else str(done.certificate),
        "schedule": dict(done.schedule),
    }


def forgotten_text(done: ForgottenPeople) -> str:
    """What was done, and what is out of reach."""
    would = done.is_dry_run
    people = "1 person" if done.n_people == 1 else f"{done.n_people:,} people"
    lines = [f"{people} would be forgotten:" if would else f"{people} forgotten:"]
    lines += _line("nights made again without them", done.rebuilt)
    lines += _line("of these without pages, as they could not be drawn again", done.without_pages)
    lines += _line("earlier versions of nights deleted", done.deleted)
    lines += [f"  entries of the ledger emptied: {done.entries}"] if done.entries else []
    lines += _line("other files deleted", done.files)
    if len(lines) == 1:
        lines.append("  nothing that is kept names them")
    if would:
        return "\n".join([*lines, "Nothing was done: this was a dry run."])
    return "\n".join(
        [
            *lines,
            "No later list has them, whatever the agencies send, until the mark is lifted (--lift).",
            "Lists that were sent, and copies elsewhere, are out of reach: tell the people who have them.",
            f"certificate: {done.certificate}",
        ]
    )


def forgotten_plain(done: ForgottenPeople) -> dict[str, Any]:
    """The same for machines."""
    return asdict(done) | {"certificate": None if done.certificate is None else str(done.certificate)}


def lifted_text(n_lifted: int) -> str:
    """How many may be listed again."""
    if n_lifted == 0:
        return "None of them was forgotten here, so nothing changed."
    people = "1 person" if n_lifted == 1 else f"{n_lifted:,} people"
    return (
        f"{people} may be listed again, from the records that the agencies send. What was deleted does not come back."
    )


def _line(words: str, names: tuple[str, ...]) -> list[str]:
    return [f"  {words}: {', '.join(names)}"] if names else []
