"""What everything for commissioners is worked out from: a night's tables, the settings, and the pages before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from ageingwell.config.costs import CostsSettings
from ageingwell.config.outreach import Intervention

# The counts behind a page: which of its tables, the two labels of a cell, and how many people or homes.
COUNTS: Final = pl.Schema({"of": pl.String, "one": pl.String, "other": pl.String, "n": pl.Int64})

# The tables, by name. Those with totals first: their numbers are hidden together.
NEEDS: Final = "needs by place"
KNOWN: Final = "known by place"
DEPRIVATION: Final = "people by deprivation"
ETHNICITY: Final = "people by ethnic group"
RURALITY: Final = "people by rurality"
DISTANCE: Final = "people by distance"
COLD: Final = "cold homes by tenure"
# Counted by place in a night, to be added up by distance; never shown by place.
PLACE: Final = "people by place"
# Tables without totals: each number stands alone.
JOINT: Final = "homes of two agencies"
WORK: Final = "visits and plans"
SAID: Final = "what people said"
MATTERS: Final = "what matters"
WORKER: Final = "one more worker"

GROUPED: Final = (DEPRIVATION, ETHNICITY, RURALITY, DISTANCE)
CROSSED: Final = (NEEDS, KNOWN, *GROUPED, COLD)
ALONE: Final = (JOINT, WORK, SAID, MATTERS, WORKER)

# What became of a person: every person is one of these.
NO_NEED: Final = "No need found"
LISTED: Final = "A need, on the list"
WAITING: Final = "A need, waiting"
STATES: Final = (NO_NEED, LISTED, WAITING)
# What is told of one more worker.
HOMES: Final = "homes"
PEOPLE: Final = "people"
# What is counted of visits and plans, by the agency that led.
VISITED: Final = "visited"
PLANNED: Final = "with a plan"
COMPLETED: Final = "with a plan that met what mattered"


@dataclass(frozen=True)
class Community:
    """What the page is counted from: the night's tables, what each need is led by, and the pages before it.

    `before` are the counts that the last quarter's page was drawn from (`COUNTS`), if there was one, and `earlier` the
    numbers of all pages before, by quarter, the oldest first (`governance.pages.PUBLISHED`). `counted` are counts that
    the other tables do not have (`COUNTS`); `effects` what visits changed (`EFFECTS`), where that was worked out.
    """

    residents: pl.DataFrame | pl.LazyFrame
    needs: pl.DataFrame
    services: pl.DataFrame
    positions: pl.DataFrame
    just_missed: pl.DataFrame
    marginal: pl.DataFrame
    leads: Mapping[str, str]
    before: pl.DataFrame | None = None
    counted: pl.DataFrame | None = None
    earlier: Sequence[tuple[str, pl.DataFrame]] = ()
    costs: CostsSettings = field(default_factory=CostsSettings)
    interventions: Mapping[str, Intervention] = field(default_factory=dict)
    effects: pl.DataFrame | None = None
    outlines: Mapping[str, Sequence[Sequence[tuple[float, float]]]] = field(default_factory=dict)
    quarter: str = ""
