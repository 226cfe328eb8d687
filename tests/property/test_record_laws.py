"""Whatever people and programs do to a list, every decision comes back, beside the person it was made of."""

import csv
import io
import random
from datetime import date, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
from helpers.filled import fill
from helpers.laws import examples
from helpers.views import AS_OF, row, rows, see, spine_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ageingwell.decisions.choices import DECISIONS, LEADS, OUTCOMES, REASONS, TOLD
from ageingwell.decisions.entry import Entry
from ageingwell.decisions.judging import Judged, judge
from ageingwell.decisions.reading import read_filled
from ageingwell.decisions.sent import SentList, Subject
from ageingwell.decisions.settling import settle, standing, to_keep
from ageingwell.decisions.tables import FilledRow
from ageingwell.report.choices import ASKED, headings
from ageingwell.report.csv import agency_csv
from ageingwell.report.workbook import agency_workbook

MEETING = AS_OF + timedelta(days=2)
MANY = rows(*(row(f"p{n}", f"h{n // 2}", n + 1, "gp", place=f"Place {n % 3}") for n in range(8)))
VIEW = see("gp", rows=MANY, people=spine_of(MANY))
FEW = settings(
    max_examples=examples(12),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def sent_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sent") / "gp.xlsx"
    path.write_bytes(agency_workbook(VIEW))
    path.with_suffix(".csv").write_bytes(agency_csv(VIEW))
    return path


def sent_list(path: Path) -> SentList:
    filled = read_filled(path, titles=headings())
    answers = {question.name for question in ASKED}
    columns = tuple(name for name in filled.columns if name not in answers)
    people = {row["row_key"]: Subject(row["row_key"][::-1], row["household_key"], "gp") for row in filled.rows}
    return SentList("gp", AS_OF, columns, {row["row_key"]: row.cells for row in filled.rows}, people)


# What a row may say, and every way to write it.


def spelt(draw: random.Random, words: str) -> str:
    """The same words with other spaces, letters and ends."""
    changed = draw.choice([words, words.upper(), words.lower(), words.replace(" ", "  "), words.replace("'", "\u2019")])
    return draw.choice(["", " ", "\u00a0", "\t"]) + changed + draw.choice(["", " ", "\n"])


def day_as_written(draw: random.Random, day: date) -> object:
    months = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
              "November", "December")  # fmt: skip
    month = months[day.month - 1]
    return draw.choice(
        [
            datetime(day.year, day.month, day.day),
            day.isoformat(),
            f"{day.day} {month} {day.year}",
            f" {day.day:02} {month[:3]} {day.year % 100} ",
            f"{day.day:02}/{day.month:02}/{day.year}",
            f"{day.day}.{day.month}.{day.year}",
            (day - date(1899, 12, 30)).days,
            str((day - date(1899, 12, 30)).days),
        ]
    )


def meant(draw: random.Random) -> dict[str, object]:
    """What the group says of one person: labels and days."""
    said: dict[str, object] = {}
    if draw.random() < 0.8:
        said |= {"decision": draw.choice(list(DECISIONS)), "reason": draw.choice(list(REASONS))}
        said["led_by"] = draw.choice(list(LEADS))
        if draw.random() < 0.5:
            said["by_when"] = AS_OF + timedelta(days=draw.randrange(300))
    if draw.random() < 0.4 or not said:
        said |= {"outcome": draw.choice(list(OUTCOMES)), "contacted_on": MEETING - timedelta(days=draw.randrange(40))}
    if draw.random() < 0.4:
        said["told"] = draw.choice(list(TOLD))
    return said


def as_written(draw: random.Random, said: dict[str, object]) -> dict[str, object]:
    words = {"decision": DECISIONS, "reason": REASONS, "led_by": LEADS, "outcome": OUTCOMES, "told": TOLD}
    return {
        name: spelt(draw, words[name][str(value)]) if name in words else day_as_written(draw, value)  # type: ignore[arg-type]
        for name, value in said.items()
    }


def turned_about(draw: random.Random, path: Path, to: Path) -> Path:
    """The list with rows and columns in another order, some rows hidden, columns added and a few taken out."""
    book = openpyxl.load_workbook(path)
    sheet = book["List"]
    table = [[cell.value for cell in line] for line in sheet.iter_rows()]
    head, *body = table
    draw.shuffle(body)
    order = list(range(len(head)))
    draw.shuffle(order)
    kept = [at for at in order if head[at] not in ("Already known to", "New") or draw.random() < 0.5]
    wide = [[line[at] for at in kept] for line in [head, *body]]
    for number in range(draw.randrange(3)):
        place = draw.randrange(len(wide[0]) + 1)
        for at, line in enumerate(wide):
            line.insert(place, f"Ours {number}" if at == 0 else draw.choice([None, "see above", 7]))
    del book["List"]
    again = book.create_sheet(draw.choice(["List", "Sheet1", "Our list"]), draw.randrange(3))
    for _ in range(draw.randrange(3)):
        again.append([draw.choice([None, "For Tuesday's meeting"])])
    for line in wide:
        again.append(line)
    for number in range(2, again.max_row + 1):
        again.row_dimensions[number].hidden = draw.random() < 0.3
    for unwanted in ("Cover", "How to use", "Choices"):
        if draw.random() < 0.3:
            del book[unwanted]
    book.save(to)
    return to


def entries_by_key(path: Path, sent: SentList) -> dict[str, Entry]:
    found = judge(read_filled(path, titles=headings()), sent, on=MEETING)
    assert [row.notes for row in found if row.verdict != "accepted"] == []
    return {row.entry.person_id[::-1]: row.entry for row in found if row.entry is not None}


@pytest.mark.slow
@FEW
@given(seed=st.integers(0, 2**32))
def test_no_decision_is_lost_and_none_is_misplaced_whatever_was_done_to_the_list(seed, sent_file, tmp_path):
    draw = random.Random(seed)
    sent = sent_list(sent_file)
    keys = list(sent.people)
    said = {key: meant(draw) for key in draw.sample(keys, draw.randint(1, len(keys)))}
    answers = {key: as_written(draw, one) for key, one in said.items()}
    filled = fill(sent_file, answers, to=tmp_path / "filled.xlsx")

    back = turned_about(draw, filled, tmp_path / "back.xlsx")

    entries = entries_by_key(back, sent)
    assert entries.keys() == said.keys()
    for key, one in said.items():
        told = {name: getattr(entries[key], name) for name in one}
        assert told == one


@FEW
@given(seed=st.integers(0, 2**32))
def test_a_csv_in_any_order_mark_and_letters_says_the_same(seed, sent_file, tmp_path):
    draw = random.Random(seed)
    sent = sent_list(sent_file)
    said = {key: meant(draw) for key in draw.sample(list(sent.people), 4)}
    table = list(csv.reader(io.StringIO(sent_file.with_suffix(".csv").read_text("utf-8-sig"))))
    head, *body = table
    for line in body:
        for name, value in as_written(draw, said.get(line[0], {})).items():
            line[head.index(name)] = value.date().isoformat() if isinstance(value, datetime) else str(value)
    draw.shuffle(body)
    out = io.StringIO()
    csv.writer(out, delimiter=draw.choice(",;\t"), lineterminator=draw.choice(["\n", "\r\n"])).writerows([head, *body])
    encoding = draw.choice(["utf-8", "utf-8-sig", "cp1252", "utf-16"])
    (tmp_path / "back.csv").write_bytes(out.getvalue().encode(encoding))

    entries = entries_by_key(tmp_path / "back.csv", sent)

    assert {key: {name: getattr(entries[key], name) for name in one} for key, one in said.items()} == said
    assert entries.keys() == said.keys()


outcomes = st.sampled_from(["refused", None])
answers = st.sampled_from([("contact_now", "gp"), ("contact_now", "fire"), ("said_no", None), None])
recipients = st.sampled_from(["gp", "fire", "housing", "group"])


def entry(recipient: str, person: str, answer: tuple[str, str | None] | None, outcome: str | None) -> Entry:
    decision, led_by = answer or (None, None)
    met = {"outcome": outcome, "contacted_on": AS_OF, "agency": recipient} if outcome else {}
    return Entry(AS_OF, recipient, "listed", person, None, decision=decision, led_by=led_by, told="yes", **met)


def accepted(one: Entry) -> Judged:
    return Judged(FilledRow("List", 2, {}), "accepted", entry=one)


files = st.lists(
    st.lists(st.tuples(recipients, st.sampled_from("ab"), answers, outcomes), max_size=3), min_size=1, max_size=3
)


@settings(max_examples=examples(80), deadline=None)
@given(rounds=st.lists(files, min_size=1, max_size=4), order=st.randoms(use_true_random=False))
def test_agencies_that_disagree_are_never_both_in_the_ledger_and_the_group_has_the_last_word(rounds, order):
    ledger: list[Entry] = []
    for given_files in rounds:
        judged = [[accepted(entry(*one)) for one in rows] for rows in given_files]
        settled, clashes = settle(judged, ledger=ledger)
        turned = list(judged)
        order.shuffle(turned)
        # The order in which files are given decides nothing.
        assert settle(turned, ledger=ledger)[1] == clashes
        ledger += [one for rows in settled for one in to_keep(rows)]
        # What came of a contact is kept, whoever disagrees about the decision: the last word of each recipient.
        met = {(who, name): came for rows in given_files for name, who, _, came in rows if came is not None}
        told_so = {(who, name): one.outcome for (_, who, name), one in standing(ledger).items()}
        assert met.items() <= told_so.items()
        again, _ = settle(settled_as_given(judged, settled), ledger=ledger)
        assert {row.verdict for rows in again for row in rows} <= {"unchanged"}
    now = standing(ledger)
    for person in "ab":
        told = {name: one.answer for (_, who, name), one in now.items() if who == person and one.answer is not None}
        if "group" not in told:
            assert len(set(told.values())) <= 1


def settled_as_given(judged: list[list[Judged]], settled: list[list[Judged]]) -> list[list[Judged]]:
    """The rows that were recorded or known, as they came: what is recorded twice is unchanged."""
    return [
        [one for one, done in zip(rows, found, strict=True) if done.verdict in ("accepted", "unchanged")]
        for rows, found in zip(judged, settled, strict=True)
    ]
