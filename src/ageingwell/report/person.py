"""The shape of what one person's page says: plain dictionaries, with a sentence for each key."""

from typing import TypedDict

from ageingwell.report.past import Past


class Chance(TypedDict):
    """A risk as whole numbers of 100: `words` “31 in 100”, `range_words` “14 to 55”, and the whole in a sentence.

    Where too few people of so high a chance were checked there is no range: `low` and `high` are missing, and
    `range_words` say “about half or more; too few people to be exact”.
    """

    in_100: int
    low: int | None
    high: int | None
    words: str
    range_words: str
    range_sentence: str
    sentence: str


class Others(TypedDict):
    """The people compared with: mean risk, who they are (“women aged 80 to 84 in Ludlow”), about how many; in words."""

    in_100: int
    who: str
    n_words: str
    sentence: str


class LinkedFact(TypedDict):
    """A fact linked with a higher or lower chance: who told it, of which day, what it adds in 100.

    `day` is the newest day of the records it rests on, else the day up to which its source is recorded; where neither
    is known, “recorded up to” the night. `adds` is never 0: `adds_words` is “+8” or “−2”.
    """

    theme: str
    fact: str
    agency: str
    day: str
    adds: int
    adds_words: str
    can_change: bool


class OtherFacts(TypedDict):
    """What all other facts of a theme add together, in 100: never 0; `words` name the line."""

    theme: str
    words: str
    adds: int
    adds_words: str


class OtherOutcome(TypedDict):
    """Another outcome that has a model of its own, such as “die within a year”."""

    what: str
    in_100: int
    words: str


class InTouch(TypedDict):
    """An agency with a record of the person, and the day of the last one where it is known."""

    agency: str
    last: str | None


class NeedFound(TypedDict):
    """A need found by rule: the sentences of the criterion met, who leads, the next step, how soon."""

    need: str
    facts: list[str]
    lead: str
    action: str
    urgency: str


class Lead(TypedDict):
    """The lead agency, whether the group chose it or it is suggested, and why: when it was chosen, or the rule."""

    agency: str
    why: str
    is_chosen: bool


class Person(TypedDict):
    """One person's page.

    `anchor` is the place on the list (“person-1”), never made from an identifier; `row_key` and `household_key` are
    as the list shows them; people with one `door` share a home. `position` is the place on the printed list, `urgency`
    and `act_by` how soon and by which day their home is to be visited. `joint_with` are the agencies that come along,
    `partners_full` those that are needed and have no place left. `chance`, `others` are `None` and the facts empty
    where rules alone chose. `others` + every `raises` and `lowers` + all `other_facts` + `rest` = `chance`, in whole
    numbers, and `sum_words` writes that out. `other_facts` are by theme whatever has no line of its own: sex, area,
    what is not known, and everything that may not be told. `rest` is what is left, which `rest_words` explain: the
    figure of the `others` is a mean, and most of them lie below it. `part` is the reader's own at this door, empty for
    the group; `say` and `told` are for the visitor. `unknown` are sentences; `offers` what the local directory has for
    the needs. `last_time` says what was decided before, what came
    of it and what the person said; `plan` the plan, `review` when to look at it again; a sentence each. `by_when` is
    the day to act by in words, `past` the last three years as far as the reader may read them, `ring` whom to
    telephone.
    """

    anchor: str
    row_key: str
    household_key: str
    door: int
    position: int
    urgency: str
    act_by: str
    place: str
    age_band: str
    band: str
    status: str
    is_new: bool
    found_by: str
    chance: Chance | None
    others: Others | None
    raises: list[LinkedFact]
    lowers: list[LinkedFact]
    other_facts: list[OtherFacts]
    rest: int
    rest_words: str
    sum_words: str
    outcomes: list[OtherOutcome]
    unknown: list[str]
    in_touch: list[InTouch]
    not_in_touch: list[str]
    needs: list[NeedFound]
    lead: Lead
    joint_with: list[str]
    partners_full: list[str]
    action: str
    by_when: str
    past: Past | None
    ring: str
    communication: str
    part: str
    say: str
    told: str
    notes: list[str]
    offers: list[dict[str, object]]
    last_time: list[str]
    plan: list[str]
    review: str
    is_review_due: bool
    is_overdue: bool
