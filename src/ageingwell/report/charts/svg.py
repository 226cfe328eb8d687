"""One look for all charts, and a drawn figure as SVG that a page can hold: no script, no address, a title and a text.

Matplotlib and shap (extra `annex`) are imported here and beside here only, and only when something is drawn.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, Final

from markupsafe import escape

INK: Final = "#1b1f23"
QUIET: Final = "#4a545c"
DEEP: Final = "#1d4e5f"
WARM: Final = "#a34700"
STYLE: Final[dict[str, Any]] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib; the page falls back on what the reader's computer has
    "font.size": 11,
    "svg.fonttype": "none",  # text stays text
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": QUIET,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "errorbar.capsize": 3,
}
INCHES_WIDE: Final = 8.0
PIXELS_A_POINT: Final = 4 / 3


def can_draw() -> bool:
    """Whether the extra `annex` is installed."""
    return find_spec("matplotlib") is not None and find_spec("shap") is not None


@contextmanager
def style(name: str) -> Iterator[None]:
    """Draw in the annex's look; `name` keeps the ids inside one chart apart from those of the others."""
    import matplotlib

    look: dict[Any, Any] = {**STYLE, "svg.hashsalt": name}
    with matplotlib.rc_context(look):
        yield


def new_figure(height: float, width: float = INCHES_WIDE) -> tuple[Any, Any]:
    """A figure and its axes, `height` inches high; belongs to no window and to nobody's session."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def as_svg(figure: Any, name: str, *, title: str, text: str) -> str:
    """The figure as `<svg role="img">` with a title and a text that says what can be seen; `name` is unique on a page.

    Must be called inside `style(name)`.
    """
    content = io.StringIO()
    # No date and no program name: the same table gives the same bytes.
    figure.savefig(content, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    drawn = content.getvalue()
    box = re.search(r'viewBox="([^"]+)"', drawn)
    inside = re.search(r"<svg[^>]*>(.*)</svg>", drawn, flags=re.DOTALL)
    if box is None or inside is None:  # pragma: no cover (matplotlib always writes both)
        raise AssertionError("matplotlib wrote no SVG")
    label = f"{name}-title {name}-text"
    width = round(float(box[1].split()[2]) * PIXELS_A_POINT)
    return (
        f'<svg role="img" aria-labelledby="{label}" viewBox="{box[1]}" width="{width}" stroke-linejoin="round">'
        f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-text">{escape(text)}</desc>'
        f"{_lean(inside[1])}</svg>"
    )


def _lean(svg: str) -> str:
    """Without what a page has no use for: metadata, a style for every element, names of groups, long fractions."""
    svg = re.sub(r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>|<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(<(?:g|text)\b[^>]*?) id="[^"]*"', r"\1", svg)
    svg = re.sub(r"(\d+\.\d\d)\d+", r"\1", svg)
    # The page's policy lets no style attribute through; what they say can stand as attributes of their own.
    svg = re.sub(r'style="([^"]*)"', lambda found: _as_attributes(found[1]), svg.replace("xlink:href", "href"))
    return re.sub(r"\s*\n\s*", "\n", svg).strip()


def _as_attributes(style: str) -> str:
    pairs = (part.split(":", 1) for part in style.split(";") if ":" in part)
    return " ".join(f'{name.strip()}="{value.strip()}"' for name, value in pairs)
