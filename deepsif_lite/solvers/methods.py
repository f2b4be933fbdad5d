"""Classical inverse solvers at the level of regions, all with one signature.

``solve(eeg, head, *, noise_cov=None, **options)`` takes EEG (n_times, n_channels)
and a head model whose channels are in the same order, and returns activity
(n_times, n_regions). Orientation is fixed: a region is one source.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

SOLVERS = ("sloreta", "lcmv")


def get_solver(name: str) -> Callable:
    """Return the ``solve`` function of a solver.

    Parameters
    ----------
    name : str
        One of :data:`SOLVERS`.

    Raises
    ------
    ValueError
        The solver is unknown.
    """
    if name not in SOLVERS:
        msg = f"Unknown solver {name!r}; choose one of {SOLVERS}."
        raise ValueError(msg)
    return import_module(f"{__package__}.{name}").solve
