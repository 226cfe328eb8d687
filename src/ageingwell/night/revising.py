"""A night published again without somebody, with its pages where they can be drawn and without where they cannot."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import polars as pl

from ageingwell.checksums import SUMS
from ageingwell.config.load import Config
from ageingwell.disk import DISK, Disk
from ageingwell.errors import PublishError
from ageingwell.governance.manifest import as_manifest
from ageingwell.governance.night_facts import NightFacts
from ageingwell.governance.week import describe_week
from ageingwell.kept.frames import NightFrames, check_frames, save_as_found
from ageingwell.kept.measured import MEASURED_FILE
from ageingwell.kept.quarters import BRIEF, COMMISSIONING, kept_page
from ageingwell.kept.reading import KeptNight
from ageingwell.kept.sealed import read_kept, seal_night
from ageingwell.night.evidence import KEPT, read_evidence
from ageingwell.night.write import as_json, count_withdrawn, draw_pages, seal_of, write_pages
from ageingwell.pseudonyms import Key
from ageingwell.publish import Published, publish_folder, staged, write_bytes

NO_PAGES: Final = "WITHDRAWN.txt"
_BESIDE: Final = (*KEPT, MEASURED_FILE, "run.json")


@dataclass(frozen=True)
class Revision:
    """A night published again without somebody. `told` says what its readers have to know, such as that it has no
    pages and why; no value of a record."""

    night: Published
    told: tuple[str, ...] = ()


def publish_withdrawal(
    kept: KeptNight,
    frames: NightFrames,
    *,
    out: Path,
    config: Config | None,
    key: Key | None,
    today: date | None = None,
    disk: Disk = DISK,
) -> Revision:
    """Publish a night again without those who were withdrawn: the same facts, fewer people, a new revision.

    Where its pages cannot be drawn as they were sent, for whatever reason, it has none; `WITHDRAWN.txt` and the
    manifest (`without_pages`) say why.
    """
    facts = _facts_without(kept, frames)
    pages, why = _pages_or_why(kept, frames, facts, config=config, key=key, of_quarter=_of_quarter(kept, out))
    told = () if why is None else (_no_pages(kept, why),)
    name = kept.folder.name.split(".")[0]
    with staged(out, name=name, disk=disk) as staging:
        _copy_beside(kept.folder, staging)
        save_as_found(frames, staging, found=kept.found, seal=_seal(frames, facts, key=key))
        told_of_it = as_manifest(facts) | ({} if why is None else {"without_pages": why})
        write_bytes(staging / "manifest.json", as_json(told_of_it))
        if pages is not None:
            write_pages(staging, pages)
        for line in told:
            write_bytes(staging / NO_PAGES, f"{line}\n".encode())
        seal_night(staging)
        return Revision(publish_folder(staging, out, name=name, today=today, disk=disk), told)


def _seal(frames: NightFrames, facts: Mapping[str, Any], *, key: Key | None) -> dict[str, str] | None:
    """The seal of the shorter list; none without the night's list key: then nobody is looked up by it."""
    if key is None or key.fingerprint != facts.get("list_key"):
        return None
    try:
        return seal_of(frames.listed, NightFacts.from_plain(facts), key=key)
    except (pl.exceptions.PolarsError, TypeError, ValueError):
        return None


def _facts_without(kept: KeptNight, frames: NightFrames) -> dict[str, Any]:
    """The manifest as it was found, of whatever version, with the people counted once more."""
    facts = {"as_of": kept.folder.name.split(".")[0]} | dict(kept.facts)
    facts.pop("without_pages", None)
    if {"step", "reason", "n"} <= set(frames.attrition.collect_schema().names()):
        facts |= {"steps": frames.counts().to_dicts(), "withdrawn": count_withdrawn(frames)}
    if "partners_full" in frames.listed.columns and "urgency" in frames.needs.columns:
        facts |= {"week": describe_week(frames.listed, frames.needs, frames.counts())}
    return facts | {"sums": SUMS} | ({"left_out": sorted(kept.unusable)} if kept.unusable else {})


def _pages_or_why(
    kept: KeptNight,
    frames: NightFrames,
    facts: Mapping[str, Any],
    *,
    config: Config | None,
    key: Key | None,
    of_quarter: bytes | None,
) -> tuple[dict[str, bytes] | None, str | None]:
    """The pages and workbooks by name, or why there are none: no fault of theirs may keep anybody on a list."""
    if kept.why_no_pages is not None:
        return None, kept.why_no_pages
    if config is None:
        return None, "the settings have a mistake"
    if key is None or key.fingerprint != facts.get("list_key"):
        return None, "the list key that the night was made with was not given"
    try:
        check_frames(frames)
        told, evidence = NightFacts.from_plain(facts), read_evidence(kept.folder)
        brief = _brief(kept)
        return draw_pages(frames, told, evidence, config=config, key=key, of_quarter=of_quarter, brief=brief), None
    except (Exception, pl.exceptions.PanicException) as fault:
        return None, f"they could not be drawn ({type(fault).__name__})"


def _of_quarter(kept: KeptNight, out: Path) -> bytes | None:
    """The page for commissioners as the night has it: who is withdrawn moves no count of it."""
    try:
        return (kept.folder / COMMISSIONING).read_bytes()
    except OSError:
        return kept_page(out, date.fromisoformat(kept.folder.name[:10]))


def _brief(kept: KeptNight) -> bytes | None:
    """The brief for co-design as the night has it."""
    try:
        return read_kept(kept.folder, f"{BRIEF}.md")
    except (OSError, PublishError):
        return None


def _no_pages(kept: KeptNight, why: str) -> str:
    lost = f" Left out, as nobody could be taken out of them: {', '.join(sorted(kept.unusable))}." * bool(kept.unusable)
    return (
        f"Someone was taken off the list of {kept.folder.name[:10]}, and that revision has no pages and workbooks: "
        f"{why}.{lost} What to do: put earlier copies away, and run `ageingwell score` for the next list."
    )


def _copy_beside(folder: Path, staging: Path) -> None:
    """Copy what names nobody: refused rows by number, the bundle's evidence, when it ran. What is lost stays lost."""
    if (folder / "refused").is_dir():
        DISK.make_folder(staging / "refused")
    for found in (*sorted((folder / "refused").glob("*.parquet")), *(folder / name for name in _BESIDE)):
        try:
            # Not what a link leads to: it would be published.
            content = read_kept(folder, found.relative_to(folder).as_posix()) if DISK.kind(found) == "file" else None
        except (OSError, PublishError):
            continue
        if content is None:
            continue
        write_bytes(staging / found.relative_to(folder), content)
