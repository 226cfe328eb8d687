"""Markdown made of values."""

import inspect
import re
from collections.abc import Iterable
from typing import Any

import polars as pl


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table; bars inside cells are escaped."""
    lines = [list(head)]
    lines += [["---"] * len(lines[0]), *(list(row) for row in rows)]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def code(words: Iterable[object]) -> str:
    """Words set as code, separated by commas."""
    return ", ".join(f"`{word}`" for word in words)


def prose(text: str | None) -> str:
    """A docstring's text, without its examples."""
    return docstring_text(re.sub(r"\n\s*>>>.*", "", text or "", flags=re.DOTALL))


def docstring(thing: Any) -> str:
    """A docstring with its example as a block of code."""
    text = inspect.getdoc(thing) or ""
    words, found, example = text.partition(">>>")
    block = f"\n\n```pycon\n{found} {example.strip()}\n```" if found else ""
    return docstring_text(words) + block


def docstring_text(text: str) -> str:
    """Paragraphs on one line each."""
    return "\n\n".join(" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip()))


def made_type(dtype: Any) -> str:
    """A Polars type in a reader's words."""
    names = {
        pl.String: "text",
        pl.Int64: "whole number",
        pl.Float64: "number",
        pl.Boolean: "true or false",
        pl.Date: "date",
    }
    return "list of texts" if dtype.base_type() is pl.List else names[dtype.base_type()]
