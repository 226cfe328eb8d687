"""A home that an address was matched to with low certainty: nobody knocks, and no fact of it is anybody's."""

from datetime import date

import polars as pl
import pytest
from helpers.knowledge import CONFIG, known_on, records_of, spine_on
from helpers.known import NIGHT, features_of, needs_found
from helpers.tables import pseudonym, table

from ageingwell.contracts.registry import TABLES
from ageingwell.features.build import FEATURES, HOME_SOURCES
from ageingwell.known import known_people
from ageingwell.night.matches import low_matches
from ageingwell.outreach.flags import with_people_at
from ageingwell.permissions import keep_permitted
from ageingwell.permitted import Permitted
from ageingwell.recognition.links import LINKS
from ageingwell.spine import sure_homes, unsure_homes
from ageingwell.timeline import AsOf

Frames = dict[str, pl.DataFrame]
OF_HOMES = [name for name in TABLES if "household_match" in TABLES[name].to_schema().columns and name != "gp_patients"]


def night(match: str, *, rows_match: str = "exact") -> Frames:
    """p1 and p2 at one home of which every source tells something; the match of p1's address is drawn."""
    return {
        "gp_patients": table(
            f"""
            person_id | household_id | household_match | moved_in_on | birth_month | registered_on | recorded_on
            p1        | h1           | {match}         | 2010-01-01  | 1940-01-01  | 2000-01-01    | 2020-01-02
            p2        | h1           | exact           | 2010-01-01  | 1942-01-01  | 2000-01-01    | 2020-01-02
            """,
            like="gp_patients",
            sex="female",
        ),
        "homes": table(
            f"household_id | source | household_match | tenure | occupants | epc_rating | recorded_on\n"
            f"h1 | epc | {rows_match} | social_rented | 2 | g | 2026-01-01",
            like="homes",
        ),
        "housing_events": table(
            f"household_id | event_type | household_match | category | happened_on | recorded_on\n"
            f"h1 | hazard_found | {rows_match} | 1 | 2026-09-01 | 2026-09-02",
            like="housing_events",
        ),
        "fire_visits": table(
            "household_id | visit_outcome | household_match | smoke_alarm_working | smoker | visited_on | recorded_on\n"
            f"h1 | completed | {rows_match} | no | yes | 2026-09-01 | 2026-09-02",
            like="fire_visits",
        ),
        "fire_incidents": table(
            f"household_id | incident_type | household_match | happened_on | recorded_on\n"
            f"h1 | accidental_dwelling_fire | {rows_match} | 2026-09-01 | 2026-09-02",
            like="fire_incidents",
        ),
    }


NAMES = {"p1": pseudonym(1), "p2": pseudonym(2), "h1": pseudonym(900)}


def permitted(frames: Frames) -> Permitted:
    """The tables as the gate leaves them, with pseudonyms as the spine's contract asks for."""
    named = {
        name: frame.with_columns(pl.col("^(person_id|household_id)$").replace(NAMES)) for name, frame in frames.items()
    }
    register = named["gp_patients"].with_columns(practice_code=pl.lit("Z80001"))
    frames = named | {"gp_patients": register}
    records = records_of(frames)
    nobody = pl.Series("household_id", [], dtype=pl.String)
    unsure = unsure_homes(frames["gp_patients"].lazy())
    links = pl.DataFrame(schema=LINKS)
    return Permitted(
        records=records, opted=pl.DataFrame(), incomplete_homes=nobody, unsure=unsure, doubts=(), links=links
    )


OF_THE_HOME = [feature.name for feature in FEATURES if feature.source in HOME_SOURCES]


@pytest.mark.parametrize("match", ["exact", "high", "unknown"])
def test_a_home_of_any_other_match_is_used(match: str) -> None:
    assert spine_on(night(match), NIGHT)["household_id"].to_list() == ["h1", "h1"]
    assert ("p1", "no_working_alarm") in needs_found(night(match))


def test_somebody_whose_match_is_low_has_no_home_and_no_fact_of_one() -> None:
    spine = spine_on(night("low"), NIGHT)
    made = features_of(night("low"))

    assert spine.select("person_id", "household_id").rows() == [("p1", None), ("p2", "h1")]
    assert [name for name in OF_THE_HOME if made["p1"][name] is not None] == []
    assert [made["p2"][name] for name in ("is_social_rented", "is_alarm_missing", "n_hazards_1095d")] == [1.0, 1.0, 1.0]
    assert not [need for person, need in needs_found(night("low")) if person == "p1"]


def test_how_many_live_there_is_unknown_of_the_others() -> None:
    spine = known_people(permitted(night("low")), AsOf(NIGHT), config=CONFIG).spine
    sure = known_people(permitted(night("high")), AsOf(NIGHT), config=CONFIG).spine

    assert spine["n_household_members"].to_list() == [None, None]
    assert sure["n_household_members"].to_list() == [2, 2]


@pytest.mark.parametrize("name", OF_HOMES)
def test_a_row_about_a_home_of_low_match_is_nobodys(name: str) -> None:
    frames = night("exact", rows_match="low")

    assert known_on(frames, NIGHT)[name].collect().is_empty()
    assert known_on(night("exact"), NIGHT)[name].collect().height == 1


def test_the_newest_version_says_how_sure_it_is() -> None:
    versions = table(
        """
        person_id | household_id | household_match | birth_month | registered_on | recorded_on
        p1        | h1           | low             | 1940-01-01  | 2000-01-01    | 2020-01-02
        p1        | h1           | exact           | 1940-01-01  | 2000-01-01    | 2021-01-02
        p2        | h1           | exact           | 1940-01-01  | 2000-01-01    | 2020-01-02
        p2        | h2           | low             | 1940-01-01  | 2000-01-01    | 2021-01-02
        p3        |              | low             | 1940-01-01  | 2000-01-01    | 2021-01-02
        """,
        like="gp_patients",
        sex="female",
    )

    assert unsure_homes(versions.lazy()).rows() == [("p2", "h2")]
    assert spine_on({"gp_patients": versions}, NIGHT)["household_id"].to_list() == ["h1", None, None]
    # A version told on the night or later changes nothing.
    assert spine_on({"gp_patients": versions}, date(2021, 1, 2))["household_id"].to_list() == [None, "h1"]


def test_an_opt_out_of_the_home_takes_whoever_may_live_there() -> None:
    frames = night("low") | {
        "permissions": table("person_id | household_id | kind\n | h1 | objection", like="permissions")
    }
    ledger = CONFIG.ledger

    kept = keep_permitted(
        {name: frame.lazy() for name, frame in frames.items()},
        frames["permissions"],
        purpose="direct_care",
        ledger=ledger,
    )

    assert kept["gp_patients"].collect().is_empty()


def test_a_marker_of_the_home_holds_for_whoever_may_live_there() -> None:
    marks = pl.DataFrame(
        {"person_id": [None], "household_id": ["h1"]}, schema={"person_id": pl.String, "household_id": pl.String}
    )

    assert with_people_at(marks, unsure_homes(night("low")["gp_patients"].lazy())).rows() == [
        (None, "h1"),
        ("p1", None),
    ]


def test_who_may_live_in_a_care_home_is_asked_about_first() -> None:
    frames = night("low")
    told = table("household_id | source | property_type | recorded_on\nh1 | cqc | care_home | 2020-01-01", like="homes")
    frames["homes"] = pl.concat([frames["homes"], told])

    spine = known_people(permitted(frames), AsOf(NIGHT), config=CONFIG).spine

    assert dict(spine.select("person_id", "care_home").rows()) == {NAMES["p1"]: "check", NAMES["p2"]: "yes"}


def test_it_is_told_that_there_are_some_and_never_how_many() -> None:
    frames = night("low", rows_match="low")
    people = unsure_homes(frames["gp_patients"].lazy())

    of_people, of_rows = low_matches(records_of(frames), people, on=NIGHT)

    assert "may be matched to the wrong home. They get a letter or a call, not a visit" in of_people
    assert of_rows.endswith("are in: homes, housing events, fire visits, fire incidents")
    assert low_matches(records_of(night("exact")), people.clear(), on=NIGHT) == []


def test_rows_without_the_column_are_taken_as_sure() -> None:
    rows = pl.LazyFrame({"household_id": ["h1"], "recorded_on": [NIGHT]})
    untold = rows.with_columns(household_match=pl.lit(None, dtype=pl.String))

    assert sure_homes(rows).collect().height == sure_homes(untold).collect().height == 1
