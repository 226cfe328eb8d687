"""JSON whose objects are plain rows, as columns of text: one column a key, in the order the keys first come."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import polars as pl

from ageingwell.errors import SourceError
from ageingwell.reading.documents import json_chunks
from ageingwell.reading.encodings import Text
from ageingwell.reading.limits import USUAL, Limits, beyond
from ageingwell.reading.tabular import Chunk


def flat_chunks(
    text: Text, *, wanted: Callable[[str], bool], rows_at_once: int, limits: Limits = USUAL
) -> Iterator[Chunk]:
    """Yield the objects of a JSON text as rows; numbers keep their digits, true and false are yes and no.

    A value that is itself a list or an object is given as JSON text. Raises `SourceError` for a text without keys.
    """
    keys = _keys(text, rows_at_once, limits)
    if not keys:
        raise SourceError(f"{text.name}: the file holds no object", "send it again")
    kept = [key for key in keys if wanted(key)] or keys[:1]
    for chunk in json_chunks(text, rows_at_once=rows_at_once, limits=limits):
        objects = [_read(document) for document in chunk.rows["document"]]
        columns = {key: pl.Series([_text(one.get(key)) for one in objects], dtype=pl.String) for key in kept}
        yield Chunk(chunk.file, chunk.first_row, pl.DataFrame(columns), tuple(keys), chunk.ragged)


def _keys(text: Text, rows_at_once: int, limits: Limits) -> list[str]:
    found: dict[str, None] = {}
    for chunk in json_chunks(text, rows_at_once=rows_at_once, limits=limits):
        for document in chunk.rows["document"]:
            found |= dict.fromkeys(_read(document))
            if len(found) > limits.columns:
                raise beyond(text.name, f"has {len(found):,} columns", "columns", limits)
    return list(found)


def _read(document: str | None) -> dict[str, Any]:
    found: dict[str, Any] = {} if document is None else json.loads(document, parse_float=str, parse_int=str)
    return found


def _text(value: Any) -> str:
    """A value as the text of a cell.

    >>> [_text(value) for value in ("a", "1.50", True, None, ["b"])]
    ['a', '1.50', 'yes', '', '["b"]']
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
