"""Which facts may be shown as linked with a lower chance: those on the signed list of the settings, and no others."""

import difflib

import polars as pl

from ageingwell.config.may_lower import MayLower
from ageingwell.errors import ConfigError
from ageingwell.features.build import FEATURES
from ageingwell.features.feature import Feature


def may_lower(feature: Feature, value: pl.Expr, signed: MayLower) -> pl.Expr:
    """Whether this value of the feature may be told as linked with a lower chance; what is unknown never is.

    >>> from ageingwell.features.build import FEATURES
    >>> older = next(feature for feature in FEATURES if feature.name == "n_household_65plus")
    >>> known = pl.DataFrame({"n": [1.0, 2.0, None]})
    >>> known.select(may_lower(older, pl.col("n"), MayLower(at_least={"n_household_65plus": 2})))["n"].to_list()
    [False, True, False]
    """
    name, allowed = feature.name, pl.lit(value=False)
    if name in signed.not_on_record:
        allowed = allowed | (value < feature.present_from)
    if name in signed.at_least:
        allowed = allowed | (value >= signed.at_least[name])
    if name in signed.at_most:
        allowed = allowed | (value <= signed.at_most[name])
    return allowed.fill_null(value=False).alias(value.meta.output_name())


def stop_on_unknown_facts(signed: MayLower) -> None:
    """Raise `ConfigError` where the signed list names a feature that there is not: nobody signed that."""
    names = [feature.name for feature in FEATURES]
    unknown = sorted(signed.features - set(names))
    if unknown:
        near = difflib.get_close_matches(unknown[0], names, n=1)
        meant = f"did you mean `{near[0]}`? " if near else ""
        raise ConfigError(
            f"may_lower.toml: there is no fact called {', '.join(f'`{name}`' for name in unknown)}",
            f"{meant}docs/reference/features.md lists every fact",
        )
