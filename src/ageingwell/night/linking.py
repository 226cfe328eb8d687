"""What a night tells of its links: which tables are below their floor, and which link far less than last time."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl

from ageingwell.config.load import Config
from ageingwell.errors import PublishError
from ageingwell.governance.link_words import below_sentences, fallen_sentences, manifest_of
from ageingwell.governance.night_facts import LinkFacts, NightFacts
from ageingwell.kept.frames import read_frame
from ageingwell.night.change import last_night
from ageingwell.recognition.link_floors import below_floor, fallen
from ageingwell.recognition.links import LINKS


def with_links(facts: NightFacts, links: pl.DataFrame, config: Config) -> NightFacts:
    """The facts of a night with its links, and a note for each table below its floor: then the night is degraded.

    Of fewer people or homes than can be judged the note is all.
    """
    below = below_floor(links, config.tables)
    noted = _noted(facts, below_sentences(below), is_degraded=bool(below["is_judged"].any()))
    return replace(noted, links=manifest_of(links, config.tables))


def with_fallen_links(
    facts: NightFacts, links: pl.DataFrame, *, before: pl.DataFrame | None, config: Config
) -> NightFacts:
    """The facts with a note for what links less than last time by more than `max_lost_share`.

    `before` are the links of that night.
    """
    lost = fallen(links, before, max_lost_share=config.score.max_lost_share)
    said = fallen_sentences(lost, minimum_age=config.score.minimum_age)
    links_told: LinkFacts = {**facts.links, "fallen": lost.to_dicts()}
    return replace(_noted(facts, said, is_degraded=bool(said)), links=links_told)


def last_links(out: Path, *, on: date) -> pl.DataFrame | None:
    """The links of the night that tonight's takes the place of; None where it kept none, or none of use."""
    folder = last_night(out, on=on)
    try:
        frame = None if folder is None else read_frame(folder, "links", columns=LINKS.names())
        return None if frame is None else frame.select(LINKS.names()).cast(LINKS)
    except (PublishError, pl.exceptions.PolarsError):
        return None


def _noted(facts: NightFacts, said: list[str], *, is_degraded: bool) -> NightFacts:
    return replace(facts, notes=[*facts.notes, *said], is_degraded=facts.is_degraded or is_degraded)
