"""Plant 1,000 invented people in every column of an agency's files and look for them in all that comes out.

    python -m benchmarks.reliability canaries [--people 1000] [--seed 5]

Each identifier of each person, in its encodings, stands by turns in every column that is carried, right and wrong. The
files are pseudonymised, checked and scored, also with faults; then every file, message and temporary file is searched.
"""

import argparse
import contextlib
import io
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import polars as pl
from click.testing import CliRunner

from ageingwell.cli import cli
from ageingwell.contracts.registry import TABLES, columns
from ageingwell.synthetic.county import CountyPlan, synthesise
from benchmarks.reliability.figures import write_figure

# The canaries are a helper of the tests, which need the same search.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))
from helpers.canaries import IDENTIFIERS, Canaries, Hit, encodings

GOAL = "P1.canaries"
NIGHT = "2026-11-22"
# What only a program makes of an identifier; people type everything else.
_MADE = ("bytes", "gzip", "md5", "sha", "UTF-16")
_IDENTITY = {"nhs_number": "nhs_number", "uprn": "uprn", "forename": "forename", "surname": "surname", "phone": "phone",
             "email": "email", "address_line_1": "address", "birth_date": "birth_date"}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Plant, run, search; 1 where anything was found."""
    options = _options(arguments)
    people = Canaries.made(options.people, seed=options.seed)
    with tempfile.TemporaryDirectory(prefix="canaries-") as place:
        root = Path(place)
        n, hits = _run(root, people)
    for hit in hits[:40]:
        print(hit.where, hit.identifier, hit.encoding)
    command = f"python -m benchmarks.reliability canaries --people {options.people} --seed {options.seed}"
    write_figure(GOAL, n, len(hits), seed=options.seed, command=command)
    print(f"{n:,} cells with canaries, {len(people.patterns):,} patterns, {len(hits)} hits")
    return 1 if hits else 0


def _run(root: Path, people: Canaries) -> tuple[int, list[Hit]]:
    """The cells planted and the hits in all that came out."""
    raw = synthesise(CountyPlan(people=1_500, seed=21, raw=True), root / "raw").folder
    days = _days_in(raw)
    _in_right_columns(raw, people)
    n, said = _in_wrong_columns(root / "wrong", people), []
    temporary = root / "temporary"
    temporary.mkdir()
    out = root / "out"
    out.mkdir()
    look_up = ["--lsoa-lookup", raw / "postcode_lookup.csv"]
    with _temporary(temporary):
        for name, folder, more in (("right", raw, look_up), ("wrong", root / "wrong", [])):
            said.append(
                _said("pseudonymise", "--raw", folder, "--out", out / name, "--made-up-key", 21, *more,
                      "--config", _settings(root))
            )  # fmt: skip
        said.append(_said("score", "--data", out / "right", "--as-of", NIGHT, "--out", out / "nights",
                          "--allow-made-up-bundle"))  # fmt: skip
        said.append(_said("check", "--data", out / "right", "--refused-to", out / "refused"))
        for table in TABLES:
            spoilt = _spoilt(out / "right", root / f"spoilt_{table}", table, people)
            said.append(_said("score", "--data", spoilt, "--as-of", NIGHT, "--out", out / f"night_{table}"))
            said.append(_said("check", "--data", spoilt, "--refused-to", out / f"refused_{table}"))
            n += len(columns(table))
    hits = [*people.search(out, temporary), *people.search_text(*said)]
    # A day on which something else happened to somebody else is no leak of a birth date.
    return n, [
        hit for hit in hits if hit.identifier != "birth_date" or people.people[hit.person].birth_date not in days
    ]


def _settings(root: Path) -> Path:
    """The shipped settings, but that any share of rows may be refused."""
    folder = root / "settings"
    if not folder.exists():
        shutil.copytree(Path(__file__).resolve().parents[2] / "configs", folder)
        text = (folder / "score.toml").read_text(encoding="utf-8")
        told = "\n".join(
            "max_refused_share = 1.0" if line.startswith("max_refused_share") else line for line in text.splitlines()
        )
        (folder / "score.toml").write_text(told, encoding="utf-8")
    return folder / "score.toml"


def _in_right_columns(raw: Path, people: Canaries) -> None:
    """The people of the made-up extracts under the canaries' own identifiers, one and the same in every table."""
    register = pl.read_csv(raw / "gp_patients.csv", infer_schema=False)
    numbers = register["nhs_number"].drop_nulls().unique(maintain_order=True)
    homes = register["uprn"].drop_nulls().unique(maintain_order=True)
    person = {old: people.people[at % len(people.people)] for at, old in enumerate(numbers[: len(people.people)])}
    home = {old: people.people[at].uprn for at, old in enumerate(homes[: len(people.people)])}
    for path in raw.glob("*.csv"):
        if path.stem not in TABLES:
            continue
        rows = pl.read_csv(path, infer_schema=False)
        for column, identifier in _IDENTITY.items():
            if column not in rows.columns or column == "uprn" or "nhs_number" not in rows.columns:
                continue
            theirs = {old: getattr(one, identifier) for old, one in person.items()}
            told = pl.col("nhs_number").replace_strict(theirs, default=None, return_dtype=pl.String)
            if column != "nhs_number":
                rows = rows.with_columns(pl.coalesce(told, column).alias(column))
        for column, new in (("nhs_number", {old: one.nhs_number for old, one in person.items()}), ("uprn", home)):
            for name in (column, f"linked_{column}"):
                if name in rows.columns:
                    rows = rows.with_columns(pl.col(name).replace(new))
        rows.write_csv(path)


def _days_in(raw: Path) -> set[str]:
    """Every day that stands in the made-up extracts, birth dates apart."""
    days: set[str] = set()
    for path in raw.glob("*.csv"):
        rows = pl.read_csv(path, infer_schema=False)
        for column in rows.columns:
            if column.endswith("_on"):
                days.update(rows[column].drop_nulls().unique())
    return days


def _in_wrong_columns(folder: Path, people: Canaries) -> int:
    """A row for each identifier, encoding and carried column, of people by turns; gives the number of cells."""
    from helpers.raw import raw_rows
    from helpers.tables import write_csv

    folder.mkdir()
    (folder / "synthetic.json").write_text('{"synthetic": true}', encoding="utf-8")
    n = 0
    forms = _forms(people)
    for table in TABLES:
        if table == "permissions":
            continue
        rows = []
        for column in columns(table):
            if column.is_pseudonym or column.name in ("la_person_id", "case_id", "birth_month", "lsoa21"):
                continue
            for at, text in forms:
                person = people.people[at]
                known = {name: getattr(person, name) for name in IDENTIFIERS if name not in ("local_id", "note")}
                rows.append(raw_rows(table, 1)[0] | known | {column.name: text})
        write_csv(folder / f"{table}.csv", rows)
        n += len(rows)
    return n


def _forms(people: Canaries) -> list[tuple[int, str]]:
    """Every encoding of every identifier as text, each of another person."""
    found, at = [], 0
    names = {name: [form for form, _ in encodings(name, getattr(people.people[0], name))] for name in IDENTIFIERS}
    for identifier, forms in names.items():
        for place, form in enumerate(forms):
            at = (at + 1) % len(people.people)
            given = list(encodings(identifier, getattr(people.people[at], identifier)))
            if place < len(given) and not any(made in form for made in _MADE) and len(given[place][1]) >= 7:
                with contextlib.suppress(UnicodeDecodeError):
                    found.append((at, given[place][1].decode()))
    return found


def _spoilt(data: Path, folder: Path, table: str, people: Canaries) -> Path:
    """The tables with a canary in every column of one of them, in every third row."""
    shutil.copytree(data, folder)
    path = folder / f"{table}.parquet"
    if not path.exists():
        return folder
    rows = pl.read_parquet(path).with_columns(pl.all().cast(pl.String))
    for turn, column in enumerate(rows.columns):
        person = people.people[turn % len(people.people)]
        text = getattr(person, IDENTIFIERS[turn % len(IDENTIFIERS)])
        planted = pl.when(pl.int_range(pl.len()) % 3 == turn % 3).then(pl.lit(text)).otherwise(column)
        rows = rows.with_columns(planted.alias(column))
    rows.write_parquet(path)
    return folder


def _said(*words: object) -> str:
    ran = CliRunner().invoke(cli, [str(word) for word in words])
    told = io.StringIO()
    if ran.exception is not None and not isinstance(ran.exception, SystemExit):
        told.write(repr(ran.exception))
    print(" ".join(str(word) for word in words[:1]), ran.exit_code, flush=True)
    return ran.output + told.getvalue()


@contextlib.contextmanager
def _temporary(folder: Path):  # type: ignore[no-untyped-def]
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reliability canaries")
    parser.add_argument("--people", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=5)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
