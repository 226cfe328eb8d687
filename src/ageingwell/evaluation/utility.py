"""What a list is worth: who is reached at a length the agencies can serve, and at what price it pays."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from ageingwell.errors import FrameError
from ageingwell.evaluation.calibration import calibration_line, equal_groups
from ageingwell.evaluation.checked import finite, length_of_list, outcome_and, outcome_and_risk
from ageingwell.evaluation.estimate import Estimate, Floats, proportion, tidy

_EVERYBODY, _NOBODY = "visit everybody", "visit nobody"


def at_list_length(outcome: ArrayLike, score: ArrayLike, *, k: int) -> pl.DataFrame:
    """What a list of the `k` highest scores holds: measure, worst, best, k, value, low, high, n, n_events.

    Measures: `ppv` (share of the list with the event), `sensitivity` (share of events on the list), `lift` (ppv over
    the share in everybody) and `listed` (share of people on the list). `value` is what is expected when ties at the
    cut are drawn by lot, `worst` and `best` the ends over all ways to break them; Wilson intervals about `value`, the
    overall share in `lift` held fixed. A list longer than the people is everybody.

    >>> found = at_list_length([1, 0, 1, 0, 0], [0.56, 0.55, 0.50, 0.50, 0.30], k=3)
    >>> [round(share, 3) for share in found.select("worst", "value", "best").row(0)]
    [0.333, 0.5, 0.667]
    """
    happened, values = outcome_and(outcome, score)
    n, n_events, length = happened.size, int(happened.sum()), min(length_of_list(k), happened.size)
    worst, expected, best = hits_at(happened, values, k=length)
    ppv = proportion(expected, length)
    of_measure = {"ppv": (ppv, length), "sensitivity": (proportion(expected, n_events), n_events)}
    rows = [
        ({"measure": measure, "worst": worst / out_of, "best": best / out_of, "k": length}, estimate)
        if out_of
        else ({"measure": measure, "worst": None, "best": None, "k": length}, estimate)
        for measure, (estimate, out_of) in of_measure.items()
    ]
    chance = n_events / n
    if chance > 0:
        lift = Estimate(ppv.value / chance, ppv.low / chance, ppv.high / chance, length, ppv.n_events)
        ends = {"worst": worst / length / chance, "best": best / length / chance}
        rows.append(({"measure": "lift", **ends, "k": length}, lift))
    listed = Estimate(length / n, length / n, length / n, n, length)
    rows.append(({"measure": "listed", "worst": length / n, "best": length / n, "k": length}, listed))
    return tidy(rows)


def hits_at(happened: NDArray[np.bool_], values: Floats, *, k: int) -> tuple[int, float, int]:
    """Events among the `k` highest scores: fewest, expected and most over the ways to break ties at the cut."""
    cut = np.partition(values, values.size - k)[values.size - k]
    above, tied = values > cut, values == cut
    certain, places = int(happened[above].sum()), k - int(above.sum())
    n_tied, tied_events = int(tied.sum()), int(happened[tied].sum())
    fewest = certain + max(0, places - (n_tied - tied_events))
    return fewest, certain + places * tied_events / n_tied, certain + min(places, tied_events)


def chance_listed(score: ArrayLike, *, k: int) -> Floats:
    """The chance of each person (n,) to stand among the `k` highest scores when ties at the cut are drawn by lot.

    >>> chance_listed([0.9, 0.5, 0.5, 0.1], k=2).tolist()
    [1.0, 0.5, 0.5, 0.0]
    """
    values = finite(score)
    if length_of_list(k) >= values.size:
        return np.ones(values.size)
    cut = np.partition(values, values.size - k)[values.size - k]
    above, tied = values > cut, values == cut
    return np.where(above, 1.0, np.where(tied, (k - above.sum()) / tied.sum(), 0.0))


def at_capacities(outcome: ArrayLike, score: ArrayLike, *, capacities: Mapping[str, int]) -> pl.DataFrame:
    """`at_list_length` at each agency's capacity, in people a list, and at all of them together.

    Columns: agency, then those of `at_list_length`. `sensitivity` is the share captured: of everybody who had the
    event, how many a list of that length would have held. An agency without capacity is left out.
    """
    lengths = {agency: places for agency, places in capacities.items() if places > 0}
    if len(lengths) > 1:
        lengths = {**lengths, "all": sum(lengths.values())}
    tables = [
        at_list_length(outcome, score, k=places).select(pl.lit(agency).alias("agency"), pl.all())
        for agency, places in lengths.items()
    ]
    return pl.concat(tables) if tables else pl.DataFrame()


def net_benefit(outcome: ArrayLike, risks: Mapping[str, ArrayLike], *, thresholds: Sequence[float]) -> pl.DataFrame:
    """Net benefit of visiting everyone at or above each threshold: threshold, strategy, n_visited, value, low, high, …

    `n_visited_events` are the visited who had the event. A threshold says how many fruitless visits one fruitful visit
    is worth: 0.2 says four. `visit everybody` and `visit nobody` stand beside the risks. Source: Vickers and Elkin,
    Medical Decision Making 2006;26:565.

    >>> net_benefit([1, 0, 0, 1], {"model": [0.9, 0.2, 0.6, 0.7]}, thresholds=[0.5])["value"].to_list()
    [0.25, 0.0, 0.0]
    """
    happened, visits = _visits(outcome, risks, thresholds)
    return tidy(
        (
            {
                "threshold": threshold,
                "strategy": strategy,
                "n_visited": int(visited.sum()),
                "n_visited_events": int((visited & happened).sum()),
            },
            _benefit(happened, visits, strategy, _NOBODY, threshold),
        )
        for (threshold, strategy), visited in visits.items()
    )


def net_benefit_gain(
    outcome: ArrayLike, risks: Mapping[str, ArrayLike], *, model: str, thresholds: Sequence[float]
) -> pl.DataFrame:
    """How much more net benefit `model` has than each other strategy, on the same people: threshold, rival, value, …"""
    happened, visits = _visits(outcome, risks, thresholds)
    return tidy(
        ({"threshold": threshold, "rival": rival}, _benefit(happened, visits, model, rival, threshold))
        for threshold, rival in visits
        if rival != model
    )


def as_risk(outcome: ArrayLike, score: ArrayLike) -> Floats:
    """A score such as age as a risk (n,): the logistic line fitted on these very people, which flatters the score.

    Where no line fits, everybody gets the overall share.
    """
    happened, values = outcome_and(outcome, score)
    try:
        line = calibration_line(happened, values)
    except ValueError:
        return np.full(values.size, happened.mean())
    return np.asarray(expit(line.intercept + line.slope * values))


def spend_ceiling(
    outcome: ArrayLike,
    risk: ArrayLike,
    *,
    cost_gbp: float,
    effects: Sequence[float] = (0.1, 0.15, 0.2),
    bands: int = 10,
) -> pl.DataFrame:
    """The most that may be spent on a person before prevention costs more than the event: one row a band and effect.

    Columns: scope (`band`, or `band and above`), band (the highest risks are the last), lowest_risk, effect (share of
    events prevented), share (with the event), expected_cost_gbp, value (the ceiling in pounds, share x cost x effect),
    low, high, n, n_events; Wilson intervals of the share, cost and effect held fixed. Source: Billings and others
    (PARR-30), BMJ Open 2012;2:e001667: £1,088 expected and 10% prevented allow £109.

    >>> spend_ceiling([0, 0, 0, 1], [0.1, 0.2, 0.3, 0.4], cost_gbp=4000, effects=[0.1], bands=2)["value"].to_list()
    [0.0, 100.0, 200.0, 200.0]
    """
    happened, risks = outcome_and_risk(outcome, risk)
    if not (np.isfinite(cost_gbp) and cost_gbp >= 0 and all(0 <= effect <= 1 for effect in effects)):
        raise FrameError("a cost is 0 pounds or more, and an effect a share of 0 to 1", "give such figures")
    of_person = equal_groups(risks, bands)
    rows = []
    for band in np.unique(of_person):
        for scope, inside in {"band": of_person == band, "band and above": of_person >= band}.items():
            share = proportion(int(happened[inside].sum()), int(inside.sum()))
            for effect in effects:
                worth = cost_gbp * effect
                labels = {
                    "scope": scope,
                    "band": int(band) + 1,
                    "lowest_risk": float(risks[inside].min()),
                    "effect": effect,
                    "share": share.value,
                    "expected_cost_gbp": share.value * cost_gbp,
                }
                ceiling = Estimate(share.value * worth, share.low * worth, share.high * worth, share.n, share.n_events)
                rows.append((labels, ceiling))
    return tidy(rows)


def _visits(
    outcome: ArrayLike, risks: Mapping[str, ArrayLike], thresholds: Sequence[float]
) -> tuple[NDArray[np.bool_], dict[tuple[float, str], NDArray[np.bool_]]]:
    """Whom each strategy visits at each threshold."""
    happened, *given = outcome_and(outcome, *risks.values())
    if not all(0 < threshold < 1 for threshold in thresholds):
        raise FrameError("a threshold is a risk between 0 and 1", "give it as a share")
    if any(((risk < 0) | (risk > 1)).any() for risk in given):
        raise FrameError("net benefit needs risks between 0 and 1", "make one of a score by `as_risk`")
    strategies = dict(zip(risks, given, strict=True))
    strategies |= {_EVERYBODY: np.ones(happened.size), _NOBODY: np.full(happened.size, -1.0)}
    return happened, {
        (threshold, name): risk >= threshold for threshold in thresholds for name, risk in strategies.items()
    }


def _benefit(
    happened: NDArray[np.bool_], visits: Mapping[tuple[float, str], NDArray[np.bool_]], one: str, other: str, at: float
) -> Estimate:
    """The net benefit of one strategy less that of another at a threshold.

    Four shares of everybody: visits that only one of the two makes, with the event and without. Their Wilson intervals
    are put together by recovery of variances (Zou and Donner, Statistics in Medicine 2008;27:1693), for a spread of
    gains is nothing where nobody visited had the event, and that is no proof.
    """
    n, odds = happened.size, at / (1 - at)
    parts = [
        (weight, proportion(int(((happened == event) & visits[at, mine] & ~visits[at, beside]).sum()), n))
        for event, worth in ((True, 1.0), (False, -odds))
        for weight, mine, beside in ((worth, one, other), (-worth, other, one))
        # Who means to visit nobody makes no visit alone, nor does anybody beside those who visit everybody. A model
        # that happens to visit nobody here might elsewhere.
        if mine != _NOBODY and beside != _EVERYBODY
    ]
    value = sum((weight * share.value for weight, share in parts), 0.0)
    ends = [(weight * share.low, weight * share.high, weight * share.value) for weight, share in parts]
    below = np.sqrt(sum((middle - min(low, high)) ** 2 for low, high, middle in ends))
    above = np.sqrt(sum((max(low, high) - middle) ** 2 for low, high, middle in ends))
    return Estimate(float(value), float(value - below), float(value + above), n, int(happened.sum()))
