"""The frames of a night, and the Parquet files they are kept in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Final

import pandera.polars as pa
import polars as pl

from ageingwell.checksums import ChangedError, read_plainly
from ageingwell.contracts.kept import (
    Beeswarm,
    Coarsened,
    Counted,
    Drift,
    JustMissed,
    LastTime,
    LeftList,
    Lot,
    Marginal,
    Plans,
    Residents,
    Safeguarded,
    SinceLast,
)
from ageingwell.contracts.made import (
    Attrition,
    Compared,
    InTouch,
    Links,
    Needs,
    OutreachList,
    PastEvents,
    Reasons,
    Recorded,
    Scores,
    Spine,
    validated,
)
from ageingwell.contracts.services import Offerable
from ageingwell.disk import DISK
from ageingwell.errors import PublishError
from ageingwell.kept.sealed import read_kept
from ageingwell.shown import Screen, Shown

# The form of a night's folder, in its manifest. Raise it whenever a frame or a column that pages are drawn from is
# added, goes, or changes its meaning: a night of another format is withdrawn from without pages.
NIGHT_FORMAT: Final = 5
ONE_KEY_EACH: Final = 5  # from this format on every recipient's rows have a key of their own

# The frames with a row for everybody: of a large place they stay on disk, and are read when asked.
OF_EVERYBODY: Final = ("attrition", "scores", "residents")
ROWS_OF_A_GROUP: Final = 131_072  # of a Parquet file; as many rows are written at once
Frame = pl.DataFrame | pl.LazyFrame


@dataclass(frozen=True, repr=False)
class NightFrames(Shown):
    """Everything a night's files are drawn from; each frame is one Parquet file (`listed` is `list.parquet`).

    Besides the tables that other programs read (`list`, `needs`, `attrition`, `scores`, `reasons`) a night keeps what
    its pages show, so that they can be drawn again without the records when somebody has to be taken off: `recorded`
    (facts on record of each listed person that a rule for needs counts), `compared` (whom each listed person is
    compared with), `in_touch` (which agencies have a record of them), `past_events` (what happened to them in three
    years), `people` (the spine of those listed or safeguarded), `safeguarded` (for the safeguarding lead alone),
    `left_list` (who left since the last night and why), `just_missed`, `marginal`, `residents` (where everybody lives
    and who knows them, to be counted and never shown), `services` (what the directory of local services offers),
    `last_time` (what the group's ledger tells of each person), `plans` (the plans that go on) and `since_last` (how
    many were decided since the last list, exactly, for the group alone), `lot` (everybody who took part in a lot at the
    margin, tonight's and all before), `coarsened` (which rows tell less) and `counted` (exact counts of groups, for the
    page for commissioners); and for the annex `beeswarm` (contributions of people drawn by lot), `drift` (of tonight's
    facts from those the model was fitted on) and `links` (how much of each table meets the register), which the next
    night is compared with too.
    """

    listed: pl.DataFrame
    needs: pl.DataFrame
    attrition: Frame
    scores: Frame
    reasons: pl.DataFrame
    recorded: pl.DataFrame
    compared: pl.DataFrame
    in_touch: pl.DataFrame
    past_events: pl.DataFrame
    people: pl.DataFrame
    safeguarded: pl.DataFrame
    left_list: pl.DataFrame
    just_missed: pl.DataFrame
    marginal: pl.DataFrame
    beeswarm: pl.DataFrame
    drift: pl.DataFrame
    residents: Frame
    services: pl.DataFrame
    links: pl.DataFrame
    last_time: pl.DataFrame
    plans: pl.DataFrame
    since_last: pl.DataFrame
    lot: pl.DataFrame
    coarsened: pl.DataFrame
    counted: pl.DataFrame

    def _screen(self) -> Screen:
        of = {field.name: getattr(self, field.name) for field in fields(self)}
        sizes = [(n, f.height if isinstance(f, pl.DataFrame) else "on disk, read when asked") for n, f in of.items()]
        # All of them, whatever a screen holds: their names are what somebody looks for here.
        half = (len(sizes) + 1) // 2
        pairs = zip(sizes[:half], [*sizes[half:], ("", "")])
        rows = [(*one, *other) for one, other in pairs]
        return Screen("Frames of a night, by name and rows", {}, ("frame", "rows", "frame", "rows"), rows)

    def as_kept(self, folder: Path) -> "NightFrames":
        """The same night with the frames of everybody read from its folder, when they are asked."""
        attrition, scores, residents = (pl.scan_parquet(folder / frame_file(name), glob=False) for name in OF_EVERYBODY)
        return replace(self, attrition=attrition, scores=scores, residents=residents)

    def in_memory(self) -> "NightFrames":
        """The same night with the frames of everybody read."""
        read = {name: getattr(self, name).lazy().collect() for name in OF_EVERYBODY}
        return replace(self, **read)

    def each(self, change: Callable[[pl.DataFrame], pl.DataFrame]) -> "NightFrames":
        """The same night, read, with every frame changed."""
        read = self.in_memory()
        return replace(read, **{field.name: change(getattr(read, field.name)) for field in fields(read)})

    def of_listed(self, name: str) -> pl.DataFrame:
        """The rows of a frame that are of people on the list."""
        frame: Frame = getattr(self, name)
        listed = self.listed.lazy().select("person_id")
        return frame.lazy().join(listed, on="person_id", how="semi", maintain_order="left").collect()

    def counts(self) -> pl.DataFrame:
        """How many people left at each step, by reason: step, reason, n."""
        steps = self.attrition.lazy().group_by("step", "reason").agg(pl.col("n").sum())
        return steps.collect().sort("step", "reason")


CONTRACTS: dict[str, type[pa.DataFrameModel]] = {
    "listed": OutreachList,
    "needs": Needs,
    "attrition": Attrition,
    "scores": Scores,
    "reasons": Reasons,
    "recorded": Recorded,
    "compared": Compared,
    "in_touch": InTouch,
    "past_events": PastEvents,
    "people": Spine,
    "safeguarded": Safeguarded,
    "left_list": LeftList,
    "just_missed": JustMissed,
    "marginal": Marginal,
    "beeswarm": Beeswarm,
    "drift": Drift,
    "residents": Residents,
    "services": Offerable,
    "links": Links,
    "last_time": LastTime,
    "plans": Plans,
    "since_last": SinceLast,
    "lot": Lot,
    "coarsened": Coarsened,
    "counted": Counted,
}
# A night that lacks one of these is whole: an earlier version of the same format did not write it.
OPTIONAL: Final = ("lot", "coarsened", "counted")


def check_frames(night: NightFrames) -> None:
    """Check each frame against its contract; an `AssertionError` names the contract, columns and rules broken.

    A frame that stays on disk was checked as it was written.
    """
    for name, contract in CONTRACTS.items():
        frame = getattr(night, name)
        if isinstance(frame, pl.DataFrame):
            validated(contract, frame)


def save_frames(night: NightFrames, folder: Path, *, seal: Mapping[str, str] | None = None) -> None:
    """Write each frame as Parquet, checked against its contract; `seal` goes into the list's metadata."""
    check_frames(night)
    save_as_found(night, folder, found=tuple(CONTRACTS), seal=seal)


def save_as_found(
    night: NightFrames, folder: Path, *, found: Sequence[str], seal: Mapping[str, str] | None = None
) -> None:
    """Write the frames that were `found`, by name, with the columns that they have and unchecked."""
    for name in found:
        frame: Frame = getattr(night, name)
        told = dict(seal) if seal and name == "listed" else None
        how = {"compression": "zstd", "row_group_size": ROWS_OF_A_GROUP, "maintain_order": True, "metadata": told}
        DISK.sink_frame(folder / frame_file(name), frame.lazy(), **how)


def frame_file(frame: str) -> str:
    """The name of the file a frame is kept in.

    >>> frame_file("listed"), frame_file("needs")
    ('list.parquet', 'needs.parquet')
    """
    return "list.parquet" if frame == "listed" else f"{frame}.parquet"


def read_frame(folder: Path, name: str, *, columns: Sequence[str] = ()) -> pl.DataFrame:
    """Read one frame of a published night, which any version may have made; it has to have these `columns`.

    Raises `PublishError` where the file is not there, is not as it was published, is damaged, or lacks one of them.
    """
    frame = _parsed(folder, name, read_kept)
    lacking = [column for column in columns if column not in frame.columns]
    if lacking:
        raise _no_use(folder, name, f"lacks {', '.join(f'`{column}`' for column in lacking)}")
    return frame


def read_frame_unchecked(folder: Path, name: str) -> pl.DataFrame:
    """Read one frame of a published night as it is now, whatever its sums say: only to see whom it names.

    Raises `PublishError` where it cannot be read.
    """
    return _parsed(folder, name, lambda folder, name: read_plainly(folder / name))


def _parsed(folder: Path, name: str, read: Callable[[Path, str], bytes]) -> pl.DataFrame:
    try:
        return pl.read_parquet(read(folder, frame_file(name)))
    # A file that is damaged inside makes the Parquet reader panic, which is no `Exception`.
    except (OSError, ChangedError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
        raise _no_use(folder, name, "cannot be read") from None


def _no_use(folder: Path, name: str, why: str) -> PublishError:
    return PublishError(
        f"{frame_file(name)} of the published night {folder.name} {why}", "put that night's folder back as it was"
    )


# What the next list is compared with.
PREVIOUS: Final = ("person_id", "household_id", "lead_agency", "why")


def previous_list(folder: Path | None) -> pl.DataFrame | None:
    """The list of an earlier night, as far as the next one needs it: `PREVIOUS`, texts; None where it is of no use.

    A revision lacks its list where somebody had to be taken off it and the file was damaged.
    """
    if folder is None:
        return None
    try:
        return read_frame(folder, "listed", columns=PREVIOUS).select(pl.col(PREVIOUS).cast(pl.String))
    except (PublishError, pl.exceptions.PolarsError):
        return None
