"""How one raw table becomes a contract table: which columns are made, carried over, refused; which rows are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from ageingwell.contracts.registry import TABLES
from ageingwell.contracts.registry import columns as columns_of
from ageingwell.errors import SourceError
from ageingwell.pseudonyms.digests import keyed_letters
from ageingwell.pseudonyms.identifiers import RESERVED_PREFIX, is_missing, is_read_without_decimal
from ageingwell.pseudonyms.keys import Key
from ageingwell.pseudonyms.local_people import (
    LINKED_LOCAL,
    LOCAL,
    keeps_local_people,
    links_local_people,
    local_counts,
    number_of,
    person_or_local,
    stranger,
)
from ageingwell.pseudonyms.own_ids import named
from ageingwell.pseudonyms.screening import (
    CODES,
    Fault,
    area,
    birth_day,
    birth_faults,
    canonical,
    local_id,
    local_id_is_sent,
    needed_home,
    needed_person,
    one_of_two,
    screened,
    wrong_area,
    wrong_day,
    wrong_home,
    wrong_local_id,
    wrong_person,
)

# Each row of these is about either a person or a home.
ABOUT_EITHER: Final = ("permissions", "contacts")
# Never carried over, whatever they hold: they are always made here.
MADE: Final = ("person_id", "household_id", "linked_person_id", "birth_month")
# From which raw columns each is made.
RAW: Final = {
    "person_id": ("nhs_number",),
    "household_id": ("uprn",),
    "linked_person_id": ("linked_nhs_number", LINKED_LOCAL),
    "birth_month": ("birth_date", "birth_month"),
    "lsoa21": ("lsoa21", "postcode"),
}
IDENTIFIERS: Final = ("nhs_number", "linked_nhs_number", "uprn")
# An agency's own ids may be NHS numbers, and its staff know them: they leave as keyed digests too.
LOCAL_IDS: Final = ("la_person_id", "case_id")
POSTCODE: Final = "_postcode"
LOOKED_UP: Final = "_lsoa21"
# The day of birth of each person, as the register of the same extract tells it.
BORN: Final = "_born"


@dataclass(frozen=True)
class Conversion:
    """What is done to the rows of one raw table.

    `faults` refuse rows; `outputs` make the contract's columns. `emptied` are the faults of columns that may be blank:
    the row stays and the value goes; `sent` tells for each of those columns where a value was sent. `refused` are the
    columns that are not used for anything. `decimals` are true where an identifier was read that ends with `.0`;
    `local` count people known by the council's id. `carried` are the columns that are carried over (`with_carried` sees
    them first), `telling` the faults of those that may be blank: the cell stays behind and the row goes on.
    """

    faults: list[Fault]
    outputs: list[pl.Expr]
    emptied: list[Fault]
    sent: dict[str, pl.Expr]
    refused: tuple[str, ...]
    is_reserved: pl.Expr
    is_real: pl.Expr
    decimals: dict[str, pl.Expr]
    local: dict[str, pl.Expr]
    carried: tuple[str, ...] = ()
    telling: list[Fault] = field(default_factory=list)


def conversion(
    table: str, columns: Sequence[str], *, contract: Sequence[str], key: Key, has_lookup: bool, own: bool = False
) -> Conversion:
    """Work out the conversion of a raw table with these columns; `own` where its ids are the agency's own.

    Raises `SourceError` where a column is missing.
    """
    present = frozenset(columns)
    made = _made(table, present, contract, key=key, has_lookup=has_lookup, own=own)
    carried = tuple(name for name in contract if name in present and name not in (*MADE, *made))
    needed = _needed(table)
    number = "nhs_number" if "nhs_number" in present and not own else None
    own_numbers = [name for name in IDENTIFIERS if name in present]
    faults = _identity_faults(table, present, contract, own=own)
    telling = {name: screened(name, own_numbers=own_numbers) for name in carried}
    faults += [fault for name in carried if name in needed or name in CODES for fault in telling[name]]
    faults += [fault for name in carried if name in needed and name.endswith("_on") for fault in wrong_day(name)]
    outputs = {**made, **{name: _carried(name, present) for name in carried}}
    unused = {"birth_month"} if "birth_date" in present else set()
    emptied = _emptied(table, present, contract, has_lookup=has_lookup, own=own)
    used = {*carried, *(source for name in made for source in RAW.get(name, (name,)))}
    return Conversion(
        faults=faults,
        outputs=[outputs[name].alias(name) for name in contract if name in outputs],
        emptied=emptied,
        sent={fault.column: _is_sent(fault.column) for fault in emptied},
        refused=tuple(name for name in columns if name not in used or name in unused),
        is_reserved=_in_reserved_range(number),
        is_real=~_in_reserved_range(number),
        decimals={} if own else {name: _is_decimal(name) for name in IDENTIFIERS if name in present},
        local=local_counts(present, contract),
        carried=carried,
        telling=[fault for name in carried if name not in needed and name not in CODES for fault in telling[name]],
    )


def _made(
    table: str, present: frozenset[str], contract: Sequence[str], *, key: Key, has_lookup: bool, own: bool
) -> dict[str, pl.Expr]:
    people = _people(present, contract, key=key, own=own)
    made = {name: pl.coalesce(ways) for name, ways in people.items() if ways}
    if "uprn" in present:
        made["household_id"] = named(canonical("uprn"), domain="home", own=own, key=key)
    for name in set(LOCAL_IDS) & present:
        made[name] = keyed_letters(local_id(name), label=name, key=key)
    if birth := _birth_column(present):
        made["birth_month"] = birth_day(birth).dt.month_start()
    if "lsoa21" in contract and (lsoa21 := _lsoa21(table, present, has_lookup=has_lookup)) is not None:
        made["lsoa21"] = lsoa21
    return {name: expression for name, expression in made.items() if name in contract}


def _people(present: frozenset[str], contract: Sequence[str], *, key: Key, own: bool) -> dict[str, list[pl.Expr]]:
    """By which ids a person is known, in the order in which they count: the number sent, the number lent, the id."""
    known: dict[str, list[pl.Expr]] = {"person_id": [], "linked_person_id": []}
    for name, source in (("person_id", "nhs_number"), ("linked_person_id", "linked_nhs_number")):
        if source in present:
            known[name].append(named(canonical(source), domain="person", own=own, key=key))
    for name, source, is_known in (
        ("person_id", LOCAL, keeps_local_people(present, contract)),
        ("linked_person_id", LINKED_LOCAL, links_local_people(present, contract)),
    ):
        if is_known:
            known[name] += [named(number_of(source), domain="person", own=own, key=key), stranger(source, key=key)]
    return known


def _lsoa21(table: str, present: frozenset[str], *, has_lookup: bool) -> pl.Expr | None:
    if has_lookup and present & {"postcode", "uprn"}:
        looked_up = pl.col(LOOKED_UP)
        return pl.coalesce(area("lsoa21"), looked_up) if "lsoa21" in present else looked_up
    if "lsoa21" in present:
        return area("lsoa21")
    if "postcode" in present:
        remedy = "give a look-up of postcodes to LSOAs, or leave the column postcode out"
        raise SourceError(f"{table}: postcodes cannot be turned into areas", remedy)
    return None


def _identity_faults(table: str, present: frozenset[str], contract: Sequence[str], *, own: bool) -> list[Fault]:
    if table in ABOUT_EITHER:
        _need(table, present, "nhs_number", "uprn")
        return one_of_two("nhs_number", "uprn", present=present, own=own)
    if "person_id" in contract:
        # Without the column nobody of the table could be linked, council ids or not: more likely it has another name.
        _need(table, present, "nhs_number")
        is_local = keeps_local_people(present, contract)
        faults = (person_or_local if is_local else needed_person)("nhs_number", own=own)
    else:
        _need(table, present, "uprn")
        faults = needed_home("uprn", own=own)
    if "birth_month" in contract:
        _need(table, present, "birth_date", "birth_month")
        faults += birth_faults(_birth_column(present))
    return faults


def _need(table: str, present: frozenset[str], *either: str) -> None:
    # Only the names we look for are told: without a header line, the names we found would be somebody's record.
    if not present & set(either):
        remedy = "add it under that name, or give the agency's own name for it; columns are separated by , or ;"
        raise SourceError(f"{table}: the column {' or '.join(either)} is missing", remedy)


def _birth_column(present: frozenset[str]) -> str:
    return next((name for name in ("birth_date", "birth_month") if name in present), "")


def _emptied(
    table: str, present: frozenset[str], contract: Sequence[str], *, has_lookup: bool, own: bool
) -> list[Fault]:
    emptied: list[Fault] = []
    if keeps_local_people(present, contract):
        emptied += wrong_person("nhs_number", own=own)
    if "uprn" in present and table not in ABOUT_EITHER and "person_id" in contract and "household_id" in contract:
        emptied += wrong_home("uprn", own=own)
    if "linked_nhs_number" in present and "linked_person_id" in contract:
        emptied += wrong_person("linked_nhs_number", own=own)
    if links_local_people(present, contract):
        emptied += wrong_local_id(LINKED_LOCAL)
    for name in LOCAL_IDS:
        emptied += wrong_local_id(name) if name in present and name in contract else []
    if "lsoa21" in present and "lsoa21" in contract:
        emptied += wrong_area("lsoa21")
    if "postcode" in present and "lsoa21" in contract and has_lookup:
        emptied.append(Fault("postcode", "not_in_the_look_up", _is_unplaced(present)))
    return emptied


def _is_unplaced(present: frozenset[str]) -> pl.Expr:
    # NHS Data Dictionary: ZZ99 codes stand for no fixed abode, abroad and not known. No look-up holds them, rightly.
    is_place = ~is_missing(pl.col("postcode")) & ~pl.col(POSTCODE).str.contains(r"^ZZ99[0-9][A-Z]{2}$")
    unknown = pl.col(LOOKED_UP).is_null()
    return is_place & (unknown & area("lsoa21").is_null() if "lsoa21" in present else unknown)


def _is_sent(name: str) -> pl.Expr:
    return local_id_is_sent(name) if name in (*LOCAL_IDS, LINKED_LOCAL) else ~is_missing(pl.col(name))


def _is_decimal(name: str) -> pl.Expr:
    return canonical(name).is_not_null() & is_read_without_decimal(pl.col(name))


def _carried(name: str, present: frozenset[str]) -> pl.Expr:
    text = pl.col(f"_carry_{name}")
    if not name.endswith("_on"):
        return text
    # Registered, moved in or ill on the day of birth: that date would be the birth date under another name.
    born = birth_day("birth_date") if "birth_date" in present else pl.col(BORN)
    is_birth_date = (text.str.head(10).str.to_date("%Y-%m-%d", strict=False) == born).fill_null(value=False)
    return pl.when(is_birth_date).then(text.str.head(7) + "-01").otherwise(text)


def _needed(table: str) -> frozenset[str]:
    """The columns without which the group refuses a row."""
    return frozenset(column.name for column in columns_of(table) if column.required) if table in TABLES else frozenset()


def _in_reserved_range(number: str | None) -> pl.Expr:
    if number is None:
        return pl.lit(value=None, dtype=pl.Boolean)
    return canonical(number).str.starts_with(RESERVED_PREFIX)


def lookup_key(column: pl.Expr) -> pl.Expr:
    """Spell postcodes one way: capitals, no spaces.

    >>> pl.DataFrame({"postcode": ["sy6 6aa"]}).select(lookup_key(pl.col("postcode"))).item()
    'SY66AA'
    """
    return column.str.to_uppercase().str.replace_all(r"[^A-Z0-9]", "")


def masked(columns: Mapping[str, int]) -> tuple[str, ...]:
    """Names of refused columns for the record; a name that looks like a value is told by its position only.

    >>> masked({"surname": 3, "9990000018": 4})
    ('surname', 'column 4')
    """
    is_name = pl.DataFrame({"name": list(columns)}, schema={"name": pl.String}).select(
        pl.col("name").str.contains(r"^[A-Za-z][A-Za-z0-9_. ()/-]{0,63}$") & ~pl.col("name").str.contains(r"[0-9]{3}|@")
    )
    return tuple(
        name if keeps else f"column {position}"
        for (name, position), keeps in zip(columns.items(), is_name.to_series().to_list())
    )
