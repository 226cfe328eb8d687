"""The tables of an impact as they may leave: every count through the door, each with its contract."""

import polars as pl

from ageingwell.contracts.impact_made import IMPACT_TABLES
from ageingwell.contracts.made import validated
from ageingwell.governance.disclosure import disclose
from ageingwell.governance.impact_shown import hide_balance, hide_checks, hide_effects, show_chains, show_shares
from ageingwell.learning.delivery import BESIDE_THEM, STAGES
from ageingwell.learning.impact_of import ImpactFound


def shown_tables(found: ImpactFound) -> dict[str, pl.DataFrame]:
    """The tables by name (`IMPACT_TABLES`), from the exact ones."""
    # Where people are followed for the days of the harm watch, the effects tell it too.
    both = (found.effects,) if found.is_harm_watch else (found.effects, found.harm)
    tables = {
        "effects": hide_effects(pl.concat([one.effects for one in both])),
        "balance": hide_balance(pl.concat([one.balance for one in both])),
        "checks": hide_checks(pl.concat([one.checks for one in both])),
        "delivered": show_chains(found.delivered, chain=STAGES, beside=BESIDE_THEM, parts=("agency",)),
        "plans": show_chains(found.plans, chain=("planned", "reviewed", "helped"), beside=("completed",), parts=()),
        "shares": show_shares(found.shares),
        "agencies": _agencies(found.agencies),
        "needed": found.needed.with_columns(
            pl.col("effect").round(2),
            (pl.col("n_needed").cast(pl.Float64).round_sig_figs(2)).cast(pl.Int64).alias("n_needed"),
            *(disclose(pl.col(name)).alias(name) for name in ("n_in_lots", "n_in_lots_later", "n_listed")),
        ),
    }
    return {name: validated(IMPACT_TABLES[name], table) for name, table in tables.items()}


def _agencies(agencies: pl.DataFrame) -> pl.DataFrame:
    """Agreed and overdue visits of each agency, in words: agency, agreed, overdue, n_overdue (None where hidden)."""
    long = agencies.unpivot(on=["agreed", "overdue"], index="agency", variable_name="stage", value_name="n").select(
        by=pl.lit("agency"), name="agency", stage="stage", n="n"
    )
    if long.is_empty():
        return pl.DataFrame(schema={"agency": pl.String, "agreed": pl.String, "overdue": pl.String})
    shown = show_chains(long, chain=("agreed", "overdue"), beside=(), parts=())
    return shown.pivot(on="stage", index="name", values="shown").rename({"name": "agency"}).sort("agency")
