"""What a `profile.toml` may say, as pydantic classes: a key nobody knows, or a file nobody reads, is a mistake."""

import re
from typing import Literal

from pydantic import Field, field_validator, model_validator

from ageingwell.config.files import Settings
from ageingwell.register import TableName


class ExtractDay(Settings):
    """Where the day of an extract stands, if it stands anywhere: in the file's name or in a line above its header."""

    file_name: str | None = Field(default=None, description="regular expression with one group: the day in the name")
    title_line: str | None = Field(default=None, description="the same, in a line above the header")
    formats: tuple[str, ...] = Field(default=("%Y-%m-%d",), description="how the day is written, as in strptime")

    @field_validator("file_name", "title_line")
    @classmethod
    def _has_one_group(cls, value: str | None) -> str | None:
        if value is not None and re.compile(value).groups != 1:
            raise ValueError("write a regular expression with one group")
        return value


class FileReader(Settings):
    """How a file is read, where it does not tell by itself."""

    encoding: tuple[str, ...] = Field(default=(), description="encodings to try where the text is not UTF-8")
    separator: str | None = Field(default=None, description="what separates the fields of a line")
    has_header: bool = Field(default=True, description="false: the first line is a row")
    names: tuple[str, ...] = Field(default=(), description="names of the columns of a file without a header")


class SourceFile(Settings):
    """One kind of file of an extract, and how it is told from others."""

    title: str = Field(description="what the file is, in words")
    feeds: str | None = Field(
        default=None, description="the table that is mostly made of it, where the extract makes several"
    )
    names: tuple[str, ...] = Field(default=(), description="patterns of usual file names; they decide between equals")
    name_must_match: bool = Field(
        default=False,
        description="true: only a file named so, or given to the source in agencies.toml: its lines do not say what "
        "they mean",
    )
    columns: tuple[str, ...] = Field(default=(), description="headings that every such file has")
    optional: tuple[str, ...] = Field(default=(), description="headings that are used where they are there")
    no_other_columns: bool = Field(default=False, description="true: only a file without any other heading")
    patterns: tuple[str, ...] = Field(
        default=(),
        description="regular expressions over folded headings, such as one column per month; one must be met",
    )
    also: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="other spellings of a heading: the heading above = the others"
    )
    holds: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="for a column, values, at least one of which is in the first lines"
    )
    line: str | None = Field(
        default=None, description="regular expression that each of the first lines of a file without a header meets"
    )
    required: bool = Field(default=True, description="false: the extract can be read without this file")
    used: bool = Field(default=True, description="false: the file belongs to the extract and nothing of it is needed")
    reader: FileReader = Field(default_factory=FileReader, description="how the file is read")
    extracted_on: ExtractDay | None = Field(default=None, description="where the day of the extract is written")

    @model_validator(mode="after")
    def _can_be_told(self) -> "SourceFile":
        if self.reader.has_header and not (self.columns or self.patterns):
            raise ValueError("name the headings that every such file has")
        if not self.reader.has_header and (self.line is None or not self.reader.names):
            raise ValueError("a file without a header needs `line`, which its lines meet, and `reader.names`")
        if self.name_must_match and not self.names:
            raise ValueError("write in `names` how such a file may be named")
        return self


class WrittenProfile(Settings):
    """A source profile: one kind of extract, its files, and what is known of the layout."""

    title: str = Field(description="what the extract is, in words")
    agency: str = Field(description="who sends it")
    release: str | None = Field(default=None, description="the release of the layout")
    documented: tuple[str, ...] = Field(description="where the layout is documented")
    certainty: Literal["official", "code", "typical"] = Field(
        description="how sure the layout is: an official specification, public code that reads it, or usual practice"
    )
    ask_for: str = Field(description="what to ask the supplier for, in one sentence")
    date_formats: tuple[str, ...] = Field(default=(), description="how days are written, besides year-month-day")
    empty: tuple[str, ...] = Field(default=(), description="words that mean empty in this extract")
    ids: Literal["nhs_number", "own", "either"] = Field(
        default="nhs_number",
        description="own: people and homes carry ids of the extract's own; either: the SQL says in the column `_ids` "
        "which of the two it found",
    )
    not_held: dict[TableName, tuple[str, ...]] = Field(
        default_factory=dict, description="for a table, columns of ours that such an extract never has"
    )
    files: dict[str, SourceFile] = Field(description="the kinds of file, by the name the SQL calls them")
