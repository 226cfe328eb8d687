"""The charts of the technical annex: axe-core finds nothing, the page's policy lets all of them through."""

import pytest

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core comes with axe-playwright-python")
pytest.importorskip("matplotlib", reason="charts need the extra `annex`")


def test_an_annex_with_charts_has_no_fault_that_axe_finds_and_fits_its_screen(charted_night, open_page):
    wide = open_page(charted_night / "annex.html", width=1280, for_axe=True).page
    assert wide.evaluate("document.documentElement.scrollWidth") <= 1280

    page = open_page(charted_night / "annex.html", width=320, for_axe=True).page

    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    found = axe.Axe().run(page).response["violations"]
    assert [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]] == []


def test_charts_are_drawn_under_the_page_s_own_policy_and_ask_for_nothing(charted_night, open_page):
    opened = open_page(charted_night / "annex.html")

    # A colour given as an attribute has come through; one in a style would have been stopped, and complained of.
    fills = opened.page.evaluate(
        "[...document.querySelectorAll('figure.chart svg use')].map((one) => getComputedStyle(one).fill)"
    )
    assert len(set(fills)) > 5
    assert opened.complaints == []
    assert opened.asked_for == [(charted_night / "annex.html").resolve().as_uri()]
