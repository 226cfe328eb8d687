"""What is printed, on consoles and in files whose code page lacks some of our signs.

Output keeps the encoding that Python chose, which is the one that the user's own tools read: a Windows console gets
Unicode, a redirected file on Windows its code page, everything else UTF-8; PYTHONIOENCODING chooses another. A sign
that the code page lacks is written in the nearest plain letters. Not as `?`: a lost minus would turn a fact round.
"""

import codecs
import io
import os
import sys
import unicodedata
from pathlib import Path
from typing import Final, TextIO

PLAIN: Final = "ageingwell.plain"
_SIGNS: Final = {
    "−": "-", "–": "-", "—": "-", "‑": "-", "…": "...", "‘": "'", "’": "'", "“": '"', "”": '"', "•": "*", "·": "*",
    "×": "x", "÷": "/", "≥": ">=", "≤": "<=", "≈": "about ", "→": "->", "±": "+/-", "£": "GBP ", "€": "EUR ",
}  # fmt: skip


def plain(text: str) -> str:
    """Write a text in ASCII, sign by sign as near as can be.

    >>> plain("−3, £1,050, naïve, 65–74, 山")
    '-3, GBP 1,050, naive, 65-74, ?'
    """
    return "".join(_SIGNS.get(sign) or _nearest(sign) for sign in text)


def _nearest(sign: str) -> str:
    return unicodedata.normalize("NFKD", sign).encode("ascii", "ignore").decode() or "?"


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return plain(error.object[error.start : error.end]), error.end


codecs.register_error(PLAIN, _replaced)


def prepare_streams() -> None:
    """Let standard output and error take every sign; one that was closed beforehand becomes a place for nothing."""
    sys.stdout = _prepared(sys.stdout)
    sys.stderr = _prepared(sys.stderr)


def _prepared(stream: TextIO | None) -> TextIO:
    if stream is None:
        return Path(os.devnull).open("w", encoding="utf-8")  # it stays open as long as the process
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors=PLAIN)
    return stream


def let_go_of_output(*streams: TextIO) -> None:
    """Send what is still to be written nowhere: nobody can take it, and Python would complain once more at the end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in streams or (sys.stdout, sys.stderr):
        try:
            os.dup2(nowhere, stream.fileno())
        except (OSError, ValueError):
            # A stream of a test or a notebook has no descriptor, and nothing to let go of.
            continue
    os.close(nowhere)
