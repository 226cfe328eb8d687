"""What is told of a night beside its frames: one frozen value, the same for the manifest, the pages and `--json`.

Names, counts and days alone: no value of a record, no identifier. Of the parts that are tables of their own in the
manifest, each is plain data with its keys named here, so that a wrong key is a fault of types and not an empty page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any, TypedDict


class InputFacts(TypedDict, total=False):
    """One table that came: its files, what was refused and emptied, what is not there, how new it is."""

    files: list[dict[str, Any]]
    n_read: int
    n_good: int
    n_refused: int
    refused_by_rule: list[dict[str, Any]]
    newest_on: str | None
    is_late: bool
    promised_days: int | None
    n_repeated: int
    n_dated_ahead: int
    dropped_columns: list[str]
    absent_columns: list[str]
    partly_absent_columns: list[dict[str, str]]
    empty_columns: list[str]
    not_held_columns: list[str]
    emptied: list[dict[str, Any]]
    badly_read_columns: list[str]
    left_out: list[dict[str, Any]]
    recorded_on_made_as: str | None


class VerdictFacts(TypedDict, total=False):
    """Whether the bundle's model may be used, and why."""

    usable: bool
    reason: str


class BundleFacts(TypedDict, total=False):
    """The models of the night; `outcomes` by name, the one that ranks first."""

    digest: str
    made_up: bool
    verdict: VerdictFacts
    training: dict[str, Any]
    evaluation: dict[str, Any]
    outcomes: dict[str, dict[str, Any]]


class StepFacts(TypedDict):
    """How many people left the night at a step, for a reason."""

    step: str
    reason: str
    n: int


class PopulationFacts(TypedDict):
    """How many people, homes, and patients of each practice a night could have listed."""

    people: int
    homes: int
    practices: dict[str, int]


class DecisionFacts(TypedDict, total=False):
    """What the group decided of the last list; `warning` is for the chair. Counts as a page may show them."""

    ledger: str
    ledger_head: str
    n_decided: str
    n_open: str
    n_decisions: str
    followed_in_100: int | None
    warning: str | None


class WeekFacts(TypedDict, total=False):
    """The week in numbers: people on the list and their homes, people with a need or a high chance who wait for a
    place, and by agency the homes with an urgent need that it has no place for."""

    n_people: int
    n_homes: int
    n_waiting: int
    urgent_waiting: dict[str, int]


# `from` is a word of Python's own, so this one cannot be written as a class.
TrackRecordFacts = TypedDict(
    "TrackRecordFacts",
    {"from": str, "day": str, "outcome": str, "n_listed": str, "n_happened": str, "n_by_age": str},
)


class RecognisedFacts(TypedDict):
    """How much of the codes and labels is of a kind we know, and which labels are new."""

    counted: list[dict[str, Any]]
    new_labels: list[dict[str, Any]]


class DirectoryFacts(TypedDict, total=False):
    """The directory of local services; `state` as `LocalDirectory` has it."""

    state: str
    why: str
    newest_on: str | None
    n_read: int
    n_refused: int
    n_organisations: int
    n_services: int
    files: list[dict[str, Any]]


class LinkFacts(TypedDict, total=False):
    """Which share of each table's people and homes is on the GP register."""

    tables: list[dict[str, Any]]
    below: list[dict[str, Any]]
    fallen: list[dict[str, Any]]


class LotFacts(TypedDict, total=False):
    """The lot at the margin tonight: from `seed` and `week` it can be drawn again; homes as a page may count them."""

    seed: int
    week: str
    random_share: float
    left_out_days: int
    never_needs: list[str]
    n_doors: str
    n_won: str


class LastNightFacts(TypedDict, total=False):
    """The folder of the night before, and the SHA-256 of its `SHA256SUMS`; None where it has none."""

    folder: str
    sums_sha256: str | None


@dataclass(frozen=True, kw_only=True)
class NightFacts:
    """Everything a reader or an auditor is told of a night. The order of the fields is that of the manifest.

    >>> facts = NightFacts(date(2026, 11, 22), late=["homes"])
    >>> facts.missing, facts.plain()["as_of"], NightFacts.from_plain(facts.plain()) == facts
    ((), '2026-11-22', True)
    """

    format: int = 0
    as_of: date = field(kw_only=False)
    purpose: str = ""
    minimum_age: int = 65
    made_up: bool = False
    key_fingerprint: str | None = None
    is_degraded: bool = False
    missing: Sequence[str] = ()
    late: Sequence[str] = ()
    messages: Sequence[str] = ()
    rules_only: bool = False
    inputs: Mapping[str, InputFacts] = field(default_factory=dict)
    steps: Sequence[StepFacts] = ()
    capacity: Mapping[str, int] = field(default_factory=dict)
    week: WeekFacts = field(default_factory=WeekFacts)
    bundle: BundleFacts = field(default_factory=BundleFacts)
    config: str = ""
    ledger: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    withdrawn: Sequence[StepFacts] = ()
    track_record: TrackRecordFacts | None = None
    works_less_well_for: Sequence[str] = ()
    not_looked_for: Sequence[str] = ()
    population: PopulationFacts | None = None
    homes_left_out: Sequence[Mapping[str, Any]] = ()
    decisions: DecisionFacts = field(default_factory=DecisionFacts)
    notes: Sequence[str] = ()
    recognised: RecognisedFacts | None = None
    dmd_to_bnf: Mapping[str, Any] | None = None
    directory: DirectoryFacts = field(default_factory=DirectoryFacts)
    links: LinkFacts = field(default_factory=LinkFacts)
    coarsened: Sequence[Mapping[str, Any]] = ()
    columns_gone: Mapping[str, Sequence[str]] = field(default_factory=dict)
    list_key: str | None = None
    lot: LotFacts = field(default_factory=LotFacts)
    last_night: LastNightFacts = field(default_factory=LastNightFacts)
    sums: str | None = None
    barred: str | None = None
    accepted_changes: Sequence[str] = ()
    same_as_last: Sequence[str] = ()
    rows: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    rates_by_group: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    expires_on: str | None = None

    @property
    def use_until(self) -> date | None:
        """The last day on which the list may be used; nights of earlier versions do not say it."""
        return None if self.expires_on is None else date.fromisoformat(self.expires_on)

    @property
    def ranking_outcome(self) -> str:
        """The outcome whose risk ranks people."""
        return next(iter(self.bundle.get("outcomes", {})), "loss_of_independence")

    def plain(self) -> dict[str, Any]:
        """The same as plain data, in the order of the manifest."""
        told = {one.name: getattr(self, one.name) for one in fields(self)}
        return told | {"as_of": self.as_of.isoformat()}

    @classmethod
    def from_plain(cls, told: Mapping[str, Any]) -> "NightFacts":
        """The facts of a manifest; what it has beside them (why a revision has no pages) is not among them."""
        known = {one.name: told[one.name] for one in fields(cls) if one.name in told}
        return cls(**(known | {"as_of": date.fromisoformat(told["as_of"])}))
