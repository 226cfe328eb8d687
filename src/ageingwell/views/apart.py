"""Views beside the list: homes that nobody is linked to, and what the safeguarding lead alone receives."""

from collections.abc import Collection
from datetime import date
from typing import Any

import polars as pl

from ageingwell.config.outreach import Interventions, OutreachSettings
from ageingwell.config.score import Ledger
from ageingwell.outreach.order import act_by
from ageingwell.pseudonyms.digests import row_key
from ageingwell.pseudonyms.keys import Key
from ageingwell.register import Recipient
from ageingwell.views.columns import FOR_HOMES, FOR_SAFEGUARDING, AgencyView, with_capitals
from ageingwell.views.reader import URGENCY, Reader, reader_of
from ageingwell.views.recipient import NO_FACTS, NO_HOME, UNKNOWN, day_words, understood
from ageingwell.views.told import Words
from ageingwell.views.words import ANY_NEED, NEED_WORDS, label_words

NO_PLACE = "not on record; your own register has the address"
NO_FIRE_NEED = "no fire need found"
MARKERS = {"safeguarding": "This person", "safeguarding_at_home": "Someone at this home", "home": "This home"}


def homes_for(
    recipient: Recipient,
    *,
    needs: pl.DataFrame,
    ledger: Ledger,
    as_of: date,
    key: Key,
    settings: OutreachSettings | None = None,
    interventions: Interventions | None = None,
    safeguarded: Collection[str] = (),
    staff_safety: Collection[str] = (),
) -> AgencyView:
    """Build the list of homes with a need that this agency leads, to which no person is linked: one row a home, the
    most urgent first.

    `needs` is the night's table; only its rows without a person are used. The homes in `safeguarded` are left to the
    safeguarding lead; those in `staff_safety` have the note on it before the action. Raises
    `NotPermittedError` where the ledger has no view for the recipient.
    """
    settings, interventions = settings or OutreachSettings(), interventions or Interventions(needs={})
    reader = reader_of(recipient, ledger=ledger, thresholds=settings.thresholds)
    mine = pl.col("person_id").is_null() & (pl.col("lead_agency") == recipient)
    of_homes = needs.filter(mine & ~pl.col("household_id").is_in(list(safeguarded)))
    words = Words(interventions, settings)
    cells = [
        _of_home(reader, home, found, has_marker=home in staff_safety, words=words)
        for (home,), found in of_homes.group_by("household_id")
    ]
    rank = pl.col("urgency").replace_strict(URGENCY, return_dtype=pl.Int64)
    frame = (
        pl.DataFrame(cells, schema=_HOMES, orient="row")
        .with_columns(
            row_key=row_key(pl.col("home"), recipient=recipient, as_of=as_of, key=key),
            act_by=day_words(act_by(pl.col("urgency"), as_of=as_of, settings=settings)),
        )
        .sort(rank, "row_key")
        .with_columns(
            position=pl.int_range(1, pl.len() + 1).cast(pl.String),
            urgency=pl.col("urgency").map_elements(label_words, return_dtype=pl.String),
        )
    )
    shown = frame.select(column.name for column in FOR_HOMES)
    return AgencyView(recipient, as_of, FOR_HOMES, with_capitals(shown))


def _of_home(reader: Reader, home: str, found: pl.DataFrame, *, has_marker: bool, words: Words) -> list[Any]:
    """One home in the order of `_HOMES`: the most urgent of its needs first."""
    rank = pl.col("urgency").replace_strict(URGENCY, return_dtype=pl.Int64)
    ordered = found.sort(rank, "need", "action")
    warning = f"{words.settings.staff_safety_note}. "  # as the night writes it before the step
    steps = dict.fromkeys(
        action.removeprefix(warning) if reader.tells(need) else NEED_WORDS.get(need, ANY_NEED).step
        for need, action in ordered.select("need", "action").iter_rows()
    )
    is_warned = has_marker or ordered["action"].str.starts_with(warning).any()
    note = [words.settings.staff_safety_note] if is_warned else []
    place = ordered["place"].drop_nulls() if "place" in ordered.columns else pl.Series([], dtype=pl.String)
    return [
        home,
        ordered["urgency"][0],
        place[0] if len(place) else NO_PLACE,
        *_told(reader, found),
        ". ".join([*note, *steps]),
        reader.say(ordered["need"][0], words.interventions),
    ]


def safeguarding_view(
    marked: pl.DataFrame,
    *,
    needs: pl.DataFrame,
    people: pl.DataFrame,
    ledger: Ledger,
    as_of: date,
    key: Key,
    settings: OutreachSettings | None = None,
) -> AgencyView:
    """Build what the safeguarding lead alone receives: every person and home under a marker, unmet fire needs first.

    `marked` has `person_id` and `household_id` (a home's marker has no person) and may have `reason`, as the attrition
    table gives it. `people` may lack some of them, such as somebody who opted out or is too young to be scored: of them
    no need was looked for, and what is not known is said to be so. Nobody here is on any list.
    """
    settings = settings or OutreachSettings()
    reader = reader_of("safeguarding", ledger=ledger, thresholds=settings.thresholds)
    fire = needs.filter(pl.col("outcome").ne_missing("allocated") & pl.col("need").is_in(_fire_needs(needs)))
    if "reason" not in marked.columns:
        marked = marked.with_columns(reason=pl.lit(None, dtype=pl.String))
    known = (
        marked.select("person_id", "household_id", "reason")
        .unique()
        .join(people.select("person_id", "place", "communication_need").unique("person_id"), on="person_id", how="left")
    )
    looked_at = set(people["person_id"])
    cells = [
        [
            *row,
            *_told(
                reader,
                _fire_needs_of(fire, person_id=row[0], household_id=row[1]),
                otherwise=NO_FIRE_NEED if row[0] is None or row[0] in looked_at else UNKNOWN,
            ),
        ]
        for row in known.iter_rows()
    ]
    frame = pl.DataFrame(cells, schema=known.schema | _TOLD, orient="row")
    own = {
        name: row_key(pl.col(column), recipient="safeguarding", as_of=as_of, key=key)
        for name, column in (("_row_key", "person_id"), ("_home_key", "household_id"))
    }
    is_person = pl.col("person_id").is_not_null()
    reason = pl.when(is_person).then(pl.col("reason").fill_null("safeguarding")).otherwise(pl.lit("home"))
    built = frame.with_columns(**own).select(
        pl.coalesce("_row_key", "_home_key").alias("row_key"),
        pl.col("_home_key").fill_null(NO_HOME).alias("household_key"),
        pl.when(is_person).then(pl.lit("person")).otherwise(pl.lit("home")).alias("is_a"),
        pl.col("place").fill_null(UNKNOWN),
        reason.replace_strict(MARKERS, default=UNKNOWN, return_dtype=pl.String).alias("marker"),
        "needs",
        "facts",
        understood(pl.col("communication_need"), otherwise=UNKNOWN),
    )
    has_need = ~pl.col("needs").list.first().is_in([NO_FIRE_NEED, UNKNOWN])
    ordered = built.sort(~has_need, "household_key", "row_key", "marker").select(c.name for c in FOR_SAFEGUARDING)
    notes = ("Nobody on this sheet is on any agency's list. The safeguarding lead decides who acts, and how.",)
    return AgencyView("safeguarding", as_of, FOR_SAFEGUARDING, with_capitals(ordered), notes)


_TOLD = pl.Schema({"needs": pl.List(pl.String), "facts": pl.List(pl.String)})
_HOMES = pl.Schema(
    {
        "home": pl.String(),
        "urgency": pl.String(),
        "place": pl.String(),
        "needs": pl.List(pl.String),
        "facts": pl.List(pl.String),
        "action": pl.String(),
        "what_to_say": pl.String(),
    }
)
FIRE_NEEDS = ("oxygen_or_emollient_smoking", "no_working_alarm", "fire_safety")


def _fire_needs(needs: pl.DataFrame) -> list[str]:
    """The needs of fire safety: those by name, wherever they are led, and any other that the fire service leads."""
    led = needs.filter(pl.col("lead_agency") == "fire")["need"].unique().to_list()
    return sorted({*FIRE_NEEDS, *led})


def _fire_needs_of(fire: pl.DataFrame, *, person_id: str | None, household_id: str | None) -> pl.DataFrame:
    at_home = pl.col("household_id") == household_id if household_id is not None else pl.lit(value=False)
    own = pl.col("person_id") == person_id if person_id is not None else pl.lit(value=False)
    return fire.filter((own | at_home).fill_null(value=False))


def _told(reader: Reader, found: pl.DataFrame, *, otherwise: str = NO_FIRE_NEED) -> tuple[list[str], list[str]]:
    """Needs and permitted facts of one person or home, in this reader's words; `otherwise` where no need is found."""
    pairs = found.select("need", "criterion").unique().sort("need", "criterion").rows()
    names = list(dict.fromkeys(reader.need_words(need) for need, _ in pairs))
    facts = list(dict.fromkeys(fact for need, criterion in pairs for fact in reader.facts_of(need, criterion)))
    return names or [otherwise], facts or [NO_FACTS]
