"""A fitted model as LightGBM text and JSON: no pickle, and every file is checked before anything reads a byte of it."""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import lightgbm as lgb
import numpy as np
import polars as pl

from ageingwell.checksums import SUMS, ChangedError, UnsealedError, check_files, plain_files
from ageingwell.disk import DISK, Disk
from ageingwell.errors import AgeingWellError, BundleError
from ageingwell.evaluation.calibration import Line
from ageingwell.model.bend import STRAIGHT, Bend
from ageingwell.model.by_age import ByAge
from ageingwell.model.columns import Column
from ageingwell.model.fitted import FittedRisk, Sampled
from ageingwell.model.margin import Curve, Margin
from ageingwell.model.ranges import Range
from ageingwell.model.trees import model_text
from ageingwell.publish.whole import sealed, standing, write_whole

AGAIN: Final = "copy it again from its maker"
# Ten times the largest model that was ever made of a county.
MOST_BYTES: Final = 512 << 20
MODEL: Final = "model.txt"
FACTS: Final = "model.json"
# Models of format 1 have no sums; their facts hold a hash of their own.
FORMAT: Final = 2
READABLE: Final = (1, FORMAT)


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
        **({} if model.by_age is None else {"by_age": asdict(model.by_age)}),
        **({} if model.bend.is_straight else {"bend": asdict(model.bend)}),
        "range": asdict(model.spread),
        **({} if model.sampled is None else {"sampled": asdict(model.sampled)}),
    }


def read(part: Mapping[str, Any], files: Mapping[str, bytes]) -> FittedRisk:
    """The model that `written` wrote, from the checked `files` of its folder by name.

    Call it within `damage_told`: what was never ours to write ends in any error there is.
    """
    # LightGBM's parser aborts the process on some damaged texts and takes others without a word.
    content = files[part["file"]]
    if hashlib.sha256(content).hexdigest() != part["sha256"]:
        raise BundleError(f"{part['file']} is not the file that was saved", AGAIN)
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
        by_age=_by_age(part["by_age"], names) if "by_age" in part else None,
        bend=Bend(**part["bend"]) if "bend" in part else STRAIGHT,
        spread=Range(*(tuple(part["range"][end]) for end in ("log_odds", "below", "above"))),
        sampled=Sampled(**part["sampled"]) if "sampled" in part else None,
    )


def _by_age(found: Mapping[str, Any], names: Collection[str]) -> ByAge:
    term = ByAge(**found)
    if (
        term.feature not in names
        or not np.isfinite([value for name, value in found.items() if name != "feature"]).all()
    ):
        raise BundleError("the term by age is not of a feature of the model", AGAIN)
    return term


def _curve(found: Mapping[str, Any]) -> Curve:
    return Curve(tuple(found["at"]), tuple(found["adds"]), found["missing"])


def as_found(folder: Path) -> dict[str, bytes]:
    """Every file of a folder with a model, by name, whatever its sums say; no link is followed.

    Raises `BundleError` for a folder that is not there or holds anything but files.
    """
    with _refused(folder):
        return plain_files(standing(folder), most_bytes=MOST_BYTES)


def checked(files: dict[str, bytes], folder: Path, *, but: Collection[str] = ()) -> dict[str, bytes]:
    """The same files, once all of them but those named fit the `SHA256SUMS` among them; else `BundleError`."""
    with _refused(folder):
        try:
            check_files(files, but=but)
        except UnsealedError:
            raise BundleError(
                f"{folder.name}: {SUMS} is missing, so nobody can say whether the model was changed",
                "copy it again from its maker; if an earlier version made it and you trust where it lay, seal it: "
                f"ageingwell seal {folder}",
            ) from None
    return files


@contextmanager
def _refused(folder: Path) -> Iterator[None]:
    try:
        yield
    except ChangedError as fault:
        edited = f"if you filled it in yourself, seal the bundle again: ageingwell seal {folder}; otherwise {AGAIN}"
        raise BundleError(f"{folder.name}: {fault}", edited if fault.file == "card.md" else AGAIN) from None
    except (FileNotFoundError, NotADirectoryError):
        raise BundleError(
            f"{folder.name}: there is no saved model of this name", "name a shipped bundle or the model's folder"
        ) from None
    except OSError as fault:
        raise BundleError(f"{folder.name}: the folder cannot be read ({fault.strerror})", AGAIN) from None


@contextmanager
def damage_told(folder: Path) -> Iterator[None]:
    """Turn whatever comes of content that no model of ours has into a `BundleError`.

    Sums say that nothing was changed since somebody sealed it, not that it was ever a model.
    """
    try:
        yield
    except BundleError as fault:
        raise BundleError(f"{folder.name}: {fault.found}", fault.remedy) from None
    except AgeingWellError:
        raise
    # Python, LightGBM and Polars have dozens of errors between them for numbers, texts and nesting that make no sense.
    except (Exception, pl.exceptions.PanicException) as fault:
        raise BundleError(f"{folder.name}: does not hold what a model needs ({type(fault).__name__})", AGAIN) from None


def save_folder(model: FittedRisk, folder: Path, *, disk: Disk = DISK, **facts: Any) -> Path:
    """Write `model.txt`, `model.json`, which also holds `facts`, and their sums; a model that stood there goes."""
    text, part = written(model, MODEL)
    body = {"format": FORMAT, **facts, "model": part}
    files = {MODEL: text.encode(), FACTS: (json.dumps(body, indent=1, allow_nan=False) + "\n").encode()}
    return write_whole(folder, sealed(files), what="the model", replaces={*files, SUMS}.__contains__, disk=disk)


def load_folder(folder: Path) -> tuple[FittedRisk, dict[str, Any]]:
    """The model in a folder that `save_folder` wrote, and its facts; `BundleError` where anything differs."""
    files = as_found(folder)
    if SUMS in files:
        checked(files, folder)
    with damage_told(folder):
        if FACTS not in files:
            raise BundleError("there is no saved model here", "name the folder it was saved to")
        body = json.loads(files[FACTS])
        if body["format"] not in READABLE:
            raise BundleError(f"{FACTS} has another format", "save the model again with this version")
        if SUMS not in files:
            _stop_on_other_hash(body)
        return read(body["model"], files), body


def _stop_on_other_hash(body: dict[str, Any]) -> None:
    """Check the hash of its own that a model of format 1 has in place of sums."""
    if body["format"] != 1:
        raise BundleError(f"{SUMS} is missing", AGAIN)
    given = body.pop("sha256")
    if given != _digest(body):
        raise BundleError(f"{FACTS} is not the file that was saved", AGAIN)


def _digest(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True, allow_nan=False).encode()).hexdigest()
