"""At least ten people of the register share what a row of a list shows, beyond what its recipient sends itself.

The count here is made from the finished cells, as somebody would who finds a list: the view of everybody registered
is built as if all of them were listed, and the cells are compared.
"""

from collections import Counter, defaultdict

import polars as pl
import pytest
from helpers.evidence import counted
from helpers.long_lists import long_night

from ageingwell.config.outreach import Capacity, Thresholds
from ageingwell.night.coarsening import Shared, coarsened_rows, districts_of, readers_of
from ageingwell.outreach.needs import recorded_facts
from ageingwell.outreach.rules import need_rules
from ageingwell.pseudonyms import Key, row_key
from ageingwell.register import AGENCY_WORDS
from ageingwell.views.doors import rows_for
from ageingwell.views.less import ASK
from ageingwell.views.reader import reader_of
from ageingwell.views.recipient import NO_FACTS, view_for
from ageingwell.views.sharing import FEWEST_SHARING, own_needs, own_themes, seen_of
from ageingwell.views.sharing import counted as counted_alike
from ageingwell.views.told import Words
from ageingwell.views.words import agency_words, capital

PEOPLE, SEED = 1_200, 11
RECIPIENTS = ("group", "gp", "social_care", "housing", "fire", "voluntary")
KEY = Key.made_up(0)


@pytest.fixture(scope="module")
def night():
    places = dict.fromkeys(("gp", "social_care", "housing", "fire", "voluntary"), 40)
    return long_night(PEOPLE, capacity=Capacity(**places), seed=SEED)


@pytest.fixture(scope="module")
def register(night):
    """Everybody of the county, the facts on record of them, and the district of each place."""
    config, frames, _ = night
    rules = need_rules(config.outreach.thresholds)
    return frames.people, recorded_facts(frames.people, rules=rules), districts_of(config.places)


def less_in(night, register, *, n_parts):
    """Which rows tell less, as a night works it out, with the people in so many parts of whole homes."""
    config, frames, _ = night
    people, recorded, districts = register
    words = Words(config.interventions, config.outreach)
    door = pl.coalesce("household_id", "person_id").rank("dense").cast(pl.Int64)
    parts = []
    for number in range(n_parts):
        part = people.filter(door % n_parts == number)
        theirs = pl.col("person_id").is_in(part["person_id"].implode())
        given = {"needs": frames.needs.filter(theirs), "recorded": recorded.filter(theirs)}
        shared = {}
        for reader in readers_of(config):
            seen = seen_of(reader, part, words=words, districts=districts, **given)
            listed = seen.join(frames.listed.select("person_id"), on="person_id", how="semi")
            shared[str(reader.recipient)] = Shared(listed, counted_alike(seen))
        parts.append(shared)
    return coarsened_rows(frames.listed, parts, config)


@pytest.fixture(scope="module")
def less(night, register):
    return less_in(night, register, n_parts=1)


def cells_of_everybody(recipient, night, register, *, step):
    """The cells that count of everybody on the register, if all stood on this list and told less by `step`."""
    config, frames, as_of = night
    people, recorded, districts = register
    row = frames.listed.drop("person_id", "household_id", "place", "known_to", "risk", "lead_agency").head(1)
    own = people.select("person_id", "household_id", "place", "known_to", "risk")
    rows = own.join(row, how="cross").with_columns(lead_agency=pl.lit("gp" if recipient == "group" else recipient))
    wider = districts.unique("place", keep="first", maintain_order=True).select("place", wider="district")
    all_less = rows.join(wider, on="place", how="left").select(
        "person_id", pl.col("wider").fill_null(""), recipient=pl.lit(recipient), step=pl.lit(step, dtype=pl.Int64)
    )
    view = view_for(
        recipient, rows=rows, needs=frames.needs, reasons=frames.reasons, people=people, recorded=recorded,
        ledger=config.ledger, as_of=as_of, key=KEY, settings=config.outreach, interventions=config.interventions,
        less=all_less,
    )  # fmt: skip
    reader = reader_of(recipient, ledger=config.ledger, thresholds=Thresholds())
    keys = row_key(pl.col("person_id"), recipient=recipient, as_of=as_of, key=KEY)
    shown = view.frame.join(rows.select("person_id", row_key=keys), on="row_key", how="left")
    beside = ("age_band",) if reader.reads_risk else ("needs", "facts", "known_to")
    known = own_facts(reader, frames.needs, recorded) | own_needs(reader, config.interventions)
    # That nobody else is known to be in touch is told in several ways, by what came and what may be read.
    nobody = {cell for cells in shown.get_column("known_to") for cell in cells} - {*AGENCY_WORDS.values(), ASK}
    known |= {agency_words(recipient), capital(NO_FACTS)} | nobody
    cells = shown.select("person_id", "place", "communication_need", *beside).iter_rows()
    return {person: str([_beyond(cell, known) for cell in told]) for person, *told in cells}


def own_facts(reader, needs, recorded):
    """The sentences, as cells show them, that come from the reader's own records alone."""
    themes = defaultdict(set)
    for need, told in needs.select("need", "criterion").unique().iter_rows():
        for sentence in told.split("; "):
            themes[sentence] |= reader.themes_of(need, sentence)
    for need, sentence in recorded.select("need", "sentence").unique().iter_rows():
        themes[sentence] |= reader.themes_of(need, sentence)
    return {capital(sentence) for sentence, of in themes.items() if of <= own_themes(reader)}


def _beyond(cell, own):
    return sorted(set(cell) - own) if isinstance(cell, list) else cell


@pytest.mark.slow
@pytest.mark.parametrize("recipient", RECIPIENTS)
def test_at_least_ten_people_of_the_register_share_what_a_row_shows(recipient, night, register, less):
    _, frames, _ = night
    rows = rows_for(recipient, rows=frames.listed)["person_id"]
    told = less.filter(recipient=recipient).select("person_id", "step").iter_rows()
    steps = dict.fromkeys(rows, 0) | dict(told)
    few = set()
    for step in sorted(set(steps.values())):
        shown = cells_of_everybody(recipient, night, register, step=step)
        shared = Counter(shown.values())
        few |= {person for person in rows if steps[person] == step and shared[shown[person]] < FEWEST_SHARING}

    # Somebody with an urgent need is told of, however few have one.
    bad = few - at_urgent_doors(frames)
    counted("P5.k", len(rows), len(bad), seed=SEED, note=f"{recipient}: {len(few - bad)} rows of urgent needs")
    assert bad == set()


def at_urgent_doors(frames):
    """Everybody in a home where somebody has an urgent need."""
    door = pl.coalesce("household_id", "person_id")
    urgent = frames.needs.filter(urgency="urgent").select(door.alias("door"))
    return set(frames.people.join(urgent, left_on=door, right_on="door", how="semi")["person_id"])


def test_parts_of_the_people_give_the_same(night, register, less):
    assert less_in(night, register, n_parts=3).equals(less)


def test_the_count_sees_rows_that_few_share(night, register):
    """The test of the test: where nothing is left out, some rows are shared by fewer than ten."""
    _, frames, _ = night
    shown = cells_of_everybody("fire", night, register, step=0)
    shared = Counter(shown.values())

    rows = rows_for("fire", rows=frames.listed)["person_id"]
    assert sum(shared[shown[person]] < FEWEST_SHARING for person in rows) > 3
