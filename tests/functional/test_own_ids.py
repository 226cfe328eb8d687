"""Tables with an agency's own ids: re-keyed apart from NHS numbers and UPRNs, told in each file, never mixed."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from helpers.raw import ABOUT_EITHER, CONTRACTS, KEY, NUMBERS, RAW, UPRNS, pseudonymised, raw_rows, run
from helpers.tables import Rows, write_csv

from ageingwell.cli import cli
from ageingwell.config.load import load_config
from ageingwell.contracts.registry import TABLES
from ageingwell.errors import RefusedRowsError, SourceError
from ageingwell.pseudonyms import pseudonym, pseudonymised_text
from ageingwell.pseudonyms.fingerprints import stop_on_mixed_ids, told_by
from ageingwell.pseudonyms.registers import matches, read_register
from ageingwell.sources.read import one_key

RAW_COLUMNS = {(table, raw): ours for table, names in CONTRACTS.items() for ours, raw in RAW.items() if ours in names}
TEXTS = ["7", "patient-77", "9f3b2c1e-0000-4000-8000-00000000000a", "Ä/1", "x" * 64, "77 B", "12E4"]


def own_rows(table: str) -> Rows:
    """Rows in which every identifier is some text."""
    rows = raw_rows(table, len(TEXTS))
    filled = [name for name in ("nhs_number", "linked_nhs_number", "uprn") if rows[0].get(name)]
    return [row | {name: f"{text}{name[0]}" for name in filled} for row, text in zip(rows, TEXTS, strict=True)]


@pytest.mark.parametrize("table", TABLES)
def test_ids_of_any_text_are_re_keyed_in_every_table(tmp_path, table):
    done, made = run(tmp_path, table, own_rows(table), own_ids=[table])

    assert (made.height, done.tables[table].n_refused, done.tables[table].left_empty) == (len(TEXTS), 0, {})
    for (of, raw), ours in RAW_COLUMNS.items():
        if of == table and own_rows(table)[0].get(raw):
            assert made[ours].n_unique() == len(TEXTS), ours
            assert made[ours].str.contains(r"^[bcdfghjklmnpqrst]{32}$").all()


@pytest.mark.parametrize(("table", "raw"), RAW_COLUMNS)
def test_an_own_id_never_meets_the_pseudonym_of_the_same_digits(tmp_path, table, raw):
    value = UPRNS[0] if raw == "uprn" else NUMBERS[0]
    about_home = table in ABOUT_EITHER and raw == "uprn"
    rows = raw_rows(table, 3)
    rows = [row | {"nhs_number": None} if about_home else row for row in rows]
    rows = [row | {raw: cell} for row, cell in zip(rows, [value, "own 1", "own 2"], strict=True)]
    rows = [
        row | ({} if raw == "nhs_number" or about_home or "nhs_number" not in row else {"nhs_number": f"p{n}"})
        for n, row in enumerate(rows)
    ]
    rows = [
        row | ({"uprn": f"u{n}"} if "uprn" in row and raw != "uprn" and table not in ABOUT_EITHER else {})
        for n, row in enumerate(rows)
    ]
    rows = [
        row | ({"linked_nhs_number": None} if "linked_nhs_number" in row and raw != "linked_nhs_number" else {})
        for row in rows
    ]

    _, made = run(tmp_path, table, rows, own_ids={table: True})

    domain = "home" if raw == "uprn" else "person"
    known = pl.DataFrame({"x": [value]}).select(pseudonym(pl.col("x"), domain=domain, key=KEY)).item()
    assert known not in {cell for row in made.iter_rows() for cell in row}


def test_one_own_id_is_one_person_in_every_table_with_or_without_blanks_round_it(tmp_path):
    (tmp_path / "raw").mkdir()
    write_csv(tmp_path / "raw" / "gp_patients.csv", [row | {"nhs_number": "p7"} for row in raw_rows("gp_patients", 1)])
    write_csv(tmp_path / "raw" / "gp_events.csv", [row | {"nhs_number": " p7 "} for row in raw_rows("gp_events", 1)])

    pseudonymised(tmp_path, own_ids=("gp_patients", "gp_events"))

    one, other = (
        pl.read_parquet(tmp_path / "out" / f"{table}.parquet")["person_id"] for table in ("gp_patients", "gp_events")
    )
    assert one.to_list() == other.to_list()


def test_pseudonyms_made_elsewhere_may_come_under_our_own_headings(tmp_path):
    rows = [{RAW_BACK.get(name, name): value for name, value in row.items()} for row in own_rows("care_events")]

    done, made = run(tmp_path, "care_events", rows, own_ids=["care_events"])

    assert made["person_id"].n_unique() == made["linked_person_id"].n_unique() == len(TEXTS)
    assert done.tables["care_events"].refused_columns == ()


RAW_BACK = {raw: ours for ours, raw in RAW.items()}


@pytest.mark.parametrize("blank", ["", " ", "NULL", "n/a"])
def test_a_blank_own_id_is_refused_as_missing_and_a_spoilt_one_as_spoilt(tmp_path, blank):
    rows = own_rows("gp_events")
    rows[0] |= {"nhs_number": blank}
    rows[1] |= {"nhs_number": "1.2E+05"}
    rows[2] |= {"nhs_number": "12.0"}

    with pytest.raises(RefusedRowsError) as stopped:
        run(tmp_path, "gp_events", rows, own_ids=["gp_events"])

    assert "nhs_number: missing (1); nhs_number: spreadsheet_number (2)" in str(stopped.value)


@pytest.mark.parametrize(("table", "raw"), RAW_COLUMNS)
def test_nhs_numbers_called_own_ids_stop(tmp_path, table, raw):
    rows = own_rows(table)
    rows = [row | {"nhs_number": None} if table in ABOUT_EITHER and raw == "uprn" else row for row in rows]
    # 4 of 7 are more than half; in whatever spelling.
    spelt = [NUMBERS[0], f"{NUMBERS[1][:3]} {NUMBERS[1][3:6]} {NUMBERS[1][6:]}", f"{NUMBERS[2]}.0", NUMBERS[3]]
    rows = [row | {raw: value} for row, value in zip(rows, [*spelt, "a", "b", "c"], strict=True)]

    with pytest.raises(SourceError, match=rf"{table}: 4 of 7 own ids in {raw} are NHS numbers"):
        run(tmp_path, table, rows, own_ids=[table], max_refused_share=1.0)

    assert not (tmp_path / "out").exists()


def test_the_share_of_nhs_numbers_is_that_of_the_whole_table_and_not_of_a_chunk(tmp_path):
    rows = own_rows("gp_events")
    rows = [row | {"nhs_number": number} for row, number in zip(rows, NUMBERS[:3], strict=False)] + rows[3:]

    done, _ = run(tmp_path, "gp_events", rows, own_ids=["gp_events"], rows_at_once=3)

    counts = done.tables["gp_events"]
    assert (counts.own_ids, counts.own_ids_like_nhs_numbers) == ({"nhs_number": 7}, {"nhs_number": 3})


def test_council_ids_lend_own_ids_too(tmp_path):
    rows = raw_rows("care_events", 3)
    same = {"la_person_id": "A1", "linked_nhs_number": None}
    rows = [row | same | {"nhs_number": number} for row, number in zip(rows, ["p1", None, "p1"], strict=True)]

    _, made = run(tmp_path, "care_events", rows, own_ids=["care_events"])

    assert made["person_id"].n_unique() == 1


def test_own_ids_of_an_unknown_table_stop(tmp_path):
    with pytest.raises(SourceError, match="the settings give own ids for gp_patient"):
        run(tmp_path, "gp_patients", raw_rows("gp_patients"), own_ids=["gp_patient"])


# What is told, and what must not mix


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """All tables by NHS number, and all by own ids, under one key."""
    place = tmp_path_factory.mktemp("both")
    for name, rows_of in (("nhs_number", raw_rows), ("own", own_rows)):
        (place / name / "raw").mkdir(parents=True)
        for table in TABLES:
            write_csv(place / name / "raw" / f"{table}.csv", rows_of(table))
        pseudonymised(place / name, own_ids=list(TABLES) if name == "own" else [])
    return {name: place / name / "out" for name in ("nhs_number", "own")}


def settings_of(**more):
    return {table: told.model_copy(update=more) for table, told in load_config(None).tables.items()}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["nhs_number", "own"])
def test_every_file_and_the_record_tell_whose_ids_they_hold(both, kind):
    record = json.loads((both[kind] / "pseudonymised.json").read_text())
    for table in TABLES:
        assert told_by(table, both[kind] / f"{table}.parquet").ids == kind
        assert record["tables"][table]["ids"] == kind
    assert one_key(both[kind], settings_of()) == KEY.fingerprint


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("way", ["moved", "as one part of several", "as CSV with its record"])
def test_any_table_of_own_ids_among_tables_of_nhs_numbers_stops_the_run(both, tmp_path, table, way):
    for path in both["nhs_number"].glob("*.parquet"):
        shutil.copy(path, tmp_path)
    theirs = both["own"] / f"{table}.parquet"
    if way == "moved":
        shutil.copy(theirs, tmp_path)
    elif way == "as one part of several":
        (tmp_path / table).mkdir()
        shutil.move(tmp_path / f"{table}.parquet", tmp_path / table / "1.parquet")
        shutil.copy(theirs, tmp_path / table / "2.parquet")
    else:
        (tmp_path / f"{table}.parquet").unlink()
        pl.read_parquet(theirs).write_csv(tmp_path / f"{table}.csv")
        shutil.copy(both["own"] / "pseudonymised.json", tmp_path)

    with pytest.raises(SourceError, match="keyed by different ids") as stopped:
        one_key(tmp_path, settings_of())

    assert f"an agency's own ids: {table}" in str(stopped.value)


PAIRS = [(one, other) for one in TABLES for other in TABLES if one != other]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_every_pair_of_tables_stops(both, one, other):
    files = {one: [both["own"] / f"{one}.parquet"], other: [both["nhs_number"] / f"{other}.parquet"]}

    with pytest.raises(SourceError, match="keyed by different ids"):
        stop_on_mixed_ids(files)


def test_settings_that_say_own_ids_of_a_table_of_nhs_numbers_stop(both):
    settings = settings_of()
    settings["homes"] = settings["homes"].model_copy(update={"ids": "own"})

    with pytest.raises(SourceError, match="own ids: homes"):
        one_key(both["nhs_number"], settings)
    assert one_key(both["own"], settings_of(ids="own")) == KEY.fingerprint


def test_tables_made_before_ids_were_told_hold_nhs_numbers(both, tmp_path):
    old = tmp_path / "homes.parquet"
    pl.read_parquet(both["nhs_number"] / "homes.parquet").write_parquet(
        old, metadata={"ageingwell.key_fingerprint": KEY.fingerprint}
    )

    with pytest.raises(SourceError, match="keyed by different ids"):
        stop_on_mixed_ids({"homes": [old], "gp_patients": [both["own"] / "gp_patients.parquet"]})


# The way back


@pytest.mark.parametrize("domain", ["person", "home"])
def test_a_list_by_own_ids_is_matched_back_by_own_ids_alone(tmp_path, domain):
    raw, made_of = ("nhs_number", "person_id") if domain == "person" else ("uprn", "household_id")
    _, made = run(tmp_path, "gp_patients", own_rows("gp_patients"), own_ids=["gp_patients"])
    ids = [row[raw] for row in own_rows("gp_patients")]
    pl.DataFrame({raw: [f" {ids[0]} ", ids[1], "nobody", None], "street": "x"}).write_csv(tmp_path / "register.csv")
    own, nhs = (read_register(tmp_path / "register.csv", own_ids=own) for own in (True, False))

    found = matches(own, made[made_of].to_list(), key=KEY)

    assert set(found) == set(made[made_of].to_list()[:2])
    assert (own.n_blank, own.n_invalid) == (1, 0)
    assert matches(nhs, made[made_of].to_list(), key=KEY) == {}


# The command


def command(at: Path, *words: str) -> object:
    told = ["pseudonymise", "--raw", at / "raw", "--out", at / "out", "--made-up-key", 1, *words]
    return CliRunner().invoke(cli, [str(word) for word in told])


def test_the_command_takes_own_ids_of_all_tables(tmp_path):
    (tmp_path / "raw").mkdir()
    write_csv(tmp_path / "raw" / "gp_events.csv", own_rows("gp_events"))

    assert command(tmp_path).exit_code == 5
    ran = command(tmp_path, "--ids", "own")

    assert ran.exit_code == 0
    assert "  ids: the agency's own; they join only tables with the same ids, and no NHS number or UPRN" in ran.stdout


def test_the_settings_say_own_ids_of_one_table_and_the_command_can_overrule_them(tmp_path):
    (tmp_path / "raw").mkdir()
    write_csv(tmp_path / "raw" / "gp_events.csv", own_rows("gp_events"))
    shutil.copytree(Path("configs"), tmp_path / "config")
    agencies = tmp_path / "config" / "agencies.toml"
    text = agencies.read_text()
    agencies.write_text(text.replace("[gp_events]\n", '[gp_events]\nids = "own"\n', 1))
    config = ("--config", str(tmp_path / "config" / "score.toml"))

    assert command(tmp_path, *config, "--ids", "nhs_number").exit_code == 5
    assert command(tmp_path, *config).exit_code == 0
    assert told_by("gp_events", tmp_path / "out" / "gp_events.parquet").ids == "own"


def test_no_own_id_is_in_the_text_or_the_record(tmp_path):
    done, _ = run(tmp_path, "gp_events", own_rows("gp_events"), own_ids=["gp_events"])

    told = pseudonymised_text(done) + (tmp_path / "out" / "pseudonymised.json").read_text()

    assert not any(text in told for text in TEXTS if len(text) > 3)
