"""Every fault of the catalogue ends as the catalogue says, and never with somebody on the list who may not be on it."""

import re
import shutil
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet
from helpers.evidence import counted
from helpers.faults.catalogue import ENDS, LISTS, Case, read_catalogue
from helpers.faults.files import FILE_DAMAGES
from helpers.faults.records import County, Rows, as_csv, county_since, tables_of
from helpers.faults.rows import ROW_DAMAGES
from helpers.faults.running import MARK, Here, Ran, Watch, lay_out, left_over, run, still_listed, watched, write_county
from helpers.faults.scenes import SCENES, arranged
from helpers.shared import Shared

from ageingwell.config.files import shipped
from ageingwell.night.score import score

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
CATALOGUE = read_catalogue()
CASES = [case for fault in CATALOGUE for case in fault.cases]
# The opt-outs stand for themselves: any refused row of theirs stops the night.
TOGETHER = [case for case in CASES if case.how in ROW_DAMAGES and case.ends != "stops"]
ALONE = [case for case in CASES if case not in TOGETHER]
SETTINGS = ("score", "agencies", "permissions", "outreach", "interventions", "services", "train")
OF_MANY = ("key", "bundle", "settings", "setting")
NOT_A_VALUE = re.compile(r"^[0-9.-]{0,4}$")


def one_of_each_way() -> set[Case]:
    """Of each damage of rows and each ending one case, in as many tables and positions as there are."""
    ways: dict[tuple[str, ...], list[Case]] = defaultdict(list)
    for case in TOGETHER:
        ways[case.fault, case.how, case.ends, case.text].append(case)
    taken: dict[tuple[str, str], int] = defaultdict(int)
    found = set()
    for cases in sorted(ways.values(), key=len):
        one = min(cases, key=lambda case: taken[case.table, case.row])
        taken[one.table, one.row] += 1
        found.add(one)
    return found


def batches() -> list[list[Case]]:
    """The damages of rows, so many together as touch no row of each other: in each table one in each position.

    One of each way comes first, so that the first batches try every way.
    """
    found: list[list[Case]] = []
    taken: dict[tuple[str, str], int] = defaultdict(int)
    for case in sorted(TOGETHER, key=lambda case: case not in WAYS):
        at = taken[case.table, case.row]
        taken[case.table, case.row] += 1
        found += [[]] if at == len(found) else []
        found[at].append(case)
    return found


WAYS = one_of_each_way()
BATCHES = batches()
# Whatever a guard names by its case is always tried.
GUARDED = (ROOT / "tools" / "guards" / "guards.toml").read_text()


def with_some_swept(cases: list[Case]) -> list[ParameterSet]:
    """Of each fault, way and ending the first case is tried always, of its other tables and columns some.

    What a scene does stands in its `column`: each of those is a way of its own, but for mistakes of which there are
    many: a key, a bundle, a setting.
    """
    ways, found = set(), []
    for case in cases:
        is_of_many = case.how not in SCENES or case.how in OF_MANY
        way = (case.fault, case.how, case.code, "" if is_of_many else case.column)
        is_always_tried = way not in ways or f"[{case.name}]" in GUARDED
        ways.add(way)
        found.append(pytest.param(case, id=case.name, marks=() if is_always_tried else pytest.mark.sweep(of=9)))
    return found


@pytest.fixture(scope="module")
def base(
    small_county: Path, settings: Path, shared: Shared, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, County]:
    """A county as text with its settings and its published night, of which nothing may be written to."""
    tables = tables_of(small_county)
    mark = (small_county / "synthetic.json").read_bytes()

    def make(at: Path) -> None:
        write_county(at / "county", tables, mark)
        copy_settings(settings.parent, at / "settings")
        score(at / "county", as_of="2026-11-22", out=at / "out", config=at / "settings" / "score.toml")

    made = shared.folder("faults", make)
    at = tmp_path_factory.mktemp("faults") / "base"
    shutil.copytree(made, at, ignore=shutil.ignore_patterns("county", "current", ".lock"))
    county = county_since(tables, made / "out" / "2026-11-22")
    write_county(at / "county", county.tables, mark)
    return at, county


def copy_settings(given: Path, to: Path) -> None:
    """All settings files, those that are shipped too; of a small table three damaged rows are a large share."""
    shutil.copytree(given, to)
    for name in SETTINGS:
        if not (to / f"{name}.toml").exists():
            shutil.copyfile(shipped("configs") / f"{name}.toml", to / f"{name}.toml")
    text = (to / "score.toml").read_text().replace("max_refused_share = 0.10", "max_refused_share = 0.30")
    (to / "score.toml").write_text(text)


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watch]:
    with watched(tmp_path_factory.mktemp("read")) as one:
        yield one


@pytest.fixture
def here(base: tuple[Path, County], tmp_path: Path) -> Here:
    return lay_out(tmp_path / "here", *base)


def test_the_catalogue_names_only_what_there_is() -> None:
    ids = [fault.id for fault in CATALOGUE]
    assert ids == [f"F{n:02}" for n in range(1, len(ids) + 1)]
    assert [case.name for case in CASES if case.how not in {**ROW_DAMAGES, **FILE_DAMAGES, **SCENES}] == []
    assert {case.ends for case in CASES} <= set(ENDS)
    assert {case.list for case in CASES} <= {*LISTS, "unchanged"}
    assert [fault.id for fault in CATALOGUE if not fault.cases and not fault.elsewhere] == []
    assert [name for fault in CATALOGUE for name in fault.elsewhere if not (ROOT / name).exists()] == []
    counted("R2.faults", len(ids), 0)


@pytest.mark.parametrize(
    "n", [pytest.param(n, marks=() if WAYS & {*BATCHES[n]} else pytest.mark.sweep(of=4)) for n in range(len(BATCHES))]
)
def test_damaged_rows_are_refused_or_emptied_by_name_and_the_rest_goes_on(n: int, here: Here, watch: Watch) -> None:
    tables = here.county.copy()
    damaged: dict[str, Rows] = {}
    at = {}
    # What adds rows comes last, so that the last row is the one that was sent last.
    for case in sorted(BATCHES[n], key=lambda case: case.how != "cell"):
        rows = damaged.setdefault(case.table, tables[case.table])
        at[case] = ROW_DAMAGES[case.how](rows, case)
    here.put({f"{name}.csv": as_csv(rows) for name, rows in damaged.items()})
    watch.through = "read"
    # Three damaged rows of a small table are as many as a fault of a delivery.
    here.options = ["--accept-change"]

    ran = run(here, watch)

    wrong = {case.name: told for case in BATCHES[n] if (told := _of_row(case, at[case], ran))}
    of_list = _of_list(BATCHES[n][0], here)
    counted("R2.cases", len(BATCHES[n]), len(wrong))
    counted("R2.standing_list", len(BATCHES[n]), len(BATCHES[n]) * bool(of_list))
    assert ran.traceback == ""
    assert ran.code == 0, ran.output
    assert wrong == {}
    assert of_list == []
    assert left_over(here) == []
    assert not {case.text for case in CASES if len(case.text) > 8 and case.text in ran.output}


def _of_row(case: Case, at: int, ran: Ran) -> str:
    """What is wrong with how one damaged row was taken; nothing where it ended as it has to."""
    if ran.records is None:
        return "the night stopped"
    table = ran.records.tables[case.table]
    mine = {"file": f"{case.table}.csv", "row_number": at}
    refused = table.refused.filter(**mine)
    emptied = table.emptied_cells.filter(**mine)
    rules = {rule for told in refused["rules"].to_list() for rule in told}
    wanted = set(case.rule.split("|"))
    if case.ends == "row refused" or (case.ends == "person held" and rules & wanted):
        return "" if rules & wanted or (rules and case.rule == "*") else f"refused for {sorted(rules)}"
    if refused.height:
        return f"refused for {sorted(rules)}"
    if case.ends == "goes on":
        return ""
    told = {rule for told in emptied.filter(column=case.column)["rules"].to_list() for rule in told}
    if not told & wanted and not (case.rule == "*" and told):
        return f"emptied for {sorted(told)}"
    if case.ends == "person held" and not table.unread_people.filter(column=case.column).height:
        return "nobody is held"
    return ""


@pytest.mark.parametrize("case", with_some_swept([case for case in ALONE if not case.gap]))
def test_a_fault_ends_as_the_catalogue_says(case: Case, here: Here, watch: Watch) -> None:
    wrong = tried(case, here, watch)
    counted("R2.cases", 1, int(bool(wrong)))
    if case.list != "unchanged":
        counted("R2.standing_list", 1, int(bool(_of_list(case, here))))

    assert wrong == []


@pytest.mark.parametrize("case", [case for case in ALONE if case.gap], ids=lambda case: case.name)
def test_a_known_gap_is_still_one(case: Case, here: Here, watch: Watch) -> None:
    """A gap that has been closed is to be taken out of the catalogue: delete its line `gap`."""
    wrong = tried(case, here, watch)
    counted("R2.cases", 1, 1, note=f"gap: {case.gap}")
    counted("R2.standing_list", 1, int(bool(_of_list(case, here))))

    assert wrong != [], "it ends as it has to now"


def tried(case: Case, here: Here, watch: Watch) -> list[str]:
    """Everything that is wrong with how a case ended."""
    watch.through = case.through
    row = None
    if case.how in SCENES:
        with arranged(here, case, watch):
            ran = run(here, watch)
    else:
        rows = here.county.copy_of(case.table)
        if case.how in ROW_DAMAGES:
            row = ROW_DAMAGES[case.how](rows, case)
            here.put({f"{case.table}.csv": as_csv(rows)})
        else:
            here.put(FILE_DAMAGES[case.how](rows, case))
        ran = run(here, watch)
    return [*_of_end(case, ran, row), *_of_list(case, here), *_of_traces(case, here, ran)]


def _of_end(case: Case, ran: Ran, row: int | None) -> list[str]:
    if ran.traceback:
        return [ran.traceback]
    if ran.code != case.code:
        return [f"ended with {ran.code}: {ran.output}"]
    says = (*case.says, *((case.table,) if case.code in (4, 5) else ()), *(() if row is None else (f"row {row}",)))
    told = [f"does not say {word!r}: {ran.output}" for word in says if word not in ran.output]
    if case.ends == "degraded" and (ran.records is None or case.table not in ran.records.missing):
        told.append("is not said to be missing")
    if case.ends == "row refused" and (ran.records is None or ran.records.tables[case.table].n_refused != 1):
        told.append("one row was to be refused")
    return told


def _of_list(case: Case, here: Here) -> list[str]:
    """The list that was current: nobody is on it who objected or died, or it is marked as not to be used."""
    on, marked = still_listed(here), (here.out / MARK).exists()
    if case.list == "unchanged":
        return []
    if case.list == "marked":
        return [] if marked else [f"not marked; still listed: {on}"]
    return [f"still listed: {on}"] * bool(on) + ["marked"] * marked


def _of_traces(case: Case, here: Here, ran: Ran) -> list[str]:
    """What was left lying about, and values of records that were said."""
    told = [f"left over: {left}"] if (left := left_over(here)) else []
    people = {here.county.objected, here.county.died, here.county.stays}
    said = {person for person in people if person in ran.output}
    if case.text and case.how == "cell" and not NOT_A_VALUE.match(case.text) and case.text in ran.output:
        said.add(case.text)
    return [*told, *(f"a value of a record was said: {value}" for value in said)]
