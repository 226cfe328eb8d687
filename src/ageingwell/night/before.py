"""What a night tells each recipient of earlier decisions and plans, and the group of what changed since the last list."""

import polars as pl

from ageingwell.config.load import Config
from ageingwell.governance.night_facts import NightFacts
from ageingwell.kept.frames import NightFrames
from ageingwell.register import Recipient
from ageingwell.report.remembered import remembered
from ageingwell.views.reader import reader_of


def before_of(recipient: Recipient, frames: NightFrames, facts: NightFacts, *, config: Config) -> pl.DataFrame:
    """What one recipient may be told of before, in words: one row a person (`REMEMBERED`)."""
    reader = reader_of(recipient, ledger=config.ledger, thresholds=config.outreach.thresholds)
    return remembered(
        reader,
        last_time=frames.last_time,
        plans=frames.plans,
        services=frames.services,
        interventions=config.interventions,
        as_of=facts.as_of,
    )
