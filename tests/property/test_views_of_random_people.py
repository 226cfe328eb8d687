"""Random people under random models, seen by every agency: no forbidden fact in any form, no reason that must not be.

The facts, needs, risks and reasons are those the night would work out; every file that an agency gets is drawn.
"""

import html
import re
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from helpers.random_people import (
    INTERVENTIONS,
    config,
    drawn_bundle,
    drawn_features,
    needs_of,
    night_of,
    risks_and_reasons,
    with_others_facts,
)
from helpers.views import FACTS, KEY, row, rows, spine_of
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ageingwell.config.outreach import Thresholds
from ageingwell.config.score import RecipientView
from ageingwell.features.build import FEATURES
from ageingwell.jobs.viewing import forbidden_sentences, found_in, readable_text
from ageingwell.night.write import agency_files
from ageingwell.outreach.needs import recorded_facts
from ageingwell.outreach.rules import need_rules
from ageingwell.register import LEAD_AGENCIES, THEME_OF_AGENCY
from ageingwell.report.words import BANNED
from ageingwell.views.reader import EVERY_THEME, reader_of

# A failing night is small as it is drawn; making it smaller takes minutes.
FEW = settings(max_examples=6, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
TWICE = pytest.mark.parametrize("time", [1, pytest.param(2, marks=pytest.mark.full)])
RECIPIENTS = st.sampled_from(LEAD_AGENCIES)
SOME_THEMES = st.sets(st.sampled_from(sorted(EVERY_THEME)), max_size=4)
SEEDS = st.integers(0, 2**32 - 1)
NOT_A_REASON = re.compile(r"\b(sex|male|female|m[ae]n|wom[ae]n|ethnic\w*|black|white|asian|religio\w*|church)\b", re.I)


def night(features, bundle, *, leads, known_to, partners=()):
    """The night of these people; what the doors, leads and actions are is given."""
    risks, reasons = risks_and_reasons(features, bundle)
    order = risks["risk"].rank("ordinal", descending=True).to_list()
    needs = needs_of(features)
    homes = [f"h{number // 2}" for number in range(features.height)]
    coming = {home: sorted(set(partners[at]) & set(LEAD_AGENCIES)) if partners else [] for at, home in enumerate(leads)}
    listed = rows(
        *(
            row(
                f"p{number}",
                homes[number],
                order[number],
                leads[homes[number]],
                risk=risks["risk"][number],
                risk_low=risks["risk_low"][number],
                risk_high=risks["risk_high"][number],
                needs=needs.filter(person_id=features["person_id"][number])["need"].to_list(),
                known_to=known_to[number],
                joint_with=[agency for agency in coming[homes[number]] if agency != leads[homes[number]]],
                band="top 20" if order[number] < 3 else "top 50",
            )
            for number in range(features.height)
        )
    )
    recorded = recorded_facts(features, rules=need_rules(Thresholds()))
    return night_of(listed=listed, needs=needs, reasons=reasons, people=spine_of(listed), recorded=recorded)


def settings_for(recipient, themes, *, shows_risk=True):
    """The shipped settings, with the recipient's row of the ledger."""
    view = RecipientView(themes=tuple(sorted(themes)), shows_risk=shows_risk)
    views = {**config().ledger.views, recipient: view}
    return replace(config(), ledger=config().ledger.model_copy(update={"views": views}))


def files_of(recipient, frames, themes):
    return agency_files(recipient, frames, FACTS, config=settings_for(recipient, themes), key=KEY)


def visible_needs(recipient, themes, needs):
    """What a recipient's list follows: the needs whose whole rule it may read, and the urgent ones that it leads."""
    reader = reader_of(recipient, ledger=settings_for(recipient, themes).ledger, thresholds=Thresholds())
    ours = [
        reader.reads_need(need) or (lead == recipient and urgency == "urgent")
        for need, lead, urgency in needs.select("need", "lead_agency", "urgency").rows()
    ]
    return set(needs.filter(pl.Series(ours, dtype=pl.Boolean)).select("person_id", "need").rows())


def drawn(data, time):
    """A recipient, its themes, people, a model, and who leads where."""
    draw = np.random.default_rng([data.draw(SEEDS), time])
    features = drawn_features(data.draw(st.integers(1, 6)), draw)
    leads = {f"h{number}": str(draw.choice(LEAD_AGENCIES)) for number in range(3)}
    return data.draw(RECIPIENTS), data.draw(SOME_THEMES), draw, features, drawn_bundle(draw), leads


def services(draw, n, themes, wanted):
    """Services with a record of each of `n` people, of themes that may (or may not) be read."""
    pool = [name for name, theme in THEME_OF_AGENCY.items() if name != "gp" and (theme in themes) == wanted]
    return [[name for name in pool if draw.random() < 0.5] for _ in range(n)]


@pytest.mark.slow
@TWICE
@FEW
@given(data=st.data())
def test_changing_forbidden_facts_changes_no_byte_of_any_file_and_no_name(time, data):
    recipient, themes, draw, features, bundle, leads = drawn(data, time)
    open_services = services(draw, features.height, themes, True)
    forbidden = EVERY_THEME - themes
    changed = with_others_facts(features, drawn_features(features.height, draw), forbidden)
    # Whoever has another need for this recipient to see is another row: their facts stay as they were.
    before, after = (visible_needs(recipient, themes, needs_of(facts)) for facts in (features, changed))
    differing = {person for person, _ in before ^ after}
    same = ~pl.col("person_id").is_in(list(differing))
    other = pl.concat([changed.filter(same), features.filter(~same)]).sort("person_id", nulls_last=True)
    features = features.sort("person_id")

    reader = reader_of(recipient, ledger=settings_for(recipient, themes).ledger, thresholds=Thresholds())
    nameable = [name for name in LEAD_AGENCIES if reader.may_name(name, INTERVENTIONS) and name != recipient]
    comes = [[recipient] * bool(draw.random() < 0.5) for _ in range(3)]
    open_partners = [[name for name in nameable if draw.random() < 0.5] for _ in range(3)]
    hidden = sorted(set(LEAD_AGENCIES) - {*nameable, recipient})
    nights = []
    for facts in (features, other):
        known = [
            sorted({*seen, *unseen} - {recipient})
            for seen, unseen in zip(open_services, services(draw, len(open_services), themes, False))
        ]
        partners = [
            [*mine, *seen, *(name for name in hidden if draw.random() < 0.5)]
            for mine, seen in zip(comes, open_partners)
        ]
        tonight = night(facts, bundle, leads=leads, known_to=known, partners=partners)
        nights.append(files_of(recipient, tonight, themes))

    assert sorted(nights[0]) == sorted(nights[1])
    assert [name for name in nights[0] if nights[0][name] != nights[1][name]] == []


@pytest.mark.slow
@TWICE
@FEW
@given(data=st.data())
def test_no_sentence_on_a_forbidden_theme_can_be_read_in_any_file(time, data):
    recipient, themes, draw, features, bundle, leads = drawn(data, time)
    frames = night(features, bundle, leads=leads, known_to=services(draw, features.height, themes, False))

    files = files_of(recipient, frames, themes)

    reader = reader_of(recipient, ledger=settings_for(recipient, themes).ledger, thresholds=Thresholds())
    texts = [readable_text(name, content) for name, content in files.items()]
    kept = forbidden_sentences(reader, needs=frames.needs, reasons=frames.reasons)
    assert len(files) >= 3
    assert {theme: found_in(texts, said) for theme, said in kept.items() if found_in(texts, said)} == {}
    assert found_in(texts, frames.people["person_id"]) == []
    assert found_in(texts, frames.people["household_id"]) == []


@pytest.mark.slow
@TWICE
@FEW
@given(data=st.data())
def test_no_reason_is_sex_ethnicity_religion_or_a_missing_value(time, data):
    features, bundle = drawn(data, time)[3:5]

    _, reasons = risks_and_reasons(features, bundle)

    told = reasons.drop_nulls("text")
    known = features.unpivot(index="person_id", variable_name="feature", value_name="fact").drop_nulls("fact")
    assert told.join(known, on=["person_id", "feature"], how="anti").is_empty()
    assert not {"is_female", "ethnic_group", "religion"} & set(told["feature"])
    assert [text for text in told["text"] if NOT_A_REASON.search(text)] == []
    assert told.filter(value="unknown").is_empty()


@pytest.mark.slow
@TWICE
@FEW
@given(data=st.data())
def test_no_file_of_who_may_read_everything_holds_a_banned_word_or_a_missing_fact_as_protection(time, data):
    recipient, _, draw, features, bundle, leads = drawn(data, time)
    frames = night(features, bundle, leads=leads, known_to=services(draw, features.height, EVERY_THEME, True))

    files = files_of(recipient, frames, EVERY_THEME)

    page = html.unescape(
        re.sub(
            r"<style.*?</style>|<script.*?</script>|<[^>]+>",
            " ",
            files[f"agencies/{recipient}.html"].decode(),
            flags=re.S,
        )
    )
    words = f" {' '.join(page.lower().split())} "
    assert [word for word in BANNED if f" {word} " in words] == []
    unknown = features.unpivot(index="person_id", variable_name="feature", value_name="fact").filter(
        pl.col("fact").is_null()
    )
    lowering = frames.reasons.filter(pl.col("shown") & (pl.col("direction") == "lowers"))
    assert lowering.join(unknown, on=["person_id", "feature"], how="semi").is_empty()


def test_no_feature_with_a_sentence_is_about_sex_ethnicity_or_religion():
    said = [text for feature in FEATURES for text in (feature.present, feature.absent, feature.one) if text]

    assert len(said) > 100
    assert [text for text in said if NOT_A_REASON.search(text)] == []


def test_the_search_would_see_a_leak():
    draw = np.random.default_rng(5)
    features, bundle = drawn_features(6, draw), drawn_bundle(draw)
    frames = night(features, bundle, leads=dict.fromkeys(("h0", "h1", "h2"), "gp"), known_to=[[]] * 6)
    texts = [readable_text(name, content) for name, content in files_of("gp", frames, EVERY_THEME).items()]
    blind = reader_of("gp", ledger=settings_for("gp", ()).ledger, thresholds=Thresholds())

    kept = forbidden_sentences(blind, needs=frames.needs, reasons=frames.reasons)

    assert found_in(texts, kept["health"])


def test_the_first_law_would_see_a_leak():
    """The test of the test: a fact that may be read does change the files."""
    draw = np.random.default_rng(5)
    features, bundle = drawn_features(6, draw).with_columns(is_alarm_missing=pl.lit(1.0)), drawn_bundle(draw)
    lower = features.with_columns(clutter_rating=pl.lit(1.0), care_support_level=pl.lit(3.0))
    fixed = {"leads": dict.fromkeys(("h0", "h1", "h2"), "fire"), "known_to": [[]] * 6}

    one, other = (files_of("fire", night(facts, bundle, **fixed), {"fire"}) for facts in (features, lower))

    assert [name for name in one if one[name] != other[name]] == list(one)
