"""Read all settings of a run into one frozen value; every mistake of every file is reported at once."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import polars as pl
from pydantic import Field, ValidationError, create_model

from ageingwell.config.costs import CostsSettings
from ageingwell.config.effects import read_effects
from ageingwell.config.files import (
    MOST_TABLE_BYTES,
    Settings,
    file_bytes,
    mistakes,
    read_codelists,
    read_toml,
    shipped,
    table_rows,
)
from ageingwell.config.limits import USUAL, Limits
from ageingwell.config.may_lower import MayLower
from ageingwell.config.outlines import Outlines, read_outlines
from ageingwell.config.outreach import Interventions, OutreachSettings
from ageingwell.config.plain import nearest_name
from ageingwell.config.positions import read_positions
from ageingwell.config.score import Ledger, ScoreSettings, SourceSettings, TableSettings, TrainSettings
from ageingwell.config.services import ServicesSettings
from ageingwell.errors import ConfigError
from ageingwell.register import TABLE_NAMES
from ageingwell.shown import Screen, Shown, listed

Model = TypeVar("Model", bound=Settings)

# The keys of the top file that name other files.
_NAMED = (
    "agencies",
    "permissions",
    "outreach",
    "interventions",
    "may_lower",
    "services",
    "costs",
    "training",
    "codelists",
    "places",
)

# The keys of the top file on which no result depends: one night has one hash of its settings wherever it is worked, and
# whoever had to sign its bundle.
_HOW_IT_IS_WORKED = (
    *("engine", "threads", "memory_gib", "shards", "model", "audit", "status", "reidentify", "keys", "retention"),
    *("signoff", "person"),
)

# A site's own source profiles lie in this folder beside its settings.
SOURCES = "sources"
# A section for each table, as the register names them.
_SECTIONS: dict[str, Any] = dict.fromkeys(TABLE_NAMES, (TableSettings, ...))
_Tables = create_model("_Tables", __base__=Settings, **_SECTIONS)


class Agencies(_Tables):  # type: ignore[misc, valid-type]
    """How the agencies send their tables, one section a table."""

    sources: dict[str, SourceSettings] = Field(
        default_factory=dict, description="for each source profile: which files are of it, and the day of the extract"
    )
    limits: Limits = Field(default=Limits(), description="how large a file from outside may be, in every way")

    def table(self, name: str) -> TableSettings:
        """The settings of a table, with the limits of all tables unless it has its own."""
        return within_limits(getattr(self, name), self.limits)


def within_limits(settings: TableSettings, limits: Limits) -> TableSettings:
    """The settings of a table with the limits of all tables, unless it has its own."""
    if settings.reader.limits is not None or limits == USUAL:
        return settings
    return settings.model_copy(update={"reader": settings.reader.model_copy(update={"limits": limits})})


@dataclass(frozen=True, repr=False)
class Config(Shown):
    """Everything a run is told, apart from the data, the day and the keys."""

    score: ScoreSettings
    train: TrainSettings
    tables: dict[str, TableSettings]
    sources: dict[str, SourceSettings]
    own_profiles: Path
    ledger: Ledger
    outreach: OutreachSettings
    interventions: Interventions
    may_lower: MayLower
    services: ServicesSettings
    costs: CostsSettings
    directory: Path | None
    positions: Path
    outlines: Outlines
    effects: pl.DataFrame | None
    codelists: dict[str, tuple[str, ...]]
    places: Path
    digest: str
    dmd_to_bnf: Path | None = None

    def _screen(self) -> Screen:
        facts = {
            "purpose": self.score.purpose,
            "bundle": self.score.bundle,
            "visits per week": sum(self.outreach.capacity.places().values()),
            "tables": len(self.tables),
            "source profiles": listed(self.sources),
            "code lists": len(self.codelists),
            "digest": self.digest[:16],
        }
        return Screen(
            "Settings", facts, hint="score, tables, ledger, outreach, interventions, services, costs, train, codelists"
        )


# What the public functions take as their settings: read already, a file, or None for the shipped ones.
GivenConfig = Config | str | Path | None


def config_given(config: GivenConfig) -> Config:
    """The settings that were given: as they are, read from a file, or the shipped ones.

    >>> config_given(None).score.purpose
    'direct_care'
    """
    return config if isinstance(config, Config) else load_config(config)


def load_config(path: str | Path | None = None) -> Config:
    """Read the settings file `path`, and those it names; without a path, the shipped defaults.

    A file named in it is looked for beside it first, then among the shipped defaults. Raises `ConfigError` with every
    mistake of every file: file, line, key, and what is allowed.

    >>> load_config().score.purpose
    'direct_care'
    """
    top = shipped("configs") / "score.toml" if path is None else Path(path)
    found: list[str] = []
    score = _read(ScoreSettings, top, found)
    files = {name: _beside(top, file) for name, file in _files_named(top, score).items()}
    agencies = _read(Agencies, files["agencies"], found)
    ledger = _read(Ledger, files["permissions"], found)
    outreach = _read(OutreachSettings, files["outreach"], found)
    interventions = _read(Interventions, files["interventions"], found)
    may_lower = _read(MayLower, files["may_lower"], found)
    services = _read(ServicesSettings, files["services"], found)
    costs = _read(CostsSettings, files["costs"], found)
    train = _read(TrainSettings, files["training"], found)
    if not files["places"].is_file():
        found.append(f"{files['places'].name}: there is no such file of places")
    else:
        found.extend(_mistakes_of_places(outreach, files["places"], said_in=files["outreach"]))
    medicines = None if score is None or score.dmd_to_bnf is None else top.parent / score.dmd_to_bnf
    if medicines is not None and not medicines.is_file():
        found.append(f"{medicines.name}: there is no such file of dm+d and BNF codes")
    named = [(files["interventions"], f"needs.{name}", name) for name in (interventions.needs if interventions else ())]
    named += [(files["services"], f"needs.{name}", name) for name in (services.needs if services else ())]
    named += [(files["costs"], f"completed.{name}", name) for name in (costs.completed if costs else ())]
    named += [(files["outreach"], "lot_never_needs", name) for name in (outreach.lot_never_needs if outreach else ())]
    found.extend(_unknown_needs(named))
    if services is not None:
        try:
            read_positions(_beside(files["services"], services.positions))
        except ConfigError as fault:
            found.append(fault.found)
    outlines = _outlines(files["services"], services, found)
    effects = _effects(files["costs"], costs, found)
    if (
        found
        or score is None
        or agencies is None
        or ledger is None
        or outreach is None
        or interventions is None
        or may_lower is None
        or services is None
        or costs is None
        or train is None
    ):
        raise _all(found)
    positions = _beside(files["services"], services.positions)
    with _explained():
        codelists = _codelists(files["codelists"])
        also = [path for path in (medicines, outlines[0], effects[0]) if path is not None]
        digest = _digest(top, [*files.values(), positions, *also, *_own_profiles(top)])
    return Config(
        score=score,
        train=train,
        tables={name: agencies.table(name) for name in TABLE_NAMES},
        sources=agencies.sources,
        own_profiles=top.parent / SOURCES,
        ledger=ledger,
        outreach=outreach,
        interventions=interventions,
        may_lower=may_lower,
        services=services,
        costs=costs,
        directory=None if services.directory is None else _beside(files["services"], services.directory),
        positions=positions,
        outlines=outlines[1],
        effects=effects[1],
        codelists=codelists,
        places=files["places"],
        digest=digest,
        dmd_to_bnf=medicines,
    )


def _files_named(top: Path, score: ScoreSettings | None) -> dict[str, str]:
    """The other files by the key that names them; where the top file has mistakes, theirs are told with its own."""
    if score is not None:
        return {name: getattr(score, name) for name in _NAMED}
    try:
        written = read_toml(top)
    except ConfigError:
        written = {}
    given = {name: written.get(name) for name in _NAMED}
    return {
        name: file if isinstance(file, str) else ScoreSettings.model_fields[name].default
        for name, file in given.items()
    }


def _unknown_needs(named: Iterable[tuple[Path, str, str]]) -> list[str]:
    """A mistake for each need that no rule finds, by file, setting and name of the need.

    Nobody would ever be offered anything for it, or be kept out of the lot.
    """
    known = sorted(read_toml(shipped("configs") / "interventions.toml")["needs"])
    mistakes_of_names = []
    for file, setting, name in named:
        if name not in known:
            near = nearest_name(name, known)
            hint = f"; did you mean `{near}`?" if near else ""
            such = "such a need" if setting.endswith(name) else f"the need `{name}`"
            mistakes_of_names.append(f"{file.name}: `{setting}`: no rule finds {such}{hint}")
    return mistakes_of_names


# What a night reads of the file of places.
_OF_PLACES = ("lsoa21", "place", "deprivation_decile", "is_rural")


def _mistakes_of_places(outreach: OutreachSettings | None, places: Path, *, said_in: Path) -> list[str]:
    """What is wrong with the file of places, and each place of a team that it does not name.

    It is read here first, within bounds; nobody would ever be visited in a place that it does not name.
    """
    try:
        rows = table_rows(places)
    except ConfigError as fault:
        return [fault.found]
    if absent := [name for name in _OF_PLACES if name not in rows.columns]:
        return [f"{places.name}: its column `{absent[0]}` is missing"]
    if rows["deprivation_decile"].cast(pl.Int64, strict=False).null_count() > rows["deprivation_decile"].null_count():
        return [f"{places.name}: its column `deprivation_decile` holds something that is not a whole number"]
    teams = () if outreach is None else outreach.capacity.place_teams
    named = {place for team in teams for place in team.places}
    if not named:
        return []
    return [
        f"{said_in.name}: `capacity.place_teams`: {place} is not a place of {places.name}"
        for place in sorted(named - set(rows["place"]))
    ]


def _outlines(file: Path, services: ServicesSettings | None, found: list[str]) -> tuple[Path | None, Outlines]:
    """The file of outlines that the services' settings name, and what is in it; nothing where they name none."""
    if services is None or services.outlines is None:
        return None, {}
    path = _beside(file, services.outlines)
    if not path.is_file():
        found.append(f"{file.name}: `outlines`: there is no file {path.name}")
        return None, {}
    try:
        return path, read_outlines(path)
    except ConfigError as fault:
        found.append(fault.found)
        return None, {}


def _effects(file: Path, costs: CostsSettings | None, found: list[str]) -> tuple[Path | None, pl.DataFrame | None]:
    """The file of effects that the settings of costs name, and what is in it; nothing where they name none."""
    if costs is None or costs.effects is None:
        return None, None
    path = file.parent / costs.effects
    if not path.is_file():
        found.append(f"{file.name}: `effects`: there is no file {path.name}")
        return None, None
    try:
        return path, read_effects(path)
    except ConfigError as fault:
        found.append(fault.found)
        return None, None


def _beside(top: Path, name: str) -> Path:
    beside = top.parent / name
    # A link that leads nowhere is a file of theirs that is lost: the shipped one must not quietly take its place.
    return beside if os.path.lexists(beside) else shipped("configs") / name


def _codelists(folder: Path) -> dict[str, tuple[str, ...]]:
    if folder.is_dir():
        # `glob` finds nothing in a folder that may not be looked into, and says so to nobody.
        os.scandir(folder).close()
    return read_codelists(folder)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        name = Path(str(fault.filename or "a settings file")).name
        raise ConfigError(f"{name}: cannot be read ({fault.strerror})", "correct its path or its rights") from None


def _read(model: type[Model], path: Path, found: list[str]) -> Model | None:
    try:
        return model.model_validate(read_toml(path))
    except ValidationError as fault:
        found.extend(mistakes(model, path, fault))
    except ConfigError as fault:
        found.append(fault.found)
    return None


def _all(found: list[str]) -> ConfigError:
    count = "1 mistake" if len(found) == 1 else f"{len(found)} mistakes"
    return ConfigError(
        f"{count} in the settings:\n  " + "\n  ".join(found), "correct them; each key is explained in configs/"
    )


def _own_profiles(top: Path) -> list[Path]:
    """The folders of the site's own source profiles; those that come with the package belong to its version."""
    folder = top.parent / SOURCES
    if not folder.is_dir() or folder == shipped("configs") / SOURCES:
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir())


def _digest(top: Path, paths: list[Path]) -> str:
    """SHA-256 over what the top file says of results, and the bytes of every other settings file, in a fixed order."""
    digest = hashlib.sha256()
    says = {key: value for key, value in read_toml(top).items() if key not in _HOW_IT_IS_WORKED}
    digest.update(top.name.encode() + b"\0" + json.dumps(says, sort_keys=True, default=str).encode())
    for path in paths:
        files = sorted(file for file in path.glob("*") if file.is_file()) if path.is_dir() else [path]
        for file in files:
            digest.update(file.name.encode() + b"\0" + hashlib.sha256(file_bytes(file, most=MOST_TABLE_BYTES)).digest())
    return digest.hexdigest()
