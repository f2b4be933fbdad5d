"""The build of the library: rooms in their order, small modules, a light import."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import deepsif_lite

PACKAGE = Path(deepsif_lite.__file__).parent
ROOMS = deepsif_lite._ROOMS
MODULES = sorted(PACKAGE.rglob("*.py"))
ABOVE = "cli"  # the command line stands above all rooms
HEAVY = ("matplotlib", "mne", "nilearn", "numba", "numpy", "scipy", "torch", "tvb")
MOST_ROOT_FILES = 10
MOST_LINES = 400
MOST_BODY_LINES = 40
LONGEST_IMPORT = 0.3  # s

each_module = pytest.mark.parametrize(
    "path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE))
)
each_room = pytest.mark.parametrize("room", ROOMS)


def _name(path):
    """Return the dotted name of a module; of a package where it is its __init__."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {_name(path): path for path in MODULES}


def _target(path, node):
    """Return the dotted module that a ``from ... import`` statement names."""
    if node.level == 0:
        return node.module
    package = path.relative_to(PACKAGE.parent).parent.parts
    package = package[: len(package) - node.level + 1]
    return ".".join([*package, *([node.module] if node.module else [])])


def _imports(path, top=False):
    """Return the modules of ours that a file imports (``top``: when it is loaded)."""
    found = set()
    stack = list(ast.parse(path.read_text()).body)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = _target(path, node)
            # `from .. import mesh` names a module, `from ..mesh import x` does not.
            found |= {
                full if (full := f"{module}.{each.name}") in NAMES else module
                for each in node.names
            }
        elif top and (_is_function(node) or _only_for_types(node)):
            continue
        stack += ast.iter_child_nodes(node)
    return {name for name in found if name in NAMES}


def _is_function(node):
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def _only_for_types(node):
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def _room(name):
    """Return the room of a module, None for the files at the root."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in ROOMS else None


def test_every_package_is_a_room():
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert packages - {ABOVE} == set(ROOMS)


@each_module
def test_a_room_imports_only_rooms_before_it(path):
    room, parts = _room(_name(path)), _name(path).split(".")
    if len(parts) == 1 or parts[1] == ABOVE:
        return  # the front door shows all rooms
    allowed = ROOMS[: ROOMS.index(room) + 1] if room else ()
    late = [name for name in _imports(path) if _room(name) not in (None, *allowed)]
    assert late == [], f"{_name(path)} imports {late}"


def test_no_module_imports_itself_in_a_circle():
    graph = {name: _imports(path, top=True) - {name} for name, path in NAMES.items()}
    while leaves := [name for name, needs in graph.items() if not needs & set(graph)]:
        for name in leaves:
            del graph[name]
    assert graph == {}


def test_few_files_at_the_root():
    files = [path.name for path in PACKAGE.glob("*.py") if path.stem != "__init__"]
    assert len(files) <= MOST_ROOT_FILES, files


@each_module
def test_modules_are_short(path):
    assert len(path.read_text().splitlines()) <= MOST_LINES


def _body_lines(function):
    """Return how many lines a function has below its signature and docstring."""
    first, *rest = function.body
    if ast.get_docstring(function) is not None:
        if not rest:
            return 0
        first = rest[0]
    return function.end_lineno - first.lineno + 1


@each_module
def test_functions_are_short(path):
    functions = filter(_is_function, ast.walk(ast.parse(path.read_text())))
    lengths = {f"{each.name}:{each.lineno}": _body_lines(each) for each in functions}
    long = {name: n for name, n in lengths.items() if n > MOST_BODY_LINES}
    assert long == {}


@each_room
def test_no_public_name_hides_a_module(room):
    """Importing the module would put it where the name is."""
    modules = {path.stem for path in (PACKAGE / room).glob("*.py")}
    assert modules.isdisjoint(import_module(f"deepsif_lite.{room}").__all__)


@pytest.mark.parametrize("name", deepsif_lite._HOME)
def test_the_front_door_shows_public_names_of_rooms(name):
    home = import_module(f"deepsif_lite.{deepsif_lite._HOME[name]}")
    assert name in home.__all__
    assert getattr(deepsif_lite, name) is getattr(home, name)


def _import_in_new_process():
    """Return the seconds that the import takes, and the heavy packages it loads."""
    code = (
        "import sys; from time import perf_counter; start = perf_counter()\n"
        "import deepsif_lite\n"
        f"print(perf_counter() - start, *[m for m in {HEAVY} if m in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    text = subprocess.check_output(command, text=True, cwd=PACKAGE.parent)
    seconds, *loaded = text.split()
    return float(seconds), loaded


def test_the_import_is_light():
    runs = [_import_in_new_process() for _ in range(3)]
    assert runs[0][1] == []
    assert min(seconds for seconds, _ in runs) < LONGEST_IMPORT
