"""Small made-up counties to score: settings on disk, tables to change, and a night's files read as a reader would."""

import hashlib
import json
import re
import shutil
import zipfile
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from ageingwell.config.files import shipped
from helpers.sealed import seal_again

NIGHT = date(2026, 11, 22)
# What a run keeps beside its nights, in order: who was barred, and the quarter's page for commissioners.
BESIDE_NIGHTS = ("barred.csv", *(f"commissioning-2026-Q4.{form}" for form in ("csv", "html", "md")))
AUDIT = ("audit.jsonl", "audit.jsonl.head")
OF_A_RUN = ("run.json", *AUDIT, "audit.jsonl.key")
Row = dict[str, Any]


def train_small_bundle(county: Path, folder: Path) -> Path:
    """Train a few small trees, and mark them as usable: too few people stand behind them to beat any rival."""
    from ageingwell.config.load import load_config
    from ageingwell.learning.training import train

    (folder / "config").mkdir(parents=True)
    train(county, out=folder / "bundle", config=load_config(settings_file(folder / "config", training=TRAINING)))
    facts = json.loads((folder / "bundle" / "bundle.json").read_text(encoding="utf-8"))
    facts["verdict"] = {"usable": True, "reason": "taken as usable, to test what follows"}
    (folder / "bundle" / "bundle.json").write_text(json.dumps(facts), encoding="utf-8")
    return seal_again(folder / "bundle")


TRAINING = {
    "outcomes": ["loss_of_independence", "death"],
    "minimum_events": 20,
    "parameters_per_feature": 0.01,
    "trees": 20,
    "minimum_people_per_leaf": 20,
    "draws": 20,
}


def settings_file(
    folder: Path, *, bundle: Path | None = None, changes: Mapping[str, Any] | None = None, **files: Mapping[str, Any]
) -> Path:
    """Copy the shipped settings to `folder`, change them, and give the file for `--config`.

    `changes` are keys of `score.toml`; each other word is a file by its key there (`outreach`, `training`), with the
    changes to it; a key `capacity.fire` stands in its section. The annex has no charts unless asked for: they take
    most of a small night.
    """
    folder.mkdir(exist_ok=True)
    top = {"annex_charts": False} | dict(changes or {}) | ({} if bundle is None else {"bundle": str(bundle)})
    names = {"training": "train.toml"}
    for key, wanted in {"": top, **files}.items():
        name = names.get(key, f"{key}.toml") if key else "score.toml"
        text = (shipped("configs") / name).read_text(encoding="utf-8")
        for setting, value in wanted.items():
            text = _changed(text, setting, value)
        (folder / name).write_text(text, encoding="utf-8")
    return folder / "score.toml"


def _changed(text: str, setting: str, value: Any) -> str:
    section, _, key = setting.rpartition(".")
    begin = text.index(f"[{section}]") if section else 0
    tail, changed = re.subn(rf"(?m)^{key} *=.*$", f"{key} = {json.dumps(value)}", text[begin:], count=1)
    assert changed == 1, f"{setting} is in no shipped settings file"
    return text[:begin] + tail


def copy_of(county: Path, folder: Path) -> Path:
    """A county of one's own to change."""
    shutil.copytree(county, folder, symlinks=True)
    return folder


def rows_of(county: Path, table: str) -> list[Row]:
    """A table as plain rows."""
    return pl.read_parquet(county / f"{table}.parquet").to_dicts()


def add_rows(county: Path, table: str, *rows: Mapping[str, Any]) -> None:
    """Put rows under a table; what a row leaves out is missing."""
    path = county / f"{table}.parquet"
    there = pl.read_parquet(path)
    more = pl.DataFrame([{name: row.get(name) for name in there.columns} for row in rows], schema=there.schema)
    pl.concat([there, more]).write_parquet(path)


def change(county: Path, table: str, how: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    """Change a whole table."""
    path = county / f"{table}.parquet"
    how(pl.read_parquet(path)).write_parquet(path)


def newest_versions(county: Path) -> dict[str, Row]:
    """The newest row of each person on the GP register, by person."""
    newest: dict[str, Row] = {}
    for row in sorted(rows_of(county, "gp_patients"), key=lambda row: row["recorded_on"]):
        newest[row["person_id"]] = row
    return newest


def new_version(county: Path, person: str, *, recorded_on: date = NIGHT, **changes: Any) -> None:
    """A newer row of one person on the GP register."""
    add_rows(county, "gp_patients", newest_versions(county)[person] | {"recorded_on": recorded_on} | changes)


def opt_out(county: Path, kind: str, *, person: str | None = None, home: str | None = None) -> None:
    """A row of the opt-outs."""
    add_rows(county, "permissions", {"person_id": person, "household_id": home, "kind": kind, "checked_on": NIGHT})


def listed(night: Path) -> list[Row]:
    """The list of a night, in the order it was written."""
    return pl.read_parquet(night / "list.parquet").to_dicts()


def hashes_of(folder: Path, *, but: tuple[str, ...] = OF_A_RUN) -> dict[str, str]:
    """SHA-256 of every file by its path, but for those that every run adds to. It needs neither Polars nor threads, so
    it may be used beside a fork."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in but)
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def texts_of(folder: Path) -> dict[str, str]:
    """Everything that can be read in a folder, by path: Parquet columns decoded, workbooks unpacked, names included."""
    return {
        str(path.relative_to(folder)): f"{path.name}\n{_text_of(path)}"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _text_of(path: Path) -> str:
    if path.suffix == ".parquet":
        frame = pl.read_parquet(path)
        return json.dumps([frame.columns, frame.to_dict(as_series=False)], default=str)
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as book:
            return "\n".join(book.read(name).decode("utf-8", "replace") for name in book.namelist())
    return path.read_bytes().decode("utf-8", "replace")


def files_with(folder: Path, word: str) -> list[str]:
    """The files of a folder in which a word can be read."""
    return files_with_each(folder, [word])[word]


def files_with_each(folder: Path, words: Iterable[str]) -> dict[str, list[str]]:
    """The files in which each word can be read; every file is read once."""
    texts = texts_of(folder)
    return {word: [path for path, text in texts.items() if word in text] for word in words}
