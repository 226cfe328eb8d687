"""`RiskModel` beside its rivals on public sets that were named after its design was frozen, and run once.

    python benchmarks/risk_model_unseen.py > table.md

Three folds each. Needs what `risk_model.py` needs. `LightGBM, tuned` chooses among six shapes, and how many trees, by
a fifth of its rows, and is fitted again on all of them.
"""

import itertools
import sys
import time
import warnings
from collections.abc import Iterator

import lightgbm
import numpy as np
import pandas as pd
import polars as pl
from risk_model import RIVALS, to_pandas
from risk_model_data import Task, _of_r, _task
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold, train_test_split

AIM = 0.003


def unseen() -> Iterator[Task]:
    """Fourteen sets of people, homes and letters, what was known only with the outcome left out."""
    labour = _of_r("AER", "SwissLabor")
    yield _task("SwissLabor, works", labour, labour.pop("participation") == "yes")
    wives = _of_r("AER", "PSID1976").drop(columns=["hours", "wage", "repwage", "hhours", "tax", "fincome"])
    yield _task("PSID1976, works", wives, wives.pop("participation") == "yes")
    titanic = _of_r("carData", "TitanicSurvival")
    yield _task("TitanicSurvival, survived", titanic, titanic.pop("survived") == "yes")
    affairs = _of_r("AER", "Affairs")
    yield _task("Affairs, any", affairs, affairs.pop("affairs") > 0)
    juice = _of_r("ISLR", "OJ")
    yield _task("OJ, buys Minute Maid", juice, juice.pop("Purchase") == "MM")
    cards = _of_r("AER", "CreditCard").drop(columns=["share", "expenditure"])
    yield _task("CreditCard, refused", cards, cards.pop("card") == "no")
    gammopathy = _of_r("survival", "mgus2")
    known = (gammopathy.futime >= 120) | (gammopathy.death == 1)
    gammopathy = gammopathy[known].reset_index(drop=True)
    died = (gammopathy.death == 1) & (gammopathy.futime <= 120)
    yield _task("mgus2, death in 10 years", gammopathy.drop(columns=["id", "futime", "death", "ptime", "pstat"]), died)
    mortgages = _of_r("Ecdat", "Hmda").dropna().reset_index(drop=True)
    yield _task("Hmda, mortgage denied", mortgages, mortgages.pop("deny") == "yes")
    chile = _of_r("carData", "Chile")
    chile = chile[chile.vote.isin(["Y", "N"])].reset_index(drop=True)
    yield _task("Chile, votes yes", chile, chile.pop("vote") == "Y")
    staff = _of_r("modeldata", "attrition")
    yield _task("attrition, leaves", staff, staff.pop("Attrition") == "Yes")
    letters = _of_r("openintro", "email").drop(columns=["time"])
    yield _task("email, spam", letters, letters.pop("spam").astype(int) == 1)
    credit = _of_r("modeldata", "credit_data")
    yield _task("credit_data, bad", credit, credit.pop("Status") == "bad")
    churn = _of_r("modeldata", "mlc_churn")
    yield _task("mlc_churn, leaves (51 states)", churn, churn.pop("churn") == "yes")
    spam = _of_r("DAAG", "spam7")
    yield _task("spam7, spam", spam, spam.pop("yesno") == "y")


def tuned(fit_on: pl.DataFrame, outcome: np.ndarray, judge: pl.DataFrame) -> np.ndarray:
    table = to_pandas(fit_on)
    other = to_pandas(judge, like=table)
    rest, held = train_test_split(np.arange(len(outcome)), test_size=0.2, random_state=0, stratify=outcome)
    best: tuple[float, dict[str, float]] | None = None
    for leaves, least, rate in itertools.product((4, 12, 31), (5, 30), (0.05,)):
        shape = {"num_leaves": leaves, "min_child_samples": least, "learning_rate": rate, "colsample_bytree": 0.7}
        model = lightgbm.LGBMClassifier(**shape, n_estimators=600, verbosity=-1, random_state=0, n_jobs=1)
        model.fit(
            table.iloc[rest],
            outcome[rest],
            eval_X=(table.iloc[held],),
            eval_y=(outcome[held],),
            callbacks=[lightgbm.early_stopping(30, verbose=False)],
        )
        loss = log_loss(outcome[held], model.predict_proba(table.iloc[held])[:, 1])
        if best is None or loss < best[0]:
            best = loss, {**shape, "n_estimators": max(1, model.best_iteration_)}
    assert best is not None
    model = lightgbm.LGBMClassifier(**best[1], verbosity=-1, random_state=0, n_jobs=1).fit(table, outcome)
    return model.predict_proba(other)[:, 1]


def on_folds(task: Task) -> str:
    folds = list(StratifiedKFold(3, shuffle=True, random_state=0).split(task.outcome, task.outcome))
    areas, seconds = {}, {}
    for name, fit in {**RIVALS, "LightGBM, tuned": tuned}.items():
        start = time.process_time()
        areas[name] = np.array(
            [
                roc_auc_score(task.outcome[off], fit(task.frame[on], task.outcome[on], task.frame[off]))
                for on, off in folds
            ]
        )
        seconds[name] = (time.process_time() - start) / len(folds)
    mine = areas.pop("RiskModel")
    best = max(areas, key=lambda name: areas[name].mean())
    apart = mine - areas[best]
    each = " | ".join(f"{areas[name].mean():.4f}" for name in areas)
    reached = "yes" if apart.mean() >= -AIM else "no"
    return (
        f"| {task.name} | {task.frame.height:,} | {int(task.outcome.sum()):,} | {mine.mean():.4f} | {each} | "
        f"{apart.mean():+.4f} ± {apart.std(ddof=1) / np.sqrt(len(apart)):.4f} | {best} | {seconds['RiskModel']:.1f} | "
        f"{reached} |"
    )


def main() -> None:
    warnings.filterwarnings("ignore")
    rivals = [name for name in {**RIVALS, "LightGBM, tuned": tuned} if name != "RiskModel"]
    print(
        f"| data | rows | events | RiskModel | {' | '.join(rivals)} | against the best | best | CPU s | within 0.003 |"
    )
    print("|---" * (len(rivals) + 8) + "|", flush=True)
    for task in unseen():
        if len(sys.argv) < 2 or any(word in task.name for word in sys.argv[1:]):
            print(on_folds(task), flush=True)


if __name__ == "__main__":
    pd.set_option("future.no_silent_downcasting", True) if pd.__version__ < "3" else None
    main()
