"""What of a column may leave the agency: what its contract promises, and nothing else.

A label is carried where our list or the settings name it, a day where it is one, a number where it is one in its range,
a code where it has the shape of one. Whatever else stands in a cell stays behind: it is counted, and a word that says
so stands in its place, so that the group reads the cell as one that could not be read, not as an empty one.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import polars as pl

from ageingwell.config.score import TableSettings
from ageingwell.contracts.codes import CONCEPT, DESCRIPTION, is_snomed, partition
from ageingwell.contracts.fields import LAST_LOW_DAY, WORDS_FOR_EMPTY
from ageingwell.contracts.registry import TABLES, Column, columns
from ageingwell.pseudonyms.identifiers import canonical_nhs_number
from ageingwell.pseudonyms.identifying import NAMING, is_day, may_identify, words_that_name
from ageingwell.pseudonyms.screening import CODES
from ageingwell.reading.listed import NOT_LISTED, fold_one, folded, listed
from ageingwell.reading.written import ANSWERS, YES_AND_MORE, days_of, numbers_of

# What stands for a day, a number or a code that stayed behind.
NOT_CARRIED: Final = "not_carried"
# Words that an agency writes where it knows nothing: no label of ours, and nothing about anybody.
_NOTHING: Final = (*WORDS_FOR_EMPTY, "none", "unknown", "not known", "not recorded", "not asked", "-")
# The classification that hospitals send: a letter and two digits; a postcode without its blank goes on with letters.
_ICD10: Final = r"[A-Za-z][0-9]{2}(?:\.?[0-9Xx][0-9A-Za-z]{0,2})?"
# Chapter, section, paragraph are digits; a longer code has a letter, but for the 11 digits of dressings and appliances.
_BNF: Final = r"^(?:0[1-9]|1[0-9]|2[0-3])(?:[0-9]{2,5}|[0-9]{5}[0-9A-Za-z]{1,8})$"
_NO_BNF: Final = r"^[0-9]{8,10}$|^[01][0-9]{10}$|^[0-9]{12}$"
_SHAPES: Final = {
    "bnf_code": _BNF,
    "icd10": rf"^{_ICD10}$",
    "other_icd10": rf"^{_ICD10}(?:[ ;]+{_ICD10})*$",
    "dmd_code": r"^[0-9]{6,18}$",
}
_READ: Final = r"^[0-9A-Za-z.]{4,5}(?:[0-9]{2})?$"
# A code of SNOMED CT says in its partition what it identifies; 02 and 12 are relationships.
_PARTITIONS: Final = (*CONCEPT, *DESCRIPTION, "02", "12")
_LONGEST_NUMBER: Final = 24
# What happened before computers kept records of it, but for what a GP's own record goes back to: it is a day of birth.
# Earlier days stand for none in many systems, and the group reads them so.
_TOO_EARLY: Final = (LAST_LOW_DAY + timedelta(days=1), date(1964, 12, 31))
_LONG_AGO: Final = ("gp_patients", "gp_events")
_SMALL: Final = 100_000
_LONGEST_SIGN: Final = 3  # such as -, ? or ...


@dataclass(frozen=True)
class Names:
    """The settings' own words for a table, and the words that name people and places in its extract."""

    words: Mapping[str, Mapping[str, str]]
    formats: Sequence[str]
    naming: frozenset[str]


def names_of(rows: pl.DataFrame, settings: TableSettings | None, carried: Sequence[str]) -> Names:
    """What has to be known of an extract to tell what of it may leave."""
    naming = [name for name in rows.columns if name not in carried and not name.startswith("_") and NAMING.search(name)]
    words, formats = ({}, ()) if settings is None else (settings.words, settings.reader.date_formats)
    return Names(words, formats, words_that_name(rows, naming))


def with_carried(rows: pl.DataFrame, table: str, carried: Sequence[str], names: Names) -> pl.DataFrame:
    """Put beside each carried column what of it may leave (`_carry_…`), and which cells stay behind (`_stays_…`) and
    seem to tell who somebody is (`_tells_…`)."""
    contract = {column.name: column for column in columns(table)} if table in TABLES else {}
    made: list[pl.Series] = []
    for name in carried:
        text = rows.select(pl.when(~is_missing_text(name)).then(pl.col(name).str.strip_chars()))[name]
        if name == "code" and "code_system" in rows.columns:
            leaves = _codes(text, rows["code_system"], names.naming)
        elif name in contract:
            leaves = _by_text(text, table, contract[name], names)
        else:
            leaves = text
        is_left = leaves.is_null() | leaves.is_in([NOT_LISTED, NOT_CARRIED]).fill_null(value=False)
        stays = text.is_not_null() & is_left
        # A code may be a long number by nature: of codes the screen compares the row's own identifiers.
        behind = text.filter(stays).unique() if name not in CODES else pl.Series([], dtype=pl.String)
        is_date = name in contract and contract[name].kind == "date"
        tells = [may_identify(one, names.naming) and not (is_date and is_day(one)) for one in behind]
        telling = behind.filter(pl.Series(tells, dtype=pl.Boolean))
        made += [
            leaves.alias(f"_carry_{name}"),
            stays.alias(f"_stays_{name}"),
            text.is_in(telling.implode()).fill_null(value=False).alias(f"_tells_{name}"),
        ]
    return rows.with_columns(made)


def is_missing_text(name: str) -> pl.Expr:
    """Where a carried column holds nothing."""
    return pl.col(name).is_null() | (pl.col(name).str.strip_chars() == "")


def _by_text(text: pl.Series, table: str, column: Column, names: Names) -> pl.Series:
    """What may leave of each cell, worked out once for each distinct text."""
    distinct = text.unique().drop_nulls()
    if column.kind == "label":
        leaves = _labels(distinct, column, names.words.get(column.name, {}))
    else:
        leaves = _typed(distinct, table, column, names)
    return text.replace_strict(distinct, leaves, default=None, return_dtype=pl.String) if len(distinct) else text


def _labels(texts: pl.Series, column: Column, values: Mapping[str, str]) -> pl.Series:
    ours = {fold_one(theirs): fold_one(label) for theirs, label in values.items()}
    known = {fold_one(word) for word in _NOTHING} | set(ours) | set(ours.values()) | set(dict(column.also))
    known |= {*column.also_missing, *column.labels, NOT_LISTED} | (set(ANSWERS) if column.is_yes_or_no else set())
    frame = pl.DataFrame({"text": texts}).with_columns(label=folded(pl.col("text")))
    on_list = listed(pl.col("label"), known=column.known, own=known - {""})
    stem = pl.when(on_list == pl.col("label")).then(pl.col("text")).otherwise(on_list)
    if column.is_yes_or_no:
        stem = pl.when(pl.col("text").str.contains(YES_AND_MORE)).then(pl.lit("yes")).otherwise(stem)
    is_sign = (pl.col("label") == "") & (pl.col("text").str.len_chars() <= _LONGEST_SIGN)
    leaves = pl.when(is_sign).then("text").when(pl.col("label") == "").then(pl.lit(NOT_LISTED)).otherwise(stem)
    return frame.select(leaves=leaves)["leaves"]


def _typed(texts: pl.Series, table: str, column: Column, names: Names) -> pl.Series:
    if column.kind == "date":
        day = days_of(texts, names.formats)
        is_one = day.is_not_null() | texts.str.starts_with("0000-00-00")
        if table not in _LONG_AGO:
            is_one &= ~day.is_between(*_TOO_EARLY).fill_null(value=False)
    elif column.kind in ("whole", "number"):
        low, high = _range_of(table, column.name)
        number = numbers_of(texts)
        # A small number out of range is a slip that the group tells by its rule; a long one may be somebody's own.
        is_small = number.is_between(low, high) | (number.abs() < _SMALL)
        # With a nought in front it is a day or a telephone number written without a sign between.
        is_one = is_small & (texts.str.len_chars() <= _LONGEST_NUMBER) & ~texts.str.contains(r"^0[0-9]{5}")
    else:
        shapes = [_SHAPES.get(column.name), *_shapes_of(table, column.name)]
        fits = [texts.str.contains(shape) for shape in shapes if shape is not None]
        is_one = pl.select(pl.all_horizontal(fits)).to_series() if fits else _is_plain(texts, names.naming)
        if column.name == "bnf_code":
            is_one &= ~texts.str.contains(_NO_BNF)
        if column.name == "dmd_code":
            is_one &= _is_code_of_snomed(texts)
    mapped = {theirs.strip().lower() for theirs in names.words.get(column.name, {})}
    is_word = texts.str.to_lowercase().is_in(sorted({*_NOTHING, *mapped, *names.words.get(column.name, {}).values()}))
    return pl.DataFrame({"text": texts, "may": (is_one.fill_null(value=False) | is_word)}).select(
        pl.when("may").then("text").otherwise(pl.lit(NOT_CARRIED))
    )["text"]


def _codes(text: pl.Series, system: pl.Series, naming: Collection[str]) -> pl.Series:
    """Codes of the GP record, each by the rules of its terminology."""
    told = pl.DataFrame({"code": text, "system": folded_series(system)})
    distinct = told.unique().drop_nulls("code")
    is_named = pl.Series([word.lower() in naming for word in distinct["code"]], dtype=pl.Boolean)
    snomed = _is_code_of_snomed(distinct["code"])
    read = distinct["code"].str.contains(_READ) & ~is_named
    local = _is_plain(distinct["code"], naming) & distinct["code"].str.contains(r"^\S{1,40}$")
    may = (
        pl.when(pl.col("system") == "snomed")
        .then(snomed)
        .when(pl.col("system").is_in(["read2", "ctv3"]))
        .then(read)
        .otherwise(local)
    )
    distinct = distinct.with_columns(leaves=pl.when(may).then("code").otherwise(pl.lit(NOT_CARRIED)))
    return told.join(distinct, on=["code", "system"], how="left", nulls_equal=True, maintain_order="left")["leaves"]


def folded_series(text: pl.Series) -> pl.Series:
    """A column of labels, folded."""
    return text.to_frame("text").select(folded(pl.col("text")))["text"]


def _is_code_of_snomed(texts: pl.Series) -> pl.Series:
    frame = texts.to_frame("code")
    good = is_snomed(pl.col("code")) & partition(pl.col("code")).is_in(_PARTITIONS)
    return frame.select(good.fill_null(value=False))["code"]


def _is_plain(texts: pl.Series, naming: Collection[str]) -> pl.Series:
    """Which codes of an agency's own hold no NHS number, telephone number, postcode, day or name."""
    is_number = texts.to_frame("x").select(canonical_nhs_number(pl.col("x")).is_not_null())["x"]
    digits = texts.str.contains(r"^0[0-9]{9,10}$|^\+?44[0-9]{9,10}$|^(?:19|20)[0-9]{6}$|^[0-9]{6}(?:19|20)[0-9]{2}$")
    # A code may be a long number by nature; whatever else tells of somebody does so without its digits too.
    others = [may_identify(one, naming) for one in texts.str.replace_all(r"[0-9]{7,}", "")]
    return ~(is_number | digits | pl.Series(others, dtype=pl.Boolean))


def _statistics(table: str, column: str) -> list[dict[str, Any]]:
    return [check.statistics or {} for check in TABLES[table].to_schema().columns[column].checks]


def _range_of(table: str, column: str) -> tuple[float, float]:
    found = _statistics(table, column)
    low = max((one["min_value"] for one in found if "min_value" in one), default=float("-inf"))
    high = min((one["max_value"] for one in found if "max_value" in one), default=float("inf"))
    return low, high


def _shapes_of(table: str, column: str) -> list[str]:
    return [
        pattern if isinstance(pattern, str) else pattern.pattern
        for one in _statistics(table, column)
        if (pattern := one.get("pattern")) is not None
    ]
