"""The methods that image EEG, in one table; a new one is a line here and a file.

``solve(eeg, head, *, noise_cov=None, **options)`` takes EEG (n_times, n_channels)
and a head model whose channels are in the same order, and returns activity
(n_times, n_regions). Orientation is fixed: a region is one source.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..errors import check_option
from . import champagne, cmem, fast_ires, lcmv, minimum_norm, sloreta


@dataclass(frozen=True)
class Method:
    """A way to image EEG.

    Attributes
    ----------
    name : str
        As in ``deepsif_lite.image(evoked, name)``.
    label : str
        As printed.
    unit : str
        What a value of its image means.
    color : str
        Its color in every figure. All can be told apart by the color-blind, and are
        dark enough for lines and words on white (contrast 3:1 and more, WCAG 2.2).
    solve : callable | None
        The solver, from EEG and head model to activity. None for a trained network,
        which brings its head model: see :class:`deepsif_lite.Imager`.
    """

    name: str
    label: str
    unit: str
    color: str
    solve: Callable | None = None


METHODS = {
    method.name: method
    for method in (
        Method("deepsif", "DeepSIF", "no unit", "#D55E00"),
        Method("sloreta", "sLORETA", "no unit", "#0072B2", sloreta.solve),
        Method("lcmv", "LCMV", "multiples of the noise", "#009E73", lcmv.solve),
        Method("cmem", "cMEM", "A m", "#664F19", cmem.solve),
        Method("fast-ires", "FAST-IRES", "A m", "#CF6EA1", fast_ires.solve),
        Method("champagne", "Champagne", "A m", "#910863", champagne.solve),
        Method("mne", "minimum norm", "A m", "#2592F4", minimum_norm.solve_mne),
        Method("dspm", "dSPM", "no unit", "#172982", minimum_norm.solve_dspm),
    )
}
"""All methods by name, in the order of tables and figures."""

_SOLVE = {name: method.solve for name, method in METHODS.items() if method.solve}
SOLVERS = tuple(_SOLVE)
"""Names of those that need no network."""


def get_solver(name: str) -> Callable:
    """Return the ``solve`` function of a solver.

    Parameters
    ----------
    name : str
        One of :data:`SOLVERS`.

    Raises
    ------
    OptionError
        The solver is unknown.
    """
    check_option("solver", name, SOLVERS)
    return _SOLVE[name]
