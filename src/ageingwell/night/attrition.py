"""Everyone who entered a night and where each left: nobody vanishes unreported."""

from collections.abc import Mapping

import polars as pl

from ageingwell.config.load import Config
from ageingwell.contracts.gp import OLDEST
from ageingwell.permissions import excluded
from ageingwell.sources.read import Records
from ageingwell.spine import age_on, latest_versions
from ageingwell.timeline import AsOf

ATTRITION = pl.Schema(
    {"person_id": pl.String, "step": pl.String, "reason": pl.String, "n": pl.Int64, "re_enters_on": pl.Date}
)
# Of several opt-outs of one person, the one that is told.
_REASONS = ("objection", "restriction", "national", "type_1")


def account_for_everyone(
    records: Records,
    permitted: Records,
    opted: pl.DataFrame,
    tables: Mapping[str, pl.LazyFrame],
    spine: pl.DataFrame,
    left: pl.DataFrame,
    rows: pl.DataFrame,
    *,
    held: pl.DataFrame,
    config: Config,
    as_of: AsOf,
) -> pl.DataFrame:
    """One row a person with the step and reason, or a count where people may not be named (contract: `Attrition`).

    `held` are those whose row of the spine is impossible (person_id, reason). People who opted out are in no file, so
    they are counted by reason only. Raises `AssertionError` if the people at
    the end are not exactly the people who entered.
    """
    entered = _people(records.tables["gp_patients"].rows)
    unread = (
        records.tables["gp_patients"]
        .refused_people.select("person_id")
        .unique()
        .join(entered, on="person_id", how="anti")
    )
    allowed = _people(permitted.tables["gp_patients"].rows)
    parts = [
        _counted(unread.with_columns(reason=pl.lit("every_row_refused")), "read"),
        _counted(_opted_out(entered.join(allowed, on="person_id", how="anti"), opted, config), "permitted"),
        _named(_off_the_spine(allowed.join(spine, on="person_id", how="anti"), tables, held, as_of), "spine"),
        left.select("person_id", "step", "reason", n=pl.lit(1), re_enters_on="re_enters_on"),
        _named(rows.select("person_id", reason=pl.lit("listed")), "listed"),
    ]
    attrition = pl.concat([part.select(ATTRITION.names()).cast(ATTRITION) for part in parts])
    told, came = attrition["n"].sum(), entered.height + unread.height
    if told != came or attrition["person_id"].drop_nulls().is_duplicated().any():
        raise AssertionError(f"the night lost count of people: {came} entered and {told} are accounted for")
    return attrition.sort("person_id", "step", "reason", nulls_last=False)


def _people(rows: pl.LazyFrame) -> pl.DataFrame:
    return rows.select("person_id").unique().collect()


def _counted(people: pl.DataFrame, step: str) -> pl.DataFrame:
    counts = people.group_by("reason").agg(n=pl.len())
    return counts.with_columns(person_id=pl.lit(None), step=pl.lit(step), re_enters_on=pl.lit(None))


def _named(people: pl.DataFrame, step: str) -> pl.DataFrame:
    return people.select("person_id", "reason", step=pl.lit(step), n=pl.lit(1), re_enters_on=pl.lit(None))


def _opted_out(out: pl.DataFrame, opted: pl.DataFrame, config: Config) -> pl.DataFrame:
    """Why each person who may not be used is out; a home's objection holds for everyone there."""
    reasons = excluded(opted, purpose=config.score.purpose, ledger=config.ledger).drop_nulls("person_id")
    type_1 = opted.filter(pl.col("kind") == "type_1").drop_nulls("person_id").select("person_id", reason="kind")
    told = pl.concat([reasons.select("person_id", "reason"), type_1])
    order = pl.col("reason").replace_strict({name: n for n, name in enumerate(_REASONS)}, return_dtype=pl.Int64)
    first = told.sort("person_id", order).unique("person_id", keep="first", maintain_order=True)
    joined = out.join(first, on="person_id", how="left")
    return joined.with_columns(pl.col("reason").fill_null("objection_of_the_home"))


def _off_the_spine(
    off: pl.DataFrame, tables: Mapping[str, pl.LazyFrame], held: pl.DataFrame, as_of: AsOf
) -> pl.DataFrame:
    """Not known by then, dead, gone, held for an impossible row, or younger."""
    newest = latest_versions(tables["gp_patients"])
    known = off.join(newest.select("person_id", "died_on", "left_on", "birth_month"), on="person_id", how="left")
    known = known.join(held.rename({"reason": "_held"}), on="person_id", how="left")
    reason = (
        pl.when(pl.col("birth_month").is_null())
        .then(pl.lit("not_known_by_then"))
        .when(pl.col("died_on").is_not_null())
        .then(pl.lit("deceased"))
        .when(pl.col("left_on") < as_of.day)
        .then(pl.lit("left_the_practice"))
        .when(age_on(as_of) > OLDEST)
        .then(pl.lit("impossible_age"))
        .otherwise(pl.coalesce("_held", pl.lit("under_the_age")))
    )
    return known.select("person_id", reason=reason)
