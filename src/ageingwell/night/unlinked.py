"""The homes that nobody is linked to: their needs, and how many with a need are left out, by reason."""

from collections.abc import Mapping
from datetime import date

import polars as pl

from ageingwell.config.load import Config
from ageingwell.features.build import build_home_features
from ageingwell.night.joining import contacts_of
from ageingwell.outreach.homes import homes_left_out, linked_homes, only_since_empty
from ageingwell.outreach.needs import find_home_needs
from ageingwell.outreach.rules import NeedRule
from ageingwell.permissions import ALWAYS_OUT, homes_of_excluded
from ageingwell.sources.read import Records
from ageingwell.spine import home_facts, read_places
from ageingwell.timeline import AsOf

_VISITS = {
    "household_id": pl.String,
    "visit_outcome": pl.String,
    "visited_on": pl.Date,
    "recorded_on": pl.Date,
}


def unlinked_home_needs(
    records: Records,
    opted: pl.DataFrame,
    tables: Mapping[str, pl.LazyFrame],
    *,
    guarded: pl.Series,
    rules: tuple[NeedRule, ...],
    config: Config,
    as_of: AsOf,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Find the needs of homes that nobody is linked to, and count those left out.

    `records` are all that were sent, `opted` the opt-outs in force, `tables` what may be used and was known, `guarded`
    the homes under safeguarding: of those the safeguarding lead hears, unless somebody there objected. Returns
    the needs (as `find_home_needs` gives them) and reason, n: homes in which a need was found and which are not called
    on, because somebody there opted out or is registered, or it is a care home or was recently contacted. A home whose
    resident died or left is judged by what was found since (`before_the_resident_left`).
    """
    patients = records.tables["gp_patients"].rows
    asked = _homes_asked_about(tables, guarded)
    register = linked_homes(_ever_at(asked, patients))
    found = {
        name: find_home_needs(
            build_home_features(rows, pl.Series([], dtype=pl.String), as_of),
            rules=rules,
            interventions=config.interventions,
        )
        for name, rows in (("ever", tables), ("since", only_since_empty(tables, register)))
    }
    homes = home_facts(tables)
    # A home where somebody who may be used is registered is told of with that person.
    with_people = linked_homes(_ever_at(guarded, tables["gp_patients"])).filter("is_lived_in")["household_id"]
    routed = guarded.drop_nulls().filter(~guarded.drop_nulls().is_in(with_people.implode()))
    left_out = homes_left_out(
        found["ever"]["household_id"],
        register=register,
        opted_out=_opted_out(patients, opted, routed, config),
        care_homes=homes.filter(pl.col("property_type") == "care_home")["household_id"],
        contacts=contacts_of(records).drop_nulls("household_id"),
        visits=_visits(records, as_of.day),
        days=config.outreach.cooling_off_days,
        as_of=as_of.day,
        routed=routed,
    )
    before = found["ever"].select("household_id").unique().join(left_out, on="household_id", how="anti")
    before = before.join(found["since"], on="household_id", how="anti")
    # Homes of people on the register are no homes that nobody is linked to: they are counted with their people.
    reasons = left_out.filter(pl.col("reason") != "somebody_is_registered")["reason"]
    counted = pl.concat([reasons, pl.repeat("before_the_resident_left", before.height, dtype=pl.String, eager=True)])
    n_homes = counted.alias("reason").value_counts(name="n").cast({"n": pl.Int64}).sort("reason")
    needs = found["since"].join(left_out, on="household_id", how="anti", maintain_order="left")
    return needs.join(
        _places_of(needs["household_id"], tables, config), on="household_id", how="left", maintain_order="left"
    ), n_homes


def _places_of(homes: pl.Series, tables: Mapping[str, pl.LazyFrame], config: Config) -> pl.DataFrame:
    """Where homes are, by the newest row of the register that ever named them: household_id, place."""
    asked = homes.drop_nulls().unique().to_frame("household_id").lazy()
    named = tables["gp_patients"].join(asked, on="household_id", how="semi").drop_nulls("lsoa21")
    newest = named.sort("recorded_on", "lsoa21").group_by("household_id", maintain_order=True).last().collect()
    placed = newest.join(read_places(config.places), on="lsoa21", how="left")
    return placed.select("household_id", "place").sort("household_id")


def _homes_asked_about(tables: Mapping[str, pl.LazyFrame], guarded: pl.Series) -> pl.Series:
    """The homes that a fire visit or incident tells of, or a marker."""
    told = [tables[name].select("household_id") for name in ("fire_visits", "fire_incidents") if name in tables]
    return pl.concat([guarded.to_frame("household_id").lazy(), *told]).drop_nulls().unique().collect().to_series()


def _ever_at(homes: pl.Series, patients: pl.LazyFrame) -> pl.LazyFrame:
    """Every row of the register of whoever it ever had at one of these homes."""
    asked = homes.drop_nulls().to_frame("household_id").lazy()
    people = patients.join(asked, on="household_id", how="semi").select("person_id").unique()
    return patients.join(people, on="person_id", how="semi")


def _opted_out(patients: pl.LazyFrame, opted: pl.DataFrame, guarded: pl.Series, config: Config) -> pl.Series:
    """The homes where somebody opted out; of those under safeguarding, the ones where somebody objected.

    A type 1 or national opt-out keeps a person off the lists and does not keep a danger at home from the one lead who
    has a duty to protect; an objection or a restriction does: then the lead hears of the marker alone.
    """
    everyone, ledger = config.score.purpose, config.ledger
    homes = homes_of_excluded(patients, opted, purpose=everyone, ledger=ledger)
    objections = opted.filter(pl.col("kind").is_in(ALWAYS_OUT))
    objecting = homes_of_excluded(patients, objections, purpose=everyone, ledger=ledger)
    return homes.filter(~homes.is_in(guarded.implode()) | homes.is_in(objecting.implode()))


def _visits(records: Records, on: date) -> pl.DataFrame:
    """Every visit that was sent: one whose address was matched with low certainty may have been at this door, too."""
    if "fire_visits" not in records.tables:
        return pl.DataFrame(schema=_VISITS)
    rows = records.tables["fire_visits"].rows
    return rows.filter(pl.col("visited_on") < on).select(list(_VISITS)).collect()
