"""Every measure of one outcome's risks, as tidy tables: what `train` stores in a bundle and `evaluate` writes."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import logit

from ageingwell.evaluation.brier import brier
from ageingwell.evaluation.calibration import (
    calibration,
    calibration_groups,
    calibration_intercept,
    calibration_slope,
    observed_over_expected,
)
from ageingwell.evaluation.discrimination import AGE_BANDS, auroc, paired_differences
from ageingwell.evaluation.groups import AT_THE_CUT, by_group
from ageingwell.evaluation.ici import calibration_index
from ageingwell.evaluation.utility import as_risk, at_capacities, net_benefit, net_benefit_gain, spend_ceiling
from ageingwell.evaluation.wall import GAIN, LOGISTIC, MACHINE, MODEL, benchmark_wall, verdict
from ageingwell.features.build import names
from ageingwell.governance.disclosure import disclose, hide_benefit, hide_small, round_benefit, round_events
from ageingwell.learning.ranges import alike, range_facts, ranges_by_band
from ageingwell.learning.rivals import boosting_machine, logistic_regression, simple_rivals
from ageingwell.model.fitted import FittedRisk

Floats = NDArray[np.float64]
THRESHOLDS = (0.05, 0.10, 0.15, 0.20, 0.30, 0.40, 0.50)
WALL_THRESHOLD = 0.20
# A quarter's lists: most people on them are different ones, and there are enough of them to count.
WEEKS = 13
TINY = 1e-12


@dataclass(frozen=True)
class Held:
    """The people held out, who were at risk of one outcome: all arrays (n,), in one order.

    `scores` hold the model's risk under `model` and every rival's score; `places` how many of these people each
    agency would reach (its capacity over the weeks looked at, cut to the share of people held out).
    """

    outcome: NDArray[np.int8]
    age: Floats
    scores: Mapping[str, Floats]
    groupings: Mapping[str, pl.Series]
    places: Mapping[str, int]
    households: NDArray[np.str_]
    alike: NDArray[np.str_]

    @property
    def risk(self) -> Floats:
        """The model's risk."""
        return self.scores[MODEL]

    @property
    def k(self) -> int:
        """The length of a list that all agencies together can serve, at least one and at most everybody."""
        return min(max(1, sum(self.places.values())), self.outcome.size)


def places_of(capacity: Mapping[str, int], *, weeks: int, share: float) -> dict[str, int]:
    """How many of the people held out each agency reaches: its doors a week over the weeks, cut to their share.

    >>> places_of({"fire": 20, "gp": 10}, weeks=13, share=0.3)
    {'fire': 78, 'gp': 39}
    """
    return {agency: round(doors * weeks * share) for agency, doors in capacity.items()}


def hold(
    outcome: str,
    model: FittedRisk,
    *,
    test: pl.DataFrame,
    fit: pl.DataFrame,
    places: Mapping[str, int],
    machine_seed: int | None = None,
) -> Held | None:
    """Those of `test` who were at risk of the outcome, with the model's risks and every rival's scores.

    None where everybody had the outcome or nobody, so that a measure would have nothing to compare. `fit` is what
    logistic regression is fitted on; both frames are parts of `look_back`. With `machine_seed` an explainable boosting
    machine is fitted too, where it is installed; a bundle goes without, for its bytes must not depend on that.
    """
    at_risk, fitted_on = (rows.drop_nulls(outcome) for rows in (test, fit))
    happened, before = (rows[outcome].cast(pl.Int8).to_numpy() for rows in (at_risk, fitted_on))
    if not 0 < happened.sum() < happened.size:
        return None
    scores = {MODEL: model.risk(model.score(at_risk)), **simple_rivals(at_risk)}
    if 0 < before.sum() < before.size:
        logistic = logistic_regression(fitted_on, before, at_risk, features=names())
        scores |= {} if logistic is None else {LOGISTIC: logistic}
        if machine_seed is not None:
            machine = boosting_machine(fitted_on, before, at_risk, features=names(), seed=machine_seed)
            scores |= {} if machine is None else {MACHINE: machine}
    return Held(
        outcome=happened,
        age=at_risk["age"].to_numpy(),
        scores=scores,
        groupings=groupings(at_risk, names()),
        places=places,
        households=at_risk["household"].to_numpy(),
        alike=alike(at_risk),
    )


def in_short(held: Held, tables: Mapping[str, pl.DataFrame], *, seed: int) -> dict[str, Any]:
    """What a card, a page and the command line tell of one outcome: counts, area, calibration, rivals, verdict …"""
    wall = tables["wall"]
    areas = {(row["name"], row["band"]): _told(row) for row in wall.filter(measure="auroc").iter_rows(named=True)}
    gains = {row["name"]: _told(row) for row in wall.filter(measure=GAIN).iter_rows(named=True)}
    line = {row["measure"]: _told(row)["value"] for row in tables["calibration"].iter_rows(named=True)}
    return {
        "n": int(held.outcome.size),
        "n_events": int(held.outcome.sum()),
        "mean_risk": round(float(held.risk.mean()), 6),
        "auroc": areas[MODEL, "all"],
        "auroc_by_age": {band: areas[MODEL, band] for band in AGE_BANDS},
        "calibration": {"intercept": line["intercept"], "slope": line["slope"]},
        "rivals": {name: {**areas[name, "all"], "beaten_by": gain} for name, gain in gains.items()},
        "verdict": asdict(verdict(wall)),
        "range": range_facts(held.outcome, _odds(held), households=held.households, alike=held.alike, seed=seed),
    }


def _odds(held: Held) -> Floats:
    return np.asarray(logit(np.clip(held.risk, TINY, 1 - TINY)))


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    figures = {name: None if row[name] is None else round(row[name], 4) for name in ("value", "low", "high")}
    return {**figures, "n": row["n"], "n_events": row["n_events"]}


def measure(held: Held, *, cost_gbp: float | None, draws: int, seed: int) -> dict[str, pl.DataFrame]:
    """Every table of one outcome, by its name; without a cost there is no spend ceiling.

    Bootstrap intervals (average precision, Brier and its parts, the calibration index) draw whole households. Those of
    areas (DeLong, Newcombe), shares (Wilson, Clopper-Pearson, Jeffreys), calibration lines (Wald) and net benefit
    (Wilson) follow from formulas that take people as independent of one another. Figures on 1 to 7 people or events are
    empty in the curve, the age bands, the lists and the groups, for the tables travel with a bundle; net benefit is
    where 1 to 7 of those visited had the event or had it not. Lists that lie one within the other, and net benefit,
    rest on counts to the nearest five, so that nobody is the difference of two figures.
    """
    y, risk, homes = held.outcome, held.risk, held.households
    odds = _odds(held)
    as_risks = {name: score if _is_risk(name) else as_risk(y, score) for name, score in held.scores.items()}
    benefit = hide_benefit(net_benefit(y, as_risks, thresholds=THRESHOLDS))
    tables = {
        "wall": _wall(held, draws=draws, seed=seed),
        "differences": paired_differences(y, held.scores, model=MODEL, draws=draws, seed=seed, households=homes),
        "calibration": pl.concat(
            [
                calibration(y, odds),
                brier(y, risk, groups=10, draws=draws, seed=seed, households=homes),
                calibration_index(y, risk, draws=min(draws, 100), seed=seed, households=homes),
            ]
        ),
        "ranges": ranges_by_band(y, odds, households=homes, alike=held.alike, seed=seed),
        "calibration_curve": hide_small(calibration_groups(y, risk, groups=10)),
        "capacity": round_events(hide_small(at_capacities(y, risk, capacities=held.places))),
        "net_benefit": benefit,
        "net_benefit_gain": _gain(net_benefit_gain(y, as_risks, model=MODEL, thresholds=THRESHOLDS), benefit),
        "groups": hidden_where_small(_groups(held)),
    }
    if cost_gbp is not None:
        tables["spend_ceiling"] = round_events(hide_small(spend_ceiling(y, risk, cost_gbp=cost_gbp)))
    return tables


def _gain(gain: pl.DataFrame, benefit: pl.DataFrame) -> pl.DataFrame:
    """The gains in net benefit as they may leave: empty where either side's own benefit is."""
    shown = benefit.filter(pl.col("value").is_not_null()).select("threshold", "strategy")
    ours = shown.filter(strategy=MODEL)["threshold"].implode()
    both = shown.select("threshold", rival="strategy", is_shown=pl.lit(value=True))
    told = gain.join(both, on=["threshold", "rival"], how="left", maintain_order="left")
    is_shown = pl.col("is_shown").is_not_null() & pl.col("threshold").is_in(ours)
    hidden = told.with_columns(pl.when(is_shown).then(pl.col(name)).alias(name) for name in ("value", "low", "high"))
    return round_benefit(hidden).drop("is_shown")


def _wall(held: Held, *, draws: int, seed: int) -> pl.DataFrame:
    """The benchmark wall; of few events in an age band or on a list it says nothing."""
    wall = benchmark_wall(
        held.scores,
        outcome=held.outcome,
        age=held.age,
        k=held.k,
        threshold=WALL_THRESHOLD,
        draws=draws,
        seed=seed,
        households=held.households,
    )
    # The verdict reads these, and calls too few events too few.
    is_read = (pl.col("band") == "all") & pl.col("measure").is_in(["auroc", GAIN])
    parts = wall.with_row_index("place")
    others = hide_small(parts.filter(~is_read))
    of_list, worth = pl.col("measure").is_in(["ppv", "sensitivity", "lift"]), pl.col("measure") == "net_benefit"
    shown = [
        parts.filter(is_read),
        round_events(others.filter(of_list)),
        round_benefit(others.filter(worth)),
        others.filter(~(of_list | worth)),
    ]
    return pl.concat(shown).sort("place").drop("place")


def hidden_where_small(groups: pl.DataFrame) -> pl.DataFrame:
    """The table of groups as it may leave: figures on 1 to 7 people or events empty, every count through the door.

    >>> told = {"value": [0.5, 0.2], "low": [0.1, 0.1], "high": [0.9, 0.3], "n": [2, 203], "n_events": [1, 41]}
    >>> gaps = {"difference": [0.1, 0.0], "difference_low": [0.0, 0.0], "difference_high": [0.2, 0.1]}
    >>> hidden_where_small(pl.DataFrame({**told, **gaps, "is_small": [True, False]})).select("value", "n").rows()
    [(None, None), (0.2, 205)]
    """
    figures = ("value", "low", "high", "difference", "difference_low", "difference_high")
    return groups.with_columns(
        *(pl.when(~pl.col("is_small")).then(pl.col(name)).alias(name) for name in figures),
        *(disclose(pl.col(name)).alias(name) for name in ("n", "n_events")),
    )


def listed_at(risk: Floats, k: int) -> NDArray[np.bool_]:
    """Whether each person stands among the `k` highest risks; of people of one risk, the first ones do."""
    listed = np.zeros(risk.size, dtype=bool)
    listed[np.argsort(-risk, kind="stable")[:k]] = True
    return listed


def _groups(held: Held) -> pl.DataFrame:
    at_the_cut = by_group(AT_THE_CUT, held.outcome, listed_at(held.risk, held.k), groupings=held.groupings)
    of_risks = {
        "auroc": auroc,
        "observed over expected": observed_over_expected,
        "calibration slope": calibration_slope,
        "calibration intercept": calibration_intercept,
    }
    return pl.concat([at_the_cut, by_group(of_risks, held.outcome, held.risk, groupings=held.groupings)])


def _is_risk(name: str) -> bool:
    return name in (MODEL, LOGISTIC, MACHINE)


def groupings(people: pl.DataFrame, features: Sequence[str]) -> dict[str, pl.Series]:
    """Who is compared with whom: labels of each person, missing where not known.

    `people` hold the features, and ethnic_group and practice_code of the spine.
    """
    known = pl.sum_horizontal(pl.col(features).is_not_null())
    third = ((known.rank("average") - 0.5) * 3 / pl.len()).floor().cast(pl.Int64)
    social, private = pl.col("is_social_rented"), pl.col("is_private_rented")
    fifth = ((pl.col("deprivation_decile") + 1) / 2).floor().cast(pl.Int64).cast(pl.String)
    labels = people.select(
        sex=pl.when(pl.col("is_female") == 1)
        .then(pl.lit("female"))
        .when(pl.col("is_female") == 0)
        .then(pl.lit("male")),
        age_band=pl.coalesce(
            pl.when(pl.col("age").is_between(first, end, closed="left")).then(pl.lit(band))
            for band, (first, end) in AGE_BANDS.items()
        ),
        ethnic_group=pl.col("ethnic_group").cast(pl.String),
        deprivation_fifth=pl.when(fifth == "1").then(pl.lit("1 (most deprived)")).otherwise(fifth),
        rurality=pl.when(pl.col("is_rural") == 1)
        .then(pl.lit("rural"))
        .when(pl.col("is_rural") == 0)
        .then(pl.lit("urban")),
        tenure=pl.when(social == 1)
        .then(pl.lit("social rented"))
        .when(private == 1)
        .then(pl.lit("private rented"))
        .when((social == 0) & (private == 0))
        .then(pl.lit("owned or other")),
        practice=pl.col("practice_code").cast(pl.String),
        data_completeness=pl.when(third == 0)
        .then(pl.lit("least complete third"))
        .when(third == 1)
        .then(pl.lit("middle third"))
        .otherwise(pl.lit("most complete third")),
    )
    return {name: labels[name] for name in labels.columns}
