"""The gate looks at the few people whom an opt-out may concern, and finds the same as if it looked at everybody."""

import random
from datetime import date, timedelta

import polars as pl
import pytest

from ageingwell import permissions
from ageingwell.config.score import Ledger
from ageingwell.permissions import homes_of_excluded, keep_permitted, off_the_register, opt_outs_that_meet

LEDGERS = [Ledger(permitted=(), views={}), Ledger(permitted=(), views={}, type_1_allows_other_agencies=True)]
KINDS = ("objection", "restriction", "national", "type_1", "staff_safety", "safeguarding", "national_allowed")
OPTED = {"person_id": pl.String, "household_id": pl.String, "kind": pl.String}


def register(draw: random.Random) -> pl.DataFrame:
    """Up to six versions a person, each of its own day, in any order; a version may tell no home."""
    rows = [
        (f"p{person}", draw.choice([None, *(f"h{home}" for home in range(6))]), date(2024, 1, 1) + timedelta(days=day))
        for person in range(12)
        for day in draw.sample(range(40), draw.randint(0, 6))
    ]
    draw.shuffle(rows)
    schema = {"person_id": pl.String, "household_id": pl.String, "recorded_on": pl.Date}
    return pl.DataFrame(rows, schema=schema, orient="row")


def opt_outs(draw: random.Random) -> pl.DataFrame:
    """Of people and of homes, some of whom nobody knows."""
    subjects = [draw.choice([(f"p{draw.randrange(15)}", None), (None, f"h{draw.randrange(8)}")]) for _ in range(5)]
    rows = [(*subject, draw.choice(KINDS)) for subject in subjects[: draw.randint(0, 5)]]
    return pl.DataFrame(rows, schema=OPTED, orient="row")


def last_home(rows: pl.DataFrame) -> dict[str, str]:
    """Where each person lives by the newest row that tells a home: the definition, over everybody."""
    told = rows.drop_nulls("household_id").sort("recorded_on")
    return dict(told.select("person_id", "household_id").iter_rows())


def out_by_definition(rows: pl.DataFrame, opted: pl.DataFrame, kinds: set[str]) -> set[str]:
    said = opted.filter(pl.col("kind").is_in(sorted(kinds)))
    people, homes = (set(said[column].drop_nulls()) for column in ("person_id", "household_id"))
    return people | {person for person, home in last_home(rows).items() if home in homes}


def kinds_out(ledger: Ledger, purpose: str) -> set[str]:
    always = {"objection", "restriction"} | ({"national"} if purpose != "direct_care" else set())
    return always | (set() if ledger.type_1_allows_other_agencies else {"type_1"})


@pytest.mark.parametrize("ledger", LEDGERS)
@pytest.mark.parametrize("purpose", ["direct_care", "risk_stratification"])
def test_who_is_off_the_register_and_which_homes_they_live_in_is_as_defined_over_everybody(
    ledger: Ledger, purpose: str
) -> None:
    for seed in range(150):
        draw = random.Random(seed)
        rows, opted = register(draw), opt_outs(draw)
        out = out_by_definition(rows, opted, kinds_out(ledger, purpose) | {"type_1"})
        homes = {home for person, home in last_home(rows).items() if person in out}

        found = off_the_register(rows.lazy(), opted, purpose=purpose, ledger=ledger)
        lived = homes_of_excluded(rows.lazy(), opted, purpose=purpose, ledger=ledger)

        assert found["person_id"].sort().to_list() == sorted(out), seed
        assert lived.to_list() == sorted(homes), seed


@pytest.mark.parametrize("ledger", LEDGERS)
def test_what_may_be_used_is_as_defined_over_everybody(ledger: Ledger) -> None:
    for seed in range(150):
        draw = random.Random(seed)
        rows, opted = register(draw), opt_outs(draw)
        others = out_by_definition(rows, opted, kinds_out(ledger, "direct_care"))
        gp = out_by_definition(rows, opted, kinds_out(ledger, "direct_care") | {"type_1"})
        events = pl.DataFrame({"person_id": [f"p{person}" for person in range(15)]})

        kept = keep_permitted(
            {"gp_patients": rows.lazy(), "care_events": events.lazy()}, opted, purpose="direct_care", ledger=ledger
        )

        left = set(kept["gp_patients"].collect()["person_id"])
        assert left == set(rows["person_id"]) - gp, seed
        assert set(kept["care_events"].collect()["person_id"]) == set(events["person_id"]) - others, seed


def test_how_many_opt_outs_meet_somebody_is_as_counted_one_by_one() -> None:
    for seed in range(150):
        draw = random.Random(seed)
        rows, opted = register(draw), opt_outs(draw)
        homes = pl.Series("household_id", [draw.choice([None, "h1", "h2", "h7"]) for _ in range(4)], dtype=pl.String)
        known = {"person_id": set(rows["person_id"]), "household_id": set(homes.drop_nulls())}
        expected = []
        for column, words in (("person_id", "people"), ("household_id", "homes")):
            for kind in KINDS:
                said = set(opted.filter(pl.col("kind") == kind)[column].drop_nulls())
                if said and kind not in ("staff_safety", "national_allowed"):
                    expected.append((kind, words, len(said), len(said & known[column])))

        assert opt_outs_that_meet(opted, rows.lazy(), homes).rows() == sorted(expected), seed


def test_only_the_histories_of_people_who_ever_lived_in_an_objecting_home_are_gone_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    day = date(2024, 1, 1)
    rows = pl.DataFrame(
        [
            ("p1", "h1", day),
            ("p1", "h2", day + timedelta(days=9)),
            ("p2", "h1", day),
            *((f"q{person}", f"k{person}", day) for person in range(100)),
        ],
        schema={"person_id": pl.String, "household_id": pl.String, "recorded_on": pl.Date},
        orient="row",
    )
    opted = pl.DataFrame([(None, "h1", "objection")], schema=OPTED, orient="row")
    n_rows = []

    def counted(patients: pl.LazyFrame) -> pl.LazyFrame:
        n_rows.append(patients.select(pl.len()).collect().item())
        return last_homes(patients)

    last_homes = permissions._last_homes
    monkeypatch.setattr(permissions, "_last_homes", counted)

    out = off_the_register(rows.lazy(), opted, purpose="direct_care", ledger=LEDGERS[0])

    assert out["person_id"].to_list() == ["p2"]
    assert n_rows == [3]  # the two versions of p1, who moved out, and the one of p2
