"""Writes the parts of the county behind one another, one file a table, without holding more than a part in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from ageingwell.disk import DISK
from ageingwell.errors import PublishError
from ageingwell.room import staged_folder
from ageingwell.sources.read import MARK_OF_MADE_UP_DATA, is_made_up

PARTS = ".parts"


@contextmanager
def county_folder(out: Path) -> Iterator[Path]:
    """Give a folder to write a county into, which becomes `out` at the end, in place of an earlier county.

    Tables that are not marked as made up are left alone and a `PublishError`; whatever else lies in `out` stays there.
    """
    tables = [*out.glob("*.parquet"), *out.glob("*.csv"), *out.glob("truth/*.parquet")]
    if tables and not is_made_up(out):
        raise PublishError(f"{out} holds tables that are not marked as made up", "choose another folder")
    with staged_folder(out, ours=_is_of_a_county) as staging:
        yield staging


def _is_of_a_county(name: str) -> bool:
    return name.endswith((".parquet", ".csv")) or name in ("truth", PARTS, MARK_OF_MADE_UP_DATA)


class Writer:
    """Takes each part's tables and leaves one file a table in `folder` once closed.

    Tables named in `as_text` become CSV (`quoted` where a cell may hold a comma), the others Parquet. Names may hold a
    folder: `truth/risk`. `mark` is the text that says nobody here is real.
    """

    def __init__(self, folder: Path, *, mark: str) -> None:
        self.folder, self.rows = folder, dict[str, int]()
        self._n_parts: dict[str, int] = {}
        DISK.make_folders(folder / PARTS)
        # First of all: no table of this folder is ever without its mark.
        DISK.write(folder / MARK_OF_MADE_UP_DATA, mark.encode())

    def add(self, name: str, frame: pl.DataFrame, *, as_text: bool = False, quoted: bool = True) -> None:
        """Append a part of a table."""
        part = self._n_parts.get(name, 0)
        flat = name.replace("/", "-")
        if as_text:
            text = frame.write_csv(include_header=part == 0, quote_style="necessary" if quoted else "never")
            DISK.append(self.folder / PARTS / f"{flat}.csv", text.encode())
        else:
            DISK.write_frame(self.folder / PARTS / f"{flat}-{part:05}.parquet", frame)
        self._n_parts[name] = part + 1
        self.rows[name] = self.rows.get(name, 0) + len(frame)

    def close(self) -> None:
        """Join the parts and put every table in its place."""
        for name, n_parts in self._n_parts.items():
            self._join(name, n_parts)
        DISK.remove(self.folder / PARTS)

    def _join(self, name: str, n_parts: int) -> None:
        DISK.make_folders((self.folder / name).parent)
        flat = name.replace("/", "-")
        text = self.folder / PARTS / f"{flat}.csv"
        files = [self.folder / PARTS / f"{flat}-{part:05}.parquet" for part in range(n_parts)]
        if text.exists():
            DISK.replace(text, self.folder / f"{name}.csv")
        elif n_parts == 1:
            DISK.replace(files[0], self.folder / f"{name}.parquet")
        else:
            DISK.sink_frame(self.folder / f"{name}.parquet", pl.scan_parquet(files), maintain_order=True)
