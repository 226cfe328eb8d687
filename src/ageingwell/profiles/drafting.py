"""Draft a source profile for a file that no profile knows: the nearest table, columns, day formats and labels.

A draft is a guess, written where a person looks it over. What cannot be guessed is left for them: a label nobody
matched stays out, so that its rows are refused and named rather than taken for something else.
"""

import csv
import difflib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

import polars as pl

from ageingwell.config.files import shipped
from ageingwell.contracts.codes import is_snomed
from ageingwell.contracts.registry import TABLES, Column, columns
from ageingwell.profiles.finding import RawFile
from ageingwell.profiles.profile import folded_label
from ageingwell.profiles.recognise import TITLE_LINES
from ageingwell.reading.as_text import as_text
from ageingwell.reading.chunks import FileRead, file_chunks
from ageingwell.reading.headings import folded_heading
from ageingwell.reading.heads import Head, heads
from ageingwell.reading.options import ReaderOptions
from ageingwell.reading.showable import FEWEST_ROWS, may_be_shown, shown_headings

# Two names are taken for the same thing from this likeness on.
ALIKE = 0.72
# In the order in which they are tried; a day before its month, as everybody here writes it.
FORMATS = (
    "%Y-%m-%d",
    "%d/%m/%Y",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%d-%m-%Y",
    "%d.%m.%Y",
    "%d-%b-%Y",
    "%d %b %Y",
    "%d %b %Y %H:%M:%S",
    "%d %B %Y",
    "%d/%m/%y",
    "%Y%m%d",
    "%Y-%m-%d %H:%M:%S",
    "%m/%d/%Y",
)
# What stands in a raw file for each identifier of the contracts.
RAW_OF = {
    "person_id": "nhs_number",
    "household_id": "uprn",
    "linked_person_id": "linked_nhs_number",
    "birth_month": "birth_date",
}
_NHS = re.compile(r"^\d{3}[ -]?\d{3}[ -]?\d{4}$")


@dataclass(frozen=True)
class Draft:
    """A drafted profile: its name, the table it feeds, the text of its files, and which columns it uses.

    `to_check` says in sentences what a person has to look at.
    """

    name: str
    table: str
    files: Mapping[str, str]
    used: Mapping[str, str]
    dropped: tuple[str, ...]
    missing: tuple[str, ...]
    to_check: tuple[str, ...]


@dataclass(frozen=True)
class _Seen:
    """The header and first rows of a file, as columns of text."""

    options: ReaderOptions
    head: Head
    cells: Mapping[str, list[str]]


def draft(file: RawFile) -> Draft | None:
    """Draft a profile for a file; None where no table is near, as for a letter or a picture.

    The values of a column are looked at to tell days, numbers and identifiers; none is kept but labels that stand in
    eight rows or more.
    """
    seen = max((_seen(head) for head in heads(file.path, n_lines=200)), key=lambda one: len(one.cells), default=None)
    if seen is None or len(seen.cells) < 2 or shown_headings(list(seen.cells)) != tuple(seen.cells):
        # Numbers or postcodes where headings should be: a file without a header, whose first row is somebody's.
        return None
    matches = {table: _matched(table, seen) for table in TABLES}
    # Of tables that fit as well the one whose names are nearest.
    table = max(matches, key=lambda name: (_score(name, matches[name]), _nearness(matches[name])))
    if _score(table, matches[table]) <= 0:
        return None
    return _written(file, table, matches[table] | _by_elimination(table, matches[table], seen), seen)


def _seen(head: Head) -> _Seen:
    at = _header_row(head.rows[:TITLE_LINES])
    header = [cell.strip() for cell in head.rows[at]] if head.rows else []
    rows = [row for row in head.rows[at + 1 :] if any(cell.strip() for cell in row)]
    cells = {
        name: [row[number].strip() for row in rows if len(row) > number and row[number].strip()]
        for number, name in enumerate(header)
        if name
    }
    options = ReaderOptions(("windows-1252",), head.separator, at, head.sheet)
    return _Seen(options, head, cells)


def _header_row(rows: Sequence[Sequence[str]]) -> int:
    """The first row as wide as the widest, with a text in nearly every cell: title lines above it are narrower."""
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows]
    widest = max(filled, default=0)
    return next((at for at, n in enumerate(filled) if n >= 0.8 * widest), 0)


def _matched(table: str, seen: _Seen) -> dict[str, str]:
    """The heading for each raw column of a table: the nearest names first, each heading once."""
    found: dict[str, str] = {}
    likeness = sorted(
        (
            (
                -max(_likeness(RAW_OF.get(column.name, column.name), heading), _by_values(column, seen.cells[heading])),
                number,
                heading,
            )
            for number, column in enumerate(columns(table))
            for heading in seen.cells
            if _can_hold(column, seen.cells[heading])
        ),
    )
    for unlike, number, heading in likeness:
        name = RAW_OF.get(columns(table)[number].name, columns(table)[number].name)
        if -unlike >= ALIKE and name not in found and heading not in found.values():
            found[name] = heading
    return found


def _by_elimination(table: str, found: Mapping[str, str], seen: _Seen) -> dict[str, str]:
    """For a day that the table needs and no name is near: the nearest of the headings left that hold days."""
    days: dict[str, str] = {}
    for column in columns(table):
        raw = RAW_OF.get(column.name, column.name)
        is_needed = column.required and column.kind == "date" and column.name not in ("recorded_on", "checked_on")
        taken = {*found.values(), *days.values()}
        left = [name for name, values in seen.cells.items() if name not in taken and values and day_formats(values)]
        if is_needed and raw not in found and left:
            days[raw] = max(left, key=lambda heading: _likeness(raw, heading))
    return days


def _likeness(name: str, heading: str) -> float:
    folded = folded_heading(heading)
    spellings = [folded_heading(each) for each in (name, *_spellings().get(name, ()))]
    return max(_alike(folded, each) for each in spellings)


def _by_values(column: Column, values: Sequence[str]) -> float:
    """How surely the values alone tell the column: labels, NHS numbers, SNOMED codes; yes and no tell nothing."""
    if len(values) < FEWEST_ROWS or column.kind not in ("label", "text"):
        return 0.0
    if column.name == "person_id":
        return 0.9 if _share(values, lambda text: bool(_NHS.match(text))) > 0.9 else 0.0
    if column.name == "code":
        return (
            0.8 if float(pl.DataFrame({"code": values}).select(is_snomed(pl.col("code")).mean()).item()) > 0.9 else 0.0
        )
    if not column.labels or set(column.labels) == {"yes", "no", "unknown"} or len(set(values)) < 2:
        return 0.0
    known = {value: near_label(value, column) is not None for value in set(values)}
    return 0.9 if _share(values, known.__getitem__) > 0.9 else 0.0


def _alike(one: str, other: str) -> float:
    if one == other:
        return 1.0
    ours, theirs = set(one.split("_")), set(other.split("_"))
    inside = 0.85 if len(theirs) > 1 and (theirs <= ours) else 0.0
    return max(inside, 0.95 * difflib.SequenceMatcher(None, one, other).ratio())


@cache
def _spellings() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    with (shipped("configs") / "sources" / "headings.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["column"], []).append(row["spelling"])
    return {name: tuple(spellings) for name, spellings in found.items()}


def _can_hold(column: Column, values: Sequence[str]) -> bool:
    """Whether most of the values could be of this column's kind; an empty column can hold anything."""
    if not values:
        return True
    name = column.name
    if name in ("person_id", "linked_person_id"):
        return _share(values, lambda text: bool(_NHS.match(text))) > 0.5
    if name == "household_id":
        return _share(values, lambda text: bool(re.match(r"^\d{1,12}(\.0)?$", text))) > 0.5
    if column.kind == "date":
        return day_formats(values) is not None
    if column.kind in ("number", "whole"):
        return _share(values, lambda text: bool(re.search(r"\d", text)) and len(text) < 15) > 0.5
    if name in ("code", "dmd_code"):
        return float(pl.DataFrame({"code": values}).select(is_snomed(pl.col("code")).mean()).item()) > 0.5
    return True


def _share(values: Sequence[str], is_so: Callable[[str], bool]) -> float:
    return sum(map(is_so, values)) / len(values)


def day_formats(values: Iterable[str]) -> tuple[str, ...] | None:
    """The fewest formats that read nearly all the values as days; None where they are no days.

    >>> day_formats(["01/04/2026", "13/04/2026"]), day_formats(["01-Apr-2026"]), day_formats(["blue"])
    (('%d/%m/%Y',), ('%d-%b-%Y',), None)
    """
    left, found = list(values), []
    total = len(left)
    while left:
        counted = {each: sum(_reads(each, text) for text in left) for each in FORMATS}
        best = max(FORMATS, key=lambda each: (counted[each], -FORMATS.index(each)))
        if counted[best] < max(1, 0.05 * total):
            break
        found.append(best)
        left = [text for text in left if not _reads(best, text)]
    return tuple(found) if total and len(left) <= 0.1 * total else None


def _reads(written: str, text: str) -> bool:
    try:
        return 1850 <= datetime.strptime(text, written).year <= 2200
    except ValueError:
        return False


def _score(table: str, found: Mapping[str, str]) -> float:
    """Matched columns less the required ones that are missing; a table without its person or home is none."""
    required = [RAW_OF.get(column.name, column.name) for column in columns(table) if column.required]
    either = {"permissions": ("nhs_number", "uprn"), "contacts": ("nhs_number", "uprn")}.get(table)
    keys = [name for name in required if name in ("nhs_number", "uprn")] or list(either or ())
    if either is not None and not any(name in found for name in either):
        return 0.0
    if either is None and not all(name in found for name in keys):
        return 0.0
    lacking = [name for name in required if name not in found and name != "recorded_on"]
    return len(found) + len([name for name in required if name in found]) - 1.5 * len(lacking)


def _nearness(found: Mapping[str, str]) -> float:
    return sum(_likeness(ours, theirs) for ours, theirs in found.items())


def _written(file: RawFile, table: str, found: Mapping[str, str], seen: _Seen) -> Draft:
    name = _profile_name(file.name)
    formats = sorted(
        {
            each
            for ours, theirs in found.items()
            if _is_day(table, ours)
            for each in day_formats(seen.cells[theirs]) or ()
        }
    )
    lines, to_check = _select_lines(table, found)
    if table == "gp_patients" and (postcode := _postcode(seen)) is not None:
        # `pseudonymise` makes the small area of it, and the postcode goes no further.
        found = {**found, "postcode": postcode}
        lines.append(f"    {folded_heading(postcode)} AS postcode,")
    to_check += [f"{ours} is taken to be `{theirs}`" for ours, theirs in found.items() if _is_far(ours, theirs)]
    labels, unmatched = _labels(file, table, found, seen)
    if any("%d/%m" in each for each in formats):
        to_check.append("days are read with the day before the month")
    to_check += [f"labels.csv: give {column} a label of ours for {n} of its values" for column, n in unmatched.items()]
    raw = [RAW_OF.get(column.name, column.name) for column in columns(table)]
    return Draft(
        name=name,
        table=table,
        files={"profile.toml": _toml(file, table, found, formats), f"{table}.sql": _sql(lines), "labels.csv": labels},
        used=found,
        dropped=tuple(heading for heading in seen.cells if heading not in found.values()),
        missing=tuple(column for column in raw if column not in found),
        to_check=tuple(to_check),
    )


def _postcode(seen: _Seen) -> str | None:
    return next((heading for heading in seen.cells if _likeness("postcode", heading) >= ALIKE), None)


def _is_far(ours: str, theirs: str) -> bool:
    """Whether a column was taken by elimination or by its values, and not by its name."""
    return _likeness(ours, theirs) < ALIKE


def _profile_name(file: str) -> str:
    stem = Path(file).name.split(".")[0]
    return "our_" + (re.sub(r"_?\d{2,}", "", folded_heading(stem)).strip("_") or "file")


def _is_day(table: str, raw: str) -> bool:
    kinds = {RAW_OF.get(column.name, column.name): column.kind for column in columns(table)}
    return kinds.get(raw) == "date"


def _select_lines(table: str, found: Mapping[str, str]) -> tuple[list[str], list[str]]:
    lines, to_check = [], []
    for column in columns(table):
        raw = RAW_OF.get(column.name, column.name)
        if raw in found:
            source = folded_heading(found[raw])
            lines.append(f"    {f'day({source})' if column.kind == 'date' else source} AS {raw},")
        elif column.name in ("recorded_on", "checked_on"):
            lines.append(f"    _extracted_on AS {column.name}, -- no such column was found: the day of the extract")
            to_check.append(f"{column.name} is taken to be the day of the extract")
        elif column.name == "code_system":
            lines.append("    'snomed' AS code_system,")
        elif column.required:
            choose = f" write one in quotes: {', '.join(column.labels)}" if column.labels else " name its column"
            lines.append(f"    NULL AS {raw}, -- nothing like it was found;{choose}")
            to_check.append(f"{raw} was not found, and no row is read without it")
    return lines, to_check


def _sql(lines: Sequence[str]) -> str:
    return "\n".join(
        [
            "-- Drafted by `ageingwell connect`: look every line over.",
            "SELECT",
            *lines,
            "    _file,",
            "    _row",
            "FROM rows",
            "",
        ]
    )


def _toml(file: RawFile, table: str, found: Mapping[str, str], formats: Sequence[str]) -> str:
    title = Path(file.name).name
    listed = ", ".join(_quoted(heading) for heading in found.values())
    return "\n".join(
        [
            "# Drafted by `ageingwell connect` from the file itself: look it over.",
            f"title = {_quoted(f'our own file of the shape of {title}')}",
            'agency = "ours"',
            'documented = ["drafted from the file itself"]',
            'certainty = "typical"',
            f"ask_for = {_quoted(f'ask for the file again as {title} was')}",
            f"date_formats = [{', '.join(_quoted(each) for each in formats)}]",
            "",
            "[files.rows]",
            f"title = {_quoted(f'rows of {table}')}",
            f"columns = [{listed}]",
            "",
            "[files.rows.reader]",
            'encoding = ["windows-1252"]',
            "",
        ]
    )


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _labels(file: RawFile, table: str, found: Mapping[str, str], seen: _Seen) -> tuple[str, Counter[str]]:
    """The labels to map, as a CSV, and how many of each column are left for a person."""
    closed = {column.name: column for column in columns(table) if column.labels and column.name in found}
    rows, unmatched = ["table,column,theirs,ours"], Counter[str]()
    counted = _values(file, {name: found[name] for name in closed}, seen)
    for name, column in closed.items():
        for value in _showable(counted[name]):
            if folded_label(value) in column.labels:
                continue
            ours = near_label(value, column)
            if ours is None:
                unmatched[name] += 1
            else:
                rows.append(f"{table},{name},{_csv(value)},{ours}")
    return "\n".join([*rows, ""]), unmatched


def _showable(counted: Counter[str]) -> list[str]:
    """The values that may be written down, the most frequent first."""
    rows = pl.DataFrame(sorted(counted.items()), schema={"value": pl.String, "n": pl.Int64}, orient="row")
    shown = rows.filter(may_be_shown(pl.col("value"), n_rows=pl.col("n")))
    return shown.sort("n", "value", descending=[True, False])["value"].to_list()


def _values(file: RawFile, wanted: Mapping[str, str], seen: _Seen) -> dict[str, Counter[str]]:
    counted: dict[str, Counter[str]] = {name: Counter() for name in wanted}
    read: list[FileRead] = []
    for chunk in file_chunks(
        file.path, read, options=seen.options, wanted=set(wanted.values()).__contains__, flat=True
    ):
        for name, heading in wanted.items():
            if heading in chunk.rows.columns:
                text = as_text(chunk.rows.select(heading)).to_series().str.strip_chars()
                values = text.filter(text != "").value_counts()
                counted[name].update(dict(values.iter_rows()))
    return counted


def _csv(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if re.search(r'[",\n]', text) else text


def near_label(value: str, column: Column) -> str | None:
    """Our label for a value, where only one is near: the same words, a first letter of yes and no, or a slip.

    >>> sex = next(column for column in columns("gp_patients") if column.name == "sex")
    >>> near_label("F", sex), near_label("Male", sex), near_label("X", sex)
    ('female', 'male', None)
    """
    text = folded_label(value)
    if text in column.labels:
        return text
    if starting := [label for label in column.labels if len(text) <= 3 and label.startswith(text)]:
        return starting[0] if len(starting) == 1 else None
    if set(column.labels) == {"yes", "no", "unknown"}:
        return {"y": "yes", "true": "yes", "1": "yes", "n": "no", "false": "no", "0": "no"}.get(text)
    words = set(text.split("_"))
    inside = [label for label in column.labels if set(label.split("_")) <= words]
    if len(inside) == 1:
        return inside[0]
    near = difflib.get_close_matches(text, column.labels, n=2, cutoff=0.8)
    return near[0] if len(near) == 1 else None
