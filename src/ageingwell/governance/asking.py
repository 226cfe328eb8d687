"""What to ask of whoever sends codes that we do not read, and how far the code lists and look-ups reach.

Rows are counted, never people; practices are named, the five with the most such rows.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import polars as pl

from ageingwell.governance.recognised import MOST_NAMED, TERMINOLOGIES
from ageingwell.recognition.counting import ANY, ENTRIES, GROUPED, MEDICINES

_CONCEPT: Final = "ask the supplier to send the SNOMED CT concept id, not the description id"
_OF_READ: Final = "ask the supplier to send the SNOMED CT concept id that its system keeps with each Read code"
# What is asked for, by the terminology that came.
ASKED_FOR: Final[Mapping[str, str]] = {
    "snomed_description": _CONCEPT,
    "snomed_other": "ask the supplier to send the SNOMED CT concept id, and no other identifier",
    "read2": _OF_READ,
    "ctv3": _OF_READ,
    "local": "ask the supplier to send the SNOMED CT concept id that its own code is mapped to, where there is one",
    "dmd": "name the mapping of dm+d to BNF codes as `dmd_to_bnf` in score.toml, or have the BNF code sent as well",
    "not_dmd": "ask the supplier for the dm+d code of the product (VMP or AMP), not a description id or its own number",
    "not_bnf": "ask the supplier for the BNF or dm+d code; codes of other systems, such as ATC, do not give the group",
}
# What rows refused by their check digit may hold instead.
_REFUSED: Final[Mapping[tuple[str, str], str]] = {
    ("gp_events", "code"): "they may be the supplier's own numbers; ask for the SNOMED CT concept id as text, because "
    "a spreadsheet loses the last digits of a number with more than 15",
    ("gp_prescriptions", "dmd_code"): "they may be RxNorm or the supplier's own numbers; ask for the dm+d code of the "
    "product (VMP or AMP) as text",
}


def asks(counted: pl.DataFrame) -> list[str]:
    """What to ask the suppliers for, one sentence a terminology that is not read, the most rows first.

    `counted` is in the shape of `COUNTED`. What comes of old codes stays unknown whether or not they are mended.
    """
    parts = counted.filter(pl.col("terminology").is_in(list(ASKED_FOR)) & (pl.col("n_rows") > 0))
    whole = parts.filter(pl.col("practice_code").is_null()).sort("n_rows", "terminology", descending=[True, False])
    return [_ask(row, parts, of=_all_rows(counted, row["table"])) for row in whole.iter_rows(named=True)]


def _ask(row: Mapping[str, object], parts: pl.DataFrame, *, of: int) -> str:
    what = {"gp_events": "coded entries", "gp_prescriptions": "prescriptions"}[str(row["table"])]
    kind = str(row["terminology"])
    theirs = parts.filter(pl.col("practice_code").is_not_null(), table=row["table"], terminology=kind)
    named = theirs.sort("n_rows", "practice_code", descending=[True, False]).head(MOST_NAMED)
    practices = [f"{code} {n:,}" for code, n in named.select("practice_code", "n_rows").rows()]
    left = theirs.height - len(practices)
    practices += [f"{left:,} more practices"] if left > 0 else []
    by = f" (by practice: {', '.join(practices)})" if practices else ""
    return f"{row['table']}: {row['n_rows']:,} of {of:,} {what} are {TERMINOLOGIES[kind]}{by}; {ASKED_FOR[kind]}"


def asks_of_refused(refused: Iterable[tuple[str, pl.DataFrame]]) -> list[str]:
    """What to ask for where codes fail their check digit: `refused` has tables with column, rule and n_rows.

    >>> rows = pl.DataFrame({"column": ["dmd_code"], "rule": ["bad_check_digit"], "n_rows": [590]})
    >>> asks_of_refused([("gp_prescriptions", rows)])[0][:66]
    'gp_prescriptions: 590 codes in `dmd_code` fail their check digit; '
    """
    told = []
    for table, rules in refused:
        for row in rules.filter(rule="bad_check_digit").iter_rows(named=True):
            words = _REFUSED.get((table, row["column"]))
            if words:
                told.append(f"{table}: {row['n_rows']:,} codes in `{row['column']}` fail their check digit; {words}")
    return told


def coverage(counted: pl.DataFrame) -> list[str]:
    """How far the code lists reach: the share of coded entries on any list, and how prescriptions are grouped."""
    everybody = counted.filter(pl.col("practice_code").is_null())
    told = []
    entries = _of(everybody, ENTRIES).filter(terminology=ANY, recognised_as="on_a_list")
    for row in entries.iter_rows(named=True):
        told.append(
            f"gp_events: {row['n_recognised']:,} of {row['n_rows']:,} coded entries ({row['share']:.1%}) are on one of "
            "our code lists; most of a real record is on none"
        )
    rows = dict(_of(everybody, MEDICINES).filter(pl.col("terminology") != ANY).select("terminology", "n_rows").rows())
    if rows:
        told.append(f"gp_prescriptions: {_grouped(rows)}")
    return told


def _grouped(rows: Mapping[str, int]) -> str:
    total = sum(rows.values())
    ways = {
        "by the BNF code that was sent": rows.get("bnf", 0),
        "by a BNF code looked up": rows.get("bnf_looked_up", 0),
        "in part, by a list of dm+d codes": rows.get("dmd_listed", 0),
        "not at all": sum(n for kind, n in rows.items() if kind not in (*GROUPED, "dmd_listed")),
    }
    told = ", ".join(f"{n:,} ({n / total:.1%}) {way}" for way, n in ways.items())
    return f"of {total:,} prescriptions the groups of medicines are known: {told}"


def _of(counted: pl.DataFrame, column: str) -> pl.DataFrame:
    table, name = column.split(".")
    return counted.filter(table=table, column=name)


def _all_rows(counted: pl.DataFrame, table: str) -> int:
    """The rows of a table of which the terminologies are parts."""
    parts = counted.filter(pl.col("practice_code").is_null() & (pl.col("terminology") != ANY), table=table)
    return int(parts["n_rows"].sum())
