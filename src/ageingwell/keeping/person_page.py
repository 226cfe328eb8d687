"""What is held of a person, in plain words for that person: the parts of the page, and plain data for machines."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any, Final

from ageingwell.decisions.choices import DECISIONS, OUTCOMES, PERSON_SAID, REASONS
from ageingwell.decisions.entry import Entry
from ageingwell.decisions.plan_choices import AGREED, HELPED, MATTERS, OWN, WHO
from ageingwell.disk import DISK, Disk
from ageingwell.keeping.person import Draw, Listed, PersonHeld
from ageingwell.keeping.records_of import RecordsHeld
from ageingwell.report.html import held_html
from ageingwell.report.words import PURPOSE_WORDS, reason_words
from ageingwell.room import write_file
from ageingwell.views.words import NEED_WORDS, agency_words, capital, label_words

Part = dict[str, Any]

NOT_LISTED: Final = (
    "On the other nights you were not on the list. It leaves out people when no need was found, or when others needed "
    "a visit sooner. It also leaves out anyone who was visited recently, is in hospital or in a care home, or whose "
    "record they or the law keep out of it. You can ask the group to look at it with you."
)
WITHHELD: Final = (
    "The law lets some things be kept back, for example if telling them could harm someone. This page does not say "
    "whether there are any."
)
# UK GDPR articles 16, 17, 21 and 22C; Data Protection Act 2018, section 164A (in force from 19 June 2026).
RIGHTS: Final = (
    ("Object", "You can say that you do not want your record used for this. You do not have to give a reason here.",
     "Once it is recorded you are taken off the current list the same night, and left out of all later ones."),
    ("Have something put right", "You can say that something in your record is wrong.",
     "The agency that wrote it corrects it. The next list uses the new record."),
    ("Ask a person to look again", "You can say why you should, or should not, be on a list.",
     "The group looks at it and tells you what it decided. A computer never decides about you."),
    ("Be forgotten", "You can ask for everything to be deleted that is kept about you here.",
     "It is deleted here, and agencies are told. A mark that names nobody stays, so that you are not listed again."),
    ("Complain", "You can complain to the organisation that gave you this page.",
     "It has to tell you within 30 days that it has your complaint, and later what it found."),
)  # fmt: skip
COMMISSIONER: Final = (
    "If you are not happy with the answer, you can complain to the Information Commissioner's Office (ico.org.uk)."
)
_COMMANDS: Final = {
    "explain": "your chance was worked out again, fact by fact",
    "person": "a page like this one was made",
    "forget": "your record was deleted",
}
_DIRECTIONS: Final = {"raises": "goes with a higher chance", "lowers": "goes with a lower chance"}


def page_of(held: PersonHeld) -> bytes:
    """The page as one file that loads nothing and sends nothing."""
    notices = ["MADE-UP DATA: this person does not exist"] if held.made_up else []
    told = {"short": _short(held), "sections": _sections(held)}
    return held_html(told, as_of=_day(held.as_of), notices=notices)


def write_page(held: PersonHeld, page: Path, *, disk: Disk = DISK) -> None:
    """Write the page whole, to a file that its owner alone can read."""
    write_file(page, page_of(held), disk=disk)


def plain_of(held: PersonHeld) -> dict[str, Any]:
    """The same for machines: everything that the page tells, and nothing more."""
    return {
        "person_id": held.person_id,
        "as_of": str(held.as_of),
        "records": None if held.records is None else asdict(held.records),
        "purpose": held.purpose,
        "bases": [asdict(one) for one in held.bases],
        "nights": [str(day) for day in held.named],
        "listed": [asdict(one) | {"needs": dict(one.needs)} for one in held.listed],
        "decided": [_decided(entry) for entry in held.entries],
        "draws": [vars(draw) for draw in held.draws],
        "plans": [_plan(entry) for entry in held.entries if entry.plan is not None],
        "looked_at": [asdict(one) for one in held.looked],
        "n_old_lists": held.n_followed,
        "n_notes_not_told": held.n_notes,
        "contact": held.contact,
    }


def _short(held: PersonHeld) -> list[str]:
    n = len(held.listed)
    on_list = "no list" if n == 0 else "1 list" if n == 1 else f"{n} lists"
    lines = [f"You were on {on_list} of the nights that are kept ({_days(held.named) or 'none names you'})."]
    if held.records is not None:
        lines.append(f"The agencies' records have {sum(table.n for table in held.records.tables):,} rows about you.")
    decided = [entry for entry in held.entries if entry.decision is not None]
    lines.append(f"The group wrote down {len(decided)} decision{'' if len(decided) == 1 else 's'} about you.")
    return lines


def _sections(held: PersonHeld) -> list[Part]:
    parts = [_of_records(held.records), _of_bases(held), *(_of_list(one) for one in held.listed)]
    parts += [_of_nights(held), _of_readers(held), _of_decisions(held)]
    return [*parts, _of_rights(held.contact)]


def _of_rights(contact: str | None) -> Part:
    """How to object, and what happens then: what a person can ask for, with whom, and what follows."""
    whom = f"To do any of this, tell {contact or 'the people who gave you this page'}."
    says = [f"{whom} You can also tell your GP practice.", WITHHELD, COMMISSIONER]
    heads = ["You can", "How", "What happens then"]
    return _part("Your rights, and how to object", says, _table("What you can ask for", heads, RIGHTS))


def _of_records(records: RecordsHeld | None) -> Part:
    if records is None:
        return _part("What the agencies sent", ["The agencies' records were not looked at for this page."])
    rows = [
        [table.table, table.sent_by, table.about, f"{table.n:,}", _day(table.since), _day(table.newest)]
        for table in records.tables
    ]
    says = ["Agencies send records under a code, without your name. These are the tables that have rows about you."]
    says += ["Nothing about you is in the records that were sent."] if not rows else []
    says += [f"You asked for this, and it holds: {'; '.join(map(_asked, records.asked))}."] if records.asked else []
    says += [f"Could not be read today: {', '.join(map(label_words, records.unread))}."] if records.unread else []
    heads = ["What", "Sent by", "About", "Rows", "Since", "Newest"]
    return _part("What the agencies sent", says, _table("Tables with rows about you", heads, rows))


def _asked(kind: str) -> str:
    return f"you {reason_words(kind).replace('their', 'your')}"


def _of_bases(held: PersonHeld) -> Part:
    rows = [
        [", ".join(map(label_words, base.sources)), base.legal_basis, ", ".join(map(agency_words, base.recipients))]
        for base in held.bases
    ]
    says = [f"Your record is used for one purpose: {PURPOSE_WORDS.get(held.purpose, held.purpose)}."]
    return _part(
        "Why your record may be used",
        says,
        _table("What allows it, and who may be given what is made of it", ["Records", "Legal basis", "For"], rows),
    )


def _of_list(one: Listed) -> Part:
    says = []
    if one.position is not None:
        urgency = {"urgent": "within days", "soon": "within weeks", "routine": "when there is room"}
        says.append(
            f"You were number {one.position} on the list; a visit was suggested {urgency.get(one.urgency or '', '')}, "
            f"led by {agency_words(one.lead_agency or 'group')}."
        )
    if one.in_100 is not None:
        says.append(
            f"An estimate: of 100 people with a record like yours, about {one.in_100} lose some of their independence, "
            "or die, within a year. It helps to decide who to offer help first. People decide, not the estimate."
        )
    if one.action:
        says.append(f"The next step that was suggested: {one.action}.")
    needs = [[_need(name), "; ".join(facts) or "added by the group"] for name, facts in one.needs]
    facts = [[text, _DIRECTIONS.get(direction, direction)] for direction, text in one.facts]
    return _part(
        f"Why you were on the list of {_day(one.night)}",
        says,
        _table("Needs that were found", ["Need", "Because of"], needs),
        _table("What in your record weighed most", ["What", "How"], facts),
    )


def _of_nights(held: PersonHeld) -> Part:
    says = [f"These nights name you: {_days(held.named)}."] if held.named else ["No night that is kept names you."]
    if len(held.listed) < len(held.named) or not held.named:
        says.append(NOT_LISTED)
    if held.n_followed:
        says.append(
            f"Your code, and whether you were listed, is kept of {held.n_followed} older "
            f"{'night' if held.n_followed == 1 else 'nights'}, to see later whether lists help."
        )
    return _part("Nights that are kept", says)


def _of_readers(held: PersonHeld) -> Part:
    rows = [[_day(one.night), ", ".join(map(agency_words, one.seen_by))] for one in held.listed if one.seen_by]
    says = ["Each agency is sent only what it may read."]
    if any(one.seen_by is None for one in held.listed):
        says.append("For some nights we cannot say whose lists had you: the lists have gone, or no key was given.")
    looked = [
        [one.on, _COMMANDS.get(one.command, label_words(one.command)), one.role or "not stated", one.reason or ""]
        for one in held.looked
    ]
    return _part(
        "Who saw it",
        says,
        _table("Lists that had you", ["Night", "Sent to"], rows),
        _table("When your own record was looked at", ["Day", "What was done", "By", "Reason"], looked),
    )


def _of_decisions(held: PersonHeld) -> Part:
    rows = [list(_decided(entry).values()) for entry in held.entries]
    plans = [list(_plan(entry).values()) for entry in held.entries if entry.plan is not None]
    says = [] if held.entries else ["Nothing was decided or planned."]
    says += [_drawn(draw) for draw in held.draws]
    if held.n_notes:
        says.append(
            f"{held.n_notes} {'note' if held.n_notes == 1 else 'notes'} in someone's own words may be about others "
            "too. Ask for them: a person reads them first."
        )
    heads = ["List of", "Whose list", "Decision", "Why", "Led by", "What happened", "On", "What you said"]
    plan_heads = ["List of", "What matters to you", "Steps", "Did you agree?", "Review on", "Did it help?"]
    return _part(
        "What was decided and planned",
        says,
        _table("What the group wrote down", heads, rows),
        _table("Plans", plan_heads, plans),
    )


def _drawn(draw: Draw) -> str:
    """What a draw at random gave the person, in a sentence."""
    whose = f" of {agency_words(draw.agency)}" if draw.agency else ""
    picked = "Your home was picked" if draw.is_won else "Your home was not picked"
    until = "" if draw.left_out_until is None else f", and was left off the list until {_day(draw.left_out_until)}"
    return f"On {_day(draw.night)} the last visits{whose} were picked at random. {picked}{until}."


def _decided(entry: Entry) -> dict[str, str]:
    # Why somebody was added may tell who was worried; what the group wants to find out is not said to anybody.
    why = "added by the group" if entry.kind == "added" else REASONS.get(entry.reason or "", "")
    return {
        "night": str(entry.night),
        "whose_list": agency_words(entry.recipient),
        "decision": DECISIONS.get(entry.decision or "", ""),
        "why": why,
        "led_by": agency_words(entry.led_by) if entry.led_by else "",
        "outcome": OUTCOMES.get(entry.outcome or "", ""),
        "contacted_on": _day(entry.contacted_on),
        "you_said": PERSON_SAID.get(entry.person_said or "", ""),
    }


def _plan(entry: Entry) -> dict[str, str]:
    plan = entry.plan
    if plan is None:
        return {}
    steps = [f"{_step(step.step)} ({WHO.get(step.who, step.who)})" for step in plan.steps]
    return {
        "night": str(entry.night),
        "matters": ", ".join(MATTERS.get(one, one) for one in (plan.matters, plan.also_matters) if one),
        "steps": "; ".join(steps),
        "agreed": AGREED.get(plan.agreed or "", ""),
        "review_on": _day(plan.review_on),
        "helped": HELPED.get(plan.helped or "", ""),
    }


def _step(step: str) -> str:
    kind, _, name = step.partition(":")
    if kind == "need":
        return _need(name)
    return "a step in someone's own words" if kind == OWN else "a local service"


def _need(name: str) -> str:
    return NEED_WORDS[name].name if name in NEED_WORDS else label_words(name)


def _part(heading: str, says: Sequence[str], *tables: Part) -> Part:
    return {"heading": heading, "says": [capital(one) for one in says], "tables": list(tables)}


def _table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Part:
    return {"caption": caption, "heads": list(heads), "rows": [list(row) for row in rows]}


def _day(day: date | None) -> str:
    return "" if day is None else f"{day.day} {day:%B %Y}"


def _days(days: Sequence[date]) -> str:
    return ", ".join(_day(day) for day in days)
