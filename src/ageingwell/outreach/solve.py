"""The optimisation behind the list: which agency knocks at which door, arrays in and arrays out.

Choose x[o] in {0, 1} for each offer o, a pair of a door and an agency that could lead there, so as to

    maximise    sum over offers of worth[o] · x[o]  +  CREDIT · sum over groups of kept[g]
    subject to  each door at most once, each agency at most its places,
                kept[g] <= floor[g]  and  kept[g] <= offers chosen in group g.

A floor is a reward, not a duty: CREDIT is larger than any chain of swaps can cost, so every place of a floor that can
be filled is filled, and a floor that cannot be met never leaves the night without a list.
"""

from dataclasses import dataclass
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

    `door` and `agency` number the door and the agency (or its team) of each offer, `worth` is in whole steps, `places`
    is by agency (or team), `in_group` is one row a group and one column an offer, `floor` is by group.
    """

    door: NDArray[np.int64]
    agency: NDArray[np.int64]
    worth: NDArray[np.int64]
    places: NDArray[np.int64]
    in_group: NDArray[np.bool_]
    floor: NDArray[np.int64]

    def credit(self) -> int:
        """Give the reward for a floor place: more than a chain of swaps through every agency can cost."""
        return (len(self.places) + 2) * int(self.worth.max(initial=0)) + 1


def best_choice(problem: Problem) -> NDArray[np.bool_]:
    """Solve to the proven optimum with HiGHS; the same problem always gives the same choice.

    >>> problem = Problem(
    ...     door=np.array([0, 0, 1]), agency=np.array([0, 1, 0]), worth=np.array([9, 8, 7]),
    ...     places=np.array([1, 1]), in_group=np.zeros((0, 3), dtype=bool), floor=np.array([], dtype=np.int64),
    ... )
    >>> best_choice(problem).tolist()
    [False, True, True]
    """
    n_offers, n_groups = len(problem.worth), len(problem.floor)
    places = int(problem.places.sum())
    if n_offers == 0 or places == 0:
        return np.zeros(n_offers, dtype=bool)
    # Together the tie-breakers stay below one step, so they decide between equal choices only.
    tie = np.arange(n_offers) / (n_offers * (places + 1))
    gain = np.concatenate([problem.worth - tie, np.full(n_groups, problem.credit())])
    # Without floors the corners of this problem are whole (it is a transport problem), and with them nearly always:
    # a whole answer to the relaxed problem is the answer. Only a broken one needs branch and bound, 40 times slower.
    relaxed = _solve(problem, gain, whole=False)
    answer = relaxed if np.abs(relaxed - relaxed.round()).max() < WHOLE else _solve(problem, gain, whole=True)
    return np.asarray(answer[:n_offers] > 0.5, dtype=bool)


def _solve(problem: Problem, gain: NDArray[np.float64], *, whole: bool) -> NDArray[np.float64]:
    answer = milp(
        c=-gain,
        integrality=np.full(len(gain), int(whole)),
        bounds=Bounds(0, np.concatenate([np.ones(len(problem.worth)), problem.floor])),
        constraints=LinearConstraint(_rows(problem), ub=_limits(problem)),
        options={"mip_rel_gap": 0.0},
    )
    if answer.x is None:  # choosing nothing is always allowed
        raise RuntimeError(f"the solver ended without an answer: {answer.message}")
    return np.asarray(answer.x, dtype=np.float64)


def _rows(problem: Problem) -> Any:
    """The left sides: one row a door, one an agency, one a group (places kept less offers chosen)."""
    n_offers, n_groups = len(problem.worth), len(problem.floor)
    offers, ones = np.arange(n_offers), np.ones(n_offers)
    n_doors = int(problem.door.max()) + 1
    by_door = coo_array((ones, (problem.door, offers)), shape=(n_doors, n_offers))
    by_agency = coo_array((ones, (problem.agency, offers)), shape=(len(problem.places), n_offers))
    left = vstack([by_door, by_agency, coo_array(-problem.in_group.astype(float))])
    kept = vstack([coo_array((n_doors + len(problem.places), n_groups)), coo_array(np.eye(n_groups))])
    return hstack([left, kept]).tocsr() if n_groups else vstack([by_door, by_agency]).tocsr()


def _limits(problem: Problem) -> NDArray[np.float64]:
    n_doors = int(problem.door.max()) + 1
    return np.concatenate([np.ones(n_doors), problem.places, np.zeros(len(problem.floor))]).astype(np.float64)
