"""Load public names on first use, and optional packages with a helpful error.

The package ``lazy_loader`` does the first for MNE and scikit-image; it is not used
here because training must run on a machine that has NumPy, SciPy, torch and
safetensors alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from types import ModuleType


def attach(
    package: str, names_of: Mapping[str, Sequence[str]]
) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """Make the public names of a package load the module that holds them.

    Parameters
    ----------
    package : str
        Its ``__name__``.
    names_of : mapping of str to sequence of str
        Public names of each of its modules.

    Returns
    -------
    getattr, dir : callable
        For ``__getattr__`` and ``__dir__`` of the package.
    all : list of str
        For its ``__all__``.
    """
    home = {name: module for module, names in names_of.items() for name in names}

    def load(name: str) -> object:
        if name not in home:
            msg = f"module {package!r} has no attribute {name!r}"
            raise AttributeError(msg)
        return getattr(import_module(f"{package}.{home[name]}"), name)

    public = sorted(home)
    return load, lambda: public, public


def import_optional(module: str, extra: str, purpose: str) -> ModuleType:
    """Import a package that is not needed by all, or say how to install it.

    Parameters
    ----------
    module : str
        For example ``"openmeeg"``.
    extra : str
        The extra of this package that brings it, ``pip install deepsif-lite[extra]``.
    purpose : str
        What it is needed for, the subject of a sentence.

    Raises
    ------
    ImportError
        It is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        name = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != name:
            raise
        msg = f"{purpose} needs {name}: pip install 'deepsif-lite[{extra}]'."
        raise ImportError(msg) from error
