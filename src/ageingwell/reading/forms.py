"""Which files can be read, by the ending of their names."""

from pathlib import Path
from typing import Final, Literal

Form = Literal["text", "parquet", "workbook", "json", "zip"]

_PLAIN: Final[dict[str, Form]] = {
    ".parquet": "parquet",
    ".csv": "text",
    ".txt": "text",
    ".tsv": "text",
    ".dat": "text",
    ".xlsx": "workbook",
    ".xlsm": "workbook",
    ".xls": "workbook",
    ".ods": "workbook",
    ".json": "json",
    ".ndjson": "json",
    ".jsonl": "json",
}
# Text and JSON come packed as well; a workbook and a Parquet file are packed already.
_PACKED: Final[dict[str, Form]] = {f"{suffix}.gz": form for suffix, form in _PLAIN.items() if form in ("text", "json")}
FORMS: Final[dict[str, Form]] = {**_PLAIN, **_PACKED, ".zip": "zip"}
SUFFIXES: Final = tuple(FORMS)
READABLE: Final = "CSV, text, Parquet, workbook (.xlsx, .ods), JSON, or one of them packed (.gz, .zip)"


def suffix_of(name: str) -> str | None:
    """The ending of a file name that says how the file is read, in small letters; None for a file nobody can read.

    >>> suffix_of("homes.CSV"), suffix_of("homes.csv.gz"), suffix_of("homes.docx")
    ('.csv', '.csv.gz', None)
    """
    lower = name.lower()
    found = [suffix for suffix in SUFFIXES if lower.endswith(suffix) and len(lower) > len(suffix)]
    return max(found, key=len) if found else None


def stem_of(name: str) -> str:
    """A file name without the ending that says how it is read.

    >>> stem_of("homes.csv.gz"), stem_of("notes.docx")
    ('homes', 'notes.docx')
    """
    suffix = suffix_of(name)
    return name[: -len(suffix)] if suffix else name


def form_of(path: Path | str) -> Form | None:
    """How a file is read; None for a file nobody can read.

    >>> form_of("homes.csv.gz"), form_of("Repairs.XLSX"), form_of("notes.docx")
    ('text', 'workbook', None)
    """
    suffix = suffix_of(path if isinstance(path, str) else path.name)
    return FORMS[suffix] if suffix else None


def is_readable(path: Path | str) -> bool:
    """Whether a file has a form that can be read, by its name."""
    return form_of(path) is not None
