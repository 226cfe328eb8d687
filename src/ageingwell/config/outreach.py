"""Settings of the outreach steps: who is left in peace, what counts as a need, and how the weekly places are shared.

The files are `configs/outreach.toml` and `configs/interventions.toml`. The defaults below are the shipped values; a
test holds the two together, so either can be read as the truth.
"""

from typing import Any, Literal

from pydantic import Field, create_model, field_validator

from ageingwell.config.files import Settings
from ageingwell.register import LEAD_AGENCIES, VISITS, LeadAgency

Urgency = Literal["routine", "soon", "urgent"]


def _places(visits: tuple[int, str]) -> Any:
    places, words = visits
    return int, Field(default=places, ge=0, description=words)


class PlaceTeam(Settings):
    """One agency's team for some places: it alone serves them, and the agency's other doors a week serve the rest."""

    agency: LeadAgency = Field(description="the agency whose team it is")
    places: tuple[str, ...] = Field(min_length=1, description="the places it serves, as the file of places names them")
    visits: int = Field(ge=0, description="homes per week that the team can visit")


# A key for each agency that visits, as the register names them.
_Capacity = create_model("_Capacity", __base__=Settings, **{name: _places(VISITS[name]) for name in LEAD_AGENCIES})


class Capacity(_Capacity):  # type: ignore[misc, valid-type]
    """How many doors each agency can visit in a week, and which of its teams serve certain places alone.

    >>> week = Capacity(fire=3, place_teams=[{"agency": "fire", "places": ["Ludlow"], "visits": 2}])
    >>> week.places()["fire"], week.by_team()[-1]
    (5, ('fire', 2))
    """

    place_teams: tuple[PlaceTeam, ...] = Field(
        default=(),
        description="teams of an agency that serve certain places alone; the agency's own number then serves the rest",
    )

    @field_validator("place_teams")
    @classmethod
    def _one_team_a_place(cls, value: tuple[PlaceTeam, ...]) -> tuple[PlaceTeam, ...]:
        served = [(team.agency, place) for team in value for place in team.places]
        twice = sorted({f"{place} ({agency})" for agency, place in served if served.count((agency, place)) > 1})
        if twice:
            raise ValueError(f"each place has one team of an agency, and these have two: {', '.join(twice)}")
        return value

    def by_team(self) -> list[tuple[str, int]]:
        """Give the agency and the places a week of each team: each agency where no team is named, then the teams."""
        elsewhere = [(agency, int(getattr(self, agency))) for agency in LEAD_AGENCIES]
        return [*elsewhere, *((team.agency, team.visits) for team in self.place_teams)]

    def places(self) -> dict[str, int]:
        """Give the places a week by agency, those of its teams included, in the fixed order of agencies."""
        return {name: sum(n for agency, n in self.by_team() if agency == name) for name in LEAD_AGENCIES}


class Floors(Settings):
    """Shares of all the week's places kept for people whom a ranking by records tends to miss."""

    unknown_to_every_service: float = Field(
        default=0.10, ge=0, le=1, description="share for homes in which everyone is known to the GP register only"
    )
    most_deprived_fifth: float = Field(
        default=0.10,
        ge=0,
        le=1,
        description="share for homes in the most deprived fifth of small areas (deciles 1 and 2)",
    )
    rural: float = Field(default=0.0, ge=0, le=1, description="share for homes in rural areas")

    def shares(self) -> dict[str, float]:
        """Give the share by the name of its group; the column of a door is `is_<name>`."""
        return {name: float(getattr(self, name)) for name in type(self).model_fields}


class CoolingOff(Settings):
    """Days a household is left in peace, counted from the contact, by what came of it."""

    accepted: int = Field(default=60, ge=0, description="help was accepted and is being arranged")
    completed: int = Field(default=180, ge=0, description="the visit was made")
    declined_help: int = Field(default=365, ge=0, description="the person said they want no help")
    refused: int = Field(default=365, ge=0, description="the visit was refused")
    referred_on: int = Field(default=60, ge=0, description="another agency was asked to see them")
    no_access: int = Field(default=14, ge=0, description="nobody came to the door")
    deferred: int = Field(default=28, ge=0, description="they asked to be called on later")
    in_hospital: int = Field(default=14, ge=0, description="they were in hospital")
    wrong_address: int = Field(default=90, ge=0, description="the address was wrong; time to put it right")
    deceased: int = Field(default=28, ge=0, description="a death was reported; nobody contacts the household")
    moved: int = Field(
        default=90, ge=0, description="the household was reported to have moved; time for the register to follow"
    )


class Thresholds(Settings):
    """The numbers in the rules that find needs."""

    frailty_index_at_least: float = Field(
        default=0.24,
        ge=0,
        le=1,
        description="electronic frailty index that counts as living with frailty (0.24: moderate)",
    )
    lives_alone_probability_at_least: float = Field(
        default=0.70, gt=0, le=1, description="how likely living alone has to be before a rule counts it"
    )
    charlie_factors_at_least: int = Field(
        default=3, ge=1, description="CHARLIE-P factors, age left out, that make a fire safety need together"
    )
    charlie_points_at_least: int = Field(
        default=8,
        ge=1,
        le=10,
        description="points on one CHARLIE-P line that make a fire safety need alone (8: likely)",
    )
    clutter_rating_at_least: int = Field(
        default=4, ge=1, le=9, description="clutter image rating that counts as hoarding"
    )
    epc_rank_at_least: int = Field(
        default=5, ge=1, le=7, description="energy rating that counts as a cold home (A is 1, E is 5, G is 7)"
    )
    medicines_at_least: int = Field(
        default=10, ge=1, description="different medicines in 90 days that call for a review"
    )
    fall_medicines_at_least: int = Field(
        default=3, ge=1, description="anticholinergic and sedative medicines that call for a review after a fall"
    )
    carer_age_at_least: int = Field(default=85, ge=65, description="age from which caring counts as strain by itself")
    open_stay_days: int = Field(
        default=120, ge=1, description="days for which a hospital stay without an end holds a visit back"
    )
    end_of_life_days: int = Field(
        default=730, ge=1, description="days for which a code for the end of life holds a visit back"
    )
    older_people_that_prompt_a_check: int = Field(
        default=6, ge=2, description="people aged 65 and over at one address that prompt a check for a care home"
    )


class NeedValues(Settings):
    """What meeting one need is worth, in units of risk: 0.25 is as much as a person at 25 in 100."""

    routine: float = Field(default=0.05, ge=0, description="a need that can wait for the next round")
    soon: float = Field(default=0.10, ge=0, description="a need to meet within weeks")
    urgent: float = Field(default=0.25, ge=0, description="a need to meet within days")


class ActWithinDays(Settings):
    """Days within which to act on a need, counted from the day of the list; a routine need has no day."""

    urgent: int = Field(default=7, ge=0, description="an urgent need: days from the list to the day by which to act")
    soon: int = Field(
        default=28, ge=0, description="a need to meet soon: days from the list to the day by which to act"
    )


class DefaultLeads(Settings):
    """Who leads where the risk is high and no rule found a need, by the theme of the strongest reason."""

    health: LeadAgency = Field(default="gp", description="lead where the strongest reason is about health")
    care: LeadAgency = Field(default="social_care", description="lead where the strongest reason is about care")
    home: LeadAgency = Field(default="housing", description="lead where the strongest reason is about the home")
    fire: LeadAgency = Field(default="fire", description="lead where the strongest reason is about fire")
    everyday_life: LeadAgency = Field(
        default="voluntary", description="lead where the strongest reason is about everyday life"
    )
    unknown: LeadAgency = Field(default="gp", description="lead where the theme is not known")


class DecisionDays(Settings):
    """Days a person is left in peace after the group decided otherwise, counted from the day it was recorded."""

    already_supported: int = Field(
        default=90, ge=0, description="someone supports them already; time to see how it goes"
    )
    need_to_know_more: int = Field(
        default=14, ge=0, description="the group wants to know more first, and named no day for it"
    )
    not_right: int = Field(default=180, ge=0, description="a visit is not right for this person")
    said_no: int = Field(default=365, ge=0, description="the person has said no; counts for everyone in the home")
    let_go: int = Field(default=28, ge=0, description="an agreed visit was let go; they may be proposed again after it")


class DecisionSettings(Settings):
    """How decisions are kept and followed up."""

    ledger: str = Field(
        default="decisions.sqlite",
        min_length=1,
        description="file of the ledger: a name in the folder of the nights, or a full path",
    )
    agreed_days: int = Field(
        default=42, ge=1, description="days until an agreed visit is overdue where the group named no day"
    )
    contact_days_before: int = Field(
        default=42,
        ge=0,
        description="a contact more days than this before the night of its list is given back to be corrected",
    )
    added_urgency: Urgency = Field(default="soon", description="how soon to see a person that the group added")
    added_action: str = Field(
        default="See them as the group agreed; ask how they are managing and what would help",
        min_length=1,
        description="next step for a person that the group added",
    )
    rubber_stamp_share: float = Field(
        default=0.95, ge=0, le=1, description="tell the chair when more than this share just follows the suggestion"
    )
    rubber_stamp_after: int = Field(default=30, ge=10, description="decisions before that share says anything")


class PlanSettings(Settings):
    """What of a plan may be kept."""

    notes: bool = Field(
        default=False,
        description="keep own words of a step or a plan: 200 letters, screened, on the group's own pages alone",
    )


class OutreachSettings(Settings):
    """Everything in `configs/outreach.toml`."""

    capacity: Capacity = Field(default=Capacity(), description="places per week, by agency")
    floors: Floors = Field(default=Floors(), description="shares of the places kept for groups easily missed")
    cooling_off_days: CoolingOff = Field(
        default=CoolingOff(), description="days without another contact after a contact"
    )
    decisions: DecisionSettings = Field(
        default=DecisionSettings(), description="how decisions are kept and followed up"
    )
    plans: PlanSettings = Field(default=PlanSettings(), description="what of a plan may be kept")
    decision_days: DecisionDays = Field(
        default=DecisionDays(), description="days without another proposal after a decision"
    )
    thresholds: Thresholds = Field(default=Thresholds(), description="the numbers in the rules")
    need_values: NeedValues = Field(default=NeedValues(), description="worth of a need in units of risk")
    act_within_days: ActWithinDays = Field(
        default=ActWithinDays(), description="days within which to act on a need, by its urgency"
    )
    default_leads: DefaultLeads = Field(default=DefaultLeads(), description="leads where no rule found a need")
    risk_decimals: int = Field(
        default=2,
        ge=1,
        le=6,
        description="risks that are equal at this many decimals are put in order by need, not by risk",
    )
    bands: tuple[int, ...] = Field(
        default=(20, 50, 100, 200, 500),
        min_length=1,
        description="ends of the rank intervals: top 20, top 50, and so on",
    )
    high_risk_share: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="share of people, highest risks first, who may be listed without a need by rule",
    )
    stay_margin: float = Field(
        default=0.15,
        ge=0,
        le=1,
        description="how much more a newcomer must be worth to take the place of someone listed",
    )
    people_a_visit: int = Field(
        default=2, ge=1, description="people of one home whose risks count for the home's value"
    )
    joint_share: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="worth of the need of another agency that comes along, as a share of its full worth",
    )
    just_missed_shown: int = Field(default=10, ge=0, description="homes shown for each agency that just missed a place")
    random_share: float = Field(
        default=0.0,
        ge=0,
        le=0.5,
        description="share of each agency's last places that are picked at random, to measure effect",
    )
    lot_left_out_days: int = Field(
        default=91,
        ge=7,
        description="days for which people who lost the lot are left out of the list; an urgent need comes first",
    )
    lot_never_needs: tuple[str, ...] = Field(
        default=(), description="needs whose people never take part in the lot, by the names of interventions.toml"
    )
    high_risk_action: str = Field(
        default="Ask how they are managing at home and what would help; agree one next step with them",
        min_length=1,
        description="next action where no rule found a need",
    )
    no_door_action: str = Field(
        default="No sure address is linked: write or telephone from the practice, and check the address",
        min_length=1,
        description="next action where no home is linked to the person",
    )
    staff_safety_note: str = Field(
        default="Read the staff safety marker before going",
        min_length=1,
        description="put before the action where a staff safety marker is in force",
    )
    care_home_check_note: str = Field(
        default="Check first whether this address is a care home",
        min_length=1,
        description="put before the action where many people aged 65 and over share the address",
    )

    @field_validator("bands")
    @classmethod
    def _bands_rise(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if any(end < 1 for end in value) or list(value) != sorted(set(value)):
            raise ValueError("bands must be whole numbers of 1 or more that rise from one to the next")
        return value


SAY = "We are calling on people in this area to ask whether anything would help at home"


class Intervention(Settings):
    """What follows from one need."""

    lead: LeadAgency = Field(description="the one agency that leads on this need")
    urgency: Urgency = Field(description="how soon the need should be met: routine, soon or urgent")
    action: str = Field(min_length=1, description="suggested next action, in functional words, no diagnosis")
    say: str = Field(
        default=SAY,
        min_length=1,
        description="what a visitor says at the door; must not give away why this person was chosen",
    )
    evidence: str = Field(min_length=1, description="what is known about the effect of the action")
    source: str = Field(min_length=1, description="where the criterion and the evidence come from")


class Interventions(Settings):
    """Everything in `configs/interventions.toml`: one table a need."""

    end_of_life_lead: LeadAgency = Field(
        default="social_care", description="the care team that takes fire safety needs of people near the end of life"
    )
    say: str = Field(
        default=SAY, min_length=1, description="what a visitor says at the door where no rule found a need"
    )
    needs: dict[str, Intervention] = Field(description="one table a need, under the name of its rule")
