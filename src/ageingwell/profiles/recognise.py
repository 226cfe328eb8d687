"""Which file of a folder is which file of which source profile: told by its header, never by its name alone."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

from ageingwell.errors import SourceError
from ageingwell.profiles.profile import Profile, folded_label
from ageingwell.profiles.written import ExtractDay, SourceFile
from ageingwell.reading.headings import folded_heading
from ageingwell.reading.heads import Head, heads
from ageingwell.reading.options import ReaderOptions
from ageingwell.reading.showable import shown_headings

# Headers stand below at most this many title lines.
TITLE_LINES = 25
# So many lines are looked at for values that tell two layouts apart.
LINES = 200
# For the names that profiles write, each of which is compared with every line of every file.
_folded_name = cache(folded_heading)
_Spelt = Mapping[str, str]


@dataclass(frozen=True)
class Recognised:
    """A file that is one of a profile's, and how to read it.

    `headings` gives, for each column the profile uses and the file has, the heading as sent; `dropped` are the headings
    nothing is made of. `extracted_on` is the day of the extract, where the file tells it; `name` is what messages
    call the file.
    """

    path: Path
    profile: Profile
    kind: str
    options: ReaderOptions
    headings: Mapping[str, str]
    dropped: tuple[str, ...] = ()
    extracted_on: date | None = None
    name: str = ""

    @property
    def file(self) -> SourceFile:
        """What the profile says of such a file."""
        return self.profile.files[self.kind]

    @property
    def missing(self) -> tuple[str, ...]:
        """The columns the profile would use and the file does not have, as the layout calls them."""
        here = self.headings
        return tuple(name for name in self.file.optional if folded_heading(name) not in here)


@dataclass(frozen=True)
class _Match:
    rank: tuple[float, int, int]
    found: Recognised


def recognise(
    path: Path, profiles: Iterable[Profile], *, name: str | None = None, is_told: bool = False
) -> Recognised | None:
    """Say which profile's file this is; None where no profile knows it.

    The profile whose columns the header has most of counts; between equals the values in the first lines decide, then
    the file's name. Some files do not say what they mean (a bare list of NHS numbers): they are known by a telling name
    alone, unless `is_told`: the settings say which source it is. Raises `SourceError` where two profiles are equally
    near: a guess would read one source as another.
    """
    seen, profiles = _heads(path), tuple(profiles)
    matches = [
        match
        for head in seen
        for titles in [[_spelt(cells) for cells in head.rows[:TITLE_LINES]]]
        for profile in profiles
        for kind in profile.files
        if (match := _match(path, head, titles, profile, kind, is_told=is_told)) is not None
    ]
    if not matches:
        return None
    best = max(match.rank for match in matches)
    nearest = {(match.found.profile.name, match.found.kind): match.found for match in matches if match.rank == best}
    if len(nearest) > 1:
        names = ", ".join(sorted({name for name, _ in nearest}))
        raise SourceError(
            f"{path.name}: the file may belong to more than one source: {names}",
            f'say which it is in agencies.toml, for example [sources.{min(nearest)[0]}] files = ["{path.name}"]',
        )
    return replace(next(iter(nearest.values())), name=name or path.name)


def recognised_as(path: Path, profile: Profile, *, name: str | None = None) -> Recognised:
    """Recognise a file that the settings give to one profile. Raises `SourceError` naming what it lacks."""
    found = recognise(path, [profile], name=name, is_told=True)
    if found is not None:
        return found
    wanted = {column for file in profile.files.values() for column in file.columns}
    here = {folded_heading(cell) for head in _heads(path) for row in head.rows for cell in row}
    lacking = sorted(column for column in wanted if folded_heading(column) not in here)
    told = f" (not found: {', '.join(f'`{column}`' for column in lacking)})" if lacking else ""
    raise SourceError(
        f"{path.name}: this is not a file of the source {profile.name}{told}",
        f"look at its header, or take it out of [sources.{profile.name}] in agencies.toml; {profile.ask_for}",
    )


def _heads(path: Path) -> list[Head]:
    """The first lines of each table of a file; FHIR resources are told by their kinds, each a document of its own."""
    return [
        replace(head, rows=[["resourceType", "document"], *([kind, ""] for kind in head.resource_types)])
        if head.resource_types
        else head
        for head in heads(path, n_lines=LINES)
    ]


def _spelt(cells: Sequence[str]) -> _Spelt:
    """The cells of a line as they are spelt, each by how it is folded."""
    return {folded_heading(cell): cell.strip() for cell in reversed(cells) if cell.strip()}


def _match(
    path: Path, head: Head, titles: Sequence[_Spelt], profile: Profile, kind: str, *, is_told: bool
) -> _Match | None:
    file = profile.files[kind]
    by_name = int(any(fnmatch(path.name.lower(), pattern.lower()) for pattern in file.names))
    if file.name_must_match and not (by_name or is_told):
        return None
    found = _by_lines(head, file) if not file.reader.has_header else _by_header(head, titles, file)
    if found is None:
        return None
    row, headings, alike = found
    # A file whose text is neither UTF-8 nor marked is read only in an encoding that the profile declares.
    options = ReaderOptions(
        encoding=file.reader.encoding,
        separator=file.reader.separator or head.separator,
        skip_lines=row,
        sheet=head.sheet,
        has_header=file.reader.has_header,
        names=file.reader.names,
    )
    used = set(headings.values())
    named = head.rows[row] if file.reader.has_header else []
    recognised = Recognised(
        path=path,
        profile=profile,
        kind=kind,
        options=options,
        headings=headings,
        dropped=_dropped(named, used),
        extracted_on=_extracted_on(path, head, row, file.extracted_on),
    )
    return _Match((alike, int(bool(file.holds)), by_name), recognised)


def _dropped(named: Sequence[str], used: Collection[str]) -> tuple[str, ...]:
    shown = shown_headings([cell.strip() for cell in named])
    return tuple(
        dict.fromkeys(
            name for cell, name in zip(named, shown, strict=True) if cell.strip() and cell.strip() not in used
        )
    )


def _by_lines(head: Head, file: SourceFile) -> tuple[int, dict[str, str], float] | None:
    lines = [(head.separator or "").join(row).strip() for row in head.rows]
    told = [line for line in lines if line]
    if not told or not all(re.fullmatch(file.line or "", line) for line in told):
        return None
    names = file.reader.names
    return 0, {folded_heading(name): name for name in names}, 1.0


def _by_header(head: Head, titles: Sequence[_Spelt], file: SourceFile) -> tuple[int, dict[str, str], float] | None:
    for row, (cells, sent) in enumerate(zip(head.rows[:TITLE_LINES], titles, strict=True)):
        headings = _headings(cells, sent, file)
        if headings is not None and _holds(head.rows[row + 1 :], cells, headings, file):
            known = {_folded_name(name) for name in (*file.columns, *file.optional)}
            union = len(sent.keys() | known)
            return row, headings, len(headings) / union if union else 0.0
    return None


def _headings(cells: Sequence[str], by_folded: _Spelt, file: SourceFile) -> dict[str, str] | None:
    """Our name for each column the profile uses and the row names; None where the row is no such header."""
    found: dict[str, str] = {}
    wanted = (*file.columns, *file.optional)
    # The layout's own spelling comes first: a heading that one column owns is not another's other spelling.
    own = {key for name in wanted if (key := _folded_name(name)) in by_folded}
    for name in wanted:
        key = _folded_name(name)
        others = [other for each in file.also.get(name, ()) if (other := _folded_name(each)) not in own]
        spelt = next(
            (each for each in (key, *others) if each in by_folded and by_folded[each] not in found.values()), None
        )
        if spelt is not None:
            found[key] = by_folded[spelt]
        elif name in file.columns:
            return None
    for pattern in file.patterns:
        met = {key: cell for key, cell in by_folded.items() if re.fullmatch(pattern, key)}
        if not met:
            return None
        found |= met
    if file.no_other_columns and set(by_folded.values()) != set(found.values()):
        return None
    order = [cell.strip() for cell in cells]
    return dict(sorted(found.items(), key=lambda item: order.index(item[1])))


def _holds(rows: Sequence[Sequence[str]], cells: Sequence[str], headings: Mapping[str, str], file: SourceFile) -> bool:
    for column, values in file.holds.items():
        heading = headings.get(folded_heading(column))
        at = next((number for number, cell in enumerate(cells) if cell.strip() == heading), None)
        wanted = {folded_label(value) for value in values}
        if at is None or not any(len(row) > at and folded_label(row[at]) in wanted for row in rows):
            return False
    return True


def _extracted_on(path: Path, head: Head, row: int, rule: ExtractDay | None) -> date | None:
    if rule is None:
        return None
    texts = [path.name] if rule.file_name else [" ".join(cells) for cells in head.rows[:row]]
    pattern = rule.file_name or rule.title_line or ""
    found = next((match[1] for text in texts if (match := re.search(pattern, text))), None)
    return None if found is None else _day(found, rule.formats)


def _day(text: str, formats: Sequence[str]) -> date | None:
    for written in formats:
        try:
            return datetime.strptime(text.strip(), written).date()
        except ValueError:
            continue
    return None
