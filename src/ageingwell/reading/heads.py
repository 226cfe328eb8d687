"""The first lines of a file, for telling what it is: nothing is checked, and what cannot be read is told as a fault."""

import csv
import io
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ageingwell.errors import SourceError
from ageingwell.reading.documents import COLUMNS, first_objects
from ageingwell.reading.encodings import text_of
from ageingwell.reading.forms import Form, form_of
from ageingwell.reading.guarded import parquet_head, sheets
from ageingwell.reading.limits import beyond
from ageingwell.reading.options import AS_IT_IS, ReaderOptions
from ageingwell.reading.parts import parts_of
from ageingwell.reading.streams import Part
from ageingwell.reading.strict import SEPARATORS

_HEAD_CHARACTERS: Final = 1 << 18
# What each byte string is text in; it says what may be declared, and nothing is read so without a declaration.
_LIKELY: Final = "windows-1252"


@dataclass(frozen=True)
class Head:
    """The first lines of one table of a file, as lists of fields.

    `file` names the file, or the file within a zip file; `sheet` the sheet of a workbook. `encoding` is the one found;
    `windows-1252` for a text that is not UTF-8, which must then be declared. `keys` are those of the first objects of
    JSON, and `resource_types` their FHIR kinds. `rows` begins with the names of the columns for Parquet and JSON.
    """

    file: str
    form: Form
    rows: list[list[str]]
    encoding: str | None = None
    separator: str | None = None
    sheet: str | None = None
    keys: tuple[str, ...] = ()
    resource_types: tuple[str, ...] = field(default=())


def head(path: Path, *, options: ReaderOptions = AS_IT_IS, n_lines: int = 25) -> Head:
    """The first lines of a file; of a zip file its first table, of a workbook the sheet the options name.

    Raises `SourceError` for a file that cannot be opened or unpacked.
    """
    found = heads(path, options=options, n_lines=n_lines)
    if options.sheet is not None:
        named = [one for one in found if one.sheet is not None and one.sheet.strip() == options.sheet.strip()]
        if not named:
            raise SourceError(f"{path.name}: has no sheet `{options.sheet}`", "name one of its sheets in the settings")
        return named[0]
    return next((one for one in found if one.rows), found[0])


def heads(path: Path, *, options: ReaderOptions = AS_IT_IS, n_lines: int = 25) -> list[Head]:
    """The first lines of each table of a file: of each sheet of a workbook, of each file in a zip file."""
    if form_of(path) == "parquet":
        return [_parquet_head(path, options, n_lines)]
    return [one for part in parts_of(path, options) for one in _part_heads(path, part, options, n_lines)]


def _part_heads(path: Path, part: Part, options: ReaderOptions, n_lines: int) -> list[Head]:
    if part.form == "workbook":
        return [
            Head(part.name, part.form, rows, sheet=name)
            for name, rows in sheets(path, part, options=options, most_rows=n_lines)
        ]
    if part.form == "json":
        return [_json_head(part, options, n_lines)]
    return [_text_head(part, options, n_lines)]


def _text_head(part: Part, options: ReaderOptions, n_lines: int) -> Head:
    encoding, start = _start(part, options)
    lines = io.StringIO(start, newline="").readlines()[: 4 * n_lines]
    separator = options.separator or max(
        SEPARATORS, key=lambda one: max((line.count(one) for line in lines), default=0)
    )
    rows: list[list[str]] = []
    with suppress(csv.Error):
        for fields in csv.reader(io.StringIO(start, newline=""), delimiter=separator):
            if len(fields) > options.limits.columns:
                raise beyond(part.name, f"has {len(fields):,} columns", "columns", options.limits)
            rows.append(fields)
            if len(rows) == n_lines:
                break
    return Head(part.name, part.form, rows, encoding=encoding, separator=separator)


def _start(part: Part, options: ReaderOptions) -> tuple[str, str]:
    """The encoding of a text, and its first letters."""
    text = text_of(part)
    for encoding in dict.fromkeys([text.encoding, *options.encoding, _LIKELY]):
        with part.open() as stream:
            stream.read(text.n_mark)
            letters = stream.read(_HEAD_CHARACTERS)
        with suppress(UnicodeDecodeError, LookupError):
            # The last letter may be cut in two.
            whole = letters.rpartition(b"\n")[0] + b"\n" if len(letters) == _HEAD_CHARACTERS else letters
            return encoding, whole.decode(encoding)
    return _LIKELY, letters.decode(_LIKELY, "replace")


def _json_head(part: Part, options: ReaderOptions, n_lines: int) -> Head:
    text = text_of(part, declared=options.encoding)
    found = first_objects(text, n_lines, options.limits)
    keys = tuple(dict.fromkeys(key for one in found for key in one))
    kinds = {one["resourceType"] for one in found if isinstance(one.get("resourceType"), str)}
    rows = [list(keys), *([_cell(one.get(key)) for key in keys] for one in found)]
    return Head(part.name, part.form, rows, text.encoding, keys=keys or COLUMNS, resource_types=tuple(sorted(kinds)))


def _cell(value: Any) -> str:
    return "" if value is None else str(value)


def _parquet_head(path: Path, options: ReaderOptions, n_lines: int) -> Head:
    names, rows = parquet_head(path, n_rows=n_lines, limits=options.limits)
    cells = ([_cell(value) for value in row] for row in rows.iter_rows())
    return Head(path.name, "parquet", [list(names), *cells])
