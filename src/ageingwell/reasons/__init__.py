"""What a reader is told of a figure: facts in plain sentences, what each adds, and all others by theme."""

from ageingwell.reasons.signed import stop_on_unknown_facts
from ageingwell.reasons.telling import REASONS, sentence, tell_reasons
from ageingwell.reasons.terms import (
    Terms,
    strongest_theme,
    terms_of,
    with_row_reasons,
    with_whole_numbers,
)
from ageingwell.reasons.words import FURTHER, dated, reasons_of_people

__all__ = [
    "FURTHER",
    "REASONS",
    "Terms",
    "dated",
    "reasons_of_people",
    "sentence",
    "stop_on_unknown_facts",
    "strongest_theme",
    "tell_reasons",
    "terms_of",
    "with_row_reasons",
    "with_whole_numbers",
]
