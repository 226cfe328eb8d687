"""What is done to whatever stands around one table: several tables, settings, keys, models, the machine."""

import errno
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ageingwell.checksums import SUMS, sums_of_folder
from ageingwell.night import revising
from ageingwell.pseudonyms import Key
from ageingwell.publish.lock import publishing_lock
from helpers.faults.catalogue import Case
from helpers.faults.records import NIGHT, as_csv, as_parquet, place_of
from helpers.faults.running import Here, Watch

PAGES_OR_WHY = revising._pages_or_why
Scene = Callable[[Here, Case, Watch], Any]


def nothing_wrong(here: Here, case: Case, watch: Watch) -> None:
    """The records as they are."""


@contextmanager
def page_not_drawn(here: Here, case: Case, watch: Watch) -> Iterator[None]:
    """The key is the one that the night was made with, so its pages would be drawn again; but drawing fails."""

    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(revising, "_pages_or_why", PAGES_OR_WHY)
        patch.setattr(revising, "draw_pages", fail)
        yield


def _tell_of_the_night(here: Here, **facts: str) -> None:
    at = here.out / str(NIGHT) / "manifest.json"
    told = json.loads(at.read_text()) | facts
    at.write_text(json.dumps(told))
    (at.parent / SUMS).write_bytes(sums_of_folder(at.parent, but=("run.json",)))


# The records


def mark_removed(here: Here, case: Case, watch: Watch) -> None:
    (here.data / "synthetic.json").unlink()


def mark_damaged(here: Here, case: Case, watch: Watch) -> None:
    here.put({"synthetic.json": b"{"})


def another_key(here: Here, case: Case, watch: Watch) -> None:
    """One table says that it was made with another key than the rest."""
    _tell_key(here, "tslbhgfbpgfp", [name for name in here.county.tables if name != case.table])
    here.put(
        {f"{case.table}.csv": None, f"{case.table}.parquet": as_parquet(here.county.copy_of(case.table), key="b" * 12)}
    )


def _tell_key(here: Here, fingerprint: str, tables: Iterable[str]) -> None:
    told = {"key_fingerprint": fingerprint, "tables": {key_0: {} for key_0 in tables}}
    here.put({"pseudonymised.json": json.dumps(told).encode()})


def all_with_another_key(here: Here, case: Case, watch: Watch) -> None:
    turn = str.maketrans("bcdfghjklmnpqrst", "cdfghjklmnpqrstb")
    for name, rows in here.county.copy().items():
        turned = [[cell.translate(turn) if len(cell) == 32 else cell for cell in row] for row in rows[1:]]
        here.put({f"{name}.csv": as_csv([rows[0], *turned])})


def withdraw_with_another_key(here: Here, case: Case, watch: Watch) -> None:
    """Where the tables tell their key, that is enough; where they do not, nobody listed is on the register."""
    here.command = "withdraw"
    if case.column == "without_record":
        all_with_another_key(here, case, watch)
        return
    _tell_key(here, "tslbhgfbpgfp", here.county.tables)
    _tell_of_the_night(here, key_fingerprint="b" * 12)


def died_in(here: Here, case: Case, watch: Watch) -> None:
    """Somebody else on the list died too, which one row of one table says."""
    rows = here.county.copy_of(case.table)
    at = place_of(rows, case.row)
    cells = dict(zip(rows[0], rows[at], strict=True))
    if case.table == "gp_patients":
        theirs = max((row for row in rows[1:] if row[0] == here.county.stays), key=lambda row: row[-1])
        cells = dict(zip(rows[0], theirs, strict=True)) | {"died_on": str(NIGHT), "recorded_on": str(NIGHT)}
    elif case.table == "care_events":
        cells |= {"died_on": "2026-11-20"}
    else:
        cells |= {"household_id": "", "outcome": "deceased", "contacted_on": "2026-11-20", "recorded_on": "2026-11-20"}
    rows.insert(at, [str((cells | {"person_id": here.county.stays})[name]) for name in rows[0]])
    here.put({f"{case.table}.csv": as_csv(rows)})
    here.also = here.county.stays


def active_after_death(here: Here, case: Case, watch: Watch) -> None:
    rows = here.county.copy_of(case.table)
    cells = dict(zip(rows[0], rows[1], strict=True)) | {"person_id": here.county.died}
    rows.append(
        [("2026-11-25" if name in ("recorded_on", "started_on", "happened_on") else cells[name]) for name in rows[0]]
    )
    here.put({f"{case.table}.csv": as_csv(rows)})


def left(here: Here, case: Case, watch: Watch) -> None:
    rows = here.county.copy_of("gp_patients")
    theirs = max((row for row in rows[1:] if row[0] == here.county.stays), key=lambda row: row[-1])
    value = str(NIGHT) if case.column == "left_on" else "bcdfghjklmnpqrstbcdfghjklmnpqrst"
    cells = dict(zip(rows[0], theirs, strict=True)) | {case.column: value, "recorded_on": str(NIGHT)}
    rows.insert(7, [cells[name] for name in rows[0]])
    here.put({"gp_patients.csv": as_csv(rows)})
    here.also = here.county.stays


def all_moved(here: Here, case: Case, watch: Watch) -> None:
    """Everybody on the register left today but those who are to come off anyway."""
    rows = here.county.copy_of("gp_patients")
    off = {here.county.died, here.county.objected}
    at = [rows[0].index(name) for name in ("left_on", "recorded_on")]
    for row in list(rows[1:]):
        if row[0] not in off and not row[at[0]]:
            gone = list(row)
            gone[at[0]] = gone[at[1]] = str(NIGHT)
            rows.append(gone)
    seen: dict[str, list[str]] = {}
    for row in rows[1:]:
        seen[row[0] + row[at[1]]] = row
    here.put({"gp_patients.csv": as_csv([rows[0], *seen.values()])})


def new_number(here: Here, case: Case, watch: Watch) -> None:
    rows = here.county.copy_of("gp_patients")
    rows.append(["bcdfghjklmnpqrstbcdfghjklmnpqrst", *rows[1][1:]])
    here.put({"gp_patients.csv": as_csv(rows)})


def objects_by(here: Here, case: Case, watch: Watch) -> None:
    """Somebody else objects: under another kind, for their home, or from tomorrow."""
    rows = here.county.copy_of("permissions")
    home = next(row[1] for row in here.county.tables["gp_patients"][:0:-1] if row[0] == here.county.stays and row[1])
    told = {
        "restriction": {"person_id": here.county.stays, "kind": "restriction"},
        "home": {"household_id": home, "kind": "objection"},
        "from_tomorrow": {"person_id": here.county.stays, "kind": "objection", "from_on": "2026-12-24"},
    }[case.column]
    rows.insert(7, [({"checked_on": str(NIGHT)} | told).get(name, "") for name in rows[0]])
    here.put({"permissions.csv": as_csv(rows)})
    here.also = here.county.stays


def mapped_to_nothing(here: Here, case: Case, watch: Watch) -> None:
    at = here.settings / "agencies.toml"
    told = f"[{case.table}]\ncolumns = {{kode = 'Code of the entry'}}\n"
    at.write_text(at.read_text().replace(f"[{case.table}]\n", told))


def replaced_meanwhile(here: Here, case: Case, watch: Watch) -> None:
    watch.meanwhile = lambda: here.put({f"{case.table}.csv": b"person_id\nbc\x00"})


def odd_name(here: Here, case: Case, watch: Watch) -> None:
    here.put({"gp\u202eevents [final] (2).bak": b"x"})


def dead_link(here: Here, case: Case, watch: Watch) -> None:
    at = here.data / f"{case.table}.csv"
    at.unlink()
    at.symlink_to(here.at / "nowhere.csv")


def empty_folder(here: Here, case: Case, watch: Watch) -> None:
    at = here.data / f"{case.table}.csv"
    at.unlink()
    at.mkdir()


def withdraw_alone(here: Here, case: Case, watch: Watch) -> None:
    (here.data / f"{case.table}.csv").unlink()
    here.command = "withdraw"


# Settings


def settings(here: Here, case: Case, watch: Watch) -> None:
    at = here.settings / f"{case.table}.toml"
    text = at.read_text()
    if case.column == "gone":
        at.unlink()
        at.symlink_to(here.at / "nowhere.toml")
        return
    at.write_text(
        {
            "misspelt": "no_such_key = 1\n" + text,
            "no_toml": text + "\n[[\n",
            "twice": text.splitlines()[-1] + "\n" + "cool_off_days = 1\ncool_off_days = 1\n" + text,
            "wrong_kind": text.replace("minimum_age = 65", "minimum_age = [65]"),
        }[case.column]
    )


def setting(here: Here, case: Case, watch: Watch) -> None:
    name, _, value = case.column.partition("=")
    at = here.settings / f"{case.table}.toml"
    lines = [f"{name} = {value}" if line.startswith(f"{name} ") else line for line in at.read_text().splitlines()]
    assert f"{name} = {value}" in lines
    at.write_text("\n".join(lines) + "\n")


def settings_meanwhile(here: Here, case: Case, watch: Watch) -> None:
    watch.meanwhile = lambda: (here.settings / "outreach.toml").write_text("[[") and None


def ledger(here: Here, case: Case, watch: Watch) -> None:
    at = here.settings / "permissions.toml"
    text = at.read_text()
    if case.column == "lapsed":
        at.write_text(re.sub(r"expires_on = [0-9-]+", "expires_on = 2026-11-01", text))
    else:
        at.write_text(text.replace('"gp_patients", "gp_events"', '"gp_patients"'))


# Keys and models


def key(here: Here, case: Case, watch: Watch) -> None:
    at = here.at / "list.key"
    good = bytes(range(7, 250, 7))[:32]
    content = {"short": good[:16], "zero": bytes(32), "text": b"correct horse battery staple today"}
    if case.column == "folder":
        at.mkdir()
    elif case.column == "link":
        (here.at / "real.key").write_bytes(good)
        (here.at / "real.key").chmod(0o600)
        at.symlink_to(here.at / "real.key")
    elif case.column != "missing":
        at.write_bytes(content.get(case.column, good))
        at.chmod(0o644 if case.column == "readable" else 0o600)
    here.options = ["--list-key-file", str(at)]


def one_key_for_two(here: Here, case: Case, watch: Watch) -> None:
    """The key of the rows is the one that the tables were made with."""
    at = here.at / "list.key"
    at.write_bytes(os.urandom(32))
    at.chmod(0o600)
    _tell_key(here, Key.read(at).fingerprint, here.county.tables)
    here.options = ["--list-key-file", str(at)]


def bundle(here: Here, case: Case, watch: Watch) -> None:
    score_toml = here.settings / "score.toml"
    line = next(line for line in score_toml.read_text().splitlines() if line.startswith("bundle = "))
    from_ = Path(line.split('"')[1])
    at = here.at / "bundle"
    if case.column != "missing":
        shutil.copytree(from_, at)
        _spoil_bundle(at, case.column)
    score_toml.write_text(score_toml.read_text().replace(line, f'bundle = "{at}"'))


def _spoil_bundle(at: Path, how: str) -> None:
    model, told = at / "model.txt", at / "bundle.json"
    content = model.read_bytes()
    if how == "cut":
        model.write_bytes(content[: len(content) // 2])
    elif how == "bit":
        model.write_bytes(content[:200] + bytes([content[200] ^ 1]) + content[201:])
    elif how == "no_facts":
        told.unlink()
    elif how == "renamed":
        model.rename(at / "model.old")
    elif how == "swapped":
        model.write_bytes((at / "model_death.txt").read_bytes())
    else:
        facts = json.loads(told.read_text())
        features = list(facts["features"].items())
        changed = features[::-1] if how == "other_order" else [*features[:-1], ("shoe_size", features[-1][1])]
        told.write_text(json.dumps(facts | {"features": dict(changed)}))


# The machine


def disk(here: Here, case: Case, watch: Watch) -> None:
    """No write goes to the disk any more once the withdrawals are done."""
    number = {"full": errno.ENOSPC, "read_only": errno.EROFS, "broken": errno.EIO}[case.column]

    def fail() -> None:
        raise OSError(number, os.strerror(number), str(here.out / ".staging"))

    watch.meanwhile = fail


def interrupted(here: Here, case: Case, watch: Watch) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    watch.meanwhile = stop


def no_memory(here: Here, case: Case, watch: Watch) -> None:
    def stop() -> None:
        raise MemoryError

    watch.meanwhile = stop


def locked(here: Here, case: Case, watch: Watch) -> Any:
    return publishing_lock(here.out, holder="another run")


def out_is_a_file(here: Here, case: Case, watch: Watch) -> None:
    at = here.at / "file"
    at.write_text("")
    here.options = ["--out", str(at)]


def day(here: Here, case: Case, watch: Watch) -> None:
    here.as_of = date.fromisoformat(case.column)


@contextmanager
def time_zone(here: Here, case: Case, watch: Watch) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", case.column)
        time.tzset()
        yield
    time.tzset()


def half_night(here: Here, case: Case, watch: Watch) -> None:
    at = here.out / ".staging-2026-11-29-1"
    at.mkdir()
    (at / "list.parquet").write_bytes(b"PAR1")


def kept(here: Here, case: Case, watch: Watch) -> None:
    names = {"manifest": "manifest.json"}
    if case.column == "ledger":
        (here.out / "decisions.sqlite").write_bytes(b"no database at all" * 100)
        return
    at = here.out / str(NIGHT) / names.get(case.column, f"{case.column}.parquet")
    at.unlink()
    at.write_bytes(b"PAR1 damaged")


@contextmanager
def no_home(here: Here, case: Case, watch: Watch) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", "/nowhere")
        for name in ("AGEINGWELL_CACHE", "LANG", "LC_ALL", "XDG_CACHE_HOME"):
            patch.delenv(name, raising=False)
        yield


SCENES: Mapping[str, Scene] = {
    name: made
    for name, made in list(globals().items())
    if callable(made) and getattr(made, "__module__", "") == __name__ and not name.startswith("_")
}


@contextmanager
def arranged(here: Here, case: Case, watch: Watch) -> Iterator[None]:
    """Arrange a scene, for as long as its run takes."""
    made = SCENES[case.how](here, case, watch)
    with made if hasattr(made, "__enter__") else nullcontext():
        yield
    watch.meanwhile = None
