"""How a result shows itself: one screen of text in a terminal, a small table in a notebook.

A result says what it is, how many people it is about and what to do with it. It never shows a row of a person: who
wants the rows asks for the frame.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from textwrap import wrap
from typing import Any, Final

LINES_OF_A_SCREEN: Final = 24
LETTERS_OF_A_LINE: Final = 100
ROWS_OF_A_TABLE: Final = 10


@dataclass(frozen=True)
class Screen:
    """What is shown of a result: a title, facts by name, a small table (its head and rows), and a closing hint."""

    title: str
    facts: Mapping[str, object] = field(default_factory=dict)
    head: Sequence[str] = ()
    rows: Sequence[Sequence[object]] = ()
    hint: str = ""

    def text(self) -> str:
        """At most 24 lines of 100 letters.

        >>> print(Screen("Night of 22 November 2026", {"people listed": 56}, hint="Open report.html.").text())
        Night of 22 November 2026
          people listed  56
        Open report.html.
        """
        wide = max((len(name) for name in self.facts), default=0)
        lines = [self.title, *(f"  {name:<{wide}}  {_cell(value)}" for name, value in self.facts.items())]
        table = [list(map(_cell, row)) for row in (self.head, *self.rows[:ROWS_OF_A_TABLE])] if self.head else []
        widths = [max(map(len, column)) for column in zip(*table)]
        lines += ["  " + "  ".join(f"{cell:<{wide}}" for cell, wide in zip(row, widths)).rstrip() for row in table]
        lines += [f"  and {more:,} more"] if (more := len(self.rows) - ROWS_OF_A_TABLE) > 0 else []
        hint = wrap(self.hint, LETTERS_OF_A_LINE, break_long_words=False, break_on_hyphens=False)
        room = LINES_OF_A_SCREEN - len(hint)
        shown = lines if len(lines) <= room else [*lines[: room - 1], "  …"]
        return "\n".join([*map(_cut, shown), *hint])

    def html(self) -> str:
        """The same as one element of HTML: no script, no address, every text escaped.

        >>> Screen("<b>", {"n": 1}).html().count("<b>")
        0
        """
        facts = "".join(_row(("th", name), ("td", value)) for name, value in self.facts.items())
        head = _row(*(("th", name) for name in self.head)) if self.head else ""
        rows = "".join(_row(*(("td", cell) for cell in row)) for row in self.rows[:ROWS_OF_A_TABLE])
        more = len(self.rows) - ROWS_OF_A_TABLE
        tables = "".join(f"<table>{part}</table>" for part in (facts, head + rows) if part)
        after = [f"and {more:,} more"] if more > 0 else []
        hints = "".join(f"<p>{escape(text)}</p>" for text in (*after, self.hint) if text)
        return f'<div class="ageingwell"><p><strong>{escape(self.title)}</strong></p>{tables}{hints}</div>'


class Shown:
    """The base of every result that shows itself on one screen: `_screen` says what."""

    def _screen(self) -> Screen:
        raise NotImplementedError

    def __repr__(self) -> str:
        return self._screen().text()

    def _repr_html_(self) -> str:
        return self._screen().html()


def listed(names: Iterable[object], *, most: int = 4) -> str:
    """Some names in a line, the rest as a number.

    >>> listed(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    given = [str(name) for name in names]
    rest = len(given) - most
    return ", ".join(given[:most]) + (f" and {rest:,} more" if rest > 0 else "") if given else "none"


def sentence(text: str) -> str:
    """A reason as a sentence of its own.

    >>> sentence("it orders people better than chance (AUROC 0.71)")
    'It orders people better than chance (AUROC 0.71).'
    """
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def interval_text(value: float | None, low: float | None, high: float | None) -> str:
    """A figure with its 95% interval.

    >>> interval_text(0.71, 0.66, 0.756), interval_text(None, None, None)
    ('0.71 (0.66 to 0.76)', 'cannot be told')
    """
    if value is None or low is None or high is None:
        return "cannot be told"
    return f"{value:.2f} ({low:.2f} to {high:.2f})"


def _row(*cells: tuple[str, Any]) -> str:
    return (
        "<tr>"
        + "".join(f'<{tag} style="text-align:left">{escape(_cell(value))}</{tag}>' for tag, value in cells)
        + "</tr>"
    )


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}" if isinstance(value, float) else str(value)


def _cut(line: str) -> str:
    one = line.replace("\n", " ")
    return one if len(one) <= LETTERS_OF_A_LINE else one[: LETTERS_OF_A_LINE - 1] + "…"
