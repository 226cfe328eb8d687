"""What the ledger means for a night: contacts, who is left in peace, which visits are agreed or held, who was added.

Nothing recorded on the night or later is used, apart from deaths and moves, which always count. Where recipients speak
of the same person, the group's own word stands before an agency's, and a newer list's before an older one's.
"""

from datetime import date

import polars as pl

from ageingwell.config.outreach import DecisionDays, OutreachSettings
from ageingwell.decisions.choices import A_NO, ADDED_FOR, CONTACT_NOW, SAID_NO, STILL_TO_DO
from ageingwell.decisions.judging import CHAIR

ADDED_NEED = "added_by_group"
AGREED, OVERDUE, PROPOSED = "agreed", "overdue", "proposed"
# Outcomes that take a person off every list, however late they were recorded.
_ENDS = ("deceased", "moved")
_CONTACTS = ("person_id", "household_id", "agency", "contacted_on", "outcome", "recorded_on")


def contacts_in(ledger: pl.DataFrame, *, as_of: date) -> pl.DataFrame:
    """The contacts that lists told of, in the shape of the `contacts` table; of each row the last one recorded.

    >>> from ageingwell.decisions.entry import ENTRIES
    >>> ledger = pl.DataFrame([{"position": 1, "recorded_on": date(2026, 11, 20), "night": date(2026, 11, 15),
    ...     "recipient": "fire", "person_id": "p1", "agency": "fire", "outcome": "no_access",
    ...     "contacted_on": date(2026, 11, 19)}], schema=ENTRIES)
    >>> contacts_in(ledger, as_of=date(2026, 11, 22)).select("person_id", "agency", "outcome").rows()
    [('p1', 'fire', 'no_access')]
    >>> contacts_in(ledger, as_of=date(2026, 11, 20)).height
    0
    """
    met = ledger.filter(pl.col("outcome").is_not_null() & pl.col("agency").is_not_null()).sort("position")
    row = ("night", "recipient", "person_id")
    known = met.filter(pl.col("recorded_on") < as_of).unique(row, keep="last", maintain_order=True)
    late = met.unique(row, keep="last", maintain_order=True).filter(pl.col("outcome").is_in(_ENDS))
    told = pl.concat([known, late]).with_columns(household_id=pl.lit(None, dtype=pl.String))
    return told.select(_CONTACTS).unique().sort(_CONTACTS)


def told_by_now(ledger: pl.DataFrame, *, as_of: date) -> pl.DataFrame:
    """Whether each person knows that somebody will be in touch, as last recorded: person_id, person_told."""
    said = ledger.filter(pl.col("told").is_not_null() & (pl.col("recorded_on") < as_of)).sort("position")
    newest = said.unique("person_id", keep="last", maintain_order=True)
    return newest.select("person_id", person_told="told").sort("person_id")


def decisions_in_force(ledger: pl.DataFrame, *, as_of: date) -> pl.DataFrame:
    """The decision that holds for each person: the entry, with the day on which that decision was first recorded."""
    taken = ledger.filter(pl.col("decision").is_not_null() & (pl.col("recorded_on") < as_of))
    same = ("night", "recipient", "person_id", "decision")
    dated = taken.with_columns(recorded_on=pl.col("recorded_on").min().over(same))
    newest = dated.sort("night", pl.col("recipient") == CHAIR, "position")
    return newest.unique("person_id", keep="last", maintain_order=True).sort("person_id")


def unsettled_noes(ledger: pl.DataFrame, *, as_of: date) -> pl.DataFrame:
    """Who is said not to want contact, and of whom the chair has said nothing since: entries, one a person.

    A recipient's later word of the same list takes the place of its earlier one.
    """
    known = ledger.filter(pl.col("recorded_on") < as_of).sort("position")
    words = known.filter(pl.col("person_said").is_not_null())
    row = ("night", "recipient", "person_id")
    noes = words.unique(row, keep="last", maintain_order=True).filter(pl.col("person_said").is_in(A_NO))
    by_chair = known.filter((pl.col("recipient") == CHAIR) & pl.col("decision").is_not_null())
    settled = by_chair.group_by("person_id").agg(settled_at=pl.col("position").max())
    said = noes.join(settled, on="person_id", how="left", maintain_order="left")
    # The chair's own row may hold both: what the person said, and what is to follow from it.
    still = said.filter(pl.col("settled_at").is_null() | (pl.col("settled_at") < pl.col("position")))
    return still.drop("settled_at").unique("person_id", keep="last", maintain_order=True).sort("person_id")


def left_in_peace_by_decision(
    decided: pl.DataFrame, *, people: pl.DataFrame, days: DecisionDays, as_of: date, noes: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Who is not called on because the group decided otherwise: person_id, re_enters_on (the first night it can be).

    A no holds for everyone at the door, as it does after a visit; every other decision for the person alone. Who
    needs to be known more about comes back on the day that was named, if one was. `noes` are those who asked not to be
    contacted (`unsettled_noes`): that holds as the decision does.
    """
    if noes is not None:
        decided = pl.concat([decided, noes.with_columns(decision=pl.lit(SAID_NO))])
    length = pl.col("decision").replace_strict(days.model_dump(), default=0, return_dtype=pl.Int64)
    by_days = pl.col("recorded_on") + pl.duration(days=length)
    named = pl.when(pl.col("decision") == "need_to_know_more").then(pl.col("by_when"))
    resting = decided.with_columns(re_enters_on=pl.coalesce(named, by_days)).filter(
        (pl.col("decision") != CONTACT_NOW) & (pl.col("re_enters_on") > as_of)
    )
    own = resting.select("person_id", "re_enters_on")
    said_no = resting.filter(pl.col("decision") == "said_no").drop_nulls("household_id")
    still_there = said_no.join(people.select("person_id", "household_id"), on=["person_id", "household_id"], how="semi")
    of_door = people.select("person_id", "household_id").join(
        still_there.select("household_id", "re_enters_on"), on="household_id"
    )
    both = pl.concat([own, of_door.select("person_id", "re_enters_on")])
    return both.group_by("person_id").agg(pl.col("re_enters_on").max()).sort("person_id")


def agreed_visits(
    decided: pl.DataFrame, *, contacts: pl.DataFrame, settings: OutreachSettings, as_of: date
) -> pl.DataFrame:
    """The visits agreed and still to be made: `decided` rows with `due_on` and `status` (`agreed`, or `overdue`).

    A visit is due on the day named, or `agreed_days` after it was agreed, and overdue after it: it does not lapse. It
    is made when any contact since the list has an outcome other than nobody in, put off, or in hospital.
    """
    due_on = pl.coalesce("by_when", pl.col("recorded_on") + pl.duration(days=settings.decisions.agreed_days))
    waiting = decided.filter(pl.col("decision") == CONTACT_NOW).with_columns(due_on=due_on.cast(pl.Date))
    waiting = waiting.with_columns(
        status=pl.when(pl.col("due_on") < as_of).then(pl.lit(OVERDUE)).otherwise(pl.lit(AGREED))
    )
    made = contacts.filter((pl.col("recorded_on") < as_of) & ~pl.col("outcome").is_in(STILL_TO_DO))
    done = [
        waiting.select(list({"person_id", "night", subject})).join(
            made.select(subject, "contacted_on").drop_nulls(), on=subject
        )
        for subject in ("person_id", "household_id")
    ]
    visited = [found.filter(pl.col("contacted_on") >= pl.col("night"))["person_id"] for found in done]
    return waiting.filter(~pl.col("person_id").is_in(pl.concat(visited).implode()))


def held_visits(agreed: pl.DataFrame, noes: pl.DataFrame) -> pl.DataFrame:
    """The agreed visits to people who are said not to want contact: held until the chair says."""
    return agreed.join(noes.select("person_id"), on="person_id", how="semi", maintain_order="left")


def previous_as_agreed(previous: pl.DataFrame | None, *, agreed: pl.DataFrame) -> pl.DataFrame | None:
    """The last list as the group left it: person_id, lead_agency, why, status.

    Who is agreed has that status (or `overdue`) and the lead chosen, be they on the last list or not; at their door no
    other lead holds. Everyone else is proposed.
    """
    if previous is None and agreed.is_empty():
        return None
    columns = ("person_id", "household_id", "lead_agency", "why")
    before = pl.DataFrame(schema=dict.fromkeys(columns, pl.String)) if previous is None else previous.select(columns)
    chosen = agreed.sort("position").select("person_id", "household_id", chosen="led_by")
    new = chosen.join(before, on="person_id", how="anti")
    added = new.select("person_id", "household_id", lead_agency="chosen", why=pl.lit("rule"))
    of_door = chosen.drop_nulls("household_id").unique("household_id", keep="last")
    everyone = (
        pl.concat([before, added])
        .join(
            agreed.select("person_id", own="led_by", standing="status"),
            on="person_id",
            how="left",
            maintain_order="left",
        )
        .join(of_door.select("household_id", door="chosen"), on="household_id", how="left", maintain_order="left")
    )
    return everyone.select(
        "person_id",
        pl.coalesce("door", "own", "lead_agency").alias("lead_agency"),
        "why",
        status=pl.col("standing").fill_null(PROPOSED),
    )


def with_days_named(rows: pl.DataFrame, agreed: pl.DataFrame) -> pl.DataFrame:
    """The list with `act_by` the day that was named for an agreed visit, or that has passed, where there is one."""
    is_named = pl.col("by_when").is_not_null() | (pl.col("status") == OVERDUE)
    named = agreed.filter(is_named).select("person_id", "due_on")
    both = rows.join(named, on="person_id", how="left", maintain_order="left")
    return both.with_columns(act_by=pl.coalesce("due_on", "act_by")).drop("due_on")


def needs_of_added(agreed: pl.DataFrame, *, people: pl.DataFrame, settings: OutreachSettings) -> pl.DataFrame:
    """A need found by the group for each person it added: the columns of the night's needs."""
    added = agreed.filter(pl.col("kind") == "added").join(
        people.select("person_id", home="household_id"), on="person_id"
    )
    words = {label: said[:1].lower() + said[1:] for label, said in ADDED_FOR.items()}
    why = pl.col("reason").replace_strict(words, default="see minutes", return_dtype=pl.String)
    return added.select(
        "person_id",
        pl.col("home").alias("household_id"),
        need=pl.lit(ADDED_NEED),
        criterion=pl.format("added by the group: {}", why),
        lead_agency="led_by",
        action=pl.lit(settings.decisions.added_action),
        urgency=pl.lit(str(settings.decisions.added_urgency)),
        points=pl.lit(None, dtype=pl.Int64),
        themes=pl.lit([], dtype=pl.List(pl.String)),
    ).sort("person_id")
