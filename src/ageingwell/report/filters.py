"""How a list may be narrowed and put in another order: choices for the reader, numbers for each row."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

# What a row is asked by: a name, the question as a reader meets it, and the words for everybody.
Question = tuple[str, str, str]
Rows = Sequence[Mapping[str, Sequence[str]]]


def questions_of(rows: Rows, *, asked: Sequence[Question]) -> list[dict[str, Any]]:
    """Give each question that divides the list, with its answers in alphabetical order and how many rows have each.

    A question that every row answers alike is left out: it would narrow nothing.

    >>> rows = [{"place": ["Ludlow"]}, {"place": ["Clun"]}, {"place": ["Ludlow"]}]
    >>> [question] = questions_of(rows, asked=[("place", "Place", "Every place")])
    >>> question["answers"]
    [{'text': 'Clun', 'n': 1}, {'text': 'Ludlow', 'n': 2}]
    """
    questions = []
    for name, label, everybody in asked:
        counts = Counter(answer for row in rows for answer in dict.fromkeys(row[name]))
        if len(counts) > 1:
            answers = [{"text": text, "n": counts[text]} for text in sorted(counts)]
            questions.append({"name": name, "label": label, "everybody": everybody, "answers": answers})
    return questions


def marks_of(rows: Rows, *, asked: Sequence[Question]) -> list[dict[str, str]]:
    """Give each row the numbers of its answers, as the page's script compares and sorts them.

    >>> rows = [{"place": ["Ludlow"]}, {"place": ["Clun"]}]
    >>> marks_of(rows, asked=[("place", "Place", "Every place")])
    [{'place': '1'}, {'place': '0'}]
    """
    numbers = {
        name: {text: number for number, text in enumerate(sorted({text for row in rows for text in row[name]}))}
        for name, _, _ in asked
    }
    return [
        {name: " ".join(str(numbers[name][text]) for text in dict.fromkeys(row[name])) for name, _, _ in asked}
        for row in rows
    ]
