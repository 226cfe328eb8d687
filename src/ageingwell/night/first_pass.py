"""The first pass over a shard: who is registered, what of their codes and labels is recognised, and what links."""

from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from ageingwell.contracts.made import Spine, split_by_contract
from ageingwell.disk import DISK
from ageingwell.features.evidence import newest_days
from ageingwell.night.joining import contacts_of, everybody
from ageingwell.night.shards import REGISTER
from ageingwell.night.tonight import Part
from ageingwell.outreach.eligible import with_homes_of_others
from ageingwell.recognition.counting import Counts, count_recognised
from ageingwell.recognition.links import links_of_shard
from ageingwell.recognition.sums import Sums
from ageingwell.spine import build_spine, unsure_homes, with_care_homes_in_doubt

SPINE: Final = "spine"
HELD: Final = "held"
ENTRIES_BY_PERSON: Final = "entries_by_person"
PRACTICES: Final = "practices"
ISSUED: Final = "medicines_issued"
CONTACTS: Final = "contacts"


@dataclass(frozen=True)
class Registered:
    """What the first pass tells of a shard. The spine and those held lie in the shard's folder.

    `sums` are what is recognised, `links` what links, both to be added up; `agreed` the visits still to be made, as
    far as this shard's contacts say; `unsure` the people of the spine whose address was matched with low certainty;
    `newest` the day of the newest row of each table.
    """

    sums: Sums
    links: pl.DataFrame
    agreed: pl.DataFrame
    unsure: pl.DataFrame
    newest: dict[str, date | None]


def register_shard(part: Part) -> Registered:
    """Work out who is registered in a shard, and count what a night has to know of all records before it goes on."""
    tonight, config = part.tonight, part.tonight.config
    sent, own_sent = tonight.sent(part.shard.everything()), tonight.sent(part.shard.own())
    permitted, own = tonight.gate.let_through(sent), tonight.gate.let_through(own_sent)
    tables = tonight.known(permitted)
    patients = permitted.tables[REGISTER].rows
    unsure = unsure_homes(patients.filter(pl.col("recorded_on") < tonight.as_of.day))
    built = build_spine(
        tables,
        tonight.as_of,
        minimum_age=config.score.minimum_age,
        places=config.places,
        # Who may live there makes the number of those who do unknown.
        incomplete_homes=pl.concat([tonight.gate.incomplete_homes, unsure["household_id"]]).unique(),
        many_older_people=config.outreach.thresholds.older_people_that_prompt_a_check,
        contacting_homes=tonight.contacting,
    )
    ours = own.tables[REGISTER].rows.select("person_id").unique()
    built = built.lazy().join(ours, on="person_id", how="semi", maintain_order="left").collect()
    spine, held = split_by_contract(Spine, with_care_homes_in_doubt(built, tables, unsure))
    contacts = with_homes_of_others(contacts_of(permitted), people=spine, registered=everybody(tables, tonight.as_of))
    own_tables = tonight.known_own(part.shard, tables)
    counts = count_recognised(own_tables, places=config.places, codelists=config.codelists)
    keep(part, SPINE, spine)
    keep(part, HELD, held)
    keep(part, ENTRIES_BY_PERSON, counts.entries_by_person)
    keep(part, PRACTICES, counts.practices)
    if counts.medicines is not None:
        keep(part, ISSUED, counts.medicines)
    return Registered(
        sums=counts.sums,
        links=_links(part, own.tables[REGISTER].rows),
        newest=newest_days(own_tables),
        agreed=tonight.decided.agreed(contacts),
        unsure=unsure.join(spine, on="person_id", how="semi"),
    )


def counts_kept(part: Part, sums: Sums) -> Counts:
    """What was counted of a shard, with the sums of all."""
    medicines = kept(part, ISSUED) if "gp_prescriptions" in part.shard.rows else None
    return Counts(sums, kept(part, ENTRIES_BY_PERSON), kept(part, PRACTICES), medicines)


def _links(part: Part, patients: pl.LazyFrame) -> pl.DataFrame:
    """How much of the shard's tables, as sent, meets the register; `patients` are those who may be used."""
    tonight = part.tonight
    sent, own = part.shard.everything(), part.shard.own()
    was_known = pl.col("recorded_on") < tonight.as_of.day
    homes = sent[REGISTER].filter(was_known).select(pl.col("household_id").drop_nulls().unique()).collect()
    return links_of_shard(
        # A contact may name a person of one shard and a home of another: each of the two has the row.
        own | {name: rows for name, rows in sent.items() if name == CONTACTS},
        patients,
        tonight.as_of,
        minimum_age=tonight.config.score.minimum_age,
        places=tonight.config.places,
        lag_days=tonight.config.tables[REGISTER].lag_days,
        homes_named=homes["household_id"],
    )


def keep(part: Part, name: str, frame: pl.DataFrame) -> None:
    """Keep a frame in the shard's folder; a try that is killed leaves nothing that counts."""
    path = part.shard.folder / f"{name}.parquet"
    made = path.with_suffix(".part")
    DISK.write_frame(made, frame, compression="lz4", statistics=False)
    DISK.replace(made, path)


def kept(part: Part, name: str) -> pl.DataFrame:
    """A frame of the shard's folder."""
    return pl.read_parquet(part.shard.folder / f"{name}.parquet")
