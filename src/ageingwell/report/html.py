"""Pages: one self-contained file each, which loads nothing, sends nothing and prints on A4."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from importlib import resources
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ageingwell.report.cells import day_words
from ageingwell.report.choices import DECISION
from ageingwell.report.doors import by_door
from ageingwell.report.glance import Told
from ageingwell.report.listing import listing_of
from ageingwell.report.markdown import blocks_of
from ageingwell.report.person import Person
from ageingwell.report.room import setting_of
from ageingwell.report.safe_to_use import Safe
from ageingwell.report.section import Section
from ageingwell.report.summary import page_of
from ageingwell.report.words import MARKING
from ageingwell.views.columns import AgencyView
from ageingwell.views.words import capital

# Control characters are no text in HTML; marks that turn the direction of writing could make a page say another thing.
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")

STYLE: Final = "style.css"
SCRIPT: Final = "script.js"


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
    environment.globals.update(marking=MARKING, style=_ours(STYLE), script=_ours(SCRIPT))
    environment.globals["policy"] = _policy()
    environment.filters.update(dictvalues=_values, capital=capital)
    return environment


def _ours(name: str) -> Markup:
    """Our own style or script as it stands in a page; no value of the night is ever put into it."""
    text = resources.files("ageingwell.report").joinpath("templates", name).read_text(encoding="utf-8")
    return Markup(text)  # noqa: S704 - a file of ours


def _policy() -> dict[bool, Markup]:
    """The content policy of a page with our script and of one without any.

    A browser runs and applies only what has one of these hashes (CSP level 2, hash-source): no inline handler, no style
    attribute, no second script. With `default-src 'none'` nothing is fetched and nothing can be sent.
    """
    style, script = (_digest(_ours(name)) for name in (STYLE, SCRIPT))
    fixed = "img-src data:; connect-src 'none'; base-uri 'none'; form-action 'none'"
    return {
        has_script: Markup("default-src 'none'; style-src {}; script-src {}; " + fixed).format(  # noqa: S704
            style, script if has_script else Markup("'none'")
        )
        for has_script in (False, True)
    }


def _digest(text: str) -> Markup:
    return Markup("'sha256-{}'").format(b64encode(hashlib.sha256(text.encode()).digest()).decode())


def _values(row: Mapping[str, Any]) -> list[Any]:
    return list(row.values())


def _plain(value: Any) -> Any:
    # Exact type: what is already markup is a subclass of str and has to stay one.
    return _CONTROLS.sub(" ", value) if type(value) is str else value


def report_html(summary: Mapping[str, Any]) -> bytes:
    """Draw the group's report from `summarise`: page one with the list, then a page for each person."""
    return _page("report.html", title=f"Outreach list, {summary['as_of']}", has_script=True, **summary)


def annex_html(summary: Mapping[str, Any], *, sections: Sequence[Section] = (), safe: Safe | None = None) -> bytes:
    """Draw the technical annex of the same night: what `safe_to_use` says, then, folded, the sections of
    `annex_sections` and the night's own tables."""
    title = f"Technical annex, {summary['as_of']}"
    return _page("annex.html", title=title, sections=sections, safe=safe, **summary)


def commissioning_html(
    told: Mapping[str, Any], *, as_of: str, notices: Sequence[str] = (), use_until: date | None = None
) -> bytes:
    """Draw the page for commissioners from `commissioning`: counts alone, no key and no name."""
    title = f"Needs and local services, {as_of}"
    return _page(
        "commissioning.html", title=title, as_of=as_of, notices=list(notices), use_until=_last(use_until), **told
    )


def impact_html(told: Mapping[str, Any]) -> bytes:
    """Draw the page for the chair from `impact_page`: the answer first, counts alone."""
    return _page("impact.html", title="Did it help?", use_until=None, **told)


def impact_annex_html(told: Mapping[str, Any]) -> bytes:
    """Draw the annex of the same impact, for a statistician."""
    return _page("impact_annex.html", title="Did it help? Technical annex", use_until=None, **told)


def brief_html(markdown: str) -> bytes:
    """Draw the brief for co-design from its Markdown: plain headings and lists, as a word processor opens them."""
    return _page("brief.html", title=markdown.partition("\n")[0].lstrip("# "), blocks=blocks_of(markdown))


def held_html(told: Mapping[str, Any], *, as_of: str, notices: Sequence[str] = ()) -> bytes:
    """Draw the page for a person who asked what is held of them: `short` sentences and `sections` in plain words."""
    return _page(
        "held.html", title="What we hold about you", as_of=as_of, notices=list(notices), use_until=None, **told
    )


def paper_html(title: str, blocks: Sequence[Mapping[str, Any]], *, as_of: str) -> bytes:
    """Draw a paper of the sign-off from the blocks of its Markdown: plain HTML, which Word and LibreOffice open."""
    text = _environment().get_template("paper.html").render(title=title, blocks=list(blocks), as_of=as_of)
    return (text + "\n").encode()


def agency_html(
    view: AgencyView,
    *,
    notices: Sequence[str] = (),
    homes: AgencyView | None = None,
    people: Sequence[Person] = (),
    outcome: str = "",
    told: Sequence[Told] = (),
) -> bytes:
    """Draw one recipient's own pages: its list, a page for each door, the homes that nobody is linked to.

    All of it is taken from the cells of its own view, so nothing of anybody else's can be on it. Who may read the risk
    has a page for each person instead: `people` as `people_told` gives them for this view, `outcome` in words. `told`
    stands on top: the lines of `agency_glance`.
    """
    page = page_of(view)
    return _page(
        "agency.html",
        title=f"Outreach list for {page['recipient']}, {page['as_of']}",
        has_script=True,
        page=page,
        list=page,
        as_of=page["as_of"],
        use_until=_last(view.use_until),
        made_up=bool(notices) and notices[0].startswith("MADE-UP"),
        decisions=list(DECISION.choices),
        people=list(people),
        outcome=outcome,
        told=list(told),
        settings=[setting_of(person) for person in people],
        listing=listing_of(people) if people else None,
        **by_door(view),
        homes=page_of(homes) if homes is not None and homes.frame.height else None,
        notices=list(notices),
    )


def _last(day: date | None) -> str | None:
    """The last day of use as a page says it."""
    return None if day is None else day_words(day)


def _page(template: str, *, has_script: bool = False, **values: Any) -> bytes:
    return _environment().get_template(template).render(has_script=has_script, **values).encode()
