"""What a night keeps so that its pages can be drawn again without somebody: one class a frame, one line a column.

The frames that other programs build on are in `contracts.made`; these are our own, for the night's pages alone.
"""

import pandera.polars as pa
import polars as pl

from ageingwell.contracts.fields import PSEUDONYM
from ageingwell.register import LEAD_AGENCIES, RECIPIENTS


class Safeguarded(pa.DataFrameModel):
    """`safeguarded.parquet`: whom the safeguarding lead hears of, and nobody else; opted-out people by key alone."""

    person_id: str = pa.Field(str_matches=PSEUDONYM, nullable=True, description="the person; empty for a home's marker")
    household_id: str = pa.Field(str_matches=PSEUDONYM, nullable=True, description="the home")
    reason: str = pa.Field(
        isin=["safeguarding", "safeguarding_at_home", "home"], description="whose marker: own, at the home, the home's"
    )


class LeftList(pa.DataFrameModel):
    """`left_list.parquet`: one row a person on the last list and not on this one."""

    person_id: str = pa.Field(str_matches=PSEUDONYM, unique=True, description="pseudonym of the person")
    household_id: str = pa.Field(str_matches=PSEUDONYM, nullable=True, description="pseudonym of the home then")
    lead_agency: str = pa.Field(isin=LEAD_AGENCIES, description="who led last time")
    reason: str = pa.Field(description="why they left")
    re_enters_on: pl.Date = pa.Field(nullable=True, description="the first night they can be listed again")


class LastTime(pa.DataFrameModel):
    """`last_time.parquet`: what the group's ledger tells of each person on the list, or whose visit is held."""

    person_id: str = pa.Field(str_matches=PSEUDONYM, unique=True, description="pseudonym of the person")
    night: pl.Date = pa.Field(description="the list on which it was decided, or the newest that says anything")
    decided_on: pl.Date = pa.Field(nullable=True, description="the day on which the decision was first recorded")
    decision: str = pa.Field(nullable=True, description="the decision that holds")
    led_by: str = pa.Field(isin=LEAD_AGENCIES, nullable=True, description="the agency chosen to lead")
    by_when: pl.Date = pa.Field(nullable=True, description="the day that was named")
    due_on: pl.Date = pa.Field(nullable=True, description="the day an agreed visit is due: named, or by the settings")
    status: str = pa.Field(
        isin=["agreed", "overdue", "held"], nullable=True, description="of a visit agreed and not made yet"
    )
    reason: str = pa.Field(nullable=True, description="why it was decided")
    question: str = pa.Field(nullable=True, description="what the group wants to find out first")
    decided_by: str = pa.Field(nullable=True, description="whose list the decision was on")
    outcome: str = pa.Field(nullable=True, description="what happened at the newest contact that a list reported")
    contacted_on: pl.Date = pa.Field(nullable=True, description="the day of that contact")
    contacted_by: str = pa.Field(isin=LEAD_AGENCIES, nullable=True, description="the agency that made it")
    person_said: str = pa.Field(nullable=True, description="what the person last said, as a choice")
    said_on: pl.Date = pa.Field(nullable=True, description="the day of the contact, or of recording")
    said_to: str = pa.Field(nullable=True, description="whose list told it")
    said_night: pl.Date = pa.Field(nullable=True, description="the night of that list")


class Plans(pa.DataFrameModel):
    """`plans.parquet`: one row a step of each plan that goes on, of people on the list or not."""

    person_id: str = pa.Field(str_matches=PSEUDONYM, description="pseudonym of the person")
    night: pl.Date = pa.Field(description="the list on which the plan was last written")
    made_on: pl.Date = pa.Field(description="the day on which the plan was first recorded")
    matters: str = pa.Field(description="what matters to the person")
    also_matters: str = pa.Field(nullable=True, description="what else matters to them")
    number: int = pa.Field(ge=1, description="number of the step")
    step: str = pa.Field(description="`need:<need>` or `service:<service_id>`; `own`: in own words")
    words: str = pa.Field(nullable=True, description="own words of the step, where settings allow them")
    who: str = pa.Field(description="who takes the step")
    by_when: pl.Date = pa.Field(nullable=True, description="by which day")
    agreed: str = pa.Field(description="whether the person agreed to the plan")
    review_on: pl.Date = pa.Field(description="the day to look at the plan again")
    is_review_due: bool = pa.Field(description="whether that day has come")
    helped: str = pa.Field(nullable=True, description="whether it helped, by what the person says")
    note: str = pa.Field(nullable=True, description="own words on the plan, where settings allow them")


class SinceLast(pa.DataFrameModel):
    """`since_last.parquet`: exact counts of the group's own rows since the last list; for the group alone."""

    what: str = pa.Field(
        isin=["on_last_list", "decided", "open", "agreed", "overdue", "held", "left"],
        unique=True,
        description="of the last list: on it, decided, open, left; visits agreed, overdue, held until the chair says",
    )
    n: int = pa.Field(ge=0, description="people")


class Lot(pa.DataFrameModel):
    """`lot.parquet`: everybody who took part in a lot at the margin, tonight's and all before, won or lost.

    From `seed` in the manifest, `week` and `door_id` anybody can draw again (`outreach.lot.lot_number`): of each
    night, agency and team the lower half of the numbers won.
    """

    person_id: str = pa.Field(str_matches=PSEUDONYM, description="pseudonym of the person")
    household_id: str = pa.Field(str_matches=PSEUDONYM, nullable=True, description="pseudonym of the home then")
    door_id: str = pa.Field(str_matches=PSEUDONYM, description="the home, or the person where none is linked")
    lead_agency: str = pa.Field(isin=LEAD_AGENCIES, description="whose last places were drawn")
    team: int = pa.Field(ge=0, description="number of the agency's team, in the order of the settings")
    drawn_on: pl.Date = pa.Field(description="the night of the draw")
    week: str = pa.Field(str_matches=r"^\d{4}-W\d{2}$", description="its week by ISO 8601")
    number: float = pa.Field(in_range={"min_value": 0, "max_value": 1}, description="the number the door drew")
    chance: float = pa.Field(gt=0, lt=1, description="the chance the door had to win")
    is_won: bool = pa.Field(description="whether the door got the place")
    left_out_until: pl.Date = pa.Field(
        nullable=True, description="the day until which people who were not drawn are left off the list"
    )


class Counted(pa.DataFrameModel):
    """`counted.parquet`: exact counts for the page for commissioners that no other frame has; not to be shown.

    People by deprivation, ethnic group, rurality and place, and whether they have a need and are on the list; cold
    homes by tenure; visits, plans and what people said, as the ledger's choices; what one more worker would reach.
    """

    of: str = pa.Field(description="which table of the page")
    one: str = pa.Field(description="the row: a group, a place, an agency or a need")
    other: str = pa.Field(description="the column: what became of people, an illness, a choice")
    n: int = pa.Field(ge=0, description="how many people, homes or visits")


class JustMissed(pa.DataFrameModel):
    """`just_missed.parquet`: the next doors of each agency; a door may stand under several."""

    lead_agency: str = pa.Field(isin=LEAD_AGENCIES, description="whose place the door just missed")
    position: int = pa.Field(ge=1, description="1 is the next door")
    door_id: str = pa.Field(str_matches=PSEUDONYM, description="the home, or the person where none is linked")
    household_id: str = pa.Field(str_matches=PSEUDONYM, nullable=True, description="pseudonym of the home")
    place: str = pa.Field(nullable=True, description="where it is")
    rank: int = pa.Field(ge=1, description="order by risk and need")
    value: float = pa.Field(ge=0, description="what a visit by this agency is worth, in units of risk")
    risk_reached: float = pa.Field(ge=0, nullable=True, description="the risk a visit would reach")


class Coarsened(pa.DataFrameModel):
    """`coarsened.parquet`: the rows of each recipient's list that tell less, so that enough people share them.

    A file that a night may lack: a night of an earlier version left nothing out.
    """

    recipient: str = pa.Field(isin=RECIPIENTS, description="whose list")
    person_id: str = pa.Field(str_matches=PSEUDONYM, description="pseudonym of the person")
    step: int = pa.Field(ge=0, description="how many things are left out, in the order of `views.sharing`")
    wider: str = pa.Field(description="the district, for the place")
    n: int = pa.Field(ge=0, description="people of the register who share what is shown then")


class Marginal(pa.DataFrameModel):
    """`marginal.parquet`: one row an agency, and what one more place a week would reach."""

    lead_agency: str = pa.Field(isin=LEAD_AGENCIES, unique=True, description="the agency")
    places: int = pa.Field(ge=0, description="its places per week")
    used: int = pa.Field(ge=0, description="how many are used")
    extra_value: float = pa.Field(description="worth that one more place would add, in units of risk")
    extra_risk: float = pa.Field(description="risk that one more place would reach")
    extra_doors: pl.List = pa.Field(dtype_kwargs={"inner": pl.String}, description="homes that would be visited then")


class Beeswarm(pa.DataFrameModel):
    """`beeswarm.parquet`: contributions of up to 400 people drawn by lot, for the annex's picture of everybody."""

    person_id: str = pa.Field(str_matches=PSEUDONYM, description="pseudonym of the person, shown on no page")
    feature: str = pa.Field(description="name of the feature")
    value: float = pa.Field(nullable=True, description="its value; empty where nothing is on record")
    contribution: float = pa.Field(description="contribution to the calibrated log-odds")


class Drift(pa.DataFrameModel):
    """`drift.parquet`: how far tonight's facts lie from those the model was fitted on, one row a feature."""

    column: str = pa.Field(unique=True, description="name of the feature")
    value: float = pa.Field(nullable=True, description="population stability index")
    low: float = pa.Field(nullable=True, description="low end of its interval")
    high: float = pa.Field(nullable=True, description="high end of its interval")
    n: int = pa.Field(ge=0, description="people of both nights")
    n_events: int = pa.Field(ge=0, description="of these, tonight's")
    by_chance: float = pa.Field(nullable=True, description="what 95 of 100 pairs with no change stay under")
    change: str = pa.Field(nullable=True, description="little, some, much, or by chance")


class Residents(pa.DataFrameModel):
    """`residents.parquet`: where everybody lives and who knows them, to be counted and never shown."""

    person_id: str = pa.Field(str_matches=PSEUDONYM, unique=True, description="pseudonym of the person")
    household_id: str = pa.Field(str_matches=PSEUDONYM, nullable=True, description="pseudonym of the home")
    place: str = pa.Field(description="the place, by the group's own table of places")
    known_to: pl.List = pa.Field(dtype_kwargs={"inner": pl.String}, description="agencies in touch in three years")
