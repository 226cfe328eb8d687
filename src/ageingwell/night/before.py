"""What a night tells each recipient of earlier decisions and plans, and the sheet of plans."""

import polars as pl

from ageingwell.config.load import Config
from ageingwell.governance.night_facts import NightFacts
from ageingwell.kept.frames import NightFrames
from ageingwell.pseudonyms import Key
from ageingwell.register import Recipient
from ageingwell.report.plan_sheet import PlanSheet, plan_sheet
from ageingwell.report.remembered import remembered
from ageingwell.views.columns import AgencyView
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


def plans_of(group: AgencyView, frames: NightFrames, facts: NightFacts, *, config: Config, key: Key) -> PlanSheet:
    """The sheet of plans of the group's workbook."""
    return plan_sheet(
        group.frame,
        plans=frames.plans,
        services=frames.services,
        interventions=config.interventions,
        as_of=facts.as_of,
        key=key,
        notes=config.outreach.plans.notes,
    )
