"""The records of a directory as sent: pages of `/services` in JSON, or a tabular package, each with its number."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ageingwell.errors import LimitError, SourceError
from ageingwell.reading.limits import MB, USUAL, json_within, regular_size, small_bytes
from ageingwell.services.tabular import is_package, package_records
from ageingwell.sources.read import MARK_OF_MADE_UP_DATA

# Where lists of version 3 keep their records; `content` is the list of Open Referral UK 1.
LIST_KEY: Final = "contents"
LIST_KEY_OF_VERSION_1: Final = "content"


@dataclass(frozen=True)
class Sent:
    """One record as sent: its file, its number in the file (from 1), and its content, whatever that is."""

    file: str
    number: int
    content: Any


@dataclass(frozen=True)
class DirectoryFile:
    """One file that was read."""

    file: str
    sha256: str
    n_records: int


def sent_records(directory: Path) -> tuple[list[Sent], list[DirectoryFile]]:
    """Read every record of a directory: a JSON file, a folder of JSON pages, or a tabular package.

    A JSON file is a page of a list (`{"contents": [...]}`), a list of services, or one service. Raises `SourceError`
    where a file is missing, damaged, or of another form.
    """
    if not directory.exists():
        raise SourceError(f"{directory.name}: there is no such directory of services", "correct `directory`")
    if directory.is_dir() and is_package(directory):
        return _of_package(directory)
    sent: list[Sent] = []
    files: list[DirectoryFile] = []
    for path in _json_files(directory):
        content, digest = _json(path)
        records = _records(path.name, content)
        sent += [Sent(path.name, number, record) for number, record in enumerate(records, start=1)]
        files.append(DirectoryFile(path.name, digest, len(records)))
    return sent, files


def _of_package(folder: Path) -> tuple[list[Sent], list[DirectoryFile]]:
    records = package_records(folder)
    sent = [Sent(file, number, record) for file, number, record in records]
    counts = {path.name: sum(one.file == path.name for one in sent) for path in sorted(folder.glob("*.csv"))}
    return sent, [DirectoryFile(name, _sha256(folder / name), n) for name, n in counts.items()]


def _json_files(directory: Path) -> Iterator[Path]:
    if directory.is_file():
        yield directory
        return
    marks = (MARK_OF_MADE_UP_DATA, "datapackage.json")
    files = [path for path in sorted(directory.glob("*.json")) if path.name not in marks]
    if not files:
        raise SourceError(
            f"{directory.name}/: holds neither a .json page nor service.csv or services.csv",
            "put the pages of the directory there",
        )
    yield from files


def _json(path: Path) -> tuple[Any, str]:
    size = regular_size(path)
    if size > USUAL.page_mb * MB:
        raise LimitError(f"{path.name}: {size:,} bytes is too long for a page", "save the directory page by page")
    content = small_bytes(path, most=int(USUAL.page_mb * MB))
    try:
        return json_within(content.decode("utf-8-sig"), path.name), hashlib.sha256(content).hexdigest()
    except UnicodeDecodeError:
        raise SourceError(f"{path.name}: not UTF-8", "save the page as UTF-8") from None
    except json.JSONDecodeError as fault:
        raise SourceError(
            f"{path.name}: not whole JSON, line {fault.lineno}", "fetch the page again; it may have been cut off"
        ) from None


def _records(file: str, content: Any) -> list[Any]:
    if isinstance(content, dict):
        if isinstance(content.get(LIST_KEY), list):
            return list(content[LIST_KEY])
        if LIST_KEY_OF_VERSION_1 in content:
            raise SourceError(f"{file}: a page of Open Referral UK 1", "ask the directory for version 3 of its feed")
        if "name" in content and "id" in content:
            return [content]
    if isinstance(content, list):
        return content
    raise SourceError(f"{file}: neither a page of services, nor a list of them, nor one", "save what /services gives")


def _sha256(path: Path) -> str:
    return hashlib.sha256(small_bytes(path, most=int(USUAL.page_mb * MB))).hexdigest()
