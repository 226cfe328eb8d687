"""Is it safe to use? One sentence, what it is for and never for, and six figures: the top of the technical annex."""

from collections.abc import Mapping
from typing import Any, Final, TypedDict

import polars as pl

from ageingwell.evaluation.wall import MODEL
from ageingwell.governance.disclosure import is_small
from ageingwell.governance.night_facts import NightFacts
from ageingwell.report.glance import Told
from ageingwell.report.measured import GROUPING_WORDS

Tables = Mapping[str, pl.DataFrame]
USE: Final = "Use it to choose who a team offers help to first. A person decides every time."
NEVER: Final = (
    "Never use it to diagnose, to refuse care, to score a tenant, to say that someone will fall or that there will be "
    "a fire, or to decide without a person."
)
# Outside these, events happen clearly more or less often than the figures say.
FEWEST: Final = 0.8
MOST: Final = 1.25
BENCHMARK: Final = "age alone"
NOT_CHECKED: Final = "Not checked."
SHOWN_LETTERS: Final = 8  # of the fingerprint of a model


class Safe(TypedDict):
    """The summary: a word for the verdict, the sentence behind it, what it is for, and six figures."""

    verdict: str
    why: str
    use: str
    never: str
    figures: list[Told]


def safe_to_use(facts: NightFacts, tables: Mapping[str, Tables]) -> Safe:
    """Say whether the list of this night is safe to use, for whoever signs it off.

    Parameters
    ----------
    facts
        What is told of the night.
    tables
        Each outcome's tables of measures, as the annex has them; those of the ranking outcome are read.

    Examples
    --------
    >>> from datetime import date
    >>> told = safe_to_use(NightFacts(date(2026, 11, 22), rules_only=True), {})
    >>> told["verdict"], told["why"]
    ('With care', 'The estimate is not used tonight: rules alone chose who is listed.')
    >>> [one["asks"] for one in told["figures"]]
    ['Right order', 'Right people', 'Right size', 'Who is missed', 'Records', 'Model']
    """
    found = tables.get(facts.ranking_outcome, {})
    ratio = _calibration(found)
    verdict, why = _verdict(facts, ratio)
    return Safe(
        verdict=verdict,
        why=why,
        use=USE,
        never=NEVER,
        figures=[
            Told(asks="Right order", says=_order(found)),
            Told(asks="Right people", says=_people(facts)),
            Told(asks="Right size", says=_size(ratio)),
            Told(asks="Who is missed", says=_missed(found)),
            Told(asks="Records", says=_records(facts)),
            Told(asks="Model", says=_model(facts)),
        ],
    )


def _verdict(facts: NightFacts, ratio: Mapping[str, Any] | None) -> tuple[str, str]:
    if facts.rules_only:
        return "With care", "The estimate is not used tonight: rules alone chose who is listed."
    if facts.missing or facts.late or facts.columns_gone:
        return "With care", "Some records are missing or late, so some needs may not be on the list."
    if ratio is None or ratio["value"] is None:
        return "With care", "The figures could not be checked against what happened."
    if not FEWEST <= ratio["value"] <= MOST:
        return "With care", "What happened differs clearly from what the figures say. Ask for a recalibration."
    if facts.made_up:
        return "For trying out only", "The people and the model are made up."
    return "Yes", "The records came, and in the test the figures were close to what happened."


def _calibration(found: Tables) -> Mapping[str, Any] | None:
    return _row(found.get("calibration"), measure="observed_over_expected")


def _row(table: pl.DataFrame | None, **wanted: str) -> Mapping[str, Any] | None:
    if table is None:
        return None
    rows = table.filter(**wanted).head(1).to_dicts()
    return rows[0] if rows and not is_small(rows[0]) else None


def _order(found: Tables) -> str:
    wall = found.get("wall")
    ours = _row(wall, name=MODEL, measure="auroc", band="all")
    theirs = _row(wall, name=BENCHMARK, measure="auroc", band="all")
    if ours is None or ours["value"] is None:
        return NOT_CHECKED
    said = f"Of two people, it puts the one with the event first {_of_100(ours['value'])} times in 100"
    beside = f"; by age alone, {_of_100(theirs['value'])}" if theirs is not None and theirs["value"] is not None else ""
    return f"{said}{beside}."


def _people(facts: NightFacts) -> str:
    told = facts.track_record
    if not told:
        return NOT_CHECKED
    return f"Of {told['n_listed']} picked, {told['n_happened']} had the event; of the oldest, {told['n_by_age']}."


def _size(ratio: Mapping[str, Any] | None) -> str:
    if ratio is None or ratio["value"] is None:
        return NOT_CHECKED
    low, high = ratio["low"], ratio["high"]
    span = "" if low is None or high is None else f" ({_of_100(low)} to {_of_100(high)})"
    return f"For every 100 expected, {_of_100(ratio['value'])} happened{span}."


def _missed(found: Tables) -> str:
    groups = found.get("groups")
    if groups is None:
        return NOT_CHECKED
    asked = pl.col("grouping").is_in(["sex", "age_band", "ethnic_group", "deprivation_fifth", "rurality"])
    rows = groups.filter((pl.col("measure") == "false-negative rate") & asked).drop_nulls("value")
    shown = [row for row in rows.to_dicts() if not is_small(row)]
    if not shown:
        return NOT_CHECKED
    worst = max(shown, key=lambda row: (row["value"], row["grouping"], row["group"]))
    who = f"{GROUPING_WORDS.get(worst['grouping'], worst['grouping']).lower()} {worst['group']}"
    return f"Most often missed: {who}, {_of_100(worst['value'])} in 100 of those with the event."


def _records(facts: NightFacts) -> str:
    if not facts.inputs and not facts.missing:
        return NOT_CHECKED
    came = len(facts.inputs)
    return f"{came} tables came, {len(facts.missing)} did not, {len(facts.late)} are late."


def _model(facts: NightFacts) -> str:
    digest = str(facts.bundle.get("digest", ""))[:SHOWN_LETTERS] or "no fingerprint"
    tested = facts.bundle.get("training", {}).get("cut_offs", {}).get("test", [])
    on = f", tested on {tested[0]}" if tested else ""
    return f"{digest}{on}. Approved by: nobody has signed here; see the model card."


def _of_100(share: float) -> int:
    return int(100 * share + 0.5)
