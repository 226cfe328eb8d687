"""The permission ledger and the opt-outs: who may be used for what. Everything here fails closed."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

import polars as pl

from ageingwell.config.score import Ledger, Purpose, Recipient
from ageingwell.errors import NotPermittedError

GP_TABLES = ("gp_patients", "gp_events", "gp_prescriptions")
EXCLUDED = pl.Schema({"person_id": pl.String, "household_id": pl.String, "reason": pl.String})
ALWAYS_OUT = ("objection", "restriction")


def stop_unless_permitted(
    ledger: Ledger,
    sources: Iterable[str],
    *,
    purpose: Purpose,
    recipients: Iterable[Recipient],
    on: date,
    made_up: bool,
) -> None:
    """Stop unless the ledger permits every source for the purpose and every recipient on the day.

    Raises `NotPermittedError` naming each pair that is not listed, has lapsed, or is listed for made-up data only.
    """
    recipients = tuple(recipients)
    refusals = [
        f"{source} for {purpose}, to {recipient}: {why}"
        for source in sources
        for recipient in recipients
        if (why := _refusal(ledger, source, purpose, recipient, on, made_up)) is not None
    ]
    if refusals:
        more = f" (and {len(refusals) - 5} more)" if len(refusals) > 5 else ""
        raise NotPermittedError(
            "the permission ledger does not allow this run: " + "; ".join(refusals[:5]) + more,
            "have the information-governance lead list each pair, its legal basis and last day, in permissions.toml",
        )


def _refusal(ledger: Ledger, source: str, purpose: str, recipient: str, on: date, made_up: bool) -> str | None:
    lines = [
        line
        for line in ledger.permitted
        if source in line.sources and purpose in line.purposes and recipient in line.recipients
    ]
    if not lines:
        return "not listed"
    current = [line for line in lines if on <= line.expires_on]
    if not current:
        return f"lapsed on {max(line.expires_on for line in lines)}"
    return None if made_up or any(not line.made_up_data_only for line in current) else "listed for made-up data only"


def stop_unless_checked(permissions: pl.LazyFrame, ledger: Ledger, *, on: date) -> None:
    """Stop on an opt-out table that is empty or was not checked lately: silence is not consent."""
    newest = permissions.select(pl.col("checked_on").max()).collect().item()
    if newest is None and ledger.permissions_may_be_empty:
        return
    if newest is None:
        raise NotPermittedError(
            "permissions: the table has no rows, and some people always opt out",
            "send the table again; if truly nobody has, set permissions_may_be_empty in permissions.toml",
        )
    if newest < on - timedelta(days=ledger.permissions_checked_within_days):
        raise NotPermittedError(
            f"permissions: no opt-out source was checked since {newest}, more than "
            f"{ledger.permissions_checked_within_days} days before the list",
            "check the opt-out sources and send the table again",
        )


def in_force(permissions: pl.LazyFrame, *, on: date) -> pl.DataFrame:
    """The opt-outs and markers in force on a day, however late they came.

    A first day in the future does not delay an opt-out: the most protective reading holds.
    """
    return permissions.filter(pl.col("to_on").is_null() | (pl.col("to_on") >= on)).collect()


def excluded(permissions: pl.DataFrame, *, purpose: Purpose, ledger: Ledger) -> pl.DataFrame:
    """Who is in no feature, no model and no list: person_id or household_id, reason.

    >>> ledger = Ledger(permitted=(), views={})
    >>> opted = pl.DataFrame({"person_id": ["p1", "p2", "p3"], "household_id": [None] * 3,
    ...                       "kind": ["objection", "national", "safeguarding"]},
    ...                      schema_overrides={"household_id": pl.String})
    >>> excluded(opted, purpose="direct_care", ledger=ledger)["person_id"].to_list()
    ['p1']
    >>> excluded(opted, purpose="risk_stratification", ledger=ledger)["person_id"].to_list()
    ['p1', 'p2']
    """
    kinds = list(ALWAYS_OUT)
    if purpose != "direct_care":
        kinds.append("national")
    if not ledger.type_1_allows_other_agencies:
        kinds.append("type_1")
    out = permissions.filter(pl.col("kind").is_in(kinds))
    return out.select("person_id", "household_id", reason=pl.col("kind")).unique().sort(EXCLUDED.names())


def marked(permissions: pl.DataFrame, kind: str) -> pl.DataFrame:
    """The people and homes with a marker: person_id or household_id."""
    return permissions.filter(pl.col("kind") == kind).select("person_id", "household_id").unique()


def keep_permitted(
    tables: Mapping[str, pl.LazyFrame], permissions: pl.DataFrame, *, purpose: Purpose, ledger: Ledger
) -> dict[str, pl.LazyFrame]:
    """Take everyone excluded out of every table, before anything is worked out.

    An objection of a home takes everyone who ever lived there, and the home itself. Where the ledger lets other
    agencies' facts be used in spite of a type 1 opt-out, the person leaves the GP tables only.
    """
    out = excluded(permissions, purpose=purpose, ledger=ledger)
    homes = out.select("household_id").drop_nulls().unique()
    people = _people_out(tables, out, homes)
    type_1 = permissions.filter(pl.col("kind") == "type_1")
    gp_only = _people_out(tables, type_1, type_1.select("household_id").drop_nulls().unique())
    gp_too = pl.concat([people, gp_only]).unique()
    return {
        name: rows if name == "permissions" else _without(rows, gp_too if name in GP_TABLES else people, homes)
        for name, rows in tables.items()
    }


def _people_out(tables: Mapping[str, pl.LazyFrame], out: pl.DataFrame, homes: pl.DataFrame) -> pl.DataFrame:
    named = out.select("person_id").drop_nulls()
    if homes.is_empty():
        return named.unique()
    living_there = tables["gp_patients"].join(homes.lazy(), on="household_id", how="semi")
    return pl.concat([named, living_there.select("person_id").collect()]).unique()


def _without(rows: pl.LazyFrame, people: pl.DataFrame, homes: pl.DataFrame) -> pl.LazyFrame:
    names = rows.collect_schema().names()
    if "person_id" in names:
        rows = rows.join(people.lazy(), on="person_id", how="anti")
    if "linked_person_id" in names:
        named = pl.col("linked_person_id").is_in(people["person_id"].implode())
        rows = rows.with_columns(
            pl.when(~named.fill_null(value=True)).then("linked_person_id").alias("linked_person_id")
        )
    if "household_id" in names and not homes.is_empty():
        rows = rows.join(homes.lazy(), on="household_id", how="anti")
    return rows
