"""An attacker with pages of counts and a linear programme: how closely can each hidden number be told?

Independent of what hides them: it reads words as they are shown, knows how totals add up, which columns make a group,
what is equal between tables, and, more than any reader could, which counts did not move between two pages.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil, floor, inf

import numpy as np
import polars as pl
from scipy.optimize import LinearConstraint, linprog, milp

HIDDEN = "not shown"
ALL = "All"
EPSILON = 1e-6


@dataclass
class Attacker:
    """What is known of counts, each under a name: sums of them with their ends."""

    names: dict[object, int] = field(default_factory=dict)
    rows: list[tuple[dict[int, float], float, float]] = field(default_factory=list)
    asked: list[tuple[object, dict[int, float]]] = field(default_factory=list)

    def count(self, name: object) -> int:
        return self.names.setdefault(name, len(self.names))

    def learn(self, names: Iterable[object], low: float, high: float, *, less: Iterable[object] = ()) -> None:
        """That some counts, less others, add up to something from `low` to `high`."""
        self.rows.append((self._sum(names, less), low, high))

    def ask(self, what: object, names: Iterable[object]) -> None:
        """Ask how closely a sum of counts can be told."""
        self.asked.append((what, self._sum(names)))

    def _sum(self, names: Iterable[object], less: Iterable[object] = ()) -> dict[int, float]:
        weights: dict[int, float] = {}
        for sign, some in ((1.0, names), (-1.0, less)):
            for name in some:
                at = self.count(name)
                weights[at] = weights.get(at, 0.0) + sign
        return weights

    def hear(self, words: str, what: object, names: list[object]) -> None:
        """A number as it is shown: 0 is 0, others are at least 8 and to the nearest 5; hidden ones are asked."""
        if words == HIDDEN:
            self.ask(what, names)
            return
        n = int(words.replace(",", ""))
        self.learn(names, *((0, 0) if n == 0 else (max(8, n - 2), n + 2)))

    def found(self, *, whole: bool = False) -> dict[object, tuple[float, float]]:
        """The least and the most of everything asked; `whole` lets counts be whole numbers alone, and takes longer."""
        left = np.zeros((len(self.rows), len(self.names)))
        for at, (weights, _, _) in enumerate(self.rows):
            left[at, list(weights)] = list(weights.values())
        ends = np.array([(low, high) for _, low, high in self.rows]).reshape(-1, 2)
        return {what: self._bound(weights, left, ends, whole) for what, weights in self.asked}

    def _bound(
        self, weights: Mapping[int, float], left: np.ndarray, ends: np.ndarray, whole: bool
    ) -> tuple[float, float]:
        aim = np.zeros(len(self.names))
        aim[list(weights)] = list(weights.values())
        sides = []
        for sign in (1.0, -1.0):
            if whole:
                held = LinearConstraint(left, ends[:, 0], ends[:, 1])
                answer = milp(sign * aim, constraints=held, integrality=np.ones(len(aim)))
            else:
                both = np.vstack([left, -left])
                answer = linprog(sign * aim, A_ub=both, b_ub=np.concatenate([ends[:, 1], -ends[:, 0]]))
            # Status 2: nothing agrees with all that is known, so something known is wrong.
            assert answer.status != 2, "the pages contradict each other"
            sides.append(sign * answer.fun if answer.x is not None else -sign * inf)
        return (ceil(sides[0] - EPSILON), inf if sides[1] == inf else floor(sides[1] + EPSILON))


def too_close(found: Mapping[object, tuple[float, float]], *, within: float = 2) -> dict[object, tuple[float, float]]:
    """What can be told to within so many."""
    return {what: ends for what, ends in found.items() if ends[1] - ends[0] <= within}


def hear_table(
    attacker: Attacker, shown: Mapping[tuple[str, str], str], groups: Mapping[str, str], name: object
) -> None:
    """Listen to one table with its totals; `groups` names the group of each column that is in one."""
    rows = list(dict.fromkeys(row for row, _ in shown if row != ALL))
    kinds = set(groups.values())
    columns = list(dict.fromkeys(head for _, head in shown if head != ALL and (head in groups or head not in kinds)))
    for (row, head), words in shown.items():
        of_rows = rows if row == ALL else [row]
        if head == ALL:
            of_columns = columns
        else:
            of_columns = [head] if head in columns else [column for column in columns if groups.get(column) == head]
        attacker.hear(words, (name, row, head), [(name, one, other) for one in of_rows for other in of_columns])


def attack_pages(pages: list[pl.DataFrame], links: Iterable[tuple[tuple, tuple]] = ()) -> Attacker:
    """Listen to every number of several pages (`governance.pages.PUBLISHED`), as words; counts only say what moved."""
    attacker, moves = Attacker(), {}
    for number, page in enumerate(pages):
        names: dict[tuple[str, str, str], object] = {}
        sums: dict[tuple[str, str, str], list[object]] = {}
        cells = page.drop_nulls("n")
        for of, one, other, n in cells.select("of", "one", "other", "n").iter_rows():
            before, epoch = moves.get((of, one, other), (n, 0))
            moves[of, one, other] = (n, epoch + (n != before))
            names[of, one, other] = (of, one, other, moves[of, one, other][1])
        group = {(of, other): kind for of, other, kind in cells.select("of", "other", "group").iter_rows()}
        for of, one, other, words in page.select("of", "one", "other", "shown").iter_rows():
            if words.startswith("1 to"):
                continue
            sums[of, one, other] = [
                name
                for (table, row, column), name in names.items()
                if table == of
                and one in (ALL, row)
                and (other in (ALL, column) or (other != column and group[of, column] == other))
            ]
            attacker.hear(words, (number, of, one, other), sums[of, one, other])
        # Equal on the first page alone: later ones keep counts that moved by a few.
        for left, right in links if number == 0 else ():
            if all(key in sums for key in (*left, *right)):
                attacker.learn(
                    (n for key in left for n in sums[key]), 0, 0, less=(n for key in right for n in sums[key])
                )
    return attacker
