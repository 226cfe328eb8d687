"""Where things lie that more than one job here looks for."""

from pathlib import Path

from ageingwell.audit.uses import audit_place
from ageingwell.config.load import Config


def audit_of(out: Path, config: Config) -> Path:
    """The audit log of the nights in `out`."""
    return audit_place(out, config.score.audit.file)
