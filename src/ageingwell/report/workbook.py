"""Workbooks for Excel: cover, how to use, the list, who to add, the choices. No macro, formula, link or merged cell."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import polars as pl

from ageingwell.report.cells import day_words
from ageingwell.report.choices import ADDED, ASKED, MEND, SAID, Asked
from ageingwell.report.codes import keys_text, list_code, recipient_words
from ageingwell.report.plan_sheet import SHOWN, PlanSheet
from ageingwell.report.sheets import Book
from ageingwell.report.words import MARKING, SHEET_NAMES
from ageingwell.views.columns import AgencyView, Column
from ageingwell.views.words import agency_words

HOW_TO_USE: Final = (
    "This list is a starting point. The group decides who is contacted, and nothing is decided by a computer alone.",
    "On the sheet List, fill in the yellow columns: decision, who leads, reason. No choice is made for you. What is "
    "behind a need is in the columns to the right.",
    "Sort and filter the whole table as you like. Leave the headings and the hidden columns as they are. We do not "
    "keep what you write in columns that you add. You can only change the yellow columns.",
    "Anyone you are worried about who is not here? Write them on the sheet Add someone.",
    "Never put worries about safety into this file. Use your own safeguarding route.",
    "Send the file back to the person who sent it. A row that we cannot take comes back with a note.",
    "Keep this file where your own rules allow personal records, and delete it when the next list comes.",
)
CODE_OF_LIST: Final = "Code of this list"
KEYS_OF_LIST: Final = "Made with the keys"
USE_UNTIL: Final = "Do not use after"
_EMPTY_ROWS: Final = 12  # to add someone


def agency_workbook(
    view: AgencyView,
    *,
    notices: Sequence[str] = (),
    homes: AgencyView | None = None,
    plans: PlanSheet | None = None,
) -> bytes:
    """Write one recipient's workbook: Cover, How to use, List, Homes where there are any, Plans, Add someone, Choices.

    Plans are the group's alone. `notices` are what every output has to say tonight. The same view and notices give the
    same bytes.
    """
    title = f"Outreach list: {recipient_words(view)}"
    book = Book(title, as_of=view.as_of)
    book.lines("Cover", _cover(view, list_code(view), notices, homes), heading=title)
    used = dict.fromkeys((*view.columns, *(homes.columns if homes is not None else ())))
    of_plans = () if plans is None else plans.asked
    how_to_use_sheet(book, tuple(used), plans=of_plans)
    where = ranges(of_plans)
    book.table(SHEET_NAMES["list"], view.frame, view.columns, asked=ASKED, choices=where)
    if homes is not None and homes.frame.height:
        book.table(SHEET_NAMES["homes"], homes.frame, homes.columns)
    if plans is not None:
        _plans(book, plans.shown, SHOWN, plans.answers, plans.asked)
    _add_someone(book, None)
    choices_sheet(book, of_plans)
    return book.close()


def _plans(
    book: Book, shown: pl.DataFrame, columns: Sequence[Column], answers: pl.DataFrame, asked: Sequence[Asked]
) -> None:
    book.table(SHEET_NAMES["plans"], shown, columns, asked=asked, choices=ranges(asked), answers=answers)


def fix_workbook(
    view: AgencyView,
    answers: pl.DataFrame,
    *,
    code: str,
    added: pl.DataFrame,
    own_of_added: Sequence[Column] = (),
    plans: PlanSheet | None = None,
) -> bytes:
    """Write the rows that were not recorded, in the layout of the list, with a note beside each: nothing is retyped.

    `view` holds the rows as they were sent, the column `to_mend` last; `answers` what was filled in (the columns of
    `ASKED`); `added` the rows of the sheet Add someone (the columns of `ADDED`, `to_mend`, and of `own_of_added`, which
    were not sent and hold words all the same); `plans` the rows of plans, with `to_mend` among what is shown. `code` is
    the list's own, so that this file comes back as that list.
    """
    title = f"To correct: {agency_words(view.recipient)}"
    book = Book(title, as_of=view.as_of)
    n_plans = 0 if plans is None else plans.shown.height
    told = f"Not recorded: {view.frame.height + added.height + n_plans} of the rows; all others of the file were"
    steps = [("What to do", "Read the red note next to each row, correct the row, save, and send this file back.")]
    book.lines("Cover", [*_cover(view, code, [told], None), *steps], heading=title)
    book.table(SHEET_NAMES["list"], view.frame, view.columns, asked=ASKED, choices=ranges(), answers=answers)
    if plans is not None:
        _plans(book, plans.shown, (*SHOWN, MEND), plans.answers, plans.asked)
    _add_someone(book, added if added.height else None, own=own_of_added)
    choices_sheet(book, () if plans is None else plans.asked)
    return book.close()


def clash_workbook(view: AgencyView, *, code: str, added: pl.DataFrame) -> bytes:
    """Write the rows on which recipients disagree, for the chair: what each said, and room for what holds.

    `view` is of the group's list, with the column `said`; `added` the people whom several added otherwise (the columns
    of `ADDED`, and `said`).
    """
    title = "For the chair: answers that do not agree"
    book = Book(title, as_of=view.as_of)
    told = f"{view.frame.height + added.height} people, and nothing was recorded of the answers that came last"
    steps = [
        (
            "What to do",
            "Read what each said, fill in the yellow columns, save, and record this file: the group's decision counts.",
        )
    ]
    book.lines("Cover", [*_cover(view, code, [told], None), *steps], heading=title)
    book.table(SHEET_NAMES["list"], view.frame, view.columns, asked=ASKED, choices=ranges())
    _add_someone(book, added if added.height else None)
    choices_sheet(book)
    return book.close()


def safeguarding_workbook(view: AgencyView, *, notices: Sequence[str] = ()) -> bytes:
    """Write the workbook of the safeguarding lead: Cover and Safeguarding, nothing to fill in."""
    title = "For the safeguarding lead alone"
    book = Book(title, as_of=view.as_of)
    meanings = [(column.title, column.meaning) for column in view.columns]
    book.lines("Cover", [*_cover(view, list_code(view), notices, None), *meanings], heading=title)
    book.table(SHEET_NAMES["safeguarding"], view.frame, view.columns)
    return book.close()


def how_to_use_sheet(book: Book, columns: Sequence[Column], *, plans: Sequence[Asked] = ()) -> None:
    """Add the sheet that says how a list is used, and what its columns mean."""
    steps = [(f"{number}", step) for number, step in enumerate(HOW_TO_USE, start=1)]
    meanings = [(column.title, column.meaning) for column in columns]
    asked = [(question.title, question.meaning) for question in dict.fromkeys((*ASKED, *ADDED, *plans))]
    lines = [*steps, ("Column", "What it means"), *meanings, ("Column to fill in", "What it means"), *asked]
    book.lines("How to use", lines, heading="How to use this list")


def add_sheet(book: Book, answers: pl.DataFrame, *, beside: Sequence[Column] = (), shown: pl.DataFrame) -> None:
    """Add the sheet to add someone with what was answered there; `beside` are columns of `shown` before the answers."""
    frame = shown.select(column.name for column in beside)
    book.table(SHEET_NAMES["add"], frame, beside, asked=ADDED, choices=ranges(), answers=answers)


def _add_someone(book: Book, filled: pl.DataFrame | None, *, own: Sequence[Column] = ()) -> None:
    """The sheet to add someone: empty rows, or those to mend or to settle, with what is said of each before them."""
    if filled is None:
        empty = pl.DataFrame({question.name: [None] * _EMPTY_ROWS for question in ADDED}, schema_overrides=_AS_TEXT)
        add_sheet(book, empty, shown=pl.DataFrame())
        return
    beside = tuple(column for column in (MEND, SAID, *own) if column.name in filled.columns)
    add_sheet(book, filled, beside=beside, shown=filled)


_AS_TEXT: Final = {question.name: pl.String for question in ADDED}


def _lists(plans: Sequence[Asked]) -> list[Asked]:
    """The questions with choices, of those that offer the very same the first alone."""
    every = {question.name: question for question in (*ASKED, *ADDED, *plans) if question.choices}
    return list({question.choices: question for question in reversed(every.values())}.values())[::-1]


def choices_sheet(book: Book, plans: Sequence[Asked] = ()) -> None:
    """Add the sheet of the choices that the questions offer; `plans` are the questions of the sheet of plans."""
    pairs = [(question.title, choice) for question in _lists(plans) for choice in question.choices]
    field, choice = Column("field", "Field", "", 22), Column("choice", "Choice", "", 40)
    book.table("Choices", pl.DataFrame(pairs, schema=["field", "choice"], orient="row"), (field, choice))


def ranges(plans: Sequence[Asked] = ()) -> dict[str, str]:
    """Where the choices of each question stand on the sheet Choices, in the order it is written."""
    of_choices, first = {}, 2
    for question in _lists(plans):
        last = first + len(question.choices) - 1
        of_choices[question.choices] = f"=Choices!$B${first}:$B${last}"
        first = last + 1
    return {question.name: of_choices[question.choices] for question in (*ASKED, *ADDED, *plans) if question.choices}


def _cover(
    view: AgencyView, code: str | None, notices: Sequence[str], homes: AgencyView | None
) -> list[tuple[str, str]]:
    lines = [
        ("Marking", MARKING),
        ("For", recipient_words(view)),
        ("Records up to", f"{day_words(view.as_of)} (what was recorded on that day or later is not used)"),
        ("Rows", f"{view.frame.height} on the sheet"),
    ]
    if view.use_until is not None:
        lines.insert(2, (USE_UNTIL, day_words(view.use_until)))
    if homes is not None:
        lines.append(("Homes", f"{homes.frame.height} homes with a need, where we do not know who lives there"))
    if code is not None:
        lines.append((CODE_OF_LIST, code))
    if view.keys is not None:
        lines.append((KEYS_OF_LIST, keys_text(view)))
    lines += [("Please note", notice) for notice in notices]
    return [*lines, *(("About this list", note) for note in view.notes)]


def with_columns(view: AgencyView, columns: Sequence[Column], frame: pl.DataFrame) -> AgencyView:
    """The same recipient and night with other columns and rows."""
    return replace(view, columns=tuple(columns), frame=frame.select(column.name for column in columns))
