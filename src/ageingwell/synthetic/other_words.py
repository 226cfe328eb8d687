"""A county some of whose codes and labels nobody here recognises, as real extracts have them.

Each kind changes the words of one column and nothing else: who has what stays as it was, so that what is made of the
records can be set beside the same county in words that we know.
"""

from collections.abc import Callable, Mapping

import polars as pl

from ageingwell.contracts.registry import open_labels
from ageingwell.synthetic.check_digit import with_check_digit
from ageingwell.synthetic.medicines import made_up_dmd_codes

Tables = dict[str, pl.DataFrame]

# Client Level Data of release 2 for release 1 (DataS-DHSC/ASC-CLD-LA-Dashboard, data cleaning).
RELEASE_2: Mapping[str, Mapping[str, str]] = {
    "client_type": {"Service User": "Service user", "Carer": "Unpaid carer"},
    "service_type": {"Carer Support: Direct to Carer": "Unpaid carer support: Direct to unpaid carer"},
    "service_component": {
        "Home support": "Home support or domiciliary care",
        "Carer: universal services": "Unpaid carer universal services",
    },
    "accommodation_status": {
        "Tenant - private landlord": "Tenant: Private landlord",
        "Tenant": "Tenant: Local authority or other social housing provider",
    },
    "review_reason": {"Unplanned – Carer related": "Unplanned: Unpaid carer related"},
    "event_outcome": {
        "No change in package": "Continuation of support or services",
        "Progress to Assessment": "Progress to assessment, review or reassessment",
    },
}


def in_other_words(tables: Mapping[str, pl.DataFrame], kinds: tuple[str, ...]) -> Tables:
    """The contract tables with the words of each kind of `KINDS` in place of ours, in the order given."""
    changed = dict(tables)
    for kind in kinds:
        changed |= KINDS[kind](changed)
    return changed


def _first_practice(tables: Tables) -> pl.Series:
    """The people who ever were with the practice whose code comes first."""
    register = tables["gp_patients"]
    return register.filter(pl.col("practice_code") == pl.col("practice_code").min())["person_id"].unique()


def _at_first_practice(tables: Tables, table: str, **columns: pl.Expr) -> Tables:
    theirs = pl.col("person_id").is_in(_first_practice(tables).implode())
    return {
        table: tables[table].with_columns(
            pl.when(theirs).then(new).otherwise(name).alias(name) for name, new in columns.items()
        )
    }


def _ctv3(tables: Tables) -> Tables:
    snomed = pl.col("code_system") == "snomed"
    return _at_first_practice(
        tables,
        "gp_events",
        code_system=pl.when(snomed).then(pl.lit("ctv3")).otherwise("code_system"),
        code=pl.when(snomed).then(pl.lit("H33..")).otherwise("code"),
    )


def _description_ids(tables: Tables) -> Tables:
    codes = tables["gp_events"].filter(pl.col("code_system") == "snomed")["code"].unique().sort()
    described = {code: with_check_digit(f"1{code[:-3][-11:]}01") for code in codes}
    snomed = pl.col("code_system") == "snomed"
    return _at_first_practice(
        tables, "gp_events", code=pl.when(snomed).then(pl.col("code").replace(described)).otherwise("code")
    )


def _dmd_only(tables: Tables) -> Tables:
    """Medicines by dm+d code alone, as EMIS and SystmOne send them."""
    return _at_first_practice(tables, "gp_prescriptions", dmd_code=_by_dmd(), bnf_code=pl.lit(None, dtype=pl.String))


def _all_dmd_only(tables: Tables) -> Tables:
    """The same at every practice: a county in which nobody sends a BNF code."""
    none = pl.lit(None, dtype=pl.String).alias("bnf_code")
    return {"gp_prescriptions": tables["gp_prescriptions"].with_columns(_by_dmd().alias("dmd_code"), none)}


def _by_dmd() -> pl.Expr:
    return pl.coalesce("dmd_code", pl.col("bnf_code").replace(made_up_dmd_codes()))


def _rxnorm_as_dmd(tables: Tables) -> Tables:
    """Numbers of another system in the place of dm+d codes; nine in ten fail their check digit."""
    numbers = {code: str(197361 + 131 * place) for place, code in enumerate(made_up_dmd_codes().values())}
    dmd = _by_dmd().replace(numbers)
    return _at_first_practice(tables, "gp_prescriptions", dmd_code=dmd, bnf_code=pl.lit(None, dtype=pl.String))


def _operations(tables: Tables) -> Tables:
    told = [
        pl.when(pl.col(name).is_not_null()).then(pl.lit(codes)).alias(name)
        for name, codes in (("icd10", "W371"), ("other_icd10", "W371 Z942"))
    ]
    return {"hospital_events": tables["hospital_events"].with_columns(told)}


def _release_2(tables: Tables) -> Tables:
    renamed = [pl.col(column).replace(dict(labels)) for column, labels in RELEASE_2.items()]
    return {"care_events": tables["care_events"].with_columns(renamed)}


def _new_labels(tables: Tables) -> Tables:
    """Of every open column, each label under a name that no list has."""
    changed: Tables = {}
    for table, column in open_labels():
        frame = changed.get(table, tables[table])
        new = pl.concat_str(pl.lit("Kind of "), pl.col(column).str.to_uppercase().str.slice(0, 3), pl.lit(" (2031)"))
        changed[table] = frame.with_columns(new.alias(column))
    return changed


# What is typed into a column of labels where a system lets people type: names, telephone numbers of the ranges kept for
# drama, a way in, a diagnosis.
REMARKS = (
    "Harold Cadwallader 999 000 0018",
    "999.000.0026 b. 16/09/1940",
    "key safe 4711 by back gate, 12 Sandford Ave ZZ1 0AA",
    "ann.b@example.org 07700 900123",
    "dementia, alcohol; daughter Ann 01632960001",
    "prefers Welsh; ask for Mrs Gittins at number 9",
)
REMARKS_EVERY = 20  # cells of a column, one of which holds a remark


def _remarks(tables: Tables) -> Tables:
    """Remarks about people in every open column, in one cell of so many."""
    changed: Tables = {}
    place = pl.int_range(pl.len())
    for table, column in open_labels():
        frame = changed.get(table, tables[table])
        turn = (place // REMARKS_EVERY % len(REMARKS)).replace_strict(dict(enumerate(REMARKS)), return_dtype=pl.String)
        typed = pl.when(place % REMARKS_EVERY == 0).then(turn).otherwise(column)
        changed[table] = frame.with_columns(typed.alias(column))
    return changed


def _areas_of_2011(tables: Tables) -> Tables:
    """Areas whose number no list of 2021 has."""
    area = pl.concat_str(pl.lit("E019"), pl.col("lsoa21").str.slice(-5))
    return {"gp_patients": tables["gp_patients"].with_columns(lsoa21=area)}


KINDS: Mapping[str, Callable[[Tables], Tables]] = {
    "ctv3": _ctv3,
    "description_ids": _description_ids,
    "dmd_only": _dmd_only,
    "all_dmd_only": _all_dmd_only,
    "rxnorm_as_dmd": _rxnorm_as_dmd,
    "operations": _operations,
    "release_2": _release_2,
    "new_labels": _new_labels,
    "remarks": _remarks,
    "areas_of_2011": _areas_of_2011,
}
