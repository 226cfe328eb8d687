"""One event is one event: rows that tell of the same event, sent once or many times, become one row.

A stay is sent again once it ends, a council sends twelve months every quarter, and a file can lie twice in a folder.
Each table's key says which rows tell of one event. Each fact of the event is taken from the newest version that tells
it, so a version that leaves something out takes nothing back: the end that was sent last stays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

_DAY = "recorded_on"
_N_ROWS = "_n_rows"
_NOT_TOLD = "unknown"
# Room for any code a column can take, so that day and code travel in one whole number.
_CODES = 1000


@dataclass(frozen=True)
class EventKey:
    """Which rows of a table tell of one event, and what is made of its versions.

    Rows that agree in `columns` tell of one event; a row that leaves one of `may_be_missing` empty agrees with the one
    event that fills it. One event may have several values of the columns `several`, and each is kept in a row (a stay's
    main diagnoses). Of the columns `words`, which hold several codes parted by blanks or semicolons, every code of
    every version is kept, in one text. Each group of `together` is taken from one version, the newest that tells its
    first column. For the answers `in_doubt`, of versions recorded on one day, the last of the labels counts; without
    labels, the highest number. `sentence` tells a reader of the data dictionary which rows are one event.
    """

    columns: tuple[str, ...]
    sentence: str = field(compare=False)
    may_be_missing: tuple[str, ...] = ()
    several: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    together: tuple[tuple[str, ...], ...] = ()
    in_doubt: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def one_row_per_event(rows: pl.LazyFrame, key: EventKey) -> pl.LazyFrame:
    """Make the versions of each event one row (one for each value of `several`); the order of the rows is not kept.

    The same rows give the same events in whatever order, files and number of threads they come. Of versions recorded
    on one day the one with an end counts, then the later end, then the values decide. Rows without a second version
    pass as they are, so the work grows with what was sent again.

    >>> from datetime import date
    >>> stays = pl.LazyFrame({
    ...     "person_id": ["p1", "p1", "p2"],
    ...     "started_on": [date(2026, 10, 1)] * 3,
    ...     "ended_on": [None, date(2026, 10, 9), None],
    ...     "recorded_on": [date(2026, 10, 2), date(2026, 10, 12), date(2026, 10, 2)],
    ... })
    >>> key = EventKey(("person_id", "started_on"), "the same person and first day", together=(("ended_on",),))
    >>> one_row_per_event(stays, key).sort("person_id").select("person_id", "ended_on").collect()
    shape: (2, 2)
    ┌───────────┬────────────┐
    │ person_id ┆ ended_on   │
    │ ---       ┆ ---        │
    │ str       ┆ date       │
    ╞═══════════╪════════════╡
    │ p1        ┆ 2026-10-09 │
    │ p2        ┆ null       │
    └───────────┴────────────┘
    """
    names = rows.collect_schema().names()
    surely = [name for name in key.columns if name not in key.may_be_missing]
    counted = rows.with_columns(pl.len().over(surely).alias(_N_ROWS))
    alone = counted.filter(pl.col(_N_ROWS) == 1).drop(_N_ROWS)
    versions = counted.filter(pl.col(_N_ROWS) > 1).drop(_N_ROWS)
    for place, name in enumerate(key.may_be_missing):
        versions = versions.with_columns(_filled_in(name, [*surely, *key.may_be_missing[:place]]))
    return pl.concat([alone, _merged(versions, key).select(names)])


def medicines_issued(prescriptions: pl.LazyFrame) -> pl.DataFrame:
    """Make the issues of one medicine to one person one row: how many (n_rows), and the newest day (last_issued_on).

    A medicine is issued again every month, and what is asked of medicines needs no more.

    >>> from datetime import date
    >>> rows = {"person_id": ["p1", "p1"], "bnf_code": "0403", "dmd_code": None, "recorded_on": date(2026, 10, 3),
    ...         "issued_on": [date(2026, 10, 1), date(2026, 9, 1)]}
    >>> medicines_issued(pl.LazyFrame(rows)).rows()
    [('p1', '0403', None, 2, datetime.date(2026, 10, 1))]
    """
    medicine = [name for name in prescriptions.collect_schema().names() if name not in (_DAY, "issued_on")]
    issues = prescriptions.group_by(medicine)
    return issues.agg(n_rows=pl.len().cast(pl.Int64), last_issued_on=pl.col("issued_on").max()).collect()


def _filled_in(name: str, others: Sequence[str]) -> pl.Expr:
    """A missing part of the key, where one value alone is told of what is otherwise the same event."""
    column = pl.col(name)
    is_clear = column.drop_nulls().n_unique().over(others) == 1
    return pl.when(column.is_null() & is_clear).then(column.max().over(others)).otherwise(column).alias(name)


def _merged(versions: pl.LazyFrame, key: EventKey) -> pl.LazyFrame:
    """One row an event, each fact of the newest version that tells it."""
    schema = versions.collect_schema()
    ends = [name for group in key.together for name in group]
    apart = {*key.columns, *key.several, *key.words, *ends, *key.in_doubt, _DAY}
    facts = [name for name in schema if name not in apart]
    structs = [f"_{group[0]}" for group in key.together]
    merged = (
        versions.sort(*key.columns, _DAY, *ends, *facts, nulls_last=False)
        .group_by(key.columns, maintain_order=True)
        .agg(
            *(pl.col(name).drop_nulls().unique().sort() for name in key.several),
            *(_every_word(name) for name in key.words),
            *(_newest_group(group).alias(struct) for group, struct in zip(key.together, structs, strict=True)),
            *(_newest_answer(name, labels).cast(schema[name]) for name, labels in key.in_doubt.items()),
            *(_newest_told(name, schema[name]) for name in facts),
            pl.col(_DAY).max(),
        )
    )
    for struct in structs:
        merged = merged.unnest(struct)
    for name in key.several:
        merged = merged.explode(name, empty_as_null=True)
    return merged


def _every_word(name: str) -> pl.Expr:
    """The words of all versions, each once and in the order of the alphabet; missing where no version has one."""
    told = pl.col(name).drop_nulls().str.extract_all("[^ ;]+").list.explode(empty_as_null=False)
    joined = told.unique().sort().str.join(" ")
    return pl.when(joined != "").then(joined).alias(name)


def _newest_group(group: Sequence[str]) -> pl.Expr:
    return pl.when(pl.col(group[0]).is_not_null()).then(pl.struct(group)).drop_nulls().last()


def _newest_told(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if dtype != pl.String:
        return column.drop_nulls().last()
    told = pl.when(column != _NOT_TOLD).then(column)
    return pl.coalesce(told.drop_nulls().last(), column.drop_nulls().last()).alias(name)


def _newest_answer(name: str, labels: Sequence[str]) -> pl.Expr:
    day = pl.col(_DAY)
    if not labels:
        return latest(pl.col(name), day).alias(name)
    codes = {label: code for code, label in enumerate(labels)}
    code = latest(pl.col(name).replace_strict(codes, default=None, return_dtype=pl.Int64), day)
    answer = code.replace_strict(dict(enumerate(labels)), default=None, return_dtype=pl.String)
    # Where no version tells it, what was sent (`unknown`) stays.
    return pl.coalesce(answer, pl.col(name).drop_nulls().max()).alias(name)


def latest(code: pl.Expr, day: pl.Expr) -> pl.Expr:
    """The code (0 to 999) of the newest day that has one; of several on that day, the highest.

    Day and code travel in one whole number, whose maximum depends neither on the order of the rows nor on threads.

    >>> rows = pl.DataFrame({"code": [2, 1, None], "day": [1, 5, 9]})
    >>> rows.select(latest(pl.col("code"), pl.col("day")))["code"].to_list()
    [1]
    """
    return (code + day.to_physical().cast(pl.Int64) * _CODES).max() % _CODES
