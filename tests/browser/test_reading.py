"""What a reader does with a report: narrow the list, put it in order, open a person, go on, go back."""

import pytest


@pytest.fixture
def report(night, open_page):
    return open_page(night / "report.html").page


def shown(page):
    return page.locator("tr[data-card]:not([hidden])")


def leads(page):
    return [
        text.strip()
        for text in shown(page)
        .locator('td[data-label="Lead, and by when"]')
        .evaluate_all("cells => cells.map(cell => cell.firstChild.textContent)")
    ]


def keys(page):
    return shown(page).locator("th a").all_inner_texts()


def longest_answer(page):
    """The suggested lead of most people: its option ends in how many."""
    options = page.get_by_label("Suggested lead", exact=True).locator("option").all_inner_texts()[1:]
    return max(options, key=lambda text: int(text.rsplit("(", 1)[1].rstrip(")")))


def pages_open(page):
    return page.locator(".card:visible").evaluate_all("cards => cards.map(card => card.id)")


def test_the_list_opens_whole_with_every_other_page_folded_away(report):
    n = report.locator("tr[data-card]").count()

    assert n > 20
    assert report.locator("[data-told]").inner_text() == f"{n} of {n} people shown"
    assert pages_open(report) == []


def test_narrowing_by_lead_leaves_those_of_that_lead_and_says_how_many(report):
    everyone = leads(report)

    report.get_by_label("Suggested lead", exact=True).select_option(index=1)

    left = leads(report)
    assert len(set(left)) == 1
    assert len(left) == everyone.count(left[0])
    assert report.locator("[data-told]").inner_text() == f"{len(left)} of {len(everyone)} people shown"


def test_two_questions_narrow_together_and_one_button_shows_all_again(report):
    everyone = keys(report)
    report.get_by_label("Suggested lead", exact=True).select_option(index=1)
    by_lead = set(keys(report))
    report.get_by_label("Suggested lead", exact=True).select_option("")
    report.get_by_label("Need", exact=True).select_option(index=2)
    by_need = set(keys(report))

    report.get_by_label("Suggested lead", exact=True).select_option(index=1)
    assert set(keys(report)) == by_lead & by_need

    report.get_by_role("button", name="Show all").click()
    assert keys(report) == everyone


def test_an_answer_counts_the_people_it_leaves(report):
    for option in report.get_by_label("Need", exact=True).locator("option").all()[1:]:
        text = option.inner_text()
        report.get_by_label("Need", exact=True).select_option(label=text)
        assert text.endswith(f"({shown(report).count()})")


def test_the_list_can_be_put_in_another_order_and_back(report):
    listed = keys(report)

    report.get_by_label("Order", exact=True).select_option("lead")
    assert leads(report) == sorted(leads(report))
    assert report.locator("tr.block:visible").count() == 0

    report.get_by_label("Order", exact=True).select_option("-age")
    ages = [text.split(",")[0] for text in shown(report).locator("th .under").all_inner_texts()]
    assert ages == sorted(ages, reverse=True)

    report.get_by_label("Order", exact=True).select_option("")
    assert keys(report) == listed
    assert report.locator("tr.block:visible").count() > 1


def test_neither_order_nor_narrowing_is_remembered(report):
    report.evaluate("[localStorage, sessionStorage].forEach((kept) => kept.clear())")  # what pages before have kept
    listed = keys(report)
    report.get_by_label("Order", exact=True).select_option("lead")
    report.get_by_label("Suggested lead", exact=True).select_option(index=1)

    report.reload()

    assert keys(report) == listed
    assert report.get_by_label("Suggested lead", exact=True).input_value() == ""
    assert report.evaluate("document.cookie + Object.keys(localStorage) + Object.keys(sessionStorage)") == ""


def test_a_person_is_opened_from_the_list_by_keyboard_alone(report):
    link = shown(report).locator("th a").nth(1)
    link.focus()
    report.keyboard.press("Enter")
    report.wait_for_selector("#person-2.open")

    assert pages_open(report) == ["person-2"]
    assert report.evaluate("document.activeElement.id") == "person-2-name"
    assert report.locator(".front").is_hidden()
    assert report.title().startswith("Person ")

    report.keyboard.press("Tab")
    report.get_by_role("link", name="Back to the list").locator("visible=true").press("Enter")
    report.wait_for_selector(".card.open", state="detached")

    assert pages_open(report) == []
    assert report.evaluate("document.activeElement.getAttribute('href')") == "#person-2"


def test_next_and_previous_go_through_the_people_shown(report):
    report.get_by_label("Suggested lead", exact=True).select_option(label=longest_answer(report))
    wanted = shown(report).evaluate_all("rows => rows.map(row => row.dataset.card)")
    assert len(wanted) >= 3

    shown(report).locator("th a").first.click()
    for anchor in wanted[1:3]:
        report.locator(".card.open").get_by_role("link", name="Next").click()
        report.wait_for_selector(f"#{anchor}.open")
        assert pages_open(report) == [anchor]
    report.locator(".card.open").get_by_role("link", name="Previous").click()
    report.wait_for_selector(f"#{wanted[1]}.open")
    assert pages_open(report) == [wanted[1]]

    report.go_back()
    report.wait_for_selector(f"#{wanted[2]}.open")
    assert pages_open(report) == [wanted[2]]


def test_the_link_that_skips_the_top_stays_on_the_page_that_is_open(report):
    shown(report).locator("th a").first.click()
    report.locator(".skip").focus()
    report.keyboard.press("Enter")

    assert pages_open(report) == ["person-1"]


def test_who_reads_the_risk_opens_a_person_from_its_own_list(night, open_page):
    page = open_page(night / "agencies" / "gp.html").page
    shown(page).locator("th a").first.click()

    assert pages_open(page) == ["person-1"]
    assert page.locator(".card.open h2").inner_text().startswith("Person ")
    assert page.locator(".card.open .figures").count() > 0


def test_an_agency_opens_a_door_from_its_own_list(night, open_page):
    others = [path for path in (night / "agencies").glob("*.html") if path.stem != "gp"]
    longest = max(others, key=lambda path: path.stat().st_size)
    page = open_page(longest).page
    shown(page).locator("th a").first.click()

    assert pages_open(page) == ["door-1"]
    assert page.locator(".card.open h2").inner_text().startswith("Home ")


def test_with_scripts_off_everything_stands_open_in_order_and_links_lead_there(night, open_page):
    page = open_page(night / "report.html", scripts=False).page
    n = page.locator("tr[data-card]").count()

    assert page.locator(".card:visible").count() == n
    assert page.locator(".finder").is_hidden()
    assert page.locator(".front").is_visible()

    page.locator("th a").nth(n - 1).click()
    assert page.url.endswith(f"#person-{n}")
    assert page.locator(f"#person-{n}").bounding_box()["y"] < 900


def test_no_page_asks_for_anything_but_itself_and_its_policy_is_kept(night, open_page):
    for path in sorted(night.rglob("*.html")):
        opened = open_page(path)
        assert opened.asked_for == [path.resolve().as_uri()]
        assert opened.complaints == []


def test_the_content_policy_stops_what_a_page_might_be_made_to_do(night, open_page):
    opened = open_page(night / "report.html")
    done = opened.page.evaluate(
        """async () => {
            document.body.insertAdjacentHTML("beforeend", '<p id="styled" style="color: red">x</p>');
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            document.body.append(script);
            const sent = await fetch("https://example.org/").then(() => true, () => false);
            return [window.ran === true, sent, getComputedStyle(document.getElementById("styled")).color];
        }"""
    )

    assert done == [False, False, "rgb(27, 31, 35)"]
    assert len(opened.asked_for) == 1
    assert sum("Content Security Policy" in complaint for complaint in opened.complaints) >= 3
