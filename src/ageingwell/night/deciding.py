"""What the group decided, brought into a night: the ledger read and checked, and its meaning for tonight's people."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ageingwell.config.load import Config
from ageingwell.contracts.registry import TABLES
from ageingwell.decisions.effects import (
    agreed_visits,
    contacts_in,
    decisions_in_force,
    left_in_peace_by_decision,
    needs_of_added,
    told_by_now,
    unsettled_noes,
)
from ageingwell.decisions.entry import ENTRIES
from ageingwell.decisions.ledger import BEGINNING, read_hashes, read_ledger
from ageingwell.errors import LedgerError
from ageingwell.meeting.recording import ledger_path
from ageingwell.meeting.sent_lists import manifest_of
from ageingwell.permissions import Barred, without_barred
from ageingwell.sources.check import REFUSED
from ageingwell.sources.read import CheckedTable, Records
from ageingwell.timeline import AsOf

NOTHING_DECIDED = pl.DataFrame(schema=ENTRIES)


def read_decisions(out: Path, *, config: Config, previous: Path | None) -> pl.DataFrame:
    """Read the ledger, and make sure that it still holds every entry the last night had read.

    Raises `LedgerError` where its chain does not hold or its end was cut off.
    """
    path = ledger_path(out, config)
    ledger = read_ledger(path)
    if previous is None:
        return ledger
    told = manifest_of(previous).get("decisions", {})
    seen, name = told.get("ledger_head", BEGINNING), config.outreach.decisions.ledger
    if told.get("ledger") == name and seen not in (BEGINNING, *read_hashes(path)):
        raise LedgerError(
            f"the ledger {Path(name).name} lacks entries that the night {previous.name} had read",
            "put the ledger back; to begin a new one, name another file in [decisions] of outreach.toml",
        )
    return ledger


def with_recorded_contacts(records: Records, ledger: pl.DataFrame, *, as_of: AsOf) -> Records:
    """Add the contacts that lists told of to the agencies' own; the records as they are where there are none."""
    told = contacts_in(ledger, as_of=as_of.day)
    if told.is_empty():
        return records
    schema = {name: field.dtype.type for name, field in TABLES["contacts"].to_schema().columns.items()}
    rows = told.select(list(schema)).cast(schema).lazy()
    if "contacts" not in records.tables:
        table = CheckedTable("contacts", rows, pl.DataFrame(schema=REFUSED), n_read=0, n_good=0)
        return Records({**records.tables, "contacts": table}, records.missing, records.made_up)
    both = {**records.rows(), "contacts": pl.concat([records.tables["contacts"].rows.select(list(schema)), rows])}
    return records.with_rows(both)


@dataclass(frozen=True)
class Decided:
    """What was decided of people who may be used: `rows`, the decision in force of each, as the ledger has it; `told`,
    whether each knows (person_id, person_told); `noes`, who is said not to want contact while the chair has not said;
    `entries`, all that was said of them and known on the night."""

    rows: pl.DataFrame
    told: pl.DataFrame
    noes: pl.DataFrame
    entries: pl.DataFrame
    config: Config
    as_of: AsOf

    def resting(self, people: pl.DataFrame) -> pl.DataFrame:
        """Who is left in peace since the group decided otherwise."""
        days = self.config.outreach.decision_days
        return left_in_peace_by_decision(self.rows, people=people, days=days, as_of=self.as_of.day, noes=self.noes)

    def agreed(self, contacts: pl.DataFrame) -> pl.DataFrame:
        """The visits agreed and still to be made."""
        return agreed_visits(self.rows, contacts=contacts, settings=self.config.outreach, as_of=self.as_of.day)

    def added_needs(self, agreed: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
        """The needs found by the group, of people it added."""
        return needs_of_added(agreed, people=people, settings=self.config.outreach)


def decided_tonight(ledger: pl.DataFrame, out: Barred, *, config: Config, as_of: AsOf) -> Decided:
    """The decisions in force; those of people and homes that opted out stay in the ledger and are not used."""
    used = without_barred({"decisions": ledger.lazy()}, out)["decisions"].collect()
    on = as_of.day
    return Decided(
        rows=decisions_in_force(used, as_of=on),
        told=told_by_now(used, as_of=on),
        noes=unsettled_noes(used, as_of=on),
        entries=used.filter(pl.col("recorded_on") < on),
        config=config,
        as_of=as_of,
    )
