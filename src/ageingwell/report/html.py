"""Pages: one self-contained file each, which loads nothing, runs nothing and prints on A4."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from ageingwell.report.summary import page_of
from ageingwell.report.words import MARKING
from ageingwell.views.columns import AgencyView

# Control characters are no text in HTML; marks that turn the direction of writing could make a page say another thing.
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("ageingwell.report", "templates"),
        autoescape=True,  # always: not only for names that end in .html
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_plain,
    )
    environment.globals["marking"] = MARKING
    environment.filters["dictvalues"] = _values
    return environment


def _values(row: Mapping[str, Any]) -> list[Any]:
    return list(row.values())


def _plain(value: Any) -> Any:
    # Exact type: what is already markup is a subclass of str and has to stay one.
    return _CONTROLS.sub(" ", value) if type(value) is str else value


def report_html(summary: Mapping[str, Any]) -> bytes:
    """Draw the group's report from `summarise`: the list, who was considered, what changed, how new the records are."""
    return _page("report.html", title=f"Outreach list, {summary['as_of']}", **summary)


def annex_html(summary: Mapping[str, Any]) -> bytes:
    """Draw the technical annex of the same night."""
    return _page("annex.html", title=f"Technical annex, {summary['as_of']}", **summary)


def agency_html(view: AgencyView, *, notices: Sequence[str] = (), homes: AgencyView | None = None) -> bytes:
    """Draw one recipient's own page: its doors, the homes that nobody is linked to, and nothing of anybody else's."""
    page = page_of(view)
    return _page(
        "agency.html",
        title=f"Outreach list for {page['recipient']}, {page['as_of']}",
        page=page,
        homes=page_of(homes) if homes is not None and homes.frame.height else None,
        notices=list(notices),
    )


def _page(template: str, **values: Any) -> bytes:
    return _environment().get_template(template).render(**values).encode()
