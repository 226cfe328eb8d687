"""A view for machines: exactly its cells as JSON and as Parquet, the same bytes for the same view."""

import io
import json
from collections.abc import Sequence
from typing import Any

import polars as pl

from ageingwell.decisions.tables import LIST_CODE, LIST_KEYS, LIST_UNTIL
from ageingwell.report.codes import keys_text, list_code
from ageingwell.views.columns import AgencyView

FORMAT = 1


def view_json(view: AgencyView, *, notices: Sequence[str] = ()) -> bytes:
    """Write a view as one JSON object: night, recipient, last day of use, notices, notes, columns with meanings, rows.

    >>> from datetime import date
    >>> from ageingwell.views.columns import PLACE
    >>> view = AgencyView("fire", date(2026, 11, 22), (PLACE,), pl.DataFrame({"place": ["Totnes"]}))
    >>> told = json.loads(view_json(view, notices=["Late."]))
    >>> told["night"], told["notices"], told["rows"]
    ('2026-11-22', ['Late.'], [{'place': 'Totnes'}])
    """
    told = {
        "format": FORMAT,
        "night": view.as_of.isoformat(),
        "recipient": view.recipient,
        **_until(view),
        "notices": list(notices),
        "notes": list(view.notes),
        "columns": [_column(view, number) for number in range(len(view.columns))],
        "rows": view.frame.select(column.name for column in view.columns).to_dicts(),
    }
    return (json.dumps(told, indent=1, ensure_ascii=False) + "\n").encode()


def _until(view: AgencyView) -> dict[str, str]:
    """The last day on which the list may be used."""
    return {} if view.use_until is None else {LIST_UNTIL: view.use_until.isoformat()}


def _column(view: AgencyView, number: int) -> dict[str, Any]:
    column = view.columns[number]
    is_list = view.frame.schema[column.name] == pl.List(pl.String)
    return {
        "name": column.name,
        "title": column.title,
        "meaning": column.meaning,
        "type": "list of texts" if is_list else "text",
    }


def view_parquet(view: AgencyView, *, notices: Sequence[str] = ()) -> bytes:
    """Write a view as Parquet: its columns and rows; which list it is, its keys and notices are the file's metadata."""
    told = {
        "night": view.as_of.isoformat(),
        "recipient": view.recipient,
        LIST_CODE: list_code(view),
        LIST_KEYS: keys_text(view),
        **_until(view),
        "notices": json.dumps(list(notices), ensure_ascii=False),
        "meanings": json.dumps({column.name: column.meaning for column in view.columns}, ensure_ascii=False),
    }
    file = io.BytesIO()
    view.frame.select(column.name for column in view.columns).write_parquet(file, compression="zstd", metadata=told)
    return file.getvalue()
