"""Everyone who entered a night and where each left: nobody vanishes unreported."""

from typing import Final

import polars as pl

from ageingwell.config.load import Config
from ageingwell.contracts.gp import OLDEST
from ageingwell.night.shards import REGISTER
from ageingwell.night.tonight import Part
from ageingwell.outreach.listing import unplaced
from ageingwell.permissions import DEATH_TOLD, FORGOTTEN, excluded
from ageingwell.sources.read import Records
from ageingwell.spine import Tables, age_on, latest_versions
from ageingwell.timeline import AsOf

ATTRITION = pl.Schema(
    {"person_id": pl.String, "step": pl.String, "reason": pl.String, "n": pl.Int64, "re_enters_on": pl.Date}
)
# Of several opt-outs of one person, the one that is told.
_REASONS = (FORGOTTEN, "objection", "restriction", DEATH_TOLD, "national", "type_1")


def account_for_shard(
    part: Part,
    permitted: Records,
    tables: Tables,
    spine: pl.DataFrame,
    left: pl.DataFrame,
    *,
    n_eligible: int,
    held: pl.DataFrame,
) -> pl.DataFrame:
    """Everybody of a shard who may not be offered help, with the step and reason (`ATTRITION`).

    One row a person, or a count where people may not be named: people who opted out are in no file. `permitted` are the
    shard's records that may be used, `left` those whom the step `eligible` left out, `n_eligible` how many it kept,
    `held` those whose row of the spine is impossible (person_id, reason). Raises `AssertionError` if those who leave
    and those who stay are not exactly the people who entered.
    """
    tonight = part.tonight
    entered = _people(part.shard.own()[REGISTER])
    allowed = entered.join(_people(permitted.tables[REGISTER].rows), on="person_id", how="semi")
    parts = [
        _counted(
            _opted_out(entered.join(allowed, on="person_id", how="anti"), tonight.gate.opted, tonight.config),
            "permitted",
        ),
        _named(_off_the_spine(allowed.join(spine, on="person_id", how="anti"), tables, held, tonight.as_of), "spine"),
        left.select("person_id", "step", "reason", n=pl.lit(1), re_enters_on="re_enters_on"),
    ]
    told = pl.concat([part.select(ATTRITION.names()).cast(ATTRITION) for part in parts])
    _stop_on_lost_count(told, came=entered.height - n_eligible)
    return told


HELD_REASON: Final = "no_to_settle"
# Why somebody is not on tonight's list and their plan goes on all the same.
_STILL_OURS: Final = ("cooling_off", "decided_otherwise", "in_hospital", "end_of_life", "care_home", HELD_REASON)


def still_ours(accounted: pl.DataFrame) -> pl.DataFrame:
    """Those of whom the group's own pages may tell what it decided: on the list, or off it for a while."""
    here = pl.col("step").is_in(["rank", "allocate", "listed"])
    return accounted.filter(here | pl.col("reason").is_in(_STILL_OURS))


def refused_altogether(records: Records) -> pl.DataFrame:
    """The people of whom no row of the register could be read, as a count (`ATTRITION`)."""
    table = records.tables[REGISTER]
    refused = table.refused_people.select("person_id").unique()
    read = table.rows.select("person_id").join(refused.lazy(), on="person_id", how="semi").unique().collect()
    unread = refused.join(read, on="person_id", how="anti").with_columns(reason=pl.lit("every_row_refused"))
    return _counted(unread, "read").select(ATTRITION.names()).cast(ATTRITION)


def account_for_eligible(ranked: pl.DataFrame, listed: pl.Series, *, losers: pl.DataFrame) -> pl.DataFrame:
    """Everybody who could be offered help: on the list, or why not (`ATTRITION`); `losers` lost a lot."""
    off = unplaced(ranked, listed=listed, losers=losers)
    here = ranked.select("person_id").filter(pl.col("person_id").is_in(listed.implode()))
    parts = [
        off.select("person_id", "step", "reason", n=pl.lit(1), re_enters_on="re_enters_on"),
        _named(here.with_columns(reason=pl.lit("listed")), "listed"),
    ]
    told = pl.concat([part.select(ATTRITION.names()).cast(ATTRITION) for part in parts])
    _stop_on_lost_count(told, came=ranked.height)
    return told


def in_order(counts: pl.DataFrame) -> pl.DataFrame:
    """Counts of people who may not be named, those of one step and reason in one row, in order (`ATTRITION`)."""
    keys = ("person_id", "step", "reason", "re_enters_on")
    added = counts.group_by(keys).agg(pl.col("n").sum())
    return added.select(ATTRITION.names()).sort("step", "reason")


def _stop_on_lost_count(told: pl.DataFrame, *, came: int) -> None:
    n = told["n"].sum()
    if n != came or told["person_id"].drop_nulls().is_duplicated().any():
        raise AssertionError(f"the night lost count of people: {came} came and {n} are accounted for")


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


def _off_the_spine(off: pl.DataFrame, tables: Tables, held: pl.DataFrame, as_of: AsOf) -> pl.DataFrame:
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
