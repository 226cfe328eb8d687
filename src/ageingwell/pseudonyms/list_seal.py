"""The seal of a night's own list of pseudonyms: only such a list, whole and unchanged, is looked up at an agency.

A list of row keys needs none: a row key that finds somebody was made with the list key, for that recipient and night.
"""

import hashlib
from collections.abc import Iterable
from datetime import date
from typing import Final

from ageingwell.pseudonyms.keys import LETTERS, Key

LIST_SEAL: Final = "list_seal"
# Whose key seals it: the group reads the list of pseudonyms.
SEALED_FOR: Final = "group"


def list_seal(people: Iterable[str], homes: Iterable[str | None], *, as_of: date, key: Key) -> str:
    """The seal of the people and homes of a list, in any order; `key` is the group's own (`Key.for_recipient`).

    >>> one = list_seal(["b" * 32, "c" * 32], [None, "d" * 32], as_of=date(2026, 11, 22), key=Key.made_up(0))
    >>> one == list_seal(["c" * 32, "b" * 32], ["d" * 32, None], as_of=date(2026, 11, 22), key=Key.made_up(0))
    True
    """
    rows = sorted(f"{person} {home or ''}" for person, home in zip(people, homes, strict=True))
    whole = hashlib.sha256("\n".join(rows).encode()).digest()
    return key.digest(f"list:{as_of.isoformat()}:".encode() + whole).hex().translate(LETTERS)[:32]
