"""Run the notebooks of the documentation: no server and no kernel, the code of their cells one after the other.

python -m tools.notebook           runs every notebook of docs/ and writes what its cells show into it
python -m tools.notebook --check   writes nothing; ends with 1 and names the cells that show something else

What a cell of the tag `changes` shows is not compared: it is about a made-up night, and moves with every change of it.
"""

import ast
import base64
import contextlib
import io
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[1] / "docs"
Cell = dict[str, Any]


def notebooks(folder: Path = DOCS) -> list[Path]:
    """Every notebook of the documentation."""
    return sorted(folder.rglob("*.ipynb"))


def run(path: Path) -> dict[str, Any]:
    """The notebook with what its cells show when they are run in an empty folder, in their order."""
    book: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    names: dict[str, Any] = {"__name__": "__main__"}
    count = 0
    with _empty_folder():
        for cell in book["cells"]:
            if cell["cell_type"] == "code":
                count += 1
                cell["execution_count"] = count
                cell["outputs"] = _outputs("".join(cell["source"]), names, count)
    return book


def differing(path: Path) -> list[str]:
    """The code of every cell that shows other text than the notebook has; pictures are not compared."""
    there = [cell for cell in _code_cells(json.loads(path.read_text(encoding="utf-8"))) if not _changes(cell)]
    now = [cell for cell in _code_cells(run(path)) if not _changes(cell)]
    return ["".join(one["source"]) for one, other in zip(there, now) if _texts(one) != _texts(other)]


def as_text(book: dict[str, Any]) -> str:
    """A notebook as its file has it."""
    return json.dumps(book, indent=1, ensure_ascii=False) + "\n"


@contextlib.contextmanager
def _empty_folder() -> Iterator[None]:
    before = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="notebook-") as place:
        os.chdir(place)
        try:
            yield
        finally:
            os.chdir(before)


def _outputs(code: str, names: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """Run one cell: what it prints, and what its last expression is, as Jupyter would show it."""
    tree = ast.parse(code)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed, value = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, "cell", "exec"), names)  # noqa: S102 - our own page
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)  # noqa: S307 - our own page
    shown: list[dict[str, Any]] = []
    if printed.getvalue():
        shown.append({"name": "stdout", "output_type": "stream", "text": _lines(printed.getvalue())})
    if value is not None:
        shown.append({"data": _data(value), "execution_count": count, "metadata": {}, "output_type": "execute_result"})
    return shown


def _data(value: Any) -> dict[str, Any]:
    if hasattr(value, "get_figure"):
        return {"image/png": _picture(value.get_figure()), "text/plain": ["a plot"]}
    html = getattr(value, "_repr_html_", None)
    told = {"text/plain": _lines(repr(value))}
    return {"text/html": _lines(html()), **told} if html is not None else told


def _picture(figure: Any) -> str:
    import matplotlib.pyplot as plt

    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=80, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)
    return base64.b64encode(content.getvalue()).decode() + "\n"


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def _code_cells(book: dict[str, Any]) -> list[Cell]:
    return [cell for cell in book["cells"] if cell["cell_type"] == "code"]


def _changes(cell: Cell) -> bool:
    return "changes" in cell["metadata"].get("tags", [])


def _texts(cell: Cell) -> list[str]:
    return ["".join(one.get("text", one.get("data", {}).get("text/plain", []))).rstrip() for one in cell["outputs"]]


def main(arguments: list[str]) -> int:
    """Run the notebooks and write them, or check them."""
    import matplotlib as mpl

    mpl.use("Agg")
    stale = 0
    for path in notebooks():
        if "--check" not in arguments:
            path.write_text(as_text(run(path)), encoding="utf-8")
            continue
        for code in differing(path):
            stale = 1
            sys.stderr.write(f"{path.name}: a cell shows something else now:\n{code}\n")
    return stale


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
