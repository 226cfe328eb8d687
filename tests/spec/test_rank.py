"""The order of people, their bands, and the road by which each came to be considered."""

import polars as pl
from helpers.outreach import needs_of, people, person

from ageingwell.config.outreach import OutreachSettings
from ageingwell.outreach.rank import rank_people

SETTINGS = OutreachSettings()


def ranked(*rows, previous=None, **changed):
    settings = OutreachSettings(**changed) if changed else SETTINGS
    return rank_people(people(*rows), needs_of(*rows), previous=previous, settings=settings)


def last_list(*rows: tuple[str, str, str, str]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["person_id", "lead_agency", "why", "status"], orient="row")


def test_the_higher_risk_comes_first():
    assert ranked(person("p1", risk=0.1), person("p2", "h2", risk=0.3))["person_id"].to_list() == ["p2", "p1"]


def test_risks_that_agree_in_a_hundred_are_told_apart_by_need_not_by_risk():
    order = ranked(
        person("p1", risk=0.304),
        person("p2", "h2", risk=0.296, is_alarm_missing=1.0),
        person("p3", "h3", risk=0.31),
    )

    assert order["person_id"].to_list() == ["p3", "p2", "p1"]


def test_then_whoever_was_unseen_longest_and_never_seen_is_longest():
    order = ranked(
        person("p1", risk=0.2, days_since_gp_contact=30.0),
        person("p2", "h2", risk=0.2, days_since_gp_contact=300.0),
        person("p3", "h3", risk=0.2, days_since_gp_contact=None),
    )

    assert order["person_id"].to_list() == ["p3", "p2", "p1"]


def test_the_last_tie_is_broken_by_the_pseudonym_whatever_the_order_of_rows():
    rows = [person(name, name, risk=0.2) for name in ("p3", "p1", "p2")]

    assert ranked(*rows)["person_id"].to_list() == ranked(*reversed(rows))["person_id"].to_list() == ["p1", "p2", "p3"]


def test_without_a_usable_model_needs_make_the_order_and_the_road_is_the_rule():
    order = ranked(
        person("p1", n_medicines_90d=12.0),  # soon: 0.10
        person("p2", "h2", has_oxygen=1.0, someone_smokes=1.0),  # urgent: 0.25
        person("p3", "h3"),
        person("p4", "h4", n_medicines_90d=12.0, is_alarm_missing=1.0),  # twice soon: 0.20
    )

    assert order.select("person_id", "why").rows() == [("p2", "rule"), ("p4", "rule"), ("p1", "rule"), ("p3", None)]


def test_need_high_risk_or_both_is_said():
    # 5% of 20 people is 1 place for high risks
    rows = [person(f"p{n:02}", f"h{n}", risk=0.5 - n / 100, is_alarm_missing=float(n in (0, 7))) for n in range(20)]
    order = ranked(*rows)

    assert dict(order.filter(pl.col("why").is_not_null()).select("person_id", "why").iter_rows()) == {
        "p00": "both",
        "p07": "rule",
    }
    assert ranked(*rows, high_risk_share=0.10)["why"].to_list()[:3] == ["both", "model", None]


def test_someone_listed_by_the_model_stays_on_that_road_until_clearly_below():
    # 10% of 20 people is 2 places; with a margin of 0.5 those listed before keep theirs down to rank 3
    rows = [person(f"p{n:02}", f"h{n}", risk=0.5 - n / 100) for n in range(20)]
    before = last_list(("p02", "gp", "model", "proposed"), ("p03", "gp", "model", "proposed"))

    order = ranked(*rows, previous=before, high_risk_share=0.10, stay_margin=0.5)

    assert order["why"].to_list()[:4] == ["model", "model", "model", None]


def test_someone_the_group_agreed_on_stays_a_candidate_whatever_the_rank():
    rows = [person("p1", risk=0.5), person("p2", "h2", risk=0.01)]
    order = ranked(*rows, previous=last_list(("p2", "fire", "rule", "agreed")))

    assert order.select("person_id", "why", "is_frozen", "previous_lead").rows() == [
        ("p1", "model", False, None),
        ("p2", "rule", True, "fire"),
    ]


def test_ranks_are_told_as_intervals():
    order = ranked(*(person(f"p{n}", f"h{n}", risk=0.9 - n / 100) for n in range(6)), bands=(2, 4))

    assert order["band"].to_list() == ["top 2", "top 2", "top 4", "top 4", "after 4", "after 4"]
    assert order["rank"].to_list() == [1, 2, 3, 4, 5, 6]
