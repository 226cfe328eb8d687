"""Tables that Spark alone reads, put for a while where the night reads them like any others."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from ageingwell.config.load import Config
from ageingwell.disk import DISK
from ageingwell.engines.spark_reading import is_for_spark, spark_tables
from ageingwell.engines.spark_sessions import spark_session
from ageingwell.errors import AgeingWellError
from ageingwell.night.shards import shared_scratch
from ageingwell.pseudonyms.fingerprints import RECORD


@contextmanager
def with_tables_of_spark(
    config: Config, data: Path, *, only: Sequence[str] | None = None, or_without: bool = False
) -> Iterator[Config]:
    """Give the settings with a folder for the location of each table that Spark alone reads, as long as it is read.

    The folder is a private one in the folder that Spark's machines share, and is gone afterwards. The data folder's
    `pseudonymised.json` lies beside the tables, for a table of Spark tells no key. `only` names the tables wanted.
    Where nothing is for Spark, or the engine is another (reading then says so), the settings are given as they are;
    with `or_without` also where Spark cannot read a table.
    """
    wanted = {
        name: location
        for name, table in config.tables.items()
        if (location := table.location) is not None and is_for_spark(location) and (only is None or name in only)
    }
    with ExitStack() as until_read:
        if wanted and config.score.engine.name == "spark":
            with suppress(*((AgeingWellError,) if or_without else ())):
                config = _put(config, data, wanted, until_read)
        yield config


def _put(config: Config, data: Path, wanted: dict[str, str], until_read: ExitStack) -> Config:
    settings = config.score.engine.spark
    folder = until_read.enter_context(shared_scratch("ageingwell-tables", settings.shared_folder))
    with spark_session(settings) as session:
        put = spark_tables(session, wanted, folder)
    if (data / RECORD).is_file():
        DISK.copy(data / RECORD, folder / RECORD)
    # A whole path is taken as it is, whatever the data folder.
    moved = {name: config.tables[name].model_copy(update={"location": str(path)}) for name, path in put.items()}
    return replace(config, tables=config.tables | moved)
