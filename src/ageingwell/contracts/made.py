"""What our own tables hold: the frames that pass between steps and the files other programs read."""

import pandera.polars as pa
import polars as pl
from pandera.config import ValidationDepth, config_context

from ageingwell.contracts.expressions import keeps_all
from ageingwell.contracts.fields import PSEUDONYM
from ageingwell.contracts.gp import OLDEST
from ageingwell.register import AGENCIES, LEAD_AGENCIES, THEMES

ATTRITION_STEPS = ("read", "permitted", "spine", "eligible", "rank", "allocate", "withdrawn", "listed")


class Spine(pa.DataFrameModel):
    """One row a person of the age asked for, registered and alive as known on the cut-off."""

    person_id: str = pa.Field(str_matches=PSEUDONYM, unique=True, description="pseudonym of the person")
    household_id: str = pa.Field(str_matches=PSEUDONYM, nullable=True, description="pseudonym of the home")
    lsoa21: str = pa.Field(nullable=True, description="Lower layer Super Output Area (2021)")
    place: str = pa.Field(description="the place, by the group's own table of places")
    practice_code: str = pa.Field(description="ODS code of the practice")
    sex: str = pa.Field(description="sex as the practice holds it")
    ethnic_group: str = pa.Field(description="high-level ethnic group")
    birth_month: pl.Date = pa.Field(description="the first day of the month of birth")
    age: int = pa.Field(ge=0, le=OLDEST, description="whole years on the cut-off")
    registered_on: pl.Date = pa.Field(description="the day of registration")
    lived_here_from: pl.Date = pa.Field(description="the day they moved in, or if unknown the day they registered")
    communication_need: str = pa.Field(nullable=True, description="what they need to understand and be understood")
    n_household_members: int = pa.Field(ge=1, nullable=True, description="people registered at the home")
    n_household_65plus: int = pa.Field(ge=0, nullable=True, description="of these, aged 65 and over")
    n_household_under_65: int = pa.Field(ge=0, nullable=True, description="of these, younger")
    care_home: str = pa.Field(isin=["no", "yes", "check"], description="whether the home is a care home")
    known_to: pl.List = pa.Field(dtype_kwargs={"inner": pl.String}, description="agencies with a record in three years")
    not_told_by: pl.List = pa.Field(
        dtype_kwargs={"inner": pl.String}, description="agencies whose records did not come, or cannot be matched"
    )
    deprivation_decile: int = pa.Field(ge=1, le=10, nullable=True, description="1 is the most deprived tenth")
    is_rural: bool = pa.Field(nullable=True, description="the area is rural")


class Scores(pa.DataFrameModel):
    """`scores.parquet`: every eligible person. Further columns `risk_<outcome>` hold each outcome's risk."""

    person_id: str = pa.Field(str_matches=PSEUDONYM, unique=True, description="pseudonym of the person")
    household_id: str = pa.Field(str_matches=PSEUDONYM, nullable=True, description="pseudonym of the home")
    risk: float = pa.Field(ge=0, le=1, nullable=True, description="calibrated probability of the ranking outcome")
    score: float = pa.Field(nullable=True, description="log-odds before calibration")
    base: float = pa.Field(nullable=True, description="calibrated log-odds that contributions start from")
    n_known_agencies: int = pa.Field(ge=0, description="agencies besides the GP known to have a record in three years")


class Reasons(pa.DataFrameModel):
    """`reasons.parquet`: one row a listed person and feature; `base` and all contributions make the risk's log-odds."""

    person_id: str = pa.Field(str_matches=PSEUDONYM, description="pseudonym of the person")
    position: int = pa.Field(ge=1, description="1 is the strongest, compared with similar people")
    feature: str = pa.Field(description="name of the feature")
    value: str = pa.Field(description="its value as text; `unknown` where nothing is on record")
    contribution: float = pa.Field(description="contribution to the calibrated log-odds")
    beside_peers: float = pa.Field(description="contribution less the mean contribution of the people compared with")
    theme: str = pa.Field(isin=THEMES, description="theme of the feature")
    text: str = pa.Field(nullable=True, description="sentence; empty where the fact may not be given as a reason")
    direction: str = pa.Field(isin=["raises", "lowers"], description="linked with a higher or a lower chance")
    can_change: bool = pa.Field(description="someone can act on it")
    adds_in_100: int = pa.Field(
        nullable=True,
        description="what it and its family of features add on the person's page; empty under all other facts",
    )
    others_in_100: int = pa.Field(
        nullable=True, description="what all other facts of the theme add together; on the theme's first row alone"
    )
    shown: bool = pa.Field(description="is on the list row")
    agency: str = pa.Field(nullable=True, description="who told a fact of the page; empty where several did together")
    known_on: pl.Date = pa.Field(nullable=True, description="the day of a fact of the page")


class Compared(pa.DataFrameModel):
    """`compared.parquet`: one row a listed person with a risk, and the people they are compared with."""

    person_id: str = pa.Field(str_matches=PSEUDONYM, unique=True, description="pseudonym of the person")
    who: str = pa.Field(description="the people compared with, in words")
    n_peers: int = pa.Field(ge=1, description="how many they are")
    peers_risk: float = pa.Field(ge=0, le=1, description="their mean risk")


class InTouch(pa.DataFrameModel):
    """`in_touch.parquet`: one row a listed person and agency with a record of them in three years."""

    person_id: str = pa.Field(str_matches=PSEUDONYM, description="pseudonym of the person")
    agency: str = pa.Field(description="the agency")
    last_on: pl.Date = pa.Field(nullable=True, description="the day of its newest record, where that is known")


class PastEvents(pa.DataFrameModel):
    """`past_events.parquet`: one row a listed person and thing that happened in three years, the oldest first."""

    person_id: str = pa.Field(str_matches=PSEUDONYM, description="pseudonym of the person")
    happened_on: pl.Date = pa.Field(description="the day")
    agency: str = pa.Field(isin=AGENCIES, description="the agency whose record it is")
    theme: str = pa.Field(isin=THEMES, description="theme of the record: who may not read it is not shown the row")
    text: str = pa.Field(description="what happened, in plain words")
    is_theirs: bool = pa.Field(description="false for what happened at the home before they lived there")


class OutreachList(pa.DataFrameModel):
    """`list.parquet`: one row an allocated person."""

    row_key: str = pa.Field(str_matches=PSEUDONYM, unique=True, description="key of this row on this night's list only")
    position: int = pa.Field(
        ge=1, unique=True, description="the printed order: overdue visits, then urgent needs, then by rank"
    )
    urgency: str = pa.Field(isin=["routine", "soon", "urgent"], description="how soon their home is to be visited")
    act_by: pl.Date = pa.Field(nullable=True, description="the day by which to act; empty where it is routine")
    rank: int = pa.Field(ge=1, description="order by risk and need among everyone")
    person_id: str = pa.Field(str_matches=PSEUDONYM, unique=True, description="pseudonym of the person")
    household_id: str = pa.Field(str_matches=PSEUDONYM, nullable=True, description="pseudonym of the home")
    place: str = pa.Field(description="where they live")
    lead_agency: str = pa.Field(isin=LEAD_AGENCIES, description="the one agency that leads")
    joint_with: pl.List = pa.Field(
        dtype_kwargs={"inner": pl.String}, description="agencies that come along, each on a place of its own"
    )
    partners_full: pl.List = pa.Field(
        dtype_kwargs={"inner": pl.String}, description="agencies needed here that have no place left this week"
    )
    needs: pl.List = pa.Field(dtype_kwargs={"inner": pl.String}, description="needs found by rule")
    risk: float = pa.Field(ge=0, le=1, nullable=True, description="calibrated probability")
    risk_low: float = pa.Field(ge=0, le=1, nullable=True, description="low end of its range, where enough were checked")
    risk_high: float = pa.Field(ge=0, le=1, nullable=True, description="high end of its range, likewise")
    band: str = pa.Field(description="rank as an interval")
    why: str = pa.Field(isin=["rule", "model", "both"], description="what brought them here")
    reasons: pl.List = pa.Field(dtype_kwargs={"inner": pl.String}, description="the facts shown")
    known_to: pl.List = pa.Field(dtype_kwargs={"inner": pl.String}, description="agencies in touch in three years")
    new_since_last: bool = pa.Field(description="was not on the last list")
    action: str = pa.Field(description="suggested next step")
    status: str = pa.Field(
        isin=["proposed", "agreed", "overdue"],
        description="`proposed` until the group has agreed it, then `agreed`, and `overdue` after its day",
    )
    person_told: str = pa.Field(
        nullable=True, isin=["yes", "not_yet"], description="whether they know that someone will be in touch"
    )


class Needs(pa.DataFrameModel):
    """`needs.parquet`: every need found, of everybody, and what became of it."""

    person_id: str = pa.Field(str_matches=PSEUDONYM, nullable=True, description="the person; empty for a home alone")
    household_id: str = pa.Field(str_matches=PSEUDONYM, nullable=True, description="the home")
    need: str = pa.Field(description="the rule that found it")
    criterion: str = pa.Field(description="the facts that met it")
    lead_agency: str = pa.Field(description="who leads")
    action: str = pa.Field(description="suggested next step")
    urgency: str = pa.Field(isin=["routine", "soon", "urgent"], description="how soon")
    points: int = pa.Field(nullable=True, description="points of the rule, where it gives any")
    themes: pl.List = pa.Field(dtype_kwargs={"inner": pl.String}, description="themes of the facts in the criterion")
    outcome: str = pa.Field(description="`allocated`, or why not")
    place: str = pa.Field(
        nullable=True,
        description=("the place of a home where we do not know who lives there, where the register ever gave it"),
    )


class Recorded(pa.DataFrameModel):
    """`recorded.parquet`: one row a listed person and fact on record that a rule for needs counts or tells, whether
    or not the rule is met."""

    person_id: str = pa.Field(str_matches=PSEUDONYM, description="pseudonym of the person")
    need: str = pa.Field(description="the rule")
    sentence: str = pa.Field(description="the fact in words")
    position: int = pa.Field(ge=1, description="the order of the rule's facts")
    counts: bool = pa.Field(description="true: the rule counts it; false: it is only shown")


class Attrition(pa.DataFrameModel):
    """`attrition.parquet`: everyone who entered and where they left; opted-out people are counted, never named."""

    person_id: str = pa.Field(str_matches=PSEUDONYM, nullable=True, description="the person, where they may be named")
    step: str = pa.Field(isin=list(ATTRITION_STEPS), description="the step at which they left, or `listed`")
    reason: str = pa.Field(description="why")
    n: int = pa.Field(ge=1, description="people")
    re_enters_on: pl.Date = pa.Field(nullable=True, description="the first night they can be listed again")


class Links(pa.DataFrameModel):
    """`links.parquet`: how much of each table meets the GP register, and of whom each table knows, group by group.

    Of `rows`, `people` and `homes` of a table, `n_linked` are those on the register; of people `registered`, those the
    table has a record of, their own or of their home. Of `gp_patients` itself, those who have a home.
    """

    table: str = pa.Field(description="the table")
    of: str = pa.Field(
        isin=["rows", "people", "homes", "registered"],
        description="what is counted: rows, people or homes of the table, or people registered of the age asked for",
    )
    group: str = pa.Field(
        isin=["all", "year", "age_band", "sex", "ethnic_group", "deprivation_fifth", "practice"],
        description="by what they are grouped; `year` is the year of recording",
    )
    level: str = pa.Field(description="the group; `not known` where nothing is on record")
    n: int = pa.Field(ge=0, description="how many")
    n_linked: int = pa.Field(ge=0, description="how many of them link")
    share: float = pa.Field(ge=0, le=1, nullable=True, description="`n_linked` of `n`; empty where there is nobody")


def validated(model: type[pa.DataFrameModel], frame: pl.DataFrame) -> pl.DataFrame:
    """Check one of our own tables; a failure is a fault of ours, told without any value."""
    if keeps_all(model, frame):
        return frame
    with config_context(validation_enabled=True, validation_depth=ValidationDepth.SCHEMA_AND_DATA):
        try:
            return model.validate(frame, lazy=True)
        except pa.errors.SchemaErrors as fault:
            broken = fault.failure_cases.select("column", "check").unique().sort("column", "check").rows()
    told = "; ".join(f"{column}: {check}" for column, check in broken)
    raise AssertionError(f"a table of ours breaks its own contract {model.__name__}: {told}")


def split_by_contract(model: type[pa.DataFrameModel], frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Part one of our own tables: the rows that keep its contract, and the people of those that do not.

    One impossible row of one person must not stop the night of everybody else. Those held are one row a person:
    person_id, reason (`impossible_<column>`). What no single row is to blame for, such as a column that is missing,
    is a fault of ours and an `AssertionError`.
    """
    if keeps_all(model, frame):
        return frame, pl.DataFrame(schema=HELD)
    with config_context(validation_enabled=True, validation_depth=ValidationDepth.SCHEMA_AND_DATA):
        try:
            return model.validate(frame, lazy=True), pl.DataFrame(schema=HELD)
        except pa.errors.SchemaErrors as fault:
            failures = fault.failure_cases.select("column", row=pl.col("index").cast(pl.Int64))
    if failures["row"].is_null().any():
        validated(model, frame)
    broken = failures.group_by("row").agg(pl.col("column").cast(pl.String).min())
    rows = frame.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    held = rows.join(broken, on="row").select(
        "person_id", reason=pl.format("impossible_{}", pl.col("column").cast(pl.String))
    )
    people = held.sort("person_id", "reason").unique("person_id", keep="first", maintain_order=True)
    good = frame.filter(~pl.col("person_id").is_in(people["person_id"].implode()))
    return validated(model, good), people


HELD = pl.Schema({"person_id": pl.String, "reason": pl.String})
