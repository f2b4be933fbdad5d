"""Write the reference pages: one for each room, from the names it makes public.

Nothing is listed by hand. A page is made of what the room's ``__all__`` names, so a
new public function is in the reference, and a link to it works, as soon as it is
public. Links to other libraries need the lists of names that these publish
(``objects.inv``): they are fetched when the site is built. Where the network is out
of reach the same references appear as plain text, and the build passes all the same.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from types import ModuleType

import nbformat
import requests
from numpydoc.xref import DEFAULT_LINKS
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.ext import autosummary

import deepsif_lite

# Names of ``deepsif_lite`` itself -> where they live.
HOMES = {
    f"deepsif_lite.{name}": f"deepsif_lite.{room}.{name}"
    for name, room in deepsif_lite._HOME.items()
}
# Where other libraries publish their documentation and, beside it, objects.inv.
OTHERS = {
    "matplotlib": "https://matplotlib.org/stable/",
    "mne": "https://mne.tools/stable/",
    "nilearn": "https://nilearn.github.io/stable/",
    "numpy": "https://numpy.org/doc/stable/",
    "pandas": "https://pandas.pydata.org/docs/",
    "python": "https://docs.python.org/3/",
    "scipy": "https://docs.scipy.org/doc/scipy/",
    "torch": "https://docs.pytorch.org/docs/stable/",
}
# Types of other libraries that docstrings name.
FOREIGN_TYPES = (
    "mne.Epochs",
    "mne.Evoked",
    "mne.Info",
    "mne.io.Raw",
    "numpy.random.Generator",
    "pandas.DataFrame",
    "torch.device",
    "torch.nn.Module",
)
LONGEST_VALUE = 70  # characters of a constant that are shown beside its name
LONGEST_DEFAULT = 60  # characters of a default; longer ones are shown by their name
LONGEST_NUMBER = 8  # of one that is a number: not 0.1111111111111111
MOST_USED = 4  # names of a room to start with, where the top level has none
TIMEOUT = 5  # seconds to wait for a server before going on without its links


def public_modules() -> list[str]:
    """Return the rooms in their order, then the public files at the package root."""
    return [*deepsif_lite._ROOMS, *deepsif_lite._FILES]


def public_names(name: str) -> dict[str, object]:
    """Return the public names of a room (or file) and what they are."""
    module = import_module(f"deepsif_lite.{name}")
    return {each: getattr(module, each) for each in sorted(module.__all__)}


def constant_notes(module: ModuleType) -> dict[str, str]:
    """Return what the comment or string at each constant of a room (or file) says."""
    source = Path(module.__file__)
    is_room = hasattr(module, "__path__")
    notes: dict[str, str] = {}
    for path in sorted(source.parent.glob("*.py")) if is_room else [source]:
        lines = path.read_text().splitlines()
        body = ast.parse(path.read_text()).body
        for node, after in zip(body, [*body[1:], None], strict=True):
            if isinstance(node, ast.Assign | ast.AnnAssign):
                note = _comment(lines, node) or _text(after)
                first = node.targets[0] if isinstance(node, ast.Assign) else node.target
                notes.setdefault(ast.unparse(first), note)
    return notes


def _comment(lines: list[str], node: ast.stmt) -> str:
    """Return the comment in the lines above a statement, or behind it."""
    start = node.lineno - 1
    while start > 0 and lines[start - 1].startswith("#"):
        start -= 1
    said = [line.lstrip("#: ") for line in lines[start : node.lineno - 1]]
    behind = lines[node.end_lineno - 1][node.end_col_offset :]
    said.append(behind.partition("#")[2].strip())
    return " ".join(said).strip()


def _text(node: ast.stmt | None) -> str:
    """Return the string that a statement consists of, if it is one."""
    match node:
        case ast.Expr(value=ast.Constant(value=str(text))):
            return " ".join(text.split())
    return ""


def uses(code: str) -> set[tuple[str, str]]:
    """Return the public names, each with its room, that a program mentions."""
    tree = ast.parse(code)
    meaning = {}  # names of this program -> dotted path
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            meaning |= {each.asname or each.name: each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            meaning |= {
                each.asname or each.name: f"{node.module}.{each.name}"
                for each in node.names
            }
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            first, dot, rest = ast.unparse(node).partition(".")
            path = f"{meaning.get(first, first)}{dot}{rest}"
            path = HOMES.get(path, path)
            # A name of a room, reached through the room or through one of its files.
            if match := re.fullmatch(r"deepsif_lite\.(\w+)(?:\.\w+)?\.(\w+)", path):
                found.add(match.groups())
    return {(room, name) for room, name in found if _is_public(room, name)}


def _is_public(room: str, name: str) -> bool:
    return room in public_modules() and name in public_names(room)


def used_in(notebooks: Iterable[Path]) -> dict[tuple[str, str], list[str]]:
    """Return the chapters that use each public name, by room and name."""
    chapters: dict[tuple[str, str], list[str]] = {}
    for path in sorted(notebooks):
        cells = nbformat.read(path, as_version=4).cells
        code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
        for name in uses(code):
            chapters.setdefault(name, []).append(path.stem)
    return chapters


def _heading(title: str, line: str) -> str:
    return f"{title}\n{line * len(title)}\n"


def _front_door(name: str, room: str) -> str:
    """Let ``deepsif_lite.name`` lead to the entry of the room's name."""
    if deepsif_lite._HOME.get(name) != room:
        return ""
    kind = "class" if inspect.isclass(getattr(deepsif_lite, name)) else "function"
    return (
        f".. py:{kind}:: {name}\n   :module: deepsif_lite\n"
        "   :no-typesetting:\n   :no-index-entry:\n   :no-contents-entry:\n"
    )


def _entry(name: str, value: object, room: str, text: str) -> str:
    """Return the directive that documents one public name, and what it adds."""
    if inspect.isclass(value):
        head = f"{_front_door(name, room)}\n.. autoclass:: {name}\n   :members:\n"
        if fields := getattr(value, "_fields", ()):  # of a named tuple: no text
            head += f"   :exclude-members: {', '.join(fields)}\n"
    elif callable(value):
        head = f"{_front_door(name, room)}\n.. autofunction:: {name}\n"
    else:
        shown = repr(value)
        short = f"   :value: {shown}\n" if len(shown) < LONGEST_VALUE else ""
        head = f".. py:data:: {name}\n{short}"
    return f"{head}\n   {text}\n"


def page(name: str, chapters: dict[tuple[str, str], list[str]]) -> str:
    """Return the reference page of a room, or of a file at the root, as reST.

    Parameters
    ----------
    name : str
        Of the room.
    chapters : dict
        What :func:`used_in` returns.
    """
    full = f"deepsif_lite.{name}"
    module = import_module(full)
    values = public_names(name)
    groups: dict[str, list[str]] = {"Classes": [], "Functions": [], "Constants": []}
    for each, value in values.items():
        groups[kind(value)].append(each)
    summary = groups["Classes"] + groups["Functions"]
    parts = [
        _heading(name, "="),
        f".. automodule:: {full}\n\n.. currentmodule:: {full}\n",
        _first_names(name, chapters),
        ".. autosummary::\n   :nosignatures:\n",
        "".join(f"   {each}\n" for each in summary),
    ]
    notes = constant_notes(module)
    for title, members in groups.items():
        if members:
            parts.append(_heading(title, "-"))
        for each in members:
            text = notes[each] if title == "Constants" else ""
            text += _links(chapters.get((name, each), []))
            parts.append(_entry(each, values[each], name, text))
    return "\n".join(parts)


def _first_names(room: str, chapters: dict[tuple[str, str], list[str]]) -> str:
    """Return a room's names to start with: of the top level, or used in most chapters."""
    if room not in deepsif_lite._ROOMS:
        return ""
    names = [name for name, home in deepsif_lite._HOME.items() if home == room]
    if not names:
        used = {name: each for (home, name), each in chapters.items() if home == room}
        used = {name: used[name] for name in used if not name.isupper()}  # no constants
        names = sorted(used, key=lambda name: (-len(used[name]), name))[:MOST_USED]
    links = ", ".join(f":py:obj:`~deepsif_lite.{room}.{name}`" for name in names)
    return f"Start with {links}.\n" if links else ""


def kind(value: object) -> str:
    """Return the heading under which a public name stands."""
    if inspect.isclass(value):
        return "Classes"
    return "Functions" if callable(value) else "Constants"


def _links(chapters: list[str]) -> str:
    """Return the line that leads to the chapters that use a name."""
    if not chapters:
        return ""
    links = ", ".join(
        f":doc:`chapter {each.split('_')[0].lstrip('0')} </notebooks/{each}>`"
        for each in chapters
    )
    return f"\n\n   *Used in* {links}.\n"


def front_table() -> str:
    """Return the names of ``deepsif_lite`` itself as a Markdown table, by room."""
    lines = [
        "| module | what it is for | names of `deepsif_lite` |",
        "| :-- | :-- | :-- |",
    ]
    for room in public_modules():
        names = [name for name, home in deepsif_lite._HOME.items() if home == room]
        links = ", ".join(f"{{py:obj}}`~deepsif_lite.{name}`" for name in names)
        purpose = import_module(f"deepsif_lite.{room}").__doc__.splitlines()[0]
        lines.append(f"| {{doc}}`{room} <api/{room}>` | {purpose} | {links or '–'} |")
    return "\n".join(lines) + "\n"


def write_pages(site: Path) -> None:
    """Write the reference pages into the sources that the site is built of."""
    book = site / "book"
    chapters = used_in((site / "notebooks").glob("*.ipynb"))
    (book / "api").mkdir(exist_ok=True)
    for name in public_modules():
        (book / "api" / f"{name}.rst").write_text(page(name, chapters))
    (book / "_generated" / "api.md").write_text(front_table())


def reachable(libraries: Iterable[str], folder: Path) -> dict[str, list]:
    """Fetch the lists of names of other libraries; return those that could be had.

    Parameters
    ----------
    libraries : iterable of str
        Keys of ``OTHERS``.
    folder : Path
        Keeps what has been fetched.

    Returns
    -------
    mapping : dict of str to list
        Address and local file of each, as ``intersphinx_mapping`` wants it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mapping = {}
    for library in libraries:
        path = folder / f"{library}.inv"
        if not path.is_file():
            try:
                answer = requests.get(f"{OTHERS[library]}objects.inv", timeout=TIMEOUT)
                answer.raise_for_status()
            except requests.RequestException:
                continue
            if not answer.content.startswith(b"# Sphinx inventory"):
                continue  # a page of a proxy or a gate
            path.write_bytes(answer.content)
        mapping[library] = [OTHERS[library], str(path)]
    return mapping


def settings(folder: Path) -> dict[str, object]:
    """Return the settings of Sphinx for the links to other libraries.

    References into a library whose names are not at hand are not checked.
    """
    mapping = reachable(OTHERS, folder)
    absent = [name for name in OTHERS if name not in mapping]
    unchecked = [["py:.*", rf"{re.escape(name)}\..*"] for name in absent]
    return {"intersphinx_mapping": mapping, "nitpick_ignore_regex": unchecked}


def setup(app: Sphinx) -> None:
    """Set how docstrings are read (called by Sphinx)."""
    app.connect("config-inited", _link_types, priority=0)
    app.connect("autodoc-before-process-signature", _name_long_defaults)
    autosummary.WELL_KNOWN_ABBREVIATIONS += ("Fig.", "Figs.")  # no end of a sentence


class _Name(str):
    """A default that is shown by its name."""

    def __repr__(self) -> str:
        return str(self)


def _name_long_defaults(app: Sphinx, function: object, bound: bool) -> None:
    """Show a default that is long, or a function, by the name it has in its file."""
    if not inspect.isfunction(function):
        return
    signature = inspect.signature(function)
    parameters = [
        each.replace(default=_Name(name))
        if (name := _name_of(each, function.__globals__))
        else each
        for each in signature.parameters.values()
    ]
    function.__signature__ = signature.replace(parameters=parameters)


def _name_of(parameter: inspect.Parameter, names: dict[str, object]) -> str:
    """Return the name of a default where that says more than its value."""
    value = parameter.default
    if inspect.isfunction(value):
        return value.__name__
    longest = LONGEST_NUMBER if isinstance(value, float) else LONGEST_DEFAULT
    is_long = len(repr(value)) > longest
    if value is parameter.empty or not is_long:
        return ""
    found = next((name for name, each in names.items() if each is value), "")
    return found or (f"{value:.3g}" if isinstance(value, float) else "")


def _link_types(app: Sphinx, config: Config) -> None:
    config.numpydoc_xref_param_type = True
    config.numpydoc_xref_aliases = type_links()
    config.numpydoc_xref_ignore = "all"  # of the other words of a type


def type_links() -> dict[str, str]:
    """Return where the types that docstrings name lead, in our library and others."""
    ours = {
        name: f"deepsif_lite.{module}.{name}"
        for module in public_modules()
        for name, value in public_names(module).items()
        if inspect.isclass(value)
    }
    others = {name: f":class:`{name}`" for name in FOREIGN_TYPES}
    builtin = {name: name for name in DEFAULT_LINKS}  # int, str, ...: plain text
    return builtin | ours | others
