"""The annex's section of the codes and labels that are recognised."""

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from ageingwell.governance.night_facts import RecognisedFacts
from ageingwell.governance.recognised import described
from ageingwell.recognition.counting import COUNTED
from ageingwell.recognition.labels import NEW_LABELS
from ageingwell.report.section import Section, section, table

HEADS: Final = ("Table", "Column", "Practice", "What", "Rows", "Recognised", "Share", "So")


def recognised_sections(told: RecognisedFacts | None) -> list[Section]:
    """One section from what the manifest keeps under `recognised`; none where a night kept nothing.

    The table has a row for each column as a whole, for each practice below a floor, and for each label nobody knows.
    """
    if not told or not told["counted"]:
        return []
    counted = pl.DataFrame(told["counted"], schema=COUNTED)
    whole = pl.col("practice_code").is_null() & pl.col("is_enough").is_not_null()
    shown = counted.filter(whole | ~pl.col("is_enough"))
    rows = [_cells(row) for row in described(shown, _new_labels(told)).iter_rows(named=True)]
    few = sum(row[-1] != "enough" for row in rows)
    says = [
        "How many of the codes and labels we know. Below its floor in the settings, a fact counts "
        f"as unknown for these people, never as no: {few} of the {len(rows)} rows below."
    ]
    caption = f"{len(rows)} columns, practices and labels"
    parts = [table({"caption": caption, "note": "", "heads": list(HEADS), "rows": rows})]
    return [section("Codes and labels we recognise", "recognised", says=says, parts=parts)]


def _new_labels(told: RecognisedFacts) -> pl.DataFrame:
    # Only labels of at least 8 people or homes are kept in the manifest; how many they are is not.
    labels = pl.DataFrame(told["new_labels"], schema=["table", "column", "label", "n_rows"], orient="row")
    return labels.with_columns(n_subjects=pl.col("n_rows")).cast(NEW_LABELS)


def _cells(row: Mapping[str, Any]) -> list[str]:
    return [
        row["table"],
        row["column"],
        row["practice_code"] or "all",
        row["what"],
        f"{row['n_rows']:,}",
        f"{row['n_recognised']:,}",
        f"{row['share']:.1%}",
        row["verdict"] or "",
    ]
