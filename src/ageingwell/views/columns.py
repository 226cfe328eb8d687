"""The columns a view may hold, and which of them need leave to read the risk."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from ageingwell.register import Recipient


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a view: its name in files, its heading, its meaning, and its width in a workbook (characters)."""

    name: str
    title: str
    meaning: str
    width: int = 16


KEYS = ("row_key", "household_key")


def with_capitals(frame: pl.DataFrame) -> pl.DataFrame:
    """Let every text of a view begin with a capital; keys stay as they are.

    >>> with_capitals(pl.DataFrame({"row_key": ["bcdf"], "facts": [["no fall recorded", "2 falls"]]})).rows()
    [('bcdf', ['No fall recorded', '2 falls'])]
    """
    told = [name for name in frame.columns if name not in KEYS]
    lists = [name for name in told if frame.schema[name] == pl.List(pl.String)]
    texts = [name for name in told if frame.schema[name] == pl.String]
    return frame.with_columns(
        *(pl.col(name).list.eval(_capital(pl.element())) for name in lists),
        *(_capital(pl.col(name)).alias(name) for name in texts),
    )


def _capital(text: pl.Expr) -> pl.Expr:
    return pl.concat_str(text.str.head(1).str.to_uppercase(), text.str.slice(1))


@dataclass(frozen=True)
class AgencyView:
    """What one recipient sees of one night: one row a person (or home), every cell a text or a list of texts.

    `practice` is the code of the one GP practice whose patients these are, if the list is of one alone. `keys` are the
    fingerprints of the keys of the pseudonyms and of the row keys, which tell whoever matches the list which to take.
    `use_until` is the last day on which the list may be used.
    """

    recipient: Recipient
    as_of: date
    columns: tuple[Column, ...]
    frame: pl.DataFrame
    notes: tuple[str, ...] = ()
    practice: str | None = None
    keys: tuple[str, str] | None = None
    use_until: date | None = None


ROW_KEY = Column("row_key", "Row key", "Your own key for this person on this list; no other list has it", 36)
HOUSEHOLD_KEY = Column("household_key", "Home key", "Your own key for the home; people who live together share it", 36)
CODE = Column("code", "Code", "The first letters of the row key, as the pages show it; for this list only", 11)
HOME_CODE = Column("home_code", "Home code", "The same letters: people who live together", 11)
POSITION = Column("position", "No.", "The place of the row on this list, from 1", 6)
URGENCY = Column("urgency", "Urgency", "How soon the home is to be visited, by the needs on this list", 12)
ACT_BY = Column("act_by", "Act by", "The day by which to act, counted from the day of the list", 18)
PLACE = Column("place", "Place", "Where they live")
PART = Column("part", "Your part", "Whether you lead in this home, or are asked to join the visit")
LEAD = Column("lead_agency", "Lead", "The one agency that leads in this home")
AGE_BAND = Column("age_band", "Age", "Age in five-year bands", 10)
BAND = Column("band", "Order", "Their place by the estimate, as an interval", 10)
CHANCE = Column("chance", "Chance", "How many in 100 people with a record like this, and the range", 22)
FOUND_BY = Column("found_by", "Found by", "Whether a rule, the estimate or both brought them here", 18)
NEEDS = Column("needs", "Needs", "What they may need", 30)
FACTS = Column("facts", "What is on record", "The facts behind the needs, as far as you may read them", 44)
RAISES = Column("raises", "Linked with a higher chance", "Facts linked with a higher chance; not causes", 40)
LOWERS = Column("lowers", "Linked with a lower chance", "Facts linked with a lower chance; not causes", 34)
ACTION = Column("action", "Suggested next step", "What to know first, the next step, and who comes along", 48)
COMMUNICATION = Column("communication_need", "Communication", "What they need to understand and be understood", 20)
SAY = Column("what_to_say", "What to say", "Words for the door; they tell nobody why you came", 40)
TOLD = Column("person_told", "Person told", "Whether they know that you will be in touch", 14)
KNOWN_TO = Column("known_to", "Already known to", "Services you may read about that have a record in three years", 22)
NEW = Column("new_since_last", "New", "Whether they were on the last list", 12)
STATUS = Column("status", "Status", "Proposed until the group has agreed; overdue after the day it was agreed for", 14)
LAST_TIME = Column("last_time", "Last time", "What was decided before, what happened, and what the person said", 40)
PLAN = Column("plan", "Plan", "The plan made with the person; an agency reads the steps it takes itself", 40)

OFFERS = Column(
    "offers", "What is on nearby", "For each need the first service of the local directory; ask before you promise", 44
)  # put in behind the next step by whoever has the directory, from nothing but the cells of the view

EARLIER = Column(
    "earlier", "Your earlier contact", "What your own records say of the last three years, newest first", 34
)  # put in behind the next step by `views.own_records`, from the records that this agency sent itself

# What any recipient may get. Nothing here is computed from the risk, and neither is the order of rows.
FOR_ANYONE = (
    ROW_KEY,
    HOUSEHOLD_KEY,
    POSITION,
    URGENCY,
    ACT_BY,
    PLACE,
    PART,
    LEAD,
    NEEDS,
    FACTS,
    ACTION,
    COMMUNICATION,
    SAY,
    TOLD,
    KNOWN_TO,
    NEW,
    STATUS,
    LAST_TIME,
    PLAN,
)
# What those get besides who may read every theme and the risk.
FOR_READERS_OF_RISK = (
    ROW_KEY,
    HOUSEHOLD_KEY,
    POSITION,
    URGENCY,
    ACT_BY,
    PLACE,
    AGE_BAND,
    BAND,
    CHANCE,
    FOUND_BY,
    PART,
    LEAD,
    NEEDS,
    FACTS,
    RAISES,
    LOWERS,
    ACTION,
    COMMUNICATION,
    SAY,
    TOLD,
    KNOWN_TO,
    NEW,
    STATUS,
    LAST_TIME,
    PLAN,
)
FOR_HOMES = (ROW_KEY, POSITION, URGENCY, ACT_BY, PLACE, NEEDS, FACTS, ACTION, SAY)
FOR_SAFEGUARDING = (
    ROW_KEY,
    HOUSEHOLD_KEY,
    Column("is_a", "Row is a", "Whether the row key is a person's or a home's", 10),
    PLACE,
    Column("marker", "Marker", "Whose safeguarding marker it is", 28),
    Column("needs", "Unmet fire needs", "Fire safety needs that nobody is sent to meet", 36),
    FACTS,
    COMMUNICATION,
)
