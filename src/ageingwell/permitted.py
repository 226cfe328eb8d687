"""The gate: which records may be used for a purpose, on a day. Every job passes here before it works anything out.

It also measures how much links, and stops where a table meets nobody: no job makes sense of records under two keys.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from ageingwell.config.load import Config
from ageingwell.config.score import Purpose
from ageingwell.permissions import (
    Barred,
    allow_list,
    barred,
    homes_of_excluded,
    in_force,
    opt_outs_that_meet,
    stop_unless_allowing,
    stop_unless_checked,
    stop_unless_linked,
    stop_unless_permitted,
    with_those_not_allowed,
    without_barred,
)
from ageingwell.recognition.link_floors import stop_on_strangers
from ageingwell.recognition.links import REGISTER, count_links
from ageingwell.register import Recipient
from ageingwell.sources.dmd_to_bnf import DmdToBnf, read_dmd_to_bnf, with_bnf_codes
from ageingwell.sources.read import Records
from ageingwell.spine import unsure_homes
from ageingwell.timeline import AsOf


@dataclass(frozen=True)
class Gate:
    """What the ledger and the opt-outs say of all records: decided once, then applied to any part of them.

    `opted` are the opt-outs and markers in force, those whom an allow list leaves out among them; `barred` who may not
    be used; `incomplete_homes` the homes in which somebody lives who may not be used, or who may have died or left, so
    that nobody can say who lives there; `doubts` sentences for the reader about opt-outs that meet nobody and about a
    look-up of medicines that is old. `dmd_to_bnf` is the look-up by which prescriptions are filled in, where the
    settings name one.
    """

    opted: pl.DataFrame
    barred: Barred
    incomplete_homes: pl.Series
    doubts: tuple[str, ...]
    dmd_to_bnf: DmdToBnf | None = None

    def let_through(self, records: Records) -> Records:
        """The records that may be used. A medicine has the same group for every job, for all pass here."""
        return with_bnf_codes(records.with_rows(without_barred(records.rows(), self.barred)), self.dmd_to_bnf)


@dataclass(frozen=True)
class Permitted:
    """What may be used, and who may not.

    `records` are the rows that may be used; `unsure` whose address was matched with low certainty (person_id,
    household_id), however late that was recorded; `links` how much of each table meets the register (`LINKS`). The
    rest is what `Gate` says.
    """

    records: Records
    opted: pl.DataFrame
    incomplete_homes: pl.Series
    unsure: pl.DataFrame
    doubts: tuple[str, ...]
    links: pl.DataFrame
    dmd_to_bnf: DmdToBnf | None = None


def permitted_or_stop(
    records: Records,
    *,
    config: Config,
    purpose: Purpose,
    recipients: Sequence[Recipient],
    on: date,
    today: date | None = None,
) -> Permitted:
    """Take out everyone excluded; stop where the ledger or the opt-outs do not let this job run.

    `on` is the day of the list or of the extract, `today` the clock's. Raises what `gate_or_stop` does, and
    `SourceError` for a table that meets nobody on the register.
    """
    gate = gate_or_stop(records, config=config, purpose=purpose, recipients=recipients, on=on, today=today)
    kept = gate.let_through(records)
    patients = kept.tables[REGISTER].rows
    links = measured_links(records, patients, config=config, on=on)
    stop_on_strangers(links, config.tables)
    return Permitted(
        records=kept,
        opted=gate.opted,
        incomplete_homes=gate.incomplete_homes,
        unsure=unsure_homes(patients),
        doubts=gate.doubts,
        links=links,
        dmd_to_bnf=gate.dmd_to_bnf,
    )


def gate_or_stop(
    records: Records,
    *,
    config: Config,
    purpose: Purpose,
    recipients: Sequence[Recipient],
    on: date,
    today: date | None = None,
    held: pl.DataFrame | None = None,
) -> Gate:
    """Say who may be used of these records; stop where the ledger or the opt-outs do not let this job run.

    `on` is the day of the list or of the extract, `today` the clock's. `held` are opt-outs and markers that were sent
    before, are gone, and hold all the same: person_id, household_id, kind. Raises `NotPermittedError` for a pair that
    the ledger does not list, for opt-outs or an allow list that are stale, missing, or made under another key;
    `ConfigError` for a look-up of medicines that cannot be read.
    """
    stop_unless_permitted(
        config.ledger, records.tables, purpose=purpose, recipients=recipients, on=on, made_up=records.made_up
    )
    permissions = records.tables["permissions"].rows
    stop_unless_checked(permissions, config.ledger, on=on, today=today)
    opted = in_force(permissions, on=on)
    patients = records.tables[REGISTER].rows
    doubts = stop_unless_linked(opt_outs_that_meet(opted, patients, homes_named(records, opted)), config.ledger)
    allowed = allow_list(permissions, config.ledger, on=on, today=today)
    if allowed is not None:
        register = patients.select("person_id").unique().collect(engine="streaming")
        doubts += stop_unless_allowing(allowed, register, config.ledger)
        opted = with_those_not_allowed(opted, allowed, register)
    if held is not None:
        opted = pl.concat([opted, held], how="diagonal")
    out = homes_of_excluded(patients, opted, purpose=purpose, ledger=config.ledger)
    look_up = None if config.dmd_to_bnf is None else read_dmd_to_bnf(config.dmd_to_bnf)
    return Gate(
        opted=opted,
        barred=barred(patients, opted, purpose=purpose, ledger=config.ledger),
        incomplete_homes=pl.concat([out, homes_in_doubt(records)]).unique().sort(),
        doubts=(*doubts, *(() if look_up is None else look_up.doubts(on))),
        dmd_to_bnf=look_up,
    )


def measured_links(records: Records, patients: pl.LazyFrame, *, config: Config, on: date) -> pl.DataFrame:
    """How much of each table, as sent and known on a day, meets the register (`LINKS`), the permissions among them.

    `patients` are the rows of the register whose people may be asked by group.
    """
    return count_links(
        records.rows(),
        patients,
        AsOf(on),
        minimum_age=config.score.minimum_age,
        places=config.places,
        lag_days=config.tables[REGISTER].lag_days,
    )


# Why somebody is held, by the column of the register that could not be read; of several, the first is told.
HELD_FOR = {
    "died_on": "death_not_read",
    "died_recorded_on": "death_not_read",
    "left_on": "leaving_not_read",
    "left_recorded_on": "leaving_not_read",
    "household_id": "home_not_read",
}
REFUSED_NEWEST = "record_held"


def held_people(records: Records) -> pl.DataFrame:
    """People of whom it is not known whether they died, left or where they live: person_id, reason.

    Their newest row of the GP register was refused (`record_held`), or gives a day of death or leaving, or a home, that
    could not be read.
    """
    table = records.tables["gp_patients"]
    good = table.rows.group_by("person_id").agg(_newest=pl.col("recorded_on").max()).collect()
    refused = table.refused_people.with_columns(reason=pl.lit(REFUSED_NEWEST))
    unread = table.unread_people.with_columns(reason=pl.col("column").replace_strict(HELD_FOR, return_dtype=pl.String))
    doubtful = pl.concat([refused, unread.drop("column")]).join(good, on="person_id", how="left")
    newer = pl.col("recorded_on").is_null() | pl.col("_newest").is_null() | (pl.col("recorded_on") >= pl.col("_newest"))
    order = {reason: n for n, reason in enumerate(dict.fromkeys((*HELD_FOR.values(), REFUSED_NEWEST)))}
    first = pl.col("reason").replace_strict(order, return_dtype=pl.Int64)
    held = doubtful.filter(newer).sort("person_id", first).unique("person_id", keep="first", maintain_order=True)
    return held.select("person_id", "reason")


def homes_in_doubt(records: Records) -> pl.Series:
    """The homes of people whose death or leaving has a day that could not be read: household_id."""
    table = records.tables["gp_patients"]
    if table.unread_people.is_empty():
        return pl.Series("household_id", [], dtype=pl.String)
    gone = held_people(records).filter(pl.col("reason").is_in(["death_not_read", "leaving_not_read"]))
    homes = table.rows.join(gone.lazy(), on="person_id", how="semi").select("household_id").drop_nulls()
    return homes.collect()["household_id"]


def homes_named(records: Records, opted: pl.DataFrame) -> pl.Series:
    """Of the homes that opted out, those that any table of any agency names, opt-outs apart: household_id, unique."""
    asked = opted.select("household_id").drop_nulls().unique()
    named = [
        table.rows.select("household_id")
        .join(asked.lazy(), on="household_id", how="semi")
        .unique()
        .collect(engine="streaming")
        for name, table in records.tables.items()
        if name != "permissions" and "household_id" in table.rows.collect_schema().names()
    ]
    return pl.concat(named)["household_id"].unique().sort()
