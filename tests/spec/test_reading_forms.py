"""One table in every form that agencies send is one table: the same rows, the same numbers, the same faults named."""

import gzip
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from helpers.tables import Rows, csv_text, good_rows, read

from ageingwell.config.limits import Limits
from ageingwell.config.score import ReaderSettings, TableSettings
from ageingwell.errors import LimitError, SourceError
from ageingwell.pseudonyms.reading import raw_chunks
from ageingwell.reading.chunks import Chunk, FileRead, file_chunks
from ageingwell.reading.forms import SUFFIXES, form_of, is_readable
from ageingwell.reading.heads import head, heads
from ageingwell.reading.options import AS_IT_IS, ReaderOptions, reader_options

NAME = "fire_visits"
ROWS = good_rows(NAME, 4)
TEXT = csv_text(ROWS)


def zipped(**files: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return packed.getvalue()


def workbook(*sheets: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for number, rows in enumerate(sheets, 1):
        sheet = book.create_sheet(f"Sheet {number}")
        for row in rows:
            sheet.append(row)
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def cells(rows: Rows, title: int = 0) -> list[list[Any]]:
    return [["Extract of the night"]] * title + [[*rows[0]], *([*row.values()] for row in rows)]


def records(rows: Rows) -> str:
    return json.dumps(rows)


def parts(rows: Rows) -> bytes:
    return zipped(**{"b.csv": csv_text(rows[2:]), "a.csv": csv_text(rows[:2])})


FORMS: dict[str, Callable[[Rows], bytes]] = {
    "csv": lambda rows: csv_text(rows).encode(),
    "txt": lambda rows: csv_text(rows, separator="|").encode(),
    "tsv": lambda rows: csv_text(rows, separator="\t").encode(),
    "dat": lambda rows: csv_text(rows, separator=";").replace("\n", "\r\n").encode("utf-8-sig"),
    "csv.gz": lambda rows: gzip.compress(csv_text(rows).encode()),
    "zip": lambda rows: zipped(**{"anything.csv": csv_text(rows)}),
    "xlsx": lambda rows: workbook(cells(rows)),
    "json": lambda rows: records(rows).encode(),
    "ndjson": lambda rows: "\n".join(json.dumps(row) for row in rows).encode(),
    "jsonl.gz": lambda rows: gzip.compress("\n".join(json.dumps(row) for row in rows).encode()),
}


def chunks(path: Path, options: ReaderOptions = AS_IT_IS, *, n: int = 100, flat: bool = False) -> list[Chunk]:
    return list(file_chunks(path, [], options=options, rows_at_once=n, flat=flat))


def fault(path: Path, options: ReaderOptions = AS_IT_IS) -> str:
    with pytest.raises(SourceError) as stopped:
        chunks(path, options)
    assert stopped.value.remedy
    assert stopped.value.__context__ is None
    return stopped.value.found


def put(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


# --- Every form ---


@pytest.mark.parametrize("form", FORMS)
def test_a_table_is_the_same_in_every_form_for_check_and_for_pseudonymise(form: str, tmp_path: Path) -> None:
    (tmp_path / "as_csv").mkdir()
    put(tmp_path / "as_csv" / f"{NAME}.csv", TEXT)
    path = put(tmp_path / f"{NAME}.{form}", FORMS[form](ROWS))

    checked = read(NAME, tmp_path)
    texts = pl.concat(chunk.rows for chunk in raw_chunks(path, rows_at_once=3))

    assert checked.rows.collect().equals(read(NAME, tmp_path / "as_csv").rows.collect())
    assert (checked.n_read, checked.n_good) == (4, 4)
    assert texts.fill_null("").rows(named=True) == [{name: cell or "" for name, cell in row.items()} for row in ROWS]


def test_the_parts_in_a_zip_file_are_read_in_the_order_of_their_names_each_with_its_own_row_numbers(
    tmp_path: Path,
) -> None:
    put(tmp_path / f"{NAME}.zip", parts([*ROWS[:3], ROWS[3] | {"visit_outcome": "x"}]))

    checked = read(NAME, tmp_path)

    assert checked.refused.select("file", "row_number").rows() == [(f"{NAME}.zip/b.csv", 2)]
    assert [(file.file, file.n_rows) for file in checked.files] == [(f"{NAME}.zip", 4)]


def test_the_table_in_a_zip_file_can_be_named(tmp_path: Path) -> None:
    path = put(tmp_path / "epc.zip", zipped(**{"x/certificates.csv": "A\n1\n", "LICENCE.txt": "Open\n"}))

    [chunk] = chunks(path, ReaderOptions(member="certificates.csv"))

    assert (chunk.file, chunk.rows.rows()) == ("epc.zip/x/certificates.csv", [("1",)])


@pytest.mark.parametrize("name", ["homes.CSV", "homes.Csv.GZ", "homes.xlsm", "homes.ods", "homes.xls", "homes.zip"])
def test_the_ending_tells_the_form_in_any_case(name: str) -> None:
    assert is_readable(name)
    assert form_of(Path(name)) == form_of(name.lower())


@pytest.mark.parametrize("name", ["homes", "homes.docx", "homes.gz", "homes.7z", ".csv", "homes.csv.bak"])
def test_other_files_are_not_taken_for_tables(name: str) -> None:
    assert not is_readable(name)


def test_two_forms_of_one_table_stop_and_are_not_added_up(tmp_path: Path) -> None:
    put(tmp_path / f"{NAME}.csv", TEXT)
    put(tmp_path / f"{NAME}.csv.gz", gzip.compress(TEXT.encode(), mtime=0))

    with pytest.raises(SourceError, match=r"more than one candidate .* fire_visits\.csv, fire_visits\.csv\.gz"):
        read(NAME, tmp_path)
    assert ".csv.gz" in SUFFIXES


# --- What the settings declare ---


def test_what_the_settings_declare_of_a_file_is_what_the_reader_heeds(tmp_path: Path) -> None:
    rows = [row | {"mobility": "café – unaided"} for row in ROWS]
    put(tmp_path / f"{NAME}.csv", b"Extract\r\nof \xe9\r\n" + csv_text(rows).encode("cp1252"))
    reader = {"encoding": "windows-1252", "skip_lines": 2}

    checked = read(NAME, tmp_path, reader=reader)

    assert checked.n_read == 4
    assert reader_options(TableSettings(required=False, reader=ReaderSettings(**reader)).reader) == ReaderOptions(
        encoding=("windows-1252",), skip_lines=2
    )


@pytest.mark.parametrize(
    ("content", "declared", "told"),
    [
        ("é".encode("cp1252"), (), "a.csv, line 2: not UTF-8 text (perhaps Windows-1252 or UTF-16)"),
        ("é".encode("cp1252"), ("windows-1252",), None),
        ("é".encode(), ("windows-1252",), None),
        ("é".encode("cp1252"), ("utf-16", "windows-1252"), None),
        (b"\x81", ("windows-1252",), "a.csv: not text in utf-8 or cp1252"),
    ],
)
def test_an_encoding_is_declared_and_never_guessed(
    content: bytes, declared: tuple[str, ...], told: str | None, tmp_path: Path
) -> None:
    path = put(tmp_path / "a.csv", b"name\n" + content + b"\n")
    options = ReaderOptions(encoding=declared)

    if told is None:
        assert chunks(path, options)[0].rows.rows() == [("é",)]
    else:
        assert fault(path, options) == told


def test_an_undeclared_encoding_says_what_to_declare(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv", "name\né\n".encode("cp1252"))

    with pytest.raises(SourceError) as stopped:
        chunks(path)

    assert 'encoding = "windows-1252"' in str(stopped.value.remedy)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("is_marked", [True, False])
def test_utf_16_is_read_by_its_mark_or_as_declared(encoding: str, is_marked: bool, tmp_path: Path) -> None:
    path = put(tmp_path / "a.tsv", ("\ufeff" * is_marked + "a\tb\r\né\t😀\r\n").encode(encoding))

    [chunk] = chunks(path, AS_IT_IS if is_marked else ReaderOptions(encoding=("utf-16",)))

    assert (chunk.sent, chunk.rows.rows()) == (("a", "b"), [("é", "😀")])


def test_a_utf_16_file_cut_within_a_letter_names_its_line(tmp_path: Path) -> None:
    path = put(tmp_path / "a.tsv", "a\tb\né\tx\n".encode("utf-16")[:-1])

    assert fault(path) == "a.tsv, line 2: not text in utf-16-le"


@pytest.mark.parametrize(
    ("text", "names", "sent", "rows"),
    [
        ("999,\n998,\n", ("nhs_number",), ("nhs_number", "column_2"), [("999", ""), ("998", "")]),
        ("999\n998\n", ("nhs_number",), ("nhs_number",), [("999",), ("998",)]),
        ("999;x\n", (), ("column_1", "column_2"), [("999", "x")]),
    ],
)
def test_a_file_without_header_has_the_names_that_are_declared(
    text: str, names: tuple[str, ...], sent: tuple[str, ...], rows: list[tuple[str, ...]], tmp_path: Path
) -> None:
    [chunk] = chunks(put(tmp_path / "a.dat", text), ReaderOptions(has_header=False, names=names))

    assert (chunk.sent, chunk.rows.rows(), chunk.first_row) == (sent, rows, 1)


def test_more_columns_than_names_stop_the_source(tmp_path: Path) -> None:
    path = put(tmp_path / "a.dat", "999,x\n")

    assert fault(path, ReaderOptions(has_header=False, names=("nhs_number",))) == (
        "a.dat: the first row has 2 fields, and 1 names were given"
    )


def test_a_heading_may_hold_a_line_break_and_columns_behind_the_last_name_are_counted(tmp_path: Path) -> None:
    [chunk] = chunks(put(tmp_path / "a.csv", '"Day of\nvisit",b,,\n1,2,,\n'))

    assert (chunk.sent, chunk.rows.rows()) == (("Day of\nvisit", "b", "column_3", "column_4"), [("1", "2", "", "")])


# --- Workbooks ---


def test_the_cells_of_a_workbook_are_written_one_way(tmp_path: Path) -> None:
    row = [100070000000, 100070000000.0, 1.5, date(2026, 3, 1), datetime(2026, 3, 1, 9, 30), True, False, "#N/A", " x "]
    path = put(tmp_path / "a.xlsx", workbook([[f"c{place}" for place in range(9)], row]))

    assert chunks(path)[0].rows.row(0) == (
        *("100070000000", "100070000000", "1.5", "2026-03-01", "2026-03-01 09:30:00", "yes", "no", "#N/A", " x "),
    )


def test_empty_rows_at_the_end_of_a_sheet_say_nothing_and_one_between_is_a_lost_row(tmp_path: Path) -> None:
    path = put(tmp_path / "a.xlsx", workbook([["a", "b"], ["1", None], [], ["2", "x"], [], [None, ""]]))

    found = chunks(path, n=2)

    assert [row for chunk in found for row in chunk.rows.rows()] == [("1", ""), ("", ""), ("2", "x")]
    assert [number for chunk in found for number in chunk.ragged] == [2]


def test_sheet_and_title_rows_of_a_workbook_are_declared(tmp_path: Path) -> None:
    path = put(tmp_path / "a.xlsx", workbook([], cells(ROWS[:1]), cells(ROWS, title=2)))

    assert chunks(path)[0].rows.height == 1
    assert chunks(path, ReaderOptions(sheet="Sheet 3", skip_lines=2))[0].rows.height == 4
    assert fault(path, ReaderOptions(sheet="Sheet 9")) == "a.xlsx: has no sheet `Sheet 9`"


def test_a_column_of_a_sheet_without_heading_and_without_value_is_none(tmp_path: Path) -> None:
    path = put(tmp_path / "a.xlsx", workbook([[None, "a", "b", None, None], [None, 1, 2, None, "note"]]))

    assert chunks(path)[0].sent == ("a", "b", "column_5")


@pytest.mark.parametrize("form", ["xlsx", "ods"])
def test_a_stray_cell_far_below_the_table_is_told_and_does_not_fill_the_memory(form: str, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0]["A1"], book.worksheets[0]["XFD300000"] = "a", "stray"
    packed = io.BytesIO()
    book.save(packed)
    row = '<table:table-row table:number-rows-repeated="{}"><table:table-cell table:number-columns-repeated="16000"{}'
    empty, stray = row.format(1_000_000, "/>"), row.format(1, ' office:value-type="string"><text:p>x</text:p>')
    sheet = f'<table:table table:name="S">{empty}</table:table-row>{stray}</table:table-cell></table:table-row>'
    content = packed.getvalue() if form == "xlsx" else zipped(**{"content.xml": sheet})

    assert "cells, most of them empty" in fault(put(tmp_path / f"a.{form}", content))


def test_an_opendocument_sheet_may_claim_empty_rows_to_its_end(tmp_path: Path) -> None:
    empty = '<table:table-cell table:number-columns-repeated="16384"/>'
    rest = f'<table:table-row table:number-rows-repeated="1048574">{empty}'
    cell = '<table:table-cell office:value-type="{}"><text:p>{}</text:p></table:table-cell>'
    rows = "".join(f"<table:table-row>{cell.format('string', text)}</table:table-row>" for text in ("uprn", "é"))
    names = "".join(
        f' xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{short}:1.0"' for short in ("office", "table", "text")
    )
    content = (
        f"<office:document-content{names}><office:body><office:spreadsheet>"
        f'<table:table table:name="Homes">{rows}{rest}</table:table-row></table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    manifest = '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    files = {"mimetype": kind, "META-INF/manifest.xml": manifest, "content.xml": content}

    [chunk] = chunks(put(tmp_path / "a.ods", zipped(**files)))

    assert (chunk.sent, chunk.rows.rows()) == (("uprn",), [("é",)])


# --- JSON ---


BUNDLE = {
    "resourceType": "Bundle",
    "link": [{"relation": "self"}],
    "entry": [{"resource": {"resourceType": "Patient", "id": "1"}}, {"request": {"method": "DELETE"}}],
}


@pytest.mark.parametrize(
    ("name", "text", "rows"),
    [
        ("a.json", '[{"a": 1.50}, {"b": 2}]', [('{"a": 1.50}', None), ('{"b": 2}', None)]),
        ("a.json", '{"n": 1, "tags": ["x"], "rows": [{"a": 1}]}', [('{"a": 1}', None)]),
        ("a.ndjson", '{"a": 1}\n\n{"a": 2}\n', [('{"a": 1}', None), ('{"a": 2}', None)]),
        ("a.json", '{"resourceType": "Patient", "name": [{"x": 1}]}', [(..., "Patient")]),
        ("a.json", json.dumps(BUNDLE), [('{"resourceType": "Patient", "id": "1"}', "Patient"), (None, None)]),
        ("a.json", "[]", []),
    ],
    ids=["array", "object with one array", "lines", "one resource", "bundle", "empty array"],
)
def test_each_object_of_json_is_a_row(name: str, text: str, rows: list[Any], tmp_path: Path) -> None:
    found = chunks(put(tmp_path / name, text), n=1)

    told = [row for chunk in found for row in chunk.rows.rows()]
    assert [row[1] for row in told] == [row[1] for row in rows]
    assert [row[0] for row in told] == [text if row[0] is ... else row[0] for row in rows]
    assert [number for chunk in found for number in chunk.ragged] == [n for n, row in enumerate(rows, 1) if not row[0]]


def test_json_of_any_length_is_read_piece_by_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ageingwell.reading.documents._BLOCK", 7)
    rows = [{"a": "é" * n, "n": n, "deep": {"list": [n, {}]}} for n in range(40)]

    found = chunks(put(tmp_path / "a.json", json.dumps({"rows": rows, "n": 12345})), n=9)

    assert [json.loads(row[0]) for chunk in found for row in chunk.rows.rows()] == rows


# --- Faults ---


def spoilt_zip(flag: bool = False, **files: str) -> bytes:
    packed = zipped(**files)
    if not flag:
        return packed
    at, central = packed.index(b"PK\x03\x04"), packed.index(b"PK\x01\x02")
    changed = bytearray(packed)
    changed[at + 6] |= 1
    changed[central + 8] |= 1
    return bytes(changed)


FAULTS: dict[str, tuple[str, str | bytes, str]] = {
    "password": ("a.zip", spoilt_zip(True, **{"a.csv": "a\n1\n"}), "a.zip: has a password"),
    "zip in zip": ("a.zip", zipped(**{"b.zip": "x"}), "a.zip/b.zip: packed within a packed file"),
    "gz in zip": ("a.zip", zipped(**{"b.csv.gz": "x"}), "a.zip/b.csv.gz: packed within a packed file"),
    "leads up": ("a.zip", zipped(**{"../a.csv": "a\n1\n"}), "a.zip: the name of a file in it leads out of its folder"),
    "absolute": ("a.zip", zipped(**{"/etc/a.csv": "a\n"}), "a.zip: the name of a file in it leads out of its folder"),
    "strange": ("a.zip", zipped(**{"a.exe": "x"}), "a.zip/a.exe: no file that can be read"),
    "empty zip": ("a.zip", zipped(), "a.zip: holds no file"),
    "cut zip": ("a.zip", zipped(**{"a.csv": "a\n1\n"})[:-9], "a.zip: not a whole zip file"),
    "bytes changed": (
        "a.zip",
        zipped(**{"a.csv": "abcdefgh\n1\n"}).replace(b"PK\x01\x02", b"PK\x01\x02", 1)[:40]
        + b"\xff\xff"
        + zipped(**{"a.csv": "abcdefgh\n1\n"})[42:],
        "a.zip/a.csv: cannot be read to its end (damaged or cut off)",
    ),
    "cut gz": (
        "a.csv.gz",
        gzip.compress(TEXT.encode(), mtime=0)[:-12],
        "a.csv.gz: cannot be read to its end (damaged or cut off)",
    ),
    "no gz": ("a.csv.gz", TEXT, "a.csv.gz: cannot be read to its end (damaged or cut off)"),
    "cut workbook": ("a.xlsx", workbook([["a"], [1]])[:-50], "a.xlsx: not a whole workbook"),
    "no workbook": ("a.xlsx", TEXT, "a.xlsx: not a whole workbook"),
    "empty sheet": ("a.xlsx", workbook([]), "a.xlsx: the sheet is empty"),
    "doubled": ("a.xlsx", workbook([["a", "a "], [1, 2]]), "a.xlsx: two columns have the same name"),
    "cut json": ("a.json", '[{"a": 1}, {"a":', "a.json, after object 1: not whole, or not JSON"),
    "text behind json": ("a.json", '[{"a": 1}] {}', "a.json, after object 1: not whole, or not JSON"),
    "not a number": ("a.json", '[{"a": NaN}]', "a.json, after object 0: not whole, or not JSON"),
    "no objects": ("a.json", "[1, 2]", "a.json, row 1: not an object"),
    "two lists": ("a.json", '{"a": [{}], "b": [{}]}', "a.json: holds several lists of objects"),
    "empty json": ("a.json", " \n", "a.json: the file is empty"),
    "json in another encoding": ("a.json", b'[{"a": "\xe9"}]', "a.json, after object 0: not UTF-8 text"),
    "parquet": ("a.parquet", TEXT, "a.parquet: not a whole Parquet file"),
    "other": ("a.docx", TEXT, "a.docx: no file that can be read"),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_file_that_is_not_whole_or_not_what_it_seems_is_named(kind: str, tmp_path: Path) -> None:
    name, content, told = FAULTS[kind]

    assert fault(put(tmp_path / name, content)) == told


@pytest.mark.parametrize("name", ["a.csv.gz", "a.zip"])
def test_what_unpacks_without_end_stops(name: str, tmp_path: Path) -> None:
    options = ReaderOptions(limits=Limits(unpacked_mb=0.1))
    bomb = "a\n" + "0\n" * 3_000_000
    path = put(
        tmp_path / name, gzip.compress(bomb.encode(), mtime=0) if name.endswith("gz") else zipped(**{"a.csv": bomb})
    )

    with pytest.raises(LimitError, match="unpacks to more than 100 times its size"):
        list(file_chunks(path, [], options=options))


def test_a_file_is_told_with_the_digest_of_its_bytes_on_disk(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv.gz", gzip.compress(b"a\n1\n", mtime=0))
    read_files: list[FileRead] = []

    list(file_chunks(path, read_files))

    [told] = read_files
    assert (told.file, told.n_rows) == ("a.csv.gz", 1)
    assert told.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


# --- Typed columns as text, for pseudonymise ---


def test_a_time_of_day_is_kept_and_midnight_is_a_day_and_whole_numbers_have_no_point(tmp_path: Path) -> None:
    pl.DataFrame(
        {
            "when": [datetime(2026, 3, 1, 9, 30), datetime(2026, 3, 1), None],
            "uprn": [100070000000.0, 1.5, None],
            "said": [True, False, None],
        }
    ).write_parquet(tmp_path / "a.parquet")

    [chunk] = raw_chunks(tmp_path / "a.parquet", rows_at_once=10)

    assert chunk.rows.rows() == [
        ("2026-03-01 09:30:00", "100070000000", "yes"),
        ("2026-03-01", "1.5", "no"),
        (None, None, None),
    ]


# --- Heads ---


@pytest.mark.parametrize(
    ("name", "content", "encoding", "separator"),
    [
        ("a.csv", "t\na;b\n1;2\n", "utf-8", ";"),
        ("a.txt", "a\tb\n1\t2\n".encode("utf-16"), "utf-16-le", "\t"),
        ("a.csv", "a,b\né,2\n".encode("cp1252"), "windows-1252", ","),
        ("a.csv.gz", gzip.compress(b"a|b\n1|2\n", mtime=0), "utf-8", "|"),
    ],
)
def test_a_head_tells_encoding_separator_and_first_rows(
    name: str, content: str | bytes, encoding: str, separator: str, tmp_path: Path
) -> None:
    found = head(put(tmp_path / name, content), n_lines=3)

    assert (found.encoding, found.separator) == (encoding, separator)
    assert ["a", "b"] in found.rows


def test_heads_tell_every_sheet_every_file_in_a_zip_file_keys_and_columns(tmp_path: Path) -> None:
    book = heads(put(tmp_path / "a.xlsx", workbook([["a"], [1]], [["b"]])))
    packed = heads(put(tmp_path / "a.zip", zipped(**{"b.csv": "x\n", "a.csv": "y\n"})))
    objects = head(put(tmp_path / "a.json", json.dumps(BUNDLE)))
    pl.DataFrame({"c": [timedelta(days=1)]}).write_parquet(tmp_path / "a.parquet")

    assert [(one.sheet, one.rows) for one in book] == [("Sheet 1", [["a"], ["1"]]), ("Sheet 2", [["b"]])]
    assert [one.file for one in packed] == ["a.zip/a.csv", "a.zip/b.csv"]
    assert (objects.keys, objects.resource_types) == (("resourceType", "id"), ("Patient",))
    assert head(tmp_path / "a.parquet").rows[0] == ["c"]
