"""What a network was given to think about: the scalp maps that it takes EEG apart to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import MismatchError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class Explanation:
    """The scalp maps of a window, strongest first, and what explains each best.

    Attributes
    ----------
    maps : array of shape (n_maps, n_channels)
        Whitened (divided by what independent sources all over the cortex would give),
        of unit norm.
    courses : array of shape (n_maps, n_times)
        Their time courses, no unit; a stronger map has a larger one.
    fit : array of shape (n_maps,)
        Share of each map that the best patch of cortex explains, 0 to 1.
    seeds : array of int, shape (n_maps,)
        The region that this patch grew from.
    patches : list of arrays of int
        The regions of this patch.
    """

    maps: NDArray
    courses: NDArray
    fit: NDArray
    seeds: NDArray
    patches: list[NDArray]


def explain(network: nn.Module, eeg: Tensor) -> Explanation:
    """Take a window apart as a network of the ``lite`` kind does.

    Parameters
    ----------
    network : Module
    eeg : tensor of shape (n_times, n_channels)
        Normalized.

    Raises
    ------
    MismatchError
        The network does not work with scalp maps.
    """
    import torch

    geometry = getattr(network, "geometry", None)
    if geometry is None:
        msg = (
            f"A {type(network).__name__} does not take EEG apart into scalp maps; only "
            "a lite network can explain."
        )
        raise MismatchError(msg)
    with torch.inference_mode():
        maps, strengths, courses = (part[0].cpu() for part in network.modes(eeg[None]))
        fit, best = (maps @ geometry.patch_maps.cpu().T).square().max(dim=1)
        members = geometry.members.cpu()[best].numpy()
    n_maps = len(maps)  # the course after the last map is constant
    return Explanation(
        maps=maps.numpy(),
        courses=(strengths[:, None] * courses[:n_maps]).numpy(),
        fit=fit.numpy(),
        seeds=best.numpy() // geometry.n_shapes,
        patches=[np.flatnonzero(row) for row in members],
    )
