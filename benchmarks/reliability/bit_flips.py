"""Turn single bits of a bundle over, anywhere: each has to be refused before any parser reads a byte.

    python -m benchmarks.reliability bit_flips [--flips 10000] [--seed 1]

Half of the flips fall on a file drawn at random, so that small files get their share, and half anywhere in the bytes.
"""

import argparse
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

from ageingwell.bundle import find_bundle, load_bundle
from ageingwell.errors import BundleError
from benchmarks.reliability.figures import write_figure

GOAL = "S1.bit_flips"
# Everything that reads meaning into a bundle's bytes.
PARSERS = ("json.loads", "lightgbm.Booster", "ageingwell.bundle.from_text", "ageingwell.bundle.read_bundle")


class ParserRanError(Exception):
    """A parser was given bytes that should have been refused."""


@contextmanager
def no_parser() -> Iterator[None]:
    """Let every parser of a bundle fail loudly."""
    with ExitStack() as stack:
        for name in PARSERS:
            stack.enter_context(patch(name, side_effect=ParserRanError))
        yield


def outcome_of(folder: Path) -> str:
    """What comes of loading a damaged bundle: "refused", or what went wrong."""
    try:
        with no_parser():
            load_bundle(folder, codelists={})
    except BundleError:
        return "refused"
    except ParserRanError:
        return "a parser ran"
    except Exception as fault:
        return type(fault).__name__
    return "accepted"


def flip_bits(folder: Path, *, flips: int, seed: int) -> Counter[tuple[str, str]]:
    """How often each came of a flipped bit of each file; `folder` is a copy to damage, and is whole afterwards."""
    rng = random.Random(seed)
    whole = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    names = list(whole)
    found: Counter[tuple[str, str]] = Counter()
    for number in range(flips):
        (name,) = rng.choices(names, weights=None if number % 2 else [len(whole[name]) for name in names])
        content = bytearray(whole[name])
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        (folder / name).write_bytes(content)
        found[name, outcome_of(folder)] += 1
        (folder / name).write_bytes(whole[name])
    return found


def main(arguments: Sequence[str] = ()) -> int:
    """Count, print a line a file, and write the figure down."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--flips", type=int, default=10_000)
    asked.add_argument("--seed", type=int, default=1)
    given = asked.parse_args(arguments)
    with tempfile.TemporaryDirectory() as place:
        copy = Path(shutil.copytree(find_bundle("demo"), Path(place) / "demo"))
        assert outcome_of(copy) == "a parser ran", "whole, it is read"
        found = flip_bits(copy, flips=given.flips, seed=given.seed)
    for (name, outcome), n in sorted(found.items()):
        print(f"{n:6,}  {name}: {outcome}")
    bad = sum(n for (_, outcome), n in found.items() if outcome != "refused")
    command = f"python -m benchmarks.reliability bit_flips --flips {given.flips} --seed {given.seed}"
    print(write_figure(GOAL, given.flips, bad, seed=given.seed, command=command))
    return int(bad > 0)
