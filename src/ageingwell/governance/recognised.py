"""What is said of codes and labels that nobody recognises: on page one, in the manifest, by `check` and in the annex.

Rows are counted, never people. A label is named only where the settings name it and it stands for 8 people or homes and
more: what is on no list may be a remark about somebody.
"""

from typing import Final

import polars as pl

from ageingwell.governance.disclosure import SUPPRESS_BELOW
from ageingwell.governance.night_facts import RecognisedFacts
from ageingwell.reading.listed import NOT_LISTED
from ageingwell.reading.showable import may_be_shown
from ageingwell.recognition.counting import (
    ANY,
    DIAGNOSES,
    ENTRIES,
    GROUPED,
    MEDICINES,
    OTHER_DIAGNOSES,
    unrecognised,
)
from ageingwell.recognition.people import CARE_LABELS, Recognised

MOST_NAMED: Final = 5
TERMINOLOGIES: Final = {
    "snomed": "SNOMED CT concepts",
    "snomed_description": "SNOMED CT description ids",
    "snomed_other": "other SNOMED CT ids",
    "read2": "Read version 2",
    "ctv3": "CTV3",
    "local": "local codes",
    "bnf": "BNF codes",
    "bnf_looked_up": "BNF codes looked up by dm+d code",
    "dmd_listed": "dm+d codes on one of our lists",
    "dmd": "dm+d codes alone",
    "not_dmd": "codes that are no dm+d codes",
    "not_bnf": "codes of no BNF chapter",
    "icd10": "ICD-10 codes",
    "label": "labels",
    "lsoa21": "areas",
}
_RECOGNISED_AS: Final = {
    "readable": "SNOMED CT concepts",
    "on_a_list": "on one of our code lists",
    "bnf_chapter": "with a BNF code",
    "common_chapter": "in ICD-10 chapters I, J and R",
    "known_label": "known labels",
    "known_area": "in the file of places",
}


_SO_ENTRIES: Final = (
    "We do not know what the GP record would say about {whom}. Nothing found does not mean nothing is there"
)
_SO_MEDICINES: Final = "We do not know which groups the medicines of {whom} belong to. We know how many there are"


def sentences(found: Recognised) -> list[str]:
    """What page one says of each thing that is not recognised, without full stops at the end.

    Nothing where all is well. Practices are named, at most five for each kind of record.
    """
    below = unrecognised(found.counted)
    return [
        *_of_practices(found.counted, below, ENTRIES, _SO_ENTRIES),
        *_of_practices(found.counted, below, MEDICINES, _SO_MEDICINES),
        *_of_diagnoses(below),
        *_of_labels(found),
        *_of_areas(below),
    ]


def described(counted: pl.DataFrame, new_labels: pl.DataFrame) -> pl.DataFrame:
    """The counts as `ageingwell check` prints them: table, column, practice_code, what, n_rows, n_recognised, verdict.

    `what` says what was counted in words. The settings' own labels follow, those of at least 8 people or homes.
    """
    kind, words = pl.col("terminology"), pl.col("recognised_as").replace(_RECOGNISED_AS)
    what = pl.when(kind == ANY).then(words).otherwise(pl.format("{}, {}", kind.replace(TERMINOLOGIES), words))
    verdict = pl.when(pl.col("is_enough")).then(pl.lit("enough")).when(~pl.col("is_enough")).then(pl.lit("too few"))
    told = counted.select(
        "table", "column", "practice_code", "n_rows", "n_recognised", "share", what=what, verdict=verdict
    )
    named = _named(new_labels).select(
        "table",
        "column",
        "n_rows",
        practice_code=pl.lit(None, dtype=pl.String),
        n_recognised=pl.lit(0, dtype=pl.Int64),
        share=pl.lit(0.0),
        what=pl.format("the label `{}`", "label"),
        verdict=pl.lit("not known"),
    )
    order = ("table", "column", "practice_code", "what", "n_rows", "n_recognised", "share", "verdict")
    return pl.concat([told.select(order), named.select(order)])


def manifest_of(found: Recognised) -> RecognisedFacts:
    """The same for `manifest.json`: `counted` row by row, and `new_labels` with the rows of each."""
    named = _named(found.new_labels).select("table", "column", "label", "n_rows")
    return {"counted": found.counted.to_dicts(), "new_labels": named.to_dicts()}


def _named(new_labels: pl.DataFrame) -> pl.DataFrame:
    return new_labels.filter(
        ~pl.col("label").str.starts_with(NOT_LISTED),
        pl.col("n_subjects") >= SUPPRESS_BELOW,
        may_be_shown(pl.col("label"), n_rows=pl.col("n_rows")),
    )


def _of(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    table, name = column.split(".")
    return frame.filter(table=table, column=name)


def _of_practices(counted: pl.DataFrame, below: pl.DataFrame, column: str, so: str) -> list[str]:
    """One sentence for all practices where none is above its floor, else one for each that is below."""
    theirs, judged = _of(below, column), _of(counted, column).filter(pl.col("is_enough").is_not_null())
    if theirs.is_empty():
        return []
    practices = theirs["practice_code"].drop_nulls().unique().sort()
    others = judged.filter(~pl.col("practice_code").is_in(practices.implode()))["practice_code"].drop_nulls()
    if others.is_empty() and theirs["practice_code"].null_count():
        return [f"{_counts(counted, theirs, column, None)}. {so.format(whom='all patients')}"]
    said = [
        f"{_counts(counted, theirs, column, code)}. {so.format(whom='its patients')}" for code in practices[:MOST_NAMED]
    ]
    left = practices.len() - MOST_NAMED
    return said if left <= 0 else [*said, f"the same is true of {left:,} more practices; the manifest names them"]


def _counts(counted: pl.DataFrame, below: pl.DataFrame, column: str, practice: str | None) -> str:
    """What was counted of one practice, or of all: the floor missed, and what most of the other rows are."""
    ours = pl.col("practice_code").eq_missing(pl.lit(practice, dtype=pl.String))
    # Where entries cannot be read none of them is on a list: that need not be said as well.
    row = below.filter(ours).sort("recognised_as", descending=True).row(0, named=True)
    asked = _RECOGNISED_AS[row["recognised_as"]]
    what = "prescriptions have a BNF code" if column == MEDICINES else f"coded entries are {asked}"
    parts = _of(counted, column).filter(ours & ~pl.col("terminology").is_in([ANY, "snomed", *GROUPED]))
    most = parts.sort("n_rows", "terminology", descending=[True, False]).head(2).iter_rows(named=True)
    others = ", ".join(f"{part['n_rows']:,} are {TERMINOLOGIES[part['terminology']]}" for part in most)
    who = "GP records" if practice is None else f"practice {practice}"
    said = f"{who}: {row['n_recognised']:,} of {row['n_rows']:,} {what}"
    return f"{said} ({others})" if others else said


def _of_diagnoses(below: pl.DataFrame) -> list[str]:
    facts = " and ".join(
        f"{row['n_recognised']:,} of {row['n_rows']:,} {whose} are {_RECOGNISED_AS[row['recognised_as']]}"
        for column, whose in ((DIAGNOSES, "emergency diagnoses"), (OTHER_DIAGNOSES, "other emergency diagnoses"))
        for row in _of(below, column).iter_rows(named=True)
    )
    if not facts:
        return []
    return [
        f"hospital records: {facts}; they may be codes of operations. Whether a fall led to a hospital stay is unknown"
    ]


def _of_labels(found: Recognised) -> list[str]:
    """Columns of social care that something rests on, with labels nobody knows that are not rare, or too many such."""
    below, named = unrecognised(found.counted), _named(found.new_labels)
    common = found.new_labels.filter(pl.col("n_subjects") >= SUPPRESS_BELOW)
    told = []
    for column in CARE_LABELS:
        labels = _of(named, f"care_events.{column}")
        if _of(common, f"care_events.{column}").is_empty() and _of(below, f"care_events.{column}").is_empty():
            continue
        row = _of(found.counted, f"care_events.{column}").row(0, named=True)
        new = row["n_rows"] - row["n_recognised"]
        names = ", ".join(f"`{label}` ({n:,})" for label, n in labels.select("label", "n_rows").head(MOST_NAMED).rows())
        told.append(
            f"care_events: {new:,} of {row['n_rows']:,} entries of `{column}` hold a label that we do not know"
            + (f": {names}" if names else "")
            + ". We do not know what they would say about these people; `ageingwell connect` at the agency names the "
            "labels, and agencies.toml maps them"
        )
    return told


def _of_areas(below: pl.DataFrame) -> list[str]:
    so = "Place and deprivation are unknown, and no visits are kept for deprived or rural areas"
    return [
        f"GP register: {row['n_recognised']:,} of {row['n_rows']:,} people have an area that is in the file "
        f"of places; the others may have areas of 2011. {so}"
        for row in below.filter(column="lsoa21").iter_rows(named=True)
    ]
