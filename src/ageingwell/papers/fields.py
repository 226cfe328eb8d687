"""Every figure and name that a paper may hold, each with the file and the field it comes from.

A paper's text has no digit of its own: whatever stands in it was taken from the run here. A field that the run does not
tell is missing, and the sentence that needs it becomes a blank for a person.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from ageingwell.errors import NoComparisonError
from ageingwell.evaluation.effect import needed_for
from ageingwell.evaluation.estimate import proportion
from ageingwell.governance.disclosure import in_words, shown_count
from ageingwell.governance.hazards import named_tests, result_of, worst_of
from ageingwell.papers.run import Run
from ageingwell.report.words import PURPOSE_WORDS
from ageingwell.views.words import PAST_OUTCOMES, label_words

BUNDLE, MANIFEST, LOG, CODE = "bundle.json", "manifest.json", "audit.jsonl", "governance/hazards.toml"
RESULTS: Final = "governance/results.json"
# The names of laws and standards: not figures of a run, and so not to be typed into a text either.
STANDARDS: Final[Mapping[str, str]] = {
    "ng249": "NICE NG249, recommendation 1.1.1",
    "article_22": "UK GDPR articles 22A to 22D",
    "complaints_duty": "Data Protection Act 2018, section 164A: an acknowledgement within 30 days",
    "dpia_duty": "UK GDPR article 35",
    "fairness_duty": "UK GDPR article 5(1)(a)",
    "consultation_duty": "UK GDPR article 35(9)",
    "dpo_duty": "UK GDPR article 35(2)",
}
STANDARD: Final = "the law or standard itself"
# The change that the plan's example of a size is for: a fifth of the events prevented.
EXAMPLE_SHARE_PREVENTED: Final = 0.2


@dataclass(frozen=True)
class Field:
    """A value as a text shows it, and where it comes from: a file and the field in it."""

    value: str
    where: str


def fields_of(run: Run) -> dict[str, Field]:
    """Every field of a run, by name, in a fixed order; those that the run does not tell are not there."""
    found: dict[str, Field] = {}
    for part in (_of_night, _of_settings, _of_model, _of_hazards, _of_log, _of_columns, _of_plan):
        for name, value, where in part(run):
            if value not in (None, ""):
                found[name] = Field(str(value), where)
    return found | {name: Field(value, STANDARD) for name, value in STANDARDS.items()}


Told = Iterator[tuple[str, Any, str]]


def _of_night(run: Run) -> Told:
    facts = run.facts
    at: Callable[[str], str] = lambda path: f"{MANIFEST}: {path}"  # noqa: E731
    week, population, decisions = (facts.get(name) or {} for name in ("week", "population", "decisions"))
    inputs = facts.get("inputs", {})
    yield "as_of", _day(facts["as_of"]), at("as_of")
    yield "night_folder", run.folder.name, "the name of the night's folder"
    yield "night_sums", run.sums[:16], "SHA256SUMS: its own SHA-256"
    yield "version", facts["versions"].get("ageingwell"), at("versions.ageingwell")
    yield "versions", _joined(f"{name} {value}" for name, value in facts["versions"].items()), at("versions")
    yield "settings", facts["config"][:16], at("config")
    yield "bundle", facts["bundle"]["digest"][:16], at("bundle.digest")
    yield "purpose", PURPOSE_WORDS.get(facts["purpose"], facts["purpose"]), at("purpose")
    yield "minimum_age", facts["minimum_age"], at("minimum_age")
    yield "made_up_told", _made_up(facts["made_up"]), at("made_up")
    yield "n_listed", _people(week.get("n_people")), at("week.n_people")
    yield "n_homes", _people(week.get("n_homes")), at("week.n_homes")
    yield "n_waiting", _people(week.get("n_waiting")), at("week.n_waiting")
    yield "n_may_be_offered", in_words(run.n_scored), "scores.parquet: rows"
    yield "n_population", _people(population.get("people")), at("population.people")
    yield "n_population_homes", _people(population.get("homes")), at("population.homes")
    yield "n_practices", len(population.get("practices", {})) or None, at("population.practices")
    yield "n_decided", decisions.get("n_decided"), at("decisions.n_decided")
    yield "n_open", decisions.get("n_open"), at("decisions.n_open")
    yield "n_tables", len(inputs), at("inputs")
    yield "n_rows", f"{sum(told['n_read'] for told in inputs.values()):,}", at("inputs.*.n_read")
    yield "visits_per_week", sum(facts["capacity"].values()), at("capacity")
    yield "n_recipients", len(facts["ledger"]["views"]), at("ledger.views")
    lapses = [line["expires_on"] for line in facts["ledger"]["permitted"]]
    yield "first_lapse", _day(min(lapses)) if lapses else None, at("ledger.permitted.*.expires_on")
    for name in ("missing", "late", "not_looked_for"):
        yield name, _joined(_lower(facts[name])) or "none", at(name)
    yield "messages", _joined([*facts["messages"], *facts["notes"]], by="; ") or "nothing", at("messages, notes")
    yield "rules_only", "yes" if facts["rules_only"] else "no", at("rules_only")
    yield "works_less_well_for", _joined(facts["works_less_well_for"], by="; ") or "no group", at("works_less_well_for")
    yield "track_record", _track_record(facts.get("track_record")), at("track_record")


def _of_settings(run: Run) -> Told:
    score, outreach = run.config.score, run.config.outreach
    keep = score.retention
    yield "expire_after_days", score.lists.expire_after_days, "score.toml: lists.expire_after_days"
    yield "nights_days", keep.nights_days, "score.toml: retention.nights_days"
    yield "followed_days", keep.followed_days, "score.toml: retention.followed_days"
    yield "key_holders", _joined(score.keys.holders) or "nobody is named yet", "score.toml: keys.holders"
    yield "random_share", _share(outreach.random_share), "outreach.toml: random_share"
    yield "lot_left_out_days", outreach.lot_left_out_days, "outreach.toml: lot_left_out_days"
    never = _joined(map(label_words, outreach.lot_never_needs)) or "no other need"
    yield "lot_never_needs", never, "outreach.toml: lot_never_needs"
    kept = [f"{label_words(name).lower()} {_share(share)}" for name, share in outreach.floors.shares().items() if share]
    yield "floors", _joined(kept) or "for no group", "outreach.toml: floors"


def _of_model(run: Run) -> Told:
    bundle = run.facts["bundle"]
    training, evaluation = bundle["training"], bundle["evaluation"]
    at: Callable[[str], str] = lambda path: f"{MANIFEST}: bundle.{path}"  # noqa: E731
    first = run.bundle.ranking_outcome
    found = evaluation[first]
    yield "outcomes", _joined(_lower(bundle["outcomes"])), at("outcomes")
    yield "ranking_outcome", label_words(first).lower(), at("outcomes")
    yield "n_features", len(run.bundle.ranking_model.features), f"{BUNDLE}: features"
    yield "horizon_days", training["horizon_days"], at("training.horizon_days")
    yield "settling_days", training["settings"]["settling_days"], at("training.settings.settling_days")
    for part in ("fit", "calibrate", "test"):
        yield f"people_{part}", _people(training["n_people"][part]), at(f"training.n_people.{part}")
    days = sorted(day for of_part in training["cut_offs"].values() for day in of_part)
    yield "cut_offs", _joined(map(_day, days)), at("training.cut_offs")
    yield "newest_cut_off", _day(days[-1]), at("training.cut_offs")
    yield "verdict", bundle["verdict"]["reason"], at("verdict.reason")
    yield "compared_with", _joined(found.get("rivals", {})), at(f"evaluation.{first}")
    yield "trained_on", "Made-up people" if bundle["made_up"] else "Records of people of this area", at("made_up")
    yield "n_test", _people(found["n"]), at(f"evaluation.{first}.n")
    yield "n_test_events", _people(found["n_events"]), at(f"evaluation.{first}.n_events")


def _of_hazards(run: Run) -> Told:
    tests = named_tests(run.hazards)
    ends = {test: result_of(test, run.results) for test in tests}
    controls = [worst_of(ends[test] for test in control.tests) for one in run.hazards for control in one.control]
    n_passed = sum(end == "passed" for end in ends.values())
    yield "n_hazards", len(run.hazards), CODE
    yield "n_controls", len(controls), CODE
    yield "n_controls_held", sum(end == "passed" for end in controls), RESULTS
    yield "n_controls_open", sum(end != "passed" for end in controls), RESULTS
    told = "no run of the tests is known for this version, so none counts as passed"
    if run.results is not None:
        told = (
            f"{n_passed} of {len(tests)} passed when version {run.results.version} was tested on "
            f"{_day(run.results.made_on.isoformat())}"
        )
    yield "tests_told", told, RESULTS
    left = [f"{test} ({end})" for test, end in ends.items() if end != "passed"]
    yield "tests_open", _joined(left, by="; ") or "none", RESULTS


def _of_log(run: Run) -> Told:
    # A log that was begun after the night knows of no use before it, which is not the same as none.
    n = sum(line.get("stage") == "begun" for line in run.uses) or None
    yield "n_uses", n, f"{LOG}: lines up to this night's own"


def _of_columns(run: Run) -> Told:
    where = f"{MANIFEST}: inputs; features and rules of the software"
    yield "n_columns_sent", len(run.columns), where
    yield "n_columns_unused", sum(one.kind == "not used" for one in run.columns), where


def _of_plan(run: Run) -> Told:
    """The size of a lot: from how often the outcome came among people as likely to have it as those on the list."""
    first = run.bundle.ranking_outcome
    where = f"{MANIFEST}: bundle.evaluation.{first}"
    found = run.facts["bundle"]["evaluation"][first]
    n, n_events = shown_count(found["n"]), shown_count(found["n_events"])
    yield "event_rate", _in_100(n_events, n), f"{where}.n_events, n"
    record = run.facts.get("track_record") or {}
    listed, happened = (_number(record.get(name)) for name in ("n_listed", "n_happened"))
    yield "listed_rate", _in_100(happened, listed), f"{MANIFEST}: track_record.n_happened, n_listed"
    yield "share_prevented", _share(EXAMPLE_SHARE_PREVENTED), "the software: EXAMPLE_SHARE_PREVENTED"
    if not listed or not happened:
        return
    rate = happened / listed
    try:
        needed = needed_for(EXAMPLE_SHARE_PREVENTED * rate, spread=(rate * (1 - rate)) ** 0.5)
    except NoComparisonError:
        return
    yield "needed", f"{needed:,}", f"{MANIFEST}: track_record; worked out by `needed_for`"


def rounded_share(some: int | None, whole: int | None) -> str:
    """A share in a hundred with its interval, from counts as they are shown; where one is hidden, so is the share.

    >>> rounded_share(60, 2410), rounded_share(None, 2410)
    ('2 in 100 (2 to 3)', 'not shown')
    """
    if some is None or not whole:
        return "not shown"
    found = proportion(some, whole)
    return f"{100 * found.value:.0f} in 100 ({100 * found.low:.0f} to {100 * found.high:.0f})"


def _people(count: int | None) -> str:
    return in_words(count)


def _joined(words: Iterable[str], *, by: str = ", ") -> str:
    return by.join(words)


def _lower(names: Iterable[str]) -> list[str]:
    return [name if " " in name else label_words(name).lower() for name in names]


def _day(text: str) -> str:
    day = date.fromisoformat(text)
    return f"{day.day} {day:%B %Y}"


def _share(share: float) -> str:
    return f"{100 * share:g} in 100"


def _in_100(some: int | None, whole: int | None) -> str | None:
    return None if some is None or not whole else f"{100 * some / whole:.0f}"


def _number(text: Any) -> int | None:
    plain = str(text).replace(",", "")
    return int(plain) if plain.isdigit() else None


def _made_up(made_up: bool) -> str:
    return "The people are made up: nothing here is about anyone." if made_up else "The people are real."


def _track_record(told: Mapping[str, Any] | None) -> str | None:
    if not told:
        return None
    of = "the model's own test" if told["from"] == "test" else "a list that was used"
    happened = PAST_OUTCOMES.get(told["outcome"], label_words(told["outcome"]))
    return (
        f"By {of} of {_day(told['day'])}: of {told['n_listed']} people listed, {told['n_happened']} {happened}. Of as "
        f"many people listed by age alone it was {told['n_by_age']}."
    )
