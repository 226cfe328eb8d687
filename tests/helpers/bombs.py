"""Small files that stand for more than a machine holds, and files that no parser follows; each with who reads it.

`python -m helpers.bombs build FOLDER` makes them all. With `read` each is read as a night or an agency would, and a
line tells its name, the error and its exit code, and the most memory that this process and its readers held.
"""

import gzip
import io
import json
import os
import resource
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ageingwell.agency.lists import read_list
from ageingwell.config.files import read_codelists
from ageingwell.config.load import load_config
from ageingwell.config.withdrawing import read_withdrawal_settings
from ageingwell.decisions.reading import read_filled
from ageingwell.errors import AgeingWellError
from ageingwell.pseudonyms.fingerprints import told_by
from ageingwell.reading.chunks import file_chunks
from ageingwell.reading.heads import heads
from ageingwell.report.choices import headings
from ageingwell.services.directory import read_directory
from ageingwell.sources.databases import database_frames
from ageingwell.sources.dmd_to_bnf import read_dmd_to_bnf
from ageingwell.sources.read import is_made_up
from ageingwell.synthetic.mark import read_mark

MB = 1_000_000
_XML = '<?xml version="1.0" encoding="UTF-8"?>'
_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPES = (
    f'{_XML}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
    'ContentType="application/xml"/><Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override '
    'PartName="/xl/worksheets/sheet1.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>'
)
_RELS = (
    f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" Type="{_OFFICE}/officeDocument" '
    'Target="xl/workbook.xml"/></Relationships>'
)
_BOOK = (
    f'{_XML}<workbook {_MAIN} xmlns:r="{_OFFICE}"><sheets><sheet name="List" sheetId="1" r:id="rId1"/></sheets>'
    "</workbook>"
)
_BOOK_RELS = (
    f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" Type="{_OFFICE}/worksheet" '
    f'Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="{_OFFICE}/sharedStrings" '
    'Target="sharedStrings.xml"/></Relationships>'
)
_ODS = (
    f'{_XML}<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.3"><office:body>'
    '<office:spreadsheet><table:table table:name="List">%s</table:table></office:spreadsheet></office:body>'
    "</office:document-content>"
)


@dataclass(frozen=True)
class Bomb:
    """A file, and how it is read."""

    name: str
    read: Callable[[], object]


# What a file holds, or how it is made: only when the file is not there yet.
Content = str | bytes | Callable[[], str | bytes]


def put(path: Path, content: Content) -> Path:
    """A file, unless it is there."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        made = content() if callable(content) else content
        path.write_bytes(made.encode() if isinstance(made, str) else made)
    return path


def xlsx(path: Path, sheet: Callable[[], str], *, shared: Callable[[], str] | None = None) -> Path:
    """A workbook of one sheet, given as XML within `<worksheet>`."""

    def made() -> bytes:
        book = io.BytesIO()
        with zipfile.ZipFile(book, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.writestr("[Content_Types].xml", _TYPES)
            archive.writestr("_rels/.rels", _RELS)
            archive.writestr("xl/workbook.xml", _BOOK)
            archive.writestr("xl/_rels/workbook.xml.rels", _BOOK_RELS)
            archive.writestr("xl/worksheets/sheet1.xml", f"{_XML}<worksheet {_MAIN}>{sheet()}</worksheet>")
            if shared is not None:
                archive.writestr("xl/sharedStrings.xml", f"{_XML}<sst {_MAIN}>{shared()}</sst>")
        return book.getvalue()

    return put(path, made)


def ods(path: Path, table: str) -> Path:
    """An OpenDocument workbook of one sheet, given as XML within `<table:table>`."""

    def made() -> bytes:
        book = io.BytesIO()
        with zipfile.ZipFile(book, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
            archive.writestr("content.xml", _ODS % table)
        return book.getvalue()

    return put(path, made)


def gz(path: Path, *, head: bytes, block: bytes, times: int) -> Path:
    """A gzip file of many members: the same block again and again, packed once."""
    return put(path, lambda: gzip.compress(head, mtime=0) + gzip.compress(block, 1, mtime=0) * times)


def zipped(path: Path, **files: Callable[[], bytes]) -> Path:
    """A zip file of CSV files."""

    def made() -> bytes:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for name, content in files.items():
                archive.writestr(f"{name}.csv", content())
        return packed.getvalue()

    return put(path, made)


def parquet(path: Path, made: Callable[[], pl.DataFrame]) -> Path:
    """A Parquet file, unless it is there."""
    if not path.exists():
        made().write_parquet(path, compression="zstd")
    return path


def _wide_texts() -> pl.DataFrame:
    rows = pl.DataFrame({"a": ["x" * 100_000] * 100})
    return rows.with_columns(pl.lit("y" * 120_000).alias(f"b{n}") for n in range(30))


def _many_rows() -> pl.DataFrame:
    rows = pl.select(pl.repeat(1, 10_000_000, dtype=pl.Int64).alias("a"))
    return rows.with_columns(pl.col("a").alias(f"b{n}") for n in range(3))


def _one_text() -> pl.DataFrame:
    return pl.DataFrame({"a": ["x" * 100_000] * 2_500})


def table(path: Path) -> Callable[[], int]:
    """Read as a table of an agency, every column."""
    return lambda: sum(chunk.rows.height for chunk in file_chunks(path, [], flat=True))


def bombs(folder: Path) -> Iterator[Bomb]:
    """Every bomb, made when it is asked for."""
    cell = '<c r="{0}" t="inlineStr"><is><t>{1}</t></is></c>'
    corner = (
        f'<sheetData><row r="1">{cell.format("A1", "Row key")}</row>'
        f'<row r="1048576">{cell.format("XFD1048576", "x")}</row></sheetData>'
    )
    sparse = xlsx(folder / "sparse.xlsx", lambda: corner)
    yield Bomb("a sheet of two cells, as a table", table(sparse))
    yield Bomb("a sheet of two cells, as a list that comes back", lambda: read_filled(sparse, titles=headings()))
    yield Bomb("a sheet of two cells, as a list to look up", lambda: read_list(sparse))
    yield Bomb("a sheet of two cells, as a file to recognise", lambda: heads(sparse))
    quoted = xlsx(folder / "quoted.xlsx", lambda: corner.replace('"', "'"))
    yield Bomb("the same in other quotes", table(quoted))
    unplaced = "<sheetData>" + f"<row r='1'>{'<c><v>1</v></c>' * 16384}</row><row r='1048576'><c><v>1</v></c></row>"
    yield Bomb("cells without places", table(xlsx(folder / "unplaced.xlsx", lambda: unplaced + "</sheetData>")))
    row = "<row>" + "<c><v>1</v></c>" * 1000 + "</row>"
    many = xlsx(folder / "many.xlsx", lambda: f"<sheetData>{row * 9_000}</sheetData>")
    yield Bomb("9 million cells", table(many))
    one = '<sheetData><row r="1"><c r="A1" t="s"><v>0</v></c></row></sheetData>'
    shared = xlsx(folder / "shared.xlsx", lambda: one, shared=lambda: f"<si><t>{'x' * 95 * MB}</t></si>")
    yield Bomb("a text of 95 MB in a workbook", table(shared))
    cells = "<row>" + '<c t="s"><v>0</v></c>' * 100 + "</row>"
    refers = xlsx(
        folder / "refers.xlsx",
        lambda: f"<sheetData>{cells * 3_000}</sheetData>",
        shared=lambda: f"<si><t>{'x' * 32_000}</t></si>",
    )
    yield Bomb("300,000 cells of one long text", table(refers))
    full = "<table:table-row{}><table:table-cell{}><text:p>x</text:p></table:table-cell></table:table-row>"
    rows, columns = ' table:number-rows-repeated="1048576"', ' table:number-columns-repeated="16384"'
    repeated = ods(folder / "repeated.ods", full.format(rows, columns))
    yield Bomb("one cell that repeats, as a table", table(repeated))
    yield Bomb("one cell that repeats, as a list that comes back", lambda: read_filled(repeated, titles=headings()))
    other = ods(folder / "other.ods", full.format(rows.replace('"', "'"), columns.replace('"', "'")))
    yield Bomb("one cell that repeats, in other quotes", table(other))

    wide = put(folder / "wide.csv", lambda: ",".join(f"c{n}" for n in range(500_000)) + "\n" + "," * 499_999 + "\n")
    yield Bomb("500,000 columns", table(wide))
    yield Bomb("500,000 columns, to recognise", lambda: heads(wide))
    yield Bomb("a line without an end", table(put(folder / "line.csv", lambda: b"a,b\n" + b"x" * 40 * MB)))
    yield Bomb("a heading without an end", table(put(folder / "heading.csv", lambda: b"x" * 40 * MB)))
    yield Bomb("a cell of 40 MB", table(put(folder / "cell.csv", lambda: b'a,b\n"' + b"x" * 40 * MB + b'",1\n')))
    zeros = gz(folder / "zeros.csv.gz", head=b"a,b\n", block=(b"0" * 498 + b",\n") * 8000, times=800)
    yield Bomb("3 GB of zeros in a gz", table(zeros))
    rows = lambda: b"a,b\n" + b"0,0\n" * 15 * MB  # noqa: E731
    yield Bomb("120 MB of zeros in a zip", table(zipped(folder / "zeros.zip", a=rows, b=rows)))
    if not (folder / "device.csv").is_symlink():
        (folder / "device.csv").symlink_to("/dev/zero")
    yield Bomb("a device as a table", table(folder / "device.csv"))
    if not (folder / "pipe.csv").exists():
        os.mkfifo(folder / "pipe.csv")
    yield Bomb("a pipe as a table", table(folder / "pipe.csv"))

    deep = '{"a": ' + "[" * 5000 + "]" * 5000 + "}"
    yield Bomb("JSON 5,000 deep", table(put(folder / "deep.json", f"[{deep}]")))
    yield Bomb("JSON 300 deep", table(put(folder / "deepish.json", '[{"a": ' + "[" * 300 + "]" * 300 + "}]")))
    yield Bomb("a number of 5,000 digits", table(put(folder / "digits.ndjson", '{"a": ' + "1" * 5000 + "}\n")))
    yield Bomb("a bracket never closed", table(put(folder / "open.json", lambda: '[{"a": "' + "x" * 40 * MB)))
    keys = lambda: "\n".join(json.dumps({f"k{n}": 1}) for n in range(20_000))  # noqa: E731
    yield Bomb("20,000 keys", table(put(folder / "keys.ndjson", keys)))
    page = put(folder / "directory" / "page.json", f'{{"contents": [{deep}]}}')
    yield Bomb("a directory 5,000 deep", lambda: read_directory(page))
    digits = put(folder / "digits.json", '[{"id": ' + "1" * 5000 + ', "name": "a"}]')
    yield Bomb("a directory with 5,000 digits", lambda: read_directory(digits))
    empty = put(folder / "lists.json", lambda: "[" + "[]," * (10 * MB) + "[]]")
    yield Bomb("a directory of 10 million lists", lambda: read_directory(empty))
    package = folder / "package"
    put(package / "organization.csv", "id,name\n")
    put(package / "service.csv", lambda: "id," + "x," * 3_000_000 + "\n" + "1," * 3_000_000)
    yield Bomb("a package of 3 million columns", lambda: read_directory(package))
    for name in ("mark", "digits-mark", "long-mark"):
        content = {"mark": "[" * 20_000, "digits-mark": '{"seed": ' + "1" * 5000 + "}", "long-mark": "x" * 5 * MB}
        put(folder / name / "synthetic.json", content[name])
        yield Bomb(f"the mark of made-up data: {name}", lambda name=name: is_made_up(folder / name))  # type: ignore[misc]
    put(folder / "odd-mark" / "synthetic.json", '{"synthetic": true, "as_of": 5, "seed": [1]}')
    yield Bomb("the mark of made-up data: odd", lambda: read_mark(folder / "odd-mark"))
    put(folder / "told" / "pseudonymised.json", '{"key_fingerprint": "a", "tables": ' + "[" * 5000)
    put(folder / "told" / "homes.csv", "uprn\n")
    yield Bomb("the record of pseudonymise, 5,000 deep", lambda: told_by("homes", folder / "told" / "homes.csv"))

    settings = {
        "deep": 'purpose = "direct_care"\na = ' + "[" * 5000 + "]" * 5000,
        "digits": 'purpose = "direct_care"\nseed = ' + "1" * 5000,
        "large": "# " + "x" * 5 * MB,
        "device": 'purpose = "direct_care"\nagencies = "/dev/zero"',
        "places": 'purpose = "direct_care"\nplaces = "places.csv.gz"',
        "places-device": 'purpose = "direct_care"\nplaces = "/dev/zero"',
        "lists-device": 'purpose = "direct_care"\ncodelists = "lists"',
        "nul": 'purpose = "direct_care"\nagencies = "a\\u0000b"',
        "calendar": "purpose = 2026-02-30",
        "medicines": 'purpose = "direct_care"\ndmd_to_bnf = "/dev/zero"',
    }
    gz(folder / "places.csv.gz", head=b"lsoa21,place,deprivation_decile,is_rural\n", block=b"a,b,1,0\n" * MB, times=400)
    put(folder / "lists" / "fall.csv", lambda: "code,term\n" + '"' + "x" * 70 * MB)
    for name, content in settings.items():
        path = put(folder / f"{name}.toml", content + "\n")
        yield Bomb(f"settings: {name}", lambda path=path: load_config(path))  # type: ignore[misc]
        yield Bomb(f"settings of withdrawals: {name}", lambda path=path: read_withdrawal_settings(path))  # type: ignore[misc]
    yield Bomb("a code list of 70 MB", lambda: read_codelists(folder / "lists"))
    yield Bomb("9 million cells of medicines", lambda: read_dmd_to_bnf(many))

    yield Bomb("a long text in each of 31 columns, as is right", table(parquet(folder / "texts.parquet", _wide_texts)))
    long = lambda: pl.DataFrame({"a": ["x" * 120 * MB, "y"]})  # noqa: E731
    yield Bomb("a cell of 120 MB in Parquet", table(parquet(folder / "cell.parquet", long)))
    packed = parquet(folder / "rows.parquet", _many_rows)
    yield Bomb("40 million cells in a few kB of Parquet", table(packed))
    yield Bomb("40 million cells of Parquet, as a list to look up", lambda: read_list(packed))
    yield Bomb("2,500 rows of one long text in Parquet", table(parquet(folder / "long.parquet", _one_text)))
    broad = parquet(folder / "columns.parquet", lambda: pl.DataFrame({f"c{n}": [1] for n in range(5_000)}))
    yield Bomb("5,000 columns of Parquet", table(broad))
    end = (2**31 - 1).to_bytes(4, "little") + b"PAR1"
    footer = put(folder / "footer.parquet", lambda: broad.read_bytes()[:-8] + end)
    yield Bomb("a Parquet file whose end says 2 GB", table(footer))

    comma = put(folder / "decisions.csv", lambda: "Row key,Decision\n" + "a," * 18 * MB)
    yield Bomb("36 MB of commas, as a list that comes back", lambda: read_filled(comma, titles=headings()))
    yield Bomb("36 MB of commas, as a list to look up", lambda: read_list(comma))
    database = f"sqlite://{folder}/empty.sqlite"
    put(folder / "empty.sqlite", b"")
    query = "SELECT zeroblob(900000000) AS a"
    yield Bomb("a cell of 900 MB from a database", lambda: [*database_frames("homes", database, query, rows_at_once=9)])


def main(folder: Path, *, only_build: bool) -> None:
    """Read every bomb, and print a line of JSON each."""
    for bomb in bombs(folder):
        if only_build:
            continue
        _forget_peak()
        started, said, code = time.perf_counter(), "read", 0
        try:
            bomb.read()
        except AgeingWellError as fault:
            said, code = str(fault), fault.exit_code
        except BaseException as fault:
            said, code = f"{type(fault).__name__}: {str(fault)[:200]}", 1
        readers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000
        told = {"name": bomb.name, "code": code, "said": said, "mb": round(_peak() / MB), "readers_mb": round(readers)}
        print(json.dumps({**told, "seconds": round(time.perf_counter() - started, 2)}), flush=True)  # noqa: T201


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


if __name__ == "__main__":
    main(Path(sys.argv[2]), only_build=sys.argv[1] == "build")
