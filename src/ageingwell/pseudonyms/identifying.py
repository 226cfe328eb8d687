"""Whether a text may tell who somebody is: numbers, days, addresses and names in any spelling and encoding we know.

This is the second fence. The first is that a column carries only what its contract promises (`carrying`): what is
looked at here stays behind in any case, and the answer decides whether the row is told as one that names somebody.
"""

import base64
import binascii
import re
import unicodedata
from collections.abc import Collection, Iterable
from typing import Final

import polars as pl

# NHS numbers have 10 digits, telephone numbers 10 to 12, UPRNs 8 to 12 (shorter ones are told from nothing), days 8.
_LONG_NUMBER: Final = re.compile(r"[0-9]{8,}")
_BETWEEN_DIGITS: Final = re.compile(r"(?<=[0-9])[^0-9a-z]{1,4}(?=[0-9])")
_LETTERS_FOR_DIGITS: Final = str.maketrans({"o": "0", "l": "1", "i": "1"})
_DIGITS_AND_LIKE: Final = re.compile(r"[0-9oli]*[0-9][0-9oli]*[0-9][0-9oli]*")
_MONTHS: Final = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_DAY: Final = re.compile(
    r"\b[0-9]{1,4}[./\-_ ][0-9]{1,2}[./\-_ ][0-9]{2,4}\b"
    rf"|\b[0-9]{{1,2}}(?:st|nd|rd|th)?[ ./\-_]*(?:of )?(?:{_MONTHS})[a-z]*[ ,./\-_]*(?:[0-9]{{4}}|[0-9]{{2}})\b"
    rf"|\b(?:{_MONTHS})[a-z]*[ ./\-_]*[0-9]{{1,2}}(?:st|nd|rd|th)?[ ,./\-_]+[0-9]{{2,4}}\b"
)
_POSTCODE: Final = re.compile(
    r"(?<![a-z0-9])[a-z]{1,2}[ ._\-]?[0-9o][a-z0-9]?[ ._\-]{0,3}[0-9o][ ._\-]?[abd-hjlnp-uw-z]{2}(?![a-z0-9])"
)
_MAIL: Final = re.compile(r"@|\bat\b.+\bdot\b|\[at\]|\(at\)")
_STREET: Final = re.compile(
    r"\b[0-9]{1,4}[a-z]?,? +[a-z' ]{2,40}\b(?:street|st|road|rd|lane|ln|avenue|ave|close|cl|drive|dr|way|crescent|cres|"
    r"court|ct|gardens|gdns|place|terrace|hill|green|row|mews|house|cottage|flat|view|square|sq)\b"
)
_CODED: Final = re.compile(r"[A-Za-z0-9+/_\-]{11,}={0,2}")
_HEX: Final = re.compile(r"(?:0x)?((?:[0-9a-fA-F]{2}[ :]?){7,})")
_TOKEN: Final = re.compile(r"[^\W\d_]{3,}")
# Headings under which an agency's own file names people and places.
NAMING: Final = re.compile(
    r"name|address|street|road|town|village|post_?code|phone|mobile|telephone|contact|mail|birth|dob|nhs|uprn|note|remark"
    r"|comment",
    re.IGNORECASE,
)
# Words that stand in names of streets and in labels alike.
_NO_NAMES: Final = frozenset(
    {
        "the", "and", "for", "with", "not", "one", "two", "large", "print", "easy", "read", "home", "house",
        "care", "support", "road", "street", "lane", "close", "high", "church", "mill", "station", "back",
        "fore", "way", "park", "hill", "green", "court", "north", "south", "east", "west", "other", "none",
        "unknown", "yes", "private", "landlord", "female", "male",
    }
)  # fmt: skip


def words_that_name(rows: pl.DataFrame, columns: Iterable[str]) -> frozenset[str]:
    """The words of an extract's own columns of names and addresses, in small letters.

    >>> rows = pl.DataFrame({"surname": ["Cadwallader", None], "sex": ["male", "female"]})
    >>> sorted(words_that_name(rows, ["surname"]))
    ['cadwallader']
    """
    found: set[str] = set()
    for name in columns:
        for text in rows[name].cast(pl.String).unique().drop_nulls():
            found.update(_TOKEN.findall(_plain(text)))
    return frozenset(found) - _NO_NAMES


def may_identify(text: str, names: Collection[str] = ()) -> bool:
    """Whether a text may tell who somebody is; `names` are words in small letters that name people or places here.

    >>> [may_identify(text) for text in ("943.476.5919", "b. 16 Sep 1940", "12 Sandford Ave", "sy6-6aa", "large print")]
    [True, True, True, True, False]
    >>> may_identify("ask for Ann", names={"ann"}), may_identify("OTQzNDc2NTkxOQ=="), may_identify("9195674349")
    (True, True, True)
    """
    return any(_tells(form, names) for form in _readings(text))


def is_day(text: str) -> bool:
    """Whether a text is a day in some form and nothing else.

    >>> is_day("16/09/1940"), is_day("b. 16/09/1940")
    (True, False)
    """
    return _DAY.fullmatch(_plain(text)) is not None


def _readings(text: str) -> Iterable[str]:
    """The text as it is, backwards, and what is written in it in base64 or in hexadecimal digits."""
    plain = _plain(text)
    yield plain
    yield plain[::-1]
    for coded in _CODED.findall(text):
        for start in range(4):
            piece = coded[start:].replace("-", "+").replace("_", "/").rstrip("=")
            try:
                content = base64.b64decode(piece[: len(piece) // 4 * 4])
            except (binascii.Error, ValueError):
                continue
            if (told := _printable(content)) is not None:
                yield _plain(told)
    for digits in _HEX.findall(text):
        if (told := _printable(bytes.fromhex(re.sub(r"[ :]", "", digits)))) is not None:
            yield _plain(told)


def _printable(content: bytes) -> str | None:
    for encoding in ("utf-8", "utf-16-le"):
        try:
            told = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if len(told) >= 5 and told.isprintable() and told.isascii():
            return told
    return None


def _plain(text: str) -> str:
    """Small letters, and digits of any script as 0 to 9: full width, Arabic, in circles."""
    folded = unicodedata.normalize("NFKC", text)
    digits = (letter if (digit := unicodedata.digit(letter, None)) is None else str(digit) for letter in folded)
    return re.sub(r"[\s\u200b-\u200f\u2060\ufeff]+", " ", "".join(digits)).lower().strip()


def _tells(text: str, names: Collection[str]) -> bool:
    with_digits = _DIGITS_AND_LIKE.sub(lambda found: found[0].translate(_LETTERS_FOR_DIGITS), text)
    if _LONG_NUMBER.search(_BETWEEN_DIGITS.sub("", with_digits)):
        return True
    if any(rule.search(text) for rule in (_DAY, _MAIL, _STREET)):
        return True
    if any(re.search("[0-9]", found[0]) for found in _POSTCODE.finditer(text)):
        return True
    return bool(names) and any(word in names for word in _TOKEN.findall(text))
