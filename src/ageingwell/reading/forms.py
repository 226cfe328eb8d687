"""Forms."""

from pathlib import Path

SUFFIXES = (
    ".parquet",
    ".csv",
    ".txt",
    ".tsv",
    ".dat",
    ".gz",
    ".zip",
    ".xlsx",
    ".xlsm",
    ".xls",
    ".ods",
    ".json",
    ".ndjson",
    ".jsonl",
)


def is_readable(path: Path) -> bool:
    """Whether."""
    return path.suffix.lower() in SUFFIXES
