"""Homes that nobody is linked to: linked first, excluded after; no opt-out, death or refusal puts one there."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from helpers.tables import table

from ageingwell.config.load import Config, load_config
from ageingwell.night.unlinked import unlinked_home_needs
from ageingwell.outreach.rules import need_rules
from ageingwell.permissions import keep_permitted
from ageingwell.sources.check import REFUSED
from ageingwell.sources.read import CheckedTable, Records
from ageingwell.spine import known_tables
from ageingwell.timeline import AsOf

NIGHT = date(2026, 11, 22)
CONFIG = load_config()
HOME = "h1"
# Everybody's home has no working alarm; h0 is nobody's, and h2 is of somebody who may be listed.
VISITS = """
    household_id | visited_on | visit_outcome | smoke_alarm_working | recorded_on
    h0           | 2026-10-01 | completed     | no                  | 2026-10-02
    h1           | 2026-10-01 | completed     | no                  | 2026-10-02
    h2           | 2026-10-01 | completed     | no                  | 2026-10-02
"""
PEOPLE = """
    person_id | household_id | birth_month | registered_on | recorded_on
    ann       | h1           | 1945-01-01  | 2001-01-01    | 2020-01-01
    bob       | h2           | 1945-01-01  | 2001-01-01    | 2020-01-01
"""


def records(**tables: pl.DataFrame) -> Records:
    sent = {"gp_patients": people(), "fire_visits": table(VISITS, like="fire_visits")} | tables
    checked = {
        name: CheckedTable(name, rows.lazy(), pl.DataFrame(schema=REFUSED), rows.height, rows.height)
        for name, rows in sent.items()
    }
    return Records(checked, (), made_up=True)


def people(*more: str) -> pl.DataFrame:
    return table("\n".join([PEOPLE, *more]), like="gp_patients", sex="female", practice_code="M82001")


def changed(person: str, **cells: Any) -> pl.DataFrame:
    """The register with a newer row of one person, recorded the day before the night."""
    register = people()
    row = register.filter(person_id=person).to_dicts()[0] | {"recorded_on": date(2026, 11, 21)} | cells
    return pl.concat([register, pl.DataFrame([row], schema=register.schema)])


def opt_outs(kind: str, *, person: str | None = None, home: str | None = None) -> pl.DataFrame:
    return table(f"person_id | household_id | kind\n{person or ''} | {home or ''} | {kind}", like="permissions")


NOBODY = opt_outs("objection", person="x").clear()


def found(
    sent: Records, opted: pl.DataFrame = NOBODY, *, guarded: tuple[str, ...] = (), config: Config = CONFIG
) -> tuple[list[str], dict[str, int]]:
    """The homes on the sheet, and how many were left out by reason."""
    kept = sent.with_rows(keep_permitted(sent.rows(), opted, purpose=config.score.purpose, ledger=config.ledger))
    needs, left_out = unlinked_home_needs(
        sent,
        opted,
        known_tables(kept, AsOf(NIGHT), config.tables),
        guarded=pl.Series("household_id", guarded, dtype=pl.String),
        rules=need_rules(config.outreach.thresholds),
        config=config,
        as_of=AsOf(NIGHT),
    )
    return needs["household_id"].to_list(), dict(left_out.iter_rows())


def test_a_home_of_nobody_is_on_the_sheet_and_homes_of_people_are_not() -> None:
    assert found(records()) == (["h0"], {})


@pytest.mark.sweep(of=3)
@pytest.mark.parametrize("purpose", ["direct_care", "risk_stratification", "evaluation"])
@pytest.mark.parametrize("of", ["person", "home"])
@pytest.mark.parametrize("kind", ["objection", "restriction", "type_1", "national"])
def test_no_opt_out_puts_the_home_on_the_sheet(kind: str, of: str, purpose: str) -> None:
    config = replace(CONFIG, score=CONFIG.score.model_copy(update={"purpose": purpose}))
    opted = opt_outs(kind, person="ann") if of == "person" else opt_outs(kind, home=HOME)

    homes, _ = found(records(), opted, config=config)

    assert homes == ["h0"]


def test_homes_of_those_who_opted_out_are_counted() -> None:
    assert found(records(), opt_outs("objection", person="ann"))[1] == {"opted_out": 1}


def test_the_home_of_a_younger_person_who_objects_is_not_on_the_sheet() -> None:
    young = changed("ann", birth_month=date(1990, 1, 1))

    assert found(records(gp_patients=young), opt_outs("objection", person="ann"))[0] == ["h0"]


@pytest.mark.parametrize("days_ago", [3, 20, 27])
@pytest.mark.parametrize("how", ["died_on", "left_on"])
def test_a_death_or_a_leaving_does_not_put_the_home_on_the_sheet(how: str, days_ago: int) -> None:
    gone = changed("ann", **{how: NIGHT - timedelta(days=days_ago)})

    assert found(records(gp_patients=gone))[0] == ["h0"]


def test_a_death_recorded_after_the_night_counts_all_the_same() -> None:
    gone = changed("ann", died_on=date(2026, 11, 20), recorded_on=NIGHT + timedelta(days=3))

    assert found(records(gp_patients=gone))[0] == ["h0"]


def test_what_was_found_while_somebody_now_dead_lived_there_is_no_fact_of_an_empty_home() -> None:
    # Ann died in March: what was found in October is of whoever lives there now, what was found in January is not.
    gone = changed("ann", died_on=date(2026, 3, 1))
    january = table(VISITS.replace("2026-10-0", "2026-01-0"), like="fire_visits")

    assert found(records(gp_patients=gone))[0] == ["h0", "h1"]
    assert found(records(gp_patients=gone, fire_visits=january)) == (["h0"], {"before_the_resident_left": 1})


def test_somebody_who_moved_on_left_the_home_and_took_their_facts_along() -> None:
    moved = changed("ann", household_id="h9", moved_in_on=date(2026, 10, 30))

    # For 90 days the register has time to follow; after that the visit is still of before the move.
    assert found(records(gp_patients=moved)) == (["h0"], {"cooling_off": 1})
    long_ago = changed("ann", household_id="h9", moved_in_on=date(2026, 2, 1))
    assert found(records(gp_patients=long_ago))[0] == ["h0", "h1"]


# Days in peace of the shipped settings, by outcome of a contact with the home.
DAYS = CONFIG.outreach.cooling_off_days.model_dump()


@pytest.mark.sweep(of=3)
@pytest.mark.parametrize(("outcome", "days"), DAYS.items())
def test_a_contact_with_the_home_leaves_it_in_peace_as_long_as_it_would_its_people(outcome: str, days: int) -> None:
    def met(ago: int) -> Records:
        day = NIGHT - timedelta(days=ago)
        drawn = f"household_id | contacted_on | outcome | recorded_on\nh0 | {day} | {outcome} | {day}"
        return records(contacts=table(drawn, like="contacts", agency="fire"))

    assert found(met(days - 1)) == ([], {"cooling_off": 1})
    assert found(met(days))[0] == ["h0"]


@pytest.mark.parametrize(("outcome", "days"), [("refused", DAYS["refused"]), ("no_access", DAYS["no_access"])])
def test_a_fire_visit_refused_or_with_nobody_in_leaves_the_home_in_peace(outcome: str, days: int) -> None:
    def visited(ago: int) -> Records:
        day = NIGHT - timedelta(days=ago)
        more = f"    h0 | {day} | {outcome} | unknown | {day}"
        return records(fire_visits=table(f"{VISITS.rstrip()}\n{more}", like="fire_visits"))

    assert found(visited(days - 1)) == ([], {"cooling_off": 1})
    assert found(visited(days))[0] == ["h0"]


def test_a_care_home_is_not_called_on_at_the_door() -> None:
    homes = table("household_id | property_type | recorded_on\nh0 | care_home | 2026-01-01", like="homes", source="epc")

    assert found(records(homes=homes)) == ([], {"care_home": 1})


@pytest.mark.parametrize("kind", ["type_1", "national"])
def test_a_danger_at_a_home_under_safeguarding_is_kept_for_the_lead_in_spite_of_a_type_1_opt_out(kind: str) -> None:
    assert found(records(), opt_outs(kind, person="ann"), guarded=("h1",))[0] == (
        ["h0", "h1"] if kind == "type_1" else ["h0"]  # the national opt-out does not bind direct care: ann may be used
    )


@pytest.mark.parametrize("kind", ["objection", "restriction"])
def test_of_somebody_who_objects_the_lead_hears_of_the_marker_alone(kind: str) -> None:
    assert found(records(), opt_outs(kind, person="ann"), guarded=("h1",)) == (["h0"], {"opted_out": 1})
