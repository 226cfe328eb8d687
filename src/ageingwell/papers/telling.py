"""What a sign-off tells whoever ran it: in words, and as plain data."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from ageingwell.papers.making import GUIDE, Pack
from ageingwell.papers.signing_off import Signature


def pack_text(made: Pack) -> str:
    """What was drawn, what is left for whom, and what to open first."""
    lines = [f"{len(made.papers)} papers drawn from the night {made.night}: {made.folder}"]
    lines += [f"  {n} {'place' if n == 1 else 'places'} for the {role} to fill in" for role, n in made.blanks]
    if made.open_tests:
        n = len(made.open_tests)
        lines.append(
            f"{n} {'test' if n == 1 else 'tests'} of the hazard log did not run or did not pass: see hazard-log.md"
        )
    if made.unused:
        lines.append(f"Sent and used for nothing: {', '.join(made.unused)}")
    if made.differences is not None:
        n = len(made.differences)
        changed = "nothing changed" if n == 0 else f"{n:,} things changed: see differences.md"
        lines.append(f"Since the papers were signed, {changed}")
    return "\n".join([*lines, f"Open first: {made.folder / GUIDE}"])


def pack_plain(made: Pack) -> dict[str, Any]:
    """The same for machines."""
    return {
        "folder": str(made.folder),
        "night": made.night,
        "papers": list(made.papers),
        "blanks": dict(made.blanks),
        "open_tests": list(made.open_tests),
        "unused": list(made.unused),
        "differences": None if made.differences is None else [asdict(one) for one in made.differences],
    }


def signed_text(mine: Signature, pack: Path) -> str:
    """Who signed what, and how much was left blank."""
    lines = [f"Signed by {mine.words}: {pack}", f"SHA-256 of what was signed: {mine.sums_sha256}"]
    if mine.edited:
        lines.append(f"Filled in by people since it was drawn: {', '.join(mine.edited)}")
    if mine.n_blanks:
        lines.append(f"{mine.n_blanks} places are still blank in the Markdown papers")
    return "\n".join(lines)


def signed_plain(mine: Signature) -> dict[str, Any]:
    """The same for machines."""
    return asdict(mine)
