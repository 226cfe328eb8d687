"""Whether a table that can be read can also be believed: one that lost what tells of deaths and opt-outs cannot.

A night stops on each of these. The list that was made before would go on being used, as if nobody had died or objected;
so withdrawals take such a table for one that could not be read.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

import polars as pl

from ageingwell.config.score import ScoreSettings
from ageingwell.config.withdrawing import WithdrawalSettings
from ageingwell.errors import AgeingWellError
from ageingwell.permissions import FEW_TO_TELL, opt_outs_that_meet, stop_unless_linked
from ageingwell.pseudonyms.fingerprints import fingerprints
from ageingwell.sources.checked import CheckedTable
from ageingwell.sources.locate import locate
from ageingwell.sources.read import stop_if_too_many_refused, stop_on_empty_table, stop_on_untold_column

_OPT_OUTS: Final = "permissions"


def is_in_doubt(table: CheckedTable, settings: WithdrawalSettings) -> bool:
    """Whether a night would stop on a table of withdrawals for what it does not hold.

    A register without rows, without (or with an empty) column of deaths, leavings or homes, or of which more rows are
    refused than may be; opt-outs without rows, where the ledger does not say that they may be empty, or with a row that
    was refused: nobody can say whose it is.
    """
    whole = settings.whole
    share = ScoreSettings.model_fields["max_refused_share"].default if whole is None else whole.score.max_refused_share
    stops: list[Callable[[], object]] = [
        lambda: stop_on_empty_table(table, settings.tables[table.name]),
        lambda: stop_on_untold_column(table, settings.tables[table.name]),
        lambda: stop_if_too_many_refused(table, share),
    ]
    is_empty = table.name == _OPT_OUTS and table.n_read == 0 and not settings.ledger.permissions_may_be_empty
    return is_empty or any(map(_stops, stops))


def meet_nobody(permissions: pl.DataFrame, patients: pl.LazyFrame, settings: WithdrawalSettings) -> bool:
    """Whether the people who opted out are next to none of those on the register: then it bars nobody."""
    no_homes = pl.Series("household_id", [], dtype=pl.String)
    met = opt_outs_that_meet(permissions, patients, no_homes).filter(subject="people")
    return _stops(lambda: stop_unless_linked(met, settings.ledger))


def knows_nobody(patients: pl.DataFrame, listed: pl.DataFrame, settings: WithdrawalSettings) -> bool:
    """Whether the register (person_id) knows next to none of those whom the list names: it is of another key or place.

    As of opt-outs, a handful may all have gone elsewhere.
    """
    n_known = listed.select("person_id").unique().join(patients, on="person_id", how="semi").height
    n = listed["person_id"].n_unique()
    return n >= FEW_TO_TELL and n_known < settings.ledger.permissions_linked_at_least * n


def under_another_key(
    names: Iterable[str], data: Path, settings: WithdrawalSettings, *, of_the_night: object
) -> tuple[str, ...]:
    """The tables that tell they were made with another key than the night whose people are to come off."""
    try:
        found = {name: locate(name, settings.tables[name], data) for name in names}
        told: Mapping[str, tuple[str, ...]] = fingerprints({n: place.files for n, place in found.items() if place})
    except AgeingWellError:
        # Whoever reads the table says what is wrong with it.
        return ()
    return tuple(name for name, keys in told.items() if of_the_night is not None and {*keys} != {of_the_night})


def _stops(stop: Callable[[], object]) -> bool:
    try:
        stop()
    except AgeingWellError:
        return True
    return False
