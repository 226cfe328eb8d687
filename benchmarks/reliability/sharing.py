"""Count, in several made-up counties, the rows that fewer than ten people of the register share, before and after.

python -m benchmarks.reliability sharing [--people 1500] [--seeds 101 102 103 104 105 106]
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from ageingwell.night import coarsening
from ageingwell.night.in_memory import outreach_list
from ageingwell.synthetic.county import CountyPlan, synthesise
from ageingwell.views.doors import rows_for
from ageingwell.views.sharing import FEWEST_SHARING
from benchmarks.reliability.figures import write_figure

GOAL = "P5.k"


def main(arguments: Sequence[str] | None = None) -> int:
    """Score each county, count, and write the figure; 1 where a row is shared by too few and has no urgent need."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reliability sharing")
    parser.add_argument("--people", type=int, default=1_500)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(101, 107)))
    options = parser.parse_args(arguments)
    rows, before, after, urgent, unexplained = Counter(), Counter(), Counter(), Counter(), 0
    for seed in options.seeds:
        with tempfile.TemporaryDirectory() as place:
            county = synthesise(CountyPlan(people=options.people, seed=seed), Path(place) / "county").folder
            shards = _watched()
            night = outreach_list(county, as_of="2026-11-22", allow_made_up_bundle=True)
        door = pl.coalesce("household_id", "person_id")
        has_urgent = night.frames.needs.filter(urgency="urgent").select(door.alias("door"))
        at_urgent = set(
            night.list.with_columns(door=door).join(has_urgent, on="door", how="semi")["person_id"].to_list()
        )
        for recipient, counts in shards.items():
            mine = rows_for(recipient, rows=night.list)["person_id"].to_list()
            few = counts.filter(pl.col("n") < FEWEST_SHARING, pl.col("person_id").is_in(mine))["person_id"].to_list()
            left = night.frames.coarsened.filter((pl.col("recipient") == recipient) & (pl.col("n") < FEWEST_SHARING))[
                "person_id"
            ].to_list()
            rows[recipient] += len(mine)
            before[recipient] += len(few)
            after[recipient] += len(left)
            urgent[recipient] += sum(person in at_urgent for person in left)
            unexplained += sum(person not in at_urgent for person in left)
    for recipient in rows:
        print(
            f"{recipient}: {rows[recipient]} rows, shared by fewer than {FEWEST_SHARING}: {before[recipient]} as they "
            f"were, {after[recipient]} as they are told ({urgent[recipient]} of urgent needs)"
        )
    command = "python -m benchmarks.reliability sharing"
    write_figure(GOAL, rows.total(), unexplained, seed=options.seeds[0], command=command)
    return 1 if unexplained else 0


def _watched() -> dict[str, pl.DataFrame]:
    """Watch what a night counts: by recipient, how many people share each listed row before anything is left out."""
    found: dict[str, pl.DataFrame] = {}
    original = coarsening.coarsened

    def watching(reader, listed, counts):  # type: ignore[no-untyped-def]
        fields = [name for name in listed.columns if name != "person_id"]
        found[str(reader.recipient)] = listed.join(counts, on=fields, how="left").select("person_id", "n")
        return original(reader, listed, counts)

    coarsening.coarsened = watching  # type: ignore[assignment]
    return found


if __name__ == "__main__":
    sys.exit(main())
