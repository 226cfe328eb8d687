"""What calibration adds to a score by age: an age term, and a slope of all other facts that may turn with age.

One line for everybody can be right in all people together and wrong among people of one age: their age orders people
better than their other facts do, so that a line that suits both together lays people of one age too far apart. An age
term beside the line parts the two. Each row's contributions are multiplied by one factor, and the contribution of age
takes up the rest, so that base and contributions still add up exactly.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ageingwell.evaluation.calibration import Line
from ageingwell.lookup.margin import summed
from ageingwell.model.margin import Curve

Floats = NDArray[np.float64]
# Ages between which the term grows: beyond them people are few. At the middle it is 0; most events lie about there.
YOUNGEST: Final = 65.0
MIDDLE: Final = 80.0
OLDEST: Final = 95.0
MOST_DECADES: Final = (OLDEST - MIDDLE) / 10
# The slope of nobody's facts differs from that at 80 by more than 3 in 10.
MOST_TURN: Final = 0.2


def decades(age: Floats) -> Floats:
    """Tens of years from 80, never beyond 65 and 95; 0 where age is unknown.

    >>> decades(np.array([60.0, 75.0, 90.0, np.nan])).tolist()
    [-1.5, -0.5, 1.0, 0.0]
    """
    return np.where(np.isnan(age), 0.0, (np.clip(age, YOUNGEST, OLDEST) - MIDDLE) / 10)


@dataclass(frozen=True)
class ByAge:
    """For each ten years above 80, `height` is added to a score, and `slope` times its distance from `centre`.

    A score beyond `lowest` or `highest`, where people were too few to see it, counts as that for the second.

    >>> term = ByAge("age", height=0.1, slope=-0.05, centre=-3.0, lowest=-5.0, highest=0.0)
    >>> term.score(np.array([-3.0, -1.0]), np.array([90.0, 90.0])).tolist()
    [-2.9, -1.0]
    """

    feature: str
    height: float
    slope: float
    centre: float
    lowest: float
    highest: float

    def score(self, score: Floats, age: Floats) -> Floats:
        """The scores with what is added by age, both (n,)."""
        return np.asarray(score + decades(age) * (self.height + self.slope * self.turns(score)))

    def turns(self, score: Floats) -> Floats:
        """How far scores lie from the centre, cut where nothing was seen, (n,)."""
        return np.clip(score, self.lowest, self.highest) - self.centre

    def contributions(self, base: float, contributions: Floats, age: Floats, *, place: int) -> Floats:
        """Contributions (n, p) that with the same base add up to the score by age.

        All are multiplied by one factor a row, which is 1 plus `slope` for each ten years above 80; what is left is
        added to that of age, the feature at `place`.

        >>> term = ByAge("age", height=0.1, slope=-0.05, centre=-3.0, lowest=-5.0, highest=0.0)
        >>> term.contributions(-2.0, np.array([[0.0, 1.0]]), np.array([90.0]), place=0).round(9).tolist()
        [[0.05, 0.95]]
        """
        decade, score = decades(age), summed(base, contributions)
        from_base = score - base
        inside = np.clip(score, self.lowest, self.highest) - np.clip(base, self.lowest, self.highest)
        share = np.where(from_base == 0, 1.0, inside / np.where(from_base == 0, 1.0, from_base))
        made = np.asarray(contributions * (1 + decade * self.slope * share)[:, None])
        made[:, place] += decade * (self.height + self.slope * float(self.turns(np.array(base))))
        return made

    def along(self, line: Line) -> "ByAge":
        """The same term where a line is laid over the scores: on its log-odds."""
        centre, lowest, highest = (line.intercept + line.slope * at for at in (self.centre, self.lowest, self.highest))
        return ByAge(self.feature, self.height * line.slope, self.slope, centre, lowest, highest)

    def beside(self, other: "ByAge") -> "ByAge":
        """Both added up; this one's centre and limits stay."""
        height = self.height + other.height + other.slope * (self.centre - other.centre)
        return replace(self, height=round(height, 9), slope=round(self.slope + other.slope, 9))

    def rising(self, curve: Curve) -> "ByAge":
        """The nearest term with which no score falls as age rises, given the curve that age has in the score already.

        Trees never fall with age. A curve that falls somewhere asks for nothing.

        >>> rises = Curve((65.0, 95.0), (0.0, 0.6), 0.0)
        >>> ByAge("age", -0.3, -0.2, -3.0, -5.0, 0.0).rising(rises)
        ByAge(feature='age', height=-0.2, slope=0.0, centre=-3.0, lowest=-5.0, highest=0.0)
        """
        rise = _least_rise(curve)
        if rise < 0:
            return replace(self, slope=float(np.clip(self.slope, -MOST_TURN, MOST_TURN)))
        height = max(self.height, -rise)
        # Ten years more add at least: rise (1 - 1.5 |slope|) + height - |slope| * reach.
        reach = self.highest - self.centre if self.slope < 0 else self.centre - self.lowest
        asked = MOST_DECADES * rise + max(reach, 0.0)
        most = min(MOST_TURN, (height + rise) / asked if asked else MOST_TURN)
        return replace(self, height=height, slope=float(np.clip(self.slope, -most, most)) + 0.0)


def _least_rise(curve: Curve) -> float:
    """The least that a curve rises in ten years of age, between 65 and 95; it is flat beyond its knots."""
    at, adds = np.array(curve.at), np.array(curve.adds)
    is_ours = (at[1:] > YOUNGEST) & (at[:-1] < OLDEST)
    rises = (np.diff(adds) / np.diff(at) * 10)[is_ours].tolist()
    return float(min(rises if at[0] <= YOUNGEST and at[-1] >= OLDEST else [*rises, 0.0]))
