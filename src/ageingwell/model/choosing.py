"""Which trees a model has, or none: judged by rows that had no part in what they were grown from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from ageingwell.model.columns import Column
from ageingwell.model.levels import has_many_levels
from ageingwell.model.training import Training
from ageingwell.model.trees import FOR_SETS, SHAPES, Binned, Rows, Shape, binned, fit_trees, losses_by_trees, scaled

Floats = NDArray[np.float64]
Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Recipe:
    """What the fit may choose from. `shapes` are tried in order, until `worse_shapes` in a row bring nothing better."""

    penalties: tuple[float, ...] = (1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0)
    shapes: tuple[Shape, ...] = SHAPES
    most_trees: int = 600
    worse_shapes: int = 2
    patience: int = 30
    n_folds: int = 5
    seed: int = 1
    # The trees of the model are the mean of so many growths, each by a seed and folds of its own.
    repeats: int = 4
    threads: int = 1
    # The penalty is chosen on at most so many rows; with more rows two folds choose the shape, not all.
    rows_to_choose: int = 20_000
    # Of more rows a sample is fitted on, see `sampling.py`.
    most_rows: int = 200_000
    # Blend with trees boosted from the intercept alone, as far as that helps.
    blends: bool = True
    bends: bool = False
    # The feature that holds people's age in years, if calibration may differ by it.
    age: str | None = None
    # Go through all shapes, as a search does.
    try_all_shapes: bool = False


@dataclass(frozen=True)
class Trial:
    """The rows of a split to fit trees on, in bins, with their margin; and the rows that judge them, in the same."""

    fit: Binned
    margin: Floats
    judge: Rows
    judge_bins: Binned

    def boosted_from(self, margin: Floats, judge_margin: Floats) -> "Trial":
        """The same rows, in the same bins, with other margins to boost from."""
        return replace(self, margin=margin, judge=replace(self.judge, margin=judge_margin))


@dataclass(frozen=True)
class Grown:
    """Trees of one shape on each trial; `losses` (trials, 1 + trees) of its `judges` after 0, 1, 2 … of them."""

    shape: Shape
    boosters: tuple[lgb.Booster, ...]
    judges: tuple[Rows, ...]
    losses: Floats

    @property
    def sizes(self) -> Floats:
        """The weight of each trial's judging rows."""
        return np.array([judge.weight.sum() for judge in self.judges])

    @property
    def n_trees(self) -> int:
        """How many trees describe the judging rows best."""
        return int(np.average(self.losses, axis=0, weights=self.sizes).argmin()) if len(self.sizes) else 0

    def n_by_others(self, trial: int) -> int:
        """How many trees describe the other trials' judging rows best, so that a trial's own have no say."""
        others = np.arange(len(self.sizes)) != trial
        if not others.any():
            return self.n_trees
        return int(np.average(self.losses[others], axis=0, weights=self.sizes[others]).argmin())


@dataclass(frozen=True)
class Judged:
    """How many trees of a shape the model has, and what comes of them: the judging rows' score, and their margin.

    `share` of what the trees add is counted.

    Each trial's rows are scored with as many trees as the other trials ask for: at the number that suits them best
    themselves, they would look better, and surer, than new people do.
    """

    shape: Shape
    n_trees: int
    outcome: Floats
    weight: Floats
    margin: Floats
    score: Floats
    share: float = 1.0

    def losses(self) -> Floats:
        """The log loss of each judging row."""
        return np.asarray(np.logaddexp(0.0, self.score) - self.outcome * self.score)

    def head(self, n: int) -> "Judged":
        """The first so many judging rows, which are those of the first trials."""
        rows = slice(None, n)
        return replace(
            self,
            outcome=self.outcome[rows],
            weight=self.weight[rows],
            margin=self.margin[rows],
            score=self.score[rows],
        )

    def loss(self) -> float:
        """The mean log loss of the judging rows."""
        return float(np.average(self.losses(), weights=self.weight)) if len(self.weight) else 0.0


def judge_trees(
    trials: Sequence[Trial], training: Training, recipe: Recipe, tell: Progress, *, beside: Judged | None = None
) -> Judged:
    """The shape and number of trees that describe the judging rows best, and how much of them is not chance.

    With other trees `beside`, judged by the same trials first, to be blended with: where two shapes are of no use to
    them, no other is tried.
    """
    return shrunken_trees(_choose_shape(trials, training, recipe, tell, beside))


def judge_shape(trials: Sequence[Trial], training: Training, recipe: Recipe, *, shape: Shape) -> Judged:
    """How many trees of one shape describe the judging rows best, and how much of them is not chance."""
    return shrunken_trees(_judged(_grow(trials, training, recipe, shape)))


def trial_of(fit: Rows, judge: Rows, training: Training) -> Trial:
    """A trial of the two parts of a split, put into bins by its fitting rows."""
    bins = in_bins(fit, training)
    return Trial(bins, fit.margin, judge, in_bins(judge, training, like=bins))


def in_bins(rows: Rows, training: Training, *, like: Binned | None = None) -> Binned:
    """The rows in bins, or in those of other rows."""
    return binned(rows, names=tree_names(training.columns), categories=_categories(training), like=like)


def grow_trees(
    rows: Binned,
    margin: Floats,
    training: Training,
    recipe: Recipe,
    *,
    shape: Shape,
    n_trees: int,
    share: float = 1.0,
) -> lgb.Booster:
    """So many trees of a shape, boosted from the margins of these rows; of what they add, a share."""
    booster = fit_trees(
        rows,
        margin,
        shape=shape,
        signs=training.signs,
        n_trees=n_trees,
        seed=recipe.seed,
        threads=recipe.threads,
    )
    return booster if share == 1 else scaled(booster, share)


def _categories(training: Training) -> list[int]:
    """The places of the categories whose levels the trees part in sets."""
    of_few = {
        place for place, column in enumerate(training.columns) if column.is_category and not has_many_levels(column)
    }
    return sorted(of_few | set(training.sets))


def tree_names(columns: Sequence[Column]) -> list[str]:
    """The features' names as LightGBM can write them; numbered where a name holds anything but letters and digits."""
    names = [column.name for column in columns]
    plain = all(name.isascii() and name.replace("_", "a").isalnum() for name in names)
    return names if plain else [f"feature_{place}" for place in range(len(names))]


def _choose_shape(
    trials: Sequence[Trial], training: Training, recipe: Recipe, tell: Progress, beside: Judged | None
) -> Judged:
    """Grow trees of each shape on each trial and keep the shape that describes the judging rows best."""
    best, worse = None, 0
    shapes = (FOR_SETS, *recipe.shapes) if _categories(training) else recipe.shapes
    for number, shape in enumerate(shapes):
        judged = _judged(_grow(trials, training, recipe, shape))
        tell("trees", (number + 1) / len(shapes))
        if best is None or judged.loss() < best.loss():
            best, worse = judged, 0
        else:
            worse += 1
        is_of_use = beside is None or number < 1 or share_of_second(beside, shrunken_trees(best)) > 0
        if (worse == recipe.worse_shapes or not is_of_use) and not recipe.try_all_shapes:
            break
    if best is None:
        raise ValueError("a recipe needs at least one shape")
    return best


def _grow(trials: Sequence[Trial], training: Training, recipe: Recipe, shape: Shape) -> Grown:
    boosters, losses = [], []
    for trial in trials:
        booster, found = losses_by_trees(
            trial.fit,
            trial.margin,
            trial.judge,
            trial.judge_bins,
            shape=shape,
            signs=training.signs,
            most=recipe.most_trees,
            patience=recipe.patience,
            seed=recipe.seed,
            threads=recipe.threads,
        )
        boosters.append(booster)
        losses.append(found)
    judges = tuple(trial.judge for trial in trials)
    longest = max(map(len, losses), default=1)
    # A split that stopped early got no better: its last loss stands for what would have followed.
    drawn_on = [np.pad(some, (0, longest - len(some)), mode="edge") for some in losses]
    return Grown(shape, tuple(boosters), judges, np.array(drawn_on).reshape(len(losses), longest))


def _judged(grown: Grown) -> Judged:
    scores = [
        _scores(judge, booster, grown.n_by_others(place))
        for place, (booster, judge) in enumerate(zip(grown.boosters, grown.judges))
    ]
    parts = [
        [judge.outcome for judge in grown.judges],
        [judge.weight for judge in grown.judges],
        [judge.margin for judge in grown.judges],
        scores,
    ]
    outcome, weight, margin, score = (np.concatenate([np.empty(0), *part]) for part in parts)
    return Judged(grown.shape, grown.n_trees, outcome, weight, margin, score)


def _scores(rows: Rows, booster: lgb.Booster, n_trees: int) -> Floats:
    """The rows' log-odds with the first so many trees."""
    if n_trees == 0:
        return rows.margin
    return np.asarray(rows.margin + booster.predict(rows.matrix, raw_score=True, num_iteration=n_trees, num_threads=1))


def shrunken_trees(trees: Judged) -> Judged:
    """As much of the trees as stands out from chance: 1 - (standard error / gain)**2; none if the gain is within it.

    The best of many shapes and numbers looks better on the judging rows than it is.

    Source: after the positive-part rule of Efron and Morris, JASA 1973;68:117.
    """
    if not trees.n_trees:
        return trees
    margin, weight = trees.margin, trees.weight / trees.weight.sum()
    none = replace(trees, n_trees=0, score=margin)
    share = round(_beyond_chance(none.losses() - trees.losses(), weight), 3)
    return replace(trees, score=margin + share * (trees.score - margin), share=share) if share else none


def share_of_second(first: Judged, second: Judged) -> float:
    """How much of the second to blend in: the share that describes the judging rows best, as far as it is not chance.

    Both scored the same judging rows in the same order. The gain is shrunk as that of trees is, by its standard error.
    """
    if not len(first.outcome):
        return 0.0
    weight = first.weight / first.weight.sum()
    gains = {
        share: first.losses() - replace(first, score=(1 - share) * first.score + share * second.score).losses()
        for share in np.linspace(0.05, 1.0, 20).tolist()
    }
    best = max(gains, key=lambda share: float((weight * gains[share]).sum()))
    return float(round(best * _beyond_chance(gains[best], weight), 3))


def is_better(second: Judged, first: Judged) -> bool:
    """Whether the second describes the judging rows better than the first, by more than one standard error."""
    gain = first.losses() - second.losses()
    return bool(len(gain)) and _beyond_chance(gain, first.weight / first.weight.sum()) > 0


def _beyond_chance(gain: Floats, weight: Floats) -> float:
    """1 - (standard error / mean gain)**2 of the rows' gains (n,), whose `weight` adds up to 1; 0 within one."""
    mean = float((weight * gain).sum())
    error = float(np.sqrt((weight**2 * (gain - mean) ** 2).sum()))
    return 1 - (error / mean) ** 2 if mean > error else 0.0
