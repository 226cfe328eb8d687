"""Write a bundle: whole or not at all, with the sums of everything in it."""

import hashlib
import json
import re
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from ageingwell.bundle import CARD, EVALUATION, FACTS, FORMAT, LIBRARIES, TABLES, definitions
from ageingwell.checksums import SIGNATURE, SUMS
from ageingwell.disk import DISK, Disk
from ageingwell.evaluation.stored import as_text
from ageingwell.model.compiled import digest_of_tables
from ageingwell.model.fitted import FittedRisk
from ageingwell.model.saving import read, written
from ageingwell.model.signing import Sign
from ageingwell.publish.whole import sealed, write_whole


def save_bundle(
    models: Mapping[str, FittedRisk],
    facts: Mapping[str, Any],
    folder: Path,
    *,
    codelists: Mapping[str, tuple[str, ...]],
    card: str | None = None,
    tables: Mapping[str, Mapping[str, pl.DataFrame]] | None = None,
    disk: Disk = DISK,
) -> Path:
    """Write a bundle: each outcome's trees, `evaluation.json` with its `tables`, `bundle.json`, the card, their sums.

    It takes the place of a bundle that stood in `folder`, in one step; of a folder with anything else it does not, and
    raises `PublishError`.
    """
    outcomes, files = {}, {}
    for number, (outcome, model) in enumerate(models.items()):
        file = "model.txt" if number == 0 else f"model_{outcome}.txt"
        text, outcomes[outcome] = written(model, file)
        files[file] = text.encode()
    files[EVALUATION] = as_text(tables or {}).encode()
    everything = {
        "format": FORMAT,
        "outcomes": outcomes,
        "evaluation_file": {"file": EVALUATION, "sha256": hashlib.sha256(files[EVALUATION]).hexdigest()},
        "features": definitions(codelists),
        "versions": {library: version(library) for library in LIBRARIES},
        **facts,
    }
    files[FACTS] = (json.dumps(everything, indent=1, sort_keys=False) + "\n").encode()
    if card is not None:
        files[CARD] = card.encode()
    return write_files(files, folder, disk=disk)


def write_files(files: Mapping[str, bytes], folder: Path, *, sign: Sign | None = None, disk: Disk = DISK) -> Path:
    """Write the files of a bundle by name with the digests of its look-up tables and its sums, signed if asked for.

    `PublishError` as `save_bundle` raises it.
    """
    plain = {name: content for name, content in files.items() if name not in (TABLES, SUMS, SIGNATURE)}
    whole = sealed(plain | {TABLES: _digests_of_tables(plain)})
    signature = {} if sign is None else {SIGNATURE: sign(whole[SUMS])}
    return write_whole(folder, whole | signature, what="the bundle", replaces=is_of_bundle, disk=disk)


def is_of_bundle(name: str) -> bool:
    """Whether a file of this name is one of a bundle's.

    >>> [is_of_bundle(name) for name in ("bundle.json", "model_death.txt", "notes.txt")]
    [True, True, False]
    """
    return name in (FACTS, EVALUATION, CARD, TABLES, SUMS, SIGNATURE) or bool(re.fullmatch(r"model(_\w+)?\.txt", name))


def _digests_of_tables(files: Mapping[str, bytes]) -> bytes:
    """The digest of each outcome's look-up tables, made from the files, as a night makes them."""
    outcomes = json.loads(files[FACTS])["outcomes"]
    found = {outcome: digest_of_tables(read(part, files)) for outcome, part in outcomes.items()}
    return (json.dumps({"sha256": found}, indent=1) + "\n").encode()
