"""A section of the annex, and the parts it is made of: plain data, which the page draws."""

from collections.abc import Mapping, Sequence
from typing import Any

Part = dict[str, Any]
Section = dict[str, Any]


def section(heading: str, anchor: str, *, says: Sequence[str], parts: Sequence[Part]) -> Section:
    """A heading with the anchor it is linked by, some sentences, and parts under it."""
    return {"heading": heading, "anchor": anchor, "says": list(says), "parts": list(parts)}


def table(told: Mapping[str, Any]) -> Part:
    """A table: caption, note, heads and rows of text."""
    return {"kind": "table", "table": dict(told)}


def chart(svg: str, title: str) -> Part:
    """A drawn chart under its title."""
    return {"kind": "chart", "svg": svg, "title": title}
