"""A night worked out for a notebook: the same gate, rules and order as `score`, and nothing published."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from ageingwell.config.load import Config, GivenConfig, config_given
from ageingwell.context import Surroundings
from ageingwell.contracts.registry import TABLES
from ageingwell.disk import DISK
from ageingwell.errors import ArgumentError
from ageingwell.given import GivenDay, day_of
from ageingwell.governance.night_facts import NightFacts
from ageingwell.kept.frames import NightFrames
from ageingwell.model.frames import checked_table
from ageingwell.night.barring import as_opt_outs, barred_before, lost_since, told_by
from ageingwell.night.change import last_manifest
from ageingwell.night.list_key import list_key_of
from ageingwell.night.local import read_local_directory
from ageingwell.night.showing import screen_of_night
from ageingwell.night.working import work_out
from ageingwell.night.write import as_published, view_of
from ageingwell.pseudonyms import Key
from ageingwell.register import RECIPIENTS, Recipient
from ageingwell.room import scratch
from ageingwell.shown import Screen, Shown
from ageingwell.sources.read import MARK_OF_MADE_UP_DATA, read_agencies
from ageingwell.timeline import AsOf

Frames = Mapping[str, Any]


@dataclass(frozen=True, repr=False)
class NightInMemory(Shown):
    """A night that was worked out and not published: its list, every frame, and what is told of it.

    `frames` are those of a published night, `facts` what its manifest would say. They are the group's own: an agency
    gets what `view` gives, and nothing else.
    """

    frames: NightFrames
    facts: NightFacts
    config: Config = field(repr=False)
    key: Key = field(repr=False)

    @property
    def list(self) -> pl.DataFrame:
        """The group's list, a row a person, in the order it would be printed (contract: `OutreachList`)."""
        return self.frames.listed

    @property
    def n_listed(self) -> int:
        """People on the list."""
        return self.frames.listed.height

    def view(self, recipient: Recipient) -> pl.DataFrame:
        """What one recipient would be sent of this night: only the columns, rows and facts that the ledger permits it.

        Raises `ArgumentError` for a recipient that nobody knows, `NotPermittedError` where the ledger has no view.
        """
        if recipient not in RECIPIENTS:
            raise ArgumentError("there is no such recipient", f"give one of {', '.join(RECIPIENTS)}")
        return view_of(recipient, self.frames, self.facts, config=self.config, key=self.key).frame

    def _screen(self) -> Screen:
        return screen_of_night(
            self.facts,
            self.n_listed,
            {},
            'Nothing was published. list, view("fire"), frames, facts; aw.score publishes.',
        )


def outreach_list(
    data: str | Path | Frames,
    *,
    as_of: GivenDay,
    config: GivenConfig = None,
    list_key: Key | str | Path | None = None,
    earlier: str | Path | None = None,
    made_up: bool = False,
    allow_made_up_bundle: bool = False,
    surroundings: Surroundings | None = None,
) -> NightInMemory:
    """Work out the outreach list of the night `as_of` and give it back; nothing is published or kept.

    `data` is a folder with every contract table, as for `score`, or the tables themselves: Polars, pandas or pyarrow
    frames by the name of their table. They are read as if they lay in a folder: against their contracts, with the
    settings' own headings and values, behind the same gate. Without permissions, or with a use that the ledger does not
    list, there is no list. `made_up` says of frames that nobody in them is real; a folder says so itself.

    `earlier`, a folder of published nights, tells what the group decided and who was on the last list; it is only read.
    Without it nothing was decided before, so that somebody who said no may be on the list again: do not hand it out.
    `config`, `list_key` and `allow_made_up_bundle` are as for `score`, and so are the errors.
    """
    world = surroundings or Surroundings()
    day, settings = AsOf(day_of(as_of)), config_given(config)
    with scratch() as place:
        folder = _folder_of(data, place / "data", made_up=made_up)
        key = list_key_of(list_key, folder)
        with world.stage("read"):
            records = read_agencies(
                folder,
                settings.tables,
                workspace=place / "records",
                max_refused_share=settings.score.max_refused_share,
                progress=world.tell,
            )
            local = read_local_directory(settings, on=day.day, made_up=records.made_up)
        nights = None if earlier is None else Path(earlier)
        told = told_by(records.tables, ledger=settings.ledger, on=day.day)
        before = None if nights is None else barred_before(nights, last_manifest(nights, on=day.day))
        lost = lost_since(before, told, limits=settings.score.change, on=day.day)
        frames, facts, _ = work_out(
            records,
            as_of=day,
            config=settings,
            nights=nights,
            key=key,
            allow_made_up_bundle=allow_made_up_bundle,
            local=local,
            world=world,
            scratch=place,
            held=as_opt_outs(lost.held),
        )
        # The frames of everybody lie in the folder that is about to go.
        read = frames.in_memory()
    return NightInMemory(read, as_published(facts, read, key=key), settings, key)


def _folder_of(data: str | Path | Frames, folder: Path, *, made_up: bool) -> Path:
    """The folder that was given, or one with the frames that were; only this account can look into it."""
    if isinstance(data, str | Path):
        if made_up:
            raise ArgumentError(
                "made_up was given with a folder", f"a folder says so itself, in {MARK_OF_MADE_UP_DATA}"
            )
        return Path(data)
    if not isinstance(data, Mapping):
        raise ArgumentError("the data are neither a folder nor frames by name", 'give {"gp_patients": frame, ...}')
    if unknown := sorted(set(map(str, data)) - set(TABLES)):
        raise ArgumentError(f"there is no table {', '.join(unknown[:5])}", f"the tables are {', '.join(TABLES)}")
    DISK.make_folder(folder)
    for name, frame in data.items():
        DISK.write_frame(folder / f"{name}.parquet", _polars_of(name, frame))
    if made_up:
        DISK.write(folder / MARK_OF_MADE_UP_DATA, b'{"synthetic": true}\n')
    return folder


def _polars_of(name: str, given: Any) -> pl.DataFrame:
    if isinstance(given, pl.LazyFrame):
        return given.collect()
    frame = checked_table(given)
    if isinstance(frame, pl.DataFrame):
        return frame
    try:
        if hasattr(frame, "iloc"):
            return pl.from_pandas(frame)
        return pl.DataFrame(pl.from_arrow(frame))
    except (pl.exceptions.PolarsError, TypeError, ValueError, ModuleNotFoundError):
        raise ArgumentError(f"{name}: the frame cannot be read", "give it as a Polars frame") from None
