"""The workbooks: sheets, drop-downs, and nothing in them that runs."""

import io
import re
import zipfile
from xml.etree import ElementTree

import polars as pl
import pytest
from helpers.views import AS_OF, FACTS, FOUND, KEY, LEDGER, LISTED, PEOPLE, pseudonym, rows, see

from ageingwell.report.summary import notices
from ageingwell.report.workbook import agency_workbook, safeguarding_workbook
from ageingwell.views.apart import homes_for, safeguarding_view

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
HOMES = homes_for("fire", needs=FOUND, ledger=LEDGER, as_of=AS_OF, key=KEY)


def parts_of(content):
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return {name: book.read(name).decode() for name in book.namelist()}


def parsed(text):
    return ElementTree.fromstring(text)  # noqa: S314 - our own workbook


def texts_of(parts):
    shared = parsed(parts["xl/sharedStrings.xml"])
    return ["".join(text.text or "" for text in item.iter(f"{MAIN}t")) for item in shared.iter(f"{MAIN}si")]


def sheets_of(parts):
    names = [sheet.get("name") for sheet in parsed(parts["xl/workbook.xml"]).iter(f"{MAIN}sheet")]
    return {name: parts[f"xl/worksheets/sheet{number}.xml"] for number, name in enumerate(names, start=1)}


def fire_book(**changed):
    return parts_of(agency_workbook(see("fire", **changed), notices=notices(FACTS), homes=HOMES))


def test_a_workbook_has_a_cover_help_the_list_the_homes_and_the_choices():
    assert list(sheets_of(fire_book())) == ["Cover", "How to use", "List", "Homes", "Add someone", "Choices"]
    assert list(sheets_of(parts_of(agency_workbook(see("housing"))))) == [
        "Cover",
        "How to use",
        "List",
        "Add someone",
        "Choices",
    ]


def test_the_list_is_a_named_table_with_a_frozen_repeated_header_on_a4_landscape():
    parts = fire_book()
    sheet = sheets_of(parts)["List"]

    assert 'displayName="List"' in parts["xl/tables/table1.xml"]
    assert '<pane xSplit="3" ySplit="1"' in sheet  # code, place and need stay in sight
    assert 'paperSize="9"' in sheet
    assert 'orientation="landscape"' in sheet
    assert "List!$1:$1" in parts["xl/workbook.xml"]
    assert "mergeCell" not in "".join(parts.values())


def test_decision_lead_and_reason_are_drop_downs_without_a_choice_made():
    parts = fire_book()
    sheet = sheets_of(parts)["List"]
    lists = re.findall(r'<dataValidation type="list"[^>]*sqref="([A-Z]+)2:\1(\d+)"><formula1>([^<]+)</formula1>', sheet)

    assert [source for _, _, source in lists] == [
        "Choices!$B$2:$B$7",
        "Choices!$B$8:$B$12",
        "Choices!$B$13:$B$19",
        "Choices!$B$20:$B$25",
        "Choices!$B$26:$B$27",
        "Choices!$B$28:$B$38",
        "Choices!$B$39:$B$45",
    ]
    # Three people, so rows 2 to 4; the cells to fill in hold nothing.
    for column, last, _ in lists:
        assert last == "4"
        assert re.search(rf'<c r="{column}2" s="\d+"/>', sheet)


def test_nothing_in_a_workbook_runs_or_leads_elsewhere():
    for content in (fire_book(), parts_of(agency_workbook(see("gp")))):
        assert not [name for name in content if "vba" in name.lower() or "externalLink" in name]
        everything = "".join(content.values())
        assert "<f>" not in everything
        assert "<hyperlink" not in everything


@pytest.mark.parametrize("payload", ["=1+1", '=HYPERLINK("http://x")', "http://x", "@x", "\x00\x01=2", "<b>&"])
def test_text_of_the_records_stays_text(payload):
    listed = LISTED.with_columns(place=pl.lit(payload), action=pl.lit(payload))
    people = PEOPLE.with_columns(communication_need=pl.lit(payload))

    parts = fire_book(rows=listed, people=people)

    assert "<f>" not in "".join(parts.values())
    assert "<hyperlink" not in "".join(parts.values())
    assert not [text for text in texts_of(parts) if text[:1] and text[0] in "=+-@\t\r"]


def test_the_cover_says_made_up_and_late_and_whose_list_it_is():
    texts = texts_of(fire_book())

    assert "Outreach list: Fire and rescue" in texts
    assert "OFFICIAL-SENSITIVE: PERSONAL" in texts
    assert "MADE-UP PEOPLE. Nobody on these pages is real." in texts
    assert any(text.startswith("Degraded: no records came from hospital events") for text in texts)


def test_the_same_view_gives_the_same_bytes_whatever_the_order_of_rows():
    shuffled = {
        "rows": LISTED.sample(fraction=1, shuffle=True, seed=3),
        "needs": FOUND.sample(fraction=1, shuffle=True, seed=4),
        "people": PEOPLE.reverse(),
    }
    first, again = (agency_workbook(see("gp", **changed)) for changed in ({}, shuffled))

    assert first == again


def test_a_list_with_nobody_on_it_is_still_a_workbook():
    parts = parts_of(agency_workbook(see("fire", rows=rows())))

    assert "Row key" in texts_of(parts)
    assert 'displayName="List"' not in "".join(parts.values())


def test_the_safeguarding_workbook_holds_the_marked_people_under_their_own_keys_and_asks_nothing():
    marked = pl.DataFrame({"person_id": [pseudonym("p9")], "household_id": [pseudonym("h9")]})
    view = safeguarding_view(marked, needs=FOUND, people=PEOPLE, ledger=LEDGER, as_of=AS_OF, key=KEY)

    parts = parts_of(safeguarding_workbook(view, notices=notices(FACTS)))

    assert list(sheets_of(parts)) == ["Cover", "Safeguarding"]
    assert "No working smoke alarm" in texts_of(parts)
    assert pseudonym("p9") not in "".join(parts.values())
    assert "dataValidation" not in "".join(parts.values())


def headings_of(parts):
    return re.findall(r'<tableColumn [^>]*name="([^"]*)"', parts["xl/tables/table1.xml"])


def test_who_need_and_next_step_stand_before_the_answers_and_what_is_behind_them_after():
    heads = headings_of(fire_book())

    assert heads[:7] == ["Code", "Place", "Needs", "Suggested next step", "Urgency", "Act by", "Decision"]
    assert heads[15] == "Home code"  # nine columns to fill in
    assert heads.index("What is on record") > 15
    assert heads[-2:] == ["Home key", "Row key"]


def test_the_keys_of_32_letters_are_there_and_hidden_and_the_code_is_as_pages_show_it():
    parts = fire_book()
    sheet, n = sheets_of(parts)["List"], len(headings_of(parts))

    assert re.findall(r'<col min="(\d+)" max="(\d+)"[^>]*hidden="1"', sheet) == [(str(n - 1), str(n))] or [
        first for first, _ in re.findall(r'<col min="(\d+)" max="(\d+)"[^>]*hidden="1"', sheet)
    ] == [str(n - 1), str(n)]
    keys = see("fire").frame["row_key"].to_list()
    assert {f"{key[:4]} {key[4:8]}" for key in keys} <= set(texts_of(parts))
    assert set(keys) <= set(texts_of(parts))


def test_who_need_next_step_and_answers_print_on_one_sheet_across():
    parts = fire_book()

    assert 'fitToWidth="1"' in sheets_of(parts)["List"] or "fitToHeight" in sheets_of(parts)["List"]
    assert "List!$A$1:$O$4" in parts["xl/workbook.xml"]  # fifteen columns; the fourth row is the third person
    assert "List!$1:$1" in parts["xl/workbook.xml"]


def test_the_cover_says_which_list_it_is_and_another_list_has_another_code():
    codes = [
        next(
            text
            for text in texts_of(parts_of(agency_workbook(view)))
            if re.fullmatch(r"fire 2026-11-22 [b-t]{8}", text)
        )
        for view in (see("fire"), see("fire"), see("fire", rows=LISTED.head(2)))
    ]

    assert codes[0] == codes[1] != codes[2]
