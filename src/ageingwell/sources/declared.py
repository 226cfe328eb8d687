"""What a sender says of its delivery in a file beside it: how many rows each file has, and which SHA-256.

Half a file reads as a shorter one. On a first night there is no other to compare it with; so an agency may send
`delivery.json`, or `<any name>.delivery.json`, and what differs from it stops the night::

    {"files": {"gp_patients.parquet": {"rows": 702, "sha256": "8f43…"}, "contacts/part-1.csv": {"rows": 50}}}
"""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ageingwell.errors import SourceError
from ageingwell.reading.chunks import FileRead
from ageingwell.sources.locate import readable

DECLARED: Final = re.compile(r"(.+\.)?delivery\.json")
# A list of files is short; more than this is none.
_MOST_BYTES: Final = 5_000_000


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    rows: int | None = Field(default=None, ge=0)
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")


class _Delivery(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)
    files: dict[str, _File]


def declared_in(data: Path) -> dict[str, tuple[int | None, str | None]]:
    """Rows and SHA-256 by file, of everything that senders say of the folder `data`; empty where they say nothing.

    Raises `SourceError` for a file of theirs that cannot be read, or that says two things of one file.
    """
    found: dict[str, tuple[int | None, str | None]] = {}
    with readable(data):
        paths = sorted(path for path in data.iterdir() if DECLARED.fullmatch(path.name))
        contents = {path.name: path.read_bytes() if path.stat().st_size <= _MOST_BYTES else b"" for path in paths}
    for name, content in contents.items():
        try:
            said = _Delivery.model_validate(json.loads(content)).files
        except (ValueError, RecursionError, ValidationError):
            raise SourceError(
                f"{name}: does not say which files were sent", 'write {"files": {"name": {"rows": 1, "sha256": "…"}}}'
            ) from None
        for file, told in said.items():
            if found.get(file, (told.rows, told.sha256)) != (told.rows, told.sha256):
                raise SourceError(f"{name}: says of {file} something else than another file", "keep the right one")
            found[file] = told.rows, told.sha256
    return found


def differences(
    table: str, files: Iterable[FileRead], declared: Mapping[str, tuple[int | None, str | None]]
) -> list[str]:
    """What was read of a table and is not as its sender says, and what the sender says and was not read.

    >>> read = [FileRead("gp_patients.csv", "ab" * 32, 350)]
    >>> differences("gp_patients", read, {"gp_patients.csv": (702, None), "gp_patients/2.csv": (5, None)})
    ['gp_patients.csv: 702 rows were sent and 350 read', 'gp_patients/2.csv: was sent, and is not here']
    """
    told, met = [], set()
    for file in files:
        name = next((name for name in (file.file, f"{table}/{file.file}") if name in declared), None)
        if name is None:
            continue
        met.add(name)
        rows, digest = declared[name]
        if rows is not None and rows != file.n_rows:
            told.append(f"{name}: {rows:,} rows were sent and {file.n_rows:,} read")
        elif digest is not None and digest != file.sha256:
            told.append(f"{name}: its SHA-256 is not the one that was sent")
    ours = (name for name in declared if name.split("/")[0].split(".")[0] == table and name not in met)
    return [*told, *(f"{name}: was sent, and is not here" for name in ours)]


def stop_on_differences(found: Iterable[str]) -> None:
    """Raise `SourceError` where a delivery is not as its sender says it is."""
    if told := list(found):
        raise SourceError("a delivery is not as its sender says: " + "; ".join(told), "have it sent again, whole")
