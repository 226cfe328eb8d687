"""The documentation as it is built: no page is lost, the meeting guide prints on two sheets, nothing is fetched."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
A4_WITH_MARGINS = {"format": "A4", "margin": dict.fromkeys(("top", "bottom", "left", "right"), "15mm")}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as strictly as it is published: a page outside the navigation or a lost link is a failure."""
    pytest.importorskip("mkdocs", reason="the tools of the documentation are not installed")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


def sheets(page) -> int:
    return len(re.findall(rb"/Type /Page\b", page.pdf(**A4_WITH_MARGINS)))


@pytest.mark.slow
def test_the_meeting_guide_prints_on_two_sheets(site, open_page):
    assert sheets(open_page(site / "roles" / "meeting-guide.html").page) == 2


@pytest.mark.slow
def test_every_role_is_in_the_navigation_and_the_notebook_can_be_downloaded(site, open_page):
    page = open_page(site / "index.html").page
    links = {link.get_attribute("href") for link in page.locator("a[href]").all()}
    roles = {path.stem for path in (ROOT / "docs" / "roles").glob("*.md")} - {"index"}
    assert {f"roles/{name}.html" for name in roles} <= links
    assert "tutorial/notebook.ipynb" in links
    assert (site / "tutorial" / "notebook.ipynb").read_bytes() == (ROOT / "docs/tutorial/notebook.ipynb").read_bytes()
