"""Taking people off the current list, as a job of its own: whatever else is broken, it can be done."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ageingwell.audit.uses import Asked, audit_place, logged, overrides
from ageingwell.config.load import Config, GivenConfig, config_given
from ageingwell.config.withdrawing import TABLES_OF_WITHDRAWALS, WithdrawalSettings, read_withdrawal_settings
from ageingwell.context import Surroundings
from ageingwell.errors import AgeingWellError, ConfigError, PublishError, WithdrawalError
from ageingwell.given import GivenDay, day_of
from ageingwell.kept.reading import n_listed
from ageingwell.night.answered import published_as
from ageingwell.night.from_spark import with_tables_of_spark
from ageingwell.night.holding import held
from ageingwell.night.list_key import GivenKey, list_key_or_fault
from ageingwell.night.withdraw import withdraw_from_current
from ageingwell.publish import current
from ageingwell.publish.mark import mark_of
from ageingwell.publish.nights import published_nights


@dataclass(frozen=True)
class Withdrawal:
    """What came of it: the folder of the current list (None without one), and how many it listed before and after.

    `told` is what readers of the list have to know, `mistake` what is wrong with the settings.
    """

    folder: Path | None
    n_before: int
    n_after: int
    told: tuple[str, ...] = ()
    mistake: str | None = None


def withdraw(
    data: str | Path,
    *,
    out: str | Path,
    as_of: GivenDay,
    config: GivenConfig = None,
    list_key: GivenKey = None,
    accept_change: bool = False,
    surroundings: Surroundings | None = None,
) -> Withdrawal:
    """Take whoever opted out, died or left off the current list in `out`, and do nothing else.

    It reads `permissions`, `gp_patients`, `care_events` and `contacts` in the folder `data`, and the ledger of
    decisions. `config` are the settings, or their file, of which a mistake stops nothing: as much is read as can be
    understood. `as_of` is the day. Pages are drawn again with the `list_key` of the night alone, a key or its file.

    Raises `WithdrawalError` where the opt-outs or the register cannot be read, or not for certain; the list is marked
    *do not use* then. Raises `ChangeError` and `SourceError` as `withdraw_from_current` does, once people are off, and
    `LockedError` while another run writes.
    Waits for no audit log: where that cannot be written or was changed, people come off the list, and `AuditError` says
    so afterwards.
    """
    world = surroundings or Surroundings()
    data, out, as_of = Path(data), Path(out), day_of(as_of)
    settings, mistake = _settings(config)
    key = list_key_or_fault(list_key, data)
    asked = Asked(
        "withdraw",
        purpose=settings.purpose,
        night=as_of,
        settings=settings.digest,
        overrides=overrides(accept_change=accept_change),
    )
    with (
        held(out, holder=world.holder) as scratch,
        logged(audit_place(out, settings.audit_file), asked, world=world, withdrawing_first=True) as use,
    ):
        before = _n_listed(out)
        with world.stage("withdraw"), _reached(settings, data) as reached:
            done = withdraw_from_current(
                data,
                out=out,
                settings=reached,
                workspace=scratch / "withdraw",
                on=as_of,
                key=None if isinstance(key, AgeingWellError) else key,
                accept_change=accept_change,
            )
        folder, after = current(out), _n_listed(out)
        if folder is None and published_nights(out):
            raise PublishError(
                "nights are published here and none is current, so nobody was taken off a list",
                "put the pointer `current` back, or run `ageingwell score`",
            )
        use.tell(counts={"before": before, "after": after}, is_marked=mark_of(out) is not None)
        if done is not None:
            use.tell(**published_as(done.night.folder))
    if list_key is not None and isinstance(key, AgeingWellError):
        raise key
    if (why := mark_of(out)) is not None:
        raise WithdrawalError(why + ("" if mistake is None else f" The settings have a mistake as well: {mistake}"))
    return Withdrawal(folder, before, after, () if done is None else done.told, mistake)


def _settings(config: GivenConfig) -> tuple[WithdrawalSettings, str | None]:
    """What withdrawals need of the settings, and the mistake they have, if any."""
    if isinstance(config, Config):
        return WithdrawalSettings.of(config), None
    try:
        return WithdrawalSettings.of(config_given(config)), None
    # Whatever is wrong with the settings is told, and stops nothing here.
    except Exception as fault:
        why = str(fault) if isinstance(fault, ConfigError) else f"the settings cannot be read ({type(fault).__name__})"
        return read_withdrawal_settings(None if config is None else Path(config)), why


@contextmanager
def _reached(settings: WithdrawalSettings, data: Path) -> Iterator[WithdrawalSettings]:
    """The settings with the tables that Spark alone reads put where they can be read, where the settings are whole."""
    if settings.whole is None:
        yield settings
        return
    with with_tables_of_spark(settings.whole, data, only=TABLES_OF_WITHDRAWALS, or_without=True) as reached:
        yield WithdrawalSettings.of(reached)


def _n_listed(out: Path) -> int:
    folder = current(out)
    return 0 if folder is None else n_listed(folder)
