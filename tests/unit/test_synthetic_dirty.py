"""Dirty counties: the answer files name exactly the rows a reader refuses and the cells it empties, with the rule."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from helpers.evidence import counted

from ageingwell.config.score import TableSettings
from ageingwell.contracts.fields import CELL_RULES, RULES, SAY_NOTHING
from ageingwell.contracts.registry import TABLES, columns
from ageingwell.errors import RefusedRowsError
from ageingwell.sources.read import Records, read_agencies
from ageingwell.sources.table import CELLS_NAMED
from ageingwell.synthetic.county import CountyPlan, synthesise
from ageingwell.synthetic.dirty import spoil
from ageingwell.synthetic.plants import PLANTS

SHARE = 0.08


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthesise(CountyPlan(people=1_500, seed=11, dirty=SHARE), tmp_path_factory.mktemp("dirty")).folder


@pytest.fixture(scope="module")
def answers(dirty: Path) -> pl.DataFrame:
    return pl.read_parquet(dirty / "truth" / "refused.parquet")


@pytest.fixture(scope="module")
def records(dirty: Path, tmp_path_factory: pytest.TempPathFactory) -> Records:
    settings = {name: TableSettings(required=True) for name in TABLES}
    return read_agencies(dirty, settings, workspace=tmp_path_factory.mktemp("read"), max_refused_share=0.2)


@pytest.mark.slow
def test_the_refused_rows_are_those_of_the_answer_file(records: Records, answers: pl.DataFrame):
    lost = {}
    for name, table in records.tables.items():
        planted = answers.filter(pl.col("table") == name)["row_number"]
        assert set(table.refused["row_number"]) == set(planted), name
        lost[name] = set(planted) - set(table.refused.drop_nulls("file")["row_number"])
    counted("R3.refused_rows", answers.height, sum(map(len, lost.values())), seed=11)


def test_every_row_of_a_dirty_county_is_good_refused_or_sent_twice(records: Records):
    bad = [
        name
        for name, table in records.tables.items()
        if table.n_read != table.n_good + table.n_refused + table.n_twice + table.n_left_out
        or table.n_good != table.rows.select(pl.len()).collect().item()
    ]

    counted("R3.row_accounting", len(records.tables), len(bad), seed=11)
    assert bad == []


def test_each_planted_rule_is_among_those_found(records: Records, answers: pl.DataFrame):
    for name, table in records.tables.items():
        found = table.refused.explode("rules").select("row_number", "column", rule="rules")
        planted = answers.filter(pl.col("table") == name)
        on = ["row_number", "column", "rule"]
        assert planted.join(found, on=on, how="anti", nulls_equal=True).is_empty(), name


def test_the_cells_read_as_empty_are_those_of_the_answer_file(records: Records, dirty: Path):
    planted = pl.read_parquet(dirty / "truth" / "emptied.parquet")
    for name, table in records.tables.items():
        expected = planted.filter(pl.col("table") == name).group_by("column", "rule").agg(n_cells=pl.len())
        assert table.emptied.rows() == expected.sort("column", "rule").rows(), name
        found = table.emptied_cells.explode("rules").select("row_number", "column", rule="rules")
        told = planted.filter(pl.col("table") == name).select("row_number", "column", "rule")
        # Of each column and rule the first are named, and all are counted.
        first = told.sort("row_number").group_by("column", "rule").head(CELLS_NAMED).select(found.columns)
        assert sorted(found.rows()) == sorted(first.rows()), name
        assert table.emptied.height > 0 or name in ("fire_incidents", "contacts")


def test_a_dirty_county_is_read_under_its_odd_headings(records: Records, dirty: Path):
    for name, table in records.tables.items():
        headings = (dirty / f"{name}.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
        assert len({column.name for column in columns(name)} - set(headings)) > len(headings) / 2
        assert (table.absent_columns, table.dropped_columns) == ((), ()), name


def test_the_good_rows_of_a_dirty_county_say_what_they_said(records: Records, dirty: Path, tmp_path: Path):
    planted = pl.read_parquet(dirty / "truth" / "emptied.parquet").filter(pl.col("rule").is_in(CELL_RULES))
    clean = synthesise(CountyPlan(people=1_500, seed=11), tmp_path / "clean").folder
    settings = {name: TableSettings(required=True) for name in TABLES}
    before = read_agencies(clean, settings, workspace=tmp_path / "read", max_refused_share=0).rows()
    for name, table in records.tables.items():
        good, told = table.rows.collect(), before[name].collect()
        # The tied versions alone carry another day, and they are refused; a row with an emptied cell says less.
        others = good.join(told, on=good.columns, how="anti", nulls_equal=True)
        emptied = planted.filter(pl.col("table") == name)
        assert others.height <= emptied["row_number"].n_unique(), name
        kept = [column for column in good.columns if column not in set(emptied["column"])]
        assert others.join(told, on=kept, how="anti", nulls_equal=True).is_empty(), name


def test_a_row_stands_once_in_the_answers(answers: pl.DataFrame):
    assert answers.select("table", "row_number").is_unique().all()


def test_the_share_asked_for_is_spoilt_in_each_table(records: Records, answers: pl.DataFrame, dirty: Path):
    emptied = pl.read_parquet(dirty / "truth" / "emptied.parquet")
    for name, table in records.tables.items():
        expected = 0 if name == "permissions" else round(SHARE * table.n_read)
        refused = set(answers.filter(pl.col("table") == name)["row_number"])
        # Words and days that mean empty stand in cells that were empty: they spoil nothing.
        spoilt = emptied.filter((pl.col("table") == name) & ~pl.col("rule").is_in(SAY_NOTHING))["row_number"]
        assert 0.85 * expected <= len(refused | set(spoilt)) <= expected, name


def test_every_rule_of_the_contracts_is_planted_somewhere(answers: pl.DataFrame, dirty: Path):
    emptied = pl.read_parquet(dirty / "truth" / "emptied.parquet")
    assert set(answers["rule"]) | set(emptied["rule"]) == set(RULES) | {"word_for_empty"}
    assert not set(answers["rule"]) & {"out_of_range", "not_a_number", "not_a_whole_number"}
    assert {plant.rule for plant in PLANTS} | {"tied_version"} == set(RULES)


def test_permissions_stay_clean_unless_asked_for(dirty: Path, tmp_path: Path):
    settings = {name: TableSettings(required=False) for name in TABLES}
    plan = CountyPlan(people=300, dirty=0.05, dirty_permissions=True)
    folder = synthesise(plan, tmp_path / "county").folder

    with pytest.raises(RefusedRowsError, match="permissions"):
        read_agencies(folder, settings, workspace=tmp_path, max_refused_share=0.2, only=("permissions",))


def test_row_numbers_go_on_from_one_part_to_the_next():
    incidents = pl.DataFrame(
        {
            "household_id": ["b" * 32] * 10,
            "incident_type": ["false_alarm"] * 10,
            "happened_on": [date(2026, 1, 1)] * 10,
            "recorded_on": [date(2026, 1, 2)] * 10,
        }
    )

    spoilt, answers = spoil("fire_incidents", incidents, share=0.2, first_row=101, rng=np.random.default_rng(1))

    changed = (
        spoilt.with_columns(pl.all().fill_null(""))
        .with_row_index("row_number", offset=101)
        .filter(
            pl.concat_str(pl.exclude("row_number"), separator="|") != f"{'b' * 32}|false_alarm|2026-01-01|2026-01-02"
        )
    )
    assert answers["row_number"].to_list() == changed["row_number"].to_list()
    assert len(answers) == 2  # a fifth of ten rows
