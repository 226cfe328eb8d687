"""What an impact tells: a true effect is found, none is found where there is none, and few people say nothing."""

import numpy as np
import polars as pl
import pytest
from helpers.impacts import arm

from ageingwell.governance.impact_shown import hide_effects, show_chains
from ageingwell.learning.effects_told import effects_told
from ageingwell.report.impact_words import OUTCOME_NAMES, answer_words


@pytest.mark.parametrize("method", ["lot", "matched"])
@pytest.mark.parametrize("effect", [0.0, -0.6])
def test_the_effect_is_found_or_none_is(method, effect):
    true = 0.8 * (np.exp(effect) - 1)
    told = effects_told({method: arm(n=2_000, effect=effect, matched=method == "matched")}, days=365)
    row = told.effects.filter(by="all", outcome="emergency_admissions").row(0, named=True)

    assert row["why_not"] is None
    assert row["low"] <= true <= row["high"]
    assert (row["high"] < 0) == (effect < 0)
    assert told.checks.filter(by="all").height == 1
    assert set(told.effects["by"]) == {"all", "agency", "need"}


def test_few_people_and_few_events_say_nothing():
    few = effects_told({"lot": arm(n=30, effect=0)}, days=365).effects
    rare = effects_told({"lot": arm(n=400, effect=0)}, days=365).effects.filter(by="all", outcome="falls_admissions")

    assert few["value"].is_null().all()
    assert "fewer than 20 homes" in few["why_not"][0]
    assert rare["why_not"].to_list() == ["fewer than 20 people had it"]


def test_an_effect_of_few_people_leaves_no_figure_and_no_count():
    told = hide_effects(effects_told({"lot": arm(n=400, effect=0)}, days=365).effects)
    small = told.filter(by="all", outcome="falls_admissions")

    assert small.select("value", "low", "high").row(0) == (None,) * 3
    assert small["happened_visited"][0] in (0, None)
    assert not {"spread"} & set(told.columns)
    shown = told.drop_nulls("value").filter(outcome="emergency_admissions", by="all").row(0, named=True)
    step = 5 / min(shown["n_visited"], shown["n_others"])
    assert abs(shown["value"] / step - round(shown["value"] / step)) < 0.2


CHAIN = ("listed", "reached", "taken_up")


def shown(*rows: tuple[str, str, str, int]) -> dict[tuple[str, str, str], str]:
    counts = pl.DataFrame(rows, schema=["by", "name", "stage", "n"], orient="row")
    told = show_chains(counts, chain=CHAIN, beside=("said_no",), parts=("agency",))
    return {(by, name, stage): words for by, name, stage, words in told.iter_rows()}


@pytest.mark.parametrize(
    ("rows", "hidden"),
    [
        # 40 less 37 is 3 people: both cannot stand.
        ([("all", "all", "listed", 40), ("all", "all", "reached", 37)], 1),
        ([("all", "all", "listed", 40), ("all", "all", "reached", 20), ("all", "all", "taken_up", 3)], 1),
        # An agency's 4 would follow from everybody's and the other agency's.
        ([("all", "all", "listed", 44), ("agency", "gp", "listed", 40), ("agency", "fire", "listed", 4)], 2),
        # All but 2 people have a need.
        ([("all", "all", "listed", 40), ("need", "falls", "listed", 38)], 1),
        ([("all", "all", "listed", 40), ("all", "all", "said_no", 35)], 1),
        # 40 less 36 is 4 people who took nothing up, whether or not the stage between them is shown.
        ([("all", "all", "listed", 40), ("all", "all", "reached", 38), ("all", "all", "taken_up", 36)], 2),
        # Only fire's is hidden, with the smallest beside it: many people in no stage give nobody away.
        (
            [
                *(("all", "all", stage, n) for stage, n in zip(CHAIN, (119, 70, 30), strict=True)),
                *(("agency", "gp", stage, n) for stage, n in zip(CHAIN, (60, 40, 20), strict=True)),
                *(("agency", "housing", stage, n) for stage, n in zip(CHAIN, (55, 30, 10), strict=True)),
                ("agency", "fire", "listed", 4),
            ],
            2,
        ),
        ([("all", "all", "listed", 40), ("all", "all", "reached", 20), ("need", "falls", "listed", 20)], 0),
    ],
)
def test_no_count_of_few_follows_from_the_others(rows, hidden):
    told = shown(*rows)

    assert sum(words == "not shown" for words in told.values()) == hidden


def test_every_outcome_has_words_for_fewer_more_and_neither():
    for outcome in OUTCOME_NAMES:
        tags = [
            answer_words(outcome, {"value": (low + high) / 2, "low": low, "high": high}, days=365)[0]
            for low, high in ((-2.0, -1.0), (1.0, 2.0), (-1.0, 1.0))
        ]
        assert tags == ["Fewer", "More", "No clear difference"]
    wide = {"value": 0.1, "low": -1.0, "high": 1.2, "n_visited": 50, "n_others": 50}
    assert answer_words("deaths", wide, days=365, n_needed=1_000)[0] == "We cannot tell yet"
