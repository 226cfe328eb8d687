"""Nights without their pages: drawing them takes half of a night's time, and many questions are not about a page."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ageingwell.kept.quarters import COMMISSIONING


@contextmanager
def without_pages() -> Iterator[None]:
    """Who is on a night, and who is off it, is decided before a page is drawn: none is, but for the quarter's."""

    def undrawn(*_: Any, of_quarter: bytes | None = None, **__: Any) -> dict[str, bytes]:
        return {} if of_quarter is None else {COMMISSIONING: of_quarter}

    with pytest.MonkeyPatch.context() as patch:
        for module in ("revising", "write"):
            patch.setattr(f"ageingwell.night.{module}.draw_pages", undrawn)
        yield
