"""Settings of the engine: where the parts of a run are worked."""

import re
from pathlib import PurePosixPath
from typing import Literal

from pydantic import Field, field_validator, model_validator

from ageingwell.config.files import Settings

# Spark shows its options on its pages and writes them into its event log.
_SECRET = re.compile(r"secret|password|token|credential|\bkey\b", re.IGNORECASE)


class SparkSettings(Settings):
    """The Spark cluster that works the parts, where `engine.name` is "spark"."""

    master: str | None = Field(
        default=None,
        description='the cluster\'s address, such as "spark://10.0.0.5:7077" or "yarn"; empty: the session that the '
        "job was started with, as on Databricks, Fabric and Synapse",
    )
    shared_folder: str | None = Field(
        default=None,
        description="a folder that has this path on the driver and on every executor: parts keep there what "
        "they pass on",
    )
    options: dict[str, str] = Field(
        default_factory=dict, description="options of the Spark session that is started; none of them may be a secret"
    )

    @model_validator(mode="after")
    def _options_of_ours(self) -> "SparkSettings":
        if self.options and self.master is None:
            raise ValueError("options without master: a session that is there already keeps its own")
        return self

    @field_validator("shared_folder")
    @classmethod
    def _from_the_root(cls, value: str | None) -> str | None:
        if value is not None and not PurePosixPath(value).is_absolute():
            raise ValueError("write a whole path, from / on, that is the same on every machine")
        return value

    @field_validator("options")
    @classmethod
    def _no_secret(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value:
            if _SECRET.search(name):
                raise ValueError(
                    f"`{name}` looks like a secret, and Spark shows its options to others: give it to the cluster, "
                    "not to these settings"
                )
            if not name.startswith("spark."):
                raise ValueError(f"`{name}` is not an option of Spark: their names begin with spark.")
        return value


class EngineSettings(Settings):
    """Where the parts of a run are worked. The results are the same, byte for byte."""

    name: Literal["local", "spark"] = Field(
        default="local", description="local: on this machine; spark: on a cluster, with the extra `spark`"
    )
    processes: int = Field(
        default=1, ge=1, le=256, description="processes that work parts at once on this machine; each takes its memory"
    )
    spark: SparkSettings = Field(default=SparkSettings(), description="the Spark cluster")

    @model_validator(mode="after")
    def _complete(self) -> "EngineSettings":
        if self.name == "spark" and self.spark.shared_folder is None:
            raise ValueError("spark.shared_folder is missing: Spark's machines hand files on through it")
        return self
