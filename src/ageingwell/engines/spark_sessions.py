"""A Spark session: the one that the job was started with, or one of our own for as long as it is used."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ageingwell.config.engine import SparkSettings
from ageingwell.engines.spark_faults import in_words
from ageingwell.errors import ConfigError, EngineError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LOOPBACK = "127.0.0.1"
# Days are read from moments as this zone shows them: with one zone everywhere a night does not depend on a machine.
# Below `FATAL` Spark prints Java's stack traces for what we tell in a sentence; `spark.log.level` brings them back.
_DEFAULTS = {
    "spark.app.name": "ageingwell",
    "spark.log.level": "FATAL",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",
}
_ON_THIS_MACHINE = {"spark.driver.host": LOOPBACK, "spark.driver.bindAddress": LOOPBACK}


@contextmanager
def spark_session(settings: SparkSettings) -> "Iterator[SparkSession]":
    """Give the session that is there, which is left running, or start one on `settings.master` and stop it at the end.

    Raises `ConfigError` where a master is named although a session runs, `EngineError` where Spark does not start or
    the extra is not installed.
    """
    session_type = _session_type()
    with in_words():
        running = session_type.getActiveSession()
    if settings.master is None:
        # On Databricks, Fabric and Synapse the session outlives the job.
        with in_words():
            session = running or session_type.builder.getOrCreate()
        yield session
        return
    if running is not None:
        raise ConfigError(
            "`engine.spark.master` is set, and a Spark session is running already", "leave the key out to use that one"
        )
    with in_words():
        session = _started(session_type, settings, settings.master)
    try:
        yield session
    finally:
        session.stop()


def _session_type() -> Any:
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise EngineError("the Spark engine needs an extra", 'pip install "ageingwell[spark]"') from None
    return SparkSession


def _started(session_type: Any, settings: SparkSettings, master: str) -> "SparkSession":
    options = {**_DEFAULTS, **settings.options}
    if master.startswith("local"):
        options = {**_ON_THIS_MACHINE, **options}
        # What these masters start is on this machine: nothing listens to the network, and the Python is this one.
        os.environ.setdefault("SPARK_LOCAL_IP", LOOPBACK)
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    elif os.environ.get("SPARK_LOCAL_IP") == LOOPBACK and not re.search(r"//(localhost|127\.)", master):
        # Pandera puts this into the environment when it is imported and PySpark is there: a cluster of other machines
        # would look for the driver on each of its own.
        del os.environ["SPARK_LOCAL_IP"]
    builder = session_type.builder.master(master)
    for name, value in options.items():
        builder = builder.config(name, value)
    session: SparkSession = builder.getOrCreate()
    return session
