"""How hard a text is to read: the length of its sentences, and the age at which a reader can follow it.

The grade is that of Flesch and Kincaid, for the sum of words, sentences and syllables: J. P. Kincaid, R. P. Fishburne,
R. L. Rogers, B. S. Chissom, "Derivation of new readability formulas for Navy enlisted personnel", Research Branch
Report 8-75, Naval Technical Training, 1975. The reading ease is that of R. Flesch, "A new readability yardstick",
Journal of Applied Psychology 32 (1948). A school year of the United States begins five years after a birth, so the
reading age is the grade and five years, as the NHS's guides to health literacy count it.
"""

import re
from collections.abc import Iterable
from statistics import median

_FEWEST_WORDS = 4  # fewer are a heading, a choice or a label, and no sentence
_WORD = re.compile(r"[A-Za-z][A-Za-z'’]*(?:-[A-Za-z]+)*|\d[\d,.]*\d|\d")
# A semicolon or a colon ends no sentence: what follows has to be kept in mind with what went before.
_END = re.compile(r"(?<!e\.g)(?<!i\.e)[.!?](?:[\"”’)]*)(?:\s+|$)|\n\s*\n")
_SILENT_E = re.compile(r"(?:[^laeiouy]|[aeiouy]l|rl|wl)es?$")
_SPOKEN_ES = re.compile(r"(?:[sxzcg]|ch|sh)es$")
_SILENT_ED = re.compile(r"[^tde]ed$")
# An e in the middle that ends the first part of a word: some-one, safe-ty, like-ly, state-ment.
_INNER_E = re.compile(
    r"^(?:some|there|where|home|fire|here|time|care|life|use|more)(?=[b-z]{2})|[aeiouy][^aeiouyr]e(?=(?:ly|ty|ment|ments|ness|less|ful)$)"
)
# Vowels side by side that are spoken one by one: area, idea, being, create, period, usual, science, January.
_APART = re.compile(
    r"ia(?!l$|n$)|io(?!n|us)|iu|[aeiou]ing|eate|eat(?:ion|ed)|ea$|(?<![gq])ua(?!lity)|(?<![tc])ie[nt]|scie|eo(?!p)"
)


def sentences(text: str) -> list[str]:
    """The sentences of a text that have four words or more.

    >>> sentences("Phone them first. Then visit. If nobody answers, try again next week.")
    ['If nobody answers, try again next week']
    """
    pieces = (" ".join(piece.split()) for piece in _END.split(text))
    return [piece for piece in pieces if len(words(piece)) >= _FEWEST_WORDS]


def words(text: str) -> list[str]:
    """The words of a text; a number is one, and so is a word with a hyphen.

    >>> words("Aged 65 to 74, well-known")
    ['Aged', '65', 'to', '74', 'well-known']
    """
    return _WORD.findall(text)


def syllables(word: str) -> int:
    """The syllables of a word, by its letters: groups of vowels, less what is written and not spoken.

    >>> [syllables(word) for word in ("cat", "reading", "people", "agency", "recorded", "lived", "practice", "65")]
    [1, 2, 2, 3, 3, 1, 2, 1]
    """
    letters = re.sub(r"[^a-z]", "", word.lower())
    if not letters:
        return 1
    count = len(re.findall(r"[aeiouy]+", letters)) + len(_APART.findall(letters)) - len(_INNER_E.findall(letters))
    if letters.endswith(("ian", "ial")) and not letters.endswith(("cial", "tial", "cian")):
        count += 1
    if _SILENT_E.search(letters) and not _SPOKEN_ES.search(letters):
        count -= 1
    if _SILENT_ED.search(letters) and len(letters) > 3:
        count -= 1
    return max(count, 1)


def median_sentence(texts: Iterable[str]) -> float:
    """The median number of words of the sentences of many texts; 0 where there is none.

    >>> median_sentence(["One two three four. One two three four five six.", "One two three four five."])
    5
    """
    lengths = [len(words(sentence)) for text in texts for sentence in sentences(text)]
    return median(lengths) if lengths else 0


def reading_ease(text: str) -> float:
    """Flesch's reading ease: 100 is very easy, 0 very hard."""
    per_sentence, per_word = _rates([text])
    return 206.835 - 1.015 * per_sentence - 84.6 * per_word


def reading_age(texts: Iterable[str]) -> float:
    """The age at which a reader can follow the sentences of many texts, after Flesch and Kincaid.

    >>> round(reading_age(["The cat sat on the mat."]), 1)
    3.6
    """
    per_sentence, per_word = _rates(texts)
    return 0.39 * per_sentence + 11.8 * per_word - 15.59 + 5


def _rates(texts: Iterable[str]) -> tuple[float, float]:
    """Words of a sentence and syllables of a word, on average."""
    found = [words(sentence) for text in texts for sentence in sentences(text)]
    all_words = [word for sentence in found for word in sentence]
    if not all_words:
        raise ValueError("there is no sentence of four words")
    return len(all_words) / len(found), sum(map(syllables, all_words)) / len(all_words)
