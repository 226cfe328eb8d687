"""Write the reference pages from the code they describe, so that no page can tell another story than the code.

python -m tools.reference           writes every page of docs/reference/
python -m tools.reference --check   writes nothing; ends with 1 and names the pages that are stale
"""

import sys
from collections.abc import Callable
from pathlib import Path

from tools.reference.commands import commands, exit_codes
from tools.reference.dictionary import data_dictionary
from tools.reference.features import features
from tools.reference.outputs import output_files
from tools.reference.python import python
from tools.reference.settings import settings
from tools.reference.sources import sources
from tools.supply.licences import licences_page, read_licences
from tools.supply.lock import read_lock

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "reference"
NOTICE = "<!-- Written by `make docs` from the code and from the page's introduction in intro/: change those. -->"

PAGES: dict[str, Callable[[], str]] = {
    "data-dictionary.md": data_dictionary,
    "features.md": features,
    "settings.md": settings,
    "commands.md": commands,
    "python.md": python,
    "errors.md": exit_codes,
    "output-files.md": output_files,
    "sources.md": sources,
    "licences.md": lambda: licences_page(read_lock(), read_licences()[0]),
}


def pages() -> dict[str, str]:
    """Every page by its file name: the introduction somebody wrote, then what the code says."""
    return {name: "\n\n".join([NOTICE, _introduction(name), write().strip()]) + "\n" for name, write in PAGES.items()}


def _introduction(name: str) -> str:
    return (FOLDER / "intro" / name).read_text(encoding="utf-8").strip()


def stale(folder: Path = FOLDER) -> list[str]:
    """The pages in a folder that differ from what the code says, and those that nothing writes any more."""
    current = pages()
    there = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.md"))}
    return sorted(name for name in {*current, *there} if current.get(name) != there.get(name))


def main(arguments: list[str]) -> int:
    """Write the pages, or check them."""
    if "--check" not in arguments:
        for name, text in pages().items():
            (FOLDER / name).write_text(text, encoding="utf-8")
        return 0
    found = stale()
    if found:
        sys.stderr.write(f"docs/reference: stale: {', '.join(found)}. What to do: run `make docs`, commit the pages.\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
