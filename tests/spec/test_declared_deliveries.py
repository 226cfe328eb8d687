"""What a sender says of its files in `delivery.json` is held against what was read, on a first night too."""

import hashlib
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from helpers.counties import copy_of
from helpers.evidence import counted

from ageingwell.config.load import load_config
from ageingwell.contracts.registry import TABLES
from ageingwell.errors import SourceError
from ageingwell.sources.declared import declared_in
from ageingwell.sources.read import Records, read_agencies


def declare(county: Path, *, name: str = "delivery.json", **changes: Any) -> None:
    """Write what the sender of a county says of it."""
    files = {
        path.name: {"rows": pl.read_parquet(path).height, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for path in sorted(county.glob("*.parquet"))
    }
    (county / name).write_text(json.dumps({"files": files | changes}))


def read(county: Path, at: Path, *only: str) -> Records:
    tables = only or tuple(TABLES)
    return read_agencies(county, load_config().tables, workspace=at / "work", max_refused_share=0.1, only=tables)


@pytest.fixture
def here(small_county: Path, tmp_path: Path) -> Path:
    county = copy_of(small_county, tmp_path / "county")
    declare(county)
    return county


def test_a_delivery_that_is_as_its_sender_says_is_read(here: Path, tmp_path: Path) -> None:
    assert read(here, tmp_path, "permissions", "contacts").unused_files == ()


def test_half_of_any_table_is_told_on_a_first_night(here: Path, tmp_path: Path) -> None:
    silent = []
    for table in TABLES:
        whole = (here / f"{table}.parquet").read_bytes()
        pl.read_parquet(here / f"{table}.parquet").gather_every(2).write_parquet(here / f"{table}.parquet")
        try:
            read(here, tmp_path / table, table)
            silent.append(table)
        except SourceError as fault:
            assert f"{table}.parquet" in fault.found  # noqa: PT017
        (here / f"{table}.parquet").write_bytes(whole)
    counted("R2.declared_deliveries", len(TABLES), len(silent))
    assert silent == []


def test_other_bytes_with_as_many_rows_are_told(here: Path, tmp_path: Path) -> None:
    rows = pl.read_parquet(here / "contacts.parquet")
    rows.reverse().write_parquet(here / "contacts.parquet")

    with pytest.raises(SourceError, match=r"contacts\.parquet: its SHA-256 is not the one that was sent"):
        read(here, tmp_path, "contacts")


def test_a_file_that_was_sent_and_is_not_here_is_told(here: Path, tmp_path: Path) -> None:
    (here / "homes.parquet").unlink()

    with pytest.raises(SourceError, match=r"homes\.parquet: was sent, and is not here"):
        read(here, tmp_path, "homes")


def test_each_agency_may_send_its_own_and_two_that_disagree_are_told(here: Path) -> None:
    declare(here, name="fire.delivery.json")
    assert len(declared_in(here)) == len(TABLES)

    declare(here, name="fire.delivery.json", **{"homes.parquet": {"rows": 1}})
    with pytest.raises(SourceError, match="something else"):
        declared_in(here)


@pytest.mark.parametrize(
    "text", ["", "[1]", '{"files": {"a": {"rows": "5"}}}', "[" * 100_000, '{"files": {"a": {"sha256": "x"}}}']
)
def test_a_file_that_says_nothing_is_not_passed_over(here: Path, text: str) -> None:
    (here / "delivery.json").write_text(text)

    with pytest.raises(SourceError, match=r"delivery\.json: does not say"):
        declared_in(here)
