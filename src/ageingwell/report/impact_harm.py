"""The harm watch: what `impact` looks for besides benefit, in sentences."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import polars as pl

from ageingwell.governance.disclosure import in_words
from ageingwell.report.impact_parts import HARM_DAYS, Tables, rows_of_everybody, whole
from ageingwell.report.impact_words import CANNOT_TELL, OUTCOME_NAMES, PER_PERSON, answer_words, why_words
from ageingwell.views.words import agency_words, label_words

GROUPINGS_NAMED: Final = {
    "age_band": "Age",
    "sex": "Sex",
    "deprivation_fifth": "Deprivation (fifth 1 is the most deprived)",
    "ethnic_group": "Ethnic group",
    "place": "Place",
    "rurality": "Town or country",
}


def harm_watched(tables: Tables, facts: Mapping[str, Any]) -> list[dict[str, str]]:
    """Each question with a tag and a sentence: asks, tag, words."""
    return [
        *_of_effects(tables["effects"], facts),
        _shares_told(tables["shares"]),
        _overloaded(tables, facts),
        _refusals(facts),
    ]


def _of_effects(effects: pl.DataFrame, facts: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Whether emergency admissions or deaths rise soon after people are offered a visit."""
    for outcome in ("emergency_admissions", "deaths"):
        rows = rows_of_everybody(effects, outcome, HARM_DAYS)
        row = rows[0] if rows else None
        asks = f"Are there more {OUTCOME_NAMES[outcome].lower()} in the first three months?"
        if outcome in facts["untold"] or row is None or row["why_not"] is not None or row["value"] is None:
            why = facts["untold"].get(outcome) or (why_words(row["why_not"]) if row else "too little time has passed")
            yield {"asks": asks, "tag": CANNOT_TELL, "words": f"{CANNOT_TELL}: {why}."}
        elif row["low"] > 0:
            words = answer_words(outcome, row, days=HARM_DAYS)[1]
            yield {"asks": asks, "tag": "Look at this", "words": f"{words} Ask a clinician to look at this now."}
        elif row["high"] < 0:
            yield {"asks": asks, "tag": "Fewer", "words": answer_words(outcome, row, days=HARM_DAYS)[1]}
        else:
            most = f"{PER_PERSON[outcome] * max(row['high'], 0):.0f}"
            yield {
                "asks": asks,
                "tag": "No sign of it",
                "words": f"That does not rule it out: up to {most} more for every {PER_PERSON[outcome]} people offered "
                "a visit would still fit.",
            }


def _shares_told(shares: pl.DataFrame) -> dict[str, str]:
    asks = "Does any group get less than its share?"
    told = shares.drop_nulls("gap_high")
    if told.is_empty():
        return {"asks": asks, "tag": CANNOT_TELL, "words": f"{CANNOT_TELL}: there are too few people."}
    less = told.filter((pl.col("gap_high") < 0) & (pl.col("group") != "not known")).sort("gap")
    if less.is_empty():
        return {
            "asks": asks,
            "tag": "No sign of it",
            "words": "Of people with a need, no group was offered visits clearly less often than everyone else.",
        }
    said = [
        f"{GROUPINGS_NAMED[row['grouping']].split(' (')[0].lower()}: {label_words(row['group']).lower()} "
        f"({100 * row['value']:.0f} in 100)"
        for row in less.head(4).to_dicts()
    ]
    return {
        "asks": asks,
        "tag": "Look at this",
        "words": "Offered visits less often than everyone else: "
        f"{'; '.join(said)}. There may be good reasons. Ask what they are.",
    }


def _overloaded(tables: Tables, facts: Mapping[str, Any]) -> dict[str, str]:
    asks = "Is any agency overloaded?"
    over = []
    for row in tables["agencies"].to_dicts():
        n = whole(row["overdue"])
        if n and n >= int(facts["capacity"].get(row["agency"], 0)):
            over.append(f"{agency_words(row['agency'])} ({row['overdue']} overdue)")
    if over:
        return {
            "asks": asks,
            "tag": "Look at this",
            "words": f"As many overdue visits as a week has places: {'; '.join(over)}.",
        }
    return {
        "asks": asks,
        "tag": "No sign of it",
        "words": "No agency has as many overdue visits as it has places in a week.",
    }


def _refusals(facts: Mapping[str, Any]) -> dict[str, str]:
    n, listed = facts["refused_three_times"], facts["refused_three_times_listed"]
    asks = "Do we keep asking people who have said no?"
    if n == "0":
        return {"asks": asks, "tag": "No sign of it", "words": "Nobody has said no three times."}
    if listed == "0":
        return {
            "asks": asks,
            "tag": "No sign of it",
            "words": f"{n} people have said no three times. None of them is on the list now.",
        }
    return {
        "asks": asks,
        "tag": "Look at this",
        "words": f"{n} people have said no three times, and {listed} of them are on the list again. Leave them alone "
        "unless their need is urgent.",
    }


def refusals_in_words(n: int, n_listed: int) -> tuple[str, str]:
    """How many said no three times, and how many of them are listed, as they may be shown together.

    >>> refusals_in_words(12, 0), refusals_in_words(12, 9)
    (('10', '0'), ('10', 'some'))
    """
    is_open = n_listed == 0 or (n_listed >= 8 and not 0 < n - n_listed < 8)
    return in_words(n), in_words(n_listed) if is_open else "some"
