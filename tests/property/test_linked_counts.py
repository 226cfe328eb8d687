"""No table of counts lets a hidden count be worked out: tried by brute force, and by exact algebra."""

from fractions import Fraction
from itertools import product

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ageingwell.governance.disclosure import HIDDEN, in_words
from ageingwell.governance.linked import TOTAL, disclose_cross, hidden_counts, share_words

MOST = 22  # counts drawn go up to this; a hidden count may be anything up to it, for all a reader knows
COUNTS = st.integers(0, MOST) | st.sampled_from([0, 1, 2, 7, 8])


def table(counts, groups=None):
    cells = [(f"p{r}", f"n{c}", n) for r, row in enumerate(counts) for c, n in enumerate(row)]
    frame = pl.DataFrame(cells, schema={"place": pl.String, "need": pl.String, "n": pl.Int64}, orient="row")
    shown = disclose_cross(frame, rows="place", columns="need", groups=groups)
    return {(place, need): words for place, need, words in shown.iter_rows()}


def possible(words, counts):
    """Which of these counts could stand behind what is shown."""
    if words == HIDDEN:
        return np.ones_like(counts, dtype=bool)
    shown = int(words.replace(",", ""))
    # Half goes up, so 8 to 12 are shown as 10; a nought is a nought.
    return counts == 0 if shown == 0 else (counts >= max(8, shown - 2)) & (counts <= shown + 2)


def brute_force(shown, n_rows, n_columns):
    """Every small table that is published like this one: an array, one row a table."""
    cells = [(f"p{r}", f"n{c}") for r, c in product(range(n_rows), range(n_columns))]
    every = np.arange(MOST + 1)
    choices = [every[possible(shown[cell], every)] for cell in cells]
    tables = np.stack([axis.ravel() for axis in np.meshgrid(*choices, indexing="ij")], axis=1)
    shaped = tables.reshape(-1, n_rows, n_columns)
    keep = possible(shown[TOTAL, TOTAL], shaped.sum(axis=(1, 2)))
    for r in range(n_rows):
        keep &= possible(shown[f"p{r}", TOTAL], shaped[:, r].sum(axis=1))
    for c in range(n_columns):
        keep &= possible(shown[TOTAL, f"n{c}"], shaped[:, :, c].sum(axis=1))
    return shaped[keep]


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(COUNTS, min_size=2, max_size=2), min_size=1, max_size=2))
def test_by_brute_force_every_hidden_count_could_be_several(counts):
    shown = table(counts)

    tables = brute_force(shown, len(counts), 2)

    for r, c in product(range(len(counts)), range(2)):
        if shown[f"p{r}", f"n{c}"] == HIDDEN:
            assert len(np.unique(tables[:, r, c])) > 1, (counts, shown)
    for r in range(len(counts)):
        if shown[f"p{r}", TOTAL] == HIDDEN:
            assert len(np.unique(tables[:, r].sum(axis=1))) > 1, (counts, shown)


def test_the_brute_force_would_see_a_count_given_away():
    """The test of the test: a hidden count beside a nought, under a total that is told as nought, is nought."""
    alone = dict.fromkeys(product(("p0", TOTAL), ("n0", "n1", TOTAL)), "0") | {("p0", "n0"): HIDDEN}
    assert np.unique(brute_force(alone, 1, 2)[:, 0, 0]).tolist() == [0]


def test_counts_whose_bounds_would_give_them_away_are_not_told_to_be_small():
    """1 and 6 above 6 and 0: were all told as "1 to 7", and the total as 15, nothing else could stand there."""
    shown = table([[1, 6], [6, 0]])

    assert "1 to 7" not in shown.values()
    assert len(np.unique(brute_force(shown, 2, 2)[:, 0, 0])) > 1


def worked_out(shown, lines):
    """The hidden entries that exact totals would fix, by elimination in fractions: no floats, another way than ours."""
    unknown = sorted({key for line in lines for key in line if shown[key] == HIDDEN})
    rows = [[Fraction(sign) if (sign := line.get(key, 0)) else Fraction(0) for key in unknown] for line in lines]
    pivots, done = [], 0
    for column in range(len(unknown)):
        found = next((r for r in range(done, len(rows)) if rows[r][column]), None)
        if found is None:
            continue
        rows[done], rows[found] = rows[found], rows[done]
        rows[done] = [value / rows[done][column] for value in rows[done]]
        for r in range(len(rows)):
            if r != done and rows[r][column]:
                rows[r] = [a - rows[r][column] * b for a, b in zip(rows[r], rows[done], strict=True)]
        pivots.append(column)
        done += 1
    return [unknown[at] for at, row in zip(pivots, rows, strict=False) if sum(value != 0 for value in row) == 1]


def lines_of(n_rows, columns, groups):
    """Every total as {entry: sign}: total less its parts."""
    places = [f"p{r}" for r in range(n_rows)]
    kinds = sorted(set(groups.values())) if groups else []
    lines = []
    for place in [*places, TOTAL]:
        for kind in kinds:
            lines.append({(place, kind): -1} | {(place, need): 1 for need in columns if groups[need] == kind})
        lines.append({(place, TOTAL): -1} | {(place, need): 1 for need in columns})
    lines += [{(TOTAL, head): -1} | {(place, head): 1 for place in places} for head in [*columns, *kinds, TOTAL]]
    return lines


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(COUNTS, min_size=4, max_size=4), min_size=n, max_size=n)))
def test_no_hidden_count_follows_from_the_totals_even_if_they_were_exact(counts):
    columns = [f"n{c}" for c in range(4)]
    groups = {"n0": "gp", "n1": "gp", "n2": "fire", "n3": "housing"}

    shown = table(counts, groups)

    assert worked_out(shown, lines_of(len(counts), columns, groups)) == []


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(COUNTS, min_size=3, max_size=3), min_size=1, max_size=4))
def test_small_counts_are_hidden_and_what_is_shown_is_rounded(counts):
    shown = table(counts)

    for (r, row), c in product(enumerate(counts), range(3)):
        words = shown[f"p{r}", f"n{c}"]
        assert words in {in_words(row[c]), HIDDEN}
        assert words == HIDDEN or not 1 <= row[c] <= 7
    assert shown[TOTAL, TOTAL] in {in_words(sum(map(sum, counts))), HIDDEN}


def test_the_algebra_would_see_a_count_given_away():
    """The test of the test: a single hidden cell follows from its row."""
    shown = {("p0", "n0"): HIDDEN, ("p0", "n1"): "20", ("p0", TOTAL): "25"}
    assert worked_out(shown, [{("p0", TOTAL): -1, ("p0", "n0"): 1, ("p0", "n1"): 1}]) == [("p0", "n0")]


def test_two_lines_that_give_a_count_away_only_together_are_seen():
    # 0+1 and 0+1+2 are told: 2 follows from their difference although each line hides two and three.
    hidden = hidden_counts([3, 4, 5, 40, 47, 52], [(4, (0, 1, 3)), (5, (0, 1, 2, 3))])

    # Hiding 40 helps nothing, for it stands in both; one of the totals has to go.
    assert hidden == [True, True, True, True, False, True]


@pytest.mark.parametrize(
    ("part", "whole", "words"),
    [("15", "60", "25 in 100"), ("1 to 7", "60", HIDDEN), ("5", HIDDEN, HIDDEN), ("0", "0", "nobody"),
     ("1,005", "2,000", "50 in 100"), ("65", "60", "100 in 100")],
)  # fmt: skip
def test_shares_come_from_what_is_shown_alone(part, whole, words):
    assert share_words(part, whole) == words


def test_a_large_county_is_counted_quickly_enough_to_be_counted():
    drawn = np.random.default_rng(4).poisson(6, size=(85, 12)).tolist()
    shown = table(drawn, {f"n{c}": f"g{c % 5}" for c in range(12)})

    assert len(shown) == 86 * 18
