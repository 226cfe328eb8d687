"""The gate: which records may be used for a purpose, on a day. Every job passes here before it works anything out."""

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
from ageingwell.pipeline.joining import every_home
from ageingwell.sources.read import Records
from ageingwell.spine import unsure_homes


@dataclass(frozen=True)
class Permitted:
    """What may be used, and who may not.

    `records` are the rows that may be used; `opted` the opt-outs and markers in force, those whom an allow list leaves
    out among them; `incomplete_homes` the homes in which somebody lives who may not be used, so that nobody can say who
    lives there; `unsure` whose address was matched with low certainty (person_id, household_id), however late that was
    recorded; `doubts` sentences for the reader about opt-outs that meet nobody.
    """

    records: Records
    opted: pl.DataFrame
    incomplete_homes: pl.Series
    unsure: pl.DataFrame
    doubts: tuple[str, ...]


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

    `on` is the day of the list or of the extract, `today` the clock's. Raises `NotPermittedError` for a pair that the
    ledger does not list, for opt-outs or an allow list that are stale, missing, or made under another key.
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
    return Permitted(
        records=records.with_rows(kept),
        opted=opted,
        incomplete_homes=homes_of_excluded(patients, opted, purpose=purpose, ledger=config.ledger),
        unsure=unsure_homes(kept["gp_patients"]),
        doubts=tuple(doubts),
    )
