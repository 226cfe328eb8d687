"""Find the older people who face the greatest risks to their health and independence, and fit offers of help to them.

`import ageingwell as aw`, then `aw.` and the Tab key show what there is. `aw.RiskModel` takes any table of people;
`aw.score` and `aw.outreach_list` make a list from the agencies' records; `aw.evaluation` holds the measures. Days are
given as a `date` or as "2026-11-22", paths as text or `Path`, settings as a file or not at all.

The steps of a night are imported from their files. Nothing heavy is imported until it is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ageingwell.errors import AgeingWellError

__version__ = "0.1.0"

if TYPE_CHECKING:
    from ageingwell import evaluation
    from ageingwell.bundle import load_bundle
    from ageingwell.config.load import load_config
    from ageingwell.jobs.asking import demo, explain
    from ageingwell.jobs.checking import check
    from ageingwell.jobs.connecting import connect
    from ageingwell.jobs.impacting import impact
    from ageingwell.jobs.settling_in import init
    from ageingwell.learning.evaluating import evaluate
    from ageingwell.learning.recalibrating import recalibrate
    from ageingwell.learning.training import train
    from ageingwell.meeting.recording import record
    from ageingwell.model.estimator import RiskModel
    from ageingwell.night.in_memory import outreach_list
    from ageingwell.night.score import score
    from ageingwell.night.withdrawing import withdraw
    from ageingwell.pseudonyms import Key
    from ageingwell.synthetic.county import CountyPlan, synthesise

__all__ = [
    "AgeingWellError",
    "CountyPlan",
    "Key",
    "RiskModel",
    "check",
    "connect",
    "demo",
    "evaluate",
    "evaluation",
    "explain",
    "impact",
    "init",
    "load_bundle",
    "load_config",
    "outreach_list",
    "recalibrate",
    "record",
    "score",
    "seal",
    "synthesise",
    "train",
    "withdraw",
]

_WHERE = {
    "CountyPlan": "ageingwell.synthetic.county",
    "Key": "ageingwell.pseudonyms",
    "RiskModel": "ageingwell.model.estimator",
    "check": "ageingwell.jobs.checking",
    "connect": "ageingwell.jobs.connecting",
    "demo": "ageingwell.jobs.asking",
    "evaluate": "ageingwell.learning.evaluating",
    "explain": "ageingwell.jobs.asking",
    "impact": "ageingwell.jobs.impacting",
    "init": "ageingwell.jobs.settling_in",
    "load_bundle": "ageingwell.bundle",
    "load_config": "ageingwell.config.load",
    "outreach_list": "ageingwell.night.in_memory",
    "recalibrate": "ageingwell.learning.recalibrating",
    "record": "ageingwell.meeting.recording",
    "score": "ageingwell.night.score",
    "seal": "ageingwell.jobs.sealing",
    "synthesise": "ageingwell.synthetic.county",
    "train": "ageingwell.learning.training",
    "withdraw": "ageingwell.night.withdrawing",
}


def __getattr__(name: str) -> Any:
    if name == "evaluation":
        return import_module("ageingwell.evaluation")
    if name not in _WHERE:
        raise AttributeError(f"module 'ageingwell' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__doc__", "__version__"]
