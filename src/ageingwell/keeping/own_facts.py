"""Which facts are a person's own: what is recorded of others in the home is never told to them here."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Final

from ageingwell.config.outreach import Thresholds
from ageingwell.features.build import FEATURES, HOME_SOURCES, HOUSEHOLD_SOURCES
from ageingwell.outreach.rules import Fact, need_rules

# Counts of who else lives there, and what became of them.
_OF_OTHERS: Final = re.compile(r"household")
NOT_TOLD: Final = "something recorded about the home or the people in it, which this page leaves out"


@cache
def own_features() -> frozenset[str]:
    """The features that tell of the person alone, or of the home as a building.

    >>> [name in own_features() for name in ("n_falls_365d", "someone_smokes", "n_household_65plus")]
    [True, False, False]
    """
    return frozenset(
        feature.name
        for feature in FEATURES
        if feature.source not in HOUSEHOLD_SOURCES
        and (feature.source not in HOME_SOURCES or feature.about == "home")
        and not _OF_OTHERS.search(f"{feature.name} {feature.source}")
    )


def own_criterion(need: str, criterion: str, thresholds: Thresholds) -> list[str]:
    """The facts of a need's criterion that are the person's own; of all others one sentence says that they are there.

    >>> own_criterion("cold_home", "energy rating E; someone else is ill", Thresholds())[-1] == NOT_TOLD
    True
    """
    own = _own_words(need, thresholds)
    clauses = [clause for clause in criterion.split("; ") if clause]
    told = [clause for clause in clauses if any(words.fullmatch(clause) for words in own)]
    return told + [NOT_TOLD] * (len(told) < len(clauses))


def _own_words(need: str, thresholds: Thresholds) -> Sequence[re.Pattern[str]]:
    facts = [fact for rule in need_rules(thresholds) if rule.name == need for fact in rule.facts()]
    return [_pattern(fact) for fact in facts if _names(fact) <= own_features() | {"age"}]


def _names(fact: Fact) -> frozenset[str]:
    read = [expression for expression in (fact.holds, fact.value) if expression is not None]
    return frozenset(name for expression in read for name in expression.meta.root_names())


def _pattern(fact: Fact) -> re.Pattern[str]:
    return re.compile(re.escape(fact.words).replace(r"\{\}", r"[^;]*"))
