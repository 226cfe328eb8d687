"""A night worked out from records that were read, whether it is published afterwards or only looked at.

Both go through here, so that there is one gate and one order of steps, and no second way in.
"""

from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl

from ageingwell.bundle import Bundle, load_bundle
from ageingwell.config.load import Config
from ageingwell.context import Surroundings
from ageingwell.engines.choosing import engine_of
from ageingwell.errors import BundleError
from ageingwell.forgotten import read_forgotten
from ageingwell.governance.night_facts import NightFacts
from ageingwell.kept.frames import NightFrames, frame_file, previous_list, read_frame
from ageingwell.kept.sealed import changed_since, digest_of_night
from ageingwell.night.deciding import NOTHING_DECIDED, read_decisions
from ageingwell.night.local import LocalDirectory
from ageingwell.night.lot_kept import stop_on_other_lot
from ageingwell.night.outreach import outreach_list
from ageingwell.night.shards import OPT_OUTS, REGISTER, folder_of_shards, shards_needed
from ageingwell.night.track_record import settled_archive
from ageingwell.outreach.lot import LOT, NO_LOT
from ageingwell.permissions import FORGOTTEN
from ageingwell.pseudonyms import Key
from ageingwell.publish import latest_before
from ageingwell.reasons import stop_on_unknown_facts
from ageingwell.sources.read import Records
from ageingwell.timeline import AsOf


def work_out(
    records: Records,
    *,
    as_of: AsOf,
    config: Config,
    nights: Path | None,
    key: Key,
    allow_made_up_bundle: bool,
    local: LocalDirectory,
    world: Surroundings,
    scratch: Path,
    held: pl.DataFrame | None = None,
) -> tuple[NightFrames, NightFacts, Bundle]:
    """Work out the night from checked records; gives its frames, what is told of it, and the bundle that was used.

    `nights` is the folder of published nights, which tells the last list, what the group decided and who was forgotten;
    it is only read. Without it nothing was decided before. `held` are opt-outs that hold though they are not sent any
    more. The frames of everybody lie in `scratch`.
    """
    stop_on_unknown_facts(config.may_lower)
    if nights is not None:
        records = with_those_forgotten(records, nights, on=as_of.day)
    previous = None if nights is None else latest_before(nights, as_of.day.isoformat())
    last_list = previous_list(previous)
    ledger = NOTHING_DECIDED if nights is None else read_decisions(nights, config=config, previous=previous)
    lots = lots_so_far(previous)
    stop_on_other_lot(lots, ledger, nights)
    bundle = suitable_bundle(config, records, allow_made_up=allow_made_up_bundle, cache=world.cache)
    with engine_of(config.score.engine) as engine, folder_of_shards(config.score, scratch) as workspace:
        frames, facts = outreach_list(
            records,
            as_of=as_of,
            config=config,
            bundle=bundle,
            previous=last_list,
            archive=None if nights is None else settled_archive(nights, as_of, config=config),
            key=key,
            world=world,
            workspace=workspace,
            made=scratch / "made",
            ledger=ledger,
            last_night=None if previous is None else date.fromisoformat(previous.name[:10]),
            local=local,
            engine=engine,
            n_shards=shards_needed(records, config.score),
            lots=lots,
            held=held,
        )
    if previous is not None:
        facts = replace(
            facts,
            last_night={"folder": previous.name, "sums_sha256": digest_of_night(previous)},
            notes=[*facts.notes, *_of_last_night(previous, is_readable=last_list is not None)],
        )
    return frames, facts, bundle


def lots_so_far(previous: Path | None) -> pl.DataFrame:
    """Everybody who took part in a lot up to the night `previous`; a night made before lots were kept has none.

    Raises `PublishError` where the file is damaged: who lost must not be drawn again the next night.
    """
    if previous is None or not (previous / frame_file("lot")).exists():
        return NO_LOT
    return read_frame(previous, "lot", columns=LOT.names())


def _of_last_night(folder: Path, *, is_readable: bool) -> list[str]:
    """What a reader is told where the last night is not as it was published, or its list is of no use."""
    changed = changed_since(folder)
    told = [] if changed is None else [f"the list of {folder.name} is not as it was published: {changed}"]
    return told if is_readable else [*told, "the last list cannot be read, so everyone counts as new"]


def with_those_forgotten(records: Records, nights: Path, *, on: date) -> Records:
    """The records with a row in the permissions for everybody on the register who was forgotten: they may not be used.

    Raises `KeepingError` where nobody can say who that is.
    """
    forgotten = read_forgotten(nights)
    if not forgotten:
        return records
    forgotten.stop_on_another_key(records.key_fingerprint)
    rows = records.rows()
    people = rows[REGISTER].select(pl.col("person_id").cast(pl.String)).unique().collect(engine="streaming")
    out = forgotten.among(people["person_id"]).to_frame().with_columns(kind=pl.lit(FORGOTTEN), checked_on=pl.lit(on))
    schema = rows[OPT_OUTS].collect_schema()
    missing = [pl.lit(None, dtype=kind).alias(name) for name, kind in schema.items() if name not in out.columns]
    more = out.with_columns(missing).select(pl.col(name).cast(kind) for name, kind in schema.items())
    return records.with_rows({**rows, OPT_OUTS: pl.concat([rows[OPT_OUTS], more.lazy()])})


def suitable_bundle(config: Config, records: Records, *, allow_made_up: bool, cache: Path | None) -> Bundle:
    """The bundle of the settings; `BundleError` for one of made-up people where the records are not made up."""
    bundle = load_bundle(config.score.bundle, codelists=config.codelists, cache=cache, trust=config.score.model)
    if bundle.made_up and not records.made_up and not allow_made_up:
        raise BundleError(
            "the model bundle was trained on made-up people and these records are not marked as made up",
            "train a bundle on your own records, or insist with --allow-made-up-bundle to try the software",
        )
    return bundle
