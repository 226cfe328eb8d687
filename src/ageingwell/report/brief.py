"""The brief for co-design: one page for each priority service, in Markdown and in HTML that a word processor opens."""

from collections.abc import Iterator, Sequence

from ageingwell.commissioning.brief import Priority, need_name
from ageingwell.report.words import MARKING

_TO_WRITE = "**To write together:** "


# Notices that may change a decision; they stand above everything, as on the pages.
LOUD = ("MADE-UP", "Degraded", "Late", "Rules only")


def brief_markdown(found: Sequence[Priority], *, as_of: str, rounded: str, notices: Sequence[str] = ()) -> str:
    """The whole brief in Markdown: how to use it, then one section for each service, each with blanks to fill in."""
    loud = [line for notice in notices if notice.startswith(LOUD) for line in (f"**{notice}**", "")]
    lines = [
        f"# Brief for co-design, {as_of}",
        "",
        *loud,
        f"{MARKING}. Nobody is named here. {rounded}",
        "",
        "This is a draft to change with the people it is for. Each section is one service to buy, grow or start. "
        "The counts come from the records. The lines to write together are yours.",
        "",
    ]
    if not found:
        lines += ["There is no service to put first: no need was counted, or too few people have one.", ""]
    for number, one in enumerate(found, start=1):
        lines += [f"## {number}. {need_name(one.need)}", ""]
        for heading, said in _parts(one):
            lines += [f"### {heading}", "", *said, ""]
    return "\n".join(lines).rstrip() + "\n"


def _parts(one: Priority) -> Iterator[tuple[str, list[str]]]:
    yield "Need", [f"- {one.people} people have this need. {one.lead} leads on it.", *_where(one)]
    yield "Who it could reach", [*_gaps(one), f"- {_TO_WRITE}who is missed by records, and how to reach them."]
    exists = [f"- {service}" for service in one.exists]
    yield "What exists", [*(exists or ["- The directory has no service for this need."])]
    yield "What people said", _said(one)
    yield (
        "Cost",
        [
            f"- One visit: {one.visit.words}.",
            f"- The whole offer for each person: {one.offer.words}.",
            "- These leave out what their source leaves out. The page for commissioners says what that is.",
            f"- {_TO_WRITE}the budget, and who pays.",
        ],
    )
    evidence, source = one.evidence
    yield "What is known", [f"- {evidence}. Source: {source}." if evidence else "- Nothing is recorded yet."]
    yield (
        "How success will be measured",
        [
            "- What mattered to the person was met, as they say at the review of their plan.",
            "- People wait fewer weeks, and fewer live where no service is near. The next quarter's page says so.",
            "- Emergency stays, falls and new long-term care, compared with people who were not visited yet.",
            "- The same share of each group takes it up.",
            f"- {_TO_WRITE}how much is enough, by when, and who looks.",
        ],
    )


def _where(one: Priority) -> list[str]:
    named = [
        f"{place} ({people})" for place, people in one.where if people.replace(",", "").isdigit() and people != "0"
    ]
    return [f"- Where most of them live: {', '.join(named[:5])}."] if named else []


def _gaps(one: Priority) -> list[str]:
    return [
        f"- No service is near: {', '.join(one.none_near) or 'nowhere'}.",
        f"- All services are full: {', '.join(one.all_full) or 'nowhere'}.",
    ]


def _said(one: Priority) -> list[str]:
    """Choices that were recorded, with how many; never anybody's own words."""
    lines = [f"- {words}: {n}" for words, n in (*one.said, *one.matters)]
    lines = lines or ["- Nothing was recorded yet of what people with this need said."]
    return [*lines, f"- {_TO_WRITE}what people say when you ask them about this service."]
