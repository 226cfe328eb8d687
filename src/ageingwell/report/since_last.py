"""What became of the last list, for the chair: exact counts of the group's own rows, and which visits are held."""

from collections import Counter
from dataclasses import dataclass
from datetime import date

import polars as pl

from ageingwell.decisions.choices import PERSON_SAID
from ageingwell.pseudonyms.digests import row_key
from ageingwell.pseudonyms.keys import Key
from ageingwell.report.cells import shown_key
from ageingwell.report.remembered import short_day
from ageingwell.report.words import reason_words
from ageingwell.views.words import agency_words


@dataclass(frozen=True)
class SinceLast:
    """What page one says: `sentences` on decisions and visits, `left` why people left the list, `held` whose visit is.

    The counts are exact, for the group holds the rows: nobody else's page may show them.
    """

    sentences: list[str]
    left: list[dict[str, str]]
    held: list[str]
    n_left: str


def since_last_list(
    counts: pl.DataFrame, *, gone: pl.DataFrame, last_time: pl.DataFrame, plans: pl.DataFrame, as_of: date, key: Key
) -> SinceLast:
    """Say what became of the last list from the night's tables `since_last`, `left_list`, `last_time` and `plans`.

    A held visit is named by the key of the group's list on which the no was told, which is where the chair answers.
    """
    n = Counter(dict(counts.select("what", "n").iter_rows()))
    reasons = gone.group_by("reason").agg(n=pl.len()).sort("n", "reason", descending=[True, False])
    due = plans.filter("is_review_due")["person_id"].n_unique()
    return SinceLast(
        sentences=_sentences(n, due),
        left=[{"reason": reason_words(reason), "n": f"{many:,}"} for reason, many in reasons.iter_rows()],
        held=_held(last_time, as_of=as_of, key=key),
        n_left=f"{gone.height:,}",
    )


def _sentences(n: Counter[str], n_due: int) -> list[str]:
    said = []
    if n["on_last_list"]:
        said.append(
            f"Of the {n['on_last_list']:,} on the last list: {n['decided']:,} decided, {n['open']:,} still open."
        )
    if n["agreed"] or n["overdue"]:
        said.append(
            f"Visits that you agreed and nobody has reported on: {n['agreed']:,} in time, {n['overdue']:,} overdue."
        )
    if n["held"]:
        said.append(f"Visits held until you decide, because someone reports that the person said no: {n['held']:,}.")
    if n_due:
        said.append(f"Plans to review now: {n_due:,}.")
    return said


def _held(last_time: pl.DataFrame, *, as_of: date, key: Key) -> list[str]:
    """Whose visit is held: the key, the list it is of, and what was reported."""
    told = []
    for row in last_time.filter(status="held").sort("said_on", "person_id").iter_rows(named=True):
        night = row["said_night"] or row["night"]
        keyed = pl.select(row_key(pl.lit(row["person_id"]), recipient="group", as_of=night, key=key)).item()
        reported = PERSON_SAID.get(row["person_said"] or "", "")
        by = agency_words(row["said_to"]) if row["said_to"] else ""
        told.append(
            f"{shown_key(keyed)} on the list of {short_day(night, as_of)}: {by} reports: {reported}. "
            f"Answer on that list, or in the file of clashes of that night."
        )
    return told
