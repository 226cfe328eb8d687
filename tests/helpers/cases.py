"""Which cases of a law that holds for very many the test command tries: one in several, and every one when asked.

`@pytest.mark.sweep(of=4)` marks such a test, and `full` one long case more of a law. AGEINGWELL_CASES chooses: `some`
(one case in four, the same each time), `others` (those that `some` leaves out) or `every`. A test named with its `::`
on the command line runs with every case.
"""

import zlib
from collections import defaultdict
from collections.abc import Sequence
from math import ceil

import pytest

CASES = "AGEINGWELL_CASES"
CHOICES = ("some", "others", "every")


def chosen(items: Sequence[pytest.Item], which: str) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """The tests to run and those to leave out, in their order.

    The cases taken are those whose names hash lowest: a stride over a grid of tables and ways would take the same way
    each time. A new case may push another out, which `every` still runs.
    """
    if which not in CHOICES:
        raise pytest.UsageError(f"{CASES} is none of {', '.join(CHOICES)}")
    of: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if item.get_closest_marker("sweep"):
            of[item.nodeid.split("[")[0]].append(item)
    left_out = {item.nodeid for item in items if item.get_closest_marker("full")}
    for cases in of.values():
        marker = cases[0].get_closest_marker("sweep")
        assert marker is not None
        names = sorted((item.nodeid for item in cases), key=lambda name: (zlib.crc32(name.encode()), name))
        left_out.update(names[ceil(len(names) / marker.kwargs["of"]) :])
    if which == "every":
        return list(items), []
    is_run = [(item.nodeid in left_out) == (which == "others") for item in items]
    taken = [item for item, runs in zip(items, is_run, strict=True) if runs]
    return taken, [item for item, runs in zip(items, is_run, strict=True) if not runs]
