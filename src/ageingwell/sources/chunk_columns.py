"""A chunk of a file under our column names, with what the settings add to it and without what they leave out."""

import re
from collections import Counter
from collections.abc import Mapping

import polars as pl

from ageingwell.config.score import RECORDED_ON, TableSettings
from ageingwell.contracts.registry import Column, columns
from ageingwell.errors import SourceError
from ageingwell.sources.headings import columns_sent, folded_heading, nearest
from ageingwell.sources.parse import left_out, parsed
from ageingwell.sources.raw import Chunk


def renamed(chunk: Chunk, table: str, settings: TableSettings, ours: Mapping[str, str]) -> pl.DataFrame:
    """The chunk under our column names, with `recorded_on` made where the agency cannot send it.

    Raises `SourceError` where a column that is needed or mapped is missing, where two headings mean one column, and
    where a column is sent that the settings give a constant for.
    """
    wanted = columns(table)
    named = columns_sent(chunk.sent, ours, file=chunk.file)
    rows = chunk.rows.select(heading for heading in chunk.rows.columns if heading in named).rename(named, strict=False)
    rows = _with_constants(rows, chunk, settings)
    if settings.recorded_on is not None and "recorded_on" not in rows.columns:
        rows = _with_recorded_on(rows, settings, wanted)
    promised = {column.name for column in wanted if column.required} | settings.columns.keys()
    absent = [column.name for column in wanted if column.name in promised and column.name not in rows.columns]
    if absent:
        _stop_on_absent(chunk, table, [settings.columns.get(name, name) for name in absent], ours=ours)
    return rows


def _stop_on_absent(chunk: Chunk, table: str, absent: list[str], *, ours: Mapping[str, str]) -> None:
    listed = ", ".join(f"`{name}`" for name in absent)
    unknown = [heading for heading in chunk.sent if folded_heading(heading) not in ours]
    near = sorted({found for name in absent if (found := nearest(name, unknown))})
    hint = f" (perhaps {' and '.join(f'`{heading}`' for heading in near)})" if near else ""
    raise SourceError(
        f"{chunk.file}: {'column' if len(absent) == 1 else 'columns'} {listed} of {table} missing",
        f"add it, or map the agency's name for it in agencies.toml{hint}",
    )


def _with_constants(rows: pl.DataFrame, chunk: Chunk, settings: TableSettings) -> pl.DataFrame:
    """The rows with the columns that the settings give one value for; one that is sent as well is a mistake."""
    if both := [name for name in settings.constants if name in rows.columns]:
        raise SourceError(
            f"{chunk.file}: sent, and given a constant in agencies.toml: {', '.join(f'`{name}`' for name in both)}",
            "take the constant out of agencies.toml, or the column out of the file",
        )
    # Without a column of its own a frame of constants would have one row.
    height = chunk.rows.height
    made = [
        pl.repeat(value, height, dtype=pl.String, eager=True).alias(name) for name, value in settings.constants.items()
    ]
    return pl.DataFrame([*rows.get_columns(), *made])


def _with_recorded_on(rows: pl.DataFrame, settings: TableSettings, wanted: tuple[Column, ...]) -> pl.DataFrame:
    match = re.match(RECORDED_ON, settings.recorded_on or "")
    base = next((column for column in wanted if match and column.name == match[1]), None)
    if match is None or base is None or base.name not in rows.columns:
        return rows
    day = parsed(rows, base, settings.values.get(base.name, {}), settings.reader).read
    return rows.with_columns(recorded_on=day.dt.offset_by(f"{match[2]}d"))


def without_left_out(
    raw: pl.DataFrame, numbers: pl.Series, counted: Counter[str], wanted: tuple[Column, ...], settings: TableSettings
) -> tuple[pl.DataFrame, pl.Series]:
    """The rows without those that the settings say to ignore, which are counted by column, and their numbers."""
    for column in wanted:
        out = left_out(raw, column, settings.values.get(column.name, {}))
        if out is not None and out.any():
            counted[column.name] += int(out.sum())
            raw, numbers = raw.filter(~out), numbers.filter(~out)
    return raw, numbers
