"""How closely an attacker tells what the pages for commissioners hide: `python -m benchmarks.differencing`.

Four quarters of pages of made-up towns, every table with every total. A linear programme over all numbers of all pages
bounds each hidden one. The attacker knows what is equal between tables, and which counts did not move between pages:
more than any reader. Beside it stands the same attack on pages whose tables were hidden one by one, as before.
"""

import argparse
import sys
import time
from pathlib import Path
from random import Random

import polars as pl

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from helpers.linear_attack import attack_pages, too_close
from helpers.quarters import quarters

from ageingwell.commissioning.tallies import LINKS
from ageingwell.governance.crosses import crossed, hidden_counts
from ageingwell.governance.disclosure import HIDDEN, in_words

PAGE = Path(__file__).with_suffix(".md")
SIZES = (120, 260, 600, 1_500, 4_000)


def hidden_one_by_one(page: pl.DataFrame) -> pl.DataFrame:
    """The same counts with each table hidden by its own totals alone."""
    parts = []
    for (of,), part in page.group_by("of", maintain_order=True):
        cells = part.drop_nulls("n")
        groups = dict(cells.select("other", "group").iter_rows())
        is_grouped = any(one != other for one, other in groups.items())
        cross = crossed(cells.select("one", "other", "n"), groups=groups if is_grouped else None)
        hidden = hidden_counts([cross.counts[key] for key in cross.keys], cross.sums())
        words = {
            (of, *key): HIDDEN if is_hidden else in_words(cross.counts[key])
            for key, is_hidden in zip(cross.keys, hidden, strict=True)
        }
        shown = [words[of, one, other] for one, other in part.select("one", "other").iter_rows()]
        parts.append(part.with_columns(shown=pl.Series(shown, dtype=pl.String)))
    return pl.concat(parts)


def row_of(n_people: int, seeds: int, *, first: int) -> str:
    """One line of the table: towns of a size, and what was found of the pages as they are and as they were."""
    asked, close, alone, shown, every, seconds = 0, 0, 0, 0, 0, 0.0
    for seed in range(first, first + seeds):
        started = time.perf_counter()
        pages = quarters(Random(seed), n_people=n_people, n_pages=4)
        seconds = max(seconds, (time.perf_counter() - started) / 4)
        found = attack_pages(pages, LINKS).found()
        asked, close = asked + len(found), close + len(too_close(found))
        alone += len(too_close(attack_pages([hidden_one_by_one(page) for page in pages], LINKS).found()))
        every += sum(page.height for page in pages)
        shown += sum(page.filter(pl.col("shown") != HIDDEN).height for page in pages)
    share = round(100 * shown / every)
    told = f"| {asked:,} | {alone:,} | **{close:,}** |"
    return f"| {n_people:,} | {seeds} | {every:,} | {share} in 100 {told} {seconds:.2f} |"


def main() -> None:
    """Attack every size of town, and write the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--first-seed", type=int, default=1)
    asked = parser.parse_args()
    rows = [row_of(size, asked.seeds, first=asked.first_seed) for size in SIZES]
    command = f"python -m benchmarks.differencing --seeds {asked.seeds} --first-seed {asked.first_seed}"
    PAGE.write_text("\n".join([*HEAD, *rows, "", f"Made by `{command}`."]) + "\n", encoding="utf-8")


HEAD = (
    "# Can hidden numbers of the pages for commissioners be told?",
    "",
    "Four quarters of pages of made-up towns; one person in twelve changes from page to page. An attacker puts every",
    "number of all four pages into one linear programme, with what is equal between tables, and with which counts did",
    "not move. It asks of every hidden number how little and how much it can be. *Told* means: to within two people.",
    "",
    "| people | towns | numbers | of these shown | hidden | told, hidden one by one | told now | seconds a page |",
    "|---|---|---|---|---|---|---|---|",
)

if __name__ == "__main__":
    main()
