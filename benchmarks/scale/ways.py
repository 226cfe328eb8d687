"""One night in every way of working it out: the bytes have to be the same, and what each way costs is told."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import polars as pl

from ageingwell.config.files import shipped
from benchmarks.scale.children import ONE_THREAD
from benchmarks.scale.growth import score
from benchmarks.scale.on_spark import hashes_of_night
from benchmarks.scale.told import Told

HEADING: Final = "The same bytes in every way"
# Settings that differ from the shipped ones, by the way; `csv` names the county's tables as CSV.
WAYS: Final[Mapping[str, Mapping[str, str]]] = {
    "1 shard": {"shards": "1"},
    "7 shards": {"shards": "7"},
    "64 shards": {"shards": "64"},
    "7 shards, 2 processes": {"shards": "7", "processes": "2"},
    "1 shard, 1 thread": {"shards": "1", "threads": "1"},
    "1 shard, from CSV": {"shards": "1", "csv": "yes"},
}
# It tells the files that were read, by their hash.
_TELLS_THE_FILES: Final = "manifest.json"


def ways(county: Path, people: int, work: Path) -> Told:
    """The table; from CSV every file but the manifest, which has the hashes of the files read, has to be the same."""
    rows: list[tuple[str, float, float, float, str]] = []
    first: dict[str, str] = {}
    for way, asked in WAYS.items():
        data = as_csv(county, work) if "csv" in asked else county
        env = ONE_THREAD if asked.get("threads") == "1" else None
        cost = score(data, work, config=_settings(asked, work), env=env)
        found = hashes_of_night(work / "nights")
        first = first or found
        rows.append((way, cost.cpu_seconds, cost.wall_seconds, cost.peak_gib, _compared(first, found, asked)))
    says = (
        f"{people:,} people; every file of the night but `run.json` is compared with that of one shard.",
        "From CSV the manifest differs, for it holds the hashes of the files that were read.",
    )
    return Told(HEADING, says, pl.DataFrame(rows, schema=["way", "CPU s", "wall s", "peak GiB", "bytes"], orient="row"))


def as_csv(county: Path, work: Path) -> Path:
    """The same rows as CSV."""
    folder = work / f"{county.name}-csv"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for file in sorted(county.iterdir()):
        if file.suffix == ".parquet":
            pl.scan_parquet(file).sink_csv(folder / f"{file.stem}.csv")
        elif file.is_file():
            shutil.copyfile(file, folder / file.name)
    return folder


def _compared(first: Mapping[str, str], found: Mapping[str, str], asked: Mapping[str, str]) -> str:
    differing = {name for name in {*first, *found} if first.get(name) != found.get(name)}
    differing -= {_TELLS_THE_FILES} if "csv" in asked else set()
    if first is found:
        return "the first"
    return "OTHERS: " + ", ".join(sorted(differing)) if differing else "the same"


def _settings(asked: Mapping[str, str], work: Path) -> Path:
    """The shipped settings with some of this way's own."""
    folder = work / "settings-of-a-way"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    lines = (shipped("configs") / "score.toml").read_text(encoding="utf-8").splitlines()
    own = {name: value for name, value in asked.items() if name != "csv"}
    kept = [line for line in lines if line.split("=")[0].strip() not in own]
    at = next(n for n, line in enumerate(kept) if line.startswith("["))
    before = [f"{name} = {value}" for name, value in own.items() if name != "processes"]
    engine = kept.index("[engine]") + 1
    processes = [f"processes = {own['processes']}"] if "processes" in own else []
    told = [*kept[:at], *before, *kept[at:engine], *processes, *kept[engine:]]
    (folder / "score.toml").write_text("\n".join(told) + "\n", encoding="utf-8")
    return folder / "score.toml"
