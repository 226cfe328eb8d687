"""features.md: what is worked out about a person."""

from ageingwell.features.build import FEATURES
from ageingwell.features.feature import Feature
from tools.reference.markdown import table


def features() -> str:
    """One table a theme."""
    return "\n\n".join(map(_theme, dict.fromkeys(feature.theme for feature in FEATURES)))


def _theme(theme: str) -> str:
    rows = (_feature(feature) for feature in FEATURES if feature.theme == theme)
    return f"## {theme.replace('_', ' ').capitalize()}\n\n" + table(
        ("feature", "source", "look-back", "risk", "sentence", "sentence of its absence", "readers"), rows
    )


def _feature(feature: Feature) -> tuple[str, ...]:
    return (
        f"`{feature.name}`",
        f"`{feature.source}`",
        str(feature.lookback_days or "all"),
        feature.direction,
        feature.present or "",
        feature.absent or "",
        ", ".join(feature.readers).replace("_", " ") if feature.present or feature.absent else "nobody",
    )
