"""Every text that a reader or analyst meets, sentence by sentence, with where it stands.

Five kinds: literals of the source (messages, pages, workbooks, descriptions of settings and columns), the command
line's help, templates of pages, settings files, and the documentation.
"""

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import click
from python_calamine import CalamineWorkbook

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "ageingwell"
FILLED = "X"  # stands for what a message fills in
_WORD = re.compile(r"[A-Za-z][a-z'’]+")
_FEWEST_WORDS = 2  # a literal of one word is a name
_FIELD = re.compile(r"{[a-z_]*}")  # of a text that `format` fills in


@dataclass(frozen=True)
class Text:
    """A piece of text and where it stands."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


def literals(path: Path) -> Iterator[Text]:
    """The literals of a module that hold words; no docstrings, and what an f-string fills in is `X`.

    SQL and regular expressions are no text: they are told by their signs.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {id(one) for one in _docstrings(tree)} | {id(one) for one in _inside_joined(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else FILLED for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            text = node.value
        else:
            continue
        if _is_prose(text):
            yield Text(_name(path), node.lineno, _FIELD.sub(FILLED, text))


def _docstrings(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        # A sentence of its own is a docstring, or one of a field.
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value


def _inside_joined(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield from (part for part in node.values if isinstance(part, ast.Constant))


def _is_prose(text: str) -> bool:
    is_code = re.search(r"\bSELECT\b|\(\?[:P<]|\\[bdsw]|^<|__", text)
    return is_code is None and len(_WORD.findall(text)) >= _FEWEST_WORDS


def help_texts(command: click.Command, name: str) -> Iterator[Text]:
    """What `--help` says of a command, of its options and of all commands below it."""
    yield Text(name, 0, command.help or "")
    for param in command.params:
        if isinstance(param, click.Option) and param.help:
            yield Text(f"{name} {param.opts[0]}", 0, param.help)
    if isinstance(command, click.Group):
        for below in command.commands.values():
            yield from help_texts(below, f"{name} {below.name}")


def template_texts(path: Path) -> Iterator[Text]:
    """The words of a page's template, element by element."""
    kept = re.sub(
        r"{#.*?#}|<script.*?</script>|<style.*?</style>", _as_lines, path.read_text(encoding="utf-8"), flags=re.S
    )
    kept = re.sub(r"{%.*?%}", _as_lines, kept, flags=re.S)
    kept = re.sub(r"{{.*?}}", lambda found: FILLED + _as_lines(found), kept, flags=re.S)
    # Elements inside a line of text belong to it.
    kept = re.sub(r"</?(?:a|abbr|b|strong|em|span|code|time|i)\b[^<>]*>", _as_lines, kept, flags=re.S)
    line = 1
    for piece in re.split(r"(<[^<>]*>)", kept):
        if not piece.startswith("<") and _WORD.search(piece):
            started = line + piece[: len(piece) - len(piece.lstrip())].count("\n")
            yield Text(_name(path), started, " ".join(piece.split()))
        line += piece.count("\n")


def _as_lines(found: re.Match[str]) -> str:
    return "\n" * found[0].count("\n")


def settings_texts(path: Path) -> Iterator[Text]:
    """Comments and values of a settings file that hold words."""
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, start=1):
        comment = re.search(r"(?:^|\s)#\s*(.*)", line)
        if comment and len(_WORD.findall(comment[1])) >= _FEWEST_WORDS:
            yield Text(_name(path), number, comment[1])
    for value in _strings(tomllib.loads("\n".join(lines))):
        if len(_WORD.findall(value)) >= _FEWEST_WORDS:
            yield Text(_name(path), next((n for n, line in enumerate(lines, 1) if value[:40] in line), 0), value)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for below in value.values():
            yield from _strings(below)
    elif isinstance(value, list):
        for below in value:
            yield from _strings(below)


def page_texts(path: Path) -> Iterator[Text]:
    """The paragraphs, list items and cells of a page of documentation; no code."""
    started, piece, in_code = 1, list[str](), False
    for number, line in enumerate([*path.read_text(encoding="utf-8").splitlines(), ""], start=1):
        bare = line.strip()
        if bare.startswith("```"):
            in_code = not in_code
            bare = ""
        elif in_code:
            continue
        ends = not bare or bare.startswith(("|", "#", "- ", "* ", "!!!", "???", ":  ")) or re.match(r"\d+\. ", bare)
        if ends:
            yield from _paragraph(path, started, piece)
            started, piece = number, []
        if bare.startswith("|"):
            for cell in bare.strip("|").split("|"):
                yield from _paragraph(path, number, [cell])
        elif bare.startswith("#"):
            yield from _paragraph(path, number, [bare.lstrip("# ")])
        elif bare:
            if not piece:
                started = number
            piece.append(re.sub(r"^(?:[-*]|\d+\.|!!! \w+|:) +", "", bare))


def _paragraph(path: Path, line: int, pieces: list[str]) -> Iterator[Text]:
    text = " ".join(pieces).strip()
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)  # links and pictures by their words
    text = re.sub(r"`[^`]*`", FILLED, text).replace("**", "").replace("*", "")
    if _WORD.search(text):
        yield Text(_name(path), line, text)


class _Visible(HTMLParser):
    """The text of a page, block by block; nothing of scripts, styles and drawings, whose tables say the same."""

    # fmt: off
    _BLOCKS = frozenset((
        "p", "li", "td", "th", "caption", "dt", "dd", "h1", "h2", "h3", "h4", "h5", "h6", "figcaption", "label",
        "option", "legend", "summary", "div",
    ))
    # fmt: on
    _UNSEEN = frozenset(("script", "style", "svg", "title"))

    def __init__(self) -> None:
        super().__init__()
        self.blocks = [""]
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unseen += tag in self._UNSEEN
        if tag in self._BLOCKS:
            self.blocks.append("")

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in self._UNSEEN
        if tag in self._BLOCKS:
            self.blocks.append("")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.blocks[-1] += data


def shown_texts(page: str, name: str) -> list[Text]:
    """What a reader sees of a finished page, block by block."""
    parser = _Visible()
    parser.feed(page)
    pieces = (" ".join(block.split()) for block in parser.blocks)
    return [Text(name, 0, piece) for piece in pieces if _WORD.search(piece)]


def prose(texts: Iterable[Text]) -> list[str]:
    """The texts that are sentences, each once: they end as sentences do, not as headings, choices and cells do."""
    ended = (text.text for text in texts if text.text.rstrip('"”’)').endswith((".", "?", "!")))
    return list(dict.fromkeys(ended))


def workbook_texts(path: Path) -> list[Text]:
    """The words in the cells of a workbook, sheet by sheet."""
    book = CalamineWorkbook.from_path(path)
    return [
        Text(f"{path.name}: {sheet}", number, cell)
        for sheet in book.sheet_names
        for number, row in enumerate(book.get_sheet_by_name(sheet).to_python(), start=1)
        for cell in row
        if isinstance(cell, str) and _WORD.search(cell)
    ]


def _name(path: Path) -> str:
    return path.resolve().relative_to(ROOT).as_posix() if path.resolve().is_relative_to(ROOT) else path.name


def sources() -> list[Text]:
    """All literals of the package."""
    return [text for path in sorted(SOURCE.rglob("*.py")) for text in literals(path)]


def command_help() -> list[Text]:
    """All help of the command line."""
    from ageingwell.cli import cli

    return list(help_texts(cli, "ageingwell"))


def templates() -> list[Text]:
    """All templates of pages."""
    return [text for path in sorted((SOURCE / "report" / "templates").glob("*.html")) for text in template_texts(path)]


def settings() -> list[Text]:
    """All settings files that we ship."""
    return [text for path in sorted((ROOT / "configs").glob("*.toml")) for text in settings_texts(path)]


def documentation() -> list[Text]:
    """All pages of the documentation that a person writes; those made from the source are read there."""
    made = {path.name for path in (ROOT / "docs" / "reference").glob("*.md")}
    return [
        text
        for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
        if not (path.parent.name == "reference" and path.name in made) and path.parent.name != "decisions"
        for text in page_texts(path)
    ]


def everything() -> list[Text]:
    """Every text that anybody meets."""
    return sources() + command_help() + templates() + settings() + documentation()
