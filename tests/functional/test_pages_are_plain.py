"""A finished night in plain English: what each page and workbook shows has no hard word and is easy to read.

What the source says is looked at in `tests/unit/test_plain_english.py`; here are the sentences as they come together,
with what the night's own tables and the bundle's facts bring in.
"""

from pathlib import Path

import pytest
from helpers import readability
from helpers.hard_words import hard_words, kept, still_hard
from helpers.reader_text import Text, prose, shown_texts, workbook_texts

LONGEST_MEDIAN = 18
OLDEST_READER = 12
# Whoever signs the work off reads it, and its card: both use terms of statistics.
FOR_ANALYSTS = "annex.html"


@pytest.fixture(scope="module")
def pages(first_night: Path) -> dict[str, list[Text]]:
    """Every page of the night by its name, block by block."""
    night = first_night / "out" / "current"
    paths = [*sorted(night.glob("*.html")), *sorted((night / "agencies").rglob("*.html"))]
    return {path.relative_to(night).as_posix(): shown_texts(path.read_text("utf-8"), path.name) for path in paths}


def test_no_page_shows_a_hard_word(pages):
    assert still_hard([text for texts in pages.values() for text in texts], hard_words(), kept()) == []


def test_no_workbook_shows_a_hard_word(first_night):
    night = first_night / "out" / "current"
    books = [*sorted(night.glob("*.xlsx")), *sorted((night / "agencies").rglob("*.xlsx"))]

    assert len(books) >= 6
    assert still_hard([text for path in books for text in workbook_texts(path)], hard_words(), kept()) == []


def test_half_of_the_sentences_of_each_page_are_short(pages):
    medians = {name: readability.median_sentence(prose(texts)) for name, texts in pages.items()}

    assert {name for name, median in medians.items() if median > LONGEST_MEDIAN} == set()


def test_a_reader_of_twelve_can_follow_the_pages_of_the_group(pages):
    ages = {name: readability.reading_age(prose(texts)) for name, texts in pages.items() if name != FOR_ANALYSTS}

    assert {"report.html", "commissioning.html", "agencies/fire.html", "agencies/gp.html"} <= set(ages)
    assert {name: round(age, 1) for name, age in ages.items() if age > OLDEST_READER} == {}


def test_page_one_and_the_pages_of_people_are_as_easy(first_night):
    page = (first_night / "out" / "current" / "report.html").read_text("utf-8")
    start, people = page.index("<main"), page.index('id="person-1"')
    first = prose(shown_texts(page[start : page.index("<table", start)], "page one"))
    pages = prose(shown_texts(page[people:], "people"))

    assert len(first) >= 8
    assert len(pages) >= 20
    assert readability.reading_age(first) <= OLDEST_READER
    assert readability.reading_age(pages) <= OLDEST_READER
