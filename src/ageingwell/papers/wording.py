"""The templates of the papers: headings, sentences with fields, tables, and what is left for a person."""

import re
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

from pydantic import Field, ValidationError, model_validator

from ageingwell.config.files import Settings, mistakes, read_toml
from ageingwell.errors import ConfigError

FIELD: Final = re.compile(r"\{([a-z0-9_]+)\}")


class Blank(Settings):
    """What a person has to write: their role, what to write, and why it is asked."""

    role: str = Field(min_length=3, description="who writes it, as a role")
    what: str = Field(min_length=3, description="what to write")
    why: str = Field(min_length=3, description="why it is asked")


class Part(Settings):
    """A part of a paper: sentences filled from the run, tables, and blanks."""

    heading: str = Field(min_length=1, description="the heading, as the standard has it")
    level: int = Field(default=3, ge=2, le=4, description="the level of the heading")
    says: tuple[str, ...] = Field(default=(), description="paragraphs; {name} is a field of the run")
    tables: tuple[str, ...] = Field(default=(), description="tables, by name")
    blank: tuple[Blank, ...] = Field(default=(), description="what is left for a person")


class Template(Settings):
    """A paper: its title, its place in the pack, the standard that it follows, and its parts."""

    title: str = Field(min_length=3, description="the title")
    order: int = Field(ge=1, le=99, description="its place in the pack")
    standard: str = Field(min_length=3, description="the standard that it follows, with its version")
    intro: tuple[str, ...] = Field(description="paragraphs at the top")
    part: tuple[Part, ...] = Field(min_length=1, description="the parts, in the order of the standard")

    @model_validator(mode="after")
    def _no_figure_by_hand(self) -> "Template":
        for text in self.texts:
            _stop_on_figures(text)
        return self

    @property
    def texts(self) -> Iterator[str]:
        """Every text but headings and the name of the standard: where no figure may stand."""
        yield from self.intro
        for part in self.part:
            yield from part.says
            for blank in part.blank:
                yield from (blank.role, blank.what, blank.why)


@cache
def templates() -> dict[str, Template]:
    """Every template by the name of its file, in the order of the pack.

    >>> list(templates())
    ['transparency-record', 'dpia-annex', 'safety-case', 'equality-report', 'evaluation-plan']
    """
    folder = Path(str(resources.files("ageingwell.papers").joinpath("templates")))
    found = {path.stem: _read(path) for path in sorted(folder.glob("*.toml"))}
    return dict(sorted(found.items(), key=lambda item: item[1].order))


def _read(path: Path) -> Template:
    try:
        return Template.model_validate(read_toml(path))
    except ValidationError as fault:
        raise ConfigError("; ".join(mistakes(Template, path, fault)), f"correct {path.name}") from None


def _stop_on_figures(text: str) -> None:
    """A digit that stands in a text, and is no part of a field's name, was typed by hand."""
    if re.search(r"\d", FIELD.sub("", text)):
        raise ValueError(f"a figure is typed by hand, take it from a field: {text[:60]}")
