"""What a person's page says, as data: in the order of the list, for readers of the risk alone."""

from helpers.views import FACTS, FOUND, KEY, LEDGER, LISTED, SCORES, TOLD, see

from ageingwell.report.people import people_told


def told(recipient="group"):
    view = see(recipient)
    return people_told(view, rows=LISTED, needs=FOUND, reasons=TOLD, scores=SCORES, facts=FACTS, ledger=LEDGER, key=KEY)


def test_one_page_a_person_in_the_order_of_the_list():
    view = see("group")

    pages = told()

    assert [page["anchor"] for page in pages] == [f"person-{n}" for n in range(1, view.frame.height + 1)]
    assert [page["row_key"].replace(" ", "") for page in pages] == [key[:8] for key in view.frame["row_key"]]


def test_people_of_one_home_share_a_door():
    doors = {}
    for page in told():
        doors.setdefault(page["door"], set()).add(page["household_key"])

    assert all(len(homes) == 1 for homes in doors.values())


def test_who_may_not_read_the_risk_gets_no_page_of_a_person():
    assert [told(agency) for agency in ("social_care", "housing", "fire", "voluntary")] == [[]] * 4
    assert told("gp")
