"""Solvers whose image is one of several results, as those that return it alone."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ..head.model import HeadModel


class _Solution(Protocol):
    @property
    def activity(self) -> NDArray: ...


def activity_of(image: Callable[..., _Solution]) -> Callable[..., NDArray]:
    """Return a solver with the options of another, that returns its activity alone.

    Parameters
    ----------
    image : callable
        Takes EEG and head model, and options by name.

    Returns
    -------
    callable
        The module's ``solve``, for :data:`~deepsif_lite.solvers.METHODS`: an array of
        shape (n_times, n_regions).
    """

    @wraps(image)
    def solve(eeg: NDArray, head: HeadModel, **options: object) -> NDArray:
        return image(eeg, head, **options).activity

    solve.__name__ = solve.__qualname__ = "solve"  # so that workers find it
    solve.__doc__ = (
        f"Estimate the activity of each region, (n_times, n_regions).\n\n"
        f"Options and errors are those of ``{image.__name__}``.\n"
    )
    return solve
