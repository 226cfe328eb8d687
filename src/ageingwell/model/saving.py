"""A fitted model as LightGBM text and JSON: no pickle, and the text is checked before LightGBM sees a byte."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import lightgbm as lgb

from ageingwell.errors import BundleError
from ageingwell.evaluation.calibration import Line
from ageingwell.model.bend import STRAIGHT, Bend
from ageingwell.model.columns import Column
from ageingwell.model.fitted import FittedRisk, Sampled
from ageingwell.model.margin import Curve, Margin
from ageingwell.model.ranges import Range
from ageingwell.model.trees import model_text

AGAIN = "copy it again from its maker"


def written(model: FittedRisk, file: str) -> tuple[str, dict[str, Any]]:
    """The trees as text, and all else there is to a model as JSON can hold it, with the text's SHA-256."""
    text = model_text(model.booster_)
    return text, {
        "file": file,
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "features": list(model.features),
        "levels": {column.name: list(column.levels) for column in model.columns if column.levels is not None},
        "levels_of_numbers": [column.name for column in model.columns if column.of_numbers],
        "wholly_missing": [column.name for column in model.columns if not column.kind_is_known],
        "level_log_odds": {
            column.name: list(table) for column, table in zip(model.columns, model.levels) if table is not None
        },
        "margin": {
            "intercept": model.margin.intercept,
            "curves": {column.name: asdict(curve) for column, curve in zip(model.columns, model.margin.curves)},
        },
        "typical": dict(zip(model.features, model.typical)),
        "missing_in_training": sorted(model.missing_in_training),
        "calibration": asdict(model.line),
        **({} if model.bend.is_straight else {"bend": asdict(model.bend)}),
        "range": asdict(model.spread),
        **({} if model.sampled is None else {"sampled": asdict(model.sampled)}),
    }


def read(part: Mapping[str, Any], folder: Path) -> FittedRisk:
    """The model that `written` wrote into `folder`; `BundleError` where the text is not the text that was saved."""
    name = Path(part["file"]).name
    try:
        content = (folder / name).read_bytes()
    except OSError:
        raise BundleError(f"{folder.name}: {name} cannot be read", AGAIN) from None
    # LightGBM's parser aborts the process on some damaged texts and takes others without a word.
    if hashlib.sha256(content).hexdigest() != part["sha256"]:
        raise BundleError(f"{folder.name}: {name} is not the file that was saved", AGAIN)
    names = part["features"]
    levels = {name: tuple(found) for name, found in part["levels"].items()}
    # Models of earlier versions kept neither: all their levels count as text, and a column wholly missing as a number.
    of_numbers, wholly_missing = (part.get(key, ()) for key in ("levels_of_numbers", "wholly_missing"))
    curves = part["margin"]["curves"]
    tables = part["level_log_odds"]
    return FittedRisk(
        booster_=lgb.Booster(model_str=content.decode()),
        columns=tuple(
            Column(name, levels.get(name), name in of_numbers, kind_is_known=name not in wholly_missing)
            for name in names
        ),
        margin=Margin(part["margin"]["intercept"], tuple(_curve(curves[name]) for name in names)),
        levels=tuple(tuple(tables[name]) if name in tables else None for name in names),
        typical=tuple(part["typical"][name] for name in names),
        missing_in_training=frozenset(part["missing_in_training"]),
        line=Line(**part["calibration"]),
        bend=Bend(**part["bend"]) if "bend" in part else STRAIGHT,
        spread=Range(*(tuple(part["range"][end]) for end in ("log_odds", "below", "above"))),
        sampled=Sampled(**part["sampled"]) if "sampled" in part else None,
    )


def _curve(found: Mapping[str, Any]) -> Curve:
    return Curve(tuple(found["at"]), tuple(found["adds"]), found["missing"])


def save_folder(model: FittedRisk, folder: Path, **facts: Any) -> Path:
    """Write `model.txt` and `model.json`, which also holds `facts` and a SHA-256 of its own content."""
    folder.mkdir(parents=True, exist_ok=True)
    text, part = written(model, "model.txt")
    (folder / "model.txt").write_bytes(text.encode())
    body = {"format": 1, **facts, "model": part}
    (folder / "model.json").write_text(
        json.dumps({"sha256": _digest(body), **body}, indent=1, allow_nan=False) + "\n", encoding="utf-8"
    )
    return folder


def load_folder(folder: Path) -> tuple[FittedRisk, dict[str, Any]]:
    """The model in a folder that `save_folder` wrote, and its facts; `BundleError` where anything differs."""
    try:
        body = json.loads((folder / "model.json").read_bytes())
        given = body.pop("sha256")
    except FileNotFoundError:
        raise BundleError(f"{folder.name}: there is no saved model here", "name the folder it was saved to") from None
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        raise BundleError(f"{folder.name}: model.json cannot be read", AGAIN) from None
    if given != _digest(body):
        raise BundleError(f"{folder.name}: model.json is not the file that was saved", AGAIN)
    if body.get("format") != 1:
        raise BundleError(f"{folder.name}: model.json has another format", "save the model again with this version")
    return read(body["model"], folder), body


def _digest(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True, allow_nan=False).encode()).hexdigest()
