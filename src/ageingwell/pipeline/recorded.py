"""What came of lists that were taken back, in words and as plain data; no value of a row."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from ageingwell.errors import ClashError, RejectedRowsError

VERDICTS = ("accepted", "unchanged", "clash", "rejected")
TOLD_ROWS = pl.Schema({"file": pl.String, "sheet": pl.String, "row": pl.Int64, "verdict": pl.String, "note": pl.String})


@dataclass(frozen=True)
class RecordedFile:
    """What came of one file: how many rows of each verdict, the read-only cells changed, and the file to mend."""

    name: str
    recipient: str
    night: date
    counts: dict[str, int]
    edited: tuple[tuple[str, int, str], ...]
    fix_file: Path | None


@dataclass(frozen=True)
class Recorded:
    """What came of all files. `rows` tells of each answered row its file, sheet, row, verdict and note; no value."""

    files: tuple[RecordedFile, ...]
    rows: pl.DataFrame
    clash_files: tuple[Path, ...]
    n_clashes: int
    ledger: Path
    is_dry_run: bool

    def count(self, verdict: str) -> int:
        """How many rows of all files have a verdict."""
        return sum(file.counts[verdict] for file in self.files)


def summary_text(done: Recorded) -> str:
    """What came of each file in words, and of each row that is not simply recorded."""
    lines = []
    for file in done.files:
        told = ", ".join(f"{file.counts[verdict]} {_WORDS[verdict]}" for verdict in VERDICTS if file.counts[verdict])
        lines.append(f"{file.name}: list for {file.recipient} of {file.night}: {told or 'nobody wrote anything in it'}")
        lines += [
            _where(sheet, row, f"`{column}` was changed; left as it was sent") for sheet, row, column in file.edited
        ]
        shown = done.rows.filter(pl.col("file") == file.name)
        if not done.is_dry_run:
            shown = shown.filter(pl.col("verdict").is_in(["clash", "rejected"]))
        for row in shown.iter_rows(named=True):
            note = f": {row['note']}" if row["note"] else ""
            lines.append(_where(row["sheet"], row["row"], f"{_WORDS[row['verdict']]}{note}"))
    lines.append("nothing was written: this was a dry run" if done.is_dry_run else f"ledger: {done.ledger}")
    return "\n".join(lines)


_WORDS = {"accepted": "recorded", "unchanged": "unchanged", "clash": "for the chair", "rejected": "to mend"}


def _where(sheet: str, row: int, told: str) -> str:
    return f"  {sheet + ', ' if sheet else ''}row {row}: {told}"


def as_plain(done: Recorded) -> dict[str, Any]:
    """The same for machines: plain data, no value of a row."""
    return {
        "dry_run": done.is_dry_run,
        "ledger": str(done.ledger),
        "files": [
            {
                "file": file.name,
                "recipient": file.recipient,
                "night": str(file.night),
                **file.counts,
                "edited": [{"sheet": sheet, "row": row, "column": column} for sheet, row, column in file.edited],
                "fix_file": None if file.fix_file is None else str(file.fix_file),
            }
            for file in done.files
        ],
        "rows": done.rows.to_dicts(),
        "n_clashes": done.n_clashes,
        "clash_files": [str(path) for path in done.clash_files],
    }


def stop_on_open_rows(done: Recorded) -> None:
    """Raise `RejectedRowsError` where rows are to be mended, else `ClashError` where the chair has to say."""
    for_chair = ", ".join(path.name for path in done.clash_files)
    if done.count("rejected"):
        fixes = ", ".join(file.fix_file.name for file in done.files if file.fix_file is not None)
        found = f"not recorded: {done.count('rejected')} of the rows; all others were"
        mend = f"mend them in {fixes} and record that file" if fixes else "read the notes above"
        raise RejectedRowsError(found, mend + (f"; the chair settles {for_chair}" if for_chair else ""))
    if done.n_clashes:
        found = f"of {done.n_clashes} people the lists say different things; the other rows were recorded"
        raise ClashError(found, f"have the chair fill in {for_chair} and record that file")
