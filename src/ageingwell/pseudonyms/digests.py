"""Keyed digests of whole columns: pseudonyms of people and homes, and the row keys of lists.

Polars' own digests take a text as key, and a random key is not text; so the work is done by the standard library's
SHA-256 over each different value once, with HMAC's two key blocks hashed beforehand. That is about a million
identifiers a second on one core, and the key is in no query plan.
"""

import re
from collections.abc import Callable
from datetime import date
from typing import Final, Literal

import polars as pl

from ageingwell.pseudonyms.identifiers import canonical_nhs_number, canonical_uprn
from ageingwell.pseudonyms.keys import LETTERS, Key

Domain = Literal["person", "home"]

# 128 bits: no two of 60 million people share a pseudonym (expected pairs 5e-24).
PSEUDONYM_LETTERS: Final = 32
_DIGEST_LETTERS: Final = 64


def pseudonym(column: pl.Expr, *, domain: Domain, key: Key) -> pl.Expr:
    """Give the pseudonyms of NHS numbers (`person`) or UPRNs (`home`); blank and invalid ones give null.

    A pseudonym is 32 letters: the first 128 bits of HMAC-SHA256(key, "<domain>:<canonical identifier>"). Different
    spellings of an identifier give one pseudonym; two keys give two that nobody can join.

    >>> people = pl.DataFrame({"nhs_number": ["999 000 0018", "9990000018", "9990000019"]})
    >>> people.select(person_id=pseudonym(pl.col("nhs_number"), domain="person", key=Key.made_up(1)))
    shape: (3, 1)
    ┌─────────────────────────────────┐
    │ person_id                       │
    │ ---                             │
    │ str                             │
    ╞═════════════════════════════════╡
    │ krprqtdthjjlcnfhqtccbjtskrkmtf… │
    │ krprqtdthjjlcnfhqtccbjtskrkmtf… │
    │ null                            │
    └─────────────────────────────────┘
    """
    match domain:
        case "person":
            return keyed_letters(canonical_nhs_number(column), label="person", key=key)
        case "home":
            return keyed_letters(canonical_uprn(column), label="home", key=key)
    raise ValueError("domain is `person` or `home`")


def row_key(column: pl.Expr, *, recipient: str, as_of: date, key: Key) -> pl.Expr:
    """Give the row keys of one recipient's list of one night, from person ids; null gives null.

    `key` is the key of all lists, which belongs to whoever makes them and is not the key of the pseudonyms; the rows
    are keyed with the recipient's own key, derived from it. Two recipients' lists, or two nights', cannot be joined on
    them without it.

    >>> rows = pl.DataFrame({"person_id": ["b" * 32]})
    >>> key = Key.made_up(2)
    >>> fire = row_key(pl.col("person_id"), recipient="fire", as_of=date(2026, 11, 22), key=key)
    >>> housing = row_key(pl.col("person_id"), recipient="housing", as_of=date(2026, 11, 22), key=key)
    >>> rows.select(differ=fire != housing).item()
    True
    """
    return row_key_by(column, recipient=recipient, as_of=as_of, key=key.for_recipient(recipient))


def row_key_by(column: pl.Expr, *, recipient: str, as_of: date, key: Key) -> pl.Expr:
    """The same with the recipient's own key (`Key.for_recipient`), which is all that the recipient has.

    The lists of earlier versions were keyed with the key of all lists itself, in this way.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", recipient):
        raise ValueError("recipient is a name in snake case")
    return keyed_letters(column, label=f"{recipient}:{as_of.isoformat()}", key=key)


def keyed_letters(column: pl.Expr, *, label: str, key: Key) -> pl.Expr:
    """Give 32 letters of HMAC-SHA256(key, "<label>:<text>") for each text of a column; null gives null.

    >>> pl.DataFrame({"n": [1, None]}).select(keyed_letters(pl.col("n"), label="drawn", key=Key.made_up(1)))
    shape: (2, 1)
    ┌─────────────────────────────────┐
    │ n                               │
    │ ---                             │
    │ str                             │
    ╞═════════════════════════════════╡
    │ fqcjhlbjtgdchgbrjnlskjtdddlnpk… │
    │ null                            │
    └─────────────────────────────────┘
    """
    return column.cast(pl.String).map_batches(
        _digester(label=label, key=key), return_dtype=pl.String, is_elementwise=True
    )


def _digester(*, label: str, key: Key) -> Callable[[pl.Series], pl.Series]:
    def digest(texts: pl.Series) -> pl.Series:
        # Each different value once: events repeat their people many times.
        distinct = texts.drop_nulls().unique()
        letters = pl.Series(_letters(distinct.to_list(), label=label, key=key), dtype=pl.String)
        return texts.replace_strict(distinct, letters, default=None, return_dtype=pl.String)

    return digest


def _letters(texts: list[str], *, label: str, key: Key) -> list[str]:
    inner, outer = key.started(f"{label}:".encode())
    digests = []
    for text in texts:
        first, second = inner.copy(), outer.copy()
        first.update(text.encode())
        second.update(first.digest())
        digests.append(second.digest())
    all_letters = b"".join(digests).hex().translate(LETTERS)
    return [all_letters[at : at + PSEUDONYM_LETTERS] for at in range(0, len(all_letters), _DIGEST_LETTERS)]
