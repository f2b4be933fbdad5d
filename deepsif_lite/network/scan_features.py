"""Features of each parcel from the scans: the input of the scoring perceptron.

Scans compare the scalp maps of the EEG with those of patches of cortex. Nothing here
is learned but what is handed in: which maps a scan takes, and how sharply it separates
a good fit from a fair one.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from .alternating import Placed, place_together
from .patch_search import choose_starts, search_patches
from .scan_geometry import ScanGeometry

FLOORS = (0.002, 0.006, 0.02)
"""Misfits below which two patches count as alike."""

_FAINT = 1e-30  # likelihood below which patches count as not fitting at all
_SHARE_OF_NONE = 0.05  # of the patches that hold a parcel, where no patch fits
# A misfit is 1 - fit, and its logarithm is taken: the first numbers keep that finite
# at a perfect fit, the last where rounding or weights take the fit above 1.
_PATCH_OFFSET, _PARCEL_OFFSET, _LEAST_MISFIT = 0.01, 0.02, 1e-3
# Bring logarithms to the size of the shares that stand beside them.
_PATCH_SCALE, _PARCEL_SCALE = 0.1, 0.3
# Which of several found patches the features describe: one that holds it comes before
# one that borders on it, and that before one whose seed is near.
_HOLDS, _BORDERS = 10, 5


def n_features(n_scans: int, n_modes: int, n_rounds: int, n_placings: int) -> int:
    """Return how many features each parcel has, of all scans together."""
    dictionary, search, placed = 2, 3 + len(FLOORS) + 1, 3
    return (
        n_scans * (dictionary + search)
        + n_placings * (dictionary + placed)
        + 2 * n_rounds * n_modes
    )


def parcel_features(fit: Tensor) -> Tensor:
    """Return what each map explains of a round patch, and what the first k leave.

    Parameters
    ----------
    fit : tensor of shape (n_samples, n_scales, n_modes, n_regions)
        Product of each map with the unit map of each patch.

    Returns
    -------
    tensor of shape (n_samples, 2 * n_scales * n_modes, n_regions)
    """
    share = fit.square()
    misfit = (1 + _PARCEL_OFFSET - share.cumsum(2)).clamp_min(_LEAST_MISFIT)
    left = -_PARCEL_SCALE * torch.log(misfit)
    return torch.cat([share.flatten(1, 2), left.flatten(1, 2)], 1)


def dictionary_features(
    geometry: ScanGeometry, fit: Tensor, sharpness: Tensor
) -> Tensor:
    """Compare patches of the dictionary that hold a parcel with those around it.

    Parameters
    ----------
    geometry : ScanGeometry
    fit : tensor of shape (n_samples, n_scans, n_patches)
        Share of each patch's scalp map in the span of the maps of each scan.
    sharpness : tensor of shape (n_samples, n_scans)
        The likelihood of a patch is its misfit to the power of minus this.

    Returns
    -------
    tensor of shape (n_samples, 2 * n_scans, n_regions)
        For each scan the share of the likelihood of the patches near a parcel that
        falls on patches that hold it (where is the border?), and the share of all
        likelihood that falls near it (is there a source?), both as logarithms.
    """
    misfit = (1 + _PATCH_OFFSET - fit).clamp_min(_LEAST_MISFIT).log()
    worse = misfit - misfit.detach().amin(-1, keepdim=True)  # than the best patch
    likelihood = (-sharpness[..., None] * worse).exp()
    of_seed = likelihood.unflatten(-1, (-1, geometry.n_shapes)).sum(-1)
    around = torch.log(geometry.multiply(of_seed, "neighborhood") + _FAINT)
    holding = geometry.multiply(likelihood, "members") + _SHARE_OF_NONE * _FAINT
    everywhere = torch.log(of_seed.sum(-1, keepdim=True))
    nearby = _PATCH_SCALE * (around - everywhere)
    return torch.cat([torch.log(holding) - around, nearby], 1)


@torch.no_grad()
def search_features(
    geometry: ScanGeometry, fit: Tensor, maps: Tensor, picked: Tensor
) -> Tensor:
    """Search from the best patches of each scan, and describe what was found.

    The first scan searches for one patch, the second for two, and so on.

    Parameters
    ----------
    geometry : ScanGeometry
    fit : tensor of shape (n_samples, n_scans, n_patches)
        Share of each patch's scalp map in the span of the maps of each scan.
    maps : tensor of shape (n_samples, n_modes, n_channels)
        Orthonormal.
    picked : tensor of shape (n_samples, n_scans, n_modes)
        Between 0 and 1: how much each map counts in each scan.

    Returns
    -------
    tensor of shape (n_samples, n_scans * (4 + n_floors), n_regions)
        For each scan and parcel, of the found patch that is nearest: is the parcel
        in it, which share of its neighbors is, how well does the patch fit, how much
        worse would it fit if the parcel changed sides (against each floor; positive
        for members), and whether there is a patch near at all.
    """
    counts = range(1, fit.shape[1] + 1)
    starts = torch.cat(
        [
            choose_starts(fit[:, k], geometry.far_apart, n, geometry.n_shapes)
            for k, n in enumerate(counts)
        ],
        1,
    )
    scan_of_start = [k for k, n in enumerate(counts) for _ in range(n)]
    found = search_patches(
        geometry, geometry.members[starts], maps, picked[:, scan_of_start]
    )
    inside = found.members.to(maps.dtype)
    misfit = found.misfit[..., None]
    level = torch.log(misfit + FLOORS[0]) * (found.neighbor_share + inside > 0)
    evidence = [
        (2 * inside - 1) * torch.log((found.misfit_flipped + floor) / (misfit + floor))
        for floor in FLOORS
    ]
    near = geometry.neighborhood[starts // geometry.n_shapes]
    nearness = _HOLDS * inside + _BORDERS * found.neighbor_share + near
    features = torch.stack([inside, found.neighbor_share, level, *evidence], 2)
    ends = [0, *(sum(counts[: k + 1]) for k in range(len(counts)))]
    parts = [_of_nearest(features[:, i:j], nearness[:, i:j]) for i, j in pairwise(ends)]
    return torch.cat(parts, 1)


@torch.no_grad()
def placed_patches(
    geometry: ScanGeometry, maps: Tensor, products: Tensor, strengths: Tensor, most: int
) -> list[Placed]:
    """Place two patches together, three, and so on, by the power of their maps.

    Shapes are those of :func:`~deepsif_lite.network.alternating.place_together`;
    strengths, (n_samples, n_modes), are root mean squares over time.
    """
    power = strengths.square()
    power = power / power.sum(1, keepdim=True)
    return list(place_together(geometry.patch_maps, maps, products, power, most))


def placed_features(geometry: ScanGeometry, placed: Placed) -> Tensor:
    """Describe patches that were placed together.

    Parameters
    ----------
    geometry : ScanGeometry
    placed : Placed

    Returns
    -------
    tensor of shape (n_samples, 3, n_regions)
        Of each parcel: is it in one of the patches, which share of its neighbors is,
        and what that patch, or one beside, adds to what the others explain (logarithm).
    """
    members = geometry.members[placed.patches].to(placed.gain.dtype)
    inside = members.amax(1)
    beside = geometry.multiply(inside, "adjacency") / geometry.n_neighbors
    reach = geometry.neighborhood[placed.patches // geometry.n_shapes]
    level = _PATCH_SCALE * torch.log(placed.gain + FLOORS[0]) + 1
    return torch.stack([inside, beside, (reach * level[..., None]).amax(1)], 1)


def _of_nearest(features: Tensor, nearness: Tensor) -> Tensor:
    """Take of several patches the one nearest to each parcel, and whether it is near.

    From (n_samples, n_patches, n_features, n_regions) and (n_samples, n_patches,
    n_regions) to (n_samples, n_features + 1, n_regions).
    """
    closest, owner = nearness.max(1, keepdim=True)
    index = owner[:, :, None].expand(-1, -1, features.shape[2], -1)
    return torch.cat([features.gather(1, index)[:, 0], closest.clamp_max(1)], 1)
