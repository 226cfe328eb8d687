"""Writes the parts of the county behind one another, one file a table, without holding more than a part in memory."""

import shutil
from pathlib import Path

import polars as pl

from ageingwell.errors import PublishError
from ageingwell.sources.read import MARK_OF_MADE_UP_DATA, is_made_up

PARTS = ".parts"


class Writer:
    """Takes each part's tables and leaves one file a table in `out` once closed.

    Tables named in `as_text` become CSV (`quoted` where a cell may hold a comma), the others Parquet. Names may hold a
    folder: `truth/risk`. `mark` is the text that says nobody here is real. An earlier county in `out` is removed.
    """

    def __init__(self, out: Path, *, mark: str) -> None:
        self.out, self.rows = out, dict[str, int]()
        self._n_parts: dict[str, int] = {}
        try:
            _clear(out)
            (out / PARTS).mkdir(parents=True)
            # First of all: no table of this folder is ever without its mark.
            (out / MARK_OF_MADE_UP_DATA).write_text(mark, encoding="utf-8")
        except OSError as error:
            raise _unwritable(out, error) from None

    def add(self, name: str, frame: pl.DataFrame, *, as_text: bool = False, quoted: bool = True) -> None:
        """Append a part of a table."""
        part = self._n_parts.get(name, 0)
        path = self.out / PARTS / f"{name.replace('/', '-')}-{part:05}.{'csv' if as_text else 'parquet'}"
        try:
            if as_text:
                with path.with_name(f"{name.replace('/', '-')}.csv").open("ab") as file:
                    frame.write_csv(file, include_header=part == 0, quote_style="necessary" if quoted else "never")
            else:
                frame.write_parquet(path)
        except OSError as error:
            raise _unwritable(self.out, error) from None
        self._n_parts[name] = part + 1
        self.rows[name] = self.rows.get(name, 0) + len(frame)

    def close(self) -> None:
        """Join the parts and put every table in its place."""
        try:
            for name, n_parts in self._n_parts.items():
                self._join(name, n_parts)
            shutil.rmtree(self.out / PARTS)
        except OSError as error:
            raise _unwritable(self.out, error) from None

    def _join(self, name: str, n_parts: int) -> None:
        (self.out / name).parent.mkdir(parents=True, exist_ok=True)
        flat = name.replace("/", "-")
        text = self.out / PARTS / f"{flat}.csv"
        files = [self.out / PARTS / f"{flat}-{part:05}.parquet" for part in range(n_parts)]
        if text.exists():
            text.replace(self.out / f"{name}.csv")
        elif n_parts == 1:
            files[0].replace(self.out / f"{name}.parquet")
        else:
            pl.scan_parquet(files).sink_parquet(self.out / f"{name}.parquet", maintain_order=True)
        for file in files:
            file.unlink(missing_ok=True)


def _clear(out: Path) -> None:
    """Remove an earlier county from the folder; tables that are not marked as made up are left alone and an error."""
    tables = [*out.glob("*.parquet"), *out.glob("*.csv"), *out.glob("truth/*.parquet")]
    if tables and not is_made_up(out):
        raise PublishError(f"{out} holds tables that are not marked as made up", "choose another folder")
    for path in tables:
        path.unlink()
    shutil.rmtree(out / PARTS, ignore_errors=True)


def _unwritable(out: Path, error: OSError) -> PublishError:
    return PublishError(f"{out} cannot be written ({error.strerror})", "choose another folder, or make room")
