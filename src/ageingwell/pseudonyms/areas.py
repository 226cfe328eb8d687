"""From postcodes and homes to small areas: by a look-up of postcodes, or by the directory of homes an agency sends."""

from dataclasses import dataclass
from typing import Final

import polars as pl

from ageingwell.pseudonyms.conversion import LOOKED_UP, POSTCODE, lookup_key
from ageingwell.pseudonyms.identifiers import canonical_uprn
from ageingwell.pseudonyms.screening import LSOA21

_HOME: Final = "_uprn"
_BY_HOME: Final = "_lsoa21_of_home"


@dataclass(frozen=True)
class Areas:
    """Where postcodes lie (`_postcode`, `_lsoa21`) and where homes lie (`_uprn`, `_lsoa21_of_home`), one line each."""

    postcodes: pl.DataFrame | None = None
    homes: pl.DataFrame | None = None

    @property
    def are_known(self) -> bool:
        """Whether there is any look-up."""
        return self.postcodes is not None or self.homes is not None


def areas_of(homes: pl.LazyFrame | None, *, postcodes: pl.DataFrame | None) -> Areas:
    """Make the look-ups from a directory of homes (`uprn`, `postcode`, `lsoa21`); a given look-up of postcodes stays.

    A postcode on a border lies where most of its homes do. A home that the directory puts in two areas is left out.
    """
    if homes is None:
        return Areas(postcodes)
    known = homes.select(
        canonical_uprn(pl.col("uprn")).alias(_HOME),
        lookup_key(pl.col("postcode")).alias(POSTCODE),
        pl.col("lsoa21").str.strip_chars().alias(LOOKED_UP),
    ).filter(pl.col(LOOKED_UP).str.contains(LSOA21))
    by_home = known.drop_nulls(_HOME).select(_HOME, pl.col(LOOKED_UP).alias(_BY_HOME)).unique()
    by_home = by_home.filter(pl.len().over(_HOME) == 1).sort(_HOME)
    if postcodes is None:
        counted = known.filter(pl.col(POSTCODE) != "").group_by(POSTCODE, LOOKED_UP).agg(n=pl.len())
        ordered = counted.sort(POSTCODE, "n", LOOKED_UP, descending=[False, True, False])
        postcodes = ordered.unique(POSTCODE, keep="first", maintain_order=True).drop("n").collect()
    return Areas(postcodes, by_home.collect())


def with_areas(rows: pl.DataFrame, areas: Areas) -> pl.DataFrame:
    """Put the area beside each row (`_lsoa21`), by its home, else by its postcode; and the postcode in one spelling."""
    if not areas.are_known or not {"postcode", "uprn"} & set(rows.columns):
        return rows
    by_postcode = pl.lit(None, pl.String)
    if "postcode" in rows.columns:
        rows = rows.with_columns(lookup_key(pl.col("postcode")).alias(POSTCODE))
        if areas.postcodes is not None:
            rows = rows.join(areas.postcodes, on=POSTCODE, how="left", maintain_order="left")
            by_postcode = pl.col(LOOKED_UP)
    by_home = pl.lit(None, pl.String)
    if areas.homes is not None and "uprn" in rows.columns:
        rows = rows.with_columns(canonical_uprn(pl.col("uprn")).alias(_HOME))
        rows = rows.join(areas.homes, on=_HOME, how="left", maintain_order="left")
        by_home = pl.col(_BY_HOME)
    return rows.with_columns(pl.coalesce(by_home, by_postcode).alias(LOOKED_UP)).drop(_HOME, _BY_HOME, strict=False)
