"""From an agency's values to our labels, by the `labels.csv` of a profile; what it does not know is counted by name."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from ageingwell.contracts.registry import Column, columns
from ageingwell.profiles.profile import IGNORE, LOOKUPS, folded_label


@dataclass(frozen=True)
class Labelled:
    """The rows with our labels; the rows left out because a label says so, by reason; and labels nobody mapped.

    `unknown` counts rows by column and folded label, of each column whose labels are known.
    """

    rows: pl.LazyFrame
    left_out: Counter[str] = field(default_factory=Counter)
    unknown: Mapping[tuple[str, str], int] = field(default_factory=dict)


def labelled(
    rows: pl.LazyFrame, table: str, labels: Mapping[str, Mapping[str, str]], *, empty: Sequence[str] = ()
) -> Labelled:
    """Map the values of each column that `labels` names, and read the words of `empty` as missing.

    >>> rows = pl.LazyFrame({"sex": ["F", "Male", "zz"], "nhs_number": ["1", "2", "3"]})
    >>> found = labelled(rows, "gp_patients", {"sex": {"f": "female", "zz": "ignore"}})
    >>> found.rows.collect()["sex"].to_list(), dict(found.left_out), dict(found.unknown)
    (['female', 'Male'], {'sex: a value that is left out': 1}, {})
    """
    present = rows.collect_schema()
    if empty:
        words = {word.strip().lower() for word in empty}
        text = [name for name, dtype in present.items() if dtype == pl.String and not name.startswith("_")]
        rows = rows.with_columns(
            pl.when(~pl.col(name).str.strip_chars().str.to_lowercase().is_in(words)).then(pl.col(name)).alias(name)
            for name in text
        )
    contract = {} if table in LOOKUPS else {column.name: column for column in columns(table)}
    left_out: Counter[str] = Counter()
    unknown: dict[tuple[str, str], int] = {}
    for name, mapped in labels.items():
        if name not in present:
            continue
        rows, n_left = _mapped(rows, name, mapped, is_required=name in contract and contract[name].required)
        if n_left:
            left_out[f"{name}: a value that is left out"] += n_left
    for name, column in contract.items():
        if column.kind == "label" and name in present:
            unknown |= _unknown(rows, column)
    return Labelled(rows, left_out, unknown)


def _mapped(rows: pl.LazyFrame, name: str, mapped: Mapping[str, str], *, is_required: bool) -> tuple[pl.LazyFrame, int]:
    counted = dict(rows.drop_nulls(name).group_by(name).len().collect().iter_rows())
    ours = {text: mapped[folded_label(text)] for text in counted if folded_label(text) in mapped}
    ignored = [text for text, label in ours.items() if label == IGNORE]
    n_left = 0
    if is_required and ignored:
        rows = rows.filter(~pl.col(name).is_in(ignored).fill_null(value=False))
        n_left = sum(counted[text] for text in ignored)
    replaced = {text: (None if label in (IGNORE, "") else label) for text, label in ours.items()}
    return rows.with_columns(pl.col(name).replace(replaced)) if replaced else rows, n_left


def _unknown(rows: pl.LazyFrame, column: Column) -> dict[tuple[str, str], int]:
    known = {*column.labels, *column.known, *(theirs for theirs, _ in column.also), *column.also_missing}
    if not known:
        return {}
    counted = rows.drop_nulls(column.name).group_by(column.name).len().collect().iter_rows()
    found: Counter[tuple[str, str]] = Counter()
    for text, n in counted:
        if (label := folded_label(text)) not in known and not any(_is_open(each, label) for each in known):
            found[column.name, label] += n
    return dict(found)


def _is_open(known: str, label: str) -> bool:
    return "*" in known and label.startswith(known.split("*")[0]) and label.endswith(known.rsplit("*", 1)[1])
