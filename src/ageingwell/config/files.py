"""Where the shipped settings lie, and reading TOML and code lists with every mistake named."""

import csv
import gzip
import io
import re
import stat
import tomllib
import zlib
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

import polars as pl
from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator

from ageingwell.config.plain import mistake_in, nearest_name
from ageingwell.errors import ConfigError


class Settings(BaseModel):
    """The base of every settings class: frozen, and a key nobody knows is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _is_plain(cls, value: Any, told: ValidationInfo) -> Any:
        """No value of another type is quietly taken for the right one."""
        field = cls.model_fields.get(told.field_name or "")
        if field is not None and (fault := mistake_in(value, field.annotation)):
            raise ValueError(fault)
        return value


@cache
def shipped(kind: Literal["configs", "models"]) -> Path:
    """The folder of shipped settings or model bundles: in the installed package, else in the source tree."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "_shipped" / kind
    return installed if installed.is_dir() else package.parent.parent / kind


# What people write by hand: the longest settings file we know takes 9 kB. Python reads a MB of TOML in two seconds.
MOST_SETTINGS_BYTES: Final = 1_000_000
# A table beside the settings: the places of England take 3 MB, a look-up of medicines 40 MB.
MOST_TABLE_BYTES: Final = 64_000_000
_MOST_COLUMNS: Final = 500
# Up to this size, what a table holds is kept while the process lasts.
_KEPT_BYTES: Final = 1_000_000
_KEPT_UNPACKED_BYTES: Final = 16_000_000


def file_bytes(path: Path, *, most: int) -> bytes:
    """The bytes of a file that the settings name, at most so many.

    A file that is larger, and what is no file (a device would be read for ever), is a `ConfigError`.
    """
    content = None
    try:
        if stat.S_ISREG(path.stat().st_mode):
            with path.open("rb") as file:
                content = file.read(most + 1)
    except FileNotFoundError:
        raise ConfigError(
            f"{path.name}: there is no such settings file", f"create {path} or correct its path"
        ) from None
    except OSError as fault:
        raise ConfigError(f"{path.name}: cannot be read ({fault.strerror})", "correct its path or its rights") from None
    except ValueError:
        raise ConfigError("the name of a settings file holds a NUL, as no name can", "correct its path") from None
    if content is None:
        raise ConfigError(f"{path.name}: cannot be read (it is a folder, a device or a pipe)", "correct its path")
    if len(content) > most:
        raise ConfigError(
            f"{path.name}: takes more than {most / 1_000_000:g} MB, which no file of its kind does", "correct its path"
        )
    return content


def read_toml(path: Path) -> dict[str, Any]:
    """Read one TOML file; a missing file or a syntax mistake is a `ConfigError` naming file and line."""
    try:
        # As a text file is read: every line break is one.
        # Windows programs put a byte order mark before it.
        text = file_bytes(path, most=MOST_SETTINGS_BYTES).decode("utf-8-sig")
        return tomllib.loads(text.replace("\r\n", "\n"))
    except RecursionError:
        reason = "lists nested too deep"
    except UnicodeDecodeError:
        raise ConfigError(f"{path.name}: is not text in UTF-8", "save it again as UTF-8") from None
    except tomllib.TOMLDecodeError as fault:
        reason = str(fault)
    except ValueError:
        # Python reads no number of more than 4,300 digits.
        reason = "a number, a day or a time that no calendar and no clock has"
    raise ConfigError(f"{path.name}: not valid TOML: {reason}", "correct the file")


def table_rows(path: Path) -> pl.DataFrame:
    """A CSV beside the settings, packed with gzip or not, as text; a `ConfigError` where it is none or too large."""
    return rows_in(path.name, file_bytes(path, most=MOST_TABLE_BYTES))


def rows_in(name: str, content: bytes) -> pl.DataFrame:
    """The rows of a CSV of this name and content, as `table_rows` gives them."""
    if len(content) > _KEPT_BYTES:
        return _table(name, content)
    found = _small_table(name, content)
    if found.estimated_size() > _KEPT_UNPACKED_BYTES:
        _small_table.cache_clear()
    return found


def _table(name: str, content: bytes) -> pl.DataFrame:
    fault = "cannot be read as CSV in UTF-8"
    try:
        if content[:2] == b"\x1f\x8b":
            with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
                content = packed.read(MOST_TABLE_BYTES + 1)
            if len(content) > MOST_TABLE_BYTES:
                raise ConfigError(
                    f"{name}: unpacks to more than {MOST_TABLE_BYTES // 1_000_000} MB",
                    "correct its path",
                )
        # Polars would unpack other kinds itself, without end.
        if content[:4] == b"\x28\xb5\x2f\xfd" or content[:2] in (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"):
            fault = "is packed"
        elif content.split(b"\n", 1)[0].count(b",") > _MOST_COLUMNS:
            fault = f"has more than {_MOST_COLUMNS} columns"
        else:
            return pl.read_csv(io.BytesIO(content), infer_schema=False)
    except (zlib.error, OSError, EOFError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
        pass
    raise ConfigError(f"{name}: {fault}", "save it as CSV in UTF-8")


# A run asks for the places and the code lists several times; what is in them is all that counts.
_small_table = lru_cache(maxsize=8)(_table)


def mistakes(model: type[BaseModel], path: Path, fault: ValidationError) -> list[str]:
    """Each mistake of a settings file as one line: file, line, key, what is allowed."""
    return [_mistake(model, path, error) for error in fault.errors(include_url=False, include_input=False)]


def _mistake(model: type[BaseModel], path: Path, error: Mapping[str, Any]) -> str:
    keys = [str(part) for part in error["loc"]]
    line = _line_of(path, keys)
    place = f"{path.name}, line {line}" if line else path.name
    allowed = _allowed(error)
    if error["type"] == "extra_forbidden":
        near = nearest_name(keys[-1], _known_at(model, keys[:-1]))
        allowed = f"there is no such key; did you mean `{near}`?" if near else "there is no such key"
    # A check of the whole file names the key itself.
    return f"{place}: `{'.'.join(keys)}`: {allowed}" if keys else f"{place}: {allowed}"


def _known_at(annotation: Any, keys: list[str]) -> list[str]:
    """The keys that a section may have, found by going down from the top of the file."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not keys:
            return sorted(annotation.model_fields)
        field = annotation.model_fields.get(keys[0])
        return [] if field is None else _known_at(field.annotation, keys[1:])
    # A section of sections, or a list of them: one more key is its name or its number.
    is_many = get_origin(annotation) in (dict, tuple, list)
    left = keys[1:] if is_many else keys
    return next((known for part in get_args(annotation) if (known := _known_at(part, left))), [])


# What to write, by the start of the kind of mistake that pydantic names; {…} is from its context.
_WRITE: Mapping[str, str] = {
    "missing": "this key is missing",
    "int_": "write a whole number",
    "float_": "write a number",
    "bool_": "write true or false",
    "string_type": "write text in quotes",
    "string_too_short": "write at least {min_length} characters",
    "date_": "write a day, such as 2026-11-22",
    "list_type": "write a list in square brackets",
    "tuple_type": "write a list in square brackets",
    "dict_type": "write a section of keys",
    "model_type": "write a section of keys",
    "greater_than_equal": "write {ge} or more",
    "greater_than": "write more than {gt}",
    "less_than_equal": "write {le} or less",
    "less_than": "write less than {lt}",
    "literal_error": "write one of {expected}",
    "enum": "write one of {expected}",
}


def _allowed(error: Mapping[str, Any]) -> str:
    """What is allowed, in words of ours; those of a check of our own are that already."""
    words = next((words for kind, words in _WRITE.items() if error["type"].startswith(kind)), None)
    if words is None:
        return str(error["msg"]).removeprefix("Value error, ")
    return words.format(**error.get("ctx", {}))


def _line_of(path: Path, keys: list[str]) -> int | None:
    """The line of a key, found by walking the file's tables; tomllib keeps no line numbers."""
    wanted = [key for key in keys if not key.isdigit()]
    found = [(len(trail), number) for number, trail in _trails(path) if trail and trail == wanted[: len(trail)]]
    deepest = max((depth for depth, _ in found), default=0)
    return min((number for depth, number in found if depth == deepest), default=None)


def _trails(path: Path) -> Iterator[tuple[int, list[str]]]:
    table: list[str] = []
    text = file_bytes(path, most=MOST_SETTINGS_BYTES).decode("utf-8", "replace")
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*\[+([^\]]+)\]+", line)
        entry = re.match(r"\s*([\w.\"-]+)\s*=", line)
        if header:
            table = _parts(header[1])
            yield number, table
        elif entry:
            yield number, [*table, *_parts(entry[1])]


def _parts(name: str) -> list[str]:
    return [part.strip().strip('"') for part in name.split(".")]


# How the names of lists start that are no lists of SNOMED CT findings: BNF and ICD-10 prefixes, and dm+d medicines.
OTHER_TERMINOLOGIES = ("bnf_", "dmd_", "icd10_")


def snomed_lists(codelists: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The names of the lists of SNOMED CT identifiers that coded entries are compared with, in order.

    A `dmd_…` list holds SNOMED CT identifiers too, of medicines: prescriptions are compared with it, entries are not.

    >>> snomed_lists({"fall": ("161898004",), "dementia": ("52448006",), "icd10_fall": ("W19",), "dmd_opioid": ("1",)})
    ['dementia', 'fall']
    """
    return sorted(name for name in codelists if not name.startswith(OTHER_TERMINOLOGIES))


def read_codelists(folder: Path) -> dict[str, tuple[str, ...]]:
    """Read every code list of a folder: its codes by the name of the file.

    A list is a CSV with the columns `code` and `term`; the codes of a `bnf_…` or `icd10_…` list are prefixes.
    """
    if not folder.is_dir():
        raise ConfigError(
            f"{folder.name}: there is no such folder of code lists", "correct `codelists` in the settings"
        )
    return {path.stem: _codes(path) for path in sorted(folder.glob("*.csv"))}


def codes_of(codelists: Mapping[str, tuple[str, ...]], name: str) -> tuple[str, ...]:
    """The codes of one list. Without its list a condition would count as absent in everybody: that is a mistake.

    >>> codes_of({"fall": ("161898004",)}, "fall")
    ('161898004',)
    """
    if not codelists.get(name):
        raise ConfigError(
            f"codelists: there is no list `{name}`, or it is empty", f"put {name}.csv into the folder of code lists"
        )
    return codelists[name]


def _codes(path: Path) -> tuple[str, ...]:
    content = file_bytes(path, most=MOST_TABLE_BYTES)
    return _small_list(path.name, content) if len(content) <= _KEPT_BYTES else _list(path.name, content)


def _list(name: str, content: bytes) -> tuple[str, ...]:
    try:
        rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
        if len(rows.fieldnames or ()) > _MOST_COLUMNS or not {"code", "term"} <= set(rows.fieldnames or ()):
            raise ConfigError(f"{name}: a code list needs the columns `code` and `term`", "add the header line")
        return tuple(code for row in rows if (code := (row["code"] or "").strip()))
    except (UnicodeDecodeError, csv.Error):
        raise ConfigError(f"{name}: not a CSV file in UTF-8", "save it as UTF-8") from None


_small_list = lru_cache(maxsize=256)(_list)
