"""Of tests with very many cases the test command tries some, another run the others, and together they try all."""

from types import SimpleNamespace
from typing import Any

import pytest
from helpers.cases import chosen


def cases(name: str, n: int, *, of: int | None, full: bool = False) -> list[Any]:
    markers = {"sweep": None if of is None else SimpleNamespace(kwargs={"of": of}), "full": full or None}
    return [SimpleNamespace(nodeid=f"{name}[{at}]", get_closest_marker=markers.get) for at in range(n)]


@pytest.mark.parametrize(("n", "of", "n_taken"), [(1, 4, 1), (3, 4, 1), (8, 4, 2), (9, 4, 3), (9, 1, 9)])
def test_one_case_in_several_is_tried_and_one_at_least(n: int, of: int, n_taken: int) -> None:
    some, left_out = chosen(cases("test_a.py::test_law", n, of=of), "some")

    assert (len(some), len(left_out)) == (n_taken, n - n_taken)


def test_some_and_the_others_are_all_and_none_is_tried_twice() -> None:
    items = [*cases("test_a.py::test_law", 9, of=4), *cases("test_a.py::test_plain", 3, of=None)]

    some, others = chosen(items, "some")[0], chosen(items, "others")[0]

    assert sorted(item.nodeid for item in [*some, *others]) == sorted(item.nodeid for item in items)
    assert [item for item in some if "plain" in item.nodeid] == items[9:]
    assert chosen(items, "every") == (items, [])


def test_a_long_case_more_is_left_out_and_is_among_the_others() -> None:
    items = [*cases("test_a.py::test_law", 2, of=None), *cases("test_b.py::test_law", 1, of=None, full=True)]

    assert [chosen(items, which)[0] for which in ("some", "others", "every")] == [items[:2], items[2:], items]


def test_a_choice_that_is_none_is_refused() -> None:
    with pytest.raises(pytest.UsageError, match="some, others, every"):
        chosen([], "al")
