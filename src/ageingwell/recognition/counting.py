"""How many of the codes and labels that were sent are of a kind we know, and whose records therefore tell nothing.

A word of a vocabulary that nobody here knows (a Read code, an operation in the place of a diagnosis, a label of next
year's return) looks like any other row, and yet nothing is found in it. Without a count "not recognised" becomes "none
recorded". So everything is counted by table, column, terminology and practice, set beside a floor of the settings, and
told person by person, so that what rests on it is unknown.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import polars as pl

from ageingwell.config.files import snomed_lists
from ageingwell.config.score import RecognitionSettings
from ageingwell.contracts.codes import CONCEPT, DESCRIPTION, is_concept, partition
from ageingwell.contracts.prefixes import has_bnf_chapter, starts_with_any
from ageingwell.contracts.registry import open_labels
from ageingwell.recognition.labels import labels_of
from ageingwell.sources.dmd_to_bnf import LOOKED_UP
from ageingwell.spine import Tables, latest_versions, read_places

Codelists = Mapping[str, tuple[str, ...]]

COUNTED = pl.Schema(
    {
        "table": pl.String,
        "column": pl.String,
        "terminology": pl.String,
        "recognised_as": pl.String,
        "practice_code": pl.String,
        "n_rows": pl.Int64,
        "n_recognised": pl.Int64,
        "share": pl.Float64,
        "at_least": pl.Float64,
        "is_enough": pl.Boolean,
    }
)
ANY: Final = "any"  # all the terminologies of a column together

ENTRIES: Final = "gp_events.code"
MEDICINES: Final = "gp_prescriptions.bnf_code"
DIAGNOSES: Final = "hospital_events.icd10"
OTHER_DIAGNOSES: Final = "hospital_events.other_icd10"

# Diseases of the circulation and of breathing, and symptoms: the diagnoses of two in five emergency stays of older
# people. OPCS-4, the classification of operations, has the same shape of code, no chapter I, and next to none of
# older people in J (liver and pancreas) or R (childbirth).
COMMON_CHAPTERS: Final = ("I", "J", "R")


def recognised(tables: Tables, *, places: Path, codelists: Codelists, floors: RecognitionSettings) -> pl.DataFrame:
    """How many rows are of a kind we know: one row a table, column, terminology and practice (`COUNTED`).

    Without a practice it counts all of them. `recognised_as` says what was asked: `readable` (a terminology our lists
    are written in), `on_a_list`, `bnf_chapter`, `common_chapter`, `known_label`, `known_area`. `is_enough` is false
    below the floor of the settings, and missing where a row is only part of what a floor is asked of. Tables that were
    not sent are left out; a practice is the one of the newest row of the register.
    """
    return counted_from(tables, entries_by_person(tables, codelists), places=places, codelists=codelists, floors=floors)


def unrecognised(counted: pl.DataFrame) -> pl.DataFrame:
    """The rows of `recognised` that fall below their floor.

    >>> rows = {"column": ["code", "icd10", "code"], "is_enough": [True, False, None]}
    >>> unrecognised(pl.DataFrame(rows))["column"].to_list()
    ['icd10']
    """
    return counted.filter(~pl.col("is_enough"))


def counted_from(
    tables: Tables, by_person: pl.DataFrame, *, places: Path, codelists: Codelists, floors: RecognitionSettings
) -> pl.DataFrame:
    """The counts of `recognised`, with the coded entries counted already."""
    parts = [
        _entries(tables, by_person, floors),
        _prescriptions(tables, codelists, floors),
        _diagnoses(tables, codelists, floors),
        _known_labels(tables, floors),
        _areas(tables, places, floors),
    ]
    counted = pl.concat([part for part in parts if part is not None] or [pl.DataFrame(schema=COUNTED)])
    return counted.sort("table", "column", "practice_code", "terminology", "recognised_as", nulls_last=False)


def _judged(
    counts: pl.DataFrame, column: str, asked: str, *, at_least: float | None, floors: RecognitionSettings
) -> pl.DataFrame:
    """Counts (terminology, practice_code, n_rows, n_recognised) in the shape of `COUNTED`, beside their floor."""
    table, name = column.split(".")
    share = pl.col("n_recognised") / pl.col("n_rows")
    floor = pl.lit(at_least, dtype=pl.Float64)
    few = pl.col("n_rows") < floors.minimum_rows
    found = counts.with_columns(
        table=pl.lit(table), column=pl.lit(name), recognised_as=pl.lit(asked), share=share, at_least=floor
    ).with_columns(is_enough=pl.when(floor.is_not_null()).then(few | (share >= floor)))
    return found.select(COUNTED.names()).cast(COUNTED)


def _terminology() -> pl.Expr:
    """The terminology of a coded entry; the partition of a SNOMED CT identifier tells a concept from a description."""
    digits = partition(pl.col("code"))
    of_snomed = (
        pl.when(digits.is_in(CONCEPT))
        .then(pl.lit("snomed"))
        .when(digits.is_in(DESCRIPTION))
        .then(pl.lit("snomed_description"))
        .otherwise(pl.lit("snomed_other"))
    )
    return pl.when(pl.col("code_system") == "snomed").then(of_snomed).otherwise("code_system")


def entries_by_person(tables: Tables, codelists: Codelists) -> pl.DataFrame:
    """Coded entries of each person and terminology: person_id, terminology, n_rows, n_recognised (on any list)."""
    schema = {"person_id": pl.String, "terminology": pl.String, "n_rows": pl.Int64, "n_recognised": pl.Int64}
    if "gp_events" not in tables:
        return pl.DataFrame(schema=schema)
    listed = sorted({code for name in snomed_lists(codelists) for code in codelists[name]})
    on_list = (pl.col("code_system") == "snomed") & pl.col("code").is_in(listed)
    rows = tables["gp_events"].select("person_id", terminology=_terminology(), on_list=on_list)
    counts = rows.group_by("person_id", "terminology").agg(n_rows=pl.len(), n_recognised=pl.col("on_list").sum())
    return counts.cast(schema).collect()  # type: ignore[arg-type]


def practices_of(tables: Tables) -> pl.DataFrame:
    """The practice of each person on the register, by its newest row: person_id, practice_code."""
    return latest_versions(tables["gp_patients"]).select("person_id", "practice_code")


def _by_practice(counts: pl.DataFrame, tables: Tables, *, within: tuple[str, ...]) -> pl.DataFrame:
    """Counts of people added up for all practices (an empty code) and for each; strangers are in the first alone."""
    sums = (pl.col("n_rows").sum(), pl.col("n_recognised").sum())
    practice = pl.col("practice_code")
    everyone = counts.with_columns(practice_code=pl.lit(None, dtype=pl.String))
    parts = [everyone]
    if "gp_patients" in tables:
        parts.append(counts.join(practices_of(tables), on="person_id").filter(practice.is_not_null()))
    keys = ("practice_code", *within)
    return (
        pl.concat(part.select("practice_code", *within, "n_rows", "n_recognised") for part in parts)
        .group_by(keys)
        .agg(sums)
    )


def _entries(tables: Tables, by_person: pl.DataFrame, floors: RecognitionSettings) -> pl.DataFrame | None:
    if "gp_events" not in tables:
        return None
    parts = _by_practice(by_person, tables, within=("terminology",))
    read = pl.col("n_rows").filter(pl.col("terminology") == "snomed").sum()
    whole = (
        parts.group_by("practice_code")
        .agg(pl.col("n_rows").sum(), on_list=pl.col("n_recognised").sum(), readable=read)
        .with_columns(terminology=pl.lit(ANY))
    )
    readable, listed = floors.entries_readable_at_least, floors.entries_on_lists_at_least
    return pl.concat(
        [
            _judged(parts, ENTRIES, "on_a_list", at_least=None, floors=floors),
            _judged(whole.rename({"readable": "n_recognised"}), ENTRIES, "readable", at_least=readable, floors=floors),
            _judged(whole.rename({"on_list": "n_recognised"}), ENTRIES, "on_a_list", at_least=listed, floors=floors),
        ]
    )


GROUPED: Final = ("bnf", "bnf_looked_up")  # the terminologies of prescriptions that tell every group


def _medicine_terminology(rows: pl.LazyFrame, codelists: Codelists) -> pl.Expr:
    """How the groups of a prescription are told: by a BNF code, sent or looked up, by a list of dm+d codes, or not."""
    listed = sorted({code for name, codes in codelists.items() if name.startswith("dmd_") for code in codes})
    looked_up = pl.col(LOOKED_UP) if LOOKED_UP in rows.collect_schema().names() else pl.lit(value=False)
    return (
        pl.when(has_bnf_chapter() & looked_up)
        .then(pl.lit("bnf_looked_up"))
        .when(has_bnf_chapter())
        .then(pl.lit("bnf"))
        .when(pl.col("dmd_code").is_in(listed))
        .then(pl.lit("dmd_listed"))
        .when(pl.col("bnf_code").is_not_null())
        .then(pl.lit("not_bnf"))
        .when(is_concept(pl.col("dmd_code")))
        .then(pl.lit("dmd"))
        .otherwise(pl.lit("not_dmd"))
    )


def _prescriptions(tables: Tables, codelists: Codelists, floors: RecognitionSettings) -> pl.DataFrame | None:
    if "gp_prescriptions" not in tables:
        return None
    sent = tables["gp_prescriptions"]
    rows = sent.select("person_id", terminology=_medicine_terminology(sent, codelists))
    by_person = rows.group_by("person_id", "terminology").agg(n_rows=pl.len().cast(pl.Int64)).collect()
    # A list of dm+d codes tells one group; which others a medicine belongs to it does not.
    is_grouped = pl.col("terminology").is_in(GROUPED)
    counts = by_person.with_columns(n_recognised=pl.when(is_grouped).then("n_rows").otherwise(0))
    parts = _by_practice(counts, tables, within=("terminology",))
    whole = _by_practice(counts, tables, within=()).with_columns(terminology=pl.lit(ANY))
    floor = floors.medicines_grouped_at_least
    return pl.concat(
        [
            _judged(parts, MEDICINES, "bnf_chapter", at_least=None, floors=floors),
            _judged(whole, MEDICINES, "bnf_chapter", at_least=floor, floors=floors),
        ]
    )


def emergencies(tables: Tables) -> pl.LazyFrame:
    """Emergency stays with a diagnosis, its dot left out."""
    icd10 = pl.col("icd10").str.replace(".", "", literal=True)
    is_told = (pl.col("kind") == "emergency_admission") & pl.col("icd10").is_not_null()
    return tables["hospital_events"].filter(is_told).select("person_id", icd10=icd10)


def _other_diagnoses(tables: Tables) -> pl.LazyFrame:
    """Every diagnosis in another position than the first of emergency stays, its dot left out."""
    codes = pl.col("other_icd10").str.replace_all(".", "", literal=True).str.extract_all("[^ ;]+")
    is_told = (pl.col("kind") == "emergency_admission") & pl.col("other_icd10").is_not_null()
    found = tables["hospital_events"].filter(is_told).select("person_id", icd10=codes)
    return found.explode("icd10", empty_as_null=True).drop_nulls("icd10")


def _diagnoses(tables: Tables, codelists: Codelists, floors: RecognitionSettings) -> pl.DataFrame | None:
    """Main and other diagnoses, each judged by itself: the two columns come from different ones of the extract.

    The floors were set for main diagnoses. Of the others most are long-term conditions and circumstances, on none of
    our lists: how many are on a list is counted and not judged.
    """
    if "hospital_events" not in tables:
        return None
    listed = floors.diagnoses_on_lists_at_least
    return pl.concat(
        [
            _of_position(DIAGNOSES, emergencies(tables), codelists, floors, on_lists_at_least=listed),
            _of_position(OTHER_DIAGNOSES, _other_diagnoses(tables), codelists, floors, on_lists_at_least=None),
        ]
    )


def _of_position(
    column: str,
    diagnoses: pl.LazyFrame,
    codelists: Codelists,
    floors: RecognitionSettings,
    *,
    on_lists_at_least: float | None,
) -> pl.DataFrame:
    prefixes = [code for name, codes in codelists.items() if name.startswith("icd10_") for code in codes]
    code = pl.col("icd10")
    found = diagnoses.select(
        n_rows=pl.len(),
        on_list=starts_with_any(code, prefixes).sum(),
        common=starts_with_any(code, COMMON_CHAPTERS).sum(),
    )
    counts = (
        found.collect()
        .with_columns(practice_code=pl.lit(None, dtype=pl.String), terminology=pl.lit("icd10"))
        .filter(pl.col("n_rows") > 0)
    )
    on_list, common = (counts.rename({name: "n_recognised"}) for name in ("on_list", "common"))
    in_common = floors.diagnoses_in_common_chapters_at_least
    return pl.concat(
        [
            _judged(on_list, column, "on_a_list", at_least=on_lists_at_least, floors=floors),
            _judged(common, column, "common_chapter", at_least=in_common, floors=floors),
        ]
    )


def _known_labels(tables: Tables, floors: RecognitionSettings) -> pl.DataFrame:
    found = [pl.DataFrame(schema=COUNTED)]
    for table, column in open_labels():
        if table not in tables:
            continue
        labels = labels_of(tables, table, column)
        known = labels.filter("is_known")["n"].sum()
        counts = pl.DataFrame({"n_rows": [labels["n"].sum()], "n_recognised": [known]}).with_columns(
            practice_code=pl.lit(None, dtype=pl.String), terminology=pl.lit("label")
        )
        floor = floors.labels_known_at_least
        judged = _judged(
            counts.filter(pl.col("n_rows") > 0), f"{table}.{column}", "known_label", at_least=floor, floors=floors
        )
        found.append(judged)
    return pl.concat(found)


def _areas(tables: Tables, places: Path, floors: RecognitionSettings) -> pl.DataFrame | None:
    if "gp_patients" not in tables:
        return None
    areas = latest_versions(tables["gp_patients"])["lsoa21"].drop_nulls()
    known = areas.is_in(read_places(places)["lsoa21"].implode())
    counts = pl.DataFrame({"n_rows": [areas.len()], "n_recognised": [int(known.sum())]}).with_columns(
        practice_code=pl.lit(None, dtype=pl.String), terminology=pl.lit("lsoa21")
    )
    floor = floors.places_known_at_least
    return _judged(
        counts.filter(pl.col("n_rows") > 0), "gp_patients.lsoa21", "known_area", at_least=floor, floors=floors
    )
