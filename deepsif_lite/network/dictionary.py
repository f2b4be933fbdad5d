"""A dictionary of extended sources: patches all over the cortex, as scalp maps.

The scan network asks which of these patches fit into the EEG. The patches are grown
by the rules that make the training data, but from a key of their own, so no patch of
a training or test stream is in the dictionary but by chance.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..cortex.patches import gaussian_decay, patch_candidates
from ..paths import data_dir
from ..signals import average_reference

if TYPE_CHECKING:
    from ..cortex.surface import Cortex

HALF_DISTANCE = 0.05  # m, the middle of the range that synthesis draws from
# White noise against the cortex's own, both a channel. Of simulated patches on the known
# head, 0.2 tells true from nearly true ones best. But it trusts fine differences between
# electrodes, which a template head does not have right (chapters 3 and 6).
NOISE_SHARE = 1.0


def source_whitener(leadfield: NDArray, noise_share: float = NOISE_SHARE) -> NDArray:
    """Return the matrix that whitens the EEG of a cortex active all over.

    Spatial noise of EEG is mostly brain: nearby channels share it. If every parcel is
    active by itself and alike, its covariance is ``L L'``; sensor noise adds a
    multiple of the identity. Maps compared after whitening differ where they differ
    beyond what such noise explains.

    Parameters
    ----------
    leadfield : array of shape (n_channels, n_regions)
    noise_share : float
        Variance of sensor noise as a multiple of the mean variance of brain noise.

    Returns
    -------
    whitener : array of shape (n_channels, n_channels)
        Symmetric; of average-referenced EEG (any unit).
    """
    leadfield = average_reference(leadfield)
    covariance = leadfield @ leadfield.T
    covariance *= len(covariance) / np.trace(covariance)
    values, vectors = np.linalg.eigh(covariance + noise_share * np.eye(len(covariance)))
    return (vectors / np.sqrt(values)) @ vectors.T


def patch_dictionary(cortex: Cortex, n_shapes: int, seed: int = 0) -> NDArray[np.bool_]:
    """Grow patches around every parcel.

    Parameters
    ----------
    cortex : Cortex
    n_shapes : int
        Patches a parcel. A parcel with fewer different ones repeats some.
    seed : int
        Key of the growth.

    Returns
    -------
    members : array of bool, shape (n_regions * n_shapes, n_regions)
        The parcels of each patch; patches of one seed parcel follow each other.
    """
    stored = _stored_dictionary(cortex, n_shapes, seed)
    if stored.is_file():
        with np.load(stored) as file:
            return np.unpackbits(file["members"], 1, cortex.n_regions).astype(bool)
    members = np.zeros((cortex.n_regions, n_shapes, cortex.n_regions), dtype=bool)
    for region in range(cortex.n_regions):
        members[region] = _patches_of(cortex, region, n_shapes, seed)
    return members.reshape(-1, cortex.n_regions)


def store_dictionary(cortex: Cortex, n_shapes: int, seed: int = 0) -> Path:
    """Grow a dictionary, which takes seconds, and keep it with the shipped data."""
    path = _stored_dictionary(cortex, n_shapes, seed)
    path.unlink(missing_ok=True)
    members = patch_dictionary(cortex, n_shapes, seed)
    np.savez_compressed(path, members=np.packbits(members, axis=1))
    return path


def _stored_dictionary(cortex: Cortex, n_shapes: int, seed: int) -> Path:
    return data_dir() / "cortex" / f"patches-{cortex.name}-{n_shapes}-{seed}.npz"


def _patches_of(cortex: Cortex, region: int, n_shapes: int, seed: int) -> NDArray:
    """Grow the patches of one seed parcel, (n_shapes, n_regions)."""
    # Its own key and not the stream's, which is (seed, 2**31, region).
    rng = np.random.default_rng([seed, 1 << 33, region])
    grown = patch_candidates(cortex, region, rng=rng)
    different = list({tuple(np.sort(patch)): patch for patch in grown}.values())
    order = rng.permutation(len(different))
    members = np.zeros((n_shapes, cortex.n_regions), dtype=bool)
    for k in range(n_shapes):
        members[k, different[order[k % len(order)]]] = True
    return members


def patch_weights(cortex: Cortex, members: NDArray) -> NDArray:
    """Strengths of the parcels of each patch of a dictionary, 1 at the seed.

    Parameters
    ----------
    cortex : Cortex
    members : array of bool, shape (n_patches, n_regions)
        As :func:`patch_dictionary` gives them.

    Returns
    -------
    weights : array of shape (n_patches, n_regions)
    """
    n_shapes = len(members) // cortex.n_regions
    strength = gaussian_decay(cortex.distances, HALF_DISTANCE)
    return members * np.repeat(strength, n_shapes, axis=0)


def unit_maps(leadfield: NDArray, weights: NDArray) -> NDArray:
    """Scalp maps of patches, each of norm one.

    Parameters
    ----------
    leadfield : array of shape (n_channels, n_regions)
    weights : array of shape (n_patches, n_regions)

    Returns
    -------
    maps : array of shape (n_patches, n_channels)
    """
    maps = weights @ leadfield.T
    return maps / np.linalg.norm(maps, axis=1, keepdims=True)
