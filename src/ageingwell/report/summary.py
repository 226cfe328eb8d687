"""What the pages say, as one plain dictionary: pages draw it, machines can read it, tests can check it."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from ageingwell.governance.disclosure import disclose_table, in_words
from ageingwell.governance.night_facts import DecisionFacts, NightFacts
from ageingwell.report.cells import day_words, shown_key
from ageingwell.report.choices import DECISION
from ageingwell.report.codes import recipient_words
from ageingwell.report.doors import by_door
from ageingwell.report.freshness import freshness, sources
from ageingwell.report.glance import group_glance, homes_of
from ageingwell.report.listing import listing_of
from ageingwell.report.person import Person
from ageingwell.report.room import setting_of
from ageingwell.report.sent import sent_notes
from ageingwell.report.since_last import SinceLast
from ageingwell.report.technical import CONSIDERED, annex_tables, step_counts
from ageingwell.report.track_record import TOO_FEW, track_record_words
from ageingwell.report.words import PURPOSE_WORDS, reason_words, step_words
from ageingwell.views.columns import FOR_HOMES, AgencyView
from ageingwell.views.recipient import NO_HOME
from ageingwell.views.words import agency_words, label_words, words_of_outcome

# Steps whose people the report names by reason; who is too young or lives elsewhere belongs to the annex.
LEFT_OUT = ("read", "permitted", "eligible", "rank", "allocate", "withdrawn")
# What page one names of them: who may not be used, and who is held or left in peace, the largest groups alone.
NOT_OFFERED = ("permitted", "eligible")
LEFT_OUT_FIRST = 3
LESS_WELL_FIRST = 3


def summarise(
    group: AgencyView,
    *,
    facts: NightFacts,
    attrition: pl.DataFrame,
    needs: pl.DataFrame,
    gone: pl.DataFrame | None = None,
    just_missed: pl.DataFrame | None = None,
    marginal: pl.DataFrame | None = None,
    people: Sequence[Person] = (),
    since_last: SinceLast | None = None,
) -> dict[str, Any]:
    """Gather what the group's report and its annex say of a night: text, numbers, lists and dictionaries only.

    `group` is the group's own view; `gone` who left since the last list and why; `people` what `people_told` says of
    each person of the list; `since_last` what became of the last list, in exact counts of the group's own rows. Every
    other count of people who are not on the list is disclosed.
    """
    n_considered = _people(attrition.filter(pl.col("step").is_in(CONSIDERED)))
    return {
        "as_of": day_words(group.as_of),
        "use_until": None if facts.use_until is None else day_words(facts.use_until),
        "purpose": PURPOSE_WORDS.get(facts.purpose, "not stated"),
        "made_up": facts.made_up,
        "rules_only": facts.rules_only,
        "notices": notices(facts),
        "messages": [_sentence(message) for message in facts.messages],
        "outcome": outcome_words(facts),
        "shows_risk": any(column.name == "chance" for column in group.columns),
        "n_considered": in_words(n_considered),
        "minimum_age": facts.minimum_age,
        "n_listed": group.frame.height,
        "n_homes": homes_of(group),
        "glanced": group_glance(
            group,
            people,
            facts=facts,
            marginal=marginal,
            left=since_last.n_left if since_last else in_words(0 if gone is None else gone.height),
            decided=since_last.brief if since_last else " ".join(decided(facts.decisions)),
            weaker=gathered(facts.works_less_well_for),
        ),
        "listed_words": listed_words(group),
        "n_waiting": people_words(in_words(facts.week.get("n_waiting", 0))),
        "urgent_waiting": urgent_waiting(facts),
        "n_new": group.frame.filter(pl.col("new_since_last") == "New").height,
        "n_gone": in_words(0 if gone is None else gone.height),
        "gone": _by_reason(gone),
        "left_out": _left_out(attrition),
        "left_out_first": _left_out_first(attrition),
        "decided": decided(facts.decisions),
        "followed": followed(facts.decisions),
        "since_last": since_last,
        "sources": sources(facts),
        "capacity": places_used(facts, marginal),
        "freshness": freshness(facts),
        "track_record": track_record_words(facts),
        "works_less_well_for": list(facts.works_less_well_for),
        "less_well": gathered(facts.works_less_well_for),
        "list": page_of(group),
        "people": list(people),
        "decisions": list(DECISION.choices),
        "settings": [setting_of(person) for person in people],
        "listing": listing_of(people) if people else None,
        "by_door": None if people else by_door(group),
        "annex": annex_tables(
            facts=facts, attrition=attrition, needs=needs, just_missed=just_missed, marginal=marginal
        ),
    }


def listed_words(group: AgencyView) -> str:
    """How many people are listed, and in how many homes: “102 people in 82 homes”."""
    homes = group.frame["household_key"]
    n_homes = homes.filter(homes != NO_HOME).n_unique() + int((homes == NO_HOME).sum())
    return f"{people_words(str(group.frame.height))} in {n_homes:,} home{'' if n_homes == 1 else 's'}"


def people_words(n: str) -> str:
    """A count of people as it is told.

    >>> people_words("1"), people_words("925")
    ('1 person', '925 people')
    """
    return f"{n} person" if n == "1" else f"{n} people"


def places_used(facts: NightFacts, marginal: pl.DataFrame | None) -> list[dict[str, Any]]:
    """The places of each agency this week and how many are used, joint visits included."""
    used = {} if marginal is None or marginal.is_empty() else dict(marginal.select("lead_agency", "used").iter_rows())
    return [
        {"agency": agency_words(agency), "places": places, "used": used.get(agency, 0)}
        for agency, places in facts.capacity.items()
    ]


def urgent_waiting(facts: NightFacts) -> list[str]:
    """Say of each agency that is full how many homes with an urgent need wait for a place of its own.

    >>> urgent_waiting(NightFacts(date(2026, 11, 22), week={"urgent_waiting": {"fire": 12}}))
    ['Fire and rescue is full: 10 homes with an urgent need wait for a place. Speak to Fire and rescue today.']
    """
    return [
        f"{agency_words(agency)} is full: {in_words(n)} homes with an urgent need "
        f"wait for a place. Speak to {agency_words(agency)} today."
        for agency, n in facts.week.get("urgent_waiting", {}).items()
    ]


def decided(decisions: DecisionFacts) -> list[str]:
    """Say what became of the last list: how many are decided, how many open, how often the suggestion was followed.

    >>> decided({"n_decided": "20", "n_open": "10", "followed_in_100": 80})
    ['20 of the last list decided, 10 still open.', 'Of the decisions, 80 in 100 did just what was suggested.']
    >>> decided({"n_decided": "0", "n_open": "0", "followed_in_100": None})
    []
    """
    done, still_open = decisions.get("n_decided", "0"), decisions.get("n_open", "0")
    said = [] if done == still_open == "0" else [f"{done} of the last list decided, {still_open} still open."]
    return [*said, *followed(decisions)]


def followed(decisions: DecisionFacts) -> list[str]:
    """Say how often the decisions did just what was suggested, where enough were taken to say."""
    share = decisions.get("followed_in_100")
    return [] if share is None else [f"Of the decisions, {share} in 100 did just what was suggested."]


def gathered(sentences: Sequence[str]) -> list[str]:
    """Say for whom the model works less well as page one has room for: groups of one reason together, few by name.

    >>> gathered(["men: it misses more", "people in towns: it misses more", "too few to check: people aged 85; others"])
    ['Men; people in towns: it misses more.', 'Too few to check: people aged 85; others.']
    """
    by_why: dict[str, list[str]] = {}
    for sentence in sentences:
        first, _, second = sentence.partition(": ")
        who, why = (second, first) if first == TOO_FEW else (first, second)
        by_why.setdefault(why, []).extend(who.split("; "))
    return [
        _sentence(f"{why}: {_few(who)}" if why == TOO_FEW else f"{_few(who)}: {why}") for why, who in by_why.items()
    ]


def _few(who: Sequence[str]) -> str:
    more = len(who[LESS_WELL_FIRST:])
    return "; ".join(who[:LESS_WELL_FIRST]) + (f" and {more} more" if more else "")


def notices(facts: NightFacts) -> list[str]:
    """Say what every output of the night has to say: made-up people, rules alone, missing and late records.

    >>> notices(NightFacts(date(2026, 11, 22), made_up=True, missing=["hospital_events"]))
    ['MADE-UP PEOPLE. Nobody on these pages is real.', 'Degraded: no records came from hospital events. ...']
    """
    said = []
    if facts.made_up:
        said.append("MADE-UP PEOPLE. Nobody on these pages is real.")
    if facts.rules_only:
        reason = facts.bundle.get("verdict", {}).get("reason")
        why = f" Why: {reason.rstrip('.')}." if reason else ""
        said.append(f"Rules only: the model is not usable, so no chance is shown and rules alone chose.{why}")
    for table in facts.missing:
        said.append(
            f"Degraded: no records came from {label_words(table).lower()}. What they would tell is unknown tonight, "
            "which does not mean that there is nothing to tell."
        )
    for table in facts.late:
        newest = facts.inputs.get(table, {}).get("newest_on")
        since = f" The newest is of {day_words(date.fromisoformat(newest))}." if newest else ""
        said.append(f"Late: the records from {label_words(table).lower()} may be out of date.{since}")
    return [*said, *sent_notes(facts), *directory_notices(facts)]


def directory_notices(facts: NightFacts) -> list[str]:
    """Say what is wrong with the directory of local services, where one is connected.

    >>> told = {"state": "late", "newest_on": "2026-01-31"}
    >>> directory_notices(NightFacts(date(2026, 11, 22), directory=told))
    ['Late: the directory of local services was last checked on 31 January 2026; details may be out of date.']
    """
    told = facts.directory
    if told.get("state") == "damaged":
        return ["Degraded: the directory of local services could not be used, so nothing nearby is offered tonight."]
    if told.get("state") == "made_up_not_used":
        return ["The directory of local services is made up, so it is not used for real people: connect your own."]
    if told.get("state") == "late":
        newest = told.get("newest_on")
        day = day_words(date.fromisoformat(newest)) if newest else None
        checked = f"was last checked on {day}" if day else "does not say when it was checked"
        return [f"Late: the directory of local services {checked}; details may be out of date."]
    return []


# How a page sets out a row: a heading, and the columns under it, as far as the view holds them.
_LAYOUT = (
    (
        "Person",
        (
            "row_key",
            "household_key",
            "is_a",
            "position",
            "urgency",
            "act_by",
            "place",
            "age_band",
            "communication_need",
            "new_since_last",
        ),
    ),
    ("Estimate", ("chance", "band", "found_by")),
    ("Needs and facts", ("marker", "needs", "facts", "raises", "lowers")),
    ("Next step", ("part", "lead_agency", "action", "offers", "known_to", "status", "last_time", "plan")),
)
KEYS = ("row_key", "household_key")


def page_of(view: AgencyView) -> dict[str, Any]:
    """Set a view out for a page: a few headed columns, each cell a list of labelled texts."""
    titles = {column.name: column.title for column in view.columns}
    present = [(head, [name for name in names if name in titles]) for head, names in _LAYOUT]
    layout = [(head, names) for head, names in present if names]
    first = "Home" if view.columns == FOR_HOMES else layout[0][0]
    return {
        "recipient": recipient_words(view),
        "as_of": day_words(view.as_of),
        "heads": [first, *(head for head, _ in layout[1:])],
        "rows": [[_cell(row, names, titles) for _, names in layout] for row in view.frame.iter_rows(named=True)],
        "notes": list(view.notes),
    }


def _cell(row: Mapping[str, Any], names: Sequence[str], titles: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"label": titles[name], "name": name, "texts": _texts(name, row[name])} for name in names]


def _texts(name: str, cell: str | Sequence[str]) -> list[str]:
    texts = [cell] if isinstance(cell, str) else list(cell)
    return [shown_key(texts[0])] if name in KEYS else texts


def outcome_words(facts: NightFacts) -> str:
    """The outcome whose risk ranks people, as the end of “about 31 in 100 …”."""
    return words_of_outcome(facts.ranking_outcome)


def _sentence(message: str) -> str:
    plain = message.replace("`", "").replace("_", " ").strip().rstrip(".")
    return f"{plain[:1].upper()}{plain[1:]}."


def _people(attrition: pl.DataFrame) -> int:
    return int(attrition["n"].sum())


def _left_out(attrition: pl.DataFrame) -> list[dict[str, str]]:
    left = step_counts(attrition).filter(pl.col("step").is_in(LEFT_OUT))
    return [{"step": step_words(step), "reason": reason_words(why), "n": n} for step, why, n in left.iter_rows()]


def _left_out_first(attrition: pl.DataFrame) -> list[dict[str, str]]:
    """Why most of those left out who would otherwise be offered help: what page one has room for."""
    counts = attrition.filter(pl.col("step").is_in(NOT_OFFERED)).group_by("step", "reason").agg(pl.col("n").sum())
    most = counts.sort("n", "reason", descending=[True, False]).head(LEFT_OUT_FIRST)["reason"].to_list()
    return [told for told in _left_out(attrition) if told["reason"] in {reason_words(reason) for reason in most}]


def _by_reason(gone: pl.DataFrame | None) -> list[dict[str, str]]:
    if gone is None or gone.is_empty():
        return []
    counts = gone.group_by("reason").agg(n=pl.len().cast(pl.Int64)).sort("reason")
    return [{"reason": reason_words(reason), "n": shown} for reason, shown in disclose_table(counts).iter_rows()]
