"""Find the older people who face the greatest risks to their health and independence, and fit offers of help to them.

`import ageingwell as aw` gives `aw.load_config`, `aw.score`, `aw.withdraw`, `aw.train`, `aw.recalibrate`,
`aw.evaluate`, `aw.explain`, `aw.load_bundle`, `aw.synthesise` and `aw.AgeingWellError`, the base of every error a user can mend; the steps
themselves are imported from their files.
Nothing heavy is imported until it is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ageingwell.errors import AgeingWellError

if TYPE_CHECKING:
    from ageingwell.bundle import load_bundle
    from ageingwell.config.load import load_config
    from ageingwell.jobs.asking import explain
    from ageingwell.jobs.checking import check
    from ageingwell.learning.evaluating import evaluate
    from ageingwell.learning.recalibrating import recalibrate
    from ageingwell.learning.training import train
    from ageingwell.model.estimator import RiskModel
    from ageingwell.night.score import score
    from ageingwell.night.withdrawing import withdraw
    from ageingwell.synthetic.county import synthesise

__all__ = [
    "AgeingWellError",
    "RiskModel",
    "check",
    "evaluate",
    "explain",
    "load_bundle",
    "load_config",
    "recalibrate",
    "score",
    "synthesise",
    "train",
    "withdraw",
]

_WHERE = {
    "RiskModel": "ageingwell.model.estimator",
    "check": "ageingwell.jobs.checking",
    "evaluate": "ageingwell.learning.evaluating",
    "explain": "ageingwell.jobs.asking",
    "load_bundle": "ageingwell.bundle",
    "load_config": "ageingwell.config.load",
    "recalibrate": "ageingwell.learning.recalibrating",
    "score": "ageingwell.night.score",
    "synthesise": "ageingwell.synthetic.county",
    "train": "ageingwell.learning.training",
    "withdraw": "ageingwell.night.withdrawing",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'ageingwell' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)
