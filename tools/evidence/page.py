"""The page: each goal, what is counted for it, and what came out."""

from collections.abc import Iterable, Mapping
from typing import Any

from tools.evidence.counts import Count, Counts
from tools.evidence.goals import Goal, Measure

NOTICE = "<!-- Written by `python -m tools.evidence` from what the tests counted: change the tests or goals.toml. -->"
INTRODUCTION = """# Evidence

What ageingwell promises about reliability, privacy and security, and what the tests counted. Each count comes from all
cases of the tests (`python3 start.py every`). The test command tries some cases of the laws that have very many. The
build runs it and the other cases too, compares each count with this page and prints what differs. A test fails where a
case goes wrong. *Full size* is a longer run of the same test, made once. The command in that column repeats it.

No figure here proves that something never happens. If none of N random cases goes wrong, the true rate is most likely
below 3 in N. Where every case there is was tried, the page says so.

What is *not measured* is listed too."""
HEADINGS = {"reliability": "Reliability", "privacy": "Privacy", "security": "Security"}
HEAD = "| counted | cases | went wrong | seed | at full size |\n| --- | ---: | ---: | --- | --- |"


def page(goals: Mapping[str, Goal], counts: Counts, full: Mapping[str, Mapping[str, Any]]) -> str:
    """The whole page as Markdown."""
    parts = [NOTICE, INTRODUCTION, _summary(goals, counts, full)]
    for group, heading in HEADINGS.items():
        parts.append(f"## {heading}")
        parts += [_goal(goal, counts, full) for goal in goals.values() if goal.group == group]
    return "\n\n".join(part for part in parts if part) + "\n"


def measures_of(goal: Goal, names: Iterable[str]) -> dict[str, Measure]:
    """What is counted for a goal: what `goals.toml` lists, then whatever else was counted under its name."""
    more = sorted(name for name in names if name.split(".")[0] == goal.id and name not in goal.measures)
    return {**goal.measures, **{name: Measure(f"`{name}`", 1) for name in more}}


def _summary(goals: Mapping[str, Goal], counts: Counts, full: Mapping[str, Any]) -> str:
    lines = ["| goal | what it promises | result |", "| --- | --- | --- |"]
    lines += [f"| {goal.id} | {goal.says} | {_result(goal, counts, full)} |" for goal in goals.values()]
    return "\n".join(lines)


def _result(goal: Goal, counts: Counts, full: Mapping[str, Any]) -> str:
    measures = measures_of(goal, {*counts, *full})
    measured = [name for name in measures if name in counts or name in full]
    if not measured:
        return "not measured"
    bad = sum(_total(counts[name]).bad for name in measured if name in counts)
    bad += sum(full[name]["bad"] for name in measured if name in full)
    n = sum(_total(counts[name]).n for name in measured if name in counts)
    missing = len(measures) - len(measured)
    n = n or sum(full[name]["n"] for name in measured)
    partly = f"; {missing} of {len(measures)} not measured" if missing else ""
    return ("held" if bad == 0 else f"**{bad:,} went wrong**") + f" in {n:,} case{'s' * (n != 1)}{partly}"


def _total(tests: Mapping[str, Count]) -> Count:
    total = Count()
    for one in tests.values():
        total.n += one.n
        total.bad += one.bad
        total.seeds |= one.seeds
        total.notes |= one.notes
    return total


def _goal(goal: Goal, counts: Counts, full: Mapping[str, Mapping[str, Any]]) -> str:
    measures = measures_of(goal, {*counts, *full})
    rows = [_row(name, measure, counts, full) for name, measure in measures.items()]
    table = "\n".join([HEAD, *rows]) if rows else "Not measured."
    told = [_test(name, test, one) for name in measures for test, one in sorted(counts.get(name, {}).items())]
    return "\n\n".join(part for part in (f"### {goal.id} · {goal.says}", table, "\n".join(told)) if part)


def _test(measure: str, test: str, one: Count) -> str:
    """One test: which measure it counts for, how many cases, and what it says of them."""
    notes = "".join(f"; {note}" for note in sorted(one.notes))
    return f"- `{measure}`: `{test}`, {one.n:,} case{'' if one.n == 1 else 's'}{notes}"


def _row(name: str, measure: Measure, counts: Counts, full: Mapping[str, Mapping[str, Any]]) -> str:
    total = _total(counts.get(name, {}))
    n, bad = (f"{total.n:,}", f"{total.bad:,}") if name in counts else ("not measured", "")
    seeds = ", ".join(map(str, sorted(total.seeds)))
    how = measure.how if measure.how.startswith("`") else f"{measure.how} `{name}`"
    return f"| {how} | {n} | {bad} | {seeds} | {_full(full.get(name))} |"


def _full(figure: Mapping[str, Any] | None) -> str:
    if figure is None:
        return ""
    seed = "" if figure.get("seed") is None else f", seed {figure['seed']}"
    return f"{figure['bad']:,} of {figure['n']:,} went wrong{seed}: `{figure['command']}`"


def too_few(goals: Mapping[str, Goal], counts: Counts) -> list[str]:
    """The measures of which fewer cases were counted than `goals.toml` asks for."""
    return [
        f"{name}: {_total(counts[name]).n:,} cases were counted, and goals.toml asks for {measure.at_least:,}"
        for goal in goals.values()
        for name, measure in goal.measures.items()
        if name in counts and _total(counts[name]).n < measure.at_least
    ]
