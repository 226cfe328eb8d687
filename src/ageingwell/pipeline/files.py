"""The frames of a night, and the Parquet files they are kept in."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path

import pandera.polars as pa
import polars as pl

from ageingwell.contracts.made import Attrition, Compared, InTouch, Needs, OutreachList, Reasons, Scores, validated
from ageingwell.contracts.services import Offerable
from ageingwell.errors import PublishError


@dataclass(frozen=True)
class NightFrames:
    """Everything a night's files are drawn from; each frame is one Parquet file (`listed` is `list.parquet`).

    Besides the tables that other programs read (`list`, `needs`, `attrition`, `scores`, `reasons`) a night keeps what
    its pages show, so that they can be drawn again without the records when somebody has to be taken off: `compared`
    (whom each listed person is compared with), `in_touch` (which agencies have a record of them), `people` (the spine
    of those listed or safeguarded), `safeguarded` (for the safeguarding lead alone), `left_list` (who left since the
    last night and why), `just_missed`, `marginal`, `residents` (where everybody lives and who knows them, to be
    counted and never shown) and `services` (what the directory of local services offers); and for the annex `beeswarm`
    (contributions of people drawn by lot) and `drift` (of tonight's facts from those the model was fitted on).
    """

    listed: pl.DataFrame
    needs: pl.DataFrame
    attrition: pl.DataFrame
    scores: pl.DataFrame
    reasons: pl.DataFrame
    compared: pl.DataFrame
    in_touch: pl.DataFrame
    people: pl.DataFrame
    safeguarded: pl.DataFrame
    left_list: pl.DataFrame
    just_missed: pl.DataFrame
    marginal: pl.DataFrame
    beeswarm: pl.DataFrame
    drift: pl.DataFrame
    residents: pl.DataFrame
    services: pl.DataFrame

    def each(self, change: Callable[[pl.DataFrame], pl.DataFrame]) -> "NightFrames":
        """The same night with every frame changed."""
        return replace(self, **{field.name: change(getattr(self, field.name)) for field in fields(self)})


CONTRACTS: dict[str, type[pa.DataFrameModel]] = {
    "listed": OutreachList,
    "needs": Needs,
    "attrition": Attrition,
    "scores": Scores,
    "reasons": Reasons,
    "compared": Compared,
    "in_touch": InTouch,
    "services": Offerable,
}


def save_frames(night: NightFrames, folder: Path) -> None:
    """Write each frame as Parquet, checked against its contract where it has one."""
    for field in fields(night):
        frame = getattr(night, field.name)
        if field.name in CONTRACTS:
            validated(CONTRACTS[field.name], frame)
        frame.write_parquet(folder / _file(field.name), compression="zstd")


# What nights of earlier versions were published without.
_LATER = frozenset({"compared", "in_touch", "beeswarm", "drift", "residents", "services"})
_NOBODY = pl.Schema({"person_id": pl.String, "household_id": pl.String})


def read_frames(folder: Path) -> NightFrames:
    """Read the frames of a published night; of one that an earlier version made, what it lacks names nobody."""
    return NightFrames(
        **{
            name: pl.DataFrame(schema=_NOBODY) if _is_lacking(folder, name) else read_frame(folder, name)
            for name in _names()
        }
    )


def is_of_this_version(folder: Path) -> bool:
    """Whether a published night holds every frame and column that its pages are drawn from now."""
    for name in _names():
        if _is_lacking(folder, name):
            return False
        promised = CONTRACTS[name].to_schema().columns if name in CONTRACTS else {}
        if not set(promised) <= set(read_frame(folder, name).columns):
            return False
    return True


def save_as_found(night: NightFrames, folder: Path, *, found: Path) -> None:
    """Write the frames that an earlier version left in `found`, with the columns that they have."""
    for name in _names():
        if not _is_lacking(found, name):
            getattr(night, name).write_parquet(folder / _file(name), compression="zstd")


def _names() -> list[str]:
    return [field.name for field in fields(NightFrames)]


def _is_lacking(folder: Path, name: str) -> bool:
    return name in _LATER and not (folder / _file(name)).exists()


def read_frame(folder: Path, name: str) -> pl.DataFrame:
    """Read one frame of a published night; what no run could have left behind is a `PublishError`."""
    try:
        return pl.read_parquet(folder / _file(name))
    except (OSError, pl.exceptions.PolarsError):
        raise PublishError(
            f"{_file(name)} of the published night {folder.name} cannot be read",
            "put that night's folder back as it was published",
        ) from None


def _file(frame: str) -> str:
    return "list.parquet" if frame == "listed" else f"{frame}.parquet"
