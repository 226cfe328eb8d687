"""How many people of the register share what a row shows, and what a row leaves out so that at least ten do.

Who finds a list, or is curious, may know some facts about somebody and look for the row that fits. So what a row shows
of a person must fit at least ten people of the register, not only of the list. Counted is what the recipient does not
hold in its own records: place, what they need to be understood, needs, facts, other services that know them. What a
recipient holds itself it can look up by the row key, and it gives nothing away to it. A row of a recipient that reads
every theme and the risk comes with a page of dated facts, which is what the group decides by: of that row the place,
the age and the need to be understood are counted. What the group decided (status, plan, who leads) is no fact of a
record.

Where fewer than ten share a row, it leaves out one thing after another (`BLIND` or `READERS_OF_RISK`, in that order),
and says so in its own cells. An urgent need and its next step are never left out, however few have one; such a row
keeps its place too.
"""

from collections.abc import Iterable
from typing import Final

import polars as pl

from ageingwell.config.outreach import Interventions
from ageingwell.register import THEME_OF_AGENCY, tables_of
from ageingwell.views.doors import DOOR
from ageingwell.views.reader import Reader
from ageingwell.views.told import Words, told_of
from ageingwell.views.words import ANY_NEED, NEED_WORDS

FEWEST_SHARING: Final = 10

# What is left out, one after another, until at least ten people share the row.
BLIND: Final = ("communication", "facts", "themes", "services", "place", "needs", "wider", "groups")
READERS_OF_RISK: Final = ("communication", "age", "place", "wider")

SEEN: Final = pl.Schema(
    {
        "person_id": pl.String(),
        "place": pl.String(),
        "wider": pl.String(),
        "communication": pl.String(),
        "age": pl.String(),
        "needs": pl.String(),
        "groups": pl.String(),
        "urgent": pl.String(),
        "facts": pl.String(),
        "themes": pl.String(),
        "services": pl.String(),
    }
)
COARSENED: Final = pl.Schema(
    {"recipient": pl.String(), "person_id": pl.String(), "step": pl.Int64(), "wider": pl.String(), "n": pl.Int64()}
)
_FIELDS: Final = tuple(name for name in SEEN if name != "person_id")
OF_NEEDS: Final = ("needs", "groups", "urgent", "facts", "themes")
_NOBODY: Final = "nobody"
_TOLD: Final = pl.Schema({name: SEEN[name] for name in ("person_id", *OF_NEEDS)})


NOTHING_LESS: Final = pl.DataFrame(schema=COARSENED)


def steps_of(reader: Reader) -> tuple[str, ...]:
    """What this reader's rows leave out, in order."""
    return READERS_OF_RISK if reader.reads_risk else BLIND


def seen_of(
    reader: Reader,
    people: pl.DataFrame,
    *,
    needs: pl.DataFrame,
    recorded: pl.DataFrame,
    words: Words,
    districts: pl.DataFrame,
) -> pl.DataFrame:
    """What a row would show this reader of each of `people`, beyond its own records (`SEEN`).

    `people` is the spine (person_id, household_id, place, age, communication_need, known_to); `needs` and `recorded`
    are theirs; `districts` has place and district.
    """
    base = people.join(
        districts.select("place", wider="district").unique("place", keep="first", maintain_order=True),
        on="place",
        how="left",
    ).select(
        "person_id",
        "place",
        pl.col("wider").fill_null(""),
        communication=pl.col("communication_need").fill_null(""),
        age=(pl.col("age") // 5 * 5).clip(upper_bound=90).cast(pl.String),
        services=pl.lit("") if reader.reads_risk else _services(reader),
    )
    if reader.reads_risk:
        return base.with_columns(pl.lit("").alias(name) for name in OF_NEEDS).select(list(SEEN))
    told = _told(reader, people, needs, recorded, words)
    return (
        base.join(told, on="person_id", how="left", maintain_order="left")
        .with_columns(pl.col(name).fill_null("") for name in OF_NEEDS)
        .select(list(SEEN))
    )


def counted(seen: pl.DataFrame) -> pl.DataFrame:
    """How many people share each combination of what is shown: the fields of `SEEN`, and n."""
    return seen.group_by(_FIELDS).agg(n=pl.len().cast(pl.Int64))


def added_up(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """The counts of several parts of the people together."""
    return pl.concat(list(parts)).group_by(_FIELDS).agg(pl.col("n").sum())


def coarsened(reader: Reader, listed: pl.DataFrame, counts: pl.DataFrame) -> pl.DataFrame:
    """By how many steps each row of the list is coarsened for this reader (`COARSENED`); only rows that are.

    `n` is how many people of the register share what is then shown. `listed` is `SEEN` of the people on this reader's
    list.

    >>> from ageingwell.config.outreach import Thresholds
    >>> reader = Reader("voluntary", frozenset(), shows_risk=False, thresholds=Thresholds())
    >>> alike = {name: [""] * 12 for name in SEEN} | {"person_id": [f"p{n}" for n in range(12)]}
    >>> people = pl.DataFrame(alike | {"communication": ["braille"] + [""] * 11})
    >>> coarsened(reader, people.head(2), counted(people)).select("person_id", "step", "n").rows()
    [('p0', 1, 12)]
    """
    steps = steps_of(reader)
    left, found = listed, [pl.DataFrame(schema=COARSENED)]
    for step in range(len(steps) + 1):
        if left.is_empty():
            break
        here = _sharing(left, counts, steps, step=step, reader=reader)
        settled = here.filter(pl.col("n") >= FEWEST_SHARING)
        found.append(settled)
        left = left.join(settled.select("person_id"), on="person_id", how="anti")
    # However little such a row told, too few could be meant: it keeps its place and its need, to be acted upon.
    found.append(_sharing(left, counts, steps, step=steps.index("place"), reader=reader))
    every = pl.concat(found)
    return every.filter((pl.col("step") > 0) | (pl.col("n") < FEWEST_SHARING)).sort("person_id")


def _sharing(
    listed: pl.DataFrame, counts: pl.DataFrame, steps: tuple[str, ...], *, step: int, reader: Reader
) -> pl.DataFrame:
    """How many people share each row after some steps (`COARSENED`)."""
    shown = _shown_at(steps[:step])
    sums = counts.with_columns(shown).group_by(_FIELDS).agg(pl.col("n").sum())
    wider = listed.select("person_id", district="wider")
    here = listed.with_columns(shown).join(sums, on=_FIELDS, how="left").join(wider, on="person_id")
    return here.select(
        "person_id",
        pl.col("n").fill_null(0),
        wider="district",
        recipient=pl.lit(str(reader.recipient)),
        step=pl.lit(step, dtype=pl.Int64),
    ).select(list(COARSENED))


def _shown_at(taken: tuple[str, ...]) -> list[pl.Expr]:
    """The fields after some steps: what was taken is the same for everybody. `facts` leaves their themes, `place` the
    district, `needs` the words that several needs share, `groups` only that there may be one."""
    return [pl.lit("").alias(name) for name in taken]


def _services(reader: Reader) -> pl.Expr:
    """The services with a record that this reader is told of, its own left out."""
    allowed = [
        agency for agency, theme in THEME_OF_AGENCY.items() if theme in reader.themes and agency != reader.recipient
    ]
    kept = pl.col("known_to").list.eval(pl.when(pl.element().is_in(allowed)).then(pl.element())).list.drop_nulls()
    return kept.list.sort().list.join("; ").fill_null("")


def _told(
    reader: Reader, people: pl.DataFrame, needs: pl.DataFrame, recorded: pl.DataFrame, words: Words
) -> pl.DataFrame:
    """The needs and facts that this reader would be told of each person beyond its own records, as texts."""
    of_people = needs.filter(pl.col("person_id").is_not_null())
    facts = _readable(reader, recorded)
    asked = _asked(reader, people, pl.concat([of_people["person_id"], facts["person_id"]]).unique())
    themes = _themes_of_facts(reader, of_people, facts)
    groups, urgent = groups_of(reader, words.interventions), urgent_words(reader, words.interventions)
    own = own_needs(reader, words.interventions)
    rows = []
    for person, names, said in (
        told_of(reader, asked, of_people, facts, words=words)
        .select("person_id", "needs_told", "facts_told")
        .iter_rows()
    ):
        foreign = sorted(fact for fact in said if not themes.get(fact, frozenset()) <= own_themes(reader))
        rows.append(
            (
                person,
                "; ".join(sorted(set(names) - own)),
                "; ".join(sorted({groups.get(name, name) for name in names if name not in {*own, *urgent}})),
                "; ".join(sorted(urgent.intersection(names) - own)),
                "; ".join(foreign),
                "; ".join(sorted({theme for fact in foreign for theme in themes.get(fact, ())})),
            )
        )
    frame = pl.DataFrame(rows, schema=_TOLD, orient="row")
    # Of everybody of whom nothing is on record the same is told: what stands in the row of nobody.
    default = frame.filter(person_id=_NOBODY).row(0)[1:]
    others = people.select("person_id").join(frame, on="person_id", how="anti")
    rest = others.with_columns(pl.lit(text).alias(name) for name, text in zip(list(_TOLD)[1:], default, strict=True))
    return pl.concat([frame.filter(pl.col("person_id") != _NOBODY), rest])


def _asked(reader: Reader, people: pl.DataFrame, told_about: pl.Series) -> pl.DataFrame:
    """Everybody at the door of somebody of whom something is on record, and nobody, as `told_of` takes them."""
    homes = people.select("person_id", "household_id").with_columns(door=DOOR)
    doors = homes.filter(pl.col("person_id").is_in(told_about.implode()))["door"].unique()
    seen = homes.filter(pl.col("door").is_in(doors.implode())).select("person_id", "door")
    nobody = pl.DataFrame({"person_id": [_NOBODY], "door": [_NOBODY]})
    return pl.concat([seen, nobody]).with_columns(lead_agency=pl.lit(str(reader.recipient)))


def _readable(reader: Reader, recorded: pl.DataFrame) -> pl.DataFrame:
    """The facts on record that this reader may read, and those counted beside them."""
    pairs = recorded.select("need", "sentence").unique()
    may = [bool(reader.facts_of(need, sentence)) for need, sentence in pairs.iter_rows()]
    return recorded.join(pairs.filter(pl.Series(may, dtype=pl.Boolean)), on=["need", "sentence"], how="semi")


def _themes_of_facts(reader: Reader, needs: pl.DataFrame, recorded: pl.DataFrame) -> dict[str, frozenset[str]]:
    """The themes of each fact that may be told, by its sentence."""
    criteria = needs.select("need", "criterion").unique()
    pairs = {(need, sentence) for need, told in criteria.iter_rows() for sentence in told.split("; ")}
    pairs |= set(recorded.select("need", "sentence").unique().iter_rows())
    found: dict[str, frozenset[str]] = {}
    for need, sentence in sorted(pairs):
        found[sentence] = found.get(sentence, frozenset()) | reader.themes_of(need, sentence)
    return found


def own_themes(reader: Reader) -> frozenset[str]:
    """The theme of the records that this reader sends itself; none where it sends none."""
    theme = THEME_OF_AGENCY.get(reader.recipient)
    # The voluntary sector sends no records, so none of what it is shown stands in records of its own.
    return frozenset({theme} if theme is not None and tables_of(reader.recipient) else ())


def own_needs(reader: Reader, interventions: Interventions) -> frozenset[str]:
    """The words of the needs whose whole rule speaks of this reader's own records."""
    own = own_themes(reader)
    return frozenset(reader.need_words(need) for need in interventions.needs if reader.reads_need_in(need, own))


def urgent_words(reader: Reader, interventions: Interventions) -> frozenset[str]:
    """The words of urgent needs, by name and in those that tell no fact: they are never left out."""
    urgent = [need for need, then in interventions.needs.items() if then.urgency == "urgent"]
    functional = {NEED_WORDS.get(need, ANY_NEED).functional for need in urgent}
    return frozenset({reader.need_words(need) for need in urgent} | functional)


def groups_of(reader: Reader, interventions: Interventions) -> dict[str, str]:
    """The words that several needs share, by the name of each need; an urgent need keeps its own."""
    return {
        reader.need_words(need): NEED_WORDS.get(need, ANY_NEED).functional
        for need, then in interventions.needs.items()
        if then.urgency != "urgent"
    }
