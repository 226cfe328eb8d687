"""The tables of an impact as they may leave: every count through the door, each with its contract."""

from collections.abc import Mapping
from typing import Final

import pandera.polars as pa
import polars as pl

from ageingwell.contracts.impact_made import (
    Agencies,
    Balance,
    Checks,
    Delivered,
    Effects,
    Needed,
    Plans,
    Shares,
)
from ageingwell.contracts.made import validated
from ageingwell.governance.impact_shown import hide_effects, hide_sides, show_chains, show_shares
from ageingwell.learning.delivery import BESIDE_THEM, STAGES
from ageingwell.learning.impact_of import ImpactFound

CONTRACTS: Final[Mapping[str, type[pa.DataFrameModel]]] = {
    "effects": Effects,
    "balance": Balance,
    "checks": Checks,
    "delivered": Delivered,
    "plans": Plans,
    "shares": Shares,
    "agencies": Agencies,
    "needed": Needed,
}


def shown_tables(found: ImpactFound) -> dict[str, pl.DataFrame]:
    """The tables by name (`CONTRACTS`), from the exact ones."""
    both = (found.effects, found.harm)
    tables = {
        "effects": hide_effects(pl.concat([one.effects for one in both])),
        "balance": hide_sides(pl.concat([one.balance for one in both])),
        "checks": hide_sides(pl.concat([one.checks for one in both])),
        "delivered": show_chains(found.delivered, chain=STAGES, beside=BESIDE_THEM, parts=("agency",)),
        "plans": show_chains(found.plans, chain=("planned", "reviewed", "helped"), beside=("completed",), parts=()),
        "shares": show_shares(found.shares),
        "agencies": _agencies(found.agencies),
        "needed": found.needed.with_columns(
            pl.col("effect").round(3),
            pl.col("n_needed").round(0),
            *((pl.col(name) // 5 * 5).alias(name) for name in ("n_in_lots", "n_in_lots_later", "n_listed")),
        ),
    }
    return {name: validated(CONTRACTS[name], table) for name, table in tables.items()}


def _agencies(agencies: pl.DataFrame) -> pl.DataFrame:
    """Agreed and overdue visits of each agency, in words: agency, agreed, overdue, n_overdue (None where hidden)."""
    long = agencies.unpivot(on=["agreed", "overdue"], index="agency", variable_name="stage", value_name="n").select(
        by=pl.lit("agency"), name="agency", stage="stage", n="n"
    )
    if long.is_empty():
        return pl.DataFrame(schema={"agency": pl.String, "agreed": pl.String, "overdue": pl.String})
    shown = show_chains(long, chain=("agreed", "overdue"), beside=(), parts=())
    return shown.pivot(on="stage", index="name", values="shown").rename({"name": "agency"}).sort("agency")
