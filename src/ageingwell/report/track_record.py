"""How good it is, in sentences: what became of people listed before, and for whom it works less well."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

import polars as pl

from ageingwell.governance.night_facts import NightFacts
from ageingwell.report.cells import day_words
from ageingwell.views.words import label_words, past_outcome

# Fewer events than this cannot tell a group from the others: half the width of the AUROC's interval is 0.1 and more.
ENOUGH_EVENTS: Final = 20
TOO_FEW: Final = "too few to check"
LESS_ORDER: Final = "it is worse at picking out the people it happens to"
MORE_MISSED: Final = "the list misses more people in these groups"
_AUROC, _MISSED = "auroc", "false-negative rate"
_SEX: Final = {"female": "women", "male": "men"}
_UNKNOWN: Final = ("not known", "unknown")


def track_record_words(facts: NightFacts) -> list[str]:
    """Say what became of people listed before: sentences, none where nothing is told.

    >>> told = {"from": "archive", "day": "2025-08-24", "outcome": "death", "n_listed": "30", "n_happened": "15",
    ...     "n_by_age": "1 to 7"}
    >>> for sentence in track_record_words(NightFacts(date(2026, 11, 22), track_record=told)): print(sentence)
    Of the 30 people listed on 24 August 2025 who could be followed, 15 died within a year.
    If you had picked the 30 oldest people, it would have been 1 to 7.
    Counted from the list published that night. Counts are rounded to the nearest 5.
    """
    told = facts.track_record
    if not told:
        return []
    day, happened = day_words(date.fromisoformat(told["day"])), past_outcome(told["outcome"])
    if told["from"] == "archive":
        first = (
            f"Of the {told['n_listed']} people listed on {day} who could be followed, {told['n_happened']} {happened}."
        )
        how = "Counted from the list published that night"
    else:
        first = (
            f"Looking back to {day}: of the {told['n_listed']} people with the highest chance, "
            f"{told['n_happened']} {happened}."
        )
        how = (
            "We cannot check a real list until a year has passed. This is a test on people the computer had not seen "
            "before"
        )
    by_age = f"If you had picked the {told['n_listed']} oldest people, it would have been {told['n_by_age']}."
    return [first, by_age, f"{how}. Counts are rounded to the nearest 5."]


def works_less_well_for(groups: pl.DataFrame) -> list[str]:
    """Name the groups for whom the model is clearly worse, or too few to check, by the table `groups` of an evaluation.

    Clearly worse: the interval of the difference from the other people excludes zero. Ages are not compared by AUROC,
    which is smaller inside any band of age; practices are for the annex; and the larger part of the people is never
    set beside the smaller.

    >>> columns = ["grouping", "group", "measure", "n", "n_events", "difference_low", "difference_high"]
    >>> rows = [
    ...     ("sex", "male", "auroc", 400, 60, -0.09, -0.02), ("sex", "female", "auroc", 600, 90, 0.02, 0.09),
    ...     ("rurality", "urban", "auroc", 60, 5, -0.2, 0.3), ("rurality", "rural", "auroc", 940, 145, -0.3, 0.2),
    ... ]
    >>> for sentence in works_less_well_for(pl.DataFrame(rows, schema=columns, orient="row")): print(sentence)
    men: it is worse at picking out the people it happens to
    too few to check: people in urban areas
    """
    told: dict[str, list[str]] = {}
    for row, why in _judged(groups.filter(pl.col("grouping") != "practice")):
        told.setdefault(_who(row["grouping"], row["group"]), []).append(why)
    worse = [f"{who}: {'; '.join(dict.fromkeys(why))}" for who, why in told.items() if TOO_FEW not in why]
    too_few = [who for who, why in told.items() if TOO_FEW in why]
    return [*worse, *([f"{TOO_FEW}: {'; '.join(too_few)}"] if too_few else [])]


def _judged(groups: pl.DataFrame) -> Iterator[tuple[Mapping[str, Any], str]]:
    total = groups.filter(measure=_AUROC).group_by("grouping").agg(total=pl.col("n").sum())
    for row in groups.join(total, on="grouping", how="left", maintain_order="left").iter_rows(named=True):
        is_larger_part = row["n"] is not None and 2 * row["n"] > (row["total"] or 0)
        if row["n"] == 0 or is_larger_part:
            continue
        if row["measure"] == _AUROC:
            if (row["n_events"] or 0) < ENOUGH_EVENTS:
                yield row, TOO_FEW
            elif row["grouping"] != "age_band" and _is_below(row["difference_high"]):
                yield row, LESS_ORDER
        elif row["measure"] == _MISSED and (row["difference_low"] or 0.0) > 0:
            yield row, MORE_MISSED


def _is_below(high: float | None) -> bool:
    return high is not None and high < 0


def _who(grouping: str, group: str) -> str:
    subject = label_words(grouping).lower()
    if group in _UNKNOWN:
        return f"people whose {subject} we do not know"
    return {
        "sex": _SEX.get(group, group),
        "age_band": f"people aged {group}",
        "ethnic_group": f"people of {group.capitalize()} ethnic group",
        "deprivation_fifth": f"people in deprivation fifth {group}",
        "rurality": f"people in {group} areas",
        "tenure": f"people whose home is {group}",
        "data_completeness": f"people whose records are in the {group} for completeness",
    }.get(grouping, f"{subject}: {group}")
