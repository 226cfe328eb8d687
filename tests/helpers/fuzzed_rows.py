"""Rows of every table with cells spoilt in every way, held against both validators."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from ageingwell.config.score import ReaderSettings
from ageingwell.contracts.registry import TABLES, columns
from ageingwell.sources.check import split, typed
from helpers.slow_validator import Verdict, verdict
from helpers.tables import GOOD, pseudonym

Row = dict[str, str | None]
READER = ReaderSettings()

# fmt: off
BLANK = [None, "", " ", "\t", "\u00a0", "\u2003", "\u200b", "\ufeff", "\x1f", "\x00", "NULL", "null", "Na", "N/A",
         "#N/A", "nan", "NaT", "None", "none", "NIL", "-", " null ", "n/a\u00a0"]
DAYS = ["2024-06-10", "2024-06-11", "2024-06-12", "2025-06-11", "2025-06-12", "1940-03-01", "1908-06-11", "1908-07-01",
        "1940-02-29", "2024-6-1", "20240610", "10/06/2024", "06-10-2024", "2024-02-30", "2023-02-29", "2024-02-29",
        "2100-02-29", "0000-00-00", "0000-01-01", "0001-01-01", "1753-01-01", "1801-01-01", "1899-12-30", "1900-01-01",
        "1900-01-02", "1969-12-31", "1970-01-01", "1970-01-02", "1999-12-31", "2000-01-01", "2098-12-31", "2099-01-01",
        "3000-01-01", "9999-12-31", "10000-01-01", "-2024-06-10", "+2024-06-10", "２０２４-06-10",
        "2024-0٦-10", "45000",
        "2024-06-10 09:30", "2024-06-10 9:30", "2024-06-10T09:30:00Z", "2024-06-10T09:30:00.123+01:00", "2024-06-10 ",
        "2024-06-10 24:00", "2024-06-10 23:59:60", "2024-06-10T09:30+0100", "2024-06-10 09:30 UTC", "2024-06-10X09:30",
        "2024-06-10 09:30:15,5", "2024-06-10T", "2024-06-10 09", "2024-06-10 09:3", "2024-06-10 09:30:", "soon",
        "2024‐06‐10", "2024-06-10\n", "2024-06-10 09:30 +01:00", "2024-06-10 09:30.5", "2024-00-10", "2024-06-00",
        "2024-06-10 09:30  Z", "2024-06-10  09:30", "1700000000", "2024-06-10 09:30:00.", "0000-00-00 00:00:00"]
NUMBERS = ["0", "-0", "1", "2", "3", "9", "10", "-1", "-5", "-6", "100", "101", "500", "501", "1.0", "1.5", ".5", "5.",
           "1e3", "1E400", "1e-400", "+3", "£1,050.00", "1 050", "(20)", "(-20)", "18,50", "1,05", "٣", "３", "inf",
           "-inf", "Infinity", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "1_000", "0x10",
           "99999999999999999999", "−5", "- 5", "£ 5", "-£5", "£-5", "1,000,000", "1,0000", "1 0000", "5 £", "--5",
           "+-5", "1000000", "1000000.01", "1,000 000", "( 20 )", "(£20)", "£", "(", "()", ".", "1.2.3", "1e", "1.e3",
           "000012", "5%", "one", "1\u00a0050", "1\u202f050.5", "  7  ", "- £ 5", "1,050e3", "£.5", "0.1e1", "1 ,050",
           "12345678901234567.5", "1e18", "1e19", "(1", "1)"]
LABELS = ["yes", "Yes", "YES", "y", "t", "true", "1", "1.0", "no", "N", "0", "0.0", "false", "F", "unknown", "Unknown",
          "Not asked", "not_asked", "yes - had one", "Yes: often", "yes-", "yes – –", "no - but", "No: never", "yesno",
          "???", "_", "__", "-yes-", "ｙｅｓ", "Ünknown", "İ", "ß", "female", "FEMALE", " Male ", "other", "Low",
          "ye s",
          "yes\u200b", "y.", "(y)", "Y/N", "1_0", "2", "snomed", "SNOMED", "Read2", "d", "D ", "A", "hoist or bed",
          "Service User", "Service  -  User", "national allowed", "national_allowed", "type 1", "Type-1", "type1",
          "safeguarding", "deceased", "GP", "Social Care", "fire", "😀", "unknown label", "Ǆ", "ﬁre", "²", "ª"]
TEXTS = [pseudonym(1), pseudonym(2), pseudonym(900), pseudonym(1)[:31], pseudonym(1) + "b", pseudonym(1).upper(),
         "a" * 32, "b" * 32, "9990001006", "E01028854", "e01028854", "W01000001", "S01000001", "E0102885", "M82041",
         "m82041", "M8204", "M82041 ", "161898004", "161898005", "22298006", "022298006", "Eu00.", "14J..", "99999",
         "42104411000001107", "42104411000001109", "319283006", "123456", "12345", "1234567890123456789", "１61898004",
         "0403010B0AAAGAG", "0403", "040", "0403010b0", "0403010B0AAAGAGX", "S72.0", "S720", "s72.0", "S72", "W19",
         "W19.0 I10", "W19;I10", "W19; I10 ;J18.9", "W19,I10", "W19 ", ";W19", "S72.0000", "S7", "CASE-1", "x" * 300,
         "free text of somebody", "a\nb", "=1+1", "mmHg", "S72.0\u00a0I10"]
# fmt: on
POOLS: Mapping[str, list[str | None]] = {
    "date": DAYS,
    "number": NUMBERS,
    "whole": NUMBERS,
    "label": LABELS,
    "text": TEXTS,  # type: ignore[dict-item]
}  # fmt: skip
EVERY: list[str | None] = [*BLANK, *DAYS, *NUMBERS, *LABELS, *TEXTS]
_FIRST = date(1890, 1, 1)


@dataclass(frozen=True)
class Disagreement:
    """One row of which the two validators think differently."""

    table: str
    row: Row
    fast: object
    slow: object


def spoilt_rows(table: str, n: int, seed: int) -> list[Row]:
    """Good rows with one to four cells spoilt: half by what is written in such a column, the rest by anything."""
    draw = random.Random(f"{table} {seed}")
    names = [column.name for column in columns(table)]
    pools = {
        column.name: [
            *POOLS[column.kind],
            *column.labels,
            *(label.replace("_", " ").title() for label in column.labels),
        ]
        for column in columns(table)
    }
    days = [(_FIRST + timedelta(days=place)).isoformat() for place in range(0, 80_000, 1)]
    found = []
    for _ in range(n):
        row = dict(GOOD[table])
        for name in draw.choices(names, k=draw.choice((1, 1, 2, 2, 3, 4))):
            kind = draw.random()
            pool = pools[name] if kind < 0.6 else BLANK if kind < 0.75 else EVERY if kind < 0.85 else None
            row[name] = draw.choice(pool) if pool is not None else draw.choice(days)
        found.append(row)
    return found


def disagreements(table: str, rows: Sequence[Row]) -> Iterator[Disagreement]:
    """Every row that the package judges otherwise than the slow validator."""
    wanted = columns(table)
    raw = pl.DataFrame({column.name: [row[column.name] for row in rows] for column in wanted},
                       schema={column.name: pl.String for column in wanted})  # fmt: skip
    read, good, faults = split(table, typed(raw, wanted, {}, READER), pl.Series([], dtype=pl.Int64))
    refused: list[set[tuple[str, str]]] = [set() for _ in rows]
    for place, name, rule in faults.iter_rows():
        refused[place].add((name, rule))
    emptied: list[set[tuple[str, str]]] = [set() for _ in rows]
    held = [False] * len(rows)
    for place, name, rule, holds in read.emptied.iter_rows():
        emptied[place].add((name, rule))
        held[place] = held[place] or holds
    values = [dict(zip(read.rows.columns, one)) for one in read.rows.iter_rows()]
    for row, bad, empty, is_held, is_good, value in zip(rows, refused, emptied, held, good, values, strict=True):
        slow = verdict(table, row)
        if bad != slow.refused or empty != slow.emptied or is_held != slow.held or is_good != (not slow.refused):
            yield Disagreement(table, row, (bad, empty, is_held), (slow.refused, slow.emptied, slow.held))
        elif is_good and value != slow.values:
            yield Disagreement(table, row, _other(value, slow), _other(slow.values, value))


def _other(one: Mapping[str, object], other: object) -> dict[str, object]:
    values = other.values if isinstance(other, Verdict) else other
    return {name: value for name, value in one.items() if value != values[name]}  # type: ignore[index]


def fuzzed(n: int, *, seed: int, rows_at_once: int = 20_000) -> Iterator[Disagreement]:
    """Hold `n` rows, the same number of each table but for the rest, against both validators."""
    for place, table in enumerate(TABLES):
        left = n // len(TABLES) + (place < n % len(TABLES))
        for start in range(0, left, rows_at_once):
            rows = spoilt_rows(table, min(rows_at_once, left - start), seed + start)
            yield from disagreements(table, rows)
