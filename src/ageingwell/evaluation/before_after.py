"""Did the visits change anything? Never a bare before and after: people at a peak come down by themselves.

Roland and others (BMJ 2005;330:289): people aged 65 and over with two or more emergency admissions made 38% of
admissions in the index year, fewer than 10% in the next and 3% five years on, with nobody's help. So visited people
are set beside people of the same risk and the same past who were not visited (`effect`), and what is told is how much
more the visited changed than they did.
"""

import polars as pl
from numpy.typing import ArrayLike

from ageingwell.errors import NoComparisonError
from ageingwell.evaluation.alike import log_odds, match_nearest
from ageingwell.evaluation.checked import outcome_and, outcome_and_risk
from ageingwell.evaluation.effect import Compared, why_not
from ageingwell.evaluation.estimate import tidy

WHY = (
    "a before and after without comparable people proves nothing: those chosen at a peak come down by themselves "
    "(Roland and others, BMJ 2005;330:289)"
)


def before_after(
    before: ArrayLike,
    after: ArrayLike,
    *,
    visited: ArrayLike | None = None,
    risk: ArrayLike | None = None,
    prior: ArrayLike | None = None,
) -> pl.DataFrame:
    """What visited people changed more than people like them: who, measure, value, low, high, n, n_events.

    All arrays (n,), one entry a person: `before` and `after` count or cost the same thing over two spans of the same
    length, `visited` is 0 or 1, `risk` and `prior` (a count, such as emergency admissions) are as they stood when
    people were chosen. Rows: `before`, `after` and `change` of the visited and of their controls as matched, then
    `difference in differences`, the only one that says anything about the visits: what is left of the gap between the
    changes when a line through the controls has taken out what still differs in risk, prior count and `before`.
    `n_events` is visited people compared.

    Raises `NoComparisonError` for a bare before and after, with nobody alike, and where the two sides cannot be made
    alike, as when everybody above a cut was visited. Matching removes what risk and past explain; why one was visited
    and the other not may still differ, and only a lot settles that (`effect_by_lot`).

    >>> told = before_after(
    ...     [3, 3] * 40, [1, 2, 1, 1] * 20, visited=[1, 1, 0, 0] * 20, risk=[0.4] * 80, prior=[3] * 80
    ... )
    >>> round(told.filter(measure="difference in differences")["value"].item(), 9)
    0.5
    """
    if visited is None or risk is None or prior is None:
        raise NoComparisonError(
            WHY, "say who was visited, and give everyone's risk and prior count, unvisited people too"
        )
    chosen, first, then, counts = outcome_and(visited, before, after, prior, named="visited")
    _, risks = outcome_and_risk(chosen, risk)
    try:
        matched, weight = match_nearest(visited=chosen, risk=risks, prior=counts)
    except NoComparisonError as error:
        raise NoComparisonError(f"{error.found}; {WHY}", error.remedy) from None
    compared = Compared(matched, weight, {"risk, log-odds": log_odds(risks), "prior count": counts, "before": first})
    reason = why_not(compared, pl.DataFrame(), float(1 - matched.sum() / chosen.sum()))
    if reason is not None:
        raise NoComparisonError(f"{reason}; {WHY}", "leave the question open, or draw lots at the margin of the list")
    measures = {"before": first, "after": then, "change": then - first}
    rows = [
        ({"who": who, "measure": measure}, compared.mean(values, of_visited=who == "visited"))
        for who in ("visited", "controls")
        for measure, values in measures.items()
    ]
    rows.append(({"who": "both", "measure": "difference in differences"}, compared.gap(measures["change"])))
    return tidy(rows)
