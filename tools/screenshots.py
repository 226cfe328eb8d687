"""Take the pictures of the documentation from a night of made-up people.

python -m tools.screenshots            makes the demonstration's night in a folder of its own, and takes them
python -m tools.screenshots NIGHT      takes them of the night in the folder NIGHT

Needs Chromium, Playwright (of the tests), and `pdftoppm` (Debian: poppler-utils) for the picture of a printed page.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ageingwell.config.load import load_config
from ageingwell.jobs.asking import demo
from tools import browser

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "images"
LARGEST_BYTES = 400_000
WIDTH, HEIGHT = 1280, 1000
# A person the pictures can show: with a figure, facts of both kinds, a need and somebody in touch, the first such one.
TELLING = ".card:has(.bars):has(.needs)"


def page_one(page: Any, night: Path, to: Path) -> None:
    """The group's report as it opens."""
    page.goto((night / "report.html").as_uri())
    page.screenshot(path=to)


def person(page: Any, night: Path, to: Path) -> None:
    """One person's page on a screen."""
    _open_person(page, night)
    page.locator(".card.open").screenshot(path=to)


def annex(page: Any, night: Path, to: Path) -> None:
    """The technical annex as it opens: whether the list is safe to use."""
    page.goto((night / "annex.html").as_uri())
    page.screenshot(path=to)


def agency(page: Any, night: Path, to: Path) -> None:
    """What the fire service sees: its own list, without any chance."""
    page.goto((night / "agencies" / "fire.html").as_uri())
    page.screenshot(path=to)


def commissioning(page: Any, night: Path, to: Path) -> None:
    """The page for commissioners as it opens."""
    page.goto((night / "commissioning.html").as_uri())
    page.screenshot(path=to)


def printed(page: Any, night: Path, to: Path) -> None:
    """The same person's page as it comes out of a printer."""
    _open_person(page, night)
    with tempfile.TemporaryDirectory() as folder:
        sheet = Path(folder) / "sheet.pdf"
        page.pdf(path=sheet, prefer_css_page_size=True)
        command = ["pdftoppm", "-png", "-r", "100", "-singlefile", str(sheet), str(to.with_suffix(""))]
        subprocess.run(command, check=True)  # noqa: S603 - our own words, and a folder of our own


def _open_person(page: Any, night: Path) -> None:
    page.goto((night / "report.html").as_uri())
    anchor = page.locator(TELLING).first.get_attribute("id")
    page.goto((night / "report.html").as_uri() + f"#{anchor}")


PICTURES: dict[str, Callable[[Any, Path, Path], None]] = {
    "page-one": page_one,
    "person-page": person,
    "printed-page": printed,
    "annex": annex,
    "fire-page": agency,
    "commissioning": commissioning,
}


def take(night: Path) -> list[Path]:
    """Take every picture of a night; gives the files, each under 400 KB."""
    program = browser.program()
    if program is None:
        raise SystemExit(f"no browser: none of {', '.join(browser.NAMES)} is on the path")
    FOLDER.mkdir(exist_ok=True)
    taken = []
    with browser.started(program) as started:
        for name, picture in PICTURES.items():
            page = started.new_context(viewport={"width": WIDTH, "height": HEIGHT}, offline=True).new_page()
            picture(page, night.resolve(), FOLDER / f"{name}.png")
            taken.append(FOLDER / f"{name}.png")
    large = [path.name for path in taken if path.stat().st_size > LARGEST_BYTES]
    if large:
        raise SystemExit(f"over {LARGEST_BYTES:,} bytes: {', '.join(large)}")
    return taken


def main(arguments: list[str]) -> None:
    """Take them of the night given, or of the demonstration's."""
    if arguments:
        taken = take(Path(arguments[0]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            taken = take(demo(Path(folder), config=load_config()).folder)
    for path in taken:
        sys.stdout.write(f"{path.relative_to(FOLDER.parents[1])}: {path.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main(sys.argv[1:])
