"""What each person needs that an agency can act on: found by rule, never hidden by a low rank."""

import polars as pl

from ageingwell.config.outreach import Intervention, Interventions
from ageingwell.errors import ConfigError
from ageingwell.outreach.rules import NeedRule

NO_PLACE = "no_place_this_week"  # whoever has a need is a candidate for a place

NEEDS: dict[str, pl.DataType] = {
    "person_id": pl.String(),
    "household_id": pl.String(),
    "need": pl.String(),
    "criterion": pl.String(),
    "lead_agency": pl.String(),
    "action": pl.String(),
    "urgency": pl.String(),
    "points": pl.Int64(),
    "themes": pl.List(pl.String()),
}
RECORDED: dict[str, pl.DataType] = {
    "person_id": pl.String(),
    "need": pl.String(),
    "sentence": pl.String(),
    "position": pl.Int64(),
    "counts": pl.Boolean(),
}


def find_needs(people: pl.DataFrame, *, rules: tuple[NeedRule, ...], interventions: Interventions) -> pl.DataFrame:
    """Find every need of every person, eligible or not: one row a person and need, with the criterion met.

    `people` has every feature a rule reads, and `is_end_of_life`: a fire-safety need of someone near the end of life
    goes to the care team. Raises `ConfigError` where a rule has no intervention or an intervention no rule.

    >>> from ageingwell.outreach.rules import Fact
    >>> rule = NeedRule("no_working_alarm", "", all_of=(Fact("no alarm was found", pl.col("is_alarm_missing") == 1),))
    >>> visit = Intervention(lead="fire", urgency="soon", action="Fit an alarm", evidence="none", source="none")
    >>> people = pl.DataFrame({
    ...     "person_id": ["p1", "p2"], "household_id": ["h1", "h2"], "is_end_of_life": [False, False],
    ...     "is_alarm_missing": [1.0, None],
    ... })
    >>> needs = find_needs(people, rules=(rule,), interventions=Interventions(needs={"no_working_alarm": visit}))
    >>> needs.select("person_id", "need", "criterion", "lead_agency").rows()
    [('p1', 'no_working_alarm', 'no alarm was found', 'fire')]
    """
    _every_rule_has_its_intervention(rules, interventions)
    met = people.select(rule.met().alias(rule.name) for rule in rules)
    found = [_found(people, met, rule, interventions.needs[rule.name]) for rule in rules]
    needs = pl.concat([pl.DataFrame(schema=NEEDS), *(frame.select(list(NEEDS)) for frame in found)])
    dying = people.filter(pl.col("is_end_of_life").fill_null(value=False)).select("person_id")
    goes_to_care_team = (pl.col("lead_agency") == "fire") & pl.col("person_id").is_in(dying["person_id"].implode())
    return needs.with_columns(
        lead_agency=pl.when(goes_to_care_team)
        .then(pl.lit(interventions.end_of_life_lead))
        .otherwise(pl.col("lead_agency"))
    ).sort("person_id", "need")


def recorded_facts(people: pl.DataFrame, *, rules: tuple[NeedRule, ...]) -> pl.DataFrame:
    """Say which facts of the rules are on record of each person, whether or not a rule is met.

    One row a person and fact: person_id, need, sentence, position, counts. `people` is as for `find_needs`.

    >>> from ageingwell.outreach.rules import Fact
    >>> facts = Fact("fell", pl.col("fell") == 1), Fact("is frail", pl.col("frail") == 1)
    >>> people = pl.DataFrame({"person_id": ["p1", "p2"], "fell": [1.0, None], "frail": [0.0, 0.0]})
    >>> recorded_facts(people, rules=(NeedRule("falls", "", all_of=facts),)).rows()
    [('p1', 'falls', 'fell', 1, True)]
    """
    found = [
        people.select(
            "person_id",
            need=pl.lit(rule.name),
            sentence=fact.sentence(),
            position=pl.lit(number, dtype=pl.Int64),
            counts=pl.lit(fact not in rule.also_says),
        )
        for rule in rules
        for number, fact in enumerate(rule.facts(), start=1)
    ]
    told = pl.concat([pl.DataFrame(schema=RECORDED), *found]).drop_nulls("sentence")
    return told.unique(["person_id", "need", "sentence"], keep="first", maintain_order=True).sort(
        "person_id", "need", "position"
    )


def find_home_needs(homes: pl.DataFrame, *, rules: tuple[NeedRule, ...], interventions: Interventions) -> pl.DataFrame:
    """Find the needs of homes that no person is linked to, by the rules that speak of a home; `person_id` is null.

    `homes` has `household_id` and whatever home features are known; a feature it lacks is unknown.
    """
    of_homes = tuple(rule for rule in rules if rule.level == "home")
    read = {name for rule in of_homes for fact in rule.facts() for name in _columns_of(fact.holds, fact.value)}
    unknown = [pl.lit(None, dtype=pl.Float64).alias(name) for name in sorted(read - set(homes.columns))]
    filled = homes.drop("person_id", strict=False).with_columns(pl.col("household_id").alias("person_id"), *unknown)
    met = filled.select(rule.met().alias(rule.name) for rule in of_homes)
    found = [_found(filled, met, rule, interventions.needs[rule.name]).select(list(NEEDS)) for rule in of_homes]
    needs = pl.concat([pl.DataFrame(schema=NEEDS), *found])
    return needs.with_columns(person_id=pl.lit(None, dtype=pl.String)).sort("household_id", "need")


def _found(people: pl.DataFrame, met: pl.DataFrame, rule: NeedRule, then: Intervention) -> pl.DataFrame:
    holds = met[rule.name] if rule.unless is None else met[rule.name] & ~met[rule.unless]
    return people.filter(holds).select(
        "person_id",
        "household_id",
        pl.lit(rule.name).alias("need"),
        rule.criterion().alias("criterion"),
        pl.lit(str(then.lead)).alias("lead_agency"),
        pl.lit(then.action).alias("action"),
        pl.lit(str(then.urgency)).alias("urgency"),
        (pl.lit(None) if rule.points is None else rule.points).cast(pl.Int64).alias("points"),
        rule.themes().alias("themes"),
    )


def _columns_of(*expressions: pl.Expr | None) -> list[str]:
    return [name for expression in expressions if expression is not None for name in expression.meta.root_names()]


def _every_rule_has_its_intervention(rules: tuple[NeedRule, ...], interventions: Interventions) -> None:
    names, tables = {rule.name for rule in rules}, set(interventions.needs)
    if names != tables:
        lacking = ", ".join(f"`{name}`" for name in sorted(names - tables)) or "none"
        idle = ", ".join(f"`{name}`" for name in sorted(tables - names)) or "none"
        raise ConfigError(
            f"interventions.toml: needs without a table: {lacking}; tables without a rule: {idle}",
            "write one table [needs.<name>] for each rule, and no other",
        )


def with_outcome(needs: pl.DataFrame, *, listed: pl.DataFrame) -> pl.DataFrame:
    """Say of each need whether its person or home is on tonight's list, or why not.

    `needs` has `left_for`, the reason for which its person may not be offered help; `listed` has `person_id`. Gives
    `outcome` in its place: `allocated`, that reason, `no_place_this_week`, or `no_person_linked` for a home that nobody
    is linked to.
    """
    return needs.with_columns(
        outcome=pl.when(pl.col("person_id").is_null())
        .then(pl.lit("no_person_linked"))
        .when(pl.col("person_id").is_in(listed["person_id"].implode()))
        .then(pl.lit("allocated"))
        .otherwise(pl.coalesce("left_for", pl.lit(NO_PLACE)))
    ).drop("left_for")
