"""An attacker with a linear programme over all tables and pages of four quarters tells nothing hidden closely."""

from collections.abc import Mapping
from random import Random

import polars as pl
import pytest
from helpers.evidence import counted
from helpers.linear_attack import HIDDEN, Attacker, attack_pages, hear_table, too_close
from helpers.quarters import quarters

from ageingwell.commissioning.tallies import LINKS
from ageingwell.governance.crosses import crossed, hidden_counts
from ageingwell.governance.disclosure import in_words
from ageingwell.governance.linked import disclose_cross
from ageingwell.governance.pages import PUBLISHED

SEED = 11
TABLES = 24


def drawn_table(draw: Random) -> pl.DataFrame:
    """A table with cells of every size, small ones most: where rounding and totals meet."""
    if draw.random() < 0.5:
        # Every number is shown two above what it is and the total two below, which leaves what is hidden little room.
        rows = [[1, 1, *draw.sample((8, 13, 18, 23, 28, 33, 38), 5)]]
    else:
        n_columns = draw.randrange(2, 7)
        rows = [
            [draw.choice((0, 1, 2, 7, 8, 13, 18, 41)) for _ in range(n_columns)] for _ in range(draw.randrange(1, 4))
        ]
    cells = [(f"p{at}", f"n{column}", n) for at, row in enumerate(rows) for column, n in enumerate(row)]
    return pl.DataFrame(cells, schema={"place": pl.String, "need": pl.String, "n": pl.Int64}, orient="row")


def told(table: pl.DataFrame, groups: Mapping[str, str] | None) -> dict[tuple[str, str], str]:
    shown = disclose_cross(table, rows="place", columns="need", groups=groups)
    return {(place, need): words for place, need, words in shown.iter_rows()}


def closely(
    shown: Mapping[tuple[str, str], str], groups: Mapping[str, str] | None
) -> dict[object, tuple[float, float]]:
    attacker = Attacker()
    hear_table(attacker, shown, groups or {}, "table")
    return too_close(attacker.found())


def test_no_number_of_one_table_can_be_told_to_within_two():
    draw = Random(SEED)
    bad = []
    for _ in range(TABLES):
        table = drawn_table(draw)
        groups = draw.choice((None, {"n0": "x", "n1": "x", "n2": "y", "n3": "y"}))
        found = closely(told(table, groups), groups)
        bad += [(table.rows(), what, ends) for what, ends in found.items()]

    counted("P4.cells", TABLES, len(bad), seed=SEED)
    assert bad == []


def test_the_smallest_table_that_gave_a_count_away_does_so_no_more():
    """1, 1, 8, 13, 18, 23 and 28 are 92, shown as 90: the shown ones are 90 at least, so the hidden ones 2 at most."""
    cells = [("p0", f"n{at}", n) for at, n in enumerate((1, 1, 8, 13, 18, 23, 28))]
    table = pl.DataFrame(cells, schema={"place": pl.String, "need": pl.String, "n": pl.Int64}, orient="row")

    assert closely(told(table, None), None) == {}


def test_the_attacker_sees_a_planted_leak():
    """The test of the test: one hidden number beside others that are shown, under their total."""
    shown = {("p", "a"): "40", ("p", "b"): HIDDEN, ("p", "All"): "40", ("All", "a"): "40", ("All", "b"): HIDDEN}
    shown |= {("All", "All"): "40"}
    attacker = Attacker()
    hear_table(attacker, shown, {}, "table")
    assert attacker.found()["table", "p", "b"] == (0, 4)

    # Two more tables of the same people, in which it is shown otherwise, leave it no room.
    for number, (low, high) in enumerate(((36, 38), (39, 41))):
        attacker.learn([("table", "p", "a")], low, high) if number == 0 else attacker.learn(
            [("table", "p", "a"), ("table", "p", "b")], low, high
        )
    assert too_close(attacker.found(), within=3) != {}


def test_no_number_of_four_pages_can_be_told_to_within_two():
    pages = quarters(Random(SEED), n_people=260, n_pages=4)

    attacker = attack_pages(pages, LINKS)
    found = attacker.found()

    counted("P4.cells", len(found), len(too_close(found)), seed=SEED)
    assert len(found) > 20
    assert too_close(found) == {}


def test_the_attacker_sees_pages_that_were_each_hidden_alone():
    """The test of the test: the same table with what its own totals ask hidden, and nothing of a linear programme."""
    cells = [("p0", f"n{at}", n) for at, n in enumerate((1, 1, 8, 13, 18, 23, 28))]
    cross = crossed(pl.DataFrame(cells, schema=["place", "need", "n"], orient="row"))
    hidden = hidden_counts([cross.counts[key] for key in cross.keys], cross.sums())
    rows = [
        ("t", one, other, other, n if (one, other) in cross.cells else None, HIDDEN if is_hidden else in_words(n))
        for ((one, other), n), is_hidden in zip(cross.counts.items(), hidden, strict=True)
    ]
    page = pl.DataFrame(rows, schema=PUBLISHED, orient="row")

    assert too_close(attack_pages([page, page]).found()) != {}


@pytest.mark.parametrize("whole", [False, True])
def test_whole_counts_and_fractions_are_both_tried(whole):
    attacker = Attacker()
    attacker.learn(["a", "b"], 8, 12)
    attacker.learn(["b"], 8, 12)
    attacker.ask("a", ["a"])

    assert attacker.found(whole=whole) == {"a": (0, 4)}
