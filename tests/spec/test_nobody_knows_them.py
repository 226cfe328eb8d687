"""That nobody knows somebody is said only where every service could be asked, and that they are alone likewise."""

import polars as pl
import pytest
from helpers.knowledge import CONFIG, known_on
from helpers.known import NIGHT, codes, features_of, register
from helpers.outreach import NO_FLOORS
from helpers.people import person
from helpers.tables import table
from helpers.views import KEY, LEDGER, needs, reasons, row, rows, spine_of

from ageingwell.outreach.household import one_knock_a_door
from ageingwell.register import ASKED_AGENCIES, tables_telling_of
from ageingwell.report.listing import listing_of
from ageingwell.report.unknown import without_record
from ageingwell.spine import build_spine
from ageingwell.timeline import AsOf
from ageingwell.views.recipient import view_for

Frames = dict[str, pl.DataFrame]
# Every table whose rows make somebody known to a service, with the service.
TELL = {
    "hospital_events": "hospital",
    "care_events": "social_care",
    "housing_events": "housing",
    "fire_visits": "fire",
    "fire_incidents": "fire",
    "contacts": "voluntary",
}
ONE = register(("p1", "h1", "1940-01-01"))


def everything_came(patients: pl.DataFrame = ONE) -> Frames:
    empty = {name: table("recorded_on", like=name) for name in TELL}
    return {"gp_patients": patients, "gp_events": codes(("p1", "dementia", "2020-05-01")), **empty}


def spine_of_night(frames: Frames, **more: pl.Series) -> pl.DataFrame:
    known = known_on(frames, NIGHT)
    return build_spine(known, AsOf(NIGHT), minimum_age=65, places=CONFIG.places, **more)


def test_where_every_table_came_nobody_is_nobody() -> None:
    spine, found = spine_of_night(everything_came()), features_of(everything_came())["p1"]

    assert spine.select("known_to", "not_told_by").row(0) == ([], [])
    assert found["n_known_agencies"] == 0.0
    assert [found[f"is_unknown_to_{agency}"] for agency in ("social_care", "housing", "fire")] == [1.0] * 3


@pytest.mark.parametrize("name", TELL)
def test_without_a_table_that_tells_of_an_agency_nobody_is_known_to_no_service(name: str) -> None:
    without = {other: frame for other, frame in everything_came().items() if other != name}
    spine, found = spine_of_night(without), features_of(without)["p1"]

    assert spine["not_told_by"].to_list() == [[TELL[name]]]
    assert found["n_known_agencies"] is None
    unknown = {agency: found[f"is_unknown_to_{agency}"] for agency in ("social_care", "housing", "fire")}
    assert unknown == {agency: None if agency == TELL[name] else 1.0 for agency in unknown}


def test_whom_another_table_shows_to_be_known_is_known_all_the_same() -> None:
    told = table(
        "person_id | agency | contacted_on | outcome | recorded_on\n"
        "p1 | social_care | 2026-05-01 | completed | 2026-05-02",
        like="contacts",
    )
    without = {name: frame for name, frame in everything_came().items() if name != "care_events"} | {"contacts": told}

    spine, found = spine_of_night(without), features_of(without)["p1"]

    assert spine.select("known_to", "not_told_by").row(0) == (["social_care"], [])
    assert (found["is_unknown_to_social_care"], found["n_known_agencies"]) == (0.0, 1.0)


def test_of_somebody_without_a_home_housing_and_fire_cannot_tell() -> None:
    spine = spine_of_night(everything_came(register(("p1", "", "1940-01-01"))))

    assert spine["not_told_by"].to_list() == [["fire", "housing"]]


@pytest.mark.parametrize(("not_told_by", "unknown"), [([], True), (["social_care"], False)])
def test_the_floor_of_the_unknown_rests_on_no_table_that_did_not_come(not_told_by: list[str], unknown: bool) -> None:
    ranked = pl.DataFrame(
        {
            "person_id": ["p1"], "household_id": ["h1"], "rank": [1], "risk": [0.3], "why": ["rule"],
            "place": ["Ludlow"], "known_to": [[]], "not_told_by": [not_told_by], "is_rural": [0.0],
            "deprivation_decile": [4], "previous_lead": [None], "is_frozen": [False],
        },
        schema_overrides={
            "previous_lead": pl.String, "known_to": pl.List(pl.String), "not_told_by": pl.List(pl.String),
        },
    )  # fmt: skip
    need = pl.DataFrame(
        {"person_id": ["p1"], "need": ["no_working_alarm"], "lead_agency": ["fire"], "urgency": ["soon"]}
    )

    doors = one_knock_a_door(ranked, need, settings=CONFIG.outreach.model_copy(update={"floors": NO_FLOORS}))

    assert doors["is_unknown_to_every_service"].to_list() == [unknown]


# --- What readers are told ---


@pytest.mark.parametrize(
    ("not_told_by", "told"),
    [
        ([], {"group": "None recorded", "fire": "We cannot tell you who else is involved"}),
        (
            ["fire", "social_care"],
            {
                "group": "We cannot tell: no records to check from Fire and rescue, Adult social care",
                "fire": "We cannot tell: no records to check from Fire and rescue",
            },
        ),
        # Who may not read of care is not told that there are no records of it either.
        (["social_care"], {"fire": "We cannot tell you who else is involved"}),
    ],
)
def test_a_view_says_whose_records_could_not_be_looked_in(not_told_by: list[str], told: dict[str, str]) -> None:
    listed = rows(row("p1", "h1", 1, "fire", known_to=[]))
    untold = pl.Series("not_told_by", [not_told_by], dtype=pl.List(pl.String))
    people = spine_of(listed, age=80).with_columns(untold)

    for recipient, words in told.items():
        view = view_for(
            recipient, rows=listed, needs=needs(), reasons=reasons(), people=people, ledger=LEDGER, as_of=NIGHT, key=KEY
        )
        assert view.frame["known_to"].to_list() == [[words]]


def test_a_row_of_the_list_says_nobody_only_where_every_service_could_be_asked() -> None:
    gp = [{"agency": "GP practices", "last": None}]
    others = ["Hospital", "Adult social care", "Housing", "Fire and rescue", "Voluntary sector"]
    asked = person(1, in_touch=gp, not_in_touch=others)
    not_asked = person(2, in_touch=gp, not_in_touch=[name for name in others if name != "Adult social care"])

    found = [row for block in listing_of([asked, not_asked])["blocks"] for row in block["rows"]]

    assert found[0]["nobody"] == "Only their GP practice"
    assert found[1]["nobody"] == "We cannot tell: no records to check from Adult social care"


@pytest.mark.parametrize("missing", [name for agency in ASKED_AGENCIES for name in tables_telling_of(agency)])
def test_a_page_names_no_service_as_without_record_of_which_a_table_did_not_come(missing: str) -> None:
    [agency] = [name for name in ASKED_AGENCIES if missing in tables_telling_of(name)]

    assert agency not in without_record([], missing=[missing])
    assert set(without_record([], missing=[missing])) == set(ASKED_AGENCIES) - {agency}


# --- Who lives with somebody whose record may not be used (F31) ---


def test_how_many_live_with_somebody_who_may_not_be_used_is_unknown() -> None:
    whole = spine_of_night(everything_came())
    incomplete = spine_of_night(everything_came(), incomplete_homes=pl.Series(["h1", None]))
    sizes = ["n_household_members", "n_household_65plus", "n_household_under_65"]

    assert whole.select(sizes).row(0) == (1, 1, 0)
    assert incomplete.select(sizes).row(0) == (None, None, None)
    assert incomplete.drop(sizes).equals(whole.drop(sizes))
