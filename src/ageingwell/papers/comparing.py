"""What is different from the papers that were signed: figures, settings, columns, hazards, tests and blanks."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ageingwell.papers.drafting import Draft, DraftPart, Said
from ageingwell.papers.tables import Table

NOTHING: Final = "not there"


@dataclass(frozen=True)
class Difference:
    """One thing that differs: of which kind, what it is, and what was and is said of it."""

    kind: str
    what: str
    then: str
    now: str


def differences(signed: Mapping[str, Any], now: Mapping[str, Any]) -> list[Difference]:
    """Every difference between the facts of two packs (`pack.json`), kind by kind.

    >>> told = {"fields": {"n": {"value": "100", "where": "manifest.json: week"}}, "settings": {"score.seed": "1"}}
    >>> moved = {"fields": {"n": {"value": "105", "where": "manifest.json: week"}}, "settings": {"score.seed": "1"}}
    >>> differences(told, moved)
    [Difference(kind='figure', what='n', then='100', now='105')]
    """
    return [
        Difference(kind, what, then, found)
        for kind, read in _KINDS.items()
        for what, then, found in _changed(read(signed), read(now))
    ]


def not_as_signed(signed: Mapping[str, Any], night: Mapping[str, Any]) -> list[str]:
    """In what a night (its manifest) is not what was signed: settings, model or version of the software.

    >>> not_as_signed({"config": "a", "bundle": "b", "version": "1"}, {"config": "a", "bundle": {"digest": "c"}})
    ['the model']
    """
    now = {
        "the settings": (signed.get("config"), night.get("config")),
        "the model": (signed.get("bundle"), night.get("bundle", {}).get("digest")),
        "the version of the software": (signed.get("version"), night.get("versions", {}).get("ageingwell", _any)),
    }
    return [what for what, (then, found) in now.items() if found is not _any and then != found]


_any: Final = object()


def differences_draft(found: list[Difference], *, against: str, signed_by: tuple[str, ...]) -> Draft:
    """The differences as a paper."""
    kinds = dict.fromkeys(one.kind for one in found)
    parts = [
        DraftPart(
            _HEADINGS[kind],
            level=2,
            tables=(
                Table(
                    "Then and now",
                    ("What", "When it was signed", "Now"),
                    tuple((one.what, one.then, one.now) for one in found if one.kind == kind),
                    f"pack.json of both packs: {_SECTIONS[kind]}",
                ),
            ),
        )
        for kind in kinds
    ]
    intro = Said(f"Compared with {against}, signed by {'; '.join(signed_by) or 'nobody'}.", ("signatures.json",))
    empty = () if parts else (Said("Nothing is different."),)
    title = "What changed since the papers were signed"
    return Draft("differences", title, "none", intro=(intro, *empty), parts=tuple(parts))


def _changed(then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for name in [*then, *(name for name in now if name not in then)]:
        old, new = then.get(name, NOTHING), now.get(name, NOTHING)
        if old != new:
            yield name, old, new


def _figures(told: Mapping[str, Any]) -> dict[str, str]:
    return {name: one["value"] for name, one in told.get("fields", {}).items()}


def _rows(told: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for caption, rows in told.get("tables", {}).items():
        for row in rows:
            # The first cell names a row; where it does so of several, the second tells them apart.
            name = f"{caption}: {row[0]}"
            name = name if name not in found else f"{name}, {row[1]}"
            found[name] = "; ".join(row[1:])
    return found


def _run(told: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(told[name]) for name in ("config", "bundle", "version", "made_up") if name in told}


def _settings(told: Mapping[str, Any]) -> dict[str, str]:
    return dict(told.get("settings", {}))


def _columns(told: Mapping[str, Any]) -> dict[str, str]:
    return dict(told.get("columns", {}))


def _hazards(told: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, one in told.get("hazards", {}).items():
        found |= {f"{name}: {key}": str(one[key]) for key in ("hazard", "cause", "effect", "stays")}
        found[f"{name}: controls"] = "; ".join(control["says"] for control in one["control"])
    return found


def _tests(told: Mapping[str, Any]) -> dict[str, str]:
    return dict(told.get("tests", {}))


def _blanks(told: Mapping[str, Any]) -> dict[str, str]:
    return {f"{one['paper']}, {one['heading']}: {one['what']}": one["role"] for one in told.get("blanks", [])}


_KINDS: Final[Mapping[str, Callable[[Mapping[str, Any]], dict[str, str]]]] = {
    "run": _run,
    "figure": _figures,
    "row": _rows,
    "setting": _settings,
    "column": _columns,
    "hazard": _hazards,
    "test": _tests,
    "blank": _blanks,
}
_SECTIONS: Final = {
    "run": "config, bundle, version",
    "figure": "fields",
    "row": "tables",
    "setting": "settings",
    "column": "columns",
    "hazard": "hazards",
    "test": "tests",
    "blank": "blanks",
}
_HEADINGS: Final = {
    "run": "What ran",
    "figure": "Figures",
    "row": "Rows of tables",
    "setting": "Settings",
    "column": "Columns that come, and their use",
    "hazard": "Hazards and controls",
    "test": "Results of tests",
    "blank": "What is left for people",
}
