"""Files made to run code, given to everything of ours that reads a model, a night, a cache, a ledger or settings."""

import gzip
import io
import json
import os
import pickle
import shutil
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import joblib
import numpy as np
import polars as pl
import pytest
from helpers.evidence import counted
from helpers.sealed import seal_again

from ageingwell.bundle import find_bundle, load_bundle
from ageingwell.config.load import load_config
from ageingwell.decisions.ledger import read_ledger
from ageingwell.errors import AgeingWellError
from ageingwell.kept.frames import read_frame
from ageingwell.kept.reading import read_night
from ageingwell.lookup import load_tables
from ageingwell.lookup.files import FORMAT
from ageingwell.model.estimator import RiskModel


class Marks:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)

    def __reduce__(self):
        return (os.mkdir, (self.folder,))


def written_by(write: Callable[[io.BytesIO], object]) -> bytes:
    made = io.BytesIO()
    write(made)
    return made.getvalue()


def zipped(**parts: bytes) -> bytes:
    def write(made: io.BytesIO) -> None:
        with zipfile.ZipFile(made, "w") as archive:
            for name, content in parts.items():
                archive.writestr(name.replace("__", "/"), content)

    return written_by(write)


def payloads(mark: Path) -> dict[str, bytes]:
    """Files by kind, each of which makes the folder `mark` where it is trusted."""
    bad = Marks(mark)
    objects = np.array([bad], dtype=object)
    code = f"__import__('os').mkdir({str(mark)!r})"
    plain = pickle.dumps(bad)
    found = {f"pickle, protocol {n}": pickle.dumps(bad, protocol=n) for n in range(6)}
    found |= {
        "pickle in gzip": gzip.compress(plain),
        "pickle in zlib": zlib.compress(plain),
        "pickle in a zip, as PyTorch has it": zipped(archive__data__pkl=plain),
        "joblib": written_by(lambda made: joblib.dump(bad, made)),
        "npy of objects": written_by(lambda made: np.save(made, objects, allow_pickle=True)),
        "npz of objects": written_by(lambda made: np.savez(made, **{"entries": objects})),
        "npz with pickles for arrays": zipped(**{"entries.npy": plain}),
        "Numba's index": pickle.dumps("0.68.1") + pickle.dumps(bad),
        "JSON of jsonpickle": json.dumps(
            {"py/reduce": [{"py/function": "os.mkdir"}, {"py/tuple": [str(mark)]}]}
        ).encode(),
        "JSON with a class": json.dumps({"__class__": "os.mkdir", "__args__": [str(mark)]}).encode(),
        "YAML with a call": f"!!python/object/apply:os.mkdir ['{mark}']\n".encode(),
        "Python": code.encode(),
        "TOML that asks for a call": f'purpose = """{{{code}}}"""\n'.encode(),
        "a template": f"{{{{ cycler.__init__.__globals__.os.mkdir('{mark}') }}}}".encode(),
    }
    frame = pl.DataFrame({"person_id": ["b" * 32], "step": ["listed"]})
    for key in ("pandas", "ARROW:schema", "ARROW:extension:metadata", "polars"):
        told = {key: plain.hex() if key != "pandas" else json.dumps({"index_columns": [code]})}
        found[f"Parquet, metadata {key}"] = written_by(lambda made, told=told: frame.write_parquet(made, metadata=told))
    found["Parquet of pickles"] = written_by(frame.with_columns(x=pl.lit(plain)).write_parquet)
    return found


def bundle_with(name: str) -> Callable[[Path, bytes], object]:
    def read(place: Path, content: bytes) -> object:
        folder = place / "bundle"
        if not folder.exists():
            shutil.copytree(find_bundle("demo"), folder)
        (folder / name).write_bytes(content)
        return load_bundle(seal_again(folder))

    return read


def model_with(name: str) -> Callable[[Path, bytes], object]:
    def read(place: Path, content: bytes) -> object:
        (place / "model").mkdir(exist_ok=True)
        for one in ("model.json", "model.txt"):
            (place / "model" / one).write_bytes(content if one == name else b"{}")
        return RiskModel.load(seal_again(place / "model"))

    return read


def a_file(name: str, read: Callable[[Path], object]) -> Callable[[Path, bytes], object]:
    def written(place: Path, content: bytes) -> object:
        (place / name).write_bytes(content)
        return read(place / name)

    return written


NOTHING = "0" * 64
READERS = {
    **{f"bundle, {name}": bundle_with(name) for name in ("bundle.json", "evaluation.json", "lookup.json", "model.txt")},
    **{f"model, {name}": model_with(name) for name in ("model.json", "model.txt")},
    "look-up tables": a_file(f"lookup{FORMAT}-{NOTHING}.bin", lambda path: load_tables(path.parent, digest=NOTHING)),
    "frame of a night": a_file("attrition.parquet", lambda path: read_frame(path.parent, "attrition")),
    "manifest of a night": a_file("manifest.json", lambda path: read_night(path.parent)),
    "ledger of decisions": a_file("decisions.sqlite", read_ledger),
    "settings": a_file("score.toml", load_config),
}


def test_nothing_that_is_read_runs_code(tmp_path: Path) -> None:
    mark, tried, ran = tmp_path / "mark", 0, []
    files = payloads(mark)
    for reader, read in READERS.items():
        place = tmp_path / reader
        place.mkdir()
        for what, content in files.items():
            with suppress(AgeingWellError):
                read(place, content)
            tried += 1
            if mark.exists():
                ran.append((what, reader))
                mark.rmdir()
    counted("S2.payloads", tried, len(ran), note="a model, a night, a cache, a ledger, settings")
    assert tried >= 200
    assert ran == []


@pytest.mark.parametrize(
    ("what", "trust"),
    [
        ("pickle, protocol 0", pickle.loads),
        ("joblib", lambda content: joblib.load(io.BytesIO(content))),
        ("npy of objects", lambda content: np.load(io.BytesIO(content), allow_pickle=True)),
        ("npz of objects", lambda content: np.load(io.BytesIO(content), allow_pickle=True)["entries"]),
        ("Python", lambda content: eval(content)),  # noqa: S307
    ],
)
def test_such_files_run_code_where_they_are_trusted(tmp_path: Path, what: str, trust) -> None:
    trust(payloads(tmp_path / "mark")[what])

    assert (tmp_path / "mark").is_dir()
