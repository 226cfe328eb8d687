"""The outlines of places, where a site gives them: a GeoJSON file with a polygon for each place, and nothing finer."""

import json
from pathlib import Path
from typing import Any, Final

from ageingwell.config.files import file_bytes
from ageingwell.config.positions import LATITUDES, LONGITUDES
from ageingwell.errors import ConfigError

MOST_BYTES: Final = 5_000_000
MOST_POINTS: Final = 60_000  # of all outlines together: a page has to stay small
Outlines = dict[str, tuple[tuple[tuple[float, float], ...], ...]]


def read_outlines(path: Path) -> Outlines:
    """Read the outline of each place: its rings, each a row of points (longitude, latitude).

    The file is a `FeatureCollection` of `Polygon` and `MultiPolygon`, each with the place's name as `place` among its
    properties. Points, lines and anything else are refused: a map of homes must never come of it. Raises `ConfigError`
    that names the file and the feature.
    """
    try:
        features = list(json.loads(file_bytes(path, most=MOST_BYTES))["features"])
    except (ValueError, RecursionError, KeyError, TypeError):
        raise ConfigError(f"{path.name}: this is not a GeoJSON file with `features`", _DO) from None
    outlines: Outlines = {}
    for number, feature in enumerate(features, start=1):
        try:
            place, rings = feature["properties"]["place"], _rings(feature["geometry"])
            if not isinstance(place, str) or place in outlines:
                raise ValueError("no place")
        except (KeyError, TypeError, ValueError):
            raise ConfigError(
                f"{path.name}: feature {number}: it needs the name of a place as `place`, once, and a Polygon or "
                "MultiPolygon inside the United Kingdom, in degrees",
                _DO,
            ) from None
        outlines[place] = rings
    if sum(len(ring) for rings in outlines.values() for ring in rings) > MOST_POINTS:
        raise ConfigError(f"{path.name}: more than {MOST_POINTS:,} points", "make the outlines simpler")
    return outlines


_DO: Final = "export the outlines of your places as GeoJSON in degrees (WGS 84)"


def _rings(geometry: dict[str, Any]) -> tuple[tuple[tuple[float, float], ...], ...]:
    kind, read = geometry["type"], geometry["coordinates"]
    if kind not in ("Polygon", "MultiPolygon"):
        raise ValueError("another kind")
    polygons = [read] if kind == "Polygon" else read
    rings = tuple(tuple((float(x), float(y)) for x, y, *_ in ring) for polygon in polygons for ring in polygon)
    for ring in rings:
        if len(ring) < 4 or not all(
            LONGITUDES[0] <= x <= LONGITUDES[1] and LATITUDES[0] <= y <= LATITUDES[1] for x, y in ring
        ):
            raise ValueError("no ring")
    if not rings:
        raise ValueError("no rings")
    return rings
