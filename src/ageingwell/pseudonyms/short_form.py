"""The short form of a mapping (`agencies.toml`), applied at the agency: constants, days, words for empty, values.

It means what it means at the group. What it cannot read stays as it was sent, so that reading names the cell.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Final

import polars as pl

from ageingwell.config.score import TableSettings
from ageingwell.contracts.registry import columns
from ageingwell.profiles.profile import IGNORE, folded_label
from ageingwell.reading.written import days_of

# Days under the names that they have before anything is made of them.
_RAW_DAYS: Final = ("birth_date",)
_KEPT: Final = "_is_kept"


def in_our_words(
    rows: pl.DataFrame, table: str, settings: TableSettings
) -> tuple[pl.DataFrame, pl.Series, Counter[str]]:
    """The rows as the settings of their table mean them, which of them are kept, and what was left out, by column.

    `rows` has our names of columns. A row whose required column says what the settings map to `ignore` is not kept.

    >>> settings = TableSettings(required=False, constants={"source": "landlord"},
    ...                          reader={"date_formats": ["%d/%m/%Y"]}, values={"tenure": {"Secure": "social_rented"}})
    >>> rows = pl.DataFrame({"tenure": ["SECURE", "x"], "recorded_on": ["03/04/2026", "yesterday"]})
    >>> in_our_words(rows, "homes", settings)[0].rows()
    [('social_rented', '2026-04-03', 'landlord'), ('x', 'yesterday', 'landlord')]
    """
    contract = {column.name: column for column in columns(table)}
    here = [name for name in rows.columns if rows.schema[name] == pl.String]
    optional = [name for name in here if name not in contract or not contract[name].required]
    rows = _without_words(rows, optional, settings.reader.empty)
    days = [name for name in here if name in _RAW_DAYS or (name in contract and contract[name].kind == "date")]
    rows = _with_days(rows, days, settings.reader.date_formats)
    left_out: Counter[str] = Counter()
    kept = pl.repeat(value=True, n=rows.height, eager=True)
    for name, values in settings.values.items():
        if name in here:
            rows, stays = _mapped(rows, name, values, is_required=name in contract and contract[name].required)
            left_out[f"{name}: a value that is left out"] += rows.height - int(stays.sum())
            kept = kept & stays
    absent = {name: value for name, value in settings.constants.items() if name not in rows.columns}
    return rows.with_columns(pl.lit(value).alias(name) for name, value in absent.items()), kept, +left_out


def _without_words(rows: pl.DataFrame, names: list[str], empty: tuple[str, ...]) -> pl.DataFrame:
    if not empty:
        return rows
    words = [word.strip().lower() for word in empty]
    return rows.with_columns(
        pl.when(~pl.col(name).str.strip_chars().str.to_lowercase().is_in(words)).then(name) for name in names
    )


def _with_days(rows: pl.DataFrame, names: list[str], formats: tuple[str, ...]) -> pl.DataFrame:
    if not formats:
        return rows
    read = [days_of(rows[name].str.strip_chars(), formats).cast(pl.String).alias(name) for name in names]
    return rows.with_columns(day.fill_null(rows[day.name]) for day in read)


def _mapped(
    rows: pl.DataFrame, name: str, values: Mapping[str, str], *, is_required: bool
) -> tuple[pl.DataFrame, pl.Series]:
    by_label = {folded_label(theirs): ours for theirs, ours in values.items()}
    distinct = rows[name].unique().drop_nulls().to_list()
    ours = {text: by_label[folded_label(text)] for text in distinct if folded_label(text) in by_label}
    ignored = [text for text, label in ours.items() if label == IGNORE] if is_required else []
    stays = ~rows[name].is_in(ignored).fill_null(value=False)
    replaced = {text: (None if label in (IGNORE, "") else label) for text, label in ours.items() if text not in ignored}
    return rows.with_columns(pl.col(name).replace(replaced)) if replaced else rows, stays
