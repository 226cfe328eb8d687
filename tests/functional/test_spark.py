"""The Spark engine on two real executors: the local engine's bytes, also when one is killed in the middle.

The cluster is started by the test, listens on the loopback address alone, and is ended with it. Where the extra or Java
is missing these tests are skipped; AGEINGWELL_SPARK_TESTS=required makes that a failure.
"""

import functools
import hashlib
import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from helpers import cluster, work
from helpers.counties import NIGHT, hashes_of
from helpers.work import CANARY

from ageingwell.config.engine import EngineSettings, SparkSettings
from ageingwell.config.load import load_config
from ageingwell.engines.choosing import engine_of
from ageingwell.engines.engine import Engine, Item, Result
from ageingwell.engines.local import LocalEngine
from ageingwell.engines.spark import versions
from ageingwell.errors import ConfigError, EngineError, PublishError, SourceError
from ageingwell.night import score, working
from ageingwell.pseudonyms import Key
from ageingwell.pseudonyms.fingerprints import KEY_FINGERPRINT

N_SHARDS = 6
EVENTS = {
    "person_id": ["p1", "p2", "p3", "p2", None, "p1"],
    "code": ["161898004", "52448006", "", "52448006", "84114007", "161898004"],
    "value": [1, 2, None, 2, 5, 6],
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cluster")


@pytest.fixture(scope="module")
def spark(place: Path) -> Iterator[Engine]:
    java = cluster.skip_without_spark()
    settings = SparkSettings(master="local-cluster[2,1,1024]", shared_folder=str(place), options=cluster.options(place))
    with cluster.home_of_its_own(place, java), engine_of(EngineSettings(name="spark", spark=settings)) as engine:
        yield engine


@pytest.fixture
def session(spark: Engine) -> Any:
    from pyspark.sql import SparkSession

    return SparkSession.getActiveSession()


def contents(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("shard-*")}


def kill_an_executor_in_the_middle(folder: Path, killed: list[int]) -> None:
    """When both executors have begun a shard, kill one; then let every shard go on."""
    end, found = time.monotonic() + 600, set[int]()  # a machine that does other work is slow to start them
    while len(found) < 2 and time.monotonic() < end:
        time.sleep(0.05)
        found = {int(path.read_text() or 0) for path in folder.glob("begun-*")} - {0}
    for executor in sorted(found)[:1]:
        if "CoarseGrainedExecutorBackend" in cluster.arguments_of(executor):
            os.kill(executor, signal.SIGKILL)
            killed.append(executor)
    (folder / "go").touch()


def test_with_an_executor_killed_in_the_middle_every_shard_is_there_with_the_local_engines_bytes(
    spark: Engine, tmp_path: Path
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    killed: list[int] = []
    killer = threading.Thread(target=kill_an_executor_in_the_middle, args=(there, killed))
    killer.start()
    hashes = spark.map(work.shard, [(there, number, True) for number in range(N_SHARDS)])
    killer.join()

    expected = LocalEngine().map(work.shard, [(here, number, False) for number in range(N_SHARDS)])
    begun = [path.name.split("-")[1] for path in there.glob("begun-*")]
    assert len(killed) == 1
    assert cluster.arguments_of(killed[0]) == ""
    assert len(begun) > len(set(begun)) == N_SHARDS  # what the killed one had begun was begun again
    assert hashes == expected
    assert contents(there) == contents(here)
    assert len(contents(here)) == N_SHARDS


class KillsAnExecutor:
    """Hands work on, and kills an executor a moment after the second job of it began."""

    name = "spark"

    def __init__(self, engine: Engine) -> None:
        self.engine, self.n_jobs, self.killed = engine, 0, list[int]()

    def map(self, work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        self.n_jobs += 1
        killer = threading.Timer(0.2, self.kill) if self.n_jobs == 2 else threading.Timer(0, int)
        killer.start()
        results = self.engine.map(work, items)
        killer.join()
        return results

    def kill(self) -> None:
        for executor in cluster.executors()[:1]:
            os.kill(executor, signal.SIGKILL)
            self.killed.append(executor)


def test_a_whole_night_on_spark_is_the_local_night_byte_for_byte(
    spark: Engine, small_county: Path, settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nights, killing = [], KillsAnExecutor(spark)
    for name, engine, n_shards in (("here", LocalEngine(), 1), ("there", killing, 4)):
        monkeypatch.setattr(working, "engine_of", lambda _, engine=engine: nullcontext(engine))
        config = load_config(settings)
        split = replace(config, score=config.score.model_copy(update={"shards": n_shards}))
        night = score.score(small_county, as_of=NIGHT, out=tmp_path / name, config=split)
        nights.append(hashes_of(night.folder))

    assert killing.n_jobs > 2
    assert [cluster.arguments_of(executor) for executor in killing.killed] == [""]
    assert len(nights[0]) > 20
    assert nights[0] == nights[1]


def test_a_night_reads_its_tables_from_the_catalogue(
    session: Any, place: Path, small_county: Path, settings: Path, tmp_path: Path
) -> None:
    config = load_config(settings)
    data = tmp_path / "data"
    shutil.copytree(small_county, data)
    sources = {name: f"table:{name}" for name in ("gp_events", "permissions", "homes")}
    for name in sources:
        session.read.parquet(str(small_county / f"{name}.parquet")).createOrReplaceTempView(name)
        (data / f"{name}.parquet").unlink()
    tables = {name: config.tables[name].model_copy(update={"location": source}) for name, source in sources.items()}
    on_spark = EngineSettings(name="spark", spark=SparkSettings(shared_folder=str(place)))
    from_there = replace(
        config, tables=config.tables | tables, score=config.score.model_copy(update={"engine": on_spark})
    )

    nights = [
        score.score(folder, as_of=NIGHT, out=tmp_path / name, config=given).folder
        for name, folder, given in (("here", small_county, config), ("there", data, from_there))
    ]

    # The manifest tells the files of a table, and those of Spark are others; all that was worked out is the same.
    frames = [{name: told for name, told in hashes_of(night).items() if name.endswith(".parquet")} for night in nights]
    assert len(frames[0]) > 10
    assert frames[0] == frames[1]
    manifests = [json.loads((night / "manifest.json").read_text(encoding="utf-8")) for night in nights]
    assert [told["config"] for told in manifests] == [config.digest] * 2
    counts = [{name: told["n_good"] for name, told in manifest["inputs"].items()} for manifest in manifests]
    assert counts[0] == counts[1]
    assert [path.name for path in place.glob("ageingwell-*")] == []


def test_results_come_in_the_order_of_the_items(spark: Engine) -> None:
    assert spark.map(work.doubled, [0, 1, 2, 3]) == [0, 2, 4, 6]
    assert spark.map(functools.partial(pow, 2), [5]) == [32]
    assert spark.map(work.doubled, []) == []


def test_a_fault_that_a_user_can_mend_arrives_as_it_was_raised(spark: Engine) -> None:
    with pytest.raises(SourceError) as fault:
        spark.map(work.failing, [0, 1, 2, 3, 4])
    assert str(fault.value) == "gp_events/part-00002.csv: column `code` is missing. What to do: add it."
    with pytest.raises(OSError, match="No space left on device"):
        spark.map(work.on_a_full_disk, [0])


def test_no_fault_brings_a_value_or_a_stack_trace_and_no_log_of_spark_a_value(
    spark: Engine, place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(EngineError, match=r"part 2 of 2: ValueError at work.py, line \d+") as fault:
        spark.map(work.unforeseen, [0, 1])
    assert fault.value.__cause__ is None
    logs = [path for path in place.rglob("*") if path.is_file() and "spark-home/jars" not in path.as_posix()]
    assert any(path.name == "stderr" for path in logs)  # those of the executors are among them
    assert [path.name for path in logs if CANARY.encode() in path.read_bytes()] == []
    printed = "".join(capfd.readouterr())
    assert CANARY not in printed + str(fault.value)
    assert "Traceback" not in printed
    assert "\tat " not in printed


def test_a_task_that_is_ended_at_every_try_is_an_error_in_words(
    spark: Engine, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(EngineError) as fault:
        spark.map(work.ended_by_the_system, [0, 1])
    assert str(fault.value) == (
        "Spark, part 2: the process of a task ended at every try. What to do: most often memory ran out: give a task "
        "more (spark.executor.memoryOverhead), or make more parts."
    )
    assert "\tat " not in "".join(capfd.readouterr())


def test_a_key_never_travels_to_an_executor(spark: Engine) -> None:
    with pytest.raises(EngineError, match=r"cannot be sent to another process.* a key is never sent"):
        spark.map(str, [Key.made_up(1)])


def test_executors_with_other_packages_than_the_driver_are_refused(
    spark: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ageingwell.engines.spark.versions", lambda: {**versions(), "polars": "2.0.0"})
    with pytest.raises(EngineError, match=r"other packages than the driver: polars \S+ instead of 2\.0\.0"):
        spark.map(work.doubled, [1])


def test_a_second_session_is_not_started_beside_one_that_runs(spark: Engine) -> None:
    settings = SparkSettings(master="local[1]", shared_folder="/srv/shared")
    with (
        pytest.raises(ConfigError, match="a Spark session is running already"),
        engine_of(EngineSettings(name="spark", spark=settings)),
    ):
        pass


def test_the_session_that_is_there_is_used_and_left_running(spark: Engine) -> None:
    with engine_of(EngineSettings(name="spark", spark=SparkSettings(shared_folder="/srv/shared"))) as engine:
        assert engine.map(work.doubled, [4]) == [8]
    assert spark.map(work.doubled, [4]) == [8]


def test_everything_listens_on_the_loopback_address(spark: Engine, session: Any) -> None:
    conf = session.sparkContext.getConf()
    assert {conf.get("spark.driver.host"), conf.get("spark.driver.bindAddress")} == {"127.0.0.1"}
    assert conf.get("spark.ui.enabled") == "false"


def tables(session: Any, sources: dict[str, str], folder: Path, **more: int) -> dict[str, Path]:
    from ageingwell.engines.spark_reading import spark_tables

    return spark_tables(session, sources, folder, **more)


def read_back(folder: Path) -> pl.DataFrame:
    return pl.concat(pl.read_parquet(path) for path in sorted(folder.iterdir()))


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_table_has_the_same_bytes_however_spark_had_cut_it_up(session: Any, tmp_path: Path) -> None:
    rows = pl.DataFrame(EVENTS)
    for name, cuts in {"whole": [rows], "cut": [rows[4:], rows[1:3], rows[3:4], rows[:1]]}.items():
        (tmp_path / name).mkdir()
        for number, part in enumerate(cuts):
            part.write_parquet(tmp_path / name / f"{number}.parquet")
        session.read.parquet(str(tmp_path / name)).createOrReplaceTempView(name)
    session.table("cut").repartition(5).createOrReplaceTempView("strewn")
    sources = {name: f"table:{name}" for name in ("whole", "cut", "strewn")}

    written = tables(session, sources, tmp_path / "shared", rows_a_part=2)

    assert {name: folder.name for name, folder in written.items()} == {name: name for name in sources}
    assert bytes_of(written["whole"]) == bytes_of(written["cut"]) == bytes_of(written["strewn"])
    back = read_back(written["cut"])
    assert back.sort(pl.all()).equals(rows.sort(pl.all()))
    assert len(bytes_of(written["cut"])) > 1
    assert sorted(path.name for path in (tmp_path / "shared").iterdir()) == ["cut", "strewn", "whole"]


def test_a_moment_keeps_the_day_that_the_session_shows(session: Any, tmp_path: Path) -> None:
    session.sql("SELECT TIMESTAMP '2026-06-01 00:00:00' AS happened_on").createOrReplaceTempView("moments")
    session.conf.set("spark.sql.session.timeZone", "Europe/London")
    try:
        written = tables(session, {"moments": "table:moments"}, tmp_path)
    finally:
        session.conf.set("spark.sql.session.timeZone", "UTC")
    # Midnight in UTC is one o'clock in a British summer.
    assert read_back(written["moments"])["happened_on"].dt.strftime("%Y-%m-%d %H").to_list() == ["2026-06-01 01"]


def test_a_table_without_rows_keeps_its_headings(session: Any, tmp_path: Path) -> None:
    session.sql("SELECT 1 AS person_id, 'x' AS code WHERE 1 = 0").createOrReplaceTempView("nothing")
    written = tables(session, {"nothing": "table:nothing"}, tmp_path)
    assert read_back(written["nothing"]).columns == ["person_id", "code"]


def test_files_are_copied_byte_for_byte(session: Any, tmp_path: Path) -> None:
    sent = {"csv": tmp_path / "csv", "parquet": tmp_path / "parquet"}
    for folder in sent.values():
        folder.mkdir()
    (sent["csv"] / "a b.csv").write_bytes(b'person_id,code\r\np1,"a ""b"",\nc"\r\n')
    (sent["csv"] / "ragged.csv").write_bytes(b"person_id,code\np1\np2,1,2\n\xff")
    # A Parquet file tells with which key it was made: written anew it would not.
    pl.DataFrame(EVENTS).write_parquet(sent["parquet"] / "0.parquet", metadata={KEY_FINGERPRINT: "tslbhgfbpgfp"})
    written = tables(session, {kind: f"{kind}:{folder}" for kind, folder in sent.items()}, tmp_path / "shared")
    assert {kind: bytes_of(folder) for kind, folder in written.items()} == {
        kind: bytes_of(folder) for kind, folder in sent.items()
    }


@pytest.mark.parametrize(
    ("source", "kind", "says"),
    [
        ("table:nowhere", SourceError, r"events: Spark cannot read the table \(TABLE_OR_VIEW_NOT_FOUND\)"),
        ("parquet:/nowhere", SourceError, r"events: Spark cannot read the table \(PATH_NOT_FOUND\)"),
        ("csv:/nowhere", SourceError, r"events: Spark cannot read the table \(PATH_NOT_FOUND\)"),
        ("table:lists", SourceError, "events: lists or structures in the cells of `codes`"),
        ("orc:/nowhere", ConfigError, "begin it with one of delta:, table:, parquet:, csv:"),
    ],
)
def test_a_table_that_cannot_be_read_is_told_in_words_and_leaves_nothing(
    source: str, kind: type[Exception], says: str, session: Any, tmp_path: Path
) -> None:
    session.sql("SELECT 1 AS person_id, array('x') AS codes").createOrReplaceTempView("lists")
    with pytest.raises(kind, match=says) as fault:
        tables(session, {"events": source}, tmp_path)
    assert "What to do: " in str(fault.value)
    assert list(tmp_path.iterdir()) == []


def test_a_table_that_is_there_already_is_not_written_over(session: Any, tmp_path: Path) -> None:
    (tmp_path / "events").mkdir()
    with pytest.raises(PublishError, match="the shared folder holds the table already"):
        tables(session, {"events": "table:nowhere"}, tmp_path)
