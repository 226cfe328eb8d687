"""The look-up from dm+d to BNF codes: the published workbook in its forms, what is wrong with it, and what it tells."""

import io
import zipfile
from datetime import date
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from ageingwell.config.files import shipped
from ageingwell.config.load import load_config
from ageingwell.errors import ConfigError
from ageingwell.sources.dmd_to_bnf import filled_in, read_dmd_to_bnf

# Public examples: amlodipine 5 mg and 10 mg tablets (VMP, before and after its new code), zopiclone 7.5 mg (VMP, AMP).
AMLODIPINE, AMLODIPINE_NOW, ZOPICLONE, ZIMOVANE = "319283006", "39732011000001102", "321175006", "810511000001108"
OFFICIAL = (
    "Presentation / Pack Level",
    "VMP / VMPP/ AMP / AMPP",
    "BNF Code",
    "BNF Name",
    "SNOMED Code",
    "DM+D: Product Description",
    "Strength",
    "Unit Of Measure",
    "DM+D: Product and Pack Description",
    "Pack",
    "Sub-pack",
)


def official_row(bnf: str, dmd: object, level: str = "VMP") -> list[object]:
    return ["Presentation", level, bnf, "a name", dmd, "a product", 5, "mg", "", "", ""]


ROWS = [
    official_row("0206020A0AAAAAA", AMLODIPINE),
    official_row("0206020A0AAAAAA", AMLODIPINE_NOW),
    official_row("0401010Z0AAAAAA", ZOPICLONE),
    official_row("0401010Z0BBAAAA", ZIMOVANE, "AMP"),
]
EXPECTED = {
    AMLODIPINE: "0206020A0AAAAAA",
    AMLODIPINE_NOW: "0206020A0AAAAAA",
    ZOPICLONE: "0401010Z0AAAAAA",
    ZIMOVANE: "0401010Z0BBAAAA",
}


def workbook(
    rows: list[list[object]], *, headings: tuple[str, ...] = OFFICIAL, above: int = 0, before: int = 0
) -> bytes:
    """A workbook with `above` title rows and `before` other sheets in front."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        for number in range(before):
            book.add_worksheet(f"Notes {number}").write(0, 0, "Published under the Open Government Licence")
        sheet = book.add_worksheet("BNF Snomed Mapping")
        for at in range(above):
            sheet.write(at, 0, "A title")
        for at, row in enumerate([list(headings), *rows], start=above):
            sheet.write_row(at, 0, row)
    return out.getvalue()


def written(folder: Path, content: bytes, name: str = "BNF Snomed Mapping data 20261120.xlsx") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def zipped(content: bytes, *names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, content)
    return out.getvalue()


def csv(*rows: str) -> bytes:
    return "\n".join(("dmd_code,bnf_code", *rows, "")).encode()


INSIDE = "BNF Snomed Mapping data 20261120.xlsx"
FORMS = {
    "as published": (INSIDE, workbook(ROWS)),
    "titles above": (INSIDE, workbook(ROWS, above=3)),
    "another sheet in front": (INSIDE, workbook(ROWS, before=2)),
    "other spaces and capitals": (INSIDE, workbook(ROWS, headings=tuple(f" {name.upper()}  " for name in OFFICIAL))),
    "zipped": ("BNF Snomed Mapping data 20261120.zip", zipped(workbook(ROWS), INSIDE)),
    "CSV": ("map_20261120.csv", csv(*(f"{dmd},{bnf}" for dmd, bnf in EXPECTED.items()))),
    "CSV with a byte order mark": (
        "map_20261120.csv",
        b"\xef\xbb\xbf" + csv(*(f"{dmd},{bnf}" for dmd, bnf in EXPECTED.items())),
    ),
    "short codes as numbers": (INSIDE, workbook([*ROWS[1:], official_row("0206020A0AAAAAA", int(AMLODIPINE))])),
    "rows in another order": (INSIDE, workbook(ROWS[::-1])),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_in_which_the_mapping_comes_gives_the_same_look_up(form: str, tmp_path: Path) -> None:
    name, content = FORMS[form]

    found = read_dmd_to_bnf(written(tmp_path, content, name))

    assert dict(found.codes.rows()) == EXPECTED
    assert found.codes["dmd_code"].is_sorted()
    assert found.dated_on == date(2026, 11, 20)
    assert (found.n_by_substance, found.n_ambiguous, found.n_not_read) == (0, 0, 0)


def test_a_pack_brings_the_product_that_stands_in_its_row(tmp_path: Path) -> None:
    headings = (*OFFICIAL, "VMP", "AMP")
    rows = [[*official_row("0401010Z0BBAAAA", "1166611000001103", "AMPP"), ZOPICLONE, ZIMOVANE]]

    found = read_dmd_to_bnf(written(tmp_path, workbook(rows, headings=headings)))

    assert set(found.codes["dmd_code"]) == {"1166611000001103", ZOPICLONE, ZIMOVANE}


def test_a_code_of_two_bnf_codes_has_their_substance_and_of_two_substances_none(tmp_path: Path) -> None:
    rows = [
        official_row("0401010Z0AAAAAA", ZOPICLONE),
        official_row("0401010Z0BBAAAA", ZOPICLONE),
        official_row("0206020A0AAAAAA", AMLODIPINE),
        official_row("0204000H0AAAAAA", AMLODIPINE),
    ]

    found = read_dmd_to_bnf(written(tmp_path, workbook(rows)))

    assert found.codes.rows() == [(ZOPICLONE, "0401010Z0")]
    assert (found.n_by_substance, found.n_ambiguous) == (1, 1)
    assert "1 codes of several substances" in found.notes(date(2026, 11, 22))[0]


def test_a_code_that_a_spreadsheet_rounded_or_that_is_no_concept_is_left_out_and_counted(tmp_path: Path) -> None:
    rows = [
        *ROWS[2:],
        official_row("0206020A0AAAAAA", float(AMLODIPINE_NOW)),  # 17 digits as a number: the last are lost
        official_row("0206020A0AAAAAA", "37436014"),  # the id of a description
        official_row("0206020A0AAAAAA", "319283007"),  # a wrong check digit
        official_row("", AMLODIPINE),  # no BNF code: nothing to tell
    ]

    found = read_dmd_to_bnf(written(tmp_path, workbook(rows)))

    assert set(found.codes["dmd_code"]) == {ZOPICLONE, ZIMOVANE}
    assert found.n_not_read == 3


WRONG = {
    "cut off": (INSIDE, workbook(ROWS)[:2000]),
    "empty": (INSIDE, b""),
    "no such columns": (INSIDE, workbook(ROWS, headings=("a", "b", "c", "d"))),
    "BNF codes alone": (INSIDE, workbook(ROWS, headings=("a", "b", "BNF Code", "d", "e"))),
    "no code that can be one": (INSIDE, workbook([official_row("0206020A0AAAAAA", float(AMLODIPINE_NOW))])),
    "no row": (INSIDE, workbook([])),
    "two workbooks in a zip": ("m.zip", zipped(workbook(ROWS), "a.xlsx", "b.xlsx")),
    "a zip without one": ("m.zip", zipped(b"x", "a.txt")),
    "a zip cut off": ("m.zip", zipped(workbook(ROWS), "a.xlsx")[:100]),
    "a CSV of something else": ("m.csv", b"code,term\n1,a\n"),
    "an empty CSV": ("m.csv", b""),
    "a text": ("m.txt", b"dmd_code,bnf_code\n"),
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_file_that_is_not_the_mapping_stops_with_what_to_do(fault: str, tmp_path: Path) -> None:
    name, content = WRONG[fault]

    with pytest.raises(ConfigError, match="download") as told:
        read_dmd_to_bnf(written(tmp_path, content, name))

    assert name in str(told.value)
    assert AMLODIPINE_NOW not in str(told.value)


@pytest.mark.parametrize(
    ("sent", "dmd", "expected"),
    [
        (None, AMLODIPINE, ("0206020A0AAAAAA", True)),
        ("0401010Z0AAAAAA", AMLODIPINE, ("0401010Z0AAAAAA", False)),  # a BNF code that was sent stays
        ("C08CA01", AMLODIPINE, ("0206020A0AAAAAA", True)),  # a code of no BNF chapter tells nothing
        (None, ZIMOVANE, (None, False)),
        ("C08CA01", None, ("C08CA01", False)),
    ],
)
def test_a_bnf_code_is_filled_in_where_none_was_sent(
    sent: str | None, dmd: str | None, expected: tuple[str | None, bool], tmp_path: Path
) -> None:
    look_up = read_dmd_to_bnf(written(tmp_path, csv(f"{AMLODIPINE},0206020A0AAAAAA"), "map.csv"))
    rows = pl.LazyFrame({"bnf_code": [sent], "dmd_code": [dmd]}, schema={"bnf_code": pl.String, "dmd_code": pl.String})

    assert filled_in(rows, look_up).collect().select("bnf_code", "bnf_looked_up").row(0) == expected


@pytest.mark.parametrize(
    ("name", "said"),
    [("map_20251001.csv", True), ("map_20251019.csv", False), ("map_20261120.csv", False), ("map.csv", False)],
)
def test_a_look_up_of_more_than_400_days_is_told(name: str, said: bool, tmp_path: Path) -> None:
    look_up = read_dmd_to_bnf(written(tmp_path, csv(f"{AMLODIPINE},0206020A0AAAAAA"), name))

    # From 18 October 2025 to 22 November 2026 are 400 days.
    assert (look_up.doubts(date(2026, 11, 22)) != []) is said


def settings(folder: Path, line: str) -> Path:
    top = folder / "score.toml"
    shipped_ones = (shipped("configs") / "score.toml").read_text(encoding="utf-8")
    top.write_text(f"{line}\n{shipped_ones}", encoding="utf-8")
    return top


NAMED = 'dmd_to_bnf = "map.csv"'


def test_the_settings_name_the_file_and_its_content_is_in_their_digest(tmp_path: Path) -> None:
    without = load_config(settings(tmp_path, "")).digest
    top = settings(tmp_path, NAMED)
    written(tmp_path, csv(f"{AMLODIPINE},0206020A0AAAAAA"), "map.csv")
    one = load_config(top)
    written(tmp_path, csv(f"{ZOPICLONE},0401010Z0AAAAAA"), "map.csv")

    assert one.dmd_to_bnf == tmp_path / "map.csv"
    assert len({without, one.digest, load_config(top).digest}) == 3


def test_a_file_that_is_not_there_is_a_mistake_of_the_settings(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"map\.csv: there is no such file"):
        load_config(settings(tmp_path, NAMED))
