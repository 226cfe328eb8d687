"""The effect of being offered a visit on each outcome, for everybody, by agency and by need: one tidy table."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from ageingwell.errors import NoComparisonError
from ageingwell.evaluation.effect import effect_by_lot, effects_of_visits
from ageingwell.evaluation.estimate import Estimate, untold
from ageingwell.learning.later_records import OUTCOMES_COUNTED, PRIOR, YEAR_BEFORE

EVERYBODY: Final = "all"
BY_LOT, MATCHED = "lot", "matched"
# Fewer homes on a side of a lot than these say nothing; the interval of so few is no guide.
FEWEST_DRAWN: Final = 20
# With fewer people who had something happen to them, nobody can say on which side it happens more.
FEWEST_EVENTS: Final = 20
_ENDS: Final = ("value", "low", "high")
TRAITS: Final = ("age", "is_female", "deprivation_decile")
TOLD: Final = pl.Schema(
    {
        "by": pl.String,
        "name": pl.String,
        "method": pl.String,
        "days": pl.Int64,
        "outcome": pl.String,
        "value": pl.Float64,
        "low": pl.Float64,
        "high": pl.Float64,
        "n_visited": pl.Int64,
        "n_others": pl.Int64,
        "happened_visited": pl.Int64,
        "happened_others": pl.Int64,
        "visited": pl.Float64,
        "spread": pl.Float64,
        "left_out": pl.Float64,
        "hidden": pl.Float64,
        "why_not": pl.String,
    }
)
BALANCE: Final = pl.Schema(
    {
        "by": pl.String,
        "name": pl.String,
        "method": pl.String,
        "days": pl.Int64,
        "trait": pl.String,
        "visited": pl.Float64,
        "others": pl.Float64,
        "standardised_gap": pl.Float64,
        "n_visited": pl.Int64,
        "n_others": pl.Int64,
    }
)
CHECKS: Final = pl.Schema(
    {
        "by": pl.String,
        "name": pl.String,
        "method": pl.String,
        "days": pl.Int64,
        "check": pl.String,
        "value": pl.Float64,
        "low": pl.Float64,
        "high": pl.Float64,
        "n_visited": pl.Int64,
        "n_others": pl.Int64,
    }
)


@dataclass(frozen=True)
class EffectsTold:
    """`effects` (`TOLD`), how alike the two sides are (`BALANCE`), and what cannot have changed (`CHECKS`)."""

    effects: pl.DataFrame
    balance: pl.DataFrame
    checks: pl.DataFrame


@dataclass(frozen=True)
class _Group:
    by: str
    name: str
    method: str
    days: int
    rows: pl.DataFrame

    @property
    def labels(self) -> dict[str, Any]:
        return {"by": self.by, "name": self.name, "method": self.method, "days": self.days}


def effects_told(arms: Mapping[str, pl.DataFrame], *, days: int) -> EffectsTold:
    """Compare each side of the arms (`lot`, `matched`) for everybody, each agency and each need, on every outcome.

    An arm has the columns of `ARM`, those of `later_records` and `TRAITS`. An outcome that the records cannot tell is
    missing for everybody and is told by none.
    """
    found: tuple[list[Any], list[Any], list[Any]] = ([], [], [])
    for method, rows in arms.items():
        for by, name, part in _groups(rows, method):
            group = _Group(by, name, method, days, part)
            for at, told in enumerate(_by_lot(group) if method == BY_LOT else _matched(group)):
                found[at].extend(told)
    frames = (pl.DataFrame(told, schema=schema) for told, schema in zip(found, (TOLD, BALANCE, CHECKS), strict=True))
    return EffectsTold(*frames)


def _groups(rows: pl.DataFrame, method: str) -> Iterator[tuple[str, str, pl.DataFrame]]:
    """Everybody; then those an agency leads on beside all others, by lot each agency's own; then those with a need."""
    yield EVERYBODY, EVERYBODY, rows
    leads = rows.filter("is_visited")["lead_agency"].drop_nulls().unique().sort()
    for agency in leads:
        is_theirs = pl.col("lead_agency") == agency
        yield "agency", agency, rows.filter(is_theirs if method == BY_LOT else is_theirs | ~pl.col("is_visited"))
    for need in rows.filter("is_visited")["needs"].explode().drop_nulls().unique().sort():
        yield "need", need, rows.filter(pl.col("needs").list.contains(need))


def _rows_of(group: _Group, told: Iterable[tuple[str, Estimate, str | None, float | None, float | None]]) -> list[Any]:
    ours, others = (group.rows.filter(pl.col("is_visited") == side) for side in (True, False))
    listed = []
    for outcome, estimate, why_not, left_out, hidden in told:
        happened = [side.filter(pl.col(outcome) > 0)["person_id"].n_unique() for side in (ours, others)]
        if why_not is None and sum(happened) < FEWEST_EVENTS:
            why_not = f"fewer than {FEWEST_EVENTS} people had it"
        time = float(ours["followed"].sum())
        listed.append(
            {
                **group.labels,
                **_sides(group.rows),
                "outcome": outcome,
                **(_ends(estimate) if why_not is None else dict.fromkeys(_ENDS)),
                "happened_visited": happened[0],
                "happened_others": happened[1],
                "visited": float(ours[outcome].sum()) / time if time else None,
                "spread": ours[outcome].std(),
                "left_out": left_out,
                "hidden": hidden,
                "why_not": why_not,
            }
        )
    return listed


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _outcomes(rows: pl.DataFrame) -> Sequence[str]:
    return [name for name in OUTCOMES_COUNTED if not rows[name].is_null().any()]


def _by_lot(group: _Group) -> tuple[list[Any], list[Any], list[Any]]:
    rows = group.rows
    why = _too_few(rows)
    told: list[tuple[str, Estimate, str | None, float | None, float | None]] = []
    for outcome in _outcomes(rows):
        if why is not None:
            told.append((outcome, untold(rows.height, 0), why, None, None))
            continue
        found = _of_lot(rows, outcome, followed=True)
        told.append((outcome, found, None, 0.0, None))
    checks = []
    if why is None and not rows[YEAR_BEFORE].is_null().any():
        found = _of_lot(rows, YEAR_BEFORE, followed=False)
        checks.append({**group.labels, "check": YEAR_BEFORE, **_ends(found), **_sides(rows)})
    return _rows_of(group, told), _balance_of_lot(group) if why is None else [], checks


def _of_lot(rows: pl.DataFrame, outcome: str, *, followed: bool) -> Estimate:
    traits = {name: rows[name].to_numpy() for name in (PRIOR, *TRAITS) if not rows[name].is_null().any()}
    return effect_by_lot(
        rows[outcome].to_numpy(),
        rows["is_visited"].to_numpy(),
        chance=rows["chance"].to_numpy(),
        traits=traits,
        households=rows["home"].to_numpy(),
        followed=rows["followed"].to_numpy() if followed else None,
    )


def _too_few(rows: pl.DataFrame) -> str | None:
    homes = [rows.filter(pl.col("is_visited") == side)["home"].n_unique() for side in (True, False)]
    if min(homes) < FEWEST_DRAWN:
        return f"fewer than {FEWEST_DRAWN} homes were picked at random, or fewer than {FEWEST_DRAWN} were not"
    return None


def _balance_of_lot(group: _Group) -> list[Any]:
    rows, told = group.rows, []
    for trait in (PRIOR, *TRAITS):
        if rows[trait].is_null().any():
            continue
        sides = [rows.filter(pl.col("is_visited") == side)[trait].cast(pl.Float64) for side in (True, False)]
        means, spread = [float(side.mean() or 0.0) for side in sides], float(sides[0].std() or 0.0)  # type: ignore[arg-type]
        gap = (means[0] - means[1]) / spread if spread else None
        told.append(
            {
                **group.labels,
                "trait": trait,
                "visited": means[0],
                "others": means[1],
                "standardised_gap": gap,
                **_sides(rows),
            }
        )
    return told


def _matched(group: _Group) -> tuple[list[Any], list[Any], list[Any]]:
    rows = group.rows.filter(pl.col("risk").is_not_null())
    outcomes, why = _outcomes(rows), _why_no_match(group.rows, rows)
    if why is None:
        try:
            found = effects_of_visits(
                {name: rows[name].to_numpy() for name in outcomes},
                rows["is_visited"].to_numpy(),
                risk=rows["risk"].to_numpy(),
                prior=rows[PRIOR].to_numpy(),
                traits={name: rows[name].to_numpy() for name in TRAITS},
                unchanged={YEAR_BEFORE: rows[YEAR_BEFORE].to_numpy()},
                within=rows["index_on"].cast(pl.String).to_numpy(),
                households=rows["home"].to_numpy(),
                followed=rows["followed"].to_numpy(),
            )
        except NoComparisonError as fault:
            why = fault.found
    if why is not None:
        return _rows_of(group, [(name, untold(rows.height, 0), why, None, None) for name in outcomes]), [], []
    told = [(name, one.estimate, one.why_not, one.left_out, one.hidden) for name, one in found.items()]
    first = next(iter(found.values()))
    balance = first.balance.rename({"controls": "others"})
    sides = _sides(rows)
    return (
        _rows_of(group, told),
        [{**group.labels, **sides, **row} for row in balance.to_dicts()],
        [
            {**group.labels, **sides, "check": row["name"], **{end: row[end] for end in _ENDS}}
            for row in first.checks.to_dicts()
        ],
    )


def _why_no_match(everybody: pl.DataFrame, rows: pl.DataFrame) -> str | None:
    """Why no comparison is tried: no estimates, no hospital records, or records that begin too late for the check."""
    if rows.is_empty() or rows.height < everybody.height / 2:
        return "there are no estimates of the nights in which people were listed"
    if rows[PRIOR].is_null().any():
        return "there are no hospital records, so nobody can say who had the same past"
    if rows[YEAR_BEFORE].sum() == 0:
        return "the hospital records do not go back two years before the list, so nothing checks the comparison"
    return None


def _ends(found: Estimate) -> dict[str, float | None]:
    return {end: _number(getattr(found, end)) for end in _ENDS}


def _sides(rows: pl.DataFrame) -> dict[str, int]:
    sides = {side: rows.filter(pl.col("is_visited") == side)["person_id"].n_unique() for side in (True, False)}
    return {"n_visited": sides[True], "n_others": sides[False]}
