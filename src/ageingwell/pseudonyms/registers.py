"""An agency's own register, and which keys of a list stand for somebody on it. Runs at the agency.

Pseudonyms of the register's own people and homes are computed anew and compared; nothing else is looked up, so nobody
outside the register can be found, and nobody who is not on the list.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from ageingwell.errors import KeyFileError, SourceError
from ageingwell.pseudonyms.digests import Domain, row_key_by
from ageingwell.pseudonyms.identifiers import canonical_nhs_number, canonical_uprn, is_missing, is_nhs_number
from ageingwell.pseudonyms.identities import Kind, kind_of
from ageingwell.pseudonyms.keys import Key
from ageingwell.pseudonyms.own_ids import named
from ageingwell.pseudonyms.reading import whole
from ageingwell.pseudonyms.screening import sound_id
from ageingwell.reading.forms import READABLE, is_readable

_IDENTIFIER: Final[Mapping[Domain, Kind]] = {"person": "nhs_number", "home": "uprn"}
_SHOWN: Final[tuple[Kind, ...]] = ("name", "address", "contact")
RECORDED_ON: Final = "recorded_on"
_PERSON, _HOME, _FOUND, _RECORDED = "_person", "_home", "_found", "_recorded"
# Homes first: where a key stood for both, the person would count.
_PLACES: Final[Mapping[Domain, str]] = {"home": _HOME, "person": _PERSON}


@dataclass(frozen=True)
class ListKey:
    """With what the row keys of one recipient's list of one night were made, for lists that hold no pseudonym.

    `key` is the recipient's own.
    """

    key: Key
    recipient: str
    as_of: date


@dataclass(frozen=True)
class Register:
    """A register as it can be used: `rows` with text columns `_person` and `_home` (canonical, or empty) and `columns`.

    `columns` gives the kind of each column that may be put beside a list, by heading. Rows that cannot be used are
    counted: without an identifier, with one that cannot be read, of one NHS number with unlike names, and without a
    name, address or telephone.
    """

    rows: pl.DataFrame
    columns: Mapping[str, Kind | None]
    knows: frozenset[Domain]
    own_ids: bool
    n_rows: int
    n_blank: int
    n_invalid: int
    n_ambiguous: int
    n_unnamed: int


@dataclass(frozen=True)
class Match:
    """Whom or what a key of a list stands for: a person or a home, and what the register says, by heading.

    Where several rows of the register (`n_rows`) are of one home or person, only what they agree on is said: one row of
    a list never gives the names of several people.
    """

    domain: Domain
    cells: Mapping[str, str]
    n_rows: int = 1


def read_register(path: Path, *, keep: Sequence[str] = (), own_ids: bool = False) -> Register:
    """Read an agency's register: NHS numbers or UPRNs or both, and names, addresses and telephones by their headings.

    `keep` names the columns to put beside a list where the headings do not tell. With `own_ids` the identifiers are
    the agency's own, of any text.

    Raises `SourceError` where the file cannot be read, has no identifier, or has nothing to show beside a list.
    """
    if not is_readable(path):
        raise SourceError(f"{path.name}: this is not a file that can be read", f"save your register as {READABLE}")
    rows = whole(path)
    rows = rows.with_columns(pl.col(pl.String).str.strip_chars().fill_null(""))
    identifiers = _identifiers(rows, path)
    columns = _columns(rows, keep, path)
    _stop_on_numbers(rows, columns, path)
    return _usable(rows, identifiers, columns, own=own_ids)


def _identifiers(rows: pl.DataFrame, path: Path) -> dict[Domain, str]:
    found: dict[Domain, str] = {}
    for domain, kind in _IDENTIFIER.items():
        named_so = [name for name in rows.columns if kind_of(name) == kind]
        if len(named_so) > 1:
            what = ", ".join(f"`{name}`" for name in named_so)
            raise SourceError(f"{path.name}: several columns could be the {kind}: {what}", "leave one of them")
        if named_so:
            found[domain] = named_so[0]
    if not found:
        raise SourceError(
            f"{path.name}: the columns nhs_number and uprn are missing, and one of them is needed",
            "name the column of NHS numbers nhs_number, or the column of UPRNs uprn, in the first line",
        )
    return found


def _columns(rows: pl.DataFrame, keep: Sequence[str], path: Path) -> dict[str, Kind | None]:
    missing = [name for name in keep if name not in rows.columns]
    if missing:
        raise SourceError(f"{path.name}: the register has no column {', '.join(missing)}", "choose columns that it has")
    kinds = {name: kind_of(name) for name in (dict.fromkeys(keep) if keep else rows.columns)}
    if keep and any(kind in _IDENTIFIER.values() for kind in kinds.values()):
        raise SourceError(
            f"{path.name}: an NHS number or UPRN is never added to a list", "keep names, addresses and telephones"
        )
    shown: dict[str, Kind | None] = {name: kind for name, kind in kinds.items() if keep or kind in _SHOWN}
    if not shown:
        raise SourceError(
            f"{path.name}: no column is headed as a name, an address or a telephone",
            "name the columns to show with --keep, once for each column",
        )
    return shown


def _stop_on_numbers(rows: pl.DataFrame, columns: Mapping[str, Kind | None], path: Path) -> None:
    """Nobody needs numbers beside keys; and a bare range of numbers is no register of people an agency serves."""
    for name in columns:
        filled = rows.filter(pl.col(name) != "")[name]
        if filled.len() and (filled.to_frame().select(is_nhs_number(pl.col(name)).mean()).item() or 0) > 0.5:
            raise SourceError(f"{path.name}: the column {name} holds NHS numbers", "leave them out; they stay with you")


def _usable(
    rows: pl.DataFrame, identifiers: Mapping[Domain, str], columns: Mapping[str, Kind | None], *, own: bool
) -> Register:
    raw = [pl.col(name) for name in identifiers.values()]
    is_blank = pl.all_horizontal(is_missing(column) for column in raw)
    spelt = rows.select(
        *columns,
        is_blank.alias("_blank"),
        _recorded_on(rows).alias(_RECORDED),
        *(_canonical(identifiers.get(domain), domain, own=own).alias(place) for domain, place in _PLACES.items()),
    )
    is_known = pl.col(_PERSON).is_not_null() | pl.col(_HOME).is_not_null()
    known = spelt.filter(is_known).drop("_blank")
    says_who = known.filter(pl.any_horizontal(pl.col(name) != "" for name in columns))
    # Of several versions of a person the newest counts, where the register says when it was recorded.
    is_newest = pl.col(_RECORDED) == pl.col(_RECORDED).max().over(_PERSON)
    newest = says_who.filter(pl.col(_PERSON).is_null() | is_newest).drop(_RECORDED).unique(maintain_order=True)
    # Two rows of one number with unlike names: one of them is somebody else, and nobody here can tell which.
    names = [name for name, kind in columns.items() if kind == "name"] or list(columns)
    differ = pl.struct(*names).n_unique().over(_PERSON) > 1
    sound = newest.filter(pl.col(_PERSON).is_null() | ~differ)
    n_blank = int(spelt["_blank"].sum())
    return Register(
        rows=sound,
        columns=columns,
        knows=frozenset(identifiers),
        own_ids=own,
        n_rows=rows.height,
        n_blank=n_blank,
        n_invalid=rows.height - n_blank - known.height,
        n_ambiguous=newest.height - sound.height,
        n_unnamed=known.height - says_who.height,
    )


def _recorded_on(rows: pl.DataFrame) -> pl.Expr:
    """When each row was recorded, as year-month-day; the same for all where the register does not say."""
    return pl.col(RECORDED_ON).str.head(10) if RECORDED_ON in rows.columns else pl.lit("")


def _canonical(column: str | None, domain: Domain, *, own: bool) -> pl.Expr:
    if column is None:
        return pl.lit(None, dtype=pl.String)
    if own:
        return sound_id(column)
    return canonical_nhs_number(pl.col(column)) if domain == "person" else canonical_uprn(pl.col(column))


def stop_on_one_key(key: Key, list_key: Key | None) -> None:
    """Raise `KeyFileError` where the key of the pseudonyms is given for the lists as well."""
    if list_key is not None and list_key == key:
        raise KeyFileError("one key serves both pseudonyms and lists", "use two keys")


def matches(
    register: Register, wanted: Collection[str], *, key: Key, list_key: ListKey | None = None
) -> dict[str, Match]:
    """Find the keys of a list that stand for a person or home of the register: key to match.

    Without a `list_key` the keys are pseudonyms. No more keys are matched than were `wanted`.

    >>> rows = pl.DataFrame({"_person": ["9990000018"], "_home": [None], "name": ["Ann"]}, schema_overrides={
    ...     "_home": pl.String})
    >>> register = Register(rows, {"name": "name"}, frozenset({"person"}), False, 1, 0, 0, 0, 0)
    >>> from ageingwell.pseudonyms.digests import pseudonym
    >>> person = pl.select(pseudonym(pl.lit("9990000018"), domain="person", key=Key.made_up(1))).item()
    >>> matches(register, [person, "b" * 32], key=Key.made_up(1))[person].cells
    {'name': 'Ann'}
    """
    stop_on_one_key(key, None if list_key is None else list_key.key)
    found: dict[str, Match] = {}
    for domain, place in _PLACES.items():
        if domain in register.knows:
            found |= _of_domain(register, domain, place, wanted, key=key, list_key=list_key)
    return found


def _of_domain(
    register: Register, domain: Domain, place: str, wanted: Collection[str], *, key: Key, list_key: ListKey | None
) -> dict[str, Match]:
    known = register.rows.drop_nulls(place).with_columns(
        listed_as(pl.col(place), domain=domain, own=register.own_ids, key=key, list_key=list_key).alias(_FOUND)
    )
    asked = pl.DataFrame({_FOUND: list(wanted)}, schema={_FOUND: pl.String}).unique()
    here = known.join(asked, on=_FOUND, how="semi", maintain_order="left")
    of_key: dict[str, list[dict[str, str]]] = {}
    for row in here.select(_FOUND, *register.columns).iter_rows(named=True):
        of_key.setdefault(row.pop(_FOUND), []).append(row)
    return {one: Match(domain, _agreed(rows), len(rows)) for one, rows in of_key.items()}


def listed_as(identifier: pl.Expr, *, domain: Domain, own: bool, key: Key, list_key: ListKey | None) -> pl.Expr:
    """The keys under which lists know people or homes, from their identifiers in canonical spelling."""
    known = named(identifier, domain=domain, own=own, key=key)
    if list_key is None:
        return known
    return row_key_by(known, recipient=list_key.recipient, as_of=list_key.as_of, key=list_key.key)


def _agreed(rows: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """What all rows that say anything agree on; nothing where they differ."""
    said = {name: {row[name] for row in rows if row[name]} for name in rows[0]}
    return {name: next(iter(texts)) if len(texts) == 1 else "" for name, texts in said.items()}
