"""A draft as Markdown, and the same as one HTML file that Word and LibreOffice open."""

from collections.abc import Iterator, Sequence
from typing import Final

from ageingwell.papers.drafting import ANSWER, Draft, DraftPart, Said
from ageingwell.papers.tables import Table
from ageingwell.papers.wording import Blank
from ageingwell.report.html import paper_html
from ageingwell.report.markdown import Block, blocks_of

DRAFT: Final = (
    "This is a draft that a computer made from one run. Nobody has agreed to it. What is filled in says where it comes "
    "from. What is left for a person says who, what and why."
)


def as_markdown(draft: Draft) -> str:
    """The draft as Markdown."""
    lines = [f"# {draft.title}", f"Standard: {draft.standard}.", DRAFT]
    if draft.written is not None:
        # The card has a title and headings of its own.
        lines.append(draft.written.removeprefix("# Model card").strip())
    lines += [line for said in draft.intro for line in _said(said)]
    for part in draft.parts:
        lines += _part(part)
    return "\n\n".join(lines) + "\n"


def as_html(draft: Draft, *, as_of: str) -> bytes:
    """The same for Word: one file, which loads nothing."""
    return paper_html(draft.title, _with_captions(blocks_of(as_markdown(draft))), as_of=as_of)


def _with_captions(blocks: Sequence[Block]) -> list[Block]:
    """Let the line that leads to a table be its caption, and stand there alone."""
    told: list[Block] = []
    for block in blocks:
        led_by = told[-1]["text"] if told and told[-1]["kind"] == "paragraph" else ""
        if block["kind"] == "table" and led_by.endswith(":"):
            told[-1] = {**block, "caption": led_by.removesuffix(":")}
        else:
            told.append(block)
    return told


def as_table(table: Table) -> str:
    """A table as Markdown: a bar in a cell is written out, so that no cell can end early.

    >>> print(as_table(Table("People", ("Group", "n"), (("a | b", "10"),), "manifest.json: steps")))
    | Group | n |
    | --- | --- |
    | a / b | 10 |
    """
    rows = [table.heads, ("---",) * len(table.heads), *table.rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "/").split())


def _part(part: DraftPart) -> Iterator[str]:
    yield f"{'#' * part.level} {part.heading}"
    for said in part.says:
        yield from _said(said)
    for table in part.tables:
        yield f"{table.caption}:"
        yield as_table(table) if table.rows else "Nothing."
        yield _from([table.where])
    if part.blanks:
        yield "\n".join(f"- {_asked(blank)}" for blank in part.blanks)


def _said(said: Said) -> Iterator[str]:
    yield said.text
    if said.where:
        yield _from(said.where)


def _from(where: Sequence[str]) -> str:
    return f"From {'; '.join(where)}."


def _asked(blank: Blank) -> str:
    return f"To be written by the {blank.role}: {blank.what}. Why: {blank.why}. {ANSWER}"
