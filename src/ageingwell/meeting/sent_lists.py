"""Which list a file is: whose, of which night and revision; what was sent, and whom its row keys stand for."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any, Final

import polars as pl

from ageingwell.decisions.reading import Filled, read_filled
from ageingwell.decisions.sent import SentList, Subject
from ageingwell.decisions.tables import KEY, SHORT_CODES, key_of
from ageingwell.errors import DecisionFileError, KeyFileError, PublishError
from ageingwell.kept.frames import ONE_KEY_EACH, read_frame
from ageingwell.kept.sealed import MANIFEST, read_kept
from ageingwell.pseudonyms import Key, row_key, row_key_by
from ageingwell.publish import latest_before, revisions
from ageingwell.register import LEAD_AGENCIES
from ageingwell.report.choices import ASKED, MEND, SAID, headings

RECIPIENTS: Final = (*LEAD_AGENCIES, "group")
_NOT_SENT = {question.name for question in ASKED} | {MEND.name, SAID.name, *SHORT_CODES}
# Where somebody left a night who may still be added: the others are not of the people lists are made of.
_COULD_BE_LISTED = ("eligible", "rank", "allocate", "listed")
_AFTER_EVERY_NIGHT = "9999-12-31"


def book_of(folder: Path, recipient: str) -> Path:
    """Where a night keeps one recipient's workbook."""
    return folder / "group.xlsx" if recipient == "group" else folder / "agencies" / f"{recipient}.xlsx"


def books_of(folder: Path, recipient: str) -> list[Path]:
    """Every workbook a night keeps for a recipient: its list, and of GP practices the list of each one."""
    whole = book_of(folder, recipient)
    parts = sorted((folder / "agencies" / recipient).glob("*.xlsx"))
    return [path for path in (whole, *parts) if path.is_file()]


def sent_list(filled: Filled, *, out: Path, key: Key | Path | None) -> tuple[SentList, str]:
    """Find the list that came back among the published nights, by the code on its cover or else by its row keys.

    Gives the list and its code. Raises `DecisionFileError` where no published night has it.
    """
    folder, recipient, sent = _by_code(filled, out) if filled.code else _by_keys(filled, out)
    night = date.fromisoformat(folder.name[:10])
    latest = revisions(out, night.isoformat())[-1]
    keyed = _Keyed(recipient, night, _list_key(latest, key), one_each=_has_one_key_each(latest))
    listed = read_frame(folder, "listed", columns=("person_id", "household_id", "lead_agency", "status"))
    known = _still_known(latest, listed)
    people = {
        row: Subject(person, home, lead, status)
        for row, person, home, lead, status in keyed.rows(listed, "household_id", "lead_agency", "status")
        if person in known
    }
    withdrawn = {row for row, person, _ in keyed.rows(listed, "household_id") if person not in known}
    anybody = known | {row: known[person] for row, person in keyed.rows(_frame(known))}
    columns = tuple(name for name in sent.columns if name not in _NOT_SENT)
    cells = {row[KEY]: {name: row[name] for name in columns} for row in sent.rows}
    code = " ".join(sent.code or ())
    return SentList(recipient, night, columns, cells, people, frozenset(withdrawn), anybody, as_sent=sent), code


def services_of(out: Path, night: date) -> pl.DataFrame:
    """The local services that a night could offer, by which the steps of a plan are named."""
    return read_frame(revisions(out, night.isoformat())[-1], "services", columns=("service_id", "name", "organisation"))


def list_of(recipient: str, night: date, *, out: Path, key: Key | Path | None) -> tuple[SentList, str]:
    """The newest list of a recipient and night, as `sent_list` gives it."""
    newest = revisions(out, night.isoformat())[-1]
    return sent_list(_published(newest, recipient), out=out, key=key)


class _Keyed:
    """The row keys of one recipient and night."""

    def __init__(self, recipient: str, night: date, key: Key, *, one_each: bool) -> None:
        keyed = row_key if one_each else row_key_by
        self._expression = keyed(pl.col("person_id"), recipient=recipient, as_of=night, key=key)

    def rows(self, frame: pl.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
        """Row key, person_id and `columns` of each row."""
        return frame.select(self._expression.alias("_key"), "person_id", *columns).rows()


def _frame(known: Mapping[str, Subject]) -> pl.DataFrame:
    return pl.DataFrame({"person_id": list(known)}, schema={"person_id": pl.String})


def _still_known(latest: Path, listed: pl.DataFrame) -> dict[str, Subject]:
    """Everybody whom the newest revision of the night still names and who could be listed, by person_id."""
    attrition = read_frame(latest, "attrition", columns=("person_id", "step"))
    attrition = attrition.filter(pl.col("step").is_in(_COULD_BE_LISTED))
    scores = read_frame(latest, "scores", columns=("person_id", "household_id"))
    homes = pl.concat(frame.select("person_id", "household_id") for frame in (listed, scores))
    named = attrition.select("person_id").drop_nulls().unique()
    both = named.join(homes.unique("person_id", keep="first", maintain_order=True), on="person_id", how="left")
    return {person: Subject(person, home) for person, home in both.sort("person_id").iter_rows()}


def _published(folder: Path, recipient: str) -> Filled:
    return _as_sent(folder, book_of(folder, recipient))


def _as_sent(folder: Path, book: Path) -> Filled:
    """A workbook of a published night, read once it is known to be as it was published."""
    with suppress(FileNotFoundError):  # reading it tells of that
        read_kept(folder, book.relative_to(folder).as_posix())
    return read_filled(book, titles=headings())


def _by_code(filled: Filled, out: Path) -> tuple[Path, str, Filled]:
    recipient, night, _ = filled.code or ("", "", "")
    for folder in reversed(revisions(out, night)):
        for book in books_of(folder, recipient):
            sent = _as_sent(folder, book)
            if sent.code == filled.code:
                return folder, recipient, sent
    # The version that was sent may have gone since, with somebody who was on it: the newest one has all the others.
    keys = {key_of(row[KEY]) for row in (*filled.rows, *filled.plans)}
    for folder in revisions(out, night)[-1:]:
        if book_of(folder, recipient).is_file():
            sent = _published(folder, recipient)
            if keys & {row[KEY] for row in (*sent.rows, *sent.plans)}:
                return folder, recipient, sent
    raise DecisionFileError(
        f"{filled.name}: is a list for {recipient} of the night {night}, which is not in this output folder",
        "give the output folder that list was made in",
    )


def _by_keys(filled: Filled, out: Path) -> tuple[Path, str, Filled]:
    """The newest list that has most of the file's row keys."""
    keys = {key_of(row[KEY]) for row in (*filled.rows, *filled.plans)}
    best, most = None, 0
    for folder in _every_night(out):
        for recipient in RECIPIENTS:
            if not book_of(folder, recipient).is_file():
                continue
            sent = _published(folder, recipient)
            n_shared = len(keys & {row[KEY] for row in (*sent.rows, *sent.plans)})
            if n_shared > most:
                best, most = (folder, recipient, sent), n_shared
        if best is not None:
            return best
    raise DecisionFileError(
        f"{filled.name}: none of its row keys is of a list in this output folder",
        "give the output folder that list was made in; leave the row keys as they were",
    )


def _every_night(out: Path) -> Iterator[Path]:
    """Every published folder, the newest night and revision first."""
    name = _AFTER_EVERY_NIGHT
    while (folder := latest_before(out, name)) is not None:
        name = folder.name[:10]
        yield from reversed(revisions(out, name))


def manifest_of(folder: Path) -> dict[str, Any]:
    """What a published night tells of itself."""
    try:
        told: dict[str, Any] = json.loads(read_kept(folder, MANIFEST))
    except (OSError, ValueError, RecursionError):
        raise PublishError(
            f"manifest.json of the published night {folder.name} cannot be read",
            "put that night's folder back as it was published",
        ) from None
    return told


def _has_one_key_each(folder: Path) -> bool:
    """Whether each recipient's rows of a night are keyed with its own key; earlier versions had one key for all."""
    told = manifest_of(folder).get("format", 1)
    return not isinstance(told, int) or told >= ONE_KEY_EACH


def _list_key(folder: Path, given: Key | Path | None) -> Key:
    """The key the list was made with; made-up nights may do without one."""
    told = manifest_of(folder)
    if given is None and not told.get("made_up"):
        raise KeyFileError("no list key was given", "give --list-key-file, the one that the night was made with")
    key = Key.made_up(0) if given is None else Key.read(given) if isinstance(given, Path) else given
    if key.fingerprint != told.get("list_key"):
        raise KeyFileError("this is not the list key that the night was made with", "give that one")
    return key
