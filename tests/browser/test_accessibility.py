"""axe-core, the checker that most accessibility audits start from, finds nothing on any kind of page."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from helpers.impacts import drawn

from ageingwell.register import LEAD_AGENCIES

DESKTOP, ZOOMED = 1280, 320  # 1280 pixels at 400% zoom are 320
# The width moves boxes and the colours change contrast, each without the other: two pairs hold all four.
LOOKS = [(DESKTOP, "light"), (ZOOMED, "dark")]
# Every kind of page: those of a night, and of those inside one of a person with all facts, one of a person as the
# practices see them, and one of a door.
PLACES = [
    *((name, "") for name in ("report.html", "annex.html", "commissioning.html", "commissioning-brief.html")),
    *((f"agencies/{agency}.html", "") for agency in LEAD_AGENCIES),
    ("report.html", "#person-1"),
    ("agencies/gp.html", "#person-1"),
    ("agencies/housing.html", "#door-1"),
]
INSIDE = [(name, anchor) for name, anchor in PLACES if anchor]
FOLDED = [("annex.html", ""), ("report.html", ""), ("agencies/gp.html", ""), *INSIDE[:2]]

# Of rows that are built alike in the same place two are looked at, one of each ground, and of the pages inside three:
# the rest say other words. They stay where they are, for a row's ground is that of its place.
TWO_OF_EACH = """() => {
    const where = (one) => one ? where(one.parentElement) + one.tagName + "." + one.className + " " : "";
    const seen = new Map();
    const others = [...document.querySelectorAll(".card")].slice(3);
    for (const one of document.querySelectorAll("tr, li")) {
        const words = one.outerHTML.replace(/>[^<]+(?=<)/g, ">x").replace(/ (id|href|data-[a-z]+)="[^"]+"/g, "");
        const built = where(one.parentElement) + words;
        seen.set(built, (seen.get(built) ?? 0) + 1);
        if (seen.get(built) > 2) others.push(one);
    }
    others.forEach((one) => { one.replaceChildren(); one.style.display = "none"; });
}"""
NAMED_TWICE_OR_LOST = """(() => {
    const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
    const asked = [...document.querySelectorAll("[aria-labelledby], [for], [href^='#']")].flatMap((one) =>
        ["aria-labelledby", "for", "href"].flatMap((name) => (one.getAttribute(name) ?? "").split(" ")));
    const lost = asked.map((id) => id.replace(/^#/, "")).filter((id) => id && !ids.includes(id));
    return [...ids.filter((id, at) => ids.indexOf(id) < at), ...lost];
})()"""
# WCAG 2.2, 2.5.8: 24 pixels, or as tall as the line of text that a link stands in.
SMALL = """[...document.querySelectorAll("a, button, select")].filter((one) => {
    const height = one.getBoundingClientRect().height;
    const stands_in_text = one.tagName === "A" && ["LI", "P"].includes(one.parentNode.tagName);
    return height && height < 24 && !stands_in_text && !one.classList.contains("skip");
}).map((one) => one.outerHTML)"""


# Anything that reaches over the right edge of the screen, in a box that scrolls or not.
OVER_THE_EDGE = """[...document.querySelectorAll("main *, header *")].filter((one) => {
    const box = one.getBoundingClientRect();
    const is_read = box.width > 1 && box.height > 1 && getComputedStyle(one).visibility !== "hidden";
    return is_read && box.right > innerWidth + 1;
}).map((one) => one.outerHTML.slice(0, 120))"""
# Their tables of figures scroll in boxes of their own.
SCROLL = ("annex.html", "commissioning.html")


def faults_on(page, *, width: int) -> list[str]:
    faults = [f"too small to hit: {one}" for one in page.evaluate(SMALL)]
    faults += [f"named twice, or asked for and not there: {one}" for one in page.evaluate(NAMED_TWICE_OR_LOST)]
    if page.evaluate("document.documentElement.scrollWidth") > width:
        faults.append("wider than the screen, though only a table in a box of its own may be")
    page.evaluate(TWO_OF_EACH)
    found = Axe().run(page).response["violations"]
    return faults + [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]


def test_every_kind_of_page_is_looked_at(night):
    there = {path.relative_to(night).as_posix() for path in night.rglob("*.html")}
    # A practice's own pages are drawn as those of all practices.
    assert {name for name, _ in PLACES} == {name for name in there if not name.startswith("agencies/gp/")}
    for name, anchor in INSIDE:
        assert f'id="{anchor[1:]}"' in (night / name).read_text(encoding="utf-8")
    assert {name for name in there if "<details" in (night / name).read_text(encoding="utf-8")} >= {
        name for name, _ in FOLDED
    }


@pytest.mark.parametrize(("width", "colours"), LOOKS)
def test_no_kind_of_page_has_a_fault_that_axe_finds_and_each_has_a_title_of_its_own(night, open_page, width, colours):
    """And nothing is off a phone's screen."""
    found, titles = {}, []
    for name, anchor in PLACES:
        page = open_page(night / name, anchor, width=width, colours=colours, for_axe=True).page
        faults = page.evaluate(OVER_THE_EDGE) if width == ZOOMED and name not in SCROLL else []
        found[f"{name}{anchor}"] = [*(f"off the screen: {one}" for one in faults), *faults_on(page, width=width)]
        titles.append(page.title())

    assert {name: faults for name, faults in found.items() if faults} == {}
    assert len(set(titles)) == len(titles)


@pytest.mark.sweep(of=4)
@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize(("name", "anchor"), FOLDED)
def test_what_is_folded_has_no_fault_when_it_is_open(night, open_page, name, anchor, colours):
    page = open_page(night / name, anchor, colours=colours, for_axe=True).page
    n = page.evaluate("[...document.querySelectorAll('details')].map((one) => { one.open = true; }).length")

    assert n > 0
    assert faults_on(page, width=DESKTOP) == []


@pytest.mark.parametrize(("width", "colours"), LOOKS)
def test_the_pages_of_an_impact_have_no_fault_either(impact_pages, open_page, width, colours):
    found = {}
    for path in impact_pages:
        page = open_page(path, width=width, colours=colours, for_axe=True).page
        found[path.name] = faults_on(page, width=width)

    assert {name: faults for name, faults in found.items() if faults} == {}


@pytest.fixture(scope="module")
def impact_pages(browser, tmp_path_factory) -> list[Path]:
    return drawn(tmp_path_factory.mktemp("impact"))


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
    for name, _ in INSIDE:
        bare = re.sub(r"<script>.*?</script>", "", (night / name).read_text(encoding="utf-8"), flags=re.DOTALL)
        page = tmp_path / Path(name).name
        page.write_text(bare, encoding="utf-8")
        found[name] = faults_on(open_page(page, for_axe=True).page, width=DESKTOP)

    assert {name: faults for name, faults in found.items() if faults} == {}
