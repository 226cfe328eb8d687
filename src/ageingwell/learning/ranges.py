"""How ranges around risks are made, in words, and how well they hold on people held out: as a whole and by band."""

from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import expit

from ageingwell.evaluation.estimate import proportion, tidy
from ageingwell.governance.disclosure import hide_small
from ageingwell.model.ranges import BANDS, band_of, range_coverage, range_of, unlikeness
from ageingwell.peers import five_years

Floats = NDArray[np.float64]
RANGE_METHOD: Final = (
    "the 95% interval (Jeffreys) of the share observed among held-out people of about the same risk, in groups by risk "
    "of 200 people or more, and how far people with one record may differ: what no record says is taken to matter as "
    "much as what records say apart from age and sex. The two are squared and added, widened to hold the risk itself, "
    "and drawn straight between groups on the log-odds. Beyond the mean of the highest group no range is given"
)


def alike(people: pl.DataFrame) -> NDArray[np.str_]:
    """The age band and sex of each of these people as one label, (n,).

    >>> alike(pl.DataFrame({"age": [82.0, 97.0], "is_female": [1.0, None]})).tolist()
    ['80 to 84, 1', '90 and over, not known']
    """
    sex = pl.col("is_female").cast(pl.Int64).cast(pl.String).fill_null("not known")
    labels = people.select(label=pl.format("{}, {}", five_years(pl.col("age")).fill_null("not known"), sex))["label"]
    return np.asarray(labels.to_list(), dtype=np.str_)


def range_facts(
    outcome: NDArray[np.int8], odds: Floats, *, households: NDArray[np.str_], alike: NDArray[np.str_], seed: int
) -> dict[str, Any]:
    """How the range around a risk is made, and how well such ranges held on households that did not make them."""
    found = range_coverage(outcome, odds, households=households, unlike=unlikeness(odds, alike), seed=seed)
    told = {"coverage": found.coverage, "n_groups": found.n_groups}
    spread = range_of(outcome, odds)
    return {"method": RANGE_METHOD, "level": 0.95, **told, "checked_up_to": round(float(expit(spread.log_odds[-1])), 4)}


def ranges_by_band(
    outcome: NDArray[np.int8], odds: Floats, *, households: NDArray[np.str_], alike: NDArray[np.str_], seed: int
) -> pl.DataFrame:
    """The ranges by band of the risk shown, and what happened to the people held out: tidy, a row a band.

    All arrays (n,), of people who made neither the model nor its line. `band` is the band's lower end, `band_end` its
    upper, `mean_risk` what was shown, `range_low` and `range_high` the mean ends of the range of the `n_checked` people
    who are told one; `value`, `low` and `high` the share observed with its Jeffreys 95% interval, `n` and `n_events`.
    `coverage` is the share of `n_groups` groups of neighbours that ranges made on other households held. Of 1 to 7
    people or events nothing is told.
    """
    own = unlikeness(odds, alike)
    spread = range_of(outcome, odds, unlike=own)
    low, high = spread.ends(odds)
    held = range_coverage(outcome, odds, households=households, unlike=own, seed=seed).by_band
    columns = {"risk": expit(odds), "_low": low, "_high": high, "y": outcome, "is_checked": spread.is_checked(odds)}
    people = pl.DataFrame(columns).with_columns(band_of(pl.col("risk"))).sort("risk")
    rows = []
    for part in people.partition_by("band", maintain_order=True):
        band, checked = float(part["band"][0]), part.filter("is_checked")
        coverage, n_groups = held.get(band, (None, 0))
        told = {"band": band, "band_end": _end_of(band), "mean_risk": part["risk"].mean(), "n_checked": checked.height}
        ends = {"range_low": checked["_low"].mean(), "range_high": checked["_high"].mean()}
        observed = proportion(int(part["y"].sum()), part.height, method="jeffreys")
        rows.append((told | ends | {"coverage": coverage, "n_groups": n_groups}, observed))
    shown = hide_small(tidy(rows))
    beside = ("mean_risk", "n_checked", "range_low", "range_high", "coverage", "n_groups")
    is_told = pl.col("value").is_not_null()
    return shown.with_columns(pl.when(is_told).then(pl.col(name)).alias(name) for name in beside)


def _end_of(band: float) -> float:
    return (*BANDS[1:], 1.0)[BANDS.index(band)]
