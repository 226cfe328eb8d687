"""The pages: what they say, that they load nothing, and that data in them is text."""

import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser

import polars as pl
import pytest
from helpers.views import (
    AS_OF,
    FACTS,
    FOUND,
    GONE,
    JUST_MISSED,
    KEY,
    LEDGER,
    LEFT,
    LISTED,
    MARGINAL,
    PEOPLE,
    attrition,
    pseudonym,
    rows,
    see,
)

from ageingwell.governance.night_facts import NightFacts
from ageingwell.report.html import agency_html, annex_html, report_html
from ageingwell.report.summary import notices, summarise
from ageingwell.report.words import BANNED
from ageingwell.views.apart import homes_for

PAYLOADS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}",
    "</style><b>",
    "&lt;i&gt;",
    "\x00\u202e<b>",
)


def summary(facts=FACTS, left=LEFT, gone=GONE, just_missed=JUST_MISSED, **changed):
    group = see("group", **changed)
    return summarise(
        group, facts=facts, attrition=left, needs=FOUND, gone=gone, just_missed=just_missed, marginal=MARGINAL
    )


def pages(**changed):
    homes = homes_for("fire", needs=FOUND, ledger=LEDGER, as_of=AS_OF, key=KEY)
    facts = changed.get("facts", FACTS)
    told = {name: value for name, value in changed.items() if name in ("rows", "needs", "reasons", "people")}
    return {
        "report": report_html(summary(**changed)).decode(),
        "annex": annex_html(summary(**changed)).decode(),
        **{
            agency: agency_html(see(agency, **told), notices=notices(facts), homes=homes).decode()
            for agency in ("gp", "social_care", "housing", "fire", "voluntary")
        },
    }


class Tags(HTMLParser):
    """The tags and attribute names of a page, in order, and its text."""

    def __init__(self, page):
        super().__init__()
        self.seen, self.text = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, tuple(name for name, _ in attrs)))

    def handle_data(self, data):
        self.text.append(data)


def words_of(page):
    body = page.split("</head>")[1]
    return " ".join(" ".join(Tags(body).text).split())


def test_every_page_is_self_contained_and_forbids_the_rest():
    for page in pages().values():
        policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page).group(1)
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "unsafe" not in policy
        assert policy.endswith("img-src data:; connect-src 'none'; base-uri 'none'; form-action 'none'")
        assert not re.search(r"https?://|//[a-z]|<link|<iframe|@import|url\((?!#)", page)
        assert "style" not in {name for _, names in Tags(page).seen for name in names}
        assert not [name for _, names in Tags(page).seen for name in names if name.startswith("on")]


def test_the_policy_lets_through_our_own_style_and_script_by_their_hashes_and_nothing_else():
    for page in pages().values():
        allowed = dict(re.findall(r"(style|script)-src ('[^']+')", page))
        for kind in ("style", "script"):
            inside = re.findall(rf"<{kind}>(.*?)</{kind}>", page, flags=re.DOTALL)
            hashed = [f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in inside]
            assert (hashed or ["'none'"]) == [allowed[kind]]


def test_every_page_has_a_language_one_heading_captions_scopes_and_a_way_to_skip():
    for page in pages().values():
        tags = [tag for tag, _ in Tags(page).seen]
        assert page.startswith('<!DOCTYPE html>\n<html lang="en-GB">')
        assert tags.count("h1") == 1
        assert tags.count("caption") == tags.count("table") > 0
        assert all("scope" in names for tag, names in Tags(page).seen if tag == "th")
        assert '<a class="skip" href="#content">' in page
        ids = re.findall(r' id="([^"]+)"', page)
        assert len(ids) == len(set(ids))
        assert {name for names in re.findall(r'aria-labelledby="([^"]+)"', page) for name in names.split()} <= set(ids)


def test_no_page_labels_people_or_claims_causes():
    facts = replace(FACTS, rules_only=True)
    for page in (*pages().values(), *pages(facts=facts).values()):
        said = words_of(page).lower()
        assert not [word for word in BANNED if re.search(rf"\b{re.escape(word)}\b", said)]


def test_every_page_says_made_up_missing_and_late():
    for page in pages().values():
        assert "MADE-UP PEOPLE" in page
        assert "no records came from hospital events" in page
        assert "the records from homes may be out of date. The newest is of 1 September 2026." in page


def test_real_people_are_not_called_made_up():
    for page in pages(facts=replace(FACTS, made_up=False)).values():
        assert "MADE-UP" not in page


def test_without_a_usable_model_the_report_says_rules_only_and_why():
    verdict = {"usable": False, "reason": "it does not beat age alone"}
    without = LISTED.with_columns(
        pl.lit(None, dtype=pl.Float64).alias(name) for name in ("risk", "risk_low", "risk_high")
    )
    page = report_html(
        summary(rows=without, facts=replace(FACTS, rules_only=True, bundle={"verdict": verdict}))
    ).decode()

    assert (
        "Rules only: the model is not usable, so no chance is shown and rules alone chose. "
        "Why: it does not beat age alone." in page
    )
    assert "in 100 people with a record like this" not in page


def test_the_report_tells_the_chance_in_words_and_the_list_in_the_groups_keys():
    said = words_of(report_html(summary()).decode())

    assert "if 100 people had a record like this, this many would start home care, enter a care home" in said
    assert "About 35 in 100 (30 to 40)" in said
    assert see("group").frame["row_key"][0][:4] in said


def test_the_report_counts_who_was_considered_and_left_out_through_the_door():
    told = summary()

    # 2 + 40 + 11 + 4,300 + 450 + 6 = 4,809, to the nearest 5.
    assert told["n_considered"] == "4,810"
    counts = {row["reason"]: row["n"] for row in told["left_out"]}
    assert counts["asked not to be included"] == "60"
    assert counts["asked for their record to be restricted"] == "1 to 7"
    # Deaths are few and hidden; so is `listed` (6), and two hidden cells protect each other.
    assert counts["has died"] == "1 to 7"
    assert counts["with the safeguarding lead"] == "10"
    assert told["gone"] == [{"reason": "has died", "n": "1 to 7"}, {"reason": "has moved away", "n": "not shown"}]


def test_the_annex_hides_what_the_report_hides():
    told = summary(
        left=attrition(("eligible", "deceased", 2), ("eligible", "cooling_off", 40), ("listed", "listed", 90))
    )
    table = next(table for table in told["annex"] if table["caption"].startswith("Everyone"))

    assert table["rows"] == [
        ["Not offered help tonight", "visited or contacted recently, so not asked again yet", "not shown"],
        ["Not offered help tonight", "has died", "1 to 7"],
        ["On the list", "on the list", "90"],
    ]
    assert told["left_out"][0]["n"] == "not shown"


def test_no_page_holds_a_pseudonym_of_the_group_or_a_contribution():
    ours = [
        *LISTED["person_id"],
        *LISTED["household_id"].drop_nulls(),
        pseudonym("h77"),
        pseudonym("h8"),
        pseudonym("g1"),
    ]
    for page in pages().values():
        assert not [one for one in ours if one in page]
        assert "0.31415" not in page


def pages_with(word):
    return pages(
        rows=LISTED.with_columns(place=pl.lit(word), action=pl.lit(word), band=pl.lit(word)),
        people=PEOPLE.with_columns(communication_need=pl.lit(word)),
        facts=replace(FACTS, messages=[word], bundle={"verdict": {"usable": True, "reason": word}}),
        just_missed=JUST_MISSED.with_columns(place=pl.lit(word)),
    )


@pytest.mark.parametrize("payload", PAYLOADS)
def test_markup_in_the_records_is_text_on_every_page(payload):
    plain, attacked = pages_with("Clun"), pages_with(payload)

    for name in ("report", "gp", "fire", "housing"):
        assert Tags(attacked[name]).seen == Tags(plain[name]).seen
    assert {tag for tag, _ in Tags(attacked["annex"]).seen} <= {tag for tag, _ in Tags(plain["annex"]).seen}
    assert "49" not in words_of(attacked["fire"])
    assert not set("\x00\u202e") & set("".join(attacked.values()))


def test_the_same_night_gives_the_same_bytes():
    turned = {"rows": LISTED.reverse(), "needs": FOUND.reverse(), "people": PEOPLE.reverse()}

    assert pages(**turned) == pages()


def test_an_empty_night_is_told_as_one():
    page = report_html(summary(rows=rows(), gone=None, left=attrition(("rank", "no_need_or_high_risk", 100)))).decode()

    assert "Nobody is on this list tonight." in page
    assert (
        annex_html(
            summarise(see("group", rows=rows()), facts=NightFacts(AS_OF), attrition=attrition(), needs=FOUND.head(0))
        )
        .decode()
        .count("There is nothing to show.")
        == 1
    )
