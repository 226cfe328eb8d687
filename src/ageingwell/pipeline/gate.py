"""The gate: which records may be used for a purpose, on a day. Every job passes here before it works anything out.

It also measures how much links, and stops where a table meets nobody: no job makes sense of records under two keys.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from ageingwell.config.load import Config
from ageingwell.config.score import Purpose, Recipient
from ageingwell.permissions import (
    allow_list,
    homes_of_excluded,
    in_force,
    keep_permitted,
    opt_outs_that_meet,
    stop_unless_allowing,
    stop_unless_checked,
    stop_unless_linked,
    stop_unless_permitted,
    with_those_not_allowed,
)
from ageingwell.pipeline.joining import every_home, homes_in_doubt
from ageingwell.recognition.link_floors import stop_on_strangers
from ageingwell.recognition.links import REGISTER, count_links
from ageingwell.sources.dmd_to_bnf import DmdToBnf, read_dmd_to_bnf, with_bnf_codes
from ageingwell.sources.read import Records
from ageingwell.spine import unsure_homes
from ageingwell.timeline import AsOf


@dataclass(frozen=True)
class Permitted:
    """What may be used, and who may not.

    `records` are the rows that may be used; `opted` the opt-outs and markers in force, those whom an allow list leaves
    out among them; `incomplete_homes` the homes in which somebody lives who may not be used, or who may have died or
    left, so that nobody can say who lives there; `unsure` whose address was matched with low certainty (person_id,
    household_id), however late that was recorded; `doubts` sentences for the reader about opt-outs that meet nobody and
    about a look-up of medicines that is old; `links` how much of each table meets the register (`LINKS`). `dmd_to_bnf`
    is the look-up that the records' prescriptions were filled in by, where the settings name one.
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
    sent: Records | None = None,
) -> Permitted:
    """Take out everyone excluded; stop where the ledger or the opt-outs do not let this job run.

    `on` is the day of the list or of the extract, `today` the clock's; `sent` the records without what was added to
    them here. Raises `NotPermittedError` for a pair that the ledger does not list, for opt-outs or an allow list that
    are stale, missing, or made under another key; `SourceError` for a table that meets nobody on the register;
    `ConfigError` for a look-up of medicines that cannot be read.
    """
    stop_unless_permitted(
        config.ledger, records.tables, purpose=purpose, recipients=recipients, on=on, made_up=records.made_up
    )
    permissions = records.tables["permissions"].rows
    stop_unless_checked(permissions, config.ledger, on=on, today=today)
    opted = in_force(permissions, on=on)
    patients = records.tables["gp_patients"].rows
    doubts = stop_unless_linked(opt_outs_that_meet(opted, patients, every_home(records)), config.ledger)
    allowed = allow_list(permissions, config.ledger, on=on, today=today)
    if allowed is not None:
        register = patients.select("person_id").unique().collect()
        doubts += stop_unless_allowing(allowed, register, config.ledger)
        opted = with_those_not_allowed(opted, allowed, register)
    kept = keep_permitted(records.rows(), opted, purpose=purpose, ledger=config.ledger)
    out = homes_of_excluded(patients, opted, purpose=purpose, ledger=config.ledger)
    links = measured_links(sent or records, kept[REGISTER], config=config, on=on)
    stop_on_strangers(links, config.tables)
    # Here and nowhere else: every job passes the gate, so a medicine has the same group in all of them.
    look_up = None if config.dmd_to_bnf is None else read_dmd_to_bnf(config.dmd_to_bnf)
    return Permitted(
        records=with_bnf_codes(records.with_rows(kept), look_up),
        opted=opted,
        incomplete_homes=pl.concat([out, homes_in_doubt(records)]).unique().sort(),
        unsure=unsure_homes(kept["gp_patients"]),
        doubts=(*doubts, *(() if look_up is None else look_up.doubts(on))),
        links=links,
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
