"""The optimisation where its relaxed form is not whole, which overlapping floors bring about now and then."""

import itertools

import numpy as np

from ageingwell.outreach.solve import Problem, best_choice

# Found by a random search over small problems: the relaxed optimum takes halves of offers.
BROKEN = Problem(
    door=np.array([0, 1, 1, 2, 2, 3, 4, 5, 5]),
    uses=np.array([2, 1, 2, 0, 2, 0, 1, 1, 2]) == np.arange(3)[:, None],
    worth=np.array([4, 3, 7, 8, 5, 4, 5, 3, 4]),
    urgent=np.zeros(9, dtype=np.int64),
    places=np.array([0, 1, 1]),
    in_group=np.array(
        [
            [0, 0, 0, 1, 1, 1, 0, 1, 1],
            [1, 1, 1, 0, 0, 0, 1, 0, 0],
            [1, 0, 0, 1, 1, 1, 1, 0, 0],
        ],
        dtype=bool,
    ),
    floor=np.array([2, 1, 1]),
)


def reached(problem: Problem, chosen: np.ndarray) -> int:
    kept = np.minimum((problem.in_group & chosen).sum(axis=1), problem.floor).sum()
    return int(problem.worth[chosen].sum() + problem.credit() * kept)


def is_allowed(problem: Problem, chosen: np.ndarray) -> bool:
    once = np.bincount(problem.door[chosen], minlength=1).max() <= 1
    used = problem.uses[:, chosen].sum(axis=1)
    return bool(once and (used <= problem.places).all())


def test_a_problem_whose_relaxed_answer_is_broken_is_still_solved_to_the_optimum():
    choices = (np.array(bits, dtype=bool) for bits in itertools.product([0, 1], repeat=len(BROKEN.worth)))
    best = max(reached(BROKEN, chosen) for chosen in choices if is_allowed(BROKEN, chosen))

    chosen = best_choice(BROKEN)

    assert is_allowed(BROKEN, chosen)
    assert reached(BROKEN, chosen) == best
