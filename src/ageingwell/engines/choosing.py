"""The engine that the settings ask for."""

from collections.abc import Iterator
from contextlib import contextmanager

from ageingwell.config.engine import EngineSettings
from ageingwell.engines.engine import Engine
from ageingwell.engines.local import LocalEngine


@contextmanager
def engine_of(settings: EngineSettings) -> Iterator[Engine]:
    """Give the engine that the settings name, for as long as it is used; then its processes or its own session end.

    >>> from ageingwell.config.engine import EngineSettings
    >>> with engine_of(EngineSettings()) as engine:
    ...     engine.name, engine.map(len, ["one", "three"])
    ('local', [3, 5])
    """
    if settings.name == "local":
        with LocalEngine(settings.processes) as engine:
            yield engine
        return
    # Nothing of Spark is imported unless it is asked for.
    from ageingwell.engines.spark import SparkEngine
    from ageingwell.engines.spark_sessions import spark_session

    with spark_session(settings.spark) as session:
        yield SparkEngine(session)
