"""The look-up of postcodes to small areas: read, checked, one line a postcode."""

from pathlib import Path
from typing import Final

import polars as pl

from ageingwell.errors import SourceError
from ageingwell.pseudonyms.conversion import LOOKED_UP, POSTCODE, lookup_key
from ageingwell.pseudonyms.reading import RawChunk, folded, raw_chunks
from ageingwell.pseudonyms.screening import LSOA21

# The second names are those of the ONS Postcode Directory and its look-up tables.
LOOK_UP: Final = "postcode_lookup.csv"
_POSTCODES: Final = ("postcode", "pcds", "pcd8", "pcd7", "pcd")
_AREAS: Final = ("lsoa21", "lsoa21cd", "lsoa21_code")


def look_up_among(raw: Path) -> Path | None:
    """The look-up that lies in a raw folder under its own name, as `synth --raw` writes it; else nothing.

    >>> look_up_among(Path("no-such-folder")) is None
    True
    """
    found = raw / LOOK_UP
    return found if found.is_file() else None


def read_lookup(path: Path) -> pl.DataFrame:
    """Read a CSV or Parquet look-up of `postcode` to `lsoa21` (or the ONS's `pcds`, `lsoa21cd`).

    Places outside England and Wales are left out. Raises `SourceError` if a postcode lies in two areas.
    """
    # In chunks, two columns of each: the ONS directory has 2.7 million lines of some 50 columns.
    lookup = pl.concat(_two_columns(chunk) for chunk in raw_chunks(path, rows_at_once=100_000)).unique(
        maintain_order=True
    )
    if not lookup.height:
        raise SourceError(f"{path.name}: no line has a postcode and an LSOA of 2021", "give the look-up for 2021")
    if n_twice := lookup.height - lookup[POSTCODE].n_unique():
        raise SourceError(f"{path.name}: {n_twice} postcodes are in two areas", "give each postcode one area")
    return lookup


def _two_columns(chunk: RawChunk) -> pl.DataFrame:
    if chunk.misshapen:
        raise SourceError(f"{chunk.file}: row {chunk.misshapen[0]} has a wrong number of fields", "send it again")
    sent = {folded(name): name for name in reversed(chunk.columns)}
    postcode, area = (next((sent[name] for name in kinds if name in sent), None) for kinds in (_POSTCODES, _AREAS))
    if postcode is None or area is None:
        raise SourceError(f"{chunk.file}: the columns postcode and lsoa21 are missing", "name them in the header line")
    return chunk.rows.select(
        lookup_key(pl.col(postcode)).alias(POSTCODE), pl.col(area).str.strip_chars().alias(LOOKED_UP)
    ).filter(pl.col(LOOKED_UP).str.contains(LSOA21), pl.col(POSTCODE) != "")
