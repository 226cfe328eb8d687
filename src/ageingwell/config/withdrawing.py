"""The settings that taking people off a list needs, read so that a mistake elsewhere in the settings stops nothing.

A mistake in a settings file stops a night, and must not keep on a list somebody who died or objected. So of each file
as much is taken as can be understood: a whole file that is no TOML, a key that nobody knows or a value that is not
allowed is left out, and what was left out is told. In doubt the stricter holds: without a permission ledger nothing is
allowed, and a table is in doubt of which nobody knows for certain how it is sent: where a column is missing from it,
that may be the one that tells of a death.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar, cast, get_args

from pydantic import ValidationError

from ageingwell.config.change import ChangeSettings
from ageingwell.config.files import read_toml, shipped
from ageingwell.config.limits import USUAL, Limits
from ageingwell.config.load import Config, within_limits
from ageingwell.config.outreach import DecisionSettings
from ageingwell.config.plain import mistake_in
from ageingwell.config.score import Ledger, Purpose, ScoreSettings, TableSettings
from ageingwell.errors import ConfigError

# The tables that withdrawals are read from.
TABLES_OF_WITHDRAWALS: Final = ("permissions", "gp_patients", "care_events", "contacts")
_NOTHING_ALLOWED: Final = Ledger(permitted=(), views={})
_SHARE: Final = "max_lost_share"
_Model = TypeVar("_Model", TableSettings, Ledger, ChangeSettings)


@dataclass(frozen=True)
class WithdrawalSettings:
    """What taking people off a list is told.

    `tables` says how the four tables are sent, `purpose` what the list is for (None where the settings do not say it:
    then the list itself does), `ledger_file` the name of the ledger of decisions. `in_doubt` are the tables whose own
    settings have a mistake, or are nowhere to be found; `whole` is everything, where the settings have no mistake, and
    pages can be drawn. `audit_file` is where the audit log lies, if the settings say so, `digest` the settings' own.
    """

    tables: Mapping[str, TableSettings]
    purpose: Purpose | None
    ledger: Ledger
    max_lost_share: float
    ledger_file: str
    change: ChangeSettings = field(default_factory=ChangeSettings)
    in_doubt: tuple[str, ...] = ()
    whole: Config | None = None
    audit_file: str | None = None
    digest: str | None = None

    @classmethod
    def of(cls, config: Config) -> "WithdrawalSettings":
        """The part of whole settings that withdrawals need."""
        return cls(
            tables={name: config.tables[name] for name in TABLES_OF_WITHDRAWALS},
            purpose=config.score.purpose,
            ledger=config.ledger,
            max_lost_share=config.score.max_lost_share,
            ledger_file=config.outreach.decisions.ledger,
            change=config.score.change,
            whole=config,
            audit_file=config.score.audit.file,
            digest=config.digest,
        )


def read_withdrawal_settings(path: Path | None = None) -> WithdrawalSettings:
    """Read of the settings file `path`, and of those it names, as much as can be understood; never an error.

    >>> read_withdrawal_settings().purpose
    'direct_care'
    """
    top = shipped("configs") / "score.toml" if path is None else path
    read = _written(top)
    said = read or {}
    agencies = _written(_file(top, said, "agencies")) or {}
    usual = read_toml(shipped("configs") / "agencies.toml")
    tables, in_doubt = {}, []
    for name in TABLES_OF_WITHDRAWALS:
        given = agencies.get(name, usual[name])
        settings = _understood(TableSettings, given if isinstance(given, dict) else {}, usual[name])
        tables[name] = settings
        # Of a top file that is no TOML nobody knows which file names the tables.
        if read is None or name not in agencies or settings != _exactly(TableSettings, given):
            in_doubt.append(name)
    permissions = _written(_file(top, said, "permissions"))
    decisions = (_written(_file(top, said, "outreach")) or {}).get("decisions")
    named = decisions.get("ledger") if isinstance(decisions, dict) else None
    share = said.get(_SHARE)
    audit = said.get("audit")
    log = audit.get("file") if isinstance(audit, dict) else None
    return WithdrawalSettings(
        tables={name: within_limits(one, _limits(agencies.get("limits"))) for name, one in tables.items()},
        purpose=cast("Purpose", said["purpose"]) if said.get("purpose") in get_args(Purpose) else None,
        ledger=_exactly(Ledger, permissions) or _NOTHING_ALLOWED,
        max_lost_share=share if isinstance(share, float) and 0 <= share <= 1 else _default(ScoreSettings, _SHARE),
        ledger_file=str(named) if _is_a_name(named) else _default(DecisionSettings, "ledger"),
        change=_exactly(ChangeSettings, said.get("change", {})) or ChangeSettings(),
        in_doubt=tuple(in_doubt),
        audit_file=log if _is_a_name(log) else None,
    )


def _written(path: Path) -> dict[str, Any] | None:
    """What a TOML file says; None where it is no TOML, or so deeply nested that no reader follows."""
    try:
        return read_toml(path)
    except (ConfigError, RecursionError, ValueError):
        return None


def _file(top: Path, said: Mapping[str, Any], key: str) -> Path:
    """The file that the top file names, beside it or among the shipped ones."""
    named = said.get(key)
    name = named if isinstance(named, str) else str(_default(ScoreSettings, key))
    try:
        # As for a night: a link that leads nowhere is a file of theirs that is lost.
        return top.parent / name if os.path.lexists(top.parent / name) else shipped("configs") / name
    except (OSError, ValueError):
        return top.parent / str(_default(ScoreSettings, key))


def _limits(given: object) -> Limits:
    """The limits of all tables, as far as they have no mistake: the usual ones are far above what agencies send."""
    try:
        return Limits.model_validate(given if isinstance(given, dict) else {})
    except ValidationError:
        return USUAL


def _is_a_name(given: object) -> bool:
    """Whether a value may name a file: text, and without what no name may hold."""
    return isinstance(given, str) and given != "" and mistake_in(given, str) is None


def _default(model: type[Any], key: str) -> Any:
    return model.model_fields[key].default


def _exactly(model: type[_Model], given: object) -> _Model | None:
    """The settings where they have no mistake."""
    try:
        return model.model_validate(given)
    except ValidationError:
        return None


def _understood(model: type[TableSettings], given: dict[str, Any], usual: dict[str, Any]) -> TableSettings:
    """A table's settings without the keys that have a mistake; the shipped ones where a key is needed."""
    try:
        return model.model_validate(given)
    except ValidationError as fault:
        wrong = {error["loc"][0] for error in fault.errors(include_url=False, include_input=False) if error["loc"]}
    return model.model_validate({**usual, **{key: value for key, value in given.items() if key not in wrong}})
