"""An offer tells a reader nothing that the reader does not already see: it follows from the cells of the row alone."""

import csv
import io
import json

import polars as pl
import pytest
from helpers.views import AS_OF, LEDGER, LISTED, PEOPLE, see
from hypothesis import given, settings
from hypothesis import strategies as st

from ageingwell.config.load import load_config
from ageingwell.config.positions import read_positions
from ageingwell.config.score import Ledger, RecipientView
from ageingwell.register import LEAD_AGENCIES
from ageingwell.report.csv import agency_csv
from ageingwell.report.export import view_json
from ageingwell.report.html import agency_html
from ageingwell.report.offers import NO_DIRECTORY, NO_OFFER, NOT_USABLE, offers_of, terms_by_words, with_offers
from ageingwell.services.directory import read_directory
from ageingwell.services.offerable import nothing_offerable, offerable
from ageingwell.views.columns import AGE_BAND, NEEDS, PLACE, AgencyView
from ageingwell.views.words import NEED_WORDS

CONFIG = load_config()
DIRECTORY = read_directory(CONFIG.directory)
SERVICES = offerable(DIRECTORY, on=AS_OF)
POSITIONS = read_positions(CONFIG.positions)
PLACES = ("Church Stretton", "Totnes", "Abbey", "Ludlow North", "not known")
WORDS = [words for pair in NEED_WORDS.values() for words in (pair.name, pair.functional)]
BANDS = ("65 to 69", "70 to 74", "75 to 79", "90 or over", "not known")


def offers(view, services=SERVICES):
    return offers_of(view, services=services, positions=POSITIONS, settings=CONFIG.services)


def view_of(*rows):
    frame = pl.DataFrame(
        rows, schema={"place": pl.String, "age_band": pl.String, "needs": pl.List(pl.String)}, orient="row"
    )
    return AgencyView("gp", AS_OF, (PLACE, AGE_BAND, NEEDS), frame)


rows_drawn = st.tuples(
    st.sampled_from(PLACES), st.sampled_from(BANDS), st.lists(st.sampled_from(WORDS), max_size=4, unique=True)
)


@settings(max_examples=40, deadline=None)
@given(st.lists(rows_drawn, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_rows_that_look_alike_have_the_same_offers_whoever_stands_beside_them(rows, random):
    together = offers(view_of(*rows))
    shuffled = rows[:]
    random.shuffle(shuffled)
    elsewhere = dict(zip(map(repr, shuffled), offers(view_of(*shuffled)), strict=True))

    assert together == [elsewhere[repr(row)] for row in rows]
    assert together == [offers(view_of(row))[0] for row in rows]


@settings(max_examples=40, deadline=None)
@given(rows_drawn)
def test_at_most_three_services_for_a_need_and_none_twice(row):
    found = offers(view_of(row))[0]

    for need in row[2]:
        named = [offer["name"] for offer in found if offer["need"] == need]
        assert len(named) <= CONFIG.services.offers_a_need
        assert {offer["need"] for offer in found} <= set(row[2])


@pytest.mark.parametrize("recipient", LEAD_AGENCIES)
def test_an_age_that_a_reader_may_not_see_changes_no_offer(recipient):
    """Whoever reads no age band gets the same for people of 66 and of 96, and is told to ask."""
    ledger = Ledger(permitted=(), views={recipient: RecipientView(themes=("home", "fire"))})
    young, old = (
        offers(see(recipient, people=PEOPLE.with_columns(age=pl.lit(age)), ledger=ledger)) for age in (66, 96)
    )

    assert young == old


def test_needs_that_share_functional_words_share_what_is_offered_for_them():
    by_words = terms_by_words(CONFIG.services)

    assert {"bereaved_and_alone", "isolation"} <= CONFIG.services.needs.keys()
    assert "bereavement-support" in by_words["Bereaved and living alone"]
    assert "bereavement-support" not in by_words["May welcome company"]


def test_every_need_has_its_terms_and_every_term_stands_in_the_shipped_directory():
    there = set(DIRECTORY.tables["terms"]["code"])

    assert CONFIG.services.needs.keys() == CONFIG.interventions.needs.keys()
    assert {term for need in CONFIG.services.needs.values() for term in (*need.terms, *need.functional_terms)} <= there


def test_a_recipient_gets_offers_for_the_needs_of_its_own_view_alone():
    """p1 needs an alarm and a talk about medicines; housing reads neither and leads neither: no offer for these."""
    own = Ledger(permitted=(), views={**LEDGER.views, "housing": RecipientView(themes=())})
    view = see("housing", ledger=own, rows=LISTED.with_columns(place=pl.lit("Church Stretton")))

    shown = {offer["need"] for row in offers(view) for offer in row}

    assert shown <= {words for row in view.frame["needs"].to_list() for words in row}
    assert shown == {
        "May need a warmer home",
        "May need help to get about at home",
        "May need something at home put right",
    }


def test_where_there_is_no_directory_the_column_says_so():
    view = see("fire")
    none = offers(view, nothing_offerable())

    for state, words in (("none", NO_DIRECTORY), ("damaged", NOT_USABLE), ("in_time", NO_OFFER)):
        told = with_offers(view, none, state=state)
        assert set(map(tuple, told.frame["offers"].to_list())) == {(words,)}


def test_the_file_for_machines_holds_exactly_the_cells_of_the_view():
    view = with_offers(see("gp"), offers(see("gp")), state="in_time")

    told = json.loads(view_json(view, notices=["Late."]))

    assert told["rows"] == view.frame.to_dicts()
    assert [column["name"] for column in told["columns"]] == view.frame.columns


@pytest.mark.parametrize("text", ["=1+1", "@x", "<script>x</script>", "\u202etxt", "-1"])
def test_a_text_of_the_directory_is_never_a_formula_or_a_tag(text):
    view = see("fire")
    attacked = SERVICES.with_columns(name=pl.lit(text), cost=pl.lit(text), when=pl.lit(text), where=pl.lit(text))
    told = with_offers(view, offers(view, attacked), state="in_time")

    cells = [cell for line in csv.reader(io.StringIO(agency_csv(told).decode("utf-8-sig"))) for cell in line if cell]
    assert any(text[1:] in cell for cell in cells)
    assert not [cell for cell in cells if cell.lstrip()[:1] in tuple("=+-@")]
    assert "<script>x" not in agency_html(told).decode()
    assert "\u202e" not in agency_html(told).decode()
