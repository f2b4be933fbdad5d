"""A dictionary of extended sources: patches all over the cortex.

The scan network asks which of these patches fit into the EEG. They are grown by the
rules that make the training data, but from a key of their own, so no patch of a
training or test stream is in the dictionary but by chance.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..artifacts import artifact_path, read_artifact, write_arrays
from .patches import DICTIONARY_PATCHES, gaussian_decay, patch_candidates

if TYPE_CHECKING:
    from .parcels import Parcels

_SHIPPED_SHAPES = 40  # patches a parcel, as many as the lite network uses
_HALF_DISTANCE = 0.05  # m, the middle of the range that synthesis draws from


def patch_dictionary(
    cortex: Parcels, n_shapes: int, seed: int = 0
) -> NDArray[np.bool_]:
    """Return patches around every parcel: the shipped ones, or grown in seconds.

    Parameters
    ----------
    cortex : Cortex
    n_shapes : int
        Patches a parcel. A parcel with fewer different ones repeats some.
    seed : int
        Of the growth.

    Returns
    -------
    members : array of bool, shape (n_regions * n_shapes, n_regions)
        The parcels of each patch; patches of one seed parcel follow each other.

    Raises
    ------
    ArtifactError
        The shipped dictionary is damaged.
    """
    name = _artifact_name(cortex, n_shapes, seed)
    if artifact_path(name).is_file():
        packed = read_artifact(name, "dictionary")["members"]
        return np.unpackbits(packed, 1, cortex.n_regions).astype(bool)
    return _grow(cortex, n_shapes, seed)


def store_dictionary(root: str | Path | None = None) -> Path:
    """Grow the shipped dictionary and store it.

    Parameters
    ----------
    root : path | None
        Folder in place of ``data/``.

    Returns
    -------
    path : Path
    """
    from .surface import load_cortex

    cortex = load_cortex()
    members = _grow(cortex, _SHIPPED_SHAPES, seed=0)
    path = artifact_path(_artifact_name(cortex, _SHIPPED_SHAPES, seed=0), root)
    return write_arrays(path, {"members": np.packbits(members, axis=1)})


def patch_weights(cortex: Parcels, members: NDArray) -> NDArray:
    """Return the strengths of the parcels of each patch of a dictionary.

    Parameters
    ----------
    cortex : Cortex
    members : array of bool, shape (n_patches, n_regions)
        As :func:`patch_dictionary` gives them.

    Returns
    -------
    weights : array of shape (n_patches, n_regions)
        1 at the seed, 0 outside the patch.
    """
    n_shapes = len(members) // cortex.n_regions
    strength = gaussian_decay(cortex.distances, _HALF_DISTANCE)
    return members * np.repeat(strength, n_shapes, axis=0)


def _artifact_name(cortex: Parcels, n_shapes: int, seed: int) -> str:
    return f"cortex/patches-{cortex.name}-{n_shapes}-{seed}.npz"


def _grow(cortex: Parcels, n_shapes: int, seed: int) -> NDArray[np.bool_]:
    members = np.zeros((cortex.n_regions, n_shapes, cortex.n_regions), dtype=bool)
    for region in range(cortex.n_regions):
        members[region] = _patches_of(cortex, region, n_shapes, seed)
    return members.reshape(-1, cortex.n_regions)


def _patches_of(cortex: Parcels, region: int, n_shapes: int, seed: int) -> NDArray:
    """Grow the patches of one seed parcel, (n_shapes, n_regions)."""
    rng = np.random.default_rng([seed, DICTIONARY_PATCHES, region])
    grown = patch_candidates(cortex, region, rng=rng)
    different = list({tuple(np.sort(patch)): patch for patch in grown}.values())
    order = rng.permutation(len(different))
    members = np.zeros((n_shapes, cortex.n_regions), dtype=bool)
    for k in range(n_shapes):
        members[k, different[order[k % len(order)]]] = True
    return members
