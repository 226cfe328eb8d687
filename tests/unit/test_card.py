"""The model card: every figure from the evaluation, every item of TRIPOD+AI answered or left to a person."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from ageingwell.bundle import find_bundle, load_bundle
from ageingwell.config.load import load_config
from ageingwell.evaluation.calibration import Line
from ageingwell.governance.card import model_card
from ageingwell.governance.disclosure import in_words
from ageingwell.governance.tripod import BY_A_PERSON, ITEMS, PERSON
from ageingwell.model.by_age import ByAge
from ageingwell.model.fitted import Sampled

ENDS = ("value", "low", "high")

# BMJ 2024;385:e078378: 27 items, of which these have parts.
PARTS = {3: "abc", 5: "ab", 6: "abc", 8: "abc", 9: "abc", 12: "abcdefg", 18: "abcdef", 20: "abc", 23: "ab", 27: "abc"}


@pytest.fixture(scope="module")
def bundle():
    return load_bundle("demo", codelists=load_config().codelists)


@pytest.fixture(scope="module")
def card(bundle):
    return model_card(bundle.facts, bundle.models, bundle.tables)


def numbers(told: Any) -> Iterator[float]:
    """Every number of nested facts."""
    if isinstance(told, dict):
        for inner in told.values():
            yield from numbers(inner)
    elif isinstance(told, list):
        for inner in told:
            yield from numbers(inner)
    elif isinstance(told, int | float) and not isinstance(told, bool):
        yield float(told)


def figures_of(bundle) -> set[str]:
    """Every number of facts and tables as a card may write it: with two or three decimals, in 100, or as a count."""
    found = set(numbers(dict(bundle.facts["evaluation"])))
    found |= set(numbers(dict(bundle.facts["training"])))
    for tables in bundle.tables.values():
        for table in tables.values():
            for name in table.columns:
                if table[name].dtype.is_numeric():
                    found |= {float(value) for value in table[name].drop_nulls()}
    told = {f"{x:.{places}f}" for x in found for places in (2, 3)} | {f"{100 * x:.1f}" for x in found}
    return told | {in_words(int(x)) for x in found if x.is_integer() and x >= 0}


def test_every_figure_of_the_card_is_found_in_facts_or_tables(bundle, card):
    results = card.split("## What was found")[1].split("## Limits")[0] + card.split("## What it is for")[0]
    told = re.findall(r"-?\d[\d,]*\.\d+|\d+,\d{3}", results.split("byte for byte")[0] + results.split("```")[-1])

    assert len(told) > 250
    assert sorted(set(told) - figures_of(bundle) - {reason_figure(bundle)}) == []


def reason_figure(bundle) -> str:
    """The verdict's own figure, which is its sentence's."""
    return re.findall(r"\d\.\d{4}", bundle.facts["verdict"]["reason"])[0]


def test_shares_in_100_are_those_of_the_tables(bundle, card):
    row = bundle.tables["loss_of_independence"]["wall"].filter(name="model", measure="ppv").row(0, named=True)
    told = f"{100 * row['value']:.0f} in 100 ({100 * row['low']:.0f} to {100 * row['high']:.0f})"

    section = card.split("### Loss of independence")[1]
    assert next(line for line in section.splitlines() if line.startswith("| model |")).split(" | ")[3] == told


def test_the_counts_of_training_stand_in_the_card(bundle, card):
    for part, n in bundle.facts["training"]["n_people"].items():
        assert f"| {part} | {', '.join(bundle.facts['training']['cut_offs'][part])} | {in_words(n)} |" in card


def test_events_of_every_part_are_told_where_training_kept_them(bundle):
    events = {part: dict.fromkeys(bundle.models, 1_203) for part in ("fit", "calibrate", "test")}
    facts = {**bundle.facts, "training": {**bundle.facts["training"], "n_events": events}}

    assert model_card(facts, bundle.models, bundle.tables).count("| 1,205 | 1,205 | 1,205 |") == 3


def test_what_training_noted_of_outreach_range_and_sample_size_is_told_where_it_did(bundle):
    training = {
        **bundle.facts["training"],
        "outreach": {bundle.ranking_outcome: {"fit": {"rows": 35_370, "exposed": 120}}},
        "settings": {
            **bundle.facts["training"]["settings"],
            "minimum_events": 200,
            "parameters_per_feature": 1.5,
            "least_shrinkage": 0.8,
        },
    }
    held = {"method": "the interval of like people", "level": 0.95, "coverage": 0.93, "n_groups": 4_000}
    first = {**bundle.facts["evaluation"][bundle.ranking_outcome], "range": held}
    evaluation = {**bundle.facts["evaluation"], bundle.ranking_outcome: first}

    told = model_card({**bundle.facts, "training": training, "evaluation": evaluation}, bundle.models, bundle.tables)

    assert "Of 35,370 rows to fit loss of independence on, 120 were of people an agency reached" in told
    assert "fewer than 200 events to fit on, or than Riley's criteria ask for with 1.5 parameters a feature" in told
    assert "is the interval of like people. On households" in told
    assert "held the share observed in 93 in 100 of 4,000 groups of people, of 95 promised." in told


def test_a_bundle_recalibrated_for_a_place_tells_how_far_it_moved(bundle):
    bands = {"75 to 84": [0.82, 0.7, 0.94], "85 and over": []}
    held = {
        "before": {"observed_over_expected": [1.21, 1.05, 1.4], "slope_by_age_band": bands},
        "after": {"slope_by_age_band": {**bands, "75 to 84": [0.98, 0.86, 1.1]}},
    }
    move = {"n": 1_205, "n_events": None, "height": 0.1812, "slope": 0.97, "held_out": held}
    told = {"parent_sha256": "0123456789abcdef", "cut_off": "2025-08-24", "outcomes": {bundle.ranking_outcome: move}}

    card = model_card({**bundle.facts, "recalibration": told}, bundle.models, bundle.tables)

    row = "| loss of independence | 1,205 | 1 to 7 | +0.181 | 0.970 | 1.21 (1.05 to 1.40) | not known |"
    assert row in card
    assert "| loss of independence | 75 to 84 | 0.82 (0.70 to 0.94) | 0.98 (0.86 to 1.10) |" in card
    assert "| loss of independence | 85 and over | not shown | not shown |" in card
    assert "the year after 2025-08-24" in card
    assert "not updated" not in card


def test_a_card_tells_in_which_groups_the_slope_is_off_and_whether_that_is_sure(bundle):
    tables = bundle.tables[bundle.ranking_outcome]
    told = {"female": (0.81, 0.75, 0.87), "male": (1.13, 0.98, 1.28)}
    is_slope = pl.col("measure") == "calibration slope"
    right = [pl.when(is_slope).then(1.0).otherwise(pl.col(end)).alias(end) for end in ENDS]
    groups = tables["groups"].with_columns(right)
    for group, ends in told.items():
        here = is_slope & (pl.col("group") == group)
        groups = groups.with_columns(
            pl.when(here).then(value).otherwise(pl.col(end)).alias(end) for end, value in zip(ENDS, ends)
        )

    card = model_card(bundle.facts, bundle.models, {bundle.ranking_outcome: {**tables, "groups": groups}})

    assert "more than a tenth from 1, beyond chance, for sex female (0.81)." in card
    assert "so far from 1, and perhaps by chance alone, for sex male (1.13)." in card


def test_a_card_says_how_calibration_differs_by_age(bundle):
    first, model = next(iter(bundle.models.items()))
    aged = replace(model, by_age=ByAge("age", 0.3, -0.05, -2.0, -4.0, 0.0), line=Line(0.0, 0.8))

    card = model_card(bundle.facts, {first: aged}, bundle.tables)

    # A height of 0.3 on the score is 0.24 on the log-odds of a line with slope 0.8; -1.6 of them is 17 in 100.
    assert "log-odds move (loss of independence: +0.24 at 17 in 100, slope -0.050), between 65 and 95" in card


def test_a_model_fitted_on_a_sample_says_of_how_many_rows(bundle, card):
    first, model = next(iter(bundle.models.items()))
    sampled = replace(model, sampled=Sampled(900_000, 200_000, 45_001, 45_001))

    told = model_card(bundle.facts, {**bundle.models, first: sampled}, bundle.tables)

    assert f"({first}: 200,000 of 900,000 rows, with the outcome 45,000 of 45,000)" in told
    assert "no balancing of classes" in card
    assert "no balancing of classes" not in told


def test_no_item_is_missing():
    expected = [f"{item}{part}" for item in range(1, 28) for part in PARTS.get(item, ("",))]

    assert [item.number for item in ITEMS] == expected
    assert len({item.main for item in ITEMS}) == 27


def test_every_item_stands_in_the_card_and_is_answered_by_a_section_of_it(card):
    headings = set(re.findall(r"^## (.+)$", card, flags=re.MULTILINE))

    assert [item.number for item in ITEMS if f"| {item.number} | {item.asks} | " not in card] == []
    assert {section for item in ITEMS for section in item.answered} <= headings


def test_what_only_a_person_can_say_waits_in_a_list_of_its_own(card):
    theirs = {item.number for item in ITEMS if PERSON in item.answered}
    section = card.split(f"## {PERSON}")[1].split("\n## ")[0]

    assert {number for numbers in BY_A_PERSON.values() for number in numbers} == theirs
    assert section.count(": ____") == len(BY_A_PERSON)


def test_no_count_of_1_to_7_people_stands_in_the_card(bundle):
    facts = {**bundle.facts, "evaluation": {**bundle.facts["evaluation"]}}
    facts["evaluation"]["death"] = {**facts["evaluation"]["loss_of_independence"], "n_events": 3}
    events = {part: {**counts, "death": 3} for part, counts in bundle.facts["training"]["n_events"].items()}
    facts["training"] = {**bundle.facts["training"], "n_events": events}
    models = {"death": bundle.ranking_model}

    assert "people 1 to 7 had the event" in model_card(facts, models, {})


def test_a_model_that_may_not_rank_says_so_at_the_top(bundle):
    facts = {**bundle.facts, "verdict": {"usable": False, "reason": "not better than age alone beyond chance"}}

    told = model_card(facts, bundle.models, bundle.tables).split("## What it is for")[0]
    assert "**Not usable**: not better than age alone beyond chance." in told


def test_a_trap_that_was_seen_in_training_stands_first_among_the_limits(bundle):
    trap = "ward is recorded for 100% of the rows with the outcome and 4% of the others. What to do: leave it out"
    training = {**bundle.facts["training"], "traps": {"loss_of_independence": [trap], "emergency_admission": []}}

    told = model_card({**bundle.facts, "training": training}, bundle.models, bundle.tables)

    assert f"**Look at this first.** Loss of independence: {trap}" in told
    assert told.count("Look at this first") == 1


def test_only_made_up_training_is_called_made_up(bundle):
    assert "made-up" not in model_card({**bundle.facts, "made_up": False}, bundle.models, bundle.tables)


def test_the_shipped_card_is_what_its_bundle_says(card):
    assert (find_bundle("demo") / "card.md").read_text(encoding="utf-8") == card, "train the demonstration bundle again"
