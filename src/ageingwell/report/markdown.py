"""A model card's Markdown as plain blocks: headings, paragraphs, lists, tables and code, and no markup of its own."""

import re
from collections.abc import Iterator
from typing import Any

Block = dict[str, Any]

_HEADING = re.compile(r"(#{1,6}) +(.*)")
_DIVIDER = re.compile(r"\|?[\s:|-]+\|?")


def blocks_of(text: str) -> list[Block]:
    """The blocks of a card in order; what is not known as a block is a paragraph, and all text stays text.

    A table takes the heading above it as its caption, with the paragraph that leads to it where that ends in a colon.

    >>> blocks_of("# Card" + chr(10) * 2 + "For **people**." + chr(10) * 2 + "- one" + chr(10) + "- two")
    [{'kind': 'heading', 'level': 1, 'text': 'Card'}, {'kind': 'paragraph', 'text': 'For people.'},
     {'kind': 'list', 'items': ['one', 'two']}]
    """
    blocks, above, led_by = list(_blocks(text.splitlines())), "", ""
    for block in blocks:
        if block["kind"] == "heading":
            above = block["text"]
        elif block["kind"] == "table":
            block["caption"] = f"{above}: {led_by.rstrip(':')}" if led_by.endswith(":") else above
        led_by = block["text"] if block["kind"] == "paragraph" else ""
    return blocks


def _blocks(lines: list[str]) -> Iterator[Block]:
    at = 0
    while at < len(lines):
        line = lines[at].rstrip()
        end = at + 1
        if line.startswith("```"):
            while end < len(lines) and not lines[end].startswith("```"):
                end += 1
            yield {"kind": "code", "lines": lines[at + 1 : end]}
            end += 1
        elif heading := _HEADING.fullmatch(line):
            yield {"kind": "heading", "level": len(heading[1]), "text": _plain(heading[2])}
        elif line:
            kind = _kind(line)
            while end < len(lines) and lines[end].strip() and _kind(lines[end]) == kind:
                end += 1
            yield _block(kind, [part.strip() for part in lines[at:end]])
        at = end


def _kind(line: str) -> str:
    if line.startswith("```") or _HEADING.fullmatch(line.rstrip()):
        return "other"
    start = line.lstrip()[:2]
    return "table" if start.startswith("|") else "list" if start in ("- ", "* ") else "paragraph"


def _block(kind: str, lines: list[str]) -> Block:
    if kind == "list":
        return {"kind": "list", "items": [_plain(line[2:]) for line in lines]}
    if kind == "table":
        rows = [_cells(line) for line in lines if not _DIVIDER.fullmatch(line)]
        return {"kind": "table", "caption": "", "note": "", "heads": rows[0] if rows else [], "rows": rows[1:]}
    return {"kind": "paragraph", "text": _plain(" ".join(lines))}


def _cells(line: str) -> list[str]:
    return [_plain(cell) for cell in line.strip().strip("|").split("|")]


def _plain(text: str) -> str:
    """Without the marks of bold and code."""
    return re.sub(r"\*\*|`", "", text).strip()
