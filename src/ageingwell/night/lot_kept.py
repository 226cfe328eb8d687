"""The lot in three places that must agree: `lot.parquet` of the nights, the ledger of decisions, and the manifest.

Whoever changed one of them would change who is left off the list, and what an impact says. The ledger is written when a
night is published: a run that dies between leaves a night whose draw the ledger does not tell at all, and the next
night adds it. A draw that it tells in part, or otherwise, is a fault.
"""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, Final

import polars as pl

from ageingwell.decisions.entry import LOT_KIND, Entry
from ageingwell.decisions.ledger import append, read_ledger
from ageingwell.disk import DISK, Disk
from ageingwell.errors import LotError, PublishError
from ageingwell.meeting.sent_lists import manifest_of
from ageingwell.outreach.lot import lot_number, week_of
from ageingwell.publish import revisions

RECIPIENT, ROLE = "group", "score"
WON, LOST, NO_MORE = "won", "lost", "none"
_REMEDY: Final = "put the folder of nights and the ledger back from one copy, made at one time"


def keep_lot(ledger: Path, lot: pl.DataFrame, *, on: date, people: pl.Series, disk: Disk = DISK) -> int:
    """Add to the ledger what the lots of a night that was published gave, and how many entries that took.

    `lot` is the night's (`LOT`), with all before; `people` are those of the night (person_id). Draws that the ledger
    does not tell at all are added; of the night `on` itself, made again, what changed. Hold the publishing lock around
    it.
    """
    if lot.is_empty() and not ledger.exists():
        return 0
    told = _newest(read_ledger(ledger))
    n_added = 0
    for night in sorted({*lot["drawn_on"].to_list(), on}):
        drawn, known = lot.filter(drawn_on=night), told.filter(night=night)
        if night != on and not known.is_empty():
            continue
        entries = _entries(drawn, known, night=night, people=people)
        digest = hashlib.sha256(drawn.write_csv().encode()).hexdigest()
        # A draw is known from its night on, whenever the night was made: the same night again reads the same ledger.
        at = datetime.combine(night, time(12), tzinfo=UTC)
        append(ledger, entries, role=ROLE, recorded_at=at, file_sha256=digest, disk=disk)
        n_added += len(entries)
    return n_added


def stop_on_other_lot(lot: pl.DataFrame, ledger: pl.DataFrame, nights: Path | None = None) -> None:
    """Stop where the ledger, or the manifest of a night in `nights`, tells another draw than `lot` (`LOT`).

    Somebody who opted out is in no lot any more and stays in the ledger; so is who was forgotten in neither. Raises
    `LotError`, which names the night and no person.
    """
    told = _newest(ledger)
    for (night,), drawn in lot.sort("drawn_on").group_by("drawn_on", maintain_order=True):
        if not isinstance(night, date):
            continue
        if n_other := _n_other(drawn, told.filter(night=night)):
            raise LotError(
                f"of the lot of {night}, lot.parquet and the ledger of decisions tell {n_other} people otherwise",
                _REMEDY,
            )
        manifest = {} if nights is None else _manifest(nights, night)
        if fault := _not_drawn_so(drawn, manifest.get("lot", {}) if manifest else None, night):
            raise LotError(f"the lot of {night} in lot.parquet {fault}", _REMEDY)


def _newest(ledger: pl.DataFrame) -> pl.DataFrame:
    """What the ledger tells last of each person and draw: night, person_id, agency, lot, left_out_until."""
    of_lots = ledger.filter(kind=LOT_KIND).sort("position")
    newest = of_lots.unique(["night", "person_id"], keep="last", maintain_order=True)
    return newest.select("night", "person_id", "agency", "lot", "left_out_until")


def _as_told(drawn: pl.DataFrame) -> pl.DataFrame:
    return drawn.select(
        "person_id",
        "household_id",
        agency="lead_agency",
        lot=pl.when("is_won").then(pl.lit(WON)).otherwise(pl.lit(LOST)),
        left_out_until="left_out_until",
    )


_SAME: Final = ("person_id", "agency", "lot", "left_out_until")


def _n_other(drawn: pl.DataFrame, told: pl.DataFrame) -> int:
    """Of how many people of a draw the ledger tells otherwise; of none where it tells nothing of the draw at all."""
    if told.is_empty():
        return 0
    ours = _as_told(drawn)
    return ours.join(told.select(_SAME), on=_SAME, how="anti", nulls_equal=True).height


def _entries(drawn: pl.DataFrame, told: pl.DataFrame, *, night: date, people: pl.Series) -> list[Entry]:
    """The entries that make the ledger tell a draw as it is."""
    ours = _as_told(drawn)
    new = ours.join(told.select(_SAME), on=_SAME, how="anti", nulls_equal=True).sort("person_id")
    gone = told.filter(
        ~pl.col("person_id").is_in(ours["person_id"].implode())
        & pl.col("person_id").is_in(people.implode())
        & (pl.col("lot") != NO_MORE)
    ).sort("person_id")
    return [
        *(Entry(night, RECIPIENT, LOT_KIND, **row) for row in new.iter_rows(named=True)),
        *(
            Entry(night, RECIPIENT, LOT_KIND, person, None, agency=agency, lot=NO_MORE)
            for person, agency in gone.select("person_id", "agency").iter_rows()
        ),
    ]


def _manifest(nights: Path, night: date) -> Mapping[str, Any]:
    """The manifest of a night that is kept; nothing of one that has gone or cannot be read."""
    folders = revisions(nights, night.isoformat())
    with suppress(PublishError):
        return manifest_of(folders[-1]) if folders else {}
    return {}


def _not_drawn_so(drawn: pl.DataFrame, told: Mapping[str, Any] | None, night: date) -> str | None:
    """Why a draw is not what its week, its numbers and its manifest make it; `told` is None where that has gone."""
    if drawn["week"].unique().to_list() != [week_of(night)]:
        return "is of another week"
    for _, lot in drawn.group_by("lead_agency", "team"):
        won, lost = lot.filter("is_won")["number"], lot.filter(~pl.col("is_won"))["number"]
        if len(won) and len(lost) and float(won.max()) >= float(lost.min()):  # type: ignore[arg-type]
            return "is not what its numbers say: the lowest win"
    if told is None:
        return None
    if not told:
        return "is not in the manifest of the night"
    doors = drawn.unique("door_id").select("door_id", "number")
    again = [lot_number(door, week=str(told["week"]), seed=int(told["seed"])) for door in doors["door_id"]]
    return None if doors["number"].to_list() == again else "has other numbers than seed and week give"
