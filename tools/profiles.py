"""Write what each source profile makes of its sample, for a person to look over, or check that it still does.

python -m tools.profiles cld_r1        writes configs/sources/cld_r1/expected/
python -m tools.profiles --check       every profile: what comes out is what stands there
"""

import argparse
import sys
import tempfile
from datetime import date
from pathlib import Path

import polars as pl

from ageingwell.config.files import shipped
from ageingwell.profiles.profile import Profile, read_profile
from ageingwell.profiles.recognise import recognise
from ageingwell.profiles.transform import Made, run_profile

SOURCES = shipped("configs") / "sources"
# The day that a profile is given where the files of its sample do not tell it.
EXTRACTED_ON = date(2026, 11, 1)


def made_of_sample(profile: Profile, workspace: Path) -> Made:
    """What a profile makes of its own sample."""
    sample = SOURCES / profile.name / "sample"
    found = [recognise(path, [profile], name=path.name) for path in sorted(sample.iterdir())]
    unknown = [path.name for path, one in zip(sorted(sample.iterdir()), found, strict=True) if one is None]
    if unknown:
        sys.exit(f"{profile.name}: the profile does not know {', '.join(unknown)} of its own sample")
    return run_profile(profile, [one for one in found if one], workspace=workspace, extracted_on=EXTRACTED_ON)


def expected_files(profile: Profile) -> dict[str, str]:
    """What should lie in `expected/`."""
    with tempfile.TemporaryDirectory() as place:
        return files_of(made_of_sample(profile, Path(place)))


def files_of(made: Made) -> dict[str, str]:
    """A CSV for each table that was made, and the counts of rows left out and labels not known."""
    files = {f"{table.table}.csv": pl.read_parquet(table.path).write_csv() for table in made.tables}
    counts = [
        *((table.table, "left out", reason, n) for table in made.tables for reason, n in table.left_out.items()),
        *(
            (table.table, "unknown label", f"{column}: {label}", n)
            for table in made.tables
            for (column, label), n in sorted(table.unknown_labels.items())
        ),
        *(("", "wrong number of fields", f"{file}, row {row}", 1) for file, row in made.ragged),
    ]
    told = pl.DataFrame(
        counts, schema={"table": pl.String, "what": pl.String, "which": pl.String, "n_rows": pl.Int64}, orient="row"
    )
    return files | {"counts.csv": told.write_csv()}


def main() -> None:
    """Write or check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--check", action="store_true")
    told = parser.parse_args()
    names = told.names or sorted(path.name for path in SOURCES.iterdir() if (path / "profile.toml").is_file())
    stale = []
    for name in names:
        folder = SOURCES / name / "expected"
        files = expected_files(read_profile(SOURCES / name))
        if told.check:
            stale += [f"{name}/{file}" for file, text in files.items() if _text(folder / file) != text]
            continue
        folder.mkdir(exist_ok=True)
        for file, text in files.items():
            (folder / file).write_text(text, encoding="utf-8")
    if stale:
        sys.exit("not what stands in expected/: " + ", ".join(stale))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


if __name__ == "__main__":
    main()
