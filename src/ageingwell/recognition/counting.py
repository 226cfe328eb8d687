"""How many of the codes and labels that were sent are of a kind we know, and whose records therefore tell nothing.

A word of a vocabulary that nobody here knows (a Read code, an operation in the place of a diagnosis, a label of next
year's return) looks like any other row, and yet nothing is found in it. Without a count "not recognised" becomes "none
recorded". So everything is counted by table, column, terminology and practice, set beside a floor of the settings, and
told person by person, so that what rests on it is unknown.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from ageingwell.config.files import snomed_lists
from ageingwell.config.score import RecognitionSettings
from ageingwell.contracts.codes import CONCEPT, DESCRIPTION, is_concept, partition
from ageingwell.contracts.prefixes import has_bnf_chapter, starts_with_any
from ageingwell.events import medicines_issued
from ageingwell.recognition.labels import labels_of_every_column, nobody_knows
from ageingwell.recognition.sums import ANY as ANY
from ageingwell.recognition.sums import COUNTED as COUNTED
from ageingwell.recognition.sums import SUMS, Sums, add_counts, judge
from ageingwell.sources.dmd_to_bnf import LOOKED_UP
from ageingwell.spine import Tables, latest_versions, read_places

Codelists = Mapping[str, tuple[str, ...]]

ENTRIES: Final = "gp_events.code"
MEDICINES: Final = "gp_prescriptions.bnf_code"
DIAGNOSES: Final = "hospital_events.icd10"
OTHER_DIAGNOSES: Final = "hospital_events.other_icd10"

# Diseases of the circulation and of breathing, and symptoms: the diagnoses of two in five emergency stays of older
# people. OPCS-4, the classification of operations, has the same shape of code, no chapter I, and next to none of
# older people in J (liver and pancreas) or R (childbirth).
COMMON_CHAPTERS: Final = ("I", "J", "R")


@dataclass(frozen=True)
class Counts:
    """What is counted in one part of the people, each of them and each home whole.

    `sums` can be added to those of other parts; the rest stays: `entries_by_person` the coded entries (person_id,
    terminology, n_rows, n_recognised), `practices` the practice of everybody on the register, by their newest row
    (person_id, practice_code), `medicines` what `medicines_issued` makes of the prescriptions, where they came.
    """

    sums: Sums
    entries_by_person: pl.DataFrame
    practices: pl.DataFrame
    medicines: pl.DataFrame | None


def recognised(tables: Tables, *, places: Path, codelists: Codelists, floors: RecognitionSettings) -> pl.DataFrame:
    """How many rows are of a kind we know: one row a table, column, terminology and practice (`COUNTED`).

    Without a practice it counts all of them. `recognised_as` says what was asked: `readable` (a terminology our lists
    are written in), `on_a_list`, `bnf_chapter`, `common_chapter`, `known_label`, `known_area`. `is_enough` is false
    below the floor of the settings, and missing where a row is only part of what a floor is asked of. Tables that were
    not sent are left out; a practice is the one of the newest row of the register.
    """
    return judge(count_recognised(tables, places=places, codelists=codelists).sums, floors)


def unrecognised(counted: pl.DataFrame) -> pl.DataFrame:
    """The rows of `recognised` that fall below their floor.

    >>> rows = {"column": ["code", "icd10", "code"], "is_enough": [True, False, None]}
    >>> unrecognised(pl.DataFrame(rows))["column"].to_list()
    ['icd10']
    """
    return counted.filter(~pl.col("is_enough"))


def count_recognised(tables: Tables, *, places: Path, codelists: Codelists) -> Counts:
    """Count the rows of one part of the people and those of a kind we know, before any floor is asked.

    Every row of a person, their row of the register among them, and every row of a home must be in the same part. A
    table that came is to be there in every part, if need be without rows.
    """
    register = _register(tables)
    medicines = medicines_issued(tables["gp_prescriptions"]) if "gp_prescriptions" in tables else None
    by_person = entries_by_person(tables, codelists)
    labels = labels_of_every_column(tables)
    parts = [
        *_entries(tables, by_person, register),
        *_prescriptions(medicines, codelists, register),
        *_diagnoses(tables, codelists),
        *_known_labels(labels),
        *_areas(tables, register, places),
    ]
    codes = pl.concat([pl.DataFrame(schema=SUMS), *parts]).filter(pl.col("n_rows") > 0)
    sums = add_counts([Sums(codes, nobody_knows(labels))])
    return Counts(sums, by_person, register.select("person_id", "practice_code"), medicines)


def _register(tables: Tables) -> pl.DataFrame:
    """The newest row of everybody on the register: person_id, practice_code, lsoa21."""
    if "gp_patients" not in tables:
        return pl.DataFrame(schema=dict.fromkeys(("person_id", "practice_code", "lsoa21"), pl.String))
    asked = tables["gp_patients"].select("person_id", "recorded_on", "practice_code", "lsoa21")
    return latest_versions(asked).drop("recorded_on")


def _named(counts: pl.DataFrame, column: str, asked: str) -> pl.DataFrame:
    """Counts (terminology, practice_code, n_rows, n_recognised) in the shape of `SUMS`."""
    table, name = column.split(".")
    named = counts.with_columns(table=pl.lit(table), column=pl.lit(name), recognised_as=pl.lit(asked))
    return named.select(SUMS.names()).cast(SUMS)


def _of_all(n_rows: int, n_recognised: int, *, column: str, asked: str, terminology: str) -> pl.DataFrame:
    """One row of `SUMS` for all practices together."""
    counts = pl.DataFrame({"n_rows": [n_rows], "n_recognised": [n_recognised], "terminology": [terminology]})
    return _named(counts.with_columns(practice_code=pl.lit(None, dtype=pl.String)), column, asked)


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


def _by_practice(counts: pl.DataFrame, register: pl.DataFrame, *, within: tuple[str, ...]) -> pl.DataFrame:
    """Counts of people added up for all practices (an empty code) and for each; strangers are in the first alone."""
    sums = (pl.col("n_rows").sum(), pl.col("n_recognised").sum())
    practice = pl.col("practice_code")
    everyone = counts.with_columns(practice_code=pl.lit(None, dtype=pl.String))
    theirs = counts.join(register, on="person_id").filter(practice.is_not_null())
    keys = ("practice_code", *within)
    return (
        pl.concat(part.select("practice_code", *within, "n_rows", "n_recognised") for part in (everyone, theirs))
        .group_by(keys)
        .agg(sums)
    )


def _entries(tables: Tables, by_person: pl.DataFrame, register: pl.DataFrame) -> list[pl.DataFrame]:
    if "gp_events" not in tables:
        return []
    parts = _by_practice(by_person, register, within=("terminology",))
    read = pl.col("n_rows").filter(pl.col("terminology") == "snomed").sum()
    whole = (
        parts.group_by("practice_code")
        .agg(pl.col("n_rows").sum(), on_list=pl.col("n_recognised").sum(), readable=read)
        .with_columns(terminology=pl.lit(ANY))
    )
    return [
        _named(parts, ENTRIES, "on_a_list"),
        _named(whole.rename({"readable": "n_recognised"}), ENTRIES, "readable"),
        _named(whole.rename({"on_list": "n_recognised"}), ENTRIES, "on_a_list"),
    ]


GROUPED: Final = ("bnf", "bnf_looked_up")  # the terminologies of prescriptions that tell every group


def _medicine_terminology(rows: pl.DataFrame, codelists: Codelists) -> pl.Expr:
    """How the groups of a prescription are told: by a BNF code, sent or looked up, by a list of dm+d codes, or not."""
    listed = sorted({code for name, codes in codelists.items() if name.startswith("dmd_") for code in codes})
    looked_up = pl.col(LOOKED_UP) if LOOKED_UP in rows.columns else pl.lit(value=False)
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


def _prescriptions(medicines: pl.DataFrame | None, codelists: Codelists, register: pl.DataFrame) -> list[pl.DataFrame]:
    if medicines is None:
        return []
    # Each pair of codes is looked at once: the check digit of a dm+d code takes many steps.
    codes = [name for name in ("bnf_code", "dmd_code", LOOKED_UP) if name in medicines.columns]
    told = medicines.select(codes).unique()
    told = told.with_columns(terminology=_medicine_terminology(told, codelists))
    by_person = medicines.join(told, on=codes, nulls_equal=True).group_by("person_id", "terminology")
    # A list of dm+d codes tells one group; which others a medicine belongs to it does not.
    is_grouped = pl.col("terminology").is_in(GROUPED)
    counts = by_person.agg(pl.col("n_rows").sum()).with_columns(
        n_recognised=pl.when(is_grouped).then("n_rows").otherwise(0)
    )
    parts = _by_practice(counts, register, within=("terminology",))
    whole = parts.group_by("practice_code").agg(pl.col("n_rows", "n_recognised").sum())
    return [
        _named(parts, MEDICINES, "bnf_chapter"),
        _named(whole.with_columns(terminology=pl.lit(ANY)), MEDICINES, "bnf_chapter"),
    ]


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


def _diagnoses(tables: Tables, codelists: Codelists) -> list[pl.DataFrame]:
    """Main and other diagnoses, each by itself: the two columns come from different ones of the extract."""
    if "hospital_events" not in tables:
        return []
    return [
        *_of_position(DIAGNOSES, emergencies(tables), codelists),
        *_of_position(OTHER_DIAGNOSES, _other_diagnoses(tables), codelists),
    ]


def _of_position(column: str, diagnoses: pl.LazyFrame, codelists: Codelists) -> list[pl.DataFrame]:
    prefixes = [code for name, codes in codelists.items() if name.startswith("icd10_") for code in codes]
    code = pl.col("icd10")
    found = diagnoses.select(
        n_rows=pl.len(),
        on_list=starts_with_any(code, prefixes).sum(),
        common=starts_with_any(code, COMMON_CHAPTERS).sum(),
    )
    n_rows, on_list, common = found.collect().row(0)
    return [
        _of_all(n_rows, on_list, column=column, asked="on_a_list", terminology="icd10"),
        _of_all(n_rows, common, column=column, asked="common_chapter", terminology="icd10"),
    ]


def _known_labels(labels: pl.DataFrame) -> list[pl.DataFrame]:
    known = pl.col("n_rows").filter("is_known").sum()
    sums = labels.group_by("table", "column").agg(pl.col("n_rows").sum(), n_recognised=known)
    practice = pl.lit(None, dtype=pl.String)
    named = sums.with_columns(practice_code=practice, terminology=pl.lit("label"), recognised_as=pl.lit("known_label"))
    return [named.select(SUMS.names()).cast(SUMS)]


def _areas(tables: Tables, register: pl.DataFrame, places: Path) -> list[pl.DataFrame]:
    if "gp_patients" not in tables:
        return []
    areas = register["lsoa21"].drop_nulls()
    known = areas.is_in(read_places(places)["lsoa21"].implode())
    n_known = int(known.sum())
    return [_of_all(areas.len(), n_known, column="gp_patients.lsoa21", asked="known_area", terminology="lsoa21")]
