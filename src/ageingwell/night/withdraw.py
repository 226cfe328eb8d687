"""Taking people off a list that is already made: opt-outs, deaths and moves, every night, also when scoring stops."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from ageingwell.config.score import Ledger, Purpose
from ageingwell.config.withdrawing import WithdrawalSettings
from ageingwell.decisions.effects import contacts_in
from ageingwell.decisions.ledger import read_ledger
from ageingwell.errors import (
    AgeingWellError,
    ChangeError,
    KeepingError,
    LedgerError,
    NotPermittedError,
    SourceError,
)
from ageingwell.forgotten import FORGOTTEN as FORGOTTEN_FILE
from ageingwell.forgotten import read_forgotten
from ageingwell.kept.barred import BARRED_FILE, read_barred
from ageingwell.kept.reading import KeptNight, read_night
from ageingwell.night.barring import (
    NOTHING_LOST,
    Lost,
    keep_barred,
    lost_since,
    stop_on_delivery,
    told_by,
    without_leavings,
)
from ageingwell.night.doubt import is_in_doubt, knows_nobody, meet_nobody, under_another_key
from ageingwell.night.holding import marked_if_it_fails
from ageingwell.night.revising import Revision, publish_withdrawal
from ageingwell.night.taking_off import Withdrawn, is_mass_move, people_named, without_moves, without_withdrawn
from ageingwell.outreach.flags import under_safeguarding, with_people_at
from ageingwell.permissions import (
    FORGOTTEN,
    STRICTEST,
    allow_list,
    excluded,
    homes_of_excluded,
    in_force,
    marked,
    stop_unless_allowing,
    with_those_not_allowed,
)
from ageingwell.pseudonyms import Key
from ageingwell.publish import current
from ageingwell.publish.mark import mark_of, set_mark
from ageingwell.room import failed_write
from ageingwell.sources.declared import declared_in, differences
from ageingwell.sources.locate import locate
from ageingwell.sources.read import CheckedTable, read_table
from ageingwell.spine import deaths_told, latest_versions, left_by, sure_homes, unsure_homes

# Without these nobody can say who opted out, or who died or left.
_NEEDED: Final = ("permissions", "gp_patients")
_KEYED: Final = {"person_id": pl.String, "household_id": pl.String}
_VERSIONS: Final = _KEYED | dict.fromkeys(("died_on", "left_on", "left_recorded_on", "recorded_on"), pl.Date)
_REASONED: Final = _KEYED | {"reason": pl.String}
_NO_RULES: Final = pl.DataFrame(schema=_KEYED | {"kind": pl.String})
_NOBODY: Final = pl.DataFrame(schema=_KEYED)


def find_withdrawn(
    data: Path,
    *,
    out: Path,
    settings: WithdrawalSettings,
    workspace: Path,
    on: date,
    listed: pl.DataFrame = _NOBODY,
    purpose: Purpose | None = None,
    judged: Sequence[str] = (),
) -> Withdrawn:
    """Read opt-outs and GP register, and whom contacts, social care and the ledger in `out` tell to have died: who is
    to be taken off, however late it was recorded; and whoever was forgotten.

    `listed` are those whom the night names (person_id): an allow list is asked of them too, for they may have left the
    register. A table that cannot be read adds nobody here: scoring, which needs it, stops and says why, and what the
    others say still counts. `unread` names those, and those that can be read and not be believed (`night.doubt`).
    `purpose` is the list's own, where the settings do not say one; where nothing does, the stricter holds. `judged`
    are the digests of the files of the register from which the night judged the homes of the dead and gone.
    """
    no_room: set[str] = set()
    permissions = _readable("permissions", data, settings, workspace, no_room)
    patients = _readable("gp_patients", data, settings, workspace, no_room)
    newest = pl.DataFrame(schema=_VERSIONS) if patients is None else latest_versions(patients.rows)
    rules = _rules(permissions, newest, listed, ledger=settings.ledger, on=on)
    unheard: list[str] = []
    care = _readable("care_events", data, settings, workspace, unheard=unheard)
    contacts = _readable("contacts", data, settings, workspace, unheard=unheard)
    asked = settings.purpose or purpose or STRICTEST
    opted = excluded(rules, purpose=asked, ledger=settings.ledger)
    guarded = marked(rules, "safeguarding")
    unsure = _NOBODY if patients is None else unsure_homes(patients.rows)
    marks = with_people_at(under_safeguarding(guarded, newest, on=on), unsure)
    marks = marks.with_columns(reason=pl.lit("safeguarding"))
    died = newest.filter(pl.col("died_on").is_not_null()).with_columns(reason=pl.lit("deceased"))
    left = newest.filter(left_by(on)).with_columns(reason=pl.lit("moved"))
    told = _told_to_have_died(care, contacts, ledger=out / settings.ledger_file, on=on, unheard=unheard)
    forgotten, is_doubtful = _forgotten(out, listed, newest)
    # Of several reasons the first is told, and opt-outs reach furthest: into every file.
    people = [forgotten, opted, _living_in(opted, newest), died, *told, marks, left]
    read = {"permissions": permissions, "gp_patients": patients, "care_events": care, "contacts": contacts}
    doubted = _doubted(permissions, patients, settings, rules)
    if patients is not None and knows_nobody(newest, listed, settings):
        doubted.add("gp_patients")
    if patients is not None and judged and digests_of(patients) == list(judged):
        # The night knew of every row, and of the homes of the dead and gone told what was found there since.
        lived_in = _still_lived_in(newest, pl.concat([part.select("person_id") for part in (forgotten, opted)]), on=on)
    else:
        lived_in = newest.drop_nulls("household_id")
    # As the night judges it: by the last home that is told of each, the dead included, and by every kind that counts.
    barred = newest["household_id"].clear()
    if patients is not None:
        barred = homes_of_excluded(patients.rows, rules, purpose=asked, ledger=settings.ledger)
    return Withdrawn(
        told=told_by(read, ledger=settings.ledger, on=on),
        people=_first_of([part.drop_nulls("person_id") for part in people], "person_id"),
        homes=_first_of([part.drop_nulls("household_id") for part in (opted, marks)], "household_id"),
        now_at=_now_at(patients, newest),
        lived_in=pl.concat([lived_in.select("household_id"), barred.to_frame("household_id")]).unique(),
        # Who was forgotten is in no file at all, that of the safeguarding lead included.
        guarded=guarded.join(forgotten, on="person_id", how="anti", maintain_order="left"),
        unread=tuple(
            name
            for name, table in zip(_NEEDED, (permissions, patients), strict=True)
            # A full disk is no fault of the table: the run says so, and the next one has room again.
            if name not in no_room
            and (table is None or table.name in doubted or not _is_as_declared(name, table, data))
        )
        + ((FORGOTTEN_FILE,) if is_doubtful else ()),
        unheard=tuple(unheard),
    )


def _doubted(
    permissions: CheckedTable | None, patients: CheckedTable | None, settings: WithdrawalSettings, rules: pl.DataFrame
) -> set[str]:
    """Which of the two tables could be read and cannot be believed."""
    doubted = {
        table.name
        for table in (permissions, patients)
        if table is not None
        and (is_in_doubt(table, settings) or (table.name in settings.in_doubt and table.absent_columns))
    }
    if patients is not None and not rules.is_empty() and meet_nobody(rules, patients.rows, settings):
        doubted.add("permissions")
    return doubted


def _forgotten(out: Path, *named: pl.DataFrame) -> tuple[pl.DataFrame, bool]:
    """Those of some people (person_id) who were forgotten, with the reason; and whether nobody can say who they are."""
    people = pl.concat([frame.select(pl.col("person_id").cast(pl.String)) for frame in named])
    try:
        found, is_doubtful = read_forgotten(out).among(people["person_id"]), False
    except KeepingError:
        found, is_doubtful = people["person_id"].clear(), True
    return found.to_frame().with_columns(reason=pl.lit(FORGOTTEN)), is_doubtful


def _rules(
    permissions: CheckedTable | None, newest: pl.DataFrame, listed: pl.DataFrame, *, ledger: Ledger, on: date
) -> pl.DataFrame:
    """The opt-outs and markers in force, those whom an allow list leaves out among them.

    An allow list that has next to nobody of the register is taken for one that cannot be read.
    """
    if permissions is None:
        return _NO_RULES
    rules = in_force(permissions.rows, on=on)
    allowed = allow_list(permissions.rows, ledger, on=on)
    if allowed is None:
        return rules
    register = newest.select("person_id")
    with suppress(NotPermittedError):
        stop_unless_allowing(allowed, register, ledger)
        return with_those_not_allowed(rules, allowed, pl.concat([register, listed.select("person_id")]))
    return rules


def _first_of(parts: list[pl.DataFrame], key: str) -> pl.DataFrame:
    both = pl.concat(part.select(key, "reason") for part in parts)
    return both.unique(key, keep="first", maintain_order=True)


def _now_at(patients: CheckedTable | None, newest: pl.DataFrame) -> pl.DataFrame:
    """Where each person is registered now; of nobody where the register tells no homes: then nobody has moved.

    A home that could not be read does not say that somebody moved; the night that follows holds them.
    """
    if patients is None:
        return newest.select("person_id", "household_id")
    homes = sure_homes(newest.lazy()).collect().select("person_id", "household_id")
    unread = patients.unread_people.filter(pl.col("column") == "household_id")
    tells_none = "household_id" in {*patients.absent_columns, *patients.empty_columns}
    return homes.clear() if tells_none else homes.join(unread, on="person_id", how="anti", maintain_order="left")


def digests_of(patients: CheckedTable) -> list[str]:
    """The digests of the files of a table, as a night's manifest has them."""
    return [file.sha256 for file in patients.files]


def _still_lived_in(newest: pl.DataFrame, barred: pl.DataFrame, *, on: date) -> pl.DataFrame:
    """The newest versions of everybody at a home but of those who have died or left; whoever opted out stays."""
    has_gone = (pl.col("died_on").is_not_null() | left_by(on)).fill_null(value=False)
    opted_out = pl.col("person_id").is_in(barred["person_id"].drop_nulls().implode())
    return newest.drop_nulls("household_id").filter(~has_gone | opted_out)


def _living_in(homes: pl.DataFrame, newest: pl.DataFrame) -> pl.DataFrame:
    """Everyone whom the register has at a home that objected now; who lived there before is not meant."""
    objecting = homes.drop_nulls("household_id").select("household_id", "reason")
    return newest.join(objecting, on="household_id").select("person_id", "reason").sort("person_id", "reason")


def _told_to_have_died(
    care: CheckedTable | None, contacts: CheckedTable | None, *, ledger: Path, on: date, unheard: list[str]
) -> list[pl.DataFrame]:
    """Whom social care knows to have died or a visitor found deceased, by the contacts or the lists that came back."""
    told = [] if contacts is None else [contacts.rows.select("person_id", "outcome").collect()]
    try:
        told.append(contacts_in(read_ledger(ledger), as_of=on).select("person_id", "outcome"))
    except LedgerError:
        unheard.append(ledger.name)
    deceased = [found.filter(pl.col("outcome") == "deceased") for found in told]
    if care is not None:
        deceased.append(deaths_told({"care_events": care.rows}))
    return [found.select("person_id", reason=pl.lit("deceased")) for found in deceased]


def _readable(
    name: str,
    data: Path,
    settings: WithdrawalSettings,
    workspace: Path,
    no_room: set[str] | None = None,
    *,
    unheard: list[str] | None = None,
) -> CheckedTable | None:
    """A table, as far as it can be read; its name is added to `unheard` where it lies there and cannot be."""
    try:
        location = locate(name, settings.tables[name], data)
        return None if location is None else read_table(location, settings.tables[name], workspace=workspace / name)
    # A file that is damaged inside makes the Parquet reader panic, which is no `Exception`. Whatever it is, it is told
    # by the scoring that follows, which reads the same table and stops there.
    except (AgeingWellError, OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as fault:
        if no_room is not None and isinstance(fault, Exception) and failed_write(fault, workspace) is not None:
            no_room.add(name)
        if unheard is not None:
            unheard.append(name)
        return None


def _is_as_declared(name: str, table: CheckedTable, data: Path) -> bool:
    """Whether a table is whole by what its sender says; who is in the part that came is taken off all the same."""
    try:
        return not differences(name, table.files, declared_in(data))
    except (AgeingWellError, OSError):
        return False


def withdraw_from_current(
    data: Path,
    *,
    out: Path,
    settings: WithdrawalSettings,
    workspace: Path,
    on: date,
    key: Key | None,
    accept_change: bool = False,
    is_followed: bool = False,
    tell: Callable[[str], None] = lambda told: None,
) -> Revision | None:
    """Take everyone withdrawn off the current list and publish the rest as a new revision of that night.

    Returns `None` where there is no current list, or nothing of it changes. Without the night's list key, without
    whole settings, and wherever pages cannot be drawn (another version made the night, a file of it was lost, drawing
    fails), the revision has none: better no page than one with somebody on it who opted out. `tell` is told so. Where
    the opt-outs or the register cannot be read, or not be believed (`night.doubt`), nobody can say who is to be taken
    off: then the list is marked *do not use* until they can. No fault of the published night makes this fail.
    Hold the publishing lock around it.

    Raises `ChangeError`, once all others are withdrawn, where more of the list have moved than can in a night: that is
    a fault of the register as it was sent, so moves are left alone unless `accept_change`. Raises it, too, where more
    opt-outs, deaths or leavings than may be are gone from what was sent, unless a night is worked out afterwards
    (`is_followed`), which looks at the whole delivery: nobody comes back onto the list by that. Raises `SourceError`,
    last of all, where another table or the ledger is damaged that may tell of a death.
    """
    with marked_if_it_fails(out):
        folder = current(out)
        if folder is None:
            return None
        night = read_night(folder)
        named = people_named(night.as_it_lies)
        gone = find_withdrawn(
            data,
            out=out,
            settings=settings,
            workspace=workspace,
            on=on,
            listed=named,
            purpose=night.purpose,
            judged=night.register_digests,
        )
        is_fault = not accept_change and is_mass_move(night.frames, gone, share=settings.max_lost_share)
        frames = without_withdrawn(night.frames, without_moves(gone) if is_fault else gone)
        done = None
        if frames is not night.frames or _still_named(night, gone):
            done = publish_withdrawal(night, frames, out=out, config=settings.whole, key=key)
            for told in done.told:
                tell(told)
        strange = under_another_key(_NEEDED, data, settings, of_the_night=night.facts.get("key_fingerprint"))
        set_mark(out, _why_not_to_use(tuple(dict.fromkeys((*gone.unread, *strange)))))
    if (lacks := _lacks_barred(out, night)) and not accept_change:
        # Made anew from tonight's tables alone, the file would say that nobody is missing from them.
        lost = replace(NOTHING_LOST, found=(lacks,))
    else:
        lost = _lost(out, gone, settings=settings, on=on, with_moves=not is_fault)
    if is_fault:
        raise ChangeError(
            f"gp_patients: more than {settings.max_lost_share:.0%} of the people on the current list have moved "
            "or left since it was made (max_lost_share); opt-outs and deaths were taken off it, but moves were not",
            "check `left_on` and `household_id` as the practices sent them; if it is true, run again and accept it "
            "with --accept-change",
        )
    if not accept_change and not is_followed:
        stop_on_delivery(lost.differences)
    if not is_followed and mark_of(out) is None:
        # A list that is marked is told of first, with its own code.
        _stop_on_unheard(gone.unheard)
    return done


def _stop_on_unheard(unheard: tuple[str, ...]) -> None:
    """Say that a death may be told where nobody could read it; a night that follows reads the same, and stops."""
    if unheard:
        raise SourceError(
            f"{' and '.join(unheard)}: cannot be read, and a death may be told there and nowhere else; "
            "people named in the other tables were taken off the current list",
            "have the table sent again, or put the last good copy back, and run `ageingwell withdraw` again",
        )


def _lacks_barred(out: Path, night: KeptNight) -> str | None:
    """That the file of who was barred is gone, where the night was made with one; None where nothing is wrong."""
    if not night.facts.get("barred") or read_barred(out) is not None:
        return None
    return f"{BARRED_FILE} is gone from the output folder, so nobody can say whose opt-out is not sent any more"


def _lost(out: Path, gone: Withdrawn, *, settings: WithdrawalSettings, on: date, with_moves: bool) -> Lost:
    """Compare whom the tables bar with whom they barred before, and keep those who are new.

    Moves that are taken for a fault of the register are not kept: they would be missed once it is mended.
    """
    if gone.told is None:
        return NOTHING_LOST
    # Of a table that cannot be read for certain nothing is missed: the list is marked.
    told = replace(gone.told, tables=gone.told.tables - set(gone.unread))
    lost = lost_since(read_barred(out), told, limits=settings.change, on=on)
    keep_barred(out, gone.told if with_moves else without_leavings(gone.told), on=on)
    # That a kind brings nobody new is asked once a night, of the night that is worked out.
    return replace(lost, silent={}, warned=frozenset())


def _still_named(night: KeptNight, gone: Withdrawn) -> bool:
    """Whether a file that was changed since it was published names somebody withdrawn: the next revision lacks it."""
    return bool(night.doubtful) and without_withdrawn(night.as_it_lies, gone) is not night.as_it_lies


def _why_not_to_use(unread: tuple[str, ...]) -> str | None:
    if not unread:
        return None
    return (
        f"Do not use the current list, nor any copy of it: {' and '.join(unread)} could not be read, or not for "
        "certain, so nobody can say who has opted out, died or left since the list was made. What to do: put copies "
        "away, have the tables sent again or the settings corrected, and run `ageingwell withdraw` or "
        "`ageingwell score`."
    )
