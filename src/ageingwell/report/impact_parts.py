"""Small things that both pages of an impact are made of."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

import polars as pl

from ageingwell.views.words import day_words

Table = dict[str, Any]
Tables = Mapping[str, pl.DataFrame]
LOT, MATCHED = "lot", "matched"
HARM_DAYS: Final = 91


def rows_of_everybody(effects: pl.DataFrame, outcome: str, days: int) -> list[dict[str, Any]]:
    """What is told of everybody: by lot first, what cannot be told last."""
    rows = effects.filter(by="all", outcome=outcome, days=days).to_dicts()
    order = {LOT: 0, MATCHED: 1}
    return sorted(rows, key=lambda row: (row["value"] is None or row["why_not"] is not None, order[row["method"]]))


def too_early(facts: Mapping[str, Any]) -> str:
    """When there will be something to tell."""
    first = facts.get("first_settled")
    if first is None:
        ends = day_words(date.fromisoformat(facts["recorded_up_to"]))
        return f"Nobody was on a list before {ends}, when these records end."
    if first <= facts["recorded_up_to"]:
        return "Nobody who was listed can be followed in these records."
    return f"The first people will have been followed long enough on {day_words(date.fromisoformat(first))}."


def as_table(caption: str, heads: Sequence[str], rows: list[list[str]], *, note: str = "") -> Table:
    """A table as the pages draw it."""
    return {"caption": caption, "heads": list(heads), "rows": rows, "note": note}


def whole(shown: str) -> int | None:
    """A count as it is shown, as a number; None where it is hidden."""
    plain = shown.replace(",", "")
    return int(plain) if plain.isdigit() else None
