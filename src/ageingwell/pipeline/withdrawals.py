"""Taking people off a list that is already made: opt-outs, deaths and moves, every night, also when scoring stops."""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl

from ageingwell.config.load import Config
from ageingwell.decisions.effects import contacts_in
from ageingwell.decisions.ledger import read_ledger
from ageingwell.errors import AgeingWellError, LedgerError
from ageingwell.outreach.flags import under_safeguarding
from ageingwell.permissions import excluded, in_force, marked
from ageingwell.pipeline.files import NightFrames, read_frames
from ageingwell.pipeline.pack import publish_withdrawal
from ageingwell.pipeline.recording import ledger_path
from ageingwell.pseudonyms import Key
from ageingwell.publish import Published, current
from ageingwell.sources.locate import locate
from ageingwell.sources.read import CheckedTable, read_table
from ageingwell.spine import latest_versions


@dataclass(frozen=True)
class Withdrawn:
    """Who may not stand on any list any more, as the records say now.

    `people`: person_id, reason (opt-outs, deaths, leavings). `homes`: household_id of homes that objected, and of homes
    under safeguarding. `now_at`: person_id and the home they were last registered at.
    """

    people: pl.DataFrame
    homes: pl.DataFrame
    now_at: pl.DataFrame


OPT_OUTS = ("objection", "restriction", "national", "type_1")
_REASONED = {"person_id": pl.String, "reason": pl.String}
_VERSIONS = {"person_id": pl.String, "household_id": pl.String, "died_on": pl.Date, "left_on": pl.Date}
_HOMES = {"household_id": pl.String, "reason": pl.String}


def find_withdrawn(data: Path, *, out: Path, config: Config, workspace: Path, on: date) -> Withdrawn:
    """Read opt-outs and GP register, and whom contacts and the ledger in `out` tell to have died: who is to be taken
    off, however late it was recorded.

    A table that cannot be read adds nobody here: scoring, which needs it, stops and says why, and what the others say
    still counts.
    """
    permissions = _readable("permissions", data, config, workspace)
    patients = _readable("gp_patients", data, config, workspace)
    people, homes = [pl.DataFrame(schema=_REASONED)], [pl.DataFrame(schema=_HOMES)]
    newest = pl.DataFrame(schema=_VERSIONS) if patients is None else latest_versions(patients.rows)
    people.append(newest.filter(pl.col("died_on").is_not_null()).select("person_id", reason=pl.lit("deceased")))
    people.append(newest.filter(pl.col("left_on").is_not_null()).select("person_id", reason=pl.lit("moved")))
    people += _told_to_have_died(_readable("contacts", data, config, workspace), ledger_path(out, config), on=on)
    if permissions is not None:
        opted = in_force(permissions.rows, on=on)
        excluded_ones = excluded(opted, purpose=config.score.purpose, ledger=config.ledger)
        people.append(excluded_ones.drop_nulls("person_id").select("person_id", "reason"))
        if patients is not None:
            people.append(_ever_lived_in(excluded_ones.drop_nulls("household_id"), patients))
        homes.append(excluded_ones.drop_nulls("household_id").select("household_id", "reason"))
        marks = under_safeguarding(marked(opted, "safeguarding"), newest)
        people.append(marks.drop_nulls("person_id").select("person_id", reason=pl.lit("safeguarding")))
        homes.append(marks.drop_nulls("household_id").select("household_id", reason=pl.lit("safeguarding")))
    return Withdrawn(
        people=pl.concat(people).unique("person_id", keep="first", maintain_order=True),
        homes=pl.concat(homes).unique("household_id", keep="first", maintain_order=True),
        now_at=newest.select("person_id", "household_id"),
    )


def _ever_lived_in(homes: pl.DataFrame, patients: CheckedTable) -> pl.DataFrame:
    """Everyone ever registered at a home that objected, as scoring takes them out too."""
    living_there = patients.rows.join(homes.lazy().select("household_id", "reason"), on="household_id")
    return living_there.select("person_id", "reason").unique().collect()


def _told_to_have_died(contacts: CheckedTable | None, ledger: Path, *, on: date) -> list[pl.DataFrame]:
    """Those whom a visitor found deceased, by the agencies' contacts and by the lists that came back."""
    told = [] if contacts is None else [contacts.rows.select("person_id", "outcome").collect()]
    # Scoring reads the ledger too, and stops where it was changed or damaged.
    with suppress(LedgerError):
        told.append(contacts_in(read_ledger(ledger), as_of=on).select("person_id", "outcome"))
    deceased = [found.filter(pl.col("outcome") == "deceased").drop_nulls("person_id") for found in told]
    return [found.select("person_id", reason=pl.lit("deceased")) for found in deceased]


def _readable(name: str, data: Path, config: Config, workspace: Path) -> CheckedTable | None:
    try:
        location = locate(name, config.tables[name], data)
        return None if location is None else read_table(location, config.tables[name], workspace=workspace / name)
    except AgeingWellError:
        # Told by the scoring that follows, which reads the same table and stops there.
        return None


def without_withdrawn(frames: NightFrames, gone: Withdrawn) -> NightFrames:
    """The same night without the people and homes that are withdrawn; they are counted by reason, never named.

    Somebody is taken off who opted out, died or left, whose home objected or came under safeguarding, and whom the
    register has at another home now.
    """
    out = _people_out(frames, gone)
    residents = _still_residents(frames.residents, gone)
    if out.is_empty() and not _names_a_home(frames, gone) and residents.height == frames.residents.height:
        return frames
    doors = _doors(frames, out, gone)
    kept = replace(frames, residents=residents)
    without = kept.each(lambda frame: _without(frame, out, doors, gone))
    return _with_counts(without, out.join(frames.attrition, on="person_id", how="semi"))


def _people_out(frames: NightFrames, gone: Withdrawn) -> pl.DataFrame:
    """Those of the night who are withdrawn: person_id, reason.

    Deaths, leavings and moves concern those who could have been visited; an opt-out takes the person out of every
    file, the account of who left included.
    """
    here = _at_home(frames)
    moved = _moved(here, gone)
    at_home_that_objects = gone.now_at.join(_objecting(gone), on="household_id")
    named = _everyone_named(frames)
    told = [
        gone.people.filter(pl.col("reason").is_in(OPT_OUTS)).join(named, on="person_id", how="semi"),
        at_home_that_objects.join(named, on="person_id", how="semi"),
        here.join(gone.people, on="person_id"),
        here.join(gone.homes, on="household_id"),
        moved.with_columns(reason=pl.lit("moved")),
    ]
    both = pl.concat([part.select("person_id", "reason") for part in told])
    return both.unique("person_id", keep="first", maintain_order=True).sort("person_id")


def _still_residents(residents: pl.DataFrame, gone: Withdrawn) -> pl.DataFrame:
    """Everybody counted where they live, those who could not be visited included: nobody who is withdrawn stays."""
    moved = _moved(residents, gone)
    kept = residents.join(gone.people, on="person_id", how="anti", maintain_order="left")
    kept = kept.join(gone.homes, on="household_id", how="anti", maintain_order="left")
    return kept.join(moved, on="person_id", how="anti", maintain_order="left")


def _moved(here: pl.DataFrame, gone: Withdrawn) -> pl.DataFrame:
    """Those whom the register has at another home now."""
    both = here.join(gone.now_at, on="person_id", suffix="_now")
    return both.filter(~pl.col("household_id").eq_missing(pl.col("household_id_now")))


def _at_home(frames: NightFrames) -> pl.DataFrame:
    """Those who could have been visited, and where: person_id, household_id."""
    both = [frame.select("person_id", "household_id") for frame in (frames.scores, frames.listed)]
    return pl.concat(both).unique("person_id", keep="first", maintain_order=True)


def _everyone_named(frames: NightFrames) -> pl.DataFrame:
    """Everyone whom any frame names, those who left the last list included: person_id."""
    every: tuple[pl.DataFrame, ...] = tuple(vars(frames).values())
    naming = [frame.select("person_id") for frame in every if "person_id" in frame.columns]
    return pl.concat(naming).drop_nulls().unique()


def _doors(frames: NightFrames, out: pl.DataFrame, gone: Withdrawn) -> pl.Series:
    """The doors whose figures count somebody withdrawn: ids of homes, and of people without one."""
    theirs = _at_home(frames).join(out, on="person_id", how="semi").select(pl.coalesce("household_id", "person_id"))
    return pl.concat([theirs.to_series(), gone.homes["household_id"]]).unique().sort()


def _objecting(gone: Withdrawn) -> pl.DataFrame:
    return gone.homes.filter(pl.col("reason") != "safeguarding")


def _names_a_home(frames: NightFrames, gone: Withdrawn) -> bool:
    return not frames.needs.join(_objecting(gone), on="household_id", how="semi").is_empty()


def _without(frame: pl.DataFrame, out: pl.DataFrame, doors: pl.Series, gone: Withdrawn) -> pl.DataFrame:
    if "person_id" in frame.columns:
        frame = frame.filter(~pl.col("person_id").is_in(out["person_id"].implode()).fill_null(value=False))
    if "household_id" in frame.columns:
        # A frame of homes loses those under safeguarding too; where people are named, each of them was judged above.
        homes = _objecting(gone) if "person_id" in frame.columns else gone.homes
        frame = frame.filter(~pl.col("household_id").is_in(homes["household_id"].implode()).fill_null(value=False))
    if "door_id" in frame.columns:
        frame = frame.filter(~pl.col("door_id").is_in(doors.implode()))
    if "extra_doors" in frame.columns:
        frame = frame.with_columns(pl.col("extra_doors").list.set_difference(doors.to_list()).list.sort())
    return frame


def _with_counts(frames: NightFrames, out: pl.DataFrame) -> NightFrames:
    counted = out.group_by("reason").agg(n=pl.len().cast(pl.Int64)).sort("reason")
    rows = counted.select(
        person_id=pl.lit(None, dtype=pl.String),
        step=pl.lit("withdrawn"),
        reason="reason",
        n="n",
        re_enters_on=pl.lit(None, dtype=pl.Date),
    )
    attrition = pl.concat([frames.attrition, rows]).sort("person_id", "step", "reason", nulls_last=False)
    return NightFrames(**{**vars(frames), "attrition": attrition})


def withdraw_from_current(
    data: Path, *, out: Path, config: Config, workspace: Path, on: date, key: Key | None
) -> Published | None:
    """Take everyone withdrawn off the current list and publish the rest as a new revision of that night.

    Returns `None` where there is no current list, or nobody on it is withdrawn. Without the night's list key, and of a
    night that an earlier version made, the pages and workbooks cannot be drawn, so the revision has none: better no
    page than one with somebody on it who opted out.
    Hold the publishing lock around it.
    """
    folder = current(out)
    if folder is None:
        return None
    gone = find_withdrawn(data, out=out, config=config, workspace=workspace, on=on)
    frames = read_frames(folder)
    kept = without_withdrawn(frames, gone)
    return None if kept is frames else publish_withdrawal(folder, kept, out=out, config=config, key=key)
