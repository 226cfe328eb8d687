"""Open labels as code lists: a label on the list stays, and any other becomes one and the same word.

An open column takes labels of national lists that change by year, and councils' own. What stands in it may also be a
name, a number or a remark that somebody typed there. So a label is carried only where our list or the settings name it.
Of a pattern of the list (`*` stands for any text) only the part that we wrote ourselves is carried.
"""

from collections.abc import Collection
from functools import lru_cache
from typing import Final

import polars as pl

from ageingwell.reading.showable import may_be_shown

# What stands for any label that is on no list. It is no label of a national list: nothing may be concluded from it.
NOT_LISTED: Final = "other_not_listed"
LONGEST_OWN_LABEL: Final = 60


def folded(text: pl.Expr) -> pl.Expr:
    """Fold labels: lower case, every run of other than letters and digits becomes `_`, ends trimmed.

    >>> pl.DataFrame({"a": ["Long Term Support: Community", "NFA – Moved"]}).select(folded(pl.col("a")))["a"].to_list()
    ['long_term_support_community', 'nfa_moved']
    """
    return text.str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", "_").str.strip_chars("_")


@lru_cache(maxsize=4096)
def fold_one(text: str) -> str:
    """Fold one label of the settings, which are asked for again with each file."""
    return str(pl.select(folded(pl.lit(text))).item())


def listed(label: pl.Expr, *, known: Collection[str], own: Collection[str] = ()) -> pl.Expr:
    """The label of the list that each folded label is, `NOT_LISTED` where it is none; missing stays missing.

    `known` are our labels and patterns, `own` the labels that the settings name.

    >>> labels = pl.DataFrame({"label": ["braille", "unplanned_after_a_fall", "ann_b_07700_900123", None]})
    >>> labels.select(listed(pl.col("label"), known=["braille", "*unplanned*"]))["label"].to_list()
    ['braille', 'unplanned', 'other_not_listed', None]
    """
    exact = [name for name in known if "*" not in name]
    found = [pl.when(label.is_in([*exact, *own])).then(label)]
    found += [pl.when(_fits(label, pattern)).then(pl.lit(stem(pattern))) for pattern in known if "*" in pattern]
    other = pl.when(label.is_not_null()).then(pl.lit(NOT_LISTED))
    return pl.coalesce(*found, other).alias(label.meta.output_name())


def stem(pattern: str) -> str:
    """What of a pattern we wrote ourselves.

    >>> stem("nfa_support_ended*"), stem("*social_isolation*")
    ('nfa_support_ended', 'social_isolation')
    """
    return pattern.replace("*", "").strip("_")


def _fits(label: pl.Expr, pattern: str) -> pl.Expr:
    text = pattern.replace("*", "")
    if pattern.startswith("*") and pattern.endswith("*"):
        return label.str.contains(text, literal=True)
    return label.str.ends_with(text) if pattern.startswith("*") else label.str.starts_with(text)


def why_not_ours(label: str) -> str | None:
    """Why a folded label may not be one of the site's own; None where it may.

    >>> why_not_ours("deafblind_manual") is None, why_not_ours("ring_ann_on_07700_900123")
    (True, 'holds a long number, a postcode or an e-mail address')
    """
    if len(label) > LONGEST_OWN_LABEL:
        return f"is longer than {LONGEST_OWN_LABEL} letters"
    shown = pl.DataFrame({"label": [label]}).select(may_be_shown(pl.col("label"), n_rows=pl.lit(1_000))).item()
    return None if shown else "holds a long number, a postcode or an e-mail address"
