"""What a model has to beat: simple orders of the same people, and logistic regression fitted on the same facts."""

import warnings
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ageingwell.evaluation.wall import ADMISSIONS, AGE, FRAILTY

Floats = NDArray[np.float64]

# The plain count is a harder rival than two or more of them, and is asked to be beaten beside it.
COUNTED = "emergency admissions"
STRENGTHS = (0.001, 0.01, 0.1, 1.0)
FOLDS = 5
# An explainable boosting machine of one curve a feature: few bins, no pairs, and so many rows that it stays a minute.
BINS, BAGS, MOST_ROWS = 32, 4, 20_000


def simple_rivals(people: pl.DataFrame) -> dict[str, Floats]:
    """Scores that need no model, more meaning more risk; what is not known counts as none."""
    admissions = people["n_emergency_admissions_365d"].fill_null(0.0)
    return {
        AGE: people["age"].cast(pl.Float64).to_numpy(),
        FRAILTY: people["frailty_index"].fill_null(0.0).to_numpy(),
        ADMISSIONS: (admissions >= 2).cast(pl.Float64).to_numpy(),
        COUNTED: admissions.to_numpy(),
    }


def logistic_regression(
    fit: pl.DataFrame, outcome: NDArray[np.int8], test: pl.DataFrame, *, features: list[str]
) -> Floats | None:
    """Risks (n,) of the people in `test` by penalised logistic regression; None where scikit-learn is not installed.

    None also where so few people had the outcome, or had it not, that some part of them has but one kind to learn from.

    Missing values become the median with a mark beside it, all columns get one spread, and the strength of the ridge
    penalty is chosen by the log loss over five parts of the people; nobody stands in two parts.
    """
    try:
        from sklearn.impute import SimpleImputer
        from sklearn.linear_model import LogisticRegression
        from sklearn.metrics import log_loss
        from sklearn.model_selection import GroupKFold
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
        from threadpoolctl import threadpool_limits
    except ImportError:
        return None

    def fitted(strength: float, rows: NDArray[np.int64]) -> Any:
        steps = (
            SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
            StandardScaler(),
            LogisticRegression(C=strength, max_iter=5000),
        )
        return make_pipeline(*steps).fit(facts[rows], outcome[rows])

    facts = fit.select(features).to_numpy()
    n_people = fit["person_id"].n_unique()
    parts = (
        list(GroupKFold(FOLDS).split(facts, outcome, groups=fit["person_id"].to_numpy())) if n_people >= FOLDS else []
    )
    if not parts or any(np.unique(outcome[rest]).size < 2 for rest, _ in parts):
        return None

    def loss(strength: float) -> float:
        risks = [fitted(strength, rest).predict_proba(facts[held])[:, 1] for rest, held in parts]
        return float(
            sum(log_loss(outcome[held], risk, labels=[0, 1]) for (_, held), risk in zip(parts, risks, strict=True))
        )

    # One thread: the same figures on any machine, and matrices this small only wait for one another on more.
    with threadpool_limits(1):
        model = fitted(min(STRENGTHS, key=loss), np.arange(len(outcome)))
        return np.asarray(model.predict_proba(test.select(features).to_numpy())[:, 1])


def boosting_machine(
    fit: pl.DataFrame, outcome: NDArray[np.int8], test: pl.DataFrame, *, features: list[str], seed: int
) -> Floats | None:
    """Risks (n,) of the people in `test` by an explainable boosting machine; None where the extra `ebm` is missing.

    Lou and others, KDD 2013: a curve for each feature, boosted in turn. At most 20,000 rows are fitted on, drawn by
    `seed`; one job, so that the same rows give the same risks.
    """
    try:
        from interpret.glassbox import ExplainableBoostingClassifier
    except ImportError:
        return None
    rows = np.sort(np.random.default_rng(seed).permutation(fit.height)[:MOST_ROWS])
    if not 0 < outcome[rows].sum() < rows.size:
        return None
    machine = ExplainableBoostingClassifier(
        max_bins=BINS, interactions=0, outer_bags=BAGS, n_jobs=1, random_state=seed, feature_names=features
    )
    facts = [
        people.select(pl.col(name).cast(pl.Float64) for name in features).to_numpy() for people in (fit[rows], test)
    ]
    # Constant facts tell it nothing, and it says so with a warning.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        machine.fit(facts[0], outcome[rows])
    return np.asarray(machine.predict_proba(facts[1])[:, 1])
