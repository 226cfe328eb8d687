"""Opt-outs, objections and markers, and what the agencies did in the past two years."""

import numpy as np
import polars as pl

from ageingwell.synthetic.conditions import NEVER
from ageingwell.synthetic.part import Part, letters, sparse

Array = np.ndarray
KINDS = ("type_1", "national", "objection", "restriction", "safeguarding", "staff_safety")
# Shares of people: about 3.5 in 100 have a type 1 opt-out and 5 in 100 the national one.
SHARES = (0.035, 0.05, 0.002, 0.0006, 0.004, 0.0)
STAFF_SAFETY_SHARE = 0.003
AGENCIES = ("gp", "social_care", "housing", "fire", "voluntary")
OUTCOMES = (
    "accepted", "completed", "declined_help", "refused", "referred_on", "no_access", "deferred", "in_hospital",
    "wrong_address",
)  # fmt: skip
OUTCOME_SHARES = (0.2, 0.3, 0.14, 0.06, 0.12, 0.1, 0.05, 0.02, 0.01)


def with_allow_list(tables: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The tables with the national opt-outs as the national service returns them: a row of whoever did not opt out."""
    told = tables["permissions"]
    opted_out = told.filter(kind="national").select("person_id")
    register = tables["gp_patients"].select("person_id").drop_nulls().unique().sort("person_id")
    allowed = register.join(opted_out, on="person_id", how="anti", maintain_order="left")
    checked_on = told.filter(kind="national")["checked_on"].max() or told["checked_on"].max()
    rows = allowed.select("person_id", kind=pl.lit("national_allowed"), checked_on=pl.lit(checked_on))
    both = pl.concat([told.filter(pl.col("kind") != "national"), rows], how="diagonal")
    return {**tables, "permissions": both.select(told.columns).sort("kind", "person_id", "household_id")}


def permissions(part: Part, *, rng: np.random.Generator) -> pl.DataFrame:
    """One row an opt-out, objection, restriction or marker, of a person or (staff safety) a home."""
    n = len(part.people)
    found = []
    for number, share in enumerate(SHARES):
        who = np.flatnonzero(part.is_known & (rng.random(n) < share))
        found.append((who, np.full(len(who), -1), np.full(len(who), number)))
    lives = np.flatnonzero(part.is_known & (part.until >= 0))
    home = np.unique(part.home_on(lives, np.zeros(len(lives), dtype=int)))
    # Who moves on the very day of the extract has a new home that no extract tells of yet.
    home = home[(rng.random(len(home)) < STAFF_SAFETY_SHARE) & part.is_used[home]]
    found.append((np.full(len(home), -1), home, np.full(len(home), KINDS.index("staff_safety"))))
    who, home, kind = (np.concatenate(column) for column in zip(*found))
    begin = np.where(rng.random(len(who)) < 0.75, -rng.integers(10, 2400, len(who)), NEVER)
    lapses = (begin < NEVER) & (kind >= 2) & (rng.random(len(who)) < 0.3)
    end = np.where(lapses, begin + rng.integers(200, 3000, len(who)), NEVER)
    frame = pl.DataFrame(
        {
            "person_id": sparse(part.ids(np.maximum(who, 0)), who >= 0),
            "household_id": sparse(part.homes(np.maximum(home, 0)), home >= 0),
            "kind": letters(KINDS, kind),
            "from_on": part.dates(begin),
            "to_on": part.dates(end),
            "checked_on": part.dates(-rng.integers(1, 8, len(who))),
        }
    )
    return frame.sort("kind", "person_id", "household_id")


def contacts(part: Part, *, rng: np.random.Generator) -> pl.DataFrame:
    """One row a contact; a third name the home instead of the person."""
    age = part.people.age(-365)
    rate = np.where(age >= 64, 0.05 + 0.004 * np.clip(age - 70, 0, 25), 0)
    who = np.repeat(np.arange(len(age)), rng.poisson(np.where(part.is_known, 2 * rate, 0)))
    day = -rng.integers(3, 730, len(who))
    told = day + rng.integers(0, 9, len(who))
    kept = part.is_recorded(who, day, told)
    who, day, told = who[kept], day[kept], told[kept]
    home = part.home_on(who, day)
    by_home = (rng.random(len(who)) < 0.33) & part.is_used[home]
    frame = pl.DataFrame(
        {
            "person_id": sparse(part.ids(who), ~by_home),
            "household_id": sparse(part.homes(home), by_home),
            "agency": letters(AGENCIES, rng.choice(5, len(who), p=(0.3, 0.22, 0.12, 0.2, 0.16))),
            "contacted_on": part.dates(day),
            "outcome": letters(OUTCOMES, rng.choice(len(OUTCOMES), len(who), p=OUTCOME_SHARES)),
            "recorded_on": part.dates(told),
        }
    )
    return frame.sort("contacted_on", "person_id", "household_id", "agency", "outcome")
