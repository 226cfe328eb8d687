"""python.md: what `import ageingwell as aw` gives, each with its signature and its own words."""

import inspect
import re
from collections.abc import Callable
from typing import Any

import ageingwell
from tools.reference.markdown import docstring, table


def python() -> str:
    """One section a name, in the order of the alphabet."""
    return "\n\n".join(_section(name, getattr(ageingwell, name)) for name in sorted(ageingwell.__all__, key=str.lower))


def _section(name: str, thing: Any) -> str:
    if inspect.ismodule(thing):
        return "\n\n".join([f"## aw.{name}", docstring(thing), _window(thing)])
    parts = [f"## aw.{name}", _signature(f"aw.{name}", thing), docstring(thing)]
    if inspect.isclass(thing) and not issubclass(thing, Exception):
        parts += [_method(method, value) for method, value in vars(thing).items() if not method.startswith("_")]
    return "\n\n".join(part for part in parts if part)


def _window(module: Any) -> str:
    """What a module shows, a line each: the first sentence of its own words."""
    shown = ((f"`{name}`", docstring(getattr(module, name)).split("\n")[0]) for name in module.__all__)
    return table(("name", "what it is"), shown)


def _method(name: str, value: Any) -> str:
    function = value.__func__ if isinstance(value, staticmethod | classmethod) else value
    if not inspect.isfunction(function):
        return ""
    return "\n\n".join([f"### .{name}", _signature(f".{name}", function), docstring(function)])


def _signature(name: str, thing: Callable[..., Any]) -> str:
    """The call as one would write it, one parameter a line where there are many."""
    if inspect.isclass(thing) and issubclass(thing, Exception):
        return ""
    signature = inspect.signature(thing)
    told = [_short(str(parameter)) for parameter in signature.parameters.values() if parameter.name != "self"]
    keyword_only = [p.kind is p.KEYWORD_ONLY for p in signature.parameters.values() if p.name != "self"]
    if any(keyword_only):
        told.insert(keyword_only.index(True), "*")
    returns = "" if inspect.isclass(thing) else " -> " + _short(inspect.formatannotation(signature.return_annotation))
    call = f"{name}({', '.join(told)}){returns}"
    if len(call) > 100:
        call = f"{name}(\n    " + ",\n    ".join(told) + f",\n){returns}"
    return f"```python\n{call}\n```"


def _short(annotation: str) -> str:
    """Types by their own names, without the modules they come from."""
    # A default that is an object is told by where it lies in memory, which is another place every time.
    annotation = re.sub(r"<(\S+) object at 0x[0-9a-f]+>", r"\1()", annotation)
    short = re.sub(r"(?:[a-z_]\w*\.)+(?=[A-Za-z_])", "", annotation)
    return re.sub(r"ndarray\[tuple\[Any, \.\.\.\], dtype\[(\w+)\]\]", r"NDArray[\1]", short)
