"""Whether tonight's records are the same place as last night's: a delivery that lost half the people is no night."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

import polars as pl

from ageingwell.errors import ChangeError
from ageingwell.governance.night_facts import NightFacts, PopulationFacts
from ageingwell.meeting.sent_lists import manifest_of
from ageingwell.publish import current, latest_before

# Of fewer, a handful of ordinary moves is already a large share.
FEWEST_TO_COMPARE: Final = 50
FEWEST_OF_A_PRACTICE: Final = 20
# From so many people on, a night that lists nobody is a fault and no coincidence.
FEWEST_TO_LIST_SOMEBODY: Final = 100


POPULATION = pl.Schema({"of": pl.String, "level": pl.String, "n": pl.Int64})


def count_population(people: pl.DataFrame) -> pl.DataFrame:
    """How many people, homes and patients of each practice a night could have listed; nobody dead or gone counts.

    `people` has person_id, household_id, practice_code, is_deceased and has_moved. The counts (`POPULATION`) of parts
    of the people, each home in one part, add up.
    """
    here = people.filter(~pl.col("is_deceased") & ~pl.col("has_moved"))
    homes = here["household_id"].drop_nulls().n_unique()
    practices = here.group_by(level="practice_code").agg(n=pl.len().cast(pl.Int64))
    whole = [("people", "", here.height), ("homes", "", homes)]
    parts = [
        pl.DataFrame(whole, schema=POPULATION, orient="row"),
        practices.select(pl.lit("practice").alias("of"), "level", "n"),
    ]
    return pl.concat(parts).cast(POPULATION)


def population_of(counts: pl.DataFrame) -> PopulationFacts:
    """The counts of everybody (`POPULATION`), of one part or several, as the manifest tells them."""
    n = counts.group_by("of", "level").agg(pl.col("n").sum()).sort("of", "level")
    kept = n.filter((pl.col("of") == "practice") & (pl.col("n") >= FEWEST_OF_A_PRACTICE))
    return {
        "people": int(n.filter(of="people")["n"].sum()),
        "homes": int(n.filter(of="homes")["n"].sum()),
        "practices": dict(kept.select("level", "n").iter_rows()),
    }


def losses(before: Mapping[str, Any], now: PopulationFacts, *, max_lost_share: float) -> list[str]:
    """Say what became fewer by more than the share allowed: people, homes, and the patients of each practice.

    >>> then = {"people": 1_000, "homes": 700, "practices": {"M82001": 400, "M82002": 300}}
    >>> losses(then, {"people": 950, "homes": 690, "practices": {"M82001": 390}}, max_lost_share=0.2)
    ['patients of practice M82002: 300 before, fewer than 20 now']
    """
    told = [
        f"{words}: {before[name]:,} before, {n:,} now"
        for name, words, n in (("people", "people", now["people"]), ("homes", "homes of people", now["homes"]))
        if (before.get(name) or 0) >= FEWEST_TO_COMPARE and n < (1 - max_lost_share) * before[name]
    ]
    for practice, n in before.get("practices", {}).items():
        left = now["practices"].get(practice, 0)
        if left < (1 - max_lost_share) * n:
            few = f"{left:,} now" if left else f"fewer than {FEWEST_OF_A_PRACTICE} now"
            told.append(f"patients of practice {practice}: {n:,} before, {few}")
    return told


def stop_on_change(
    facts: NightFacts, *, before: Mapping[str, Any] | None, n_listed: int, max_lost_share: float
) -> None:
    """Stop before a night becomes current that lists nobody, or lost more than the share allowed since the last.

    `facts` are tonight's and `before` the manifest of the last night, if there is one; a night made before these
    counts were kept has none to compare. Raises `ChangeError`.
    """
    told = what_changed(facts, before=before, n_listed=n_listed, max_lost_share=max_lost_share)
    if told:
        raise ChangeError(
            "the records changed more than they can in a night, so this night does not become current: "
            + "; ".join(told),
            "look at what the agencies sent (`ageingwell check` names columns that are missing and days that cannot be "
            "right); if the change is real, run again with --accept-change",
        )


def what_changed(
    facts: NightFacts, *, before: Mapping[str, Any] | None, n_listed: int, max_lost_share: float
) -> list[str]:
    """Say what a person has to accept: people, homes or patients that are gone, another key, or nobody listed."""
    now = facts.population
    then = {} if before is None else before.get("population", {})
    told = [] if now is None else losses(then, now, max_lost_share=max_lost_share)
    if before is not None and _is_another_key(before.get("key_fingerprint"), facts.key_fingerprint):
        told.append("the pseudonyms were made with another key, so nobody on the last list can be found in them")
    if n_listed == 0 and now_could_list(facts):
        told.append("nobody would be on the list")
    return told


def _is_another_key(then: str | None, now: str | None) -> bool:
    return then is not None and now is not None and then != now


def now_could_list(facts: NightFacts) -> bool:
    """Whether so many people were considered, and places are there, that an empty list is a fault."""
    considered = sum(step["n"] for step in facts.steps if step["step"] not in ("read", "permitted", "spine"))
    return bool(considered >= FEWEST_TO_LIST_SOMEBODY and sum(facts.capacity.values()) > 0)


def last_manifest(out: Path, *, on: date) -> dict[str, Any] | None:
    """What the night told of itself that tonight's takes the place of."""
    folder = last_night(out, on=on)
    return None if folder is None else manifest_of(folder)


def last_night(out: Path, *, on: date) -> Path | None:
    """The folder of the night that tonight's takes the place of: the current one, if it is of no later date."""
    folder = current(out)
    if folder is None or folder.name[:10] > on.isoformat():
        folder = latest_before(out, on.isoformat())
    return folder
