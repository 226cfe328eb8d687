"""Every code list that is shipped decides something, or the page of the lists says why it does not."""

import re
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from helpers.knowledge import CONFIG

from ageingwell.config.files import shipped
from ageingwell.features.build import FEATURES
from ageingwell.features.feature import Seen
from ageingwell.features.gp import MEDICINE_GROUPS, dmd_list_of
from ageingwell.timeline import AsOf

PACKAGE = Path(__file__).parents[2] / "src" / "ageingwell"
# Made-up records are no use of a list: what is drawn from it has to be read by somebody.
READING = [path for path in PACKAGE.rglob("*.py") if "synthetic" not in path.parts]


@cache
def used_by_features() -> set[str]:
    asked: set[str] = set()

    class Noting(dict[str, int]):
        def __contains__(self, _: object) -> bool:
            return True

        def __missing__(self, name: str) -> int:
            asked.add(name)
            return 0

    for feature in FEATURES:
        formula = feature.value(Seen(AsOf(date(2026, 1, 1)), Noting()))
        asked.update(formula.meta.root_names())
    # Beside the BNF codes of a group stands its list of dm+d codes.
    return asked | {dmd_list_of(group) for group in MEDICINE_GROUPS if group in asked}


@cache
def used_elsewhere() -> set[str]:
    text = "\n".join(path.read_text(encoding="utf-8") for path in READING if "features" not in path.parts)
    return {name for name in CONFIG.codelists if re.search(rf'"{name}"', text)}


@cache
def said_to_be_unused() -> set[str]:
    page = (shipped("configs") / "codelists" / "README.md").read_text(encoding="utf-8")
    part = page.partition("## Lists that decide nothing")[2].partition("\n## ")[0]
    return set(re.findall(r"^- `([a-z0-9_]+)`: ", part, flags=re.MULTILINE))


@pytest.mark.parametrize("name", sorted(CONFIG.codelists))
def test_a_list_is_used_or_the_page_says_why_not(name: str) -> None:
    used = name in used_by_features() | used_elsewhere()

    assert used != (name in said_to_be_unused())
