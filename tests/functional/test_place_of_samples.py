"""The sample extracts of one made-up place, from raw files to a list: each source by itself, and all together."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from helpers.counties import settings_file

from ageingwell.config.files import shipped
from ageingwell.config.load import load_config
from ageingwell.contracts.registry import TABLES, columns
from ageingwell.jobs.checking import check
from ageingwell.night.in_memory import outreach_list
from ageingwell.profiles.finding import assigned, raw_files
from ageingwell.profiles.profile import LOOKUPS, shipped_profiles
from ageingwell.pseudonyms import Key, pseudonymise
from ageingwell.pseudonyms.digests import pseudonym

EXTRACTED_ON, NIGHT = date(2026, 11, 20), date(2026, 11, 21)
CONTRACT = {table: [column.name for column in columns(table)] for table in TABLES}
WITH_TABLES = sorted(name for name, profile in shipped_profiles().items() if set(profile.sql) - set(LOOKUPS))


def _pseudonymised(raw: Path, out: Path) -> Path:
    pseudonymise(
        raw,
        out=out,
        key=Key.made_up(1),
        contract_columns=CONTRACT,
        profiles=shipped_profiles(),
        extracted_on=EXTRACTED_ON,
    )
    return out


@pytest.mark.slow
@pytest.mark.sweep(of=4)
@pytest.mark.parametrize("name", WITH_TABLES)
def test_every_sample_goes_from_raw_files_to_good_rows_without_a_line_of_settings(name: str, tmp_path: Path) -> None:
    tables = _pseudonymised(shipped("configs") / "sources" / name / "sample", tmp_path / "tables")
    found = check(tables, config=load_config(), on=NIGHT)
    wanted = set(shipped_profiles()[name].sql) - set(LOOKUPS)
    assert set(found.tables["table"]) == wanted
    assert found.tables["n_refused"].sum() == 0, found.refused.rows()
    of_tables = [problem for problem in found.problems if any(problem.startswith(f"{table}:") for table in wanted)]
    # A small extract may hold no opt-out, and a table of none is doubted; so is one of medicines in RxNorm alone.
    assert [one for one in of_tables if not one.startswith("permissions:") and "has no rows" not in one] == []


@pytest.mark.slow
def test_all_samples_together_are_one_small_place_whose_night_runs(first_real_night: Path) -> None:
    found = check(first_real_night / "tables", config=load_config(), on=NIGHT)
    assert found.problems == ()
    assert found.missing == ("contacts",)
    assert outreach_list(first_real_night / "tables", as_of=NIGHT).n_listed > 20


@pytest.mark.slow
def test_whom_the_national_service_did_not_return_is_nowhere_when_people_are_only_stratified(
    first_real_night: Path, tmp_path: Path
) -> None:
    raw = first_real_night / "raw" / "ndop_mesh"
    sent, returned = (
        set((raw / f"NDOP_{which}_X26OT001-201126-0001.dat").read_text().replace(",", "").split())
        for which in ("sent", "returned")
    )
    kept_back = pl.DataFrame({"nhs_number": sorted(sent - returned)})
    assert kept_back.height == 9
    out = kept_back.select(person_id=pseudonym(pl.col("nhs_number"), domain="person", key=Key.made_up(1)))
    register = pl.read_parquet(first_real_night / "tables" / "gp_patients.parquet")
    assert register.join(out, on="person_id", how="semi").height > 0
    top = settings_file(tmp_path / "config", changes={"purpose": "risk_stratification"})
    night = outreach_list(first_real_night / "tables", as_of=NIGHT, config=top)
    frames = [frame.lazy().collect() for frame in vars(night.frames).values()]
    named = [frame for frame in frames if "person_id" in frame.columns and frame.height]
    assert len(named) >= 5
    assert [frame.columns for frame in named if frame.join(out, on="person_id", how="semi").height] == []


@pytest.mark.slow
def test_every_sample_is_recognised_whatever_its_file_is_called(first_real_night: Path, tmp_path: Path) -> None:
    wanted = {}
    for number, path in enumerate(sorted((first_real_night / "raw").rglob("*.*"))):
        name = f"extract_{number:03d}{path.suffix}"
        (tmp_path / name).write_bytes(path.read_bytes())
        wanted[name] = path.parent.name
    faults: list[str] = []
    told = assigned(raw_files(tmp_path, workspace=tmp_path), shipped_profiles(), faults=faults)
    found = {one.name: one.profile.name for one in told.recognised}
    assert faults == []
    wrong = {name: found.get(name) for name, profile in wanted.items() if found.get(name) != profile}
    # A bare list of numbers says nothing of what it means: it is known by a telling name alone.
    assert {wanted[name] for name in wrong} <= {"objections"}
    assert len(wrong) <= len(wanted) / 10
