"""The permission ledger and the opt-outs: who may be used for what. Everything here fails closed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from ageingwell.config.score import Ledger, Purpose
from ageingwell.errors import NotPermittedError
from ageingwell.register import Recipient, tables_of

GP_TABLES = tables_of("gp")
EXCLUDED = pl.Schema({"person_id": pl.String, "household_id": pl.String, "reason": pl.String})
# Somebody whom a table told to have died, and of whom it says nothing now.
DEATH_TOLD = "death_told_before"
# No row that is sent has this kind: it is given to those who were forgotten here, whatever else they asked for.
FORGOTTEN = "forgotten"
ALWAYS_OUT = ("objection", "restriction", FORGOTTEN, DEATH_TOLD)
# The purpose for which most opt-outs bar somebody: it holds where nobody can say what a list is for.
STRICTEST: Purpose = "risk_stratification"
# Rows of this kind are no opt-outs: they name the people whom the national service lets be used.
ALLOWED = "national_allowed"


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


FEW_UNCHECKED = 3  # so many rows that nobody checked lately are no slip of one row


def stop_unless_checked(permissions: pl.LazyFrame, ledger: Ledger, *, on: date, today: date | None = None) -> None:
    """Stop on opt-outs that are empty, or of which any kind was not checked lately: silence is not consent.

    The rows of each kind that was sent decide for that kind: a safeguarding marker checked yesterday says nothing of
    the national opt-outs, and one row checked yesterday nothing of a hundred that nobody has looked at since August. A
    day after both the list (`on`) and `today` is no check, and does not count. Rows whose last day is over are not
    asked. Raises `NotPermittedError`.
    """
    latest = max(on, today or on)
    allowed = ledger.permissions_checked_within_days
    checked = pl.col("checked_on")
    is_check = checked <= latest
    is_fresh = checked >= on - timedelta(days=allowed)
    # An allow list asks each of its rows by itself.
    in_use = is_check & (pl.col("to_on").is_null() | (pl.col("to_on") >= on)) & (pl.col("kind") != ALLOWED)
    newest = (
        permissions.group_by("kind")
        .agg(checked.filter(is_check).max(), n=in_use.sum(), n_fresh=(in_use & is_fresh).sum())
        .sort("kind")
        .collect()
    )
    if newest.is_empty() and ledger.permissions_may_be_empty:
        return
    if newest.is_empty():
        raise NotPermittedError(
            "permissions: the table has no rows, and some people always opt out",
            "send the table again; if truly nobody has, set permissions_may_be_empty in permissions.toml",
        )
    n, n_old = pl.col("n"), pl.col("n") - pl.col("n_fresh")
    too_few = (n_old >= FEW_UNCHECKED) & (n_old > (1 - ledger.permissions_checked_at_least) * n)
    stale = newest.filter(checked.is_null() | (checked < on - timedelta(days=allowed)) | too_few)
    if not stale.is_empty():
        told = "; ".join(
            f"{kind}: {_last_check(day)}"
            + (f", and only {n_fresh / n:.0%} of its rows within these days" if n_fresh else "")
            for kind, day, n, n_fresh in stale.iter_rows()
        )
        raise NotPermittedError(
            f"permissions: not checked in the {allowed} days before the list: {told}",
            "check the opt-out sources and send the table again",
        )


def _last_check(day: date | None) -> str:
    return "no check up to the night of the list" if day is None else f"last on {day}"


FEW_TO_TELL = 5  # fewer opt-outs than this may all be of people who live elsewhere


def opt_outs_that_meet(permissions: pl.DataFrame, patients: pl.LazyFrame, homes: pl.Series) -> pl.DataFrame:
    """How many of the people and homes that opted out are known here: kind, subject, n, n_met.

    `homes` are the homes of every table. Markers of staff safety bar nobody and are left out.

    >>> opted = pl.DataFrame({"person_id": ["p1", "p9"], "household_id": [None, None], "kind": ["objection"] * 2},
    ...                      schema_overrides={"household_id": pl.String})
    >>> register = pl.LazyFrame({"person_id": ["p1", "p2"]})
    >>> opt_outs_that_meet(opted, register, pl.Series("household_id", [], dtype=pl.String)).rows()
    [('objection', 'people', 2, 1)]
    """
    bars = permissions.filter(~pl.col("kind").is_in(["staff_safety", ALLOWED]))
    # Only those who opted out are looked for: who else is known does not matter, and would not fit into memory.
    opted_people, opted_homes = (bars.select(column).drop_nulls().unique() for column in ("person_id", "household_id"))
    known = patients.select("person_id").join(opted_people.lazy(), on="person_id", how="semi").unique().collect()
    homes = homes.filter(homes.is_in(opted_homes["household_id"].implode()).fill_null(value=False)).unique()
    told = [
        bars.drop_nulls(column)
        .group_by("kind")
        .agg(n=pl.col(column).n_unique(), n_met=pl.col(column).filter(pl.col(column).is_in(here.implode())).n_unique())
        .select("kind", pl.lit(words).alias("subject"), pl.col("n", "n_met").cast(pl.Int64))
        for column, words, here in (("person_id", "people", known["person_id"]), ("household_id", "homes", homes))
    ]
    return pl.concat(told).sort("kind", "subject")


def stop_unless_linked(met: pl.DataFrame, ledger: Ledger) -> list[str]:
    """Stop where opt-outs meet next to nobody here: they were made under another key, and would bar nobody.

    `met` is what `opt_outs_that_meet` gives. Gives a sentence for each kind of which too few were sent to tell. Raises
    `NotPermittedError` where `FEW_TO_TELL` or more were sent and fewer than the ledger's share are known here.
    """
    few = met.filter(pl.col("n_met") < ledger.permissions_linked_at_least * pl.col("n"))
    strangers = few.filter(pl.col("n") >= FEW_TO_TELL)
    if not strangers.is_empty():
        told = "; ".join(f"{kind}: {n_met:,} of {n:,} {subject}" for kind, subject, n, n_met in strangers.iter_rows())
        raise NotPermittedError(
            f"permissions: almost none of people who opted out are in the records: {told}",
            "make the pseudonyms of all tables with the same key; if so few truly live here, lower "
            "permissions_linked_at_least in permissions.toml",
        )
    return [
        f"none of the {subject} with {kind.replace('_', ' ')} in the opt-outs is in the records; check that both were "
        "pseudonymised with the same key"
        for kind, subject, _, n_met in few.iter_rows()
        if n_met == 0
    ]


def in_force(permissions: pl.LazyFrame, *, on: date) -> pl.DataFrame:
    """The opt-outs and markers in force on a day, however late they came; whom an allow list names is no opt-out.

    A first day in the future does not delay an opt-out: the most protective reading holds.
    """
    not_ended = pl.col("to_on").is_null() | (pl.col("to_on") >= on)
    return permissions.filter(not_ended & (pl.col("kind") != ALLOWED)).collect()


def allow_list(permissions: pl.LazyFrame, ledger: Ledger, *, on: date, today: date | None = None) -> pl.Series | None:
    """The people whom the national service lets be used on a day: person_id, unique; None where no list was sent.

    The most protective reading holds here too, and so the other way round than for an opt-out: a row allows nobody
    before its first day, after its last, or once its own check is older than the ledger lets checks be. A list all of
    whose rows have lapsed is still a list: it allows nobody.

    >>> rows = pl.LazyFrame({
    ...     "person_id": ["p1", "p2", "p3"], "kind": ["national_allowed"] * 3, "checked_on": [date(2026, 11, 20)] * 3,
    ...     "from_on": [None, date(2026, 12, 1), None], "to_on": [None, None, date(2026, 11, 1)],
    ... })
    >>> allow_list(rows, Ledger(permitted=(), views={}), on=date(2026, 11, 22)).to_list()
    ['p1']
    """
    listed = permissions.filter(pl.col("kind") == ALLOWED)
    if listed.select(pl.len()).collect().item() == 0:
        return None
    oldest = on - timedelta(days=ledger.permissions_checked_within_days)
    is_current = pl.col("checked_on").is_between(oldest, max(on, today or on))
    has_begun = pl.col("from_on").is_null() | (pl.col("from_on") <= on)
    not_ended = pl.col("to_on").is_null() | (pl.col("to_on") >= on)
    now = listed.filter(is_current & has_begun & not_ended)
    return now.select("person_id").drop_nulls().unique().sort("person_id").collect()["person_id"]


def with_those_not_allowed(opted: pl.DataFrame, allowed: pl.Series, people: pl.DataFrame) -> pl.DataFrame:
    """The opt-outs in force, with a national one of everybody among `people` (person_id) whom an allow list leaves out.

    >>> opted = pl.DataFrame({"person_id": ["p1"], "household_id": [None], "kind": ["objection"]},
    ...                      schema_overrides={"household_id": pl.String})
    >>> register = pl.DataFrame({"person_id": ["p1", "p2", "p3"]})
    >>> both = with_those_not_allowed(opted, pl.Series(["p1", "p2"]), register)
    >>> both.select("person_id", "kind").rows()
    [('p1', 'objection'), ('p3', 'national')]
    """
    left_out = people.select("person_id").drop_nulls().unique().filter(~pl.col("person_id").is_in(allowed.implode()))
    rows = left_out.sort("person_id").with_columns(kind=pl.lit("national"))
    return pl.concat([opted, rows], how="diagonal")


def stop_unless_allowing(allowed: pl.Series, people: pl.DataFrame, ledger: Ledger) -> list[str]:
    """Stop where an allow list has next to nobody of the register: it was made under another key, or cut short.

    `people` are those on the register (person_id). Gives a sentence where they are too few to tell. Raises
    `NotPermittedError` where the list has fewer of them than the ledger's share.
    """
    known = people.select("person_id").drop_nulls().unique()["person_id"]
    n, n_met = known.len(), int(known.is_in(allowed.implode()).sum())
    if n_met >= ledger.permissions_linked_at_least * n:
        return []
    found = f"the list that the national service returned allows {n_met:,} of {n:,} people on the GP register"
    if n < FEW_TO_TELL:
        return [f"{found}; check that both were pseudonymised with the same key"]
    raise NotPermittedError(
        f"permissions: {found}",
        "make the pseudonyms of all tables with the same key, and send the whole list; if so few may truly be used, "
        "lower permissions_linked_at_least in permissions.toml",
    )


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


@dataclass(frozen=True)
class Barred:
    """Who may not be used: people of every table, people of the GP tables (`register`), and homes; each one column."""

    people: pl.DataFrame
    register: pl.DataFrame
    homes: pl.DataFrame


def barred(patients: pl.LazyFrame, permissions: pl.DataFrame, *, purpose: Purpose, ledger: Ledger) -> Barred:
    """Find everyone who may not be used.

    An objection of a home takes everyone who lives there, as the newest row of the register says, and the home itself;
    who lived there once is not bound by it. Where the ledger lets other agencies' facts be used in spite of a type 1
    opt-out, the person leaves the GP tables only.
    """
    out = excluded(permissions, purpose=purpose, ledger=ledger)
    return Barred(
        people=_people_out(patients, out),
        register=off_the_register(patients, permissions, purpose=purpose, ledger=ledger),
        homes=out.select("household_id").drop_nulls().unique(),
    )


def without_barred(tables: Mapping[str, pl.LazyFrame], out: Barred) -> dict[str, pl.LazyFrame]:
    """Take everyone barred out of every table, before anything is worked out."""
    # A row of the register is about a person: who lived in that home once keeps it as where they came from.
    nowhere = out.homes.clear()
    return {
        name: rows
        if name == "permissions"
        else _without(
            rows,
            out.register if name in GP_TABLES else out.people,
            nowhere if name == "gp_patients" else out.homes,
        )
        for name, rows in tables.items()
    }


def keep_permitted(
    tables: Mapping[str, pl.LazyFrame], permissions: pl.DataFrame, *, purpose: Purpose, ledger: Ledger
) -> dict[str, pl.LazyFrame]:
    """Find everyone who may not be used, as `barred` does, and take them out of every table."""
    return without_barred(tables, barred(tables["gp_patients"], permissions, purpose=purpose, ledger=ledger))


def off_the_register(
    patients: pl.LazyFrame, permissions: pl.DataFrame, *, purpose: Purpose, ledger: Ledger
) -> pl.DataFrame:
    """Everyone whose rows of the register may not be used, by an opt-out of theirs or of their home: person_id."""
    out = excluded(permissions, purpose=purpose, ledger=ledger)
    type_1 = permissions.filter(pl.col("kind") == "type_1")
    subjects = ("person_id", "household_id")
    return _people_out(patients, pl.concat([out.select(subjects), type_1.select(subjects)]))


def homes_of_excluded(
    patients: pl.LazyFrame, permissions: pl.DataFrame, *, purpose: Purpose, ledger: Ledger
) -> pl.Series:
    """The homes of those whose rows of the register may not be used, as the newest row says: household_id, unique.

    Somebody lives there, so the home is not one that nobody is linked to; and who else lives there is not all.
    """
    out = off_the_register(patients, permissions, purpose=purpose, ledger=ledger)
    homes = _last_homes(patients.join(out.lazy(), on="person_id", how="semi")).collect()
    return homes["household_id"].drop_nulls().unique().sort()


def _people_out(patients: pl.LazyFrame, out: pl.DataFrame) -> pl.DataFrame:
    named = out.select("person_id").drop_nulls()
    homes = out.select("household_id").drop_nulls().unique()
    if homes.is_empty():
        return named.unique()
    return pl.concat([named, _residents(patients, homes).select("person_id")]).unique()


def _residents(patients: pl.LazyFrame, homes: pl.DataFrame) -> pl.DataFrame:
    """Who lives in one of some homes, as the newest row that tells a home says: person_id, household_id.

    Whoever lives there has at least one row that says so. The histories of these few are looked at, and not those of
    everybody registered.
    """
    told = patients.select("person_id", "household_id", "recorded_on")
    ever = told.join(homes.lazy(), on="household_id", how="semi").select("person_id").unique().collect()
    last = _last_homes(told.join(ever.lazy(), on="person_id", how="semi"))
    return last.join(homes.lazy(), on="household_id", how="semi").collect()


def _last_homes(patients: pl.LazyFrame) -> pl.LazyFrame:
    """Where each person was last registered, recorded however late: person_id, household_id.

    A newest row without a home does not say that the person left the one before.
    """
    homes = pl.col("household_id").drop_nulls()
    day = pl.col("recorded_on").filter(pl.col("household_id").is_not_null())
    return patients.group_by("person_id").agg(homes.sort_by(day).last())


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
