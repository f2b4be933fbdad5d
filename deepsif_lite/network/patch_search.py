"""Search for the patches of cortex whose scalp maps fit best.

A dictionary holds a few of the many patches that can grow from a parcel; the true one
usually fits much better than any of them. So the search starts at patches of the
dictionary and flips parcels on the border, one at a time, as long as the fit improves.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from .scan_geometry import ScanGeometry

_N_STEPS = 12  # flips at most
_LEAST_GAIN = 0.03  # that a flip must take from the logarithm of the misfit,
_FLOOR = 0.002  # to which this is added first: what no patch gets below
_TAKEN = -1.0  # below every fit, which lies between 0 and 1
_NOT_ALLOWED = 2.0  # above every misfit, likewise
_LEAST_NORM = 1e-3  # of a parcel's own: a patch that loses its last one has no map


class Found(NamedTuple):
    """Patches found in each sample, and what the EEG says of each parcel.

    Attributes
    ----------
    members : tensor of bool, shape (n_samples, n_starts, n_regions)
    misfit : tensor of shape (n_samples, n_starts)
        Share of the patch's scalp map outside the given maps.
    misfit_flipped : tensor of shape (n_samples, n_starts, n_regions)
        The misfit if this one parcel joined or left.
    neighbor_share : tensor of shape (n_samples, n_starts, n_regions)
        Share of a parcel's neighbors that are members.
    """

    members: Tensor
    misfit: Tensor
    misfit_flipped: Tensor
    neighbor_share: Tensor


@torch.no_grad()
def choose_starts(fit: Tensor, far: Tensor, n_starts: int, n_shapes: int) -> Tensor:
    """Pick the patches that fit best and lie apart from each other.

    Parameters
    ----------
    fit : tensor of shape (n_samples, n_patches)
        Patches of one seed parcel follow each other.
    far : tensor of bool, shape (n_regions, n_regions)
        Which seeds lie apart.
    n_starts, n_shapes : int

    Returns
    -------
    patches : tensor of int, shape (n_samples, n_starts)
    """
    by_seed = fit.unflatten(-1, (-1, n_shapes))
    best, chosen = by_seed.amax(-1), []
    for _ in range(n_starts):
        seed = best.argmax(-1, keepdim=True)
        shape = by_seed.take_along_dim(seed[..., None], 1).argmax(-1)
        chosen.append(seed * n_shapes + shape)
        best = best.where(far[seed[:, 0]], best.new_tensor(_TAKEN))
    return torch.cat(chosen, -1)


@torch.no_grad()
def search_patches(
    geometry: ScanGeometry,
    members: Tensor,
    maps: Tensor,
    weights: Tensor,
    *,
    n_steps: int = _N_STEPS,
) -> Found:
    """Flip parcels while the fit improves.

    Parameters
    ----------
    geometry : ScanGeometry
        Scalp maps and neighbors of the parcels.
    members : tensor of bool, shape (n_samples, n_starts, n_regions)
        Patches to start from.
    maps : tensor of shape (n_samples, n_modes, n_channels)
        Orthonormal scalp maps of the EEG.
    weights : tensor of shape (n_samples, n_starts, n_modes)
        Between 0 and 1: how much each map counts.
    n_steps : int
        Flips at most.

    Returns
    -------
    Found
    """
    white, adjacency = geometry.parcel_maps, geometry.adjacency
    n_neighbors = geometry.n_neighbors
    inside = members.to(white.dtype)
    own = maps @ white.T  # (n_samples, n_modes, n_regions)
    own_square = weights @ own.square()
    size = white.square().sum(1)
    patch, neighbors = inside @ white, geometry.multiply(inside, "adjacency")
    for step in range(n_steps + 1):
        along = patch @ maps.transpose(1, 2)  # (n_samples, n_starts, n_modes)
        explained = (weights * along.square()).sum(-1)
        norm = patch.square().sum(-1)
        misfit = (1 - explained / norm).clamp_min(0)
        sign = 1 - 2 * inside
        cross = (weights * along) @ own
        explained = explained[..., None] + 2 * sign * cross + own_square
        norm = norm[..., None] + 2 * sign * (patch @ white.T) + size
        flipped = (1 - explained / norm.clamp_min(_LEAST_NORM * size)).clamp(0, 1)
        if step == n_steps:
            break
        border = torch.where(inside > 0, n_neighbors - neighbors, neighbors) > 0
        lone = inside.sum(-1, keepdim=True) <= 1
        allowed = border & ~(lone & (inside > 0))
        best, region = flipped.where(allowed, flipped.new_tensor(_NOT_ALLOWED)).min(-1)
        gain = torch.log(misfit + _FLOOR) - torch.log(best + _FLOOR)
        helps = gain > _LEAST_GAIN
        if _may_stop(helps.device) and not helps.any():
            break
        flip = sign.gather(-1, region[..., None]) * helps[..., None]
        inside = inside.scatter_add(-1, region[..., None], flip)
        patch = patch + flip * white[region]
        neighbors = neighbors + flip * adjacency[region]
    return Found(inside > 0, misfit, flipped, neighbors / n_neighbors)


class Search(NamedTuple):
    """A search from the best patches of the dictionary.

    Attributes
    ----------
    starts : tensor of bool, shape (n_samples, n_starts, n_regions)
        Members of the patches that it started from.
    start_misfit : tensor of shape (n_samples, n_starts)
        Their misfit, with strengths that fall off from the seed.
    found : Found
        Where it ended.
    """

    starts: Tensor
    start_misfit: Tensor
    found: Found


@torch.no_grad()
def search_dictionary(geometry: ScanGeometry, maps: Tensor, n_starts: int) -> Search:
    """Find the patches of the dictionary that fit best, and search on from them.

    Parameters
    ----------
    geometry : ScanGeometry
    maps : tensor of shape (n_samples, n_modes, n_channels)
        Orthonormal scalp maps of whitened EEG; all of them count alike.
    n_starts : int
        Patches looked for, which lie apart.

    Returns
    -------
    Search
    """
    fit = geometry.fit(maps)
    starts = choose_starts(fit, geometry.far_apart, n_starts, geometry.n_shapes)
    weights = maps.new_ones(len(maps), n_starts, maps.shape[1])
    found = search_patches(geometry, geometry.members[starts], maps, weights)
    members = geometry.members[starts]
    return Search(members, 1 - fit.gather(1, starts), found)


def _may_stop(device: torch.device) -> bool:
    # A GPU would have to be waited for, and an exported graph takes all steps.
    return device.type == "cpu" and not torch.compiler.is_compiling()
