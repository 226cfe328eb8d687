"""Load a model with all it needs: text and JSON, no pickle, every file checked before any is parsed."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from scipy.special import expit

from ageingwell.config.files import read_codelists, shipped
from ageingwell.config.score import ModelSettings
from ageingwell.errors import BundleError
from ageingwell.evaluation.stored import from_text
from ageingwell.features.build import FEATURES
from ageingwell.features.definition import definitions as define
from ageingwell.model.compiled import CompiledRisk, compile_risk
from ageingwell.model.fitted import FittedRisk
from ageingwell.model.saving import AGAIN, as_found, checked, damage_told, read
from ageingwell.model.signing import stop_on_older, stop_on_unsigned
from ageingwell.shown import Screen, Shown, interval_text, sentence

# Models of format 3 know no bend; a version that knew none would tell other risks of a bent model, and refuses it.
# A version that checked no sums would read what an older one wrote and this one refuses; it refuses format 5.
# Models of format 5 know no term by age; a version that knew none would tell other risks, and refuses format 6.
FORMAT, READABLE = 6, (3, 4, 5, 6)
SEALED_SINCE = 5
FACTS, EVALUATION, CARD = "bundle.json", "evaluation.json", "card.md"
TABLES = "lookup.json"  # the digests of the look-up tables
LIBRARIES = ("lightgbm", "polars", "numpy")
# Tables and LightGBM are compared on so many people at every call, and may differ by so much on the log-odds.
PEOPLE_COMPARED = 64
MOST_APART = 1e-6


@dataclass(frozen=True, repr=False)
class Bundle(Shown):
    """The models of one training, the first outcome's first, and what is known of them.

    `facts` is `bundle.json` as read: outcomes, training window, calibration, evaluation, verdict, library versions.
    `digest` is the SHA-256 of `bundle.json`, which holds the SHA-256 of every file that changes a risk. `tables` are
    each outcome's measures on the latest year, as `evaluate` writes them; empty where none were stored. `card` is its
    card as it stands in the folder, parts of which a person fills in. `cache` is the folder that keeps the look-up
    tables of the compiled models, and `lookups` the digest of each outcome's.
    """

    models: Mapping[str, FittedRisk]
    facts: Mapping[str, Any]
    digest: str
    tables: Mapping[str, Mapping[str, pl.DataFrame]] = field(default_factory=dict)
    cache: Path | None = field(default=None, kw_only=True)
    card: str | None = field(default=None, kw_only=True)
    lookups: Mapping[str, str | None] = field(default_factory=dict, kw_only=True)

    @cached_property
    def compiled(self) -> Mapping[str, CompiledRisk]:
        """The models with their look-up tables, made or taken from the cache when first asked for."""
        return {
            outcome: compile_risk(model, digest=self.lookups.get(outcome), cache=self.cache)
            for outcome, model in self.models.items()
        }

    @property
    def ranking_outcome(self) -> str:
        """The outcome whose risk ranks people."""
        return next(iter(self.models))

    @property
    def ranking_model(self) -> FittedRisk:
        """The model whose risk ranks people."""
        return self.models[self.ranking_outcome]

    @property
    def made_up(self) -> bool:
        """Whether it was trained on made-up people."""
        return bool(self.facts["made_up"])

    @property
    def usable(self) -> bool:
        """Whether it beat the baselines it was measured against."""
        return bool(self.facts["verdict"]["usable"])

    def _screen(self) -> Screen:
        told = self.facts["verdict"]
        facts = {
            "trained on": "made-up people" if self.made_up else "records of real people",
            "verdict": "usable" if self.usable else "not usable",
            "features": len(self.ranking_model.features),
            "digest": self.digest[:16],
        }
        rows = [
            (name, "ranks people" if name == self.ranking_outcome else "", self._area(name)) for name in self.models
        ]
        return Screen("Model bundle", facts, ("outcome", "", "AUROC (95%)"), rows, sentence(told["reason"]))

    def _area(self, outcome: str) -> str:
        found = self.facts.get("evaluation", {}).get(outcome, {}).get("auroc", {})
        return interval_text(*(found.get(name) for name in ("value", "low", "high")))


def definitions(codelists: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Each feature's name and the SHA-256 of its definition."""
    return dict(_defined(tuple(sorted(codelists.items()))))


# A tenth of a small night goes into writing all definitions out; they differ only where the code lists do.
@lru_cache(maxsize=8)
def _defined(codelists: tuple[tuple[str, tuple[str, ...]], ...]) -> dict[str, str]:
    return define(FEATURES, dict(codelists))


def find_bundle(name: str | Path) -> Path:
    """The folder of a bundle: the name of a shipped one, or a folder.

    A bare name is looked for among the shipped bundles first: the demonstration makes a folder `demo` of its own.
    """
    if "\0" in str(name):
        raise BundleError("the name of the bundle holds a NUL, as no name can", "name its folder")
    named = shipped("models") / name
    return named if Path(name).name == str(name) and named.is_dir() else Path(name)


def load_bundle(
    name: str | Path,
    *,
    codelists: Mapping[str, tuple[str, ...]] | None = None,
    cache: str | Path | None = None,
    trust: ModelSettings | None = None,
) -> Bundle:
    """Load a bundle, a shipped name or a folder, once every file fits its `SHA256SUMS`; nothing is parsed before.

    LightGBM's parser aborts the process on some damaged files and silently changes scores on others. Raises
    `BundleError` saying what differs. `cache` is a folder for the models' tables. `codelists` are those of the
    features, by default the shipped ones; a site with its own gives `config.codelists`. `trust`, `config.score.model`,
    says whose signature the bundle has to bear, and how old it may be.
    """
    folder = find_bundle(name)
    files = checked(as_found(folder), folder)
    stop_on_unsigned(files, trust, folder)
    bundle = read_bundle(files, folder, cache=None if cache is None else Path(cache))
    stop_on_older(bundle.facts, trust, folder)
    codelists = read_codelists(shipped("configs") / "codelists") if codelists is None else codelists
    _stop_on_other_features(folder, bundle.facts, codelists)
    _stop_on_other_versions(folder, bundle.facts)
    return bundle


def read_bundle(files: Mapping[str, bytes], folder: Path, *, cache: Path | None = None) -> Bundle:
    """The bundle in the files of `folder`, by name, which were checked before. Raises `BundleError`."""
    with damage_told(folder):
        facts = _facts(files)
        models = {outcome: read(part, files) for outcome, part in facts["outcomes"].items()}
        lookups = json.loads(files[TABLES])["sha256"] if TABLES in files else {}
        return Bundle(
            models,
            facts,
            hashlib.sha256(files[FACTS]).hexdigest(),
            _tables(files, facts),
            cache=cache,
            card=files[CARD].decode(errors="replace") if CARD in files else None,
            lookups={outcome: lookups.get(outcome) for outcome in models},
        )


def predict(bundle: Bundle, features: pl.DataFrame, *, threads: int) -> pl.DataFrame:
    """Everyone's risks: person_id, risk, risk_low, risk_high, a risk for each outcome, score, base.

    `risk` is that of the ranking outcome; its range is missing where it is higher than any that was checked. `score`
    is the raw log-odds of its margin and trees and `base` the calibrated log-odds from which its contributions start.
    """
    compiled = bundle.compiled
    odds = {outcome: model.log_odds(features, threads=threads) for outcome, model in compiled.items()}
    for outcome, model in compiled.items():
        _stop_on_other_odds(model, features.head(PEOPLE_COMPARED), odds[outcome][:PEOPLE_COMPARED])
    ranking, ours = compiled[bundle.ranking_outcome], odds[bundle.ranking_outcome]
    risk, low, high = ranking.risk_and_range(ours)
    others = {f"risk_{outcome}": expit(theirs) for outcome, theirs in odds.items()}
    ends = {"risk_low": pl.Series(low).fill_nan(None), "risk_high": pl.Series(high).fill_nan(None)}
    made = {"risk": risk, **ends, **others, "score": ranking.score(ours)}
    return features.select("person_id").with_columns(
        *(pl.Series(name, values) for name, values in made.items()), base=pl.lit(ranking.base)
    )


def _stop_on_other_odds(model: CompiledRisk, some: pl.DataFrame, odds: np.ndarray) -> None:
    """Compare a few people's log-odds with LightGBM's: a last look at tables that a cache kept, at next to no cost."""
    theirs = model.fitted.log_odds(model.fitted.score(some))
    if np.abs(theirs - odds).max(initial=0.0) > MOST_APART:
        raise BundleError(
            "the look-up tables of the model give other risks than the model itself",
            "empty the cache folder of ageingwell and run again",
        )


def _facts(files: Mapping[str, bytes]) -> dict[str, Any]:
    if FACTS not in files:
        raise BundleError("there is no model bundle here", "name a shipped bundle or a bundle folder")
    facts: dict[str, Any] = json.loads(files[FACTS])
    if facts["format"] not in READABLE:
        raise BundleError(f"{FACTS} has another format", "train the bundle again with this version")
    wanted = {
        "made_up": bool,
        "outcomes": dict,
        "features": dict,
        "training": dict,
        "evaluation": dict,
        "verdict": dict,
    }
    lacking = [name for name, kind in wanted.items() if not isinstance(facts.get(name), kind)]
    told = facts["verdict"] if not lacking else {}
    if lacking or not facts["outcomes"] or not isinstance(told["usable"], bool) or not isinstance(told["reason"], str):
        raise BundleError(f"{FACTS} does not hold what a bundle needs", AGAIN)
    return facts


def _tables(files: Mapping[str, bytes], facts: Mapping[str, Any]) -> dict[str, dict[str, pl.DataFrame]]:
    content = files[EVALUATION]
    if hashlib.sha256(content).hexdigest() != facts["evaluation_file"]["sha256"]:
        raise BundleError(f"{EVALUATION} is not the file that was saved", AGAIN)
    return from_text(content.decode())


def _stop_on_other_features(folder: Path, facts: Mapping[str, Any], codelists: Mapping[str, tuple[str, ...]]) -> None:
    ours = definitions(codelists)
    used = {name for part in facts["outcomes"].values() for name in part["features"]}
    differing = sorted(name for name in used if facts["features"].get(name) != ours.get(name))
    if differing:
        named = ", ".join(differing[:5]) + (f" and {len(differing) - 5} more" if len(differing) > 5 else "")
        raise BundleError(
            f"{folder.name}: {len(differing)} features are defined otherwise than when it was trained: {named}",
            "use the code lists and the version it was trained with, or train it again",
        )


def _stop_on_other_versions(folder: Path, facts: Mapping[str, Any]) -> None:
    then, now = facts["versions"]["lightgbm"], version("lightgbm")
    if then.split(".")[:2] != now.split(".")[:2]:
        raise BundleError(
            f"{folder.name}: trained with LightGBM {then}, and {now} is installed",
            "install that version or train again",
        )
