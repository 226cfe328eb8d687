"""On paper: page one on sheets of A4, and one sheet for each person."""

import re

from helpers.people import FULL, person
from helpers.views import FACTS, FOUND, LEFT, see

from ageingwell.report.html import report_html
from ageingwell.report.summary import summarise

A4 = {(595, 842): "portrait", (842, 595): "landscape"}


def sheets(page) -> list[str]:
    """How each sheet lies when the page is printed as it sets itself out."""
    printed = page.pdf(prefer_css_page_size=True)
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", printed)
    assert len(boxes) == len(re.findall(rb"/Type /Page\b", printed))
    return [A4[round(float(width)), round(float(height))] for width, height in boxes]


def test_the_report_prints_with_one_sheet_a_person(night, open_page):
    page = open_page(night / "report.html").page
    n = page.locator("tr[data-card]").count()

    printed = sheets(page)

    assert printed.count("portrait") == n
    assert printed[0] == "landscape"
    assert printed[-n:] == ["portrait"] * n


def test_a_reader_without_arial_has_one_sheet_a_person_as_well(night, open_page, tmp_path):
    text = (night / "report.html").read_text(encoding="utf-8")
    narrow = text.index('@font-face { font-family: "As wide as Arial"')
    wide = text.index('@font-face { font-family: "Made as narrow"')
    without = re.sub("Content-Security-Policy", "X-None", text[:narrow] + text[wide:])
    assert '"As wide as Arial"; src' not in without
    (tmp_path / "report.html").write_text(without, encoding="utf-8")

    page = open_page(tmp_path / "report.html").page
    n = page.locator("tr[data-card]").count()

    assert sheets(page).count("portrait") == n


def test_without_scripts_it_prints_the_same(night, open_page):
    page = open_page(night / "report.html").page
    without = open_page(night / "report.html", scripts=False).page

    assert sheets(without) == sheets(page)


def test_a_person_who_is_open_prints_alone(night, open_page):
    assert sheets(open_page(night / "report.html", "#person-3").page) == ["portrait"]


def test_a_narrowed_list_prints_the_sheets_of_those_it_shows(night, open_page):
    page = open_page(night / "report.html").page
    page.get_by_label("Suggested lead").select_option(index=1)
    n = page.locator("tr[data-card]:not([hidden])").count()

    assert sheets(page).count("portrait") == n


def test_a_page_that_has_much_to_say_is_set_closer_and_still_fits_one_sheet(open_page, tmp_path):
    told = {name: value for name, value in FULL.items() if name not in ("anchor", "door", "needs")}
    people = [person(n, **told, needs=(FULL["needs"] * 3)[:n]) for n in range(1, 9)]
    summary = summarise(see("group"), facts=FACTS, attrition=LEFT, needs=FOUND, people=people)
    (tmp_path / "report.html").write_bytes(report_html(summary))

    assert sheets(open_page(tmp_path / "report.html").page).count("portrait") == len(people)
