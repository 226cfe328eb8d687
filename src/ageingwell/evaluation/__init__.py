"""How good a risk is: arrays in, figures out. Nothing here knows which model made the risks.

A shop window: `from ageingwell.evaluation import auroc, calibration, by_group`. Every measure takes arrays (n,), checks
them, and gives a figure with its 95% interval and counts, or a tidy table of such. Inside the package each is imported
from its own file.
"""

from ageingwell.evaluation.before_after import before_after
from ageingwell.evaluation.brier import brier
from ageingwell.evaluation.calibration import calibration, calibration_groups, observed_over_expected
from ageingwell.evaluation.discrimination import auroc, auroc_by_band, auroc_difference, average_precision
from ageingwell.evaluation.drift import calibration_drift, population_stability
from ageingwell.evaluation.effect import Effect, effect_by_lot, effect_of_visits, effects_of_visits, needed_for
from ageingwell.evaluation.estimate import Estimate
from ageingwell.evaluation.evaluated import Evaluation, evaluate_risk
from ageingwell.evaluation.groups import (
    by_group,
    event_rate,
    false_negative_rate,
    false_positive_rate,
    positive_predictive_value,
    selection_rate,
)
from ageingwell.evaluation.ici import calibration_index
from ageingwell.evaluation.rank_stability import rank_stability
from ageingwell.evaluation.sample_size import minimum_sample_size
from ageingwell.evaluation.utility import at_capacities, at_list_length, net_benefit, spend_ceiling
from ageingwell.evaluation.wall import benchmark_wall, verdict

__all__ = [
    "Effect",
    "Estimate",
    "Evaluation",
    "at_capacities",
    "at_list_length",
    "auroc",
    "auroc_by_band",
    "auroc_difference",
    "average_precision",
    "before_after",
    "benchmark_wall",
    "brier",
    "by_group",
    "calibration",
    "calibration_drift",
    "calibration_groups",
    "calibration_index",
    "effect_by_lot",
    "effect_of_visits",
    "effects_of_visits",
    "evaluate_risk",
    "event_rate",
    "false_negative_rate",
    "false_positive_rate",
    "minimum_sample_size",
    "needed_for",
    "net_benefit",
    "observed_over_expected",
    "population_stability",
    "positive_predictive_value",
    "rank_stability",
    "selection_rate",
    "spend_ceiling",
    "verdict",
]
