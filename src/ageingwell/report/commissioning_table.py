"""A table of the page for commissioners as plain data, and the words of a need."""

from collections.abc import Sequence
from typing import Any

from ageingwell.views.words import NEED_WORDS, label_words

Table = dict[str, Any]


def table(caption: str, heads: Sequence[str], rows: list[list[str]], *, note: str = "") -> Table:
    """A table: its caption, the words of its columns, rows of text, and a note below it."""
    return {"caption": caption, "heads": list(heads), "rows": rows, "note": note}


def in_a_sentence(words: str) -> str:
    """Words that begin with a capital, as they stand inside a sentence.

    >>> in_a_sentence("Fire safety at home (CHARLIE-P)"), in_a_sentence("GP practices")
    ('fire safety at home (CHARLIE-P)', 'GP practices')
    """
    return words if words[1:2].isupper() else words[:1].lower() + words[1:]


def need_words(need: str) -> str:
    """A need as readers meet it."""
    return NEED_WORDS[need].name if need in NEED_WORDS else label_words(need)
