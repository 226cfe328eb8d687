"""People whom nobody has, to be planted in what goes in and searched for in all that comes out.

Each canary has every identifier that an agency's own file may hold, and each identifier is looked for in every spelling
and encoding in which it could come out: a hit is a leak. The search looks at the bytes of a file (free pages of a
database and what lies behind the end of a table too), and inside what is packed: Parquet columns and metadata, the
parts of a workbook, gzip streams.

>>> planted = Canaries.made(3, seed=5)
>>> [hit.identifier for hit in planted.search_text(f"call {planted.people[1].phone} first")]
['phone']
"""

import base64
import contextlib
import hashlib
import html
import io
import json
import struct
import urllib.parse
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from ageingwell.synthetic.identifiers import reserved_nhs_numbers

# Below this many bytes a pattern may stand anywhere by chance.
SHORTEST = 7
_AT_ONCE = 64 * 1024 * 1024
_LETTERS = "bcdfghjklmnpqrstvwxz"
_VOWELS = "aeiouy"


@dataclass(frozen=True)
class Person:
    """One canary: every identifier of theirs as an agency's own file would hold it."""

    nhs_number: str
    uprn: str
    birth_date: str
    forename: str
    surname: str
    address: str
    postcode: str
    phone: str
    email: str
    local_id: str
    note: str


IDENTIFIERS = tuple(field.name for field in fields(Person))
NUMBERS = ("nhs_number", "uprn", "phone")


@dataclass(frozen=True, order=True)
class Hit:
    """Where a canary was found: the file (and the part inside it), and which identifier in which encoding."""

    where: str
    identifier: str
    encoding: str
    person: int


@dataclass(frozen=True)
class Canaries:
    """Made-up people and the search for them."""

    people: tuple[Person, ...]

    @classmethod
    def made(cls, n: int, *, seed: int = 5) -> "Canaries":
        """Draw `n` people, each different from all others in every identifier; telephone numbers repeat from 1,000."""
        draw = np.random.default_rng([seed, 4711])
        numbers = reserved_nhs_numbers(seed)[-n:]
        return cls(tuple(_person(int(number), at, draw) for at, number in enumerate(numbers)))

    @cached_property
    def patterns(self) -> Mapping[bytes, tuple[int, str, str]]:
        """What is searched for: each pattern with its person, identifier and encoding."""
        found: dict[bytes, tuple[int, str, str]] = {}
        for at, person in enumerate(self.people):
            for identifier in IDENTIFIERS:
                for encoding, pattern in encodings(identifier, getattr(person, identifier)):
                    if len(pattern) >= SHORTEST:
                        found.setdefault(pattern, (at, identifier, encoding))
        return found

    def search(self, *paths: Path) -> list[Hit]:
        """Search files and folders, what is packed in them, and the names of all that lies in them."""
        return self._found(layer for path in paths for layer in _layers_of(path))

    def search_text(self, *texts: str, where: str = "the screen") -> list[Hit]:
        """Search what a command said."""
        return self._found((where, text.encode("utf-8", "surrogateescape")) for text in texts)

    def search_bytes(self, content: bytes, where: str = "bytes") -> list[Hit]:
        """Search some bytes and what is packed in them."""
        return self._found(_inside(where, content))

    def _found(self, layers: Iterable[tuple[str, bytes]]) -> list[Hit]:
        hits: set[Hit] = set()
        for names, contents in _batches(layers):
            # The search of Polars (Aho-Corasick) takes text: each byte is one letter of Latin-1 in both.
            texts = pl.Series([content.decode("latin-1") for content in contents], dtype=pl.String)
            for name, found in zip(names, texts.str.extract_many(self._words, overlapping=True), strict=True):
                for word in () if found is None else found.unique():
                    person, identifier, encoding = self.patterns[word.encode("latin-1")]
                    hits.add(Hit(name, identifier, encoding, person))
        return sorted(hits)

    @cached_property
    def _words(self) -> pl.Series:
        return pl.Series([pattern.decode("latin-1") for pattern in self.patterns], dtype=pl.String).implode()


def encodings(identifier: str, value: str) -> Iterator[tuple[str, bytes]]:
    """Every form in which an identifier may come out: the name of the encoding, and its bytes."""
    spellings = dict.fromkeys(_spellings(identifier, value))
    for name, text in spellings:
        yield name, text.encode()
        yield f"{name}, lower case", text.lower().encode()
        yield f"{name}, upper case", text.upper().encode()
    for text in dict.fromkeys((value, _bare(identifier, value))):
        yield "reversed", text[::-1].encode()
        raw = text.encode()
        for offset in range(3):
            yield f"base64 at {offset}", _base64_at(raw, offset)
        yield "hex", raw.hex().encode()
        yield "hex, upper case", raw.hex().upper().encode()
        yield "URL", urllib.parse.quote(text).encode()
        yield "URL, all", "".join(f"%{byte:02X}" for byte in raw).encode()
        yield "JSON", json.dumps(text)[1:-1].encode()
        yield "JSON, all", "".join(f"\\u{ord(letter):04x}" for letter in text).encode()
        yield "HTML", html.escape(text).encode()
        yield "UTF-16", text.encode("utf-16-le")
        yield "UTF-16, big end first", text.encode("utf-16-be")
        yield "Latin-1", text.encode("latin-1", "replace")
        yield "folded", _folded(text).encode()
        yield "folded, as words", _folded(text).replace("_", " ").encode()
        yield "gzip", _deflated(raw)
        for digest in ("md5", "sha1", "sha256"):
            made = hashlib.new(digest, raw, usedforsecurity=False)
            yield digest, made.hexdigest()[:16].encode()
            yield f"{digest}, bytes", made.digest()[:12]
    if identifier in NUMBERS:
        number = int(_bare(identifier, value))
        yield "float", f"{float(number)}".encode()
        yield "exponent", f"{number:.9e}".encode()
        yield "exponent, short", f"{number:e}".replace("e+0", "E+").encode() if number % 10**4 == 0 else b""
        yield "float, bytes", struct.pack("<d", number)
        yield "float, bytes, big end first", struct.pack(">d", number)
        yield "int, bytes", struct.pack("<q", number)
        yield "int, bytes, big end first", struct.pack(">q", number)
        yield "int, hex", f"{number:x}".encode()


def _spellings(identifier: str, value: str) -> Iterator[tuple[str, str]]:
    """How people and systems write it."""
    yield "plain", value
    if identifier == "nhs_number":
        three = value[:3], value[3:6], value[6:]
        for name, sign in (("spaced", " "), ("hyphen", "-"), ("dot", "."), ("slash", "/"), ("underscore", "_")):
            yield name, sign.join(three)
        yield "full width", value.translate({ord(str(n)): chr(0xFF10 + n) for n in range(10)})
        yield "Arabic digits", value.translate({ord(str(n)): chr(0x0660 + n) for n in range(10)})
    elif identifier == "birth_date":
        yield from ((f"day {form}", day) for form, day in _days(date.fromisoformat(value)))
    elif identifier == "phone":
        yield "no spaces", value.replace(" ", "")
        yield "abroad", f"+44 {value[1:]}"
        yield "abroad, no spaces", f"+44{value[1:].replace(' ', '')}"
        yield "hyphen", value.replace(" ", "-")
        yield "dot", value.replace(" ", ".")
    elif identifier == "postcode":
        for name, sign in (("no space", ""), ("hyphen", "-"), ("underscore", "_")):
            yield name, value.replace(" ", sign)
    elif identifier == "uprn":
        yield "by threes", f"{value[:3]} {value[3:6]} {value[6:9]} {value[9:]}"


def _days(day: date) -> Iterator[tuple[str, str]]:
    for form in (
        "%d/%m/%Y",
        "%d.%m.%Y",
        "%d-%m-%Y",
        "%d %m %Y",
        "%Y%m%d",
        "%d%m%Y",
        "%d %B %Y",
        "%d %b %Y",
        "%B %d, %Y",
    ):
        yield form, f"{day:{form}}"
    yield "year, slashes", f"{day:%Y/%m/%d}"
    yield "no noughts", f"{day.day}/{day.month}/{day.year}"
    yield "words, no noughts", f"{day.day} {day:%B %Y}"


def _bare(identifier: str, value: str) -> str:
    return value.replace(" ", "") if identifier in (*NUMBERS, "postcode") else value


def _folded(text: str) -> str:
    return "_".join("".join(letter if letter.isalnum() else " " for letter in text.lower()).split())


def _base64_at(raw: bytes, offset: int) -> bytes:
    """What of some bytes stands in base64 whatever stands before and behind them, beginning at `offset` of three."""
    coded = base64.b64encode(b"\0" * offset + raw)
    first, last = (0, 2, 3)[offset], (offset + len(raw)) * 8 // 6
    return coded[first:last]


def _deflated(raw: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(raw) + packer.flush()


def _person(number: int, at: int, draw: np.random.Generator) -> Person:
    forename, surname, street = (_word(draw).title() for _ in range(3))
    surname = surname[:4] + "ë" + surname[4:]
    day = date(1931, 1, 2) + timedelta(days=int(draw.integers(0, 9000)))
    day = day + timedelta(days=1) if day.day == 1 else day
    letters = [_LETTERS[int(k)].upper() for k in draw.integers(0, len(_LETTERS), 4)]
    postcode = f"{letters[0]}{letters[1]}{10 + at % 90} {at // 90 % 10}{letters[2]}{letters[3]}"
    word = _word(draw)
    return Person(
        nhs_number=str(number),
        uprn=str(999_100_000_000 + int(draw.integers(0, 10**8)) * 7 + at % 7),
        birth_date=day.isoformat(),
        forename=forename,
        surname=surname,
        address=f"{1 + at % 97} {street} Lane",
        postcode=postcode,
        phone=f"07700 900{at % 1000:03}",
        email=f"{forename.lower()}.{street.lower()}@example.org",
        local_id=f"LA/{_word(draw)[:6]}{int(draw.integers(10_000, 99_999))}",
        note=f"key safe by the {word} gate; ring {forename}",
    )


def _word(draw: np.random.Generator) -> str:
    """A word of eleven letters that stands in no text."""
    return "q" + "".join(
        _LETTERS[int(draw.integers(0, len(_LETTERS)))] + _VOWELS[int(draw.integers(0, len(_VOWELS)))] for _ in range(5)
    )


def _batches(layers: Iterable[tuple[str, bytes]]) -> Iterator[tuple[list[str], list[bytes]]]:
    """The layers in parcels, so that the search is set up a few times only."""
    names: list[str] = []
    contents: list[bytes] = []
    size = 0
    for name, content in layers:
        names.append(name)
        contents.append(content)
        size += len(content)
        if size > _AT_ONCE:
            yield names, contents
            names, contents, size = [], [], 0
    if names:
        yield names, contents


def _layers_of(path: Path) -> Iterator[tuple[str, bytes]]:
    for one in sorted(path.rglob("*")) if path.is_dir() else [path]:
        name = str(one.relative_to(path)) if path.is_dir() else one.name
        yield f"name of {name}", name.encode("utf-8", "surrogateescape")
        if one.is_symlink():
            yield f"link {name}", str(one.readlink()).encode("utf-8", "surrogateescape")
        elif one.is_file():
            yield from _inside(name, one.read_bytes())


def _inside(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """The bytes of a file, and of all that is packed in it."""
    yield name, content
    if content[:4] == b"PAR1":
        yield from _parquet(name, content)
    elif content[:2] == b"PK":
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as packed:
                for part in packed.namelist():
                    yield from _inside(f"{name}: {part}", packed.read(part))
        except (zipfile.BadZipFile, OSError, ValueError, zlib.error):
            return
    else:
        start = content.find(b"\x1f\x8b\x08")
        while start >= 0:
            with contextlib.suppress(zlib.error):
                yield from _inside(f"{name}: gzip at {start}", zlib.decompressobj(wbits=31).decompress(content[start:]))
            start = content.find(b"\x1f\x8b\x08", start + 1)


def _parquet(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        frame = pl.read_parquet(io.BytesIO(content))
        told = pl.read_parquet_metadata(io.BytesIO(content))
    except Exception:
        return  # half a file has no table in it; its bytes were looked at
    yield f"{name}: metadata", json.dumps([frame.columns, dict(told)], ensure_ascii=False).encode()
    for column in frame.get_columns():
        if column.dtype.is_numeric():
            yield f"{name}: {column.name}, bytes", column.drop_nulls().to_numpy().tobytes()
        if column.dtype.is_float():
            continue  # eight digits of a decimal may be anything
        if column.dtype == pl.Binary:
            yield f"{name}: {column.name}", b"\n".join(column.drop_nulls().to_list())
        else:
            yield f"{name}: {column.name}", json.dumps(column.to_list(), default=str, ensure_ascii=False).encode()
