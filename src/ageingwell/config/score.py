"""The settings of a run, of each agency's tables, of the permission ledger and of training: one class a file."""

import re
from datetime import date
from typing import Literal

from pydantic import Field, field_validator

from ageingwell.config.answering import (
    AuditSettings,
    KeySettings,
    ListSettings,
    PersonSettings,
    ReidentifySettings,
    SignoffSettings,
    StatusSettings,
)
from ageingwell.config.change import ChangeSettings
from ageingwell.config.engine import EngineSettings
from ageingwell.config.files import Settings
from ageingwell.config.limits import Limits
from ageingwell.config.retention import RetentionSettings
from ageingwell.register import Recipient, TableName, Theme

Purpose = Literal["direct_care", "risk_stratification", "evaluation"]
Outcome = Literal["loss_of_independence", "emergency_admission", "new_long_term_care", "death"]

RECORDED_ON = re.compile(r"^(\w+) \+ (\d+)d$")
# A day needs all of these. Without the century in it a year is one of two, so %y is not among what may be written.
_DAY_PARTS = (("%d", "%e"), ("%m", "%b", "%B"), ("%Y",))
_FORM = re.compile(r"(?:[^%]|%[deHIMSpTRaAbBmY])*")


class ReaderSettings(Settings):
    """How the files of one table are to be read, where they do not tell it themselves."""

    encoding: tuple[str, ...] | str = Field(
        default=(), description='encodings to try after UTF-8, such as "windows-1252"; a byte order mark is respected'
    )
    separator: str | None = Field(
        default=None, min_length=1, max_length=1, description="what parts the columns; empty: as the header line shows"
    )
    skip_lines: int = Field(default=0, ge=0, le=1000, description="title lines above the header")
    sheet: str | None = Field(default=None, description="the sheet of a workbook; empty: the first with anything in it")
    has_header: bool = Field(default=True, description="false: the first line is a row already, and `names` names them")
    names: tuple[str, ...] = Field(default=(), description="the headings of a file without header")
    date_formats: tuple[str, ...] = Field(
        default=(),
        description='how days are written, other than year-month-day: "%d/%m/%Y", "%d-%b-%Y", "%d/%m/%Y %H:%M"',
    )
    empty: tuple[str, ...] = Field(
        default=(), description='words that mean empty, as well as NULL and the like: "-", "N/K"'
    )
    limits: Limits | None = Field(
        default=None, description="how large its files may be, where [limits] is not right for this table"
    )

    @field_validator("date_formats")
    @classmethod
    def _tells_a_day(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for form in value:
            tells = all(any(part in form for part in parts) for parts in _DAY_PARTS)
            if not tells or not _FORM.fullmatch(form) or ("%I" in form) != ("%p" in form):
                raise ValueError(
                    f'"{form}" does not give a day: write it with %d, %m (or %b) and a year of four digits, %Y; a time '
                    "as %H:%M:%S or %I:%M %p"
                )
        return value


class TableSettings(Settings):
    """How one agency sends one table."""

    required: bool = Field(description="stop the run when this table is missing; otherwise go on and say so")
    held: bool = Field(
        default=True, description="false: this optional table does not exist here, so nothing says that it is missing"
    )
    ids: Literal["nhs_number", "own"] = Field(
        default="nhs_number",
        description="what `pseudonymise` finds in nhs_number and uprn: NHS numbers and UPRNs, or the agency's own ids "
        "of any text, which join only tables with the same ids",
    )
    not_held: tuple[str, ...] = Field(
        default=(), description="optional columns of the table, by our names, that the agency does not hold"
    )
    location: str | None = Field(
        default=None,
        description="a file, folder or database URI, or on Spark a table: or delta: place; empty: what has the "
        "table's name in the data folder",
    )
    query: str | None = Field(default=None, description="the query, where `location` is a database URI")
    recorded_on: str | None = Field(
        default=None, description='where the agency cannot send recorded_on: "started_on + 30d"'
    )
    lag_days: int = Field(
        default=0, ge=0, le=400, description="days until an ending without its own recording date is known"
    )
    late_after_days: int | None = Field(
        default=None, ge=1, description="say that the table is late when its newest record is older than this"
    )
    promised_days: int | None = Field(
        default=None,
        ge=1,
        description="the agency's own promise: its newest record is never older than this. Kept, the pages say "
        "that the records are up to date; broken, that they are late",
    )
    reader: ReaderSettings = Field(default=ReaderSettings(), description="how its files are to be read")
    linked_at_least: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="say so in every output when a smaller share of the table's people or homes is on the GP register; "
        "of the register itself, when a smaller share of its people has a home",
    )
    stop_linked_below: float = Field(
        default=0.02,
        ge=0,
        le=1,
        description="stop when almost none of at least 20 people or homes of the table is on the GP register, and "
        "almost none of the register is in the table: a smaller share than this, which another key gives",
    )
    columns: dict[str, str] = Field(default_factory=dict, description="our column name = the agency's column name")
    values: dict[str, dict[str, str]] = Field(
        default_factory=dict,
        description="for each of our columns: the agency's value = ours; an empty text means empty, `ignore` leaves "
        "the row out where the column is required. In an open column `ours` may be a label of your own: "
        "only labels named here or on our list are used",
    )
    constants: dict[str, str] = Field(
        default_factory=dict,
        description="our column name = its value in every row, where the agency sends no such column",
    )

    @property
    def words(self) -> dict[str, dict[str, str]]:
        """`values`, in which the value of each constant stands for itself: a label that the settings name."""
        own = {column: {value: value} for column, value in self.constants.items()}
        return {column: {**own.get(column, {}), **self.values.get(column, {})} for column in {**own, **self.values}}

    @field_validator("recorded_on")
    @classmethod
    def _column_plus_days(cls, value: str | None) -> str | None:
        if value is not None and not RECORDED_ON.match(value):
            raise ValueError('write it as "started_on + 30d"')
        return value


class SourceSettings(Settings):
    """One agency's own files, read by a source profile."""

    files: tuple[str, ...] = Field(
        default=(), description="patterns of the files that are of this source, where their headers do not tell"
    )
    extracted_on: date | None = Field(default=None, description="the day the extract was taken, if no file says")


class LedgerEntry(Settings):
    """One line of the permission ledger: who may use what, for which purpose, until when."""

    sources: tuple[TableName, ...] = Field(min_length=1, description="the tables this line permits")
    purposes: tuple[Purpose, ...] = Field(min_length=1, description="what for")
    recipients: tuple[Recipient, ...] = Field(min_length=1, description="who receives what is made of them")
    legal_basis: str = Field(min_length=3, description="the legal basis, in words a reader can check")
    expires_on: date = Field(description="the last day this line is in force")
    made_up_data_only: bool = Field(default=False, description="permits data marked synthetic, and no other")


class RecipientView(Settings):
    """What one recipient may read."""

    themes: tuple[Theme, ...] = Field(description="themes whose facts may be shown in full")
    shows_risk: bool = Field(default=False, description="show the risk and an order computed from it")


class Ledger(Settings):
    """The permission ledger: deny unless allowed."""

    type_1_allows_other_agencies: bool = Field(
        default=False, description="a type 1 opt-out bars GP facts only; otherwise it bars the whole person"
    )
    permissions_may_be_empty: bool = Field(
        default=False, description="accept a permissions table without rows; otherwise an empty one stops the run"
    )
    permissions_checked_within_days: int = Field(
        default=35, ge=1, description="stop when a kind of opt-out was not checked within this many days of the cut-off"
    )
    permissions_checked_at_least: float = Field(
        default=0.9,
        ge=0,
        le=1,
        description="stop when a smaller share of the rows of a kind of opt-out was checked within these days",
    )
    permissions_linked_at_least: float = Field(
        default=0.2,
        ge=0,
        le=1,
        description="stop when a smaller share of the people or homes with a kind of opt-out is in the records",
    )
    permitted: tuple[LedgerEntry, ...] = Field(description="the lines of the ledger")
    views: dict[Recipient, RecipientView] = Field(description="what each recipient may read")


class RecognitionSettings(Settings):
    """How much of what is sent must be of a kind we know before its absence is taken as a no.

    Shares of rows. What falls below is unknown, never no, and every output says so.
    """

    minimum_rows: int = Field(default=100, ge=1, description="with fewer rows than this nothing is checked")
    entries_readable_at_least: float = Field(
        default=0.8, ge=0, le=1, description="share of a practice's coded entries that are SNOMED CT concepts"
    )
    entries_on_lists_at_least: float = Field(
        default=0.005, ge=0, le=1, description="share of a practice's coded entries that are on any code list"
    )
    medicines_grouped_at_least: float = Field(
        default=0.8, ge=0, le=1, description="share of a practice's prescriptions with a BNF code; for telling alone"
    )
    diagnoses_on_lists_at_least: float = Field(
        default=0.01, ge=0, le=1, description="share of emergency diagnoses that are on any list of ICD-10 codes"
    )
    diagnoses_in_common_chapters_at_least: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="share of emergency diagnoses in the ICD-10 chapters I, J and R; codes of operations are almost "
        "never there",
    )
    labels_known_at_least: float = Field(
        default=0.8, ge=0, le=1, description="share of an open column's labels that we know; for telling alone"
    )
    places_known_at_least: float = Field(
        default=0.5, ge=0, le=1, description="share of people whose area is in the file of places"
    )


class ModelSettings(Settings):
    """Which model bundles a run may use."""

    signers: tuple[str, ...] = Field(
        default=(),
        description="public keys (Ed25519, 64 hexadecimal digits) one of which has to have signed the bundle; none: "
        "bundles need no signature",
    )
    trained_on_or_after: date | None = Field(
        default=None,
        description="refuse a bundle whose latest cut-off is earlier than this day, such as an older one put back",
    )

    @field_validator("signers")
    @classmethod
    def _public_keys(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(re.fullmatch(r"[0-9a-f]{64}", key) for key in value):
            raise ValueError("write each public key as the 64 hexadecimal digits that `ageingwell seal --sign` tells")
        return value


class ScoreSettings(Settings):
    """The settings of a nightly run."""

    purpose: Purpose = Field(description="what this run is for; the ledger must permit it")
    minimum_age: int = Field(default=65, ge=50, le=100, description="people from this age on are scored")
    max_refused_share: float = Field(
        default=0.10, ge=0, le=1, description="stop when more than this share of a table's rows is refused"
    )
    max_lost_share: float = Field(
        default=0.2,
        ge=0,
        le=1,
        description="share of people, homes or patients of a practice that may vanish since the last night before a "
        "person has to accept it",
    )
    bundle: str = Field(default="demo", min_length=1, description="the model bundle: a shipped name, or a folder")
    model: ModelSettings = Field(default=ModelSettings(), description="which model bundles a run may use")
    raising_reasons: int = Field(default=3, ge=0, le=5, description="facts linked with a higher chance on a list row")
    lowering_reasons: int = Field(default=1, ge=0, le=3, description="facts linked with a lower chance on a list row")
    date_facts_after_days: int = Field(
        default=365, ge=0, description="a fact whose newest record is older than this is told with its month"
    )
    annex_charts: bool = Field(
        default=True, description="draw charts in the technical annex, where the extra `annex` is installed"
    )
    seed: int = Field(default=1, ge=0, description="seed of every draw")
    threads: int = Field(default=2, ge=1, le=256, description="threads for the model; the results do not depend on it")
    memory_gib: float = Field(
        default=4.0,
        ge=1,
        le=4096,
        description="memory a run may take, in GiB; it decides into how many shards of whole homes people are split",
    )
    shards: int | None = Field(
        default=None,
        ge=1,
        le=10_000,
        description="into how many shards people are split; empty: as `memory_gib` asks. The results are the same",
    )
    engine: EngineSettings = Field(default=EngineSettings(), description="where the parts of a run are worked")
    recognition: RecognitionSettings = Field(
        default=RecognitionSettings(), description="how much of what is sent must be of a kind we know"
    )
    change: ChangeSettings = Field(
        default=ChangeSettings(), description="how much a delivery may differ from the last one"
    )
    lists: ListSettings = Field(default=ListSettings(), description="how long a list may be used")
    audit: AuditSettings = Field(default=AuditSettings(), description="where it is kept who used the records")
    status: StatusSettings = Field(default=StatusSettings(), description="when `status` says that something is wrong")
    person: PersonSettings = Field(
        default=PersonSettings(), description="what the page for a person says who asks what is held of them"
    )
    signoff: SignoffSettings = Field(default=SignoffSettings(), description="what was signed off")
    reidentify: ReidentifySettings = Field(
        default=ReidentifySettings(), description="how many people an agency may look up by the lists it was sent"
    )
    keys: KeySettings = Field(default=KeySettings(), description="who has the keys")
    retention: RetentionSettings = Field(default=RetentionSettings(), description="how long anything is kept")
    agencies: str = Field(default="agencies.toml", min_length=1, description="file: how each agency sends its tables")
    permissions: str = Field(default="permissions.toml", min_length=1, description="file: the permission ledger")
    outreach: str = Field(
        default="outreach.toml", min_length=1, description="file: who is visited, how many, and who visits"
    )
    interventions: str = Field(
        default="interventions.toml", min_length=1, description="file: needs, their leads and next actions"
    )
    may_lower: str = Field(
        default="may_lower.toml",
        min_length=1,
        description="file: which facts may be shown as linked with a lower chance, and who signed",
    )
    services: str = Field(
        default="services.toml",
        min_length=1,
        description="file: the local directory, and which services serve which need",
    )
    costs: str = Field(default="costs.toml", min_length=1, description="file: what visits, offers and events cost")
    codelists: str = Field(default="codelists", min_length=1, description="folder of code lists")
    dmd_to_bnf: str | None = Field(
        default=None,
        min_length=1,
        description="file: the BNF code of each dm+d code, as the NHS Business Services Authority publishes it (.xlsx, "
        ".zip) or as a CSV with dmd_code and bnf_code",
    )
    training: str = Field(default="train.toml", min_length=1, description="file: how models are trained")
    places: str = Field(
        default="places.csv.gz", min_length=1, description="file: the place, deprivation decile and class of each LSOA"
    )


class TrainSettings(Settings):
    """The settings of training."""

    outcomes: tuple[Outcome, ...] = Field(description="the outcomes to train a model for; the first one ranks")
    horizon_days: int = Field(default=365, ge=30, le=1100, description="how far ahead an outcome is looked for")
    settling_days: int = Field(default=90, ge=0, le=365, description="wait this long for late records of an outcome")
    fit_cut_offs: int = Field(default=2, ge=1, le=12, description="how many cut-offs to fit on")
    days_between_fit_cut_offs: int = Field(default=365, ge=30, description="days between two fitting cut-offs")
    test_share: float = Field(default=0.3, gt=0, lt=1, description="share of households held out for the latest year")
    calibration_share: float = Field(default=0.2, gt=0, lt=1, description="share of households held out to calibrate")
    late_agency_share: float = Field(
        default=0.03, ge=0, lt=0.5, description="share of fitting rows on which each agency is rehearsed as missing"
    )
    minimum_events: int = Field(default=200, ge=20, description="refuse to train on fewer events, whatever Riley says")
    parameters_per_feature: float = Field(
        default=1.0, gt=0, le=10, description="parameters a feature counts as in Riley's criteria of sample size"
    )
    least_shrinkage: float = Field(
        default=0.8, ge=0.5, lt=1, description="share of an effect expected to hold on new people, in Riley's criteria"
    )
    untold_share_at_most: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="stop where codes or labels that are not recognised hide an outcome from more than this share of "
        "people",
    )
    trees: int = Field(default=600, ge=1, le=2000, description="most trees in each model; how many is found out")
    leaves: int = Field(default=12, ge=4, le=64, description="most leaves of a tree; how many is found out")
    minimum_people_per_leaf: int = Field(default=50, ge=20, description="fewest people in a leaf")
    draws: int = Field(default=200, ge=10, le=10_000, description="how often people are redrawn for an interval")
    seed: int = Field(default=1, ge=0, description="seed of every draw")
    insist_on_emergency_admission: bool = Field(
        default=False, description="train emergency_admission from GP codes when there are no hospital records"
    )
