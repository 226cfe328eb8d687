"""The optimisation behind the list: which agencies knock at which door, arrays in and arrays out.

Choose x[o] in {0, 1} for each offer o, a door and the agencies that would come there together, so as to, first,

    maximise    sum over offers of urgent[o] · x[o],

and of all choices that do so

    maximise    sum over offers of worth[o] · x[o]  +  CREDIT · sum over groups of kept[g]
    subject to  each door at most once, each agency at most its places (an offer uses one of each that comes),
                kept[g] <= floor[g]  and  kept[g] <= offers chosen in group g.

A floor is a reward, not a duty: CREDIT is larger than all that the places could reach, so every place of a floor that
can be filled is filled, and a floor that cannot be met never leaves the night without a list.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array, hstack, vstack

# Worth is counted in whole ten-thousandths of a risk: differences below 1 in 10,000 are no ground to prefer a door.
STEPS = 10_000
WHOLE = 1e-6  # how far from 0 and 1 an answer may lie and still be whole


@dataclass(frozen=True, slots=True)
class Problem:
    """One week's choice. Offers are in order of preference: of two equal choices the earlier offers win.

    `door` numbers the door of each offer; `uses` is one row an agency (or its team) and one column an offer, true
    where the agency comes; `worth` is in whole steps, `urgent` in whole points that count before all worth; `places` is
    by agency (or team), `in_group` is one row a group and one column an offer, `floor` is by group.
    """

    door: NDArray[np.int64]
    uses: NDArray[np.bool_]
    worth: NDArray[np.int64]
    urgent: NDArray[np.int64]
    places: NDArray[np.int64]
    in_group: NDArray[np.bool_]
    floor: NDArray[np.int64]

    def credit(self) -> int:
        """Give the reward for a floor place: more than all the week's places together can be worth."""
        return int(self.places.sum()) * int(self.worth.max(initial=0)) + 1


def best_choice(problem: Problem) -> NDArray[np.bool_]:
    """Solve to the proven optimum with HiGHS; the same problem always gives the same choice.

    >>> problem = Problem(
    ...     door=np.array([0, 0, 1]), uses=np.array([[True, False, True], [False, True, False]]),
    ...     worth=np.array([9, 8, 7]), urgent=np.array([0, 0, 0]), places=np.array([1, 1]),
    ...     in_group=np.zeros((0, 3), dtype=bool), floor=np.array([], dtype=np.int64),
    ... )
    >>> best_choice(problem).tolist()
    [False, True, True]
    >>> best_choice(replace(problem, urgent=np.array([1, 0, 0]))).tolist()
    [True, False, False]
    """
    n_offers, n_groups = len(problem.worth), len(problem.floor)
    places = int(problem.places.sum())
    if n_offers == 0 or places == 0:
        return np.zeros(n_offers, dtype=bool)
    # Together the tie-breakers stay below one step, so they decide between equal choices only.
    tie = np.arange(n_offers) / (n_offers * (places + 1))
    gain = np.concatenate([problem.worth - tie, np.full(n_groups, problem.credit())])
    answer = _whole(problem, gain, at_least=_most_urgent(problem))
    return np.asarray(answer[:n_offers] > 0.5, dtype=bool)


def _most_urgent(problem: Problem) -> int:
    """The most points of urgency that the places can reach."""
    if not problem.urgent.any():
        return 0
    alone = _only(problem, problem.urgent > 0)
    answer = _whole(alone, alone.urgent.astype(np.float64), at_least=0)
    return int(alone.urgent[answer > 0.5].sum())


def _only(problem: Problem, offers: NDArray[np.bool_]) -> Problem:
    """The same week with some of the offers, and without floors."""
    return replace(
        problem,
        door=np.unique(problem.door[offers], return_inverse=True)[1],
        uses=problem.uses[:, offers],
        worth=problem.worth[offers],
        urgent=problem.urgent[offers],
        in_group=problem.in_group[:0, offers],
        floor=problem.floor[:0],
    )


def _whole(problem: Problem, gain: NDArray[np.float64], *, at_least: int) -> NDArray[np.float64]:
    # Where nobody comes along and there are no floors, the corners of this problem are whole (it is a transport
    # problem), and else nearly always: a whole answer to the relaxed problem is the answer. Only a broken one needs
    # branch and bound, 40 times slower.
    relaxed = _solve(problem, gain, at_least=at_least, whole=False)
    if np.abs(relaxed - relaxed.round()).max() < WHOLE:
        return relaxed.round()
    return _solve(problem, gain, at_least=at_least, whole=True).round()


def _solve(problem: Problem, gain: NDArray[np.float64], *, at_least: int, whole: bool) -> NDArray[np.float64]:
    answer = milp(
        c=-gain,
        integrality=np.full(len(gain), int(whole)),
        bounds=Bounds(0, np.concatenate([np.ones(len(problem.worth)), problem.floor])),
        constraints=LinearConstraint(_rows(problem), ub=_limits(problem, at_least)),
        options={"mip_rel_gap": 0.0},
    )
    if answer.x is None:  # choosing nothing, or the most urgent alone, is always allowed
        raise RuntimeError(f"the solver ended without an answer: {answer.message}")
    return np.asarray(answer.x, dtype=np.float64)


def _rows(problem: Problem) -> Any:
    """The left sides: one row a door, one an agency, one for urgency, one a group (places kept less offers chosen)."""
    n_offers, n_groups = len(problem.worth), len(problem.floor)
    offers, ones = np.arange(n_offers), np.ones(n_offers)
    n_doors = int(problem.door.max()) + 1
    by_door = coo_array((ones, (problem.door, offers)), shape=(n_doors, n_offers))
    by_agency = coo_array(problem.uses.astype(float))
    urgency = coo_array(-problem.urgent.astype(float)[None, :])
    left = vstack([by_door, by_agency, urgency, coo_array(-problem.in_group.astype(float))])
    kept = vstack([coo_array((n_doors + len(problem.places) + 1, n_groups)), coo_array(np.eye(n_groups))])
    return hstack([left, kept]).tocsr() if n_groups else vstack([by_door, by_agency, urgency]).tocsr()


def _limits(problem: Problem, at_least: int) -> NDArray[np.float64]:
    n_doors = int(problem.door.max()) + 1
    return np.concatenate([np.ones(n_doors), problem.places, [-at_least], np.zeros(len(problem.floor))]).astype(
        np.float64
    )
