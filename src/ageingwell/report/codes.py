"""Which list a file is: its code, the fingerprints of its keys, and whom it is for."""

import hashlib
import json
import re
from typing import Final

from ageingwell.pseudonyms.keys import LETTERS
from ageingwell.report.cells import flat
from ageingwell.views.columns import AgencyView
from ageingwell.views.words import agency_words

KEYS_TEXT: Final = re.compile(r"pseudonyms ([b-t]{12}), list ([b-t]{12})")


def list_code(view: AgencyView) -> str:
    """Say which list this is: recipient, night, and eight letters that stand for everything on it.

    A revision of the night has other letters; the same list drawn again has the same ones.

    >>> import polars as pl
    >>> from datetime import date
    >>> from ageingwell.views.columns import PLACE
    >>> list_code(AgencyView("fire", date(2026, 11, 22), (PLACE,), pl.DataFrame({"place": ["Ludlow"]})))
    'fire 2026-11-22 rrdhknrt'
    """
    names = [column.name for column in view.columns]
    everything = json.dumps([view.recipient, str(view.as_of), names, flat(view.frame).rows()])
    letters = hashlib.sha256(everything.encode()).hexdigest()[:8].translate(LETTERS)
    return f"{view.recipient} {view.as_of} {letters}"


def keys_text(view: AgencyView) -> str:
    """The fingerprints of the keys a list was made with; empty where they are not told."""
    return "" if view.keys is None else f"pseudonyms {view.keys[0]}, list {view.keys[1]}"


def keys_in(text: str) -> tuple[str, str] | None:
    """The two fingerprints that `keys_text` wrote: of the pseudonyms, and of the row keys.

    >>> keys_in("pseudonyms tslbhgfbpgfp, list bbbbbbbbbbbb"), keys_in("")
    (('tslbhgfbpgfp', 'bbbbbbbbbbbb'), None)
    """
    found = KEYS_TEXT.fullmatch(text)
    return None if found is None else (found[1], found[2])


def recipient_words(view: AgencyView) -> str:
    """Whom a list is for, in words: an agency, or one GP practice."""
    return agency_words(view.recipient) if view.practice is None else f"GP practice {view.practice}"
