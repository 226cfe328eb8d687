"""What the night says of local services: offers in the views, the page for commissioners, and views for machines."""

from collections.abc import Sequence

import polars as pl

from ageingwell.commissioning.brief import briefs
from ageingwell.config.load import Config
from ageingwell.config.positions import read_positions
from ageingwell.governance.night_facts import NightFacts
from ageingwell.kept.frames import NightFrames
from ageingwell.kept.quarters import BRIEF, quarter_of
from ageingwell.report.brief import brief_markdown
from ageingwell.report.cells import day_words
from ageingwell.report.commissioning import ROUNDED, Community, commissioning, services_in_reach
from ageingwell.report.export import view_json, view_parquet
from ageingwell.report.html import brief_html, commissioning_html
from ageingwell.report.offers import Offer, each_once, offers_of, whom_to_ring, with_offers
from ageingwell.report.person import Person
from ageingwell.views.columns import AgencyView


def local_offers(view: AgencyView, frames: NightFrames, facts: NightFacts, *, config: Config) -> list[list[Offer]]:
    """What could be offered to each row of a view, in its order; also for the pages of persons."""
    return offers_of(
        view,
        services=frames.services,
        positions=read_positions(config.positions),
        settings=config.services,
        youngest=facts.minimum_age,
    )


def with_local_offers(view: AgencyView, offers: Sequence[Sequence[Offer]], facts: NightFacts) -> AgencyView:
    """The view with the column of what is on nearby, which says so where there is no directory."""
    return with_offers(view, offers, state=facts.directory.get("state", "none"))


def with_offers_on_pages(people: list[Person], offers: Sequence[Sequence[Offer]]) -> list[Person]:
    """The pages of persons with all that could be offered to each: both in the order of the view, or no pages."""
    return [
        {**person, "offers": each_once(offered), "ring": whom_to_ring(offered, otherwise=person["ring"])}
        for person, offered in zip(people, offers, strict=bool(people))
    ]


def exports(view: AgencyView, name: str, *, notices: Sequence[str]) -> dict[str, bytes]:
    """The files for machines of one recipient, under a name: exactly what the view holds."""
    return {
        f"{name}.json": view_json(view, notices=notices),
        f"{name}.parquet": view_parquet(view, notices=notices),
    }


def community_of(
    frames: NightFrames,
    facts: NightFacts,
    *,
    config: Config,
    before: pl.DataFrame | None = None,
    earlier: Sequence[tuple[str, pl.DataFrame]] = (),
) -> Community:
    """What the page for commissioners is counted from; `before` are the counts of the last quarter's page, `earlier`
    the numbers of all pages before, by quarter."""
    return Community(
        residents=frames.residents,
        needs=frames.needs,
        services=frames.services,
        positions=read_positions(config.positions),
        just_missed=frames.just_missed,
        marginal=frames.marginal,
        leads={need: str(then.lead) for need, then in config.interventions.needs.items()},
        before=before,
        counted=frames.counted,
        earlier=earlier,
        costs=config.costs,
        interventions=config.interventions.needs,
        outlines=config.outlines,
        effects=config.effects,
        quarter=quarter_of(facts.as_of),
    )


def commissioning_page(
    community: Community,
    facts: NightFacts,
    *,
    config: Config,
    notices: Sequence[str],
    numbers: pl.DataFrame | None = None,
) -> bytes:
    """The page for commissioners; `numbers` are those of the page where they are worked out already."""
    told = commissioning(community, facts=facts, settings=config.services, on=facts.as_of, numbers=numbers)
    return commissioning_html(told, as_of=day_words(facts.as_of), notices=notices, use_until=facts.use_until)


def brief_of(
    community: Community, facts: NightFacts, *, config: Config, numbers: pl.DataFrame, notices: Sequence[str]
) -> bytes:
    """The brief for co-design, in Markdown, from the numbers of the page."""
    reach = services_in_reach(community, settings=config.services, on=facts.as_of)
    found = briefs(numbers, reach, community, config.services)
    return brief_markdown(found, as_of=day_words(facts.as_of), rounded=ROUNDED, notices=notices).encode()


def brief_files(brief: bytes | None) -> dict[str, bytes]:
    """The files of the brief by name, in Markdown and as a page; none where there is no brief."""
    if brief is None:
        return {}
    return {f"{BRIEF}.md": brief, f"{BRIEF}.html": brief_html(brief.decode())}
