"""Everything that decides a feature's value, as one hash: a bundle scores only what it was trained on."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from datetime import date

from ageingwell import spine
from ageingwell.contracts.registry import EVENT_KEYS
from ageingwell.features import build, gp
from ageingwell.features.behind import ORIGINS
from ageingwell.features.feature import Feature, Seen
from ageingwell.features.source_text import as_text, expression_text, source_text
from ageingwell.timeline import ENDINGS, AsOf

# What makes a column of the spine that few features read; the others are made together.
_MAKERS = {
    "known_to": ("who_knows", "last_contacts"),
    "care_home": ("_care_home", "_care_homes", "_care_home_residents"),
}


def definitions(features: Iterable[Feature], codelists: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Each feature's name and its `definition`; what several have in common is written once.

    >>> import polars as pl
    >>> counted = Feature("n_rows", "health", "gp_events", lambda seen: pl.len(), "up")
    >>> definitions([counted], {}) == {"n_rows": definition(counted, {})}
    True
    """
    written: dict[tuple[object, ...], str] = {}
    return {feature.name: _definition(feature, codelists, written) for feature in features}


def definition(feature: Feature, codelists: Mapping[str, tuple[str, ...]]) -> str:
    """SHA-256 of all that decides a feature's value: what a bundle was trained on must be what it is given.

    In it are the expression with its look-back and constants, the code lists it reads, how its source is prepared, what
    was known when, which rows are one event, and the spine; of a derived feature, the definitions of its parts. A
    rewrite of any of these counts as a change, even where it would give the same values.

    >>> import polars as pl
    >>> doubled = Feature("n_rows", "health", "gp_events", lambda seen: 2 * pl.len(), "up")
    >>> halved = Feature("n_rows", "health", "gp_events", lambda seen: pl.len() / 2, "up")
    >>> definition(doubled, {}) == definition(halved, {})
    False
    """
    return _definition(feature, codelists, {})


def _definition(
    feature: Feature, codelists: Mapping[str, tuple[str, ...]], written: dict[tuple[object, ...], str]
) -> str:
    bits = _Noted(codelists)
    formula = feature.value(Seen(AsOf(date(2000, 1, 1)), bits))
    roots = set(formula.meta.root_names())
    lists = roots | {gp.dmd_list_of(root) for root in roots & set(gp.MEDICINE_GROUPS)}
    used = sorted(set(bits.asked) | (lists & set(codelists)))
    told = [
        feature.name,
        feature.source,
        str(feature.without_rows),
        feature.direction,
        feature.about,
        str(feature.lookback_days),
        expression_text(formula),
        *(f"{name}={','.join(codelists[name])}" for name in used),
        *(_parts(roots, codelists, written) if feature.source == "derived" else ()),
        _preparation(feature.source, roots, written),
    ]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


class _Noted(dict[str, int]):
    """The bits of the code lists in the order in which they are asked for, so that a list nobody reads changes none."""

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__(dict.fromkeys(names, 0))
        self.asked: dict[str, int] = {}

    def __getitem__(self, name: str) -> int:
        super().__getitem__(name)
        return self.asked.setdefault(name, len(self.asked))


def _parts(
    roots: Iterable[str], codelists: Mapping[str, tuple[str, ...]], written: dict[tuple[object, ...], str]
) -> list[str]:
    by_name = {feature.name: feature for feature in build.FEATURES}
    return [_definition(by_name[root], codelists, written) for root in sorted(roots) if root in by_name]


def _preparation(source: str, roots: Iterable[str], written: dict[tuple[object, ...], str]) -> str:
    """How the rows came to be that an expression is worked out on; the same for all that read the same of the spine."""
    key = (source, *sorted({*_MAKERS} & {*roots}))
    if key not in written:
        written[key] = _prepared(source, key)
    return written[key]


def _prepared(source: str, roots: Collection[object]) -> str:
    table = ORIGINS[source][1] if source in ORIGINS else "gp_patients"
    tables = (*EVENT_KEYS, "gp_patients") if "known_to" in roots else ("gp_patients", table)
    others = [getattr(spine, name) for column, names in _MAKERS.items() if column not in roots for name in names]
    # Of the whole lists only this source's entries are told.
    lists = [Feature, build.FEATURES, build.SOURCES, ENDINGS, EVENT_KEYS]
    prepare = [build.SOURCES[source]] if source in build.SOURCES else []
    told = source_text(*prepare, build.build_features, spine.known_tables, spine.build_spine, beyond=[*others, *lists])
    facts = {one: (ENDINGS.get(one, ()), EVENT_KEYS.get(one)) for one in sorted(set(tables))}
    return f"{told}\n{as_text(facts)}"
