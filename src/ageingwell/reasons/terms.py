"""The terms of a page's sum: a fact for each family of features, and all other facts by theme, in whole numbers.

`others + facts + what else each theme adds + rest = figure`. Facts of one family stand together under the strongest
that may be told; what may not be told, or says too little, counts under all other facts of its theme. What is left,
the rest, is no fact of this person: the figure of the people compared with is a mean, and most of them lie below it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from ageingwell.features.families import FAMILY_OF
from ageingwell.in_hundred import in_whole_numbers
from ageingwell.peers import Peers
from ageingwell.reasons.words import further_facts, not_on_record
from ageingwell.register import THEME_WORDS

# How many facts that raise stand on a person's page at least, if there are so many; more stand there as long as all
# other facts of some theme would outweigh every fact shown.
RAISING_ON_PAGE, MOST_RAISING = 5, 10
LOWERING_ON_PAGE: Final = 3
# What adds less than this, in 100, is no fact of its own.
WORTH_A_LINE: Final = 0.5
# The sentences of a family have to account for so much of what it adds, or its number would be about something else.
TOLD_SHARE: Final = 0.5
HEALTH: Final = "health"
# The sentence of a family names its strongest fact; where that alone makes less of the number, how many more make it.
LEAD_SHARE: Final = 0.5
THEMES: Final = tuple(THEME_WORDS)


# The leading feature, what its family adds in 100, its theme.
Fact = tuple[str, float, str]


@dataclass(frozen=True)
class Terms:
    """One person's terms before rounding, in 100: `raising` and `lowering` strongest first, `others` by theme.

    `further` has the words that stand behind the sentence of a leading feature, of what else makes its number.
    """

    raising: Sequence[Fact]
    lowering: Sequence[Fact]
    others: Mapping[str, float]
    further: Mapping[str, str]


def terms_of(told: pl.DataFrame) -> dict[str, Terms]:
    """The terms of each person, from what `tell_reasons` gives (person_id, position, feature, theme, text, adds)."""
    families = _families(told)
    return {
        person_id: _of_person(rows.to_dicts())
        for (person_id,), rows in families.partition_by("person_id", as_dict=True, maintain_order=True).items()
    }


def _families(told: pl.DataFrame) -> pl.DataFrame:
    """A row a person and family: theme, net (what it adds), lead (its strongest sentence that way), told, n_told."""
    family = pl.col("feature").replace_strict(FAMILY_OF, return_dtype=pl.String)
    with_net = told.with_columns(family=family).with_columns(net=pl.col("adds").sum().over("person_id", "family"))
    with_it = pl.col("text").is_not_null() & (pl.col("adds") * pl.col("net") > 0)
    return (
        with_net.sort("person_id", "position")
        .group_by("person_id", "family", maintain_order=True)
        .agg(
            pl.col("theme").first(),
            pl.col("net").first(),
            lead=pl.col("feature").filter(with_it).first(),
            lead_adds=pl.col("adds").filter(with_it).first().abs(),
            told=pl.col("adds").filter(with_it).abs().sum(),
            n_told=with_it.sum().cast(pl.Int64),
        )
    )


def _of_person(families: Sequence[Mapping[str, Any]]) -> Terms:
    others = dict.fromkeys(THEMES, 0.0)
    further: dict[str, str] = {}
    raising: list[Fact] = []
    lowering: list[Fact] = []
    healthy: list[Mapping[str, Any]] = []
    for family in families:
        net, theme = family["net"], family["theme"]
        is_told = family["lead"] is not None and family["told"] >= TOLD_SHARE * abs(net)
        if is_told and net < 0 and theme == HEALTH:
            healthy.append(family)
        elif is_told and abs(net) >= WORTH_A_LINE:
            (raising if net > 0 else lowering).append((family["lead"], net, theme))
            if family["lead_adds"] < LEAD_SHARE * abs(net):
                further[family["lead"]] = further_facts(family["n_told"] - 1)
        else:
            others[theme] += net
    # Illnesses that are not on record say little each and much together.
    healthy.sort(key=lambda family: (family["net"], family["lead"]))
    together = sum(family["net"] for family in healthy)
    if together <= -WORTH_A_LINE:
        lowering.append((healthy[0]["lead"], together, HEALTH))
        further[healthy[0]["lead"]] = not_on_record(sum(family["n_told"] for family in healthy) - 1)
    else:
        others[HEALTH] += together
    ordered = [sorted(facts, key=lambda fact: (-abs(fact[1]), fact[0])) for facts in (raising, lowering)]
    for _, net, theme in ordered[1][LOWERING_ON_PAGE:]:
        others[theme] += net
    return Terms(
        raising=ordered[0],
        lowering=ordered[1][:LOWERING_ON_PAGE],
        others=others,
        further=further,
    )


def with_whole_numbers(told: pl.DataFrame, peers: Peers, risks: pl.DataFrame) -> pl.DataFrame:
    """Give what each fact of the person's page adds in whole numbers of 100, `adds_in_100`, and the rest of each theme.

    `adds_in_100` is that of the fact's whole family and is empty for what stands under “all other facts”.
    `others_in_100` is what all other facts of a theme add together, on the theme's first row of each person alone.
    `risks` has person_id and risk. The column `adds`, not in whole numbers, is dropped.
    """
    known = peers.groups.select("person_id", "peers_risk").join(risks.select("person_id", "risk"), on="person_id")
    ends = {person: (start, end) for person, start, end in known.select("person_id", "peers_risk", "risk").iter_rows()}
    facts: list[tuple[str, str, int]] = []
    themes: list[tuple[str, str, int]] = []
    further: list[tuple[str, str, str]] = []
    for person_id, terms in terms_of(told).items():
        of_facts, of_themes = _rounded(terms, *ends[person_id])
        facts += [(person_id, name, number) for name, number in of_facts.items() if number]
        themes += [(person_id, theme, number) for theme, number in of_themes.items() if number]
        further += [(person_id, lead, words) for lead, words in terms.further.items()]
    numbered = told.drop("adds").join(_rows(facts, "feature", "adds_in_100"), on=["person_id", "feature"], how="left")
    words = pl.DataFrame(further, schema=dict.fromkeys(("person_id", "feature", "_further"), pl.String), orient="row")
    counted = numbered.join(words, on=["person_id", "feature"], how="left")
    of_theme = counted.join(_rows(themes, "theme", "_others"), on=["person_id", "theme"], how="left")
    is_first = pl.col("position") == pl.col("position").min().over("person_id", "theme")
    return (
        of_theme.with_columns(_with_further(), others_in_100=pl.when(is_first).then("_others"))
        .drop("_others", "_further")
        .sort("person_id", "position")
    )


def _with_further() -> pl.Expr:
    behind = pl.when(pl.col("adds_in_100").is_not_null()).then("_further").fill_null("")
    return pl.concat_str("text", behind).alias("text")


def _rounded(terms: Terms, start: float, end: float) -> tuple[dict[str, int], dict[str, int]]:
    """Whole numbers of the facts shown and of all others by theme, with as many facts as it takes.

    At least five that raise; more while all other facts of one theme would outweigh every fact shown.
    """
    for n in range(min(RAISING_ON_PAGE, len(terms.raising)), min(MOST_RAISING, len(terms.raising)) + 1):
        shown, hidden = [*terms.raising[:n], *terms.lowering], terms.raising[n:]
        others = {
            theme: net + sum(adds for _, adds, its in hidden if its == theme) for theme, net in terms.others.items()
        }
        effects = [*(adds for _, adds, _ in shown), *others.values()]
        numbers = in_whole_numbers(effects, start=start, end=end).shown
        facts = {name: number for (name, _, _), number in zip(shown, numbers)}
        of_themes = dict(zip(others, numbers[len(shown) :]))
        if max(map(abs, of_themes.values())) <= max(map(abs, facts.values()), default=0):
            break
    return facts, of_themes


def _rows(found: Sequence[tuple[str, str, int]], key: str, number: str) -> pl.DataFrame:
    return pl.DataFrame(found, schema={"person_id": pl.String, key: pl.String, number: pl.Int64}, orient="row")


def strongest_theme(told: pl.DataFrame) -> pl.DataFrame:
    """Per person the theme of the strongest fact linked with a higher chance: person_id, top_theme."""
    families = _families(told).filter(
        pl.col("lead").is_not_null() & (pl.col("told") >= TOLD_SHARE * pl.col("net")) & (pl.col("net") >= WORTH_A_LINE)
    )
    strongest = families.sort("person_id", "net", "lead", descending=[False, True, False])
    firsts = strongest.unique("person_id", keep="first", maintain_order=True)
    return (
        told.select("person_id")
        .unique()
        .join(firsts.select("person_id", top_theme="theme"), on="person_id", how="left")
    )


def with_row_reasons(numbered: pl.DataFrame, *, raising: int, lowering: int) -> pl.DataFrame:
    """Mark the facts that a list row shows, of those on the person's page: the strongest, in the column `shown`."""
    on_page = numbered.filter(pl.col("adds_in_100").is_not_null())
    in_order = on_page.sort("person_id", pl.col("adds_in_100").abs(), "position", descending=[False, True, False])
    nth = pl.int_range(1, pl.len() + 1).over("person_id", "direction")
    limit = pl.when(pl.col("direction") == "raises").then(raising).otherwise(lowering)
    marks = in_order.filter(nth <= limit).select("person_id", "feature", shown=pl.lit(value=True))
    marked = numbered.join(marks, on=["person_id", "feature"], how="left", maintain_order="left")
    return marked.with_columns(pl.col("shown").fill_null(value=False))
