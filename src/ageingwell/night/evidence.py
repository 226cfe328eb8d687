"""What stands behind the night's models, kept beside it: measures and card of the bundle, and tonight's drift."""

from pathlib import Path
from typing import Final

import polars as pl

from ageingwell.bundle import CARD, EVALUATION, Bundle
from ageingwell.evaluation.drift import STABILITY, stability_against
from ageingwell.evaluation.stored import as_text, from_text
from ageingwell.kept.sealed import read_kept
from ageingwell.publish import write_bytes
from ageingwell.report.annex import Evidence

KEPT: Final = (EVALUATION, CARD)  # the files that `save_evidence` writes
REFERENCE: Final = "reference"
DRAWS: Final = 100


def evidence_of(bundle: Bundle) -> Evidence:
    """The bundle's measures, and its card as it stood in the folder when the bundle was checked."""
    return Evidence(bundle.tables, bundle.card)


def drift_of(bundle: Bundle, features: pl.DataFrame, *, seed: int) -> pl.DataFrame:
    """How far tonight's facts lie from those the ranking model was fitted on; no rows where its bundle does not say.

    `features` are those of people drawn for it, sorted by person_id.
    """
    reference = bundle.tables.get(bundle.ranking_outcome, {}).get(REFERENCE)
    if reference is None or features.is_empty():
        return pl.DataFrame(schema=STABILITY)
    return stability_against(reference, features, draws=DRAWS, seed=seed)


def save_evidence(evidence: Evidence, folder: Path) -> None:
    """Keep the measures and the card in a night's folder."""
    write_bytes(folder / EVALUATION, as_text(evidence.tables).encode())
    if evidence.card is not None:
        write_bytes(folder / CARD, evidence.card.encode())


def read_evidence(folder: Path) -> Evidence:
    """What `save_evidence` kept."""
    tables = from_text(read_kept(folder, EVALUATION).decode())
    try:
        return Evidence(tables, read_kept(folder, CARD).decode())
    except FileNotFoundError:
        return Evidence(tables, None)
