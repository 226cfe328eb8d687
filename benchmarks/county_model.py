"""How close the county's model comes to ten times the people, to the truth, and to a second county.

    python benchmarks/county_model.py --work /tmp/county_model

1. A county of 40,000 (seed 7) and one of 400,000 (seed 8) are trained on; both models are judged on the households that
   the large county holds out, in the latest year: area, distance to the true risks' own area, calibration, coverage of
   the range against the truth, and every rival that has to be beaten.
2. A second county (40,000, seed 9, rates shifted by 0.3 on the log): slope and height before and after recalibration.

Counties, parts and models are kept in `--work`, so that a run that was stopped goes on where it was. An hour on one
free core and 6 GiB; `--outcomes loss_of_independence` takes a third of that. Prints the tables of `county_model.md`.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from ageingwell.config.load import load_config
from ageingwell.evaluation.calibration import calibration
from ageingwell.evaluation.coverage import holds_truth
from ageingwell.evaluation.discrimination import auroc, auroc_difference
from ageingwell.evaluation.estimate import Estimate
from ageingwell.evaluation.wall import TO_BEAT
from ageingwell.features.build import names
from ageingwell.learning.exposure import left_alone
from ageingwell.learning.hindsight import look_back
from ageingwell.learning.rivals import simple_rivals
from ageingwell.learning.training import train_outcome
from ageingwell.model.fitted import FittedRisk
from ageingwell.model.place import move_to_place, moved
from ageingwell.model.saving import load_folder, save_folder
from ageingwell.synthetic.county import CountyPlan, synthesise

SMALL = CountyPlan(people=40_000, seed=7)
LARGE = CountyPlan(people=400_000, seed=8)
SECOND = CountyPlan(people=40_000, seed=9, rate_shift=0.3)
OUTCOMES = ("loss_of_independence", "emergency_admission", "new_long_term_care")


def parts_of(name: str, plan: CountyPlan, parts: tuple[str, ...], work: Path) -> dict[str, pl.DataFrame]:
    """The parts of a county's past, made once."""
    folder = work / name
    wanted = {part: folder / f"{part}.parquet" for part in parts}
    if not all(path.exists() for path in wanted.values()):
        if not (folder / "county").exists():
            synthesise(plan, folder / "county")
        for part, rows in look_back(folder / "county", config=load_config(), parts=parts).parts.items():
            rows.write_parquet(wanted[part])
    return {part: pl.read_parquet(path) for part, path in wanted.items()}


def model_of(name: str, outcome: str, parts: dict[str, pl.DataFrame], work: Path) -> FittedRisk:
    """The model that `ageingwell train` makes of a county's parts, made once."""
    folder = work / name / "models" / outcome
    if not (folder / "model.json").exists():
        save_folder(train_outcome(outcome, parts, load_config().train), folder)
    return load_folder(folder)[0]


def with_truth(rows: pl.DataFrame, outcome: str, county: Path) -> np.ndarray:
    """The true risk on the boundary next before the cut-off, (n,); NaN where none is told."""
    truth = pl.read_parquet(county / "truth" / "risk.parquet")
    day = truth.filter(pl.col("as_of") <= rows["cut_off"][0])["as_of"].max()
    true = truth.filter(pl.col("as_of") == day).select("person_id", true=f"risk_{outcome}")
    return rows.join(true, on="person_id", how="left", maintain_order="left")["true"].fill_null(np.nan).to_numpy()


def told(estimate: Estimate, digits: int = 4) -> str:
    return f"{estimate.value:.{digits}f} ({estimate.low:.{digits}f} to {estimate.high:.{digits}f})"


def line_of(model: FittedRisk, rows: pl.DataFrame, outcome: str) -> list[str]:
    """Slope, and the height at slope 1, on `rows`."""
    found = calibration(rows[outcome].to_numpy(), model.log_odds(model.score(rows)))
    at = {row["measure"]: row for row in found.iter_rows(named=True)}
    return [
        f"{at[name]['value']:.3f} ({at[name]['low']:.3f} to {at[name]['high']:.3f})"
        for name in ("slope", "intercept_at_slope_1")
    ]


def judged(outcome: str, small: FittedRisk, large: FittedRisk, rows: pl.DataFrame, county: Path) -> Iterator[str]:
    happened, true = rows[outcome].to_numpy(), with_truth(rows, outcome, county)
    known = ~np.isnan(true)
    scores = {"40,000 people": small.score(rows), "400,000 people": large.score(rows)}
    yield f"\n**{outcome}**: {happened.size:,} people held out, {happened.sum():,} events\n"
    yield "| trained on | AUROC | slope | height at slope 1 |\n|---|---|---|---|"
    for (name, score), model in zip(scores.items(), (small, large)):
        yield f"| {name} | {told(auroc(happened, score))} | {' | '.join(line_of(model, rows, outcome))} |"
    yield f"| the true risks themselves | {told(auroc(happened[known], true[known]))} | | |"
    yield f"\nTen times the people: AUROC {told(auroc_difference(happened, *reversed(scores.values())))} more.\n"
    for rival in TO_BEAT:
        gain = auroc_difference(happened, scores["40,000 people"], simple_rivals(rows)[rival])
        yield f"- 40,000 people against {rival}: {told(gain)} more"
    risk = small.risk(scores["40,000 people"])
    ends = [end[known] for end in small.risk_range(scores["40,000 people"])]
    held = {groups: holds_truth(true[known], risk[known], *ends, groups=groups).mean() for groups in (20, 100, 500)}
    yield "- the range holds the mean true risk in " + ", ".join(f"{x:.1%} of {n} groups" for n, x in held.items())


def second(outcome: str, model: FittedRisk, parts: dict[str, pl.DataFrame]) -> Iterator[str]:
    rest, held = (parts[part].drop_nulls(outcome) for part in ("rest", "test"))
    weight = left_alone(rest, outcome, horizon_days=365, features=names())
    codes = model.matrix(rest, gaps="fill")
    after = moved(model, move_to_place(model, codes, rest[outcome].to_numpy().astype(float), weight=weight))
    for when, which in {"before": model, "after": after}.items():
        yield f"| {outcome} | {held[outcome].sum():,} | {when} | {' | '.join(line_of(which, held, outcome))} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="where counties, parts and models are kept")
    parser.add_argument("--outcomes", nargs="+", default=OUTCOMES, choices=OUTCOMES)
    arguments = parser.parse_args()
    work, all_parts = arguments.work, ("fit", "calibrate", "test")
    small_parts, large_parts = (
        parts_of(name, plan, all_parts, work) for name, plan in {"small": SMALL, "large": LARGE}.items()
    )
    smalls = {outcome: model_of("small", outcome, small_parts, work) for outcome in arguments.outcomes}
    for outcome in arguments.outcomes:
        large = model_of("large", outcome, large_parts, work)
        rows = large_parts["test"].drop_nulls(outcome)
        print(*judged(outcome, smalls[outcome], large, rows, work / "large" / "county"), sep="\n", flush=True)
    parts = parts_of("second", SECOND, ("rest", "test"), work)
    print("\n| second county | events held out | recalibration | slope | height at slope 1 |\n|---|---|---|---|---|")
    for outcome, model in smalls.items():
        print(*second(outcome, model, parts), sep="\n", flush=True)


if __name__ == "__main__":
    main()
