"""A browser of the machine's own, and the pages of one made-up night; every request a page makes is noted."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from helpers.counties import NIGHT

from tools.browser import NAMES, program, started

REQUIRED = "AGEINGWELL_BROWSER_TESTS"  # set to `required`, as .ci/run does, a missing browser is a failure


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """The machine's Chromium, started once."""
    path = program()
    if path is None:
        told = f"no browser: none of {', '.join(NAMES)} is on the path"
        if os.environ.get(REQUIRED) == "required":
            pytest.fail(told)
        pytest.skip(told)
    with started(path) as running:
        yield running


@pytest.fixture(scope="session")
def night(browser: Any, first_night: Path) -> Path:
    """The folder of a published night of the smallest county."""
    return first_night / "out" / str(NIGHT)


@dataclass
class Opened:
    """A page that is open, what it asked for, and what the browser complained of."""

    page: Any
    asked_for: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def tab(browser: Any) -> Callable[..., Opened]:
    """A tab cut off from every network, the same one for the same options: a new one costs more than a page."""
    kept: dict[tuple[tuple[str, Any], ...], Opened] = {}

    def of(**options: Any) -> Opened:
        key = tuple(sorted(options.items()))
        if key not in kept:
            context = browser.new_context(offline=True, **options)
            context.set_default_timeout(10_000)
            one = kept[key] = Opened(context.new_page())
            one.page.on("request", lambda request: one.asked_for.append(request.url))
            one.page.on("console", lambda message: one.complaints.append(message.text))
            one.page.on("pageerror", lambda fault: one.complaints.append(str(fault)))
        return kept[key]

    return of


@pytest.fixture
def open_page(tab: Callable[..., Opened]) -> Callable[..., Opened]:
    """Open a file as a reader would; `width` 320 is 400% zoom of a common screen."""

    def opened(
        path: Path,
        anchor: str = "",
        *,
        width: int = 1280,
        colours: str = "light",
        for_axe: bool = False,
        scripts: bool = True,
    ) -> Opened:
        # axe puts a script of its own into the page, which the page's content policy forbids.
        one = tab(bypass_csp=for_axe, java_script_enabled=scripts)
        # From one place on a page to another a browser would not load it again.
        one.page.goto("about:blank")
        one.page.set_viewport_size({"width": width, "height": 900})
        one.page.emulate_media(color_scheme=colours)
        one.asked_for.clear()
        one.complaints.clear()
        one.page.goto(path.resolve().as_uri() + anchor)
        return one

    return opened
