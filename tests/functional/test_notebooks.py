"""The notebooks of the documentation run, cell by cell, and show what they have shown."""

import json
import re
import warnings

import matplotlib as mpl
import pytest

import ageingwell
from tools.notebook import differing, notebooks

mpl.use("Agg")


def cells(path):
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


@pytest.mark.slow
@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
def test_every_cell_runs_and_shows_what_the_notebook_has(path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert differing(path) == [], "run `python -m tools.notebook` and commit the notebook"


def test_a_cell_that_shows_something_else_is_named(tmp_path):
    code = {"cell_type": "code", "metadata": {}, "source": ["1 + 1"], "outputs": [], "execution_count": 1, "id": "a"}
    two = [{"data": {"text/plain": ["2"]}, "output_type": "execute_result", "metadata": {}, "execution_count": 1}]
    for outputs, named in ((two, []), ([], ["1 + 1"])):
        path = tmp_path / "small.ipynb"
        path.write_text(json.dumps({"cells": [code | {"outputs": outputs}]}), encoding="utf-8")
        assert differing(path) == named


def test_there_is_a_notebook_with_pictures_and_what_it_shows():
    assert [path.name for path in notebooks()] == ["notebook.ipynb"]
    of_code = [cell for cell in cells(notebooks()[0]) if cell["cell_type"] == "code"]
    pictures = [out for cell in of_code for out in cell["outputs"] if "image/png" in out.get("data", {})]
    assert len(of_code) >= 12
    assert len(pictures) == 3
    assert all(cell["outputs"] or "".join(cell["source"]).rstrip().endswith(")") for cell in of_code)


def test_every_name_that_a_notebook_uses_is_public():

    used = {
        name
        for path in notebooks()
        for cell in cells(path)
        for name in re.findall(r"\baw\.(\w+)", "".join(cell["source"]))
    }
    assert used <= set(ageingwell.__all__)
