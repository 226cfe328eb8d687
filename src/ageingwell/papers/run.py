"""One run, read back to sign it off: the night, its manifest, its model, its settings, and its uses in the log."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from ageingwell.audit.uses import audit_place
from ageingwell.audit.writing import read_lines
from ageingwell.bundle import CARD, EVALUATION, Bundle, find_bundle, load_bundle
from ageingwell.config.load import Config
from ageingwell.errors import PublishError, SignoffError
from ageingwell.evaluation.stored import from_text
from ageingwell.governance.columns_used import ColumnUse, column_uses, columns_sent
from ageingwell.governance.hazards import Hazard, Results, shipped_hazards, shipped_results
from ageingwell.kept.frames import NIGHT_FORMAT
from ageingwell.kept.sealed import MANIFEST, changed_since, digest_of_night, read_kept
from ageingwell.outreach.rules import need_rules
from ageingwell.publish import current
from ageingwell.publish.nights import published_nights

Tables = Mapping[str, Mapping[str, pl.DataFrame]]


@dataclass(frozen=True)
class Run:
    """Everything the papers are drawn from.

    `facts` is the manifest; `tables` each outcome's measures as the night kept them; `uses` the lines of the audit log
    up to the night's own; `columns` the columns that were sent, each with its use; `n_scored` people who may be offered
    help.
    """

    folder: Path
    facts: Mapping[str, Any]
    config: Config
    bundle: Bundle
    card: str
    tables: Tables
    uses: Sequence[Mapping[str, Any]]
    columns: Sequence[ColumnUse]
    hazards: Sequence[Hazard]
    results: Results | None
    n_scored: int
    sums: str


def read_run(out: Path, *, night: date | None, config: Config) -> Run:
    """Read the current night of `out`, or the last revision of `night`, with all that belongs to it.

    Raises `SignoffError` where there is no such night, it is not as it was published, or the settings or the model are
    others than it was made with: what is signed must be what ran.
    """
    folder = _folder_of(out, night)
    if (changed := changed_since(folder)) is not None:
        raise SignoffError(f"the night {folder.name} is not as it was published: {changed}", "make that night again")
    facts = json.loads(read_kept(folder, MANIFEST))
    if facts.get("format") != NIGHT_FORMAT:
        raise SignoffError(f"another version of ageingwell made the night {folder.name}", "score again, and sign that")
    if facts.get("config") != config.digest:
        raise SignoffError(
            f"the night {folder.name} was made with other settings than these",
            "give --config as `score` had it, or score again and sign that night off",
        )
    bundle = load_bundle(find_bundle(config.score.bundle), codelists=config.codelists, trust=config.score.model)
    if facts.get("bundle", {}).get("digest") != bundle.digest:
        raise SignoffError(
            f"the night {folder.name} was made with another model than the settings name",
            "put that model back, or score again and sign that night off",
        )
    version = str(facts.get("versions", {}).get("ageingwell", ""))
    return Run(
        folder=folder,
        facts=facts,
        config=config,
        bundle=bundle,
        card=_card(folder),
        tables=from_text(read_kept(folder, EVALUATION).decode()),
        uses=_uses(out, config, folder),
        columns=_columns(facts, config, bundle),
        hazards=shipped_hazards(),
        results=shipped_results(version),
        n_scored=pl.scan_parquet(folder / "scores.parquet", glob=False).select(pl.len()).collect().item(),
        sums=digest_of_night(folder) or "none",
    )


def _folder_of(out: Path, night: date | None) -> Path:
    if not out.is_dir():
        raise PublishError("there is no such folder of nights", "give the folder that `score` writes to")
    if night is None:
        folder = current(out)
        if folder is None:
            raise SignoffError("there is no night in this folder yet", "run `ageingwell score` first")
        return folder
    found = [folder for folder in published_nights(out) if folder.name[:10] == night.isoformat()]
    if not found:
        raise SignoffError(f"there is no night of {night} in this folder", "give the day of a night that is kept")
    return found[-1]


def _card(folder: Path) -> str:
    try:
        return read_kept(folder, CARD).decode()
    except FileNotFoundError:
        raise SignoffError(f"the night {folder.name} keeps no model card", "score again with this version") from None


def _uses(out: Path, config: Config, folder: Path) -> list[dict[str, Any]]:
    """The lines of the log up to the one that says that this night was made, so that later uses change no paper."""
    lines = read_lines(audit_place(out, config.score.audit.file))
    # Whoever was taken off first made a revision, which the line of that run names under `withdrawn`.
    told = [(line.get("folder"), (line.get("withdrawn") or {}).get("folder")) for line in lines]
    ends = [place for place, names in enumerate(told) if folder.name in names]
    return lines[: ends[0] + 1] if ends else lines[:0]


def _columns(facts: Mapping[str, Any], config: Config, bundle: Bundle) -> list[ColumnUse]:
    sent = columns_sent(facts.get("inputs", {}))
    uses = column_uses(need_rules(config.outreach.thresholds), bundle.models)
    known = [use for use in uses if use.column in sent.get(use.table, ())]
    dropped = [
        ColumnUse(table, name, "not used", "nothing: this heading is not known and is left out on reading")
        for table, told in sorted(facts.get("inputs", {}).items())
        for name in told.get("dropped_columns", ())
    ]
    return [*known, *dropped]
