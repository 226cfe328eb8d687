"""Which words and turns of phrase must not come back, and where a text still has one."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.helpers.reader_text import Text

LIST = Path(__file__).with_suffix(".toml")


@dataclass(frozen=True)
class HardWord:
    """What must not be written, a sentence that had it, and what to write."""

    hard: re.Pattern[str]
    found: str
    instead: str


@dataclass(frozen=True)
class Kept:
    """A text that keeps its words, with the reason."""

    file: str
    text: str
    reason: str


def hard_words() -> list[HardWord]:
    """The list, in its order."""
    return [
        HardWord(re.compile(entry["hard"], re.IGNORECASE), entry["found"], entry["instead"])
        for entry in tomllib.loads(LIST.read_text(encoding="utf-8"))["word"]
    ]


def kept() -> list[Kept]:
    """The texts that keep their words."""
    return [Kept(**entry) for entry in tomllib.loads(LIST.read_text(encoding="utf-8")).get("kept", [])]


def still_hard(texts: Iterable[Text], words: Iterable[HardWord], spared: Iterable[Kept] = ()) -> list[str]:
    """Each place where a text has a hard word: file, line, what was found, and what to write."""
    words, spared = list(words), list(spared)
    return [
        f"{text.file}:{text.line}: “{around(text.text, found)}” (such as “{word.instead}”)"
        for text in texts
        for word in words
        for found in word.hard.finditer(text.text)
        if not any(text.file == one.file and _lies_in(one.text, text.text, found) for one in spared)
    ]


def _lies_in(spared: str, text: str, found: re.Match[str]) -> bool:
    start = text.find(spared)
    return start >= 0 and start <= found.start() and found.end() <= start + len(spared)


def around(text: str, found: re.Match[str], width: int = 45) -> str:
    """What was found with a few words on either side."""
    return " ".join(text[max(0, found.start() - width) : found.end() + width].split())
