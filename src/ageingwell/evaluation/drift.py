"""Whether people, or what their risks mean, have changed between two runs."""

from collections.abc import Iterable

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from ageingwell.evaluation.calibration import observed_over_expected
from ageingwell.evaluation.checked import finite, household_places
from ageingwell.evaluation.estimate import FIGURES, Estimate, Floats, around, percentile_interval, tidy, untold

MISSING = "missing"
# Siddiqi, Credit Risk Scorecards, 2006: below 0.1 little has changed, above 0.25 much has.
LITTLE, MUCH = 0.1, 0.25
# An empty bin has no logarithm: it counts as half a person.
HALF_A_PERSON = 0.5
HIDDEN_TAKEN_AS = 4  # the middle of 1 to 7
STABILITY = pl.Schema({"column": pl.String, **FIGURES, "by_chance": pl.Float64, "change": pl.String})


def population_stability(
    reference: pl.DataFrame,
    current: pl.DataFrame,
    *,
    bins: int = 10,
    draws: int = 500,
    seed: int = 1,
    households: tuple[ArrayLike, ArrayLike] | None = None,
) -> pl.DataFrame:
    """The population stability index of each column that both frames have: column, value, low, high, n, n_events, …

    Numbers are binned at the reference's quantiles, categories and booleans by label; a missing value is a bin of its
    own. `n` is the rows of both frames, `n_events` those of the current one; `by_chance` is what 95 of 100 pairs of
    frames of this size, drawn from the reference itself, stay under; `change` is little, some or much, and `chance`
    where the index lies under `by_chance`. With `households`, labels of the rows of each frame, whole households are
    drawn; without, rows.

    >>> then, now = pl.DataFrame({"sex": ["F"] * 6 + ["M"] * 4}), pl.DataFrame({"sex": ["F"] * 5 + ["M"] * 5})
    >>> round(population_stability(then, now)["value"][0], 4)
    0.0405
    """
    shared = [name for name in reference.columns if name in current.columns]
    frames = (reference, current)
    homes = [None, None] if households is None else list(households)
    drawn = _Drawn([_at(home, frame.height) for home, frame in zip(homes, frames)], draws=draws, seed=seed)
    rows, chances = [], []
    for name in shared:
        found, chance = drawn.index(*(frame[name] for frame in frames), bins=bins)
        rows.append(({"column": name}, found))
        chances.append(chance)
    return _with_change(tidy(rows), chances)


def _with_change(found: pl.DataFrame, chances: list[float]) -> pl.DataFrame:
    table = found.with_columns(by_chance=pl.Series("by_chance", chances, dtype=pl.Float64).fill_nan(None))
    return table.with_columns(
        change=pl.when(pl.col("value").is_null())
        .then(None)
        .when(pl.col("value") <= pl.col("by_chance"))
        .then(pl.lit("chance"))
        .when(pl.col("value") < LITTLE)
        .then(pl.lit("little"))
        .when(pl.col("value") < MUCH)
        .then(pl.lit("some"))
        .otherwise(pl.lit("much"))
    )


def reference_bins(reference: pl.DataFrame, *, bins: int = 10) -> pl.DataFrame:
    """What `stability_against` needs of a frame of numbers, to be kept instead of it: column, up_to, is_missing, n.

    A row a bin, the bins of a column in order: values up to `up_to` (empty in the last one, which has no end), and the
    missing ones.

    >>> reference_bins(pl.DataFrame({"falls": [0.0] * 19 + [1.0] + [None] * 9})).rows()
    [('falls', 0.0, False, 19), ('falls', None, False, 1), ('falls', None, True, 9)]
    """
    rows = []
    for name in reference.columns:
        edges = sorted({_with_few_digits(edge) for edge in _edges(reference[name], bins)})
        *inside, missing = _binned_counts(reference[name], edges)
        ends: list[float | None] = [*edges, None]
        rows += [(name, end, False, int(n)) for end, n in zip(ends, inside, strict=True)]
        rows.append((name, None, True, int(missing)))
    schema = {"column": pl.String, "up_to": pl.Float64, "is_missing": pl.Boolean, "n": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def stability_against(
    reference: pl.DataFrame, current: pl.DataFrame, *, draws: int = 500, seed: int = 1
) -> pl.DataFrame:
    """`population_stability` of `current` against the kept bins of `reference_bins`, of the columns both name.

    A bin whose count is hidden (missing) is taken as 4 people.

    >>> then, now = pl.DataFrame({"falls": [0.0] * 60 + [1.0] * 40}), pl.DataFrame({"falls": [0.0] * 50 + [1.0] * 50})
    >>> round(stability_against(reference_bins(then), now, draws=10)["value"][0], 4)
    0.0405
    """
    rows, chances = [], []
    parts = reference.partition_by("column", maintain_order=True, as_dict=True)
    for (name,), part in parts.items():
        if name not in current.columns:
            continue
        edges = [edge for edge in part["up_to"].to_list() if edge is not None]
        numbers = [HIDDEN_TAKEN_AS if n is None else n for n in part["n"].to_list()]
        counts = np.column_stack([numbers, _binned_counts(current[str(name)], edges)])
        found, chance = _index(counts, draws=draws, seed=seed)
        rows.append(({"column": str(name)}, found))
        chances.append(chance)
    return _with_change(tidy(rows), chances)


def _with_few_digits(edge: float) -> float:
    """The edge in nine digits, as tables are stored, and never below it: a value on the edge stays on its side."""
    near = float(f"{edge:.9g}")
    return near if near >= edge else float(f"{edge + abs(edge) * 1e-8:.9g}")


def _binned_counts(series: pl.Series, edges: list[float]) -> NDArray[np.int64]:
    """Values in each bin that ends at an edge (a value on it belongs below), beyond the last one, and missing."""
    values = series.cast(pl.Float64).to_numpy()
    values = values[~np.isnan(values)]  # a missing value is NaN in NumPy
    inside = np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1)
    return np.append(inside, series.len() - values.size).astype(np.int64)


def stability_bins(reference: pl.Series, current: pl.Series, *, bins: int = 10) -> pl.DataFrame:
    """The bins behind one column's index: bin, n_reference, n_current, share_reference, share_current, part.

    The parts, (current - reference) x ln(current / reference), add up to the index.
    """
    counts = _counts(reference, current, bins)
    numbers = counts.select("n_reference", "n_current").to_numpy().astype(float)
    before, after = _shares(*numbers.T)
    return counts.with_columns(
        share_reference=pl.Series("s", before),
        share_current=pl.Series("s", after),
        part=pl.Series("s", _parts(before, after)),
    )


def calibration_drift(
    outcome_then: ArrayLike, risk_then: ArrayLike, outcome_now: ArrayLike, risk_now: ArrayLike
) -> pl.DataFrame:
    """Calibration-in-the-large of two runs and what has become of it: measure, value, low, high, n, n_events.

    `then` and `now` are observed over expected events with exact intervals; `now over then` is their ratio, its
    interval recovered from theirs on the logarithm (Zou and Donner, Statistics in Medicine 2008;27:1693). An interval
    without 1 says that the risks have come to mean something else: recalibrate.

    >>> calibration_drift([1, 0], [0.5, 0.5], [1, 1], [0.5, 0.5]).select("measure", "value").rows()
    [('then', 1.0), ('now', 2.0), ('now over then', 2.0)]
    """
    then = observed_over_expected(outcome_then, risk_then)
    now = observed_over_expected(outcome_now, risk_now)
    told = {"then": then, "now": now, "now over then": _ratio(now, then)}
    return tidy(({"measure": measure}, estimate) for measure, estimate in told.items())


def mean_risk_shift(risk_then: ArrayLike, risk_now: ArrayLike) -> pl.DataFrame:
    """Mean risk of two runs and its shift, for a run whose outcomes have not settled: measure, value, low, high, …

    `n_events` is null: nobody's outcome is looked at.

    >>> mean_risk_shift([0.1, 0.3], [0.2, 0.6]).select("measure", "value").rows()
    [('then', 0.2), ('now', 0.4), ('now minus then', 0.2)]
    """
    then, now = finite(risk_then), finite(risk_now)
    errors = [float(risks.std(ddof=1) / np.sqrt(risks.size)) if risks.size > 1 else 0.0 for risks in (then, now)]
    of_both, mean_then, mean_now = float(np.hypot(errors[0], errors[1])), float(then.mean()), float(now.mean())
    told = {
        "then": around(mean_then, errors[0], n=then.size, n_events=0),
        "now": around(mean_now, errors[1], n=now.size, n_events=0),
        "now minus then": around(mean_now - mean_then, of_both, n=then.size + now.size, n_events=0),
    }
    rows = (({"measure": measure}, estimate) for measure, estimate in told.items())
    return tidy(rows).with_columns(n_events=pl.lit(None, dtype=pl.Int64))


def _in_bins(reference: pl.Series, current: pl.Series, bins: int) -> tuple[list[str | None], list[NDArray[np.int64]]]:
    """The bins in order, `None` (missing) last, and each row's place among them in either series."""
    if reference.dtype.is_numeric() and current.dtype.is_numeric():
        edges = _edges(reference, bins)
        binned = [_binned(series, edges) for series in (reference, current)]
    else:
        binned = [series.cast(pl.String) for series in (reference, current)]
    order = _order(binned)
    places = {label: place for place, label in enumerate(order)}
    return order, [np.array([places[label] for label in series.to_list()], dtype=np.int64) for series in binned]


def _counts(reference: pl.Series, current: pl.Series, bins: int) -> pl.DataFrame:
    """People in each bin: bin, n_reference, n_current; in order of the bins, `missing` last."""
    order, codes = _in_bins(reference, current, bins)
    then, now = (np.bincount(places, minlength=len(order)).astype(np.int64) for places in codes)
    labels = pl.Series("bin", order, dtype=pl.String).fill_null(MISSING)
    return pl.DataFrame({"bin": labels, "n_reference": then, "n_current": now})


def _edges(reference: pl.Series, bins: int) -> list[float]:
    known = reference.cast(pl.Float64).fill_nan(None).drop_nulls().to_numpy()
    if not known.size:
        return []
    return [float(edge) for edge in np.unique(np.quantile(known, np.arange(1, bins) / bins))]


def _binned(series: pl.Series, edges: list[float]) -> pl.Series:
    """Each value's bin as text that sorts in order: a value on an edge belongs below it."""
    values = series.cast(pl.Float64).fill_nan(None)
    labels = [
        f"{at:02d}: {'up to ' + format(edges[at], 'g') if at < len(edges) else 'above ' + format(edges[-1], 'g')}"
        if edges
        else "00: any"
        for at in range(len(edges) + 1)
    ]
    at = np.searchsorted(edges, values.fill_null(0.0).to_numpy(), side="left")
    named = pl.Series("bin", [labels[place] for place in at], dtype=pl.String)
    return pl.select(pl.when(values.is_not_null()).then(named))[:, 0] if values.len() else named


def _order(binned: Iterable[pl.Series]) -> list[str | None]:
    labels = {label for series in binned for label in series.unique()}
    return [*sorted(label for label in labels if label is not None), *([None] if None in labels else [])]


def _index(counts: NDArray[np.int64], *, draws: int, seed: int) -> tuple[Estimate, float]:
    """The index of counted bins, (bins, 2), where nobody's household is known any more: people are drawn."""
    numbers = counts.astype(float)
    sizes = counts.sum(axis=0)
    n, n_current = int(sizes.sum()), int(sizes[1])
    if (sizes == 0).any():
        return untold(n, n_current), float("nan")
    generator = np.random.default_rng(seed)
    shares = numbers / sizes
    taken = ((sizes[0], shares[:, 0]), (n_current, shares[:, 1]), (n_current, shares[:, 0]))
    before, after, again = (generator.multinomial(size, share, size=draws) for size, share in taken)
    pairs, unchanged = _indices(before, after), _indices(before, again)
    value = float(_indices(*numbers.T))
    return Estimate(value, *percentile_interval(pairs), n, n_current), float(np.quantile(unchanged, 0.95))


def _at(households: ArrayLike | None, n: int) -> NDArray[np.int64]:
    """The number of each row's household; every row its own where none are given."""
    if households is None:
        return np.arange(n)
    return household_places(households, n=n)


class _Drawn:
    """How often each household was drawn, once for all columns: (draws, households)."""

    def __init__(self, at: list[NDArray[np.int64]], *, draws: int, seed: int) -> None:
        self._at = at
        sizes = [int(each.max(initial=-1)) + 1 for each in at]
        generator = np.random.default_rng(seed)

        def times(size: int, of: int) -> Floats:
            return np.array(
                [np.bincount(generator.integers(of, size=size), minlength=of) if of else [] for _ in range(draws)],
                dtype=np.float64,
            )

        self._pairs = [times(size, size) for size in sizes]
        # As many households as there are now, from those there were: what chance alone would make of no change.
        self._again = times(sizes[1], sizes[0])

    def index(self, reference: pl.Series, current: pl.Series, *, bins: int) -> tuple[Estimate, float]:
        order, binned = _in_bins(reference, current, bins)
        n, n_current = reference.len() + current.len(), current.len()
        if not (reference.len() and current.len()):
            return untold(n, n_current), float("nan")
        held = [_by_household(codes, at, len(order)) for codes, at in zip(binned, self._at)]
        value = float(_indices(*(counts.sum(axis=0) for counts in held)))
        before, after, again = self._pairs[0] @ held[0], self._pairs[1] @ held[1], self._again @ held[0]
        pairs, unchanged = _indices(before, after), _indices(before, again)
        return Estimate(value, *percentile_interval(pairs), n, n_current), float(np.quantile(unchanged, 0.95))


def _by_household(codes: NDArray[np.int64], at: NDArray[np.int64], n_bins: int) -> Floats:
    """Rows in each bin by household, (households, bins)."""
    size = int(at.max(initial=-1)) + 1
    return np.bincount(at * n_bins + codes, minlength=size * n_bins).reshape(size, n_bins).astype(np.float64)


def _indices(then: NDArray[np.generic], now: NDArray[np.generic]) -> Floats:
    """The index of counts in bins (..., bins) of two frames, one for each pair of counted frames."""
    # Added up along rows that lie in memory one after the other: a sum's last digit depends on that.
    return np.asarray(np.ascontiguousarray(_parts(*_shares(then, now))).sum(axis=-1))


def _shares(then: NDArray[np.generic], now: NDArray[np.generic]) -> tuple[Floats, Floats]:
    """Counts (..., bins) as shares of each frame; a bin empty in one frame alone counts as half a person there."""
    both = then.astype(float), now.astype(float)
    held = both[0] + both[1] > 0
    before, after = (
        np.where((counts == 0) & held, HALF_A_PERSON, counts) / counts.sum(axis=-1, keepdims=True) for counts in both
    )
    return before, after


def _parts(before: Floats, after: Floats) -> Floats:
    used = (before > 0) & (after > 0)
    logs = np.log(np.where(used, after, 1.0) / np.where(used, before, 1.0))
    return np.asarray((after - before) * logs)


def _ratio(now: Estimate, then: Estimate) -> Estimate:
    n, n_events = now.n + then.n, now.n_events + then.n_events
    if not (now.value > 0 and then.value > 0):
        return untold(n, n_events)
    gap = np.log(now.value / then.value)
    below = np.hypot(np.log(now.value / now.low), np.log(then.high / then.value))
    above = np.hypot(np.log(now.high / now.value), np.log(then.value / then.low))
    return Estimate(float(np.exp(gap)), float(np.exp(gap - below)), float(np.exp(gap + above)), n, n_events)
