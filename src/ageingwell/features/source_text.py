"""What a function does, as text: its own code, that of the functions it uses, and the values of the constants it reads.

Two functions that would compute differently differ in their text, wherever the difference lies: in a line, in a
function called by a function, in a constant of another file. Comments, docstrings, the layout of the lines and the
order of the files say nothing about what is computed and are left out.
"""

import ast
import inspect
import linecache
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from functools import cache
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pandera.polars as pa
import polars as pl

# What decides a value lies in these rooms; beyond them (errors, reading, settings) a name alone is written.
ROOMS = ("timeline", "events", "spine", "features", "contracts", "config.files")
_PACKAGE = __name__.split(".")[0]
# Parts of a syntax tree that say nothing about what is computed, or that differ between versions of Python.
_SILENT = ("ctx", "kind", "type_comment", "type_params", "returns", "annotation")


@dataclass(frozen=True)
class _Read:
    """A piece of code as text, with the names it reads: each a name, or a module's name and one in it."""

    text: str
    names: tuple[tuple[str, ...], ...]


def source_text(*roots: Callable[..., Any], beyond: Collection[object] = ()) -> str:
    """The text of functions and of all they use; `beyond` are objects that are told elsewhere and left out.

    >>> def weekly(pounds):
    ...     return 7 * pounds
    >>> def fortnightly(pounds):
    ...     return 14 * pounds
    >>> source_text(weekly) == source_text(weekly), source_text(weekly) == source_text(fortnightly)
    (True, False)
    """
    found = _Closure(beyond, more_modules=[root.__module__ for root in roots])
    for root in roots:
        found.add(root)
    return "\n".join(f"{name}: {text}" for name, text in sorted(found.texts.items()))


def as_text(value: object) -> str:
    """A constant as text that is the same in every process.

    >>> as_text({"b": (1, None), "a": frozenset({"y", "x"})})
    "{'b': (1, None), 'a': {'x', 'y'}}"
    """
    return _Closure().constant(value)


class _Closure:
    """The text of everything found so far, by name."""

    def __init__(self, beyond: Collection[object] = (), more_modules: Collection[str] = ()) -> None:
        self.texts: dict[str, str] = {}
        self._beyond = {id(one) for one in beyond}
        self._modules = frozenset(more_modules)

    def add(self, found: object) -> str:
        """Write a function or class and all it uses; returns its name."""
        if isinstance(found, FunctionType):
            found = inspect.unwrap(found)
        name = _name_of(found)
        if name in self.texts or id(found) in self._beyond or not self._is_ours(found):
            return name
        self.texts[name] = ""  # a function may call itself
        if isinstance(found, FunctionType):
            read, scope = _function(found.__code__), {**found.__globals__, **_closed_over(found)}
            self.texts[name] = "; ".join([read.text, *self._constants(read, scope)])
        elif isinstance(found, type) and issubclass(found, pa.DataFrameModel):
            self.texts[name] = ", ".join(f"{one} {column.dtype}" for one, column in found.to_schema().columns.items())
        elif isinstance(found, type):
            read = _class(found)
            self.texts[name] = "; ".join([read.text, *self._constants(read, vars(inspect.getmodule(found)))])
        return name

    def _is_ours(self, found: object) -> bool:
        module = getattr(found, "__module__", None) or ""
        rooms = [f"{_PACKAGE}.{room}" for room in ROOMS]
        return module in self._modules or any(module == room or module.startswith(f"{room}.") for room in rooms)

    def _constants(self, read: _Read, scope: Mapping[str, object]) -> Iterator[str]:
        """The constants that a piece of code reads; the functions and classes it reads are added."""
        for path in read.names:
            value = scope.get(path[0])
            if isinstance(value, ModuleType):
                is_our_own = len(path) > 1 and value.__name__.startswith(f"{_PACKAGE}.")
                value = getattr(value, path[1], None) if is_our_own else None
            if value is None or id(value) in self._beyond:
                continue
            if isinstance(value, FunctionType | type) or hasattr(value, "__wrapped__"):
                self.add(getattr(value, "__wrapped__", value))
            else:
                yield f"{'.'.join(path)}={self.constant(value)}"

    def constant(self, value: object) -> str:
        """The text of a value; functions and classes in it are written too."""
        if id(value) in self._beyond:
            return "…"
        if value is None or isinstance(value, bool | int | float | str | bytes | date | pl.DataType):
            return repr(value)
        if isinstance(value, pl.Expr):
            return expression_text(value)
        if isinstance(value, Mapping):
            pairs = ", ".join(f"{self.constant(key)}: {self.constant(one)}" for key, one in value.items())
            return f"{{{pairs}}}"
        if isinstance(value, set | frozenset):
            return f"{{{', '.join(sorted(self.constant(one) for one in value))}}}"
        if isinstance(value, tuple | list):
            return f"({', '.join(self.constant(one) for one in value)})"
        if isinstance(value, FunctionType | type):
            return self.add(value)
        if is_dataclass(value):
            # A field that is not compared is words for a reader.
            told = (f"{one.name}={self.constant(getattr(value, one.name))}" for one in fields(value) if one.compare)
            return f"{self.add(type(value))}({', '.join(told)})"
        # Types and other marks of the language decide no value.
        return type(value).__name__


def expression_text(expression: pl.Expr) -> str:
    """An expression as text, with whole lists and not their first and last labels."""
    with pl.Config(fmt_table_cell_list_len=-1, fmt_str_lengths=1_000_000):
        return str(expression)


def _name_of(found: object) -> str:
    name = f"{getattr(found, '__module__', '')}.{getattr(found, '__qualname__', type(found).__qualname__)}"
    # Functions without a name of their own are told apart by their text.
    return f"{name} {_function(found.__code__).text}" if isinstance(found, FunctionType) and "<" in name else name


def _closed_over(function: FunctionType) -> dict[str, object]:
    cells = function.__closure__ or ()
    return {name: cell.cell_contents for name, cell in zip(function.__code__.co_freevars, cells, strict=True)}


@cache
def _function(code: CodeType) -> _Read:
    """A function's code; of several lambdas on one line, all of them."""
    nodes = [node for node in _functions_in(code.co_filename) if _starts(node, code)]
    if nodes:
        return _read(nodes)
    # Without its source (typed at a prompt) the compiled code says the same, if not in the same words.
    return _Read(f"{code.co_code.hex()} {code.co_consts!r}", tuple((name,) for name in code.co_names))


def _starts(node: ast.AST, code: CodeType) -> bool:
    if isinstance(node, ast.Lambda):
        return code.co_name == "<lambda>" and node.lineno == code.co_firstlineno
    if not isinstance(node, ast.FunctionDef):
        return False
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return node.name == code.co_name and first == code.co_firstlineno


@cache
def _class(found: type) -> _Read:
    tree = _tree(inspect.getsourcefile(found) or "")
    wanted = found.__qualname__.split(".")[-1]
    return _read([node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == wanted])


@cache
def _functions_in(file: str) -> tuple[ast.AST, ...]:
    return tuple(node for node in ast.walk(_tree(file)) if isinstance(node, ast.Lambda | ast.FunctionDef))


@cache
def _tree(file: str) -> ast.Module:
    return ast.parse("".join(linecache.getlines(file)))


def _read(nodes: Sequence[ast.AST]) -> _Read:
    names = sorted({path for node in nodes for path in _paths(node)})
    return _Read("; ".join(_dump(node) for node in nodes), tuple(names))


def _paths(tree: ast.AST) -> Iterator[tuple[str, ...]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield (node.id,)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield (node.value.id, node.attr)


def _dump(node: object) -> str:
    if isinstance(node, list):
        return f"[{', '.join(_dump(one) for one in node)}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    parts = {name: value for name, value in ast.iter_fields(node) if name not in _SILENT}
    if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node, clean=False) is not None:
        parts["body"] = node.body[1:]
    told = ", ".join(f"{name}={_dump(value)}" for name, value in parts.items() if value is not None and value != [])
    return f"{type(node).__name__}({told})"
