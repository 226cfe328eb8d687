"""Compare two published nights: have people, or their risks, changed?"""

from pathlib import Path

import polars as pl

from ageingwell.errors import SourceError
from ageingwell.evaluation.drift import mean_risk_shift, population_stability
from ageingwell.kept.sealed import read_kept


def compare_nights(then: Path, now: Path, *, draws: int = 200, seed: int = 1) -> pl.DataFrame:
    """How far everybody's risks have moved between two nights: column, measure, value, low, high, n, change.

    `then` and `now` are folders of published nights, `outreach/2026-11-22` for example. Of each risk and of
    `n_known_agencies` it gives the stability index (`change` tells whether it is more than chance; whole households
    are drawn) and the shift of the mean. Outcomes are not looked at: they have not settled yet, and
    `evaluation.drift.calibration_drift` compares what risks meant once they have.

    Raises `SourceError` for a folder without scores of people, such as a night by rules alone.
    """
    before, after = (_scores(folder) for folder in (then, now))
    columns = [name for name in before.columns if name.startswith("risk") or name == "n_known_agencies"]
    shared = [name for name in columns if name in after.columns]
    homes = tuple(frame["home"].to_numpy() for frame in (before, after))
    stability = population_stability(
        before.select(shared), after.select(shared), draws=draws, seed=seed, households=(homes[0], homes[1])
    )
    # A night may hold a column of which nothing is known; of the others, people of whom it is known.
    known = {name: (_known(before[name]), _known(after[name])) for name in shared}
    shifts = [_shift(name, *risks) for name, risks in known.items() if all(len(risk) for risk in risks)]
    figures = ["column", "measure", "value", "low", "high", "n", "change"]
    index = stability.with_columns(measure=pl.lit("stability index")).select(figures)
    return pl.concat([index, *(shift.select(figures) for shift in shifts)]).sort("column", maintain_order=True)


def _known(risk: pl.Series) -> pl.Series:
    return risk.cast(pl.Float64).fill_nan(None).drop_nulls()


def _shift(name: str, before: pl.Series, after: pl.Series) -> pl.DataFrame:
    table = mean_risk_shift(before.to_numpy(), after.to_numpy())
    return table.with_columns(
        column=pl.lit(name), measure=pl.lit("mean ") + pl.col("measure"), change=pl.lit(None, dtype=pl.String)
    )


def _scores(folder: Path) -> pl.DataFrame:
    try:
        scores = pl.read_parquet(read_kept(folder, "scores.parquet"))
    except FileNotFoundError:
        raise SourceError(f"{folder.name}: there is no scores.parquet", "name the folder of a night") from None
    told = scores.drop_nulls("risk")
    if told.is_empty():
        raise SourceError(f"{folder.name}: nobody was scored that night", "compare nights that had a usable model")
    return told.with_columns(home=pl.coalesce("household_id", "person_id"))
