"""The papers of one run: each template filled from its fields, each sentence with where it comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ageingwell.governance.hazards import Hazard, result_of, worst_of
from ageingwell.governance.tripod import BY_A_PERSON, PERSON
from ageingwell.papers.fields import CODE, RESULTS, Field, fields_of
from ageingwell.papers.run import Run
from ageingwell.papers.tables import Table, table_named
from ageingwell.papers.wording import FIELD, Blank, Part, Template, templates
from ageingwell.views.words import capital

HAZARD_LOG: Final = "hazard-log"
CARD: Final = "model-card"
_BY_OFFICER: Final = "clinical safety officer"


@dataclass(frozen=True)
class Said:
    """A paragraph, and the files and fields that what stands in it comes from."""

    text: str
    where: tuple[str, ...] = ()


@dataclass(frozen=True)
class DraftPart:
    """A part of a draft: what is filled from evidence, and what is left for a person."""

    heading: str
    level: int = 3
    says: tuple[Said, ...] = ()
    tables: tuple[Table, ...] = ()
    blanks: tuple[Blank, ...] = ()


@dataclass(frozen=True)
class Draft:
    """A paper as it is drawn: `name` is that of its files. The model card is text of its own (`written`)."""

    name: str
    title: str
    standard: str
    intro: tuple[Said, ...] = ()
    parts: tuple[DraftPart, ...] = ()
    written: str | None = None

    @property
    def blanks(self) -> tuple[tuple[str, Blank], ...]:
        """Everything that a person has to write, with the heading it stands under."""
        return tuple((part.heading, blank) for part in self.parts for blank in part.blanks)


def drafts_of(run: Run) -> list[Draft]:
    """Every paper of a run, in the order of the pack: the model card first, the hazard log before the safety case."""
    fields = fields_of(run)
    drawn = [_draft(name, template, fields, run) for name, template in templates().items()]
    place = next(place for place, draft in enumerate(drawn) if draft.name == "safety-case")
    return [_card(run), *drawn[:place], _hazard_log(run, fields), *drawn[place:]]


def filled(text: str, fields: Mapping[str, Field]) -> Said | Blank:
    """A sentence with its fields, or what a person has to write because the run does not tell one of them.

    >>> filled("{n} people.", {"n": Field("105", "manifest.json: week.n_people")})
    Said(text='105 people.', where=('manifest.json: week.n_people',))
    """
    names = list(dict.fromkeys(FIELD.findall(text)))
    if unknown := [name for name in names if name not in fields]:
        what = FIELD.sub("____", text)
        return Blank(role="data manager", what=what, why=f"This run does not tell {', '.join(unknown)}")
    where = dict.fromkeys(fields[name].where for name in names)
    return Said(FIELD.sub(lambda found: fields[found[1]].value, text), tuple(where))


def _draft(name: str, template: Template, fields: Mapping[str, Field], run: Run) -> Draft:
    said = [filled(text, fields) for text in template.intro]
    return Draft(
        name=name,
        title=template.title,
        standard=template.standard,
        intro=tuple(one for one in said if isinstance(one, Said)),
        parts=tuple(_part(part, fields, run) for part in template.part),
    )


def _part(part: Part, fields: Mapping[str, Field], run: Run) -> DraftPart:
    found = [filled(text, fields) for text in part.says]
    untold = [one for one in found if isinstance(one, Blank)]
    return DraftPart(
        heading=part.heading,
        level=part.level,
        says=tuple(one for one in found if isinstance(one, Said)),
        tables=tuple(table_named(name, run) for name in part.tables),
        blanks=(*untold, *(_asked(blank, fields) for blank in part.blank)),
    )


def _asked(blank: Blank, fields: Mapping[str, Field]) -> Blank:
    texts = {name: FIELD.sub(lambda found: fields[found[1]].value, getattr(blank, name)) for name in ("what", "why")}
    return Blank(role=blank.role, **texts)


def _card(run: Run) -> Draft:
    """The model card as the night kept it. What people wrote in it stays; what they did not is asked at its end."""
    empty = [line for line in run.card.splitlines() if line.startswith("- ") and line.rstrip().endswith(ANSWER)]
    asked = tuple(
        Blank(role="senior responsible owner", what=what, why=f"TRIPOD+AI item {', '.join(items)}" if items else _OWN)
        for what, items in BY_A_PERSON.items()
        if any(line.startswith(f"- {what}") for line in empty)
    )
    text = "\n".join(line for line in run.card.splitlines() if line not in empty)
    written = text.replace(f"## {PERSON}\n", f"## {PERSON}\n\n{_IN_THE_CARD}\n")
    parts = (DraftPart("Left for a person", level=2, blanks=asked),) if asked else ()
    return Draft(CARD, "Model card", "TRIPOD+AI (BMJ 2024;385:e078378)", parts=parts, written=written)


ANSWER: Final = "____"
_IN_THE_CARD: Final = "What people have written comes next. What is left for them is at the end of this paper."
_OWN: Final = "Someone has to answer for the model here"


def _hazard_log(run: Run, fields: Mapping[str, Field]) -> Draft:
    said = filled(
        "A draft for the clinical safety officer: {n_hazards} hazards, {n_controls} controls. Tests: {tests_told}. A "
        "test of which there is no record never counts as passed.",
        fields,
    )
    return Draft(
        name=HAZARD_LOG,
        title="Hazard log",
        standard="DCB0129 and DCB0160, clinical risk management of health IT systems (NHS England)",
        intro=(said,) if isinstance(said, Said) else (),
        parts=tuple(_hazard(one, run) for one in run.hazards),
    )


def _hazard(one: Hazard, run: Run) -> DraftPart:
    says = (
        Said(f"Cause: {one.cause}"),
        Said(f"Effect: {one.effect}"),
        Said(f"What stays with the group: {one.stays}", (f"{CODE}: {one.id}",)),
    )
    rows = [(control.says, test, result_of(test, run.results)) for control in one.control for test in control.tests]
    held = [worst_of(result_of(test, run.results) for test in control.tests) for control in one.control]
    where = f"{CODE}: {one.id}; {RESULTS}"
    table = Table("What the software does, and the tests that prove it", _HEADS, tuple(rows), where)
    return DraftPart(f"{capital(one.about)}: {one.hazard}", says=says, tables=(table,), blanks=_risks(held))


_HEADS: Final = ("Control", "Test", "Last result")


_LOCAL: Final = "Only people who know the place can say"


def _risks(held: Sequence[str]) -> tuple[Blank, ...]:
    risks = (
        Blank(
            role=_BY_OFFICER,
            what="Risk before the controls: severity, likelihood, rating",
            why=_LOCAL,
        ),
        Blank(
            role=_BY_OFFICER,
            what="Risk that is left: the same, and who accepted it",
            why=_LOCAL,
        ),
    )
    if all(end == "passed" for end in held):
        return risks
    why = "A control whose tests are not shown to have passed does not lower the risk"
    return (*risks, Blank(role=_BY_OFFICER, what="What is done until the control is shown to hold", why=why))
