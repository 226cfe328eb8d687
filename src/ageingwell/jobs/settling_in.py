"""Write a site's own settings: commented copies of the shipped ones, and a section for each source that was found."""

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

from ageingwell.config.files import shipped
from ageingwell.disk import DISK
from ageingwell.errors import PublishError
from ageingwell.room import staged_folder, sweep

# The files a site changes; the code lists, the places and the directory stay with the package until it has its own.
SETTINGS = (
    "score.toml",
    "agencies.toml",
    "permissions.toml",
    "outreach.toml",
    "interventions.toml",
    "services.toml",
    "costs.toml",
    "may_lower.toml",
    "train.toml",
)


def init(
    folder: str | Path, *, added: Mapping[str, str] | None = None, beside: Mapping[str, str] | None = None
) -> tuple[Path, ...]:
    """Write commented settings into a folder, ready to be changed; give the files written.

    `added` is text to put at the end of a settings file, by its name; `beside` are further files, by their path in the
    folder. Files that are there already are never written over: raises `PublishError` naming them, and writes nothing.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     [path.name for path in init(Path(place) / "ours")][:2]
    ['score.toml', 'agencies.toml']
    """
    folder = Path(folder)
    paths = [folder / name for name in SETTINGS]
    sweep(folder)
    if there := [path.name for path in paths if path.exists() or path.is_symlink()]:
        raise PublishError(
            f"{folder} holds {', '.join(there)} already", "name a new folder; settings are never written over"
        )
    texts = {name: (shipped("configs") / name).read_text(encoding="utf-8") for name in SETTINGS}
    texts |= {name: texts[name] + more for name, more in (added or {}).items()} | dict(beside or {})
    # Nothing of what lies there is ours: it all stays.
    with staged_folder(folder, ours=lambda _: False) as staging:
        for name, text in texts.items():
            DISK.make_folders((staging / name).parent)
            DISK.write(staging / name, text.encode())
    return tuple(paths)


def source_sections(files: Mapping[str, Iterable[str]], *, extracted_on: Mapping[str, date | None]) -> str:
    """The sections of `agencies.toml` that name each source's files, and the day of its extract where one is needed.

    >>> print(source_sections({"irs": ["IRS.csv"]}, extracted_on={"irs": None}))
    <BLANKLINE>
    # The agencies' own files, and the source profile that reads each (`ageingwell connect` found them).
    [sources.irs]
    files = ["IRS.csv"]
    <BLANKLINE>
    """
    if not files:
        return ""
    lines = ["", "# The agencies' own files, and the source profile that reads each (`ageingwell connect` found them)."]
    for name, those in sorted(files.items()):
        lines += [f"[sources.{name}]", f"files = [{', '.join(_quoted(file) for file in those)}]"]
        day = extracted_on.get(name)
        lines += [f"extracted_on = {day}  # the day the extract was taken: correct it"] if day is not None else []
        lines.append("")
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
