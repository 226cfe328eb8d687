"""The whole command on made-up counties: nights with a lot, visits that do something or nothing, later records.

`python -m benchmarks.impact_county` writes the section of impact.md below its line. Each county is made once, its
nights are scored on what was known then, some of those listed take up a visit, and what comes after follows from a true
effect.
"""

import argparse
import shutil
import tempfile
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from helpers.counties import settings_file

from ageingwell.config.load import Config, load_config
from ageingwell.jobs.impacting import impact
from ageingwell.learning.impact_of import HARM_DAYS
from ageingwell.night.score import score
from ageingwell.synthetic.county import CountyPlan, synthesise
from ageingwell.synthetic.visited import Visits, sent_on, visited
from benchmarks.impact import THROUGH_THE_COMMAND

PAGE = Path(__file__).with_name("impact.md")
FIRST, WEEKS_APART, LAST = date(2025, 6, 1), 4, date(2026, 11, 22)
AGENCIES = ("gp", "social_care", "housing", "fire", "voluntary")


@dataclass(frozen=True)
class Plan:
    """How many counties of how many people, nights, and what a visit does to the rate of emergency admissions."""

    people: int
    nights: int
    places: int
    effect: float
    take_up: float = 0.8


def offered_in(out: Path) -> pl.DataFrame:
    """Everybody listed on any night: person_id, offered_on."""
    folders = sorted({folder.name[:10] for folder in out.glob("20*-*-*")})
    rows = [
        pl.read_parquet(sorted(out.glob(f"{day}*"))[-1] / "list.parquet", columns=["person_id"]).with_columns(
            offered_on=pl.lit(date.fromisoformat(day))
        )
        for day in folders
    ]
    return pl.concat(rows)


def nights_of(county: Path, place: Path, plan: Plan, config: Config) -> Path:
    """Score every night on what was known then."""
    for number in range(plan.nights):
        night = FIRST + timedelta(weeks=WEEKS_APART * number)
        extract = sent_on(county, night, place / f"sent-{night}")
        score(extract, as_of=night, out=place / "out", config=config, accept_change=True)
        shutil.rmtree(extract)
    return place / "out"


def true_effect(before: Path, after: Path, lots: pl.DataFrame, *, days: int = 365) -> float:
    """What the visits changed in the year from the draw, a person picked less a person not picked, in both records."""
    first = lots.sort("drawn_on").unique("person_id", keep="first", maintain_order=True)
    means = []
    for county in (before, after):
        stays = pl.read_parquet(county / "hospital_events.parquet").filter(kind="emergency_admission")
        stays = stays.unique(["person_id", "started_on"])
        inside = first.join(stays, on="person_id").filter(
            (pl.col("started_on") >= pl.col("drawn_on"))
            & (pl.col("started_on") < pl.col("drawn_on") + pl.duration(days=days))
        )
        sides = [
            inside.filter(pl.col("is_won") == side).height / first.filter(pl.col("is_won") == side).height
            for side in (True, False)
        ]
        means.append(sides)
    (won_before, lost_before), (won_after, lost_after) = means
    return (won_after - won_before) - (lost_after - lost_before)


def one(seed: int, plan: Plan, place: Path) -> list[dict[str, object]]:
    """One county: what `impact` tells where visits do nothing, and where they do something."""
    synthesise(CountyPlan(people=plan.people, seed=seed, as_of=LAST), place / "county")
    places = {f"capacity.{agency}": plan.places for agency in AGENCIES}
    floors = {"floors.unknown_to_every_service": 0.0, "floors.most_deprived_fifth": 0.0}
    lot = {"random_share": 0.5, "lot_left_out_days": HARM_DAYS}
    config = load_config(settings_file(place / "settings", outreach={**places, **floors, **lot}))
    out = nights_of(place / "county", place, plan, config)
    newest = sorted(out.glob("20*-*-*"))[-1]
    lots, told = pl.read_parquet(newest / "lot.parquet"), []
    for effect in (0.0, plan.effect):
        after = place / f"after-{effect}"
        visited(place / "county", offered_in(out), after, visits=Visits(plan.take_up, effect, seed))
        run = impact(after, nights=out, out=place / f"impact-{effect}", config=config)
        true = true_effect(place / "county", after, lots)
        rows = run.tables["effects"].filter(by="all", days=365, outcome="emergency_admissions")
        for row in rows.to_dicts():
            told.append({"seed": seed, "effect": effect, "true": true, **row})
        print(seed, effect, round(true, 3), rows.select("method", "value", "low", "high", "why_not").rows(), flush=True)
        shutil.rmtree(after)
    return told


def section(rows: list[dict[str, object]], plan: Plan, words: str) -> str:
    """The section of the page."""
    lines = [
        THROUGH_THE_COMMAND,
        f"Counties of {plan.people:,} people aged 65 and over, {plan.nights} nights four weeks apart, half of",
        "the places by lot,",
        f"{plan.places} a week for each agency; {plan.take_up:.0%} of offers are taken up. Emergency admissions in a",
        "year, a person offered a visit, as `ageingwell impact` tells them on its annex (rounded to five people, the",
        f"interval outwards). `{words}` writes this section.",
        "",
        "| Seed | Rate of those visited, log | True | By lot | Matched |",
        "|---|---|---|---|---|",
    ]
    for seed, effect in sorted({(row["seed"], row["effect"]) for row in rows}, key=str):
        ours = {row["method"]: row for row in rows if (row["seed"], row["effect"]) == (seed, effect)}
        true = next(iter(ours.values()))["true"]
        lines.append(f"| {seed} | {effect} | {true:+.3f} | {_told(ours.get('lot'))} | {_told(ours.get('matched'))} |")
    of_lot = [row for row in rows if row["method"] == "lot" and row["value"] is not None]
    held = [row["low"] <= row["true"] <= row["high"] for row in of_lot]  # type: ignore[operator]
    bias = np.mean([row["value"] - row["true"] for row in of_lot]) if of_lot else float("nan")  # type: ignore[operator]
    lines += [
        "",
        f"By lot, {sum(held)} of {len(held)} intervals hold the truth; the figures are {bias:+.3f} from it on average.",
    ]
    return "\n".join(lines) + "\n"


def _told(row: dict[str, object] | None) -> str:
    if row is None:
        return ""
    if row["value"] is None or row["why_not"]:
        return f"not told: {row['why_not']}"
    people = f"{row['n_visited']} and {row['n_others']} people"
    return f"{row['value']:+.2f} ({row['low']:+.2f} to {row['high']:+.2f}), {people}"


def main() -> None:
    """Write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counties", type=int, default=3)
    parser.add_argument("--people", type=int, default=4_000)
    parser.add_argument("--nights", type=int, default=3)
    parser.add_argument("--places", type=int, default=100)
    parser.add_argument("--effect", type=float, default=-0.7)
    given = parser.parse_args()
    plan = Plan(given.people, given.nights, given.places, given.effect)
    rows = []
    for seed in range(21, 21 + given.counties):
        with tempfile.TemporaryDirectory() as place:
            rows += one(seed, plan, Path(place))
    options = {name: getattr(given, name) for name in ("counties", "people", "nights", "places", "effect")}
    words = "python -m benchmarks.impact_county " + " ".join(f"--{name} {value}" for name, value in options.items())
    before = PAGE.read_text(encoding="utf-8").split(THROUGH_THE_COMMAND)[0].rstrip()
    PAGE.write_text(before + "\n\n" + section(rows, plan, words), encoding="utf-8")


if __name__ == "__main__":
    main()
