"""Who has a need and who is on the list, by deprivation, ethnic group, rurality and distance: counts, and shares."""

from typing import Final

from ageingwell.commissioning.community import (
    DEPRIVATION,
    DISTANCE,
    ETHNICITY,
    LISTED,
    NO_NEED,
    RURALITY,
    WAITING,
)
from ageingwell.commissioning.shown import Shown
from ageingwell.governance.crosses import TOTAL
from ageingwell.governance.disclosure import HIDDEN

MOST_DEPRIVED: Final = "1 (most deprived)"
FIFTHS: Final = (MOST_DEPRIVED, "2", "3", "4", "5 (least deprived)", "Not known")
GROUPS: Final = {
    DEPRIVATION: "Deprivation of the area, in fifths",
    ETHNICITY: "Ethnic group",
    RURALITY: "Rural or urban area",
    DISTANCE: "Distance from the middle of the place to the nearest service",
}


def share_listed(shown: Shown, of: str, one: str) -> str:
    """Of the people with a need in a group, how many in 100 are on the list; from the counts as shown.

    >>> words = {("g", "a", LISTED): "10", ("g", "a", WAITING): "40", ("g", "b", LISTED): "not shown"}
    >>> share_listed(Shown(words), "g", "a"), share_listed(Shown(words), "g", "b"), share_listed(Shown(words), "g", "c")
    ('20 in 100', 'not shown', 'nobody')
    """
    listed, waiting = shown.number(of, one, LISTED), shown.number(of, one, WAITING)
    return _share(listed, None if listed is None or waiting is None else listed + waiting)


def share_in_need(shown: Shown, of: str, one: str) -> str:
    """Of the people of a group, how many in 100 have a need; from the counts as shown."""
    without, everybody = shown.number(of, one, NO_NEED), shown.number(of, one, TOTAL)
    if without is None or everybody is None:
        return HIDDEN
    return _share(max(everybody - without, 0), everybody)


def _share(part: int | None, whole: int | None) -> str:
    if part is None or whole is None:
        return HIDDEN
    return f"{min(int(100 * part / whole + 0.5), 100)} in 100" if whole else "nobody"


# Who is compared with everybody in the first lines of the page: the first of these of whom enough are counted.
COMPARED: Final = (
    (DEPRIVATION, MOST_DEPRIVED, "in the most deprived areas"),
    (RURALITY, "Rural", "in rural areas"),
    (RURALITY, "Urban", "in urban areas"),
)


def fair_words(shown: Shown) -> str:
    """Whether a group is on the list as often as everybody with a need, in a few words.

    >>> fair_words(Shown({}))
    'too few people in any group to compare'
    """
    for of, one, where in COMPARED:
        if shown[of, one, TOTAL] == shown[of, TOTAL, TOTAL]:
            continue  # everybody is of this group
        theirs, everybody = share_listed(shown, of, one), share_listed(shown, of, TOTAL)
        if "in 100" in theirs and "in 100" in everybody and theirs != everybody:
            return f"of people with a need, {theirs} are on the list {where}, {everybody} in all"
        if "in 100" in theirs and theirs == everybody:
            return f"of people with a need, {theirs} are on the list {where}, as in all"
    if "in 100" in (everybody := share_listed(shown, RURALITY, TOTAL)):
        return f"of people with a need, {everybody} are on the list; no two groups are large enough to compare"
    return "too few people in any group to compare"
