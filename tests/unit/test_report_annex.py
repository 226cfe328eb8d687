"""The technical annex: the figures of the evaluation, drawn and told, and of no single person more than allowed."""

import re
import subprocess
import sys
from datetime import date

import numpy as np
import polars as pl
import pytest
from helpers.measures import measured_tables
from helpers.views import FACTS, FOUND, GONE, JUST_MISSED, LEFT, LISTED, MARGINAL, pseudonym, reason, reasons, see

from ageingwell.config.load import load_config
from ageingwell.config.may_lower import MayLower
from ageingwell.evaluation.drift import STABILITY
from ageingwell.model.contributions import Contributions
from ageingwell.model.fitted import Explanation
from ageingwell.night.draws import PEOPLE_DRAWN, first_drawn
from ageingwell.night.sampling import FACTS as FACTS_DRAWN
from ageingwell.night.sampling import beeswarm_of
from ageingwell.report.annex import NO_CHARTS, Evidence, annex_sections
from ageingwell.report.charts import svg
from ageingwell.report.html import annex_html
from ageingwell.report.linked import steps_of, without_names
from ageingwell.report.markdown import blocks_of
from ageingwell.report.summary import summarise
from ageingwell.report.words import BANNED

NAMES = ("age", "n_falls_365d", "has_heart_failure", "is_female")
CARD = "# Model card\n\n**Made up.**\n\n## Parts\n\n| part | n |\n|---|---|\n| fit | 10 |\n\n- one <b>\n- two\n"
SCORES = pl.DataFrame({"person_id": LISTED["person_id"], "base": [-2.0] * LISTED.height})
TOLD = reasons(
    reason("p1", 1, "n_falls_365d", "health", "3 falls recorded in the past year", contribution=0.8),
    reason("p1", 2, "age", "everyday_life", "aged 90 and over", value="97", contribution=0.5),
    reason("p1", 3, "is_female", "everyday_life", None, contribution=-0.3),
    reason("p3", 1, "n_falls_365d", "health", "1 fall recorded in the past year", contribution=0.2),
)
DRIFT = pl.DataFrame(
    {
        "column": ["age", "n_falls_365d"],
        "value": [0.02, 0.31],
        "low": [0.01, 0.25],
        "high": [0.04, 0.4],
        "n": [900, 900],
        "n_events": [300, 300],
        "by_chance": [0.03, 0.02],
        "change": ["chance", "much"],
    },
    schema=STABILITY,
)


class Halves:
    """A model to which every fact adds half its value; what is not known adds nothing."""

    features = NAMES

    def explain(self, features: pl.DataFrame, *, threads: int) -> Explanation:
        values = features.select(pl.col(NAMES).fill_null(0.0)).to_numpy()
        return Explanation(NAMES, np.zeros(len(values)), values / 2)


def people(n: int) -> pl.DataFrame:
    draw = np.random.default_rng(2)
    facts = {name: draw.normal(size=n) * (4 - place) for place, name in enumerate(NAMES)}
    return pl.DataFrame({"person_id": [pseudonym(f"s{at}") for at in range(n)], **facts}).with_columns(
        n_falls_365d=pl.when(pl.int_range(pl.len()) % 3 > 0).then("n_falls_365d")
    )


def drawn_beeswarm(everybody: pl.DataFrame, *, seed: int = 1) -> pl.DataFrame:
    drawn = first_drawn(everybody, PEOPLE_DRAWN, seed=seed)
    return beeswarm_of(Contributions(Halves(), everybody.join(drawn, on="person_id", how="semi")))


def beeswarm(n: int = 40) -> pl.DataFrame:
    everybody = people(n)
    return drawn_beeswarm(everybody)


def sections(**changed):
    given = {
        "beeswarm": beeswarm(),
        "listed": LISTED,
        "reasons": TOLD,
        "scores": SCORES,
        "drift": DRIFT,
        "signed": load_config().may_lower,
        "shows_risk": True,
        "charts": False,
    }
    evidence = changed.pop("evidence", Evidence({"loss_of_independence": measured_tables()}, CARD))
    return annex_sections(evidence, **(given | changed))


def page(told):
    summary = summarise(
        see("group"), facts=FACTS, attrition=LEFT, needs=FOUND, gone=GONE, just_missed=JUST_MISSED, marginal=MARGINAL
    )
    return annex_html(summary, sections=told).decode()


def tables(told):
    return {part["table"]["caption"]: part["table"] for one in told for part in one["parts"] if part["kind"] == "table"}


def charts(told):
    return [part["svg"] for one in told for part in one["parts"] if part["kind"] == "chart"]


@pytest.fixture(scope="module")
def drawn():
    pytest.importorskip("matplotlib", reason="charts need the extra `annex`")
    return sections(charts=True)


def test_every_figure_of_the_wall_stands_in_the_annex():
    table = tables(sections())["The model compared with simpler methods"]

    told = {row[0]: row[1:] for row in table["rows"]}
    for row in measured_tables()["wall"].filter(measure="auroc", band="all").iter_rows(named=True):
        name = {"model": "The model"}.get(row["name"], row["name"].capitalize())
        assert told[name][0] == f"{row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f})"
    assert set(told) == {
        "The model", "Age alone", "Frailty index", "2+ emergency admissions", "Emergency admissions",
        "Logistic regression",
    }  # fmt: skip


def test_the_annex_has_every_part_an_analyst_asks_for():
    assert set(tables(sections())) >= {
        "The model compared with simpler methods",
        "AUROC by age",
        "Risks given, and what happened",
        "Calibration in figures",
        "Group by group",
        "At each agency's capacity",
        "Net benefit per 1,000 people",
        "Mean contributions",
        "The 2 facts that changed most",
    }


def test_groups_of_few_people_are_hidden_and_so_is_what_would_give_them_away():
    rows = {row[0]: row[1:] for row in tables(sections())["Group by group"]["rows"]}

    # Three people: hidden; and the count beside theirs, which with the total would give them away.
    assert rows["Ethnic group: other"] == ["1 to 7", *["not shown"] * 8]
    assert rows["Ethnic group: white"][0] == "not shown"
    assert "(" in rows["Sex: female"][3]


def test_a_share_behind_which_few_events_stand_is_hidden_with_its_count():
    curve = measured_tables()["calibration_curve"].with_columns(
        n_events=pl.when(pl.col("group") == 1).then(3).otherwise("n_events")
    )
    told = sections(evidence=Evidence({"death": {**measured_tables(), "calibration_curve": curve}}))

    assert tables(told)["Risks given, and what happened"]["rows"][0][2:] == ["not shown", "150", "1 to 7"]


def test_capacity_tells_the_worst_and_best_way_to_break_ties():
    row = tables(sections())["At each agency's capacity"]["rows"][-1]
    found = measured_tables()["capacity"].filter(agency="all", measure="ppv").row(0, named=True)

    assert row[:2] == ["All together", "100"]
    assert row[3] == f"{100 * found['worst']:.0f} to {100 * found['best']:.0f} in 100"


def test_what_changed_most_comes_first():
    rows = tables(sections())["The 2 facts that changed most"]["rows"]

    assert rows == [
        ["… falls recorded by the GP in the past year", "0.310 (0.250 to 0.400)", "0.020", "much"],
        ["aged …", "0.020 (0.010 to 0.040)", "0.030", "chance"],
    ]


def test_the_steps_of_a_person_add_up_and_sex_is_none_of_them():
    steps = steps_of(TOLD.filter(person_id=pseudonym("p1")))

    assert steps[:2] == [("3 falls recorded in the past year", 0.8), ("aged 90 and over", 0.5)]
    assert steps[2] == ("all other facts about everyday life", pytest.approx(-0.3))
    assert sum(step for _, step in steps) == pytest.approx(0.8 + 0.5 - 0.3)


def test_a_step_that_lowers_without_a_signature_has_no_name_and_stands_under_its_theme():
    steps = steps_of(
        reasons(
            reason("p1", 1, "has_telecare", "fire", None, contribution=-0.6, direction="lowers"),
            # It raises beside people who fall more, and lowers from where everybody starts.
            reason("p1", 2, "n_falls_365d", "health", "1 fall recorded in the past year", contribution=-0.2),
            reason(
                "p1",
                3,
                "has_dementia",
                "health",
                "no record of dementia, and 4 other health problems not on record",
                contribution=-0.4,
                direction="lowers",
            ),
        )
    )

    assert steps == [
        ("no record of dementia", -0.4),
        ("all other facts about health", -0.2),
        ("all other facts about fire", -0.6),
    ]


def test_the_annex_says_who_signed_which_facts_may_lower():
    told = {each["heading"]: each for each in sections()}["Which facts may lower, and who signed"]
    signed = MayLower(not_on_record=("has_dementia",), signed_by="Dr A Example", role="GP", signed_on=date(2026, 11, 2))

    rows = told["parts"][0]["table"]["rows"]
    assert told["says"][0].startswith("Nobody here has signed this list yet")
    assert ["dementia recorded by the GP", "nothing of the kind is on record"] in rows
    ours = {each["heading"]: each for each in sections(signed=signed)}["Which facts may lower, and who signed"]
    assert ours["says"][0] == "Signed by Dr A Example, GP, on 2 November 2026."
    assert len(ours["parts"][0]["table"]["rows"]) == 1


def test_how_often_ranges_held_stands_first_of_the_calibration_band_by_band():
    found = tables(sections())

    rows = found["How often the ranges held"]["rows"]
    assert rows[0][0] == "0 to 2 in 100"
    assert rows[-1][0] == "40 to 50 in 100"
    captions = list(found)
    assert captions.index("How often the ranges held") < captions.index("Risks given, and what happened")


def test_people_stand_under_the_first_letters_of_their_keys_alone():
    told = page(sections())

    key = LISTED["row_key"][0]
    assert f"{key[:4]} {key[4:8]}" in told
    ids = [*LISTED["person_id"], *LISTED["row_key"], *beeswarm()["person_id"]]
    assert [one for one in ids if one in told] == []


def test_who_may_not_read_the_risk_gets_no_contribution_of_anybody():
    told = sections(shows_risk=False)

    assert {"contributions", "first-people"}.isdisjoint(one["anchor"] for one in told)
    assert "3 falls" not in page(told)


def test_without_charts_the_annex_has_tables_and_says_what_to_install():
    told = sections()

    assert charts(told) == []
    assert told[0]["says"][0] == NO_CHARTS
    assert "ageingwell[annex]" in NO_CHARTS


def test_charts_wait_for_both_libraries_of_the_extra(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(svg, "find_spec", lambda name: None if name == "shap" else object())
    assert not svg.can_draw()


@pytest.mark.slow
def test_nothing_that_draws_is_imported_before_something_is_drawn():
    code = "import sys; import ageingwell.night.score; print({'shap', 'matplotlib'} & set(sys.modules))"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_without_a_bundle_s_evidence_the_annex_is_the_night_s_tables():
    nothing = {"beeswarm": beeswarm().head(0), "reasons": TOLD.head(0), "drift": DRIFT.head(0)}

    assert sections(evidence=Evidence({}), **nothing) == []


def test_every_chart_says_what_it_shows_and_has_its_table(drawn):
    assert len(charts(drawn)) == 4 + 1 + 2  # order, calibration, groups, worth; beeswarm; two people with reasons
    for drawing in charts(drawn):
        title, text = re.findall(r"<title[^>]*>(.+?)</title><desc[^>]*>(.+?)</desc>", drawing)[0]
        assert drawing.startswith('<svg role="img" aria-labelledby=')
        assert title
        assert "table below" in text


def test_charts_need_no_style_script_picture_or_address_of_elsewhere(drawn):
    for drawing in charts(drawn):
        assert not re.search(r"style=|<style|<script|<image|https?:|xlink|url\((?!#)|on\w+=", drawing)


def test_the_page_holds_every_chart_under_names_of_its_own(drawn):
    told = page(drawn)

    names = re.findall(r'\bid="([^"]+)"', told)
    assert len(names) == len(set(names))
    assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', told)) - {"content"} <= set(names)
    assert not [word for word in BANNED if re.search(rf"\b{re.escape(word)}\b", told.lower())]


def test_labels_of_the_records_are_text_in_charts_and_tables(drawn):
    told = page(drawn)

    assert "Z&lt;b&gt;01" in told
    assert "Practice: Z$0000" in told
    assert "<b>01" not in told


def test_the_same_evidence_draws_the_same_bytes(drawn):
    before = np.random.get_state()[1].tolist()

    again = sections(charts=True, beeswarm=beeswarm().reverse(), reasons=TOLD.reverse(), listed=LISTED.reverse())

    assert page(again) == page(drawn)
    assert np.random.get_state()[1].tolist() == before


def test_a_page_of_many_people_stays_small(drawn):
    many = people(3_000)
    swarm = drawn_beeswarm(many)

    assert swarm["person_id"].n_unique() == PEOPLE_DRAWN
    assert swarm["feature"].n_unique() == min(FACTS_DRAWN, len(NAMES))
    assert sum(len(svg) for svg in charts(sections(charts=True, beeswarm=swarm))) < 400_000


def test_people_are_drawn_by_seed_whatever_their_order():
    many = people(600)

    drawn = drawn_beeswarm(many)

    assert drawn.equals(drawn_beeswarm(many.reverse()))
    assert not drawn.equals(drawn_beeswarm(many, seed=2))
    assert "person_id" not in without_names(drawn).columns


def test_a_contribution_is_that_of_the_person_drawn():
    many = people(10)
    drawn = drawn_beeswarm(many)

    joined = drawn.join(many.unpivot(index="person_id", variable_name="feature", value_name="fact"),
                        on=["person_id", "feature"])  # fmt: skip
    assert joined.height == 40
    assert (joined["value"].eq_missing(joined["fact"])).all()
    assert joined["contribution"].to_list() == pytest.approx((joined["fact"].fill_null(0.0) / 2).to_list())


def test_a_card_filled_in_by_hand_is_shown_as_it_stands_and_stays_text():
    told = page(sections(evidence=Evidence({}, CARD + "\n- Owner: <i>Jo</i>\n")))

    assert "<li>one &lt;b&gt;</li>" in told
    assert "&lt;i&gt;Jo&lt;/i&gt;" in told
    assert '<th scope="row">fit</th><td>10</td>' in told


def test_a_card_is_read_block_by_block():
    kinds = [
        block["kind"] for block in blocks_of("# A\n\ntext\nmore\n\n```\ncode | x\n```\n- a\n- b\n\n| h |\n|---|\n| c |")
    ]

    assert kinds == ["heading", "paragraph", "code", "list", "table"]
