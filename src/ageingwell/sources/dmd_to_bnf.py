"""The look-up from dm+d codes to BNF codes, from the workbook that the NHS Business Services Authority publishes.

EMIS, SystmOne, CPRD and OpenSAFELY send medicines by dm+d code alone, and the groups of a medicine are told by its BNF
code. The workbook ("BNF Snomed Mapping data", monthly, Open Government Licence) has a row a product or pack: its BNF
code, its own identifier under `SNOMED Code`, and in some releases that of its virtual product under `VMP`.
"""

import hashlib
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import polars as pl

from ageingwell.config.files import MOST_TABLE_BYTES, file_bytes
from ageingwell.contracts.codes import is_concept
from ageingwell.contracts.prefixes import has_bnf_chapter
from ageingwell.errors import ConfigError, SourceError
from ageingwell.reading.guarded import sheets
from ageingwell.reading.options import ReaderOptions
from ageingwell.reading.parts import parts_of
from ageingwell.reading.streams import Part
from ageingwell.sources.checked import Records

Rows = Sequence[Sequence[Any]]

# How the columns are headed, small and without anything but letters: releases differ in spaces and capitals.
DMD_HEADINGS: Final = ("snomedcode", "dmdcode", "dmdid")
BNF_HEADINGS: Final = ("bnfcode",)
# In some releases the product of a pack stands in the pack's row; a cell of these is used where it is an identifier.
OTHER_IDS: Final = ("vmp", "vmpcode", "vmpsnomedcode", "vpid", "amp", "ampcode", "ampsnomedcode", "apid")

_BNF: Final = r"^[0-9]{7}[0-9A-Z]{2,8}$"
_SUBSTANCE: Final = 9  # the first nine characters of a BNF code name the chemical substance
_EXACT_DIGITS: Final = 15  # a spreadsheet's number is exact up to so many digits, and a dm+d code has up to 18
_HEADING_ROWS: Final = 20
_MOST_ROWS: Final = 2_000_000  # dm+d has some 300,000 products and packs
# The workbooks and CSV files of a zip file, whatever else was packed with them.
_TABLES: Final = ReaderOptions(member="*.[xXcC][lLsS][sSvV]*")
OLD_AFTER_DAYS: Final = 400
LOOKED_UP: Final = "bnf_looked_up"

_HOW = (
    'download "BNF SNOMED mapping" from the NHS Business Services Authority again, leave it as it is, and name it as '
    "`dmd_to_bnf` in score.toml"
)


@dataclass(frozen=True)
class DmdToBnf:
    """The look-up: `codes` has a row a dm+d code (dmd_code, bnf_code), sorted.

    A code with several BNF codes of one chemical substance has that substance's nine characters (`n_by_substance`); one
    whose BNF codes are of different substances is left out (`n_ambiguous`). `n_not_read` counts rows whose code is not
    the identifier of a SNOMED CT concept. `dated_on` is the day in the file's name.
    """

    codes: pl.DataFrame
    file: str
    sha256: str
    dated_on: date | None
    n_by_substance: int
    n_ambiguous: int
    n_not_read: int

    def told(self) -> dict[str, Any]:
        """The same for the manifest: no code, only counts."""
        return {
            "file": self.file,
            "sha256": self.sha256,
            "dated_on": None if self.dated_on is None else self.dated_on.isoformat(),
            "n_codes": self.codes.height,
            "n_by_substance": self.n_by_substance,
            "n_ambiguous": self.n_ambiguous,
            "n_not_read": self.n_not_read,
        }

    def is_old(self, on: date) -> bool:
        """Whether the file is more than 400 days older than a day."""
        return self.dated_on is not None and (on - self.dated_on).days > OLD_AFTER_DAYS

    def notes(self, on: date) -> list[str]:
        """What a reader should know of it, in sentences without full stops."""
        day = f"of {self.dated_on}" if self.dated_on else "its name does not give a date"
        return [
            f"medicines: {self.codes.height:,} dm+d codes have a BNF code in {self.file} ({day}); {self.n_ambiguous:,} "
            f"codes of several substances and {self.n_not_read:,} rows without a dm+d code are left out",
            *self.doubts(on),
        ]

    def doubts(self, on: date) -> list[str]:
        """What a reader of a night has to know: a look-up that is old knows no new medicine."""
        if not self.is_old(on):
            return []
        return [
            f"medicines: {self.file} is of {self.dated_on}, more than {OLD_AFTER_DAYS} days old; the groups of "
            "newer medicines are unknown, so download the newest"
        ]


def read_dmd_to_bnf(path: Path) -> DmdToBnf:
    """Read the workbook, a zip file with it, or a CSV with the columns `dmd_code` and `bnf_code`.

    Raises `ConfigError` where it is none of these, is damaged, or lacks the columns.
    """
    content = file_bytes(path, most=MOST_TABLE_BYTES)
    pairs = _pairs(_rows(path, content), path.name)
    valid = pairs.filter(is_concept(pl.col("dmd_code")) & pl.col("bnf_code").str.contains(_BNF))
    if valid.is_empty():
        raise ConfigError(
            f"{path.name}: none of its {pairs.height:,} rows has a dm+d code and a BNF code; numbers of more than "
            f"{_EXACT_DIGITS} digits are spoilt when a spreadsheet saves them",
            _HOW,
        )
    codes, n_by_substance, n_ambiguous = _one_each(valid)
    return DmdToBnf(
        codes=codes,
        file=path.name,
        sha256=hashlib.sha256(content).hexdigest(),
        dated_on=day_in_name(path.name),
        n_by_substance=n_by_substance,
        n_ambiguous=n_ambiguous,
        n_not_read=pairs.height - valid.height,
    )


def day_in_name(name: str) -> date | None:
    """The day written in a file's name; missing where there is none.

    >>> [day_in_name(name) for name in ("BNF Snomed Mapping data 20261120.xlsx", "map_2026-11-20.csv", "map.csv")]
    [datetime.date(2026, 11, 20), datetime.date(2026, 11, 20), None]
    """
    for year, month, day in re.findall(r"(?<!\d)(20\d\d)[-_ ]?(\d\d)[-_ ]?(\d\d)(?!\d)", name):
        try:
            return date(int(year), int(month), int(day))
        except ValueError:
            continue
    return None


def with_bnf_codes(records: Records, look_up: DmdToBnf | None) -> Records:
    """The records, with the missing BNF codes of prescriptions filled in by dm+d code.

    `bnf_looked_up` says of which rows; a BNF code that was sent stays, unless it is of no chapter. Once a row could be
    filled, a column of BNF codes that nobody sent no longer makes every group unknown: what is left is told row by row.
    """
    if look_up is None or "gp_prescriptions" not in records.tables:
        return records
    table = records.tables["gp_prescriptions"]
    filled = replace(table, rows=filled_in(table.rows, look_up))
    gone = {"bnf_code"} & {*table.absent_columns, *table.empty_columns}
    if gone and filled.rows.select(pl.col(LOOKED_UP).any()).collect().item():
        filled = replace(filled, absent_columns=_without_bnf(table.absent_columns),
                         empty_columns=_without_bnf(table.empty_columns))  # fmt: skip
    return replace(records, tables={**records.tables, "gp_prescriptions": filled})


def filled_in(prescriptions: pl.LazyFrame, look_up: DmdToBnf) -> pl.LazyFrame:
    """Prescriptions with `bnf_code` filled in where none of a BNF chapter was sent, and `bnf_looked_up`.

    >>> codes = pl.DataFrame({"dmd_code": ["318507003"], "bnf_code": ["0204000N0AAAFAF"]})
    >>> look_up = DmdToBnf(codes, "map.csv", "", None, n_by_substance=0, n_ambiguous=0, n_not_read=0)
    >>> rows = pl.LazyFrame({"dmd_code": ["318507003", "22298006"], "bnf_code": [None, None]},
    ...                     schema={"dmd_code": pl.String, "bnf_code": pl.String})
    >>> filled_in(rows, look_up).collect().rows()
    [('318507003', '0204000N0AAAFAF', True), ('22298006', None, False)]
    """
    found = look_up.codes.lazy().select("dmd_code", _found="bnf_code")
    is_filled = ~has_bnf_chapter() & pl.col("_found").is_not_null()
    joined = prescriptions.join(found, on="dmd_code", how="left", maintain_order="left")
    return joined.with_columns(
        pl.when(is_filled).then("_found").otherwise("bnf_code").alias("bnf_code"), is_filled.alias(LOOKED_UP)
    ).drop("_found")


def _without_bnf(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if name != "bnf_code")


def _one_each(pairs: pl.DataFrame) -> tuple[pl.DataFrame, int, int]:
    """One BNF code for each dm+d code; how many have only their substance, and how many are left out."""
    substance = pl.col("bnf_code").str.slice(0, _SUBSTANCE)
    by_code = pairs.group_by("dmd_code").agg(
        n=pl.col("bnf_code").n_unique(),
        n_substances=substance.n_unique(),
        bnf_code=pl.when(pl.col("bnf_code").n_unique() == 1).then(pl.col("bnf_code").min()).otherwise(substance.min()),
    )
    told = by_code.filter(pl.col("n_substances") == 1)
    codes = told.select("dmd_code", "bnf_code").sort("dmd_code")
    return codes, told.filter(pl.col("n") > 1).height, by_code.height - told.height


def _pairs(rows: Rows, name: str) -> pl.DataFrame:
    """Every dm+d code with the BNF code of its row, as texts; rows without a BNF code are left out."""
    at, headings = _heading(rows, name)
    own = next(place for heading in DMD_HEADINGS for place, found in enumerate(headings) if found == heading)
    bnf = next(place for place, found in enumerate(headings) if found in BNF_HEADINGS)
    others = [place for place, found in enumerate(headings) if found in OTHER_IDS]
    dmd_codes, bnf_codes = [], []
    for row in rows[at + 1 :]:
        cells = [_text(row[place]) if place < len(row) else "" for place in (bnf, own, *others)]
        ids = [cells[1], *(cell for cell in cells[2:] if cell.isdigit())]
        wanted = [code for code in ids if code] if cells[0] else []
        dmd_codes += wanted
        bnf_codes += [cells[0].upper()] * len(wanted)
    return pl.DataFrame({"dmd_code": dmd_codes, "bnf_code": bnf_codes}, schema_overrides={
        "dmd_code": pl.String, "bnf_code": pl.String})  # fmt: skip


def _heading(rows: Rows, name: str) -> tuple[int, list[str]]:
    """The row of the headings, which titles may stand above, and the headings folded."""
    for at, row in enumerate(rows[:_HEADING_ROWS]):
        headings = [re.sub(r"[^a-z]", "", str(cell).casefold()) for cell in row]
        if set(headings) & set(DMD_HEADINGS) and set(headings) & set(BNF_HEADINGS):
            return at, headings
    raise ConfigError(f"{name}: no sheet has the columns `SNOMED Code` and `BNF Code`", _HOW)


def _text(cell: Any) -> str:
    """A cell as text; a number too long to be exact is no identifier any more."""
    if isinstance(cell, float):
        is_exact = cell.is_integer() and abs(cell) < 10**_EXACT_DIGITS
        return str(int(cell)) if is_exact else "not exact"
    return str(cell).strip().removesuffix(".0")


def _rows(path: Path, content: bytes) -> Rows:
    """The rows of the sheet that has the columns, or of a CSV."""
    suffix = path.suffix.casefold()
    if suffix == ".csv":
        return _csv_rows(content, path.name)
    if suffix not in (".zip", ".xlsx", ".xlsm", ".ods"):
        raise ConfigError(f"{path.name}: not a workbook (.xlsx), a zip file or a CSV", _HOW)
    try:
        inside = parts_of(path, _TABLES)
        if len(inside) != 1:
            raise ConfigError(f"{path.name}: holds {len(inside)} workbooks, and one is needed", _HOW)
        if inside[0].form == "workbook":
            return _sheet_rows(path, inside[0])
        with inside[0].open() as stream:
            return _csv_rows(stream.read(MOST_TABLE_BYTES), inside[0].name)
    except SourceError as fault:
        raise ConfigError(fault.found, _HOW) from None


def _csv_rows(content: bytes, name: str) -> Rows:
    table = None
    # Polars would unpack what is packed itself, without end.
    if content[:2] != b"\x1f\x8b" and content[:4] != b"\x28\xb5\x2f\xfd":
        # A dm+d code read as a number would lose its last digits.
        with suppress(pl.exceptions.PolarsError, pl.exceptions.PanicException, UnicodeDecodeError):
            table = pl.read_csv(content, infer_schema=False, has_header=False, truncate_ragged_lines=True)
    if table is None:
        raise ConfigError(f"{name}: cannot be read as CSV in UTF-8", _HOW)
    return table.fill_null("").rows()


def _sheet_rows(path: Path, part: Part) -> Rows:
    for _, rows in sheets(path, part, options=_TABLES, most_rows=_MOST_ROWS):
        try:
            _heading(rows, part.name)
        except ConfigError:
            continue
        # A number of more digits than a spreadsheet keeps, as the reader of cells writes it.
        return [["not exact" if re.fullmatch(r"[0-9]+\.0", cell) else cell for cell in row] for row in rows]
    raise ConfigError(f"{part.name}: no sheet has the columns `SNOMED Code` and `BNF Code`", _HOW)
