"""People's pages as data, made by hand: two at one door with everything on record, one found by rule alone."""

from datetime import date

from ageingwell.report.past import past_of
from ageingwell.report.person import Chance, InTouch, Lead, LinkedFact, NeedFound, OtherOutcome, Others, Person


def chance(in_100: int, low: int, high: int) -> Chance:
    ends = f"{low} to {high}"
    return Chance(
        in_100=in_100,
        low=low,
        high=high,
        words=f"{in_100} in 100",
        range_words=ends,
        range_sentence=f"For this person it may be anywhere from {ends}.",
    )


def fact(theme: str, text: str, agency: str, adds: int, *, day: str = "3 October 2026") -> LinkedFact:
    words = f"{adds:+d}".replace("-", "−")
    return LinkedFact(
        theme=theme, fact=text, agency=agency, day=day, adds=adds, adds_words=words, can_change=theme == "Home"
    )


def need(name: str, urgency: str, lead: str, action: str, *facts: str) -> NeedFound:
    return NeedFound(need=name, facts=list(facts), lead=lead, action=action, urgency=urgency)


def person(number: int, **changed: object) -> Person:
    """One person found by rule alone, unless changed."""
    told = {
        "anchor": f"person-{number}",
        "row_key": "bcdfghjkl"[number % 5 :][:4] + " ktqb",
        "household_key": f"hbnb qk{'bcdfghjklm'[number % 10]}r",
        "door": number,
        "position": number,
        "urgency": "Soon",
        "act_by": "20 December 2026",
        "joint_with": [],
        "partners_full": [],
        "place": "Church Stretton",
        "age_band": "80 to 84",
        "band": "top 50",
        "status": "Proposed",
        "is_new": False,
        "found_by": "a rule",
        "chance": None,
        "others": None,
        "raises": [],
        "lowers": [],
        "rest": 0,
        "other_facts": [],
        "rest_words": "",
        "sum_words": "",
        "outcomes": [],
        "unknown": ["Fire and rescue: no visit is on record, so alarms and smoking are not known."],
        "in_touch": [InTouch(agency="GP practices", last="12 November 2026")],
        "not_in_touch": ["Adult social care", "Housing", "Fire and rescue", "Voluntary sector"],
        "needs": [
            need(
                "No working smoke alarm",
                "Soon",
                "Fire and rescue",
                "Make a home fire-safety visit and fit alarms",
                "no working smoke alarm was found",
            )
        ],
        "lead": Lead(
            agency="Fire and rescue",
            why="it leads on “No working smoke alarm”, the most urgent need found here",
            is_chosen=False,
        ),
        "action": "Make a home fire-safety visit and fit alarms",
        "communication": "None recorded",
        "part": "",
        "say": "We are calling on people in this area to ask whether anything would help at home",
        "told": "Not recorded",
        "by_when": "Soon: by 20 December 2026",
        "past": None,
        "ring": "Strength and Balance class, 01694 555 0100 (Tuesdays, 10:00 to 11:00)",
        "notes": [],
        "offers": [],
        "last_time": [],
        "plan": [],
        "review": "",
        "is_review_due": False,
        "is_overdue": False,
    }
    return Person(**(told | changed))  # type: ignore[typeddict-item]


FULL = person(
    1,
    band="top 20",
    is_new=True,
    found_by="a rule and the estimate",
    chance=chance(31, 24, 39),
    others=Others(in_100=12, who="women aged 80 to 84 in Church Stretton", n_words="about 210 people"),
    raises=[
        fact("Health", "2 falls recorded in the past year", "GP practices", 8),
        fact("Health", "14 different medicines in the past three months", "GP practices", 5),
        fact("Home", "a trip hazard in the home was reported and is not yet put right", "Housing", 4),
        fact("Everyday life", "very likely lives alone", "Housing", 3),
        fact("Fire", "no home fire-safety visit in the past three years", "Fire and rescue", 2),
    ],
    lowers=[
        fact("Care", "an unpaid carer recorded by social care", "Adult social care", -2),
        fact("Home", "an adaptation to the home was completed", "Housing", -1),
    ],
    rest=0,
    sum_words="12 + 22 − 3 = 31",
    outcomes=[OtherOutcome(what="die within a year", in_100=9, words="9 in 100")],
    in_touch=[
        InTouch(agency="GP practices", last="12 November 2026"),
        InTouch(agency="Adult social care", last="9 September 2026"),
    ],
    not_in_touch=["Housing", "Fire and rescue", "Voluntary sector"],
    needs=[
        need(
            "Falls assessment",
            "Soon",
            "GP practices",
            "Offer a comprehensive falls assessment through the practice or the community falls team",
            "a fall in the past year",
            "injured in a fall",
            "living with frailty (11 of the 36 frailty signs)",
        ),
        need(
            "Many medicines",
            "Soon",
            "GP practices",
            "Book a structured medication review with the practice pharmacist",
            "14 different medicines in 90 days",
        ),
        need(
            "Hazard at home, and a fall",
            "Soon",
            "Housing",
            "Visit to put the hazard right",
            "a hazard was found in the home in the past 3 years",
            "a fall is recorded in the past 3 years",
        ),
    ],
    lead=Lead(
        agency="GP practices", why="it leads on “Falls assessment”, the most urgent need found here", is_chosen=False
    ),
    communication="large print",
    past=past_of(
        [
            {"happened_on": date(2026, 10, 3), "agency": "hospital", "text": "A&E visit"},
            {"happened_on": date(2025, 2, 11), "agency": "fire", "text": "Home fire safety visit: refused"},
            {"happened_on": date(2024, 7, 30), "agency": "hospital", "text": "Unplanned hospital stay"},
        ],
        as_of=date(2026, 11, 22),
    ),
    notes=["Read the staff safety marker before going"],
    offers=[
        {
            "name": "Strength and Balance class",
            "what": "weekly exercise class to stay steady",
            "where": "Mayfair Centre, Church Stretton",
            "when": "Tuesdays, 10:00 to 11:00",
            "telephone": "01694 555 0100",
            "cost": "£3 a visit",
            "checked_on": "2 October 2026",
        }
    ],
)
AT_THE_SAME_DOOR = person(
    2,
    door=1,
    household_key=FULL["household_key"],
    band="top 200",
    found_by="the estimate",
    chance=chance(14, 10, 19),
    others=Others(in_100=12, who="men aged 80 to 84 in Church Stretton", n_words="about 150 people"),
    raises=[fact("Health", "heart failure recorded by the GP", "GP practices", 3)],
    rest=-1,
    sum_words="12 + 3 − 1 = 14",
    needs=[],
    lead=Lead(agency="GP practices", why="it leads on a need of somebody else at this door", is_chosen=False),
)
BY_RULE = person(3, place="Ludlow", age_band="65 to 69", status="Agreed")
PEOPLE_TOLD = [FULL, AT_THE_SAME_DOOR, BY_RULE]
