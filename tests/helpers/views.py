"""A small night, made by hand, for the tests of views and reports: six people at five doors, and one empty home."""

from datetime import date
from typing import Any

import polars as pl

from ageingwell.config.score import Ledger, RecipientView
from ageingwell.governance.night_facts import NightFacts
from ageingwell.pseudonyms.keys import Key
from ageingwell.views.columns import AgencyView
from ageingwell.views.recipient import view_for
from helpers.outreach import shipped_interventions

AS_OF = date(2026, 11, 22)
KEY = Key.made_up(7)
EVERY_THEME = ("health", "care", "home", "fire", "everyday_life")
LEDGER = Ledger(
    permitted=(),
    views={
        "group": RecipientView(themes=EVERY_THEME, shows_risk=True),
        "gp": RecipientView(themes=EVERY_THEME, shows_risk=True),
        "social_care": RecipientView(themes=("care", "home", "fire", "everyday_life")),
        "housing": RecipientView(themes=("home",)),
        "fire": RecipientView(themes=("fire", "home")),
        "voluntary": RecipientView(themes=()),
        "safeguarding": RecipientView(themes=("care", "home", "fire", "everyday_life")),
    },
)
ACTIONS = {
    "unsafe_polypharmacy": ("gp", "soon", "Book a structured medication review"),
    "no_working_alarm": ("fire", "soon", "Make a home fire-safety visit and fit alarms"),
    "fire_safety": ("fire", "soon", "Make a home fire-safety visit"),
    "cold_home": ("housing", "soon", "Offer a warm-home check"),
    "hazard_and_falls": ("housing", "soon", "Visit to put the hazard right"),
    "isolation": ("voluntary", "routine", "Offer a link worker's visit"),
    "oxygen_or_emollient_smoking": ("fire", "urgent", "Make a home fire-safety visit within days"),
}
_ROW = pl.Schema(
    {
        "row_key": pl.String,
        "position": pl.Int64,
        "urgency": pl.String,
        "act_by": pl.Date,
        "rank": pl.Int64,
        "person_id": pl.String,
        "household_id": pl.String,
        "place": pl.String,
        "lead_agency": pl.String,
        "joint_with": pl.List(pl.String),
        "partners_full": pl.List(pl.String),
        "needs": pl.List(pl.String),
        "risk": pl.Float64,
        "risk_low": pl.Float64,
        "risk_high": pl.Float64,
        "band": pl.String,
        "why": pl.String,
        "reasons": pl.List(pl.String),
        "known_to": pl.List(pl.String),
        "new_since_last": pl.Boolean,
        "action": pl.String,
        "status": pl.String,
    }
)
_NEED = pl.Schema(
    {
        "person_id": pl.String,
        "household_id": pl.String,
        "need": pl.String,
        "criterion": pl.String,
        "lead_agency": pl.String,
        "action": pl.String,
        "urgency": pl.String,
        "points": pl.Int64,
        "themes": pl.List(pl.String),
        "outcome": pl.String,
    }
)
_REASON = pl.Schema(
    {
        "person_id": pl.String,
        "position": pl.Int64,
        "feature": pl.String,
        "value": pl.String,
        "contribution": pl.Float64,
        "theme": pl.String,
        "text": pl.String,
        "direction": pl.String,
        "can_change": pl.Boolean,
        "adds_in_100": pl.Int64,
        "shown": pl.Boolean,
        "agency": pl.String,
        "known_on": pl.Date,
    }
)


def pseudonym(name: str) -> str:
    """Give a made-up id the shape of a pseudonym, so that a search for it in a file means something."""
    return (name.translate(str.maketrans("0123456789aeiouyvwzjx", "bcdfghjklmnpqrstbcdfg")) * 32)[:32]


def row(person: str, home: str | None, rank: int, lead: str, **more: Any) -> dict[str, Any]:
    """One row of the list."""
    rest = {
        "row_key": pseudonym(f"k{person}"),
        "place": "Church Stretton",
        "position": rank,
        "urgency": "routine",
        "act_by": None,
        "joint_with": [],
        "partners_full": [],
        "needs": [],
        "risk": 0.40 - rank / 20,
        "risk_low": 0.35 - rank / 20,
        "risk_high": 0.45 - rank / 20,
        "band": "top 20",
        "why": "both",
        "reasons": [],
        "known_to": ["fire", "social_care"],
        "new_since_last": True,
        "action": "Ask how they are managing at home",
        "status": "proposed",
    }
    home_id = None if home is None else pseudonym(home)
    return {**rest, "person_id": pseudonym(person), "household_id": home_id, "rank": rank, "lead_agency": lead, **more}


def rows(*given: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(given), schema=_ROW)


def need(person: str | None, home: str | None, name: str, criterion: str, **more: Any) -> dict[str, Any]:
    """One need found."""
    lead, urgency, action = ACTIONS[name]
    rest = {
        "need": name,
        "criterion": criterion,
        "lead_agency": lead,
        "action": action,
        "urgency": urgency,
        "points": None,
        "themes": ["health"],
        "outcome": "allocated" if person else "no_person_linked",
    }
    ids = {
        "person_id": None if person is None else pseudonym(person),
        "household_id": None if home is None else pseudonym(home),
    }
    return {**rest, **ids, **more}


def needs(*given: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(given), schema=_NEED)


def recorded_of(found: pl.DataFrame) -> pl.DataFrame:
    """The facts on record: those that the needs found tell, each counted."""
    told = found.drop_nulls("person_id").select("person_id", "need", sentence=pl.col("criterion").str.split("; "))
    facts = told.explode("sentence").filter(pl.col("sentence") != "").sort("person_id", "need", maintain_order=True)
    return facts.with_columns(position=pl.int_range(1, pl.len() + 1, dtype=pl.Int64), counts=pl.lit(value=True))


def reason(person: str, position: int, feature: str, theme: str, text: str | None, **more: Any) -> dict[str, Any]:
    """One contribution."""
    rest = {"value": "1", "contribution": 0.31415, "direction": "raises", "can_change": True, "shown": True}
    told = {"person_id": pseudonym(person), "position": position, "feature": feature, "theme": theme, "text": text}
    return {**rest, **told, **more}


def reasons(*given: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(given), schema=_REASON)


def spine_of(listed: pl.DataFrame, **columns: Any) -> pl.DataFrame:
    """The people on a list: aged 82, with no communication need unless given."""
    given = {"age": 82, "sex": "female", "communication_need": None, "practice_code": "M82041", **columns}
    values = [pl.lit(value).cast(pl.Int64 if name == "age" else pl.String).alias(name) for name, value in given.items()]
    return listed.select("person_id", "household_id", "place", *values)


SOON = {"urgency": "soon", "act_by": date(2026, 12, 20)}
URGENT = {"urgency": "urgent", "act_by": date(2026, 11, 29)}
_FIT = "Make a home fire-safety visit and fit alarms. Joint visit with: GP practices"
_REVIEW = "Read the staff safety marker before going. Book a structured medication review"
LISTED = rows(
    row("p1", "h1", 1, "fire", joint_with=["gp"], position=2, action=_FIT, **SOON),
    row("p2", "h1", 4, "fire", joint_with=["gp"], position=3, why="rule", new_since_last=False, action=_FIT, **SOON),
    row("p3", "h3", 2, "gp", joint_with=["fire"], position=1, action=_REVIEW, **URGENT),
    row("p4", "h4", 3, "housing", position=4, place="Ludlow", action="Offer a warm-home check", **SOON),
    row("p5", "h5", 5, "voluntary", known_to=[], action="Offer a link worker's visit"),
    row("p6", None, 6, "gp", why="model", action="No address is linked: write or telephone"),
)
FOUND = needs(
    need("p1", "h1", "no_working_alarm", "no working smoke alarm was found"),
    need("p1", "h1", "unsafe_polypharmacy", "12 different medicines in 90 days"),
    need(
        "p2",
        "h1",
        "fire_safety",
        "may need help to move about or to get out of bed (reduced mobility); very likely lives alone (lives alone); "
        "aged 65 or over (age)",
    ),
    need("p3", "h3", "unsafe_polypharmacy", "11 different medicines in 90 days"),
    need("p3", "h3", "oxygen_or_emollient_smoking", "home oxygen, and someone in this home smokes"),
    need("p4", "h4", "cold_home", "energy rating F; heart failure is recorded"),
    need(
        "p4",
        "h4",
        "hazard_and_falls",
        "a hazard was found in the home in the past 3 years; a fall is recorded in the past 3 years",
    ),
    need("p5", "h5", "isolation", "very likely lives alone and does not leave home"),
    need("p6", None, "no_working_alarm", "no working smoke alarm was found"),
    need("p9", "h9", "no_working_alarm", "no working smoke alarm was found", outcome="safeguarding"),
    need(None, "h8", "no_working_alarm", "no working smoke alarm was found"),
)
TOLD = reasons(
    reason("p1", 1, "n_medicines_90d", "health", "12 medicines in the past 90 days"),
    reason("p1", 2, "is_alarm_missing", "fire", "no working smoke alarm was found"),
    reason("p1", 3, "has_adaptation_completed_1095d", "home", "an adaptation was made", direction="lowers"),
    reason("p1", 4, "n_falls_365d", "health", "2 falls recorded in the past year", shown=False),
    reason("p1", 5, "is_female", "everyday_life", None, shown=False),
)  # fmt: skip
PEOPLE = spine_of(LISTED, communication_need="large print")


def scores_of(listed: pl.DataFrame, **outcomes: float) -> pl.DataFrame:
    """The scores of the people listed; `outcomes` are risks of further outcomes, the same for everybody."""
    risks = [pl.lit(risk).alias(f"risk_{outcome}") for outcome, risk in outcomes.items()]
    return listed.select("person_id", "household_id", "risk", *risks, pl.lit(-1.0).alias("score"))


SCORES = scores_of(LISTED, death=0.041)


def compared_of(listed: pl.DataFrame, *, risk: float = 0.123) -> pl.DataFrame:
    """Whom the people listed are compared with: the same 243 for everybody."""
    return listed.select(
        "person_id",
        who=pl.lit("women aged 80 to 84 in Church Stretton"),
        n_peers=pl.lit(243),
        peers_risk=pl.lit(risk),
    )


COMPARED = compared_of(LISTED)


def in_touch_of(*met: tuple[str, str, date | None]) -> pl.DataFrame:
    """Who is in touch: person, agency and the day of the newest record."""
    rows = [(pseudonym(person), agency, day) for person, agency, day in met]
    return pl.DataFrame(rows, schema={"person_id": pl.String, "agency": pl.String, "last_on": pl.Date}, orient="row")


IN_TOUCH = in_touch_of(("p1", "gp", None), ("p1", "housing", date(2026, 11, 1)), ("p1", "fire", date(2024, 3, 9)))


def see(recipient: Any, **changed: Any) -> AgencyView:
    """What a recipient sees of this night, or of one that differs in a frame or in the ledger."""
    given: dict[str, Any] = {"rows": LISTED, "needs": FOUND, "reasons": TOLD, "people": PEOPLE, "ledger": LEDGER}
    given |= {"interventions": shipped_interventions(), **changed}
    return view_for(recipient, **({"recorded": recorded_of(given["needs"])} | given), as_of=AS_OF, key=KEY)


def attrition(*given: tuple[str, str, int]) -> pl.DataFrame:
    """Counts by step and reason, as the attrition table holds them."""
    schema = {"step": pl.String, "reason": pl.String, "n": pl.Int64}
    return pl.DataFrame(list(given), schema=schema, orient="row").with_columns(person_id=pl.lit(None, dtype=pl.String))


LEFT = attrition(
    ("permitted", "objection", 61),
    ("permitted", "restriction", 3),
    ("spine", "under_the_age", 9_000),
    ("eligible", "deceased", 2),
    ("eligible", "cooling_off", 40),
    ("eligible", "safeguarding", 11),
    ("rank", "no_need_or_high_risk", 4_300),
    ("allocate", "no_place_this_week", 450),
    ("listed", "listed", 6),
)
FACTS = NightFacts(
    date(2026, 11, 22),
    purpose="direct_care",
    made_up=True,
    rules_only=False,
    missing=["hospital_events"],
    late=["homes"],
    messages=["the floor `rural` keeps 3 places and only 1 could be filled"],
    inputs={
        "gp_patients": {
            "newest_on": "2026-11-21",
            "n_read": 15_003,
            "n_good": 15_000,
            "refused_by_rule": [{"column": "sex", "rule": "unknown_label", "n_rows": 3}],
        },
        "homes": {"newest_on": "2026-09-01", "n_read": 5_000, "n_good": 5_000, "refused_by_rule": []},
    },
    capacity={"gp": 15, "fire": 20},
    bundle={
        "made_up": True,
        "verdict": {"usable": True, "reason": "it beats every rival"},
        "training": {"n_people": 20_004, "n_events": 5},
        "outcomes": {"loss_of_independence": {"calibration": {"slope": 1.012345, "intercept": 0.0}}},
    },
    versions={"polars": "2.1.0"},
)
GONE = pl.DataFrame(
    {"person_id": [pseudonym(f"g{n}") for n in range(10)], "reason": ["moved"] * 9 + ["deceased"]},
    schema={"person_id": pl.String, "reason": pl.String},
)
MARGINAL = pl.DataFrame(
    {
        "lead_agency": ["fire"],
        "places": [20],
        "used": [20],
        "extra_value": [0.31],
        "extra_risk": [0.21],
        "extra_doors": [[pseudonym("h77")]],
    }
)
JUST_MISSED = pl.DataFrame(
    {
        "lead_agency": ["fire"],
        "position": [1],
        "door_id": [pseudonym("h77")],
        "household_id": [pseudonym("h77")],
        "place": ["Ludlow"],
        "rank": [7],
        "value": [0.31],
        "risk_reached": [0.21],
    }
)
