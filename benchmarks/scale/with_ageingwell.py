"""The job in ageingwell: the library's own steps, and nothing written for the benchmark.

It does more than the other two here: the checked rows are put aside on disk, so that memory is bounded; every refused
row is told by file, number and rule; repeats and two versions of one day are found; and all features are made that
these tables tell (homes and relatives among them), of which the agreed ones are then compared.
"""

import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from ageingwell.config.load import load_config
from ageingwell.features.build import build_features
from ageingwell.sources.read import read_agencies
from ageingwell.spine import build_spine, known_tables
from ageingwell.timeline import AsOf
from benchmarks.scale.job import MINIMUM_AGE, READ, as_agreed


def every_feature(data: Path, *, as_of: date, workspace: Path) -> tuple[pl.DataFrame, dict[str, list[int]]]:
    """Every feature of everybody of the age, and for each table how many rows were read and how many are good."""
    config, night = load_config(), AsOf(as_of)
    records = read_agencies(data, config.tables, workspace=workspace, max_refused_share=1.0, only=READ)
    tables = known_tables(records, night, config.tables)
    spine = build_spine(tables, night, minimum_age=MINIMUM_AGE, places=config.places)
    counts = {name: [table.n_read, table.n_good] for name, table in records.tables.items()}
    return build_features(tables, spine, night, codelists=config.codelists), counts


def run(data: str, as_of: str, out: str) -> dict[str, Any]:
    """Do the job, write the agreed features to `out`, and tell the rows of each table."""
    with tempfile.TemporaryDirectory() as workspace:
        features, counts = every_feature(Path(data), as_of=date.fromisoformat(as_of), workspace=Path(workspace))
        as_agreed(features).write_parquet(out)
    return {"rows": counts}
