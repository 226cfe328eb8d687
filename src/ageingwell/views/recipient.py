"""One recipient's view of the night's list, built up from the columns its line in the ledger allows.

Hiding a reason from the display does not hide it: shown reasons chosen by contribution, a figure, or an order computed
from the risk give a hidden fact away. So a recipient that may not read every theme gets the needs it leads, the facts
it may read, the next step, and an order by urgency and its own keys; nothing on its list depends on anything else but
the fact that the row is on it.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

import polars as pl

from ageingwell.config.outreach import Interventions, OutreachSettings
from ageingwell.config.score import Ledger
from ageingwell.in_hundred import or_more
from ageingwell.outreach.order import OVERDUE, act_by
from ageingwell.pseudonyms.digests import row_key
from ageingwell.pseudonyms.keys import Key
from ageingwell.register import LEAD_AGENCIES, THEME_OF_AGENCY, THEME_WORDS, Recipient
from ageingwell.views.columns import FOR_ANYONE, FOR_READERS_OF_RISK, PART, AgencyView, with_capitals
from ageingwell.views.doors import rows_for
from ageingwell.views.less import ASK, less_note, told_less
from ageingwell.views.reader import EVERY_THEME, URGENCY, Reader, reader_of
from ageingwell.views.sharing import NOTHING_LESS
from ageingwell.views.told import Words, told_of
from ageingwell.views.words import (
    FOUND_BY,
    WELLBEING,
    agency_words,
    cannot_tell,
    communication_words,
    label_words,
)

UNKNOWN: Final = "not known"
NONE_SHOWN: Final = "none shown"
NO_FACTS: Final = "nothing that you may read"
NO_FACTS_OF_NEEDS: Final = "none, as no rule found a need"
NO_NEED: Final = "wellbeing check: no need found by a rule"
NO_SERVICE: Final = "we cannot tell you who else is involved"
NOT_SAID: Final = "another agency; ask the chair who it is"
NO_DAY: Final = "no day set"
NO_HOME: Final = "no home linked"
NOT_RECORDED: Final = "Not recorded"
TOLD_WORDS: Final = {"yes": "Yes", "not_yet": "Not yet"}
# Who holds no register, and so cannot find out whom a key stands for.
WITHOUT_REGISTER: Final = ("voluntary",)
FIRST_CONTACT: Final = (
    "You have keys and no names, and that is on purpose. The agency that leads makes contact first. It asks the person "
    "whether you may get in touch, and gives you their name and telephone number only if they agree. Where you lead, a "
    "GP practice makes that first contact, from a copy of this list."
)
NOTHING_BEFORE: Final = "nothing decided before"
NO_PLAN: Final = "no plan"
NOTHING_REMEMBERED: Final = pl.DataFrame(
    schema={
        "person_id": pl.String,
        "standing": pl.String,
        "due_on": pl.Date,
        "last_time": pl.List(pl.String),
        "plan": pl.List(pl.String),
    }
)
OLDEST: Final = 90  # a single oldest person is the easiest to single out (one band from here on)


def view_for(
    recipient: Recipient,
    *,
    rows: pl.DataFrame,
    needs: pl.DataFrame,
    reasons: pl.DataFrame,
    people: pl.DataFrame,
    ledger: Ledger,
    as_of: date,
    key: Key,
    settings: OutreachSettings | None = None,
    interventions: Interventions | None = None,
    recorded: pl.DataFrame | None = None,
    remembered: pl.DataFrame | None = None,
    less: pl.DataFrame = NOTHING_LESS,
) -> AgencyView:
    """Build what one recipient sees: the doors it leads or is asked to come along to; the group sees every door.

    `rows`, `needs`, `reasons` and `recorded` are the tables `list`, `needs`, `reasons` and `recorded` of the night,
    `people` the spine of the people listed (`not_told_by`, if it is there, names agencies whose records could not be
    looked in);
    `interventions` hold what a visitor says. `rows` may have `person_told`, as the group recorded it
    (`yes`, `not_yet`). `less` says of which rows less is told, so that enough people share them (`views.sharing`).
    `remembered` is what this very reader may be told of before, in words (person_id, standing,
    due_on, last_time, plan). Visits that are overdue stand first. Row and home keys are the recipient's own and the
    night's own. The figure, its order and the reasons are in the view only if the ledger says `shows_risk` and every
    theme may be read. The result depends on no order of rows. Raises `NotPermittedError` where the ledger has no view
    for the recipient.
    """
    settings, interventions = settings or OutreachSettings(), interventions or Interventions(needs={})
    reader = reader_of(recipient, ledger=ledger, thresholds=settings.thresholds)
    seen = rows_for(recipient, rows=rows)
    columns = tuple(
        column
        for column in (FOR_READERS_OF_RISK if reader.reads_risk else FOR_ANYONE)
        if column != PART or recipient != "group"
    )
    words = Words(interventions, settings)
    known = (
        seen.join(_of_people(people), on="person_id", how="left")
        .join(told_of(reader, seen, needs, recorded, words=words), on="person_id", how="left")
        .join(_linked(reader, seen, reasons, "raises"), on="person_id", how="left")
        .join(_linked(reader, seen, reasons, "lowers"), on="person_id", how="left")
        .with_columns(
            _row_key=row_key(pl.col("person_id"), recipient=recipient, as_of=as_of, key=key),
            _home_key=row_key(pl.col("household_id"), recipient=recipient, as_of=as_of, key=key),
            _act_by=act_by(pl.col("urgency_told"), as_of=as_of, settings=settings),
        )
    )
    known = told_less(known, less, reader, words)
    if "person_told" not in known.columns:
        known = known.with_columns(person_told=pl.lit(None, dtype=pl.String))
    before = NOTHING_REMEMBERED if remembered is None else remembered.select(NOTHING_REMEMBERED.columns)
    known = known.join(before, on="person_id", how="left")
    # The day that the group named stands before the one that the urgency of the need gives.
    known = known.with_columns(_act_by=pl.coalesce("due_on", "_act_by"))
    cells = _cells(reader, words)
    ordered = known.sort(_order(reader)).with_columns(_position=pl.int_range(1, pl.len() + 1))
    frame = ordered.select(cells[column.name].alias(column.name) for column in columns)
    here = less.join(seen.select("person_id"), on="person_id", how="semi")
    return AgencyView(recipient, as_of, columns, with_capitals(frame), _notes(reader) + less_note(here, reader))


def _order(reader: Reader) -> list[pl.Expr]:
    """People of one door together; overdue visits first, then the most urgent of the needs that the reader is told of;
    then by rank for who may read the risk."""
    home = pl.coalesce("_home_key", "_row_key")
    overdue = ~(pl.col("status") == OVERDUE).any().over("door")
    urgency = pl.col("urgency_told").replace_strict(URGENCY, return_dtype=pl.Int64).min().over("door")
    if reader.reads_risk:
        # After the urgent ones the order is that of rank: how soon the others are seen is for the group to say.
        return [overdue, urgency > 0, pl.col("rank").min().over("door"), home, pl.col("rank"), pl.col("_row_key")]
    return [overdue, urgency, home, pl.col("_row_key")]


def _cells(reader: Reader, words: Words) -> dict[str, pl.Expr]:
    """How each cell is made, by column name; no other expression reaches a file."""
    may_name = [agency for agency in LEAD_AGENCIES if reader.may_name(agency, words.interventions)]
    lead = pl.col("lead_agency")
    return {
        "position": pl.col("_position").cast(pl.String),
        "urgency": pl.col("urgency_told").map_elements(label_words, return_dtype=pl.String),
        "act_by": day_words(pl.col("_act_by")),
        "row_key": pl.col("_row_key"),
        "household_key": pl.col("_home_key").fill_null(NO_HOME),
        "place": pl.col("place").fill_null(UNKNOWN),
        "age_band": pl.coalesce("_age_words", age_band(pl.col("age"))),
        "band": pl.col("band"),
        "chance": chance_words(),
        "found_by": pl.col("why").replace_strict(FOUND_BY, default=UNKNOWN, return_dtype=pl.String),
        "part": pl.col("part"),
        "lead_agency": pl.when(lead.is_in(may_name) | pl.col("leads"))
        .then(lead.map_elements(agency_words, return_dtype=pl.String))
        .otherwise(pl.lit(NOT_SAID)),
        "needs": _or_one(pl.col("needs_told"), NO_NEED if reader.reads_risk else WELLBEING),
        "facts": _or_one(pl.col("facts_told"), NO_FACTS_OF_NEEDS if reader.themes >= EVERY_THEME else NO_FACTS),
        "raises": _or_one(pl.col("raises"), NONE_SHOWN),
        "lowers": _or_one(pl.col("lowers"), NONE_SHOWN),
        "action": _next_step(reader, words, may_name).fill_null(UNKNOWN),
        "communication_need": understood(pl.col("communication_need"), otherwise="none recorded"),
        "what_to_say": pl.col("say").fill_null(words.interventions.say),
        "person_told": pl.col("person_told").replace_strict(TOLD_WORDS, default=NOT_RECORDED, return_dtype=pl.String),
        "known_to": pl.when("_asks_services")
        .then(pl.lit([ASK], dtype=pl.List(pl.String)))
        .when(_agencies_told(reader, "known_to").list.len().fill_null(0) > 0)
        .then(_agencies_told(reader, "known_to"))
        .otherwise(pl.concat_list(_nobody_known(reader))),
        "new_since_last": pl.when("new_since_last").then(pl.lit("New")).otherwise(pl.lit("Listed before")),
        "status": pl.coalesce("standing", pl.col("status").map_elements(label_words, return_dtype=pl.String)),
        "last_time": _or_one(pl.col("last_time"), NOTHING_BEFORE),
        "plan": _or_one(pl.col("plan"), NO_PLAN),
    }


def understood(need: pl.Expr, *, otherwise: str) -> pl.Expr:
    """Say the label of a communication need in words; `otherwise` where none is on record."""
    return need.map_elements(communication_words, return_dtype=pl.String).fill_null(otherwise)


def age_band(age: pl.Expr) -> pl.Expr:
    """Say an age as a band of five years, open from 90.

    >>> pl.DataFrame({"age": [65, 84, 97, None]}).select(age_band(pl.col("age")))["age"].to_list()
    ['65 to 69', '80 to 84', '90 or over', 'not known']
    """
    low = age // 5 * 5
    words = pl.when(age >= OLDEST).then(pl.lit("90 or over")).otherwise(pl.format("{} to {}", low, low + 4))
    return words.fill_null(UNKNOWN).alias(age.meta.output_name())


def chance_words() -> pl.Expr:
    """Say `risk` with its range, in whole numbers of 100.

    >>> risks = pl.DataFrame({"risk": [0.231, 0.004, None], "risk_low": [0.18, 0.001, None], "risk_high": [0.29] * 3})
    >>> risks.select(chance_words())["chance"].to_list()
    ['About 23 in 100 (18 to 29)', 'Fewer than 1 in 100', 'no estimate']
    >>> ends = {"risk_low": pl.lit(None, pl.Float64), "risk_high": pl.lit(None, pl.Float64)}
    >>> pl.DataFrame({"risk": [0.64]}).with_columns(**ends).select(chance_words())["chance"].to_list()
    ['About 64 in 100 (about half or more; too few people to be exact)']
    """
    middle, low, high = (
        (pl.col(name) * 100).round(mode="half_away_from_zero").cast(pl.Int64)
        for name in ("risk", "risk_low", "risk_high")
    )
    few = pl.when(middle < 1).then(pl.lit("Fewer than 1 in 100"))
    ends = few.when(middle > 99).then(pl.lit("More than 99 in 100"))
    with_range = ends.when(low.is_not_null() & high.is_not_null()).then(
        pl.format("About {} in 100 ({} to {})", middle, low, high)
    )
    more = pl.col("risk").map_elements(or_more, return_dtype=pl.String)
    unchecked = pl.format("About {} in 100 ({}; too few people to be exact)", middle, more)
    return with_range.otherwise(unchecked).fill_null("no estimate").alias("chance")


def day_words(day: pl.Expr) -> pl.Expr:
    """Say a day as a reader would; no day is said to be none.

    >>> pl.DataFrame({"day": [date(2026, 11, 9), None]}).select(day_words(pl.col("day")))["day"].to_list()
    ['9 November 2026', 'no day set']
    """
    return day.dt.strftime("%-d %B %Y").fill_null(NO_DAY).alias(day.meta.output_name())


def _or_one(texts: pl.Expr, otherwise: str) -> pl.Expr:
    none = pl.lit([otherwise], dtype=pl.List(pl.String))
    return pl.when(texts.list.len().fill_null(0) > 0).then(texts).otherwise(none)


def _next_step(reader: Reader, words: Words, may_name: Sequence[str]) -> pl.Expr:
    """The list's own step to who reads every need and leads; else what to know first, the reader's own step, and the
    partners of whom it may be told."""
    notes = [
        pl.when(pl.col("action").str.contains(note, literal=True)).then(pl.lit(note))
        for note in (words.settings.staff_safety_note, words.settings.care_home_check_note)
    ]
    by_letter = pl.when(pl.col("household_id").is_null()).then(pl.lit(words.settings.no_door_action))
    named = {agency: agency_words(agency) for agency in may_name if agency != reader.recipient}
    partner = pl.element().replace_strict(named, default=None, return_dtype=pl.String)
    partners = pl.col("joint_with").list.eval(partner).list.drop_nulls()
    joint = pl.when(partners.list.len() > 0).then(pl.format("Joint visit with: {}", partners.list.join(", ")))
    own = pl.concat_str(*notes, by_letter.otherwise("own_step"), joint, separator=". ", ignore_nulls=True)
    if not reader.reads_every_need:
        return own
    return pl.when("leads" if reader.recipient != "group" else pl.lit(value=True)).then("action").otherwise(own)


def _agencies_read(reader: Reader) -> list[str]:
    return sorted(agency for agency, theme in THEME_OF_AGENCY.items() if theme in reader.themes)


def _of_people(people: pl.DataFrame) -> pl.DataFrame:
    """What the view takes from the spine; an older night did not keep who could not be asked."""
    untold = pl.col("not_told_by") if "not_told_by" in people.columns else pl.lit([], dtype=pl.List(pl.String))
    return people.select("person_id", "age", "communication_need", untold.alias("not_told_by"))


def _agencies_told(reader: Reader, column: str) -> pl.Expr:
    """Services in a column, of those whose theme may be read: a record with social care is a fact of care."""
    allowed = _agencies_read(reader)
    agency = pl.element()
    kept = pl.when(agency.is_in(allowed)).then(agency)
    named = pl.col(column).list.eval(kept).list.drop_nulls().list.sort()
    return named.list.eval(pl.element().map_elements(agency_words, return_dtype=pl.String))


def _nobody_known(reader: Reader) -> pl.Expr:
    """What stands where no service is known to have a record: nobody has, or that cannot be told."""
    untold = _agencies_told(reader, "not_told_by")
    nobody = "none recorded" if reader.themes >= EVERY_THEME else NO_SERVICE
    words = untold.map_elements(lambda agencies: cannot_tell(list(agencies)), return_dtype=pl.String)
    return pl.when(untold.list.len().fill_null(0) > 0).then(words).otherwise(pl.lit(nobody))


def _linked(reader: Reader, seen: pl.DataFrame, reasons: pl.DataFrame, direction: str) -> pl.DataFrame:
    """The facts linked with a higher or lower chance, strongest first; nothing at all without leave for the risk."""
    readable = sorted(reader.features) if reader.reads_risk else []
    kept = (
        reasons.join(seen.select("person_id"), on="person_id", how="semi")
        .filter(pl.col("shown") & (pl.col("direction") == direction) & pl.col("text").is_not_null())
        .filter(pl.col("feature").is_in(readable) & pl.col("theme").is_in(sorted(reader.themes)))
        .sort("person_id", -pl.col("adds_in_100").abs(), "position", nulls_last=True)
    )
    theme = pl.col("theme").replace_strict(THEME_WORDS, default="", return_dtype=pl.String)
    return kept.group_by("person_id").agg(pl.format("{}: {}", theme, "text").alias(direction))


def _notes(reader: Reader) -> tuple[str, ...]:
    """What the reader has to know about its own view."""
    first = (FIRST_CONTACT,) if reader.recipient in WITHOUT_REGISTER else ()
    return first + _notes_on_reading(reader)


def _notes_on_reading(reader: Reader) -> tuple[str, ...]:
    if reader.reads_risk:
        return ("Facts are linked with a higher or lower chance; they are not causes, and not a diagnosis.",)
    themes = ", ".join(THEME_WORDS[theme].lower() for theme in sorted(reader.themes))
    facts = f"You may see facts about: {themes}" if themes else "You are not allowed to see any facts on this list"
    return (
        f"{facts}.",
        "Most urgent first. The order does not show risk.",
    )
