"""The two kernels, and the ways round them, give the same bytes; which one is taken is a matter of time alone."""

import builtins
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.boosters import people, train

from ageingwell.lookup import CurveMargin, Knots, compile_booster, kernels
from ageingwell.lookup.direct import Direct
from ageingwell.lookup.forest import read_forest

pytestmark = pytest.mark.slow

TESTS = Path(__file__).parents[1]
X, Y = people(900)
# Curves of one, few, many and very many knots; a category whose curve stands on its codes; a curve that adds nothing.
CURVES = (
    Knots(np.array([0.0]), np.array([-0.25]), 0.0),
    Knots(np.arange(-1.0, 12.0), np.cos(np.arange(13.0)), -0.0),
    Knots(np.linspace(-2.0, 2.0, 5), np.array([0.4, 0.0, -0.2, 0.1, 0.3]), 0.7),
    Knots(np.linspace(-3.0, 3.0, 400), np.sin(np.arange(400.0)), -0.3),
    None,
    Knots(np.array([0.0, 2.0]), np.array([-0.0, -0.0]), 0.0),
)
LEVELS = (None, np.append(np.arange(12.0), -1.0), None, None, None, None)
MARGIN = CurveMargin(0.25, CURVES, LEVELS)
ODD = [np.nan, np.inf, -np.inf, 0.0, -0.0, 5e-324, -1e-36, 1e-35, 2e-35, -0.5, 1e300, -1e300, 3e9, -1.0, 7.9, 99.0]


def rows(draw: np.random.Generator, n: int) -> np.ndarray:
    """Rows with gaps, levels that were never seen, and values no person has."""
    x = np.concatenate([X[draw.integers(0, len(X), n)], np.array([[value] * 6 for value in ODD])])
    x[draw.random(x.shape) < 0.1] = np.nan
    odd = draw.random(x.shape) < 0.05
    x[odd] = draw.choice(ODD, int(odd.sum()))
    x[:, 1] = draw.integers(-1, 14, len(x))  # the codes of levels, some of none
    return x


def boosters():
    seen = X.copy()
    seen[:, 1] = np.minimum(seen[:, 1], 11.0)
    yield "numbers", train(X, Y, trees=40)
    yield "categories", train(seen, Y, trees=30, categories=[1])
    # More edges on a feature than are compared one by one, and than fit 8 bits.
    yield "many edges", train(X, Y, trees=100, num_leaves=31, max_depth=4, min_data_in_leaf=2, max_bin=800)
    yield "zero as missing", train(X, Y, trees=20, zero_as_missing=True)
    yield "no split", train(X, Y, trees=2, min_data_in_leaf=5_000)


@pytest.fixture(scope="module", params=list(boosters()), ids=lambda found: found[0])
def booster(request):
    return request.param[1]


def test_numpy_numba_and_leaf_by_leaf_give_the_same_bytes(booster):
    numba = kernels.compiled_kernel()
    assert numba is not None, "the tests' environment has the extra `fast`"
    tables = compile_booster(booster, line=(-0.4, 0.8), margin=MARGIN)
    direct = Direct(read_forest(booster, line=(-0.4, 0.8), margin=MARGIN))
    x = rows(np.random.default_rng(4), 300)

    answers = [
        tables.explain(x, threads=1, kernel=kernels.PLAIN),
        tables.explain(x, threads=2, kernel=numba),
        tables.explain(x, threads=2, kernel=kernels.PLAIN, rows_in_a_tile=37),
        direct.explain(x),
    ]

    for answer in answers:
        assert answer.base == answers[0].base
        assert answer.contributions.tobytes() == answers[0].contributions.tobytes()
        assert answer.log_odds.tobytes() == answers[0].log_odds.tobytes()


def test_a_row_adds_up_exactly_in_whatever_order(booster):
    found = compile_booster(booster, line=(-0.4, 0.8), margin=MARGIN).explain(X, threads=1)

    backwards = found.contributions[:, ::-1].sum(axis=1) + found.base

    assert backwards.tobytes() == found.log_odds.tobytes()


@pytest.fixture
def fresh(monkeypatch):
    """A process that has explained nothing yet."""
    monkeypatch.setattr(
        kernels, "_Chosen", type("Fresh", (), {"done": 0, "kernel": kernels.PLAIN, "is_settled": False})
    )


def test_numba_is_taken_once_there_is_enough_to_do(fresh, monkeypatch):
    monkeypatch.setattr(kernels, "WORK_THAT_PAYS", 100)

    taken = [kernels.kernel_for(work).__name__.rsplit(".")[-1] for work in (60, 39, 1, 0)]

    assert taken == ["plain", "plain", "kernel", "kernel"]
    assert kernels.is_compiled()


def test_without_numba_plain_numpy_does_all_of_it(fresh, monkeypatch):
    monkeypatch.setattr(kernels, "compiled_kernel", lambda: None)

    assert kernels.kernel_for(10 * kernels.WORK_THAT_PAYS) is kernels.PLAIN
    assert not kernels.is_compiled()


def test_a_numba_that_does_not_work_is_told_of(monkeypatch):
    imported = builtins.__import__

    def broken(name, *others, **more):
        if name == "ageingwell.lookup" and others[2] and "kernel" in others[2]:
            raise ImportError("Numba needs NumPy 2.4 or less")
        return imported(name, *others, **more)

    monkeypatch.setattr(builtins, "__import__", broken)

    with pytest.warns(RuntimeWarning, match=r"cannot be imported \(Numba needs NumPy 2.4 or less\)"):
        assert kernels.compiled_kernel() is None


WITHOUT_NUMBA = """
import sys
from pathlib import Path
sys.modules["numba"] = None  # as where it is not installed: importing it is an error
import numpy as np
from helpers.boosters import people, train
from ageingwell.lookup import compile_booster, kernels
x, y = people(200)
kernels.WORK_THAT_PAYS = 1
print(compile_booster(train(x, y, trees=3)).explain(x, threads=1).log_odds.shape, kernels.is_compiled())
"""


def test_nothing_of_it_needs_numba():
    said = subprocess.run([sys.executable, "-c", WITHOUT_NUMBA], capture_output=True, text=True, check=True, cwd=TESTS)

    assert said.stdout.split("\n")[0] == "(200,) False"
    assert said.stderr == ""
