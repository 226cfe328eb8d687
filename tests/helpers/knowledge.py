"""From tables as frames to what was known, the spine and the features."""

from collections.abc import Mapping
from datetime import date

import polars as pl

from ageingwell.config.load import Config, load_config
from ageingwell.features.build import build_features
from ageingwell.sources.check import REFUSED
from ageingwell.sources.read import CheckedTable, Records
from ageingwell.spine import build_spine, known_tables
from ageingwell.timeline import AsOf

CONFIG: Config = load_config()
Frames = Mapping[str, pl.DataFrame]


def records_of(tables: Frames) -> Records:
    """Tables in the shape in which reading leaves them."""
    checked = {
        name: CheckedTable(
            name=name,
            rows=frame.lazy(),
            refused=pl.DataFrame(schema=REFUSED),
            n_read=frame.height,
            n_good=frame.height,
        )
        for name, frame in tables.items()
    }
    return Records(checked, missing=(), made_up=True)


def known_on(tables: Frames, day: date) -> dict[str, pl.LazyFrame]:
    return known_tables(records_of(tables), AsOf(day), CONFIG.tables)


def spine_on(tables: Frames, day: date) -> pl.DataFrame:
    return build_spine(known_on(tables, day), AsOf(day), minimum_age=65, places=CONFIG.places)


def features_on(tables: Frames, day: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The spine and the features of a day."""
    known = known_on(tables, day)
    spine = build_spine(known, AsOf(day), minimum_age=65, places=CONFIG.places)
    return spine, build_features(known, spine, AsOf(day), codelists=CONFIG.codelists)
