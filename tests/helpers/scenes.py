"""The commands that write, small enough to be stopped at every moment of every operation on the disk."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from ageingwell.audit.writing import add_line, verify
from ageingwell.jobs.settling_in import init
from ageingwell.learning import evaluating
from ageingwell.profiles.samples import write_samples
from ageingwell.publish.lock import publishing_lock
from ageingwell.publish.mark import set_mark
from ageingwell.publish.whole import standing
from ageingwell.room import write_file
from ageingwell.synthetic.writing import Writer, county_folder
from helpers.nights import night
from helpers.nights import run as publish
from helpers.stopping import Scene, files_in

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
PEOPLE = pl.DataFrame({"person_id": ["b" * 32, "c" * 32], "day": [date(2026, 11, 22), None]})


def _county(place: Path, word: str = "a") -> None:
    with county_folder(place / "county") as folder:
        writer = Writer(folder, mark='{"synthetic": true}')
        for part in range(2):
            writer.add("homes", PEOPLE.with_columns(word=pl.lit(word)))
            writer.add("contacts", PEOPLE.with_columns(part=pl.lit(part)), as_text=True)
        writer.add("truth/risk", PEOPLE)
        writer.close()


def _another_county(place: Path) -> None:
    _county(place, "earlier")
    (place / "county" / "agencies.toml").write_text("# the user's own")
    (place / "county" / "notes").mkdir()
    (place / "county" / "notes" / "link.md").symlink_to("../agencies.toml")


def _evaluated(place: Path, word: str = "a") -> None:
    tables = {"wall": PEOPLE.with_columns(word=pl.lit(word)), "drift": PEOPLE}
    evaluating._write(place / "evaluated", tables, {"verdict": word})


def _read_evaluation(place: Path) -> object:
    """What a reader of the folder finds, who looks aside while a new one takes its place."""
    return files_in(standing(place / "evaluated"))


def _mark(place: Path) -> None:
    with publishing_lock(place / "out", holder="process 1"):
        set_mark(place / "out", "Do not use this list.")


def _unmark(place: Path) -> None:
    with publishing_lock(place / "out", holder="process 1"):
        set_mark(place / "out", None)


def _line(place: Path, what: str) -> None:
    add_line(place / "log.jsonl", lambda _: {"at": AT.isoformat(), "did": what})


def _logged(place: Path) -> None:
    """A use that was stopped is begun again; its line may be there already."""
    if not any(b'"reidentify"' in line for line in verify(place / "log.jsonl").lines):
        _line(place, "reidentify")


def _lines(place: Path) -> object:
    """Whether there is a line, in a chain that holds; a second run of the same adds another."""
    found = verify(place / "log.jsonl")
    return found.first_bad is None and len(found.lines) > 0


SCENES = {
    "synth": Scene(_county),
    "synth over an earlier county": Scene(_county, prepared=_another_county),
    "evaluate": Scene(_evaluated, seen=_read_evaluation),
    "evaluate over an earlier one": Scene(
        _evaluated, prepared=lambda place: _evaluated(place, "earlier"), seen=_read_evaluation
    ),
    "init": Scene(lambda place: init(place / "ours"), refuses=True),
    "init in a folder with files": Scene(
        lambda place: init(place / "ours"),
        prepared=lambda place: [(place / "ours").mkdir(), (place / "ours" / "notes.txt").write_text("the user's own")],
        refuses=True,
    ),
    "connect --samples": Scene(lambda place: write_samples(place / "raw"), refuses=True),
    "explain --page": Scene(lambda place: write_file(place / "page.html", b"<p>A page.</p>")),
    "explain --page over a page": Scene(
        lambda place: write_file(place / "page.html", b"<p>A page.</p>"),
        prepared=lambda place: (place / "page.html").write_bytes(b"<p>An earlier one, a little longer.</p>"),
    ),
    "reidentify": Scene(lambda place: write_file(place / "list.xlsx", b"PK a list", in_place=False), refuses=True),
    "the first line of the audit log": Scene(_logged, seen=_lines),
    "a line of the audit log": Scene(_logged, prepared=lambda place: _line(place, "score"), seen=_lines),
    "do not use": Scene(_mark, prepared=lambda place: publish(place / "out", "2026-11-22", night("A"))),
    "use again": Scene(
        _unmark, prepared=lambda place: (publish(place / "out", "2026-11-22", night("A")), _mark(place))
    ),
}
