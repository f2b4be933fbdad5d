"""Docstrings say what signatures say: the same parameters, and which may be None."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from textwrap import dedent

import pytest
from numpydoc.docscrape import NumpyDocString

import deepsif_lite

ROOT = Path(deepsif_lite.__file__).parents[1]
MODULES = sorted(
    path
    for folder in ("deepsif_lite", "benchmarks", "book")
    for path in (ROOT / folder).rglob("*.py")
)
DOCUMENTED = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

each_module = pytest.mark.parametrize(
    "path", MODULES, ids=lambda path: str(path.relative_to(ROOT))
)


def _admits_none(annotation, default=None):
    """Return whether a parameter may be None: itself, not what is in it.

    An object may be anything, so nothing is said of it.
    """
    if isinstance(annotation, ast.Name) and annotation.id == "object":
        return None
    if isinstance(annotation, ast.BinOp):
        return _admits_none(annotation.left) or _admits_none(annotation.right)
    return any(
        isinstance(each, ast.Constant) and each.value is None
        for each in (annotation, default)
    )


def _of_function(function):
    """Return the parameters of a function, in order: name -> whether it may be None."""
    given = function.args
    places = [*given.posonlyargs, *given.args]
    defaults = [None] * (len(places) - len(given.defaults)) + given.defaults
    pairs = [*zip(places, defaults, strict=True)]
    if given.vararg:
        pairs.append((given.vararg, None))
    pairs += zip(given.kwonlyargs, given.kw_defaults, strict=True)
    if given.kwarg:
        pairs.append((given.kwarg, None))
    return {each.arg: _admits_none(each.annotation, default) for each, default in pairs}


def _signature(node):
    """Return the parameters of a function; of a class, those that it is made with."""
    if not isinstance(node, ast.ClassDef):
        return _of_function(node)
    for each in node.body:
        if isinstance(each, ast.FunctionDef) and each.name == "__init__":
            return _of_function(each)
    return {
        each.target.id: _admits_none(each.annotation)
        for each in node.body
        if isinstance(each, ast.AnnAssign)
    }


def _documented(path):
    """Yield what a module documents: its name, signature and sections."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, DOCUMENTED) and (text := ast.get_docstring(node)):
            yield node.name, _signature(node), NumpyDocString(dedent(text))


def _entries(sections, *names):
    """Yield the name and type of each documented parameter."""
    for section in names:
        for entry in sections[section]:
            for name in entry.name.split(", "):
                yield name.lstrip("*"), entry.type


@each_module
def test_parameters_are_those_of_the_signature(path):
    for name, signature, sections in _documented(path):
        listed = [each for each, _ in _entries(sections, "Parameters")]
        assert listed == [each for each in signature if each in listed], name


@each_module
def test_types_say_what_may_be_none(path):
    """So the type alone says it, in one spelling, as annotations have it."""
    for name, signature, sections in _documented(path):
        for each, kind in _entries(sections, "Parameters", "Attributes"):
            assert "optional" not in kind, f"{name}, {each}: write '| None'"
            assert " or None" not in kind, f"{name}, {each}: write '| None'"
            if kind and signature.get(each) is not None:
                itself = re.sub(r"\(.*?\)", "", kind)
                assert ("None" in itself) == signature[each], f"{name}, {each}"
