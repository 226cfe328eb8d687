"""Whether risks are right within age bands, before and after recalibration: writes age_bands.md.

    python -m benchmarks.age_bands --work /tmp/age_bands

Models of a county of 40,000 people (seed 7) are taken to second counties, all of whose rates are shifted by 0.3 on the
log: three of 40,000 people and one of 200,000. Each is recalibrated on the households of a second county that are not
held out, and measured on those that are, in the latest year. *Line* is one calibration line for people of every age,
in training and in recalibration, as bundles of format 5 and before have it; *by age* is calibration with a term by age.

A slope within an age band is told twice: from what was recorded of the people held out, and from their true risks,
which only the maker of a made-up county knows. The second is far surer, for it has no luck of the draw in it.

Counties, parts and models are kept in `--work`, so that a run that was stopped goes on where it was.
"""

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ageingwell.config.load import load_config
from ageingwell.evaluation.brier import brier
from ageingwell.evaluation.calibration import Line, calibration
from ageingwell.evaluation.discrimination import AGE_BANDS, auroc, auroc_difference
from ageingwell.evaluation.groups import SMALL_BELOW
from ageingwell.evaluation.ici import calibration_index
from ageingwell.features.build import names
from ageingwell.learning.exposure import left_alone
from ageingwell.learning.measuring import groupings
from ageingwell.learning.training import train_outcome
from ageingwell.model.fitted import FittedRisk
from ageingwell.model.place import move_of_place, move_to_place, moved
from ageingwell.model.saving import load_folder, save_folder
from ageingwell.synthetic.county import CountyPlan
from benchmarks.county_model import OUTCOMES, SMALL, parts_of, with_truth

PAGE = Path(__file__).with_suffix(".md")
Floats = NDArray[np.float64]
SECOND = {seed: CountyPlan(people=40_000, seed=seed, rate_shift=0.3) for seed in (9, 10, 11)}
LARGE = {8: CountyPlan(people=200_000, seed=8, rate_shift=0.3)}
KINDS = ("line", "by age")
WORDS = {"sex": "sex", "deprivation_fifth": "deprivation", "ethnic_group": "ethnic group", "rurality": "rurality"}
# Of fewer events a slope is known to 0.3 either way or worse.
ENOUGH = 100


@dataclass(frozen=True)
class Told:
    """The people of second counties who were held out, and the log-odds they are told, by kind and time; all (n,)."""

    happened: NDArray[np.int8]
    true: Floats
    labels: Mapping[str, NDArray[np.str_]]
    odds: Mapping[tuple[str, str], Floats]


def model_of(outcome: str, kind: str, work: Path) -> FittedRisk:
    """The model that is trained on the first county, made once."""
    folder = work / "small" / kind.replace(" ", "_") / outcome
    if not (folder / "model.json").exists():
        parts = parts_of("small", SMALL, ("fit", "calibrate", "test"), work)
        save_folder(train_outcome(outcome, parts, load_config().train, by_age=kind == "by age"), folder)
    return load_folder(folder)[0]


def told(outcome: str, models: Mapping[str, FittedRisk], seed: int, plan: CountyPlan, work: Path) -> Told:
    """What the people held out in a second county are told before and after recalibration."""
    name = f"second{seed}"
    parts = parts_of(name, plan, ("rest", "test"), work)
    rest, held = (parts[part].drop_nulls(outcome) for part in ("rest", "test"))
    weight, y = left_alone(rest, outcome, horizon_days=365, features=names()), rest[outcome].to_numpy().astype(float)
    odds = {}
    for kind, model in models.items():
        if kind == "line":
            move = move_of_place(y, model.log_odds(model.score(rest, gaps="fill")), weight=weight)
        else:
            move = move_to_place(model, model.matrix(rest, gaps="fill"), y, weight=weight)
        for when, which in {"before": model, "after": moved(model, move)}.items():
            odds[kind, when] = which.log_odds(which.score(held, gaps="fill"))
    labels = {group: found.fill_null("not known").to_numpy() for group, found in groupings(held, names()).items()}
    return Told(held[outcome].to_numpy(), with_truth(held, outcome, work / name / "county"), labels, odds)


def together(several: list[Told]) -> Told:
    """The people of several counties as one."""
    first = several[0]
    return Told(
        np.concatenate([one.happened for one in several]),
        np.concatenate([one.true for one in several]),
        {name: np.concatenate([one.labels[name] for one in several]) for name in first.labels},
        {key: np.concatenate([one.odds[key] for one in several]) for key in first.odds},
    )


def line_of_truth(true: Floats, odds: Floats) -> tuple[Line, float]:
    """The calibration line of true risks, all (n,), and the standard error of its slope that people's unlikeness makes.

    The line that outcomes drawn from the true risks again and again come to in the mean.
    """
    design, beta = np.column_stack([np.ones(len(odds)), odds]), np.array([0.0, 1.0])
    for _ in range(50):
        risk = expit(design @ beta)
        bread = np.linalg.inv((design * (risk * (1 - risk))[:, None]).T @ design)
        step = bread @ design.T @ (true - risk)
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            break
    meat = (design * ((true - risk) ** 2)[:, None]).T @ design
    return Line(*beta.tolist()), float(np.sqrt((bread @ meat @ bread)[1, 1]))


def recorded(people: Told, odds: Floats, inside: NDArray[np.bool_]) -> str:
    """The slope from what was recorded, with its interval, and a mark where events are few."""
    n_events = int(people.happened[inside].sum())
    if min(n_events, int(inside.sum()) - n_events) < SMALL_BELOW:
        return f"too few ({n_events} events)" if n_events == 0 else "too few"
    found = calibration(people.happened[inside], odds[inside]).row(0, named=True)
    few = " (few)" if n_events < ENOUGH else ""
    return f"{found['value']:.2f} ({found['low']:.2f} to {found['high']:.2f}){few}"


def by_truth(people: Told, odds: Floats, inside: NDArray[np.bool_]) -> str:
    """The slope from true risks, with its interval, bold where it lies outside 0.9 to 1.1."""
    known = inside & ~np.isnan(people.true)
    line, error = line_of_truth(people.true[known], odds[known])
    told = f"{line.slope:.2f} ({line.slope - 1.96 * error:.2f} to {line.slope + 1.96 * error:.2f})"
    return told if 0.9 <= line.slope <= 1.1 else f"**{told}**"


def bands(counties: Mapping[str, Told]) -> Iterator[str]:
    heads = " | ".join(f"{band}: recorded | {band}: true" for band in AGE_BANDS)
    yield f"| second county | calibration | recalibrated | {heads} |\n|{'---|' * (3 + 2 * len(AGE_BANDS))}"
    for name, people in counties.items():
        events = {band: int(people.happened[people.labels["age_band"] == band].sum()) for band in AGE_BANDS}
        of_bands = " | ".join(f"{n:,} events | " for n in events.values())
        yield f"| {name} | | | {of_bands} |"
        for (kind, when), odds in people.odds.items():
            cells = [
                told
                for band in AGE_BANDS
                for told in (
                    recorded(people, odds, people.labels["age_band"] == band),
                    by_truth(people, odds, people.labels["age_band"] == band),
                )
            ]
            yield f"| | {kind} | {when} | {' | '.join(cells)} |"


def pooled(counties: Mapping[str, Told]) -> Iterator[str]:
    heads = "AUROC | Brier, times 1,000 | calibration index, times 1,000 | slope | observed over expected"
    yield f"| second county | calibration | recalibrated | {heads} |\n|{'---|' * 8}"
    for name, people in counties.items():
        for (kind, when), odds in people.odds.items():
            y, risk = people.happened, expit(odds)
            area, score = auroc(y, odds), brier(y, risk, groups=10, draws=2).row(0, named=True)
            index = calibration_index(y, risk, draws=2).row(0, named=True)
            lines = {row["measure"]: row for row in calibration(y, odds).iter_rows(named=True)}
            cells = [f"{area.value:.4f}", f"{1000 * score['value']:.2f}", f"{1000 * index['value']:.2f}"]
            cells += [f"{lines[what]['value']:.3f}" for what in ("slope", "observed_over_expected")]
            yield f"| {name} | {kind} | {when} | {' | '.join(cells)} |"
        more = auroc_difference(people.happened, people.odds["by age", "after"], people.odds["line", "after"])
        squares = (expit(people.odds["by age", "after"]) - people.happened) ** 2
        squares -= (expit(people.odds["line", "after"]) - people.happened) ** 2
        mean, error = squares.mean(), squares.std() / np.sqrt(len(squares))
        ends = [1000 * (mean + z * error) for z in (0, -1.96, 1.96)]
        yield (
            f"| {name} | by age, more than line | after | {more.value:+.4f} ({more.low:+.4f} to {more.high:+.4f}) | "
            f"{ends[0]:+.3f} ({ends[1]:+.3f} to {ends[2]:+.3f}) | | | |"
        )


def others(people: Told) -> Iterator[str]:
    """Slopes in every other grouping, after recalibration by age."""
    odds = people.odds["by age", "after"]
    yield "| group | people | events | recorded | true |\n|---|---|---|---|---|"
    for grouping, words in WORDS.items():
        for group in np.unique(people.labels[grouping]):
            inside = people.labels[grouping] == group
            n_events = int(people.happened[inside].sum())
            cells = (
                f"{inside.sum():,}",
                f"{n_events:,}",
                recorded(people, odds, inside),
                by_truth(people, odds, inside),
            )
            yield f"| {words}: {group} | {' | '.join(cells)} |"
    practices = [people.labels["practice"] == name for name in np.unique(people.labels["practice"])]
    known = [inside & ~np.isnan(people.true) for inside in practices]
    slopes = np.array([line_of_truth(people.true[inside], odds[inside])[0].slope for inside in known])
    inside_aim = (slopes >= 0.9) & (slopes <= 1.1)
    yield (
        f"\nOf {len(slopes)} practices {inside_aim.sum()} have a slope against true risks of 0.9 to 1.1; the least is "
        f"{slopes.min():.2f} and the greatest {slopes.max():.2f}."
    )


def lines(work: Path, outcomes: tuple[str, ...]) -> Iterator[str]:
    yield HEAD
    for outcome in outcomes:
        models = {kind: model_of(outcome, kind, work) for kind in KINDS}
        small = {f"seed {seed}": told(outcome, models, seed, plan, work) for seed, plan in SECOND.items()}
        large = {f"seed {seed}": told(outcome, models, seed, plan, work) for seed, plan in LARGE.items()}
        three = together(list(small.values()))
        yield f"\n## {outcome}\n"
        yield from bands({**small, "these three": three, **{f"{name}, 200,000": one for name, one in large.items()}})
        yield "\nAll ages together:\n"
        yield from pooled({"three counties": three, **{f"{name}, 200,000": one for name, one in large.items()}})
        yield "\nOther groups of the county of 200,000, recalibrated by age:\n"
        yield from others(next(iter(large.values())))


HEAD = """# Calibration within age bands

Made-up counties only: they show the software, and nothing of anybody. One command writes this page:
`python -m benchmarks.age_bands --work FOLDER`.

A model of 40,000 people (seed 7) in second counties, all of whose rates are shifted by 0.3 on the log. Recalibrated on
households that are not held out, measured on those that are, in the latest year. *Line*: one calibration line for
people of every age, as in bundles of format 5 and before. *By age*: with a term by age, in training and recalibration.
Slopes with 95% intervals, *recorded* from what happened and *true* from the risks that only the county's maker knows.
A true slope outside 0.9 to 1.1, before rounding, is bold. *Few*: under 100 events, which tell a slope to 0.3 either way
or worse; *too few*: under 8, of which nothing is told. With 200 events a recorded slope is known to about 0.2 either
way, so that nobody can see on them whether it lies between 0.9 and 1.1: read the true ones, and the larger county."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="where counties, parts and models are kept")
    parser.add_argument("--outcomes", nargs="+", default=OUTCOMES, choices=OUTCOMES)
    arguments = parser.parse_args()
    page = "\n".join(lines(arguments.work, tuple(arguments.outcomes))) + "\n"
    print(page)
    if tuple(arguments.outcomes) == OUTCOMES:
        PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
