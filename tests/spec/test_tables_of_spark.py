"""A table whose location Spark alone reads: put where we read it, or an error that says what to set."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ageingwell.config.engine import EngineSettings, SparkSettings
from ageingwell.config.load import Config, load_config
from ageingwell.errors import ConfigError, EngineError
from ageingwell.night import from_spark
from ageingwell.night.from_spark import with_tables_of_spark
from ageingwell.night.score import score
from ageingwell.sources.locate import locate

NIGHT = date(2026, 11, 22)
SOURCES = {"gp_events": "table:health.gp.events", "homes": "delta:/mnt/homes"}


def config_of(shared: Path | None, sources: dict[str, str] = SOURCES) -> Config:
    config = load_config()
    tables = {name: table.model_copy(update={"location": sources.get(name)}) for name, table in config.tables.items()}
    engine = EngineSettings()
    if shared is not None:
        engine = EngineSettings(name="spark", spark=SparkSettings(master="local[1]", shared_folder=str(shared)))
    return replace(config, tables=tables, score=config.score.model_copy(update={"engine": engine}))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """What Spark is asked for; it writes a file for each table, or stops at a table called `gone`."""
    asked: list[dict[str, str]] = []

    @contextmanager
    def session(_: SparkSettings) -> Iterator[None]:
        yield

    def put(_: Any, sources: dict[str, str], folder: Path) -> dict[str, Path]:
        asked.append(sources)
        if "table:gone" in sources.values():
            raise EngineError("Spark did not answer", "run again")
        for name in sources:
            (folder / name).mkdir()
            (folder / name / "part-00000.parquet").write_bytes(b"rows")
        return {name: folder / name for name in sources}

    monkeypatch.setattr(from_spark, "spark_session", session)
    monkeypatch.setattr(from_spark, "spark_tables", put)
    return asked


def test_the_tables_lie_in_a_private_folder_as_long_as_they_are_read(
    asked: list[dict[str, str]], tmp_path: Path
) -> None:
    data, shared = tmp_path / "data", tmp_path / "shared"
    data.mkdir()
    shared.mkdir()
    (data / "pseudonymised.json").write_text(json.dumps({"key_fingerprint": "tslbhgfbpgfp"}), encoding="utf-8")

    with with_tables_of_spark(config_of(shared), data) as config:
        place = locate("gp_events", config.tables["gp_events"], data)
        assert place is not None
        [file] = place.files
        assert (file.name, file.parents[2]) == ("part-00000.parquet", shared)
        assert file.parents[1].stat().st_mode & 0o077 == 0
        # A table of Spark tells no key: the record of the data folder does.
        assert (file.parents[1] / "pseudonymised.json").read_bytes() == (data / "pseudonymised.json").read_bytes()
        assert config.tables["gp_patients"].location is None

    assert asked == [SOURCES]
    assert list(shared.iterdir()) == []


def test_spark_is_asked_for_what_is_wanted_alone(asked: list[dict[str, str]], tmp_path: Path) -> None:
    with with_tables_of_spark(config_of(tmp_path), tmp_path, only=("permissions", "homes")):
        pass
    with with_tables_of_spark(config_of(tmp_path), tmp_path, only=("permissions",)):
        pass
    with with_tables_of_spark(config_of(tmp_path, {}), tmp_path):
        pass
    assert asked == [{"homes": "delta:/mnt/homes"}]


def test_where_withdrawals_go_on_without_a_table_its_location_stays(
    asked: list[dict[str, str]], tmp_path: Path
) -> None:
    config = config_of(tmp_path, {"permissions": "table:gone"})
    with with_tables_of_spark(config, tmp_path, or_without=True) as same:
        assert same == config
    with pytest.raises(EngineError, match="did not answer"), with_tables_of_spark(config, tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_without_the_spark_engine_the_setting_is_named(small_county: Path, tmp_path: Path) -> None:
    says = (
        r"gp_events: only Spark reads a location that begins with `table:`\. "
        r"What to do: let `ageingwell score` read it, "
        r"with name = \"spark\" under \[engine\] in score\.toml \(docs/how-to/spark\.md\), "
        r"or give gp_events as a file\."
    )
    with pytest.raises(ConfigError, match=says):
        score(small_county, as_of=NIGHT, out=tmp_path, config=config_of(None))
    with pytest.raises(ConfigError, match=says):
        locate("gp_events", config_of(None).tables["gp_events"], small_county)
