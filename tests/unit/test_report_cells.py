"""Counts pass one door, and text stays text."""

import csv
import io

import polars as pl
import pytest
from helpers.views import FACTS, FOUND, KEY, LEDGER, LISTED, see

from ageingwell.governance.disclosure import disclose_table, in_words
from ageingwell.report.cells import flat, harmless
from ageingwell.report.csv import agency_csv
from ageingwell.report.summary import notices

PAYLOADS = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    " =1+1",
    "\u200b=1+1",
    "\ufeff=1+1",
    "\x00=1+1",
    "\uff1d1+1",
    "\uff0b1",
    "\uff0d1",
    "\uff20x",
    '=HYPERLINK("http://x","y")',
    "=cmd|' /C calc'!A0",
)


def rows_of(content):
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_cell_starts_as_a_formula_does(payload):
    assert harmless(payload).startswith("'")
    assert not set(harmless(payload)) & set("\t\r\n\x00")


def test_ordinary_text_stays_as_it_is():
    for text in ("Ludlow", "Offer a carer's assessment: 1 = yes", "Café, Ålesund", "2 falls"):
        assert harmless(text) == text


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_formula_in_a_text_of_the_records_is_text_in_the_csv(payload):
    view = see("gp", rows=LISTED.with_columns(place=pl.lit(payload)))

    cells = [cell for row in rows_of(agency_csv(view)) for cell in row if cell]

    assert not [cell for cell in cells if cell[0] in "=+-@\t\r\uff1d\uff0b\uff0d\uff20"]


def test_the_csv_has_its_mark_every_column_and_what_every_output_says():
    content = agency_csv(see("fire"), notices=notices(FACTS))
    head, *rows = rows_of(content)

    assert content.startswith(b"\xef\xbb\xbf")
    assert head[0] == "row_key"
    answers = ["decision", "led_by", "reason", "by_when", "question", "told", "outcome", "contacted_on", "person_said"]
    assert head[-10:] == [*answers, "notices"]
    assert len(rows) == 3
    assert all(row[-1].startswith("MADE-UP PEOPLE") and row[-10:-1] == [""] * 9 for row in rows)


def test_a_very_long_text_is_cut_before_excel_would_refuse_it():
    assert flat(pl.DataFrame({"t": ["x" * 40_000]}))["t"].str.len_chars().item() <= 32_001


def test_one_hidden_cell_is_never_alone_under_a_total():
    counts = pl.DataFrame({"reason": ["a", "b", "c", "d"], "n": [3, 20, 9, 0]})

    # 3 is hidden; 9, the next smallest that is not 0, is hidden with it.
    assert disclose_table(counts)["shown"].to_list() == ["1 to 7", "20", "not shown", "0"]


def test_two_hidden_cells_protect_each_other():
    counts = pl.DataFrame({"reason": ["a", "b", "c"], "n": [3, 7, 8]})

    assert disclose_table(counts)["shown"].to_list() == ["1 to 7", "1 to 7", "10"]


def test_of_two_equal_cells_the_first_is_hidden_and_groups_are_apart():
    counts = pl.DataFrame({"step": ["x", "x", "x", "y"], "n": [1, 10, 10, 10]})

    assert disclose_table(counts, within=["step"])["shown"].to_list() == ["1 to 7", "not shown", "10", "10"]


def test_a_hidden_cell_alone_in_its_group_stays_hidden_with_its_total():
    assert disclose_table(pl.DataFrame({"n": [5, 0]}))["shown"].to_list() == ["1 to 7", "0"]
    assert in_words(5) == "1 to 7"
    assert disclose_table(pl.DataFrame({"n": []}, schema={"n": pl.Int64}))["shown"].to_list() == []


def test_the_fixture_is_permitted_and_keyed():
    assert KEY.is_made_up
    assert LEDGER.views["voluntary"].themes == ()
    assert FOUND["criterion"].null_count() == 0
