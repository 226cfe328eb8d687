"""What each recipient sees of a night, drawn on six people at five doors (see `helpers.views`)."""

import re

import polars as pl
import pytest
from helpers.outreach import shipped_interventions
from helpers.views import (
    AS_OF,
    EVERY_THEME,
    FOUND,
    KEY,
    LEDGER,
    LISTED,
    PEOPLE,
    need,
    needs,
    pseudonym,
    row,
    rows,
    see,
)  # fmt: skip

from ageingwell.config.outreach import OutreachSettings
from ageingwell.config.score import Ledger, RecipientView
from ageingwell.errors import NotPermittedError
from ageingwell.pseudonyms.digests import row_key
from ageingwell.views.columns import FOR_ANYONE, FOR_READERS_OF_RISK
from ageingwell.views.words import ANY_NEED, NEED_WORDS

OF_THE_RISK = {"chance", "band", "found_by", "raises", "lowers", "age_band"}


def key_of(person, recipient):
    return pl.select(row_key(pl.lit(pseudonym(person)), recipient=recipient, as_of=AS_OF, key=KEY)).item()


def people_seen(recipient, **changed):
    keys = {key_of(f"p{n}", recipient): f"p{n}" for n in range(1, 10)}
    return [keys[key] for key in see(recipient, **changed).frame["row_key"]]


def cells(recipient, person, *names, **changed):
    found = see(recipient, **changed).frame.filter(pl.col("row_key") == key_of(person, recipient))
    return found.select(names).row(0) if len(names) > 1 else found[names[0]].to_list()[0]


def test_an_agency_sees_the_doors_it_leads_and_those_where_it_is_asked_to_come_along():
    assert set(people_seen("fire")) == {"p1", "p2", "p3"}
    assert set(people_seen("gp")) == {"p1", "p2", "p3", "p6"}
    assert set(people_seen("housing")) == {"p4"}
    assert set(people_seen("voluntary")) == {"p5"}
    assert people_seen("social_care") == []


def test_the_group_sees_everyone_the_urgent_first_and_people_of_one_door_together():
    # p3's home has an urgent need; then by rank: p1 (1) with p2 of the same home (4), p4 (3), p5 (5), p6 (6)
    assert people_seen("group") == ["p3", "p1", "p2", "p4", "p5", "p6"]
    assert see("group").frame.select("position", "urgency", "act_by").rows()[:2] == [
        ("1", "Urgent", "29 November 2026"),
        ("2", "Soon", "20 December 2026"),
    ]


def test_an_overdue_visit_stands_above_the_urgent_ones_on_every_list():
    late = LISTED.with_columns(status=pl.when(pl.col("rank") == 4).then(pl.lit("overdue")).otherwise("status"))

    assert people_seen("group", rows=late)[:3] == ["p1", "p2", "p3"]
    assert set(people_seen("fire", rows=late)[:2]) == {"p1", "p2"}


def test_who_may_not_read_every_theme_gets_no_column_that_comes_from_the_risk():
    for recipient in ("fire", "housing", "social_care", "voluntary"):
        assert not OF_THE_RISK & set(see(recipient).frame.columns)
        assert see(recipient).columns == FOR_ANYONE
    assert see("gp").columns == FOR_READERS_OF_RISK


def test_leave_for_the_risk_without_every_theme_is_not_enough():
    almost = RecipientView(themes=("health", "care", "home", "fire"), shows_risk=True)
    ledger = LEDGER.model_copy(update={"views": {**LEDGER.views, "gp": almost}})

    assert see("gp", ledger=ledger).columns == FOR_ANYONE


def test_without_a_view_in_the_ledger_there_is_no_list():
    with pytest.raises(NotPermittedError, match=r"no view for `fire`.*\[views.fire\]"):
        see("fire", ledger=Ledger(permitted=(), views={}))


def test_a_fire_crew_reads_functional_words_and_no_diagnosis():
    needs_seen, facts = cells("fire", "p2", "needs", "facts")

    assert needs_seen == ["May need help to be safe from fire at home"]
    assert facts == ["May need help to move about or to get out of bed (reduced mobility)"]


def test_a_need_whose_rule_holds_forbidden_facts_keeps_functional_words_and_permitted_facts_alone():
    needs_seen, facts, action = cells("housing", "p4", "needs", "facts", "action")

    assert needs_seen == ["May need a warmer home", "May need something at home put right"]
    assert facts == ["Energy rating F", "A hazard was found in the home in the past 3 years"]
    steps = (NEED_WORDS[name].step for name in ("cold_home", "hazard_and_falls"))
    assert action == ". ".join(steps)


def test_the_words_do_not_change_with_a_fact_that_may_not_be_read():
    said = {}
    for illness in ("heart failure is recorded", "lung disease is recorded"):
        found = needs(need("p4", "h4", "cold_home", f"energy rating F; {illness}"))
        said[illness] = see("housing", needs=found).frame.rows()

    assert len({str(frame) for frame in said.values()}) == 1


def test_who_may_read_nothing_gets_need_and_action():
    needs_seen, facts, known_to, action = cells("voluntary", "p5", "needs", "facts", "known_to", "action")

    assert needs_seen == ["May welcome company"]
    assert facts == ["Nothing that you may read"]
    assert known_to == ["We cannot tell you who else is involved"]
    assert action == NEED_WORDS["isolation"].step


def test_a_sentence_that_is_not_one_of_the_rules_own_is_shown_to_nobody():
    found = needs(need("p1", "h1", "no_working_alarm", "no working smoke alarm was found; drinks every evening"))

    assert cells("fire", "p1", "facts", needs=found) == ["No working smoke alarm was found"]
    assert cells("gp", "p1", "facts", needs=found.with_columns(lead_agency=pl.lit("gp"))) == [
        "No working smoke alarm was found"
    ]


def test_who_comes_along_reads_its_own_next_step_not_the_leads_and_the_staff_safety_note_first():
    part, lead, action = cells("fire", "p3", "part", "lead_agency", "action")

    assert (part, lead) == ("Please join this visit", "Another agency; ask the chair who it is")
    assert action == f"{OutreachSettings().staff_safety_note}. {NEED_WORDS['oxygen_or_emollient_smoking'].step}"


def test_where_no_home_is_linked_nobody_comes_along():
    assert "p6" not in people_seen("fire")
    assert cells("gp", "p6", "household_key") == "no home linked"


def test_a_service_is_named_only_to_who_may_read_its_theme():
    assert cells("fire", "p1", "known_to") == ["Fire and rescue"]
    assert cells("gp", "p1", "known_to") == ["Fire and rescue", "Adult social care"]
    assert cells("housing", "p4", "known_to") == ["We cannot tell you who else is involved"]


def test_a_reader_of_the_risk_reads_the_chance_in_100_and_facts_linked_with_it():
    band, chance, raises, lowers = cells("gp", "p1", "band", "chance", "raises", "lowers")

    assert (band, chance) == ("Top 20", "About 35 in 100 (30 to 40)")  # 0.40 - 1/20, and 0.05 to each side
    assert raises == ["Health: 12 medicines in the past 90 days", "Fire: no working smoke alarm was found"]
    assert lowers == ["Home: an adaptation was made"]


def test_the_same_person_has_another_key_on_every_list():
    group, fire = set(see("group").frame["row_key"]), set(see("fire").frame["row_key"])
    homes = set(see("group").frame["household_key"]) & set(see("fire").frame["household_key"])

    assert not group & fire
    assert not homes


def test_a_blind_order_puts_the_most_urgent_own_need_first_and_a_home_together():
    # p3's urgent fire need comes before the alarm of p1; p1 and p2 share a home and stand together.
    seen = people_seen("fire")

    assert seen[0] == "p3"
    assert set(seen[1:]) == {"p1", "p2"}


def test_a_blind_order_does_not_move_with_the_risk():
    turned = LISTED.with_columns(rank=7 - pl.col("rank"), risk=1 - pl.col("risk"), band=pl.lit("top 500"))

    for recipient in ("fire", "housing", "social_care", "voluntary"):
        assert see(recipient, rows=turned).frame.equals(see(recipient).frame)


def test_no_pseudonym_of_the_group_is_in_any_view():
    ours = {*LISTED["person_id"], *LISTED["household_id"].drop_nulls(), *LISTED["row_key"]}

    for recipient in LEDGER.views:
        texts = str(see(recipient).frame.rows())
        assert not [one for one in ours if one in texts]


def test_the_row_key_of_the_groups_list_is_the_one_in_the_groups_view():
    assert see("group").frame["row_key"][0] == key_of("p3", "group")


def test_ages_are_bands_of_five_years_and_the_oldest_one_band():
    older = PEOPLE.with_columns(age=pl.lit(97, dtype=pl.Int64))

    assert cells("gp", "p1", "age_band") == "80 to 84"
    assert cells("gp", "p1", "age_band", people=older) == "90 or over"


def test_a_night_with_nobody_on_the_list_gives_empty_views():
    for recipient in LEDGER.views:
        assert see(recipient, rows=rows()).frame.is_empty()


def test_by_rules_alone_there_is_no_estimate_to_show():
    without = LISTED.with_columns(
        pl.lit(None, dtype=pl.Float64).alias(name) for name in ("risk", "risk_low", "risk_high")
    )

    assert set(see("group", rows=without).frame["chance"]) == {"No estimate"}


def test_a_need_led_by_another_is_told_only_where_its_whole_rule_may_be_read():
    found = needs(
        need("p1", "h1", "no_working_alarm", "no working smoke alarm was found"),
        need("p1", "h1", "unsafe_polypharmacy", "12 different medicines in 90 days"),
    )
    listed = rows(row("p1", "h1", 1, "housing"))

    # Housing leads neither: it reads the words that stand on every row of its list.
    always = ["May need a warmer home", "May need something at home put right"]
    assert cells("housing", "p1", "needs", needs=found, rows=listed) == always
    led = listed.with_columns(lead_agency=pl.lit("fire"))
    assert cells("fire", "p1", "needs", needs=found, rows=led)[0] == "No working smoke alarm"
    readers = LEDGER.model_copy(update={"views": {**LEDGER.views, "housing": RecipientView(themes=("home", "fire"))}})
    assert cells("housing", "p1", "needs", needs=found, rows=listed, ledger=readers) == [
        "No working smoke alarm",
        *always,
    ]


def test_every_recipient_of_the_shipped_kind_can_be_drawn():
    assert set(EVERY_THEME) == set(LEDGER.views["gp"].themes)
    assert FOUND.height == 11


SHIPPED = shipped_interventions()


def test_a_visitor_says_the_words_of_the_most_urgent_need_of_its_own_and_the_group_those_of_the_lead():
    said = {name: cells(name, "p3", "what_to_say", interventions=SHIPPED) for name in ("fire", "gp", "group")}

    # The practice may have told of oxygen or smoking: the crew, who may not read health, says what tells nothing.
    assert said["fire"] == NEED_WORDS["oxygen_or_emollient_smoking"].say
    assert said["gp"] == said["group"] == SHIPPED.needs["unsafe_polypharmacy"].say


def test_where_none_of_its_own_is_found_a_visitor_says_the_words_of_the_most_urgent_that_may_be_read():
    found = needs(need("p3", "h3", "fire_safety", ""), need("p3", "h3", "oxygen_or_emollient_smoking", ""))

    said = cells("gp", "p3", "what_to_say", needs=found, interventions=SHIPPED)

    assert said == SHIPPED.needs["oxygen_or_emollient_smoking"].say


def test_who_may_not_read_a_needs_facts_says_words_that_do_not_tell_the_need():
    blind = Ledger(permitted=(), views={"fire": RecipientView(themes=())})
    said = {
        name: cells(
            "fire", "p2", "what_to_say", needs=needs(need("p2", "h1", name, "")), ledger=blind, interventions=SHIPPED
        )
        for name in ("fire_safety", "oxygen_or_emollient_smoking")
    }

    assert set(said.values()) == {NEED_WORDS["fire_safety"].say}
    assert not set(said.values()) & {intervention.say for intervention in SHIPPED.needs.values()}


def test_where_the_reader_has_no_need_to_lead_the_words_are_those_of_the_settings():
    own = SHIPPED.model_copy(update={"say": "Good morning"})

    assert cells("gp", "p6", "what_to_say", needs=needs(), interventions=own) == "Good morning"


def test_whether_a_person_was_told_is_what_the_group_recorded_and_else_said_to_be_unknown():
    assert cells("group", "p1", "person_told") == "Not recorded"

    recorded = LISTED.with_columns(person_told=pl.Series(["yes", "not_yet", None, None, None, None]))
    assert [cells("group", person, "person_told", rows=recorded) for person in ("p1", "p2", "p3")] == [
        "Yes",
        "Not yet",
        "Not recorded",
    ]


def test_needs_of_the_same_functional_words_have_the_same_words_for_the_door():
    said: dict[str, set[str]] = {}
    for words in (*NEED_WORDS.values(), ANY_NEED):
        said.setdefault(words.functional, set()).add(words.say)

    assert {len(texts) for texts in said.values()} == {1}


@pytest.mark.parametrize("name", sorted(SHIPPED.needs))
def test_no_shipped_words_for_the_door_tell_why_somebody_was_chosen(name):
    telling = (
        r"\b(fell|fall|frail|injur|oxygen|emollient|skin|smok(?!e alarm)|drink|alcohol|clutter|hoard|living|alone|"
        r"lonel|isolat|bereav|died|widow|carer|caring|look after|dementia|memory|heart|lung|medicine|tablet|"
        r"hazard|arrears|rating|"
        r"hospital|record|list|risk|aged?\b|old\b|older|you\b)"
    )

    assert not re.search(telling, SHIPPED.needs[name].say, re.IGNORECASE)
    assert not re.search(telling, NEED_WORDS[name].say, re.IGNORECASE)


def test_a_partner_of_a_joint_visit_is_named_to_who_may_read_of_it_and_learns_on_its_own_list_who_leads():
    assert cells("fire", "p1", "action") == "Make a home fire-safety visit and fit alarms"
    assert cells("group", "p1", "action").endswith("fit alarms. Joint visit with: GP practices")
    assert cells("gp", "p1", "part", "lead_agency") == ("Please join this visit", "Fire and rescue")


@pytest.mark.parametrize(("themes", "shown"), [(("health",), False), (("health", "everyday_life"), True)])
def test_a_fact_made_of_two_themes_is_shown_only_to_who_may_read_both(themes, shown):
    ledger = Ledger(permitted=(), views={"voluntary": RecipientView(themes=themes)})

    facts = cells("voluntary", "p5", "facts", ledger=ledger)

    assert ("Very likely lives alone and does not leave home" in facts) == shown
