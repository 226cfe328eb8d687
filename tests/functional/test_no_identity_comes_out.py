"""Nothing that names anyone in the raw extracts comes out: not in a file, not on the screen, not in an error."""

import base64
import hashlib
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from helpers.counties import NIGHT, add_rows, change, copy_of, hashes_of, listed, texts_of

from ageingwell.cli import cli
from ageingwell.publish import current
from ageingwell.synthetic.county import CountyPlan, synthesise

SEED = 4
CANARY = "Qwyxly"  # part of no word: it stands in every name and address planted
FREE_TEXT = ("forename", "surname", "address_line_1", "address_line_2", "email", "notes")


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The agencies' raw extracts, with a canary in every name, address, remark and e-mail address."""
    folder = tmp_path_factory.mktemp("raw") / "raw"
    synthesise(CountyPlan(people=80, seed=SEED, raw=True), folder)
    for path in folder.glob("*.csv"):
        rows = pl.read_csv(path, infer_schema=False)
        planted = [pl.format("{} {}", name, pl.lit(CANARY)).alias(name) for name in rows.columns if name in FREE_TEXT]
        rows = rows.with_columns(planted)
        if path.name == "gp_patients.csv":
            # Some were registered on the day they were born.
            rows = rows.with_columns(
                registered_on=pl.when(pl.int_range(pl.len()) < 5).then("birth_date").otherwise("registered_on")
            )
        rows.write_csv(path)
    return folder


@pytest.fixture(scope="module")
def planted(raw: Path) -> frozenset[str]:
    """Every spelling of every identifier: NHS numbers, UPRNs, postcodes, telephone numbers, birth dates, the canary."""
    births, dates_of_others = dates_in(raw)
    found = {CANARY, CANARY.lower(), CANARY.upper(), CANARY[::-1], *coded(CANARY)}
    for day in births - dates_of_others:
        found.update(birth_date(day))
    for path in tables_in(raw):
        rows = pl.read_csv(path, infer_schema=False)
        for column, spellings in SPELLINGS.items():
            if column in rows.columns:
                for value in rows[column].drop_nulls().unique():
                    found.update(spellings(value))
    assert len(found) > 2_000
    return frozenset(found)


def tables_in(raw: Path) -> list[Path]:
    return [path for path in raw.glob("*.csv") if path.name != "postcode_lookup.csv"]


def dates_in(raw: Path) -> tuple[set[str], set[str]]:
    """The birth dates, and all days on which something else happened to anybody but the one born on it."""
    born = dict(pl.read_csv(raw / "gp_patients.csv", infer_schema=False).select("nhs_number", "birth_date").rows())
    others = set()
    for path in tables_in(raw):
        for row in pl.read_csv(path, infer_schema=False).to_dicts():
            days = {value for name, value in row.items() if name.endswith("_on")}
            others |= days - {born.get(row.get("nhs_number"))}
    return set(born.values()), others


def nhs_number(value: str) -> Iterator[str]:
    yield from (value, f"{value[:3]} {value[3:6]} {value[6:]}", f"{value[:3]}-{value[3:6]}-{value[6:]}", value[::-1])
    yield from (f"{int(value):x}", *coded(value))


def uprn(value: str) -> Iterator[str]:
    yield from (value, value.zfill(12), *coded(value))


def postcode(value: str) -> Iterator[str]:
    yield from (value, value.replace(" ", ""), value.replace(" ", "").lower(), value.lower())


def phone(value: str) -> Iterator[str]:
    yield from (value, value.replace(" ", ""))


def birth_date(value: str) -> Iterator[str]:
    day = date.fromisoformat(value)
    if day.day != 1:  # the month is kept, as its first day
        yield from (value, f"{day:%d/%m/%Y}", f"{day:%d.%m.%Y}", f"{day:%Y%m%d}", f"{day:%d %B %Y}")


def coded(value: str) -> Iterator[str]:
    """What anybody could turn back, or look up in a table of all numbers."""
    yield base64.b64encode(value.encode()).decode().rstrip("=")[:-1]
    yield value.encode().hex()
    for name in ("md5", "sha1", "sha256"):
        yield hashlib.new(name, value.encode(), usedforsecurity=False).hexdigest()[:16]


SPELLINGS: dict[str, Callable[[str], Iterator[str]]] = {
    "nhs_number": nhs_number,
    "linked_nhs_number": nhs_number,
    "uprn": uprn,
    "postcode": postcode,
    "phone": phone,
}


def leaks(text: str, planted: frozenset[str]) -> list[str]:
    """The planted words that stand in a text, all looked for in one pass."""
    found = pl.Series([text]).str.extract_many(sorted(planted), overlapping=True).explode()
    return found.drop_nulls().unique().sort().to_list()


def run(*words: object) -> tuple[int, str]:
    """The exit code of a command, and all it wrote to the screen."""
    ran = CliRunner().invoke(cli, [str(word) for word in words])
    assert ran.exception is None or isinstance(ran.exception, SystemExit), type(ran.exception)
    return ran.exit_code, ran.output


def pseudonymise(raw: Path, out: Path) -> tuple[int, str]:
    lookup = raw / "postcode_lookup.csv"
    return run("pseudonymise", "--raw", raw, "--out", out, "--made-up-key", SEED, "--lsoa-lookup", lookup, "--json")


@pytest.fixture(scope="module")
def tables(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tables") / "tables"
    code, told = pseudonymise(raw, out)
    assert code == 0, told
    return out


def score(data: Path, out: Path, settings: Path) -> tuple[int, str]:
    return run("score", "--data", data, "--as-of", NIGHT, "--out", out, "--config", settings)


@pytest.fixture(scope="module")
def scored(tables: Path, settings: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The output folder of a whole night, and what was said of it; copy it to go on from there."""
    out = tmp_path_factory.mktemp("scored") / "out"
    code, told = score(tables, out, settings)
    assert code == 0, told
    return out, told


def test_the_search_finds_what_is_there(raw, planted):
    assert len(leaks("\n".join(texts_of(raw).values()), planted)) > 500


@pytest.mark.slow
def test_nothing_comes_out_of_pseudonymising(raw, tables, planted):
    assert leaks("\n".join(texts_of(tables).values()), planted) == []


def test_nothing_comes_out_of_a_whole_night(scored, planted):
    out, told = scored

    night = current(out)
    assert night is not None
    assert len(listed(night)) > 5
    for file, text in (texts_of(out) | {"the screen": told}).items():
        assert leaks(text, planted) == [], file


def test_nothing_comes_out_of_the_other_commands(tables, scored, settings, planted, tmp_path):
    person = listed(current(scored[0]))[0]["person_id"]
    data = ["--data", tables, "--config", settings]

    checked = run("check", *data, "--refused-to", tmp_path / "refused")
    told = run("explain", person, *data, "--as-of", NIGHT)
    machine = run("explain", person, *data, "--as-of", NIGHT, "--json")

    assert leaks("".join(said for _, said in (checked, told, machine)), planted) == []
    assert [code for code, _ in (told, machine)] == [0, 0]


# Runs that fail, with identities where none should be


def a_number_for_a_pseudonym(data: Path, number: str) -> None:
    change(data, "gp_events", lambda rows: rows.with_columns(person_id=pl.lit(number)))


def a_number_for_a_code(data: Path, number: str) -> None:
    change(data, "gp_events", lambda rows: rows.with_columns(code=pl.lit(number)))


def a_name_for_a_label(data: Path, number: str) -> None:
    change(data, "gp_patients", lambda rows: rows.with_columns(sex=pl.lit(f"{CANARY} {number}")))


def a_birth_date_for_a_month(data: Path, number: str) -> None:
    change(data, "gp_patients", lambda rows: rows.with_columns(birth_month=pl.lit(f"17/05/1940 {CANARY}")))


def an_opt_out_by_number(data: Path, number: str) -> None:
    add_rows(data, "permissions", {"person_id": number, "kind": "objection", "checked_on": str(NIGHT)})


def names_in_a_half_written_file(data: Path, number: str) -> None:
    (data / "gp_events.parquet").unlink()
    (data / "gp_events.csv").write_text(f'person_id,code_system,code,recorded_on\n"{CANARY} {number},snomed')


def names_in_another_encoding(data: Path, number: str) -> None:
    (data / "gp_events.parquet").unlink()
    (data / "gp_events.csv").write_bytes(f"person_id,code\n{CANARY}é,{number}\n".encode("cp1252"))


FAULTS = (
    a_number_for_a_pseudonym,
    a_number_for_a_code,
    a_name_for_a_label,
    a_birth_date_for_a_month,
    an_opt_out_by_number,
    names_in_a_half_written_file,
    names_in_another_encoding,
)


def without_what_was_there(out: Path, before: Path) -> None:
    """Take out the files of the night before that are as they were: they are searched above."""
    there = hashes_of(before, but=())
    for name, found in hashes_of(out, but=()).items():
        if there.get(name) == found:
            (out / name).unlink()


@pytest.mark.sweep(of=3)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_nothing_comes_out_of_a_run_that_fails(tables, scored, settings, planted, fault, tmp_path):
    number = next(word for word in sorted(planted) if word.isdigit() and len(word) == 10 and word.startswith("999"))
    data = copy_of(tables, tmp_path / "data")
    copy_of(scored[0], tmp_path / "out")
    fault(data, number)

    code, told = score(data, tmp_path / "out", settings)
    checked = run("check", "--data", data, "--config", settings, "--refused-to", tmp_path / "refused")

    assert code in (4, 5)
    shutil.rmtree(data)
    without_what_was_there(tmp_path / "out", scored[0])
    everything = "\n".join([told, checked[1], *texts_of(tmp_path).values()])
    assert leaks(everything, planted | {"17/05/1940"}) == []


@pytest.mark.parametrize("column", ["nhs_number", "birth_date", "uprn"])
def test_nothing_comes_out_of_a_pseudonymising_that_fails(raw, planted, column, tmp_path):
    spoilt = copy_of(raw, tmp_path / "raw")
    path = spoilt / "gp_patients.csv"
    rows = pl.read_csv(path, infer_schema=False)
    rows.with_columns(pl.format("{}x", column).alias(column)).write_csv(path)

    code, told = pseudonymise(spoilt, tmp_path / "out")

    shutil.rmtree(spoilt)
    everything = "\n".join([told, *texts_of(tmp_path).values()])
    assert leaks(everything, planted) == []
    assert code == 5
