"""axe-core, the checker that most accessibility audits start from, finds nothing on any kind of page."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from helpers.impacts import drawn

from ageingwell.register import LEAD_AGENCIES

DESKTOP, ZOOMED = 1280, 320  # 1280 pixels at 400% zoom are 320


def places(night: Path) -> list[tuple[Path, str]]:
    """Every page of a night, and the first of the pages inside; of the agencies, one of each kind is enough."""
    found = []
    # A practice's own pages are drawn as those of all practices.
    for path in sorted(path for path in night.rglob("*.html") if path.parent.name != "gp"):
        inside = re.findall(r'<article class="card[^"]*" id="([^"]+)"', path.read_text(encoding="utf-8"))
        first = inside[:1] if path.parent.name != "agencies" or path.stem in ("gp", "fire") else []
        found += [(path, anchor) for anchor in ("", *(f"#{one}" for one in first))]
    agencies = {f"{agency}.html" for agency in LEAD_AGENCIES}
    group = {"report.html", "annex.html", "commissioning.html", "commissioning-brief.html"}
    assert {path.name for path, _ in found} == group | agencies
    return found


def faults_on(page, *, width: int) -> list[str]:
    found = Axe().run(page).response["violations"]
    faults = [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]
    if page.evaluate("document.documentElement.scrollWidth") > width:
        faults.append("wider than the screen, though only a table in a box of its own may be")
    return faults + [f"too small to hit: {one}" for one in page.evaluate(SMALL)]


# WCAG 2.2, 2.5.8: 24 pixels, or as tall as the line of text that a link stands in.
SMALL = """[...document.querySelectorAll("a, button, select")].filter((one) => {
    const height = one.getBoundingClientRect().height;
    const stands_in_text = one.tagName === "A" && ["LI", "P"].includes(one.parentNode.tagName);
    return height && height < 24 && !stands_in_text && !one.classList.contains("skip");
}).map((one) => one.outerHTML)"""


# The width moves boxes and the colours change contrast, each without the other: two pairs hold all four.
@pytest.mark.parametrize(("width", "colours"), [(DESKTOP, "light"), (ZOOMED, "dark")])
def test_no_kind_of_page_has_a_fault_that_axe_finds_and_each_has_a_title_of_its_own(night, open_page, width, colours):
    found, titles = {}, []
    for path, anchor in places(night):
        page = open_page(path, anchor, width=width, for_axe=True, color_scheme=colours).page
        found[f"{path.name}{anchor}"] = faults_on(page, width=width)
        titles.append(page.title())

    assert {name: faults for name, faults in found.items() if faults} == {}
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_what_is_folded_has_no_fault_when_it_is_open(night, open_page, colours):
    found = {}
    for path, anchor in places(night):
        page = open_page(path, anchor, for_axe=True, color_scheme=colours).page
        n = page.evaluate("[...document.querySelectorAll('details')].map((one) => { one.open = true; }).length")
        if n:
            found[f"{path.name}{anchor}"] = faults_on(page, width=DESKTOP)

    assert {"annex.html", "report.html#person-1"} <= set(found)
    assert {name: faults for name, faults in found.items() if faults} == {}


@pytest.mark.parametrize(
    ("width", "colours"), [(DESKTOP, "light"), (ZOOMED, "light"), (DESKTOP, "dark"), (ZOOMED, "dark")]
)
def test_the_pages_of_an_impact_have_no_fault_either(impact_pages, open_page, width, colours):
    found = {}
    for path in impact_pages:
        page = open_page(path, width=width, for_axe=True, color_scheme=colours).page
        found[path.name] = faults_on(page, width=width)

    assert {name: faults for name, faults in found.items() if faults} == {}


@pytest.fixture(scope="module")
def impact_pages(browser, tmp_path_factory) -> list[Path]:
    return drawn(tmp_path_factory.mktemp("impact"))


# Anything that reaches over the right edge of the screen, in a box that scrolls or not.
OVER_THE_EDGE = """[...document.querySelectorAll("main *, header *")].filter((one) => {
    const box = one.getBoundingClientRect();
    const is_read = box.width > 1 && box.height > 1 && getComputedStyle(one).visibility !== "hidden";
    return is_read && box.right > innerWidth + 1;
}).map((one) => one.outerHTML.slice(0, 120))"""


def test_nothing_of_a_list_or_a_page_inside_it_is_off_a_phone_s_screen(night, open_page):
    found = {}
    for path, anchor in places(night):
        if path.name in ("annex.html", "commissioning.html"):
            continue  # their tables of figures scroll in boxes of their own
        page = open_page(path, anchor, width=ZOOMED).page
        found[f"{path.name}{anchor}"] = page.evaluate(OVER_THE_EDGE)

    assert {name: faults for name, faults in found.items() if faults} == {}


def test_the_head_of_a_list_stays_in_sight(night, open_page):
    page = open_page(night / "report.html").page
    page.evaluate("document.querySelectorAll('tr[data-card]')[15].scrollIntoView({block: 'center'})")

    box = page.locator(".people thead th").first.bounding_box()
    assert 0 <= box["y"] < 5


def test_the_links_on_a_page_come_after_its_heading(night, open_page):
    page = open_page(night / "report.html").page
    page.locator("tr[data-card] th a").nth(1).focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#person-2.open")
    assert page.evaluate("document.activeElement.id") == "person-2-name"
    said = []
    for _ in range(3):
        page.keyboard.press("Tab")
        said.append(page.evaluate("document.activeElement.textContent"))

    assert said == ["Back to the list", "Previous", "Next"]


def test_no_page_has_a_fault_where_its_script_does_not_run(night, open_page, tmp_path):
    # axe is a script itself: so the page's own is taken out, as where scripts are off.
    found = {}
    for path in {path for path, anchor in places(night) if anchor}:
        bare = re.sub(r"<script>.*?</script>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        (tmp_path / path.name).write_text(bare, encoding="utf-8")
        found[path.name] = faults_on(open_page(tmp_path / path.name, for_axe=True).page, width=DESKTOP)

    assert {name: faults for name, faults in found.items() if faults} == {}
