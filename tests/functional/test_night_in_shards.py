"""A night is the same, byte for byte, into however many shards people are split and wherever these are worked."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from helpers.counties import NIGHT, hashes_of

from ageingwell.config.engine import EngineSettings
from ageingwell.config.load import Config, load_config
from ageingwell.night.score import score
from ageingwell.night.shards import REGISTER, Shard, shards_needed, split_into_shards
from ageingwell.sources.read import Records, read_agencies
from ageingwell.timeline import AsOf


@pytest.fixture(scope="module")
def config(settings: Path) -> Config:
    return load_config(settings)


@pytest.fixture
def whole(first_night: Path) -> dict[str, str]:
    return hashes_of(first_night / "out" / str(NIGHT))


@pytest.fixture(scope="module")
def records(county: Path, config: Config, tmp_path_factory: pytest.TempPathFactory) -> Records:
    return read_agencies(county, config.tables, workspace=tmp_path_factory.mktemp("checked"), max_refused_share=0.1)


# That a night in two shards has these bytes is tried in test_same_night_same_bytes too.
@pytest.mark.full
@pytest.mark.parametrize(
    "changes",
    # Of seven some have nobody whom the model brought to the list.
    [{"shards": 7}, {"shards": 2, "engine": EngineSettings(processes=2)}],
    ids=["7 shards", "2 shards in 2 processes"],
)
def test_a_night_in_shards_has_the_bytes_of_a_night_in_one(small_county, config, whole, tmp_path, changes):
    split = replace(config, score=config.score.model_copy(update=changes))

    night = score(small_county, as_of=NIGHT, out=tmp_path / "out", config=split)

    assert hashes_of(night.folder) == whole
    assert night.frames.scores.lazy().collect()["person_id"].is_sorted()


def test_every_row_is_counted_in_one_shard_and_every_home_has_everybody_it_ever_had(records, tmp_path):
    shards = split_into_shards(records, AsOf(NIGHT), n_shards=7, folder=tmp_path)

    for name in shards[0].rows:
        sent = records.tables[name].rows.collect()
        own = pl.concat([shard.own()[name].collect() for shard in shards]).select(sent.columns)
        assert own.sort(pl.all()).equals(sent.sort(pl.all())), name
    for shard in shards:
        has_everybody_of_its_homes(shard, records.tables[REGISTER].rows)


def has_everybody_of_its_homes(shard: Shard, register: pl.LazyFrame) -> None:
    newest = register.filter(pl.col("recorded_on") < NIGHT).sort("recorded_on")
    lives_at = newest.group_by("person_id").agg(pl.col("household_id").last()).drop_nulls()
    homes = lives_at.join(shard.own()[REGISTER], on="person_id", how="semi").select("household_id").unique()
    ever_there = register.join(homes, on="household_id", how="semi").select("person_id").unique()
    wanted = register.join(ever_there, on="person_id", how="semi").collect()
    found = shard.everything()[REGISTER].join(ever_there, on="person_id", how="semi").collect()

    assert not wanted.is_empty()
    assert found.select(wanted.columns).sort(pl.all()).equals(wanted.sort(pl.all()))


def test_ten_times_the_rows_need_ten_times_the_shards_and_a_small_place_one(records, config):
    tens = {name: replace(table, n_good=10_000_000) for name, table in records.tables.items()}
    hundreds = {name: replace(table, n_good=100_000_000) for name, table in records.tables.items()}

    few, many = (shards_needed(replace(records, tables=part), config.score) for part in (tens, hundreds))

    assert shards_needed(records, config.score) == 1
    assert 10 * (few - 1) < many <= 10 * few
    assert shards_needed(records, config.score.model_copy(update={"shards": 3})) == 3
