"""What came of lists that were taken back, in words and as plain data; no value of a row."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from ageingwell.decisions.accounting import CLASSES, Account
from ageingwell.decisions.choices import TITLES
from ageingwell.errors import ClashError, RejectedRowsError
from ageingwell.shown import Screen, Shown

VERDICTS = ("accepted", "unchanged", "clash", "rejected")
TOLD_ROWS = pl.Schema({"file": pl.String, "sheet": pl.String, "row": pl.Int64, "verdict": pl.String, "note": pl.String})


@dataclass(frozen=True)
class RecordedFile:
    """What came of one file: how many rows of each verdict, the read-only cells changed, the file to mend.

    `account` tells what was in the file, every row in one class, and what was not read; `expired_on` after which day
    the list was not to be used, where that has passed: what happened is recorded all the same.
    """

    name: str
    recipient: str
    night: date
    counts: dict[str, int]
    edited: tuple[tuple[str, int, str], ...]
    fix_file: Path | None
    account: Account
    expired_on: date | None = None


@dataclass(frozen=True, repr=False)
class Recorded(Shown):
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

    def _screen(self) -> Screen:
        rows = [(file.name, *(file.counts[verdict] for verdict in VERDICTS)) for file in self.files]
        facts = {"written": "nothing: a dry run" if self.is_dry_run else self.ledger, "for the chair": self.n_clashes}
        head = ("file", *(_WORDS[verdict] for verdict in VERDICTS))
        return Screen("Lists that came back", facts, head, rows, "rows has a row for each answer, with its verdict")


def summary_text(done: Recorded) -> str:
    """What came of each file in words, and of each row that is not simply recorded."""
    lines = []
    for file in done.files:
        told = ", ".join(f"{file.counts[verdict]} {_WORDS[verdict]}" for verdict in VERDICTS if file.counts[verdict])
        lines.append(f"{file.name}: list for {file.recipient} of {file.night}: {told or 'nobody wrote anything in it'}")
        if file.expired_on is not None:
            lines.append(f"  this list was not to be used after {file.expired_on}; what happened is recorded")
        lines += [f"  {told}" for told in _account_text(file.account)]
        lines += [
            _where(sheet, row, f"`{column}` was changed; left as it was sent") for sheet, row, column in file.edited
        ]
        shown = done.rows.filter(pl.col("file") == file.name)
        if not done.is_dry_run:
            shown = shown.filter(pl.col("verdict").is_in(["clash", "rejected"]) | (pl.col("note") != ""))
        for row in shown.iter_rows(named=True):
            note = f": {row['note']}" if row["note"] else ""
            lines.append(_where(row["sheet"], row["row"], f"{_WORDS[row['verdict']]}{note}"))
    lines.append("nothing was written: this was a dry run" if done.is_dry_run else f"ledger: {done.ledger}")
    return "\n".join(lines)


_WORDS = {"accepted": "recorded", "unchanged": "unchanged", "clash": "for the chair", "rejected": "to correct"}


_UNANSWERED = {
    "repeated": "said twice in the file and counted once",
    "not_answered": "not answered",
    "not_on_list": "without a row key of this list and without an answer, not read",
    "of_homes": "on the sheet of homes, which asks nothing",
}


def _account_text(account: Account) -> list[str]:
    """What was in a file besides what is told row by row: nothing typed goes without a word."""
    classes = ", ".join(f"{account.rows[name]} {words}" for name, words in _UNANSWERED.items() if account.rows[name])
    lines = [f"{account.n_rows} rows read: {account.n_answered} answered" + (f", {classes}" if classes else "")]
    lines += [_missing("List", account.missing), _missing("Add someone", account.missing_of_added)]
    if account.not_shown:
        lines.append(f"columns to read that did not come back (no answer is lost): {len(account.not_shown)}")
    if account.lacks_added:
        lines.append("the sheet to add someone did not come back: nobody can be added")
    for own in account.own_columns:
        sheet = f"{own.sheet}: " if own.sheet else ""
        n_left = own.n_rows - own.n_to_mend
        told = [f"{n_left} with words that are not kept"] if n_left else []
        told += [f"{own.n_to_mend} to correct"] if own.n_to_mend else []
        lines.append(f"{sheet}`{own.heading}` is a column we did not send; rows under it: {', '.join(told)}")
    return [line for line in [*lines, *_not_read(account)] if line]


def _missing(sheet: str, names: Sequence[str]) -> str:
    titles = ", ".join(f"`{TITLES[name]}`" for name in names)
    return f"{sheet}: {titles} did not come back: no answer could be read there" if titles else ""


def _not_read(account: Account) -> list[str]:
    """What stands where nothing is asked, by how much there is of it."""
    lines = [
        f"{sheet}: {n} cells hold words that were not sent; they are not read" for sheet, n in account.words.items()
    ]
    counted = {
        "cells above the headings hold words; they are not read": account.n_above,
        "rows of homes hold words that were not sent; homes cannot be answered, so tell the person who sent the list":
            account.n_homes_changed,
        "rows take an answer from a merged cell that covers them": account.n_covered,
        "comments on cells; they are not read": account.n_comments,
        "text boxes; they are not read": account.n_text_boxes,
        "columns of names, addresses, telephones or numbers of people; they are left out": account.n_identities,
    }  # fmt: skip
    return lines + [f"{n} {words}" for words, n in counted.items() if n]


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
                "expired_on": None if file.expired_on is None else str(file.expired_on),
                **{name: file.account.rows[name] for name in CLASSES},
                **_account_plain(file.account),
                "edited": [{"sheet": sheet, "row": row, "column": column} for sheet, row, column in file.edited],
                "fix_file": None if file.fix_file is None else str(file.fix_file),
            }
            for file in done.files
        ],
        "rows": done.rows.to_dicts(),
        "n_clashes": done.n_clashes,
        "clash_files": [str(path) for path in done.clash_files],
    }


def _account_plain(account: Account) -> dict[str, Any]:
    sheets = (("List", account.missing), ("Add someone", account.missing_of_added))
    return {
        "n_rows": account.n_rows,
        "n_answered": account.n_answered,
        "columns_missing": [{"sheet": sheet, "column": TITLES[name]} for sheet, names in sheets for name in names],
        "columns_to_read_missing": list(account.not_shown),
        "columns_not_sent": [asdict(own) for own in account.own_columns],
        "sheet_to_add_missing": account.lacks_added,
        "words_elsewhere": dict(account.words),
        "n_above_headings": account.n_above,
        "n_homes_changed": account.n_homes_changed,
        "n_merged": account.n_covered,
        "n_comments": account.n_comments,
        "n_text_boxes": account.n_text_boxes,
        "n_columns_naming_people": account.n_identities,
    }


def stop_on_open_rows(done: Recorded) -> None:
    """Raise `RejectedRowsError` where rows are to be mended, else `ClashError` where the chair has to say."""
    for_chair = ", ".join(path.name for path in done.clash_files)
    if done.count("rejected"):
        fixes = ", ".join(file.fix_file.name for file in done.files if file.fix_file is not None)
        found = f"not recorded: {done.count('rejected')} of the rows; all others were"
        mend = f"correct them in {fixes} and record that file" if fixes else "read the notes above"
        raise RejectedRowsError(found, mend + (f"; the chair settles {for_chair}" if for_chair else ""))
    if done.n_clashes:
        found = f"of {done.n_clashes} people the lists say different things; the other rows were recorded"
        raise ClashError(found, f"have the chair fill in {for_chair} and record that file")
