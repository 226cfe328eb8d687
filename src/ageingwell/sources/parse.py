"""From what an agency wrote to what the contract means: names, values, labels, days and numbers.

Parsing never guesses: a text that is not a day, a number or a known value stays a fault of that row and column. In an
optional column such a cell is emptied, and its row stays. Words that mean empty and days that stand for no day are read
by the rules in `contracts.fields`. Whatever was emptied is counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

import polars as pl

from ageingwell.config.score import ReaderSettings
from ageingwell.contracts.fields import WORDS_FOR_EMPTY, Placeholder
from ageingwell.contracts.registry import Column
from ageingwell.reading.listed import fold_one, folded, listed
from ageingwell.reading.written import ANSWERS, YES_AND_MORE, days_of, numbers_of
from ageingwell.sources.doubtful import texts_of

Rows = Mapping[str, pl.Series]
LABELS = pl.Schema({"label": pl.String, "n_rows": pl.Int64})
# What a value may be mapped to beside a label or value of ours.
IGNORE = "ignore"
EMPTY = ("", IGNORE)
_PLAIN = ReaderSettings()


@dataclass(frozen=True)
class Parsed:
    """One column as the contract means it.

    By rule, `faulty` marks the rows that hold what could not be read and so are refused, `emptied` those whose cell was
    not empty and is read as missing; `holds` marks the rows whose person is held for such a cell. `n_sent` counts the
    cells that were sent, words that mean empty apart. `unknown` counts the rows of each label that is not one of ours.
    `distinct` holds every text of the column, and others, where that was found out on the way.
    """

    read: pl.Series
    faulty: Rows = field(default_factory=dict)
    emptied: Rows = field(default_factory=dict)
    holds: pl.Series | None = None
    n_sent: int = 0
    unknown: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=LABELS))
    distinct: pl.Series | None = None


def parsed(raw: pl.DataFrame, column: Column, values: Mapping[str, str], reader: ReaderSettings = _PLAIN) -> Parsed:
    """Read one column of a chunk; the series has the contract's type and name."""
    if column.name not in raw.columns:
        return Parsed(_nothing(column, raw.height))
    sent, texts = _text_or_typed(raw[column.name])
    if sent.dtype.is_nested() or sent.dtype in (pl.Binary, pl.Object):
        # A list, a structure or bytes: nothing in it can be what the contract means.
        return _found(_nothing(column, raw.height), sent, column, {FAULTS[column.kind]: sent.is_not_null()}, {})
    sent, words = _without_words(sent, texts, column, values, reader)
    if column.kind == "label":
        return _parsed_label(sent, texts, column, values, words)
    mapped = _mapped(sent, column, values)
    read = _READERS[column.kind](mapped, reader).alias(column.name)
    found = _found(read, sent, column, {FAULTS[column.kind]: sent.is_not_null() & read.is_null()}, words)
    return replace(found, distinct=texts) if column.kind == "text" and mapped is sent else found


def left_out(raw: pl.DataFrame, column: Column, values: Mapping[str, str]) -> pl.Series | None:
    """Which rows the settings leave out, as they map what a required column says to `ignore`; None where none is."""
    if not column.required or column.name not in raw.columns or IGNORE not in values.values():
        return None
    sent, _ = _text_or_typed(raw[column.name])
    return None if sent.dtype.is_nested() else _is_mapped_to(_as_text(sent), column, values, (IGNORE,))


def _nothing(column: Column, height: int) -> pl.Series:
    return pl.repeat(column.missing, height, dtype=column.dtype, eager=True).alias(column.name)


def _found(read: pl.Series, sent: pl.Series, column: Column, faulty: Rows, words: Rows) -> Parsed:
    """The column, its faults refused or emptied as its contract says, and its placeholder days as theirs does."""
    found = {"refused": dict(faulty) if not column.is_emptied else {}, "missing": {**words}, "held": {}}
    if column.is_emptied:
        found["held" if column.unreadable == "held" else "missing"].update(faulty)
    for becomes, days in _placeholders(read, column.placeholder):
        other = found[becomes].get("placeholder_day")
        found[becomes]["placeholder_day"] = days if other is None else other | days
        read = read.set(days, None)
    emptied = dict(found["missing"])
    for rule, rows in found["held"].items():
        emptied[rule] = rows | emptied[rule] if rule in emptied else rows
    held = [rows for rows in found["held"].values() if rows.any()]
    return Parsed(
        read=read,
        faulty=_where_any(found["refused"]),
        emptied=_where_any(emptied),
        holds=None if not held else pl.select(pl.any_horizontal(held)).to_series(),
        n_sent=len(sent) - sent.null_count(),
    )


def _where_any(rows: Rows) -> dict[str, pl.Series]:
    return {rule: where for rule, where in rows.items() if where.any()}


def _placeholders(read: pl.Series, rule: Placeholder | None) -> list[tuple[str, pl.Series]]:
    """Which days stand for none, each kind with what becomes of it."""
    if rule is None:
        return []
    both = ((rule.low, rule.is_low(read)), (rule.far, rule.is_far(read)))
    return [(becomes, days.fill_null(value=False)) for becomes, days in both if days.any()]


def _without_words(
    sent: pl.Series, texts: pl.Series | None, column: Column, values: Mapping[str, str], reader: ReaderSettings
) -> tuple[pl.Series, dict[str, pl.Series]]:
    """The column without what means empty, and which cells held it: a word, or what the settings map to nothing.

    A word that the settings map, or that is a label of the column, is what they say. In a required column, and where no
    cell may be emptied, no word means empty.
    """
    if not column.required and sent.dtype.is_float():
        # What a typed column holds in place of a missing number; as text it would be the word `nan`.
        sent = sent.set(sent.is_nan(), None)
    found = []
    if any(value in EMPTY for value in values.values()):
        found.append(_is_mapped_to(_as_text(sent), column, values, EMPTY))
    if column.is_emptied and texts is not None:
        words = {*WORDS_FOR_EMPTY, *(word.strip().lower() for word in reader.empty)}
        found.append(_is_a_word(sent, texts, words - {_lowered(value) for value in values} - set(column.labels)))
    is_empty = [rows for rows in found if rows.any()]
    if not is_empty:
        return sent, {}
    rows = is_empty[0] if len(is_empty) == 1 else is_empty[0] | is_empty[1]
    return sent.set(rows, None), {"word_for_empty": rows} if column.is_emptied else {}


def _is_a_word(sent: pl.Series, texts: pl.Series, words: set[str]) -> pl.Series:
    """Which cells hold one of some words, in small letters or capitals; few texts are short enough to be looked at."""
    longest = max((len(word.encode()) for word in words), default=0)
    short = texts.filter(texts.str.len_bytes() <= longest)
    found = short.filter(short.str.to_lowercase().is_in(sorted(words)))
    if found.is_empty():
        return pl.repeat(value=False, n=len(sent), eager=True)
    return sent.is_in(found.implode()).fill_null(value=False)


def _is_mapped_to(text: pl.Series, column: Column, values: Mapping[str, str], ours: tuple[str, ...]) -> pl.Series:
    """Which cells hold a value that the settings map to one of `ours`."""
    keys = [key for key, value in values.items() if value.strip() in ours]
    if column.kind == "label":
        distinct = pl.DataFrame({"text": text.unique().drop_nulls()})
        hits = distinct.filter(folded(pl.col("text")).is_in([fold_one(key) for key in keys]))["text"]
        return text.is_in(hits.implode()).fill_null(value=False)
    return text.str.to_lowercase().is_in([_lowered(key) for key in keys]).fill_null(value=False)


def _mapped(sent: pl.Series, column: Column, values: Mapping[str, str]) -> pl.Series:
    """The column with each value that the settings map; it is text then."""
    ours = {_lowered(theirs): value for theirs, value in values.items() if value.strip() not in EMPTY}
    if not ours:
        return sent
    text = _as_text(sent)
    return pl.select(pl.coalesce(text.str.to_lowercase().replace_strict(ours, default=None), text)).to_series()


def _lowered(text: str) -> str:
    return text.strip().lower()


def _text_or_typed(sent: pl.Series) -> tuple[pl.Series, pl.Series | None]:
    """Text without surrounding blanks, an empty text as missing, and every text in it; other types as they are."""
    if isinstance(sent.dtype, pl.Categorical | pl.Enum):
        sent = sent.cast(pl.String)
    if sent.dtype != pl.String:
        return sent, None
    texts = texts_of(sent)
    trimmed = texts.str.strip_chars()
    if not ((trimmed != texts) | (trimmed == "")).any():
        return sent, texts
    read = sent.str.strip_chars()
    return read.set(read == "", None), trimmed.filter(trimmed != "")


def _as_text(sent: pl.Series) -> pl.Series:
    """A typed column as the settings would write it: a moment by its day, a whole number without its point."""
    if isinstance(sent.dtype, pl.Datetime):
        sent = sent.dt.date()
    text = sent.cast(pl.String)
    return text.str.replace(r"\.0$", "") if sent.dtype.is_float() else text


def _parsed_label(
    sent: pl.Series, texts: pl.Series | None, column: Column, values: Mapping[str, str], words: Rows
) -> Parsed:
    """Folded labels, worked out once for each distinct text: a column of millions holds a few dozen."""
    text = sent.cast(pl.String)
    if sent.dtype == pl.Boolean:
        text = text.replace({"true": "yes", "false": "no"})
    labels = _labels((text.drop_nulls() if texts is None else texts).unique(), column, values)
    read = text
    if not labels["sent"].eq_missing(labels["label"]).all():
        read = text.replace_strict(labels["sent"], labels["label"], default=None, return_dtype=pl.String)
    read = read.alias(column.name)
    strange = labels.filter("is_unknown")
    faulty: dict[str, pl.Series] = {}
    unknown = pl.DataFrame(schema=LABELS)
    if not strange.is_empty():
        where = text.is_in(strange["sent"].implode()).fill_null(value=False)
        unknown = read.filter(where).alias("label").value_counts(name="n_rows").cast(LABELS)
        if column.is_emptied:
            read = read.set(where, None)
            faulty = {"unknown_label": where}
        # Elsewhere it stays as it is: the contract's own check refuses the row for it.
    read = read if column.missing is None else read.fill_null(column.missing)
    found = _found(read, sent, column, faulty, words)
    told = pl.concat([labels["label"].drop_nulls().unique(), pl.Series([column.missing], dtype=pl.String).drop_nulls()])
    return replace(found, unknown=unknown, distinct=told)


def _labels(distinct: pl.Series, column: Column, values: Mapping[str, str]) -> pl.DataFrame:
    """Each text with its label, and whether that is none of a closed list: sent, label, is_unknown."""
    ours = {fold_one(theirs): fold_one(ours) if column.known else ours for theirs, ours in values.items()}
    renamed = {**dict(column.also), **ours}
    renamed = {**ANSWERS, **renamed} if column.is_yes_or_no else renamed
    label = folded(pl.col("sent"))
    if column.is_yes_or_no:
        says_more = pl.col("sent").str.contains(YES_AND_MORE) & ~label.is_in(list(renamed))
        label = pl.when(says_more).then(pl.lit("yes")).otherwise(label)
    label = label.replace(renamed) if renamed else label
    label = pl.when(~label.is_in(("", *column.also_missing))).then(label)
    if column.known:
        # An open label is carried only where our list or the settings name it: it may be a remark about somebody.
        label = listed(label, known=column.known, own=set(ours.values()) - {"", IGNORE})
    found = pl.DataFrame({"sent": distinct}).select("sent", label=label)
    is_known = pl.col("label").is_in(column.labels) if column.labels else pl.lit(value=True)
    return found.with_columns(is_unknown=~is_known.fill_null(value=True))


def _text(sent: pl.Series, reader: ReaderSettings) -> pl.Series:
    return sent if sent.dtype == pl.String else sent.cast(pl.String)


def _date(sent: pl.Series, reader: ReaderSettings) -> pl.Series:
    if sent.dtype == pl.Date:
        # A column can hold days of the year 0 or 5,000,000, which no later step can reckon with.
        return sent.set(~sent.is_between(date.min, date.max), None)
    if isinstance(sent.dtype, pl.Datetime):
        return _date(sent.dt.date(), reader)
    if sent.dtype != pl.String:
        return pl.repeat(None, len(sent), dtype=pl.Date, eager=True)
    return _date(days_of(sent, reader.date_formats), reader)


def _number(sent: pl.Series, reader: ReaderSettings) -> pl.Series:
    if sent.dtype == pl.String:
        number = numbers_of(sent)
    elif sent.dtype.is_numeric():
        number = sent.cast(pl.Float64, strict=False)
    else:
        return pl.repeat(None, len(sent), dtype=pl.Float64, eager=True)
    return number.set(~number.is_finite(), None)


def _whole(sent: pl.Series, reader: ReaderSettings) -> pl.Series:
    number = _number(sent, reader)
    return number.set(number != number.round(), None).cast(pl.Int64, strict=False)


_READERS = {"text": _text, "date": _date, "number": _number, "whole": _whole}
FAULTS = {
    "text": "wrong_shape",
    "label": "unknown_label",
    "date": "not_a_date",
    "number": "not_a_number",
    "whole": "not_a_whole_number",
}
