"""A small map of needs by place as SVG: outlines where the site gives them, else a tile for each place.

Only places are drawn, from the group's own tables of them: never a home, a street or a point where somebody lives. The
figure is the count as the page shows it, and a table below has the same figures in words.
"""

from collections.abc import Mapping, Sequence
from math import ceil, cos, radians, sqrt
from typing import Final

from markupsafe import Markup

from ageingwell.commissioning.community import NEEDS, Community
from ageingwell.commissioning.costing import whole
from ageingwell.commissioning.shown import Shown
from ageingwell.governance.crosses import TOTAL
from ageingwell.report.commissioning_table import Table

Rings = Sequence[Sequence[tuple[float, float]]]
# Shades from few needs to many; the page's own style says which colour each is.
SHADES: Final = 4
TILE: Final = (132, 56)  # width and height
WIDE: Final = 640  # of a map of outlines
MOST_COLUMNS: Final = 7
_LETTERS: Final = 19  # of a place's name on a tile


def place_map(shown: Shown, community: Community) -> Table:
    """The map of the page: its SVG, what kind it is, and the words below it; no SVG where there is no place."""
    needs = {place: shown[NEEDS, place, TOTAL] for place in sorted(shown.rows(NEEDS))}
    outlined = {place: community.outlines[place] for place in needs if place in community.outlines}
    if not needs:
        return {"svg": "", "note": ""}
    if outlined:
        absent = [place for place in needs if place not in outlined]
        note = "The outlines are those of the settings. The more colour a place has, the more needs there are."
        note += f" No outline is given for: {', '.join(absent)}." if absent else ""
        return {"svg": _outlines(outlined, needs), "note": note}
    note = (
        "There are no outlines of places in the settings. So each place is a tile: north is at the top and west on the "
        "left, but sizes and distances are not true. The more colour a place has, the more needs there are."
    )
    return {"svg": _tiles(needs, community), "note": note}


def _shade(shown: str, most: int) -> int:
    """From 1 for few to 4 for many; 0 where the number is hidden or there is nobody."""
    n = whole(shown)
    return 0 if not n or not most else min(SHADES, ceil(SHADES * n / most))


def _most(needs: Mapping[str, str]) -> int:
    return max((whole(shown) or 0 for shown in needs.values()), default=0)


def _svg(body: Sequence[Markup], wide: float, high: float) -> Markup:
    return Markup(
        '<svg class="map" role="img" aria-labelledby="map-title" viewBox="0 0 {:.0f} {:.0f}" width="{:.0f}" '
        'height="{:.0f}"><title id="map-title">Needs by place; the table of needs by place has the same numbers</title>'
        "{}</svg>"
    ).format(wide, high, wide, high, Markup("").join(body))


def _tiles(needs: Mapping[str, str], community: Community) -> Markup:
    """One tile a place, in rows from north to south and each row from west to east."""
    at = (
        {
            place: (north, east)
            for place, north, east in community.positions.select("place", "latitude", "longitude").iter_rows()
        }
        if community.positions.width
        else {}
    )
    columns = min(MOST_COLUMNS, max(1, ceil(sqrt(len(needs)))))
    # A place without a position comes last.
    by_north = sorted(needs, key=lambda place: (place not in at, -at.get(place, (0.0, 0.0))[0], place))
    rows = [by_north[start : start + columns] for start in range(0, len(by_north), columns)]
    body, most = [], _most(needs)
    for row, places in enumerate(rows):
        ordered = sorted(places, key=lambda place: (place not in at, at.get(place, (0.0, 0.0))[1], place))
        for column, place in enumerate(ordered):
            x, y = column * TILE[0], row * TILE[1]
            body.append(
                Markup(
                    '<rect class="place shade-{}" x="{}" y="{}" width="{}" height="{}"/>'
                    '<text x="{}" y="{}">{}</text><text class="many" x="{}" y="{}">{}</text>'
                ).format(
                    _shade(needs[place], most), x + 2, y + 2, TILE[0] - 4, TILE[1] - 4,
                    x + 8, y + 21, _short(place), x + 8, y + 43, needs[place],
                )
            )  # fmt: skip
    return _svg(body, columns * TILE[0], len(rows) * TILE[1])


def _short(place: str) -> str:
    return place if len(place) <= _LETTERS else f"{place[: _LETTERS - 1].rstrip(' ,&')}…"


def _outlines(outlined: Mapping[str, Rings], needs: Mapping[str, str]) -> Markup:
    """The outlines of places, scaled so that a mile east is as long as a mile north."""
    points = [point for rings in outlined.values() for ring in rings for point in ring]
    west, east = min(x for x, _ in points), max(x for x, _ in points)
    south, north = min(y for _, y in points), max(y for _, y in points)
    narrow = cos(radians((south + north) / 2))
    scale = (WIDE - 20) / max((east - west) * narrow, north - south, 1e-9)

    def placed(point: tuple[float, float]) -> tuple[float, float]:
        return (10 + (point[0] - west) * narrow * scale, 10 + (north - point[1]) * scale)

    most = _most(needs)
    shapes, words = [], []
    for place, rings in outlined.items():
        drawn = [[placed(point) for point in ring] for ring in rings]
        path = " ".join("M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in ring) + "Z" for ring in drawn)
        shapes.append(Markup('<path class="place shade-{}" d="{}"/>').format(_shade(needs[place], most), path))
        largest = max(drawn, key=len)
        x, y = (sum(point[axis] for point in largest) / len(largest) for axis in (0, 1))
        words.append(
            Markup(
                '<text class="centre" x="{:.1f}" y="{:.1f}">{}</text>'
                '<text class="centre many" x="{:.1f}" y="{:.1f}">{}</text>'
            ).format(x, y, _short(place), x, y + 18, needs[place])
        )
    high = 20 + (north - south) * scale
    wide = 20 + (east - west) * narrow * scale
    return _svg([*shapes, *words], wide, high)
