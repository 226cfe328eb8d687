"""Let an attacker learn forbidden facts from long lists, and measure apart what being listed at all gives away.

    python -m benchmarks.reliability inference [--people 20000] [--seed 7]

What each cell adds to a recipient's own inputs counts for the goal. That somebody is on the list is no cell: it follows
from the work itself, and is printed for each recipient beside it.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ageingwell.config.outreach import Capacity, Thresholds
from ageingwell.outreach.needs import recorded_facts
from ageingwell.outreach.rules import need_rules
from ageingwell.views.reader import reader_of
from benchmarks.reliability.figures import write_figure

# The attacker is a helper of the tests.
_TESTS = Path(__file__).resolve().parents[2] / "tests"
sys.path[:0] = [str(_TESTS), str(_TESTS / "property")]
import test_views_inference as attack  # noqa: E402
from helpers.long_lists import long_night  # noqa: E402

GOAL = "P6.attackers"


def main(arguments: Sequence[str] | None = None) -> int:
    """Attack each recipient's list; 1 where a cell gives more than the goal allows."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reliability inference")
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args(arguments)
    places = dict.fromkeys(("gp", "social_care", "housing", "fire", "voluntary"), options.people // 10)
    night = long_night(options.people, capacity=Capacity(**places), seed=options.seed)
    n = bad = 0
    for recipient in attack.BLIND:
        seen = attack.seen_by(recipient, night)
        gains = attack.gains(recipient, night, seen)
        n, bad = n + len(gains), bad + sum(gain > attack.MOST_GAIN for gain in gains.values())
        listed = _by_listing(recipient, night)
        most, most_listed = max(gains, key=gains.__getitem__), max(listed, key=listed.__getitem__)
        print(
            f"{recipient}: {seen.height} rows, {len(gains)} facts; the cells add at most {gains[most]:+.3f} ({most}); "
            f"being listed adds at most {listed[most_listed]:+.3f} ({most_listed}), above {attack.MOST_GAIN} in "
            f"{sum(gain > attack.MOST_GAIN for gain in listed.values())} of {len(listed)}",
            flush=True,
        )
    command = f"python -m benchmarks.reliability inference --people {options.people} --seed {options.seed}"
    write_figure(GOAL, n, bad, seed=options.seed, command=command)
    return 1 if bad else 0


def _by_listing(recipient: str, night: Any) -> dict[str, float]:
    """How much better each forbidden fact of anybody is told by whether they are on this recipient's list."""
    config, frames, _ = night
    rules = need_rules(config.outreach.thresholds)
    reader = reader_of(recipient, ledger=config.ledger, thresholds=Thresholds())
    facts = recorded_facts(frames.people, rules=rules).select("person_id", "need", "position", "sentence")
    themes = {(rule.name, at): fact.themes() for rule in rules for at, fact in enumerate(rule.facts(), start=1)}
    own, hidden = defaultdict(set), defaultdict(set)
    for person, need, position, sentence in facts.iter_rows():
        if themes[need, position] <= reader.themes:
            own[person].add(sentence)
        else:
            hidden[f"{need} {position}"].add(person)
    from ageingwell.views.doors import rows_for

    people = frames.people["person_id"].to_list()
    mine = set(rows_for(recipient, rows=frames.listed)["person_id"])
    known = attack.one_hot([{"facts": sorted(own[person])} for person in people])
    on_list = np.array([[person in mine] for person in people], dtype=float)
    homes = frames.people.select(pl.coalesce("household_id", "person_id").rank("dense")).to_series().to_numpy()
    found = {}
    for flag, having in hidden.items():
        y = np.array([person in having for person in people])
        if attack.LEAST <= y.sum() <= len(y) - attack.LEAST:
            found[flag] = _auc(np.hstack([known, on_list]), y, homes) - _auc(known, y, homes)
    return found


def _auc(x: Any, y: Any, homes: Any) -> float:
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import GroupKFold, cross_val_predict

    if x.shape[1] == 0:
        return 0.5
    model = LogisticRegression(C=0.3, max_iter=200, solver="liblinear")
    told = cross_val_predict(model, x, y, groups=homes, cv=GroupKFold(3), method="predict_proba")[:, 1]
    return float(roc_auc_score(y, told))


if __name__ == "__main__":
    sys.exit(main())
