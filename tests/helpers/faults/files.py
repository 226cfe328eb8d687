"""What is done to a whole table: each damage gives the files to put in its place (None: the file is not there)."""

import io
from collections.abc import Callable, Mapping

import polars as pl

from helpers.faults.catalogue import Case
from helpers.faults.records import Rows, as_csv, as_parquet, place_of

Files = Mapping[str, bytes | None]
Damage = Callable[[Rows, Case], Files]


def _csv(case: Case, content: bytes) -> Files:
    return {f"{case.table}.csv": content}


def _parquet(case: Case, content: bytes) -> Files:
    return {f"{case.table}.csv": None, f"{case.table}.parquet": content}


def missing(rows: Rows, case: Case) -> Files:
    return {f"{case.table}.csv": None}


def nothing(rows: Rows, case: Case) -> Files:
    return _csv(case, b"")


def header_only(rows: Rows, case: Case) -> Files:
    return _csv(case, as_csv(rows[:1]))


def cut_in_row(rows: Rows, case: Case) -> Files:
    return _csv(case, as_csv(rows[:-1]) + as_csv(rows[-1:])[:20])


def cut_in_row_by_half(rows: Rows, case: Case) -> Files:
    half = place_of(rows, "middle")
    return _csv(case, as_csv(rows[:half]) + as_csv(rows[half : half + 1])[:20])


def cut_parquet(rows: Rows, case: Case) -> Files:
    whole = as_parquet(rows)
    return _parquet(case, whole[: len(whole) // 2])


def bit_in_frame(rows: Rows, case: Case) -> Files:
    """One bit of the four letters with which a Parquet file begins."""
    whole = bytearray(as_parquet(rows))
    whole[-1] ^= 1
    return _parquet(case, bytes(whole))


def bit_in_key(rows: Rows, case: Case) -> Files:
    """The sixth bit of a letter of a key: a small letter becomes a capital one, which no key has."""
    at, column = place_of(rows, case.row), rows[0].index(case.column)
    rows[at][column] = chr(ord(rows[at][column][0]) ^ 0x20) + rows[at][column][1:]
    return _csv(case, as_csv(rows))


def half_the_rows(rows: Rows, case: Case) -> Files:
    """Half of the people, with all their versions; those who are to come off among them."""
    people = list(dict.fromkeys(row[0] for row in rows[1:]))
    kept = {person for n, person in enumerate(people) if n % 2 == 0} | {row[0] for row in rows[6:7]}
    return _csv(case, as_csv([rows[0], *(row for row in rows[1:] if row[0] in kept)]))


def two_files(rows: Rows, case: Case) -> Files:
    return {f"{case.table}.csv": as_csv(rows), f"{case.table}.parquet": as_parquet(rows)}


def windows_1252(rows: Rows, case: Case) -> Files:
    """A letter of a foreign name somewhere in the last column, as Windows writes it."""
    rows[place_of(rows, "middle")][-1] = "é"
    return _csv(case, as_csv(rows).decode().encode("cp1252"))


def utf_16_without_mark(rows: Rows, case: Case) -> Files:
    return _csv(case, as_csv(rows).decode().encode("utf-16-le"))


def utf_8_mark(rows: Rows, case: Case) -> Files:
    return _csv(case, b"\xef\xbb\xbf" + as_csv(rows))


def one_bad_byte(rows: Rows, case: Case) -> Files:
    at = place_of(rows, case.row)
    line = as_csv(rows[at : at + 1])
    return _csv(case, as_csv(rows[:at]) + line[:5] + b"\xff" + line[5:] + as_csv(rows[at + 1 :]))


def windows_line_ends(rows: Rows, case: Case) -> Files:
    return _csv(case, as_csv(rows).replace(b"\n", b"\r\n"))


def nul_bytes(rows: Rows, case: Case) -> Files:
    return _csv(case, as_csv(rows)[:40] + b"\0\0" + as_csv(rows)[40:])


def open_quote(rows: Rows, case: Case) -> Files:
    at = place_of(rows, case.row)
    return _csv(case, as_csv(rows[:at]) + b'"' + as_csv(rows[at:]))


def semicolons(rows: Rows, case: Case) -> Files:
    return _csv(case, as_csv(rows).replace(b",", b";"))


def tabs(rows: Rows, case: Case) -> Files:
    return _csv(case, as_csv(rows).replace(b",", b"\t"))


def title_above(rows: Rows, case: Case) -> Files:
    return _csv(case, b"Extract of 22 November 2026\n\n" + as_csv(rows))


def total_below(rows: Rows, case: Case) -> Files:
    total = ["Total", str(len(rows) - 1)]
    return _csv(case, as_csv([*rows, total + [""] * (len(rows[0]) - len(total))]))


def column_missing(rows: Rows, case: Case) -> Files:
    gone = [rows[0].index(column) for column in case.column.split("|")]
    return _csv(case, as_csv([[cell for at, cell in enumerate(row) if at not in gone] for row in rows]))


def column_renamed(rows: Rows, case: Case) -> Files:
    rows[0][rows[0].index(case.column)] = case.text
    return _csv(case, as_csv(rows))


def column_twice(rows: Rows, case: Case) -> Files:
    at = rows[0].index(case.column)
    return _csv(case, as_csv([[*row, row[at]] for row in rows]))


def column_new(rows: Rows, case: Case) -> Files:
    return _csv(case, as_csv([[*row, "x" if n else "hair_colour"] for n, row in enumerate(rows)]))


def columns_reversed(rows: Rows, case: Case) -> Files:
    return _csv(case, as_csv([row[::-1] for row in rows]))


def column_blank(rows: Rows, case: Case) -> Files:
    at = rows[0].index(case.column)
    return _csv(case, as_csv([rows[0], *([*row[:at], "", *row[at + 1 :]] for row in rows[1:])]))


def field_too_many(rows: Rows, case: Case) -> Files:
    return _csv(case, as_csv([rows[0], *([*row, "more"] for row in rows[1:])]))


def swapped(rows: Rows, case: Case) -> Files:
    one, other = (rows[0].index(column) for column in case.column.split("|"))
    for row in rows[1:]:
        row[one], row[other] = row[other], row[one]
    return _csv(case, as_csv(rows))


def old_records(rows: Rows, case: Case) -> Files:
    """Nothing of the last year: what an agency sent a year ago."""
    at = rows[0].index("recorded_on")
    return _csv(case, as_csv([rows[0], *(row for row in rows[1:] if row[at] < "2025-11")]))


def stale_checks(rows: Rows, case: Case) -> Files:
    at = rows[0].index("checked_on")
    return _csv(case, as_csv([rows[0], *([*row[:at], "2026-08-01", *row[at + 1 :]] for row in rows[1:])]))


def opt_outs_lost(rows: Rows, case: Case) -> Files:
    """Half of the opt-outs that were there last night; the objection of tonight is among what is left."""
    return _csv(case, as_csv(rows[:6] + rows[6::2]))


def far_day_in_parquet(rows: Rows, case: Case) -> Files:
    """A day beyond the year 9999, as a typed day: turning it into text makes Polars panic."""
    frame = pl.read_parquet(as_parquet(rows))
    day = next(name for name in reversed(frame.columns) if name.endswith("_on"))
    far = pl.Series(day, [3_000_000] * frame.height, dtype=pl.Int32).cast(pl.Date)
    file = io.BytesIO()
    frame.with_columns(far).write_parquet(file)
    return _parquet(case, file.getvalue())


def dead_link(rows: Rows, case: Case) -> Files:
    """The scene puts the link there."""
    return {f"{case.table}.csv": None}


def near_name(rows: Rows, case: Case) -> Files:
    return {f"{case.table}.csv": None, f"Copy of {case.table}.csv": as_csv(rows)}


def strangers(rows: Rows, case: Case) -> Files:
    """Every person of the table under a key that nobody else has."""
    turn = str.maketrans("bcdfghjklmnpqrst", "cdfghjklmnpqrstb")
    return _csv(
        case,
        as_csv([rows[0], *([cell.translate(turn) if len(cell) == 32 else cell for cell in row] for row in rows[1:])]),
    )


FILE_DAMAGES: Mapping[str, Damage] = {
    name: made
    for name, made in list(globals().items())
    if callable(made) and getattr(made, "__module__", "") == __name__ and not name.startswith("_")
}
