"""An attacker on everything a recipient's list shows: what the recipient may not read must not follow from it.

A made-up county with many places is scored, so that every list is long. Two attackers are tried on each recipient's
own cells. The first looks for anything that does not follow from what the recipient may read itself: rows of which it
may read the same facts have to look the same. The second learns each forbidden fact from the cells, and from the facts
the recipient may read, with the same folds: the cells may not add to it.
"""

from collections import defaultdict

import numpy as np
import polars as pl
import pytest
from helpers.evidence import counted
from helpers.long_lists import long_night
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict

from ageingwell.config.outreach import Capacity, Thresholds
from ageingwell.outreach.rules import need_rules
from ageingwell.pseudonyms import Key, row_key
from ageingwell.views.reader import reader_of
from ageingwell.views.recipient import view_for

PEOPLE = 7_000
MANY = Capacity(gp=1000, social_care=1000, housing=1000, fire=1000, voluntary=1000)
BLIND = ("social_care", "housing", "fire", "voluntary")
# Cells that say nothing of needs: keys, where they live, and what the group and the person themselves said.
OWN = ("row_key", "household_key", "position", "place", "communication_need", "person_told", "new_since_last", "status")
# Rows with and without a fact, for an attacker to learn from. Of fewer an AUC moves by more than the limit by chance.
LEAST = 30
MOST_GAIN = 0.02  # the goal; the first test is exact, and needs no such room
FOR_A_LEAK = 8  # a leak is seen with fewer rows
SEEN_LEAK = 0.10  # what a planted leak gives at the least
SEED = 7


@pytest.fixture(scope="module")
def night():
    return long_night(PEOPLE, capacity=MANY, seed=SEED)


def seen_by(recipient, night, **changed):
    """A recipient's cells, with the person and the home of each row."""
    config, frames, as_of = night
    key = Key.made_up(0)
    given = {"rows": frames.listed, "needs": frames.needs, "reasons": frames.reasons, "people": frames.people}
    view = view_for(
        recipient,
        **(given | changed),
        recorded=frames.recorded,
        ledger=config.ledger,
        as_of=as_of,
        key=key,
        settings=config.outreach,
        interventions=config.interventions,
    )
    keys = row_key(pl.col("person_id"), recipient=recipient, as_of=as_of, key=key)
    who = frames.listed.select("person_id", "action", "known_to", door=pl.coalesce("household_id", "person_id"))
    return view.frame.join(who.with_columns(row_key=keys), on="row_key", how="left", suffix="_of_list")


def facts_by_person(night):
    """Every fact on record of each listed person: {person: {(rule, number of the fact)}}; and its themes."""
    _, frames, _ = night
    rules = {rule.name: rule for rule in need_rules(Thresholds())}
    themes = {
        (name, number): fact.themes() for name, rule in rules.items() for number, fact in enumerate(rule.facts(), 1)
    }
    found = defaultdict(set)
    for person, need, position in frames.recorded.select("person_id", "need", "position").iter_rows():
        found[person].add((need, position))
    return found, themes


def own_knowledge(recipient, seen, night):
    """What a recipient may read of each row: facts of the home's people, services, and notes to the visitor."""
    config, frames, _ = night
    reader = reader_of(recipient, ledger=config.ledger, thresholds=Thresholds())
    _, themes = facts_by_person(night)
    at_home = defaultdict(list)
    for person, door in frames.listed.select("person_id", pl.coalesce("household_id", "person_id")).iter_rows():
        at_home[door].append(person)
    urgent = set(
        frames.needs.filter(urgency="urgent", lead_agency=recipient).join(
            frames.listed.select("person_id", door=pl.coalesce("household_id", "person_id")), on="person_id"
        )["door"]
    )
    notes = (config.outreach.staff_safety_note, config.outreach.care_home_check_note)
    readable = {fact for fact, of in themes.items() if of <= reader.themes}
    told = frames.recorded.select("person_id", "need", "position", "sentence")
    said = defaultdict(set)
    for person, need, position, sentence in told.iter_rows():
        if (need, position) in readable:
            said[person].add(sentence)
    return [
        (
            frozenset(said[row["person_id"]]),
            frozenset(frozenset(said[person]) for person in at_home[row["door"]]),
            row["door"] in urgent,
            row["part"],
            tuple(row["known_to"]),
            tuple(note in row["action_of_list"] for note in notes),
            row["place"],
            row["status"],
        )
        for row in seen.to_dicts()
    ]


@pytest.mark.slow
@pytest.mark.parametrize("recipient", BLIND)
def test_rows_of_which_a_recipient_may_read_the_same_look_the_same(recipient, night):
    seen = seen_by(recipient, night)
    cells = [
        name for name in seen.columns if name not in (*OWN, "person_id", "door", "action_of_list", "known_to_of_list")
    ]

    looks = defaultdict(set)
    for known, row in zip(own_knowledge(recipient, seen, night), seen.select(cells).rows(), strict=True):
        looks[known].add(str(row))

    assert seen.height >= 40
    assert [known for known, rows in looks.items() if len(rows) > 1] == []


def forbidden_flags(recipient, night):
    """Of each listed person: facts that the recipient may not read, by need and number; and why they are listed."""
    config, frames, _ = night
    reader = reader_of(recipient, ledger=config.ledger, thresholds=Thresholds())
    found, themes = facts_by_person(night)
    hidden = sorted(fact for fact, of in themes.items() if not of <= reader.themes)
    flags = {
        f"{need} {number}": {person for person in found if (need, number) in found[person]} for need, number in hidden
    }
    for need in frames.needs["need"].unique().sort():
        if not reader.tells(need):
            flags[f"need {need}"] = set(frames.needs.filter(need=need)["person_id"].drop_nulls())
    flags["listed by the estimate alone"] = set(frames.listed.filter(why="model")["person_id"])
    return flags


def one_hot(rows):
    """Each cell, and each text of a list of texts, as a column of its own."""
    tokens = [
        {(name, text) for name, cell in row.items() for text in (cell if isinstance(cell, list) else [cell])}
        for row in rows
    ]
    every = sorted({token for row in tokens for token in row}, key=str)
    return np.array([[token in row for token in every] for row in tokens], dtype=float).reshape(len(rows), len(every))


def auc_of(x, y, homes):
    """What an attacker reaches who takes the best of three strengths: with columns that say one thing twice the best
    strength is another, and that alone is no gain."""
    if x.shape[1] == 0:
        return 0.5
    reached = []
    for strength in (0.03, 0.3, 3.0):
        model = LogisticRegression(C=strength, max_iter=300, solver="liblinear")
        told = cross_val_predict(model, x, y, groups=homes, cv=GroupKFold(5), method="predict_proba")[:, 1]
        reached.append(float(roc_auc_score(y, told)))
    return max(reached)


def gains(recipient, night, seen, flags=None, least=LEAST):
    """How much better each forbidden flag is told with the cells than from what the recipient may read anyhow."""
    cells = [
        name for name in seen.columns if name not in (*OWN, "person_id", "door", "action_of_list", "known_to_of_list")
    ]
    own = one_hot(
        [
            {"facts": sorted(known[0]), "home": sorted(map(str, map(sorted, known[1]))), "urgent": str(known[2]),
             "part": known[3], "known": sorted(known[4]), "notes": [f"{at}{note}" for at, note in enumerate(known[5])],
             "all": str(sorted(known[0])), "all at home": str(sorted(map(str, map(sorted, known[1]))))}
            for known in own_knowledge(recipient, seen, night)
        ]
    )  # fmt: skip
    shown = one_hot(seen.select(cells).to_dicts())
    homes = seen["door"].rank("dense").to_numpy()
    found = {}
    for flag, people in (flags or forbidden_flags(recipient, night)).items():
        y = seen["person_id"].is_in(sorted(people)).to_numpy()
        if least <= y.sum() <= len(y) - least:
            found[flag] = auc_of(np.hstack([own, shown]), y, homes) - auc_of(own, y, homes)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("recipient", BLIND)
def test_no_forbidden_fact_is_told_better_from_the_cells_than_from_what_may_be_read(recipient, night):
    found = gains(recipient, night, seen_by(recipient, night))

    bad = {flag: round(gain, 3) for flag, gain in found.items() if gain > MOST_GAIN}
    counted("P6.attackers", len(found), len(bad), seed=SEED, note=f"{recipient}: at most {max(found.values()):+.3f}")
    assert found, "no forbidden fact is common enough to be attacked"
    assert bad == {}


@pytest.mark.slow
@pytest.mark.parametrize("recipient", BLIND)
def test_the_attacker_sees_a_planted_leak(recipient, night):
    """The test of the test: with one more word on the rows of those who have a forbidden fact, it finds the fact."""
    seen = seen_by(recipient, night)
    found = {}
    flags = forbidden_flags(recipient, night).items()
    facts = {flag: people for flag, people in flags if flag[-1].isdigit() and _is_common(seen, people)}
    for flag, people in list(facts.items())[:3]:
        word = pl.when(pl.col("person_id").is_in(sorted(people))).then(pl.lit("May welcome a call"))
        leaky = seen.with_columns(leak=word.otherwise(pl.lit("None")))
        found |= gains(recipient, night, leaky, flags={flag: people}, least=FOR_A_LEAK)

    counted("P6.planted_leak", len(found), sum(gain <= 0 for gain in found.values()), seed=SEED)
    assert max(found.values()) > SEEN_LEAK


def _is_common(seen, people):
    n = int(seen["person_id"].is_in(sorted(people)).sum())
    return FOR_A_LEAK <= n <= seen.height - FOR_A_LEAK


@pytest.mark.slow
def test_the_attacker_sees_the_next_step_that_stood_on_exactly_the_bereaved(night):
    """The test of the test: the leak that was there. Each need had its own step in the view of the voluntary sector."""
    _, frames, _ = night
    own = (
        frames.needs.filter(lead_agency="voluntary")
        .sort("person_id", "need")
        .group_by("person_id", maintain_order=True)
    )
    steps = own.agg(step=pl.col("action"))

    leaky = seen_by("voluntary", night).join(steps, on="person_id", how="left", maintain_order="left")
    found = gains("voluntary", night, leaky.with_columns(pl.col("step").fill_null(["none for you to lead"])))

    assert found["need bereaved_and_alone"] > SEEN_LEAK
