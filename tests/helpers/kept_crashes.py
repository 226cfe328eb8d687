"""Purge and forget, stopped at every moment of every operation on the disk: what may lie there, and what comes next."""

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from ageingwell import room
from ageingwell.config.load import Config
from ageingwell.decisions.ledger import read_ledger
from ageingwell.forgotten import read_forgotten
from ageingwell.keeping.forgetting import forget
from ageingwell.keeping.purging import purge
from ageingwell.publish import current
from helpers.kept_nights import decide, named_in, publish, who, world
from helpers.nights import Dead, DyingDisk, Files, Recorder, nights_in
from helpers.stopping import Counted, watching

NIGHTS = (date(2026, 11, 15), date(2026, 11, 22))
LATER = datetime(2026, 12, 24, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Keeping:
    """A command that deletes, on nights that were prepared, and what has to hold when it was stopped."""

    prepared: Callable[[Path], None]
    run: Callable[[Path, Config], object]
    holds: Callable[[Path, dict[str, Files | None]], list[str]]


def _nights(out: Path) -> None:
    publish(out, "2026-11-15", [1, 2, 3])
    publish(out, "2026-11-22", [1, 2, 3])
    publish(out, "2026-11-22", [1, 3])
    decide(out, 1, 2)
    (out / "fire.fix.xlsx").write_bytes(who(1).encode())


def _forget(out: Path, config: Config) -> object:
    return forget([who(1)], out=out, config=config, role="IG lead", surroundings=world())


def _purge(out: Path, config: Config) -> object:
    return purge(out, config=config, surroundings=world(LATER))


def _purge_holds(out: Path, before: dict[str, Files | None]) -> list[str]:
    """Each night is whole or gone, the current one stays, and nothing has gone that no certificate names."""
    after, folder = nights_in(out), current(out)
    named = {one["name"] for told in certificates(out) for one in told["deleted"]}
    return [
        *(f"{name} is half gone" for name, files in after.items() if files != before[name]),
        *(f"{name} went without a certificate" for name in before.keys() - after.keys() - named),
        *([] if folder is not None and folder.name == "2026-11-22.r2" else ["the current night has gone"]),
    ]


def _forget_holds(out: Path, before: dict[str, Files | None]) -> list[str]:
    """Each night is whole, as it was or without them; the marks come before any of it, and the ledger holds."""
    after, folder = nights_in(out), current(out)
    is_touched = after != before
    whole = {"attrition.parquet", "list.parquet", "manifest.json", "residents.parquet", "run.json", "scores.parquet"}
    new = {name: files for name, files in after.items() if name not in before}
    return [
        *(f"{name} is half gone" for name, files in after.items() if name in before and files != before[name]),
        *(f"{name} is not whole" for name, files in new.items() if not whole <= (files or {}).keys()),
        *([] if folder is not None and folder.name[:10] == "2026-11-22" else ["no current night"]),
        *(["touched before the mark"] if is_touched and not read_forgotten(out) else []),
        *(["the ledger lost an entry"] if read_ledger(out / "decisions.sqlite").height not in (1, 2) else []),
    ]


KEEPING = {
    "purge": Keeping(_nights, _purge, _purge_holds),
    "forget": Keeping(_nights, _forget, _forget_holds),
}


def certificates(out: Path) -> list[dict]:
    """What every certificate says."""
    return [json.loads(path.read_bytes()) for path in sorted(out.glob("certificates/*.json"))]


def stopped_anywhere(name: str, place: Path, config: Config, *, every: int = 1, first: int = 0) -> Counted:
    """End a command at each moment (or each `every`th), look at what lies there, and let the next run end it."""
    keeping, counted = KEEPING[name], Counted(0, [])
    keeping.prepared(start := place / "start")
    recorder = Recorder()
    shutil.copytree(start, calm := place / "calm", symlinks=True)
    with watching(recorder):
        keeping.run(calm, config)
    expected, before = nights_in(calm), nights_in(start)
    for at in range(first, len(recorder.moments), every):
        shutil.copytree(start, here := place / str(at), symlinks=True)
        with watching(DyingDisk(at)), suppress(Dead):
            keeping.run(here, config)
        room._LIVE.clear()  # a process that has ended holds nothing
        what = " ".join(map(str, recorder.moments[at][:2]))
        found = keeping.holds(here, before)
        keeping.run(here, config)
        found += _not_ended(here, expected, name)
        counted.n += 1
        counted.bad += [f"{what}: {one}" for one in found]
        shutil.rmtree(here)
    return counted


def _not_ended(out: Path, expected: dict[str, Files | None], name: str) -> list[str]:
    """What the next run did not put right."""
    left = [path.name for path in out.rglob("*") if path.name.startswith(".staging-")]
    days = [{night[:10] for night in nights} for nights in (nights_in(out), expected)]
    named = named_in(out, [1], NIGHTS) if name == "forget" else []
    return [
        *([] if days[0] == days[1] else ["other nights than when nothing stops it"]),
        *(f"left behind: {one}" for one in left),
        *(f"still named in {one}" for one in named),
        *(f"a certificate says {one['state']}" for one in certificates(out) if one["state"] != "done"),
    ]
