"""Find the older people who face the greatest risks to their health and independence, and fit offers of help to them.

`import ageingwell as aw` gives `aw.load_config`, `aw.score`, `aw.train`, `aw.recalibrate`, `aw.evaluate`, `aw.explain`,
`aw.load_bundle`, `aw.synthesise` and `aw.AgeingWellError`, the base of every error a user can mend; the steps
themselves are imported from their files.
Nothing heavy is imported until it is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ageingwell.errors import AgeingWellError

if TYPE_CHECKING:
    from ageingwell.bundle import load_bundle
    from ageingwell.config.load import load_config
    from ageingwell.model.estimator import RiskModel
    from ageingwell.pipeline.asking import explain
    from ageingwell.pipeline.checking import check
    from ageingwell.pipeline.evaluating import evaluate
    from ageingwell.pipeline.night import score
    from ageingwell.pipeline.recalibrating import recalibrate
    from ageingwell.pipeline.training import train
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
]

_WHERE = {
    "RiskModel": "ageingwell.model.estimator",
    "check": "ageingwell.pipeline.checking",
    "evaluate": "ageingwell.pipeline.evaluating",
    "explain": "ageingwell.pipeline.asking",
    "load_bundle": "ageingwell.bundle",
    "load_config": "ageingwell.config.load",
    "recalibrate": "ageingwell.pipeline.recalibrating",
    "score": "ageingwell.pipeline.night",
    "synthesise": "ageingwell.synthetic.county",
    "train": "ageingwell.pipeline.training",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'ageingwell' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)
