"""People on two sides of a comparison, and the pages of an impact drawn from them."""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ageingwell.disk import DISK
from ageingwell.learning.delivery import counted
from ageingwell.learning.effects_told import effects_told
from ageingwell.learning.impact_of import NEEDED, ImpactFound
from ageingwell.learning.impact_tables import shown_tables
from ageingwell.learning.shares import shares_served
from ageingwell.report.html import impact_annex_html, impact_html
from ageingwell.report.impact import impact_page


def arm(*, n: int, effect: float, seed: int = 1, matched: bool = False) -> pl.DataFrame:
    """People on two sides whose yearly admissions come of one rate each; being offered a visit changes it."""
    generator = np.random.default_rng(seed)
    rate = generator.gamma(0.8, 1.0, n)
    side = generator.random(n) < 0.5
    admissions = generator.poisson(np.where(side, rate * np.exp(effect), rate))
    prior, before = generator.poisson(rate), generator.poisson(rate)
    risk = np.clip(1 - np.exp(-(0.4 + 0.5 * prior)), 0.01, 0.9)
    return pl.DataFrame(
        {
            "person_id": [f"p{k}" for k in range(n)],
            "home": [f"h{k}" for k in range(n)],
            "index_on": [date(2025, 6, 1 + k % 2) for k in range(n)],
            "is_visited": side,
            "risk": risk,
            "lead_agency": np.where(np.arange(n) % 9 == 0, "fire", "gp"),
            "needs": [["cold_home"] if k % 3 == 0 else [] for k in range(n)],
            "chance": [None if matched else 0.5] * n,
            "followed": np.where(np.arange(n) % 20 == 0, 0.5, 1.0),
            "emergency_admissions": admissions.astype(float),
            "falls_admissions": (generator.random(n) < 0.002).astype(float),
            "emergency_bed_days": 4.0 * admissions,
            "new_long_term_care": (generator.random(n) < 0.1).astype(float),
            "deaths": (generator.random(n) < 0.1).astype(float),
            "days_at_home": 365 - 4.0 * admissions,
            "prior_admissions": prior.astype(float),
            "admissions_the_year_before": before.astype(float),
            "age": generator.uniform(70, 90, n),
            "is_female": (generator.random(n) < 0.6).astype(float),
            "deprivation_decile": np.full(n, 5.0),
        },
        schema_overrides={"chance": pl.Float64, "needs": pl.List(pl.String)},
    )


def found(n: int = 900) -> ImpactFound:
    """Exact tables of an impact in which every table has rows."""
    people = arm(n=n, effect=-0.5)
    generator = np.random.default_rng(2)
    marks = {
        name: generator.random(n) < share for name, share in (("reached", 0.7), ("taken_up", 0.4), ("said_no", 0.1))
    }
    listed = people.select("person_id", "lead_agency", "needs").with_columns(
        listed=pl.lit(value=True),
        agreed=pl.lit(value=True),
        completed=pl.Series(marks["taken_up"]),
        **{name: pl.Series(mark) for name, mark in marks.items()},
    )
    groups = people.select(
        "person_id",
        age_band=pl.lit("75 to 84"),
        sex=pl.when(pl.col("is_female") == 1).then(pl.lit("female")).otherwise(pl.lit("male")),
        deprivation_fifth=pl.lit("fifth 3"),
        ethnic_group=pl.lit(None, dtype=pl.String),
        place=pl.lit("Totnes"),
        rurality=pl.lit("rural"),
    )
    offered = people.select("person_id", "needs", is_listed="is_visited")
    plans = [("matters", "see_people", "planned", 40), ("matters", "see_people", "reviewed", 20)]
    plans += [("step", "need:cold_home", "planned", 40), ("step", "service:s1", "planned", 20)]
    return ImpactFound(
        effects=effects_told({"lot": people, "matched": arm(n=n, effect=0, matched=True)}, days=365),
        harm=effects_told({"lot": people.with_columns(lead_agency=pl.lit(None, pl.String))}, days=91),
        needed=pl.DataFrame([("emergency_admissions", 0.1, 1_812, 60, 300, 500)], schema=NEEDED, orient="row"),
        delivered=counted(listed),
        plans=pl.DataFrame(plans, schema=["by", "name", "stage", "n"], orient="row"),
        shares=shares_served(offered, groups),
        agencies=pl.DataFrame({"agency": ["fire", "gp"], "agreed": [40, 30], "overdue": [25, 0]}),
        refused_often=pl.Series([f"p{k}" for k in range(12)]),
        n_settled={},
        n_sides={},
        first_settled=date(2026, 9, 1),
    )


FACTS: dict[str, Any] = {
    "made_up": True,
    "recorded_up_to": "2026-11-22",
    "days": 365,
    "settling_days": 90,
    "nights": 12,
    "nights_of_names": 3,
    "nights_unread": ["2025-07-06"],
    "first_night": "2025-06-01",
    "last_night": "2025-08-24",
    "has_lot": True,
    "capacity": {"fire": 20, "gp": 15},
    "seed": 1,
    "config_sha256": "0" * 64,
    "untold": {},
    "left_out": {"listed": "1 to 7", "drawn": "0"},
    "first_settled": "2026-09-01",
    "services": {"s1": "Lunch club (Age Well)"},
    "refused_three_times": "10",
    "refused_three_times_listed": "some",
}


def drawn(folder: Path) -> list[Path]:
    """Draw both pages into a folder."""
    page = impact_page(shown_tables(found()), FACTS)
    for name, content in (("impact.html", impact_html(page)), ("impact-annex.html", impact_annex_html(page))):
        DISK.write(folder / name, content)
    return [folder / "impact.html", folder / "impact-annex.html"]
