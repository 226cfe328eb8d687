"""Rows of a view that tell less, so that enough people share them (`views.sharing` says which rows, and why)."""

from collections.abc import Callable, Sequence
from typing import Final

import polars as pl

from ageingwell.register import THEME_WORDS
from ageingwell.views.reader import Reader
from ageingwell.views.sharing import FEWEST_SHARING, groups_of, own_needs, own_themes, steps_of, urgent_words
from ageingwell.views.told import Words
from ageingwell.views.words import ANY_NEED, NEED_WORDS

ASK: Final = "Ask the group"
OLDER: Final = 80
OLD: Final = "80 or over"
YOUNG: Final = "Under 80"


def less_note(less: pl.DataFrame, reader: Reader) -> tuple[str, ...]:
    """What the reader has to know where rows of its list tell less than they could; nothing where none does."""
    n = less.filter((pl.col("recipient") == str(reader.recipient)) & (pl.col("step") > 0)).height
    if not n:
        return ()
    rows = "1 row shows" if n == 1 else f"{n:,} rows show"
    return (f"{rows} less than we know, because fewer than {FEWEST_SHARING} people share the rest. Ask the group.",)


def told_less(known: pl.DataFrame, less: pl.DataFrame, reader: Reader, words: Words) -> pl.DataFrame:
    """The rows of a view with what `less` (`COARSENED`) leaves out of each replaced, before its cells are made.

    Adds `_age_words`, empty where the age band stays as it is.
    """
    steps = steps_of(reader)
    own = less.filter(pl.col("recipient") == str(reader.recipient)).select("person_id", _step="step", _wider="wider")
    joined = known.join(own, on="person_id", how="left", maintain_order="left")

    def gone(name: str) -> pl.Expr:
        at = steps.index(name) + 1 if name in steps else len(steps) + 1
        return (pl.col("_step") >= at).fill_null(value=False)

    place = pl.when(gone("wider")).then(pl.lit(ASK)).when(gone("place")).then("_wider").otherwise("place")
    age = pl.when(gone("age")).then(pl.when(pl.col("age") >= OLDER).then(pl.lit(OLD)).otherwise(pl.lit(YOUNG)))
    changed = joined.with_columns(
        place=place,
        communication_need=pl.when(gone("communication")).then(pl.lit(ASK)).otherwise("communication_need"),
        _age_words=age,
        known_to=pl.when(gone("services")).then(pl.lit([], dtype=pl.List(pl.String))).otherwise("known_to"),
        _asks_services=gone("services"),
    )
    if reader.reads_risk:
        return changed.drop("_step", "_wider")
    return _with_fewer_words(changed, gone, reader, words).drop("_step", "_wider")


def _with_fewer_words(rows: pl.DataFrame, gone: Callable[[str], pl.Expr], reader: Reader, words: Words) -> pl.DataFrame:
    """Facts as their themes, then as none; needs in the words that several share, with the step and words of those."""
    groups = groups_of(reader, words.interventions)
    kept = own_needs(reader, words.interventions)
    renamed = {name: group for name, group in groups.items() if name not in kept}
    calm = {need: then for need, then in words.interventions.needs.items() if reader.need_words(need) in renamed}
    steps = {then.action: NEED_WORDS.get(need, ANY_NEED).step for need, then in calm.items()}
    says = {then.say: NEED_WORDS.get(need, ANY_NEED).say for need, then in calm.items()}
    facts = [
        _fewer_facts(said, reader, words, has_themes=not no_themes) if less else said
        for said, less, no_themes in rows.select(
            "facts_told", gone("facts").alias("less"), gone("themes").alias("no")
        ).iter_rows()
    ]
    fewer = pl.col("needs_told").list.eval(pl.element().replace(renamed)).list.unique(maintain_order=True)
    stay = sorted(kept | urgent_words(reader, words.interventions))
    last = pl.concat_list(
        pl.col("needs_told").list.eval(pl.element().filter(pl.element().is_in(stay))), pl.lit([ANY_NEED.functional])
    )
    any_step = pl.col("own_step").replace(dict.fromkeys([*steps, *steps.values()], ANY_NEED.step))
    any_say = pl.col("say").replace(dict.fromkeys([*says, *says.values()], ANY_NEED.say))
    return rows.with_columns(
        pl.Series("facts_told", facts, dtype=pl.List(pl.String)),
        needs_told=pl.when(gone("groups")).then(last).when(gone("needs")).then(fewer).otherwise("needs_told"),
        own_step=pl.when(gone("groups"))
        .then(any_step)
        .when(gone("needs"))
        .then(pl.col("own_step").replace(steps))
        .otherwise("own_step"),
        say=pl.when(gone("groups"))
        .then(any_say)
        .when(gone("needs"))
        .then(pl.col("say").replace(says))
        .otherwise("say"),
    )


def _fewer_facts(said: Sequence[str], reader: Reader, words: Words, *, has_themes: bool) -> list[str]:
    """The facts of the reader's own records, and of the others their themes, or only that there may be some."""
    own: list[str] = []
    themes: set[str] = set()
    for fact in said:
        of: frozenset[str] = frozenset().union(*(reader.themes_of(need, fact) for need in words.interventions.needs))
        if of and of <= own_themes(reader):
            own.append(fact)
        else:
            themes |= of
    if not has_themes:
        return [*own, f"{ASK} what else is on record"]
    named = ", ".join(sorted(THEME_WORDS[theme].lower() for theme in themes))
    return [*own, f"{ASK} about: {named}"] if named else own
