"""Every file is written in one room: no other module opens, makes, renames or removes anything on a disk."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.evidence import counted

import ageingwell

SOURCE = Path(ageingwell.__file__).parent
ROOM = "disk.py"
# Modules that may do one thing more, and why.
ALSO = {
    "decisions/ledger.py": {"sqlite3.connect"},  # the ledger is a database, which writes its own file
    "decisions/forgetting.py": {"sqlite3.connect"},  # the same database, made in memory and settled before it goes
    "keeping/searching.py": {"sqlite3.connect"},  # a database in memory, to look into the bytes of one
    "sources/databases.py": {"sqlite3.connect"},  # an agency's database, opened to be read only
    "publish/lock.py": {"os.write", "os.ftruncate"},  # who holds the lock, through the descriptor that the room gave
    "cli/streams.py": {"open('w')", "os.open(O_WRONLY)"},  # the null device, for output that nobody reads
    "room.py": {"tempfile.gettempdir"},  # it asks where the temporary folder is, and makes nothing
}

_METHODS = {
    "write_text", "write_bytes", "touch", "mkdir", "unlink", "rmdir", "rename", "chmod", "lchmod", "symlink_to",
    "hardlink_to", "link_to", "tofile", "extractall", "sink_parquet", "sink_csv", "sink_ipc", "sink_ndjson",
    "write_excel", "write_database", "write_delta",
}  # fmt: skip
_OF_OS = {
    "remove", "unlink", "rmdir", "removedirs", "rename", "renames", "replace", "mkdir", "makedirs", "mkfifo", "mknod",
    "symlink", "link", "chmod", "fchmod", "chown", "truncate", "ftruncate", "utime", "write", "pwrite",
}  # fmt: skip
# These write to a stream in memory too: only a path as their first argument is a file.
_TO_A_PLACE = {"write_parquet", "write_csv", "write_ipc", "write_json", "write_ndjson", "savez", "savefig", "to_csv"}


def test_no_module_but_the_room_writes_to_a_disk() -> None:
    modules = sorted(SOURCE.rglob("*.py"))
    found = [
        f"{name}:{line}: {what}"
        for path in modules
        if (name := path.relative_to(SOURCE).as_posix()) != ROOM
        for line, what in writes_in(path.read_text(encoding="utf-8"))
        if what not in ALSO.get(name, set())
    ]
    counted("R1.one_room", len(modules), len(found), note="modules of the source read for what writes to a disk")
    assert found == []


def test_what_a_module_may_do_it_does() -> None:
    """An exception that nobody needs any more is taken out."""
    for name, allowed in ALSO.items():
        assert {what for _, what in writes_in((SOURCE / name).read_text(encoding="utf-8"))} == allowed


def writes_in(source: str) -> Iterator[tuple[int, str]]:
    """Where a module writes to a disk, or may, by line: what it calls."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            yield from ((node.lineno, f"import {name}") for name in names if name.split(".")[0] == "shutil")
            if isinstance(node, ast.ImportFrom) and node.module in ("tempfile", "os"):
                yield node.lineno, f"from {node.module} import"
        if isinstance(node, ast.Call) and (what := _written_by(node)):
            yield node.lineno, what


def _written_by(call: ast.Call) -> str | None:
    name, of = _called(call.func)
    if of in ("DISK", "disk", "self"):
        return None
    if of == "os":
        if name == "open" and (flags := _writing_flags(call)):
            return f"os.open({flags})"
        if name == "fdopen" and set(_mode(call, at=1)) & set("wax+"):
            return "os.fdopen"
        return f"os.{name}" if name in _OF_OS else None
    if of == "tempfile" or (of, name) == ("sqlite3", "connect"):
        return f"{of}.{name}"
    if name == "open":
        mode = _mode(call, at=0 if of else 1)
        return f"open('{mode}')" if set(mode) & set("wax+") else None
    if name == "replace" and len(call.args) == 1 and not call.keywords and _is_path_like(call):
        return ".replace"
    if name in _TO_A_PLACE and call.args and not _is_stream(call.args[0]):
        return f".{name}"
    # `DataFrame.rename` takes a mapping or a function; `Path.rename` one path.
    if name == "rename" and not _is_path_like(call):
        return None
    return f".{name}" if name in _METHODS and of is not None else None


def _called(func: ast.expr) -> tuple[str, str | None]:
    if isinstance(func, ast.Attribute):
        return func.attr, func.value.id if isinstance(func.value, ast.Name) else "…"
    return (func.id, None) if isinstance(func, ast.Name) else ("", None)


def _mode(call: ast.Call, *, at: int) -> str:
    given = [word.value for word in call.keywords if word.arg == "mode"] or call.args[at : at + 1]
    return str(given[0].value) if given and isinstance(given[0], ast.Constant) else ""


def _writing_flags(call: ast.Call) -> str:
    named = {node.attr for node in ast.walk(call) if isinstance(node, ast.Attribute)}
    return "|".join(sorted(named & {"O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND"}))


def _is_path_like(call: ast.Call) -> bool:
    """Whether the one argument may be a path: a name, an attribute or `folder / name`, and no text, mapping or call."""
    given = call.args[0] if call.args else None
    named = isinstance(given, ast.Name | ast.Attribute | ast.BinOp)
    words = ast.unparse(given) if given is not None else ""
    return named and bool(
        {"path", "folder", "place", "target", "out", "file", "spare"} & {*re.findall("[a-z]+", words)}
    )


def _is_stream(given: ast.expr) -> bool:
    return isinstance(given, ast.Name) and given.id in ("buffer", "content", "stream", "file", "written", "packed")


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("Path('a').write_text('x')", ".write_text"),
        ("(folder / 'a').write_bytes(b'')", ".write_bytes"),
        ("path.open('w')", "open('w')"),
        ("open(path, mode='ab')", "open('ab')"),
        ("path.open('r+b')", "open('r+b')"),
        ("os.open(path, os.O_RDWR | os.O_CREAT, 0o600)", "os.open(O_CREAT|O_RDWR)"),
        ("path.mkdir(parents=True)", ".mkdir"),
        ("made.unlink()", ".unlink"),
        ("made.rename(path)", ".rename"),
        ("made.replace(path)", ".replace"),
        ("os.replace(made, path)", "os.replace"),
        ("import shutil", "import shutil"),
        ("from tempfile import mkdtemp", "from tempfile import"),
        ("tempfile.TemporaryDirectory()", "tempfile.TemporaryDirectory"),
        ("frame.write_parquet(folder / 'a.parquet')", ".write_parquet"),
        ("frame.write_csv(path)", ".write_csv"),
        ("frame.sink_parquet(path)", ".sink_parquet"),
        ("sqlite3.connect(path)", "sqlite3.connect"),
        ("archive.extractall(path)", ".extractall"),
        ("numbers.tofile(path)", ".tofile"),
        ("path.chmod(0o600)", ".chmod"),
    ],
)
def test_the_reader_of_the_source_finds(line: str, what: str) -> None:
    assert [found for _, found in writes_in(line)] == [what]


@pytest.mark.parametrize(
    "line",
    [
        "path.open('rb')",
        "path.open(encoding='utf-8')",
        "os.open(path, os.O_RDONLY)",
        "text.replace('a', 'b')",
        "frame.rename({'a': 'b'})",
        "frame.write_csv()",
        "frame.write_parquet(buffer)",
        "DISK.write_frame(path, frame)",
        "disk.replace(spare, path)",
    ],
)
def test_the_reader_of_the_source_lets_pass(line: str) -> None:
    assert list(writes_in(line)) == []
