"""The first lines of a file."""

import csv
from dataclasses import dataclass
from pathlib import Path

import polars as pl


@dataclass(frozen=True)
class Head:
    """The first lines of a file."""

    encoding: str | None
    separator: str | None
    rows: list[list[str]]
    sheet: str | None = None


def text_of(path: Path) -> tuple[str, str]:
    import gzip

    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16"), "utf-16"
    try:
        return data.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        return data.decode("windows-1252"), "windows-1252"


def objects(path: Path) -> list[dict]:
    import json

    text, _ = text_of(path)
    try:
        whole = json.loads(text)
    except ValueError:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    if isinstance(whole, dict) and whole.get("resourceType") == "Bundle":
        return [entry["resource"] for entry in whole.get("entry", [])]
    if isinstance(whole, dict):
        lists = [v for v in whole.values() if isinstance(v, list)]
        return lists[0] if len(lists) == 1 else [whole]
    return whole


def heads(path: Path, n_lines: int = 200) -> list[Head]:
    if path.suffix == ".parquet":
        return [
            Head(None, None, [pl.read_parquet_schema(path).names()] if False else [list(pl.read_parquet_schema(path))])
        ]
    if path.suffix in (".xlsx", ".ods", ".xls"):
        import python_calamine

        book = python_calamine.CalamineWorkbook.from_path(str(path))
        return [
            Head(
                None,
                None,
                [[_cell(c) for c in r] for r in book.get_sheet_by_name(n).to_python(skip_empty_area=False)[:n_lines]],
                n,
            )
            for n in book.sheet_names
        ]
    if path.suffix in (".json", ".ndjson", ".jsonl"):
        import json

        return [
            Head(
                "utf-8",
                None,
                [
                    ["resourceType", "document"],
                    *[[o.get("resourceType", ""), json.dumps(o)] for o in objects(path)[:n_lines]],
                ],
            )
        ]
    text, enc = text_of(path)
    lines = text.splitlines()[:n_lines]
    best = max(",;\t|", key=lambda s: max((l.count(s) for l in lines), default=0))
    rows = [next(csv.reader([l], delimiter=best), []) for l in lines]
    return [Head(enc, best, rows)]


def _cell(c):
    import datetime

    if isinstance(c, float) and c == int(c):
        return str(int(c))
    if isinstance(c, datetime.datetime) and c.time() == datetime.time(0):
        return str(c.date())
    return "" if c is None else str(c)
