"""`reidentify`: a list in, the agency's own people on it out, by the agency's own register. Runs at the agency."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from ageingwell.errors import KeyFileError, SourceError
from ageingwell.pseudonyms.digests import Domain, row_key
from ageingwell.pseudonyms.identifiers import canonical_nhs_number, canonical_uprn, is_missing
from ageingwell.pseudonyms.keys import Key
from ageingwell.pseudonyms.own_ids import named
from ageingwell.pseudonyms.reading import whole
from ageingwell.pseudonyms.screening import sound_id
from ageingwell.pseudonyms.staging import staged_file
from ageingwell.reading.forms import READABLE, is_readable

_PSEUDONYM: Final = {"person": "person_id", "home": "household_id"}
_IDENTIFIER: Final = {"person": "nhs_number", "home": "uprn"}
_ROW: Final = "_row"
_MATCH: Final = "_match"


@dataclass(frozen=True)
class ListKey:
    """With what the row keys of one recipient's list of one night were made, for lists that hold no pseudonym."""

    key: Key
    recipient: str
    as_of: date


@dataclass(frozen=True)
class Reidentified:
    """What `reidentify` found: `n_listed` = `n_matched` + `n_unmatched` rows of the list.

    Register rows that could not be used: blank or invalid identifiers, and (`n_ambiguous`) rows of one NHS number
    that contradict each other; none of these is ever matched.
    """

    file: Path
    key_fingerprint: str
    n_listed: int
    n_matched: int
    n_unmatched: int
    n_register: int
    n_blank: int
    n_invalid: int
    n_ambiguous: int


def reidentify(
    listed: Path,
    *,
    register: Path,
    out: Path,
    key: Key,
    domain: Domain = "person",
    list_key: ListKey | None = None,
    register_columns: Sequence[str] | None = None,
    own_ids: bool = False,
) -> Reidentified:
    """Write the rows of a list that are in the agency's own register, with the register's columns beside them.

    The list has `person_id`, the register `nhs_number` and any other columns; with `domain="home"`
    they are `household_id` and `uprn`, and a home's rows of the register all count. With a `list_key` the list has
    `row_key` instead; with `own_ids` the register's identifiers are the agency's own. The pseudonyms of the register
    are computed anew; nothing else is looked up and nobody outside the register can be found. `out` (.csv or .parquet)
    is a new file of mode 0600.

    Raises `SourceError` for a fault of a file, `PublishError` if `out` is there already.
    """
    if list_key is not None and list_key.key == key:
        raise KeyFileError("one key serves both pseudonyms and lists", "use two keys")
    wanted = _PSEUDONYM[domain] if list_key is None else "row_key"
    rows = _read(listed, needed=wanted).with_row_index(_ROW)
    register_rows = _chosen(_read(register, needed=_IDENTIFIER[domain]), domain, register_columns)
    usable, n_ambiguous = _usable(register_rows, domain, own=own_ids)
    keyed = usable.with_columns(_matches(domain, own=own_ids, key=key, list_key=list_key).alias(_MATCH))
    found = rows.join(keyed, left_on=wanted, right_on=_MATCH, how="inner", suffix="_register").sort(_ROW)
    _write(found.drop(_ROW), out)
    identifiers = register_rows.select(_IDENTIFIER[domain])
    n_blank = int(identifiers.select(is_missing(pl.col(_IDENTIFIER[domain])).sum()).item())
    n_matched = found[_ROW].n_unique()
    return Reidentified(
        file=out,
        key_fingerprint=key.fingerprint,
        n_listed=rows.height,
        n_matched=n_matched,
        n_unmatched=rows.height - n_matched,
        n_register=register_rows.height,
        n_blank=n_blank,
        n_invalid=int(identifiers.select(_canonical(domain, own=own_ids).is_null().sum()).item()) - n_blank,
        n_ambiguous=n_ambiguous,
    )


def _read(path: Path, *, needed: str) -> pl.DataFrame:
    if not is_readable(path):
        raise SourceError(f"{path.name}: no file that can be read", f"give it as {READABLE}")
    rows = _flat(path) if path.suffix == ".parquet" else whole(path)
    if needed not in rows.columns:
        raise SourceError(f"{path.name}: the column {needed} is missing", "name it in the header line")
    return rows


def _flat(path: Path) -> pl.DataFrame:
    damaged = None
    try:
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        damaged = type(error).__name__
    if damaged is not None:
        raise SourceError(f"{path.name} is not a whole Parquet file ({damaged})", "send it again")
    # Lists of needs and reasons are written as one text, so that a CSV can hold them.
    lists = [name for name, dtype in frame.schema.items() if dtype == pl.List(pl.String)]
    return frame.with_columns(pl.col(lists).list.join("; "))


def _chosen(register: pl.DataFrame, domain: Domain, columns: Sequence[str] | None) -> pl.DataFrame:
    identifier = _IDENTIFIER[domain]
    missing = [name for name in columns or () if name not in register.columns]
    if missing:
        raise SourceError(f"the register has no column {', '.join(missing)}", "choose columns that it has")
    register = register.with_columns(pl.col(identifier).cast(pl.String))
    return register if columns is None else register.select(list(dict.fromkeys((identifier, *columns))))


def _usable(register: pl.DataFrame, domain: Domain, *, own: bool) -> tuple[pl.DataFrame, int]:
    identifier = _IDENTIFIER[domain]
    good = (
        register.with_columns(_canonical(domain, own=own).alias(identifier))
        .drop_nulls(identifier)
        .unique(maintain_order=True)
    )
    if domain == "home":
        return good, 0
    # Two rows of one number that differ: one of them is somebody else, and nobody here can tell which.
    single = good.filter(pl.col(identifier).is_unique())
    return single, good.height - single.height


def _canonical(domain: Domain, *, own: bool) -> pl.Expr:
    if own:
        return sound_id(_IDENTIFIER[domain])
    column = pl.col(_IDENTIFIER[domain])
    return canonical_nhs_number(column) if domain == "person" else canonical_uprn(column)


def _matches(domain: Domain, *, own: bool, key: Key, list_key: ListKey | None) -> pl.Expr:
    known = named(pl.col(_IDENTIFIER[domain]), domain=domain, own=own, key=key)
    if list_key is None:
        return known
    return row_key(known, recipient=list_key.recipient, as_of=list_key.as_of, key=list_key.key)


def _write(rows: pl.DataFrame, out: Path) -> None:
    if out.suffix not in (".csv", ".parquet"):
        raise SourceError(f"{out.name} is neither .csv nor .parquet", "name one of the two")
    with staged_file(out) as path:
        if out.suffix == ".parquet":
            rows.write_parquet(path)
        else:
            rows.with_columns(_harmless(name) for name in rows.select(pl.col(pl.String)).columns).write_csv(
                path, include_bom=True
            )


def _harmless(name: str) -> pl.Expr:
    # A spreadsheet takes a text that begins so for a formula (OWASP: CSV injection).
    text = pl.col(name)
    return pl.when(text.str.contains(r"^[=+\-@\t\r]")).then("'" + text).otherwise(text).alias(name)
