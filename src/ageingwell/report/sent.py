"""What did not come with the records, in words: columns, days that stand for none, rows of a day to come."""

from collections.abc import Sequence
from typing import Any

from ageingwell.contracts.fields import SAY_NOTHING
from ageingwell.governance.disclosure import in_words
from ageingwell.governance.night_facts import InputFacts, NightFacts
from ageingwell.views.words import capital, label_words

# More names than these make a line nobody reads; `check` and the manifest have them all.
NAMED_FIRST = 6


def sent_notes(facts: NightFacts) -> list[str]:
    """Say what a night's records did not tell, one sentence or two a table, and which needs were not looked for.

    Of the facts they are `inputs`, `columns_gone` (columns that came last time), `not_looked_for` (needs by name) and
    `notes` (sentences on opt-outs, codes and labels).

    >>> from datetime import date
    >>> inputs = {"fire_visits": {"absent_columns": ["mobility"], "empty_columns": ["telecare"]}}
    >>> facts = NightFacts(date(2026, 11, 22), inputs=inputs, columns_gone={"fire_visits": ["mobility"]},
    ...                    not_looked_for=["fire_safety"])
    >>> for note in sent_notes(facts):
    ...     print(note)
    Fire visits: not sent, though it was last time: mobility. Ask the agency.
    Fire visits: sent without a value: telecare. What depends on it is unknown.
    Not fully looked for, as records are missing: fire safety.
    """
    gone = facts.columns_gone
    notes = [note for table, told in facts.inputs.items() for note in _of_table(table, told, gone.get(table, ()))]
    if facts.not_looked_for:
        words = "; ".join(label_words(need).lower() for need in facts.not_looked_for)
        notes.append(f"Not fully looked for, as records are missing: {words}.")
    return [*(f"{capital(str(note)).rstrip('.')}." for note in facts.notes), *notes]


def _of_table(table: str, told: InputFacts, gone: Sequence[str]) -> list[str]:
    absent = [name for name in told.get("absent_columns", []) if name not in told.get("not_held_columns", [])]
    partly = list(dict.fromkeys(row["column"] for row in told.get("partly_absent_columns", [])))
    notes = []
    if badly := list(told.get("badly_read_columns", [])):
        # Of opt-outs an empty cell is the safe reading: in force, and without an end.
        what = "" if table == "permissions" else f" What depends on {'it' if len(badly) == 1 else 'them'} is unknown."
        notes.append(f"more than half of what was sent could not be read: {_named(badly)}.{what} Ask the agency.")
    if gone:
        notes.append(f"not sent, though {_it(gone)} last time: {_named(gone)}. Ask the agency.")
    for what, names in (
        ("not sent", [name for name in absent if name not in gone]),
        ("not sent in some of its files", partly),
        # Of opt-outs an empty cell has a meaning of its own: no home objected, none has an end.
        ("sent without a value", [] if table == "permissions" else list(told.get("empty_columns", []))),
    ):
        if names:
            notes.append(f"{what}: {_named(names)}. What depends on {'it' if len(names) == 1 else 'them'} is unknown.")
    for why, rows in _emptied(told):
        cells = sum(int(row["n_cells"]) for row in rows)
        columns = list(dict.fromkeys(row["column"] for row in rows))
        notes.append(f"cells read as empty, as {why}: {in_words(cells)}, in {_named(columns)}.")
    if ahead := int(told.get("n_dated_ahead", 0)):
        notes.append(f"rows dated after the night, which were not used: {in_words(ahead)}.")
    return [f"{label_words(table)}: {note}" for note in notes]


def _emptied(told: InputFacts) -> list[tuple[str, list[Any]]]:
    """The emptied cells by why: days that stand for none, and what could not be read; words for empty go without."""
    rows = list(told.get("emptied", []))
    days = [row for row in rows if row["rule"] == "placeholder_day"]
    unread = [row for row in rows if row["rule"] not in SAY_NOTHING]
    both = [("their days mean “none”", days), ("they could not be read", unread)]
    return [(why, found) for why, found in both if found]


def _it(names: Sequence[str]) -> str:
    return "it was" if len(names) == 1 else "they were"


def _named(names: Sequence[str]) -> str:
    first = ", ".join(label_words(name).lower() for name in names[:NAMED_FIRST])
    more = len(names) - NAMED_FIRST
    return first + (f" and {more} more" if more > 0 else "")
