"""Settings of the engine, every mistake in words; and what is said where Spark is asked for and not there."""

import os
import sys
from pathlib import Path

import pytest

from ageingwell.config.engine import EngineSettings, SparkSettings
from ageingwell.config.files import shipped
from ageingwell.config.load import load_config
from ageingwell.engines.choosing import engine_of
from ageingwell.engines.local import LocalEngine
from ageingwell.engines.spark_faults import spark_error
from ageingwell.engines.spark_sessions import _started
from ageingwell.errors import ConfigError, EngineError

SHARED = 'shared_folder = "/srv/shared"\n'


def settings(folder: Path, engine: str) -> Path:
    top = (shipped("configs") / "score.toml").read_text(encoding="utf-8").partition("[engine]")[0]
    path = folder / "score.toml"
    path.write_text(top + engine, encoding="utf-8")
    return path


def test_the_shipped_settings_work_in_one_process_here() -> None:
    assert load_config().score.engine == EngineSettings()
    with engine_of(EngineSettings(processes=3)) as engine:
        assert isinstance(engine, LocalEngine)
        assert engine.processes == 3


def test_a_spark_cluster_is_described(tmp_path: Path) -> None:
    cluster = f'[engine]\nname = "spark"\n[engine.spark]\nmaster = "yarn"\n{SHARED}'
    written = f'{cluster}[engine.spark.options]\n"spark.task.cpus" = "2"\n'
    engine = load_config(settings(tmp_path, written)).score.engine
    assert (engine.name, engine.spark.master, engine.spark.shared_folder) == ("spark", "yarn", "/srv/shared")
    assert engine.spark.options == {"spark.task.cpus": "2"}


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ('[engine]\nname = "dask"\n', "'local' or 'spark'"),
        ("[engine]\nprocesses = 0\n", "`engine.processes`: write 1 or more"),
        ("[engine]\nproceses = 2\n", "`engine.proceses`: there is no such key"),
        ('[engine]\nname = "spark"\n', "spark.shared_folder is missing"),
        ('[engine.spark]\nshared_folder = "shared"\n', "write a whole path, from / on"),
        ('[engine.spark]\noptions = {"spark.task.cpus" = "2"}\n', "options without master"),
        ('[engine.spark]\nmaster = "yarn"\noptions = {"task.cpus" = "2"}\n', "their names begin with spark."),
        *(
            (f'[engine.spark]\nmaster = "yarn"\noptions = {{"{name}" = "Canary-7"}}\n', f"`{name}` looks like a secret")
            for name in (
                "spark.hadoop.fs.azure.account.key.store.dfs.core.windows.net",
                "spark.hadoop.fs.s3a.secret.key",
                "spark.ssl.keyStorePassword",
                "spark.databricks.token",
            )
        ),
    ],
)
def test_a_mistake_is_told_in_words_and_never_with_a_secret(written: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as fault:
        load_config(settings(tmp_path, written))
    assert says in str(fault.value)
    assert "Canary-7" not in str(fault.value)


def test_spark_is_not_imported_unless_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    # An import of a module that is `None` here fails as one that is not installed does.
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with engine_of(EngineSettings()) as engine:
        assert engine.map(len, ["one"]) == [3]
    spark = EngineSettings.model_validate({"name": "spark", "spark": {"shared_folder": "/srv/shared"}})
    with pytest.raises(EngineError) as fault, engine_of(spark):
        pass
    assert str(fault.value) == 'the Spark engine needs an extra. What to do: pip install "ageingwell[spark]".'


class Builder:
    """Takes what a session would be started with."""

    def __init__(self) -> None:
        self.options: dict[str, str] = {}
        self.builder = self

    def master(self, master: str) -> "Builder":
        return self

    def config(self, name: str, value: str) -> "Builder":
        self.options[name] = value
        return self

    def getOrCreate(self) -> "Builder":  # noqa: N802 - PySpark's name
        return self


@pytest.mark.parametrize(
    ("master", "address"),
    [
        ("local[2]", "127.0.0.1"),
        ("local-cluster[2,1,1024]", "127.0.0.1"),
        ("spark://127.0.0.1:7077", "127.0.0.1"),
        ("spark://10.0.0.5:7077", None),
        ("yarn", None),
    ],
)
def test_a_session_on_this_machine_keeps_to_it_and_one_on_a_cluster_can_be_reached(
    master: str, address: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As Pandera leaves the environment where PySpark is installed.
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    monkeypatch.setenv("PYSPARK_PYTHON", "python3")
    options = _started(Builder(), SparkSettings(master=master), master).options  # type: ignore[attr-defined]
    assert os.environ.get("SPARK_LOCAL_IP") == address
    assert (options.get("spark.driver.bindAddress") == "127.0.0.1") == master.startswith("local")
    assert options["spark.ui.enabled"] == "false"


# As PySpark 4.3 raises them, shortened.
JOB = (
    "An error occurred while calling o99.collectToPython.\n: org.apache.spark.SparkException: Job aborted due to stage "
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            JOB
            + "failure: Task 1 in stage 2.0 failed 4 times, most recent failure: Lost task 1.3 in stage 2.0 (TID 9): "
            "org.apache.spark.SparkException: Python worker exited unexpectedly (crashed)\n\tat org.apache.spark.api",
            "Spark, part 2: the process of a task ended at every try",
        ),
        (
            JOB
            + "failure: Task 0 in stage 2.0 failed 4 times, most recent failure: Lost task 0.3 in stage 2.0 (TID 9) "
            "(10.0.0.4 executor 7): ExecutorLostFailure (executor 7 exited caused by one of the running tasks)",
            "Spark, part 1: the executors of a task were lost at every try",
        ),
        ("ModuleNotFoundError: No module named 'ageingwell'\n", "Spark: a package is missing on the executors"),
        ("[PYTHON_VERSION_MISMATCH] Python in worker has different version", "another version of Python"),
        ("[JAVA_GATEWAY_EXITED] Java gateway process exited before", "Spark did not start"),
        ("OSError: [Errno 28] No space left on device: Canary-7", "is full"),
        ("PermissionError: [Errno 13] Permission denied: Canary-7", "may not write to the shared folder"),
        ("Job 3 cancelled because SparkContext was shut down", "the Spark session ended, or the job was cancelled"),
        (": org.apache.spark.SparkException: [SOMETHING.NEW] of Canary-7", "Spark: the work failed (SOMETHING.NEW)"),
        ("[Canary-7] is a text", "Spark: the work failed (RuntimeError)"),
    ],
)
def test_what_spark_says_is_told_in_words_without_values_and_stack_traces(text: str, says: str) -> None:
    told = str(spark_error(RuntimeError(text)))
    assert says in told
    assert ". What to do: " in told
    assert not any(part in told for part in ("Canary-7", "org.apache", "\tat "))
