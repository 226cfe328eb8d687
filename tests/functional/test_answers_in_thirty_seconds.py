"""Nine kinds of reader, five questions each: the answer stands within the first 120 words of what each opens.

Four words a second: 120 are thirty seconds. The answers are worked out from the night's own frames and from the records
that were sent, never from the pages. What cannot be answered yet stands in `NOT_YET`, with the reason.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from helpers.counties import NIGHT, copy_of, settings_file
from helpers.filled import fill, keys_of
from helpers.thirty_seconds import read_in_thirty_seconds, words_of_page, words_of_sheet
from helpers.views import AS_OF, FACTS, FOUND, LEFT, see

from ageingwell.cli import cli
from ageingwell.config.load import load_config
from ageingwell.jobs.viewing import explained, view_text
from ageingwell.night.score import OutreachRun, score
from ageingwell.pseudonyms import Key, row_key
from ageingwell.register import LEAD_AGENCIES, Recipient
from ageingwell.report.html import report_html
from ageingwell.report.summary import summarise
from ageingwell.views.words import NEED_WORDS, agency_words, day_words

pytestmark = pytest.mark.slow

MEETING = NIGHT + timedelta(days=2)
NEXT = NIGHT + timedelta(days=7)
SHORT_DAY = f"{MEETING.day} November"  # a day of this year
OVERDUE_BY = NIGHT + timedelta(days=4)


@dataclass(frozen=True)
class Later:
    """A night a week after a meeting: its folder, its frames, the records, and what the meeting decided."""

    run: OutreachRun
    records: Path
    decided: dict[str, str]

    @property
    def folder(self) -> Path:
        return self.run.folder

    def frame(self, name: str) -> pl.DataFrame:
        return pl.read_parquet(self.folder / f"{name}.parquet")

    def table(self, name: str) -> pl.DataFrame:
        return pl.read_parquet(self.records / f"{name}.parquet")

    def view(self, recipient: str) -> pl.DataFrame:
        """The recipient's rows, in the order of its list, each with the person it is of."""
        place = self.folder / ("" if recipient == "group" else "agencies") / f"{recipient}.parquet"
        keys = row_key(pl.col("person_id"), recipient=recipient, as_of=NEXT, key=Key.made_up(0))
        people = self.frame("list").select("person_id", "household_id", row_key=keys)
        return pl.read_parquet(place).join(people, on="row_key", how="left", maintain_order="left").with_row_index("at")

    def page(self, recipient: str) -> Path:
        return self.folder / ("report.html" if recipient == "group" else f"agencies/{recipient}.html")

    def card(self, recipient: str, row: dict[str, Any]) -> str:
        """The anchor of the page that opens from a row."""
        if recipient in ("group", "gp"):
            return f"person-{row['at'] + 1}"
        homes = self.view(recipient)["household_key"].to_list()
        doors: list[Any] = []
        for home in homes[: row["at"] + 1]:
            if not doors or doors[-1] != home or " " in home:
                doors.append(home)
        return f"door-{len(doors)}"

    def need_of(self, person: str, lead: str) -> dict[str, Any]:
        """The most urgent need of a person that an agency leads on."""
        order = pl.col("urgency").replace_strict({"urgent": 0, "soon": 1, "routine": 2}, return_dtype=pl.Int64)
        found = self.frame("needs").filter((pl.col("person_id") == person) & (pl.col("lead_agency") == lead))
        return found.sort(order, "need").to_dicts()[0]


@pytest.fixture(scope="module")
def later(county: Path, bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Later:
    """Two nights a week apart, with a meeting between them that decided about three people."""
    at = tmp_path_factory.mktemp("later")
    copy_of(county, at / "county")
    _with_fire_risks(at / "county")
    places = {f"capacity.{agency}": 45 for agency in ("fire", "housing", "gp", "social_care")}  # room to visit together
    config = load_config(settings_file(at / "config", bundle=bundle, outreach=places))
    score(at / "county", as_of=NIGHT, out=at / "out", config=config)
    book = at / "out" / "current" / "group.xlsx"
    listed = pl.read_parquet(at / "out" / "current" / "list.parquet")
    keys = keys_of(book)
    leads = dict(zip(keys, _leads_of(listed, keys), strict=True))
    people = dict(zip(keys, _people_of(listed, keys), strict=True))
    chosen = [next(key for key, lead in leads.items() if lead == agency) for agency in ("gp", "social_care", "fire")]
    agreed = {"decision": "Contact now", "reason": "Need agreed", "by_when": OVERDUE_BY.isoformat()}
    answers = {key: agreed | {"led_by": agency_words(leads[key])} for key in chosen}
    filled = fill(book, answers, to=at / "back.xlsx")
    ran = CliRunner().invoke(cli, ["record", str(filled), "--out", str(at / "out"), "--recorded-on", str(MEETING)])
    assert ran.exit_code == 0, ran.output
    run = score(at / "county", as_of=NEXT, out=at / "out", config=config)
    return Later(run, at / "county", {leads[key]: people[key] for key in chosen})


def _with_fire_risks(folder: Path) -> None:
    """Homes where a visit found much: a county this small has too few of them to ask about."""
    visits, patients = (pl.read_parquet(folder / f"{name}.parquet") for name in ("fire_visits", "gp_patients"))
    older = patients.filter(pl.col("birth_month") < date(1950, 1, 1)).drop_nulls("household_id")
    homes = older["household_id"].unique().sort().head(36)
    found = pl.DataFrame({"household_id": homes}).with_row_index("number")
    much = pl.col("number") < 8
    answers = {
        "visited_on": pl.lit(date(2026, 11, 9)),
        "recorded_on": pl.lit(date(2026, 11, 10)),
        "visit_outcome": pl.lit("completed"),
        "household_match": pl.lit("exact"),
        "smoke_alarm_working": pl.lit("no"),
        "smoker": pl.when(much).then(pl.lit("yes")).otherwise(pl.lit("no")),
        "home_oxygen": pl.when(much).then(pl.lit("yes")).otherwise(pl.lit("no")),
        "mobility": pl.when(much).then(pl.lit("hoist_or_bed")).otherwise(pl.lit("independent")),
        "care_support": pl.when(much).then(pl.lit("none_concern")).otherwise(pl.lit("none_needed")),
    }
    rows = found.with_columns(**answers)
    rows = rows.with_columns(pl.lit(None).alias(name) for name in visits.columns if name not in rows.columns)
    same = rows.select(pl.col(name).cast(kind) for name, kind in visits.schema.items())
    pl.concat([visits, same]).write_parquet(folder / "fire_visits.parquet")
    events = pl.read_parquet(folder / "housing_events.parquet")
    asked = found.with_columns(
        event_type=pl.lit("hazard_found"),
        hazard=pl.lit("excess_cold"),
        category=pl.lit(1),
        happened_on=pl.lit(date(2026, 3, 3)),
        recorded_on=pl.lit(date(2026, 3, 10)),
        household_match=pl.lit("exact"),
        case_id=pl.col("household_id"),
    )
    asked = asked.with_columns(pl.lit(None).alias(name) for name in events.columns if name not in asked.columns)
    waiting = asked.select(pl.col(name).cast(kind) for name, kind in events.schema.items())
    pl.concat([events, waiting]).write_parquet(folder / "housing_events.parquet")


def _keyed(listed: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    own = row_key(pl.col("person_id"), recipient="group", as_of=NIGHT, key=Key.made_up(0))
    return pl.DataFrame({"key": keys}).join(listed.with_columns(key=own), on="key", how="left", maintain_order="left")


def _leads_of(listed: pl.DataFrame, keys: list[str]) -> list[str]:
    return _keyed(listed, keys)["lead_agency"].to_list()


def _people_of(listed: pl.DataFrame, keys: list[str]) -> list[str]:
    return _keyed(listed, keys)["person_id"].to_list()


# What each question opens, and what has to stand there: a night → the words in the order read, and the answers.
Asked = Callable[[Later], tuple[list[str], list[str]]]
QUESTIONS: dict[tuple[str, str], Asked] = {}
NOT_YET: dict[tuple[str, str], str] = {
    ("Link worker", "What would they like?"): (
        "what matters to a person is in their plan; no ledger that we ship lets the voluntary sector read plans"
    ),
    ("IG lead", "What do you hold on Mrs X?"): "there is no command for one person's access request yet",
    ("IG lead", "How long kept, which model, who printed?"): "nights have no day on which they expire yet",
    ("Clinical safety", "Hazards and controls?"): "there is no hazard log yet",
}


def asks(persona: str, question: str) -> Callable[[Asked], Asked]:
    def keep(asked: Asked) -> Asked:
        QUESTIONS[persona, question] = asked
        return asked

    return keep


def first(view: pl.DataFrame, *conditions: pl.Expr) -> dict[str, Any]:
    """The first row of a view for which all conditions hold; a night without one could not answer the question."""
    rows = view.filter(pl.all_horizontal(pl.lit(value=True), *conditions)).to_dicts()
    assert rows, "this night has nobody to ask the question of"
    return rows[0]


def code(key: str) -> str:
    return f"{key[:4]} {key[4:8]}"


# Practice manager


@asks("Practice manager", "Which of my patients are listed?")
def _(night: Later) -> tuple[list[str], list[str]]:
    practice = sorted((night.folder / "agencies" / "gp").glob("*.html"))[0]
    people = night.frame("people").filter(pl.col("practice_code") == practice.stem)
    n = night.view("gp").join(people.select("person_id"), on="person_id", how="semi").height
    return words_of_page(practice), [practice.stem, f"{n} people"]


@asks("Practice manager", "Is it us? What, by when?")
def _(night: Later) -> tuple[list[str], list[str]]:
    row = first(night.view("gp"), pl.col("part") == "You lead")
    told = night.frame("list").filter(person_id=row["person_id"]).to_dicts()[0]
    when = [day_words(told["act_by"])] if told.get("act_by") else []
    return words_of_page(night.page("gp"), night.card("gp", row)), ["You lead", told["action"], *when]


@asks("Practice manager", "Who else sees this person?")
def _(night: Later) -> tuple[list[str], list[str]]:
    row = first(night.view("gp"), pl.col("known_to").list.len() >= 2)
    known = night.frame("list").filter(person_id=row["person_id"])["known_to"].to_list()[0]
    return words_of_page(night.page("gp"), f"row:{row['at'] + 1}"), [agency_words(one) for one in known]


@asks("Practice manager", "What was decided last time?")
def _(night: Later) -> tuple[list[str], list[str]]:
    row = first(night.view("gp"), pl.col("person_id") == night.decided["gp"])
    return words_of_page(night.page("gp"), night.card("gp", row)), ["Contact now", SHORT_DAY]


@asks("Practice manager", "Can I trust it?")
def _(night: Later) -> tuple[list[str], list[str]]:
    return words_of_page(night.page("gp")), [track_record(night)["n_happened"], "up to date"]


# Social worker


@asks("Social worker", "Whom do I visit, in what order?")
def _(night: Later) -> tuple[list[str], list[str]]:
    one, other = night.view("social_care")["row_key"].head(2).to_list()
    return words_of_page(night.page("social_care"), "list"), [code(one), code(other)]


@asks("Social worker", "Why this person?")
def _(night: Later) -> tuple[list[str], list[str]]:
    row = first(night.view("social_care"), pl.col("part") == "You lead", pl.col("facts").list.len() >= 1)
    return words_of_page(night.page("social_care"), night.card("social_care", row)), [
        *row["needs"][:1],
        *row["facts"][:1],
    ]


@asks("Social worker", "Is anyone already in?")
def _(night: Later) -> tuple[list[str], list[str]]:
    known = night.frame("list").select("person_id", told="known_to")
    view = night.view("social_care").join(known, on="person_id")
    row = first(view, pl.col("told").list.contains("housing") | pl.col("told").list.contains("fire"))
    readable = [agency_words(one) for one in row["told"] if one in ("social_care", "housing", "fire")]
    if row["person_id"] in night.frame("coarsened").filter(recipient="social_care")["person_id"]:
        # A row that fewer than ten people could be of tells less, and says whom to ask.
        readable = ["Ask the group"]
    return words_of_page(night.page("social_care"), night.card("social_care", row)), readable


@asks("Social worker", "What can I offer, whom do I ring?")
def _(night: Later) -> tuple[list[str], list[str]]:
    return offered(night, "social_care")


@asks("Social worker", "What did they say last time? Any risk to me?")
def _(night: Later) -> tuple[list[str], list[str]]:
    row = first(night.view("social_care"), pl.col("person_id") == night.decided["social_care"])
    return words_of_page(night.page("social_care"), night.card("social_care", row)), [
        "Contact now",
        SHORT_DAY,
    ]


# Housing officer


@asks("Housing officer", "What needs doing?")
def _(night: Later) -> tuple[list[str], list[str]]:
    row = first(night.view("housing"), pl.col("part") == "You lead")
    words = NEED_WORDS[night.need_of(row["person_id"], "housing")["need"]]
    told = [one for one in row["needs"] if one.casefold() in (words.name.casefold(), words.functional.casefold())]
    return words_of_page(night.page("housing"), night.card("housing", row)), [*told, row["action"]]


@asks("Housing officer", "Joint visit, with whom?")
def _(night: Later) -> tuple[list[str], list[str]]:
    # Who leads is told as far as housing may read: else it says whom to ask.
    row = first(night.view("housing"), pl.col("part") != "You lead")
    return words_of_page(night.page("housing"), night.card("housing", row)), [row["part"], row["lead_agency"]]


@asks("Housing officer", "What may I be told?")
def _(night: Later) -> tuple[list[str], list[str]]:
    return words_of_page(night.page("housing")), ["home"]


@asks("Housing officer", "What did we do already?")
def _(night: Later) -> tuple[list[str], list[str]]:
    events = night.table("housing_events").filter(pl.col("happened_on") >= NEXT - timedelta(days=1095))
    known = events.filter(pl.col("recorded_on") < NEXT)
    newest = known.group_by("household_id").agg(pl.col("happened_on").max())
    row = first(night.view("housing").join(newest, on="household_id", maintain_order="left"))
    return words_of_page(night.page("housing"), night.card("housing", row)), [day_words(row["happened_on"])]


# Fire officer

_VISIT = ("visited_on", "visit_outcome")


@asks("Fire officer", "Which homes, in what order?")
def _(night: Later) -> tuple[list[str], list[str]]:
    rows = night.view("fire").head(2).to_dicts()
    return words_of_page(night.page("fire"), "list"), [code(rows[0]["row_key"]), rows[0]["place"]]


@asks("Fire officer", "Which factor?")
def _(night: Later) -> tuple[list[str], list[str]]:
    row = first(night.view("fire"), pl.col("part") == "You lead", pl.col("facts").list.len() >= 1)
    criteria = night.frame("needs").filter(person_id=row["person_id"])["criterion"].str.split("; ").explode().to_list()
    return words_of_page(night.page("fire"), night.card("fire", row)), [
        fact for fact in row["facts"][:1] if fact.casefold() in [one.casefold() for one in criteria]
    ]


@asks("Fire officer", "Can they get out?")
def _(night: Later) -> tuple[list[str], list[str]]:
    helped = pl.col("facts").list.join("; ").str.to_lowercase().str.contains("may need help to")
    row = first(night.view("fire"), helped)
    return words_of_page(night.page("fire"), night.card("fire", row)), ["may need help to"]


@asks("Fire officer", "Last visit, and its outcome?")
def _(night: Later) -> tuple[list[str], list[str]]:
    visits = night.table("fire_visits").filter(
        (pl.col("visited_on") >= NEXT - timedelta(days=1095)) & (pl.col("recorded_on") < NEXT)
    )
    visits = visits.filter(pl.col("household_match").is_null() | (pl.col("household_match") != "low"))
    newest = visits.sort("visited_on").group_by("household_id").last().select("household_id", *_VISIT)
    words = {"completed": "done", "refused": "refused", "no_access": "no one let us in", "not_suitable": "not suitable"}
    row = first(night.view("fire").join(newest, on="household_id", maintain_order="left"))
    return words_of_page(night.page("fire"), night.card("fire", row)), [
        day_words(row["visited_on"]),
        words[row["visit_outcome"]],
    ]


@asks("Fire officer", "Joint? Whom do I tell after?")
def _(night: Later) -> tuple[list[str], list[str]]:
    row = first(night.view("fire"), pl.col("part") != "You lead")
    return words_of_page(night.page("fire"), night.card("fire", row)), [row["part"], row["lead_agency"]]


# Link worker


@asks("Link worker", "Whom do I contact?")
def _(night: Later) -> tuple[list[str], list[str]]:
    n = night.view("voluntary").height
    return words_of_page(night.page("voluntary")), [f"{n} people", "the agency that leads makes contact first"]


@asks("Link worker", "Do they know? Did they agree?")
def _(night: Later) -> tuple[list[str], list[str]]:
    row = first(night.view("voluntary"))
    return words_of_page(night.page("voluntary"), night.card("voluntary", row)), [row["person_told"]]


@asks("Link worker", "What is on, when, phone?")
def _(night: Later) -> tuple[list[str], list[str]]:
    return offered(night, "voluntary")


@asks("Link worker", "What did they say last time?")
def _(night: Later) -> tuple[list[str], list[str]]:
    row = first(night.view("voluntary"))
    return words_of_page(night.page("voluntary"), night.card("voluntary", row)), ["last time"]


# Group chair


@asks("Group chair", "How many, new, left?")
def _(night: Later) -> tuple[list[str], list[str]]:
    listed = night.frame("list")
    homes = listed.select(pl.coalesce("household_id", "person_id")).to_series().n_unique()
    new, left = listed["new_since_last"].sum(), night.frame("left_list").height
    return words_of_page(night.page("group")), [
        f"{listed.height} people",
        f"{homes} homes",
        f"{new} new",
        f"{left} left",
    ]


@asks("Group chair", "Are places used; who is waiting?")
def _(night: Later) -> tuple[list[str], list[str]]:
    marginal = night.frame("marginal")
    return words_of_page(night.page("group")), [
        f"{marginal['used'].sum()} of {marginal['places'].sum()} visits",
        "no visit this week",
    ]


@asks("Group chair", "What was decided, what is overdue?")
def _(night: Later) -> tuple[list[str], list[str]]:
    return words_of_page(night.page("group")), [
        f"{len(night.decided)} decided",
        f"{len(night.decided)} overdue",
    ]


@asks("Group chair", "Does the list find the right people?")
def _(night: Later) -> tuple[list[str], list[str]]:
    told = track_record(night)
    return words_of_page(night.page("group")), [told["n_listed"], told["n_happened"], told["n_by_age"]]


@asks("Group chair", "Who is missed, is it fair?")
def _(night: Later) -> tuple[list[str], list[str]]:
    weaker = manifest(night)["works_less_well_for"]
    return words_of_page(night.page("group")), [weaker[0].split(":")[0].split(";")[0].split(" (")[0]]


# Commissioner


@asks("Commissioner", "Largest needs, where?")
def _(night: Later) -> tuple[list[str], list[str]]:
    residents = night.frame("residents").select("person_id", "place").drop_nulls()
    placed = night.frame("needs").select("person_id", "need").join(residents, on="person_id")
    need = placed.group_by("need").agg(n=pl.col("person_id").n_unique()).sort("n", "need", descending=[True, False])
    top = need["need"][0]
    there = placed.filter(need=top).group_by("place").agg(n=pl.col("person_id").n_unique())
    place = there.sort("n", descending=True)
    return words_of_page(night.folder / "commissioning.html"), [NEED_WORDS[top].name, place["place"][0]]


@asks("Commissioner", "What is missing or full, and why?")
def _(night: Later) -> tuple[list[str], list[str]]:
    return words_of_page(night.folder / "commissioning.html"), ["no service nearby", "full"]


def _shown(n: int) -> str:
    """A count as a page may show it, by hand: to the nearest 5, and not from 1 to 7."""
    return "1 to 7" if 0 < n < 8 else f"{(n + 2) // 5 * 5:,}"


@asks("Commissioner", "What would one more worker buy, at what cost?")
def _(night: Later) -> tuple[list[str], list[str]]:
    first = pl.read_parquet(night.folder.parent / str(NIGHT) / "counted.parquet")
    more = dict(first.filter(of="one more worker", other="homes").select("one", "n").iter_rows())
    # The quarter's page is of its first night. 55 pounds a fire visit, 10 in a week, 42 weeks; a nurse's hour is 57
    # and a social worker's 61, and a visit takes an hour and a half.
    a_year = {"fire": 55 * 420, "gp": 57 * 1.5 * 420, "social_care": 61 * 1.5 * 420}
    assert set(more) == set(LEAD_AGENCIES)
    if not any(more.values()):
        return words_of_page(night.folder / "commissioning.html"), ["nobody new would be reached"]
    reached = {agency: int(_shown(more[agency])) for agency in a_year if more[agency] >= 8}
    best = min(reached, key=lambda agency: a_year[agency] / reached[agency])
    pounds = f"£{round(a_year[best], -2):,.0f}"
    said = f"{agency_words(best)}: about {reached[best]} more homes in a week, {pounds} a year"
    return words_of_page(night.folder / "commissioning.html"), [said]


@asks("Commissioner", "Did last year's spending help?")
def _(night: Later) -> tuple[list[str], list[str]]:
    # Nobody has compared visits with no visits here, and the page may not say more than that.
    return words_of_page(night.folder / "commissioning.html"), ["did it help? not known yet"]


@asks("Commissioner", "Fair, and getting better?")
def _(night: Later) -> tuple[list[str], list[str]]:
    first = pl.read_parquet(night.folder.parent / str(NIGHT) / "counted.parquet")
    states = dict(first.filter(of="people by rurality").group_by("other").agg(pl.col("n").sum()).iter_rows())
    listed, waiting = (int(_shown(states[f"A need, {what}"])) for what in ("on the list", "waiting"))
    share = f"{int(100 * listed / (listed + waiting) + 0.5)} in 100"
    return words_of_page(night.folder / "commissioning.html"), ["of people with a need", share, "first quarter"]


# IG lead


def told_by_views_explain(night: Later, recipient: Recipient) -> list[str]:
    return view_text(explained(recipient, night.run, config=load_config())).split()


@asks("IG lead", "Who sees what, on what basis, till when?")
def _(night: Later) -> tuple[list[str], list[str]]:
    return told_by_views_explain(night, "fire"), ["health", "made-up data", "2099-12-31"]


@asks("IG lead", "Who opted out, how many?")
def _(night: Later) -> tuple[list[str], list[str]]:
    return words_of_page(night.page("group"), "leftout-part"), ["opt-out"]


@asks("IG lead", "Can a view leak?")
def _(night: Later) -> tuple[list[str], list[str]]:
    return told_by_views_explain(night, "housing"), ["health"]


# Clinical safety


@asks("Clinical safety", "Intended use, prohibited use?")
def _(night: Later) -> tuple[list[str], list[str]]:
    return words_of_page(night.folder / "annex.html"), ["use it to", "never use it"]


@asks("Clinical safety", "Accuracy by group, calibration?")
def _(night: Later) -> tuple[list[str], list[str]]:
    return words_of_page(night.folder / "annex.html", "figures"), ["for every 100 expected", "missed"]


@asks("Clinical safety", "Late or missing data at the point of use?")
def _(night: Later, tmp_path: Path | None = None) -> tuple[list[str], list[str]]:
    assert FACTS.missing == ["hospital_events"]
    assert date(2026, 11, 22) == AS_OF
    page = night.records / "degraded.html"
    page.write_bytes(report_html(summarise(see("group"), facts=FACTS, attrition=LEFT, needs=FOUND)))
    return words_of_page(page), ["hospital events"]


@asks("Clinical safety", "Model changed? Who approved?")
def _(night: Later) -> tuple[list[str], list[str]]:
    digest = manifest(night)["bundle"]["digest"]
    return words_of_page(night.folder / "annex.html", "figures"), [digest[:8], "approved by"]


def manifest(night: Later) -> dict[str, Any]:
    import json

    return dict(json.loads((night.folder / "manifest.json").read_text(encoding="utf-8")))


def track_record(night: Later) -> dict[str, str]:
    return dict(manifest(night)["track_record"])


def offered(night: Later, recipient: str) -> tuple[list[str], list[str]]:
    """A row for which a service was found: its telephone, and when it is on, as the directory has them."""
    services = night.frame("services").drop_nulls("telephone")
    for row in night.view(recipient).to_dicts():
        for service in services.to_dicts():
            if row["offers"][0].startswith(f"{service['name']}, {service['telephone']}"):
                words = words_of_page(night.page(recipient), night.card(recipient, row))
                return words, [service["telephone"], service["when"]]
    raise AssertionError("no service was offered to anybody")


@asks("Housing officer", "Which addresses?")
def _(night: Later) -> tuple[list[str], list[str]]:
    # Whose key stands for which home is the agency's own knowledge: it is matched in test_last_mile. Here: that the
    # workbook an agency works with has room in front for it, and begins with who and where.
    book = night.folder / "agencies" / "housing.xlsx"
    row = night.view("housing").to_dicts()[0]
    return words_of_sheet(book, row=2), [code(row["row_key"]), row["place"]]


def test_there_are_nine_readers_with_five_questions_each():
    every = [*QUESTIONS, *NOT_YET]

    assert len(every) == len(set(every)) == 45
    personas = [persona for persona, _ in every]
    assert {persona: personas.count(persona) for persona in personas} == dict.fromkeys(sorted(set(personas)), 5)
    assert len(QUESTIONS) >= 38


@pytest.mark.parametrize(("persona", "question"), list(QUESTIONS))
def test_the_answer_is_read_within_thirty_seconds(persona, question, later):
    words, answers = QUESTIONS[persona, question](later)

    assert answers, "a question without an answer to look for would always pass"
    read = read_in_thirty_seconds(words)
    missing = [answer for answer in answers if answer.casefold() not in read]
    assert missing == [], f"{persona}: {question} Read: {read}"
