"""What one recipient may be told of earlier decisions and plans: the group everything, an agency its own part alone.

The permission ledger speaks of themes of records. A decision and a plan are neither, and may tell of any theme: so an
agency gets only what it was itself asked to do, what it told itself, and of a step what its needs tell it anyway.
"""

from typing import Final

import polars as pl

from ageingwell.config.outreach import Interventions
from ageingwell.views.reader import Reader

GROUP: Final = "group"
# What stands for a step that its own agency may not read in words.
ABOUT: Final = "about:"
ASK: Final = "ask"
_OF_THE_PLAN: Final = ("matters", "also_matters", "agreed", "helped", "note", "words")


def last_time_for(reader: Reader, last_time: pl.DataFrame) -> pl.DataFrame:
    """The rows of `last_time` with what this reader may be told: whole for the group.

    An agency is told that it was chosen to lead and by when, the contacts it made, and what the person said to it. The
    day an agreed visit is due stands with the status of its row, which it may read.
    """
    if reader.recipient == GROUP:
        return last_time
    own = reader.recipient
    leads = (pl.col("led_by") == own).fill_null(value=False)
    parts = {
        **dict.fromkeys(("decision", "led_by", "by_when", "decided_on", "decided_by"), leads),
        **dict.fromkeys(("outcome", "contacted_on", "contacted_by"), pl.col("contacted_by") == own),
        **dict.fromkeys(("person_said", "said_on", "said_to", "said_night"), pl.col("said_to") == own),
        **dict.fromkeys(("reason", "question"), pl.lit(value=False)),
    }
    return last_time.with_columns(pl.when(may).then(pl.col(name)).alias(name) for name, may in parts.items())


def plans_for(reader: Reader, plans: pl.DataFrame, interventions: Interventions) -> pl.DataFrame:
    """The rows of `plans` that this reader may be told: whole for the group, of an agency the steps it takes itself.

    Of those it reads the next step of a need whose whole rule it may read, in words that tell no fact that of a need it
    leads, and of any other, of a service or of own words only that there is one. What matters to the person, whether
    they agreed and whether it helped stay with the group.
    """
    if reader.recipient == GROUP:
        return plans
    own = plans.filter(pl.col("who") == reader.recipient)
    leads = {f"need:{need}" for need, then in interventions.needs.items() if then.lead == reader.recipient}
    reads = {f"need:{need}" for need in interventions.needs if reader.reads_need(need)}
    about = pl.format(f"{ABOUT}{{}}", pl.col("step").str.strip_prefix("need:"))
    told = (
        pl.when(pl.col("step").is_in(sorted(reads)))
        .then(pl.col("step"))
        .when(pl.col("step").is_in(sorted(leads)))
        .then(about)
        .otherwise(pl.lit(ASK))
    )
    nothing = [pl.lit(None, dtype=own.schema[name]).alias(name) for name in _OF_THE_PLAN]
    return own.with_columns(told.alias("step"), *nothing)
