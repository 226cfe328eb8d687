"""Figures for the evidence page: keys that join nothing, keys nobody guesses, cells that cannot act, columns."""

import base64
import csv
import hashlib
import hmac
import io
import json
import random
import re
import zipfile
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from itertools import combinations
from pathlib import Path

import polars as pl
import pytest
from helpers.evidence import counted
from helpers.views import see
from openpyxl import load_workbook

from ageingwell.config.load import load_config
from ageingwell.decisions.choices import TITLES
from ageingwell.errors import KeyFileError
from ageingwell.pseudonyms import Key, pseudonym, row_key
from ageingwell.pseudonyms.keys import LETTERS
from ageingwell.pseudonyms.strength import made_up_secret
from ageingwell.register import RECIPIENTS
from ageingwell.report.csv import agency_csv
from ageingwell.report.html import agency_html
from ageingwell.report.workbook import agency_workbook
from ageingwell.views.columns import CODE, EARLIER, FOR_ANYONE, FOR_HOMES, FOR_READERS_OF_RISK, HOME_CODE, OFFERS
from ageingwell.views.recipient import AgencyView

NIGHTS = (date(2026, 11, 22), date(2026, 11, 29))
SECRET = Key(hashlib.sha256(b"a key of a test, and no one's").digest())
SEED = 8


def nhs_numbers(n: int, *, first: int = 999_000_000) -> list[str]:
    """Valid NHS numbers of the range for tests, from the first on."""
    found = []
    for nine in range(first, 1_000_000_000):
        check = -sum(int(digit) * weight for digit, weight in zip(str(nine), range(10, 1, -1), strict=True)) % 11
        if check != 10:
            found.append(f"{nine}{check}")
        if len(found) == n:
            break
    return found


# P2


def test_no_two_lists_and_no_two_domains_share_a_key() -> None:
    numbers = pl.DataFrame({"n": nhs_numbers(2_000)})
    people = numbers.select(person_id=pseudonym(pl.col("n"), domain="person", key=SECRET))
    uprns = pl.DataFrame({"n": [str(number) for number in range(1, 2_001)]})
    other = Key(hashlib.sha256(b"another key").digest())
    domains = {
        "people": people["person_id"],
        "homes": uprns.select(pseudonym(pl.col("n"), domain="home", key=SECRET)).to_series(),
        "people under another key": numbers.select(pseudonym(pl.col("n"), domain="person", key=other)).to_series(),
    }
    for recipient in RECIPIENTS:
        for night in NIGHTS:
            keys = people.select(row_key(pl.col("person_id"), recipient=recipient, as_of=night, key=other))
            domains[f"{recipient} {night}"] = keys.to_series()

    pairs = list(combinations(domains, 2))
    shared = [(one, two) for one, two in pairs if set(domains[one]) & set(domains[two])]

    counted("P2.domains", len(pairs), len(shared), note="2,000 people in each")
    assert len(domains) >= 12
    assert shared == []


# P3


def test_without_the_key_nobody_gets_back_from_a_pseudonym_to_a_number() -> None:
    """The attacker knows how pseudonyms are made, every number, and the keys that are published; and not the key."""
    everyone = nhs_numbers(20_000)
    targets = random.Random(SEED).sample(everyone, 1_000)
    told = set(of(targets, SECRET).values())

    def found(known: dict[str, str]) -> int:
        return len(told & set(known.values()))

    def by(message_of: str, make: str) -> dict[str, str]:
        return {one: hashlib.new(make, message_of.format(one).encode()).hexdigest()[:32] for one in everyone}

    guesses = [
        {one: text.translate(LETTERS) for one, text in by(message, make).items()}
        for message in ("{}", "person:{}")
        for make in ("md5", "sha1", "sha256")
    ]
    guesses += [of(everyone, Key.made_up(number)) for number in range(3)]
    empty = {
        one: hmac.new(b"", f"person:{one}".encode(), "sha256").hexdigest()[:32].translate(LETTERS) for one in everyone
    }
    n_found = sum(found(guess) for guess in [*guesses, empty])

    counted("P3.cracker", len(targets), n_found, seed=SEED, note="the same attack with the key finds all of them")
    assert n_found == 0
    # The attack works: with the key it finds every one.
    assert found(of(everyone, SECRET)) == len(told) == 1_000


def of(numbers: list[str], key: Key) -> dict[str, str]:
    """The pseudonym of each number."""
    frame = pl.DataFrame({"n": numbers})
    return dict(zip(numbers, frame.select(pseudonym(pl.col("n"), domain="person", key=key)).to_series(), strict=True))


def weak_keys() -> list[bytes]:
    """Keys that people and programs make and that can be guessed, 20 of each kind."""
    draw = random.Random(SEED)
    words = ["correct", "horse", "battery", "staple", "Shropshire", "winter", "Stretton", "teapot", "falls", "visit"]
    found: list[bytes] = []
    for n in range(20):
        phrase = "".join(draw.choice(words).capitalize() for _ in range(8))
        random_bytes = draw.randbytes(32)
        found += [
            " ".join(draw.choice(words) for _ in range(8)).encode(),
            base64.b64encode(f"{phrase}{2000 + n}".encode()),
            f"{phrase[:42]}{n % 10}=".encode(),
            random_bytes[:31],
            random_bytes[:16] * 2,
            random_bytes[:20] * 2,
            random_bytes[:24] + bytes(8),
            random_bytes[:8].ljust(32, b"\xff"),
            bytes([n]) * 32,
            bytes((n + step * (n + 1)) % 256 for step in range(32)),
            (random_bytes[:4] * 8).hex().encode(),
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(16) + random_bytes,
            b"PK\x03\x04" + random_bytes,
            made_up_secret(n),
            made_up_secret(n).hex().encode(),
            b"-----BEGIN OPENSSH PRIVATE KEY-----\n" + base64.b64encode(random_bytes),
        ]
    return found


def test_no_key_that_can_be_guessed_is_taken(tmp_path: Path) -> None:
    taken = []
    for number, content in enumerate(weak_keys()):
        path = tmp_path / f"{number}.key"
        path.write_bytes(content)
        path.chmod(0o600)
        with suppress(KeyFileError):
            Key.read(path)
            taken.append(content[:60])
    counted("P3.weak_keys", len(weak_keys()), len(taken), seed=SEED, note="16 kinds, 20 of each")
    assert taken == []


# P8

ACTS = set("=+-@\t\r\uff1d\uff0b\uff0d\uff20")
FORMULAS = [
    f"{space}{sign}{rest}"
    for space in ("", " ", "\t", "\r", "\n", "\u00a0", "\u200b", "\ufeff", "\x00")
    for sign in ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
    for rest in ("1+1", "cmd|' /C calc'!A0")
]
TAGS = [
    f"{before}{tag}"
    for before in ("", '"', "'", "-->", "</td>", "</script>", "]]>", "&lt;")
    for tag in ("<script>x</script>", "<img src=x onerror=y>", "<svg/onload=x>", "<a href=javascript:x>y</a>")
]


def with_text(view: AgencyView, payload: str) -> tuple[AgencyView, int]:
    """The view with a payload in every cell that holds text, and how many columns those are; keys stay."""
    texts = [
        column.name
        for column in view.columns
        if column.name not in ("row_key", "household_key")
        and view.frame.schema[column.name] in (pl.String, pl.List(pl.String))
    ]
    cells = {
        name: pl.lit(payload) if view.frame.schema[name] == pl.String else pl.concat_list(pl.lit(payload))
        for name in texts
    }
    return replace(view, frame=view.frame.with_columns(**cells), notes=(*view.notes, payload)), len(texts)


class Elements(HTMLParser):
    """How often each element stands in a page, and each attribute that could act."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found[tag] += 1
        for name, value in attrs:
            if name.startswith("on") or (value or "").lower().strip().startswith("javascript:"):
                self.found[f"{tag} {name}"] += 1


@pytest.mark.slow
def test_no_text_of_a_view_acts_in_a_spreadsheet_or_a_browser() -> None:
    n, active = 0, []
    view = see("gp")
    plain = Elements(page_of(with_text(view, "plain")[0])).found
    for payload in FORMULAS + TAGS:
        spoilt, n_columns = with_text(view, payload)
        n += n_columns
        active += [
            payload for cell in cells_of(agency_csv(spoilt)) if cell[:1] in set("=+-@\t\r\uff1d\uff0b\uff0d\uff20")
        ]
    # A page and a workbook take longer: a few of each.
    for payload in [*FORMULAS[::36], *TAGS[::3]]:
        changed = Elements(page_of(with_text(view, payload)[0])).found != plain
        active += [payload] * changed
    for payload in FORMULAS[::29]:
        active += [payload for _ in formulas_in(agency_workbook(with_text(view, payload)[0]))]

    counted("P8.payloads", n, len(active), note=f"{len(FORMULAS)} formulas and {len(TAGS)} pieces of HTML")
    assert n >= 1_000
    assert active == []


def page_of(view: AgencyView) -> str:
    page = agency_html(view)
    return page.decode() if isinstance(page, bytes) else page


def cells_of(content: bytes) -> list[str]:
    return [cell for row in csv.reader(io.StringIO(content.decode("utf-8-sig"))) for cell in row]


def formulas_in(content: bytes) -> list[str]:
    """The formulas and outward links of a workbook's parts, `data validation` lists of ours apart."""
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        sheets = [parts.read(name).decode() for name in parts.namelist() if name.startswith("xl/worksheets/")]
        outward = [name for name in parts.namelist() if "externalLink" in name]
    return [*outward, *(found for sheet in sheets for found in re.findall(r"<f[ >]", sheet))]


# P10


def columns_of(path: Path) -> set[str]:
    """The names of the columns of a list, as any program reads them."""
    if path.suffix == ".csv":
        return set(next(csv.reader(io.StringIO(path.read_text("utf-8-sig")))))
    if path.suffix == ".parquet":
        return set(pl.read_parquet_schema(path))
    if path.suffix == ".json":
        return {name for row in json.loads(path.read_text())["rows"] for name in row}
    book = load_workbook(path, read_only=True)
    return {str(cell.value) for name in ("List", "Homes") if name in book.sheetnames for cell in next(book[name].rows)}


ANSWERS = {"decision", "led_by", "reason", "by_when", "question", "told", "outcome", "contacted_on", "person_said"}
ABOUT_THE_LIST = {"list_code", "list_keys", "use_until", "notices"}


def test_every_file_of_a_recipient_has_the_columns_allowed_to_it_and_no_others(
    night_of_few_places: Path, few_places: Path
) -> None:
    views = load_config(few_places).ledger.views
    n, wrong = 0, []
    for path in sorted((night_of_few_places / "out" / str(NIGHTS[0]) / "agencies").rglob("*")):
        recipient = path.parent.name if path.parent.name in views else path.stem
        if path.suffix not in (".csv", ".parquet", ".json", ".xlsx"):
            continue
        may = FOR_READERS_OF_RISK if views[recipient].shows_risk else FOR_ANYONE
        titles = {one.title: one.name for one in (*FOR_READERS_OF_RISK, *FOR_HOMES, OFFERS, EARLIER, CODE, HOME_CODE)}
        titles |= {title: name for name, title in TITLES.items()}
        allowed = {one.name for one in (*may, *FOR_HOMES, OFFERS, EARLIER, CODE, HOME_CODE)}
        found = {titles.get(name, name) for name in columns_of(path)}
        n += 1
        wrong += [(path.name, name) for name in sorted(found - allowed - ANSWERS - ABOUT_THE_LIST)]

    counted("P10.columns", n, len({name for name, _ in wrong}), note="CSV, Parquet, JSON and workbooks")
    assert n >= 20
    assert wrong == []
