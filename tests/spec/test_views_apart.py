"""Homes that nobody is linked to, and the sheet of the safeguarding lead."""

import polars as pl
from helpers.views import AS_OF, FOUND, KEY, LEDGER, PEOPLE, need, needs, pseudonym

from ageingwell.config.outreach import Thresholds
from ageingwell.pseudonyms.digests import row_key
from ageingwell.views.apart import homes_for, safeguarding_view
from ageingwell.views.reader import reader_of

IDS = {"person_id": pl.String, "household_id": pl.String, "reason": pl.String}


# p7 and p9 were scored too; they stand on no list.
SCORED = pl.concat([PEOPLE, *(PEOPLE.head(1).with_columns(person_id=pl.lit(pseudonym(p))) for p in ("p7", "p9"))])


def marked(*rows):
    given = [tuple(None if cell is None else pseudonym(cell) for cell in row[:2]) + row[2:] for row in rows]
    return pl.DataFrame(given, schema=IDS, orient="row")


def safeguarding(*rows, found=FOUND):
    return safeguarding_view(marked(*rows), needs=found, people=SCORED, ledger=LEDGER, as_of=AS_OF, key=KEY)


def test_the_fire_service_gets_the_homes_nobody_is_linked_to_under_its_own_key():
    homes = homes_for("fire", needs=FOUND, ledger=LEDGER, as_of=AS_OF, key=KEY)
    key = pl.select(row_key(pl.lit(pseudonym("h8")), recipient="fire", as_of=AS_OF, key=KEY)).item()

    assert homes.frame.rows() == [
        (key, "1", "Soon", "20 December 2026", "Not on record; your own register has the address",
         ["No working smoke alarm"], ["No working smoke alarm was found"],
         "Make a home fire-safety visit and fit alarms",
             "We are offering people in this area a visit about staying safe from fire at home")
    ]  # fmt: skip


def test_homes_that_nobody_is_linked_to_stand_in_order_of_urgency_with_their_place():
    found = needs(
        need(None, "h7", "no_working_alarm", "no working smoke alarm was found"),
        need(None, "h8", "oxygen_or_emollient_smoking", "home oxygen, and someone in this home smokes"),
        need(None, "h9", "no_working_alarm", "no working smoke alarm was found"),
    ).with_columns(place=pl.Series([None, "Ludlow", "Clun"], dtype=pl.String))

    homes = homes_for("fire", needs=found, ledger=LEDGER, as_of=AS_OF, key=KEY).frame

    assert homes["position"].to_list() == ["1", "2", "3"]
    assert homes["urgency"].to_list() == ["Urgent", "Soon", "Soon"]
    assert homes.row(0, named=True)["place"] == "Ludlow"
    assert homes.row(0, named=True)["act_by"] == "29 November 2026"
    assert sorted(homes["place"][1:]) == ["Clun", "Not on record; your own register has the address"]


def test_an_agency_that_leads_no_need_of_an_empty_home_gets_none():
    assert homes_for("housing", needs=FOUND, ledger=LEDGER, as_of=AS_OF, key=KEY).frame.is_empty()


def test_a_home_under_a_safeguarding_marker_is_left_to_the_safeguarding_lead():
    homes = homes_for("fire", needs=FOUND, ledger=LEDGER, as_of=AS_OF, key=KEY, safeguarded={pseudonym("h8")})

    assert homes.frame.is_empty()


def test_the_staff_safety_note_comes_before_the_action_at_a_home_too():
    homes = homes_for("fire", needs=FOUND, ledger=LEDGER, as_of=AS_OF, key=KEY, staff_safety={pseudonym("h8")})

    assert homes.frame["action"].to_list() == [
        "Read the staff safety marker before going. Make a home fire-safety visit and fit alarms"
    ]


def test_the_safeguarding_lead_sees_everyone_under_a_marker_unmet_fire_needs_first():
    view = safeguarding(
        ("p7", "h7", "safeguarding"), ("p9", "h9", "safeguarding"), ("p8", "h9", "safeguarding_at_home")
    )

    assert view.frame.select("is_a", "marker", "needs", "facts").rows()[2] == (
        "Person", "This person", ["No fire need found"], ["Nothing that you may read"],
    )  # fmt: skip
    assert set(view.frame["marker"][:2]) == {"This person", "Someone at this home"}
    assert view.frame["needs"][:2].to_list() == [["No working smoke alarm"]] * 2
    assert view.frame["household_key"][:2].n_unique() == 1


def test_of_somebody_of_whom_nothing_may_be_known_no_need_is_said_to_be_none():
    # Opted out, or too young to be scored: nobody looked for a need of theirs.
    (row,) = safeguarding(("p77", "h77", "safeguarding")).frame.select("is_a", "place", "marker", "needs").rows()

    assert row == ("Person", "Not known", "This person", ["Not known"])


def test_a_marker_of_a_home_is_a_row_of_its_own_with_the_homes_key():
    view = safeguarding((None, "h9", None))
    key = pl.select(row_key(pl.lit(pseudonym("h9")), recipient="safeguarding", as_of=AS_OF, key=KEY)).item()

    assert view.frame.select("row_key", "is_a", "marker", "needs").rows() == [
        (key, "Home", "This home", ["No working smoke alarm"])
    ]


def test_a_fire_need_that_somebody_is_sent_to_meet_is_not_told_again_and_one_without_outcome_is():
    met = needs(need("p9", "h9", "no_working_alarm", "no working smoke alarm was found"))
    unknown = met.with_columns(outcome=pl.lit(None, dtype=pl.String))

    assert safeguarding(("p9", "h9", "safeguarding"), found=met).frame["needs"].to_list() == [["No fire need found"]]
    assert safeguarding(("p9", "h9", "safeguarding"), found=unknown).frame["needs"].to_list() == [
        ["No working smoke alarm"]
    ]


def test_no_pseudonym_of_the_group_reaches_the_safeguarding_lead():
    texts = str(safeguarding(("p9", "h9", "safeguarding"), (None, "h9", None)).frame.rows())

    assert pseudonym("p9") not in texts
    assert pseudonym("h9") not in texts


def test_the_safeguarding_lead_reads_no_health_fact():
    reader = reader_of("safeguarding", ledger=LEDGER, thresholds=Thresholds())

    assert reader.facts_of("cold_home", "energy rating F; heart failure is recorded") == ["energy rating F"]
