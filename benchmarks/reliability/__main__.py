"""Full-size runs behind the figures of `docs/evidence.md`.

    python -m benchmarks.reliability                  what there is to run
    python -m benchmarks.reliability NAME [options]   run one; its figures go to docs/evidence/full

Each run is a module of this folder with a first line that says what it does and `main(arguments) -> int`, which gives
the exit code: 0 where nothing went wrong.
"""

import ast
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

FOLDER = Path(__file__).parent


def runs(folder: Path = FOLDER) -> dict[str, str]:
    """Each run of the folder and the first line of what it says about itself.

    >>> "nothing" in runs()
    False
    """
    modules = (path for path in sorted(folder.glob("*.py")) if not path.name.startswith("_"))
    read = {path.stem: ast.parse(path.read_text(encoding="utf-8")) for path in modules}
    return {name: _first_line(tree) for name, tree in read.items() if _has_main(tree)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is named, or list what can be."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    known = runs()
    if not given or given[0] in ("-h", "--help"):
        print(__doc__)
        print("\n".join(f"{name:<20} {told}" for name, told in known.items()) or "There is nothing to run yet.")
        return 0
    name, *options = given
    if name not in known:
        print(f"There is no run {name!r}. There is: {', '.join(known) or 'none yet'}.", file=sys.stderr)
        return 2
    return int(import_module(f"benchmarks.reliability.{name}").main(options) or 0)


def _first_line(tree: ast.Module) -> str:
    return (ast.get_docstring(tree) or "says nothing about itself").splitlines()[0]


def _has_main(tree: ast.Module) -> bool:
    return any(isinstance(part, ast.FunctionDef) and part.name == "main" for part in tree.body)


if __name__ == "__main__":
    sys.exit(main())
