"""What was known on a day, of whom: the tables, the spine and the features, put together in one place for every job."""

from dataclasses import dataclass

import polars as pl

from ageingwell.config.load import Config
from ageingwell.contracts.made import Spine, split_by_contract
from ageingwell.features.build import build_features
from ageingwell.permitted import Permitted
from ageingwell.recognition.people import Recognised, care_homes_to_check, recognise
from ageingwell.spine import build_spine, known_tables, unsure_homes, with_care_homes_in_doubt
from ageingwell.timeline import AsOf


@dataclass(frozen=True)
class Known:
    """What was known on a cut-off.

    `tables` are those known then, `spine` the people, `unsure` those of them whose address was matched with low
    certainty (person_id, household_id), `held` those whose row is impossible (person_id, reason),
    `untold` by table the columns that never came, `words` what of the codes and labels is recognised.
    """

    tables: dict[str, pl.LazyFrame]
    spine: pl.DataFrame
    unsure: pl.DataFrame
    held: pl.DataFrame
    untold: dict[str, frozenset[str]]
    words: Recognised
    as_of: AsOf
    config: Config

    def features(self, people: pl.DataFrame | None = None) -> pl.DataFrame:
        """Every feature of these people (rows of the spine), or of everybody."""
        return build_features(
            self.tables,
            self.spine if people is None else people,
            self.as_of,
            codelists=self.config.codelists,
            untold=self.untold,
            unrecognised=self.words.untold,
        )


def known_people(permitted: Permitted, as_of: AsOf, *, config: Config) -> Known:
    """Work out who is registered and what was known of them on the cut-off."""
    tables = known_tables(permitted.records, as_of, config.tables)
    sent = permitted.records.tables["gp_patients"].rows
    unsure = unsure_homes(sent.filter(pl.col("recorded_on") < as_of.day))
    built = build_spine(
        tables,
        as_of,
        minimum_age=config.score.minimum_age,
        places=config.places,
        # Who may live there makes the number of those who do unknown.
        incomplete_homes=pl.concat([permitted.incomplete_homes, unsure["household_id"]]).unique(),
        many_older_people=config.outreach.thresholds.older_people_that_prompt_a_check,
    )
    spine, held = split_by_contract(Spine, with_care_homes_in_doubt(built, tables, unsure))
    words = recognise(
        tables,
        spine,
        as_of,
        places=config.places,
        codelists=config.codelists,
        floors=config.score.recognition,
    )
    return Known(
        tables=tables,
        spine=care_homes_to_check(spine, words.untold),
        unsure=unsure.join(spine, on="person_id", how="semi"),
        held=held,
        untold=permitted.records.untold(),
        words=words,
        as_of=as_of,
        config=config,
    )
