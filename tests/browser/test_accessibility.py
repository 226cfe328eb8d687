"""axe-core, the checker that most accessibility audits start from, finds nothing on any kind of page."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

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
    assert {path.name for path, _ in found} == {"report.html", "annex.html", "commissioning.html", *agencies}
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


@pytest.mark.parametrize("width", [DESKTOP, ZOOMED])
def test_no_kind_of_page_has_a_fault_that_axe_finds_and_each_has_a_title_of_its_own(night, open_page, width):
    found, titles = {}, []
    for path, anchor in places(night):
        page = open_page(path, anchor, width=width, for_axe=True).page
        found[f"{path.name}{anchor}"] = faults_on(page, width=width)
        titles.append(page.title())

    assert {name: faults for name, faults in found.items() if faults} == {}
    assert len(set(titles)) == len(titles)


def test_no_page_has_a_fault_where_its_script_does_not_run(night, open_page, tmp_path):
    # axe is a script itself: so the page's own is taken out, as where scripts are off.
    found = {}
    for path in {path for path, anchor in places(night) if anchor}:
        bare = re.sub(r"<script>.*?</script>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        (tmp_path / path.name).write_text(bare, encoding="utf-8")
        found[path.name] = faults_on(open_page(tmp_path / path.name, for_axe=True).page, width=DESKTOP)

    assert {name: faults for name, faults in found.items() if faults} == {}
