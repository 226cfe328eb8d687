"""What comparisons of visited and unvisited people come to: `python -m benchmarks.impact` writes impact.md.

People whose admissions of three years come of one rate each. Their risk sees the second year, so those at the top come
down by themselves in the third: regression to the mean. Some worlds add a true effect, a partial take-up, or visitors
who know more than the records. Each line says how far the figure lies from the truth and how often its 95% interval
holds it, or how often nothing was told and why.
"""

import argparse
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ageingwell.errors import NoComparisonError
from ageingwell.evaluation.effect import effect_by_lot, effect_of_visits

PAGE = Path(__file__).with_suffix(".md")
THROUGH_THE_COMMAND = "## Through the whole command\n"
Array = NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """Who is visited, and what a visit does to somebody's rate of admissions (log)."""

    name: str
    n: int
    # `most` and `all` of the top tenth, `lot` among the top fifth, or those whom visitors `know` to be worse than told.
    how: str
    effect: float = 0.0
    knows: float = 0.0
    takes_up: float = 1.0


WORLDS = (
    World("lot among the top fifth, no effect", 3_000, "lot"),
    World("lot, a true effect, 6 in 10 take it up", 3_000, "lot", effect=-0.4, takes_up=0.6),
    World("8 in 10 of the top tenth visited, no effect", 3_000, "most"),
    World("8 in 10 of the top tenth visited, no effect", 10_000, "most"),
    World("8 in 10 of the top tenth visited, a true effect", 10_000, "most", effect=-0.2),
    World("all of the top tenth visited, no effect", 3_000, "all"),
    World("visitors know a little more than the records, no effect", 10_000, "most", knows=1.0),
    World("visitors know much more than the records, no effect", 10_000, "most", knows=3.0),
)


@dataclass(frozen=True)
class People:
    """One draw of a world; `true` is what the visits changed, a person visited (by lot: a person drawn)."""

    risk: Array
    prior: Array
    year_before: Array
    after: Array
    visited: NDArray[np.bool_]
    true: float


def draw(world: World, generator: np.random.Generator) -> People:
    """Draw people, who is visited, and what happened."""
    age = generator.uniform(65, 95, world.n)
    by_age = 0.25 * np.exp(0.03 * (age - 78))
    rate = generator.gamma(0.6, 1 / 0.6, world.n) * by_age
    prior, year_before = generator.poisson(rate), generator.poisson(rate)
    mean = (0.6 + prior) / (0.6 / by_age + 1)
    risk = np.clip(1 - np.exp(-mean * np.exp(generator.normal(0, 0.15, world.n))), 0.005, 0.95)
    share = 0.2 if world.how == "lot" else 0.1
    top = risk >= np.quantile(risk, 1 - share)
    chance = {"lot": 0.5, "most": 0.8, "all": 1.0}[world.how]
    known = expit(world.knows * (np.log(rate + 0.05) - np.log(mean + 0.05))) * 2 * chance if world.knows else chance
    visited = top & (generator.random(world.n) < known)
    takes_up = visited & (generator.random(world.n) < world.takes_up)
    after = generator.poisson(rate * np.exp(world.effect * takes_up))
    true = float((rate * (np.exp(world.effect) - 1) * world.takes_up)[visited].mean())
    if world.how == "lot":
        inside = top
        return People(risk[inside], prior[inside], year_before[inside], after[inside], visited[inside], true)
    return People(risk, prior, year_before, after, visited, true)


def told(world: World, people: People) -> tuple[tuple[float, float, float] | None, str]:
    """The figure with its interval, or why there is none."""
    if world.how == "lot":
        found = effect_by_lot(people.after, people.visited, traits={"admissions before": people.prior})
        return (found.value, found.low, found.high), ""
    try:
        effect = effect_of_visits(
            people.after,
            people.visited,
            risk=people.risk,
            prior=people.prior,
            unchanged={"admissions of the year before": people.year_before},
        )
    except NoComparisonError:
        return None, "nobody is alike"
    reasons = {"nobody unvisited": "too few people alike", "amount to": "too few controls", "not alike": "not alike"}
    if effect.why_not is not None:
        why = next((short for words, short in reasons.items() if words in effect.why_not), "the check gives it away")
        return None, why
    return (effect.estimate.value, effect.estimate.low, effect.estimate.high), ""


def page(repeats: int) -> str:
    """The whole page."""
    lines = [
        "# What comparisons of visited people come to",
        "",
        "Made-up people whose admissions of three years come of one rate each, so that those at the top come down by",
        "themselves. Bias and width are in admissions a person and year; *holds* is the share of 95% intervals with",
        f"the truth inside. `python -m benchmarks.impact --repeats {repeats}` writes this page.",
        "",
        "| World | People | Told | Bias | Holds | Mean width | Not told, and why |",
        "|---|---|---|---|---|---|---|",
    ]
    for world in WORLDS:
        generator = np.random.default_rng(zlib.crc32(f"{world.name} {world.n}".encode()))
        errors, held, widths, reasons = [], [], [], Counter[str]()
        for _ in range(repeats):
            people = draw(world, generator)
            figure, why = told(world, people)
            if figure is None:
                reasons[why] += 1
                continue
            errors.append(figure[0] - people.true)
            held.append(figure[1] <= people.true <= figure[2])
            widths.append(figure[2] - figure[1])
        figures = ["", "", ""]
        if errors:
            figures = [f"{np.mean(errors):+.3f}", f"{np.mean(held):.1%}", f"{np.mean(widths):.2f}"]
        why_not = "; ".join(f"{reason} {n / repeats:.0%}" for reason, n in reasons.most_common())
        cells = (world.name, f"{world.n:,}", f"{len(errors) / repeats:.0%}", *figures, why_not)
        lines.append(f"| {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    return "\n".join([*lines, "", *as_the_command_asks(repeats)]) + "\n"


def as_the_command_asks(repeats: int) -> list[str]:
    """The section on rates, homes and nights: couples share a rate, 6 in 100 move away, and people count by home."""
    lines = [
        "## As `ageingwell impact` compares",
        "",
        "Couples share part of their rate; 6 in 100 move away, so figures are rates over the time known. By lot, 600",
        "people whose homes are drawn, 6 in 10 take it up; matched, 3,000 people of three nights, within each night.",
        "",
        "| How | Effect on the rate, log | Told | Bias | Holds |",
        "|---|---|---|---|---|",
    ]
    for how, effects, times in (("by lot", (0.0, -0.5), repeats), ("matched", (0.0, -0.3), max(1, repeats // 2))):
        for effect in effects:
            generator = np.random.default_rng(zlib.crc32(f"{how} {effect}".encode()))
            compare = _lot_of_homes if how == "by lot" else _matched_by_night
            found = [one for _ in range(times) if (one := compare(effect, generator)) is not None]
            errors = [value - true for value, _, _, true in found]
            held = [low <= true <= high for _, low, high, true in found]
            told = f"{len(found) / times:.0%} | {np.mean(errors):+.3f} | {np.mean(held):.1%}"
            lines.append(f"| {how} | {effect} | {told} |")
            print(lines[-1], flush=True)
    return lines


def _couples(n: int, generator: np.random.Generator) -> tuple[Array, Array, Array, Array, Array]:
    """Homes, rates, admissions of the year before and of the year before that, and the time each can be followed."""
    home = np.arange(n) // 2
    rate = np.repeat(generator.gamma(0.6, 1 / 0.6, n // 2), 2) * generator.gamma(3, 1 / 3, n) * 0.5
    followed = np.where(generator.random(n) < 0.06, generator.uniform(0.05, 0.95, n), 1.0)
    return home, rate, generator.poisson(rate), generator.poisson(rate), followed


def _lot_of_homes(effect: float, generator: np.random.Generator) -> tuple[float, float, float, float]:
    home, rate, prior, _, followed = _couples(600, generator)
    drawn = np.repeat(generator.random(300) < 0.5, 2)
    takes_up = drawn & (generator.random(600) < 0.6)
    after = generator.poisson(rate * np.exp(effect * takes_up) * followed)
    found = effect_by_lot(after, drawn, traits={"prior": prior}, households=home, followed=followed)
    return found.value, found.low, found.high, 0.5 * 0.6 * (np.exp(effect) - 1)


def _matched_by_night(effect: float, generator: np.random.Generator) -> tuple[float, float, float, float] | None:
    home, rate, prior, before, followed = _couples(3_000, generator)
    night = np.repeat(generator.integers(0, 3, 1_500), 2)
    mean = (0.6 + prior) / (0.6 / 0.5 + 1)
    risk = np.clip(1 - np.exp(-mean * np.exp(generator.normal(0, 0.15, rate.size))), 0.005, 0.95)
    visited = (risk >= np.quantile(risk, 0.85)) & (generator.random(rate.size) < 0.6)
    after = generator.poisson(rate * np.exp(effect * visited) * followed)
    found = effect_of_visits(
        after, visited, risk=risk, prior=prior, unchanged={"before": before}, within=night, households=home,
        followed=followed,
    )  # fmt: skip
    if found.why_not is not None:
        return None
    true = float((rate * (np.exp(effect) - 1))[visited].mean())
    return found.estimate.value, found.estimate.low, found.estimate.high, true


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=1_000)
    # The section of `benchmarks.impact_county` stays.
    _, line, rest = PAGE.read_text(encoding="utf-8").partition(THROUGH_THE_COMMAND)
    told = page(parser.parse_args().repeats)
    PAGE.write_text(f"{told}\n{line}{rest}" if line else told, encoding="utf-8")


if __name__ == "__main__":
    main()
