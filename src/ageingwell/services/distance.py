"""How far two points lie apart."""

from typing import Final

import polars as pl

EARTH_RADIUS_MILES: Final = 3958.8  # mean radius (6,371.0 km)


def miles_between(latitude: pl.Expr, longitude: pl.Expr, to_latitude: pl.Expr, to_longitude: pl.Expr) -> pl.Expr:
    """Great-circle distance in miles, by the haversine formula.

    >>> points = pl.DataFrame({"a": [51.5], "b": [0.0], "c": [52.5], "d": [0.0]})
    >>> round(points.select(miles_between(*(pl.col(name) for name in "abcd")))["miles"].item(), 2)
    69.09
    """
    first, second = latitude.radians(), to_latitude.radians()
    across, along = (to_longitude - longitude).radians() / 2, (second - first) / 2
    square = along.sin() ** 2 + first.cos() * second.cos() * across.sin() ** 2
    return (2 * EARTH_RADIUS_MILES * square.clip(0, 1).sqrt().arcsin()).alias("miles")
