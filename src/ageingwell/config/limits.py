"""How large a file from outside may be: one number for each way in which a file can be too much, with its reason.

A file of a few kilobytes can stand for more memory than a machine has, or for hours of work. Every limit is far above
what an agency sends, and can be raised under `[limits]` in agencies.toml.
"""

from typing import Final

from pydantic import Field

from ageingwell.config.files import Settings


class Limits(Settings):
    """What a file from outside may at most be; every number is far above what agencies send."""

    file_gib: float = Field(
        default=64.0, gt=0, le=4096, description="GiB of one file on the disk: a million people's events take 1 GiB"
    )
    workbook_mb: float = Field(
        default=100.0, gt=0, le=4096, description="MB of one workbook: all of it is read into memory at once"
    )
    page_mb: float = Field(
        default=32.0, gt=0, le=4096, description="MB of one page of JSON, which is read into memory at once"
    )
    unpacked_mb: float = Field(
        default=100.0, gt=0, le=1_000_000, description="MB that a packed file may always unpack to, however small it is"
    )
    unpacked_times: float = Field(
        default=100.0, ge=1, le=100_000, description="beyond that, how many times its size: tables pack 5 to 30 times"
    )
    columns: int = Field(
        default=2000, ge=1, le=100_000, description="columns of one table: the widest national extracts have hundreds"
    )
    cells: int = Field(
        default=20_000_000,
        ge=1,
        le=100_000_000_000,
        description="cells that a sheet, or a small Parquet file, may reach over: 300,000 rows of 60 columns fit",
    )
    cells_per_byte: float = Field(
        default=10.0, gt=0, le=10_000, description="beyond that, cells of a Parquet file for each of its bytes"
    )
    cell_kb: float = Field(
        default=128.0, gt=0, le=100_000, description="kB of one cell: the longest notes of a practice take 30"
    )
    row_mb: float = Field(default=16.0, gt=0, le=1024, description="MB of one row, or of one object of JSON")
    depth: int = Field(
        default=64, ge=1, le=500, description="levels of lists within lists: a FHIR resource has about ten"
    )
    digits: int = Field(default=300, ge=1, le=4000, description="digits of one number: no number we know has 300")
    values: int = Field(
        default=5_000_000, ge=1, le=1_000_000_000, description="values of one page of JSON: each takes 60 bytes or more"
    )
    memory_mb: float = Field(
        default=300.0, ge=64, le=1_000_000, description="MB that reading a Parquet file or a workbook may always take"
    )
    memory_times: float = Field(
        default=16.0, ge=0, le=1000, description="and beyond that, how many times the size of the file"
    )
    seconds: float = Field(
        default=120.0, ge=1, le=86_400, description="seconds until the next rows of a file must be there"
    )


USUAL: Final = Limits()
