"""Whole nights on deliveries that lost something: nobody barred is scored, and no count moves within a quarter."""

import json
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result
from helpers.counties import NIGHT, change, copy_of, files_with_each, hashes_of, listed, opt_out
from helpers.evidence import counted

from ageingwell import permitted
from ageingwell.cli import cli
from ageingwell.config.load import load_config
from ageingwell.errors import AccountingError, ChangeError
from ageingwell.kept.barred import BARRED_FILE
from ageingwell.kept.quarters import COMMISSIONING
from ageingwell.night.score import OutreachRun, score
from ageingwell.publish import current
from ageingwell.sources.read import Records
from ageingwell.synthetic.losing import lose

pytestmark = pytest.mark.usefixtures("read_once")

NEXT = NIGHT + timedelta(days=7)
BARRING = ["objection", "restriction", "type_1"]


@pytest.fixture
def at(first_night: Path, tmp_path: Path) -> Path:
    """A folder with a county, and its first night."""
    return copy_of(first_night, tmp_path / "here")


def night(at: Path, settings: Path, on: date = NEXT, **asked: bool) -> OutreachRun:
    return score(at / "county", as_of=on, out=at / "out", config=load_config(settings), **asked)


def run(at: Path, settings: Path, command: str, *options: str, on: date = NEXT) -> Result:
    paths = ["--data", at / "county", "--out", at / "out", "--config", settings]
    return CliRunner().invoke(cli, [command, "--as-of", str(on), *map(str, paths), *options])


def opted_out(at: Path) -> list[str]:
    rows = pl.read_parquet(at / "county" / "permissions.parquet")
    here = pl.read_parquet(at / "county" / "gp_patients.parquet").filter(pl.col("died_on").is_null())
    out = rows.filter(pl.col("kind").is_in(BARRING) & pl.col("to_on").is_null())
    return sorted(set(out["person_id"].drop_nulls()) & set(here["person_id"]))


def tonight(at: Path) -> Path:
    folder = current(at / "out")
    assert folder is not None
    return folder


@pytest.mark.usefixtures("pages_not_drawn")
def test_half_of_the_opt_outs_stop_the_night_until_a_person_accepts_it(at: Path, settings: Path) -> None:
    barred, before = opted_out(at), hashes_of(tonight(at))
    lose(at / "county", "permissions", keep=0.5, seed=3)

    ran, withdrawn = run(at, settings, "score"), run(at, settings, "withdraw")

    assert (ran.exit_code, withdrawn.exit_code) == (14, 14), ran.output
    assert "missing now" in ran.output
    assert hashes_of(tonight(at)) == before
    accepted = night(at, settings, accept_change=True)
    told = json.loads((accepted.folder / "manifest.json").read_text())["accepted_changes"]
    assert any("missing now" in said for said in told)
    assert lost_of(barred, accepted) != []
    # Accepted once, it is asked no more.
    assert run(at, settings, "withdraw", on=NEXT + timedelta(days=1)).exit_code == 0


def test_a_lost_file_of_the_barred_is_never_made_anew_from_what_is_left_of_the_opt_outs(
    at: Path, settings: Path
) -> None:
    (at / "out" / BARRED_FILE).unlink()
    opted = pl.col("person_id").is_in(opted_out(at)[:2])
    change(at / "county", "permissions", lambda rows: rows.filter(~opted.fill_null(value=False)))

    for command in ("withdraw", "score", "withdraw"):
        ran = run(at, settings, command)

        assert (ran.exit_code, f"{BARRED_FILE} is gone" in ran.output) == (14, True), ran.output
        assert not (at / "out" / BARRED_FILE).exists()
    # A person who has looked accepts it, once.
    assert run(at, settings, "withdraw", "--accept-change").exit_code == 0
    assert (at / "out" / BARRED_FILE).exists()


def lost_of(barred: list[str], night: OutreachRun) -> list[str]:
    """Of those who opted out, whom a night scored."""
    scored = night.frames.scores.lazy().select("person_id").collect()["person_id"]
    return sorted(set(barred) & set(scored))


@pytest.mark.usefixtures("pages_not_drawn")
def test_a_few_opt_outs_that_are_gone_hold_and_the_page_for_commissioners_stays_as_it_is(
    at: Path, settings: Path
) -> None:
    barred, page = opted_out(at), (tonight(at) / COMMISSIONING).read_bytes()
    gone = barred[:2]
    change(
        at / "county", "permissions", lambda rows: rows.filter(~pl.col("person_id").is_in(gone).fill_null(value=False))
    )
    opt_out(at / "county", "objection", person=listed(tonight(at))[0]["person_id"])

    later = night(at, settings)

    found = files_with_each(at / "out", barred)
    counted("P7.shrunken_opt_outs", len(gone), len(lost_of(gone, later)))
    assert lost_of(barred, later) == []
    # Who is under a safeguarding marker too is known to the safeguarding lead, by key alone.
    assert {file.split("/")[-1] for files in found.values() for file in files} <= {"safeguarded.parquet"}
    assert any("missing now" in note for note in later.facts.notes)
    # One person was withdrawn from the last list, and one night was made: every revision has the quarter's page.
    pages = sorted((at / "out").glob(f"2*/{COMMISSIONING}"))
    assert len(pages) == 3
    assert {path.read_bytes() for path in pages} == {page}


@pytest.mark.usefixtures("pages_not_drawn")
@pytest.mark.parametrize(
    ("table", "column", "told"),
    [
        ("gp_events", None, "gp_events: "),
        ("gp_patients", None, "gp_patients: "),
        ("gp_patients", "lsoa21", "gp_patients: lsoa21 filled in 100% of rows before, none now"),
    ],
)
def test_a_delivery_that_lost_rows_or_a_column_leaves_the_last_list_current(
    at: Path, settings: Path, table: str, column: str | None, told: str
) -> None:
    before = {row["person_id"] for row in listed(tonight(at))}
    lose(at / "county", table, keep=0.5 if column is None else 0.0, column=column, seed=3)

    with pytest.raises(ChangeError) as stopped:
        night(at, settings)

    assert told in stopped.value.found
    # People may come off it, and nobody comes onto it.
    assert tonight(at).name[:10] == str(NIGHT)
    assert {row["person_id"] for row in listed(tonight(at))} <= before


@pytest.mark.usefixtures("pages_not_drawn")
def test_a_night_that_is_not_the_current_one_ends_with_a_code_of_its_own(at: Path, settings: Path) -> None:
    ran = run(at, settings, "score", "--json", on=NIGHT - timedelta(days=1))

    assert ran.exit_code == 30
    assert '"is_current": false' in ran.output
    assert "is not the current list" in ran.output


def test_rows_that_are_lost_on_the_way_stop_the_night(
    at: Path, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = permitted.Gate.let_through

    def losing(gate: permitted.Gate, records: Records) -> Records:
        kept = whole(gate, records)
        fewer = {name: rows.slice(1) if name == "fire_visits" else rows for name, rows in kept.rows().items()}
        return kept.with_rows(fewer)

    monkeypatch.setattr(permitted.Gate, "let_through", losing)

    with pytest.raises(AccountingError, match=r"fire_visits: .* rows are good, and .* are barred or used"):
        night(at, settings)
    assert tonight(at).name == str(NIGHT)


def test_every_row_of_a_night_is_in_one_place_and_its_file_of_the_barred_names_nobody(at: Path) -> None:
    manifest = json.loads((tonight(at) / "manifest.json").read_text())

    bad = 0
    for table, places in manifest["rows"].items():
        n_read = pl.read_parquet(at / "county" / f"{table}.parquet").height
        bad += places["read"] != n_read or sum(places.values()) != 2 * n_read
    counted("R3.row_accounting", len(manifest["rows"]), bad)
    assert bad == 0
    assert len(manifest["rows"]) == 11
    assert all(row["n"] is None or row["n"] == 0 or row["n"] >= 10 for row in manifest["steps"])
    assert manifest["rates_by_group"]["linked"]
    assert (at / "out" / BARRED_FILE).stat().st_mode & 0o777 == 0o600
