"""An agency's list as the file it works with: the columns as they were sent, its own register's, and the answers."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

import polars as pl

from ageingwell.agency.lists import AgencyList, Part, answers_of
from ageingwell.decisions.reading import NAMED, NAMED_MEANS
from ageingwell.decisions.tables import ANSWERS, LIST_CODE, LIST_KEYS, LIST_UNTIL, FilledRow
from ageingwell.errors import SourceError
from ageingwell.pseudonyms.identities import OWN_REGISTER
from ageingwell.report.cells import day_words, one_line
from ageingwell.report.choices import ADDED, ASKED
from ageingwell.report.copies import Copied, copied_csv, copied_workbook
from ageingwell.report.words import MARKING, SHEET_NAMES
from ageingwell.report.workbook import CODE_OF_LIST, KEYS_OF_LIST, USE_UNTIL
from ageingwell.room import write_file
from ageingwell.views import columns as view_columns
from ageingwell.views.columns import Column
from ageingwell.views.words import agency_words, label_words

FORMS: Final = (".xlsx", ".csv")
_LONGEST_HEADING: Final = 60
_KNOWN: Final[Mapping[str, Column]] = {
    value.name: value for value in vars(view_columns).values() if isinstance(value, Column)
}
# What the register says of each row, by heading; of every row in the same order.
Beside = Sequence[Mapping[str, str]]


def stop_unless_writable(out: Path) -> None:
    """Raise `SourceError` where the file to write is neither a workbook nor a CSV."""
    if out.suffix.lower() not in FORMS:
        raise SourceError(f"{out.name}: a list is written as a workbook or a CSV", "end the name with .xlsx or .csv")


def write_copy(
    found: AgencyList,
    out: Path,
    *,
    on: date,
    heads: Sequence[str] = (),
    beside: Beside = (),
    beside_homes: Beside = (),
    added: Sequence[Mapping[str, Any]] | None = None,
) -> None:
    """Write the list again as a new file of mode 0600: with the register's columns (`heads`), or without any of them.

    `added` are the rows of the sheet to add someone in place of those in the file.
    """
    listed = _copied(found.listed, heads, beside, asks=found.asks)
    if out.suffix.lower() == ".csv":
        content = copied_csv(
            listed,
            which=_which(found) if found.by_row_key else (),
            notices=" ".join(found.notices) or "none" if found.by_row_key else None,
        )
    else:
        rows = [answers_of(row, added=True) for row in found.added.rows] if added is None and found.added else added
        content = copied_workbook(
            _title(found),
            as_of=found.night or on,
            cover=_cover(found, named=bool(heads)),
            listed=listed,
            sheet=SHEET_NAMES["safeguarding" if found.recipient == "safeguarding" else "list"],
            homes=_copied(found.homes, heads, beside_homes, asks=False) if found.homes else None,
            added=_texts([question.name for question in ADDED], rows or []),
            with_numbers=bool(heads),
        )
    write_file(out, content, in_place=False)


def _copied(part: Part, heads: Sequence[str], beside: Beside, *, asks: bool) -> Copied:
    shown = [name for name in part.headings if name not in ANSWERS]
    columns = [_column(name, part.headings[name]) for name in shown]
    columns += [Column(f"own_{n}", heading, "Your own column", 24) for n, heading in enumerate(part.own)]
    columns += [_of_register(number, heading) for number, heading in enumerate(heads)]
    cells = [
        [
            *(row[name] for name in shown),
            *(row.other.get(heading, "") for heading in part.own),
            *(own[heading] for heading in heads),
        ]
        for row, own in zip(part.rows, beside or [{}] * len(part.rows), strict=True)
    ]
    unlike = _unlike([column.title for column in columns])
    named = tuple(Column(c.name, title, c.meaning, c.width) for c, title in zip(columns, unlike, strict=True))
    frame = pl.DataFrame(cells, schema={column.name: pl.String for column in named}, orient="row")
    return Copied(named, frame, _answers(part.rows) if asks else None)


def _answers(rows: Sequence[FilledRow]) -> pl.DataFrame:
    return _texts([question.name for question in ASKED], [answers_of(row) for row in rows])


def _texts(names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    cells = [[row.get(name) for name in names] for row in rows]
    return pl.DataFrame(cells, schema=dict.fromkeys(names, pl.String), orient="row")


def _column(name: str, heading: str) -> Column:
    known = _KNOWN.get(name)
    if known is None:
        return Column(name, label_words(heading) if heading == name else heading, "")
    # A CSV and a Parquet file have names for headings.
    return known if heading == name else Column(name, heading, known.meaning, known.width)


def _of_register(number: int, heading: str) -> Column:
    plain = str(pl.select(one_line(pl.lit(heading))).item())[:_LONGEST_HEADING]
    return Column(f"own_register_{number}", f"{OWN_REGISTER}{plain}", "From your own register; it stays with you", 22)


def _unlike(titles: Sequence[str]) -> list[str]:
    """Headings of which no two are alike, however they are written: a table of Excel needs that."""
    taken: dict[str, int] = {}
    unlike = []
    for title in titles:
        times = taken[title.casefold()] = taken.get(title.casefold(), 0) + 1
        unlike.append(title if times == 1 else f"{title} ({times})")
    return unlike


def _title(found: AgencyList) -> str:
    told = dict(found.cover).get("For") or (agency_words(found.recipient) if found.recipient else "")
    return f"Outreach list: {told}" if told else "Outreach list"


def _cover(found: AgencyList, *, named: bool) -> list[tuple[str, str]]:
    lines = [line for line in found.cover if line[0] != NAMED] or _new_cover(found)
    return [*lines, (NAMED, NAMED_MEANS)] if named else lines


def _new_cover(found: AgencyList) -> list[tuple[str, str]]:
    """The cover of a list that came without one."""
    lines = [("Marking", MARKING)]
    if found.recipient is not None:
        lines.append(("For", agency_words(found.recipient)))
    if found.night is not None:
        lines.append(
            ("Records up to", f"{day_words(found.night)} (what was recorded on that day or later is not used)")
        )
    lines.append(("Rows", f"{len(found.listed.rows)} on the sheet"))
    if found.use_until is not None:
        lines.append((USE_UNTIL, day_words(found.use_until)))
    if found.code is not None:
        lines.append((CODE_OF_LIST, found.code))
    if found.keys is not None:
        lines.append((KEYS_OF_LIST, f"pseudonyms {found.keys[0]}, list {found.keys[1]}"))
    return lines + [("Please note", notice) for notice in found.notices]


def _which(found: AgencyList) -> list[tuple[str, str]]:
    keys = "" if found.keys is None else f"pseudonyms {found.keys[0]}, list {found.keys[1]}"
    until = [] if found.use_until is None else [(LIST_UNTIL, found.use_until.isoformat())]
    return [(LIST_CODE, found.code or ""), (LIST_KEYS, keys), *until]
