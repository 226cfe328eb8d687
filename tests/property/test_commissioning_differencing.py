"""An attacker with a year of pages for commissioners, and somebody withdrawn every week, learns of nobody."""

import json
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

import polars as pl
from helpers.evidence import counted

from ageingwell.config.load import load_config
from ageingwell.config.positions import read_positions
from ageingwell.contracts.services import Offerable, schema_of
from ageingwell.governance.disclosure import SUPPRESS_BELOW
from ageingwell.governance.night_facts import NightFacts
from ageingwell.kept.quarters import counts_before, keep_page, kept_page
from ageingwell.report.commissioning import COUNTS, Community, commissioning, counts_behind

SEED = 4
WEEKS = 53
FIRST = date(2026, 10, 4)
PLACES = ("Church Stretton", "Totnes", "Ludlow", "Ivybridge")
CONFIG = load_config()
NEEDS = sorted(CONFIG.interventions.needs)[:5]
LEADS = {need: str(then.lead) for need, then in CONFIG.interventions.needs.items()}

# A town is who lives where, who knows them, and which needs each has.
Town = dict[str, tuple[str, tuple[str, ...], frozenset[str]]]


def drawn_town(draw: Random) -> Town:
    return {f"p{n}": drawn_person(draw) for n in range(600)}


def drawn_person(draw: Random) -> tuple[str, tuple[str, ...], frozenset[str]]:
    # Places of very different size, so that there are cells of every size.
    place = draw.choices(PLACES, (8, 4, 2, 1))[0]
    known = tuple(draw.sample(("fire", "housing", "social_care"), draw.randrange(4)))
    return place, known, frozenset(need for need in NEEDS if draw.random() < 0.15)


def a_week_later(town: Town, draw: Random) -> Town:
    """One in 150 changes, and exactly one person is withdrawn."""
    later = {person: drawn_person(draw) if draw.random() < 1 / 150 else said for person, said in town.items()}
    later.pop(draw.choice(sorted(later)))
    return later


def community(town: Town, before: pl.DataFrame | None) -> Community:
    people = [(person, f"h{person}", place, list(known)) for person, (place, known, _) in town.items()]
    needs = [(person, f"h{person}", need, LEADS[need]) for person, (_, _, has) in town.items() for need in sorted(has)]
    texts = dict.fromkeys(("person_id", "household_id"), pl.String)
    return Community(
        residents=pl.DataFrame(
            people, schema=texts | {"place": pl.String, "known_to": pl.List(pl.String)}, orient="row"
        ),
        needs=pl.DataFrame(needs, schema=texts | {"need": pl.String, "lead_agency": pl.String}, orient="row"),
        services=pl.DataFrame(schema=schema_of(Offerable)),
        positions=read_positions(CONFIG.positions),
        just_missed=pl.DataFrame(schema={"lead_agency": pl.String, "risk_reached": pl.Float64}),
        marginal=pl.DataFrame(
            schema={"lead_agency": pl.String, "places": pl.Int64, "used": pl.Int64, "extra_doors": pl.List(pl.String)}
        ),
        leads=LEADS,
        before=before,
    )


def page_of(town: Community, on: date) -> bytes:
    told = commissioning(town, facts=NightFacts(on), settings=CONFIG.services, on=on)
    return json.dumps([told["by_place"]["rows"], told["known"]["rows"], told["joint"]["rows"]]).encode()


def exact(town: Town) -> dict[tuple[str, str, str], int]:
    return {(of, one, other): n for of, one, other, n in counts_behind(community(town, None)).iter_rows()}


def moved_cells(page: bytes, other: bytes) -> int:
    """How many numbers are other ones on two pages."""
    flat = [[cell for table in json.loads(one) for row in table for cell in row] for one in (page, other)]
    return sum(one != two for one, two in zip(*flat, strict=False)) + abs(len(flat[0]) - len(flat[1]))


def test_no_page_of_a_year_gives_away_who_was_withdrawn(tmp_path: Path) -> None:
    draw = Random(SEED)
    town = drawn_town(draw)
    published, every_night, quarters = [], [], []
    for week in range(WEEKS):
        on = FIRST + timedelta(weeks=week)
        page = kept_page(tmp_path, on)
        if page is None:
            before = counts_before(tmp_path, on)
            made = community(town, before)
            page = page_of(made, on)
            counts = counts_behind(made)
            keep_page(tmp_path, on, page, counts=counts)
            quarters.append((before, counts))
        published.append(page)
        # The control: the same counts drawn anew every week. It costs most, so only some weeks are drawn.
        if week < 12:
            every_night.append(page_of(community(town, None), on))
        town = a_week_later(town, draw)

    steps = list(pairwise(published))
    moved = [week for week, (one, two) in enumerate(steps, start=1) if one != two]
    starts = [week for week in range(1, WEEKS) if quarter_begins(week)]
    few = [n for before, after in quarters if before is not None for n in moves(before, after) if n < SUPPRESS_BELOW]
    counted("P4.differencing", len(steps), len(set(moved) - set(starts)) + len(few), seed=SEED)
    assert set(moved) <= set(starts)
    assert few == []
    # The attacker sees: of pages that are made every week most steps move a number.
    assert sum(moved_cells(one, two) > 0 for one, two in pairwise(every_night)) > 6
    assert len(quarters) == 5


def quarter_begins(week: int) -> bool:
    last, now = (FIRST + timedelta(weeks=n) for n in (week - 1, week))
    return (last.month - 1) // 3 != (now.month - 1) // 3


def moves(before: pl.DataFrame, after: pl.DataFrame) -> list[int]:
    """By how many people each cell of two quarters' pages differs, of those that differ."""
    both = before.join(after, on=COUNTS.names()[:3], how="full", coalesce=True, suffix="_after").fill_null(0)
    return [abs(one - two) for one, two in both.select("n", "n_after").iter_rows() if one != two]
