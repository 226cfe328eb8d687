"""Whether the group still decides: how many rows are decided, and how often it does just what was suggested."""

from datetime import date

import polars as pl

from ageingwell.config.outreach import DecisionSettings
from ageingwell.decisions.ledger import head
from ageingwell.governance.disclosure import SUPPRESS_BELOW, in_words
from ageingwell.governance.night_facts import DecisionFacts


def tell_decisions(
    ledger: pl.DataFrame, *, previous: pl.DataFrame | None, settings: DecisionSettings, as_of: date
) -> DecisionFacts:
    """What a night tells of the decisions known to it, every count disclosed; `ledger_head` stands for their entries.

    `previous` is the last list: of its people, who is decided and who is open. `warning` is for the chair: a group
    that follows nearly every suggestion may have stopped deciding (evidence: reviewers of scores rarely disagree once
    they trust them).
    """
    known = ledger.filter(pl.col("recorded_on") < as_of)
    taken = known.filter(pl.col("decision").is_not_null() & (pl.col("kind") == "listed")).sort("position")
    latest = taken.unique(["night", "person_id"], keep="last", maintain_order=True)
    listed = pl.Series(dtype=pl.String) if previous is None else previous["person_id"]
    # Of one person several lists may have been answered.
    n_decided = latest.filter(pl.col("person_id").is_in(listed.implode()))["person_id"].n_unique()
    n_following = int(latest["agrees_with_suggestion"].sum() or 0)
    return {
        "ledger": settings.ledger,
        "ledger_head": head(known),
        "n_decided": in_words(n_decided),
        "n_open": in_words(len(listed) - n_decided),
        "n_decisions": in_words(latest.height),
        "followed_in_100": None if latest.height < SUPPRESS_BELOW else round(100 * n_following / latest.height),
        "warning": _warning(n_following, latest.height, settings),
    }


def since_last(
    entries: pl.DataFrame,
    *,
    previous: pl.DataFrame | None,
    last_night: date | None,
    rows: pl.DataFrame,
    still_to_do: pl.Series,
    n_held: int,
    n_left: int,
) -> pl.DataFrame:
    """How many of the last list are decided, open or left, and how many visits are agreed, overdue or held: what, n.

    The group holds all of these rows, so the counts are exact. `previous` is the last list, of the day `last_night`;
    `rows` is tonight's, and `still_to_do` whom a visit was agreed for and not made. Decided is who was decided about on
    the last list or has such a visit.
    """
    listed = pl.Series("person_id", [], dtype=pl.String) if previous is None else previous["person_id"]
    taken = entries.filter(pl.col("decision").is_not_null())
    of_list = taken if last_night is None else taken.filter(night=last_night)
    decided = pl.concat([of_list["person_id"], still_to_do]).unique()
    n_decided = int(listed.is_in(decided.implode()).sum())
    status = rows["status"]
    counts = {
        "on_last_list": len(listed),
        "decided": n_decided,
        "open": len(listed) - n_decided,
        "agreed": int((status == "agreed").sum()),
        "overdue": int((status == "overdue").sum()),
        "held": n_held,
        "left": n_left,
    }
    return pl.DataFrame({"what": list(counts), "n": list(counts.values())})


def _warning(n_following: int, n_decisions: int, settings: DecisionSettings) -> str | None:
    """A sentence for the chair where the suggestion was followed more often than settings allow.

    >>> _warning(29, 30, DecisionSettings(rubber_stamp_after=30, rubber_stamp_share=0.95))
    'For the chair: of the last decisions about 97 in 100 did just what was suggested; ask where the group saw more ...'
    >>> _warning(29, 29, DecisionSettings(rubber_stamp_after=30))
    """
    if n_decisions < settings.rubber_stamp_after or n_following <= settings.rubber_stamp_share * n_decisions:
        return None
    share = round(100 * n_following / n_decisions)
    return (
        f"For the chair: of the last decisions about {share} in 100 did just what was suggested; "
        "ask where the group saw more than the list did"
    )
