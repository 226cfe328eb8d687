"""The hash of a feature's definition changes with everything that decides its value, and with nothing else.

Every constant of the rooms that make features is changed in turn, where it is written, and the rooms are imported
anew: some feature's hash must change, or the constant stands below with the reason why it decides no value.
"""

import ast
import dataclasses
import importlib
import importlib.abc
import importlib.util
import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ageingwell import bundle as bundles
from ageingwell import spine
from ageingwell.bundle import definitions, load_bundle
from ageingwell.config.load import load_config
from ageingwell.contracts.registry import EVENT_KEYS
from ageingwell.errors import BundleError, ConfigError
from ageingwell.features import build, evidence, families, gp
from ageingwell.features.build import FEATURES, of_source
from ageingwell.features.definition import definition
from ageingwell.features.definition import definitions as definitions_of
from ageingwell.features.feature import Feature
from ageingwell.timeline import ENDINGS, AsOf, Lookback

pytestmark = pytest.mark.slow

# Every room is looked into, whichever test of others has loaded it.
LOADED = (build, evidence, families, gp)
CODELISTS = load_config().codelists
ROOMS = ("timeline", "events", "spine", "features", "contracts.registry", "contracts.prefixes")

# What decides no value of a feature, and why.
DECIDES_NO_VALUE = {
    "spine.CARE_HOME_STATUSES": "decides who is listed, in no feature",
    "spine.CARE_HOME_SERVICES": "decides who is listed, in no feature",
    "features.build.AGENCY_SOURCES": "which sources training rehearses as missing",
    "features.evidence.OF_SEVERAL": "which agency told a fact, for the reader",
    "features.evidence._BY_NAME": "which agency told a fact, for the reader",
    "features.build.DERIVED_OF_AGENCY": "which features training rehearses as missing",
    "features.build.NOTHING_UNTOLD": "what is untold where nobody says so: nothing",
    "features.families.FAMILIES": "which facts are told as one, for the reader",
    "features.families.FAMILY_OF": "which facts are told as one, for the reader",
    "features.feature.EVERY_CARE_AGENCY": "who may read a fact",
    "features.feature.EVERY_AGENCY": "who may read a fact",
    "features.fire.FIRE_READERS": "who may read a fact",
    "features.housing.HOME_READERS": "who may read a fact",
    "features.social_care.CARE_READERS": "who may read a fact",
    "features.gp._CAN_CHANGE": "whether a fact can be changed, for the reader",
    "contracts.registry.MUST_BE_TOLD": "what a run stops without on reading",
    "contracts.registry.VERSION_KEYS": "which rows are refused on reading",
}


def constants() -> list[tuple[str, str]]:
    """Every constant of the rooms: its module and name."""
    found = []
    for name in sorted(sys.modules):
        if any(name == f"ageingwell.{room}" or name.startswith(f"ageingwell.{room}.") for room in ROOMS):
            module = sys.modules[name]
            tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
            for node in tree.body:
                targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
                names = [target.id for target in targets if isinstance(target, ast.Name)]
                found += [(name, one) for one in names if other(getattr(module, one)) is not None]
    return found


def other(value: Any) -> Any:
    """Another value of the same kind; None where a value is of no kind that a constant here has."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return f"{value}x"
    if isinstance(value, Lookback):
        return Lookback((value.days or 0) + 1)
    if isinstance(value, Mapping):
        return dict(list(value.items())[1:])
    if isinstance(value, frozenset):
        return value | {"another"}
    return value[1:] if isinstance(value, tuple) else None


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module with one constant changed where it is assigned; the lines stay where they are."""

    def __init__(self, module: str, constant: str) -> None:
        self.module, self.constant = module, constant

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> Any:
        return importlib.util.spec_from_loader(name, self, origin=self.file) if name == self.module else None

    @property
    def file(self) -> str:
        return str(importlib.util.find_spec("ageingwell").submodule_search_locations[0]) + (  # type: ignore
            self.module.removeprefix("ageingwell").replace(".", "/") + ".py"
        )

    def exec_module(self, module: ModuleType) -> None:
        module.__file__ = self.file
        tree = ast.parse(Path(self.file).read_text(encoding="utf-8"))
        for place, node in reversed(list(enumerate(tree.body))):
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            if any(isinstance(target, ast.Name) and target.id == self.constant for target in targets):
                again = ast.parse(f"{self.constant} = __other__({self.constant})").body[0]
                tree.body.insert(place + 1, ast.fix_missing_locations(ast.copy_location(again, node)))
        module.__dict__["__other__"] = other
        exec(compile(tree, self.file, "exec"), module.__dict__)  # noqa: S102


@contextmanager
def imported_anew(finder: _Changed | None) -> Iterator[None]:
    """The rooms imported again, with a change; afterwards the modules are what they were."""
    before = {name: module for name, module in sys.modules.items() if name.startswith("ageingwell")}
    if finder is not None:
        sys.meta_path.insert(0, finder)
    packages = [sys.modules["ageingwell"], sys.modules["ageingwell.contracts"]]
    attributes = [dict(package.__dict__) for package in packages]
    for name in before:
        # The room that writes code as text stays, with the files it has parsed, unless the change is to itself.
        if name == "ageingwell.features.source_text" and (finder is None or finder.module != name):
            continue
        if any(name == f"ageingwell.{room}" or name.startswith(f"ageingwell.{room}.") for room in ROOMS):
            del sys.modules[name]
            # `from package import module` would else give the old one.
            parent, _, last = name.rpartition(".")
            before[parent].__dict__.pop(last, None)
    try:
        yield
    finally:
        if finder is not None:
            sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name.startswith("ageingwell")]:
            del sys.modules[name]
        sys.modules.update(before)
        for package, held in zip(packages, attributes, strict=True):
            package.__dict__.update(held)


def first_change(expected: Mapping[str, str]) -> str | None:
    """The first feature that is gone or has another hash, in the rooms as they are imported now."""
    told = importlib.import_module("ageingwell.features.definition").definitions
    features = importlib.import_module("ageingwell.features.build").FEATURES
    if gone := expected.keys() - {feature.name for feature in features}:
        return min(gone)
    # Source by source: most changes show in the first, and writing all definitions out is what takes the time.
    for _, of_one_source in itertools.groupby(features, key=lambda feature: feature.source):
        for name, hashed in told(of_one_source, CODELISTS).items():
            if name in expected and hashed != expected[name]:
                return str(name)
    return None


@pytest.fixture(scope="module")
def expected() -> dict[str, str]:
    return definitions(CODELISTS)


def test_importing_the_rooms_again_changes_no_hash(expected: dict[str, str]) -> None:
    with imported_anew(None):
        assert first_change(expected) is None


@pytest.mark.sweep(of=4)
@pytest.mark.parametrize(("module", "constant"), constants())
def test_a_constant_changes_a_hash_or_is_known_to_decide_no_value(
    module: str, constant: str, expected: dict[str, str]
) -> None:
    with imported_anew(_Changed(module, constant)):
        try:
            changed = first_change(expected)
        except Exception as error:
            changed = f"cannot be imported: {type(error).__name__}"

    reason = DECIDES_NO_VALUE.get(f"{module.removeprefix('ageingwell.')}.{constant}")
    assert (changed is None) == (reason is not None), changed


def test_every_reason_is_of_a_constant_that_there_is() -> None:
    there = {f"{module.removeprefix('ageingwell.')}.{constant}" for module, constant in constants()}

    assert set(DECIDES_NO_VALUE) <= there


def hashes(*sources: str, codelists: Mapping[str, tuple[str, ...]] = CODELISTS) -> dict[str, str]:
    """The hashes of the features of some sources; of all without any."""
    chosen = [feature for source in sources for feature in of_source(source)] or FEATURES
    return definitions_of(chosen, codelists)


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> set[str]:
    return {name for name in before if before[name] != after[name]}


def longer(given: Any) -> Any:
    """Another preparation of the same kind."""
    return given.spine.lazy().head(1)


RUN_TIME: tuple[tuple[str, Callable[[pytest.MonkeyPatch], None], str], ...] = (
    ("the characters of a BNF code", lambda patch: patch.setattr(build, "_BNF_SUBSTANCE", 7), "medicines"),
    ("the groups of medicines", lambda patch: patch.setattr(gp, "MEDICINE_GROUPS", ("bnf_opioid",)), "medicines"),
    *(
        (
            f"the weeks of a {unit} cost",
            lambda patch, unit=unit: patch.setitem(build._PER_WEEK, unit, 2.0),
            "care_events",
        )
        for unit in build._PER_WEEK
    ),
    ("how long somebody is known", lambda patch: patch.setattr(spine, "KNOWN_TO_LOOKBACK", Lookback(30)), "spine"),
    *(
        (f"how {source} is prepared", lambda patch, source=source: patch.setitem(build.SOURCES, source, longer), source)
        for source in build.SOURCES
    ),
    *(
        (
            f"the endings of {table}",
            lambda patch, table=table: patch.setitem(ENDINGS, table, ()),
            {"gp_patients": "spine"}.get(table, table),
        )
        for table in ENDINGS
    ),
    *(
        (
            f"what one event is in {table}",
            lambda patch, table=table: patch.setitem(
                EVENT_KEYS, table, dataclasses.replace(EVENT_KEYS[table], columns=EVENT_KEYS[table].columns[:-1])
            ),
            {"gp_prescriptions": "medicines", "contacts": "spine"}.get(table, table),
        )
        for table in EVENT_KEYS
    ),
)


@pytest.mark.parametrize(("change", "source"), [case[1:] for case in RUN_TIME], ids=[case[0] for case in RUN_TIME])
def test_a_change_while_running_changes_the_hashes_of_its_source(
    change: Callable[[pytest.MonkeyPatch], None], source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = hashes(source)

    change(monkeypatch)

    found = changed(before, hashes(source))
    assert found if source == "spine" else found == set(before)


def test_a_preparation_changes_the_hashes_of_no_other_source(monkeypatch: pytest.MonkeyPatch) -> None:
    before = hashes("gp_events", "hospital_events", "fire_visits")

    monkeypatch.setattr(build, "_BNF_SUBSTANCE", 7)
    monkeypatch.setitem(EVENT_KEYS, "care_events", dataclasses.replace(EVENT_KEYS["care_events"], several=("hazard",)))

    assert changed(before, hashes("gp_events", "hospital_events", "fire_visits")) == set()


def test_how_long_somebody_is_known_changes_the_features_that_read_it_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    before = hashes("spine")

    monkeypatch.setattr(spine, "KNOWN_TO_LOOKBACK", Lookback(30))

    assert changed(before, hashes("spine")) == {
        "n_known_agencies",
        "is_unknown_to_social_care",
        "is_unknown_to_housing",
        "is_unknown_to_fire",
    }


def test_a_derived_feature_changes_with_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    before = hashes("derived")

    monkeypatch.setattr(build, "_BNF_SUBSTANCE", 7)

    assert {"has_polypharmacy", "n_deficits", "frailty_index"} <= changed(before, hashes("derived"))


def test_a_list_changes_the_features_that_read_it_and_a_new_list_none() -> None:
    before = hashes()

    with_fall = hashes(codelists={**CODELISTS, "fall": (*CODELISTS["fall"], "1912002")})
    with_new = hashes(codelists={"a_new_list": ("1912002",), **CODELISTS})

    assert "n_falls_365d" in changed(before, with_fall)
    assert "has_dementia" not in changed(before, with_fall)
    assert changed(before, with_new) == set()


@pytest.mark.slow
def test_every_list_is_in_the_hashes_of_the_features_that_read_it(expected: dict[str, str]) -> None:
    for name in CODELISTS:
        # Whether a feature can be worked out without the list tells whether it reads it.
        without = {one: codes for one, codes in CODELISTS.items() if one != name}
        readers = [feature for feature in FEATURES if not can_be_worked_out(feature, without)]
        longer_list = {**CODELISTS, name: (*CODELISTS[name], "1912002")}
        same = [one.name for one in readers if definition(one, longer_list) == expected[one.name]]
        assert same == [], name


def can_be_worked_out(feature: Feature, codelists: Mapping[str, tuple[str, ...]]) -> bool:
    try:
        formula = feature.value(build.Seen(AsOf(date(2026, 1, 1)), build.bit_of_list(codelists)))
    except ConfigError:
        return False
    return not (set(formula.meta.root_names()) & set(CODELISTS)) - set(codelists)


def test_words_for_a_reader_change_no_hash() -> None:
    feature = FEATURES[0]
    reworded = dataclasses.replace(feature, present="otherwise", theme="fire", can_change=not feature.can_change)

    assert definition(feature, CODELISTS) == definition(reworded, CODELISTS)


@pytest.mark.slow
def test_another_process_with_other_threads_and_another_seed_of_hashes_gives_the_same(
    expected: dict[str, str],
) -> None:
    script = (
        "from ageingwell.features.build import FEATURES; from ageingwell.features.definition import definitions;"
        "from ageingwell.config.load import load_config;"
        "print(definitions(FEATURES, load_config().codelists))"
    )
    # Two seeds that are known to be different: this process's own may be drawn.
    seed, threads = ("2", "2") if os.environ.get("PYTHONHASHSEED") == "1" else ("1", "3")
    told = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONHASHSEED": seed, "POLARS_MAX_THREADS": threads},
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert ast.literal_eval(told) == expected


def test_a_bundle_is_refused_once_a_preparation_has_changed(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_bundle(bundle, codelists=CODELISTS)

    monkeypatch.setattr(build, "_BNF_SUBSTANCE", 7)
    # As in a process of the other version: within one the definitions are written out once.
    monkeypatch.setattr(bundles, "_defined", bundles._defined.__wrapped__)

    with pytest.raises(BundleError, match="defined otherwise than when it was trained: "):
        load_bundle(bundle, codelists=CODELISTS)
