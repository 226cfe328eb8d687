"""A partner's own phrase table: a sentence for each feature, filled with a person's values, and told in 100."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from ageingwell.errors import FrameError
from ageingwell.in_hundred import in_whole_numbers, whole

Phrase = str | Mapping[Any, str]
VALUE: Final = "{value}"


@dataclass(frozen=True)
class Told:
    """One feature in words; `is_known` tells whether it has a value."""

    words: str
    is_known: bool


def said(
    sentences: Mapping[str, Phrase] | pl.DataFrame | Any,
    values: pl.DataFrame,
    *,
    features: Sequence[str],
) -> list[Told]:
    """Each feature of one row (a frame with one row) in the words of a phrase table.

    >>> said({"tenure": {"rented": "rents the home"}}, pl.DataFrame({"tenure": ["rented"]}), features=["tenure"])
    [Told(words='rents the home', is_known=True)]
    """
    table = _table(sentences)
    unknown = sorted(set(table) - set(features))
    if unknown:
        raise FrameError(
            f"the phrase table names features that the model does not have: {', '.join(unknown[:5])}",
            "correct the names",
        )
    row = values.row(0, named=True)
    return [_told(name, table.get(name), row[name]) for name in features]


def in_words(
    told: Sequence[Told], effects: Sequence[float], *, start: float, end: float, outcome: str, who: str, most: int
) -> str:
    """The sentences around the `most` strongest facts, and a sum in whole numbers of 100 that is right.

    A fact that is not known is not among the facts: it is named below, and what it adds is in all other facts.
    """
    known = [place for place, fact in enumerate(told) if fact.is_known and abs(effects[place]) > 0]
    shown = sorted(known, key=lambda place: (-abs(effects[place]), place))[:most]
    total = in_whole_numbers([effects[place] for place in shown], start=start, end=end)
    numbers = dict(zip(shown, total.shown))
    unknown = [fact.words for fact in told if not fact.is_known]
    lines = [
        f"Of 100 people with a record like this, about {whole(end)} {outcome}.",
        f"For {who}, it is about {whole(start)}.",
    ]
    for title, keep in (("higher", 1), ("lower", -1)):
        those = [place for place in shown if effects[place] * keep > 0]
        if those:
            lines += ["", f"Goes with a {title} chance (out of 100):"]
            lines += [f"  {numbers[place]:>+4}  {told[place].words}" for place in those]
    if total.rest:
        lines += ["", f"  {total.rest:>+4}  all other facts together"]
    lines += ["", f"The sum: {total.start}{_signed(sum(total.shown) + total.rest)} = {total.end}."]
    lines += [f"Not known: {', '.join(unknown)}."] if unknown else []
    return "\n".join([*lines, "These facts go with the chance. They are not causes."])


def _signed(number: int) -> str:
    return f" {'-' if number < 0 else '+'} {abs(number)}"


def _table(sentences: Mapping[str, Phrase] | pl.DataFrame | Any) -> Mapping[str, Phrase]:
    if isinstance(sentences, Mapping):
        return sentences
    names = list(getattr(sentences, "columns", ()))
    if not {"feature", "sentence"} <= set(names):
        raise FrameError(
            "the phrase table is neither a mapping nor a frame with the columns feature and sentence",
            'give one such as {"age": "aged {value}"}',
        )
    features, texts = list(sentences["feature"]), list(sentences["sentence"])
    if len(set(features)) < len(features):
        raise FrameError("the phrase table has two sentences for one feature", "leave one")
    if not all(isinstance(text, str) for text in (*features, *texts)):
        raise FrameError("the phrase table has rows without a feature or a sentence", "fill them in")
    return dict(zip(features, texts))


def _told(name: str, phrase: Phrase | None, value: Any) -> Told:
    plain = name.replace("_", " ")
    if value is None:
        return Told(plain, False)
    shown = _written(value)
    if phrase is None:
        return Told(f"{plain}: {shown}", True)
    if isinstance(phrase, Mapping):
        by_level = {_written(level): words for level, words in phrase.items()}
        return Told(by_level.get(shown, f"{plain}: {shown}"), True)
    return Told(phrase.replace(VALUE, shown), True)


def _written(value: Any) -> str:
    if isinstance(value, int | float):
        return f"{value:,.0f}" if value == round(value) else f"{value:,.4g}"
    return str(value)
